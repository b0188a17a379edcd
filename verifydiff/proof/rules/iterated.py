r"""Integrals over two groups of letters, one after the other (Fubini).

What is integrated over both is a coefficient, free of the inner letters, times an integrand: the inner integral is taken
first, and its value times the coefficient is integrated over the outer ones. Since the order does not matter, an integral
that was found one way may be compared with another way of finding it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from ...forms.quantities import in_base_letters
from ...verdict import MisuseError
from ..claim import exact
from ..step import Check
from ..writer import tex
from .measure import MeasureRules


class IteratedRules(MeasureRules):
    """What a page can say of integrals over several letters."""

    def in_turn(
        self,
        coefficient: Any,
        integrand: Any,
        inner: Sequence[sympy.Symbol],
        outer: Sequence[sympy.Symbol],
        because: str,
        inner_named: sympy.Symbol | None = None,
        outer_named: sympy.Symbol | None = None,
    ) -> sympy.Expr:
        r"""Fubini: :math:`\iint c(y) f(x, y)\,dx\,dy = \int c(y) \left(\int f(x, y)\,dx\right) dy`; returns the integrand c f.

        The result may stand among the integrands of :meth:`integrate` over both groups of letters together.

        Args:
            coefficient: c, free of the inner letters.
            integrand: f.
            inner: the letters x that are integrated out first.
            outer: the letters y.
            because: the justification.
            inner_named: the letter that stands for the inner integral, if it is not known.
            outer_named: the letter that stands for the outer integral, if it is not known.

        Raises:
            MisuseError: if a letter is inner and outer, the coefficient depends on an inner one, or an integral is neither
                known nor named.
        """
        coefficient, integrand = exact(coefficient), exact(integrand)
        inner, outer = tuple(inner), tuple(outer)
        if not inner or not outer or len({*inner, *outer}) != len(inner) + len(outer):
            raise MisuseError("an integral in turn is over two groups of letters that have none in common.")
        for one in (*inner, *outer):
            self._refuse_defined(one)
        if not self._constant(coefficient, *inner):
            raise MisuseError(
                f"the coefficient {coefficient} depends on {', '.join(map(str, inner))}: it cannot leave the inner integral."
            )
        self._on_the_whole_line(*inner, *outer)
        whole = in_base_letters(coefficient * integrand)
        checks = [self._decide("the integrand has a value", whole, "==", whole)]
        first = self._valued(integrand, inner, inner_named, checks)
        value = self._valued(coefficient * first, outer, outer_named, checks)
        self._known_values[whole] = (*inner, *outer), value
        letters, rest = (", ".join(map(str, group)) for group in ((*inner, *outer), outer))
        over, left = ("".join(rf"\,d{tex(one)}" for one in group) for group in ((*inner, *outer), outer))
        self._write(
            "Fubini", because, checks,
            lambda: f"int {whole} d({letters}) = int ({coefficient}) ({first}) d({rest}) = {value}",
            lambda: rf"\iint {tex(whole)}{over} = \int {tex(coefficient * first)}{left} = {tex(value)}",
            "the integrand is absolutely integrable over all the letters together, so that the order does not matter",
        )  # fmt: skip
        return whole

    def _valued(
        self, integrand: sympy.Expr, over: tuple[sympy.Symbol, ...], named: sympy.Symbol | None, checks: list[Check]
    ) -> Any:
        """The integral: the letter that names it, or what is known of it."""
        if integrand == 0:
            return sympy.Integer(0)
        if named is None:
            return self._known_integral(integrand, over)
        checks += self._named(named, integrand, over)
        return named
