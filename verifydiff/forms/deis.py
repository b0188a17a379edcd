r"""DEIS (Zhang & Chen 2022): the exponential integrator by noise over signal,

.. math:: \rho = e^{-\lambda} = \sqrt{(1 - \bar\alpha) / \bar\alpha}.
"""

from __future__ import annotations

from sympy import Add, sqrt

from .dpm import eps_before, eps_earlier, eps_earliest
from .form import Form, Source
from .newton import divided_differences, integrals
from .quantities import POSITIVE, REAL, Quantity, abar_s, abar_t, eps, ve_s, ve_t, x_t

ZHANG = "Zhang & Chen 2022 (DEIS)"
PNDM = "Liu et al. 2022 (PNDM)"

rho_noise = Quantity("rho_noise", r"\textstyle\int_t^s \hat\epsilon\, d\rho", REAL)
back = Quantity("back", r"\rho_{\mathrm{prev}} - \rho_t", POSITIVE, meaning="the step before, in noise over signal")
back_2 = Quantity("back_2", r"\rho_{\mathrm{prev}, 2} - \rho_{\mathrm{prev}}", POSITIVE, meaning="the step before that")
back_3 = Quantity("back_3", r"\rho_{\mathrm{prev}, 3} - \rho_{\mathrm{prev}, 2}", POSITIVE, meaning="the one before that")

GAPS = (back, back_2, back_3)
_differences = divided_differences((eps, eps_before, eps_earlier, eps_earliest), GAPS)
rho_slope = Quantity(
    "rho_slope", r"\epsilon[t, \mathrm{prev}]", REAL, _differences[0], meaning="the first divided difference in rho"
)
rho_bend = Quantity("rho_bend", r"\epsilon[t, \dots, \mathrm{prev}_2]", REAL, _differences[1], meaning="the second one")
rho_twist = Quantity("rho_twist", r"\epsilon[t, \dots, \mathrm{prev}_3]", REAL, _differences[2], meaning="the third one")

exact = Form(
    "deis.exact", "exact solution in noise over signal", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * rho_noise,
    Source(ZHANG, "sec. 4", "for the levels of this library"),
)  # fmt: skip

rho_ab = Form(
    "deis.rho_ab", "DEIS with a line in rho (rhoAB, order 2)", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    + sqrt(abar_s) * ((ve_s - ve_t) * eps + (ve_s - ve_t) ** 2 / (2 * back) * (eps_before - eps)),
    Source(ZHANG, "sec. 4, rhoAB-DEIS", "for the levels of this library"),
)  # fmt: skip

_weights = integrals(ve_s - ve_t, GAPS)
_terms = [weight * one for weight, one in zip(_weights, (eps, rho_slope, rho_bend, rho_twist), strict=True)]

rho_ab_3 = Form(
    "deis.rho_ab_3", "DEIS with a parabola in rho (rhoAB, order 3)", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * Add(*_terms[:3]),
    Source(ZHANG, "sec. 4, rhoAB-DEIS", "for the levels of this library"),
)  # fmt: skip

rho_ab_4 = Form(
    "deis.rho_ab_4", "DEIS with a cubic in rho (rhoAB, order 4)", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * Add(*_terms),
    Source(ZHANG, "sec. 4, rhoAB-DEIS", "for the levels of this library"),
)  # fmt: skip

ab_2 = Form(
    "deis.ab_2", "iPNDM of order 2: DDIM along 3/2 and -1/2 of two predictions", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (3 * eps - eps_before) / 2,
    Source(PNDM, "eq. 12", "its order 2, in DDIM's step; the weights of Adams and Bashforth for equal steps in rho"),
)  # fmt: skip

ab_3 = Form(
    "deis.ab_3", "iPNDM of order 3: DDIM along 23/12, -16/12 and 5/12 of three predictions", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (23 * eps - 16 * eps_before + 5 * eps_earlier) / 12,
    Source(PNDM, "eq. 12", "its order 3, in DDIM's step; the weights of Adams and Bashforth for equal steps in rho"),
)  # fmt: skip

ab_4 = Form(
    "deis.ab_4", "iPNDM of order 4: DDIM along 55/24, -59/24, 37/24 and -9/24 of four predictions", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    + sqrt(abar_s) * (ve_s - ve_t) * (55 * eps - 59 * eps_before + 37 * eps_earlier - 9 * eps_earliest) / 24,
    Source(PNDM, "eq. 12", "in DDIM's step; the weights of Adams and Bashforth for equal steps in rho"),
)  # fmt: skip
