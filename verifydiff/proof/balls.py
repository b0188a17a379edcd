r"""Evaluation at one point: exact rationals as long as they last, then balls that enclose the true value.

This evaluator knows nothing of the normal form: it reads the two sides of a claim as they were written. A ball that does
not contain 0 shows that two sides differ; one that does shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy
from flint import arb, fmpq
from sympy.core.numbers import Exp1, Half, NegativeOne, One, Pi, Zero

from ..forms.quantities import Quantity
from .tower import UnsupportedError

MAX_EXACT = 1_000_000  # bits of a rational number; a larger one is carried on as a ball
MAX_ROOT = 64

Value = Any  # flint.fmpq where exact, else flint.arb
Point = Mapping[sympy.Symbol, Any]  # a sympy.Rational, or a Value


class UndefinedError(Exception):
    """An expression has no real value at a point.

    Attributes:
        by_root: whether the root or the logarithm of a negative number is to blame; else a division by zero.
    """

    def __init__(self, reason: str, by_root: bool) -> None:
        super().__init__(reason)
        self.by_root = by_root


class ImpreciseError(Exception):
    """A ball is too wide to tell a sign; more precision may help."""


class Balls:
    """The evaluator at one point and the precision that flint is set to.

    Args:
        point: the values of the base letters.
    """

    def __init__(self, point: Point) -> None:
        self.point = point
        self._known: dict[sympy.Expr, Value] = {}

    def __call__(self, expression: sympy.Expr) -> Value:
        """The value of the expression.

        Raises:
            UndefinedError: if it has no real value here.
            ImpreciseError: if that cannot be told at this precision.
            UnsupportedError: if it holds something that is not evaluated.
        """
        known = self._known.get(expression)
        if known is None:
            walk = _WALKS.get(type(expression))
            if walk is None:
                raise UnsupportedError(f"{type(expression).__name__} is not evaluated")
            value = walk(self, expression)
            known = self._known[expression] = arb(value) if isinstance(value, fmpq) and bits(value) > MAX_EXACT else value
        return known

    def rational(self, expression: sympy.Rational) -> Value:
        """A rational number."""
        return fmpq(expression.p, expression.q)

    def symbol(self, symbol: sympy.Symbol) -> Value:
        """A letter's value, or that of its definition."""
        if isinstance(symbol, Quantity) and symbol.definition is not None:
            return self(symbol.definition)
        value = self.point[symbol]
        return self.rational(value) if isinstance(value, sympy.Rational) else value

    def add(self, expression: sympy.Add) -> Value:
        """A sum."""
        total: Value = fmpq(0)
        for term in expression.args:
            total = total + self(term)
        return total

    def mul(self, expression: sympy.Mul) -> Value:
        """A product; all factors must have values, even beside a zero."""
        total: Value = fmpq(1)
        for factor in expression.args:
            total = total * self(factor)
        return total

    def pow(self, expression: sympy.Pow) -> Value:
        """A power: whole, rational of what is not negative, or through the exponential."""
        base, exponent = (self(argument) for argument in expression.args)
        if not isinstance(exponent, fmpq):
            return (exponent * self._log(base)).exp()
        return power(base, exponent)

    def absolute(self, expression: sympy.Abs) -> Value:
        """An absolute value."""
        return abs(self(expression.args[0]))

    def log(self, expression: sympy.log) -> Value:
        """A logarithm."""
        return self._log(self(expression.args[0]))

    def exp(self, expression: sympy.exp) -> Value:
        """An exponential."""
        return arb(self(expression.args[0])).exp()

    def sign(self, expression: sympy.Expr) -> Value:
        """A sign."""
        return fmpq(_sign(self(expression.args[0])))

    def extreme(self, expression: sympy.Expr) -> Value:
        """The greatest or the least of some values."""
        values = [self(argument) for argument in expression.args]
        best, *others = values
        direction = 1 if isinstance(expression, sympy.Max) else -1
        for other in others:
            best = other if _sign(other - best) * direction > 0 else best
        return best

    def smooth(self, expression: sympy.Expr) -> Value:
        """A function that is analytic on the whole line."""
        return getattr(arb(self(expression.args[0])), type(expression).__name__)()

    def pi(self, expression: sympy.Expr) -> Value:
        """The circle's number."""
        return arb.pi()

    def euler(self, expression: sympy.Expr) -> Value:
        """Euler's number."""
        return arb(1).exp()

    def _log(self, value: Value) -> Value:
        sign = _sign(value)
        if sign == 0:
            raise UndefinedError("it takes the logarithm of 0", by_root=False)
        if sign < 0:
            raise UndefinedError(f"it takes the logarithm of the negative number {_shown(value)}", by_root=True)
        return fmpq(0) if value == 1 else arb(value).log()


