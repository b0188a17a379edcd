r"""Why a polynomial is not negative, as evidence that somebody else can check.

A letter between l and u enters through its distances to both ends: a polynomial of degree n in it is a combination of
:math:`(x - l)^k (u - x)^{n - k}`, Bernstein's basis, and where all coefficients are positive the sum shows its sign. What
this does not show follows from an assumption times a multiplier, from squares, or from a discriminant, each of which rests
on smaller polynomials. The engine says which sign to look for; here the reasons are written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq

from ...forms.quantities import Domain
from ..signs import Sign, Signs, in_slack, multipliers
from ..tower import Poly, Tower

Factor = tuple[int, str, int]  # a slot, the end it is measured from (lower, upper, or itself), an exponent
Term = tuple[Any, tuple[Factor, ...]]

DEPTH = 3
MAX_TERMS = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a polynomial is at least 0, or positive.

    Attributes:
        poly: the polynomial.
        strict: whether it is positive.
    """

    poly: Poly
    strict: bool


@dataclass(frozen=True, slots=True)
class Sum(Evidence):
    """All coefficients over the distances to the ends are positive; ``split`` are letters both of whose ends are closed."""

    terms: tuple[Term, ...]
    split: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Multiple(Evidence):
    """The polynomial is a multiplier times an assumption and a rest; each part has evidence, unless it is 0."""

    multiplier: Evidence
    assumed: Poly
    rest: Evidence | None


@dataclass(frozen=True, slots=True)
class Squares(Evidence):
    """The polynomial is ``larger - smaller``, one of them times a root or letter, and the squares compare; None if they agree."""

    slot: int
    larger: Evidence
    smaller: Evidence
    outer_is_larger: bool
    gap: Evidence | None


@dataclass(frozen=True, slots=True)
class Discriminant(Evidence):
    """The polynomial is a quadratic in a letter with a positive leading coefficient and no two roots; None if it has one."""

    slot: int
    lead: Evidence
    middle: Poly
    last: Poly
    gap: Evidence | None


