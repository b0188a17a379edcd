r"""The decision: normal form first, counterexample second, and an honest rest.

An equality holds if the numerator of the difference reduces to 0 and every radicand is certified not to be negative; an
inequality if the sign of the difference is certified. What is not proved is put to the search for a counterexample, and
what it does not refute is undecided: that something could not be shown never means that it is false.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import Any

import sympy

from ..forms.quantities import Domain
from ..verdict import Proof
from .claim import Claim, Condition, Counterexample, Decision
from .counterexample import feasible, search
from .normal import Normal
from .signs import Sign
from .tower import FullError, NestedError, TooLargeError, Tower, UnsupportedError, VanishingError

SIZES = (8, 16, 32, 64)
SECONDS = 5.0


def decide(claim: Claim, seconds: float = SECONDS) -> Decision:
    """Prove or refute a claim, or say what remains.

    Args:
        claim: the statement.
        seconds: how long to try.

    Raises:
        MisuseError: if two different letters of the claim go by one name.
    """
    deadline = monotonic() + seconds
    try:
        attempt = _attempt(claim, deadline)
    except VanishingError:
        return _refute(claim, deadline, "a denominator is zero everywhere")
    except UnsupportedError as error:
        return _refute(claim, deadline, str(error))
    except RecursionError:
        return Decision(Proof.UNDECIDED, "not decided", remains="the expression is nested too deeply")
    if isinstance(attempt, Decision):
        return attempt
    return _refute(claim, deadline, attempt)


def _attempt(claim: Claim, deadline: float) -> Decision | str:
    """A proof, or what remains of it; with a larger ring, or with letters as squares, as the need shows."""
    squared: frozenset[sympy.Symbol] = frozenset()
    sizes = iter(SIZES)
    size = next(sizes)
    while True:
        try:
            return _prove(claim, Normal(Tower(size, squared, deadline)))
        except NestedError as nested:
            squared |= {nested.symbol}
        except FullError:
            size = next(sizes, 0)
            if not size:
                raise TooLargeError("the expression has too many letters and roots") from None


def _prove(claim: Claim, normal: Normal) -> Decision | str:
    for assumed in claim.assuming:
        _assume(assumed, normal)
    tower = normal.tower
    left, right = normal(claim.lhs), normal(claim.rhs)
    numerator, denominator = tower.sum(left, (-right[0], right[1]))
    conditions, remains = _conditions(normal)
    if claim.relation == "==":
        if not numerator.is_zero():
            return f"{_shown(tower, numerator)} = 0"
        method = _method(normal)
    else:
        sign = normal.signs(numerator) * normal.signs(denominator)
        enough = sign.at_most_zero if claim.relation == "<=" else sign is Sign.NEGATIVE
        if not enough and not (enough := _by_factors(normal, numerator, denominator, claim.relation)):
            return f"{_shown(tower, numerator)} {claim.relation} 0, over {_shown(tower, denominator)}"
        method = "sign certificate"
    if remains:
        return remains
    if claim.assuming and not feasible(claim, tower.deadline):
        return "no point was found at which the assumptions hold"
    return Decision(Proof.PROVED, method, conditions)


def _by_factors(normal: Normal, numerator: Any, denominator: Any, relation: str) -> bool:
    """The sign of a fraction from the signs of its irreducible factors."""
    if numerator.is_zero():
        return relation == "<="
    number, factors = normal.roots.factors((numerator, denominator))
    sign = Sign.POSITIVE if number > 0 else Sign.NEGATIVE
    for factor, multiplicity in factors.values():
        found = normal.signs(factor)
        if multiplicity % 2 == 0:
            found = Sign.POSITIVE if found.strict else Sign.NONNEGATIVE
        sign = sign * found
    return sign.at_most_zero if relation == "<=" else sign is Sign.NEGATIVE


def _assume(assumed: Claim, normal: Normal) -> None:
    tower = normal.tower
    left, right = normal(assumed.lhs), normal(assumed.rhs)
    numerator, denominator = tower.sum(right, (-left[0], left[1]))
    sign = normal.signs(denominator)
    if assumed.relation == "==":
        raise UnsupportedError(f"the assumption {assumed} is an equality; substitute it instead")
    if not sign.strict:
        raise UnsupportedError(f"the assumption {assumed} has a denominator of unknown sign")
    positive = numerator if sign is Sign.POSITIVE else -numerator
    _narrow(tower, positive, closed=assumed.relation == "<=")
    normal.signs.assume(positive, strict=assumed.relation == "<")


def _narrow(tower: Tower, positive: Any, closed: bool) -> None:
    """Where the assumption is a whole-number bound on one letter, narrow that letter's domain."""
    slots = [slot for slot, degree in enumerate(positive.degrees()) if degree]
    generator = tower.generators[slots[0]] if len(slots) == 1 else None
    if generator is None or generator.symbol is None:
        return
    lead = positive.leading_coefficient()
    squared = generator.symbol in tower.squared
    bound = generator.poly ** (2 if squared else 1) - positive / lead
    if not bound.is_constant() or (bound != 0 and bound.leading_coefficient().q != 1):
        return
    end = 0 if bound == 0 else int(bound.leading_coefficient().p)
    if squared and end not in (0, 1):
        return
    generator.domain = _below(generator.domain, end, closed) if lead < 0 else _above(generator.domain, end, closed)


