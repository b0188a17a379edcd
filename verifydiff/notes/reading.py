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
``optimal``, where :math:`\hat\epsilon = -s_t \nabla \log p(x_t)`; ``unified``, where the predicted noise is the true one. Isotropic
covariances are their variance, a norm is that of one coordinate: what holds for one holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .algebra import FRACTION, POSITIVE, REAL, Algebra, UndefinedError, Value
from .linear import Linear
from .process import NoSuchLetterError, Process
from .times import NoTimeError, Times
from .tokens import NotUnderstoodError
from .tree import (
    Absolute,
    Applied,
    Call,
    Chain,
    Differential,
    Dots,
    Gradient,
    Group,
    Large,
    Letter,
    Listed,
    Mean,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    Span,
    Sum,
    walk,
)

Key = tuple[Any, ...]
MODES = ("plain", "optimal", "unified")
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
        defined: what the page has introduced.
        seen: the letters that were met.
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
    defined: dict[str, Node] = field(default_factory=dict)
    seen: set[Key] = field(default_factory=set)
    is_linear: bool = False

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
        bar = rf"\mid {given}" if given else ""
        return self.letter(("S", i, given), rf"\nabla\log p(x_{{{self.times.names.get(i, 't')}}}{bar})")

    def predicted_noise(self, i: int, given: str = "") -> Value:
        """The noise that a network predicts at x_i."""
        self.seen.add(("model", i, given))
        if ("E", i, given) in self.fixed:
            return self.fixed["E", i, given]
        if self.mode == "unified" and not given:
            return self.eps(i)
        if self.mode == "optimal":
            return -self.process.noise(i) * self.score(i, given)
        mark = f"({given})" if given else ""
        return self.letter(("E", i, given), rf"\epsilon_\theta{mark}")

    def predicted_data(self, i: int, given: str = "") -> Value:
        """The data that a network's noise implies."""
        return (self.state(i) - self.process.noise(i) * self.predicted_noise(i, given)) / self.process.signal(i)

    def velocity(self, i: int, eps: Value, x_0: Value) -> Value:
        """The velocity of Salimans and Ho, or the slope of the straight path."""
        if self.process.convention == "flow":
            return eps - x_0
        return self.process.signal(i) * eps - self.process.noise(i) * x_0

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
        for low, high in zip(ordered, ordered[1:], strict=False):
            add(measure, frozenset({low, high}), power)
        for inner in ordered[1:-1]:
            add(measure, frozenset({inner}), -power)
    return {key: power for key, power in found.items() if power and key[1]}


def refused(node: Node, why: str = "") -> NotUnderstoodError:
    """That a node is not understood."""
    return NotUnderstoodError(type(node).__name__.lower(), node.start, why)


# -- the walk ------------------------------------------------------------


def read(node: Node, reading: Reading) -> Value | Logs | Normal:
    """What a node says.

    Raises:
        NotUnderstoodError: if it says nothing that is known here.
        UndefinedError: if it has no value.
    """
    walker = _WALKS.get(type(node))
    if walker is None:
        raise refused(node)
    try:
        return walker(node, reading)
    except ZeroDivisionError:
        raise UndefinedError("a division by zero") from None
    except OverflowError:
        raise UndefinedError("a number outgrows the limits on size") from None
    except NoSuchLetterError as missing:
        raise NotUnderstoodError(str(missing), node.start, "the convention has no such letter") from None


def value(node: Node, reading: Reading) -> Value:
    """What a node says, as a plain value."""
    found = read(node, reading)
    if isinstance(found, Density):
        return reading.algebra.exp(reading.flat(found))
    if isinstance(found, Logs):
        return reading.flat(found)
    if isinstance(found, Normal):
        raise refused(node, "a law stands where a value is expected")
    return found


def _number(node: Number, reading: Reading) -> Value:
    return reading.algebra.number(node.value)


def _group(node: Group, reading: Reading) -> Any:
    return read(node.body, reading)


def _chain(node: Chain, reading: Reading) -> Any:
    return read(node.sides[0], reading)


def _sum(node: Sum, reading: Reading) -> Value | Logs:
    total: Any = None
    for term in node.terms:
        found = read(term.body, reading)
        if isinstance(found, Density):
            found = reading.algebra.exp(reading.flat(found)) if len(node.terms) > 1 or term.sign < 0 else found
        if isinstance(found, Normal):
            raise refused(term, "a law stands where a value is expected")
        total = _added(total, found, term.sign, reading)
    return total


