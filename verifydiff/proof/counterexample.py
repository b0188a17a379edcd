r"""The search for a counterexample: simple rationals first, always in the same order.

A point belongs to the domain if every letter does and all assumptions hold there, checked in exact arithmetic or by
balls. It refutes an equality where the ball of the difference does not contain 0, an inequality where its ball lies on
the wrong side, either where a side takes the root of a negative number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from time import thread_time
from typing import Any

import sympy
from flint import arb, ctx, fmpq

from ..forms.quantities import Domain, Quantity, abar_s, abar_t, alpha_t, beta_t
from .balls import Balls, ImpreciseError, UndefinedError, Value, bits
from .claim import Claim, Counterexample, letters_of
from .tower import UnsupportedError, domain_of

PRECISIONS = (64, 256, 1024, 4096)
POINTS = 600
MAX_SHOWN = 1000  # bits

_INSIDE = [
    sympy.Rational(*pair) for pair in ((1, 2), (1, 3), (2, 3), (3, 4), (1, 4), (9, 10), (1, 10), (99, 100), (1, 100), (1, 10**6))
]
_OUTWARD = [
    sympy.Rational(*pair)
    for pair in ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (1, 10), (5, 1), (10, 1), (1, 100), (1000, 1), (10**6, 1))
]


@dataclass(frozen=True, slots=True)
class Search:
    """What a search has found.

    Attributes:
        found: a counterexample, if there is one.
        valid: how many points of the domain were looked at.
        undefined: at how many of them a side divides by zero.
        settled: whether every side was evaluated; False if something is not evaluated at all.
    """

    found: Counterexample | None
    valid: int
    undefined: int
    settled: bool = True


def search(claim: Claim, deadline: float) -> Search:
    """Look for a point of the domain at which the claim fails."""
    valid = undefined = 0
    precision = ctx.prec
    try:
        for point in points(letters(claim, *claim.assuming)):
            if thread_time() > deadline:
                break
            try:
                if not all(_holds(assumed, point) for assumed in claim.assuming):
                    continue
                valid += 1
                if (found := _failure(claim, point)) is not None:
                    return Search(found, valid, undefined)
            except UndefinedError:
                undefined += 1
    except UnsupportedError:
        return Search(None, valid, undefined, settled=False)
    finally:
        ctx.prec = precision
    return Search(None, valid, undefined)


def feasible(assuming: tuple[Claim, ...], deadline: float) -> bool:
    """Whether a point of the domain was found at which the assumptions hold: a claim about no point at all is no claim."""
    precision = ctx.prec
    try:
        within = (point for point in points(letters(*assuming)) if thread_time() < deadline)
        return any(all(_holds(assumed, point) for assumed in assuming) for point in within)
    finally:
        ctx.prec = precision


def letters(*claims: Claim) -> list[sympy.Symbol]:
    """The base letters that the claims are written in, by name; also those that would cancel from a definition."""
    found = letters_of(*(side for one in claims for side in (one.lhs, one.rhs)))
    return sorted(found, key=lambda symbol: symbol.name)


def points(symbols: list[sympy.Symbol]) -> Iterator[dict[sympy.Symbol, sympy.Rational]]:
    """Points of the domain: first unlike values for all letters, then ever more of the grid, then its ends."""
    columns = [candidates(symbol) for symbol in symbols]
    seen = set()
    for indices in _diagonals([len(column) for column in columns]):
        point = tuple(column[index] for column, index in zip(columns, indices, strict=True))
        if point not in seen:
            seen.add(point)
            yield dict(zip(symbols, point, strict=True))
        if len(seen) >= POINTS:
            return


@cache
def candidates(symbol: sympy.Symbol) -> tuple[sympy.Rational, ...]:
    """Simple values that the letter may take, inner ones first."""
    domain = domain_of(symbol)
    values = [value for value in _spread(domain) if _inside(value, domain)]
    if not isinstance(symbol, Quantity):
        wanted = {name: truth for name, truth in symbol.assumptions0.items() if truth is not None}
        values = [
            value for value in values if all(getattr(value, f"is_{name}", None) in (truth, None) for name, truth in wanted.items())
        ]
    return tuple(values)


def _spread(domain: Domain) -> list[sympy.Rational]:
    low, high = domain.lower, domain.upper
    if low is not None and high is not None:
        return [*(low + (high - low) * part for part in _INSIDE), sympy.Integer(high), sympy.Integer(low)]
    if low is not None:
        return [*(low + step for step in _OUTWARD), sympy.Integer(low)]
    if high is not None:
        return [*(high - step for step in _OUTWARD), sympy.Integer(high)]
    return [sign * step for step in _OUTWARD for sign in (1, -1)] + [sympy.Integer(0)]


def _inside(value: sympy.Rational, domain: Domain) -> bool:
    above = domain.lower is None or value > domain.lower or (value == domain.lower and domain.closed_below)
    below = domain.upper is None or value < domain.upper or (value == domain.upper and domain.closed_above)
    return bool(above and below)


def _diagonals(sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """Index tuples: shifted diagonals (unlike entries), then small corners of the grid, then scattered ones."""
    if not sizes or 0 in sizes:
        yield from [()] if not sizes else []
        return
    yield tuple(2 * place % min(size, 7) for place, size in enumerate(sizes))
    for shift in range(1, max(sizes)):
        yield tuple((shift + 2 * place) % size for place, size in enumerate(sizes))
    for corner in (2, 3):
        if corner ** len(sizes) <= POINTS // 2:
            yield from product(*(range(min(corner, size)) for size in sizes))
    for place, size in enumerate(sizes):
        for index in range(size):
            yield tuple(index if other == place else other % sizes[other] for other in range(len(sizes)))
    state = 1
    for _ in range(20 * POINTS):
        chosen = []
        for size in sizes:
            state = (6364136223846793005 * state + 1442695040888963407) % 2**64
            chosen.append((state >> 33) % size)
        yield tuple(chosen)


# -- judging one point ---------------------------------------------------------------------------------------------------


def _holds(claim: Claim, point: dict[sympy.Symbol, sympy.Rational]) -> bool:
    for precision in PRECISIONS[:2]:
        ctx.prec = precision
        try:
            balls = Balls(point)
            gap = balls(claim.rhs) - balls(claim.lhs)
        except ImpreciseError:
            continue
        except UndefinedError:
            return False
        if claim.relation == "==":
            return bool(isinstance(gap, fmpq) and gap == 0)
        if gap > 0 or (claim.relation == "<=" and isinstance(gap, fmpq) and gap == 0):
            return True
        if gap < 0 or isinstance(gap, fmpq):
            return False
    return False


def _failure(claim: Claim, point: dict[sympy.Symbol, sympy.Rational]) -> Counterexample | None:
    """How the claim fails at the point, if it can be shown to."""
    for precision in PRECISIONS:
        ctx.prec = precision
        balls = Balls(point)
        sides: list[Value] = []
        try:
            sides = [balls(claim.lhs), balls(claim.rhs)]
        except ImpreciseError:
            continue
        except UndefinedError as error:
            if not error.by_root or _divides_by_zero(claim.rhs, balls):
                raise
            return _report(claim, point, _sides(claim, balls), f"the {_which(claim, balls)} side has no real value: {error}", "")
        gap = sides[0] - sides[1]
        if isinstance(gap, fmpq) and not _fails(claim.relation, gap):
            return None
        if _fails(claim.relation, gap):
            reason = {"==": "the two sides differ", "<=": "the left side is greater", "<": "the left side is not less"}[
                claim.relation
            ]
            return _report(claim, point, tuple(map(shown, sides)), f"{reason} by {shown(abs(gap))}", shown(gap))
    return None


def _fails(relation: str, gap: Value) -> bool:
    if relation == "==":
        return bool(gap != 0) if isinstance(gap, fmpq) else not gap.contains(0)
    if relation == "<=":
        return bool(gap > 0)
    return bool(gap >= 0)


def _divides_by_zero(side: sympy.Expr, balls: Balls) -> bool:
    """Whether the side has no value for want of a quotient: then the point tells nothing, whatever becomes of the other side."""
    try:
        balls(side)
    except UndefinedError as error:
        return not error.by_root
    except (ImpreciseError, UnsupportedError):
        pass
    return False


def _which(claim: Claim, balls: Balls) -> str:
    try:
        balls(claim.lhs)
    except UndefinedError:
        return "left"
    return "right"


def _sides(claim: Claim, balls: Balls) -> tuple[str, str]:
    """The two sides as text, ``undefined`` where there is no real value."""
    sides = []
    for side in (claim.lhs, claim.rhs):
        try:
            sides.append(shown(balls(side)))
        except (UndefinedError, ImpreciseError):
            sides.append("undefined")
    return sides[0], sides[1]


def _report(claim: Claim, point: Any, sides: Any, reason: str, difference: str) -> Counterexample:
    return Counterexample(point, _derived(claim, point), sides[0], sides[1], reason, difference)


def _derived(claim: Claim, point: Any) -> dict[Quantity, str]:
    """The defined quantities that the claim mentions, and the levels of the whole step if it mentions any."""
    free: set[sympy.Symbol] = set()
    for one in (claim, *claim.assuming):
        free |= one.lhs.free_symbols | one.rhs.free_symbols
    defined = {symbol for symbol in free if isinstance(symbol, Quantity) and symbol.definition is not None}
    if abar_s in point and alpha_t in point:
        defined |= {abar_t, beta_t}
    balls = Balls(point)
    values = {}
    for symbol in sorted(defined, key=lambda one: one.name):
        try:
            values[symbol] = shown(balls(symbol))
        except (UndefinedError, ImpreciseError):
            values[symbol] = "undefined"
    return values


def shown(value: Value) -> str:
    """A value as a person reads it: an exact fraction unless it is very long, or the digits that are certain."""
    if isinstance(value, fmpq) and bits(value) <= MAX_SHOWN:
        return str(value)
    text = str(arb(value).str(12, radius=False))
    return "0" if text.startswith("0e-") else text  # a sum of roots that cancels, to all digits that are certain