def _below(domain: Domain, end: int, closed: bool) -> Domain:
    if domain.upper is not None and (domain.upper < end or (domain.upper == end and (closed or not domain.closed_above))):
        return domain
    return replace(domain, upper=end, closed_above=closed)


def _above(domain: Domain, end: int, closed: bool) -> Domain:
    if domain.lower is not None and (domain.lower > end or (domain.lower == end and (closed or not domain.closed_below))):
        return domain
    return replace(domain, lower=end, closed_below=closed)


def _conditions(normal: Normal) -> tuple[tuple[Condition, ...], str]:
    """Where the expressions make sense, and the first obligation that has no certificate."""
    conditions, remains = [], ""
    for poly, relation in normal.roots.needed.values():
        sign = normal.signs(poly)
        holds = {"!= 0": sign.strict, ">= 0": sign.at_least_zero, "> 0": sign is Sign.POSITIVE}[relation]
        if not holds and relation != "!= 0" and not sign.at_least_zero:
            remains = remains or f"{_shown(normal.tower, poly)} {relation}"
        tower = normal.tower
        conditions.append(Condition(relation, holds, lambda tower=tower, poly=poly: tower.expression(poly)))  # type: ignore[misc]
    return tuple(conditions), remains


def _method(normal: Normal) -> str:
    roots = len(normal.tower.roots)
    others = len(normal.tower.relations) - roots + len(normal.tower.logs) + len(normal.tower.exponentials)
    parts = [f"{roots} root{'s' * (roots != 1)}"] * bool(roots) + [f"{others} other generator{'s' * (others != 1)}"] * bool(others)
    return "normal form" + (f", {' and '.join(parts)}" if parts else "")


def _refute(claim: Claim, deadline: float, remains: str) -> Decision:
    result = search(claim, max(deadline, monotonic() + 0.5))
    if result.found is not None:
        return Decision(Proof.REFUTED, "counterexample, by ball arithmetic", counterexample=result.found)
    if remains == "a denominator is zero everywhere" and result.valid and result.valid == result.undefined:
        nowhere = Counterexample({}, {}, "undefined", "undefined", remains)
        return Decision(Proof.REFUTED, "normal form: division by zero", counterexample=nowhere)
    return Decision(Proof.UNDECIDED, "not decided", remains=remains)


def _shown(tower: Tower, poly: Any) -> str:
    if len(poly) > 40:
        return f"a polynomial of {len(poly)} terms"
    return str(tower.expression(poly))
