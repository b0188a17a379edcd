"""The noise of a solver: none after the last query onto the data, and its law."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...observe import SamplerFault, run
from ...observe.probe import SMALL, answers, generator
from ...statistics import standard_normal_battery
from ...verdict import Finding, Status
from ..behaviour import at_fault
from .case import SolverCase

ROWS = 64
"""In the batch whose draws are looked at."""


def noisy(case: SolverCase) -> bool:
    """Whether there is noise, reached or not."""
    response = case.response
    return bool(response.draws.any() or (case.affine and response.hidden))  # what bends is unexplained, and no noise


def last_step(case: SolverCase) -> Iterator[Finding]:
    """Is no noise added after the last query, where the sampler ends on the data?"""
    response = case.response
    if response.sigma[-1] > 0 or not noisy(case):
        return
    late = np.array(response.run.drawn_before, dtype=int) == response.queries
    size = float(np.sqrt((response.draws[-1][late] ** 2).sum())) if late.any() else 0.0
    if size > case.bound[-1]:
        yield Finding(
            "last-step", Status.FAIL, f"noise of scale {size:.4g} is added after the last query, onto the data.", size, 0.0
        )
    else:
        yield Finding("last-step", Status.PASS, "no noise is added onto the data.", size, 0.0)


def noise_law(case: SolverCase) -> Iterator[Finding]:
    """Are the draws fresh every time, independent over rows and coordinates, and standard normal?"""
    if not noisy(case):
        yield Finding("noise-law", Status.NOT_APPLICABLE, "no step adds noise.")
        return
    if case.response.hidden:
        there = "besides the draws that were seen there is noise that does not come from them" if case.response.draws.any() else ""
        message = f"{there or 'there is noise, and it cannot be reached'}: its scale and its law stay unjudged."
        yield Finding("noise-law", Status.INCONCLUSIVE, message)
        return
    start = generator(case.seed).standard_normal((ROWS, case.target.dimensions))
    try:
        seen = run(case.target, answers(case.seed, SMALL), start, case.seed + 2, deadline=case.deadline)
    except SamplerFault as fault:
        yield at_fault("noise-law", fault, f"with a batch of {ROWS} ")
        return
    tests = [test for test in standard_normal_battery(np.array(seen.draws), resolution=1e-9) if test.n]
    rate = case.rates.shared_among(len(tests)).false_alarm
    failed = [test for test in tests if test.rejects(rate)]
    draws = len(seen.draws) * ROWS * case.target.dimensions
    if failed:
        test = min(failed, key=lambda one: one.p_value)
        where = f" ({test.where})" if test.where else ""
        message = f"the noise fails the test {test.test}{where}: p = {test.p_value:.2g} over {test.n} draws."
        yield Finding("noise-law", Status.FAIL, message, test.p_value, tolerance=rate, false_alarm=case.rates.false_alarm)
    else:
        yield Finding(
            "noise-law",
            Status.PASS,
            f"{draws} draws are fresh, independent over rows and coordinates, and standard normal ({len(tests)} tests).",
            false_alarm=case.rates.false_alarm,
        )