def _sign(value: Value) -> int:
    if isinstance(value, fmpq):
        return int(value > 0) - int(value < 0)
    if value > 0:
        return 1
    if value < 0:
        return -1
    if value.is_exact() and value == 0:
        return 0
    raise ImpreciseError


def bits(value: Any) -> int:
    """The bits of the longer part of a fraction."""
    return max(int(value.p).bit_length(), int(value.q).bit_length())


def power(base: Value, exponent: Any) -> Value:
    """A rational power.

    Raises:
        UndefinedError: if it has no real value.
        ImpreciseError: if that cannot be told at this precision.
    """
    if exponent < 0 and _sign(base) == 0:
        raise UndefinedError("it divides by 0", by_root=False)
    if exponent.q == 1:
        return _whole_power(base, int(exponent.p))
    if _sign(base) < 0:
        raise UndefinedError(f"it takes a root of the negative number {_shown(base)}", by_root=True)
    return _rational_power(base, exponent)


def _whole_power(base: Value, exponent: int) -> Value:
    """Exact as long as the result has a size that can be written down; flint ends the process where it has not."""
    if isinstance(base, fmpq) and (bits(base) == 1 or bits(base) * abs(exponent) <= MAX_EXACT):
        return base ** (exponent % 2 if abs(base) == 1 else exponent)
    return arb(base) ** exponent


def _rational_power(base: Value, exponent: Any) -> Value:
    root, power = int(exponent.q), int(exponent.p)
    if isinstance(base, fmpq) and (root <= MAX_ROOT or base in (0, 1)):
        exact = [_whole_root(int(part), root) for part in (base.p, base.q)]
        if None not in exact:
            return _whole_power(fmpq(*exact), power)
    ball = arb(base)
    if root > MAX_ROOT:
        return (ball.log() * exponent).exp()
    return _whole_power(ball.sqrt() if root == 2 else ball.root(root), power)


def _whole_root(number: int, degree: int) -> int | None:
    root, exact = sympy.integer_nthroot(number, degree)
    return int(root) if exact else None


def _shown(value: Value) -> str:
    return str(value) if isinstance(value, fmpq) else value.str(6, radius=False)


_WALKS: dict[type, Callable[[Balls, Any], Value]] = {
    **dict.fromkeys((sympy.Integer, sympy.Rational, Zero, One, NegativeOne, Half), Balls.rational),
    **dict.fromkeys((sympy.Symbol, sympy.Dummy, Quantity), Balls.symbol),
    sympy.Add: Balls.add,
    sympy.Mul: Balls.mul,
    sympy.Pow: Balls.pow,
    sympy.Abs: Balls.absolute,
    sympy.log: Balls.log,
    sympy.exp: Balls.exp,
    sympy.sign: Balls.sign,
    **dict.fromkeys((sympy.Max, sympy.Min), Balls.extreme),
    **dict.fromkeys((sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.erf), Balls.smooth),
    Pi: Balls.pi,
    Exp1: Balls.euler,
}
