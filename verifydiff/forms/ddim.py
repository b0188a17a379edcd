r"""The DDIM family :math:`x_s = \sqrt{\bar\alpha_s}\,\hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma_t^2}\,\epsilon + \sigma_t z`.

Song et al. 2021 write alpha for what is abar here.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import abar_s, abar_t, eps, eta, sigma_t, x_0, x_t

SONG = "Song et al. 2021 (DDIM)"

REAL_ROOT = (sigma_t**2 <= 1 - abar_s,)  # no step adds more noise than x_s holds

mean = Form(
    "ddim.mean", "mean of x_s given x_t and x_0", r"\mathbb{E}[x_s \mid x_t, x_0]",
    sqrt(abar_s) * x_0 + sqrt(1 - abar_s - sigma_t**2) * (x_t - sqrt(abar_t) * x_0) / sqrt(1 - abar_t),
    Source(SONG, "eq. 7", "its alpha is abar here"),
    REAL_ROOT,
)  # fmt: skip

x_t_coefficient = Form(
    "ddim.x_t_coefficient", "weight of x_t when the marginals are kept", "m",
    sqrt((1 - abar_s - sigma_t**2) / (1 - abar_t)),
    Source(SONG, "eq. 7", "the factor of x_t; its alpha is abar here"),
    REAL_ROOT,
)  # fmt: skip

x_0_coefficient = Form(
    "ddim.x_0_coefficient", "weight of x_0 when the marginals are kept", "k",
    sqrt(abar_s) - sqrt(abar_t) * sqrt((1 - abar_s - sigma_t**2) / (1 - abar_t)),
    Source(SONG, "eq. 7", "the factor of x_0; its alpha is abar here"),
    REAL_ROOT,
)  # fmt: skip

step_mean = Form(
    "ddim.step_mean", "the update without its fresh noise", r"\mathbb{E}[x_s \mid x_t, \epsilon]",
    sqrt(abar_s) * (x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t) + sqrt(1 - abar_s - sigma_t**2) * eps,
    Source(SONG, "eq. 12", "its alpha is abar here"),
    REAL_ROOT,
)  # fmt: skip

sigma = Form(
    "ddim.sigma", "the eta family of noise scales", r"\sigma_t(\eta)",
    eta * sqrt((1 - abar_s) / (1 - abar_t)) * sqrt(1 - abar_t / abar_s),
    Source(SONG, "eq. 16", "its alpha is abar here"),
)  # fmt: skip
