r"""Slips in a single formula: what people do to one closed form when they copy it.

A formula is a tree, and a slip happens at one *place* of it, or to one letter everywhere: a sign, a root, a factor, an index.
Whatever the letters are, they fall into three kinds, told apart by their domains: *levels* lie between 0 and 1, so that one minus
the level is a level, too; *vectors* are what the formula is about (states, noises, scores) and enter as one summand or another;
all others are *weights*. SymPy evaluates what a slip leaves, so a slip yields what is written, not how; results that are no
real expression (an infinity, a root of a negative number for all letters) are no formula anybody would print, and are dropped.

One slip happens at a time: two mistakes in one formula are not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, permutations

import sympy
from sympy import Add, Expr, Mul, Pow, Rational, sqrt

from ..forms import Form, every_letter
from ..forms.families import Writing, mean, sigma_down, variance, x_hat, xbar_s
from ..forms.quantities import Quantity, abar_t, alpha_t, sigma_t, x_s
from .catalogue import CATALOGUE
from .slip import FormSlip

ONE, HALF = sympy.Integer(1), Rational(1, 2)
NONSENSE = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I)


@dataclass(frozen=True, slots=True)
class Place:
    """A subexpression and where it stands.

    Attributes:
        node: the subexpression.
        parent: what it is an argument of; None for the whole formula.
        put: the whole formula with something else in its place.
    """

    node: Expr
    parent: Expr | None
    put: Callable[[Expr], Expr]

    @property
    def is_term(self) -> bool:
        """Whether it is added to others, or is the whole formula or all that a function is taken of."""
        return self.parent is None or isinstance(self.parent, (Add, sympy.Function))

    @property
    def is_product(self) -> bool:
        """Whether it is a product, or a single power that no other factor stands beside."""
        return isinstance(self.node, (Mul, Pow)) and not isinstance(self.parent, Mul)


class Formula:
    """A closed form as the slips see it."""

    def __init__(self, expression: Expr) -> None:
        self.expression = expression

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every subexpression but numbers, outer ones first."""
        return tuple(_places(self.expression, None, lambda new: new))

    @cached_property
    def letters(self) -> tuple[sympy.Symbol, ...]:
        """The letters, by name."""
        return tuple(sorted(self.expression.free_symbols, key=sympy.default_sort_key))

    @cached_property
    def vectors(self) -> frozenset[sympy.Symbol]:
        """The letters on the whole line, but for weights such as that of guidance: what multiplies more letters than those do."""
        free = [letter for letter in self.letters if _on_the_line(letter)]
        beside = {one: frozenset(sympy.diff(self.expression, one).free_symbols & set(free)) for one in free}
        return frozenset(
            one
            for one in free
            if not beside[one] or one in beside[one] or any(len(beside[other]) >= len(beside[one]) for other in beside[one])
        )

    def is_scalar(self, expression: Expr) -> bool:
        """Whether it is a weight: letters, and no vectors among them."""
        return bool(expression.free_symbols) and not expression.free_symbols & self.vectors


def _places(node: Expr, parent: Expr | None, put: Callable[[Expr], Expr]) -> Iterator[Place]:
    yield Place(node, parent, put)
    for position, argument in enumerate(node.args):
        if not argument.is_Number:
            yield from _places(argument, node, partial(_put, node, position, put))


def _put(node: Expr, position: int, put: Callable[[Expr], Expr], new: Expr) -> Expr:
    return put(node.func(*node.args[:position], new, *node.args[position + 1 :]))


def _on_the_line(letter: sympy.Symbol) -> bool:
    if isinstance(letter, Quantity):
        return letter.domain.lower is None and letter.domain.upper is None
    return not letter.is_nonnegative and not letter.is_nonpositive


def is_level(expression: Expr) -> bool:
    """Whether it is a letter between 0 and 1."""
    return isinstance(expression, Quantity) and (expression.domain.lower, expression.domain.upper) == (0, 1)


# -- the slip and the mutant ---------------------------------------------------------------------------------------------

Rewrite = Callable[[Formula], Iterator[Expr]]
AtPlace = Callable[[Formula, Place], Iterator[Expr]]


