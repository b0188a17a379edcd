"""Is it one of the methods that remember one prediction, known by their weights, or one of them with a mistake in it?

Every state that the sampler reaches is a row of weights: of x_T, of the predictions, of the draws. A method says how the row of a
step follows from the two rows before. It is that method if every row does, but for those of first-order steps, which all of these
methods take at their ends; and if most rows do not follow by first-order steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...forms.two_step import TWO_STEP, TwoStep
from ...observe.response import Response
from ...schedule import Array, Mask
from ...slips import MULTISTEP_SLIPS, MultistepSlip
from ...verdict import Finding, Status
from ..diagnosis import EXPLAINS, Explanation
from .kind import memory, stages

FEWEST = 3
"""Steps of the second order at least, for a method to be seen in them."""
CLOSE = 2.0**23
"""How many roundings a row may be off: 1e-9 in double precision. Near the data 1 - abar has lost some digits. What is this close to
the method as it should be is that method, be it closer still to one with a mistake."""


@dataclass(frozen=True)
class Seen:
    """A method that was seen at work.

    Attributes:
        method: the method.
        slip: the mistake that is in it; None for the method as it should be.
        residual: how far any row is off, over its largest weight or 1.
        bound: how far it may be.
        second: (N,): the steps of the second order; the others are of the first.
    """

    method: TwoStep
    slip: MultistepSlip | None
    residual: float
    bound: float
    second: Mask

    def __str__(self) -> str:
        return self.method.title if self.slip is None else f"{self.method.title} with a mistake"


def seen_in(response: Response) -> Seen | None:
    """The method that a response shows; one with a mistake only where it shows none without."""
    if response.queries <= FEWEST or response.hidden or not response.affine or stages(response) or memory(response) != 1:
        return None
    rows = np.column_stack([response.start, response.answers])
    for slip in (None, *MULTISTEP_SLIPS):
        for method in TWO_STEP:
            if slip is not None and slip.change(method.mean.expression) == method.mean.expression:
                continue
            seen = _as(response, rows, method, slip)
            if seen is not None:
                return seen
    return None


def coefficients(seen: Seen | None) -> Iterator[Finding]:
    """Are the weights of every step those of the method that it is?"""
    if seen is None:
        return
    first = np.flatnonzero(~seen.second)
    ends = f"; of the first order {'are the steps' if first.size > 1 else 'is step'} {', '.join(map(str, first))}"
    if seen.slip is None:
        message = f"every step is one of {seen.method.title} (off by at most {seen.residual:.1g}){ends if first.size else ''}."
        yield Finding("coefficients", Status.PASS, message, seen.residual, 0.0, seen.bound)
        return
    message = f"every step of the second order is one of {seen.method.title} in which {seen.slip.description}."
    yield Finding("coefficients", Status.FAIL, message, seen.residual, 0.0, seen.bound, details={"slip": seen.slip.id})


def explanations(seen: Seen | None) -> tuple[Explanation, ...]:
    """The mistake, as a diagnosis."""
    if seen is None or seen.slip is None:
        return ()
    return (Explanation(seen.slip.id, seen.slip.description, seen.residual, seen.method.title),)


def _as(response: Response, rows: Array, method: TwoStep, slip: MultistepSlip | None) -> Seen | None:
    level, queries = response.alpha**2, response.queries
    weights = method.weights(level[:-2], level[1:-1], level[2:], None if slip is None else slip.change)
    p, q, u, r, c = (np.append(np.nan, one) for one in weights)
    second = _off(response, rows, (p, q, u, r, c))
    zero = np.zeros(queries)
    p, q, c = method.first(level[:-1], level[1:])
    first = _off(response, rows, (p, q, zero, zero, c))
    bound = min(EXPLAINS, CLOSE * response.unit)
    by_second = (second <= bound) & (first > bound)
    within = np.flatnonzero(by_second)
    if within.size < max(FEWEST, queries / 2) or (np.diff(within) > 1).any() or not ((first <= bound) | by_second).all():
        return None
    return Seen(method, slip, float(np.where(by_second, second, first).max()), bound, by_second)


def _off(response: Response, rows: Array, weights: tuple[Array, ...]) -> Array:
    """(N,): how far the row that every step reaches is off what these weights make of the rows before."""
    off = np.empty(response.queries)
    for k, (p, q, u, r, c) in enumerate(zip(*weights, strict=True)):
        made, fresh = p * rows[k], response.draws[k + 1] - p * response.draws[k]
        made[1 + k] += q
        if k and np.isfinite(u):
            made, fresh = made + u * rows[k - 1], fresh - u * response.draws[k - 1]
            made[k] += r
        scale = max(1.0, float(np.abs(rows[k + 1]).max()))
        off[k] = max(np.abs(made - rows[k + 1]).max(), abs(np.linalg.norm(fresh) - c)) / scale
    return np.nan_to_num(off, nan=np.inf)
