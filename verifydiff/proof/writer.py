r"""What every page can do: start from definitions and hypotheses, state algebra, and conclude.

Algebra is decided; nothing is taken on trust, and what a page rests on is written down as a step of its own. The rules of
``rules/`` build on this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from time import perf_counter
from typing import Any

import sympy

from ..forms import Form
from ..forms.quantities import Quantity, in_base_letters
from ..verdict import MisuseError, Proof
from .claim import Claim, Decision, claim, exact, letters_of
from .decide import decide
from .gaussian import Gaussian
from .step import BY_DEFINITION, Check, Step, Text
from .tower import domain_of


class Writer:
    """The part of a page that all rules share; each public method writes one step.

    Args:
        form: the closed form that the page is to arrive at, if there is one.
    """

    def __init__(self, form: Form | None = None) -> None:
        self.form = form
        self.steps: list[Step] = []
        self.concluded = False
        self.supposed: list[Claim] = []
        self._assumed: list[Claim] = []
        self._cases = 0
        self._rates: dict[sympy.Symbol, dict[sympy.Symbol, sympy.Expr]] = {}
        self._variables: dict[sympy.Symbol, frozenset[sympy.Symbol]] = {}
        self._used: dict[str, Form] = {}
        self._laws: dict[str, Any] = {}
        self._integrals: dict[sympy.Symbol, tuple[Any, tuple[sympy.Symbol, ...]]] = {}
        self._known_values: dict[sympy.Expr, tuple[tuple[sympy.Symbol, ...], sympy.Expr]] = {}
        self._processes: dict[sympy.Symbol, tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr]] = {}
        self._integrated: list[Claim] = []
        self._solved: set[sympy.Symbol] = set()
        self._began = perf_counter()

    @property
    def assumed(self) -> tuple[Claim, ...]:
        """The hypotheses in force."""
        return tuple(self._assumed)

    @property
    def uses(self) -> tuple[Form, ...]:
        """The forms that the page takes as proved elsewhere, in order."""
        return tuple(self._used.values())

    # -- what a page starts from -----------------------------------------------------------------------------------------

    def given(self, symbol: str, value: Any, because: str) -> Any:
        """Write down a definition, such as the kernel of the model; ``symbol`` is the LaTeX of what is defined."""
        value = value if isinstance(value, Gaussian) else exact(value)
        self._write("definition", because, [], lambda: f"{symbol} = {value}", lambda: f"{symbol} = {tex(value)}")
        return value

    def use(
        self, form: Form, because: str = "proved on a page of its own", at: Mapping[sympy.Symbol, Any] | None = None
    ) -> sympy.Expr:
        """Take a form that another page proves; returns its expression. The page then rests on that one.

        Args:
            form: the form; its hypotheses are checked.
            because: the justification.
            at: values for letters of the form; that they lie where the letters may is checked.

        Raises:
            MisuseError: if the page is about that form, or it has another form of that name.
        """
        if not isinstance(form, Form):
            raise MisuseError(f"`use` takes a form, got {form!r}.")
        if form == self.form:
            raise MisuseError(f"a page cannot rest on what it is to prove: {form.id}.")
        if self._used.setdefault(form.id, form) != form:
            raise MisuseError(f"two forms are called {form.id}.")
        values = {letter: exact(value) for letter, value in (at or {}).items()}
        checks = [check for letter, value in values.items() for check in self._in_domain(letter, value)]
        checks += [
            self._decide("its hypothesis", one.lhs.xreplace(values), one.relation, one.rhs.xreplace(values))
            for one in map(claim, form.assuming)
        ]
        taken = ", ".join(f"{letter} = {value}" for letter, value in values.items())
        statement = f"{form.id}: {form.expression}{' at ' + taken if taken else ''}"
        if not any(step.rule == "established" and step.statement == statement for step in self.steps):
            self._write("established", because, checks, lambda: statement, form.latex, f"the page of {form.id}")
        return form.expression.xreplace(values)

    def assume(self, statement: Any, because: str) -> None:
        """Narrow the domain for the steps that follow; the reader sees it as a hypothesis of the page.

        Raises:
            MisuseError: inside a case, which has its hypothesis already.
        """
        if self._cases:
            raise MisuseError("`assume` narrows a whole page; inside a `suppose` block, open another one.")
        self._assume(statement, because)

    def _assume(self, statement: Any, because: str) -> None:
        assumed = claim(statement)
        self._assumed.append(assumed)
        self._write("hypothesis", because, [], lambda: str(assumed), assumed.latex)

    @contextmanager
    def suppose(self, statement: Any, because: str) -> Iterator[None]:
        """Distinguish a case: the assumption holds for the steps inside the ``with`` block only.

        Nothing checks that the cases of a page are all there are, so that the reader is told each of them beside the claim.
        """
        before = len(self._assumed)
        self._assume(statement, because)
        self.supposed += self._assumed[before:]
        self._cases += 1
        try:
            yield
        finally:
            self._cases -= 1
            del self._assumed[before:]

    # -- algebra ---------------------------------------------------------------------------------------------------------

    def equal(self, lhs: Any, rhs: Any, because: str) -> sympy.Expr:
        """The two sides are equal; returns the right one."""
        self._algebra(lhs, "==", rhs, because)
        return exact(rhs)

    def at_most(self, lhs: Any, rhs: Any, because: str) -> None:
        """The left side is at most the right one."""
        self._algebra(lhs, "<=", rhs, because)

    def less(self, lhs: Any, rhs: Any, because: str) -> None:
        """The left side is less than the right one."""
        self._algebra(lhs, "<", rhs, because)

    def conclude(self, derived: Any, because: str = "what has been derived is the closed form") -> None:
        """What was derived equals the form that the page is about.

        Raises:
            MisuseError: if the page is about no form, or has concluded already.
        """
        if self.form is None:
            raise MisuseError("`conclude` compares with a form, and this derivation names none; end it with `equal`.")
        if self.concluded:
            raise MisuseError("a derivation concludes once.")
        if self._cases:
            raise MisuseError("a derivation concludes for all cases, not inside a `suppose` block.")
        form = self.form
        check = self._decide("conclusion", exact(derived), "==", form.expression)
        self._write("conclusion", because, [check], lambda: f"{form.id}: {check.statement}", form.latex)
        self.concluded = True

    def misprint(self, wrong: Any, because: str, right: Any = None, relation: str = "==") -> None:
        """A mistake that people make is refuted on the page: ``wrong == right`` fails somewhere in the domain.

        Args:
            wrong: the mistaken expression.
            because: what the mistake is, and where it was seen.
            right: what it should be; without, the form that the page is about.
            relation: ``==``, or ``<=`` or ``<`` for a mistaken bound.

        Raises:
            MisuseError: if there is neither a form nor ``right``.
        """
        if right is None and self.form is None:
            raise MisuseError("`misprint` compares with the form of the page, and this page has none: give `right`.")
        wrong, right = exact(wrong), self.form.expression if right is None and self.form else exact(right)
        stated = Claim(wrong, relation, right, self.assumed)
        check = Check("refuted", stated, _turned(decide(stated)))
        sign = {"==": r"\ne", "<=": r"\not\le", "<": r"\not<"}[relation]
        self._write("misprint", because, [check], lambda: f"not {stated}", lambda: f"{tex(wrong)} {sign} {tex(right)}")

    # -- what a rule asks for ---------------------------------------------------------------------------------------------

    def _on_the_whole_line(self, *letters: sympy.Symbol) -> None:
        """Refuse a rule about all values of a letter where a hypothesis narrows the letter."""
        for one in self._assumed:
            if narrowed := set(letters) & letters_of(one.lhs, one.rhs):
                raise MisuseError(f"the rule is about all values of {narrowed.pop()}, and {one} narrows them.")

    def _constant(self, expression: sympy.Expr, *along: sympy.Symbol) -> bool:
        """Whether the expression is known to depend on none of the letters, nor on what was declared to depend on them."""
        return not any(self._moves(letter, one) for letter in letters_of(expression) for one in along)

    def _moves(self, letter: sympy.Symbol, along: sympy.Symbol, seen: frozenset[sympy.Symbol] = frozenset()) -> bool:
        """Whether the letter may depend on ``along``: by its rate, by what it stands for, or as the rate of what does."""
        if letter == along:
            return True
        if letter in self._rates.get(along, {}):
            return bool(self._rates[along][letter] != 0)
        if letter in self._variables:
            return along in self._variables[letter]
        if letter in seen:
            return False
        seen |= {letter}
        if letter in self._integrals:
            integrand, over = self._integrals[letter]
            return along not in over and any(self._moves(one, along, seen) for one in letters_of(exact(integrand)) - set(over))
        return any(
            letter in letters_of(rate) and (direction == along or self._moves(one, along, seen))
            for direction, rates in self._rates.items()
            for one, rate in rates.items()
            if one != letter
        )

    def _slope(self, function: sympy.Expr, of: sympy.Symbol) -> sympy.Expr:
        """The total derivative, by the rates that were declared.

        Raises:
            MisuseError: if something in the function depends on ``of`` without saying how.
        """
        self._refuse_defined(of)
        rates = self._rates.get(of, {})
        total = sympy.diff(function, of)
        for one in sorted(letters_of(function) - {of}, key=str):
            if one in rates:
                total += sympy.diff(function, one) * rates[one]
            elif self._moves(one, of):
                raise MisuseError(
                    f"{one} depends on {of}, or may: say with `depends` what its rate is (0 for a constant), or name that integral."
                )
        return in_base_letters(total)

    def _refuse_defined(self, one: sympy.Symbol) -> None:
        if not isinstance(one, sympy.Symbol):
            raise MisuseError(f"a letter is needed, got {one!r}.")
        if getattr(one, "definition", None) is not None:
            raise MisuseError(f"{one} is defined by other letters; differentiate along one of those.")

    def _in_domain(self, letter: sympy.Symbol, value: sympy.Expr) -> list[Check]:
        """The value lies where the letter may."""
        domain = domain_of(letter)
        ends = []
        if domain.lower is not None:
            ends.append((sympy.Integer(domain.lower), "<=" if domain.closed_below else "<", value))
        if domain.upper is not None:
            ends.append((value, "<=" if domain.closed_above else "<", sympy.Integer(domain.upper)))
        return [self._decide(f"{letter} stays in its domain {domain}", *end) for end in ends]

    def _hypotheses_hold(self, values: dict[sympy.Symbol, sympy.Expr]) -> list[Check]:
        """The hypotheses in force allow the values."""
        narrowing = [one for one in self._assumed if set(values) & letters_of(one.lhs, one.rhs)]
        kept = [one for one in self._assumed if one not in narrowing]
        checks = []
        for one in narrowing:
            stated = Claim(one.lhs.xreplace(values), one.relation, one.rhs.xreplace(values), tuple(kept))
            checks.append(Check(f"the hypothesis {one} allows it", stated, decide(stated)))
        return checks

    def _positive(self, law: Gaussian) -> Check:
        return self._decide(f"variance of {law.of} is positive", sympy.Integer(0), "<", law.variance)

    def _nonzero(self, value: sympy.Expr) -> Check:
        return self._decide("not zero", sympy.Integer(0), "<", value**2)

    def _algebra(self, lhs: Any, relation: str, rhs: Any, because: str) -> None:
        check = self._decide("", exact(lhs), relation, exact(rhs))
        self._write("algebra", because, [check], lambda: check.statement, lambda: check.latex)

    def _decide(self, what: str, lhs: Any, relation: str, rhs: Any) -> Check:
        stated = Claim(lhs, relation, rhs, self.assumed)
        for symbol in (stated.lhs.free_symbols | stated.rhs.free_symbols) - {None}:
            if isinstance(symbol, Quantity) and symbol.definition is not None:
                _keep_its_word(symbol)
        return Check(what, stated, decide(stated))

    def _write(self, rule: str, because: str, checks: list[Check], statement: Text, latex: Text, rests_on: str = "") -> None:
        if not isinstance(because, str) or not because.strip():
            raise MisuseError("every step needs its justification in words.")
        now = perf_counter()
        under = tuple(checks) or (Check("", None, BY_DEFINITION),)
        self.steps.append(Step(rule, because, rests_on, under, now - self._began, statement, latex))
        self._began = now


def _turned(decision: Decision) -> Decision:
    """The decision on "the two are not equal somewhere" from that on "the two are equal"."""
    match decision.outcome:
        case Proof.REFUTED:
            return replace(decision, outcome=Proof.PROVED)
        case Proof.PROVED:
            return Decision(Proof.REFUTED, "normal form", remains="it holds: this is no mistake")
    return decision


@cache
def _keep_its_word(letter: Quantity) -> None:
    """Refuse a defined letter whose definition may leave the domain that it is said to have."""
    definition, domain = in_base_letters(exact(letter)), letter.domain
    claims = []
    if domain.lower is not None:
        claims.append(Claim(sympy.Integer(domain.lower), "<=" if domain.closed_below else "<", definition))
    if domain.upper is not None:
        claims.append(Claim(definition, "<=" if domain.closed_above else "<", sympy.Integer(domain.upper)))
    for one in claims:
        if decide(one).outcome is not Proof.PROVED:
            raise MisuseError(f"{letter} is said to lie in {domain}, and its definition does not show it: {one}.")


def tex(value: Any) -> str:
    """The value as LaTeX, without dollar signs."""
    return value.latex() if isinstance(value, Gaussian) else str(sympy.latex(value))