def _added(total: Any, found: Any, sign: int, reading: Reading) -> Any:
    if total is None and sign > 0:
        return found
    if isinstance(found, Logs) or isinstance(total, Logs):
        zero = Logs(reading.number(0), {})
        one = total if isinstance(total, Logs) else replace(zero, scalar=reading.number(0) if total is None else total)
        other = found if isinstance(found, Logs) else replace(zero, scalar=found)
        return one.plus(other, sign)
    if total is None:
        return -found
    return total + found if sign > 0 else total - found


def _product(node: Product, reading: Reading) -> Value | Logs:
    plain: Value = None
    logs: Logs | None = None
    for factor in _without_ellipsis(node.factors, reading):
        if isinstance(factor, Letter) and factor.base == "I" and not factor.index:
            continue
        found = _as_density(read(factor, reading), reading)
        if isinstance(found, Density):
            logs = found if logs is None else Density(**vars(logs.plus(found)))
        elif isinstance(found, Logs):
            if logs is not None:
                return value_product(node, reading)
            logs = found
        else:
            plain = found if plain is None else plain * found
    if logs is None:
        return reading.number(1) if plain is None else plain
    if plain is None:
        return logs
    return _scaled(logs, plain, reading)


def _without_ellipsis(factors: tuple[Node, ...], reading: Reading) -> list[Node]:
    r"""The factors of alpha_1 alpha_2 ... alpha_t, all of them."""
    found: list[Node] = []
    for place, factor in enumerate(factors):
        if not isinstance(factor, Dots):
            found.append(factor)
            continue
        before, after = (factors[place - 1] if place else None), (factors[place + 1] if place + 1 < len(factors) else None)
        if not (
            isinstance(before, Letter) and isinstance(after, Letter) and before.base == after.base and before.index and after.index
        ):
            raise refused(factor, "an ellipsis that is not spread")
        low, high = sorted((_time(before.index[0], before, reading), _time(after.index[0], after, reading)))
        for inner in range(low + 1, high):
            found.append(replace(before, index=(Number(before.start, before.end, Fraction(inner)),)))
    return found


def value_product(node: Product, reading: Reading) -> Value:
    """A product of several logarithms, as a plain value."""
    total = reading.number(1)
    for factor in node.factors:
        total = total * value(factor, reading)
    return total


def _scaled(logs: Logs, plain: Value, reading: Reading) -> Value | Logs:
    if isinstance(logs, Density):
        return Density(logs.scalar + reading.algebra.log(plain), logs.parts)
    factor = _rational(plain)
    if factor is None:
        return plain * reading.flat(logs)
    return Logs(plain * logs.scalar, {key: factor * power for key, power in logs.parts.items()})


def _rational(plain: Value) -> Fraction | None:
    """A value as a fraction, if it is a simple one."""
    if isinstance(plain, complex):
        near = Fraction(plain.real).limit_denominator(64)
        return near if plain.imag == 0 and abs(float(near) - plain.real) < 1e-15 else None
    return Fraction(int(plain.p), int(plain.q)) if getattr(plain, "is_Rational", False) else None


def _as_density(found: Any, reading: Reading) -> Any:
    if isinstance(found, Normal):
        if found.of is None:
            raise NotUnderstoodError(r"\mathcal{N}", 0, "the density of what is not named")
        return Density(log_normal(reading, found.of, found), {})
    return found


def _quotient(node: Quotient, reading: Reading) -> Value | Logs:
    if (slope := _slope_in_words(node, reading)) is not None:
        return slope
    above, below = (_as_density(read(part, reading), reading) for part in (node.above, node.below))
    if isinstance(above, Density) or isinstance(below, Density):
        one, other = (found if isinstance(found, Density) else Density(reading.algebra.log(found), {}) for found in (above, below))
        return Density(**vars(one.plus(other, -1)))
    if isinstance(above, Logs) and not isinstance(below, Logs):
        return _scaled(above, reading.number(1) / below, reading)
    above, below = reading.flat(above), reading.flat(below)
    if below == 0:
        raise UndefinedError("a division by zero")
    return above / below


