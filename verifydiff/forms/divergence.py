r"""The Kullback-Leibler divergence :math:`\int q \log(q/p)` of two Gaussians: what every term of the variational bound is."""

from __future__ import annotations

from sympy import exp, log

from .form import Form, Source
from .quantities import NONNEGATIVE, POSITIVE, REAL, Quantity

VAE = "Kingma & Welling 2014"

mean_q = Quantity("mean_q", r"\mu_q", REAL, meaning="mean of the first law")
mean_p = Quantity("mean_p", r"\mu_p", REAL, meaning="mean of the second law")
var_q = Quantity("var_q", r"\sigma_q^2", POSITIVE, meaning="variance of the first law")
var_p = Quantity("var_p", r"\sigma_p^2", POSITIVE, meaning="variance of the second law")
log_var_q = Quantity("log_var_q", r"\log\sigma_q^2", REAL, meaning="logarithm of the variance of the first law")
log_var_p = Quantity("log_var_p", r"\log\sigma_p^2", REAL, meaning="logarithm of the variance of the second law")
dimension = Quantity("dimension", "D", POSITIVE, meaning="number of coordinates")
distance = Quantity("distance", r"\lVert\mu_q - \mu_p\rVert^2", NONNEGATIVE, meaning="squared distance of the means")
trace = Quantity(
    "trace", r"\operatorname{tr}(\Sigma_p^{-1}\Sigma_q)", POSITIVE, meaning="sum of the eigenvalues of Sigma_p^-1 Sigma_q"
)
log_det = Quantity("log_det", r"\log\det(\Sigma_p^{-1}\Sigma_q)", REAL, meaning="sum of the logarithms of those eigenvalues")
mahalanobis = Quantity(
    "mahalanobis",
    r"(\mu_q - \mu_p)^\top\Sigma_p^{-1}(\mu_q - \mu_p)",
    NONNEGATIVE,
    meaning="squared distance of the means in the metric of p",
)

gaussian = Form(
    "kl.gaussian", "divergence of two Gaussians, a coordinate", r"\operatorname{KL}(q \,\|\, p)",
    (log(var_p / var_q) + (var_q + (mean_q - mean_p) ** 2) / var_p - 1) / 2,
    Source(VAE, "app. B", "there with a standard normal p"),
)  # fmt: skip

log_variances = Form(
    "kl.log_variances", "the same by the logarithms of the variances", r"\operatorname{KL}(q \,\|\, p)",
    (log_var_p - log_var_q + exp(log_var_q - log_var_p) + (mean_q - mean_p) ** 2 * exp(-log_var_p) - 1) / 2,
    Source("Nichol & Dhariwal 2021", "code of improved-diffusion, losses.normal_kl"),
)  # fmt: skip

isotropic = Form(
    "kl.isotropic", "divergence of two isotropic Gaussians", r"\operatorname{KL}(q \,\|\, p)",
    dimension / 2 * (log(var_p / var_q) + var_q / var_p - 1) + distance / (2 * var_p),
    Source(VAE, "app. B", "there with a standard normal p"),
)  # fmt: skip

general = Form(
    "kl.general", "divergence of two Gaussians with any covariances", r"\operatorname{KL}(q \,\|\, p)",
    (trace - log_det + mahalanobis - dimension) / 2,
    Source("Bishop 2006", "exercise 2.13"),
)  # fmt: skip
