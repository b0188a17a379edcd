r"""The forward process and the maps between what a network may predict.

.. math:: x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon, \qquad \epsilon \sim \mathcal{N}(0, I)
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import abar_t, eps, v, x_0, x_t

HO = "Ho et al. 2020"
SALIMANS = "Salimans & Ho 2022"

mean = Form("forward.mean", "mean of x_t given x_0", r"\mathbb{E}[x_t \mid x_0]", sqrt(abar_t) * x_0, Source(HO, "eq. 4"))

variance = Form(
    "forward.variance", "variance of x_t given x_0", r"\operatorname{Var}[x_t \mid x_0]", 1 - abar_t, Source(HO, "eq. 4")
)

noised = Form(
    "forward.noised", "x_t as a function of x_0 and its noise", "x_t",
    sqrt(abar_t) * x_0 + sqrt(1 - abar_t) * eps,
    Source(HO, "eq. 4", "reparameterised as in sec. 3.2"),
)  # fmt: skip

x0_from_eps = Form(
    "forward.x0_from_eps", "the x_0 that a noise prediction implies", r"\hat x_0",
    (x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t),
    Source("Song et al. 2021 (DDIM)", "eq. 9", "its alpha is abar here"),
)  # fmt: skip

eps_from_x0 = Form(
    "forward.eps_from_x0", "the noise that a prediction of x_0 implies", r"\hat\epsilon",
    (x_t - sqrt(abar_t) * x_0) / sqrt(1 - abar_t),
    Source("Song et al. 2021 (DDIM)", "eq. 9", "solved for the noise; its alpha is abar here"),
)  # fmt: skip

velocity = Form("forward.velocity", "velocity", "v", sqrt(abar_t) * eps - sqrt(1 - abar_t) * x_0, Source(SALIMANS, "sec. 4"))

x0_from_v = Form(
    "forward.x0_from_v",
    "the x_0 that a velocity implies",
    r"\hat x_0",
    sqrt(abar_t) * x_t - sqrt(1 - abar_t) * v,
    Source(SALIMANS, "sec. 4"),
)

eps_from_v = Form(
    "forward.eps_from_v",
    "the noise that a velocity implies",
    r"\hat\epsilon",
    sqrt(abar_t) * v + sqrt(1 - abar_t) * x_t,
    Source(SALIMANS, "app. D"),
)
