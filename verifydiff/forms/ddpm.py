r"""The DDPM posterior :math:`q(x_s \mid x_t, x_0) = \mathcal{N}(\tilde\mu_t, \tilde\beta_t I)` (Ho et al. 2020, eqs. 6-7).

With s = t - 1 these are the paper's; with any s < t and the composed alpha_t they are the posterior of the strided chain.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .forward import HO
from .quantities import abar_s, abar_t, alpha_t, beta_t, eps, x_0, x_t

posterior_mean = Form(
    "ddpm.posterior_mean", "mean of the posterior", r"\tilde\mu_t(x_t, x_0)",
    sqrt(abar_s) * beta_t / (1 - abar_t) * x_0 + sqrt(alpha_t) * (1 - abar_s) / (1 - abar_t) * x_t,
    Source(HO, "eq. 7"),
)  # fmt: skip

posterior_variance = Form(
    "ddpm.posterior_variance", "variance of the posterior", r"\tilde\beta_t",
    (1 - abar_s) / (1 - abar_t) * beta_t,
    Source(HO, "eq. 7"),
)  # fmt: skip

mean_from_eps = Form(
    "ddpm.mean_from_eps", "mean of the posterior, by the noise", r"\mu(x_t, \epsilon)",
    (x_t - beta_t / sqrt(1 - abar_t) * eps) / sqrt(alpha_t),
    Source(HO, "eq. 11"),
)  # fmt: skip

large_variance = Form("ddpm.large_variance", "the larger choice of variance", r"\sigma_t^2", beta_t, Source(HO, "sec. 3.2"))
