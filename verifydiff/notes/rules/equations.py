r"""Equations, orders and proportions: the two sides are compared as they are."""

from __future__ import annotations

from collections.abc import Iterator

from ..algebra import Value
from ..meanings import read, value
from ..reading import Density, Logs, Normal, Reading
from ..tokens import NotUnderstoodError
from ..tree import Call, Letter, Node, walk
from ..variables import variables
from .link import Link, Owed


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
    owed = []
    for name in sorted(variables(call.arguments[0], reading), key=str):
        one_slope = reading.slope_of(left, name, lambda: read(link.left, reading))
        other_slope = reading.slope_of(other, name, lambda: _again(link.right, reading))
        owed.append(Owed("the slopes of the two logarithms", one_slope, other_slope))
    yield owed


def _is_constant(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in ("C", "const", "constant") and not node.marks


def _up_to_constant(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two logarithms of densities are equal but for what does not depend on their variable."""
    left = read(link.left, reading)
    call = next((one for one in walk(link.left) if isinstance(one, Call) and one.function.base in ("p", "q")), None)
    if call is None or not isinstance(left, Logs):
        return
    right = read(link.right, reading)
    if isinstance(right, Normal):
        return
    owed = []
    for name in sorted(variables(call.arguments[0], reading), key=str):
        one = reading.slope_of(left, name, lambda: read(link.left, reading))
        logs = right if isinstance(right, Logs) else Logs(right, {})
        other = reading.slope_of(logs, name, lambda: read(link.right, reading))
        owed.append(Owed("the slopes of the two logarithms", one, other))
    yield owed


def _again(node: Node, reading: Reading) -> Logs:
    found = read(node, reading)
    return found if isinstance(found, Density) else _density_of(found, reading)
