r"""Induction on the number of steps.

A statement about n steps, such as :math:`L_n = R_n` or :math:`L_n \le R_n`, holds for all n from the first on if it holds
for the first, and if it follows for n + 1 from what it says of n.
"""

from __future__ import annotations

from typing import Any

import sympy

from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..decide import decide
from ..step import Check
from ..writer import Writer

Sides = tuple[Any, Any]


class InductionRules(Writer):
    """What a page can say for every number of steps."""

    def induction(
        self, over: str, base: Sides, hypothesis: Sides, step: Sides, statement: str, because: str, relation: str = "=="
    ) -> None:
        """A statement holds for every n.

        Args:
            over: the letter that is counted, as the reader sees it.
            base: both sides for the first n.
            hypothesis: both sides for n; the left one is a letter that stands for it.
            step: both sides for n + 1, written with that letter and with the letters of one step.
            statement: what is shown, as LaTeX.
            because: the justification.
            relation: ``==``, or ``<=``.

        Raises:
            MisuseError: if the hypothesis is not about a letter, or the step does not mention it.
        """
        letter, known = hypothesis[0], exact(hypothesis[1])
        if not isinstance(letter, sympy.Symbol) or getattr(letter, "definition", None) is not None:
            raise MisuseError(f"the left side of the hypothesis is a letter without a definition, got {letter!r}.")
        if letter in letters_of(known):
            raise MisuseError(f"the hypothesis must say what {letter} is without {letter}.")
        if letter not in letters_of(exact(step[0]), exact(step[1])):
            raise MisuseError(f"the step does not use {letter}, so that it is no induction.")
        if relation not in ("==", "<="):
            raise MisuseError(f"an induction is about == or <=, got {relation!r}.")
        checks = [self._decide("base", base[0], relation, base[1])]
        checks += self._step(letter, known, base, step, relation)
        self._write(
            "induction", because, checks,
            lambda: f"for all {over}: {checks[0].statement}; if {letter} {relation} {known}, then {checks[1].statement}",
            lambda: rf"{statement} \quad \text{{for all }} {over}",
            f"a statement that holds at first, and at {over} + 1 if at {over}, holds for all {over}",
        )  # fmt: skip

    def _step(self, letter: sympy.Symbol, known: sympy.Expr, base: Sides, step: Sides, relation: str) -> list[Check]:
        lhs, rhs = exact(step[0]), exact(step[1])
        if relation == "==":
            put = {letter: known}
            return [self._decide("step, with the hypothesis put in", lhs.xreplace(put), "==", rhs.xreplace(put))]
        stated = Claim(lhs, relation, rhs, (*self.assumed, Claim(letter, relation, known)))
        step_check = Check("step, under the hypothesis", stated, decide(stated))
        return [step_check, *self._in_domain(letter, exact(base[0])), *self._in_domain(letter, lhs)]
