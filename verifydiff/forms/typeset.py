r"""Expressions as LaTeX, sums as one writes them by hand: :math:`1 - \bar\alpha_s - \sigma_t^2`, what is added first."""

from __future__ import annotations

import sympy
from sympy.printing.latex import LatexPrinter


def typeset(expression: sympy.Basic) -> str:
    """The expression as LaTeX, without dollar signs."""
    return str(_Printer().doprint(expression))


class _Printer(LatexPrinter):  # type: ignore[misc]  # SymPy carries no types
    def _as_ordered_terms(self, expression: sympy.Expr, order: str | None = None) -> list[sympy.Expr]:
        """The terms of a sum, those without a minus first."""
        terms = super()._as_ordered_terms(expression, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())
