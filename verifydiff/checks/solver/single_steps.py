r"""Single steps: do they lead between the levels that they are told to lead between?

Taken together, steps can be right where single ones are not: what one does too much the next one does too little. A query that is
told another level than its state's is of that kind, and so is a coefficient of the step before, or after: on even steps these are
the same in the limit, and on steps that are in turn short and twice as long they are of the wrong length. So of the steps around a
level the one is looked at that is the farthest off

.. math::
    1 - a_k = h_k + \frac{c_k^2}{2 \sigma^2}, \qquad \sum_j b_{kj} = h_k + \frac{c_k^2}{2 \sigma^2},

over their mean length. Its limit is 0 if every step becomes one of the equation (:mod:`.rates`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...observe.response import Response
from ...schedule import Array
from ...verdict import Finding, Status
from .case import SolverCase
from .rates import TOGETHER, Steps, asked, between, limit, places, steps_of

UNEVEN_STEPS = (20, 40, 80)
"""Numbers of steps of changing length: what is off there is off by a half, and needs no finer ones."""
WITHIN = 0.2
"""How far the farthest of the steps may be off, as a share of their mean length: a neighbour's length makes a third or more."""
STAYS = 0.7
"""What is off for good stays when steps are halved, and what comes of their length falls to half of itself."""
TRUSTED = 2.0
"""It is off where it is by so many times what is not known of it, beyond what it may be."""
SHORT_AND_LONG = "on steps that are in turn short and twice as long, "


def single_steps(case: SolverCase, grids: list[Response], missed: bool, explained: bool) -> Finding | None:
    """A failure where single steps stay off what their own lengths and noise ask for.

    Args:
        case: the solver.
        grids: its responses on ever more even steps.
        missed: whether its states miss the levels that they are meant at. Where none does, and a tends to 1, single steps are
            right on any grid, and nothing more is run to see it.
        explained: whether a failure has been found that this one comes with.
    """
    finding = _judged(grids, "", explained) if missed else None
    if finding is None and case.target.on_uneven_grid is not None and (missed or case.knows_uneven(UNEVEN_STEPS)):
        finding = _judged([case.on_uneven(steps) for steps in UNEVEN_STEPS], SHORT_AND_LONG, explained)
    return finding


def _judged(grids: list[Response], which: str, explained: bool) -> Finding | None:
    if not all(response.affine for response in grids):
        return None
    where, queries = places(grids), [response.queries for response in grids]
    seen = [_largest(steps_of(response), where) for response in grids]
    off = limit(seen, queries)
    unknown = np.abs(off - limit(seen[1:], queries[1:]))
    with np.errstate(invalid="ignore"):
        wrong = (off - TRUSTED * unknown > WITHIN) & (seen[-1] >= STAYS * seen[-2]) & (seen[-2] >= STAYS * seen[-3])
    runs = np.flatnonzero(wrong[1:] & wrong[:-1])
    if not runs.size:
        return None
    k = int(runs[np.argmax(off[runs])])
    finest = steps_of(grids[-1])
    by_length = _by_length(finest, float(where[k])) if which else _one_step(finest, float(where[k]))
    message = f"{which}coefficients do not belong to the levels that their steps lead between: {by_length}"
    if not explained:
        message += f" at sigma/alpha = {np.exp(-where[k]):.3g}, and so at {int(wrong.sum())} of {where.size} levels"
    return Finding("consistency", Status.FAIL, f"{message}.", float(off[k]), 0.0, WITHIN, details={"off": off.tolist()})


def _due(steps: Steps) -> tuple[Array, Array]:
    """What is lost of the state and taken of the predictions in every step, by its length and its noise."""
    (kept, predicted), (kept_by_noise, predicted_by_noise) = asked(0), asked(1)
    h, noise = steps.lengths, steps.noise
    return kept * h + (kept_by_noise - kept) * noise, predicted * h + (predicted_by_noise - predicted) * noise


def _off(steps: Steps) -> tuple[Array, Array]:
    """How far (1 - a, sum b) of every step are off that."""
    kept, predicted = _due(steps)
    return np.abs(steps.lost - kept), np.abs(steps.predicted - predicted)


def _largest(steps: Steps, where: Array) -> Array:
    """How far, at most, a single step around each place is off, over their mean length."""
    windows = np.lib.stride_tricks.sliding_window_view(np.maximum(*_off(steps)), TOGETHER).max(axis=1)
    mean = (steps.place[TOGETHER:] - steps.place[:-TOGETHER]) / TOGETHER
    middle = (steps.place[TOGETHER:] + steps.place[:-TOGETHER]) / 2
    with np.errstate(all="ignore"):
        return between(where, middle, windows / np.abs(mean))


def _near(steps: Steps, place: float) -> Any:
    """The steps around a place."""
    return np.asarray(np.argsort(np.abs((steps.place[1:] + steps.place[:-1]) / 2 - place))[:TOGETHER])


def _one_step(steps: Steps, place: float) -> str:
    """The worst of the steps around a place, in numbers."""
    near = _near(steps, place)
    k = int(near[np.argmax(np.nan_to_num(np.maximum(*_off(steps)))[near])])
    return (
        f"from one query to the next log sigma is told to fall by {steps.lengths[k]:.3g}, and 1 - a is {steps.lost[k]:.3g}, "
        f"sum b {steps.predicted[k]:.3g}"
    )


def _by_length(steps: Steps, place: float) -> str:
    """What short and long ones have of what is asked."""
    near = _near(steps, place)
    of_a, of_b = (np.nan_to_num(one[near]).max() for one in _off(steps))
    name, seen, due = ("1 - a", steps.lost, _due(steps)[0]) if of_a > of_b else ("sum b", steps.predicted, _due(steps)[1])
    short = steps.lengths[near] < steps.lengths[near].mean()
    with np.errstate(all="ignore"):
        ratio = seen[near] / due[near]
        ratios = [float(np.nanmedian(ratio[one])) if one.any() else float("nan") for one in (short, ~short)]
    return f"{name} is {ratios[0]:.3g} of what is asked on the short ones and {ratios[1]:.3g} on the long ones"
