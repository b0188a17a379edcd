r"""What a solver does with a prediction of the data that is large.

With the weights B of all predictions known, a run with large ones differs from one with small ones, on the same noise, by
:math:`\sum_j B_{kj}\,(u_j - \hat x_{0,j})` more than it should, where :math:`u_j` is what was used in their place: a triangular
system, which tells what was.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...observe.clipping import SAME, Clipping, Kind, returned
from ...verdict import Finding
from ..weights import clipped
from .case import SolverCase


def clipping(case: SolverCase) -> Iterator[Finding]:
    """What becomes of large predictions of the data?"""
    yield from clipped(_seen(case))


def _seen(case: SolverCase) -> Clipping:
    natural, large = case.observation.run, case.observation.large
    if large.x.shape != natural.x.shape:
        return Clipping(Kind.UNKNOWN)
    same = max(SAME, 64 * max(natural.unit, large.unit)) * np.maximum(1.0, np.abs(large.x).max(axis=(1, 2)))
    moved = case.response.unexplained(large, natural)
    kept = np.abs(moved).max(axis=(1, 2)) <= same
    if kept.all():
        return Clipping(Kind.NONE)
    if kept[:-1].all() and (of_returned := returned(large.x[-1], large.x[-1] - moved[-1], float(same[-1]))):
        return of_returned
    weights, answers = case.response.answers[1:], large.answers.reshape(len(large.answers), -1)
    changed = np.linalg.lstsq(weights, moved[1:].reshape(len(weights), -1), rcond=None)[0]
    used = (answers + changed)[int(np.argmax(np.abs(weights).max(axis=0)))]  # of the answer that shows most
    lower, upper = float(used.min()), float(used.max())
    left = moved[1:].reshape(len(weights), -1) - weights @ (np.clip(answers, lower, upper) - answers)
    if (np.abs(left).max(axis=1) <= same[1:]).all():
        return Clipping(Kind.CLIPPED, lower, upper)
    return Clipping(Kind.OTHER)
