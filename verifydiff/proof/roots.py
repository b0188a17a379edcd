r"""Roots, absolute values, logarithms and exponentials as elements of the tower.

:math:`\sqrt{n/d}` is split over the irreducible factors of n and d. An even power leaves the root as an absolute value,
an odd one leaves a generator :math:`w^2 = f` per factor f that is certified not to be negative. Factors of unknown sign
stay together under one root, and that their product is not negative becomes an obligation. Logarithms split over the
same factors: :math:`\log\prod f_i^{e_i} = \sum e_i \log f_i`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy
from flint import fmpq, fmpq_mat, fmpz

from ..forms.quantities import NONNEGATIVE, POSITIVE, REAL, Domain
from .signs import Sign, Signs
from .tower import Fraction, Generator, NestedError, Poly, TooLargeError, Tower, VanishingError, domain_of

Factors = dict[str, tuple[Poly, int]]


class Roots:
    """Everything transcendental or algebraic over the letters of one tower.

    Attributes:
        needed: polynomials whose sign the expressions rest on, with the relation: what has no certificate is an obligation.
    """

    def __init__(self, tower: Tower, signs: Signs) -> None:
        self.tower, self.signs = tower, signs
        self.needed: dict[str, tuple[Poly, str]] = {}

    def require(self, poly: Poly, relation: str) -> None:
        """Note that the expression makes sense only where the polynomial is ``!= 0``, ``>= 0`` or ``> 0``."""
        if not poly.is_constant() or (relation != "!= 0" and poly.leading_coefficient() < 0):
            self.needed[f"{poly} {relation}"] = (poly, relation)

    # -- roots -----------------------------------------------------------------------------------------------------------

    def power(self, base: Fraction, exponent: Any) -> Fraction:
        """The base to a rational power that is not whole; the base must not be negative."""
        if base[0].is_zero():
            if exponent < 0:
                raise VanishingError
            return base
        number, factors = self.factors(base)
        result, rest = self._outside(factors, exponent)
        number, rest = (number, rest) if number > 0 else (-number, -rest)
        if not rest.is_one():
            self.require(rest, ">= 0" if exponent > 0 else "> 0")
            result = self.tower.product(result, self._of_whole(rest, exponent))
        for prime, multiplicity in _primes(number):
            result = self.tower.product(result, self.nonnegative(self.tower.context.constant(prime), multiplicity * exponent))
        return result

    def _outside(self, factors: Factors, exponent: Any) -> tuple[Fraction, Poly]:
        """What leaves the root factor by factor, and the product of the factors of unknown sign and odd power."""
        result, rest = self.tower.unit, self.tower.one
        for factor, multiplicity in factors.values():
            sign = self.signs(factor)
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
                result = self.tower.product(result, self.nonnegative(factor, outside * exponent))
        return result, rest

    def _of_whole(self, rest: Poly, exponent: Any) -> Fraction:
        self._refuse_nesting(rest)
        return self.nonnegative(rest, exponent)

    def nonnegative(self, base: Poly, exponent: Any) -> Fraction:
        """A polynomial that is not negative to a rational power: whole powers and one generator a prime power."""
        flat = self._as_root(base)
        if flat is not None:
            base, exponent = flat[0], exponent / flat[1]
        whole = int(exponent.p // exponent.q)
        result = self.tower.unit
        if whole:
            self.tower.check(base, base)
            result = self.tower.power((base, self.tower.one), whole)
        for prime, level, times in _parts(int(exponent.p % exponent.q), int(exponent.q)):
            generator = self._root(base, prime, level)
            result = self.tower.product(result, self.tower.power((generator.poly, self.tower.one), times))
        if exponent < 0:
            self.require(base, "!= 0")
        return result

    def _as_root(self, poly: Poly) -> tuple[Poly, int] | None:
        for slot, _, _ in self.tower.relations:
            generator = self.tower.generators[slot]
            if generator.root and generator.poly == poly:
                return generator.root
        return None

    def _root(self, base: Poly, prime: int, level: int) -> Generator:
        key = (str(base), prime, level)
        known = self.tower.roots.get(key)
        if known is None:
            self._refuse_nesting(base)
            below = base if level == 1 else self._root(base, prime, level - 1).poly
            degree, tower = prime**level, self.tower
            known = tower.adjoin(
                POSITIVE if self.signs(base) is Sign.POSITIVE else NONNEGATIVE,
                lambda: tower.expression(base) ** sympy.Rational(1, degree),
                root=(base, degree),
            )
            tower.relate(known, prime, below)
            tower.roots[key] = known
        return known

    def _refuse_nesting(self, radicand: Poly) -> None:
        """Ask for a letter as a square when its own root stands under the root."""
        for slot, degree in enumerate(radicand.degrees()):
            generator = self.tower.generators.get(slot)
            if not degree or generator is None or generator.root is None or generator.root[1] != 2:
                continue
            for letter, poly in self.tower.letters.items():
                if generator.root[0] == poly and isinstance(letter, sympy.Symbol) and _square_fits(domain_of(letter)):
                    raise NestedError(letter)

    # -- absolute values -------------------------------------------------------------------------------------------------

    def absolute(self, value: Fraction) -> Fraction:
        """The absolute value, factor by factor."""
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
            tower.logs[key] = tower.adjoin(REAL, lambda: sympy.log(tower.expression(poly)), log_of=poly)
        return tower.logs[key].poly, tower.one

    def exponential(self, exponent: Fraction) -> Fraction:
        """The exponential, with logarithms in the exponent taken out and rational combinations of known exponents flattened."""
        tower, result = self.tower, self.tower.unit
        for generator in list(tower.logs.values()):
            times = self._rational_coefficient(exponent, generator)
            if times is not None:
                part = (tower.context.constant(times) * generator.poly, tower.one)
                exponent = tower.sum(exponent, (-part[0], tower.one))
                result = tower.product(result, self.nonnegative(generator.log_of, times))
        if exponent[0].is_zero():
            return result
        known = [generator for generator in tower.exponentials if generator.exp_of]
        times = _combination([generator.exp_of for generator in known if generator.exp_of], exponent)
        if times is not None:
            for generator, ratio in zip(known, times, strict=True):
                if ratio:
                    result = tower.product(result, self.nonnegative(generator.poly, ratio))
            return result
        new = tower.adjoin(
            POSITIVE, lambda: sympy.exp(tower.expression(exponent[0]) / tower.expression(exponent[1])), exp_of=exponent
        )
        tower.exponentials.append(new)
        return tower.product(result, (new.poly, tower.one))

    def _rational_coefficient(self, exponent: Fraction, generator: Generator) -> Any:
        numerator, denominator = exponent
        if numerator.degrees()[generator.slot] != 1:
            return None
        slope = numerator.derivative(generator.slot)
        ratio = slope.leading_coefficient() / denominator.leading_coefficient()
        return ratio if slope == denominator * ratio else None

    # -- factors ---------------------------------------------------------------------------------------------------------

    def factors(self, value: Fraction) -> tuple[Any, Factors]:
        """The fraction as a rational number times irreducible factors with whole exponents."""
        number = fmpq(1)
        factors: Factors = {}
        for poly, direction in zip(value, (1, -1), strict=True):
            constant, found = _factored(poly)
            number *= constant**direction
            for factor, multiplicity in found:
                key = str(factor)
                total = factors.get(key, (factor, 0))[1] + direction * multiplicity
                factors[key] = (factor, total)
        return number, {key: entry for key, entry in factors.items() if entry[1]}


def _square_fits(domain: Domain) -> bool:
    """Whether the root of the letter has the letter's own domain."""
    return domain.lower in (0, 1) and domain.upper in (None, 1)


_FACTORED: dict[tuple[Any, str], Any] = {}


def _factored(poly: Poly) -> Any:
    """flint's factorisation, remembered: a pure function of the polynomial."""
    if len(poly) > 400 or poly.total_degree() > 80:
        raise TooLargeError("a radicand outgrows the limits on size")
    key = (poly.context(), str(poly))
    if key not in _FACTORED:
        if len(_FACTORED) > 4096:
            _FACTORED.clear()
        _FACTORED[key] = poly.factor()
    return _FACTORED[key]


def _primes(number: Any) -> list[tuple[int, int]]:
    """The prime factors of a positive rational number, negative exponents for its denominator."""
    primes = []
    for part, direction in ((number.p, 1), (number.q, -1)):
        if part == 1:
            continue
        if int(part).bit_length() > 200:
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
