"""The law in which a solver ends: data without spread come out as they are, and what the method costs on others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...verdict import Finding, Status
from .case import SolverCase
from .gaussian import law

MEAN = 0.4
VARIANCES = (0.25, 2.25)


def point_mass(case: SolverCase, *, exact: bool) -> Iterator[Finding]:
    """Do data without spread come out as they are, where the contract ends on the data?

    Args:
        case: the solver.
        exact: whether its steps are; one whose error falls with them has it here, too.
    """
    response = case.response
    if response.sigma[-1] > 0 or response.hidden:
        return
    ends = law(response, MEAN, 0.0)
    mean, deviation = float(ends.mean[-1]), float(ends.deviation[-1])
    off = max(abs(mean - MEAN), deviation)
    if case.target.inexact:
        return
    if off <= max(float(case.bound[-1]), float(case.single[-1])):
        yield Finding(
            "point-mass",
            Status.PASS,
            f"data without spread come out as they are (off by {off:.1g}).",
            [mean, deviation**2],
            [MEAN, 0.0],
        )
    else:
        yield Finding(
            "point-mass",
            Status.FAIL if exact else Status.NOTE,
            f"data at {MEAN:g} without spread end in mean {mean:.8g} and standard deviation {deviation:.3g}.",
            [mean, deviation**2],
            [MEAN, 0.0],
            float(case.bound[-1]),
        )


def method_bias(case: SolverCase) -> Iterator[Finding]:
    """How far from the data does the method end, on as many steps as it took?"""
    response = case.response
    if response.hidden:
        return
    laws = [law(response, MEAN, variance) for variance in VARIANCES]
    error = np.array([float(np.nan_to_num(one.error[-1], nan=np.inf)) for one in laws])
    j = int(np.argmax(error))
    if error[j] > 1e-6:
        yield Finding(
            "method-bias",
            Status.NOTE,
            f"on these {response.queries} queries data N({MEAN:g}, {VARIANCES[j]:g}) end in mean {laws[j].mean[-1]:.6g} and "
            f"variance {laws[j].deviation[-1] ** 2:.6g} ({error[j]:.2%} of a standard deviation off).",
            float(laws[j].deviation[-1] ** 2),
            float(laws[j].true_deviation[-1] ** 2),
        )