@dataclass(frozen=True)
class FormulaSlip:
    """A mistake in one formula.

    Attributes:
        id: stable kebab-case name.
        description: a clause: what stands in place of what.
        cost: how much of the formula it changes: 1 a sign, a mark or an index, 2 a number or a letter, 3 the structure.
        rewrite: all expressions that the mistake can make of a right one; none where there is no place for it.
    """

    id: str
    description: str
    cost: int
    rewrite: Rewrite


@dataclass(frozen=True, slots=True)
class Mutant:
    """What a slip has made of a formula.

    Attributes:
        slip: the mistake.
        expression: what it left.
        cost: of the mistake; the likeliest explanation costs least.
    """

    slip: FormSlip | FormulaSlip
    expression: Expr
    cost: int


SYMBOLS: dict[str, sympy.Symbol] = {
    "ddim.mean": x_s,
    "ddim.sigma": sigma_t,
    "ddim.step_mean": x_s,
    "ddpm.large_variance": variance,
    "ddpm.mean_from_eps": mean,
    "ddpm.posterior_variance": variance,
    "euler.sigma_down": sigma_down,
    "euler.step": xbar_s,
    "forward.x0_from_eps": x_hat,
}
"""Which letter of a step a form gives: slips in the equations of a step know them by these."""

_NO_LETTER = sympy.Dummy("value")


def mutants(form: Form) -> Iterator[Mutant]:
    """Every distinct slipped expression of a form, the smallest mistake first, always in the same order."""
    return mutated(form.expression, SYMBOLS.get(form.id, _NO_LETTER))


def mutated(expression: Expr, symbol: sympy.Symbol = _NO_LETTER) -> Iterator[Mutant]:
    """As :func:`mutants`, of an expression that gives ``symbol``."""
    formula = Formula(expression)
    seen = {expression}
    for cost, slip in _IN_ORDER:
        for slipped in _applied(slip, formula, symbol):
            if slipped not in seen and not slipped.has(*NONSENSE) and not _ambiguous(slipped):
                seen.add(slipped)
                yield Mutant(slip, slipped, cost)


def _ambiguous(expression: Expr) -> bool:
    """Whether two different letters go by one name, in the expression or in what its letters are defined by."""
    found: dict[str, sympy.Symbol] = {}
    waiting = list(expression.free_symbols)
    while waiting:
        letter = waiting.pop()
        if found.setdefault(letter.name, letter) != letter:
            return True
        definition = getattr(letter, "definition", None)
        waiting += definition.free_symbols if definition is not None else ()
    return False


def _applied(slip: FormSlip | FormulaSlip, formula: Formula, symbol: sympy.Symbol) -> Iterator[Expr]:
    if isinstance(slip, FormulaSlip):
        yield from slip.rewrite(formula)
    else:
        for writing in slip.rewrite(Writing(((symbol, formula.expression),))):
            yield writing.equations[0][1]


def at_each_place(change: AtPlace) -> Rewrite:
    """The change, at one place at a time."""

    def rewrite(formula: Formula) -> Iterator[Expr]:
        for place in formula.places:
            for new in change(formula, place):
                yield place.put(new)

    return rewrite


# -- terms ---------------------------------------------------------------------------------------------------------------


def _other_sign(formula: Formula, place: Place) -> Iterator[Expr]:
    if place.is_term and not isinstance(place.parent, sympy.log):
        yield -place.node


def _twice(formula: Formula, place: Place) -> Iterator[Expr]:
    if place.is_term:
        yield 2 * place.node


def _half(formula: Formula, place: Place) -> Iterator[Expr]:
    if place.is_term:
        yield place.node / 2


def _term_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Add):
        for term in place.node.args:
            yield place.node - term


def _one_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Add) and place.node.args[0] == 1 and not _complemented(place.node):
        yield place.node - 1


def _complemented(node: Expr) -> Expr | None:
    """x, where 1 - x is written."""
    if isinstance(node, Add) and len(node.args) == 2 and node.args[0] == 1 and node.args[1].could_extract_minus_sign():
        return -node.args[1]
    return None


def _complement_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if (part := _complemented(place.node)) is not None:
        yield part
    elif isinstance(place.node, Add) and place.node.args[0] in (1, -1):
        one = place.node.args[0]
        for term in place.node.args[1:]:
            if is_level(-one * term):
                yield place.node - one - 2 * term


def _complement_added(formula: Formula, place: Place) -> Iterator[Expr]:
    if is_level(place.node):
        yield 1 - place.node