def _slope_in_words(node: Quotient, reading: Reading) -> Value | None:
    """d sigma^2(t) / dt and d log a / dt: a rate."""
    if not isinstance(node.below, Differential):
        return None
    above = node.above
    if isinstance(above, Product) and isinstance(above.factors[0], Letter) and above.factors[0].base == "d":
        body: Node = above.factors[1] if len(above.factors) == 2 else replace(above, factors=above.factors[1:])
        return _rate(body, reading)
    if isinstance(above, Differential) and not (isinstance(above.of, Letter) and above.of.base in ("x", "X", "z", "y", "W", "w")):
        return _rate(above.of, reading)
    return None


def _rate(body: Node, reading: Reading) -> Value:
    """The rate of a function of time: known for powers and logarithms of letters that have a rate."""
    while isinstance(body, Group):
        body = body.body
    if isinstance(body, Power):
        exponent = value(body.exponent, reading)
        return exponent * value(body.base, reading) ** (exponent - 1) * _rate(body.base, reading)
    if isinstance(body, Applied) and body.name in ("log", "ln"):
        return _rate(body.arguments[0], reading) / value(body.arguments[0], reading)
    bare = body.function if isinstance(body, Call) else body
    if isinstance(bare, Letter) and bare.base in ("sigma", "alpha"):
        return reading.letter(("rate", bare.base, "".join(bare.marks)), rf"\dot\{bare.base}", POSITIVE)
    raise refused(body, "a rate that is not worked out")


def _power(node: Power, reading: Reading) -> Value | Logs:
    if isinstance(node.base, Norm):
        inner = value(node.base.body, reading)
        return reading.algebra.power(inner, value(node.exponent, reading))
    if isinstance(node.base, Letter) and node.base.base == "e" and not node.base.index:
        return _exponential(node.exponent, reading)
    base = _as_density(read(node.base, reading), reading)
    exponent = value(node.exponent, reading)
    if isinstance(base, Density):
        factor = _rational(exponent)
        if factor is None:
            return reading.algebra.exp(exponent * reading.flat(base))
        return Density(exponent * base.scalar, {key: factor * power for key, power in base.parts.items()})
    base = reading.flat(base)
    return reading.algebra.power(base, exponent)


def _root(node: Root, reading: Reading) -> Value:
    inner = value(node.body, reading)
    if node.degree is None:
        return reading.algebra.sqrt(inner)
    return reading.algebra.power(inner, 1 / value(node.degree, reading))


def _norm(node: Norm, reading: Reading) -> Value:
    return reading.algebra.absolute(value(node.body, reading))


def _exponential(argument: Node, reading: Reading) -> Value | Density:
    found = read(argument, reading)
    if isinstance(found, Logs) and not isinstance(found, Density):
        return Density(**vars(found))
    return reading.algebra.exp(reading.flat(found))


def _applied(node: Applied, reading: Reading) -> Value | Logs:
    name = {"ln": "log", "Tr": "tr", "trace": "tr", "Trace": "tr"}.get(node.name, node.name)
    if name == "exp":
        return _exponential(node.arguments[0], reading)
    if name == "log":
        found = _as_density(read(node.arguments[0], reading), reading)
        if isinstance(found, Density):
            return Logs(found.scalar, found.parts)
        return reading.algebra.log(reading.flat(found))
    arguments = [value(one, reading) for one in node.arguments]
    if name in ("tr", "det", "diag"):
        return arguments[0]
    if name in ("max", "min") and len(arguments) == 2:
        gap = reading.algebra.absolute(arguments[0] - arguments[1])
        return (arguments[0] + arguments[1] + (gap if name == "max" else -gap)) / 2
    if name == "expm":
        return reading.algebra.exp(arguments[0]) - 1
    if name in ("cos", "sin", "tan", "arccos", "arctan", "tanh", "sinh", "cosh", "arcsin"):
        return reading.algebra.function(name, arguments[0])
    raise NotUnderstoodError(node.name, node.start)


def _large(node: Large, reading: Reading) -> Any:
    if node.kind == "int":
        return _integral(node, reading)
    if not isinstance(node.index, Letter) or node.low is None or node.high is None:
        if node.kind == "sum" and node.low is not None and node.high is None:
            reading.unknown.setdefault("sum", Letter(node.start, node.end, "sum"))
            reading.averaged = True
            return read(node.body, reading)
        raise refused(node, "a sum or product without its bounds")
    low, high = _bound(node.low, reading), _bound(node.high, reading)
    total: Any = None
    before = reading.times.bound.get(node.index.base)
    try:
        for place in range(low, high + 1):
            reading.times.bound[node.index.base] = place
            found = _as_density(read(node.body, reading), reading)
            if node.kind == "sum":
                total = _added(total, found, 1, reading)
            elif isinstance(found, Density):
                total = found if total is None else Density(**vars(total.plus(found)))
            else:
                total = found if total is None else total * found
    finally:
        if before is None:
            reading.times.bound.pop(node.index.base, None)
        else:
            reading.times.bound[node.index.base] = before
    return reading.number(1 if node.kind == "prod" else 0) if total is None else total


