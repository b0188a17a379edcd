r"""Roots, absolute values, logarithms and exponentials as elements of the tower.

:math:`\sqrt{n/d}` is split over the irreducible factors of n and d. An even power leaves the root as an absolute value,
an odd one leaves a generator :math:`w^2 = f` per factor f that is certified not to be negative. Factors of unknown sign
stay together under one root, and that their product is not negative becomes an obligation. Logarithms split over the
same factors: :math:`\log\prod f_i^{e_i} = \sum e_i \log f_i`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sympy
from flint import fmpq, fmpq_mat, fmpz
from flint.utils.flint_exceptions import DomainError

from ..forms.quantities import NONNEGATIVE, POSITIVE, Domain
from .signs import Sign, Signs
from .tower import Fraction, Generator, NestedError, Poly, TooLargeError, Tower, VanishingError, domain_of

Factors = dict[str, tuple[Poly, int]]

MAX_ROOT = 4096
MAX_PRIME_BITS = 128


class Roots:
    """Everything transcendental or algebraic over the letters of one tower.

    Attributes:
        needs: polynomials whose sign the expressions rest on, with the relation to 0.
        divisors: polynomials that must not vanish.
        open: the key of the first need that has no certificate.
    """

    def __init__(self, tower: Tower, signs: Signs) -> None:
        self.tower, self.signs = tower, signs
        self.needs: dict[str, tuple[Poly, str]] = {}
        self.divisors: dict[int, Poly] = {}
        self.open = ""

    def require(self, poly: Poly, relation: str) -> None:
        """Note that the expression makes sense only where the polynomial is ``>= 0``, or ``> 0``."""
        if not poly.is_constant() or poly.leading_coefficient() < 0:
            key = f"{poly} {relation}"
            self.needs[key] = poly, relation
            if not self.open and not self.signs(poly).at_least_zero:
                self.open = key

    def divide_by(self, poly: Poly) -> None:
        """Note that the expression makes sense only where the polynomial is not 0."""
        self.divisors[id(poly)] = poly

    # -- roots -----------------------------------------------------------------------------------------------------------

    def power(self, base: Fraction, exponent: Any, certified: Callable[[], bool] = bool) -> Fraction:
        """The base to a rational power that is not whole; the base must not be negative.

        ``certified`` says whether that is known already; it is asked only where the factors do not tell.
        """
        base = self.tower.reduced(base[0]), self.tower.reduced(base[1])
        if base[0].is_zero():
            if exponent < 0:
                raise VanishingError
            return base
        number, factors = self.factors(base)
        result, rest = self._outside(factors, exponent)
        number, rest = (number, rest) if number > 0 else (-number, -rest)
        if not rest.is_one():
            if rest.is_constant() or not certified():
                self.require(rest, ">= 0" if exponent > 0 else "> 0")
            result = self.tower.product(result, self.nonnegative(rest, str(rest), exponent))
        if number != 1:
            for prime, multiplicity in _primes(number):
                result = self.tower.product(result, self._of_number(prime, multiplicity * exponent))
        return result

    def _of_number(self, prime: int, exponent: Any) -> Fraction:
        return self.nonnegative(self.tower.context.constant(prime), str(prime), exponent)

    def _outside(self, factors: Factors, exponent: Any) -> tuple[Fraction, Poly]:
        """What leaves the root factor by factor, and the product of the factors of unknown sign and odd power."""
        result, rest = self.tower.unit, self.tower.one
        for key, (factor, multiplicity) in factors.items():
            sign = self.signs(factor, key)
            if sign >= Sign.POSITIVE:
                result = self.tower.product(result, self.nonnegative(factor, key, multiplicity * exponent))
                continue
            outside = multiplicity
            if multiplicity & 1 and sign is Sign.UNKNOWN:
                outside, rest = multiplicity - 1, rest * factor
            if sign.at_most_zero:
                factor, rest = -factor, rest * (-1) ** (multiplicity & 1)
            if outside:
                if not sign:
                    factor = self.absolute_factor(factor)
                if multiplicity & 1 and not sign.strict:
                    self.require(factor, ">= 0")
                result = self.tower.product(result, self.nonnegative(factor, str(factor), outside * exponent))
        return result, rest

    def nonnegative(self, base: Poly, key: str, exponent: Any) -> Fraction:
        """A polynomial that is not negative (``key`` is its text) to a rational power.

        Whole powers stay outside, and there is one generator a prime power of the denominator.
        """
        tower = self.tower
        if exponent < 0:
            self.divide_by(base)
        flat = self._as_root(base)
        if flat is not None:
            base, exponent = flat[0], exponent / flat[1]
            key = str(base)
        p, q = int(exponent.p), int(exponent.q)
        if q > MAX_ROOT:
            raise TooLargeError("a root of such a high degree outgrows the limits on size")
        if q == 2 and (key, 2, 1) not in tower.roots and (denested := self._denested(base)) is not None:
            return tower.power(denested, p)
        whole, parts = p // q, _parts(p % q, q)
        top = tower.one
        for prime, level, times in parts:
            turns, times = divmod(times, prime**level)
            whole += turns
            generator = self._root(base, key, prime, level).poly
            top = generator if len(parts) == times == 1 else tower.reduced(top * generator**times)
        if whole == 0:
            return top, tower.one
        if whole == -1:
            return top, base
        power = tower.power((base, tower.one), abs(whole))[0]
        return (top, power) if whole < 0 else (tower.reduced(tower.multiply(top, power)), tower.one)

    def _as_root(self, poly: Poly) -> tuple[Poly, int] | None:
        for slot, _, _ in self.tower.relations:
            generator = self.tower.generators[slot]
            if generator.root and generator.poly == poly:
                return generator.root
        return None

    def _root(self, base: Poly, text: str, prime: int, level: int) -> Generator:
        key = (text, prime, level)
        known = self.tower.roots.get(key)
        if known is None:
            self._refuse_nesting(base)
            below = base if level == 1 else self._root(base, text, prime, level - 1).poly
            degree, tower = prime**level, self.tower
            known = tower.adjoin(
                POSITIVE if self.signs(base) is Sign.POSITIVE else NONNEGATIVE,
                lambda: tower.expression(base) ** sympy.Rational(1, degree),
                root=(base, degree),
            )
            tower.relate(known, prime, below)
            tower.roots[key] = known
        return known

    def _denested(self, base: Poly) -> Fraction | None:
        r"""The root of A + B w as :math:`\sqrt{(A + d)/2} \pm \sqrt{(A - d)/2}`, if A^2 - B^2 w^2 is a square d^2."""
        self._refuse_nesting(base)
        degrees = base.degrees()
        for slot, degree, _ in self.tower.relations:
            if degree != 2 or degrees[slot] != 1:
                continue
            w, outer = self.tower.generators[slot].poly, base.derivative(slot)
            inner = base - outer * w
            gap, side = _square_root(self.tower.reduced(inner**2 - outer**2 * w**2)), self.signs(outer)
            if gap is None or side is Sign.UNKNOWN:
                continue
            halves = [(inner + abs_gap) / 2 for abs_gap in (self.absolute_factor(gap), -self.absolute_factor(gap))]
            if all(self.signs(half).at_least_zero for half in halves):
                left, right = (self.power((half, self.tower.one), fmpq(1, 2)) for half in halves)
                return self.tower.sum(left, right if side.at_least_zero else (-right[0], right[1]))
        return None

    def _refuse_nesting(self, radicand: Poly) -> None:
        """Ask for a letter as a square when its own root stands under the root."""
        degrees = radicand.degrees()
        for slot, _, _ in self.tower.relations:
            generator = self.tower.generators[slot]
            if not degrees[slot] or generator.root is None or generator.root[1] != 2:
                continue
            for letter, poly in self.tower.letters.items():
                if generator.root[0] == poly and isinstance(letter, sympy.Symbol) and _square_fits(domain_of(letter)):
                    raise NestedError(letter)

    # -- absolute values -------------------------------------------------------------------------------------------------

    def absolute(self, value: Fraction) -> Fraction:
        """The absolute value, factor by factor."""
        value = self.tower.reduced(value[0]), self.tower.reduced(value[1])
        if value[0].is_zero():
            return value
        number, factors = self.factors(value)
        result: Fraction = (self.tower.context.constant(abs(number)), self.tower.one)
        for factor, multiplicity in factors.values():
            result = self.tower.product(result, self.tower.power((self.absolute_factor(factor), self.tower.one), multiplicity))
        return result

    def absolute_factor(self, factor: Poly) -> Poly:
        """The absolute value of one polynomial: itself up to a sign, or a generator h with h^2 = f^2."""
        sign = self.signs(factor)
        if sign is not Sign.UNKNOWN:
            return factor if sign.at_least_zero else -factor
        key, tower = str(factor), self.tower
        if key not in tower.absolutes:
            known = tower.adjoin(NONNEGATIVE, lambda: sympy.Abs(tower.expression(factor)))
            tower.relate(known, 2, tower.reduced(factor**2))
            tower.absolutes[key] = known
        return tower.absolutes[key].poly

    # -- logarithms and exponentials -------------------------------------------------------------------------------------

    def logarithm(self, value: Fraction) -> Fraction:
        """The logarithm of something positive, as a sum over irreducible factors and primes."""
        value = self.tower.reduced(value[0]), self.tower.reduced(value[1])
        if value[0].is_zero():
            raise VanishingError
        number, factors = self.factors(value)
        total: Fraction = (self.tower.zero, self.tower.one)
        rest = self.tower.one
        for factor, multiplicity in factors.values():
            sign = self.signs(factor)
            if multiplicity & 1 and sign is Sign.UNKNOWN:
                rest, multiplicity = rest * factor, multiplicity - 1
            elif multiplicity & 1:
                if sign.at_most_zero:
                    factor, number = -factor, -number
                self.require(factor, "> 0")
            elif not sign.strict:
                self.divide_by(factor)  # an even power is positive wherever it is not 0
            if multiplicity:
                total = self._add_log(total, self.absolute_factor(factor), multiplicity)
        rest = rest if number > 0 else -rest
        if not rest.is_one():
            self.require(rest, "> 0")
            total = self._add_log(total, rest, 1)
        for prime, multiplicity in _primes(abs(number)):
            total = self._add_log(total, self.tower.context.constant(prime), multiplicity)
        return total

    def _add_log(self, total: Fraction, poly: Poly, times: int) -> Fraction:
        return self.tower.sum(total, self.tower.product(self._log_of(poly), (self.tower.context.constant(times), self.tower.one)))

    def _log_of(self, poly: Poly) -> Fraction:
        tower = self.tower
        for generator in tower.generators.values():
            if generator.poly == poly and generator.root:
                base, degree = generator.root
                inner = self.logarithm((base, tower.one))
                return tower.product(inner, (tower.context.constant(fmpq(1, degree)), tower.one))
            if generator.poly == poly and generator.exp_of:
                return generator.exp_of
        key = str(poly)
        if key not in tower.logs:
            tower.logs[key] = tower.adjoin(self.signs(poly - 1).domain(), lambda: sympy.log(tower.expression(poly)), log_of=poly)
        return tower.logs[key].poly, tower.one

    def exponential(self, exponent: Fraction) -> Fraction:
        """The exponential, with logarithms in the exponent taken out and rational combinations of known exponents flattened."""
        tower, result = self.tower, self.tower.unit
        exponent = tower.reduced(exponent[0]), tower.reduced(exponent[1])
        for generator in list(tower.logs.values()):
            times = self._rational_coefficient(exponent, generator)
            if times is not None:
                part = (tower.context.constant(times) * generator.poly, tower.one)
                exponent = tower.sum(exponent, (-part[0], tower.one))
                result = tower.product(result, self.nonnegative(generator.log_of, str(generator.log_of), times))
        if exponent[0].is_zero():
            return result
        known = [generator for generator in tower.exponentials if generator.exp_of]
        times = _combination([generator.exp_of for generator in known if generator.exp_of], exponent)
        if times is not None:
            for generator, ratio in zip(known, times, strict=True):
                if ratio:
                    result = tower.product(result, self.nonnegative(generator.poly, str(generator.poly), ratio))
            return result
        sign = self.signs(exponent[0]) * self.signs(exponent[1]).where_nonzero()
        new = tower.adjoin(
            replace(sign.domain(around=1), lower=1 if sign.at_least_zero else 0),
            lambda: sympy.exp(tower.expression(exponent[0]) / tower.expression(exponent[1])),
            exp_of=exponent,
        )
        tower.exponentials.append(new)
        return tower.product(result, (new.poly, tower.one))

    def _rational_coefficient(self, exponent: Fraction, generator: Generator) -> Any:
        numerator, denominator = exponent
        if numerator.degrees()[generator.slot] != 1:
            return None
        slope = numerator.derivative(generator.slot)
        if denominator.is_constant():
            ratio = slope[(0,) * len(slope.degrees())] / denominator.leading_coefficient()
            return ratio if ratio != 0 else None
        ratio = slope.leading_coefficient() / denominator.leading_coefficient()
        return ratio if slope == denominator * ratio else None

    # -- factors ---------------------------------------------------------------------------------------------------------

    def factors(self, value: Fraction) -> tuple[Any, Factors]:
        """The fraction as a rational number times irreducible factors with whole exponents, by their text."""
        number, found = factored(value[0])
        if value[1] is self.tower.one:
            return number, {key: (factor, multiplicity) for key, factor, multiplicity in found}
        divisor, below = factored(value[1])
        factors = {key: (factor, multiplicity) for key, factor, multiplicity in found}
        for key, factor, multiplicity in below:
            factors[key] = factor, factors.get(key, (factor, 0))[1] - multiplicity
        return number / divisor, {key: entry for key, entry in factors.items() if entry[1]}


def _square_root(poly: Poly) -> Poly | None:
    """The polynomial whose square this is, or None."""
    try:
        return poly.sqrt()
    except (DomainError, ValueError):
        return None


def _square_fits(domain: Domain) -> bool:
    """Whether the root of the letter has the letter's own domain."""
    return domain.lower in (0, 1) and domain.upper in (None, 1)


