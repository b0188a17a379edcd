r"""The exact laws of samplers on Gaussian data, with the exact denoiser.

The data have mean :math:`m_0` and, along one eigenvector of their covariance, variance c. Everything here acts on each such
direction alike, so that one number stands for all. The marginal at t has variance :math:`D_t = \bar\alpha_t c + 1 -
\bar\alpha_t`, and a step of the DDIM family is affine with Gaussian noise: a gain, a shift and :math:`\sigma_t z`.
"""

from __future__ import annotations

from sympy import sqrt

from .ddim import SONG
from .form import Form, Source
from .forward import HO
from .quantities import (
    NONNEGATIVE,
    REAL,
    UNIT,
    Quantity,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_mean,
    data_variance,
    sigma_t,
    x_t,
)

DOWSON = "Dowson & Landau 1982"
OURS = "elementary; derived here"

m_1, m_2 = Quantity("m_1", "m_1", REAL), Quantity("m_2", "m_2", REAL)
v_1, v_2 = Quantity("v_1", "v_1", NONNEGATIVE), Quantity("v_2", "v_2", NONNEGATIVE)
kept = Quantity("kept", r"\textstyle\prod \cos\Delta\theta", NONNEGATIVE, meaning="the product of the cosines of all steps")
start_mean = Quantity("start_mean", "M_T", REAL, meaning="mean that the sampler starts with")
start_variance = Quantity("start_variance", "V_T", NONNEGATIVE, meaning="variance that the sampler starts with")
abar_top = Quantity("abar_T", r"\bar\alpha_T", UNIT, meaning="level that the sampler starts from")
gains = Quantity("gains", r"\textstyle\prod g", REAL, meaning="the product of the gains of all steps")

_D_s, _D_t = abar_s * data_variance + 1 - abar_s, abar_t * data_variance + 1 - abar_t
_D_T = abar_top * data_variance + 1 - abar_top
_stale = sqrt(1 - abar_s - sigma_t**2)

variance = Form("laws.variance", "variance of x_t for Gaussian data", "D_t", _D_t, Source(HO, "eq. 4", "for Gaussian data"))

denoiser = Form(
    "laws.denoiser", "the exact denoiser of Gaussian data", r"\mathbb{E}[x_0 \mid x_t]",
    data_mean + sqrt(abar_t) * data_variance / _D_t * (x_t - sqrt(abar_t) * data_mean),
    Source(OURS, "Bayes for Gaussians"),
)  # fmt: skip

posterior_variance = Form(
    "laws.posterior_variance", "what the denoiser leaves open", r"\operatorname{Var}[x_0 \mid x_t]",
    data_variance * (1 - abar_t) / _D_t,
    Source(OURS, "Bayes for Gaussians"),
)  # fmt: skip

noise_prediction = Form(
    "laws.noise_prediction", "the exact noise prediction of Gaussian data", r"\mathbb{E}[\epsilon \mid x_t]",
    sqrt(1 - abar_t) / _D_t * (x_t - sqrt(abar_t) * data_mean),
    Source(OURS, "Bayes for Gaussians"),
)  # fmt: skip

gain = Form(
    "laws.gain", "what a DDIM step multiplies x_t by", "g",
    (sqrt(abar_s) * sqrt(abar_t) * data_variance + _stale * sqrt(1 - abar_t)) / _D_t,
    Source(OURS, "DDIM on Gaussian data"),
    assuming=(sigma_t**2 <= 1 - abar_s,),
)  # fmt: skip

shift = Form(
    "laws.shift", "what a DDIM step adds", "b",
    (sqrt(abar_s) - (sqrt(abar_s) * sqrt(abar_t) * data_variance + _stale * sqrt(1 - abar_t)) / _D_t * sqrt(abar_t)) * data_mean,
    Source(OURS, "DDIM on Gaussian data"),
    assuming=(sigma_t**2 <= 1 - abar_s,),
)  # fmt: skip

ddpm_gain = Form(
    "laws.ddpm_gain", "what a DDPM step multiplies x_t by", r"g_{\eta = 1}",
    sqrt(alpha_t) * _D_s / _D_t,
    Source(HO, "eq. 7", "on Gaussian data"),
)  # fmt: skip

loss = Form(
    "laws.loss", "variance that a DDIM step loses", r"D_s - (g^2 D_t + \sigma_t^2)",
    data_variance * (sqrt(abar_s) * sqrt(1 - abar_t) - _stale * sqrt(abar_t)) ** 2 / _D_t,
    Source(OURS, "DDIM on Gaussian data"),
    assuming=(sigma_t**2 <= 1 - abar_s,),
)  # fmt: skip

large_loss = Form(
    "laws.large_loss", "variance that a DDPM step with the large variance loses", r"D_s - (g^2 D_t + \beta_t)",
    abar_s * beta_t**2 * (data_variance - 1) / _D_t,
    Source(HO, "sec. 3.2", "there in words, for the two extreme cases"),
)  # fmt: skip

cosine = Form(
    "laws.cosine", "the cosine of a deterministic step", r"\cos(\theta_t - \theta_s)",
    (sqrt(abar_s) * sqrt(abar_t) * data_variance + sqrt(1 - abar_s) * sqrt(1 - abar_t)) / sqrt(_D_s * _D_t),
    Source(OURS, "DDIM on Gaussian data"),
    assuming=(data_variance > 0,),
)  # fmt: skip

flow_gain = Form(
    "laws.flow_gain", "the probability flow of Gaussian data",
    r"\frac{x_s - \sqrt{\bar\alpha_s} m_0}{x_t - \sqrt{\bar\alpha_t} m_0}",
    sqrt(_D_s / _D_t),
    Source(OURS, "the probability-flow ODE on Gaussian data"),
)  # fmt: skip

end_variance = Form(
    "laws.end_variance", "variance that deterministic DDIM ends with", "V_0",
    data_variance * kept**2 * start_variance / _D_T,
    Source(SONG, "eq. 12, sigma = 0", "for Gaussian data; any number of steps"),
    assuming=(data_variance > 0,),
)  # fmt: skip

end_mean = Form(
    "laws.end_mean", "mean that DDIM ends with", "M_0",
    data_mean + gains * (start_mean - sqrt(abar_top) * data_mean),
    Source(SONG, "eq. 12", "for Gaussian data; any eta and number of steps"),
)  # fmt: skip

frechet = Form(
    "laws.frechet", "squared Frechet distance of two Gaussians along one direction", "d^2",
    (m_1 - m_2) ** 2 + (sqrt(v_1) - sqrt(v_2)) ** 2,
    Source(DOWSON, "the theorem", "in one coordinate"),
)  # fmt: skip

frechet_ddim = Form(
    "laws.frechet_ddim", "squared Frechet distance of deterministic DDIM to the data", "d^2",
    data_variance * kept**2 / _D_T * (start_mean - sqrt(abar_top) * data_mean) ** 2
    + data_variance * (1 - kept * sqrt(start_variance) / sqrt(_D_T)) ** 2,
    Source(OURS, "DDIM on Gaussian data"),
    assuming=(data_variance > 0,),
)  # fmt: skip
