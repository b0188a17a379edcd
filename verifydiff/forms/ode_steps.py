r"""Steps for :math:`\dot y = v(y, t)`: Euler, Heun, the explicit midpoint.

A step from t to s has the length h = s - t, which a sampler takes negative. Velocities are letters: ``v_t`` where the step
starts, ``v_s`` at the predicted end, ``v_mid`` at the predicted middle.
"""

from __future__ import annotations

from .euler import KARRAS, xbar_t
from .form import Form, Source
from .quantities import REAL, Quantity, ve_s, ve_t

HAIRER = "Hairer, Nørsett & Wanner 1993"

y = Quantity("y", "y", REAL, meaning="the state, one coordinate")
h = Quantity("h", "h", REAL, meaning="length of the step, s - t")
v_t = Quantity("v_t", "v_t", REAL, meaning="velocity where the step starts")
v_s = Quantity("v_s", "v_s", REAL, meaning="velocity at the end that Euler predicts")
v_mid = Quantity("v_mid", r"v_{\mathrm{mid}}", REAL, meaning="velocity in the middle that Euler predicts")
d_t = Quantity("d_t", "d_t", REAL, meaning="(x - D) / sigma where the step starts: the predicted noise")
d_s = Quantity("d_s", "d_s", REAL, meaning="the same at the end that Euler predicts")

euler = Form("ode.euler", "Euler's step", "y_s", y + h * v_t, Source(HAIRER, "sec. I.7"))

heun = Form("ode.heun", "Heun's step: the mean of two slopes", "y_s", y + h * (v_t + v_s) / 2, Source(HAIRER, "sec. II.1"))

midpoint = Form("ode.midpoint", "explicit midpoint step", "y_s", y + h * v_mid, Source(HAIRER, "sec. II.1"))

edm_heun = Form(
    "ode.edm_heun", "EDM's step of second order", r"\bar x_s",
    xbar_t + (ve_s - ve_t) * (d_t / 2 + d_s / 2),
    Source(KARRAS, "algorithm 1", "for sigma(t) = t and s(t) = 1"),
)  # fmt: skip
