r"""The proof of a lemma, written from what the engine knows.

The engine has put the claim into a tower of roots :math:`w^2 = f`. The script introduces one variable a root, proves what
each root and each divisor of the statement comes to there, and leaves an identity that Coq's ``field`` checks modulo the
relations, or a sign whose reasons are written out. Nothing is searched for in Coq, and nothing is trusted: a wrong script
is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import thread_time
from typing import Any

import sympy
from flint import fmpq

from ..claim import Claim
from ..counterexample import feasible
from ..decide import assume, conditions, with_room
from ..normal import Normal, visibly_nonnegative
from ..signs import Sign
from ..tower import Fraction, Generator, Poly, TooLargeError, Tower, UnsupportedError, VanishingError
from .certificate import Discriminant, Evidence, Multiple, Reasons, Squares, Sum, Term
from .names import Names
from .statement import ATOM, PRODUCT, NotAlgebraicError, Statement, Terms, divisor, domain, nodes, radical, stated

SECONDS = 10.0
SEARCH = 10  # seconds, where there are no reasons to write down
BLIND = "intros. repeat split; first [not_zero | not_negative | positive | lra | timeout 10 nra | field; all_not_zero]."
"""What is tried where the engine cannot read the claim; Coq then refuses nearly everything."""

Oriented = tuple[str, int, bool]


def written(claim: Claim) -> tuple[Statement, str]:
    """The statement of a claim, and a script that should prove it.

    Raises:
        NotAlgebraicError: if the claim is not about roots and fractions.
    """
    statement = stated(claim)
    deadline = thread_time() + SECONDS

    def attempt(squared: frozenset[sympy.Symbol], size: int) -> tuple[Statement, str]:
        left_open = [one.expression for one in conditions(claim, squared, size) if not one.holds and one.relation != ">= 0"]
        complete = stated(claim, left_open)
        if not _somewhere(complete):
            raise NotAlgebraicError("no point was found at which its hypotheses hold")
        return complete, Script(complete, squared, size, deadline).text()

    try:
        return with_room(attempt)
    except (UnsupportedError, VanishingError, RecursionError):
        return statement, BLIND


def _somewhere(statement: Statement) -> bool:
    """Whether a point was found at which the hypotheses hold: of no point at all everything is true."""
    hypotheses = (*statement.claim.assuming, *(Claim(sympy.Integer(0), "<", one**2) for one in statement.conditions))
    return not hypotheses or feasible(hypotheses, thread_time() + SECONDS)


class Script:
    """The script of one lemma.

    Args:
        statement: what is proved.
        squared: letters that are written as squares.
        size: how many generators there is room for.
        deadline: when to give up.
    """

    def __init__(self, statement: Statement, squared: frozenset[sympy.Symbol], size: int, deadline: float) -> None:
        self.statement, self.claim = statement, statement.claim
        self.tower = Tower(size, squared, deadline)
        self.normal = Normal(self.tower)
        self.reasons = Reasons(self.tower, self.normal.signs)
        self.names = Names(statement.names.values())
        self.lines: list[str] = []
        self.relations: list[str] = []
        self.letters = dict(statement.names)
        self.roots: dict[Any, str] = {}
        self.terms = Terms(self.letters, expanded=True, roots=self.roots)
        self.domains: dict[sympy.Symbol, str] = {}
        self.hypotheses: dict[str, str] = {}  # by name, as they are written
        self.said: dict[
            str, tuple[str, str, str, str]
        ] = {}  # of a radicand: its root, as an equation and a value; its square; its sign
        self.bases: dict[tuple[sympy.Expr, str], str] = {}  # that a base is not zero, not negative, positive
        self.divided: list[str] = []  # what divisors come to
        self.generators: dict[int, str] = {}
        self.squares: dict[int, str] = {}  # w * w = f
        self.facts: dict[str, tuple[str, bool]] = {}
        self.nonzero: dict[str, str] = {}
        self.ends: set[tuple[int, str, Any]] = set()
        self.reading: sympy.Expr | None = None  # the radicand at hand

    def text(self) -> str:
        """The script, one sentence a line."""
        assumed, left_open = self._introduce()
        for name, one in zip(assumed, self.claim.assuming, strict=True):
            self._read(one.lhs, one.rhs)
            self._assume(name, one)
        for name, condition in zip(left_open, self.statement.conditions, strict=True):
            self._read(condition)
            poly = self.tower.reduced(self.normal(condition)[0])
            self.nonzero[self._key(poly)] = self._assert(
                f"{self.poly(poly)} <> 0", f"apply (not_zero_as _ _ {name}); {self._by(poly)}"
            )
        self._read(self.claim.lhs, self.claim.rhs)
        values = [self.bases[key] for key in self.statement.valued]
        if values:
            self._say(f"refine {''.join(f'(conj {name} ' for name in values)}_{')' * len(values)}")
        self._finish()
        return "\n".join(self.lines)

    # -- sentences -------------------------------------------------------------------------------------------------------

    def _say(self, sentence: str) -> None:
        self.lines.append(f"{sentence}.")

    def _assert(self, what: str, proof: str, stem: str = "H") -> str:
        name = self.names.counted(stem)
        self._say(f"assert ({name} : {what}) by {proof if proof.isidentifier() or _bracketed(proof) else f'({proof})'}")
        return name

    @property
    def _modulo(self) -> str:
        return f" [{' '.join(self.relations)}]" if self.relations else ""

    def _by(self, *polys: Poly) -> str:
        """``ring``, or ``field`` where it has to calculate with fractions."""
        whole = all(coefficient.q == 1 for poly in polys for coefficient in poly.coeffs())
        return f"ring{self._modulo}" if whole else f"field{self._modulo}"

    @property
    def _field(self) -> str:
        rewritten = "".join(f"try rewrite {name}; " for name in reversed(self.divided))
        return f"{rewritten}field{self._modulo}; all_not_zero"

    # -- the beginning ---------------------------------------------------------------------------------------------------

    def _introduce(self) -> tuple[list[str], list[str]]:
        """Letters, domains, definitions, assumptions and conditions, in the order of the statement."""
        statement, names = self.statement, self.names
        bounded = [letter for letter in statement.letters if domain(letter, self.letters[letter])]
        self.domains = {letter: names.counted("D") for letter in bounded}
        assumed = [names.counted("A") for _ in self.claim.assuming]
        left_open = [names.counted("C") for _ in statement.conditions]
        defined = [self.letters[one] for one in statement.defined]
        everything = [*(self.letters[one] for one in statement.letters), *self.domains.values(), *defined, *assumed, *left_open]
        terms = Terms(self.letters, expanded=True)
        said = [f"{terms(one.lhs)} {terms(one.rhs)}" for one in self.claim.assuming] + [terms(one) for one in statement.conditions]
        self.hypotheses = dict(zip((*assumed, *left_open), said, strict=True))
        if everything:
            self._say(f"intros {' '.join(everything)}")
        for one in reversed(defined):
            self._say(f"subst {one}")
        for letter in statement.letters:
            if letter in self.tower.squared:
                self._as_square(letter)
        return assumed, left_open

    def _as_square(self, letter: sympy.Symbol) -> None:
        g, fact, square, name = self.names.counted("g"), self.names.counted("H"), self.names.counted("Q"), self.letters[letter]
        self.tower.letter(letter)
        generator = next(one for one in self.tower.generators.values() if one.symbol == letter)
        domain = generator.domain
        positive = domain.lower == 1 or not domain.closed_below
        self._say(f"destruct ({'positive_' * positive}square_of {name} ltac:(lra)) as ({g} & {fact} & {square})")
        self._say(f"subst {name}")
        self.letters[letter] = f"({g} * {g})"
        self.generators[generator.slot] = g
        if domain.lower == 0:
            self.facts[self._key(generator.poly)] = fact, positive

    # -- generators ------------------------------------------------------------------------------------------------------

    def _generator(self, slot: int) -> str:
        if slot not in self.generators:
            generator = self.tower.generators[slot]
            if generator.symbol is not None:
                self.generators[slot] = self.letters[generator.symbol]
            else:
                self.generators[slot] = self._adjoined(generator)
        return self.generators[slot]

    def _adjoined(self, generator: Generator) -> str:
        """Introduce w with w * w = f, or h = |f|."""
        degree, value = next((d, generator.poly**d - relation) for s, d, relation in self.tower.relations if s == generator.slot)
        if degree != 2:
            raise NotAlgebraicError(f"it holds a root of degree {degree}")
        if generator.root is None:
            return self._absolute(generator, value)
        reason = self._because(value)
        strict = self.facts[self._key(value)][1]
        name, fact, square = self.names.counted("w"), self.names.counted("H"), self.names.counted("Q")
        self._say(f"destruct ({'positive_' * strict}root_of _ {reason}) as ({name} & _ & {fact} & {square})")
        self.relations.append(square)
        self.squares[generator.slot] = square
        self.facts[self._key(generator.poly)] = fact, strict
        return name

    def _because(self, radicand: Poly) -> str:
        """The hypothesis that a radicand is not negative: with reasons, by how it is written, or left to Coq."""
        if not self._known(radicand):
            text, proof = self.poly(radicand), f"timeout {SEARCH} nra"
            if self.reading is not None and visibly_nonnegative(self.reading):
                top, bottom = self.normal(self.reading)
                ratio, _, _ = self._factored((self.tower.multiply(radicand, bottom), top))
                proof = f"apply (not_negative_as (({self.terms(self.reading)}) * ({ratio}))); [not_negative | {self._field}]"
            self.facts[self._key(radicand)] = self._assert(f"0 <= {text}", proof), False
        return self.facts[self._key(radicand)][0]

    def _absolute(self, generator: Generator, value: Poly) -> str:
        inner = self.poly(value.sqrt())
        name, fact, square = self.names.counted("h"), self.names.counted("H"), self.names.counted("Q")
        self._say(f"destruct (absolute_of ({inner})) as ({name} & _ & {fact} & {square})")
        self.relations.append(square)
        self.facts[self._key(generator.poly)] = fact, False
        return name

    # -- polynomials -----------------------------------------------------------------------------------------------------

    def poly(self, poly: Poly) -> str:
        """A polynomial as a term: constants first, so that it reads 1 - x."""
        terms = sorted(zip(poly.monoms(), poly.coeffs(), strict=True), key=lambda term: (sum(term[0]), term[1] < 0))
        terms.sort(key=lambda term: term[1] < 0) if terms and terms[0][1] < 0 else None
        return self._joined([(c, [(self._generator(slot), int(e)) for slot, e in enumerate(m) if e]) for m, c in terms])

    def _joined(self, terms: Sequence[tuple[Any, list[tuple[str, int]]]]) -> str:
        text = ""
        for coefficient, factors in terms:
            sign = "- " if coefficient < 0 else "+ " if text else ""
            text += f"{' ' * bool(text)}{sign}{self._monomial(abs(coefficient), factors)}"
        return text or "0"

    @staticmethod
    def _monomial(coefficient: Any, factors: list[tuple[str, int]]) -> str:
        number = str(coefficient) if coefficient.q == 1 else f"({coefficient.p} / {coefficient.q})"
        written = [base if power == 1 else f"{base} ^ {power}" for base, power in factors]
        return " * ".join([number] * (coefficient != 1 or not written) + written)

    def _bracketed(self, factors: Sequence[tuple[str, int]], number: Any) -> str:
        """A monomial as one operand."""
        text = self._monomial(number, list(factors))
        return text if len(factors) + (number != 1) <= 1 else f"({text})"

    @staticmethod
    def _key(poly: Poly) -> str:
        return str(poly)

    # -- signs -----------------------------------------------------------------------------------------------------------

    def _known(self, poly: Poly) -> bool:
        """Whether it is in context that the polynomial is not negative; said first if there is a reason."""
        key = self._key(poly)
        self.poly(poly)  # what is known of a root is known from where it is introduced
        if key in self.facts:
            return True
        evidence = self.reasons(poly)
        if evidence is None:
            return False
        self._prove(evidence)
        return True

    def _prove(self, evidence: Evidence) -> str:
        """The hypothesis that the polynomial of the evidence is not negative, or positive."""
        key = self._key(evidence.poly)
        if not self._has(key, evidence.strict):
            proof = {Sum: self._by_sum, Multiple: self._by_multiple, Squares: self._by_squares, Discriminant: self._by_discriminant}
            said = proof[type(evidence)](evidence)  # type: ignore[operator]  # each takes its own kind of evidence
            if not self._has(key, evidence.strict):  # it may be just the distance of a letter to its end
                statement = f"0 {'<' if evidence.strict else '<='} {self.poly(evidence.poly)}"
                self.facts[key] = self._assert(statement, said), evidence.strict
        return self.facts[key][0]

    def _has(self, key: str, strict: bool) -> bool:
        return key in self.facts and (self.facts[key][1] or not strict)

    def _as(self, evidence: Evidence, text: str, by: str) -> str:
        """It is positive since it equals something that is visibly so."""
        if text == self.poly(evidence.poly):
            return "positive" if evidence.strict else "not_negative"
        how = "positive_as" if evidence.strict else "not_negative_as"
        return f"(apply ({how} {_operand(text)}); [{'positive' if evidence.strict else 'not_negative'} | {by}])"

    def _by_sum(self, evidence: Sum) -> str:
        text = self._sum_of(evidence.terms)
        cases = "".join(
            f"(destruct (Rle_or_lt ({self._distance(slot, 'lower')}) ({self._distance(slot, 'upper')})); "
            f"[assert (0 < {self._distance(slot, 'upper')}) by lra | assert (0 < {self._distance(slot, 'lower')}) by lra]); "
            for slot in evidence.split
        )
        whole = all(coefficient.q == 1 for coefficient, _ in evidence.terms)
        return cases + self._as(evidence, text, self._by(evidence.poly) if whole else f"field{self._modulo}")

    def _sum_of(self, terms: Sequence[Term]) -> str:
        return self._joined([(c, [self._end(slot, end, power) for slot, end, power in factors]) for c, factors in terms])

    def _end(self, slot: int, end: str, power: int) -> tuple[str, int]:
        """A distance to an end and its power, after it has been said that the distance is not negative."""
        name = self._generator(slot)
        if end == "itself":
            return (f"{name} ^ 2", 1) if power == 2 else (f"({name} ^ 2)", power // 2)
        text = self._distance(slot, end)
        domain = self.tower.generators[slot].domain
        if (slot, end, domain) not in self.ends:
            self.ends.add((slot, end, domain))
            self._say_distance(slot, end, text)
        return (text if text.isidentifier() else f"({text})"), power

    def _distance(self, slot: int, end: str) -> str:
        name, domain = self._generator(slot), self.tower.generators[slot].domain
        if end == "upper":
            return f"{_whole(domain.upper)} - {name}"
        return name if domain.lower == 0 else f"{name} - {_whole(domain.lower)}"

    def _say_distance(self, slot: int, end: str, text: str) -> None:
        generator = self.tower.generators[slot]
        domain = generator.domain
        closed = domain.closed_below if end == "lower" else domain.closed_above
        if generator.symbol is None:
            return  # of a root it was said when it was introduced
        proof = "lra"
        if generator.symbol in self.tower.squared:
            if end == "lower" and domain.lower == 0:
                proof = "first [assumption | lra | nra]"
            else:
                lemma = {("upper", True): "at_most_one", ("upper", False): "below_one", ("lower", True): "at_least_one"}
                proof = f"apply {lemma.get((end, closed), 'above_one')}; lra"
        name = self._assert(f"0 {'<=' if closed else '<'} {text}", proof)
        distance = generator.poly - domain.lower if end == "lower" else domain.upper - generator.poly
        self.facts.setdefault(self._key(distance), (name, not closed))

    def _by_multiple(self, evidence: Multiple) -> str:
        self._prove(evidence.multiplier)
        text = f"({self.poly(evidence.multiplier.poly)}) * ({self.poly(evidence.assumed)})"
        if evidence.rest is not None:
            self._prove(evidence.rest)
            text += f" + ({self.poly(evidence.rest.poly)})"
            # the brackets keep the rest whole, so that it is found among what is known
        return self._as(evidence, text, f"field{self._modulo}")

    def _by_squares(self, evidence: Squares) -> str:
        self._prove(evidence.larger), self._prove(evidence.smaller)
        gap, end = self._gap(evidence.gap)
        w = self._generator(evidence.slot)
        larger, smaller = f"({self.poly(evidence.larger.poly)})", f"({self.poly(evidence.smaller.poly)})"
        larger, smaller = (f"{larger} * {w}", smaller) if evidence.outer_is_larger else (larger, f"{smaller} * {w}")
        by = f"field{self._modulo}"
        lemma, how = ("by_squares_strictly", "positive_as") if evidence.strict else ("by_squares", "not_negative_as")
        return (
            f"apply ({how} ({larger} - {smaller})); "
            f"[apply ({lemma} _ _ {gap}); [not_negative | not_negative | {by} | {end}] | {by}]"
        )

    def _by_discriminant(self, evidence: Discriminant) -> str:
        self._prove(evidence.lead)
        gap, end = self._gap(evidence.gap)
        x = self._generator(evidence.slot)
        a, b, c = (self.poly(one) for one in (evidence.lead.poly, evidence.middle, evidence.last))
        lemma, how = ("by_discriminant_strictly", "positive_as") if evidence.strict else ("by_discriminant", "not_negative_as")
        by = f"field{self._modulo}"
        return (
            f"apply ({how} (({a}) * ({x} * {x}) + ({b}) * {x} + ({c}))); "
            f"[apply ({lemma} _ _ _ _ {gap}); [positive | {by} | {end}] | {by}]"
        )

    def _gap(self, evidence: Evidence | None) -> tuple[str, str]:
        """What lies between two squares, and why it is not negative."""
        if evidence is None:
            return "0", "apply Rle_refl"
        name = self._prove(evidence)
        known_strictly = self.facts[self._key(evidence.poly)][1]
        return (
            f"({self.poly(evidence.poly)})",
            f"apply Rlt_le; exact {name}" if known_strictly > evidence.strict else f"exact {name}",
        )

    # -- fractions, by their factors -------------------------------------------------------------------------------------

    def _factored(self, value: Fraction) -> tuple[str, bool, bool]:
        """A fraction over its factors, each turned so that it is not negative, and whether that shows the whole to be so, strictly.

        Of every factor that divides it has then been said that it is not zero.
        """
        value = self.tower.reduced(value[0]), self.tower.reduced(value[1])
        if value[0].is_zero():
            return "0", True, False
        number, factors = self._factors(value)
        above: list[tuple[str, int]] = []
        below: list[tuple[str, int]] = []
        clear, strict = True, True
        for factor, multiplicity in factors.values():
            if self.normal.signs(factor).at_most_zero:
                factor, number = -factor, number * (-1) ** (multiplicity & 1)
            known = self._known(factor)
            clear &= known or multiplicity % 2 == 0
            strict &= self._not_zero(factor)
            text = self.poly(factor)
            written = (text if text.replace("'", "").isidentifier() else f"({text})"), abs(multiplicity)
            (above if multiplicity > 0 else below).append(written)
        over = fmpq(int(number.q))
        text = self._monomial(fmpq(abs(int(number.p))), above)
        if number < 0:
            text = f"- ({text})"
        if below or over != 1:
            text = f"{text if number > 0 else f'({text})'} / {self._bracketed(below, over)}"
        return text, clear and number > 0, strict and clear and number > 0

    def _factors(self, value: Fraction) -> tuple[Any, dict[str, tuple[Poly, int]]]:
        """The irreducible factors; of what is too large to be split, itself."""
        try:
            return self.normal.roots.factors(value)
        except TooLargeError:
            top, bottom = value
            whole = {self._key(top): (top, 1), self._key(bottom): (bottom, -1)}
            return fmpq(1), {key: entry for key, entry in whole.items() if not entry[0].is_one()}

    def _not_zero(self, factor: Poly) -> bool:
        """Whether it is in context that the factor is not zero."""
        key = self._key(factor)
        if self._known(factor) and self.facts[key][1]:
            return True
        if key in self.nonzero or self._key(-factor) in self.nonzero:
            return True
        for slot, square in self.squares.items():
            generator = self.tower.generators[slot]
            if generator.poly == factor:
                base = next(generator.poly**d - relation for s, d, relation in self.tower.relations if s == slot)
                if self._not_zero(base):
                    name = self._generator(slot)
                    said = f"apply (root_not_zero _ _ {square}); not_zero"
                    self.nonzero[key] = self._assert(f"{name} <> 0", said)
                    return True
        return False

    # -- the roots and divisors of the statement -------------------------------------------------------------------------

    def _read(self, *expressions: sympy.Expr) -> None:
        for node in nodes(*expressions):
            if (found := radical(node)) is not None:
                self._radical(*found)
            elif divisor(node):
                self._divisor(node.base)
            elif isinstance(node, sympy.Abs):
                self._absolute_value(node.args[0])

    def _radical(self, base: sympy.Expr, depth: int, power: int) -> None:
        """What the root comes to, and that its radicand is not negative."""
        for level in range(1, depth + 1):
            if (base, level) not in self.roots:
                self._one_root(base, level)
        if power < 0 and (base, "> 0") not in self.bases and not _number(base):
            for level in range(1, depth + 1):
                self._factored(self._power(base, level))
            radicand, value = self.terms(base), self.roots[base, 1]
            proof = f"apply (radicand_positive _ {value} {self.bases[base, '= ^2']}); not_zero"
            self.bases[base, "> 0"] = self._assert(f"0 < {radicand}", proof)

    def _power(self, base: sympy.Expr, level: int) -> Fraction:
        return self.normal.roots.power(self.normal(base), fmpq(1, 2**level), partial(visibly_nonnegative, base))

    def _one_root(self, base: sympy.Expr, level: int) -> None:
        """Say once of each radicand, as it is written, what its root comes to."""
        inner = self.terms(base, ATOM) if level == 1 else self.roots[base, level - 1]
        if inner not in self.said:
            self.reading = base
            text, _, _ = self._signed(self._power(base, level))
            self.reading = None
            value = _operand(text)
            square = self._assert(f"{value} * {value} = {inner}", self._field, "S")
            root = self._assert(f"sqrt {inner} = {text}", f"apply root_is; [not_negative | exact {square}]", "E")
            fact = self._assert(f"0 <= {inner}", f"exact (radicand_not_negative _ _ {square})")
            self.said[inner] = root, value, square, fact
        root, value, square, fact = self.said[inner]
        self._replace(root, f"sqrt {inner}")
        self.roots[base, level] = value
        if level == 1:
            self.bases[base, "= ^2"], self.bases[base, ">= 0"] = square, fact

    def _absolute_value(self, inner: sympy.Expr) -> None:
        if (inner, 0) not in self.roots:
            text, _, _ = self._signed(self.normal.roots.absolute(self.normal(inner)))
            written = f"Rabs {self.terms(inner, ATOM)}"
            self._replace(self._assert(f"{written} = {text}", f"apply absolute_is; [not_negative | {self._field}]", "E"), written)
            self.roots[inner, 0] = _operand(text)

    def _signed(self, value: Fraction) -> tuple[str, bool, bool]:
        """A fraction that is not negative as a term that shows it."""
        text, clear, strict = self._factored(value)
        if not clear:
            top, bottom = self.tower.reduced(value[0]), self.tower.reduced(value[1])
            if self.normal.signs(bottom).at_most_zero:
                top, bottom = -top, -bottom
            if self._known(top) and (bottom.is_one() or self._known(bottom)):
                text = self.poly(top) if bottom.is_one() else f"({self.poly(top)}) / ({self.poly(bottom)})"
        return text, clear, strict

    def _replace(self, name: str, root: str) -> None:
        """Write the value for the root, in the goal and in the hypotheses that hold it."""
        self._say(f"try rewrite {name}")
        for hypothesis, one in self.hypotheses.items():
            if root.split()[0] in one:
                self._say(f"try rewrite {name} in {hypothesis}")

    def _divisor(self, base: sympy.Expr) -> None:
        """What a divisor comes to, and that it is not zero."""
        if (base, "!= 0") in self.bases or _number(base):
            return
        text = self.terms(base)
        value = self.tower.reduced(self.normal(base)[0]), self.tower.reduced(self.normal(base)[1])
        product, _, _ = self._factored(value)
        if _plain(base) and len(self._factors(value)[1]) == 1:
            self.bases[base, "!= 0"] = self._assert(f"{text} <> 0", "not_zero")
            return
        if _operand(product) == _operand(text):
            self.bases[base, "!= 0"] = self._assert(f"{text} <> 0", "not_zero")
            return
        name = self._assert(f"{text} = {product}", self._field, "F")
        self.bases[base, "!= 0"] = self._assert(f"{text} <> 0", f"first [not_zero | rewrite {name}; not_zero]")
        self.divided.append(name)

    # -- assumptions and the claim ---------------------------------------------------------------------------------------

    def _assume(self, name: str, assumed: Claim) -> None:
        """Say of the assumption what the engine makes of it: a polynomial that is not negative, or positive."""
        before = len(self.normal.signs.assumed)
        left, right = self.normal(assumed.lhs), self.normal(assumed.rhs)
        assume(assumed, self.normal)
        if len(self.normal.signs.assumed) == before:
            return
        poly, strict = self.normal.signs.assumed[-1]
        bottom = self.tower.reduced(self.tower.sum(right, (-left[0], left[1]))[1])
        if self.normal.signs(bottom) is Sign.NEGATIVE:
            bottom = -bottom
        if not bottom.is_one():
            self._known(bottom)
        how, lemma, show = (
            ("positive_as", "gap_of_strictly", "positive") if strict else ("not_negative_as", "gap_of", "not_negative")
        )
        self._say(f"apply {lemma} in {name}")
        gap = f"{self.terms(assumed.rhs)} - {self.terms(assumed.lhs, PRODUCT)}"
        if not bottom.is_one():
            gap = f"({gap}) * {_operand(self.poly(bottom))}"
        said = f"apply ({how} ({gap})); [{show} | {self._field}]"
        self.facts[self._key(poly)] = self._assert(f"0 {'<' if strict else '<='} {self.poly(poly)}", said), strict

    def _finish(self) -> None:
        left, right = self.terms(self.claim.lhs), self.terms(self.claim.rhs)
        if self.claim.relation == "==":
            self._say("reflexivity" if left == right else self._field)
            return
        a, b = self.normal(self.claim.lhs), self.normal(self.claim.rhs)
        top, bottom = map(self.tower.reduced, self.tower.sum(b, (-a[0], a[1])))
        strict = self.claim.relation == "<"
        text, _, _ = self._signed((top, bottom))
        lemma, show = ("by_gap_strictly", "positive") if strict else ("by_gap", "not_negative")
        self._say(f"apply ({lemma} _ _ {_operand(text)}); [{self._field} | first [{show} | timeout {SEARCH} nra]]")


def _whole(number: int | None) -> str:
    return str(number) if number is None or number >= 0 else f"(- {-number})"


def _bracketed(text: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    depth = 0
    for place, one in enumerate(text):
        depth += (one == "(") - (one == ")")
        if depth == 0:
            return one == ")" and place == len(text) - 1
    return False


def _operand(text: str) -> str:
    """A term as an argument: in brackets, unless it is one word or has them."""
    return text if text.replace("'", "").isalnum() or text.isidentifier() or _bracketed(text) else f"({text})"


def _number(base: sympy.Expr) -> bool:
    return isinstance(base, sympy.Rational)


def _plain(base: sympy.Expr) -> bool:
    """Whether a divisor is a polynomial as it stands."""
    return not any(radical(node) or divisor(node) or isinstance(node, sympy.Abs) for node in nodes(base))
