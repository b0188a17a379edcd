r"""Steps of first order along the reverse process (Song et al. 2021, SDE; Ho et al. 2020).

Each is written over the state, its score and fresh noise. With :math:`\nabla\log p = -\epsilon / \sqrt{1 - \bar\alpha_t}` a step
reads :math:`x_s = a\,x_t + b\,\epsilon + c\,z`. :math:`\beta_t` is the one of the step from s to t: with strides, the composed one.
The VE steps are in the coordinates :math:`\bar x = x / \sqrt{\bar\alpha}`.
"""

from __future__ import annotations

from sympy import sqrt

from .euler import xbar_t
from .form import Form, Source
from .quantities import REAL, Quantity, beta_t, ve_s, ve_t, x_t, z
from .score import score_t
from .sde import SONG_SDE

score_bar = Quantity("score_bar", r"\nabla \log p(\bar x_t)", REAL, meaning="score in the coordinates of VE, one coordinate")

euler_maruyama = Form(
    "reverse.euler_maruyama", "Euler-Maruyama on the reverse VP SDE", "x_s",
    x_t + beta_t / 2 * x_t + beta_t * score_t + sqrt(beta_t) * z,
    Source(SONG_SDE, "sec. 4.1", "Euler-Maruyama on eq. 6 with the VP SDE of eq. 11"),
)  # fmt: skip

reverse_diffusion = Form(
    "reverse.reverse_diffusion", "reverse diffusion step, VP", "x_s",
    (2 - sqrt(1 - beta_t)) * x_t + beta_t * score_t + sqrt(beta_t) * z,
    Source(SONG_SDE, "app. E"),
)  # fmt: skip

ancestral = Form(
    "reverse.ancestral", "ancestral step by the score, VP", "x_s",
    (x_t + beta_t * score_t) / sqrt(1 - beta_t) + sqrt(beta_t) * z,
    Source(SONG_SDE, "eq. 4"),
)  # fmt: skip

flow = Form(
    "reverse.flow", "probability flow step, VP", "x_s",
    (2 - sqrt(1 - beta_t)) * x_t + beta_t / 2 * score_t,
    Source(SONG_SDE, "app. D.3"),
)  # fmt: skip

flow_euler = Form(
    "reverse.flow_euler", "Euler in time on the VP probability flow", "x_s",
    x_t + beta_t / 2 * (x_t + score_t),
    Source(SONG_SDE, "eq. 13", "one Euler step, for VP"),
)  # fmt: skip

ve_reverse_diffusion = Form(
    "reverse.ve_reverse_diffusion", "reverse diffusion step, VE", r"\bar x_s",
    xbar_t + (ve_t**2 - ve_s**2) * score_bar + sqrt(ve_t**2 - ve_s**2) * z,
    Source(SONG_SDE, "app. E"),
)  # fmt: skip

ve_ancestral = Form(
    "reverse.ve_ancestral", "ancestral step by the score, VE", r"\bar x_s",
    xbar_t + (ve_t**2 - ve_s**2) * score_bar + sqrt(ve_s**2 * (ve_t**2 - ve_s**2) / ve_t**2) * z,
    Source(SONG_SDE, "app. F"),
)  # fmt: skip

ve_flow = Form(
    "reverse.ve_flow", "probability flow step, VE", r"\bar x_s",
    xbar_t + (ve_t**2 - ve_s**2) / 2 * score_bar,
    Source(SONG_SDE, "app. D.3"),
)  # fmt: skip
