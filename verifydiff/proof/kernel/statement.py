r"""What is claimed, as a person would write it in Coq.

A claim about real letters becomes a lemma over :math:`\mathbb R`: for all values in their domains, under the assumptions,
both sides have a value and the relation holds. Coq's division and square root are total: :math:`1/0` and
:math:`\sqrt{-1}` are some numbers there. So that every divisor is not zero and every radicand not negative is part of what is
to be proved, never of what is assumed. Only where the engine itself leaves a condition to the reader is it a hypothesis.

This file is the one to trust: whether Coq has checked the claim, and not another, is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.numbers import Exp1, Pi

from ..claim import Claim, letters_of
from ..tower import UnsupportedError, domain_of
from .names import Names

WIDTH = 100
SUM, PRODUCT, POWER, CALL, ATOM = range(5)

Text = tuple[str, int]
Roots = Mapping[Any, str]


class NotAlgebraicError(Exception):
    """The claim is not one about roots and fractions; the message says what it holds."""


# -- what a node is ------------------------------------------------------------------------------------------------------


def radical(node: sympy.Expr) -> tuple[sympy.Expr, int, int] | None:
    """The base, the depth k and the power p of a node ``base ** (p / 2**k)`` with k > 0, or None."""
    if not isinstance(node, sympy.Pow) or not isinstance(node.exp, sympy.Rational) or node.exp.q == 1:
        return None
    depth = int(node.exp.q).bit_length() - 1
    return node.base, depth, int(node.exp.p)


def divisor(node: sympy.Expr) -> bool:
    """Whether the node divides by its base."""
    return isinstance(node, sympy.Pow) and node.exp.is_Rational and node.exp.p < 0


def parts(node: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """What a node is made of; a defined quantity is made of its definition.

    Raises:
        NotAlgebraicError: if it is made by anything but arithmetic, square roots and absolute values.
    """
    definition = getattr(node, "definition", None)
    if definition is not None:
        return (definition,)
    if isinstance(node, (sympy.Symbol, sympy.Rational)):
        return ()
    if isinstance(node, (sympy.Add, sympy.Mul, sympy.Abs)):
        return tuple(node.args)
    if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational) and node.base is not sympy.E:
        if node.exp.q & (node.exp.q - 1):
            raise NotAlgebraicError(f"it holds a root of degree {node.exp.q}")
        return (node.base,)
    raise NotAlgebraicError(f"it holds {_called(node)}")


def _called(node: Any) -> str:
    if isinstance(node, (sympy.exp, Exp1)) or (isinstance(node, sympy.Pow) and node.base is sympy.E):
        return "an exponential"
    if isinstance(node, sympy.log):
        return "a logarithm"
    if isinstance(node, Pi):
        return "pi"
    return "a power whose exponent is no number" if isinstance(node, sympy.Pow) else type(node).__name__


def nodes(*expressions: sympy.Expr) -> Iterator[sympy.Expr]:
    """Every node once, inner ones first."""
    seen: set[sympy.Expr] = set()
    waiting = [(expression, False) for expression in reversed(expressions)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(part, False) for part in reversed(parts(node))]


# -- terms ---------------------------------------------------------------------------------------------------------------


class Terms:
    """Expressions as terms of Coq.

    Args:
        names: the name of each symbol.
        expanded: whether defined quantities are written by their definitions.
        roots: what is written in place of a root ``(base, depth)`` or an absolute value ``(base, 0)``.
    """

    def __init__(self, names: Mapping[sympy.Symbol, str], expanded: bool = False, roots: Roots | None = None) -> None:
        self.names, self.expanded, self.roots = names, expanded, {} if roots is None else roots

    def __call__(self, expression: sympy.Expr, at_least: int = SUM) -> str:
        """The expression, in brackets where the place asks for them."""
        text, level = self._text(expression)
        return text if level >= at_least else f"({text})"

    def root(self, base: sympy.Expr, depth: int) -> Text:
        """The base under so many roots."""
        if depth == 0:
            return self._text(base)
        known = self.roots.get((base, depth))
        if known is not None:
            return known, ATOM
        text, level = self.root(base, depth - 1)
        return (f"sqrt {text}" if level == ATOM else f"sqrt ({text})"), CALL

    def _text(self, node: sympy.Expr) -> Text:
        if isinstance(node, sympy.Symbol):
            return self._symbol(node)
        if isinstance(node, sympy.Add):
            return self._sum(node), SUM
        if isinstance(node, sympy.Abs):
            known = self.roots.get((node.args[0], 0))
            return (known, ATOM) if known is not None else (f"Rabs {self(node.args[0], ATOM)}", CALL)
        if isinstance(node, sympy.Integer) and node >= 0:
            return str(node), ATOM
        return self._product(node)

    def _symbol(self, symbol: sympy.Symbol) -> Text:
        definition = getattr(symbol, "definition", None)
        if self.expanded and definition is not None:
            return self._text(definition)
        return self.names[symbol], ATOM

    def _sum(self, node: sympy.Add) -> str:
        terms = node.as_ordered_terms()
        first = next((place for place, term in enumerate(terms) if not _negative(term)), 0)
        terms.insert(0, terms.pop(first))
        text = self(terms[0], PRODUCT)
        for term in terms[1:]:
            text += f" - {self(-term, PRODUCT)}" if _negative(term) else f" + {self(term, PRODUCT)}"
        return text

    def _product(self, node: sympy.Expr) -> Text:
        """A product, a fraction or a power: the sign first, then what multiplies, then what divides."""
        above, below, sign = [], [], ""
        for factor in node.as_ordered_factors() if isinstance(node, sympy.Mul) else [node]:
            if isinstance(factor, sympy.Rational):
                sign = "- " if factor < 0 else sign
                above += [str(abs(factor.p))] * (abs(factor.p) != 1)
                below += [str(factor.q)] * (factor.q != 1)
            elif divisor(factor):
                below.append(self._power(factor))
            else:
                above.append(self._power(factor))
        if sign and not above:
            above = ["1"]
        over = "" if not below else f" / {below[0]}" if len(below) == 1 else f" / ({' * '.join(below)})"
        text = sign + (" * ".join(above) or "1") + over
        return (text, PRODUCT) if sign or over or len(above) > 1 else (text, POWER)

    def _power(self, factor: sympy.Expr) -> str:
        """A factor, with the sign of its exponent left out."""
        if found := radical(factor):
            base, depth, power = found
            text, level = self.root(base, depth)
        elif isinstance(factor, sympy.Pow):
            power = int(factor.exp)
            text, level = self._text(factor.base)
        else:
            return self(factor, POWER)
        if abs(power) == 1:
            return text if level >= POWER else f"({text})"
        return f"{text if level >= CALL else f'({text})'} ^ {abs(power)}"


def _negative(term: sympy.Expr) -> bool:
    leading = term.args[0] if isinstance(term, sympy.Mul) else term
    return isinstance(leading, sympy.Rational) and bool(leading < 0)


# -- the lemma -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim as a lemma without a name.

    Attributes:
        claim: the claim.
        letters: its base letters; ``defined``: the quantities they define, each after those that it rests on.
        conditions: expressions that the reader is told must not be zero.
        names: what each of these symbols is called.
        valued: what has to hold for both sides to have a value: a base with its relation to 0, in the order of the lemma.
    """

    claim: Claim
    letters: tuple[sympy.Symbol, ...]
    defined: tuple[sympy.Symbol, ...]
    conditions: tuple[sympy.Expr, ...]
    names: dict[sympy.Symbol, str]
    valued: tuple[tuple[sympy.Expr, str], ...]

    @property
    def text(self) -> str:
        """The statement, from ``forall`` to what is claimed."""
        terms = Terms(self.names)
        lines = []
        if self.letters:
            lines.append(f"forall {' '.join(self.names[letter] for letter in self.letters)} : R,")
        domains = [f"{bounds} ->" for letter in self.letters if (bounds := domain(letter, self.names[letter]))]
        lines += _filled(domains)
        lines += [f"let {self.names[one]} := {terms(one.definition)} in" for one in self.defined]
        lines += [f"{_related(one, terms)} ->" for one in self.claim.assuming]
        lines += [f"{terms(one)} <> 0 ->" for one in self.conditions]
        if self.valued:
            lines += _filled([f"{valued(terms(base), relation)} /\\" for base, relation in self.valued])
        lines.append(_related(self.claim, terms))
        return "\n  ".join(lines)