def _complement_everywhere(formula: Formula) -> Iterator[Expr]:
    for letter in formula.letters:
        if is_level(letter):
            yield formula.expression.xreplace({letter: 1 - letter})


# -- factors -------------------------------------------------------------------------------------------------------------


def _number_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    number, rest = _number_of(place)
    if abs(number) != 1:
        yield rest if number > 0 else -rest


def _number_inverted(formula: Formula, place: Place) -> Iterator[Expr]:
    number, rest = _number_of(place)
    if number not in (0, 1, -1):
        yield rest / number


def _number_of(place: Place) -> tuple[sympy.Rational, Expr]:
    number, rest = place.node.as_coeff_Mul() if isinstance(place.node, Mul) else (ONE, place.node)
    return (number, rest) if number.is_Rational else (ONE, place.node)


def _factor_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    for factor in _factors(formula, place):
        if not _divides(factor) and place.node != factor:
            yield place.node / factor


def _division_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    for factor in _factors(formula, place):
        if _divides(factor):
            yield place.node / factor


def _factor_inverted(formula: Formula, place: Place) -> Iterator[Expr]:
    for factor in _factors(formula, place):
        yield place.node / factor**2


def _upside_down(formula: Formula, place: Place) -> Iterator[Expr]:
    for above, below in _quotients(formula, place):
        yield place.node / above**2 / below**2


def _ones_cancelled(formula: Formula, place: Place) -> Iterator[Expr]:
    for above, below in _quotients(formula, place):
        (base, power), (divisor, inverse) = above.as_base_exp(), below.as_base_exp()
        x, y = _complemented(base), _complemented(divisor)
        if x is not None and y is not None and power == -inverse:
            yield place.node / above / below * (x / y) ** power


def _factors(formula: Formula, place: Place) -> list[Expr]:
    """The weights among the factors of a product."""
    if not place.is_product:
        return []
    return [factor for factor in Mul.make_args(place.node) if formula.is_scalar(factor)]


def _divides(factor: Expr) -> bool:
    return bool(factor.as_base_exp()[1].could_extract_minus_sign()) and isinstance(factor, Pow)


def _quotients(formula: Formula, place: Place) -> Iterator[tuple[Expr, Expr]]:
    factors = _factors(formula, place)
    for above in factors:
        for below in factors:
            if not _divides(above) and _divides(below):
                yield above, below


def _bracket_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Mul):
        for bracket in place.node.args:
            if isinstance(bracket, Add):
                weight = place.node / bracket
                for term in bracket.args:
                    yield weight * (bracket - term) + term


# -- powers and functions --------------------------------------------------------------------------------------------------


def _root_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and place.node.exp.is_Rational and place.node.exp.q == 2:
        yield place.node**2


