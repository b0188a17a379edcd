"""Does the diagnosis name the slip that was planted, and nothing where no slip was?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mutants import SCHEDULE, STEPS, Mutant
from samplers import ABAR, trailing

import verifydiff as vd

SAME = 1e-9
"""Residuals below this are all rounding: the slips come to the same numbers, and which of them stands first says nothing."""


def named_first(mutant: Mutant) -> bool:
    """Whether the planted slip stands first, or comes to the same numbers as the one that does."""
    diagnosis = mutant.report.diagnosis
    least = max(diagnosis[0].residual, SAME) if diagnosis else 0.0
    return any(one.slip == mutant.mistake and one.residual <= least for one in diagnosis)


def why_not(mutant: Mutant) -> str:
    """What the diagnosis says instead."""
    report = mutant.report
    if report.diagnosis:
        return "named instead: " + ", ".join(one.slip for one in report.diagnosis)
    if report.identified_as == "not observed":
        return f"it could not be observed: {report.findings[-1].message}"
    return "nothing in the catalogue explains it"


def of_no_slip(count: int, seed: int = 4) -> Iterator[vd.Report]:
    """What verifydiff says of samplers whose weights are wrong by arbitrary factors, of 1 in 100 and at every step another."""
    rng, times = np.random.default_rng(seed), trailing(STEPS)
    for _ in range(count):
        factors = 1 + 0.01 * rng.standard_normal((2, STEPS))

        def sample(denoise, x, seed, factors=factors):
            for k, t in enumerate(times):
                here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < STEPS else 1.0
                eps = denoise(x, t)
                x0 = (x - np.sqrt(1 - here) * eps) / np.sqrt(here)
                x = factors[0, k] * np.sqrt(there) * x0 + factors[1, k] * np.sqrt(1 - there) * eps
            return x

        yield vd.check(sample, schedule=SCHEDULE, family=vd.DDIM())
