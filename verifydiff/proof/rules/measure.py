r"""Rules about densities of which nothing is known: marginalising, integrating, integration by parts, Gibbs' inequality.

A law is its marginals: the value of each at a generic point is a positive letter, and a conditional density is a quotient of
two, so that the chain rule and Bayes' rule are algebra. What is not algebra is written as a rule: that a marginal is an
integral, that an integral is linear and monotone, that it may be differentiated under its sign, that what vanishes at both
ends of the line leaves nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sympy

from ...forms.quantities import NONNEGATIVE, POSITIVE, REAL, Domain, Quantity, in_base_letters
from ...verdict import MisuseError, Proof
from ..claim import Claim, exact, letters_of
from ..decide import decide
from ..gaussian import Gaussian
from ..step import Check
from ..tower import domain_of
from ..writer import Writer, tex

Integrals = Mapping[Any, Any]
Terms = Sequence[tuple[Any, Any]]


class Law:
    """The densities of one joint law, marginal and conditional; made by :meth:`MeasureRules.law`.

    ``q(x, y)`` is the joint density of two variables at a generic point, ``q(x, given=y)`` the conditional one.
    """

    def __init__(self, page: MeasureRules, name: str, latex: str) -> None:
        self.name, self.latex = name, latex
        self._page = page
        self._known: dict[frozenset[sympy.Symbol], sympy.Expr] = {}
        self._own: set[sympy.Expr] = set()

    def __call__(self, *variables: sympy.Symbol, given: sympy.Symbol | Iterable[sympy.Symbol] = ()) -> sympy.Expr:
        """The density of the variables, given others."""
        condition = (given,) if isinstance(given, sympy.Symbol) else tuple(given)
        if not variables or not all(isinstance(one, sympy.Symbol) for one in (*variables, *condition)):
            raise MisuseError(f"a density of {self.name} is one of letters.")
        if len({*variables, *condition}) != len(variables) + len(condition):
            raise MisuseError(f"a density of {self.name} names a variable twice.")
        joint = self._marginal(frozenset((*variables, *condition)))
        return joint / self._marginal(frozenset(condition)) if condition else joint

    def knows(self, variables: frozenset[sympy.Symbol]) -> bool:
        """Whether the marginal has been spoken of."""
        return variables in self._known

    def known(self) -> list[frozenset[sympy.Symbol]]:
        """The sets of variables whose marginal has been spoken of."""
        return list(self._known)

    def defines(self, variables: frozenset[sympy.Symbol]) -> bool:
        """Whether the marginal is written by others, and is no letter."""
        return variables in self._known and variables not in self.letters().values()

    def define(self, variables: frozenset[sympy.Symbol], value: sympy.Expr) -> None:
        """From now on the marginal is written so."""
        self._known[variables] = value

    def letters(self) -> dict[sympy.Symbol, frozenset[sympy.Symbol]]:
        """The marginals that are letters of this law, with their variables; one that equals another law's is not among them."""
        return {value: variables for variables, value in self._known.items() if value in self._own}

    def show(self, variables: Iterable[sympy.Symbol]) -> str:
        """A marginal as LaTeX."""
        return rf"{self.latex}({', '.join(tex(one) for one in sorted(variables, key=str))})"

    def _marginal(self, variables: frozenset[sympy.Symbol]) -> sympy.Expr:
        known = self._known.get(variables)
        if known is None:
            name = "_".join([self.name, *sorted(one.name for one in variables)])
            known = self._known[variables] = Quantity(name, self.show(variables), POSITIVE)
            self._page.depend(known, variables)
            self._own.add(known)
        return known


