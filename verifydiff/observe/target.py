r"""A target: what is observed, in the one form that every adapter brings its library to.

.. code-block:: python

    def sample(denoise, x_init, seed):      # arrays in, array out
        ...
        prediction = denoise(x, t)          # once or more a step
        ...
        return x_0

``x_init`` has shape (batch, d) and stands for x_T; ``t`` is what the sampler believes the time to be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from ..forms.families import Family
from ..schedule import Array, Schedule
from ..verdict import MisuseError

MOST_NUMBERS = 2**20
"""In one state; a batch holds a few hundred of them."""
MOST_AXES = 32


class Prediction(StrEnum):
    """What the model is asked to predict."""

    EPSILON = "epsilon"
    SAMPLE = "sample"
    V_PREDICTION = "v_prediction"


Denoise = Callable[[Any, Any], Any]
Sample = Callable[[Denoise, Any, int], Any]

Draw = Callable[[tuple[int, ...], Callable[[], Any]], Any]
"""``draw(shape, natural)``: standard normal numbers of that shape; ``natural()`` are those the sampler would have drawn."""


class Tap(Protocol):
    """A place where a sampler draws its noise, opened so that the draws can be seen and replaced."""

    def __call__(self, draw: Draw) -> AbstractContextManager[None]:
        """While the context is open, every standard normal draw at this place goes through ``draw``."""
        ...


@dataclass(frozen=True)
class Target:
    """A sampler to observe.

    Its states are handed over with shape ``(batch, *shape)`` and kept here as (batch, d), d the product of ``shape``.

    Attributes:
        name: how reports call it.
        sample: the sampler itself.
        schedule: the levels it claims to use.
        shape: what one state looks like to it.
        taps: the places where it draws noise, as far as they are known.
        family: the family it claims to be, if its kind says so.
        prediction: what its model is asked to predict.
        level: the signal level abar that a told time stands for; ``schedule.at`` where nothing else is said.
        final_level: the level the last step arrives at; 1 is the data.
        steps: the number of steps it was told to take, if it was.
        with_prediction: the same sampler told that its model predicts something else, where that can be said.
        as_shipped: the same sampler in its own precision, where ``sample`` runs it in a wider one.
        tables: named tables of the sampler as it stores them, each beside the value in float64.
        twin: a second implementation of the same step within the target (a batched one, say), and what it is called.
        fractional_times: whether it may ask about times between two indices.
        notes: properties of the chosen method that reports should mention.
    """

    name: str
    sample: Sample
    schedule: Schedule
    shape: tuple[int, ...] = (4,)
    taps: tuple[Tap, ...] = ()
    family: Family | None = None
    prediction: Prediction = Prediction.EPSILON
    level: Callable[[float], float] | None = None
    final_level: float = 1.0
    steps: int | None = None
    with_prediction: Callable[[Prediction], Target] | None = None
    as_shipped: Target | None = None
    tables: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    twin: tuple[str, Target] | None = None
    fractional_times: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        whole = all(isinstance(n, (int, np.integer)) and n >= 1 for n in self.shape)
        if not whole or len(self.shape) > MOST_AXES or math.prod(map(int, self.shape)) > MOST_NUMBERS:
            raise MisuseError(
                f"a state has 1 to {MOST_NUMBERS:,} numbers on at most {MOST_AXES} axes, got the shape {_brief(self.shape)}."
            )

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates of one state."""
        return int(np.prod(self.shape, dtype=int))

    def level_at(self, time: float) -> float:
        """abar at a told time."""
        return float(self.level(time)) if self.level is not None else float(self.schedule.at(time))

    def levels_at(self, times: Array) -> Array:
        """abar at told times."""
        return np.array([self.level_at(time) for time in times])


def _brief(shape: tuple[int, ...]) -> str:
    return str(shape if len(shape) <= 8 else f"({', '.join(map(str, shape[:3]))}, ... on {len(shape)} axes)")
