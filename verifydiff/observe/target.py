r"""A target: what is observed, in the one form that every adapter brings its library to.

.. code-block:: python

    def sample(denoise, x_init, seed):      # arrays in, array out
        ...
        prediction = denoise(x, t)          # once or more a step
        ...
        return x_0

``x_init`` has shape (batch, d) and stands for x_T; ``t`` is what the sampler believes the time to be. An adapter that can read
off its library which level a query is meant to be at says so by ``denoise(x, t, at=frame)``; else the time alone tells it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from ..forms.claims import Claim, refuse_no_claim
from ..schedule import Array, Schedule, refuse_no_schedule
from ..verdict import MisuseError
from .frame import DATA, Frame

MOST_NUMBERS = 2**20
"""In one state; a batch holds a few hundred of them."""
MOST_AXES = 32


class Prediction(StrEnum):
    """What the model is asked to predict."""

    EPSILON = "epsilon"
    SAMPLE = "sample"
    V_PREDICTION = "v_prediction"
    FLOW_PREDICTION = "flow_prediction"


Denoise = Callable[..., Any]
Sample = Callable[[Denoise, Any, int], Any]

Wording = Callable[[Array, Array, Frame], Array]
"""``wording(x, x0, frame)``: how a model of the library's own kind says, at the state x as it was asked, that the data is x0."""

Draw = Callable[[tuple[int, ...], Callable[[], Any]], Any]
"""``draw(shape, natural)``: standard normal numbers of that shape; ``natural()`` are those the sampler would have drawn."""


class Tap(Protocol):
    """A place where a sampler draws its noise, opened so that the draws can be seen and replaced."""

    def __call__(self, draw: Draw) -> AbstractContextManager[None]:
        """While the context is open, every standard normal draw at this place goes through ``draw``."""
        ...


@dataclass(frozen=True)
class Noising:
    """A way of the library's to mix data and noise at a time: noising for training, a velocity.

    Attributes:
        name: the library's name for it.
        mix: ``mix(x0, eps, time)``, over arrays of the shape (batch, *shape).
        weights: ``weights(time)``: the right weights of x0 and of eps.
        times: the times at which it is asked.
    """

    name: str
    mix: Callable[[Array, Array, float], Array]
    weights: Callable[[float], tuple[float, float]]
    times: tuple[float, ...]


