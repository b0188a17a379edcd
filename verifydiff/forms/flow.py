r"""Flow matching and rectified flow: the straight path from the data to the noise.

.. math:: x_t = (1 - t)\,x_0 + t\,\epsilon, \qquad u = \frac{dx_t}{dt} = \epsilon - x_0, \qquad 0 \le t \le 1

Time 0 is the data and time 1 the noise, as in Esser et al. 2024; Lipman et al. 2023 and Liu et al. 2023 count the other way
round, with x_1 for the data.
"""

from __future__ import annotations

from sympy import Add, exp, sqrt

from .form import Form, Source
from .newton import divided_differences, integrals
from .predictions import LIU, u
from .quantities import POSITIVE, PROPER_FRACTION, REAL, Domain, Quantity, abar_t, eps, x_0

ESSER, LIPMAN = "Esser et al. 2024", "Lipman et al. 2023"
REVERSED = "time and data end counted the other way round"

t = Quantity("t", "t", PROPER_FRACTION, meaning="time of the flow: 0 the data, 1 the noise")
part = Quantity("part", r"s / t", Domain(0, 1, closed_below=True), meaning="the part of the time that is left after the step")
s = Quantity("s", "s", Domain(0, 1, closed_below=True), part * t, meaning="an earlier time, closer to the data")
x = Quantity("x", r"x_t", REAL, meaning="state of the flow")
score = Quantity("score", r"\nabla\log p_t(x_t)", REAL, meaning="score of the state of the flow")
time_back = Quantity("time_back", r"t_{\mathrm{prev}} - t", POSITIVE, meaning="the step before, in the time of the flow")
time_back_2 = Quantity("time_back_2", r"t_{\mathrm{prev}, 2} - t_{\mathrm{prev}}", POSITIVE, meaning="the step before that")
time_back_3 = Quantity("time_back_3", r"t_{\mathrm{prev}, 3} - t_{\mathrm{prev}, 2}", POSITIVE, meaning="the one before that")
u_before = Quantity("u_before", r"u_{\mathrm{prev}}", REAL, meaning="the velocity predicted one step earlier")
u_earlier = Quantity("u_earlier", r"u_{\mathrm{prev}, 2}", REAL, meaning="the velocity predicted two steps earlier")
u_earliest = Quantity("u_earliest", r"u_{\mathrm{prev}, 3}", REAL, meaning="the velocity predicted three steps earlier")
GAPS = (time_back, time_back_2, time_back_3)
_differences = divided_differences((u, u_before, u_earlier, u_earliest), GAPS)
u_slope = Quantity("u_slope", r"u[t, \mathrm{prev}]", REAL, _differences[0], meaning="the first divided difference in time")
u_bend = Quantity("u_bend", r"u[t, \dots, \mathrm{prev}_2]", REAL, _differences[1], meaning="the second one")
u_twist = Quantity("u_twist", r"u[t, \dots, \mathrm{prev}_3]", REAL, _differences[2], meaning="the third one")
shift = Quantity("shift", r"\varsigma", POSITIVE, meaning="shift of the times; 1 is none")
mu = Quantity("mu", r"\mu", REAL, meaning="logarithm of the shift")

interpolant = Form("flow.interpolant", "the straight path", "x_t", (1 - t) * x_0 + t * eps, Source(LIU, "eq. 1", REVERSED))

level = Form(
    "flow.level", "level of the same signal over noise", r"\bar\alpha(t)", (1 - t) ** 2 / ((1 - t) ** 2 + t**2),
    Source(ESSER, "eq. 13", "the path read in the variance-preserving scale"),
)  # fmt: skip
time = Form(
    "flow.time", "time of the same signal over noise", r"t(\bar\alpha)", sqrt(1 - abar_t) / (sqrt(abar_t) + sqrt(1 - abar_t)),
    Source(ESSER, "eq. 13", "solved for the time"),
)  # fmt: skip
sigma = Form("flow.sigma", "sigma of the same signal over noise", r"\sigma(t)", t / (1 - t), Source(ESSER, "sec. 5.3.2"))
scale = Form(
    "flow.scale", "state of the flow over the variance-preserving state", r"x_t / x_t^{\mathrm{VP}}", sqrt((1 - t) ** 2 + t**2),
    Source(ESSER, "eq. 13", "the path read in the variance-preserving scale"),
)  # fmt: skip

velocity_from_eps = Form(
    "flow.velocity_from_eps",
    "velocity, by the noise",
    r"\hat u",
    (eps - x) / (1 - t),
    Source(ESSER, "eq. 9", "for the straight path"),
)
velocity_from_x0 = Form(
    "flow.velocity_from_x0",
    "velocity, by the data",
    r"\hat u",
    (x - x_0) / t,
    Source(LIPMAN, "eq. 21", f"{REVERSED}, sigma_min = 0"),
)
velocity_from_score = Form(
    "flow.velocity_from_score", "velocity, by the score", r"\hat u", -(x + t * score) / (1 - t),
    Source(LIPMAN, "eq. 21", f"{REVERSED}, sigma_min = 0; the data written by the score"),
)  # fmt: skip
x0_from_velocity = Form("flow.x0_from_velocity", "data, by the velocity", r"\hat x_0", x - t * u, Source(LIU, "eq. 1", "solved"))
eps_from_velocity = Form(
    "flow.eps_from_velocity", "noise, by the velocity", r"\hat\epsilon", x + (1 - t) * u, Source(LIU, "eq. 1", "solved")
)

loss_weight = Form(
    "flow.loss_weight", "weight of the velocity's loss, as one on the noise's along the logarithm of the signal over noise", "w_t",
    t / (1 - t), Source(ESSER, "sec. 3", "in the sense of eq. 12 there"),
)  # fmt: skip

euler_step = Form("flow.euler_step", "Euler's step", "x_s", x + (s - t) * u, Source(LIU, "sec. 2", REVERSED))

shifted = Form(
    "flow.shifted", "shifted time", "t'", shift * t / (1 + (shift - 1) * t), Source(ESSER, "eq. 23", "sqrt(m / n) is the shift")
)
shifted_by_exponential = Form(
    "flow.shifted_by_exponential", "shifted time, by the logarithm of the shift", "t'", exp(mu) / (exp(mu) + 1 / t - 1),
    Source("Black Forest Labs, FLUX.1", "time_shift with sigma = 1"),
)  # fmt: skip

_weights = integrals(s - t, GAPS)
_terms = [weight * one for weight, one in zip(_weights, (u, u_slope, u_bend, u_twist), strict=True)]
ab_2, ab_3, ab_4 = (
    Form(
        f"flow.ab_{order}", f"Adams-Bashforth of order {order} along the velocity", "x_s", x + Add(*_terms[:order]),
        Source("Hairer, Nørsett & Wanner 1993", "sec. III.1", "for steps of any length, towards time 0"),
    )
    for order in (2, 3, 4)
)  # fmt: skip
