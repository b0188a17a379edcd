r"""The decision: normal form first, counterexample second, and an honest rest.

An equality holds if the numerator of the difference reduces to 0 and every radicand is certified not to be negative; an
inequality if the sign of the difference is certified. What is not proved is put to the search for a counterexample, and
what it does not refute is undecided: that something could not be shown never means that it is false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from time import thread_time
from typing import Any, TypeVar

import sympy

from ..forms.quantities import Domain, Quantity
from ..verdict import MisuseError, Proof
from .claim import Claim, Condition, Counterexample, Decision
from .counterexample import feasible, search
from .normal import Normal
from .roots import factored
from .signs import Sign
from .tower import FullError, NestedError, TooLargeError, Tower, UnsupportedError, VanishingError, domain_of

Result = TypeVar("Result")

SIZES = (20, 40, 64)
MAX_SHARED = 16
SECONDS = 5.0

Remains = Callable[[], str]  # printing takes longer than refuting, so it waits until nothing else has settled the claim
_ZERO_EVERYWHERE = "a denominator is zero everywhere"


def decide(claim: Claim, seconds: float = SECONDS) -> Decision:
    """Prove or refute a claim, or say what remains.

    Args:
        claim: the statement.
        seconds: how long to try, in the computing time of this thread, so that a loaded machine decides as an idle one does.

    Raises:
        MisuseError: if two different letters of the claim go by one name.
    """
    deadline = thread_time() + seconds
    try:
        return _decide(claim, deadline)
    except RecursionError:
        return Decision(Proof.UNDECIDED, "not decided", remains="the expression is nested too deeply")


def _decide(claim: Claim, deadline: float) -> Decision:
    try:
        attempt = _attempt(claim, deadline)
    except VanishingError:
        return _refute(claim, deadline, lambda: _ZERO_EVERYWHERE)
    except UnsupportedError as error:
        return _refute(claim, deadline, partial(str, error))
    return attempt if isinstance(attempt, Decision) else _refute(claim, deadline, attempt)


def _attempt(claim: Claim, deadline: float) -> Decision | Remains:
    """A proof, or what remains of it."""
    return with_room(lambda squared, size: _read(claim, squared, size, deadline))


def with_room(attempt: Callable[[frozenset[sympy.Symbol], int], Result]) -> Result:
    """Attempt with a larger ring, or with letters as squares, as the need shows.

    Raises:
        TooLargeError: if the largest ring has no room.
    """
    squared: frozenset[sympy.Symbol] = frozenset()
    sizes = iter(SIZES)
    size = next(sizes)
    while True:
        try:
            return attempt(squared, size)
        except NestedError as nested:
            squared |= {nested.symbol}
        except FullError:
            size = next(sizes, 0)
            if not size:
                raise TooLargeError("the expression has too many letters and roots") from None


_SHARED: dict[Any, Normal] = {}


def forget() -> None:
    """Forget everything that was learnt from earlier claims; decisions are the same, only slower."""
    _SHARED.clear()


def _read(claim: Claim, squared: frozenset[sympy.Symbol], size: int, deadline: float) -> Decision | Remains:
    """Decide in a tower that earlier claims have built, so that common parts are known; if anything is odd, in a new one."""
    key = claim.assuming, squared, size
    shared = _SHARED.pop(key, None)
    if shared is not None:
        shared.tower.deadline = deadline
        try:
            result = _prove(claim, shared, partial(conditions, claim, squared, size))
        except (UnsupportedError, VanishingError, NestedError, FullError):
            shared = None
        if shared is not None and not shared.spoilt:
            _SHARED[key] = shared
            return result
    fresh = _normal(claim, squared, size, deadline)
    result = _prove(claim, fresh, partial(conditions, claim, squared, size))
    if fresh.tower.homonyms:
        one, other = fresh.tower.homonyms
        raise MisuseError(f"two different symbols are called {one.name}: one is {_described(one)}, the other {_described(other)}.")
    if not fresh.spoilt:
        if len(_SHARED) >= MAX_SHARED:
            _SHARED.clear()
        _SHARED[key] = fresh
    return result


def _normal(claim: Claim, squared: frozenset[sympy.Symbol], size: int, deadline: float) -> Normal:
    normal = Normal(Tower(size, squared, deadline))
    for assumed in claim.assuming:
        assume(assumed, normal)
    return normal


def _prove(claim: Claim, normal: Normal, conditions: Callable[[], tuple[Condition, ...]]) -> Decision | Remains:
    tower = normal.tower
    left, right = normal(claim.lhs), normal(claim.rhs)
    numerator, denominator = tower.sum(left, (-right[0], right[1]))
    numerator, denominator = tower.reduced(numerator), tower.reduced(denominator)
    if denominator.is_zero():
        raise VanishingError
    if claim.relation != "==":
        remains = _by_sign(normal, numerator, denominator, claim.relation)
    else:
        remains = None if numerator.is_zero() else lambda: f"{_shown(tower, numerator)} = 0"
    if not remains and normal.roots.open:
        poly, relation = normal.roots.needs[normal.roots.open]
        remains = lambda: f"{_shown(tower, poly)} {relation}"  # noqa: E731
    if remains:
        return remains
    if claim.assuming and not _feasible(claim.assuming):
        return lambda: "no point was found at which the assumptions hold"
    return Decision(Proof.PROVED, "normal form" if claim.relation == "==" else "sign certificate", conditions)


def _by_sign(normal: Normal, numerator: Any, denominator: Any, relation: str) -> Remains | None:
    """What remains of showing that numerator / denominator is negative, or at most 0; nothing if it is certified.

    Where the denominator vanishes there is nothing to compare, and that it does not is a condition of the proof.
    """
    sign = normal.signs(numerator) * normal.signs(denominator).where_nonzero()
    enough = sign.at_most_zero if relation == "<=" else sign is Sign.NEGATIVE
    if enough or _by_factors(normal, numerator, denominator, relation):
        return None

    def remains() -> str:
        below = "" if denominator.is_one() else f", divided by {_shown(normal.tower, denominator)}"
        return f"{_shown(normal.tower, numerator)}{below} {relation} 0"

    return remains


def _described(symbol: sympy.Symbol) -> str:
    if isinstance(symbol, Quantity) and symbol.definition is not None:
        return f"defined as {symbol.definition}"
    return str(domain_of(symbol))


@lru_cache(maxsize=256)
def _feasible(assuming: tuple[Claim, ...]) -> bool:
    return feasible(assuming, thread_time() + SECONDS)


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
        if multiplicity < 0:
            found = found.where_nonzero()
        sign = sign * found
    return sign.at_most_zero if relation == "<=" else sign is Sign.NEGATIVE


def assume(assumed: Claim, normal: Normal) -> None:
    """From now on the assumption may be used.

    Raises:
        UnsupportedError: if it is an equality, or of a kind that says nothing about signs.
    """
    tower = normal.tower
    left, right = normal(assumed.lhs), normal(assumed.rhs)
    numerator, denominator = map(tower.reduced, tower.sum(right, (-left[0], left[1])))
    sign = normal.signs(denominator)
    if assumed.relation == "==":
        raise UnsupportedError(f"the assumption {assumed} is an equality; substitute it instead")
    if not sign.strict:
        raise UnsupportedError(f"the assumption {assumed} has a denominator of unknown sign")
    positive = numerator if sign is Sign.POSITIVE else -numerator
    if positive.is_constant():
        return  # true by definition, or false: then no point fulfils it, and the claim is not proved
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
    if domain.lower is not None and domain.lower >= end:
        return domain  # a single point, or none: the assumption stands, but no domain says so
    return replace(domain, upper=end, closed_above=closed)


def _above(domain: Domain, end: int, closed: bool) -> Domain:
    if domain.lower is not None and (domain.lower > end or (domain.lower == end and (closed or not domain.closed_below))):
        return domain
    if domain.upper is not None and domain.upper <= end:
        return domain
    return replace(domain, lower=end, closed_below=closed)


def conditions(claim: Claim, squared: frozenset[sympy.Symbol], size: int) -> tuple[Condition, ...]:
    """Where the two sides of a proved claim make sense; read anew, so that nothing of other claims is among it."""
    normal = _normal(claim, squared, size, thread_time() + 2 * SECONDS)
    normal(claim.lhs), normal(claim.rhs)
    found: dict[str, Condition] = {}
    divisors = [(part, "!= 0") for divisor in normal.roots.divisors.values() for part in _parts(normal.tower, divisor)]
    for poly, relation in [*normal.roots.needs.values(), *divisors]:
        if (sign := _sign_or_unknown(normal, poly)).at_most_zero and relation == "!= 0":
            poly, sign = -poly, sign.flipped()
        holds = {"!= 0": sign.strict, ">= 0": sign.at_least_zero, "> 0": sign is Sign.POSITIVE}[relation]
        found[f"{poly} {relation}"] = Condition(relation, holds, partial(normal.tower.expression, poly))
    return tuple(found.values())


def _sign_or_unknown(normal: Normal, poly: Any) -> Sign:
    try:
        return normal.signs(poly)
    except TooLargeError:
        return Sign.UNKNOWN


def _parts(tower: Tower, divisor: Any) -> list[Any]:
    """The irreducible factors of a divisor, if it is not too large: it vanishes where one of them does.

    Roots stand for their radicands.
    """
    divisor = tower.reduced(divisor)
    try:
        factors = [factor for _, factor, _ in factored(divisor)[1]]
    except TooLargeError:
        factors = [divisor]
    roots = {str(generator.poly): generator.root for generator in tower.generators.values() if generator.root}
    bases = [root[0] if (root := roots.get(str(factor))) else factor for factor in factors]
    return [base for base in bases if not base.is_constant()]


def _refute(claim: Claim, deadline: float, remains: Remains) -> Decision:
    result = search(claim, max(deadline, thread_time() + 0.5))
    if result.found is not None:
        return Decision(Proof.REFUTED, "counterexample, by ball arithmetic", counterexample=result.found)
    if (words := remains()) == _ZERO_EVERYWHERE and result.valid and result.valid == result.undefined:
        nowhere = Counterexample({}, {}, "undefined", "undefined", words)
        return Decision(Proof.REFUTED, "normal form: division by zero", counterexample=nowhere)
    return Decision(Proof.UNDECIDED, "not decided", remains=words)


def _shown(tower: Tower, poly: Any) -> str:
    if len(poly) > 40:
        return f"a polynomial of {len(poly)} terms"
    return str(tower.expression(poly))
