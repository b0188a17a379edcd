r"""Certified signs of polynomials over a domain.

A letter x between l and u is written :math:`x = (l + u v) / (1 + v)` with a slack v > 0, a letter above l as l + v. If
all coefficients then have one sign (and letters without bounds occur in even powers only), so has the polynomial. What
this cannot see is tried in turn: an assumption as a divisor, :math:`A + B w` with :math:`w \ge 0` by comparing
:math:`A^2` with :math:`B^2 w^2`, the discriminant of a quadratic, a ball around a constant. A certificate is a proof;
its absence says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from functools import lru_cache
from itertools import product
from math import comb, lcm
from typing import Any

from flint import fmpq

from ..forms.quantities import REAL, Domain
from .balls import Balls, ImpreciseError, UndefinedError
from .tower import Generator, Poly, Tower, UnsupportedError

Terms = dict[tuple[int, ...], Any]
Bounds = list[tuple[int, Domain]]

MAX_SLACK_TERMS = 600_000
MAX_LOGS = 12


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

    def where_nonzero(self) -> Sign:
        """The sign wherever the polynomial does not vanish."""
        return self if self in (Sign.UNKNOWN, Sign.ZERO) else Sign.POSITIVE if self > 0 else Sign.NEGATIVE

    def domain(self, around: int = 0) -> Domain:
        """The values of something whose difference to a whole number has this sign."""
        if self.at_most_zero:
            return Domain(upper=around, closed_above=not self.strict)
        return Domain(around, closed_below=not self.strict) if self.at_least_zero else REAL

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

    def __call__(self, poly: Poly, key: str = "", depth: int = 3) -> Sign:
        """The certified sign of a reduced polynomial; ``key`` is its text, if that is at hand."""
        key = key or str(poly)
        known = self._known.get(key)
        if known is None:
            self.tower.check_time()
            known = self._certify(poly, key, depth)
            if known or depth == 3:
                self._known[key] = known
        return known

    def _certify(self, poly: Poly, key: str, depth: int) -> Sign:
        sign = self._by_coefficients(poly, key)
        if depth == 0 or sign is Sign.ZERO or sign.strict:
            return sign
        if sign:  # only an assumption that is itself strict could say more
            better = self._by_assumption(poly, depth - 1) if any(strict for _, strict in self.assumed) else sign
            return better if better.strict else sign
        for way in (self._by_logarithms, self._by_assumption, self._by_square, self._by_discriminant, self._by_ball):
            if sign := way(poly, depth - 1):
                return sign
        return sign

    # -- coefficients ----------------------------------------------------------------------------------------------------

    def _by_coefficients(self, poly: Poly, key: str) -> Sign:
        if poly.is_zero():
            return Sign.ZERO
        degrees, generators = poly.degrees(), self.tower.generators
        present = [slot for slot, degree in enumerate(degrees) if degree]
        known = (len(degrees), key, *[generators[slot].domain for slot in present])
        sign = _BY_COEFFICIENTS.get(known)
        if sign is None:
            if len(_BY_COEFFICIENTS) > 4096:
                _BY_COEFFICIENTS.clear()
            terms = dict(zip(poly.monoms(), poly.coeffs(), strict=True))
            sign = _BY_COEFFICIENTS[known] = _by_coefficients(terms, [(slot, generators[slot].domain) for slot in present], degrees)
        return sign

    # -- beyond coefficients ---------------------------------------------------------------------------------------------

    def _by_assumption(self, poly: Poly, depth: int) -> Sign:
        """poly = q g + r with an assumption g >= 0: the signs of q and r decide where they agree; a strict one is preferred."""
        best = Sign.UNKNOWN
        for assumed, strict in self.assumed:
            given = Sign.POSITIVE if strict else Sign.NONNEGATIVE
            for quotient in multipliers(poly, assumed):
                rest = self.tower.reduced(poly - quotient * assumed)
                total = _added(self(quotient, depth=depth) * given, self(rest, depth=depth))
                if total.strict or total is Sign.ZERO:
                    return total
                best = best or total
        return best

    def _by_square(self, poly: Poly, depth: int) -> Sign:
        """A + B w with w >= 0, a root or a letter: where A and B w differ in sign, compare their squares."""
        for slot, degree in enumerate(poly.degrees()):
            if degree != 1 or not _never_negative(self.tower.generators[slot]):
                continue
            w, outer = self.tower.generators[slot].poly, poly.derivative(slot)
            inner = poly - outer * w
            a, b = self(inner, depth=depth), self(outer, depth=depth)
            falls, rises = a.at_least_zero and b.at_most_zero, a.at_most_zero and b.at_least_zero
            if a is Sign.ZERO or falls == rises:
                continue
            gap = self(self.tower.reduced(inner**2 - outer**2 * w**2), depth=depth)
            if gap is not Sign.UNKNOWN:
                return gap if falls else gap.flipped()
        return Sign.UNKNOWN

    def _by_logarithms(self, poly: Poly, depth: int) -> Sign:
        r"""A sum :math:`\sum n_i \log f_i` has the sign of :math:`\prod f_i^{n_i} - 1`, as the logarithm increases."""
        logs = {slot: generator.log_of for slot, generator in self.tower.generators.items() if generator.log_of is not None}
        terms = list(zip(poly.monoms(), poly.coeffs(), strict=True))
        if not logs or len(terms) > MAX_LOGS or any(sum(monomial) != 1 for monomial, _ in terms):
            return Sign.UNKNOWN
        slots = [next(slot for slot, degree in enumerate(monomial) if degree) for monomial, _ in terms]
        common = lcm(*(int(coefficient.q) for _, coefficient in terms))
        times = [int((coefficient * common).p) for _, coefficient in terms]
        if not set(slots) <= set(logs) or sum(map(abs, times)) > MAX_LOGS:
            return Sign.UNKNOWN
        above = below = self.tower.one
        for slot, power in zip(slots, times, strict=True):
            above, below = (above * logs[slot] ** power, below) if power > 0 else (above, below * logs[slot] ** -power)
        return self(self.tower.reduced(above - below), depth=depth)

    def _by_ball(self, poly: Poly, depth: int) -> Sign:
        """A constant such as 1 - log 2: its ball tells the sign if it does not contain 0."""
        present = [self.tower.generators[slot] for slot, degree in enumerate(poly.degrees()) if degree]
        if any(generator.symbol for generator in present) or len(poly) > 100:
            return Sign.UNKNOWN
        expression = self.tower.expression(poly)
        if expression.free_symbols:
            return Sign.UNKNOWN
        try:
            value = Balls({})(expression)
        except (ImpreciseError, UndefinedError, UnsupportedError):
            return Sign.UNKNOWN
        return Sign.POSITIVE if value > 0 else Sign.NEGATIVE if value < 0 else Sign.UNKNOWN

    def _by_discriminant(self, poly: Poly, depth: int) -> Sign:
        """a x^2 + b x + c has the sign of a where b^2 < 4 a c, whatever the bounds of x; a strict sign is looked for first."""
        found = Sign.UNKNOWN
        for slot, degree in enumerate(poly.degrees()):
            if degree != 2 or self.tower.generators[slot].root:
                continue
            x = self.tower.generators[slot].poly
            first = poly.derivative(slot)
            a = first.derivative(slot) / 2
            b = first - 2 * a * x
            c = poly - a * x**2 - b * x
            lead, gap = self(a, depth=depth), self(self.tower.reduced(4 * a * c - b**2), depth=depth)
            if lead.strict and gap is Sign.POSITIVE:
                return lead
            if lead.strict and gap.at_least_zero:
                found = Sign(lead // 2)
        return found


def _never_negative(generator: Generator) -> bool:
    return generator.domain.lower is not None and generator.domain.lower >= 0


def multipliers(poly: Poly, assumed: Poly) -> list[Poly]:
    """Candidates for q in poly = q g + r: the quotient, and the ratios that cancel one monomial of g."""
    quotient = divmod(poly, assumed)[0]
    candidates = [] if quotient.is_zero() else [quotient]
    have = dict(zip(poly.monoms(), poly.coeffs(), strict=True))
    one = poly.context().constant(1)
    for monomial, coefficient in zip(assumed.monoms(), assumed.coeffs(), strict=True):
        if monomial in have:
            candidates.append(one * (have[monomial] / coefficient))
    return candidates


_BY_COEFFICIENTS: dict[Any, Sign] = {}  # a pure function of the polynomial and the domains, remembered


def _by_coefficients(terms: Terms, bounds: Bounds, degrees: tuple[int, ...]) -> Sign:
    """The sign that the coefficients over the slacks certify, ends of closed domains included.

    Where the slacks would make too many terms, the upper ends of letters from 0 on are left out of account.
    """
    used = []
    for slot, domain in bounds:
        if len(terms) * (degrees[slot] + 1) > MAX_SLACK_TERMS:
            if domain.lower != 0 and (domain.lower, domain.upper) != (None, None):
                return Sign.UNKNOWN
            domain = replace(domain, upper=None, closed_above=False)
        terms = in_slack(terms, slot, domain)
        used.append((slot, domain))
    bounds = used
    unbounded = [slot for slot, domain in bounds if domain.lower is None and domain.upper is None]
    if any(exponents[slot] & 1 for exponents in terms for slot in unbounded):
        return Sign.UNKNOWN
    if all(coefficient > 0 for coefficient in terms.values()):
        return Sign.POSITIVE if _strict(terms, bounds, degrees) else Sign.NONNEGATIVE
    if all(coefficient < 0 for coefficient in terms.values()):
        return Sign.NEGATIVE if _strict(terms, bounds, degrees) else Sign.NONPOSITIVE
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


def in_slack(terms: Terms, slot: int, domain: Domain) -> Terms:
    """The terms with a bounded generator replaced by its slack, up to a positive factor."""
    lower, upper = domain.lower, domain.upper
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


def _strict(terms: Terms, bounds: Bounds, degrees: tuple[int, ...]) -> bool:
    """Whether at every point, ends of closed domains included, some term does not vanish.

    At a closed lower end v is 0 and the terms without v survive; at a closed upper end v grows beyond all bounds, and
    only the terms that reach the full degree keep up with the factor (1 + v)^degree that was multiplied in.
    """
    choices = []
    for slot, domain in bounds:
        ends = []
        unbounded = domain.lower is None and domain.upper is None
        if unbounded or (domain.closed_below if domain.lower is not None else domain.closed_above):
            ends.append((slot, 0))
        if domain.lower is not None and domain.upper is not None and domain.closed_above:
            ends.append((slot, degrees[slot]))
        if ends:
            choices.append(ends)
    if len(terms) << len(choices) > MAX_SLACK_TERMS:
        return False
    return all(
        any(all(exponents[slot] == survives for slot, survives in corner) for exponents in terms) for corner in product(*choices)
    )