def _bound(node: Node, reading: Reading) -> int:
    try:
        return reading.times.of(node)
    except NoTimeError:
        raise refused(node, "a bound that is no time") from None


def _integral(node: Large, reading: Reading) -> Any:
    """Over a variable of densities; over time, of a rate."""
    over = [one.of for one in node.over] or ([node.low] if node.low is not None else [])
    if len(over) == 1 and isinstance(over[0], Letter) and over[0].base in ("s", "t", "tau", "u", "r") and not over[0].index:
        body = node.body
        held = "".join(
            one.base + "".join(one.marks)
            for one in walk(body)
            if isinstance(one, Letter) and one.base not in ("s", "t", "tau", "u")
        )
        return _time_integral(body, held, reading)
    found = _as_density(read(node.body, reading), reading)
    for one in over:
        found = _integrated(node, found, variables(one, reading), reading)
    return found


def _time_integral(body: Node, held: str, reading: Reading) -> Value:
    if isinstance(body, Sum) and len(body.terms) == 1:
        return body.terms[0].sign * _time_integral(body.terms[0].body, held, reading)
    if isinstance(body, Product):
        numbers = [one for one in body.factors if not any(isinstance(inner, Letter) for inner in walk(one))]
        rest = tuple(one for one in body.factors if one not in numbers)
        if numbers and rest:
            total = _time_integral(rest[0] if len(rest) == 1 else replace(body, factors=rest), held, reading)
            for one in numbers:
                total = total * value(one, reading)
            return total
    return reading.letter(("integral", held), r"\int " + held, POSITIVE)


def _integrated(node: Node, found: Any, names: frozenset[Key], reading: Reading) -> Any:
    if not isinstance(found, Density):
        raise refused(node, "an integral that is not worked out")
    for name in sorted(names, key=lambda one: (str(one[0]), str(one[1]))):
        found = _without(node, found, name, reading)
    return found


def _without(node: Node, found: Density, name: Key, reading: Reading) -> Density:
    """The density with one variable integrated out."""
    parts = canonical(found)
    holding = {key: power for key, power in parts.items() if name in key[1]}
    rest = {key: power for key, power in parts.items() if name not in key[1]}
    joint = [key for key, power in holding.items() if power == 1]
    below = [key for key, power in holding.items() if power == -1]
    if len(joint) == 2 and len(below) == 1 and below[0][1] == frozenset({name}):
        merged = joint[0][0], (joint[0][1] | joint[1][1]) - {name}
    elif len(joint) == 1 and len(holding) == 1:
        merged = joint[0][0], joint[0][1] - {name}
    else:
        raise refused(node, "an integral that is not worked out")
    rest[merged] = rest.get(merged, Fraction(0)) + 1
    return Density(found.scalar, {key: power for key, power in rest.items() if power and key[1]})


def variables(node: Node, reading: Reading) -> frozenset[Key]:
    """What a density is of: states of the chain, or other letters."""
    while isinstance(node, (Group, Chain)):
        node = node.body if isinstance(node, Group) else node.sides[0]
    if isinstance(node, Listed):
        return frozenset(one for item in node.items for one in variables(item, reading))
    if isinstance(node, Call):
        if node.function.base in STATES and len(node.arguments) == 1:
            return frozenset({("x", _time(node.arguments[0], node, reading))})
        raise refused(node, "no variable of a density")
    if isinstance(node, Letter):
        if len(node.index) == 1 and isinstance(node.index[0], Span):
            low, high = _bound(node.index[0].low, reading), _bound(node.index[0].high, reading)
            if high - low > 40:
                raise refused(node, "too many variables")
            return frozenset(("x" if node.base in STATES else node.base, place) for place in range(low, high + 1))
        latent = ("z is a state",) in reading.fixed
        if node.base in STATES and ("tilde is noisy",) in reading.fixed and not node.index:
            return frozenset({("x", reading.main if "tilde" in node.marks else 0)})
        if (node.base in STATES and not set(node.marks) - {"prime"}) or (latent and node.base == "z" and node.index):
            alone = 0 if latent else reading.main
            return frozenset({("x", _time(node.index[0], node, reading) if node.index else alone)})
        name = node.base + "".join(node.marks) + "".join(str(_label(one)) for one in node.index)
        return frozenset({("v", name)})
    raise refused(node, "no variable of a density")


