r"""What a network may predict, each by each other, given :math:`x_t`; the step and the loss by each.

The data, the noise, the velocity :math:`v = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1 - \bar\alpha_t}\,x_0`, the score
:math:`-\epsilon / \sqrt{1 - \bar\alpha_t}` and the flow velocity :math:`u = \epsilon - x_0`. The maps between the data, the
noise and v are in ``forward``, those from the noise to the score and from the score to the data in ``score``.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .forward import SALIMANS
from .quantities import REAL, Quantity, abar_s, abar_t, eps, snr_t, v, x_0, x_t
from .score import score_t

u = Quantity("u", "u", REAL, meaning="flow velocity: eps - x_0, the slope of the straight path from the data to the noise")

A, B = sqrt(abar_t), sqrt(1 - abar_t)
ESSER = "Esser et al. 2024"
LIU = "Liu et al. 2023 (rectified flow)"
FLOW = Source(LIU, "eq. 1", "noise at t = 1 there at t = 0; written over x_t of the variance-preserving scale")


def _form(name: str, title: str, symbol: str, expression: object, source: Source) -> Form:
    return Form(f"predictions.{name}", title, symbol, expression, source)


# -- each by each --------------------------------------------------------------------------------------------------------

flow_velocity = _form("flow_velocity", "flow velocity: the slope of the straight path", "u", eps - x_0, FLOW)

v_from_eps = _form("v_from_eps", "velocity, by the noise", r"\hat v", (eps - B * x_t) / A, Source(SALIMANS, "app. D", "solved"))
v_from_x0 = _form("v_from_x0", "velocity, by the data", r"\hat v", (A * x_t - x_0) / B, Source(SALIMANS, "app. D", "solved"))
score_from_x0 = _form(
    "score_from_x0", "score, by the data", r"\nabla\log\hat p_t", (A * x_0 - x_t) / (1 - abar_t),
    Source("Vincent 2011", "sec. 4.2", "the target of denoising score matching, with the signal scaled"),
)  # fmt: skip
score_from_v = _form(
    "score_from_v", "score, by the velocity", r"\nabla\log\hat p_t", -x_t - A / B * v, Source(SALIMANS, "app. D", "solved")
)
eps_from_score = _form(
    "eps_from_score", "noise, by the score", r"\hat\epsilon", -B * score_t,
    Source("Song et al. 2021 (SDE)", "eq. 7", "the target of training there, solved for the noise"),
)  # fmt: skip
v_from_score = _form(
    "v_from_score", "velocity, by the score", r"\hat v", -B / A * (score_t + x_t), Source(SALIMANS, "app. D", "solved")
)
x0_from_u = _form("x0_from_u", "data, by the flow velocity", r"\hat x_0", (x_t - B * u) / (A + B), FLOW)
eps_from_u = _form("eps_from_u", "noise, by the flow velocity", r"\hat\epsilon", (x_t + A * u) / (A + B), FLOW)
v_from_u = _form("v_from_u", "velocity, by the flow velocity", r"\hat v", (u + (A - B) * x_t) / (A + B), FLOW)
score_from_u = _form("score_from_u", "score, by the flow velocity", r"\nabla\log\hat p_t", -(x_t + A * u) / (B * (A + B)), FLOW)
u_from_eps = _form("u_from_eps", "flow velocity, by the noise", r"\hat u", ((A + B) * eps - x_t) / A, FLOW)
u_from_x0 = _form("u_from_x0", "flow velocity, by the data", r"\hat u", (x_t - (A + B) * x_0) / B, FLOW)
u_from_v = _form("u_from_v", "flow velocity, by the velocity", r"\hat u", (A + B) * v + (B - A) * x_t, FLOW)
u_from_score = _form("u_from_score", "flow velocity, by the score", r"\hat u", -(B * (A + B) * score_t + x_t) / A, FLOW)

# -- the deterministic step by each -------------------------------------------------------------------------------------

step_by_v = _form(
    "step_by_v", "the step without fresh noise, by the velocity: a rotation", "x_s",
    (sqrt(abar_s) * A + sqrt(1 - abar_s) * B) * x_t - (sqrt(abar_s) * B - sqrt(1 - abar_s) * A) * v,
    Source(SALIMANS, "app. D", "cos and sin of the angle between the levels written out"),
)  # fmt: skip
step_by_score = _form(
    "step_by_score", "the step without fresh noise, by the score", "x_s",
    sqrt(abar_s) / A * x_t + (sqrt(abar_s) * (1 - abar_t) / A - sqrt(1 - abar_s) * B) * score_t,
    Source("Song et al. 2021 (DDIM)", "eq. 13", "one Euler step, with the noise written by the score; its alpha is abar here"),
)  # fmt: skip
step_by_u = _form(
    "step_by_u", "the step without fresh noise, by the flow velocity", "x_s",
    ((sqrt(abar_s) + sqrt(1 - abar_s)) * x_t + (sqrt(1 - abar_s) * A - sqrt(abar_s) * B) * u) / (A + B), FLOW,
)  # fmt: skip

# -- squared errors, as multiples of one another ---------------------------------------------------------------------------

DATA_ERROR, NOISE_ERROR = r"\|x_0 - \hat x_0\|^2", r"\|\epsilon - \hat\epsilon\|^2"
FLOW_ERROR = r"\|u - \hat u\|^2"

eps_weight = _form(
    "eps_weight", "squared error of the noise over that of the data", f"{NOISE_ERROR} / {DATA_ERROR}", snr_t,
    Source(SALIMANS, "sec. 4"),
)  # fmt: skip
v_weight = _form(
    "v_weight", "squared error of the velocity over that of the data", rf"\|v - \hat v\|^2 / {DATA_ERROR}", 1 + snr_t,
    Source(SALIMANS, "sec. 4", "SNR+1 weighting"),
)  # fmt: skip
score_weight = _form(
    "score_weight", "squared error of the score over that of the data",
    rf"\|\nabla\log p_t - \nabla\log\hat p_t\|^2 / {DATA_ERROR}", snr_t * (1 + snr_t),
    Source("Song et al. 2021 (SDE)", "eq. 7", "what that loss weighs before its lambda(t)"),
)  # fmt: skip
u_weight = _form(
    "u_weight", "squared error of the flow velocity over that of the data", f"{FLOW_ERROR} / {DATA_ERROR}",
    (1 + sqrt(snr_t)) ** 2, Source(ESSER, "eq. 11", "there over the squared error of the noise"),
)  # fmt: skip
eps_weight_of_u = _form(
    "eps_weight_of_u", "squared error of the flow velocity over that of the noise", f"{FLOW_ERROR} / {NOISE_ERROR}",
    (1 + 1 / sqrt(snr_t)) ** 2, Source(ESSER, "eq. 11", "written in the signal over noise"),
)  # fmt: skip
