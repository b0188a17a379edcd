r"""DDIM inversion: the deterministic step read upwards, from :math:`x_s` to the noisier :math:`x_t`."""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import REAL, Quantity, abar_s, abar_t, alpha_t, eps, ve_s, ve_t, x_s

DHARIWAL = "Dhariwal & Nichol 2021"

eps_s = Quantity("eps_s", r"\hat\epsilon(x_s, s)", REAL, meaning="the noise predicted at the lower end of the step")
eps_t = Quantity("eps_t", r"\hat\epsilon(x_t, t)", REAL, meaning="the noise predicted at the upper end of the step")

step = Form(
    "inversion.step", "DDIM step read upwards", "x_t",
    sqrt(abar_t) * (x_s - sqrt(1 - abar_s) * eps) / sqrt(abar_s) + sqrt(1 - abar_t) * eps,
    Source(DHARIWAL, "app. F", "over the noise at one level, with any stride"),
)  # fmt: skip

noise_weight = Form(
    "inversion.noise_weight", "weight of the noise in the step upwards", "b", sqrt(1 - abar_t) - sqrt(alpha_t) * sqrt(1 - abar_s),
    Source(DHARIWAL, "app. F", "the factor of the noise"),
)  # fmt: skip

round_trip = Form(
    "inversion.round_trip", "what a round trip is off by, in sigma space", r"(x_t' - x_t) / \sqrt{\bar\alpha_t}",
    (ve_t - ve_s) * (eps_s - eps_t), Source("Song et al. 2021 (DDIM)", "sec. 4.3", "the error of one Euler step there and back"),
)  # fmt: skip
