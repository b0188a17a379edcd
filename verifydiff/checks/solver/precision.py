"""As a library ships its solver, in its own precision: does it run, and how far does rounding move the law that it ends in?"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from ...observe import SamplerFault
from ...observe.response import respond
from ...verdict import Finding, Status
from ..behaviour import at_fault
from .case import SolverCase
from .gaussian import law
from .law import MEAN, VARIANCES

SHIPPED = "as shipped, in its own precision"


def precision(case: SolverCase) -> Iterator[Finding]:
    """Does it run as shipped? How far it moves the law on Gaussian data from that in double precision is a note."""
    shipped = case.target.as_shipped
    if shipped is None:
        return
    try:
        seen = respond(shipped, seed=case.seed, timeout=case.deadline - time.monotonic())
    except SamplerFault as fault:
        yield at_fault("precision", fault, f"{SHIPPED}: ")
        return
    if seen.queries != case.response.queries:
        message = f"{SHIPPED}, it asks the model {seen.queries} times; in double precision {case.response.queries} times."
        yield Finding("precision", Status.FAIL, message, seen.queries, case.response.queries)
        return
    if case.response.hidden or seen.draws.shape != case.response.draws.shape:
        return
    moved = 0.0
    for variance in VARIANCES:
        one, other = law(seen, MEAN, variance), law(case.response, MEAN, variance)
        scale = max(float(other.deviation[-1]), float(np.finfo(np.float64).tiny))
        moved = max(moved, abs(one.mean[-1] - other.mean[-1]) / scale, abs(one.deviation[-1] - other.deviation[-1]) / scale)
    message = f"{SHIPPED}, the law that Gaussian data end in moves by {moved:.1g} of a standard deviation."
    yield Finding("precision", Status.NOTE, message, float(moved))