_FACTORED: dict[tuple[Any, str], Any] = {}


def factored(poly: Poly) -> tuple[Any, list[tuple[str, Poly, int]]]:
    """flint's factorisation, remembered: a pure function of the polynomial."""
    key = (poly.context(), str(poly))
    known = _FACTORED.get(key)
    if known is None:
        if len(poly) > 400 or poly.total_degree() > 80:
            raise TooLargeError("a radicand outgrows the limits on size")
        if len(_FACTORED) > 4096:
            _FACTORED.clear()
        number, factors = poly.factor()
        known = _FACTORED[key] = number, [(str(factor), factor, int(multiplicity)) for factor, multiplicity in factors]
    return known


def _primes(number: Any) -> list[tuple[int, int]]:
    """The prime factors of a positive rational number, negative exponents for its denominator."""
    primes = []
    for part, direction in ((number.p, 1), (number.q, -1)):
        if part == 1:
            continue
        if int(part).bit_length() > MAX_PRIME_BITS:
            raise TooLargeError("a number under a root outgrows the limits on size")
        primes += [(int(p), direction * int(e)) for p, e in fmpz(part).factor()]
    return primes


@lru_cache(maxsize=1024)
def _parts(numerator: int, denominator: int) -> tuple[tuple[int, int, int], ...]:
    """numerator/denominator in [0, 1) as a sum of times / prime**level, up to whole numbers folded into the times."""
    if not numerator:
        return ()
    if denominator == 2:
        return ((2, 1, 1),)
    parts, whole = [], 0
    for p, e in fmpz(denominator).factor():
        prime, level = int(p), int(e)
        power = prime**level
        cofactor = denominator // power
        times = numerator * pow(cofactor, -1, power) % power
        whole += times * cofactor
        parts.append([prime, level, times])
    excess = (whole - numerator) // denominator
    parts[0][2] -= excess * parts[0][0] ** parts[0][1]
    return tuple((prime, level, times) for prime, level, times in parts if times)


def _combination(known: list[Fraction], wanted: Fraction) -> list[Any] | None:
    """Rational numbers q with sum q_i known_i = wanted, or None: linear algebra over the monomials of the numerators."""
    common = wanted[1]
    for _, denominator in known:
        common = common * (denominator / denominator.gcd(common))
    columns = [dict(zip(poly.monoms(), poly.coeffs(), strict=True)) for poly in (n * (common / d) for n, d in (*known, wanted))]
    monomials = sorted({monomial for column in columns for monomial in column})
    matrix = fmpq_mat([[column.get(monomial, fmpq(0)) for column in columns] for monomial in monomials])
    echelon, rank = matrix.rref()
    pivots = [next(place for place in range(len(columns)) if echelon[row, place] != 0) for row in range(rank)]
    if pivots and pivots[-1] == len(known):
        return None
    solution = [fmpq(0)] * len(known)
    for row, place in enumerate(pivots):
        solution[place] = echelon[row, len(known)]
    return solution
