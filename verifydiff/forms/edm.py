r"""Preconditioning (Karras et al. 2022, eq. 7), and the scale in which it is written.

.. math:: D(x; \sigma) = c_{\mathrm{skip}}\, x + c_{\mathrm{out}}\, F(c_{\mathrm{in}}\, x;\ c_{\mathrm{noise}}),
    \qquad x = x_0 + \sigma \epsilon

Here x is the state in sigma space, :math:`x_t / \sqrt{\bar\alpha_t}`. That :math:`c_{\mathrm{noise}} = \tfrac14 \ln\sigma` is
a convention of theirs: it only names the level to the network.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import POSITIVE, REAL, Quantity

KARRAS = "Karras et al. 2022"
CONSISTENCY = "Song et al. 2023 (consistency models)"

sigma = Quantity("sigma", r"\sigma", POSITIVE, meaning="noise level in sigma space")
sigma_data = Quantity("sigma_data", r"\sigma_{\mathrm{data}}", POSITIVE, meaning="standard deviation of the data")
sigma_min = Quantity("sigma_min", r"\sigma_{\min}", POSITIVE, meaning="the cleanest level of a consistency model")
a = Quantity("a", "a", REAL, meaning="weight of the data")
b = Quantity("b", "b", REAL, meaning="weight of the noise")
score = Quantity("score", r"\nabla_{x_t} \log p_t(x_t)", REAL, meaning="score over the variance-preserving state")

blend_variance = Form(
    "edm.blend_variance", "variance of data and independent noise, blended", r"\operatorname{Var}[a\,y + b\,n]",
    a**2 * sigma_data**2 + b**2 * sigma**2, Source(KARRAS, "app. B.6", "the step from the variance to its two parts"),
)  # fmt: skip

c_in = Form(
    "edm.c_in", "scale of the input", r"c_{\mathrm{in}}", 1 / sqrt(sigma**2 + sigma_data**2), Source(KARRAS, "table 1, app. B.6")
)

c_skip = Form(
    "edm.c_skip", "weight of the skip connection", r"c_{\mathrm{skip}}", sigma_data**2 / (sigma**2 + sigma_data**2),
    Source(KARRAS, "table 1, app. B.6"),
)  # fmt: skip

c_out = Form(
    "edm.c_out", "scale of the output", r"c_{\mathrm{out}}", sigma * sigma_data / sqrt(sigma**2 + sigma_data**2),
    Source(KARRAS, "table 1, app. B.6"),
)  # fmt: skip

loss_weight = Form(
    "edm.loss_weight", "weight of the loss", r"\lambda", (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2,
    Source(KARRAS, "table 1, app. B.6"),
)  # fmt: skip

# -- consistency models: the level sigma_min is the data ------------------------------------------------------------------

consistency_c_skip = Form(
    "consistency.c_skip", "weight of the skip connection of a consistency model", r"c_{\mathrm{skip}}",
    sigma_data**2 / ((sigma - sigma_min) ** 2 + sigma_data**2),
    Source(CONSISTENCY, "app. C", "t there is sigma, epsilon sigma_min"),
)  # fmt: skip

consistency_c_out = Form(
    "consistency.c_out", "scale of the output of a consistency model", r"c_{\mathrm{out}}",
    sigma_data * (sigma - sigma_min) / sqrt(sigma_data**2 + sigma**2),
    Source(CONSISTENCY, "app. C", "t there is sigma, epsilon sigma_min"),
)  # fmt: skip

# -- between the variance-preserving scale and sigma space ---------------------------------------------------------------------

level = Form(
    "frames.level", "level of a noise scale", r"\bar\alpha", 1 / (1 + sigma**2),
    Source(KARRAS, "app. C.1", "there s^2, with s = sqrt(abar)"),
)  # fmt: skip

scale = Form(
    "frames.scale", "scale of the variance-preserving state", "s", 1 / sqrt(1 + sigma**2),
    Source(KARRAS, "table 1, app. C.1", "over sigma in place of t"),
)  # fmt: skip

noise_scale = Form(
    "frames.noise_scale", "standard deviation of the noise in the variance-preserving state", r"\sqrt{1 - \bar\alpha}",
    sigma / sqrt(1 + sigma**2), Source(KARRAS, "app. C.1", "s(t) sigma(t)"),
)  # fmt: skip

score_of_scaled = Form(
    "frames.score", "score in sigma space, by that of the variance-preserving state", r"\nabla_{\bar x}\log \bar p(\bar x)",
    score / sqrt(1 + sigma**2), Source(KARRAS, "eq. 4", "the score there is taken at x / s"),
)  # fmt: skip
