r"""The tower of fields in which expressions are compared.

Over the rationals stand the letters, each a polynomial generator; over them generators that obey a relation, such as
:math:`w^2 = 1 - \bar\alpha_t` for a root. Later generators are greater in the lexicographic order, so each relation
:math:`g^k = f` has its leading term in a power of a generator of its own: the leading terms are coprime, and the
relations are a Groebner basis as they stand. To reduce a polynomial is to divide by each of them once, newest first.

An element is a fraction of two reduced polynomials. Radicands are split into irreducible factors before a root is
adjoined, so roots are multiplicatively independent and an element is zero exactly when its numerator reduces to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from time import thread_time
from typing import Any

import sympy
from flint import fmpq_mpoly_ctx

from ..forms.quantities import NONNEGATIVE, POSITIVE, REAL, Domain, Quantity

Poly = Any  # flint.fmpq_mpoly, which carries no types
Fraction = tuple[Poly, Poly]

MAX_TERMS = 20_000
SMALL = 64
MAX_DEGREE = 400
MAX_BITS = 100_000


class UnsupportedError(Exception):
    """The expression holds something that the engine does not decide; the message says what."""


class TooLargeError(UnsupportedError):
    """The expression would outgrow the limits on size or time."""


class VanishingError(Exception):
    """Something is divided by an expression that is zero everywhere."""


class FullError(Exception):
    """All generators of the ring are taken; a larger ring is needed."""


class NestedError(Exception):
    """The root of a letter stands under another root; the letter is better written as a square."""

    def __init__(self, symbol: sympy.Symbol) -> None:
        self.symbol = symbol


@dataclass(slots=True)
class Generator:
    """One generator: a letter, or something adjoined to the letters.

    Attributes:
        poly: the generator as a polynomial.
        slot: its index in the ring.
        domain: the values it takes.
        expression: what it stands for, made on demand.
        root: the base and the degree of a root, so that roots of roots can be flattened.
        symbol: of a letter.
        log_of, exp_of: the argument of a logarithm, the exponent of an exponential.
    """

    poly: Poly
    slot: int
    domain: Domain
    expression: Callable[[], sympy.Expr]
    root: tuple[Poly, int] | None = None
    symbol: sympy.Symbol | None = None
    log_of: Poly = None
    exp_of: Fraction | None = None


class Tower:
    """A growing tower of generators over the rationals.

    Args:
        size: how many generators the ring has room for.
        squared: letters that are represented by their square roots.
        deadline: the computing time of this thread at which to give up.
    """

    def __init__(self, size: int, squared: frozenset[sympy.Symbol], deadline: float) -> None:
        self.context = fmpq_mpoly_ctx.get(_names(size), "lex")
        self._free = list(self.context.gens())
        self.one, self.zero = self.context.constant(1), self.context.constant(0)
        self.unit: Fraction = (self.one, self.one)
        self.generators: dict[int, Generator] = {}
        self.relations: list[tuple[int, int, Poly]] = []
        self.letters: dict[sympy.Expr, Poly] = {}
        self.homonyms: tuple[sympy.Symbol, ...] = ()
        self._by_name: dict[str, sympy.Symbol] = {}
        self.roots: dict[tuple[str, int, int], Generator] = {}
        self.absolutes: dict[str, Generator] = {}
        self.logs: dict[str, Generator] = {}
        self.exponentials: list[Generator] = []
        self.squared = squared
        self.deadline = deadline

    # -- generators ------------------------------------------------------------------------------------------------------

    def adjoin(self, domain: Domain, expression: Callable[[], sympy.Expr], **kind: Any) -> Generator:
        """A new generator, greater than all before it."""
        if not self._free:
            raise FullError
        poly = self._free.pop()
        generator = Generator(poly, len(self._free), domain, expression, **kind)
        self.generators[generator.slot] = generator
        return generator

    def relate(self, generator: Generator, degree: int, value: Poly) -> None:
        """From now on ``generator**degree == value``, a polynomial in earlier generators."""
        self.relations.insert(0, (generator.slot, degree, generator.poly**degree - value))

    @property
    def room(self) -> int:
        """How many generators can still be adjoined."""
        return len(self._free)

    def letter(self, symbol: sympy.Symbol) -> Poly:
        """The letter as a polynomial: its generator, or the square of it."""
        if symbol not in self.letters:
            self.letters[symbol] = self._new_letter(symbol)
        return self.letters[symbol]

    def name(self, symbol: sympy.Symbol) -> None:
        """Note that the symbol goes by its name, and whether another does so too."""
        other = self._by_name.setdefault(symbol.name, symbol)
        if other is not symbol and other != symbol:
            self.homonyms = other, symbol

    def _new_letter(self, symbol: sympy.Symbol) -> Poly:
        domain = domain_of(symbol)
        if symbol in self.squared:
            return self.adjoin(domain, lambda: sympy.sqrt(symbol), symbol=symbol).poly ** 2
        return self.adjoin(domain, lambda: symbol, symbol=symbol).poly

    def constant(self, expression: sympy.Expr, domain: Domain) -> Poly:
        """A transcendental constant: a letter of its own between two integers."""
        if expression not in self.letters:
            self.letters[expression] = self.adjoin(domain, lambda: expression).poly
        return self.letters[expression]

    # -- arithmetic ------------------------------------------------------------------------------------------------------

    def reduced(self, poly: Poly) -> Poly:
        """The polynomial modulo the relations."""
        if self.relations and not poly.is_constant():
            degrees = poly.degrees()
            for slot, degree, relation in self.relations:
                if degrees[slot] >= degree:
                    poly = poly % relation
                    degrees = poly.degrees()
        return poly

    def product(self, left: Fraction, right: Fraction) -> Fraction:
        """The product of two fractions; reduced only where it has grown, since most products are small."""
        if left is self.unit:
            return right
        if right is self.unit:
            return left
        (a, b), (c, d) = left, right
        top = a * c if len(a) * len(c) <= SMALL else self.multiply(a, c)
        return top, d if b is self.one else b if d is self.one else self.multiply(b, d)

    def multiply(self, left: Poly, right: Poly) -> Poly:
        """The product of two polynomials, within the limits on size."""
        size = len(left) * len(right)
        if size <= SMALL:
            return left * right
        self.check_time()
        if size > MAX_TERMS * 50 or left.total_degree() + right.total_degree() > MAX_DEGREE:
            raise TooLargeError("the expression outgrows the limits on size")
        return self.reduced(left * right)

    def sum(self, left: Fraction, right: Fraction) -> Fraction:
        """The sum of two fractions, over a common denominator: the least one unless both are small."""
        (a, b), (c, d) = left, right
        if b is d or b == d:
            return a + c, b
        if b is self.one:
            return self.multiply(a, d) + c, d
        if d is self.one:
            return a + self.multiply(c, b), b
        if len(b) * len(d) > 10 * MAX_TERMS:
            raise TooLargeError("a common denominator outgrows the limits on size")
        quotient, rest = divmod(d, b)
        if rest.is_zero():
            return self.multiply(a, quotient) + c, d
        quotient, rest = divmod(b, d)
        if rest.is_zero():
            return a + self.multiply(c, quotient), b
        if len(b) + len(d) > SMALL // 4:
            common = b.gcd(d)
            b, cofactor = b / common, d / common
            return self.multiply(a, cofactor) + self.multiply(c, b), self.multiply(b, d)
        return self.multiply(a, d) + self.multiply(c, b), self.multiply(b, d)

    def power(self, base: Fraction, exponent: int) -> Fraction:
        """The whole power, by squaring with reduction in between."""
        if exponent < 0:
            base, exponent = self.inverse(base), -exponent
        if exponent == 1:
            return base
        if exponent == 2:
            return self.reduced(self.multiply(base[0], base[0])), self.reduced(self.multiply(base[1], base[1]))
        return self._raised(base[0], exponent), self._raised(base[1], exponent)

    def _raised(self, base: Poly, exponent: int) -> Poly:
        _check_power(base, exponent)
        if not self.relations:
            return base**exponent
        result = self.one
        while exponent:
            if exponent & 1:
                result = self.reduced(self.multiply(result, base))
            exponent >>= 1
            if exponent:
                base = self.reduced(self.multiply(base, base))
        return result

    def inverse(self, fraction: Fraction) -> Fraction:
        """The reciprocal, with roots that are factors of the denominator moved to the numerator.

        Raises:
            VanishingError: if the fraction is zero everywhere.
        """
        bottom, top = self.reduced(fraction[0]), fraction[1]
        if bottom.is_zero():
            raise VanishingError
        if not self.relations:
            return top, bottom
        degrees = bottom.degrees() if len(bottom) == 1 else bottom.term_content().degrees()
        for slot, degree, _ in self.relations:
            if degrees[slot]:
                factor = self.generators[slot].poly ** (degree - degrees[slot] % degree)
                top, bottom = self.multiply(top, factor), self.reduced(self.multiply(bottom, factor))
        return top, bottom

    def check_time(self) -> None:
        """Give up at the deadline."""
        if thread_time() > self.deadline:
            raise TooLargeError("the time limit was reached")

    # -- back to SymPy ---------------------------------------------------------------------------------------------------

    def expression(self, poly: Poly) -> sympy.Expr:
        """The polynomial as a SymPy expression."""
        terms = []
        for exponents, coefficient in zip(poly.monoms(), poly.coeffs(), strict=True):
            factors = [self.generators[slot].expression() ** int(e) for slot, e in enumerate(exponents) if e]
            terms.append(sympy.Mul(sympy.Rational(int(coefficient.p), int(coefficient.q)), *factors))
        return sympy.Add(*terms)


def domain_of(symbol: sympy.Symbol) -> Domain:
    """The domain of a quantity, or what the assumptions of a plain symbol say; a letter is real unless it says otherwise."""
    if isinstance(symbol, Quantity):
        return symbol.domain
    if symbol.is_real is False or symbol.is_commutative is False:
        raise UnsupportedError(f"{symbol} is not a real number")
    if symbol.is_positive:
        return POSITIVE
    if symbol.is_negative:
        return Domain(upper=0)
    if symbol.is_nonnegative:
        return NONNEGATIVE
    if symbol.is_nonpositive:
        return Domain(upper=0, closed_above=True)
    return REAL


def _check_power(poly: Poly, exponent: int) -> None:
    terms = len(poly)
    if exponent <= 4 and terms <= 16:
        return
    bits = max((max(int(c.p).bit_length(), int(c.q).bit_length()) for c in poly.coeffs()), default=0)
    if (
        poly.total_degree() * exponent > MAX_DEGREE
        or (bits > 1 and bits * exponent > MAX_BITS)
        or (terms > 1 and comb(terms + exponent - 1, min(terms - 1, exponent)) > MAX_TERMS)
    ):
        raise TooLargeError("a power outgrows the limits on size")


def _names(size: int) -> tuple[str, ...]:
    return tuple(f"g{index}" for index in range(size))
