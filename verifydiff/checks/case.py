r"""A case: an observation beside what its contract says it should have been.

The expected weights are evaluated from the proved forms at the levels the sampler told its model, each step leading to the
next told level and the last one to the data. How far an observed weight may lie from its expected one is a rounding bound: a
weight f of the levels computed in floating point with unit roundoff u, by any sensible order of operations, is off by a small
multiple of

.. math:: u \Bigl(|f| + \Bigl|\bar\alpha_t \frac{\partial f}{\partial \bar\alpha_t}\Bigr|
          + \Bigl|\bar\alpha_s \frac{\partial f}{\partial \bar\alpha_s}\Bigr|\Bigr),

since an error of u in the tables is the least it must live with: 1 - abar_s loses digits where abar_s is near 1.

The unit is that of double precision, unless the states came in a coarser type, or the weights show that the tables did: then at
a quarter of the steps or more they miss the closed form, by no more than single precision explains. For that a sharper bound
serves (:func:`of_a_product`), so that a wrong table is not taken for a rounded one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..forms.claims import Claim, refuse_no_claim
from ..forms.families import Family, Writing
from ..forms.quantities import abar_s, abar_t
from ..observe import Observation
from ..schedule import Array
from ..slips import Levels
from ..statistics import ErrorRates

RELATIVE = 1e-10
"""What a weight in double precision is compared to, relative."""
ROUNDINGS = 128
"""How many rounding errors of the size above an implementation may make."""
SINGLE_ROUNDINGS = 6
"""And how many of those that :func:`of_a_product` knows, in less than double precision."""
ENOUGH = 0.5
"""The share of the steps that rounding has to explain, for the tables to be in single precision."""
LEAST_SHARE = 2e-4
"""Rounding in single precision is not believed to be smaller than this share of its bound, at a quarter of these steps."""
DOUBLE, SINGLE = 2.0**-53, 2.0**-24
"""Unit roundoffs."""


@dataclass(frozen=True)
class Contract:
    """What a sampler claims to be.

    Attributes:
        family: its family, or the solver it is; None where it is to be identified.
        steps: how many steps it takes; None where nothing is claimed.
        spacing: how its times are spaced; None where nothing is claimed.
        order: the order in which it converges; None where nothing is claimed.
        converge: whether a solver is asked for finer steps, which takes most of the time.

    Raises:
        MisuseError: if the family is none.
    """

    family: Claim | None = None
    steps: int | None = None
    spacing: str | None = None
    order: int | None = None
    converge: bool = True

    def __post_init__(self) -> None:
        refuse_no_claim(self.family)


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
        return max(own, SINGLE) if in_single_precision(self.observation, self.family, self.expected, ENOUGH) else own

    @cached_property
    def tolerance(self) -> tuple[Array, Array, Array]:
        """How far (p, q, c) may lie from what is expected."""
        bounds = rounding(self.family, self.levels, self.unit)
        resolution = self.observation.resolution
        states = state_rounding(self.observation)
        relative = RELATIVE if self.unit == DOUBLE else 0.0
        p, q, c = (
            relative * np.abs(weight) + bound + fine + states
            for weight, bound, fine in zip(self.expected, bounds, (*resolution[:2], np.zeros(1)), strict=True)
        )
        return p, q, c

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
        schedule=observation.schedule,
        start=observation.indices,
        end=np.append(observation.indices[1:], -1.0),
        final=target.final_level,
        told=start,
        abar_t=start,
        abar_s=end,
    )


def in_single_precision(observation: Observation, family: Family, expected: tuple[Array, ...], least: float = 1.0) -> bool:
    """Whether tables in single precision explain how far the weights are from ``expected``, and nothing finer does.

    Args:
        observation: what was seen.
        family: the family.
        expected: (p, q, c), each of shape (N,).
        least: at what share of the steps they have to; what is wrong at a few leaves the others as rounded as they are.
    """
    bounds = rounding(family, told_levels(observation), max(SINGLE, observation.run.unit))
    states = state_rounding(observation)
    share = np.zeros(observation.steps)
    for weight, right, bound in zip((observation.x_t, observation.x_0, observation.z), expected, bounds, strict=True):
        with np.errstate(all="ignore"):
            one = np.where(np.isfinite(weight), np.abs(weight - right) / np.maximum(bound + states, SINGLE**2), 0.0)
        share = np.maximum(share, np.nan_to_num(one, nan=np.inf))
    explained = share <= 1
    return bool(explained.mean() >= least and (observation.run.unit > DOUBLE or np.quantile(share[explained], 0.75) >= LEAST_SHARE))


def state_rounding(observation: Observation) -> Array:
    """What rounding the states themselves does to the weights, where they come in less than double precision."""
    unit = observation.run.unit
    with np.errstate(divide="ignore"):
        size = ROUNDINGS * unit * (1 + 1 / np.sqrt(1 - observation.levels))
    return np.asarray(size if unit > DOUBLE else np.zeros(observation.steps))


def rounding(family: Family, levels: Levels, unit: float) -> tuple[Array, Array, Array]:
    """The rounding bound of (p, q, c), each of shape (N,)."""
    told, writing = levels.told, family.writings[0]

    def weights(t: Array, s: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.stack([np.broadcast_to(w, told.shape) for w in writing.evaluate({abar_t: t, abar_s: s}, "eps")])

    with np.errstate(all="ignore"):
        if unit == DOUBLE:
            bounds = ROUNDINGS * unit * sum_of_sensitivities(weights, levels.abar_t, levels.abar_s)
        else:
            bounds = unit * of_a_product(weights, levels)
        bounds = bounds + np.stack(cancellation(writing, levels, unit))
        a, b, c = np.nan_to_num(bounds, nan=0.0, posinf=0.0)
        b = np.nan_to_num(b / np.sqrt(1 - told), posinf=0.0)
        return a + b, b * np.sqrt(told), c


def of_a_product(f: Callable[[Array, Array], Array], levels: Levels) -> Array:
    r"""The bound for levels that are a product of rounded alphas, over the unit.

    With alphas of error u each, :math:`\alpha = 1 - \beta` has the relative error :math:`u / \alpha`, and the product up to t
    has :math:`u \sqrt{\sum_{i \le t} \alpha_i^{-2}}`, as errors of either sign add up. So a step's two levels move
    together, by that, and apart, by the error of the alpha between them alone: that is what makes errors of rounding small
    where 1 - abar is, and what tells them from a wrong table.
    """
    t, s = levels.abar_t, levels.abar_s
    together = np.sqrt(np.cumsum(np.append(0.0, 1 / np.maximum(levels.schedule.alphas, 1e-3) ** 2)))
    product = np.interp(levels.start + 1, np.arange(together.size), together)
    kept = np.maximum(t / s, 1e-3)
    here = f(t, s)
    dt, ds = 1e-6 * np.minimum(t, 1 - t), 1e-6 * np.minimum(s, 1 - s)
    step = np.where(ds > 0, np.minimum(dt / t, ds / s), dt / t)  # relative, of both levels at once
    apart = np.abs(f(t - dt, s) - here) * np.where(dt > 0, t / np.where(dt > 0, dt, 1), 0)
    moved = np.where(ds > 0, np.abs(f(t * (1 - step), s * (1 - step)) - here) / np.where(step > 0, step, 1), apart)
    return np.asarray(SINGLE_ROUNDINGS * (np.abs(here) + apart / kept + moved * product))


def cancellation(writing: Writing, levels: Levels, unit: float) -> list[Array]:
    r"""What the rounding of a radicand does to (a, b, c): half of its error over its root, or the root of the error near 0."""
    values = {abar_t: levels.abar_t, abar_s: levels.abar_s}
    total = []
    for roots in writing.cancellations(values):
        bound = np.zeros(levels.told.shape)
        for slope, root, size in roots:
            error = 4 * unit * np.abs(size)
            with np.errstate(all="ignore"):
                bound = bound + np.abs(slope) * np.minimum(error / (2 * np.abs(root)), np.sqrt(error))
        total.append(np.nan_to_num(bound, posinf=0.0))
    return total


def sum_of_sensitivities(f: Callable[[Array, Array], Array], t: Array, s: Array) -> Array:
    """|f| + |t df/dt| + |s df/ds| by differences; a level of exactly 1 is exact."""
    dt = 1e-6 * np.minimum(t, 1 - t)
    ds = 1e-6 * np.minimum(s, 1 - s)
    with np.errstate(all="ignore"):
        here = f(t, s)
        by_t = np.where(dt > 0, np.abs(f(t - dt, s) - here) * t / np.where(dt > 0, dt, 1), 0)
        by_s = np.where(ds > 0, np.abs(f(t, s + ds) - here) * s / np.where(ds > 0, ds, 1), 0)
    return np.asarray(np.abs(here) + by_t + by_s)
