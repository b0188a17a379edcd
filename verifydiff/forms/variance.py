r"""Which variance the reverse step should have: the two common choices, what may be learnt between them, and the best one.

The best Gaussian step from :math:`x_t` to :math:`x_s` has the mean and the variance of :math:`q(x_s \mid x_t)`, in which
:math:`x_0` is not known: to the posterior's own variance comes what the spread of :math:`x_0` given :math:`x_t` does to its mean.
"""

from __future__ import annotations

from sympy import exp, log, sqrt

from .ddim import x_0_coefficient
from .divergence import log_var_p, mean_p, mean_q, var_q
from .form import Form, Source
from .quantities import (
    NONNEGATIVE,
    UNIT,
    Quantity,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_variance,
    sigma_t,
)

NICHOL = "Nichol & Dhariwal 2021"
BAO = "Bao et al. 2022 (Analytic-DPM)"

share = Quantity("share", "f", UNIT, meaning="the network's share of the larger variance, its output in [-1, 1] moved to [0, 1]")
spread = Quantity(
    "spread",
    r"\mathbb{E}\operatorname{Var}[x_0 \mid x_t]",
    NONNEGATIVE,
    meaning="variance of x_0 given x_t, a coordinate, on average",
)
score_norm = Quantity(
    "score_norm", r"\mathbb{E}\lVert\nabla\log p_t(x_t)\rVert^2 / D", NONNEGATIVE, meaning="mean square of the score, a coordinate"
)

learned = Form(
    "variance.learned", "learnt variance between the two choices", r"\Sigma_\theta",
    exp(share * log(beta_t) + (1 - share) * log((1 - abar_s) / (1 - abar_t) * beta_t)),
    Source(NICHOL, "eq. 15", "with f for v"),
    assuming=(abar_s < 1,),
)  # fmt: skip

gradient = Form(
    "variance.gradient", "slope of a term of the bound along the logarithm of the variance",
    r"\frac{\partial L_{t-1}}{\partial \log\sigma_p^2}",
    (1 - (var_q + (mean_q - mean_p) ** 2) * exp(-log_var_p)) / 2,
    Source(NICHOL, "sec. 3.1"),
)  # fmt: skip

family = Form(
    "variance.family", "best variance of the step, for any chain of the DDIM family", r"\sigma_t^{*2}",
    sigma_t**2 + x_0_coefficient.expression**2 * spread,
    Source(BAO, "theorem 1", "its lambda is sigma_t; by the spread of x_0 in place of the score"),
    assuming=(sigma_t**2 <= 1 - abar_s,),
)  # fmt: skip

optimal = Form(
    "variance.optimal", "best variance of the step, for DDPM", r"\sigma_t^{*2}",
    (1 - abar_s) / (1 - abar_t) * beta_t + abar_s * beta_t**2 / (1 - abar_t) ** 2 * spread,
    Source(BAO, "theorem 1", "for lambda^2 = beta-tilde, by the spread of x_0 in place of the score"),
)  # fmt: skip

spread_by_score = Form(
    "variance.spread_by_score", "spread of x_0 given x_t, by the score", r"\mathbb{E}\operatorname{Var}[x_0 \mid x_t]",
    (1 - abar_t) / abar_t * (1 - (1 - abar_t) * score_norm),
    Source(BAO, "theorem 1", "a factor of the formula there"),
)  # fmt: skip

analytic = Form(
    "variance.analytic", "best variance of the step, by the score", r"\sigma_t^{*2}",
    sigma_t**2 + (sqrt((1 - abar_t) / alpha_t) - sqrt(1 - abar_s - sigma_t**2)) ** 2 * (1 - (1 - abar_t) * score_norm),
    Source(BAO, "theorem 1", "its lambda is sigma_t, its beta-bar is 1 - abar"),
    assuming=(sigma_t**2 <= 1 - abar_s,),
)  # fmt: skip

analytic_ddpm = Form(
    "variance.analytic_ddpm", "best variance of a DDPM step, by the score", r"\sigma_t^{*2}",
    beta_t / alpha_t * (1 - beta_t * score_norm),
    Source(BAO, "theorem 1", "for lambda^2 = beta-tilde, simplified"),
)  # fmt: skip

linear_spread = Form(
    "variance.linear_spread", "error of the best linear estimate of x_0", r"\min_{g \text{ affine}} \mathbb{E}(x_0 - g(x_t))^2",
    data_variance * (1 - abar_t) / (1 - abar_t + data_variance * abar_t),
    Source("Kay 1993", "sec. 12.3", "the linear minimum mean square error, for the forward marginal"),
)  # fmt: skip

gaussian_data = Form(
    "variance.gaussian_data", "variance of the step for Gaussian data; for others, a bound on the best one", r"\sigma_t^{*2}",
    beta_t * (1 - abar_s + data_variance * abar_s) / (1 - abar_t + data_variance * abar_t),
    Source("Ho et al. 2020", "sec. 3.2", "there for standard normal data and for data at one point, here for any variance"),
)  # fmt: skip
