r"""Sums, products, powers and functions: of values, and of densities by their logarithms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from .algebra import UndefinedError, Value
from .reading import Density, Logs, Normal, Reading, refused
from .slopes import slope_in_words
from .tokens import NotUnderstoodError
from .tree import (
    Absolute,
    Applied,
    Call,
    Cases,
    Chain,
    Differential,
    Dots,
    Group,
    Letter,
    Listed,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Range,
    Root,
    Sum,
)
from .variables import time_of
from .walk import added_up, as_density, read, reads, value
from .words import STEPS


@reads(Number)
def _number(node: Number, reading: Reading) -> Value:
    return reading.algebra.number(node.value)


@reads(Group)
def _group(node: Group, reading: Reading) -> Any:
    return read(node.body, reading)


@reads(Chain)
def _chain(node: Chain, reading: Reading) -> Any:
    return read(node.sides[0], reading)


@reads(Sum)
def _sum(node: Sum, reading: Reading) -> Value | Logs:
    total: Any = None
    for term in node.terms:
        found = read(term.body, reading)
        if isinstance(found, Density):
            found = reading.algebra.exp(reading.flat(found)) if len(node.terms) > 1 or term.sign < 0 else found
        if isinstance(found, Normal):
            raise refused(term, "a law stands where a value is expected")
        total = added_up(total, found, term.sign, reading)
    return total


@reads(Product)
def _product(node: Product, reading: Reading) -> Value | Logs:
    plain: Value = None
    logs: Logs | None = None
    for factor in _without_ellipsis(node.factors, reading):
        if isinstance(factor, Letter) and factor.base == "I" and not factor.index:
            continue
        found = as_density(read(factor, reading), reading)
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
        low, high = sorted((time_of(before.index[0], before, reading), time_of(after.index[0], after, reading)))
        found += [replace(before, index=(Number(before.start, before.end, Fraction(inner)),)) for inner in range(low + 1, high)]
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


@reads(Quotient)
def _quotient(node: Quotient, reading: Reading) -> Value | Logs:
    if (slope := slope_in_words(node, reading)) is not None:
        return slope
    above, below = (as_density(read(part, reading), reading) for part in (node.above, node.below))
    if isinstance(above, Density) or isinstance(below, Density):
        one, other = (found if isinstance(found, Density) else Density(reading.algebra.log(found), {}) for found in (above, below))
        return Density(**vars(one.plus(other, -1)))
    if isinstance(above, Logs) and not isinstance(below, Logs):
        return _scaled(above, reading.number(1) / below, reading)
    above, below = reading.flat(above), reading.flat(below)
    if below == 0:
        raise UndefinedError("a division by zero")
    return above / below


@reads(Power)
def _power(node: Power, reading: Reading) -> Value | Logs:
    if isinstance(node.base, Norm):
        inner = value(node.base.body, reading)
        return reading.algebra.power(inner, value(node.exponent, reading))
    if isinstance(node.base, Letter) and node.base.base == "e" and not node.base.index:
        return _exponential(node.exponent, reading)
    base = as_density(read(node.base, reading), reading)
    exponent = value(node.exponent, reading)
    if isinstance(base, Density):
        factor = _rational(exponent)
        if factor is None:
            return reading.algebra.exp(exponent * reading.flat(base))
        return Density(exponent * base.scalar, {key: factor * power for key, power in base.parts.items()})
    base = reading.flat(base)
    return reading.algebra.power(base, exponent)


@reads(Root)
def _root(node: Root, reading: Reading) -> Value:
    inner = value(node.body, reading)
    if node.degree is None:
        return reading.algebra.sqrt(inner)
    return reading.algebra.power(inner, 1 / value(node.degree, reading))


@reads(Norm)
def _norm(node: Norm, reading: Reading) -> Value:
    return reading.algebra.absolute(value(node.body, reading))


def _exponential(argument: Node, reading: Reading) -> Value | Density:
    found = read(argument, reading)
    if isinstance(found, Logs) and not isinstance(found, Density):
        return Density(**vars(found))
    return reading.algebra.exp(reading.flat(found))


@reads(Applied)
def _applied(node: Applied, reading: Reading) -> Value | Logs:
    name = {"ln": "log", "Tr": "tr", "trace": "tr", "Trace": "tr"}.get(node.name, node.name)
    if name == "exp":
        return _exponential(node.arguments[0], reading)
    if name == "log":
        found = as_density(read(node.arguments[0], reading), reading)
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


@reads(Differential)
def _differential(node: Differential, reading: Reading) -> Value:
    of = node.of
    if isinstance(of, Call):
        of = of.function
    if not isinstance(of, Letter):
        raise refused(node)
    base = {"W": "w", "B": "w", "omega": "w", "X": "x", "s": "t", "tau": "t"}.get(of.base, of.base)
    return reading.letter(("d", base), f"d{base}")


@reads(Cases)
def _choice(node: Cases, reading: Reading) -> Any:
    """What holds in general: the one branch that is not for a single value."""
    general = [branch for branch, special in zip(node.branches, node.special, strict=True) if not special]
    if len(general) != 1:
        raise refused(node, "a choice of which no branch is the general one")
    return read(general[0], reading)


@reads(Dots, Listed, Range)
def _unread(node: Node, reading: Reading) -> Value:
    raise refused(node)


@reads(Absolute)
def _absolute(node: Absolute, reading: Reading) -> Value:
    found = value(node.body, reading)
    if isinstance(node.body, Letter) and node.body.base in STEPS:
        return reading.algebra.absolute(found)
    return found  # a determinant of an isotropic covariance, one coordinate of it
