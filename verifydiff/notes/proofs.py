r"""A way read in letters and put to the proof engine: proved, or refuted with a counterexample."""

from __future__ import annotations

import re
from typing import Any

from .algebra import Letters, Numbers
from .known import Known
from .rules import Link, Owed
from .tokens import NotUnderstoodError
from .ways import SEEDS, Tried, agree, debts, reading_of


def in_letters(tried: Tried, link: Link, defined: Known) -> tuple[list[Owed], Letters]:
    """What a way owes, as expressions."""
    algebra = Letters()
    reading = reading_of(tried.way, link, algebra, defined, tried.touched)
    for choice, owed in enumerate(tried.way.rule(link, reading)):
        if choice == tried.way.choice:
            algebra.positive = reading.process.assumed()
            return [*owed, *debts(reading)], algebra
    raise NotUnderstoodError("the formula", 0, "what it owes changes with the letters")


def proved(tried: Tried, link: Link, defined: Known) -> bool | None:
    """Whether the engine proves what a way owes; None if it cannot say."""
    from ..proof import decide
    from ..verdict import Proof

    try:
        owed, algebra = in_letters(tried, link, defined)
        outcomes = [decide(_claim(one, algebra), seconds=2.0).outcome for one in owed]
    except (NotUnderstoodError, ArithmeticError, ValueError, TypeError):
        return None
    if all(outcome is Proof.PROVED for outcome in outcomes):
        return True
    return False if Proof.REFUTED in outcomes else None


def _claim(owed: Owed, algebra: Letters) -> Any:
    from sympy import Ge, Gt, S, sympify

    from ..proof import Claim

    left, right = sympify(owed.left), sympify(owed.right)
    letters = left.free_symbols | right.free_symbols
    assumed = [Ge(one, 0) for one in algebra.radicands if one.free_symbols & letters]
    assumed += [Gt(one, 0) for one in algebra.positive if one.free_symbols & letters]
    return Claim(left, owed.relation, right, tuple(one for one in assumed if one not in (S.true, S.false)))


def counterexample(tried: Tried, link: Link, defined: Known) -> tuple[dict[str, object] | None, str]:
    """A point at which a way fails, found by the engine, and what is compared there."""
    from ..proof import decide

    try:
        owed, algebra = in_letters(tried, link, defined)
    except (NotUnderstoodError, ArithmeticError, ValueError, TypeError):
        return _numeric(tried, link, defined)
    for one in owed:
        try:
            decision = decide(_claim(one, algebra), seconds=1.0)
        except (ValueError, TypeError):
            continue
        if (found := decision.counterexample) is not None:
            at = _spelled(found.point, algebra)
            return {"at": at, "left": found.lhs, "right": found.rhs, "of": one.of}, one.of
    return _numeric(tried, link, defined)


def _spelled(point: dict[Any, Any], algebra: Letters) -> dict[str, str]:
    """The numbers of a point by the page's own letters, and abar_t, which the engine builds from its ratio.

    A letter is looked up by its name: SymPy may hand back an equal one that another page spelled in another way.
    """
    names = {name: letter.tex for name, letter in algebra.known.items()}
    names = {letter.name: names.get(letter.name, getattr(letter, "tex", letter.name)) for letter in point}
    numbers = {letter.name: number for letter, number in point.items()}
    if "abar_s" in numbers and "alpha_t" in numbers:
        names["abar_t"] = names["alpha_t"].replace(r"\alpha", r"\bar\alpha")
        numbers["abar_t"] = numbers["alpha_t"] * numbers["abar_s"]
    return {re.sub(r"_\{(\w)\}", r"_\1", names[name]): str(number) for name, number in numbers.items()}


def _numeric(tried: Tried, link: Link, defined: Known) -> tuple[dict[str, object] | None, str]:
    reading = reading_of(tried.way, link, Numbers(SEEDS[0]), defined)
    try:
        for choice, owed in enumerate(tried.way.rule(link, reading)):
            if choice == tried.way.choice:
                for one in (*owed, *debts(reading)):
                    if not agree(one):
                        sides = [f"{complex(side).real:.6g}" for side in (one.left, one.right)]
                        return {"at": {}, "left": sides[0], "right": sides[1], "of": one.of}, one.of
    except (NotUnderstoodError, ArithmeticError, ValueError):
        return None, ""
    return None, ""
