r"""Solvers from the exponential integrator (Lu et al. 2022), in half the logarithm of the signal-to-noise ratio.

.. math:: \lambda = \log\frac{\sqrt{\bar\alpha}}{\sqrt{1 - \bar\alpha}} = \tfrac12 \log \operatorname{SNR}, \qquad
   h = \lambda_s - \lambda_t > 0

Their alpha is :math:`\sqrt{\bar\alpha}` here, and their sigma :math:`\sqrt{1 - \bar\alpha}`; their s is the start of a step
and their t its end, which are t and s here.
"""

from __future__ import annotations

from sympy import Expr, Rational, exp, log, sqrt

from .form import Form, Source
from .newton import divided_differences
from .quantities import POSITIVE, PROPER_FRACTION, REAL, Quantity, abar_s, abar_t, eps, snr_s, snr_t, x_0, x_t

LU = "Lu et al. 2022 (DPM-Solver)"
PLUS = "Lu et al. 2022 (DPM-Solver++)"
LEVELS = "its alpha is sqrt(abar) and its sigma sqrt(1 - abar)"

lam = Quantity("lam", r"\lambda", REAL, meaning="half the logarithm of signal over noise in power")
step = Quantity("step", "h", POSITIVE, meaning="a step in lambda, as a letter of its own")
h = Quantity("h", "h", REAL, log(snr_s / snr_t) / 2, meaning="lambda_s - lambda_t, which is positive")
r = Quantity("r", "r", PROPER_FRACTION, meaning="where in the step, as a part of h, the model is asked again")
ratio = Quantity("ratio", r"\rho", POSITIVE, meaning="the step before over this one, in lambda; r_0 in the libraries")
weighted_noise = Quantity("weighted_noise", r"\textstyle\int_t^s e^{-\lambda}\, \hat\epsilon\, d\lambda", REAL)
weighted_data = Quantity("weighted_data", r"\textstyle\int_t^s e^{\lambda}\, \hat x_0\, d\lambda", REAL)
eps_r = Quantity("eps_r", r"\epsilon_r", REAL, meaning="the noise predicted within the step")
x_r = Quantity("x_r", r"\hat x_r", REAL, meaning="the data predicted within the step")
x_before = Quantity("x_before", r"\hat x_{\mathrm{prev}}", REAL, meaning="the data predicted one step earlier")
eps_before = Quantity("eps_before", r"\epsilon_{\mathrm{prev}}", REAL, meaning="the noise predicted one step earlier")
ratio_2 = Quantity("ratio_2", r"\rho_2", POSITIVE, meaning="the step before that over this one, in lambda; r_1 in the libraries")
x_earlier = Quantity("x_earlier", r"\hat x_{\mathrm{prev}, 2}", REAL, meaning="the data predicted two steps earlier")
eps_earlier = Quantity("eps_earlier", r"\epsilon_{\mathrm{prev}, 2}", REAL, meaning="the noise predicted two steps earlier")
x_earliest = Quantity("x_earliest", r"\hat x_{\mathrm{prev}, 3}", REAL, meaning="the data predicted three steps earlier")
eps_earliest = Quantity("eps_earliest", r"\epsilon_{\mathrm{prev}, 3}", REAL, meaning="the noise predicted three steps earlier")


ratio_3 = Quantity("ratio_3", r"\rho_3", POSITIVE, meaning="the step three before this one over it, in lambda")


def _bend(now: Quantity, before: Quantity, earlier: Quantity) -> Expr:
    return ((now - before) / ratio - (before - earlier) / ratio_2) / (ratio + ratio_2)


bend = Quantity(
    "bend", "D_2", REAL, _bend(x_0, x_before, x_earlier), meaning="of the parabola through three predictions, by h^2 / 2"
)
slope = Quantity("slope", "D_1", REAL, (x_0 - x_before) / ratio + ratio * bend, meaning="its slope at t, by h")
eps_bend = Quantity("eps_bend", "E_2", REAL, _bend(eps, eps_before, eps_earlier), meaning="the same of the predicted noise")
eps_slope = Quantity("eps_slope", "E_1", REAL, (eps - eps_before) / ratio + ratio * eps_bend, meaning="its slope at t, by h")

