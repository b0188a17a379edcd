r"""The two ways of working out a formula: in numbers, and in letters.

A formula is read the same way in both. In numbers, at one generic point, it costs microseconds and tells at once whether two sides
can be equal; in letters, as SymPy expressions, it is what the proof engine decides. Numbers are complex so that a derivative is
exact to rounding, by a step along the imaginary axis:

.. math:: f'(x) = \operatorname{Im} f(x + i h) / h + O(h^2), \qquad h = 10^{-30}
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any, Protocol
from zlib import crc32

Value = Any
"""A complex number or a SymPy expression: what adds, multiplies and divides."""

STEP, MAX_KNOWN = 1e-30, 20_000
MAX_BITS, MAX_DEGREE = 4096, 256  # of a power: so many binary digits, or so high
REAL, POSITIVE, FRACTION, LEVEL, SMALL = "real", "positive", "fraction", "level", "small"


class UndefinedError(ArithmeticError):
    """An expression has no real value."""


class TooLargeError(ArithmeticError):
    """A number is too large, or too near to 0, to be worked out: nothing is said of it."""


class Algebra(Protocol):
    """What a formula is worked out in."""

    def number(self, value: Fraction) -> Value:
        """A number."""

    def letter(self, name: str, tex: str, domain: str = REAL) -> Value:
        """A free letter: one name, one value."""

    def sqrt(self, value: Value) -> Value:
        """A square root."""

    def log(self, value: Value) -> Value:
        """A natural logarithm."""

    def exp(self, value: Value) -> Value:
        """An exponential."""

    def absolute(self, value: Value) -> Value:
        """An absolute value."""

    def power(self, value: Value, exponent: Value) -> Value:
        """A power."""

    def function(self, name: str, value: Value) -> Value:
        """A function by name."""

    def slope(self, function: Callable[[Value], Value], at: Value, name: str) -> Value:
        """The derivative of a function of one letter."""


class Numbers:
    """A generic point; ``seed`` tells points apart."""

    symbolic = False

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.known: dict[str, complex] = {}

    def number(self, value: Fraction) -> complex:
        """A number."""
        try:
            return complex(float(value))
        except OverflowError:
            raise TooLargeError("a number outgrows the limits on size") from None

    def letter(self, name: str, tex: str = "", domain: str = REAL) -> complex:
        """A free letter: a value in its domain that depends on its name and the seed alone."""
        if name not in self.known:
            if len(self.known) > MAX_KNOWN:
                self.known.clear()
            self.known[name] = self._drawn(name, domain)
        return self.known[name]

    def _drawn(self, name: str, domain: str) -> complex:
        part = (crc32(f"{self.seed}/{name}".encode()) % 99_991 + 1) / 99_993
        if domain in (FRACTION, LEVEL):
            return complex(0.1 + 0.8 * part)
        if domain == SMALL:
            return complex(0.02 + 0.2 * part)
        if domain == POSITIVE:
            return complex(0.3 + 1.9 * part)
        return complex(4 * part - 2)

    def sqrt(self, value: complex) -> complex:
        """A square root."""
        if value.real < 0:
            raise UndefinedError("the root of a negative number")
        return cmath.sqrt(value)

    def log(self, value: complex) -> complex:
        """A natural logarithm."""
        if value.real <= 0:
            raise UndefinedError("the logarithm of what is not positive")
        return cmath.log(value)

    def exp(self, value: complex) -> complex:
        """An exponential."""
        if value.real > 600:
            raise TooLargeError("an exponential outgrows the limits on size")
        return cmath.exp(value)

    def absolute(self, value: complex) -> complex:
        """An absolute value."""
        return value if value.real >= 0 else -value

    def power(self, value: complex, exponent: complex) -> complex:
        """A power."""
        if exponent.imag == 0 and exponent.real == int(exponent.real) and abs(exponent.real) < 100:
            if exponent.real < 0 and value == 0:
                raise UndefinedError("a division by zero")
            return value ** int(exponent.real)
        return self.exp(exponent * self.log(value))

    def function(self, name: str, value: complex) -> complex:
        """A function by name."""
        return getattr(cmath, {"arccos": "acos", "arctan": "atan", "arcsin": "asin"}.get(name, name))(value)  # type: ignore[no-any-return]

    def slope(self, function: Callable[[complex], complex], at: complex, name: str) -> complex:
        """The derivative of a function of one letter."""
        return complex(function(at + 1j * STEP).imag / STEP)


def _writable(base: Any, exponent: Any) -> bool:
    """Whether a power by a number stays small: in its digits if the base is a number, in its degree if not."""
    size = abs(float(exponent)) if exponent.is_comparable else inf
    if not base.is_Rational:
        return bool(size <= MAX_DEGREE)
    return bool(size * max(base.p.bit_length(), base.q.bit_length()) <= MAX_BITS)


class Letters:
    """SymPy expressions over the project's own quantities.

    Attributes:
        known: the letters so far, by name.
        radicands: what stands under roots and depends on letters that may be chosen.
        positive: what else is known to be positive.
    """

    symbolic = True

    def __init__(self) -> None:
        import sympy

        from ..forms import quantities

        self._sympy, self._quantities = sympy, quantities
        self._domains = {
            REAL: quantities.REAL,
            POSITIVE: quantities.POSITIVE,
            SMALL: quantities.NONNEGATIVE,
            FRACTION: quantities.PROPER_FRACTION,
            LEVEL: quantities.LEVEL,
        }
        self.known: dict[str, Any] = {}
        self.radicands: list[Any] = []
        self.positive: list[Any] = []

    def number(self, value: Fraction) -> Any:
        """A number."""
        return self._sympy.Rational(value.numerator, value.denominator)

    def letter(self, name: str, tex: str = "", domain: str = REAL) -> Any:
        """A free letter: a quantity with its domain."""
        if name not in self.known:
            self.known[name] = self._quantities.Quantity(name, tex or name, self._domains[domain])
        return self.known[name]

    def sqrt(self, value: Any) -> Any:
        """A square root; that there is one is an assumption where a free letter stands under it."""
        if any(letter.name.startswith("free_") for letter in value.free_symbols) and value not in self.radicands:
            self.radicands.append(value)
        return self._sympy.sqrt(value)

    def log(self, value: Any) -> Any:
        """A natural logarithm."""
        return self._sympy.log(value)

    def exp(self, value: Any) -> Any:
        """An exponential."""
        return self._sympy.exp(value)

    def absolute(self, value: Any) -> Any:
        """An absolute value."""
        return self._sympy.Abs(value)

    def power(self, value: Any, exponent: Any) -> Any:
        """A power; of numbers, only as far as the result can be written down."""
        if exponent.is_number and not _writable(value, exponent):
            raise TooLargeError("a number outgrows the limits on size")
        return value**exponent

    def function(self, name: str, value: Any) -> Any:
        """A function by name."""
        return getattr(self._sympy, {"arccos": "acos", "arctan": "atan", "arcsin": "asin"}.get(name, name))(value)

    def slope(self, function: Callable[[Any], Any], at: Any, name: str) -> Any:
        """The derivative of a function of one letter."""
        free = self._sympy.Dummy(name, real=True)
        return self._sympy.diff(function(free), free).xreplace({free: at})
