r"""Diffusion in continuous time (Song et al. 2021, "Score-Based Generative Modeling through SDEs").

.. math:: dx = f(x, t)\,dt + g(t)\,dW, \qquad B(t) = \int_0^t \beta(s)\,ds

The noise has one strength g(t) in every coordinate. Variance preserving (VP): :math:`f = -\frac12 \beta x`,
:math:`g^2 = \beta`. Variance exploding (VE): :math:`f = 0`, :math:`g^2 = d\sigma^2/dt`. Sub-VP: the drift of VP with
:math:`g^2 = \beta (1 - e^{-2B})`.
"""

from __future__ import annotations

from sympy import Rational, exp, sqrt

from .form import Form, Source
from .quantities import NONNEGATIVE, POSITIVE, REAL, UNIT, Quantity, abar_t, eps, x_0, x_t
from .score import score_t

SONG_SDE = "Song et al. 2021 (SDE)"

t = Quantity("t", "t", NONNEGATIVE, meaning="time; the data are at t = 0")
beta = Quantity("beta", r"\beta", POSITIVE, meaning="rate at which VP forgets the data, at time t")
B = Quantity("B", "B", NONNEGATIVE, meaning="integral of beta from 0 to t")
f = Quantity("f", "f_i", REAL, meaning="drift, one coordinate")
g = Quantity("g", "g", NONNEGATIVE, meaning="strength of the noise, a function of time alone")
sigma = Quantity("sigma", r"\sigma", NONNEGATIVE, meaning="VE noise level at time t")
sigma_rate = Quantity("sigma_rate", r"\dot\sigma", NONNEGATIVE, meaning="its rate of change")
sigma_0 = Quantity("sigma_0", r"\sigma(0)", NONNEGATIVE, meaning="VE noise level at time 0")
lam = Quantity("lam", r"\lambda", UNIT, meaning="0 the probability flow, 1 the reverse SDE")
beta_min = Quantity("beta_min", r"\beta_{\min}", POSITIVE, meaning="linear schedule: beta at t = 0")
beta_span = Quantity("beta_span", r"\Delta\beta", NONNEGATIVE, meaning="linear schedule: beta_max - beta_min")

# -- marginals given the data ---------------------------------------------------------------------------------------------

vp_level = Form(
    "sde.vp_level", "signal level of the VP SDE", r"\bar\alpha(t)",
    exp(-B),
    Source(SONG_SDE, "app. B", "the square of its mean factor"),
)  # fmt: skip

vp_mean = Form(
    "sde.vp_mean", "VP: mean of x(t) given x(0)", r"\mathbb{E}[x(t) \mid x(0)]",
    exp(-B / 2) * x_0,
    Source(SONG_SDE, "app. B"),
)  # fmt: skip

vp_variance = Form(
    "sde.vp_variance", "VP: variance of x(t) given x(0)", r"\operatorname{Var}[x(t) \mid x(0)]",
    1 - exp(-B),
    Source(SONG_SDE, "app. B"),
)  # fmt: skip

ve_variance = Form(
    "sde.ve_variance", "VE: variance of x(t) given x(0)", r"\operatorname{Var}[x(t) \mid x(0)]",
    sigma**2 - sigma_0**2,
    Source(SONG_SDE, "app. B"),
)  # fmt: skip

sub_vp_variance = Form(
    "sde.sub_vp_variance", "sub-VP: variance of x(t) given x(0)", r"\operatorname{Var}[x(t) \mid x(0)]",
    (1 - exp(-B)) ** 2,
    Source(SONG_SDE, "app. B"),
)  # fmt: skip

linear_integral = Form(
    "sde.linear_integral", "integral of a linear beta(t)", "B(t)",
    beta_min * t + beta_span * t**2 / 2,
    Source(SONG_SDE, "app. C, eq. 33", "there minus its half, in the exponent of the mean"),
)  # fmt: skip

# -- drifts that keep the marginals ----------------------------------------------------------------------------------------

reverse_drift = Form(
    "sde.reverse_drift", "drift of the reverse-time SDE", r"\bar f_i",
    f - g**2 * score_t,
    Source(SONG_SDE, "eq. 6", "after Anderson 1982"),
)  # fmt: skip

flow_drift = Form(
    "sde.flow_drift", "velocity of the probability flow", r"\dot x_i",
    f - Rational(1, 2) * g**2 * score_t,
    Source(SONG_SDE, "eq. 13"),
)  # fmt: skip

family_drift = Form(
    "sde.family_drift", "drift of the reverse process with noise of strength lambda g", r"\bar f_i^{(\lambda)}",
    f - (1 + lam**2) / 2 * g**2 * score_t,
    Source("Karras et al. 2022", "eq. 6", "there for VE, with its beta; here for any drift"),
)  # fmt: skip

# -- the probability flow --------------------------------------------------------------------------------------------------

divergence = Quantity("divergence", r"\nabla \cdot \tilde f", REAL, meaning="divergence of the velocity of the probability flow")

log_density_rate = Form(
    "sde.log_density_rate", "rate of log p along the probability flow", r"\frac{d}{dt} \log p(x(t), t)",
    -divergence,
    Source(SONG_SDE, "app. D.2, eq. 39", "there integrated over time"),
)  # fmt: skip

vp_flow = Form(
    "sde.vp_flow", "velocity of the VP probability flow, by the noise", r"\dot x",
    -beta / 2 * (x_t - eps / sqrt(1 - abar_t)),
    Source(SONG_SDE, "eq. 13", "for VP, with the score written by the noise"),
)  # fmt: skip

ve_flow = Form(
    "sde.ve_flow", "velocity of the VE probability flow, by the denoised data", r"\dot x",
    sigma_rate / sigma * (x_t - x_0),
    Source("Karras et al. 2022", "eqs. 1, 3", "for s(t) = 1"),
)  # fmt: skip