class MeasureRules(Writer):
    """What a page can say of densities and integrals."""

    # -- laws and functions that nothing is known of -----------------------------------------------------------------------

    def law(self, name: str, latex: str = "") -> Law:
        """A joint law of which nothing is known; its densities are positive letters, on the set where they are positive.

        Raises:
            MisuseError: if the page has a law of that name.
        """
        if name in self._laws:
            raise MisuseError(f"the page has a law {name} already.")
        law = self._laws[name] = Law(self, name, latex or name)
        return law

    def function(self, name: str, of: Sequence[sympy.Symbol], latex: str = "", domain: Domain = REAL) -> Quantity:
        """A function of which nothing is known but what it depends on, at a generic point."""
        letter = Quantity(name, latex or f"{name}({', '.join(map(tex, of))})", domain)
        self.depend(letter, frozenset(of))
        return letter

    def depend(self, letter: sympy.Symbol, variables: frozenset[sympy.Symbol]) -> None:
        """Note what a letter depends on.

        Raises:
            MisuseError: if something else is known of it.
        """
        if letter in self._ends or letter in self._found:
            raise MisuseError(f"{letter} stands for a value already.")
        if self._variables.setdefault(letter, variables) != variables:
            raise MisuseError(f"{letter} depends on {', '.join(sorted(map(str, self._variables[letter])))} already.")

    def define(self, law: Law, variables: Sequence[sympy.Symbol], density: Any, because: str) -> sympy.Expr:
        """The joint density of the law is defined, such as a kernel times a marginal; returns it.

        Checked: the density integrates to one, and to each marginal of the law that it is written with.

        Args:
            law: whose joint density it is.
            variables: of which variables, in an order in which they can be integrated out.
            density: what it is.
            because: the justification.

        Raises:
            MisuseError: if that marginal has been spoken of already, or an integral cannot be read off.
        """
        joint, density = frozenset(variables), in_base_letters(exact(density))
        if any(joint <= of or (law.defines(of) and not of <= joint) for of in law.known()):
            raise MisuseError(f"{law.name} has a meaning already that this could contradict; define the joint density once, first.")
        total = self._integrated_in_turn(density, variables)
        checks = [self._decide("integrates to one", total, "==", sympy.Integer(1))]
        checks.append(self._decide("is positive", sympy.Integer(0), "<", density))
        for of in law.known():
            if of <= joint and (law.defines(of) or density.has(law(*of))):
                rest = self._integrated_in_turn(density, [v for v in variables if v not in of])
                checks.append(self._decide(f"its marginal is {law(*of)}", rest, "==", law(*of)))
        law.define(joint, density)
        self._write(
            "definition", because, checks,
            lambda: f"{law.name}({', '.join(map(str, variables))}) := {density}",
            lambda: f"{law.show(joint)} := {tex(density)}",
        )  # fmt: skip
        return density

    def marginal(self, law: Law, keep: Sequence[sympy.Symbol], out: Sequence[sympy.Symbol], because: str) -> sympy.Expr:
        """The marginal of the law, by integrating the other variables out of its joint density; returns its value.

        If the marginal has not been spoken of before, it is written so from now on.
        """
        joint, kept = frozenset((*keep, *out)), frozenset(keep)
        value = self._integrated_in_turn(in_base_letters(law(*joint)), out)
        checks: list[Check] = []
        if not law.knows(kept):
            law.define(kept, value)
        elif law(*kept) != value:
            raise MisuseError(f"{law.show(kept)} is known already; `integrate` states what the integral is.")
        self._write(
            "marginalising", because, checks,
            lambda: f"{law.name}({', '.join(map(str, keep))}) = {value}",
            lambda: rf"{law.show(kept)} = \int {law.show(joint)}\,{''.join(f'd{tex(one)}' for one in out)} = {tex(value)}",
            "the marginal is the integral of the joint density; what does not depend on the variable leaves the integral",
        )  # fmt: skip
        return value

    def normalised(self, law: Gaussian, because: str = "the normal density integrates to one") -> sympy.Expr:
        """A Gaussian density integrates to one; returns it, to stand among the integrands of :meth:`integrate`."""
        density = in_base_letters(law.density)
        self._on_the_whole_line(law.of)
        self._known_values[density] = (law.of,), sympy.Integer(1)
        self._write(
            "normalisation", because, [self._positive(law)],
            lambda: f"int {law} d{law.of} = 1",
            lambda: rf"\int {law.latex()}\,d{tex(law.of)} = 1",
            "the integral of exp(-u^2/2) over the line is sqrt(2 pi)",
        )  # fmt: skip
        return density

    # -- integrals ---------------------------------------------------------------------------------------------------------

    def integrate(
        self, lhs: Terms, rhs: Terms, over: Sequence[sympy.Symbol], integrals: Integrals, because: str, relation: str = "=="
    ) -> Claim:
        """Integrate an identity between integrands, or an inequality, over all values of the letters ``over``.

        Each side is a list of (coefficient, integrand); ``integrals`` names the integral of each integrand. A marginal
        density of a law has its marginal for an integral without being named. That the sides agree pointwise, and that the
        coefficients are free of ``over``, is checked.

        Returns:
            The relation between the integrals, as a claim.
        """
        over = tuple(over)
        for coefficient, _ in (*lhs, *rhs):
            if not self._constant(exact(coefficient), *over):
                raise MisuseError(
                    f"the coefficient {coefficient} depends on {', '.join(map(str, over))} and cannot leave the integral."
                )
        self._on_the_whole_line(*over)
        checks = [check for integrand, symbol in integrals.items() for check in self._named(symbol, integrand, over)]
        known = dict(integrals)
        for _, integrand in (*lhs, *rhs):
            if integrand not in known:
                known[integrand] = self._known_integral(exact(integrand), over)
        pointwise = [sum((c * g for c, g in side), sympy.Integer(0)) for side in (lhs, rhs)]
        checks.append(self._decide("integrands, pointwise", pointwise[0], relation, pointwise[1]))
        integrated = [sum((c * known[g] for c, g in side), sympy.Integer(0)) for side in (lhs, rhs)]
        result = Claim(integrated[0], relation, integrated[1])
        self._integrated.append(result)
        linear = f"the integrals exist; the integral is linear{'' if relation == '==' else ' and monotone'}"
        self._write("integration", because, checks, lambda: str(result), result.latex, linear)
        return result

    def under_integral(self, integral: sympy.Symbol, along: sympy.Symbol, rate: sympy.Symbol, because: str) -> sympy.Expr:
        """Differentiate under the integral: ``rate`` names the integral of the integrand's derivative; returns that integrand.

        From then on ``rate`` is the derivative of ``integral`` along ``along``.

        Raises:
            MisuseError: if the first letter stands for no integral, or is integrated over ``along``.
        """
        if integral not in self._integrals:
            raise MisuseError(f"{integral} stands for no integral.")
        if integral in self._rates.get(along, {}):
            raise MisuseError(f"{integral} has a rate along {along} already.")
        integrand, over = self._integrals[integral]
        if along in over:
            raise MisuseError(f"{integral} is an integral over {along} and does not depend on it.")
        slope = self._slope(in_base_letters(exact(integrand)), along)
        checks = self._named(rate, slope, over)
        self._rates.setdefault(along, {})[integral] = rate
        self._write(
            "differentiation under the integral", because, checks,
            lambda: f"d/d{along} {integral} = {rate} = int {slope}",
            lambda: rf"\frac{{\partial}}{{\partial {tex(along)}}} {tex(integral)} = \int {tex(slope)} = {tex(rate)}",
            "the integrand is differentiable, and its derivative is dominated by an integrable function",
        )  # fmt: skip
        return slope

    def boundary(self, function: Any, of: sympy.Symbol, because: str) -> sympy.Expr:
        """Integration by parts: the derivative of what vanishes at both ends has the integral 0; returns that derivative.

        The result may stand among the integrands of :meth:`integrate` over ``of``.

        Args:
            function: what vanishes at both ends, such as a density times a function of moderate growth.
            of: the letter.
            because: why it vanishes.
        """
        function = in_base_letters(exact(function))
        slope = self._slope(function, of)
        checks = [self._decide("the function has a value", function, "==", function)]
        if all(one == of or not self._moves(one, of) for one in function.free_symbols):
            checks.append(self._decays(function, of))
        self._known_values[slope] = (of,), sympy.Integer(0)
        self._write(
            "integration by parts", because, checks,
            lambda: f"int d/d{of} ({function}) d{of} = 0",
            lambda: rf"\int \partial_{{{tex(of)}}} \left({tex(function)}\right) d{tex(of)} = \int {tex(slope)}\,d{tex(of)} = 0",
            f"the function is differentiable in {of}, its derivative is integrable, and it tends to 0 at both ends",
        )  # fmt: skip
        return slope

    def gibbs(self, q: Any, p: Any, over: Sequence[sympy.Symbol], named: sympy.Symbol, because: str) -> sympy.Expr:
        r"""Gibbs' inequality: :math:`\int q \log(q/p) \ge 0`, and 0 only if the densities agree; returns that integrand.

        Args:
            q, p: two densities of the letters ``over``, whose integrals are known.
            over: the letters.
            named: the letter that stands for the integral; it is not negative.
            because: the justification.
        """
        q, p, over = in_base_letters(exact(q)), in_base_letters(exact(p)), tuple(over)
        checks = []
        for name, density in (("q", q), ("p", p)):
            total = self._integrated_in_turn(density, over)
            checks.append(self._decide(f"{name} integrates to one", total, "==", sympy.Integer(1)))
            checks.append(self._decide(f"{name} is positive", sympy.Integer(0), "<", density))
        if domain_of(named) != NONNEGATIVE:
            raise MisuseError(f"{named} is to stand for a divergence; give it the domain NONNEGATIVE.")
        integrand = relative(q, p)
        self._stand(named, integrand, over)
        self._write(
            "Gibbs' inequality", because, checks,
            lambda: f"{named} = int {integrand} >= 0",
            lambda: rf"{tex(named)} = \int {tex(q)} \log\frac{{{tex(q)}}}{{{tex(p)}}} \ge 0",
            "log u <= u - 1, with equality only at u = 1: the integral is 0 exactly if p = q almost everywhere",
        )  # fmt: skip
        return integrand

    def _decays(self, function: sympy.Expr, of: sympy.Symbol) -> Check:
        """An explicit function vanishes at both ends if it is a polynomial times the exponential of a parabola that opens down."""
        exponents = [one.args[0] for one in sympy.Mul.make_args(function) if isinstance(one, sympy.exp)]
        total = sympy.expand(sympy.Add(*exponents))
        rest = sympy.Mul(*(one for one in sympy.Mul.make_args(function) if not isinstance(one, sympy.exp)))
        if not (total.is_polynomial(of) and sympy.degree(total, of) == 2 and rest.is_polynomial(of)):
            raise MisuseError(f"{function} is not seen to vanish at both ends of {of}.")
        return self._decide("vanishes at both ends", total.coeff(of, 2), "<", sympy.Integer(0))

    # -- what is known of an integral ----------------------------------------------------------------------------------------

    def _integrated_in_turn(self, density: sympy.Expr, over: Sequence[sympy.Symbol]) -> sympy.Expr:
        for one in over:
            density = self._known_integral(density, (one,))
        return density

    def _known_integral(self, integrand: sympy.Expr, over: tuple[sympy.Symbol, ...]) -> sympy.Expr:
        """The integral of what is linear in marginals of laws, of a Gaussian density, or of what was shown to vanish.

        Raises:
            MisuseError: if it is not known.
        """
        integrand = in_base_letters(integrand)
        if integrand in self._known_values:
            of, value = self._known_values[integrand]
            if set(of) == set(over) or (value == 0 and set(of) < set(over)):  # what is 0 after one integration stays 0
                return value
        marginals = {letter: (law, of) for law in self._laws.values() for letter, of in law.letters().items()}
        moving = [one for one in sorted(integrand.free_symbols, key=str) if not self._constant(one, *over)]
        total = sympy.Integer(0)
        rest = integrand
        for one in moving:
            slope = sympy.diff(integrand, one)
            if one not in marginals or not set(over) <= marginals[one][1] or not self._constant(slope, *over):
                break
            law, of = marginals[one]
            left = of - set(over)
            total += slope * (law(*left) if left else 1)
            rest -= slope * one
        else:
            if moving and decide(Claim(rest, "==", sympy.Integer(0))).outcome is Proof.PROVED:
                return total
        raise MisuseError(f"{integrand} is integrated over {', '.join(map(str, over))} and has no name among the integrals.")

    def _named(self, symbol: sympy.Symbol, integrand: Any, over: tuple[sympy.Symbol, ...]) -> list[Check]:
        """Let a letter stand for an integral: one that is free, or positive where the integrand is."""
        if not isinstance(symbol, sympy.Symbol):
            raise MisuseError(f"an integral is named by a letter, got {symbol!r}.")
        if self._integrals.get(symbol) == (integrand, over):
            return []
        if domain_of(symbol) not in (REAL, POSITIVE):
            raise MisuseError(f"{symbol} stands for an integral, so that it is real, or positive if the integrand is.")
        self._stand(symbol, integrand, over)
        if domain_of(symbol) == REAL:
            return []
        return [self._decide(f"{symbol} is positive, since its integrand is", sympy.Integer(0), "<", exact(integrand))]

    def _stand(self, symbol: sympy.Symbol, integrand: Any, over: tuple[sympy.Symbol, ...]) -> None:
        """The letter stands for the integral."""
        if symbol in self._integrals:
            raise MisuseError(f"{symbol} already stands for the integral of {self._integrals[symbol][0]}.")
        inside = letters_of(exact(integrand))
        if symbol in over or symbol in inside or getattr(symbol, "definition", None) is not None or self._has_a_meaning(symbol):
            raise MisuseError(f"{symbol} cannot stand for an integral: it has a meaning of its own.")
        self._integrals[symbol] = integrand, over


def relative(q: Any, p: Any) -> sympy.Expr:
    r"""The integrand of the Kullback-Leibler divergence, :math:`q (\log q - \log p)`."""
    return q * (sympy.log(q) - sympy.log(p))
