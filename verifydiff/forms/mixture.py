r"""Mixtures of Gaussians, noised: what holds within one component of mean :math:`\mu_k` and variance :math:`c_k`.

The mixture's own score and denoiser are averages of these under the responsibilities; see the page.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import POSITIVE, REAL, Quantity, abar_t, x_t

mu_k = Quantity("mu_k", r"\mu_k", REAL, meaning="mean of a component of the data")
c_k = Quantity("c_k", "c_k", POSITIVE, meaning="variance of a component of the data")

BISHOP = "Bishop 2006"

component_mean = Form(
    "mixture.component_mean", "mean of x_t in one component", r"\mathbb{E}[x_t \mid k]", sqrt(abar_t) * mu_k,
    Source(BISHOP, "eq. 2.115", "for the forward kernel"),
)  # fmt: skip

component_variance = Form(
    "mixture.component_variance", "variance of x_t in one component", r"\operatorname{Var}[x_t \mid k]",
    abar_t * c_k + 1 - abar_t, Source(BISHOP, "eq. 2.115", "for the forward kernel"),
)  # fmt: skip

component_score = Form(
    "mixture.component_score", "score of x_t in one component", r"\nabla_{x_t} \log q(x_t \mid k)",
    -(x_t - sqrt(abar_t) * mu_k) / (abar_t * c_k + 1 - abar_t), Source(BISHOP, "eq. 2.115", "differentiated"),
)  # fmt: skip

component_denoiser = Form(
    "mixture.component_denoiser", "posterior mean of the data in one component", r"\mathbb{E}[x_0 \mid x_t, k]",
    mu_k + sqrt(abar_t) * c_k / (abar_t * c_k + 1 - abar_t) * (x_t - sqrt(abar_t) * mu_k),
    Source(BISHOP, "eq. 2.116", "for the forward kernel"),
)  # fmt: skip

component_covariance = Form(
    "mixture.component_covariance", "posterior variance of the data in one component", r"\operatorname{Var}[x_0 \mid x_t, k]",
    c_k * (1 - abar_t) / (abar_t * c_k + 1 - abar_t), Source(BISHOP, "eq. 2.117", "for the forward kernel"),
)  # fmt: skip