RATIOS = (-ratio, -ratio_2, -ratio_3)
twist = Quantity(
    "twist", "D_3", REAL, divided_differences((x_0, x_before, x_earlier, x_earliest), RATIOS)[2],
    meaning="the third divided difference, by h^3",
)  # fmt: skip
eps_twist = Quantity(
    "eps_twist", "E_3", REAL, divided_differences((eps, eps_before, eps_earlier, eps_earliest), RATIOS)[2],
    meaning="the same of the predicted noise",
)  # fmt: skip

# -- the coordinate ----------------------------------------------------------------------------------------------------------

half_log_snr = Form(
    "dpm.half_log_snr", "half the logarithm of signal over noise", r"\lambda_t", log(snr_t) / 2, Source(LU, "sec. 3.1")
)

signal = Form("dpm.signal", "signal by lambda", r"\bar\alpha(\lambda)", 1 / (1 + exp(-2 * lam)), Source(LU, "sec. 3.1", LEVELS))

growth = Form(
    "dpm.growth", "what a step in lambda multiplies", r"e^{h}",
    sqrt(abar_s) * sqrt(1 - abar_t) / (sqrt(abar_t) * sqrt(1 - abar_s)),
    Source(LU, "sec. 3.1", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

# -- exact solutions ---------------------------------------------------------------------------------------------------------

exact_noise = Form(
    "dpm.exact_noise", "exact solution by the noise prediction", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t - sqrt(abar_s) * weighted_noise,
    Source(LU, "prop. 3.1, eq. 3.4", LEVELS),
)  # fmt: skip

exact_data = Form(
    "dpm.exact_data", "exact solution by the data prediction", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t + sqrt(1 - abar_s) * weighted_data,
    Source(PLUS, "prop. 4.1", LEVELS),
)  # fmt: skip

phi_1 = Form("dpm.phi_1", "the first phi function", r"\varphi_1(h)", (exp(step) - 1) / step, Source(LU, "app. B"))
phi_2 = Form("dpm.phi_2", "the second phi function", r"\varphi_2(h)", (exp(step) - 1 - step) / step**2, Source(LU, "app. B"))
phi_3 = Form(
    "dpm.phi_3", "the third phi function", r"\varphi_3(h)", (exp(step) - 1 - step - step**2 / 2) / step**3, Source(LU, "app. B")
)

# -- noise prediction ----------------------------------------------------------------------------------------------------------

first_noise = Form(
    "dpm.first_noise", "DPM-Solver-1", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t - sqrt(1 - abar_s) * (exp(h) - 1) * eps,
    Source(LU, "sec. 3.2, DPM-Solver-1", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

second_noise = Form(
    "dpm.second_noise", "DPM-Solver-2 with a point at r h", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - sqrt(1 - abar_s) / (2 * r) * (exp(h) - 1) * (eps_r - eps),
    Source(LU, "app. C, algorithm 4", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

third_inner = Form(
    "dpm.third_inner", "DPM-Solver-3: the second point within the step, at 2h/3", "u_2",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - 2 * sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps_r - eps),
    Source(LU, "algorithm 2", f"{LEVELS}; here s is the point at 2h/3, h the step to it, and r the point at h/3"),
    assuming=(abar_s < 1,),
)  # fmt: skip

third_noise = Form(
    "dpm.third_noise", "DPM-Solver-3", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - Rational(3, 2) * sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps_r - eps),
    Source(LU, "algorithm 2", f"{LEVELS}; eps_r is predicted at the point at 2h/3"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep_noise = Form(
    "dpm.multistep_noise", "multistep DPM-Solver-2", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * ((1 + 1 / (2 * ratio)) * eps - eps_before / (2 * ratio)),
    Source(LU, "prop. 3.1, eq. 3.4", f"{LEVELS}; with a line through two predictions, weighed as in DPM-Solver-2"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep_noise_exact = Form(
    "dpm.multistep_noise_exact", "multistep DPM-Solver-2 with the weight of its integral, which is DEIS in log rho", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps - eps_before) / ratio,
    Source(LU, "prop. 3.1, eq. 3.4", f"{LEVELS}; the integral of a line through two predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep_noise_third = Form(
    "dpm.multistep_noise_third", "multistep DPM-Solver-3, which is DEIS of order 3 in log rho", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * eps_slope
    - 2 * sqrt(1 - abar_s) * ((exp(h) - 1 - h) / h**2 - Rational(1, 2)) * eps_bend,
    Source(LU, "prop. 3.1, eq. 3.4", f"{LEVELS}; the integral of a parabola through three predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip

_eps_1 = (exp(h) - 1) / h - 1
_eps_2 = 2 * _eps_1 / h - 1
multistep_noise_fourth = Form(
    "dpm.multistep_noise_fourth", "multistep DPM-Solver-4, which is DEIS of order 4 in log rho", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - sqrt(1 - abar_s) * _eps_1 * (eps_slope + ratio * (ratio + ratio_2) * eps_twist)
    - sqrt(1 - abar_s) * _eps_2 * (eps_bend + (2 * ratio + ratio_2) * eps_twist)
    - sqrt(1 - abar_s) * (3 * _eps_2 / h - 1) * eps_twist,
    Source(LU, "prop. 3.1, eq. 3.4", f"{LEVELS}; the integral of a cubic through four predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip

# -- data prediction -----------------------------------------------------------------------------------------------------------

first_data = Form(
    "dpm.first_data", "DPM-Solver++ of first order", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t + sqrt(abar_s) * (1 - exp(-h)) * x_0,
    Source(PLUS, "sec. 4", f"{LEVELS}; x_0 is its prediction"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep = Form(
    "dpm.multistep", "DPM-Solver++(2M)", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    + sqrt(abar_s) * (1 - exp(-h)) * ((1 + 1 / (2 * ratio)) * x_0 - x_before / (2 * ratio)),
    Source(PLUS, "algorithm 2", f"{LEVELS}; x_0 is its prediction at t"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep_exact = Form(
    "dpm.multistep_exact", "the multistep solver with the weight of its integral", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    + sqrt(abar_s) * (1 - exp(-h)) * x_0
    + sqrt(abar_s) * ((exp(-h) - 1) / h + 1) * (x_0 - x_before) / ratio,
    Source(PLUS, "app. B", f"{LEVELS}; diffusers calls it solver_type 'heun'"),
    assuming=(abar_s < 1,),
)  # fmt: skip

multistep_third = Form(
    "dpm.multistep_third", "DPM-Solver++(3M)", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    + sqrt(abar_s) * (1 - exp(-h)) * x_0
    + sqrt(abar_s) * ((exp(-h) - 1) / h + 1) * slope
    - 2 * sqrt(abar_s) * ((exp(-h) - 1 + h) / h**2 - Rational(1, 2)) * bend,
    Source(PLUS, "prop. 4.1", f"{LEVELS}; the integral of a parabola through three predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip

_x_1 = (exp(-h) - 1) / h + 1
_x_2 = 1 - 2 * _x_1 / h
multistep_fourth = Form(
    "dpm.multistep_fourth", "DPM-Solver++(4M)", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    + sqrt(abar_s) * (1 - exp(-h)) * x_0
    + sqrt(abar_s) * _x_1 * (slope + ratio * (ratio + ratio_2) * twist)
    + sqrt(abar_s) * _x_2 * (bend + (2 * ratio + ratio_2) * twist)
    + sqrt(abar_s) * (1 - 3 * _x_2 / h) * twist,
    Source(PLUS, "prop. 4.1", f"{LEVELS}; the integral of a cubic through four predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip

singlestep = Form(
    "dpm.singlestep", "DPM-Solver++(2S)", "x_s",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    + sqrt(abar_s) * (1 - exp(-h)) * ((1 - 1 / (2 * r)) * x_0 + x_r / (2 * r)),
    Source(PLUS, "algorithm 1", f"{LEVELS}; x_0 is its prediction at t"),
    assuming=(abar_s < 1,),
)  # fmt: skip

# -- with noise ------------------------------------------------------------------------------------------------------------------

sde_noise_mean = Form(
    "dpm.sde_noise_mean", "SDE-DPM-Solver-1 without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \epsilon]",
    sqrt(abar_s) / sqrt(abar_t) * x_t - 2 * sqrt(1 - abar_s) * (exp(h) - 1) * eps,
    Source(PLUS, "SDE-DPM-Solver-1", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_noise_variance = Form(
    "dpm.sde_noise_variance", "fresh noise of SDE-DPM-Solver-1", r"\operatorname{Var}[x_s \mid x_t]",
    (1 - abar_s) * (exp(2 * h) - 1),
    Source(PLUS, "SDE-DPM-Solver-1", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_data_mean = Form(
    "dpm.sde_data_mean", "SDE-DPM-Solver++ of first order without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \hat x_0]",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * exp(-h) * x_t + sqrt(abar_s) * (1 - exp(-2 * h)) * x_0,
    Source(PLUS, "SDE-DPM-Solver++1", f"{LEVELS}; x_0 is its prediction"),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_data_variance = Form(
    "dpm.sde_data_variance", "fresh noise of SDE-DPM-Solver++", r"\operatorname{Var}[x_s \mid x_t]",
    (1 - abar_s) * (1 - exp(-2 * h)),
    Source(PLUS, "SDE-DPM-Solver++1", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_multistep_mean = Form(
    "dpm.sde_multistep_mean", "SDE-DPM-Solver++(2M) without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \hat x_0]",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * exp(-h) * x_t
    + sqrt(abar_s) * (1 - exp(-2 * h)) * ((1 + 1 / (2 * ratio)) * x_0 - x_before / (2 * ratio)),
    Source(PLUS, "SDE-DPM-Solver++(2M)", f"{LEVELS}; x_0 is its prediction at t"),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_multistep_exact_mean = Form(
    "dpm.sde_multistep_exact_mean", "SDE-DPM-Solver++(2M) with the weight of its integral, without its fresh noise",
    r"\mathbb{E}[x_s \mid x_t, \hat x_0]",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * exp(-h) * x_t
    + sqrt(abar_s) * (1 - exp(-2 * h)) * x_0
    + sqrt(abar_s) * (1 - (1 - exp(-2 * h)) / (2 * h)) * (x_0 - x_before) / ratio,
    Source(PLUS, "SDE-DPM-Solver++(2M)", f"{LEVELS}; the slope is weighed by its integral; diffusers calls it solver_type 'heun'"),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_multistep_noise_mean = Form(
    "dpm.sde_multistep_noise_mean", "SDE-DPM-Solver-2M without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \epsilon]",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - 2 * sqrt(1 - abar_s) * (exp(h) - 1) * ((1 + 1 / (2 * ratio)) * eps - eps_before / (2 * ratio)),
    Source(PLUS, "SDE-DPM-Solver-2M", LEVELS),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_multistep_noise_exact_mean = Form(
    "dpm.sde_multistep_noise_exact_mean", "SDE-DPM-Solver-2M with the weight of its integral, without its fresh noise",
    r"\mathbb{E}[x_s \mid x_t, \epsilon]",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    - 2 * sqrt(1 - abar_s) * (exp(h) - 1) * eps
    - 2 * sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps - eps_before) / ratio,
    Source(PLUS, "SDE-DPM-Solver-2M", f"{LEVELS}; the slope is weighed by its integral; diffusers calls it solver_type 'heun'"),
    assuming=(abar_s < 1,),
)  # fmt: skip

sde_multistep_third_mean = Form(
    "dpm.sde_multistep_third_mean", "SDE-DPM-Solver++(3M) without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \hat x_0]",
    sqrt(1 - abar_s) / sqrt(1 - abar_t) * exp(-h) * x_t
    + sqrt(abar_s) * (1 - exp(-2 * h)) * x_0
    + sqrt(abar_s) * (1 - (1 - exp(-2 * h)) / (2 * h)) * slope
    + sqrt(abar_s) * (1 - 1 / h + (1 - exp(-2 * h)) / (2 * h**2)) * bend,
    Source(PLUS, "SDE-DPM-Solver++(2M)", f"{LEVELS}; with the integral of a parabola through three predictions"),
    assuming=(abar_s < 1,),
)  # fmt: skip