def _label(node: Node) -> str:
    return "".join(one.base if isinstance(one, Letter) else str(getattr(one, "value", "")) for one in walk(node))


def _time(index: Node, node: Node, reading: Reading) -> int:
    try:
        return reading.times.of(index)
    except NoTimeError:
        raise refused(node, "an index that is no time") from None


def _gradient(node: Gradient, reading: Reading) -> Value:
    if node.order != 1:
        raise refused(node, "a second derivative")
    found = read(node.body, reading)
    along = node.along if node.along is not None else _first_variable(node.body)
    if along is None:
        raise refused(node, "a gradient along nothing")
    if isinstance(along, Letter) and along.base in ("theta", "phi", "psi"):
        reading.unknown.setdefault("gradient", along)
        return reading.letter(("gradient", _label(node.body)), r"\nabla_\theta")
    names = variables(along, reading)
    if len(names) != 1:
        raise refused(node, "a gradient along several letters")
    (name,) = names
    if name[0] == "x" and isinstance(along, Letter) and not along.index:
        name = _state_in(found, name)

    def body() -> Value | Logs:
        return read(node.body, reading)  # type: ignore[return-value]

    logs = found if isinstance(found, Logs) else Logs(reading.flat(found), {})
    if isinstance(logs, Density):
        raise refused(node, "the gradient of a density, not of its logarithm")
    return reading.slope_of(logs, name, body)


def _state_in(found: Any, name: Key) -> Key:
    """The state that is meant by x where it has no index: the noisiest that the body speaks of."""
    held = (
        {one for (_, variables_), _ in found.parts.items() for one in variables_ if one[0] == "x"}
        if isinstance(found, Logs)
        else set()
    )
    return max(held, key=lambda one: one[1]) if held and name not in held else name


def _first_variable(node: Node) -> Node | None:
    for one in walk(node):
        if isinstance(one, Call) and one.arguments:
            states = [item for item in one.arguments if isinstance(item, Letter) and item.base in STATES]
            return states[0] if states else one.arguments[0]
    return None


# -- expectations ------------------------------------------------------------


def _mean(node: Mean, reading: Reading) -> Value:
    given = frozenset(one for item in node.given for one in variables(item, reading))
    times = {one[1] for one in given if one[0] == "x"}
    if node.kind == "Var":
        return _variance(node, times, reading)
    if node.kind == "Cov":
        raise refused(node, "a covariance")
    if times and times == {one[1] for one in given}:
        return _conditional(node, times, reading)
    if node.given:
        raise refused(node, "what is given is no state")
    law = _law_over(node, reading)
    if law is not None:
        return _conditional(node, law, reading)
    return _unconditional(node, reading)


def _law_over(node: Mean, reading: Reading) -> set[int] | None:
    """The states that are given in E_{q(x_0 | x_t)}[...]."""
    for one in node.over:
        target = one.sides[-1] if isinstance(one, Chain) else one
        if isinstance(target, Call) and "|" in target.marks:
            bar = target.marks.index("|")
            before = [variables(item, reading) for item in target.arguments[: bar + 1]]
            after = [variables(item, reading) for item in target.arguments[bar + 1 :]]
            names = frozenset(name for item in before for name in item)
            if names == {("x", 0)}:
                return {name[1] for item in after for name in item if name[0] == "x"} or None
    return None


