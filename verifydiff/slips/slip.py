r"""A slip: a named mistake that people make, as an operation.

There are three kinds. A *form slip* rewrites the equations of a step: a lost root, a lost bar, a sign. A *level slip* leaves the
equations alone and feeds them the wrong levels: an index off by one, a stride by division, another schedule. A *noise slip* has
right weights and wrong noise: stale, shared, not normal. The first two predict the weights (p, q, c) of every step, so that an
observed sampler can be held against them; applied to right code, all three make mutants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from ..forms import forward
from ..forms.families import Family, Writing, x_hat
from ..forms.quantities import LEVEL, PROPER_FRACTION, Quantity, abar_s, abar_t
from ..schedule import Array, Schedule

alpha_of_t = Quantity("alpha_of_t", r"\alpha_{[t]}", PROPER_FRACTION, meaning="the entry alphas[t] of the table, of a single step")
alpha_of_s = Quantity("alpha_of_s", r"\alpha_{[s]}", LEVEL, meaning="the entry alphas[s] of the table, of a single step")


@dataclass(frozen=True)
class Levels:
    """The levels of a trajectory of N steps.

    Attributes:
        schedule: the table.
        start: (N,): array index each step starts from.
        end: (N,): array index each step leads to; -1 is the data.
        final: the level of the last step's end.
        told: (N,): abar at the times that were told to the model.
        abar_t, abar_s: (N,): the levels the equations are fed.
    """

    schedule: Schedule
    start: Array
    end: Array
    final: float
    told: Array
    abar_t: Array
    abar_s: Array

    @property
    def steps(self) -> int:
        """N."""
        return int(self.start.size)

    def at(self, index: Array) -> Array:
        """abar at array indices; indices beyond the noisy end stay there, those before the data are the data."""
        return self.schedule.at(np.clip(index, -1, self.schedule.timesteps - 1))

    def fed(self, abar_t: Array, abar_s: Array) -> Levels:
        """The same trajectory with other levels fed to the equations."""
        return replace(self, abar_t=abar_t, abar_s=abar_s)

    @cached_property
    def values(self) -> dict[sympy.Symbol, Array]:
        """A value for every letter that an equation, right or slipped, may use."""
        return {
            abar_t: self.abar_t,
            abar_s: self.abar_s,
            alpha_of_t: self.at(self.start) / self.at(self.start - 1),
            alpha_of_s: self.at(self.end) / self.at(self.end - 1),
        }


@dataclass(frozen=True)
class FormSlip:
    """A mistake in the equations.

    Attributes:
        id: stable kebab-case name.
        description: a clause that completes "the sampler does as if ...": what is done in place of what.
        rewrite: all writings that the mistake can make of a right one; none where there is no place for it.
        by_table: whether it is one with the entries of a table; a sampler whose times are no indices has none.
    """

    id: str
    description: str
    rewrite: Callable[[Writing], Iterator[Writing]]
    by_table: bool = False

    def variants(self, family: Family) -> Iterator[Writing]:
        """Every distinct slipped writing of the family's step."""
        for writing in family.writings:
            for variant in self.rewrite(writing):
                if variant.equations != writing.equations:
                    yield variant


@dataclass(frozen=True)
class LevelSlip:
    """A mistake in the levels.

    Attributes:
        id, description: as of a form slip.
        shift: every set of levels that the mistake can feed to the equations; none where there is no place for it.
        by_table: whether it is one with the entries of a table; a sampler whose times are no indices has none.
    """

    id: str
    description: str
    shift: Callable[[Levels], Iterable[Levels]]
    by_table: bool = True


@dataclass(frozen=True)
class NoiseSlip:
    """A mistake in the noise; the check named ``shows_in`` finds it.

    Attributes:
        id, description: as of a form slip.
        shows_in: the id of the test whose failure is this slip's signature.
    """

    id: str
    description: str
    shows_in: str


Slip = FormSlip | LevelSlip | NoiseSlip


def slipped(slip: FormSlip | LevelSlip, family: Family, levels: Levels) -> Iterator[tuple[Array, Array, Array]]:
    """(p, q, c) of every way in which the family's step can suffer the slip, each of shape (N,).

    The model answers at the told level whatever the equations are fed, so p and q are taken over x_0 at the told level.
    """
    if isinstance(slip, LevelSlip):
        for fed in slip.shift(levels):
            yield weights(family.writings[0], fed, silent=family.silent_end)
        return
    for variant in slip.variants(family):
        yield weights(variant, levels, silent=family.silent_end)


def weights(writing: Writing, levels: Levels, *, silent: bool) -> tuple[Array, Array, Array]:
    """(p, q, c) of the writing's steps, with x_0 as the model means it at the told level."""
    told, shape = levels.told, levels.told.shape
    with np.errstate(all="ignore"):
        if np.array_equal(levels.abar_t, told) and _keeps_x0(writing):
            p, q, c = (_array(w, shape) for w in writing.evaluate(levels.values))
        else:
            a, b, c = (_array(w, shape) for w in writing.evaluate(levels.values, "eps"))
            p, q = a + b / np.sqrt(1 - told), -b * np.sqrt(told) / np.sqrt(1 - told)
    if silent:
        c = np.where(levels.end == -1, 0.0, c)
    return p, q, c


def _keeps_x0(writing: Writing) -> bool:
    """Whether the prediction of the data in the writing is the true one, so that p and q may be taken over it."""
    right = forward.x0_from_eps.expression
    return bool(dict(writing.equations).get(x_hat, right) == right)


def _array(value: Any, shape: tuple[int, ...]) -> Array:
    value = np.asarray(value)
    real = np.where(np.abs(value.imag) > 0, np.nan, value.real) if np.iscomplexobj(value) else value
    return np.broadcast_to(real, shape).astype(np.float64)
