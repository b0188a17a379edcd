r"""What a formula says: the tree worked out over a process, in numbers or in letters.

The states are free letters, one coordinate of them, and everything that depends on them is said through them. Given the true
data, the noise of :math:`x_t` is :math:`\epsilon = (x_t - a_t x_0) / s_t`; what a network predicts is said through its noise
:math:`\hat\epsilon`, a free letter:

.. math::

    \hat x_0 = \frac{x_t - s_t \hat\epsilon}{a_t}, \qquad
    s_\theta = -\frac{\hat\epsilon}{s_t}, \qquad
    v_\theta = a_t \hat\epsilon - s_t \hat x_0, \qquad
    \mu_\theta = \mathbb{E}[x_s \mid x_t, \hat x_0] .

Authors do not always tell a prediction from what is predicted, so a formula has several *modes*: ``plain``, as it is written;
``optimal``, where :math:`\hat\epsilon = -s_t \nabla \log p(x_t)`; ``unified``, where the predicted noise is the true one;
``gaussian``, where the page supposes a normal law of the data and the score is known. Isotropic
covariances are their variance, a norm is that of one coordinate: what holds for one holds for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .algebra import POSITIVE, REAL, Algebra, Value
from .known import Known
from .linear import Linear
from .process import FLOWS, UPWARD, Process
from .times import Times
from .tokens import NotUnderstoodError
from .tree import Letter, Node

Key = tuple[Any, ...]

MODES = ("plain", "optimal", "unified", "gaussian")

TIES = ("marginal", "transition", "free")

STATES = {"x", "X"}

VECTORS = {"x", "E", "S", "noise", "d"}

_NAMES: dict[Key, str] = {}


@dataclass(frozen=True)
class Logs:
    """A density, by its logarithm: what is known in closed form, and joint densities with their powers.

    ``parts`` maps a measure and a set of variables to the power of their joint density.
    """

    scalar: Value
    parts: dict[Key, Fraction]

    def plus(self, other: Logs, times: int | Fraction = 1) -> Logs:
        """The product with a power of another density."""
        parts = dict(self.parts)
        for key, power in other.parts.items():
            parts[key] = parts.get(key, Fraction(0)) + times * power
        return Logs(self.scalar + times * other.scalar, {key: power for key, power in parts.items() if power})


@dataclass(frozen=True)
class Density(Logs):
    """A density itself; ``Logs`` is its logarithm."""


@dataclass(frozen=True)
class Normal:
    """A normal law, with the letter it is of, if that is said."""

    mean: Value
    variance: Value
    of: Value | None = None


@dataclass
class Reading:
    """One way to read a formula.

    Attributes:
        process: the levels.
        times: which index is which time.
        mode, tie: how predictions and noises are read.
        apart: whether p and q are different measures.
        learned: the letters of densities that are a network's.
        fixed: values of letters in place of free ones.
        unknown: letters that have no meaning here.
        owed: what else must hold for the formula to be right: pairs of values with a few words.
        averaged: whether an expectation was taken whose law is not worked out.
        known: what the page has said.
        seen: the letters that were met.
        data: the mean and the variance of the data, where they are supposed.
        is_linear: whether states and noises are linear forms, not values.
    """

    process: Process
    times: Times
    mode: str = "plain"
    tie: str = "marginal"
    apart: bool = False
    learned: frozenset[str] = frozenset()
    fixed: dict[Key, Value] = field(default_factory=dict)
    unknown: dict[str, Letter] = field(default_factory=dict)
    owed: list[tuple[str, Value, Value]] = field(default_factory=list)
    averaged: bool = False
    known: Known = field(default_factory=Known)
    seen: set[Key] = field(default_factory=set)
    is_linear: bool = False
    data: tuple[Value, Value] | None = None

    @property
    def algebra(self) -> Algebra:
        """Numbers or letters."""
        return self.process.algebra

    @property
    def main(self) -> int:
        """The time that is meant where none is written."""
        return self.times.main

    def number(self, value: int | Fraction) -> Value:
        """A number."""
        return self.algebra.number(Fraction(value))

    def letter(self, key: Key, tex: str, domain: str = REAL) -> Value:
        """A free letter, or what it is fixed to."""
        self.seen.add(key)
        if key in self.fixed:
            return self.fixed[key]
        if self.is_linear and key[0] in VECTORS:
            return Linear({key: self.process.one}, self.process.one * 0)
        name = _NAMES.get(key)
        if name is None:
            name = _NAMES[key] = "_".join(map(str, key))
        return self.algebra.letter(name, tex, domain)

    @contextmanager
    def fixing(self, values: dict[Key, Value]) -> Iterator[None]:
        """With letters fixed for a while."""
        before = dict(self.fixed)
        self.fixed.update(values)
        try:
            yield
        finally:
            self.fixed = before

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """With states and noises as values for a while, not as linear forms."""
        before, self.is_linear = self.is_linear, False
        try:
            yield
        finally:
            self.is_linear = before

    # -- the quantities of the field -------------------------------------------------------------------------------------------

    def state(self, i: int) -> Value:
        """x_i."""
        self.process.touched.add(i)
        name = self.times.names.get(i, str(i))
        return self.letter(("x", i), f"x_{{{name}}}")

    def eps(self, i: int) -> Value:
        """The noise of x_i over the data."""
        return (self.state(i) - self.process.signal(i) * self.state(0)) / self.process.noise(i)

    def transition_noise(self, i: int) -> Value:
        """The noise of x_i over the state before it."""
        carried, added = self.process.carried(i, i - 1), self.process.added(i, i - 1)
        return (self.state(i) - carried * self.state(i - 1)) / self.algebra.sqrt(added)

    def score(self, i: int, given: str = "") -> Value:
        """The score of x_i, with or without a condition."""
        self.seen.add(("score", i, given))
        if self.mode == "unified" and not given:
            return -self.eps(i) / self.process.noise(i)
        if self.mode == "gaussian" and not given and self.data is not None:
            mean, variance = self.data_law(i)
            return -(self.state(i) - mean) / variance
        bar = rf"\mid {given}" if given else ""
        return self.letter(("S", i, given), rf"\nabla\log p(x_{{{self.times.names.get(i, 't')}}}{bar})")

    def data_law(self, i: int) -> tuple[Value, Value]:
        """The mean and the variance of x_i where the data are normal."""
        mean, variance = self.data or (self.number(0), self.number(1))
        return self.process.signal(i) * mean, self.process.signal(i) ** 2 * variance + self.process.noise(i) ** 2

    def predicted_noise(self, i: int, given: str = "") -> Value:
        """The noise that a network predicts at x_i."""
        self.seen.add(("model", i, given))
        if ("E", i, given) in self.fixed:
            return self.fixed["E", i, given]
        if self.mode == "unified" and not given:
            return self.eps(i)
        if self.mode in ("optimal", "gaussian"):
            return -self.process.noise(i) * self.score(i, given)
        mark = f"({given})" if given else ""
        return self.letter(("E", i, given), rf"\epsilon_\theta{mark}")

    def predicted_data(self, i: int, given: str = "") -> Value:
        """The data that a network's noise implies."""
        return (self.state(i) - self.process.noise(i) * self.predicted_noise(i, given)) / self.process.signal(i)

    def velocity(self, i: int, eps: Value, x_0: Value) -> Value:
        """The velocity of Salimans and Ho, or the slope of the path of a flow."""
        if self.process.convention == "signal-up":
            return self.rate("alpha") * x_0 + self.rate("sigma") * eps
        if self.process.convention in FLOWS:
            return x_0 - eps if self.process.convention in UPWARD else eps - x_0
        return self.process.signal(i) * eps - self.process.noise(i) * x_0

    def rate(self, level: str, marks: str = "") -> Value:
        """The rate of the signal, alpha, or of the noise, sigma: one falls where the other rises."""
        falls = (level == "alpha") != (self.process.convention in UPWARD)
        found = self.letter(("rate", level, marks), rf"\dot\{level}", POSITIVE)
        return -found if falls else found

    # -- densities ---------------------------------------------------------------------------------------------------------------

    def flat(self, logs: Value | Logs) -> Value:
        """A log-density as a value: kernels of the chain in closed form, what is left as letters."""
        if not isinstance(logs, Logs):
            return logs
        total = logs.scalar
        for key, power in canonical(logs).items():
            total = total + self.number(power) * self.part(key)
        return total

    def part(self, key: Key) -> Value:
        """The log of a joint density."""
        measure, variables = key
        if not variables:
            return self.number(0)
        if measure == "q" and len(variables) == 2 and all(one[0] == "x" for one in variables):
            low, high = sorted(one[1] for one in variables)
            return self.part((measure, frozenset({("x", low)}))) + self.kernel(low, high)
        self.seen.add(("L", measure, variables))
        name = "_".join(f"{one[0]}{one[1]}" for one in sorted(variables, key=str))
        return self.letter(("L", measure, name), rf"\log {measure}({name})")

    def kernel(self, low: int, high: int) -> Value:
        """log q(x_high | x_low)."""
        mean = self.process.carried(high, low) * self.state(low)
        return log_normal(self, self.state(high), Normal(mean, self.process.added(high, low)))

    def slope_of(self, logs: Logs, name: Key, body: Callable[[], Value | Logs]) -> Value:
        """The derivative of a log-density along one of its variables."""

        def scalar(value: Value) -> Value:
            with self.fixing({name: value}):
                found = body()
                total = found.scalar if isinstance(found, Logs) else found
                for (measure, variables), power in canonical(found).items() if isinstance(found, Logs) else ():
                    if measure == "q" and len(variables) == 2 and all(one[0] == "x" for one in variables):
                        low, high = sorted(one[1] for one in variables)
                        total = total + self.number(power) * self.kernel(low, high)
                return total

        total = self.algebra.slope(scalar, self._current(name), "along")
        for (measure, variables), power in canonical(logs).items():
            alone = variables
            if measure == "q" and len(variables) == 2 and all(one[0] == "x" for one in variables):
                alone = frozenset({min(variables, key=lambda one: one[1])})
            if name in alone:
                total = total + self.number(power) * self.slope_of_part(measure, alone, name)
        return total

    def _current(self, name: Key) -> Value:
        return self.state(name[1]) if name[0] == "x" else self.letter(name, str(name[-1]))

    def slope_of_part(self, measure: str, variables: frozenset[Key], name: Key) -> Value:
        """The derivative of the log of a joint density along one of its variables: a score."""
        others = sorted(str(one[1]) for one in variables if one != name)
        if name[0] == "x" and not any(one[0] == "x" for one in variables if one != name):
            return self.score(name[1], ",".join(others))
        return self.letter(("dL", measure, str(name), ",".join(others)), rf"\nabla\log {measure}")


