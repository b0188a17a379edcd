"""Is it one of the methods that remember predictions, known by their weights, or one of them with a mistake in it?

Every state that the sampler reaches is a row of weights: of x_T, of the predictions, of the draws. A method says how the row of a
step follows from the rows before. It is that method if every row does, but for those of steps of lower order, which all of these
methods take at their ends; and if most rows do not follow by such steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...forms.multistep import MULTISTEP, Levels, Method, Weights
from ...observe.probe import FINE
from ...observe.response import Response
from ...schedule import Array, Mask
from ...slips import MULTISTEP_SLIPS, MultistepSlip, mistaken
from ...verdict import Finding, Status
from ..diagnosis import Explanation
from .kind import NOTHING, memory, stages

Steps = np.ndarray[Any, np.dtype[np.intp]]
FEWEST = 3
"""Steps of the highest order at least, for a method to be seen in them."""
CLOSE = 2.0**23
"""How many roundings a row may be off: 1e-9 in double precision. Near the data 1 - abar has lost some digits. What is this close to
the method as it should be is that method, be it closer still to one with a mistake."""
CLOSE_IN_SINGLE = 2.0**10
"""The same in single precision: 6e-5."""
SPANNED = 100 * NOTHING
"""What the predictions of a step may leave of its row, for weights of them to be looked for."""


@dataclass(frozen=True)
class Seen:
    """A method that was seen at work.

    Attributes:
        method: the method.
        slip: the mistake that is in it; None for the method as it should be.
        residual: how far any row is off, over its largest weight or 1.
        bound: how far it may be.
        highest: (N,): the steps of the highest order; the others are of a lower one.
    """

    method: Method
    slip: MultistepSlip | None
    residual: float
    bound: float
    highest: Mask

    def __str__(self) -> str:
        return self.method.title if self.slip is None else f"{self.method.title} with a mistake"


def seen_in(response: Response) -> Seen | None:
    """The method that a response shows; one with a mistake only where it shows none without."""
    if response.queries <= FEWEST or response.hidden or not response.affine or stages(response) or response.unit > FINE:
        return None
    back, rows = memory(response), Rows(response)
    for method in MULTISTEP:
        if method.memory == back and (seen := _as(rows, method, method, None)):
            return seen
    near = [method for method in MULTISTEP if method.memory in (back, back - 1) and rows.spanned(method, back)]
    for slip in MULTISTEP_SLIPS:
        for method in near:
            wrong = mistaken(method, slip)
            if wrong is not None and wrong.memory == back and (seen := _as(rows, wrong, method, slip)):
                return seen
    return None


def coefficients(seen: Seen | None, claimed: int | None) -> Iterator[Finding]:
    """Are the weights of every step those of the method that it is?

    Args:
        seen: that method, perhaps with a mistake in it.
        claimed: the order that was claimed of it. Of the first order any extrapolation is, and may be meant.
    """
    if seen is None:
        return
    ends = np.flatnonzero(~seen.highest)
    lower = f"; of lower order {'are the steps' if ends.size > 1 else 'is step'} {', '.join(map(str, ends))}"
    if seen.slip is None:
        message = f"every step is one of {seen.method.title} (off by at most {seen.residual:.1g}){lower if ends.size else ''}."
        yield Finding("coefficients", Status.PASS, message, seen.residual, 0.0, seen.bound)
        return
    message = f"every step of the highest order is one of {seen.method.title} in which {seen.slip.description}"
    if claimed == 1:
        message += "; the first order, which is claimed, leaves it that freedom"
    status = Status.NOTE if claimed == 1 else Status.FAIL
    yield Finding("coefficients", status, f"{message}.", seen.residual, 0.0, seen.bound, details={"slip": seen.slip.id})


def explanations(seen: Seen | None, claimed: int | None) -> tuple[Explanation, ...]:
    """The mistake, as a diagnosis."""
    if seen is None or seen.slip is None or claimed == 1:
        return ()
    return (Explanation(seen.slip.id, seen.slip.description, seen.residual, seen.method.title),)


class Rows:
    """The rows of weights of a response: of its states, and of its predictions of the data and of the noise."""

    def __init__(self, response: Response) -> None:
        self.queries, single = response.queries, response.unit >= FINE
        near_the_data = FINE / np.maximum(response.sigma[:-1] ** 2, FINE)  # what 1 - abar loses there
        bound = FINE * CLOSE_IN_SINGLE + 4 * near_the_data if single else np.full(self.queries, CLOSE * response.unit)
        self.bound = np.asarray(bound)
        self.levels = Levels(response.alpha, response.sigma)
        self.states = np.column_stack([response.start, response.answers, response.draws])
        self.size = np.maximum(1.0, np.abs(self.states[1:, : 1 + self.queries]).max(axis=1))

    @cached_property
    def predictions(self) -> dict[str, Array]:
        """(N, 1 + N + M) each: those of the data, which are the answers, and those that follow from them."""
        rows, columns = self.states[:-1].shape
        data = np.eye(rows, columns, 1)
        alpha, sigma = self.levels.alpha[:-1, None], self.levels.sigma[:-1, None]
        with np.errstate(all="ignore"):
            noise = (self.states[:-1] - alpha * data) / sigma
        return {"data": data, "noise": noise, "velocity": noise - data}

    @cached_property
    def middle(self) -> Steps:
        """Two steps of which a method takes one at its highest order at least, where it takes half of all so, in a row."""
        return np.array([(self.queries - 1) // 2, self.queries // 2])

    def off(self, weights: Weights, steps: Steps) -> Array:
        """How far the rows that these steps reach are off what the weights make of the rows before."""
        left = self.states[steps + 1] - weights.state[:, None] * self.states[steps]
        given = self.predictions[weights.kind]
        with np.errstate(all="ignore"):
            for j, weight in enumerate(weights.predictions):
                left = left - np.where(steps >= j, weight, np.nan)[:, None] * given[steps - j]
        return self._sizes(left, weights.noise, steps)

    def spanned(self, method: Method, back: int) -> bool:
        """Whether this many predictions, of what it remembers, make up what its weight of the state leaves of a step."""
        steps = self.middle
        if steps[0] < back:
            return False
        weights = method.weights(self.levels, steps)
        left = self.states[steps + 1] - weights.state[:, None] * self.states[steps]
        given = self.predictions[weights.kind]
        with np.errstate(all="ignore"):
            for j in range(back + 1):
                asked = 1 + steps - j  # the answer that no older prediction knows
                pivot = given[steps - j, asked]
                left = left - (left[np.arange(steps.size), asked] / pivot)[:, None] * given[steps - j]
        return bool((self._sizes(left, weights.noise, steps) <= np.maximum(SPANNED, self.bound[steps])).any())

    def _sizes(self, left: Array, noise: Array, steps: Steps) -> Array:
        known = np.abs(left[:, : 1 + self.queries]).max(axis=1)
        fresh = np.abs(np.linalg.norm(left[:, 1 + self.queries :], axis=1) - noise)
        return np.asarray(np.nan_to_num(np.maximum(known, fresh) / self.size[steps], nan=np.inf))


ON_THE_DATA = Weights(np.zeros(1), np.ones((1, 1)), np.zeros(1), kind="data")
"""A last step onto the data may be their prediction, whatever the method."""


def _as(rows: Rows, shown: Method, method: Method, slip: MultistepSlip | None) -> Seen | None:
    if not (rows.off(shown.weights(rows.levels, rows.middle), rows.middle) <= rows.bound[rows.middle]).any():
        return None
    steps = np.arange(rows.queries)
    highest = rows.off(shown.weights(rows.levels, steps), steps)
    lower = np.min([rows.off(one.weights(rows.levels, steps), steps) for one in shown.lower], axis=0)
    if rows.levels.sigma[-1] == 0:
        lower[-1:] = np.minimum(lower[-1:], rows.off(ON_THE_DATA, steps[-1:]))
    by_highest = (highest <= rows.bound) & (lower > rows.bound)
    within = np.flatnonzero(by_highest)
    fewest = max(FEWEST, rows.queries / 2)
    if within.size < fewest or (np.diff(within) > 1).any() or not ((lower <= rows.bound) | by_highest).all():
        return None
    return Seen(method, slip, float(np.where(by_highest, highest, lower).max()), float(rows.bound.max()), by_highest)
