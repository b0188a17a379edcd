r"""Rules that bound: Lagrange's remainder, the tangent of the exponential, and inequalities that add up.

What algebra cannot see of a smooth function or of an exponential is a theorem; what follows from it is algebra again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import sympy

from ...forms.quantities import REAL, in_base_letters
from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..step import Check
from ..tower import domain_of
from ..writer import Writer, tex


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much an exponential lies above its tangent at 0; made by :meth:`BoundRules.above_tangent`."""

    exponent: sympy.Expr

    @property
    def expression(self) -> sympy.Expr:
        """exp(u) - 1 - u, which is not negative."""
        return sympy.exp(self.exponent) - 1 - self.exponent


class BoundRules(Writer):
    """What a page can say of bounds."""

    def lagrange(self, symbol: str, derivatives: Sequence[Any], between: sympy.Symbol, at: Any, because: str) -> sympy.Expr:
        r"""Taylor's theorem with Lagrange's remainder: :math:`\sum_{k<n} F_k u^k/k! + F_n(\xi)\, u^n/n!`; returns it.

        Args:
            symbol: LaTeX of the function's value.
            derivatives: :math:`F_0, \dots, F_{n-1}` at the point.
            between: a new real letter: the value of the n-th derivative somewhere between. Bound it with `assume`.
            at: the distance u from the point.
            because: why the function is smooth.

        Raises:
            MisuseError: if the letter is spoken for, or is not real.
        """
        self._refuse_defined(between)
        terms, at = [exact(one) for one in derivatives], exact(at)
        if not terms:
            raise MisuseError("the function's value at the point is needed.")
        if domain_of(between) != REAL:
            raise MisuseError(f"{between} is the value of a derivative, so that it is real; bound it with `assume`.")
        known = letters_of(at, *terms)
        taken = between in self._variables or between in self._integrals or any(between in rates for rates in self._rates.values())
        if taken or between in known or any(between in letters_of(one.lhs, one.rhs) for one in self._assumed):
            raise MisuseError(f"{between} has a meaning of its own; the derivative between needs a new letter.")
        self._variables[between] = frozenset(known)
        order = len(terms)
        value = sum((one * at**k / factorial(k) for k, one in enumerate(terms)), between * at**order / factorial(order))
        self._write(
            "Lagrange's remainder", because, [],
            lambda: f"{symbol} = {value}",
            lambda: rf"{symbol} = {tex(value)}",
            f"Taylor's theorem: the function has {order} continuous derivatives; {between} is the last one somewhere between",
        )  # fmt: skip
        return value

    def above_tangent(self, exponent: Any, because: str) -> Gap:
        """An exponential lies above its tangent: exp(u) >= 1 + u, and equals it only at u = 0; for :meth:`add_up`."""
        gap = Gap(in_base_letters(exact(exponent)))
        self._gaps.append(gap)
        self._write(
            "tangent of the exponential", because,
            [self._decide("the exponent has a value", gap.exponent, "==", gap.exponent)],
            lambda: f"1 + ({exponent}) <= exp({exponent})",
            lambda: rf"1 + {tex(exact(exponent))} \le e^{{{tex(exact(exponent))}}}",
            "the exponential is strictly convex, so that it lies above its tangent at 0",
        )  # fmt: skip
        return gap

    def add_up(self, lhs: Any, rhs: Any, parts: Sequence[tuple[Any, Gap]], because: str, relation: str = "<=") -> Claim:
        """The right side exceeds the left by gaps that are not negative, each times a number that is not.

        Args:
            lhs, rhs: the two sides.
            parts: (number, gap) each; the difference of the sides is their sum.
            because: the justification.
            relation: ``<=``, or ``<``: then the first number is positive and its gap's exponent does not vanish.

        Raises:
            MisuseError: if a gap is none of the page.
        """
        lhs, rhs = exact(lhs), exact(rhs)
        if relation not in ("<=", "<") or not parts:
            raise MisuseError("gaps add up to <= or <, and there must be one.")
        if not all(any(gap is known for known in self._gaps) for _, gap in parts):
            raise MisuseError("a gap is made by `above_tangent`, on this page.")
        total = sum((exact(times) * gap.expression for times, gap in parts), sympy.Integer(0))
        checks = [self._decide("the gaps add up", rhs - lhs, "==", total)]
        checks += [self._decide("not negative", sympy.Integer(0), "<=", exact(times)) for times, _ in parts]
        if relation == "<":
            checks += self._strictly(*parts[0])
        stated = Claim(lhs, relation, rhs)
        self._write(
            "adding inequalities", because, checks, lambda: str(stated), stated.latex,
            "a sum of what is not negative is not negative" + ("; the first part is positive" if relation == "<" else ""),
        )  # fmt: skip
        return stated

    def _strictly(self, times: Any, gap: Gap) -> list[Check]:
        return [self._decide("positive", sympy.Integer(0), "<", exact(times)), self._nonzero(gap.exponent)]
