r"""The noisy end of a schedule: rescaling to no terminal signal, the cosine schedule, the grids of a sampler.

Roots of levels fall from :math:`\sqrt{\bar\alpha_1}` to :math:`\sqrt{\bar\alpha_T}`; one between them is written by how much
of the way up from the last it lies.
"""

from __future__ import annotations

from .form import Form, Source
from .quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION, UNIT, Domain, Quantity

LIN, NICHOL = "Lin et al. 2024", "Nichol & Dhariwal 2021"

first = Quantity("first", r"\sqrt{\bar\alpha_1}", PROPER_FRACTION, meaning="root of the first level")
kept = Quantity("kept", r"\sqrt{\bar\alpha_T / \bar\alpha_1}", PROPER_FRACTION, meaning="root of what is kept of it at the end")
last = Quantity("last", r"\sqrt{\bar\alpha_T}", PROPER_FRACTION, first * kept, meaning="root of the last level")
height = Quantity("height", "w", UNIT, meaning="how much of the way from the last root to the first")
root = Quantity("root", r"\sqrt{\bar\alpha_t}", POSITIVE, last + height * (first - last), meaning="root of a level between them")

rescaled_root = Form(
    "terminal.rescaled_root", "root of a level, rescaled to no signal at the end", r"\sqrt{\bar\alpha_t'}",
    (root - last) / (1 - kept), Source(LIN, "algorithm 1", "there the factor is sqrt(abar_1) / (sqrt(abar_1) - sqrt(abar_T))"),
)  # fmt: skip

# -- the cosine schedule: the engine knows no trigonometry, so that a cosine is a letter ------------------------------------

cos_0 = Quantity("cos_0", "C_0", PROPER_FRACTION, meaning="cosine of the offset's angle")
fall = Quantity("fall", "C_s / C_0", Domain(0, 1, closed_above=True), meaning="cosine at s over that at 0")
step_fall = Quantity("step_fall", "C_t / C_s", Domain(0, 1, closed_below=True), meaning="cosine at t over that at s")
cos_s = Quantity("cos_s", "C_s", PROPER_FRACTION, cos_0 * fall, meaning="cosine of the angle at s")
cos_t = Quantity("cos_t", "C_t", Domain(0, 1, closed_below=True), cos_s * step_fall, meaning="cosine of the angle at t; 0 at T")

cosine_level = Form(
    "cosine.level", "level of the cosine schedule", r"\bar\alpha_t", cos_t**2 / cos_0**2,
    Source(NICHOL, "eq. 17", "C_t is cos((t / T + s) / (1 + s) pi / 2) there"),
)  # fmt: skip
cosine_beta = Form(
    "cosine.beta", "variance of a step of the cosine schedule", r"\beta_t", 1 - cos_t**2 / cos_s**2,
    Source(NICHOL, "sec. 3.2", "before it is clipped at 0.999"),
)  # fmt: skip

# -- the grids of S among T times, counted from 1; T = S k + r ---------------------------------------------------------------

stride = Quantity("stride", "k", Domain(lower=1, closed_below=True), meaning="the whole part of T / S")
rest = Quantity("rest", "r", NONNEGATIVE, meaning="what is left of T / S, times S")
steps = Quantity("steps", "S", Domain(lower=1, closed_below=True), meaning="steps of the sampler")
times = Quantity("times", "T", Domain(lower=1, closed_below=True), steps * stride + rest, meaning="times of the schedule")

leading_gap = Form(
    "grid.leading_gap", "by how much the leading grid starts below T", r"T - t_S", stride - 1 + rest,
    Source(LIN, "table 2", "T less the last entry of arange(1, T + 1, floor(T / S))"),
)  # fmt: skip
trailing_last = Form(
    "grid.trailing_last", "the last time of the trailing grid", "t_1", times / steps,
    Source(LIN, "table 2", "arange(T, 0, -T / S), before it is rounded"),
)  # fmt: skip