def stated(claim: Claim, conditions: Sequence[sympy.Expr] = ()) -> Statement:
    """The claim as a statement.

    Raises:
        NotAlgebraicError: if it holds what Coq's field of reals does not decide.
    """
    sides = [side for one in (claim, *claim.assuming) for side in (one.lhs, one.rhs)]
    order = list(nodes(*sides, *conditions))
    symbols = [node for node in order if isinstance(node, sympy.Symbol)]
    given, names = Names(), {}
    for symbol in sorted(symbols, key=lambda one: one.name):
        names[symbol] = given.new(symbol.name)
    letters = tuple(sorted(letters_of(*sides, *conditions), key=lambda one: one.name))
    defined = tuple(symbol for symbol in symbols if getattr(symbol, "definition", None) is not None)
    return Statement(claim, letters, defined, tuple(conditions), names, tuple(_valued(claim)))


def domain(letter: sympy.Symbol, name: str) -> str:
    """The bounds of a letter as a hypothesis; nothing if it has none.

    Raises:
        NotAlgebraicError: if the letter is no real number.
    """
    try:
        found = domain_of(letter)
    except UnsupportedError as error:
        raise NotAlgebraicError(str(error)) from None
    below = "" if found.lower is None else f"{_whole(found.lower)} {'<=' if found.closed_below else '<'} "
    above = "" if found.upper is None else f" {'<=' if found.closed_above else '<'} {_whole(found.upper)}"
    return f"{below}{name}{above}" if below or above else ""


def valued(text: str, relation: str) -> str:
    """That a term is not zero, not negative, or positive."""
    return {"!= 0": f"{text} <> 0", ">= 0": f"0 <= {text}", "> 0": f"0 < {text}"}[relation]


def _valued(claim: Claim) -> Iterator[tuple[sympy.Expr, str]]:
    seen = set()
    for node in nodes(claim.lhs, claim.rhs):
        if not isinstance(node, sympy.Pow) or (isinstance(node.base, sympy.Rational) and node.base > 0):
            continue
        relation = ("> 0" if divisor(node) else ">= 0") if radical(node) else "!= 0" if divisor(node) else ""
        if relation and (node.base, relation) not in seen:
            seen.add((node.base, relation))
            yield node.base, relation


def _related(one: Claim, terms: Terms) -> str:
    return f"{terms(one.lhs)} {'=' if one.relation == '==' else one.relation} {terms(one.rhs)}"


def _filled(parts: list[str]) -> list[str]:
    """The parts on lines that are not too long."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < WIDTH:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _whole(number: int) -> str:
    return str(number) if number >= 0 else f"(- {-number})"
