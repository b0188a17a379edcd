r"""Equations, orders and proportions: the two sides are compared as they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..algebra import Value
from ..densities import DENSITIES
from ..meanings import read, value
from ..reading import Density, Key, Logs, Normal, Reading, canonical
from ..tokens import NotUnderstoodError
from ..tree import Call, Letter, Node, walk
from ..variables import named_states, variables
from ..walk import as_density
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


def expanded(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two sides that agree to first order in a small step."""
    step = ("free", "dt", "")
    if link.relation != "~~" or not any(isinstance(one, Letter) and one.base == "dt" for one in walk(link.left)):
        return
    if any(isinstance(one, Letter) and one.base in ("x", "X", "p", "q") for side in (link.left, link.right) for one in walk(side)):
        return

    def along(node: Node, size: Value) -> Value:
        with reading.fixing({step: size}):
            return value(node, reading)

    zero = reading.number(0)
    slopes = [reading.algebra.slope(partial(along, node), zero, "step") for node in (link.left, link.right)]
    levels = [along(node, zero) for node in (link.left, link.right)]
    yield [Owed("the two sides at no step", *levels), Owed("how the two sides grow with the step", *slopes)]


def _density_of(side: Value | Logs, reading: Reading) -> Density:
    if isinstance(side, Logs):
        raise NotUnderstoodError("log", 0, "a density and a logarithm of one")
    return Density(reading.algebra.log(side), {})


def ordered(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """One side is less than the other."""
    if link.relation in ("<", "<=", ">", ">="):
        left, right = value(link.left, reading), value(link.right, reading)
        if reading.averaged:  # see bounded
            return
        if link.relation.startswith(">"):
            left, right = right, left
        yield [Owed("the two sides", left, right, link.relation.replace(">", "<"))]


def bounded(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A bound on a likelihood: between the two sides lies a divergence, the mean under q of log q / p, which is never negative."""
    if link.relation not in ("<=", ">="):
        return
    left, right = read(link.left, reading), read(link.right, reading)
    if not reading.averaged or isinstance(left, Normal) or isinstance(right, Normal):
        return
    low, high = (left, right) if link.relation == "<=" else (right, left)
    gap = _logs(high).plus(_logs(low), -1)
    sign = _divergence_sign(gap)
    if sign:
        yield [Owed("the sign of what lies between the two sides, a divergence,", reading.number(sign), reading.number(1))]


def _logs(side: Value | Logs) -> Logs:
    return Logs(side.scalar, side.parts) if isinstance(side, Logs) else Logs(side, {})


def _divergence_sign(gap: Logs) -> int:
    """1 if it is log q(a | b) - log p(a | b), -1 if it is the opposite, 0 if it is neither."""
    parts = canonical(gap)
    averaging = {key[1]: power for key, power in parts.items() if key[0] == "q"}
    others = {key[1]: power for key, power in parts.items() if key[0] != "q"}
    vanishing = abs(gap.scalar) < 1e-9 if isinstance(gap.scalar, complex) else gap.scalar == 0
    if not averaging or not vanishing or averaging != {names: -power for names, power in others.items()}:
        return 0
    largest = max(averaging, key=lambda names: (len(names), averaging[names]))
    return 1 if averaging[largest] > 0 else -1


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
    left, right = read(link.left, reading), as_density(read(link.right, reading), reading)
    call = _density_call(link)
    if not isinstance(left, Density) or call is None:
        return
    other = right if isinstance(right, Density) else _density_of(right, reading)
    given = frozenset(one for item in call.arguments[1:] for one in variables(item, reading))
    if any(one == call for one in walk(link.right)):  # p(x | y) = p(x) p(x | y) would hold along y whatever they are
        given = frozenset()
    for names in (variables(call.arguments[0], reading), given):
        owed = []
        for name in sorted(names, key=str):
            one_slope = reading.slope_of(left, name, partial(read, link.left, reading))
            other_slope = reading.slope_of(other, name, partial(_again, link.right, reading))
            owed.append(Owed("the slopes of the two logarithms", one_slope, other_slope))
        if owed:
            yield owed


def _density_call(link: Link) -> Call | None:
    """The density whose variable a proportion is about: what its chain begins with, or what stands on its sides."""
    if isinstance(link.subject, Call) and link.subject.function.base in DENSITIES:
        return link.subject
    right = bare(link.right)
    if isinstance(right, Call) and right.function.base == "cal:N" and not isinstance(bare(link.left), Call):
        return right
    return next((one for one in walk(link.left) if isinstance(one, Call)), None)


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
    found = as_density(read(node, reading), reading)
    return found if isinstance(found, Density) else _density_of(found, reading)