def _conditional(node: Mean, times: set[int], reading: Reading) -> Value:
    """The mean of what is affine in the states and the noise, given some of the states."""
    noisiest = max(times)
    values: dict[Key, Value] = {}
    if 0 not in times:
        score = -reading.eps(noisiest) / reading.process.noise(noisiest) if reading.mode == "unified" else reading.score(noisiest)
        data = (reading.state(noisiest) + reading.process.noise(noisiest) ** 2 * score) / reading.process.signal(noisiest)
        values["x", 0] = data
    else:
        data = reading.state(0)
    for one in range(1, 12):
        if one in times:
            continue
        lower = max((time for time in times if time < one), default=0)
        upper = min((time for time in times if time > one), default=None)
        if upper is None and ("x", one) not in _named_states(node.body, reading):
            continue
        if ("x", one) in _named_states(node.body, reading):
            start = reading.state(lower) if lower in times else data
            if upper is None:
                values["x", one] = reading.process.carried(one, lower) * start
            elif lower == 0:
                values["x", one] = reading.process.posterior_mean(upper, one, reading.state(upper), data)
            else:
                raise refused(node, "a bridge that is not worked out")
    with reading.fixing(values):
        return _affine(node, reading)


def _named_states(node: Node, reading: Reading) -> set[Key]:
    found: set[Key] = set()
    for one in walk(node):
        if isinstance(one, Letter) and one.base in STATES:
            try:
                found |= variables(one, reading)
            except NotUnderstoodError:
                continue
    return found


def _affine(node: Mean, reading: Reading) -> Value:
    if any(isinstance(one, (Power, Norm)) and _is_random(one) for one in walk(node.body)):
        raise refused(node, "the mean of what is not linear")
    before = reading.tie
    try:
        reading.tie = "marginal"
        return value(node.body, reading)
    finally:
        reading.tie = before


def _is_random(node: Node) -> bool:
    return any(isinstance(one, Letter) and one.base in ("x", "epsilon") for one in walk(node))


def _variance(node: Mean, times: set[int], reading: Reading) -> Value:
    body = node.body
    while isinstance(body, Group):
        body = body.body
    names = _named_states(body, reading)
    if isinstance(body, Letter) and len(names) == 1 and times:
        (name,) = names
        lower = max((time for time in times if time < name[1]), default=None)
        upper = min((time for time in times if time > name[1]), default=None)
        if lower is not None and upper is None:
            return reading.process.added(name[1], lower)
        if lower == 0 and upper is not None:
            return reading.process.posterior_variance(upper, name[1])
    raise refused(node, "a variance that is not worked out")


def _unconditional(node: Mean, reading: Reading) -> Value:
    held = [one for one in walk(node.body) if isinstance(one, Letter) and one.base not in ("I",)]
    if (
        held
        and all(one.base in ("epsilon", "z") and not one.index for one in held)
        and not any(isinstance(one, Call) for one in walk(node.body))
    ):
        total = reading.number(0)
        for sign in (1, -1):  # exact for what is at most cubic
            fixed = {("noise", "epsilon"): reading.number(sign), ("noise", "z"): reading.number(sign)}
            before, reading.tie = reading.tie, "free"
            try:
                with reading.fixing(fixed):
                    total = total + value(node.body, reading)
            finally:
                reading.tie = before
        return total / 2
    reading.averaged = True
    return value(node.body, reading)


# -- letters and calls ------------------------------------------------------------


def _letter(node: Letter, reading: Reading) -> Value:
    return letter_value(node, (), reading)


def _call(node: Call, reading: Reading) -> Value | Logs | Normal:
    from .vocabulary import called

    return called(node, reading)


def letter_value(node: Letter, arguments: tuple[Node, ...], reading: Reading) -> Value:
    """What a letter stands for, with its arguments."""
    from .vocabulary import meaning

    return meaning(node, arguments, reading)


def _differential(node: Differential, reading: Reading) -> Value:
    of = node.of
    if isinstance(of, Call):
        of = of.function
    if not isinstance(of, Letter):
        raise refused(node)
    base = {"W": "w", "B": "w", "omega": "w", "X": "x", "s": "t", "tau": "t"}.get(of.base, of.base)
    return reading.letter(("d", base), f"d{base}")


def _unread(node: Node, reading: Reading) -> Value:
    raise refused(node)


def _absolute(node: Absolute, reading: Reading) -> Value:
    return value(node.body, reading)  # a determinant of an isotropic covariance, one coordinate of it


_WALKS: dict[type, Callable[[Any, Reading], Any]] = {
    Number: _number,
    Group: _group,
    Chain: _chain,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Root: _root,
    Norm: _norm,
    Applied: _applied,
    Large: _large,
    Gradient: _gradient,
    Mean: _mean,
    Letter: _letter,
    Call: _call,
    Differential: _differential,
    Dots: _unread,
    Listed: _unread,
    Absolute: _absolute,
    Span: _unread,
}

