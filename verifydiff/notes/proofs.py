r"""A way read in letters and put to the proof engine: proved, or refuted with a counterexample."""

from __future__ import annotations

import re
from typing import Any

from .algebra import Letters, Numbers
from .rules import Link, Owed
from .tokens import NotUnderstoodError
from .ways import SEEDS, Definitions, Tried, agree, debts, reading_of


def in_letters(tried: Tried, link: Link, defined: Definitions) -> tuple[list[Owed], Letters]:
    """What a way owes, as expressions."""
    algebra = Letters()
    reading = reading_of(tried.way, link, algebra, defined, tried.touched)
    for choice, owed in enumerate(tried.way.rule(link, reading)):
        if choice == tried.way.choice:
            algebra.positive = reading.process.assumed()
            return [*owed, *debts(reading)], algebra
    raise NotUnderstoodError("the formula", 0, "what it owes changes with the letters")


def proved(tried: Tried, link: Link, defined: Definitions) -> bool | None:
    """Whether the engine proves what a way owes; None if it cannot say."""
    from ..proof import decide
    from ..verdict import Proof

    try:
        owed, algebra = in_letters(tried, link, defined)
        outcomes = [decide(_claim(one, algebra), seconds=1.0).outcome for one in owed]
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


def counterexample(tried: Tried, link: Link, defined: Definitions) -> tuple[dict[str, object] | None, str]:
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
            at = {_plain(str(getattr(letter, "tex", letter))): str(number) for letter, number in found.point.items()}
            at.update(_levels(found.point))
            return {"at": at, "left": found.lhs, "right": found.rhs, "of": one.of}, one.of
    return _numeric(tried, link, defined)


def _levels(point: dict[Any, Any]) -> dict[str, str]:
    """abar_t, which the engine builds from its ratio."""
    by_name = {letter.name: (letter, number) for letter, number in point.items()}
    if "abar_s" in by_name and "alpha_t" in by_name:
        ratio = by_name["alpha_t"]
        index = ratio[0].tex.removeprefix(r"\alpha")
        return {rf"\bar\alpha{index}": str(ratio[1] * by_name["abar_s"][1])}
    return {}


def _numeric(tried: Tried, link: Link, defined: Definitions) -> tuple[dict[str, object] | None, str]:
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


def _plain(tex: str) -> str:
    """A letter without the braces that a single index does without: two ways of reading may have spelled it differently."""
    return re.sub(r"_\{(\w)\}", r"_\1", tex)
