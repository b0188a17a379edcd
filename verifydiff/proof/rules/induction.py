r"""Induction on the number of steps.

A sequence is given by its first term and by how a term follows from the one before; a closed form of it by letters that
advance from step to step. That the closed form is right at first, and after every step that starts from where it is right,
makes it right for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..decide import decide
from ..step import Check
from ..writer import Writer, tex

Values = Mapping[sympy.Symbol, Any]


class InductionRules(Writer):
    """What a page can say for every number of steps."""

    def induction(
        self,
        term: sympy.Symbol,
        first: Any,
        then: Any,
        closed: Any,
        at_first: Values,
        advanced: Values,
        because: str,
        relation: str = "==",
    ) -> sympy.Expr:
        r"""Every term of a sequence equals its closed form, or is at most that; returns the closed form.

        .. code-block:: python

            # 1 + 2 + ... + n = n (n + 1) / 2
            d.induction(total, 1, total + n + 1, n * (n + 1) / 2, {n: 1}, {n: n + 1}, "the next number is added")

        Args:
            term: the letter of a term of the sequence.
            first: its first value.
            then: the next term, written with ``term`` and the letters of one step.
            closed: what the term is claimed to be, written with letters that advance.
            at_first: the values of those letters for the first term.
            advanced: their values for the next term.
            because: the justification.
            relation: ``==``, or ``<=``.

        Raises:
            MisuseError: if the next term does not use the one before, the closed form mentions the term, or a letter that
                advances is not one of the closed form, or has a definition.
        """
        first, then, closed = exact(first), exact(then), exact(closed)
        self._refuse_odd_terms(term, then, closed, set(at_first), set(advanced))
        if relation not in ("==", "<="):
            raise MisuseError(f"an induction is about == or <=, got {relation!r}.")
        start, end = closed.xreplace(_exact(at_first)), closed.xreplace(_exact(advanced))
        checks = [self._decide("base", first, relation, start), *self._step(term, first, then, closed, end, relation)]
        for one, value in [*_exact(at_first).items(), *_exact(advanced).items()]:
            checks += self._in_domain(one, value)
        sign = "=" if relation == "==" else r"\le"
        self._write(
            "induction", because, checks,
            lambda: f"{term} {relation} {closed}: at first {first} {relation} {start}, then {then} {relation} {end}",
            lambda: rf"{tex(term)} {sign} {tex(closed)} \ \text{{at every step:}}\quad {tex(first)} {sign} {tex(start)},"
            rf"\quad {tex(then)} {sign} {tex(end)}",
            f"what is true of the first term, and of the next one if of {term}, is true of all; "
            + "; ".join(f"{one} is {at_first[one]} at first, then {advanced[one]}" for one in advanced),
        )  # fmt: skip
        return closed

    def _step(self, term: Any, first: Any, then: Any, closed: Any, end: Any, relation: str) -> list[Check]:
        if relation == "==":
            return [self._decide("step, with the closed form put in", then.xreplace({term: closed}), "==", end)]
        stated = Claim(then, relation, end, (*self.assumed, Claim(term, relation, closed)))
        step = Check("step, where the term is at most its bound", stated, decide(stated))
        return [step, *self._in_domain(term, first), *self._in_domain(term, then)]

    def _refuse_odd_terms(self, term: Any, then: Any, closed: Any, at_first: set[Any], advanced: set[Any]) -> None:
        for one in (term, *at_first, *advanced):
            self._refuse_defined(one)
        if term not in letters_of(then):
            raise MisuseError(f"the next term does not use {term}, so that it is no induction.")
        if term in letters_of(closed):
            raise MisuseError(f"the closed form must say what {term} is without {term}.")
        if at_first != advanced or not at_first <= letters_of(closed):
            raise MisuseError("the letters that advance are those of the closed form, each with a first value and a next one.")
        self._on_the_whole_line(term, *at_first)


def _exact(values: Values) -> dict[sympy.Symbol, sympy.Expr]:
    return {one: exact(value) for one, value in values.items()}
