r"""The score of the forward kernel and Tweedie's formula, for an arbitrary data density."""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import REAL, Quantity, abar_t, eps, x_t

score_t = Quantity("score_t", r"\nabla \log p_t(x_t)", REAL, meaning="score of the noised data, one coordinate")
hessian_t = Quantity("hessian_t", r"\nabla^2 \log p_t(x_t)", REAL, meaning="one entry of the Hessian of log p_t")
delta = Quantity("delta", r"\delta_{ij}", REAL, meaning="1 where the two coordinates are the same, else 0")

kernel_score = Form(
    "score.kernel",
    "score of q(x_t | x_0)",
    r"\nabla_{x_t} \log q(x_t \mid x_0)",
    -eps / sqrt(1 - abar_t),
    Source("Song et al. 2021 (SDE)", "eq. 7", "there as the target of training, not written out"),
)

optimal_eps = Form(
    "score.optimal_eps", "the best prediction of the noise", r"\mathbb{E}[\epsilon \mid x_t]", -sqrt(1 - abar_t) * score_t,
    Source("Vincent 2011", "sec. 4.2", "for a Gaussian kernel with the signal scaled, solved for the noise"),
)  # fmt: skip

tweedie_mean = Form(
    "score.tweedie_mean", "Tweedie: posterior mean of the data", r"\mathbb{E}[x_0 \mid x_t]",
    (x_t + (1 - abar_t) * score_t) / sqrt(abar_t),
    Source("Efron 2011", "eq. 1.4", "with the signal scaled by sqrt(abar)"),
)  # fmt: skip

tweedie_covariance = Form(
    "score.tweedie_covariance", "Tweedie of second order: posterior covariance of the data",
    r"\operatorname{Cov}[x_0 \mid x_t]_{ij}",
    (1 - abar_t) / abar_t * (delta + (1 - abar_t) * hessian_t),
    Source("Efron 2011", "eq. 2.8", "with the signal scaled by sqrt(abar)"),
)  # fmt: skip