@dataclass(frozen=True)
class Target:
    """A sampler to observe.

    Its states are handed over with shape ``(batch, *shape)`` and kept here as (batch, d), d the product of ``shape``.

    Attributes:
        name: how reports call it.
        sample: the sampler itself.
        schedule: the table of levels that its times are indices of; None where its times are something else.
        shape: what one state looks like to it.
        taps: the places where it draws noise, as far as they are known.
        family: what it claims to be, a family by its closed form or a solver by its order, if its kind says so.
        prediction: what its model is asked to predict.
        wording: how its model says what the data is, where that is none of the usual predictions.
        frame: what the state holds at a told time; the variance-preserving one of the schedule's level where nothing else is said.
        end: what the returned state holds; the data where nothing else is said.
        steps: the number of steps it was told to take, if it was.
        with_prediction: the same sampler told that its model predicts something else, where that can be said.
        as_shipped: the same sampler in its own precision, where ``sample`` runs it in a wider one.
        in_half: the same sampler on states in bfloat16, where it is asked to take these.
        tables: named tables of the sampler as it stores them, each beside the value in float64.
        twin: a second implementation of the same step within the target (a batched one, say), and what it is called.
        on_log_grid: ``on_log_grid(n)``: the same method on n steps that are evenly spaced in the logarithm of the noise over the
            signal, between two levels that do not depend on n; where it can be had on such a grid.
        on_uneven_grid: the same, on steps that are in turn short and twice as long: formulas that take all steps for equal, or turn
            their ratio upside down, are right on even ones.
        unrefined: why it can have no such grid, in a clause; empty where nothing is known of that.
        corrects: whether it asks about predicted states that it corrects later; None where nobody knows.
        row_seeded: ``row_seeded(denoise, x_init, seeds)``: the sampler with a seed for each row, where the library offers that.
        noising: named ways from (x0, eps, time) to a noised state or another mixture, each beside its closed form in weights.
        inverse: a sampler back from the data to the noise, that undoes this one.
        fractional_times: whether it may ask about times between two indices.
        inexact: why, by construction, its states are only near the levels that they are meant at or told to be at; empty where
            they have no such excuse.
        notes: properties of the chosen method that reports should mention.
        otherwise: the same sampler over other arrays, which is taken if it raises over these.
        keeps_modules: whether it is known to take no module off those that are loaded, which is then not looked at after every run.
        key: what tells it from all that is not the same sampler, where the same one may come again: what was seen of it once may be
            kept (:mod:`verifydiff.observe.once`).

    Raises:
        MisuseError: if one of these is of another kind, or a state is too large.
    """

    name: str
    sample: Sample
    schedule: Schedule | None
    shape: tuple[int, ...] = (4,)
    taps: tuple[Tap, ...] = ()
    family: Claim | None = None
    prediction: Prediction = Prediction.EPSILON
    wording: Wording | None = None
    frame: Callable[[float], Frame] | None = None
    end: Frame = DATA
    steps: int | None = None
    with_prediction: Callable[[Prediction], Target] | None = None
    as_shipped: Target | None = None
    in_half: Target | None = None
    tables: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    twin: tuple[str, Target] | None = None
    on_log_grid: Callable[[int], Target] | None = None
    on_uneven_grid: Callable[[int], Target] | None = None
    unrefined: str = ""
    corrects: bool | None = None
    row_seeded: Callable[[Denoise, Any, list[int]], Any] | None = None
    noising: tuple[Noising, ...] = ()
    inverse: Target | None = None
    fractional_times: bool = False
    inexact: str = ""
    notes: tuple[str, ...] = ()
    otherwise: Target | None = None
    keeps_modules: bool = False
    key: Hashable | None = None

    def __post_init__(self) -> None:
        refuse_no_schedule(self.schedule)
        refuse_no_claim(self.family)
        try:
            object.__setattr__(self, "prediction", Prediction(self.prediction))
        except ValueError:
            raise MisuseError(f"no prediction is called {str(self.prediction)[:40]!r}: give {', '.join(Prediction)}.") from None
        functions = {"sample": self.sample, "frame": self.frame, "wording": self.wording, "on_log_grid": self.on_log_grid}
        for name, function in functions.items():
            if not (callable(function) or (function is None and name != "sample")):
                raise MisuseError(f"`{name}` must be a function, got {type(function).__name__}.")
        if not isinstance(self.end, Frame):
            raise MisuseError(f"`end` must be a Frame, such as Frame(1.0, 0.0) for the data, got {type(self.end).__name__}.")
        if not isinstance(self.taps, tuple) or not all(map(callable, self.taps)):
            raise MisuseError("`taps` must be a tuple of taps, such as (torch_tap(),).")
        whole = all(isinstance(n, (int, np.integer)) and n >= 1 for n in self.shape)
        if not whole or len(self.shape) > MOST_AXES or math.prod(map(int, self.shape)) > MOST_NUMBERS:
            raise MisuseError(
                f"a state has 1 to {MOST_NUMBERS:,} numbers on at most {MOST_AXES} axes, got the shape {_brief(self.shape)}."
            )

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates of one state."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def final_level(self) -> float:
        """abar of what is returned; 1 is the data."""
        return self.end.level

    def frame_at(self, time: float) -> Frame:
        """What the state holds at a told time."""
        if self.frame is not None:
            return self.frame(time)
        if self.schedule is None:
            raise MisuseError(f"{self.name} has neither a schedule nor a frame: nothing says what its times stand for.")
        return Frame.of_level(float(self.schedule.at(time)))


def _brief(shape: tuple[int, ...]) -> str:
    return str(shape if len(shape) <= 8 else f"({', '.join(map(str, shape[:3]))}, ... on {len(shape)} axes)")
