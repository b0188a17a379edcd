"""Does a plain loop end, and in numbers?"""

from __future__ import annotations

from typing import Any

import torch

from .asked import Asked, quiet
from .driving import POINT, Drive, normals
from .opinion import Opinion

ROWS = 64
UNREAD = ("CosineDPMSolverMultistepScheduler", "EDMDPMSolverMultistepScheduler")
"""Whose models answer in words of their own; here they answer nothing at all, 0."""


def outcome(asked: Asked, dtype: Any) -> str:
    """What goes wrong in one run, or nothing."""
    try:
        if asked.name in UNREAD:
            end, queries = _silent(asked, dtype), []
        else:
            run = Drive(asked, POINT, normals(ROWS).reshape(-1, 1, 2, 2), pipeline=True, dtype=dtype)
            end, queries = run.end, run.queries
    except Exception as error:  # whatever it is: that it raises is what is asked
        return f"raises {type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    for k, query in enumerate(queries):
        if not torch.isfinite(query.x).all():
            return f"is not finite from query {k} on"
    return "" if torch.isfinite(end).all() else "returns what is not finite"


def _silent(asked: Asked, dtype: Any) -> Any:
    scheduler = asked.make()
    x = (normals(ROWS).reshape(-1, 1, 2, 2) * float(scheduler.init_noise_sigma)).to(dtype)
    given = asked.given(scheduler, 1)
    for t in scheduler.timesteps:
        scheduler.scale_model_input(x, t)
        x = quiet(scheduler.step, torch.zeros_like(x), t, x, **given).prev_sample
    return x


def behaviour(asked: Asked) -> Opinion:
    """On states in single and in double precision, the scheduler as it is shipped."""
    single, double = (outcome(asked, dtype) for dtype in (torch.float32, torch.float64))
    words = f"a plain loop {single}" if single else "a plain loop ends in finite numbers"
    if double != single:
        words += f"; on states in float64 it {double or 'ends in finite numbers'}"
    return Opinion(bool(single or double), f"{words}.")


def precision(asked: Asked) -> Opinion:
    """On states in single precision, as it is shipped."""
    single = outcome(asked, torch.float32)
    return Opinion(bool(single), f"a plain loop in single precision {single or 'ends in finite numbers'}.")


def half_precision(asked: Asked) -> Opinion:
    """On states in bfloat16, where single precision does nothing of the kind."""
    single, half = (outcome(asked, dtype) for dtype in (torch.float32, torch.bfloat16))
    words = (
        f"a plain loop in bfloat16 {half or 'ends in finite numbers'}, in single precision it {single or 'ends in finite numbers'}"
    )
    return Opinion(bool(half) and not single, f"{words}.")
