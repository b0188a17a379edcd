r"""The page on which a derivation writes its steps.

Each step is a statement with its justification. Algebra is decided; a named rule checks its own hypotheses and says
what it rests on. Nothing is taken on trust: a step counts only if everything under it is proved, and a page is worth as
much as its worst step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from typing import Any

import sympy

from ..forms import Form
from ..forms.quantities import POSITIVE, REAL, Quantity, in_base_letters
from ..verdict import MisuseError, Proof
from .claim import Claim, Decision, claim, exact, letters_of
from .decide import decide
from .gaussian import Gaussian
from .tower import domain_of

BY_DEFINITION = Decision(Proof.PROVED, "by definition")


Text = Callable[[], str]  # printing is slower than deciding, so it waits until somebody reads


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was decided under a step.

    Attributes:
        what: which hypothesis or which identity it is.
        claim: the statement; None for a definition.
        decision: what came out.
    """

    what: str
    claim: Claim | None
    decision: Decision

    @property
    def statement(self) -> str:
        """The statement as text."""
        return str(self.claim) if self.claim else ""

    @property
    def latex(self) -> str:
        """The statement as LaTeX, without dollar signs."""
        return self.claim.latex() if self.claim else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a derivation.

    Attributes:
        rule: the name of the rule, ``algebra`` where there is none.
        because: the justification in words.
        rests_on: the theorem that the rule applies, with what it asks for.
        checks: everything that was decided under it.
        seconds: how long that took.
    """

    rule: str
    because: str
    rests_on: str
    checks: tuple[Check, ...]
    seconds: float
    _statement: Text = field(repr=False, compare=False)
    _latex: Text = field(repr=False, compare=False)

    @property
    def statement(self) -> str:
        """What the step concludes, as text."""
        return self._statement()

    @property
    def latex(self) -> str:
        """What the step concludes, as LaTeX without dollar signs."""
        return self._latex()

    @property
    def outcome(self) -> Proof:
        """The worst outcome of its checks."""
        return worst([check.decision.outcome for check in self.checks])


def worst(outcomes: Sequence[Proof]) -> Proof:
    """Refuted before undecided before proved."""
    for outcome in (Proof.REFUTED, Proof.UNDECIDED):
        if outcome in outcomes:
            return outcome
    return Proof.PROVED


class Page:
    """What a derivation receives: each method writes one step.

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
        self._integrals: dict[sympy.Symbol, tuple[Any, tuple[sympy.Symbol, ...]]] = {}
        self._began = perf_counter()

    @property
    def assumed(self) -> tuple[Claim, ...]:
        """The hypotheses in force."""
        return tuple(self._assumed)

    # -- what a page starts from -----------------------------------------------------------------------------------------

    def given(self, symbol: str, value: Any, because: str) -> Any:
        """Write down a definition, such as the kernel of the model; ``symbol`` is the LaTeX of what is defined."""
        value = value if isinstance(value, Gaussian) else exact(value)
        self._write("definition", because, [], lambda: f"{symbol} = {value}", lambda: f"{symbol} = {_latex(value)}")
        return value

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

    # -- rules -----------------------------------------------------------------------------------------------------------

    def bayes(self, likelihood: Gaussian, prior: Gaussian, evidence: Gaussian, posterior: Gaussian, because: str) -> Gaussian:
        """The posterior density is likelihood times prior over evidence, pointwise, normalisers included."""
        if (likelihood.of, prior.of) != (evidence.of, posterior.of):
            raise MisuseError("likelihood and evidence are laws of one letter, prior and posterior of the other.")
        if prior.of == likelihood.of or prior.of in evidence.letters or likelihood.of in prior.letters:
            raise MisuseError(f"the evidence must not depend on {prior.of}, nor the prior on {likelihood.of}.")
        self._on_the_whole_line(prior.of, likelihood.of)
        lhs = likelihood.log_density + prior.log_density - evidence.log_density
        checks = [self._positive(law) for law in (likelihood, prior, evidence, posterior)]
        checks.append(self._decide("log densities, pointwise", lhs, "==", posterior.log_density))
        self._write(
            "Bayes", because, checks,
            lambda: f"{likelihood} {prior} / {evidence} = {posterior}",
            lambda: rf"\frac{{{likelihood.latex()}\,{prior.latex()}}}{{{evidence.latex()}}} = {posterior.latex()}",
            "p(a | b) = p(b | a) p(a) / p(b) wherever p(b) > 0; a Gaussian density is positive everywhere",
        )  # fmt: skip
        return posterior

    def marginalise(self, prior: Gaussian, kernel: Gaussian, conditional: Gaussian, marginal: Gaussian, because: str) -> Gaussian:
        """Integrate ``prior.of`` out of prior times kernel: the joint factorises into a density of it and the marginal."""
        if (conditional.of, marginal.of) != (prior.of, kernel.of):
            raise MisuseError(f"the joint must factorise into a law of {prior.of} and one of {kernel.of}.")
        if prior.of == kernel.of or prior.of in marginal.letters or kernel.of in prior.letters:
            raise MisuseError(f"the marginal must not depend on {prior.of}, nor the prior on {kernel.of}.")
        self._on_the_whole_line(prior.of, kernel.of)
        checks = [self._positive(law) for law in (prior, kernel, conditional, marginal)]
        joint = prior.log_density + kernel.log_density
        checks.append(self._decide("joint factorises, pointwise", joint, "==", conditional.log_density + marginal.log_density))
        self._write(
            "marginalising", because, checks,
            lambda: f"int {prior} {kernel} d{prior.of} = {marginal}",
            lambda: rf"\int {prior.latex()}\,{kernel.latex()}\,d{_latex(prior.of)} = {marginal.latex()}",
            f"the first factor is a density in {prior.of} and integrates to one; the second is free of {prior.of}",
        )  # fmt: skip
        return marginal

    def affine(self, law: Gaussian, image: Any, of: sympy.Symbol, result: Gaussian, because: str) -> Gaussian:
        """Change of variables: where ``law.of`` has the law, ``of = image`` (affine in ``law.of``) has the law ``result``."""
        x, image = law.of, in_base_letters(exact(image))
        if result.of != of or of in letters_of(image) | law.letters:
            raise MisuseError(f"the image is the law of {of}, and must not depend on {of} itself.")
        slope = sympy.diff(image, x)
        if x in slope.free_symbols or slope == 0:
            raise MisuseError(f"{image} is not affine in {x}, with a slope.")
        self._on_the_whole_line(x, of)
        inverse = x + (of - image) / slope
        checks = [self._positive(law), self._positive(result), self._nonzero(slope)]
        pushed = law.log_density.xreplace({x: sympy.expand(inverse)}) - sympy.log(sympy.Abs(slope))
        checks.append(self._decide("density of the image, pointwise", pushed, "==", result.log_density))
        self._write(
            "change of variables", because, checks,
            lambda: f"{of} = {image}, {law}  =>  {result}",
            lambda: rf"{_latex(of)} = {_latex(image)},\ {law.latex()}\ \Rightarrow\ {result.latex()}",
            "p_y(y) = p_x(x(y)) |dx/dy| for a bijection",
        )  # fmt: skip
        return result

    def derivative(self, function: Any, of: sympy.Symbol, result: Any, because: str) -> sympy.Expr:
        """The derivative of the function is the result; returns the result."""
        function, result = in_base_letters(exact(function)), exact(result)
        if getattr(of, "definition", None) is not None:
            raise MisuseError(f"{of} is defined by other letters; differentiate along one of those.")
        for symbol, (integrand, over) in self._integrals.items():
            if symbol in function.free_symbols and of in letters_of(exact(integrand)) - set(over):
                raise MisuseError(f"{symbol} stands for an integral that depends on {of}; name its derivative instead.")
        checks = [
            self._decide("the function has a value", function, "==", function),
            self._decide("derivative", sympy.diff(function, of), "==", result),
        ]
        self._write(
            "differentiation", because, checks,
            lambda: f"d/d{of} ({function}) = {result}",
            lambda: rf"\frac{{\partial}}{{\partial {_latex(of)}}} \left({_latex(function)}\right) = {_latex(result)}",
        )  # fmt: skip
        return result

    def integrate(
        self,
        lhs: Sequence[tuple[Any, Any]],
        rhs: Sequence[tuple[Any, Any]],
        over: Sequence[sympy.Symbol],
        integrals: Mapping[Any, sympy.Symbol],
        because: str,
    ) -> Claim:
        """Integrate an identity between integrands against an arbitrary density of the letters ``over``.

        Each side is a list of (coefficient, integrand); ``integrals`` names the integral of each integrand. That the
        sides agree pointwise, and that the coefficients are free of ``over``, is checked.

        Returns:
            The identity between the integrals, as a claim ``lhs == rhs``.
        """
        for coefficient, _ in (*lhs, *rhs):
            if set(over) & letters_of(exact(coefficient)):
                raise MisuseError(
                    f"the coefficient {coefficient} depends on {', '.join(map(str, over))} and cannot leave the integral."
                )
        self._on_the_whole_line(*over)
        checks = [check for integrand, symbol in integrals.items() for check in self._named(symbol, integrand, tuple(over))]
        missing = [str(g) for _, g in (*lhs, *rhs) if g not in integrals]
        if missing:
            raise MisuseError(f"{missing[0]} is integrated and has no name among the integrals.")
        pointwise = [sum((c * g for c, g in side), sympy.Integer(0)) for side in (lhs, rhs)]
        checks.append(self._decide("integrands, pointwise", pointwise[0], "==", pointwise[1]))
        integrated = [sum((c * integrals[g] for c, g in side), sympy.Integer(0)) for side in (lhs, rhs)]
        result = Claim(integrated[0], "==", integrated[1])
        self._write("integration", because, checks, lambda: str(result), result.latex, "the integral is linear")
        return result

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
            lambda: r",\quad ".join(f"{_latex(letter)} = {_latex(value)}" for letter, value in values.items()),
            "an equation of first degree with a slope that is not zero has one solution; m^2 = c has one that is not negative",
        )  # fmt: skip

    # -- what a rule asks for ---------------------------------------------------------------------------------------------

    def _on_the_whole_line(self, *letters: sympy.Symbol) -> None:
        """Refuse a rule about all values of a letter where a hypothesis narrows the letter."""
        for one in self._assumed:
            if narrowed := set(letters) & letters_of(one.lhs, one.rhs):
                raise MisuseError(f"the rule is about all values of {narrowed.pop()}, and {one} narrows them.")

    def _named(self, symbol: sympy.Symbol, integrand: Any, over: tuple[sympy.Symbol, ...]) -> list[Check]:
        """Let a letter stand for an integral: one that is free, or positive where the integrand is."""
        if self._integrals.setdefault(symbol, (integrand, over)) != (integrand, over):
            raise MisuseError(f"{symbol} already stands for the integral of {self._integrals[symbol][0]}.")
        if symbol in over or symbol in letters_of(exact(integrand)) or getattr(symbol, "definition", None) is not None:
            raise MisuseError(f"{symbol} cannot stand for an integral: it has a meaning of its own.")
        if domain_of(symbol) == REAL:
            return []
        if domain_of(symbol) != POSITIVE:
            raise MisuseError(f"{symbol} stands for an integral, so that it is real, or positive if the integrand is.")
        return [self._decide(f"{symbol} is positive, since its integrand is", sympy.Integer(0), "<", exact(integrand))]

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

    # -- under a step ----------------------------------------------------------------------------------------------------

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


def _latex(value: Any) -> str:
    return value.latex() if isinstance(value, Gaussian) else str(sympy.latex(value))


def at(expression: Any, **values: Any) -> sympy.Expr:
    """The expression over base letters, with letters replaced by name: ``at(variance, abar_s=1)``.

    Raises:
        MisuseError: if a name is not a letter of the expression.
    """
    expression = in_base_letters(exact(expression))
    letters = {symbol.name: symbol for symbol in expression.free_symbols}
    for name in values:
        if name not in letters:
            raise MisuseError(f"{expression} has no letter {name}.")
    return expression.xreplace({letters[name]: exact(value) for name, value in values.items()})


def letter(name: str, latex: str = "", **keywords: Any) -> Quantity:
    """A letter of one's own; see :class:`verifydiff.forms.quantities.Quantity` for the keywords."""
    return Quantity(name, latex, **keywords)