def _square_for_root(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and abs(place.node.exp) == HALF:
        yield place.node.base ** (4 * place.node.exp)


def _square_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and place.node.exp.is_Integer and place.node.exp % 2 == 0:
        yield place.node.base ** (place.node.exp / 2)


def _square_added(formula: Formula, place: Place) -> Iterator[Expr]:
    if _is_unpowered(formula, place):
        yield place.node**2


def _root_added(formula: Formula, place: Place) -> Iterator[Expr]:
    if _is_unpowered(formula, place):
        yield sqrt(place.node)


def _is_unpowered(formula: Formula, place: Place) -> bool:
    """Whether it is a letter, a bracket or the whole, of weights, that is not raised to a power already."""
    if not formula.is_scalar(place.node) or isinstance(place.node, Pow):
        return False
    if isinstance(place.parent, Pow) and place.parent.exp != -1:
        return False
    return place.parent is None or place.node.is_Symbol or (isinstance(place.node, Add) and not isinstance(place.parent, Add))


def _power_split(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and isinstance(place.node.base, Add):
        signed = [(-1, -term) if term.could_extract_minus_sign() else (1, term) for term in place.node.base.args]
        if not any(term == 0 for _, term in signed):
            yield Add(*(sign * term**place.node.exp for sign, term in signed))


def _root_too_short(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and place.node.exp == HALF:
        if isinstance(place.node.base, Add):
            for term in place.node.base.args:
                yield sqrt(place.node.base - term) + term
        elif isinstance(place.node.base, Mul):
            for factor in place.node.base.args:
                yield sqrt(place.node.base / factor) * factor


def _power_off_by_one(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, Pow) and place.node.exp.is_Integer and abs(place.node.exp) > 2:
        for by in (-1, 1):
            yield place.node.base ** (place.node.exp + by)


def _function_lost(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, sympy.Function) and len(place.node.args) == 1:
        yield place.node.args[0]


def _other_extreme(formula: Formula, place: Place) -> Iterator[Expr]:
    if isinstance(place.node, (sympy.Max, sympy.Min)):
        other = sympy.Min if isinstance(place.node, sympy.Max) else sympy.Max
        yield other(*place.node.args)


# -- letters ---------------------------------------------------------------------------------------------------------------


def _off_by_one(formula: Formula, place: Place) -> Iterator[Expr]:
    base, exponent = place.node.as_base_exp()
    if base.is_Symbol and exponent in (1, 2, -2) and formula.is_scalar(base) and not is_level(base):
        for by in (1, -1):
            yield place.node + by if exponent > 0 else 1 / (1 / place.node + by)


def _replaced(old: sympy.Symbol, new: sympy.Symbol) -> Rewrite:
    """One letter for another: everywhere, and at one place at a time."""

    def rewrite(formula: Formula) -> Iterator[Expr]:
        if old in formula.letters:
            yield formula.expression.xreplace({old: new})
            for place in formula.places:
                if place.node == old:
                    yield place.put(new)

    return rewrite


def _other_index(formula: Formula) -> Iterator[Expr]:
    for letter in formula.letters:
        for sibling in _siblings(formula, letter):
            yield from _replaced(letter, sibling)(formula)


def _indices_swapped(formula: Formula) -> Iterator[Expr]:
    changes = {letter: other for letter in formula.letters for other in _siblings(formula, letter) if _indices(letter, other)}
    yield formula.expression.xreplace(changes)
    yield from _exchanged(formula, (pair for pair in combinations(formula.letters, 2) if _stem(pair[0]) == _stem(pair[1])))


def _vectors_swapped(formula: Formula) -> Iterator[Expr]:
    yield from _exchanged(formula, combinations([one for one in formula.letters if one in formula.vectors], 2))


def _other_vector(formula: Formula) -> Iterator[Expr]:
    for one, other in permutations([letter for letter in formula.letters if letter in formula.vectors], 2):
        yield from _replaced(one, other)(formula)


def _exchanged(formula: Formula, pairs: Iterator[tuple[sympy.Symbol, sympy.Symbol]]) -> Iterator[Expr]:
    for one, other in pairs:
        if _on_the_line(one) == _on_the_line(other):
            yield formula.expression.xreplace({one: other, other: one})


def _stem(letter: sympy.Symbol) -> str | None:
    """The name without its index; None if it has none."""
    stem, _, index = letter.name.rpartition("_")
    return stem if stem and len(index) <= 2 else None


def _indices(letter: sympy.Symbol, other: sympy.Symbol) -> bool:
    """Whether one is the letter at s and the other the letter at t."""
    return {letter.name.rpartition("_")[2], other.name.rpartition("_")[2]} == {"s", "t"}


def _siblings(formula: Formula, letter: sympy.Symbol) -> list[sympy.Symbol]:
    """The same letter with other indices, of the formula or of the field."""
    if _stem(letter) is None:
        return []
    own = {one.name: one for one in formula.letters}
    known = {**every_letter(), **own}
    return [
        one for one in known.values() if one != letter and _stem(one) == _stem(letter) and _on_the_line(one) == _on_the_line(letter)
    ]


# -- the tuple -------------------------------------------------------------------------------------------------------------

FORMULA_SLIPS: tuple[FormulaSlip, ...] = (
    # a sign, a mark, an index
    FormulaSlip("other-sign", "one term has the other sign", 1, at_each_place(_other_sign)),
    FormulaSlip("bar-lost", "alpha_t stands where its cumulative product abar_t belongs", 1, _replaced(abar_t, alpha_t)),
    FormulaSlip("bar-added", "the cumulative product abar_t stands where alpha_t belongs", 1, _replaced(alpha_t, abar_t)),
    FormulaSlip("other-index", "a letter stands with another index: t for s, s for t", 1, _other_index),
    FormulaSlip("root-lost", "a square root is missing in one place", 1, at_each_place(_root_lost)),
    FormulaSlip("square-lost", "a square is missing: a deviation stands where a variance belongs", 1, at_each_place(_square_lost)),
    FormulaSlip("complement-missing", "x stands where 1 - x belongs", 1, at_each_place(_complement_lost)),
    FormulaSlip("one-lost", "x stands where 1 + x belongs", 1, at_each_place(_one_lost)),
    # a number, a letter, a factor
    FormulaSlip("number-lost", "a numerical factor, such as 1/2, is missing", 2, at_each_place(_number_lost)),
    FormulaSlip("number-inverted", "a number stands where its inverse belongs: 2 for 1/2", 2, at_each_place(_number_inverted)),
    FormulaSlip("twice", "one term, or the whole, is twice what it must be", 2, at_each_place(_twice)),
    FormulaSlip("half", "one term, or the whole, is half of what it must be", 2, at_each_place(_half)),
    FormulaSlip(
        "root-added", "a square root is taken where there is none: a deviation for a variance", 2, at_each_place(_root_added)
    ),
    FormulaSlip(
        "square-added", "a square is taken where there is none: a variance for a deviation", 2, at_each_place(_square_added)
    ),
    FormulaSlip(
        "square-in-place-of-root", "a square stands where a square root belongs, in one place", 2, at_each_place(_square_for_root)
    ),
    FormulaSlip("complement-added", "1 - x stands where x belongs", 2, at_each_place(_complement_added)),
    FormulaSlip("signal-for-noise", "x and 1 - x have changed places everywhere: signal for noise", 2, _complement_everywhere),
    FormulaSlip("off-by-one", "1 + x, or x - 1, stands where x belongs", 2, at_each_place(_off_by_one)),
    FormulaSlip("power-off-by-one", "an exponent is off by one", 2, at_each_place(_power_off_by_one)),
    FormulaSlip("indices-swapped", "a letter's two indices have changed places: s and t, 0 and t", 2, _indices_swapped),
    FormulaSlip(
        "vectors-swapped", "two vectors have changed places: x_0 and the noise, conditional and unconditional", 2, _vectors_swapped
    ),
    FormulaSlip("other-vector", "one vector stands where another belongs", 2, _other_vector),
    FormulaSlip("factor-lost", "a factor is missing", 2, at_each_place(_factor_lost)),
    FormulaSlip("division-lost", "a division is missing", 2, at_each_place(_division_lost)),
    FormulaSlip("term-lost", "a term of a sum is missing", 2, at_each_place(_term_lost)),
    FormulaSlip(
        "other-extreme",
        "the greater stands where the lesser belongs, or the lesser where the greater",
        2,
        at_each_place(_other_extreme),
    ),
    FormulaSlip("function-lost", "a logarithm or an exponential is missing", 2, at_each_place(_function_lost)),
    # the structure
    FormulaSlip(
        "factor-inverted",
        "a factor multiplies where it must divide, or divides where it must multiply",
        3,
        at_each_place(_factor_inverted),
    ),
    FormulaSlip("upside-down", "a fraction stands upside down", 3, at_each_place(_upside_down)),
    FormulaSlip("ones-cancelled", "(1 - x) / (1 - y) is cancelled to x / y", 3, at_each_place(_ones_cancelled)),
    FormulaSlip("bracket-lost", "a factor reaches all terms of a bracket but one", 3, at_each_place(_bracket_lost)),
    FormulaSlip(
        "root-too-short", "a root ends before one term, or one factor, that belongs under it", 3, at_each_place(_root_too_short)
    ),
    FormulaSlip("power-split", "a root, a square or an inverse of a sum is taken term by term", 3, at_each_place(_power_split)),
)
"""Slips in a formula, the smallest first. What is not here, and why: a logarithm to another base, since a base is no part of the
formula as it is printed; a letter that means something else to another author (alpha for abar), since that is a convention, which a
renaming of the page's letters tells, and no mistake."""

_IN_ORDER: tuple[tuple[int, FormSlip | FormulaSlip], ...] = tuple(
    sorted(
        [*((1, slip) for slip in CATALOGUE if isinstance(slip, FormSlip)), *((slip.cost, slip) for slip in FORMULA_SLIPS)],
        key=lambda one: one[0],
    )
)