class Reasons:
    """Looks for evidence over one tower.

    Args:
        tower: the tower.
        signs: the engine's opinion, which says where to look.
    """

    def __init__(self, tower: Tower, signs: Signs) -> None:
        self.tower, self.signs = tower, signs

    def __call__(self, poly: Poly, depth: int = DEPTH) -> Evidence | None:
        """Evidence that the polynomial is not negative, strict where there is such; None if none is found."""
        sign = self.signs(poly)
        if poly.is_zero() or not sign.at_least_zero:
            return None
        best = self._sum(poly)
        if depth == 0 or (best is not None and (best.strict or sign is not Sign.POSITIVE)):
            return best
        for found in self._further(poly, depth - 1):
            if found.strict or sign is not Sign.POSITIVE:
                return found
            best = best or found
        return best

    def _further(self, poly: Poly, depth: int) -> Iterator[Evidence]:
        yield from self._multiples(poly, depth)
        yield from self._squares(poly, depth)
        yield from self._discriminants(poly, depth)

    # -- one way each ----------------------------------------------------------------------------------------------------

    def _sum(self, poly: Poly) -> Evidence | None:
        """All coefficients of one sign: of the polynomial as it stands, or else over the distances to all ends."""
        present = [slot for slot, degree in enumerate(poly.degrees()) if degree]
        domains = {slot: self.tower.generators[slot].domain for slot in present}
        from_0 = {slot: replace(d, upper=None, closed_above=False) if d.lower == 0 else d for slot, d in domains.items()}
        plain, full = self._over(poly, from_0), None
        if plain is None or not plain.strict:
            full = self._over(poly, domains)
        return full if plain is None or (full is not None and full.strict) else plain

    def _over(self, poly: Poly, domains: dict[int, Domain]) -> Evidence | None:
        degrees = poly.degrees()
        terms = dict(zip(poly.monoms(), poly.coeffs(), strict=True))
        for slot, domain in domains.items():
            if len(terms) > MAX_TERMS:
                return None
            terms = in_slack(terms, slot, domain)
        free = [slot for slot, domain in domains.items() if (domain.lower, domain.upper) == (None, None)]
        if any(coefficient < 0 for coefficient in terms.values()) or any(e[slot] & 1 for e in terms for slot in free):
            return None
        written = {exponents: self._term(exponents, c, domains, degrees) for exponents, c in terms.items()}
        ends = {slot: _open_ends(domain, degrees[slot]) for slot, domain in domains.items()}
        surviving = [e for e in terms if all(e[slot] in some for slot, some in ends.items() if some)]
        strict = all(any(all(e[s] == end for s, end in corner) for e in surviving) for corner in _corners(ends))
        split = tuple(slot for slot, some in ends.items() if len(some) == 2) if strict else ()
        first = [written[e] for e in surviving] if strict else []
        return Sum(poly, strict, tuple(first + [term for term in written.values() if term not in first]), split)

    def _term(self, exponents: tuple[int, ...], coefficient: Any, domains: dict[int, Domain], degrees: tuple[int, ...]) -> Term:
        factors: list[Factor] = []
        for slot, domain in domains.items():
            low, high, power = domain.lower, domain.upper, exponents[slot]
            if low is not None and high is not None:
                factors += [(slot, "lower", power), (slot, "upper", degrees[slot] - power)]
                coefficient = coefficient / fmpq(high - low) ** degrees[slot]
            else:
                factors.append((slot, "lower" if low is not None else "upper" if high is not None else "itself", power))
        return coefficient, tuple(factor for factor in factors if factor[2])

    def _multiples(self, poly: Poly, depth: int) -> Iterator[Evidence]:
        for assumed, strict in self.signs.assumed:
            for quotient in multipliers(poly, assumed):
                rest = self.tower.reduced(poly - quotient * assumed)
                multiplier = self(quotient, depth)
                below = None if rest.is_zero() else self(rest, depth)
                if multiplier is not None and (below is not None or rest.is_zero()):
                    firm = (strict and multiplier.strict) or (below is not None and below.strict)
                    yield Multiple(poly, firm, multiplier, assumed, below)

    def _squares(self, poly: Poly, depth: int) -> Iterator[Evidence]:
        for slot, degree in enumerate(poly.degrees()):
            generator = self.tower.generators.get(slot)
            if degree != 1 or generator is None or generator.domain.lower is None or generator.domain.lower < 0:
                continue
            w, outer = generator.poly, poly.derivative(slot)
            inner = poly - outer * w
            square, other = inner**2, outer**2 * w**2
            for larger, smaller, gap, of_root in ((inner, -outer, square - other, False), (outer, -inner, other - square, True)):
                gap = self.tower.reduced(gap)
                sides = self(larger, depth), self(smaller, depth)
                between = self(gap, depth)
                if sides[0] is not None and sides[1] is not None and (between is not None or gap.is_zero()):
                    yield Squares(poly, between is not None and between.strict, slot, sides[0], sides[1], of_root, between)

    def _discriminants(self, poly: Poly, depth: int) -> Iterator[Evidence]:
        for slot, degree in enumerate(poly.degrees()):
            if degree != 2 or self.tower.generators[slot].root:
                continue
            x = self.tower.generators[slot].poly
            first = poly.derivative(slot)
            a = first.derivative(slot) / 2
            b = first - 2 * a * x
            c = poly - a * x**2 - b * x
            gap = self.tower.reduced(4 * a * c - b**2)
            lead, between = self(a, depth), self(gap, depth)
            if lead is not None and lead.strict and (between is not None or gap.is_zero()):
                yield Discriminant(poly, between is not None and between.strict, slot, lead, b, c, between)


def _open_ends(domain: Domain, degree: int) -> tuple[int, ...]:
    """The exponents that survive at the ends which belong to the domain, or where the letter is 0."""
    unbounded = domain.lower is None and domain.upper is None
    ends = []
    if unbounded or (domain.closed_below if domain.lower is not None else domain.closed_above):
        ends.append(0)
    if domain.lower is not None and domain.upper is not None and domain.closed_above:
        ends.append(degree)
    return tuple(ends)


def _corners(ends: dict[int, tuple[int, ...]]) -> Iterator[tuple[tuple[int, int], ...]]:
    corners: list[tuple[tuple[int, int], ...]] = [()]
    for slot, choices in ends.items():
        if choices and len(corners) < 256:
            corners = [(*corner, (slot, end)) for corner in corners for end in choices]
    yield from corners
