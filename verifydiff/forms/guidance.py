r"""Guidance: by a classifier, and without one.

.. math:: \tilde\epsilon = (1 + w)\, \epsilon_c - w\, \epsilon_u, \qquad
    \nabla \log \tilde p = (1 + w) \nabla \log p(x_t \mid y) - w \nabla \log p(x_t)

Two conventions circulate: the weight w of Ho & Salimans (0 is no guidance) and the scale s = 1 + w of Imagen and of the
pipelines (1 is no guidance). The letter w is the weight everywhere here.

Where the data are Gaussian along a direction, :math:`\mathcal{N}(m_u, c_u)` without the label and
:math:`\mathcal{N}(m_c, c_c)` with it, everything is known in closed form: the tilted density
:math:`p(x)\, p(y \mid x)^{1+w}` that guidance is said to sample from, and what it does sample from.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import NONNEGATIVE, POSITIVE, REAL, UNIT, Quantity, abar_t, alpha_t, beta_t, eps, w

DHARIWAL = "Dhariwal & Nichol 2021"
HO = "Ho & Salimans 2022"
LIN = "Lin et al. 2024"
BRADLEY = "Bradley & Nakkiran 2024"

# -- letters -------------------------------------------------------------------------------------------------------------

eps_c = Quantity("eps_c", r"\epsilon_c", meaning="the noise predicted with the label, or with the prompt")
eps_u = Quantity("eps_u", r"\epsilon_u", meaning="the noise predicted without it, or with the negative prompt")
x0_c = Quantity("x0_c", r"\hat x_{0,c}", meaning="the data predicted with the label")
x0_u = Quantity("x0_u", r"\hat x_{0,u}", meaning="the data predicted without it")
v_c = Quantity("v_c", "v_c", meaning="the velocity predicted with the label")
v_u = Quantity("v_u", "v_u", meaning="the velocity predicted without it")
score_c = Quantity("score_c", r"\nabla \log p(x_t \mid y)", meaning="score with the label, one coordinate")
score_u = Quantity("score_u", r"\nabla \log p(x_t)", meaning="score without it, one coordinate")
gradient = Quantity("gradient", r"\nabla \log p(y \mid x_t)", meaning="gradient of a classifier, one coordinate")
scale = Quantity("scale", "s", NONNEGATIVE, meaning="guidance scale: 1 + w; 1 is no guidance")
phi = Quantity("phi", r"\phi", UNIT, meaning="how much of the rescaled prediction is mixed in")
std_c = Quantity("std_c", r"\sigma_{\text{pos}}", POSITIVE, meaning="deviation of the prediction with the label over one sample")
std_g = Quantity("std_g", r"\sigma_{\text{cfg}}", POSITIVE, meaning="deviation of the guided prediction over one sample")

mean_u = Quantity("mean_u", "m_u", REAL, meaning="mean of the data along a direction, without the label")
mean_c = Quantity("mean_c", "m_c", REAL, meaning="mean of the data along a direction, with the label")
var_u = Quantity("var_u", "c_u", POSITIVE, meaning="variance of the data along a direction, without the label")
var_c = Quantity("var_c", "c_c", POSITIVE, meaning="variance of the data along a direction, with the label")

# -- by a classifier -------------------------------------------------------------------------------------------------------

eps_by_classifier = Form(
    "guidance.eps_by_classifier", "the noise that a classifier's gradient shifts", r"\hat\epsilon",
    eps - sqrt(1 - abar_t) * gradient,
    Source(DHARIWAL, "eq. 14"),
)  # fmt: skip

shift_by_step = Form(
    "guidance.shift_by_step", "how far guidance of the noise moves the mean of a DDPM step", r"\mu(\hat\epsilon) - \mu(\epsilon)",
    beta_t / sqrt(alpha_t) * gradient,
    Source(DHARIWAL, "eq. 14 and alg. 1", "there not put together"),
)  # fmt: skip

# -- without one -----------------------------------------------------------------------------------------------------------

implicit_gradient = Form(
    "guidance.implicit_gradient", "gradient of the classifier that two predictions imply", r"\nabla \log p(y \mid x_t)",
    -(eps_c - eps_u) / sqrt(1 - abar_t),
    Source(HO, "sec. 3.2", "there up to the model's error"),
)  # fmt: skip

eps_guided = Form("guidance.eps", "classifier-free guidance", r"\tilde\epsilon", (1 + w) * eps_c - w * eps_u, Source(HO, "eq. 6"))

eps_scaled = Form(
    "guidance.eps_scaled", "classifier-free guidance, by its scale", r"\tilde\epsilon",
    eps_u + scale * (eps_c - eps_u),
    Source("Saharia et al. 2022 (Imagen)", "eq. 2", "its w is s here"),
)  # fmt: skip

score_guided = Form(
    "guidance.score", "classifier-free guidance of the score", r"\nabla \log \tilde p",
    (1 + w) * score_c - w * score_u,
    Source(HO, "sec. 3.2", "written with the score"),
)  # fmt: skip

x0_guided = Form(
    "guidance.x0", "classifier-free guidance of the data", r"\tilde x_0",
    (1 + w) * x0_c - w * x0_u,
    Source(HO, "eq. 6", "in the prediction of the data"),
)  # fmt: skip

v_guided = Form(
    "guidance.v", "classifier-free guidance of the velocity", r"\tilde v",
    (1 + w) * v_c - w * v_u,
    Source(HO, "eq. 6", "in the velocity"),
)  # fmt: skip

# -- rescaled ---------------------------------------------------------------------------------------------------------------

rescale_factor = Form(
    "guidance.rescale_factor", "what the guided prediction is multiplied by", r"x_{\text{final}} / x_{\text{cfg}}",
    phi * std_c / std_g + (1 - phi),
    Source(LIN, "sec. 3.4", "rescaling and mixing in one factor"),
)  # fmt: skip

rescaled_deviation = Form(
    "guidance.rescaled_deviation", "deviation of the rescaled prediction", r"\sigma_{\text{final}}",
    phi * std_c + (1 - phi) * std_g,
    Source(LIN, "sec. 3.4", "there for phi = 1"),
)  # fmt: skip

# -- Gaussian data: what guidance is said to sample, and what it does ---------------------------------------------------------

tilted_variance = Form(
    "guidance.tilted_variance", "variance of the tilted density", r"\operatorname{Var}_{\text{tilted}}",
    var_c * var_u / ((1 + w) * var_u - w * var_c),
    Source(BRADLEY, "sec. 3", "for any two Gaussians"),
    assuming=(var_c < var_u,),
)  # fmt: skip

tilted_mean = Form(
    "guidance.tilted_mean", "mean of the tilted density", r"\mathbb{E}_{\text{tilted}}",
    ((1 + w) * var_u * mean_c - w * var_c * mean_u) / ((1 + w) * var_u - w * var_c),
    Source(BRADLEY, "sec. 3", "for any two Gaussians"),
    assuming=(var_c < var_u,),
)  # fmt: skip

guided_precision = Form(
    "guidance.precision", "slope of the guided score, with the other sign", r"\Lambda_{\text{guided}}",
    (1 + w) / (abar_t * var_c + 1 - abar_t) - w / (abar_t * var_u + 1 - abar_t),
    Source(BRADLEY, "sec. 3", "for any two Gaussians"),
)  # fmt: skip

precision_gap = Form(
    "guidance.precision_gap", "by how much guidance is steeper than the noised tilted density",
    r"\Lambda_{\text{guided}} - \Lambda_{\text{tilted}}",
    w * (1 + w) * abar_t * (1 - abar_t) * (var_u - var_c) ** 2
    / (
        (abar_t * var_c + 1 - abar_t) * (abar_t * var_u + 1 - abar_t)
        * (abar_t * var_c * var_u + (1 - abar_t) * ((1 + w) * var_u - w * var_c))
    ),
    Source(BRADLEY, "sec. 3", "there by example; the closed form is derived here"),
    assuming=(var_c < var_u,),
)  # fmt: skip

ode_variance = Form(
    "guidance.ode_variance", "variance at the end of the guided probability flow", r"\operatorname{Var}_{\text{ODE}}",
    var_c * (var_c / var_u) ** w,
    Source(BRADLEY, "sec. 3", "for any two Gaussians"),
)  # fmt: skip

sde_variance = Form(
    "guidance.sde_variance", "variance at the end of the guided reverse SDE", r"\operatorname{Var}_{\text{SDE}}",
    var_c * var_u * (1 - (var_c / var_u) ** (1 + 2 * w)) / ((1 + 2 * w) * (var_u - var_c)),
    Source(BRADLEY, "sec. 3", "for any two Gaussians"),
    assuming=(var_c < var_u,),
)  # fmt: skip

sde_mean = Form(
    "guidance.sde_mean", "mean at the end of the guided reverse SDE", r"\mathbb{E}_{\text{SDE}}",
    mean_c + (mean_c - mean_u) * var_c * (1 - (var_c / var_u) ** w) / (var_u - var_c),
    Source(BRADLEY, "sec. 3", "there with one mean; derived here"),
    assuming=(var_c < var_u,),
)  # fmt: skip
