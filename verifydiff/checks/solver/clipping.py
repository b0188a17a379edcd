r"""What a solver does with a prediction of the data that is large.

With the weights B of all predictions known, a run with large ones differs from one with small ones, on the same noise, by
:math:`\sum_j B_{kj}\,(u_j - \hat x_{0,j})` more than it should, where :math:`u_j` is what was used in their place: a triangular
system, which tells what was. A one-step method that clips the data alone, and goes on with the noise as it was predicted, has other
weights than B, which follow from where its steps land.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...observe.clipping import SAME, Clipping, Kind, returned
from ...schedule import Array
from ...verdict import Finding
from ..weights import clipped
from .case import SolverCase
from .kind import memory


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
    answers, left = large.answers.reshape(len(large.answers), -1), moved[1:].reshape(len(large.answers), -1)
    for kind, weights in _weights(case):
        changed = np.linalg.lstsq(weights, left, rcond=None)[0]
        used = (answers + changed)[int(np.argmax(np.abs(weights).max(axis=0)))]  # of the answer that shows most
        lower, upper = float(used.min()), float(used.max())
        unexplained = left - weights @ (np.clip(answers, lower, upper) - answers)
        if (np.abs(unexplained).max(axis=1) <= same[1:]).all():
            return Clipping(kind, lower, upper)
    return Clipping(Kind.OTHER)


def _weights(case: SolverCase) -> Iterator[tuple[Kind, Array]]:
    """What every state holds of what is used in place of every answer, by what is used in its place.

    Of steps that take the noise from the answer as it was, only the data know of it: a state holds the weight of its signal of
    them, and what the states before held of theirs goes on as the state does.
    """
    response = case.response
    yield Kind.CLIPPED, response.answers[1:]
    if memory(response) == 0 and (response.start[:-1] != 0).all():
        kept = np.eye(response.queries)  # of a state, in those that follow
        kept[:, :-1] = np.tril(response.start[1:, None] / response.start[None, 1:-1])
        yield Kind.DATA_ONLY, kept * response.alpha[None, 1:]
