r"""The normal form: a SymPy tree as a fraction of the tower.

The walk dispatches on the type of each node and never asks SymPy to think. Defined quantities are expanded on the way,
every divisor is noted, and what is not understood ends the walk with its name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy
from flint import fmpq
from sympy.core.numbers import Exp1, Half, NegativeOne, One, Pi, Zero

from ..forms.quantities import Domain, Quantity
from .roots import Roots
from .signs import Signs
from .tower import Fraction, Tower, UnsupportedError, domain_of

MAX_DIGITS = 20_000
MAX_KNOWN = 2_000


class Normal:
    """The walk over expressions that share one tower.

    Args:
        tower: where the generators live.
    """

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.signs = Signs(tower)
        self.roots = Roots(tower, self.signs)
        self._known: dict[sympy.Expr, Fraction] = {}

    def __call__(self, expression: sympy.Expr) -> Fraction:
        """The expression as a fraction; not yet reduced.

        Raises:
            UnsupportedError: if it holds something that the engine does not decide.
            VanishingError: if it divides by what is zero everywhere.
        """
        known = self._known.get(expression)
        if known is None:
            walk = _WALKS.get(type(expression))
            if walk is None:
                raise UnsupportedError(f"the engine does not decide {_called(expression)}")
            known = self._known[expression] = walk(self, expression)
        return known

    @property
    def spoilt(self) -> bool:
        """Whether other claims had better not be read here: no room, or something that could colour what is said of them."""
        tower = self.tower
        return bool(
            self.roots.open or tower.homonyms or tower.logs or tower.exponentials or tower.room < 4 or len(self._known) > MAX_KNOWN
        )

    def rational(self, expression: sympy.Rational) -> Fraction:
        """A rational number."""
        if expression.p.bit_length() > MAX_DIGITS or expression.q.bit_length() > MAX_DIGITS:
            raise UnsupportedError("a number outgrows the limits on size")
        return self.tower.context.constant(fmpq(expression.p, expression.q)), self.tower.one

    def symbol(self, symbol: sympy.Symbol) -> Fraction:
        """A letter, or the definition of a defined quantity."""
        self.tower.name(symbol)
        if type(symbol) is Quantity and symbol.definition is not None:
            return self(symbol.definition)
        return self.tower.letter(symbol), self.tower.one

    def add(self, expression: sympy.Add) -> Fraction:
        """A sum, term by term."""
        self.tower.check_time()
        add, (first, *others) = self.tower.sum, expression.args
        total = self(first)
        for term in others:
            total = add(total, self(term))
        return total

    def mul(self, expression: sympy.Mul) -> Fraction:
        """A product, factor by factor."""
        multiply, (first, *others) = self.tower.product, expression.args
        total = self(first)
        for factor in others:
            total = multiply(total, self(factor))
        return total

    def pow(self, expression: sympy.Pow) -> Fraction:
        """A power: whole, rational, or through the exponential."""
        self.tower.check_time()
        base, exponent = expression.args
        if isinstance(exponent, sympy.Integer):
            inner = self(base)
            if exponent.p < 0:
                self.roots.divide_by(inner[0])
            return self.tower.power(inner, int(exponent.p))
        if isinstance(exponent, sympy.Rational):
            if exponent.q > 64:
                raise UnsupportedError("a root of such a high degree outgrows the limits on size")
            inner = self(base)
            if exponent.p < 0:
                self.roots.divide_by(inner[0])
            return self.roots.power(inner, fmpq(exponent.p, exponent.q), partial(visibly_nonnegative, base))
        return self.roots.exponential(self.tower.product(self(exponent), self.roots.logarithm(self(base))))

    def absolute(self, expression: sympy.Abs) -> Fraction:
        """An absolute value."""
        return self.roots.absolute(self(expression.args[0]))

    def log(self, expression: sympy.log) -> Fraction:
        """A natural logarithm."""
        return self.roots.logarithm(self(expression.args[0]))

    def exp(self, expression: sympy.exp) -> Fraction:
        """An exponential."""
        return self.roots.exponential(self(expression.args[0]))

    def pi(self, expression: sympy.Expr) -> Fraction:
        """The circle's number: transcendental, between 3 and 4."""
        return self.tower.constant(expression, Domain(3, 4)), self.tower.one

    def euler(self, expression: sympy.Expr) -> Fraction:
        """Euler's number: the exponential of 1."""
        return self.roots.exponential(self.tower.unit)


def visibly_nonnegative(expression: sympy.Expr) -> bool:
    """Whether an expression, as it is written, is a sum or product of what is never negative.

    A defined quantity counts by its definition, not by the domain that somebody has written beside it.
    """
    match expression:
        case sympy.Add() | sympy.Mul():
            return all(visibly_nonnegative(part) for part in expression.args)
        case sympy.Rational():
            return bool(expression.p >= 0)
        case sympy.Pow() if isinstance(expression.exp, sympy.Integer):
            return bool(expression.exp.p % 2 == 0) or visibly_nonnegative(expression.base)
        case sympy.Symbol():
            definition = getattr(expression, "definition", None)
            low = domain_of(expression).lower
            return visibly_nonnegative(definition) if definition is not None else low is not None and low >= 0
    return isinstance(expression, (sympy.Pow, sympy.Abs, sympy.exp))


def _called(expression: Any) -> str:
    name = type(expression).__name__
    return "complex numbers" if name == "ImaginaryUnit" else f"{name} ({expression})"[:120]


_WALKS: dict[type, Callable[[Normal, Any], Fraction]] = {
    **dict.fromkeys((sympy.Integer, sympy.Rational, Zero, One, NegativeOne, Half), Normal.rational),
    **dict.fromkeys((sympy.Symbol, sympy.Dummy, Quantity), Normal.symbol),
    sympy.Add: Normal.add,
    sympy.Mul: Normal.mul,
    sympy.Pow: Normal.pow,
    sympy.Abs: Normal.absolute,
    sympy.log: Normal.log,
    sympy.exp: Normal.exp,
    Pi: Normal.pi,
    Exp1: Normal.euler,
}
