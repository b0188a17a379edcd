r"""The terms of the variational bound, one coordinate of them; L is the sum over coordinates and steps, in nats.

A term compares the posterior :math:`q(x_s \mid x_t, x_0)` with a step of the model,
:math:`\mathcal{N}(x_s \mid \mu(x_t, \hat\epsilon), \sigma_t^2)`. With s = t - 1 the forms are the papers'; they hold for any
s < t with the composed alpha_t. Squared errors are of predictions at one and the same :math:`x_t`.
"""

from __future__ import annotations

from sympy import Integer, log, pi

from .ddim import SONG
from .ddim import x_0_coefficient as ddim_x_0
from .divergence import dimension
from .form import Form, Source
from .forward import HO, SALIMANS
from .quantities import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Quantity,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    sigma_t,
    snr_s,
    snr_t,
    x_0,
)

KINGMA = "Kingma et al. 2021 (VDM)"
HANG = "Hang et al. 2023"

step_variance = Quantity("step_variance", r"\sigma_t^2", POSITIVE, meaning="variance of the model's step")
eps_hat = Quantity("eps_hat", r"\hat\epsilon", REAL, meaning="the network's prediction of the noise")
x0_hat = Quantity("x0_hat", r"\hat x_0", REAL, meaning="the network's prediction of the data")
v_hat = Quantity("v_hat", r"\hat v", REAL, meaning="the network's prediction of the velocity")
gamma = Quantity("gamma", r"\gamma", POSITIVE, meaning="the largest weight of the loss in the data")
x0_weight = Quantity("x0_weight", "w", NONNEGATIVE, meaning="weight of the loss in the data, such as min(SNR, gamma)")
nats = Quantity("nats", r"L", REAL, meaning="minus the log-density of the scaled data, in nats, or its bound")
levels = Quantity("levels", "K", POSITIVE, meaning="number of levels of the data, 256 for images")
span = Quantity("span", "R", POSITIVE, meaning="length that the K bins fill once scaled: 2 for (x + u) / 128 - 1")

step_constant = Form(
    "bound.step_constant", "what a step costs beside its squared error", "C",
    (log(step_variance * (1 - abar_t) / ((1 - abar_s) * beta_t)) + (1 - abar_s) * beta_t / ((1 - abar_t) * step_variance) - 1) / 2,
    Source(HO, "eq. 8", "its C, written out"),
    assuming=(abar_s < 1,),
)  # fmt: skip

eps_weight = Form(
    "bound.eps_weight", "weight of the squared error of the noise", r"w_\epsilon",
    beta_t**2 / (2 * step_variance * alpha_t * (1 - abar_t)),
    Source(HO, "eq. 12"),
    assuming=(abar_s < 1,),
)  # fmt: skip

eps_weight_small = Form(
    "bound.eps_weight_small", "the same where the variance is that of the posterior", r"w_\epsilon",
    beta_t / (2 * alpha_t * (1 - abar_s)),
    Source(HO, "eq. 12", "with sigma^2 = beta-tilde, sec. 3.2"),
    assuming=(abar_s < 1,),
)  # fmt: skip

eps_weight_large = Form(
    "bound.eps_weight_large", "the same where the variance is beta", r"w_\epsilon",
    beta_t / (2 * alpha_t * (1 - abar_t)),
    Source(HO, "eq. 12", "with sigma^2 = beta, sec. 3.2"),
    assuming=(abar_s < 1,),
)  # fmt: skip

x0_step_weight = Form(
    "bound.x0_weight", "weight of the squared error of the data", r"w_{x_0}",
    abar_s * beta_t**2 / (2 * step_variance * (1 - abar_t) ** 2),
    Source(HO, "eq. 8", "with the means of eq. 7"),
    assuming=(abar_s < 1,),
)  # fmt: skip

ddim_weight = Form(
    "bound.ddim_weight", "weight of the squared error of the noise for the DDIM family", r"w_\epsilon",
    ddim_x_0.expression**2 * (1 - abar_t) / (2 * abar_t * sigma_t**2),
    Source(SONG, "theorem 1", "there it is said that such weights exist; written out here, for a model with the variance of q"),
    assuming=(sigma_t**2 <= 1 - abar_s, sigma_t > 0),
)  # fmt: skip

x0_snr_weight = Form(
    "bound.x0_snr_weight", "weight of the squared error of the data, by signal over noise", r"w_{x_0}",
    (snr_s - snr_t) / 2,
    Source(KINGMA, "eq. 13"),
    assuming=(abar_s < 1,),
)  # fmt: skip

eps_snr_weight = Form(
    "bound.eps_snr_weight", "weight of the squared error of the noise, by signal over noise", r"w_\epsilon",
    (snr_s / snr_t - 1) / 2,
    Source(KINGMA, "eq. 14", "its expm1 written as a ratio of signal over noise"),
    assuming=(abar_s < 1,),
)  # fmt: skip

v_snr_weight = Form(
    "bound.v_snr_weight", "weight of the squared error of the velocity, by signal over noise", r"w_v",
    (snr_s - snr_t) / (2 * (snr_t + 1)),
    Source(SALIMANS, "sec. 4", "their loss in v under the weights of the bound"),
    assuming=(abar_s < 1,),
)  # fmt: skip

prior_term = Form(
    "bound.prior_term", "the last term of the bound", "L_T",
    (abar_t * (x_0**2 - 1) - log(1 - abar_t)) / 2,
    Source(HO, "eq. 5", "its L_T, with t = T and one coordinate"),
)  # fmt: skip

first_term = Form(
    "bound.first_term", "the first term of the bound, for a Gaussian decoder", "L_0",
    log(2 * pi * step_variance) / 2 + (x_0 - x0_hat) ** 2 / (2 * step_variance),
    Source(HO, "eq. 5", "its L_0 with a density in place of the discrete decoder of eq. 13"),
)  # fmt: skip

bits_per_dimension = Form(
    "bound.bits_per_dimension", "bits per dimension of data with levels", r"\mathrm{bpd}",
    nats / (dimension * log(Integer(2))) + log(levels / span) / log(Integer(2)),
    Source("Theis et al. 2016", "sec. 3.1", "with the Jacobian of the scaling"),
)  # fmt: skip

eps_from_x0_weight = Form(
    "min_snr.eps_weight", "a weight of the loss in the data, for the loss in the noise", r"w_\epsilon",
    x0_weight / snr_t,
    Source(HANG, "sec. 4.2", "there with min(SNR, gamma) for w"),
)  # fmt: skip

v_from_x0_weight = Form(
    "min_snr.v_weight", "a weight of the loss in the data, for the loss in the velocity", r"w_v",
    x0_weight / (snr_t + 1),
    Source(HANG, "sec. 4.2", "there with min(SNR, gamma) for w"),
)  # fmt: skip
