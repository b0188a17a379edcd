r"""Certified signs of polynomials over a domain.

A letter x between l and u is written :math:`x = (l + u v) / (1 + v)` with a slack v > 0, a letter above l as l + v. If
all coefficients then have one sign (and letters without bounds occur in even powers only), so has the polynomial. What
this cannot see is tried in turn: an assumption as a divisor, :math:`A + B w` with a root w by comparing
:math:`A^2` with :math:`B^2 w^2`, the discriminant in a letter without bounds. A certificate is a proof; its absence
says nothing.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from itertools import product
from math import comb
from typing import Any

from flint import fmpq

from .tower import Generator, Poly, Tower

Terms = dict[tuple[int, ...], Any]


class Sign(IntEnum):
    """A certified sign; ``UNKNOWN`` where there is no certificate."""

    NEGATIVE = -2
    NONPOSITIVE = -1
    UNKNOWN = 0
    NONNEGATIVE = 1
    POSITIVE = 2
    ZERO = 3

    @property
    def at_least_zero(self) -> bool:
        """Whether the polynomial is never negative."""
        return self >= Sign.NONNEGATIVE

    @property
    def at_most_zero(self) -> bool:
        """Whether the polynomial is never positive."""
        return self in (Sign.NEGATIVE, Sign.NONPOSITIVE, Sign.ZERO)

    @property
    def strict(self) -> bool:
        """Whether the polynomial never vanishes."""
        return self in (Sign.NEGATIVE, Sign.POSITIVE)

    def flipped(self) -> Sign:
        """The sign of the negative."""
        return self if self is Sign.ZERO else Sign(-self)

    def __mul__(self, other: object) -> Sign:
        if not isinstance(other, Sign):
            return NotImplemented
        if Sign.ZERO in (self, other):
            return Sign.ZERO
        if Sign.UNKNOWN in (self, other):
            return Sign.UNKNOWN
        size = 2 if self.strict and other.strict else 1
        return Sign(size if (self > 0) == (other > 0) else -size)


class Signs:
    """The signs of the polynomials of one tower, remembered.

    Args:
        tower: the tower whose generators the polynomials are over.
    """

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.assumed: list[tuple[Poly, bool]] = []  # each at least 0, and whether strictly
        self._known: dict[str, Sign] = {}

    def assume(self, poly: Poly, strict: bool) -> None:
        """From now on the polynomial is at least 0, or positive."""
        self.assumed.append((poly, strict))
        self._known.clear()

    def __call__(self, poly: Poly, depth: int = 3) -> Sign:
        """The certified sign of a reduced polynomial."""
        key = str(poly)
        known = self._known.get(key)
        if known is None:
            known = self._certify(poly, depth)
            if known or depth == 3:
                self._known[key] = known
        return known

    def _certify(self, poly: Poly, depth: int) -> Sign:
        sign = self._by_coefficients(poly)
        if sign.strict or sign is Sign.ZERO or depth == 0:
            return sign
        ways = (self._by_assumption, self._by_root, self._by_discriminant)
        for way in ways:
            found = way(poly, depth - 1)
            if abs(found) > abs(sign):
                sign = found
        return sign

    # -- coefficients ----------------------------------------------------------------------------------------------------

    def _by_coefficients(self, poly: Poly) -> Sign:
        terms = dict(zip(poly.monoms(), poly.coeffs(), strict=True))
        if not terms:
            return Sign.ZERO
        present = [self.tower.generators[slot] for slot, degree in enumerate(poly.degrees()) if degree]
        for generator in present:
            terms = _in_slack(terms, generator)
        unbounded = [g.slot for g in present if g.domain.lower is None and g.domain.upper is None]
        if any(exponents[slot] & 1 for exponents in terms for slot in unbounded):
            return Sign.UNKNOWN
        if all(coefficient > 0 for coefficient in terms.values()):
            return Sign.POSITIVE if _strict(terms, present) else Sign.NONNEGATIVE
        if all(coefficient < 0 for coefficient in terms.values()):
            return Sign.NEGATIVE if _strict(terms, present) else Sign.NONPOSITIVE
        return Sign.UNKNOWN

    # -- beyond coefficients ---------------------------------------------------------------------------------------------

    def _by_assumption(self, poly: Poly, depth: int) -> Sign:
        for assumed, strict in self.assumed:
            given = Sign.POSITIVE if strict else Sign.NONNEGATIVE
            quotient, rest = divmod(poly, assumed)
            if quotient.is_zero():
                continue
            left = self(quotient, depth) * given
            right = Sign.ZERO if rest.is_zero() else self(rest, depth)
            if (total := _added(left, right)) is not Sign.UNKNOWN:
                return total
        return Sign.UNKNOWN

    def _by_root(self, poly: Poly, depth: int) -> Sign:
        """A + B w with w = sqrt(f): compare A with -B w through their squares."""
        for slot, degree, _ in self.tower.relations:
            if degree != 2 or poly.degrees()[slot] != 1:
                continue
            root = self.tower.generators[slot]
            outer = poly.derivative(slot)
            inner = poly - outer * root.poly
            a, b = self(inner, depth), self(outer, depth)
            if not ((a.at_least_zero and b.at_most_zero) or (a.at_most_zero and b.at_least_zero)):
                continue
            square = self.tower.reduced(inner**2 - outer**2 * root.poly**2)
            gap = self(square, depth)
            if gap is not Sign.UNKNOWN:
                return gap if a.at_least_zero else gap.flipped()
        return Sign.UNKNOWN

    def _by_discriminant(self, poly: Poly, depth: int) -> Sign:
        """a x^2 + b x + c has the sign of a where b^2 < 4 a c, whatever the bounds of x."""
        for slot, degree in enumerate(poly.degrees()):
            if degree != 2 or self.tower.generators[slot].root:
                continue
            x = self.tower.generators[slot].poly
            first = poly.derivative(slot)
            a = first.derivative(slot) / 2
            b = first - 2 * a * x
            c = poly - a * x**2 - b * x
            lead, gap = self(a, depth), self(self.tower.reduced(4 * a * c - b**2), depth)
            if lead.strict and gap.at_least_zero:
                return lead if gap is Sign.POSITIVE else Sign(lead // 2)
        return Sign.UNKNOWN


def _added(left: Sign, right: Sign) -> Sign:
    if right is Sign.ZERO:
        return left
    if left is Sign.ZERO:
        return right
    if left > 0 and right > 0:
        return max(left, right)
    if left < 0 and right < 0:
        return min(left, right)
    return Sign.UNKNOWN


def _in_slack(terms: Terms, generator: Generator) -> Terms:
    """The terms with a bounded generator replaced by its slack, up to a positive factor."""
    lower, upper, slot = generator.domain.lower, generator.domain.upper, generator.slot
    if (lower is None and upper is None) or (lower == 0 and upper is None):
        return terms
    degree = max(exponents[slot] for exponents in terms)
    result: Terms = {}
    for exponents, coefficient in terms.items():
        for power, factor in enumerate(_slack_powers(lower, upper, exponents[slot], degree)):
            if factor:
                key = (*exponents[:slot], power, *exponents[slot + 1 :])
                result[key] = result.get(key, 0) + coefficient * factor
    return {exponents: coefficient for exponents, coefficient in result.items() if coefficient != 0}


@lru_cache(maxsize=4096)
def _slack_powers(lower: int | None, upper: int | None, exponent: int, degree: int) -> tuple[Any, ...]:
    """The coefficients in v of x^exponent (1 + v)^(degree - exponent), x = (l + u v) / (1 + v), or of (l + v)^exponent."""
    if upper is None:
        assert lower is not None  # noqa: S101 - a letter without bounds never comes here
        return tuple(fmpq(comb(exponent, k) * lower ** (exponent - k)) for k in range(exponent + 1))
    if lower is None:
        return tuple(fmpq(comb(exponent, k) * upper ** (exponent - k) * (-1) ** k) for k in range(exponent + 1))
    left = [comb(exponent, k) * upper**k * lower ** (exponent - k) for k in range(exponent + 1)]
    right = [comb(degree - exponent, k) for k in range(degree - exponent + 1)]
    result = [0] * (degree + 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            result[i + j] += a * b
    return tuple(map(fmpq, result))


def _strict(terms: Terms, present: list[Generator]) -> bool:
    """Whether at every point, ends of closed domains included, some term does not vanish."""
    choices = []
    for generator in present:
        domain, slot = generator.domain, generator.slot
        top = max(exponents[slot] for exponents in terms)
        ends = []
        unbounded = domain.lower is None and domain.upper is None
        if unbounded or (domain.closed_below if domain.lower is not None else domain.closed_above):
            ends.append((slot, 0))
        if domain.lower is not None and domain.upper is not None and domain.closed_above:
            ends.append((slot, top))
        if ends and top:
            choices.append(ends)
    if len(choices) > 8:
        return False
    return all(
        any(all(exponents[slot] == survives for slot, survives in corner) for exponents in terms) for corner in product(*choices)
    )
