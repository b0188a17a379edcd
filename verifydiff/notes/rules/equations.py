r"""Equations, orders and proportions: the two sides are compared as they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..algebra import Value
from ..meanings import read, value
from ..reading import Density, Key, Logs, Normal, Reading
from ..tokens import NotUnderstoodError
from ..tree import Call, Letter, Node, walk
from ..variables import named_states, variables
from .link import Link, Owed, bare


def equal(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The two sides are equal."""
    if not link.is_equation:
        return
    left, right = read(link.left, reading), read(link.right, reading)
    if isinstance(left, Normal) or isinstance(right, Normal):
        return
    if isinstance(left, Density) or isinstance(right, Density):
        one, other = (side if isinstance(side, Density) else _density_of(side, reading) for side in (left, right))
        gap = one.plus(other, -1)
        yield [Owed("the logarithms of the two sides", reading.flat(gap), reading.number(0))]
        return
    if isinstance(left, Logs) or isinstance(right, Logs):
        first, second = (side if isinstance(side, Logs) else Logs(side, {}) for side in (left, right))
        yield [Owed("the difference of the two sides", reading.flat(first.plus(second, -1)), reading.number(0))]
        return
    yield [Owed("the two sides", left, right)]


def _density_of(side: Value | Logs, reading: Reading) -> Density:
    if isinstance(side, Logs):
        raise NotUnderstoodError("log", 0, "a density and a logarithm of one")
    return Density(reading.algebra.log(side), {})


def ordered(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """One side is less than the other."""
    if link.relation in ("<", "<=", ">", ">="):
        left, right = value(link.left, reading), value(link.right, reading)
        if link.relation.startswith(">"):
            left, right = right, left
        yield [Owed("the two sides", left, right, link.relation.replace(">", "<"))]


def renamed(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Alpha as a name for the signal, or for the whole product, on a page where it is one factor."""
    left = bare(link.left)
    if not link.is_equation or not isinstance(left, Letter) or left.base != "alpha" or left.marks or not left.index:
        return
    if reading.process.convention != "ddpm" or any(
        isinstance(one, Letter) and one.base == "alpha" and not one.marks for one in walk(link.right)
    ):
        return
    at, found = reading.times.of(left.index[0]), value(link.right, reading)
    yield [Owed("the signal", found, reading.process.signal(at))]
    yield [Owed("the whole product", found, reading.process.abar(at))]


def proportional(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two densities are proportional in their first variable: their logarithms have one slope."""
    constant = link.is_equation and any(_is_constant(one) for side in (link.left, link.right) for one in walk(side))
    if link.relation != "prop" and not constant:
        return
    if constant:
        yield from _up_to_constant(link, reading)
        return
    left, right = read(link.left, reading), read(link.right, reading)
    if not isinstance(left, Density) or isinstance(right, Normal):
        return
    call = next((one for one in walk(link.left) if isinstance(one, Call)), None)
    if call is None:
        return
    other = right if isinstance(right, Density) else _density_of(right, reading)
    given = [one for item in call.arguments[1:] for one in variables(item, reading)]
    for names in (variables(call.arguments[0], reading), frozenset(given)):
        owed = []
        for name in sorted(names, key=str):
            one_slope = reading.slope_of(left, name, partial(read, link.left, reading))
            other_slope = reading.slope_of(other, name, partial(_again, link.right, reading))
            owed.append(Owed("the slopes of the two logarithms", one_slope, other_slope))
        if owed:
            yield owed


def _is_constant(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in ("C", "const", "constant") and not node.marks


def _up_to_constant(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two densities, or their logarithms, are equal but for what does not depend on their variable."""
    held = _constant_in(link)
    left, right = read(link.left, reading), read(link.right, reading)
    if isinstance(left, Normal) or isinstance(right, Normal):
        return
    call = next((one for one in walk(link.left) if isinstance(one, Call) and one.function.base in ("p", "q")), None)
    if call is not None:
        names = variables(call.arguments[0], reading)
    else:
        names = frozenset(named_states(link.left, reading) & named_states(link.right, reading)) - held_by(held, reading)
    are_logs = isinstance(left, Logs) and not isinstance(left, Density)
    owed = []
    for name in sorted(names, key=str):
        slopes = []
        for node in (link.left, link.right):
            body = partial(_logarithm, node, reading, are_logs)
            slopes.append(reading.slope_of(body(), name, body))
        owed.append(Owed("the slopes of the two logarithms", *slopes))
    if owed:
        yield owed


def _constant_in(link: Link) -> Node | None:
    return next(
        (one for side in (link.left, link.right) for one in walk(side) if isinstance(one, Call) and _is_constant(one.function)),
        None,
    )


def held_by(constant: Node | None, reading: Reading) -> frozenset[Key]:
    """The states that a constant may depend on: C(x_t, x_0)."""
    return frozenset(named_states(constant, reading)) if constant is not None else frozenset()


def _logarithm(node: Node, reading: Reading, is_log: bool) -> Logs:
    found = read(node, reading)
    if isinstance(found, Logs):
        return Logs(found.scalar, found.parts)
    return Logs(found if is_log else reading.algebra.log(found), {})


def _again(node: Node, reading: Reading) -> Logs:
    found = read(node, reading)
    return found if isinstance(found, Density) else _density_of(found, reading)
