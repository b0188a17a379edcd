r"""A case: an observation beside what its contract says it should have been.

The expected weights are evaluated from the proved forms at the levels the sampler told its model, each step leading to the
next told level and the last one to the data. How far an observed weight may lie from its expected one is a rounding bound: a
weight f of the levels computed in floating point with unit roundoff u, by any sensible order of operations, is off by a small
multiple of

.. math:: u \Bigl(|f| + \Bigl|\bar\alpha_t \frac{\partial f}{\partial \bar\alpha_t}\Bigr|
          + \Bigl|\bar\alpha_s \frac{\partial f}{\partial \bar\alpha_s}\Bigr|\Bigr),

since an error of u in the tables is the least it must live with: 1 - abar_s loses digits where abar_s is near 1.

The unit is that of double precision, unless the states came in a coarser type, or the weights show that the tables did: then
they miss the closed form at half of the steps or more, and nowhere by more than single precision explains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..forms.families import Family
from ..forms.quantities import abar_s, abar_t
from ..observe import Observation
from ..schedule import Array
from ..slips import Levels
from ..statistics import ErrorRates

RELATIVE = 1e-10
"""What a weight in double precision is compared to, relative."""
ROUNDINGS = 128
"""How many rounding errors of the size above an implementation may make."""
DOUBLE, SINGLE = 2.0**-53, 2.0**-24
"""Unit roundoffs."""


@dataclass(frozen=True)
class Contract:
    """What a sampler claims to be.

    Attributes:
        family: its family; None where it is to be identified.
        steps: how many steps it takes; None where nothing is claimed.
        spacing: how its times are spaced; None where nothing is claimed.
    """

    family: Family | None = None
    steps: int | None = None
    spacing: str | None = None


@dataclass(frozen=True)
class Case:
    """An observation, its contract and the family it is judged as.

    Attributes:
        observation: what was seen.
        contract: what was claimed.
        family: the claimed family, or the identified one.
        rates: the error rates of one statistical test.
    """

    observation: Observation
    contract: Contract
    family: Family
    rates: ErrorRates

    @cached_property
    def levels(self) -> Levels:
        """The levels of the trajectory that was told to the model."""
        return told_levels(self.observation)

    @cached_property
    def expected(self) -> tuple[Array, Array, Array]:
        """(p, q, c): what the closed form says of every step."""
        return self.family.coefficients(self.levels.abar_t, self.levels.abar_s)

    @cached_property
    def unit(self) -> float:
        """The unit roundoff that the weights are judged at."""
        own = self.observation.run.unit
        return max(own, SINGLE) if self._single else own

    @property
    def _single(self) -> bool:
        return in_single_precision(self.observation, self.expected, rounding(self.family, self.levels, SINGLE))

    @cached_property
    def tolerance(self) -> tuple[Array, Array, Array]:
        """How far (p, q, c) may lie from what is expected."""
        relative = RELATIVE if self.unit == DOUBLE else 0.0
        bounds = rounding(self.family, self.levels, self.unit)
        states = state_rounding(self.observation)
        return tuple(relative * np.abs(weight) + bound + states for weight, bound in zip(self.expected, bounds, strict=True))  # type: ignore[return-value]

    def step(self, k: int) -> str:
        """How messages call a step."""
        times = self.observation.times
        end = f"{times[k + 1]:.6g}" if k + 1 < times.size else "data"
        return f"step {k}, t = {times[k]:.6g} -> {end}"


def told_levels(observation: Observation) -> Levels:
    """The trajectory as the sampler told it: every step leads to the next query's time."""
    target, start = observation.target, observation.levels
    end = np.append(start[1:], target.final_level)
    return Levels(
        schedule=target.schedule,
        start=observation.times,
        end=np.append(observation.times[1:], -1.0),
        final=target.final_level,
        told=start,
        abar_t=start,
        abar_s=end,
    )


def in_single_precision(observation: Observation, expected: tuple[Array, ...], bounds: tuple[Array, ...]) -> bool:
    """Whether single precision of the tables explains how far the weights are from ``expected``, and nothing finer does.

    ``bounds`` are those of :func:`rounding` at single precision.
    """
    seen = (observation.x_t, observation.x_0, observation.z)
    states = state_rounding(observation)
    roundings = np.zeros(observation.steps)
    for weight, right, bound in zip(seen, expected, bounds, strict=True):
        known = np.isfinite(weight)
        with np.errstate(all="ignore"):
            share = np.where(known, np.abs(weight - right) / np.maximum(bound + states, SINGLE**2), 0.0)
        roundings = np.maximum(roundings, np.nan_to_num(share, nan=np.inf))
    return bool(roundings.max() <= 1 and np.median(roundings) >= 0.02 / ROUNDINGS)


def state_rounding(observation: Observation) -> Array:
    """What rounding the states themselves does to the weights, where they come in less than double precision."""
    unit = observation.run.unit
    return np.asarray(
        ROUNDINGS * unit * (1 + 1 / np.sqrt(1 - observation.levels)) if unit > DOUBLE else np.zeros(observation.steps)
    )


def rounding(family: Family, levels: Levels, unit: float) -> tuple[Array, Array, Array]:
    """The rounding bound of (p, q, c), each of shape (N,)."""
    told = levels.told
    writing = family.writings[0]

    def weights(t: Array, s: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.stack([np.broadcast_to(w, told.shape) for w in writing.evaluate({abar_t: t, abar_s: s}, "eps")])

    bounds = sum_of_sensitivities(weights, levels.abar_t, levels.abar_s)
    with np.errstate(all="ignore"):
        a, b, c = (ROUNDINGS * unit * np.nan_to_num(bound, nan=0.0, posinf=0.0) for bound in bounds)
        b = b / np.sqrt(1 - told)
        return a + b, b * np.sqrt(told), c


def sum_of_sensitivities(f: Callable[[Array, Array], Array], t: Array, s: Array) -> Array:
    """|f| + |t df/dt| + |s df/ds| by differences; a level of exactly 1 is exact."""
    dt = 1e-6 * np.minimum(t, 1 - t)
    ds = 1e-6 * np.minimum(s, 1 - s)
    with np.errstate(all="ignore"):
        here = f(t, s)
        by_t = np.where(dt > 0, np.abs(f(t - dt, s) - here) * t / np.where(dt > 0, dt, 1), 0)
        by_s = np.where(ds > 0, np.abs(f(t, s + ds) - here) * s / np.where(ds > 0, ds, 1), 0)
    return np.asarray(np.abs(here) + by_t + by_s)