def log_normal(reading: Reading, x: Value, law: Normal) -> Value:
    """The log of a normal density at a point."""
    two, pi = reading.number(2), reading.letter(("pi",), r"\pi", POSITIVE)
    return -((x - law.mean) ** 2) / (two * law.variance) - reading.algebra.log(two * pi * law.variance) / two


def canonical(logs: Logs) -> dict[Key, Fraction]:
    """The parts with every chain taken apart into neighbours: q(a, b, c) = q(a, b) q(b, c) / q(b)."""
    found: dict[Key, Fraction] = {}

    def add(measure: str, variables: frozenset[Key], power: Fraction) -> None:
        key = measure, variables
        found[key] = found.get(key, Fraction(0)) + power

    for (measure, variables), power in logs.parts.items():
        if len(variables) < 3 or any(one[0] != "x" for one in variables):
            add(measure, variables, power)
            continue
        ordered = sorted(variables, key=lambda one: one[1])
        for low, high in itertools.pairwise(ordered):
            add(measure, frozenset({low, high}), power)
        for inner in ordered[1:-1]:
            add(measure, frozenset({inner}), -power)
    return {key: power for key, power in found.items() if power and key[1]}


def refused(node: Node, why: str = "") -> NotUnderstoodError:
    """That a node is not understood."""
    return NotUnderstoodError(type(node).__name__.lower(), node.start, why)
