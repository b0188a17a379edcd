r"""Rules of dynamics: linear differential equations, the Fokker-Planck equation, Dynkin's formula, slopes that keep a sign.

A process :math:`dx_i = b_i\,dt + g\,dW_i` with noise of one strength in every coordinate has a density p with

.. math:: \partial_t p = -\sum_i \partial_i (b_i p) + \tfrac12 g^2 \sum_i \partial_i^2 p,

g being a function of time alone. Generic coordinates stand for all: the sums have one such term for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from ...forms.quantities import in_base_letters
from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..step import Check
from ..writer import tex
from .calculus import CalculusRules
from .measure import MeasureRules

Drifts = Mapping[sympy.Symbol, Any]


class DynamicsRules(MeasureRules, CalculusRules):
    """What a page can say of functions of time, and of processes."""

    # -- differential equations --------------------------------------------------------------------------------------------

    def solves(
        self, term: sympy.Symbol, closed: Any, along: sympy.Symbol, at_first: Mapping[sympy.Symbol, Any], first: Any, because: str
    ) -> sympy.Expr:
        """A function with a linear rate is the closed form, since that solves the equation and there is one solution.

        .. code-block:: python

            d.depends(t, {m: -beta / 2 * m, B: beta}, "the rate of the mean; B is the integral of beta")
            d.solves(m, x_0 * exp(-B / 2), t, {B: 0}, x_0, "the mean starts at the data")

        Args:
            term: the letter of the function, whose rate was declared.
            closed: what it is claimed to be.
            along: time.
            at_first: the values, at the first time, of all letters of the closed form that change.
            first: the value of the function at the first time.
            because: the justification.

        Raises:
            MisuseError: if the rate is not known or not linear in the function, or a letter that changes has no first value.
        """
        closed, first, values = in_base_letters(exact(closed)), exact(first), {one: exact(v) for one, v in at_first.items()}
        if term not in self._rates.get(along, {}):
            raise MisuseError(f"{term} has no rate along {along}: say with `depends` what it is.")
        rate = in_base_letters(self._rates[along][term])
        if term in letters_of(sympy.diff(rate, term)) or any(self._fed_by(one, term, along) for one in rate.free_symbols - {term}):
            raise MisuseError(f"the rate of {term} is not linear in {term} with coefficients that do not depend on it.")
        if self._fed_by_any(closed, term, along):
            raise MisuseError(f"the closed form must say what {term} is without {term}.")
        moving = {one for one in closed.free_symbols if self._moves(one, along)}
        if moving != set(values) or any(self._moves(one, along) for one in first.free_symbols):
            raise MisuseError(f"the first time is given by the values of all letters that change, {sorted(map(str, moving))}.")
        if term in self._solved:
            raise MisuseError(f"{term} has its closed form already.")
        self._solved.add(term)
        self._on_the_whole_line(term, along, *moving)
        slope = self._decide("the rate of the closed form", self._slope(closed, along), "==", rate.xreplace({term: closed}))
        checks = [slope, *self._without_gaps(slope, moving | {along})]
        checks.append(self._decide("at the first time", closed.xreplace(values), "==", first))
        for one, value in values.items():
            checks += self._in_domain(one, value)
        checks += self._in_domain(term, closed)
        start = ", ".join(f"{one} = {value}" for one, value in values.items())
        self._write(
            "linear differential equation", because, checks,
            lambda: f"{term} = {closed}, which is {first} at {start}",
            lambda: rf"\frac{{d}}{{d{tex(along)}}} {tex(term)} = {tex(rate)}\ \Rightarrow\ {tex(term)} = {tex(closed)}",
            "a linear differential equation with continuous coefficients has one solution for each first value; "
            f"the first time is where {start}",
        )  # fmt: skip
        return closed

    def grows(self, function: Any, of: sympy.Symbol, since: Any, because: str) -> Claim:
        """A function whose slope is nowhere negative is at least what it is at ``since``; returns that inequality.

        Raises:
            MisuseError: if something else in the function depends on ``of``.
        """
        function, since = in_base_letters(exact(function)), exact(since)
        self._refuse_defined(of)
        self._on_the_whole_line(of)
        if any(self._moves(one, of) for one in letters_of(function, since) - {of}) or of in letters_of(since):
            raise MisuseError(f"all but {of} must be held while {of} grows.")
        slope = sympy.diff(function, of)
        checks = [self._decide(f"{of} is not less", since, "<=", of), *self._between_ends(of, since)]
        checks += [*self._analytic(function, of, since), *self._analytic(function, of, of)]
        checks.append(self._decide("the slope is not negative", sympy.Integer(0), "<=", slope))
        checks += self._without_gaps(checks[-1], {of})
        start = function.xreplace({of: since})
        result = Claim(start, "<=", function)
        self._write(
            "mean value theorem", because, checks,
            lambda: str(result), result.latex,
            f"the function is continuous from {of} = {since} on, and its slope is not negative there",
        )  # fmt: skip
        return result

    # -- processes ---------------------------------------------------------------------------------------------------------

    def evolves(
        self, density: Any, along: sympy.Symbol, drifts: Drifts, noise: Any, because: str, backwards: bool = False
    ) -> sympy.Expr:
        r"""The process :math:`dx_i = b_i\,dt + g\,dW_i` has this density at all times if it has it once; returns its rate.

        Checked: the density satisfies the Fokker-Planck equation of the process, at every point.

        Args:
            density: a positive letter, or an expression, whose dependence on time and the coordinates was declared.
            along: time t.
            drifts: the drift of each generic coordinate.
            noise: g, which may depend on time but not on the coordinates; 0 for a flow without noise.
            because: the justification.
            backwards: whether the process runs from later times to earlier ones, dt being negative.

        Raises:
            MisuseError: if the noise depends on a coordinate.
        """
        density, noise = in_base_letters(exact(density)), in_base_letters(exact(noise))
        self._refuse_odd_process(along, drifts, noise)
        rate, out, spread = self._slope(density, along), sympy.Integer(0), sympy.Integer(0)
        for one, drift in drifts.items():
            out += self._slope(in_base_letters(exact(drift)) * density, one)
            spread += self._slope(self._slope(density, one), one)
        right = noise**2 / 2 * spread + (out if backwards else -out)
        checks = [self._decide("it is a density", sympy.Integer(0), "<", density)]
        checks.append(self._decide("Fokker-Planck, pointwise", -rate if backwards else rate, "==", right))
        checks += self._without_gaps(checks[-1], {along, *drifts})
        wiener = r"d\bar W" if backwards else "dW"
        law = r",\quad ".join(
            rf"d{tex(one)} = \left({tex(exact(drift))}\right) dt" + ("" if noise == 0 else rf" + {tex(noise)}\,{wiener}")
            for one, drift in drifts.items()
        )
        self._write(
            "Fokker-Planck", because, checks,
            lambda: "; ".join(f"d{one} = ({drift}) dt + ({noise}) dW" for one, drift in drifts.items()) + f" keeps {density}",
            lambda: law + rf"\quad\text{{has the density}}\quad {tex(density)}",
            "the Fokker-Planck equation has one solution from a given density on, for drifts that are Lipschitz in the "
            "coordinates and grow at most linearly" + ("; time runs backwards" if backwards else ""),
        )  # fmt: skip
        return rate

    def dynkin(
        self, mean: sympy.Symbol, test: Any, density: sympy.Symbol, along: sympy.Symbol, drifts: Drifts, noise: Any, because: str
    ) -> sympy.Expr:
        r"""Dynkin's formula: :math:`\frac{d}{dt} E\phi(x_t) = E[\sum_i b_i \partial_i\phi + \frac12 g^2 \partial_i^2 \phi]`.

        The density is, by hypothesis, that of :math:`dx_i = b_i\,dt + g\,dW_i`. Returns the integrand of the right side,
        which from then on is known to have for an integral the rate of ``mean``.

        Args:
            mean: the letter of the integral of ``test * density``, after :meth:`under_integral`.
            test: the test function, free of time.
            density: a letter whose rate along time is a letter of which nothing is known.
            along: time.
            drifts, noise: of the process, as in :meth:`evolves`.
            because: the justification.

        Raises:
            MisuseError: if the mean is not that integral, or something is known of the density's rate already.
        """
        test, noise = in_base_letters(exact(test)), in_base_letters(exact(noise))
        drifts = {one: in_base_letters(exact(drift)) for one, drift in drifts.items()}
        self._refuse_odd_process(along, drifts, noise)
        over = tuple(drifts)
        if self._integrals.get(mean) != (test * density, over) or mean not in self._rates.get(along, {}):
            raise MisuseError(f"{mean} must stand for the integral of the test function times {density}, and have a rate.")
        rate = self._rates[along].get(density)
        if not isinstance(rate, sympy.Symbol) or rate in self._integrals or self._said_of(rate, density, along):
            raise MisuseError(f"the rate of {density} must be a letter of which nothing is known: the process says what it is.")
        if self._moves_any(test, along):
            raise MisuseError(f"the test function must not depend on {along}.")
        if self._processes.setdefault(density, (drifts, noise)) != (drifts, noise):
            raise MisuseError(f"{density} is the density of another process already.")
        generator = sympy.Integer(0)
        for one, drift in drifts.items():
            slope = self._slope(test, one)
            generator += drift * slope + noise**2 / 2 * self._slope(slope, one)
        integrand = in_base_letters(generator * density)
        self._known_values[integrand] = over, self._rates[along][mean]
        self._write(
            "Dynkin's formula", because, [],
            lambda: f"d/d{along} E[{test}] = E[{generator}]",
            lambda: rf"\frac{{d}}{{d{tex(along)}}} \mathbb{{E}}[{tex(test)}] = \mathbb{{E}}\left[{tex(generator)}\right]",
            "Ito's formula, in the mean: the test function is smooth with compact support, the drift is Lipschitz; the "
            "coordinates of the Brownian motion are independent, so there are no mixed terms",
        )  # fmt: skip
        return integrand

    def weakly(self, shown: Claim, test: sympy.Symbol, because: str) -> Claim:
        """What integrates to zero against every test function is zero; returns that equation.

        Args:
            shown: what :meth:`integrate` returned: the integral of ``test * residual`` is 0.
            test: a function of which nothing is known.
            because: the justification.

        Raises:
            MisuseError: if the page has not shown that, or something is known of the test function.
        """
        if not any(shown is one for one in self._integrated) or shown.relation != "==" or shown.lhs not in self._integrals:
            raise MisuseError("`weakly` takes what `integrate` has returned: that one integral equals something.")
        integrand, over = self._integrals[shown.lhs]
        integrand = in_base_letters(exact(integrand))
        residual = sympy.diff(integrand, test)
        jet = self._jet(test, over)
        if jet & letters_of(residual) or self._variables.get(test) != frozenset(over):
            raise MisuseError(f"{integrand} must be a function of just {', '.join(map(str, over))} times what is free of it.")
        self._on_the_whole_line(*jet, *over)
        checks = [
            self._decide("the test function times the residual", integrand, "==", test * residual),
            self._decide("its integral is 0", shown.rhs, "==", sympy.Integer(0)),
        ]
        result = Claim(residual, "==", sympy.Integer(0))
        self._write(
            "fundamental lemma", because, checks,
            lambda: str(result), result.latex,
            "a continuous function whose integral against every smooth function of compact support is 0 is 0 everywhere",
        )  # fmt: skip
        return result

    # -- under a rule ------------------------------------------------------------------------------------------------------

    def _jet(self, test: sympy.Symbol, over: tuple[sympy.Symbol, ...]) -> set[sympy.Symbol]:
        """The test function and its declared derivatives, each a letter of which nothing else is known.

        Raises:
            MisuseError: if a derivative is no free letter.
        """
        jet, waiting = {test}, [test]
        while waiting:
            one = waiting.pop()
            for along, rates in self._rates.items():
                if one not in rates or rates[one] == 0:
                    continue
                rate = rates[one]
                if along not in over or not isinstance(rate, sympy.Symbol) or rate in self._integrals or rate in jet:
                    raise MisuseError(f"{test} is to be an arbitrary function, and something is known of its derivatives.")
                jet.add(rate)
                waiting.append(rate)
        return jet

    def _refuse_odd_process(self, along: sympy.Symbol, drifts: Drifts, noise: sympy.Expr) -> None:
        self._refuse_defined(along)
        for one in drifts:
            self._refuse_defined(one)
            if one == along or self._moves_any(noise, one):
                raise MisuseError(f"the noise may depend on {along} alone, and must not depend on {one}.")
        self._on_the_whole_line(*drifts)

    def _without_gaps(self, check: Check, letters: set[sympy.Symbol]) -> list[Check]:
        """What the proof leaves open is not about letters that run through all their values."""
        open_ones = [one.expression for one in check.decision.open_conditions if letters & letters_of(one.expression)]
        return [self._nonzero(one) for one in open_ones]

    def _moves_any(self, expression: sympy.Expr, along: sympy.Symbol) -> bool:
        return any(self._moves(one, along) for one in letters_of(expression))

    def _fed_by(self, one: sympy.Symbol, term: sympy.Symbol, along: sympy.Symbol) -> bool:
        """Whether a letter is the term, or rests on it through its rates."""
        seen: set[sympy.Symbol] = set()
        waiting = [one]
        while waiting:
            letter = waiting.pop()
            if letter == term:
                return True
            if letter not in seen:
                seen.add(letter)
                waiting += letters_of(self._rates.get(along, {}).get(letter, sympy.Integer(0)))
        return False

    def _fed_by_any(self, expression: sympy.Expr, term: sympy.Symbol, along: sympy.Symbol) -> bool:
        return any(self._fed_by(one, term, along) for one in letters_of(expression))

    def _said_of(self, rate: sympy.Symbol, density: sympy.Symbol, along: sympy.Symbol) -> bool:
        """Whether anything is known of the letter but that it is the rate of the density."""
        elsewhere = [value for way, rates in self._rates.items() for one, value in rates.items() if (way, one) != (along, density)]
        named = any(rate in letters_of(one.lhs, one.rhs) for one in self._assumed) or self._has_a_meaning(rate)
        return named or any(rate in letters_of(value) for value in elsewhere)
