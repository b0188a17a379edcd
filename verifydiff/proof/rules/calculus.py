r"""Rules of calculus: derivatives, Taylor's theorem, integrals by an antiderivative, undetermined coefficients.

A function of time, or a density of which nothing is known, is a letter whose *rate* is declared: its derivative is another
letter. What is differentiated is then algebra over letters and their rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial
from typing import Any

import sympy

from ...forms.quantities import in_base_letters
from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..series import coefficients
from ..step import Check
from ..tower import domain_of
from ..writer import Writer, tex


class CalculusRules(Writer):
    """What a page can say of functions."""

    def depends(self, along: sympy.Symbol, rates: Mapping[sympy.Symbol, Any], because: str) -> None:
        """Letters are functions of ``along``: each with its rate of change, for :meth:`derivative`.

        .. code-block:: python

            d.depends(t, {B: beta, beta: beta_rate}, "B is the integral of beta over time")

        A letter that stands for a derivative, or in a rate, must itself be declared before anything that holds it is
        differentiated; a constant has the rate 0.

        Raises:
            MisuseError: if a letter has a definition or a rate already, or stands for an integral.
        """
        self._refuse_defined(along)
        known = self._rates.setdefault(along, {})
        for one, rate in rates.items():
            self._refuse_defined(one)
            if one == along:
                raise MisuseError(f"{along} has the rate 1 along itself.")
            if one in self._integrals:
                raise MisuseError(f"{one} stands for an integral; differentiate it with `under_integral`.")
            if one in self._ends or one in self._found:
                raise MisuseError(f"{one} stands for a value, which does not move.")
            if one in self._variables and along not in self._variables[one]:
                raise MisuseError(f"{one} was said not to depend on {along}.")
            if known.setdefault(one, exact(rate)) != exact(rate):
                raise MisuseError(f"{one} has the rate {known[one]} along {along} already.")
        self._write(
            "definition", because, [],
            lambda: ", ".join(f"d{one}/d{along} = {rate}" for one, rate in rates.items()),
            lambda: r",\quad ".join(rf"\frac{{d}}{{d{tex(along)}}} {tex(one)} = {tex(exact(rate))}" for one, rate in rates.items()),
        )  # fmt: skip

    def derivative(self, function: Any, of: sympy.Symbol, result: Any, because: str) -> sympy.Expr:
        """The derivative of the function is the result; returns the result.

        Letters that were declared to depend on ``of`` (:meth:`depends`) are differentiated by the chain rule.
        """
        function, result = in_base_letters(exact(function)), exact(result)
        slope = self._slope(function, of)
        checks = [
            self._decide("the function has a value", function, "==", function),
            self._decide("derivative", slope, "==", result),
        ]
        chained = set(self._rates.get(of, ())) & function.free_symbols
        sign = "d" if chained else r"\partial"
        self._write(
            "differentiation", because, checks,
            lambda: f"d/d{of} ({function}) = {result}",
            lambda: rf"\frac{{{sign}}}{{{sign} {tex(of)}}} \left({tex(function)}\right) = {tex(result)}",
            f"the chain rule: {', '.join(sorted(map(str, chained)))} depend on {of}" if chained else "",
        )  # fmt: skip
        return result

    def taylor(self, symbol: str, derivatives: Sequence[Any], at: Any, because: str) -> sympy.Expr:
        r"""A smooth function near a point, by its derivatives there: :math:`\sum_k F_k u^k / k!`, up to :math:`O(u^{n+1})`.

        Args:
            symbol: LaTeX of the function's value.
            derivatives: :math:`F_0, \dots, F_n`, letters of one's own.
            at: the distance u from the point.
            because: why the function is smooth there.
        """
        polynomial = sum((exact(one) * exact(at) ** k / factorial(k) for k, one in enumerate(derivatives)), sympy.Integer(0))
        order = len(derivatives)
        self._write(
            "Taylor's theorem", because, [],
            lambda: f"{symbol} = {polynomial} + O(({at})^{order})",
            lambda: rf"{symbol} = {tex(polynomial)} + O\left(\left({tex(exact(at))}\right)^{{{order}}}\right)",
            f"the function has {order} continuous derivatives; what is left out is of order {order}",
        )  # fmt: skip
        return polynomial

    def expand(self, function: Any, of: sympy.Symbol, result: Any, order: int, because: str, around: Any = 0) -> sympy.Expr:
        r"""The function is the result up to :math:`O((x - x_0)^{n+1})`, for held values of all other letters; returns the result.

        Both sides have equal Taylor coefficients of orders 0 to n at :math:`x_0`, and are analytic there: every denominator and
        every radicand is certified not to vanish, every radicand and argument of a logarithm to be positive.

        Args:
            function: what is expanded.
            of: the letter x along which it is.
            result: what it is up to the order; usually a polynomial in x - x_0.
            order: n.
            because: the justification.
            around: the point x_0; an end of the domain of x will do.

        Raises:
            MisuseError: if something depends on x without saying how, or a side has no value at the point.
        """
        function, result, point = in_base_letters(exact(function)), in_base_letters(exact(result)), exact(around)
        self._refuse_defined(of)
        if not isinstance(order, int) or order < 0:
            raise MisuseError(f"`order` is a whole number from 0 on, got {order!r}.")
        for one in letters_of(function, result, point) - {of}:
            if self._moves(one, of):
                raise MisuseError(f"{one} depends on {of}; write its Taylor polynomial first.")
        checks = [check for side in (function, result) for check in self._analytic(side, of, point)]
        series = [coefficients(side, of, point, order) for side in (function, result)]
        for k, (left, right) in enumerate(zip(*series, strict=True)):
            checks.append(self._decide(f"coefficient of order {k}", left, "==", right))
        distance = tex(of) if point == 0 else rf"\left({tex(of - point)}\right)"
        beyond = distance if order == 0 else f"{distance}^{{{order + 1}}}"
        self._write(
            "Taylor expansion", because, checks,
            lambda: f"{function} = {result} + O(({of - point})^{order + 1})",
            lambda: rf"{tex(function)} = {tex(result)} + O\left({beyond}\right)",
            "Taylor's theorem: both sides are analytic at the point, so they differ by the order after the last that agrees",
        )  # fmt: skip
        return result

    def integral(self, integrand: Any, of: sympy.Symbol, lower: Any, upper: Any, antiderivative: Any, because: str) -> sympy.Expr:
        """The integral from ``lower`` to ``upper``, by an antiderivative; returns its value.

        The derivative of the antiderivative is the integrand wherever ``of`` may lie, and both ends lie there.

        Raises:
            MisuseError: if something else depends on ``of``.
        """
        integrand, antiderivative = in_base_letters(exact(integrand)), in_base_letters(exact(antiderivative))
        lower, upper = exact(lower), exact(upper)
        self._refuse_defined(of)
        self._on_the_whole_line(of)
        for one in letters_of(integrand, antiderivative, lower, upper) - {of}:
            if self._moves(one, of):
                raise MisuseError(f"{one} depends on {of} and cannot be integrated as a constant.")
        if of in letters_of(lower, upper):
            raise MisuseError(f"the ends of the integral must not depend on {of}.")
        slope = self._decide("the antiderivative's slope", sympy.diff(antiderivative, of), "==", integrand)
        checks = [slope, *self._everywhere(slope, of)]
        for end in (lower, upper):
            checks += self._between_ends(of, end) + self._analytic(antiderivative, of, end)
        value = _put(antiderivative, of, upper) - _put(antiderivative, of, lower)
        self._write(
            "integral", because, checks,
            lambda: f"int_{lower}^{upper} {integrand} d{of} = {value}",
            lambda: rf"\int_{{{tex(lower)}}}^{{{tex(upper)}}} {tex(integrand)}\,d{tex(of)} = {tex(value)}",
            "the fundamental theorem of calculus, for an integrand that is continuous between the ends",
        )  # fmt: skip
        return value

    # -- undetermined coefficients ----------------------------------------------------------------------------------------

    def match(self, lhs: Any, rhs: Any, letters: Sequence[sympy.Symbol], because: str) -> list[Claim]:
        """Undetermined coefficients: polynomials in the letters agree for all values exactly if their coefficients do.

        Returns:
            One equation a monomial that does not hold by itself.
        """
        if not all(isinstance(one, sympy.Symbol) for one in letters):
            raise MisuseError("undetermined coefficients are compared along letters.")
        self._on_the_whole_line(*letters)
        lhs, rhs = in_base_letters(exact(lhs)), in_base_letters(exact(rhs))
        try:
            gap = sympy.Poly(sympy.expand(lhs - rhs), *letters)
        except sympy.PolynomialError:
            raise MisuseError(f"{lhs} - ({rhs}) is no polynomial in {', '.join(map(str, letters))}.") from None
        equations = [Claim(coefficient, "==", sympy.Integer(0)) for coefficient in gap.coeffs()]
        check = self._decide("coefficients put together again", gap.as_expr(), "==", lhs - rhs)
        self._write(
            "undetermined coefficients", because, [check],
            lambda: f"{lhs} = {rhs} for all {', '.join(map(str, letters))}: " + ", ".join(map(str, equations)),
            lambda: r",\quad ".join(equation.latex() for equation in equations),
            "a polynomial that vanishes for all values is zero",
        )  # fmt: skip
        return equations

    def solve(self, equations: Sequence[Claim], values: Mapping[sympy.Symbol, Any], because: str) -> None:
        """The values solve the equations, and being linear in turn with coefficients that do not vanish, no others do."""
        if any(equation.relation != "==" or not set(equation.assuming) <= set(self.assumed) for equation in equations):
            raise MisuseError("`solve` takes equations, under no other hypotheses than those in force.")
        checks = [check for letter, value in values.items() for check in self._in_domain(letter, exact(value))]
        checks += self._hypotheses_hold({letter: exact(value) for letter, value in values.items()})
        solved: dict[Any, Any] = {}
        rest = [in_base_letters(equation.lhs - equation.rhs) for equation in equations]
        for letter, value in values.items():
            rest = [gap.xreplace(solved) for gap in rest]
            pivot = next(
                (
                    gap
                    for gap in rest
                    if letter in gap.free_symbols and not (set(values) - set(solved) - {letter}) & gap.free_symbols
                ),
                None,
            )
            if pivot is None:
                raise MisuseError(f"no equation determines {letter} from what is known before it.")
            checks.append(
                self._decide(f"{letter} solves its equation", pivot.xreplace({letter: exact(value)}), "==", sympy.Integer(0))
            )
            checks += self._unique(pivot, letter, exact(value))
            solved[letter] = exact(value)
        for gap in rest:
            checks.append(self._decide("every equation holds", gap.xreplace(solved), "==", sympy.Integer(0)))
        self._write(
            "solving", because, checks,
            lambda: ", ".join(f"{letter} = {value}" for letter, value in values.items()),
            lambda: r",\quad ".join(f"{tex(letter)} = {tex(value)}" for letter, value in values.items()),
            "an equation of first degree with a slope that is not zero has one solution; m^2 = c has one that is not negative",
        )  # fmt: skip

    # -- under a rule -----------------------------------------------------------------------------------------------------

    def _analytic(self, function: sympy.Expr, of: sympy.Symbol, point: sympy.Expr) -> list[Check]:
        """What makes an elementary function analytic at a point: nothing under a root, a fraction or a logarithm vanishes."""
        if strange := [part for part in sympy.preorder_traversal(function) if not isinstance(part, _ANALYTIC)]:
            raise MisuseError(f"{strange[0]} is not known to be analytic.")
        checks: list[Check] = []
        for part in sorted(sympy.preorder_traversal(function), key=sympy.default_sort_key) if function.has(of) else ():
            inside = _argument(part)
            if inside is None or not inside.has(of):
                continue
            value, positive = _put(inside, of, point), not (isinstance(part, sympy.Pow) and part.exp.is_Integer)
            check = self._decide("positive at the point", sympy.Integer(0), "<", value) if positive else self._nonzero(value)
            if all(check.claim != other.claim for other in checks):
                checks.append(check)
        return checks

    def _everywhere(self, check: Check, of: sympy.Symbol) -> list[Check]:
        """The conditions of a proof that hold of ``of`` by its domain are fine; what is left open must not be about it."""
        return [self._nonzero(condition.expression) for condition in check.decision.open_conditions if condition.expression.has(of)]

    def _between_ends(self, of: sympy.Symbol, end: sympy.Expr) -> list[Check]:
        """The end of an integral lies in the domain of its letter, or at an end of it."""
        domain = domain_of(of)
        checks = []
        if domain.lower is not None:
            checks.append(self._decide(f"the end lies in the domain of {of}", sympy.Integer(domain.lower), "<=", end))
        if domain.upper is not None:
            checks.append(self._decide(f"the end lies in the domain of {of}", end, "<=", sympy.Integer(domain.upper)))
        return checks

    def _unique(self, pivot: sympy.Expr, letter: sympy.Symbol, value: sympy.Expr) -> list[Check]:
        """Linear equations have one root; a pure quadratic has one that is not negative."""
        first = sympy.diff(pivot, letter)
        second = sympy.diff(first, letter)
        if second == 0:
            return [self._nonzero(first)]
        if letter in second.free_symbols or (domain_of(letter).lower or 0) < 0 or domain_of(letter).lower is None:
            raise MisuseError(f"{pivot} = 0 does not determine {letter}: it is of higher degree, or {letter} may be negative.")
        middle = first.xreplace({letter: sympy.Integer(0)})
        return [
            self._nonzero(second),
            self._decide(f"no term of first degree in {letter}", middle, "==", sympy.Integer(0)),
            self._decide(f"{letter} is the root that is not negative", sympy.Integer(0), "<=", value),
        ]


_ANALYTIC = (sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.Symbol, sympy.Number, sympy.NumberSymbol)


def _argument(part: sympy.Expr) -> sympy.Expr | None:
    """What must not vanish, or must be positive, for the part to be analytic; None if it always is."""
    match part:
        case sympy.Pow() if part.exp.is_Integer:
            return part.base if part.exp < 0 else None
        case sympy.Pow():
            return part.base
        case sympy.log():
            return part.args[0]
    return None


def _put(function: sympy.Expr, of: sympy.Symbol, point: sympy.Expr) -> sympy.Expr:
    """The function at the point.

    Raises:
        MisuseError: if it has no value there as it is written.
    """
    value = function.xreplace({of: point})
    if value.has(sympy.nan, sympy.zoo, sympy.oo):
        raise MisuseError(f"{function} has no value at {of} = {point} as it is written; simplify it first.")
    return value
