r"""Matrix expressions of any size: their normal form, and the search for a counterexample.

A matrix expression is a sum of *words* over letters, their transposes and inverses, with scalar coefficients. Words multiply
by being joined; a letter meets its own inverse and both are gone, a symmetric letter is its own transpose. Where a dimension
is 1 a word falls into factors: a row times a column is a number, so that it commutes and equals its own transpose. Two
expressions are equal, for matrices of every size, if their words have equal coefficients, which the scalar engine decides.

The inverse of a sum, :math:`(\Sigma^{-1} - H)^{-1}`, is a letter :math:`P^{-1}`; what makes P that sum is not a relation to be
remembered: one of its terms is written by P, :math:`H = \Sigma^{-1} - P`, everywhere; a letter that occurs both as it is and
inverted is no such term. Where none will do, P stays a letter of which nothing is known, and what rests on it is undecided.

A counterexample is a size and exact rational matrices at which the two sides, read as they were written, differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from time import thread_time
from typing import Any

import sympy
from flint import ctx, fmpq, fmpq_mat
from sympy.matrices.expressions import Identity, Inverse, MatAdd, MatMul, MatPow, MatrixExpr, MatrixSymbol, Transpose, ZeroMatrix

from ..verdict import MisuseError, Proof
from .balls import Balls, ImpreciseError, UndefinedError
from .claim import Claim, Condition, Counterexample, Decision, exact
from .counterexample import letters, points
from .decide import decide
from .tower import UnsupportedError

MAX_WORDS = 2_000
SIZES = (1, 2, 3)
TRIES = 24  # matrices a size
SCALARS = 40  # points that are looked at for the scalars


@dataclass(frozen=True, slots=True)
class Nature:
    """What is known of a matrix.

    Attributes:
        symmetric: it is its own transpose.
        invertible: it has an inverse.
        positive: it is positive definite, and so symmetric and invertible.
    """

    symmetric: bool = False
    invertible: bool = False
    positive: bool = False

    def __str__(self) -> str:
        if self.positive:
            return "symmetric and positive definite"
        return " and ".join(word for word, holds in (("symmetric", self.symmetric), ("invertible", self.invertible)) if holds)


GENERAL = Nature()
SYMMETRIC = Nature(symmetric=True)
INVERTIBLE = Nature(invertible=True)
POSITIVE_DEFINITE = Nature(symmetric=True, invertible=True, positive=True)

Natures = Mapping[Any, Nature]


@dataclass(frozen=True, slots=True)
class Atom:
    """A letter of a word: a matrix, its transpose, its inverse, or the transpose of its inverse."""

    symbol: MatrixSymbol
    transposed: bool = False
    inverted: bool = False

    @property
    def ends(self) -> tuple[Any, Any]:
        """Rows and columns."""
        rows, columns = self.symbol.shape
        return (columns, rows) if self.transposed else (rows, columns)

    def cancels(self, other: Atom) -> bool:
        """Whether one is the inverse of the other."""
        return self.symbol == other.symbol and self.transposed == other.transposed and self.inverted != other.inverted


Word = tuple[Atom, ...]
Sum = dict[Word, sympy.Expr]


# -- reading ---------------------------------------------------------------------------------------------------------------


class Reader:
    """Reads matrix expressions into sums of words.

    Args:
        natures: what is known of the letters, and of sums that are inverted.
    """

    def __init__(self, natures: Natures) -> None:
        self._natures: dict[Any, Nature] = dict(natures)
        self._sums: dict[MatrixSymbol, Sum] = {}
        self.scalars: list[sympy.Expr] = []

    def __call__(self, expression: MatrixExpr) -> Sum:
        """The expression as a sum of words.

        Raises:
            UnsupportedError: if it holds something that is not read.
            MisuseError: if a letter was not declared, or what is inverted is not known to have an inverse.
        """
        match expression:
            case MatrixSymbol():
                return {self._word(expression): sympy.Integer(1)}
            case Identity():
                return {(): sympy.Integer(1)}
            case ZeroMatrix():
                return {}
            case MatAdd():
                if any(one.shape != expression.shape for one in expression.args):
                    raise MisuseError(f"the terms of {expression} have different shapes.")
                return _tidy(_added(self(one) for one in expression.args))
            case MatMul():
                coefficient, factors = expression.as_coeff_matrices()
                if any(one.shape[1] != other.shape[0] for one, other in pairwise(factors)):
                    raise MisuseError(f"the shapes of {expression} do not match.")
                self.scalars.append(exact(coefficient))
                total: Sum = {(): coefficient}
                for factor in factors:
                    total = self._product(total, self(factor))
                return total
            case Transpose():
                return self._transposed(self(expression.arg))
            case Inverse():
                return self._inverse(expression.arg)
            case MatPow() if isinstance(expression.exp, sympy.Integer) and abs(int(expression.exp)) <= 8:
                base = self._inverse(expression.base) if expression.exp < 0 else self(expression.base)
                total = {(): sympy.Integer(1)}
                for _ in range(abs(int(expression.exp))):
                    total = self._product(total, base)
                return total
        raise UnsupportedError(f"the engine does not read {type(expression).__name__} ({expression})"[:160])

    def _word(self, symbol: MatrixSymbol) -> Word:
        if symbol not in self._natures:
            raise MisuseError(f"{symbol} is no matrix of the page; declare it with `matrices`.")
        return (Atom(symbol),)

    def _transposed(self, total: Sum) -> Sum:
        return _tidy({self.transposed_word(word): coefficient for word, coefficient in total.items()})

    def transposed_word(self, word: Word) -> Word:
        """The transpose of a word."""
        return tuple(
            Atom(one.symbol, not (one.transposed or self._natures[one.symbol].symmetric), one.inverted) for one in reversed(word)
        )

    def _inverse(self, expression: MatrixExpr) -> Sum:
        inside = self(expression)
        if len(inside) == 1:
            ((word, coefficient),) = inside.items()
            for one in word:
                if not self._natures[one.symbol].invertible:
                    raise MisuseError(f"{one.symbol} is not known to have an inverse.")
            self.scalars.append(1 / coefficient)
            return {tuple(Atom(one.symbol, one.transposed, not one.inverted) for one in reversed(word)): 1 / coefficient}
        if not self.nature(expression).invertible:
            raise MisuseError(f"{expression} is not known to have an inverse; say so with `assume_matrix`.")
        return {(Atom(self._letter_for(inside, expression), inverted=True),): sympy.Integer(1)}

    def _letter_for(self, inside: Sum, expression: MatrixExpr) -> MatrixSymbol:
        for symbol, known in self._sums.items():
            if known == inside:
                return symbol
        symbol = MatrixSymbol(f"[{expression}]", *expression.shape)  # no page can name a matrix so: names have no spaces
        self._sums[symbol] = inside
        self._natures[symbol] = Nature(symmetric=self._transposed(inside) == inside, invertible=True)
        return symbol

    def nature(self, expression: MatrixExpr) -> Nature:
        """What is known of an expression that was declared, by how it is written or by its words."""
        if expression in self._natures:
            return self._natures[expression]
        inside = self(expression)
        for known, nature in list(self._natures.items()):
            if not isinstance(known, MatrixSymbol) and self(known) == inside:
                return nature
        return GENERAL

    def _product(self, left: Sum, right: Sum) -> Sum:
        if len(left) * len(right) > MAX_WORDS:
            raise UnsupportedError("the expression has too many words")
        return _tidy(_added({joined(one, other): a * b} for one, a in left.items() for other, b in right.items()))

    # -- inverses of sums --------------------------------------------------------------------------------------------------

    def resolved(self, totals: Sequence[Sum], nonzero: Callable[[sympy.Expr], bool]) -> list[Sum]:
        """The sums with a term of every inverted sum written by the letter for that sum.

        Args:
            totals: the sums.
            nonzero: whether a scalar is known not to vanish.
        """
        waiting, done = dict(self._sums), list(totals)
        for symbol in self._sums:
            inside = waiting.pop(symbol)
            gone = self._term(inside, [*done, *waiting.values()], nonzero)
            if gone is None:
                continue
            word, coefficient = gone
            rest = {other: -value / coefficient for other, value in inside.items() if other != word}
            value = _tidy(_added([rest, {(Atom(symbol),): 1 / coefficient}]))
            if word[0].transposed:
                value = self._transposed(value)
            replace = partial(self._replaced, gone=word[0], value=value)
            done, waiting = [replace(one) for one in done], {key: replace(one) for key, one in waiting.items()}
        return done

    def _term(self, inside: Sum, elsewhere: list[Sum], nonzero: Callable[[sympy.Expr], bool]) -> tuple[Word, sympy.Expr] | None:
        """A term of the sum that is a letter, or an inverse, and occurs in no other term, nor the other way up anywhere."""
        atoms = {(one.symbol, one.inverted) for total in (inside, *elsewhere) for word in total for one in word}
        for word, coefficient in inside.items():
            if len(word) != 1:
                continue
            symbol = word[0].symbol
            again = any(one.symbol == symbol for other in inside if other != word for one in other)
            upside_down = (symbol, not word[0].inverted) in atoms
            if symbol not in self._sums and not again and not upside_down and nonzero(coefficient):
                return word, coefficient
        return None

    def _replaced(self, total: Sum, gone: Atom, value: Sum) -> Sum:
        parts = []
        for word, coefficient in total.items():
            part: Sum = {(): coefficient}
            for one in word:
                by: Sum = {(one,): sympy.Integer(1)}
                if (one.symbol, one.inverted) == (gone.symbol, gone.inverted):
                    by = self._transposed(value) if one.transposed else value
                part = self._product(part, by)
            parts.append(part)
        return _tidy(_added(parts))

    # -- rows times columns ------------------------------------------------------------------------------------------------

    def canonical(self, total: Sum) -> dict[Any, sympy.Expr]:
        """The coefficients by canonical words: numbers within a word are sorted and written the smaller way round."""
        found: dict[Any, sympy.Expr] = {}
        for word, coefficient in total.items():
            key = self._factors(word)
            found[key] = found.get(key, sympy.Integer(0)) + coefficient
        return found

    def _factors(self, word: Word) -> Any:
        pieces, piece = [], []
        for place, one in enumerate(word):
            piece.append(one)
            if one.ends[1] == 1 and place + 1 < len(word):
                pieces.append(tuple(piece))
                piece = []
        if piece:
            pieces.append(tuple(piece))
        numbers = sorted(
            (min(one, self.transposed_word(one), key=str) for one in pieces if one[0].ends[0] == 1 and one[-1].ends[1] == 1),
            key=str,
        )
        others = tuple(one for one in pieces if not (one[0].ends[0] == 1 and one[-1].ends[1] == 1))
        return others, tuple(numbers)


def joined(left: Word, right: Word) -> Word:
    """The product of two words; what meets its inverse is gone."""
    while left and right and left[-1].cancels(right[0]):
        left, right = left[:-1], right[1:]
    return left + right


def _added(sums: Iterable[Sum]) -> Sum:
    total: Sum = {}
    for one in sums:
        for word, coefficient in one.items():
            total[word] = total.get(word, sympy.Integer(0)) + coefficient
    return total


def _tidy(total: Sum) -> Sum:
    return {word: coefficient for word, coefficient in total.items() if coefficient != 0}


# -- deciding --------------------------------------------------------------------------------------------------------------


def decide_matrices(lhs: MatrixExpr, rhs: MatrixExpr, natures: Natures, assuming: tuple[Claim, ...] = ()) -> Decision:
    """Prove that two matrix expressions are equal, for matrices of every size, or refute it, or say what remains.

    Args:
        lhs, rhs: the two sides.
        natures: what is known of the letters, and of sums that are inverted or positive definite.
        assuming: hypotheses on the scalars.

    Raises:
        MisuseError: if the sides are no matrices of one shape, or a letter was not declared, or an inverse may not exist.
    """
    for side in (lhs, rhs):
        if not isinstance(side, MatrixExpr):
            raise MisuseError(f"{side!r} is no matrix expression.")
    if lhs.shape != rhs.shape:
        raise MisuseError(f"the two sides have different shapes: {lhs.shape} and {rhs.shape}.")
    reader = Reader(natures)
    try:
        left, right = reader.resolved([reader(lhs), reader(rhs)], partial(_nonzero, assuming=assuming))
        remains, conditions = _compared(reader.canonical(left), reader.canonical(right), reader, assuming)
    except UnsupportedError as error:
        remains, conditions = str(error), tuple
    if not remains:
        known = tuple(_known_of(lhs, rhs, natures))
        return Decision(Proof.PROVED, "normal form of words", lambda: (*known, *conditions()))
    if (found := refuted(lhs, rhs, natures, assuming)) is not None:
        return Decision(Proof.REFUTED, "counterexample in exact matrices", counterexample=found)
    return Decision(Proof.UNDECIDED, "not decided", remains=remains)


def _nonzero(scalar: sympy.Expr, assuming: tuple[Claim, ...]) -> bool:
    if isinstance(scalar, sympy.Rational):
        return bool(scalar != 0)
    return decide(Claim(sympy.Integer(0), "<", scalar**2, assuming)).outcome is Proof.PROVED


def _compared(
    left: dict[Any, sympy.Expr], right: dict[Any, sympy.Expr], reader: Reader, assuming: tuple[Claim, ...]
) -> tuple[str, Callable[[], tuple[Condition, ...]]]:
    """What remains of showing that the coefficients agree; and where that proof holds."""
    zero = sympy.Integer(0)
    needed = {Claim(one, "==", one, assuming): f"{one} to have a value" for one in reader.scalars}
    for word in {**left, **right}:
        one, other = left.get(word, zero), right.get(word, zero)
        needed[Claim(one, "==", other, assuming)] = f"the coefficients of {_shown(word)} to agree: {one} and {other}"
    decisions = []
    for claim, words in needed.items():
        if isinstance(claim.lhs, sympy.Rational) and claim.lhs == claim.rhs and claim.relation == "==":
            continue
        decision = decide(claim)
        if decision.outcome is not Proof.PROVED:
            return words, tuple
        decisions.append(decision)
    return "", lambda: tuple(condition for one in decisions for condition in one.conditions)


def _known_of(lhs: MatrixExpr, rhs: MatrixExpr, natures: Natures) -> Iterator[Condition]:
    """What the proof uses of its matrices, for the reader."""
    for matrix, nature in natures.items():
        if nature != GENERAL and matrix.atoms(MatrixSymbol) <= lhs.atoms(MatrixSymbol) | rhs.atoms(MatrixSymbol):
            yield Condition(f"is {nature}", False, partial(_itself, matrix))


def _itself(matrix: MatrixExpr) -> MatrixExpr:
    return matrix


def _shown(word: Any) -> str:
    pieces = [*word[0], *word[1]]
    names = [f"{one.symbol}{'^-1' if one.inverted else ''}{'^T' if one.transposed else ''}" for piece in pieces for one in piece]
    return " ".join(names) or "the identity"


# -- printing --------------------------------------------------------------------------------------------------------------


def quadratic(matrix: MatrixExpr, vector: MatrixExpr) -> MatrixExpr:
    """The quadratic form of a matrix at a vector."""
    return vector.T * matrix * vector


def matrix_latex(expression: MatrixExpr) -> str:
    """The expression as LaTeX, what is added before what is taken away, short terms before long ones."""
    if not isinstance(expression, MatAdd):
        sign, rest = _term_latex(expression)
        return f"{sign}{rest}"
    terms = sorted(map(_term_latex, expression.args), key=lambda term: (term[0] == "-", len(term[1])))
    first, *others = terms
    return f"{first[0]}{first[1]}" + "".join(f" {sign or '+'} {rest}" for sign, rest in others)


def _term_latex(expression: MatrixExpr) -> tuple[str, str]:
    """The sign of a term, and the term without it."""
    if not isinstance(expression, MatMul):
        return "", _factor_latex(expression)
    coefficient, factors = expression.as_coeff_matrices()
    sign = "-" if coefficient.could_extract_minus_sign() else ""
    number = sympy.latex(-coefficient if sign else coefficient)
    if isinstance(coefficient, sympy.Add):
        number = rf"\left({number}\right)"
    parts = [] if number == "1" and factors else [number]
    return sign, r"\,".join(["".join(parts), " ".join(map(_factor_latex, factors))]).removeprefix(r"\,")


def _factor_latex(expression: MatrixExpr) -> str:
    match expression:
        case Transpose():
            return _raised(expression.arg, r"\top")
        case Inverse():
            return _raised(expression.arg, "-1")
        case MatPow():
            return _raised(expression.base, sympy.latex(expression.exp))
        case MatAdd() if expression.shape[0] == 1 and expression.shape[1] != 1:
            return rf"\left({matrix_latex(expression.T)}\right)^\top"
        case MatAdd() | MatMul():
            return rf"\left({matrix_latex(expression)}\right)"
        case Identity():
            return "I"
    return str(sympy.latex(expression))


def _raised(expression: MatrixExpr, power: str) -> str:
    plain = isinstance(expression, (MatrixSymbol, Identity))
    if isinstance(expression, Transpose) and isinstance(expression.arg, MatrixSymbol) and power == "-1":
        return rf"{sympy.latex(expression.arg)}^{{-\top}}"
    inside = matrix_latex(expression)
    return rf"{inside}^{{{power}}}" if plain else rf"\left({inside}\right)^{{{power}}}"


# -- positive definite -----------------------------------------------------------------------------------------------------


def is_positive_definite(matrix: MatrixExpr, natures: Natures, positive: Callable[[sympy.Expr], bool]) -> bool:
    """Whether the matrix is seen to be positive definite: declared so, an inverse or a sum of such, or B B^T with B invertible.

    Args:
        matrix: the matrix.
        natures: what is known.
        positive: whether a scalar is positive.
    """
    again = partial(is_positive_definite, natures=natures, positive=positive)
    if (known := natures.get(matrix)) is not None:
        return known.positive
    match matrix:
        case Identity():
            return True
        case Inverse() | Transpose():
            return again(matrix.arg)
        case MatAdd():
            return all(map(again, matrix.args))
        case MatMul():
            coefficient, factors = matrix.as_coeff_matrices()
            if not positive(coefficient):
                return False
            if len(factors) == 1:
                return again(factors[0])
            return _is_square_of_invertible(factors, natures)
    return False


def _is_square_of_invertible(factors: list[MatrixExpr], natures: Natures) -> bool:
    """Whether the product is B B^T for an invertible letter B."""
    if len(factors) != 2:
        return False
    first, second = factors
    letter = first.arg if isinstance(first, Transpose) else first
    return bool(second == first.T and natures.get(letter, GENERAL).invertible)


# -- counterexamples -------------------------------------------------------------------------------------------------------


def refuted(lhs: MatrixExpr, rhs: MatrixExpr, natures: Natures, assuming: tuple[Claim, ...]) -> Counterexample | None:
    """A size and rational matrices at which the two sides differ, if one is found."""
    scalars = [Claim(one, "==", one) for matrix in (lhs, rhs, *natures) for one in _scalars(matrix)]
    values = list(islice(_scalar_points(scalars, assuming), TRIES)) or [{}]
    precision, deadline = ctx.prec, thread_time() + 2
    try:
        for size in SIZES:
            for seed in range(TRIES):
                if thread_time() > deadline:
                    return None
                found = _difference(lhs, rhs, natures, values[seed % len(values)], size, seed)
                if found is not None:
                    return found
    finally:
        ctx.prec = precision
    return None


def _scalars(matrix: MatrixExpr) -> set[sympy.Expr]:
    return {one.as_coeff_matrices()[0] for one in sympy.preorder_traversal(matrix) if isinstance(one, MatMul)}


def _scalar_points(scalars: list[Claim], assuming: tuple[Claim, ...]) -> Iterator[dict[Any, Any]]:
    for point in islice(points(letters(*scalars, *assuming)), SCALARS):
        if all(_holds(one, point) for one in assuming):
            yield point


def _holds(assumed: Claim, point: dict[Any, Any]) -> bool:
    try:
        balls = Balls(point)
        gap = balls(assumed.rhs) - balls(assumed.lhs)
    except (UndefinedError, ImpreciseError, UnsupportedError):
        return False
    return bool(gap > 0 or (assumed.relation != "<" and isinstance(gap, fmpq) and gap == 0))


def _difference(
    lhs: MatrixExpr, rhs: MatrixExpr, natures: Natures, scalars: dict[Any, Any], size: int, seed: int
) -> Counterexample | None:
    involved = _involved(lhs.atoms(MatrixSymbol) | rhs.atoms(MatrixSymbol), natures)
    drawn = _drawn(involved, {lhs, rhs}, natures, scalars, size, seed)
    if drawn is None:
        return None
    values, sizes, evaluate = drawn
    try:
        left, right = evaluate(lhs), evaluate(rhs)
    except (ZeroDivisionError, UndefinedError, ImpreciseError, UnsupportedError):
        return None
    if left == right:
        return None
    shown = {one: _plain(value) for one, value in values.items()}
    at = ", ".join(f"{name} = {number}" for name, number in sizes.items())
    reason = f"the two sides differ by {_text(left - right)}" + (f", for {at}" if at else "")
    return Counterexample({**scalars, **shown}, {}, _text(left), _text(right), reason, _text(left - right))


def _involved(symbols: set[MatrixSymbol], natures: Natures) -> set[MatrixSymbol]:
    """The letters, and those that a hypothesis on a sum ties to them."""
    involved = set(symbols)
    while (
        more := {
            symbol
            for one in natures
            if not isinstance(one, MatrixSymbol) and one.atoms(MatrixSymbol) & involved
            for symbol in one.atoms(MatrixSymbol)
        }
        - involved
    ):
        involved |= more
    return involved


def _drawn(
    involved: set[MatrixSymbol], sides: set[MatrixExpr], natures: Natures, scalars: dict[Any, Any], size: int, seed: int
) -> tuple[dict[MatrixSymbol, fmpq_mat], dict[Any, int], _Evaluate] | None:
    """Matrices that have all the natures at once, if these do."""
    symbols = sorted(involved, key=str)
    names = sorted(set().union(*(end.free_symbols for one in (*symbols, *sides) for end in one.shape)), key=str)
    sizes = {name: size + place for place, name in enumerate(names)}
    draw = _Draw(17 + 1009 * seed + size, fmpq(1, 4 ** (seed % 3)))
    values = {one: draw(_number(one.shape[0], sizes), _number(one.shape[1], sizes), natures[one]) for one in symbols}
    evaluate = _Evaluate(values, sizes, scalars)
    try:
        if all(_has(evaluate(one), nature) for one, nature in natures.items() if one.atoms(MatrixSymbol) <= involved):
            return values, sizes, evaluate
    except (ZeroDivisionError, UndefinedError, ImpreciseError, UnsupportedError):
        pass
    return None


def feasible(natures: Natures, assuming: tuple[Claim, ...] = ()) -> bool:
    """Whether matrices were found that have all the natures at once: a claim about no matrices at all is no claim."""
    involved = {one for one in natures if isinstance(one, MatrixSymbol)}
    scalars = [Claim(one, "==", one) for matrix in natures for one in _scalars(matrix)]
    values = list(islice(_scalar_points(scalars, assuming), TRIES))
    return any(
        _drawn(involved, set(), natures, values[seed % len(values)], size, seed) is not None
        for size in SIZES
        for seed in range(TRIES)
        if values
    )


class _Draw:
    """Small rational matrices of a nature, the same ones every time."""

    def __init__(self, seed: int, scale: fmpq) -> None:
        self._state, self._scale = seed, scale

    def _entry(self) -> int:
        self._state = (6364136223846793005 * self._state + 1442695040888963407) % 2**64
        return (self._state >> 33) % 7 - 3

    def __call__(self, rows: int, columns: int, nature: Nature) -> fmpq_mat:
        entries = [[self._entry() for _ in range(columns)] for _ in range(rows)]
        drawn = fmpq_mat(rows, columns, [fmpq(entry) for row in entries for entry in row])
        if nature.positive:
            return drawn * drawn.transpose() + _identity(rows)
        return (drawn + drawn.transpose()) * self._scale if nature.symmetric else drawn


class _Evaluate:
    """Matrix expressions at exact matrices, read as they were written."""

    def __init__(self, values: dict[MatrixSymbol, fmpq_mat], sizes: dict[Any, int], scalars: dict[Any, Any]) -> None:
        self._values, self._sizes, self._balls = values, sizes, Balls(scalars)

    def __call__(self, expression: MatrixExpr) -> fmpq_mat:
        match expression:
            case MatrixSymbol():
                return self._values[expression]
            case Identity():
                return _identity(_number(expression.shape[0], self._sizes))
            case ZeroMatrix():
                return fmpq_mat(*(_number(one, self._sizes) for one in expression.shape))
            case MatAdd():
                first, *others = map(self, expression.args)
                return sum(others, first)
            case MatMul():
                coefficient, factors = expression.as_coeff_matrices()
                number = self._balls(coefficient)
                if not isinstance(number, fmpq):
                    raise ImpreciseError
                total, *others = map(self, factors)
                for other in others:
                    total = total * other
                return total * number
            case Transpose():
                return self(expression.arg).transpose()
            case Inverse():
                return self(expression.arg).inv()
            case MatPow() if isinstance(expression.exp, sympy.Integer):
                base = self(expression.base)
                total = _identity(base.nrows())
                for _ in range(abs(int(expression.exp))):
                    total = total * (base.inv() if expression.exp < 0 else base)
                return total
        raise UnsupportedError(f"{type(expression).__name__} is not evaluated")


def _has(value: fmpq_mat, nature: Nature) -> bool:
    """Whether the matrix is of that nature."""
    if nature.symmetric and value != value.transpose():
        return False
    if nature.invertible and value.det() == 0:
        return False
    if not nature.positive:
        return True
    entries = value.tolist()
    corners = (fmpq_mat([row[:k] for row in entries[:k]]) for k in range(1, len(entries) + 1))
    return all(corner.det() > 0 for corner in corners)


def _identity(size: int) -> fmpq_mat:
    return fmpq_mat([[fmpq(int(row == column)) for column in range(size)] for row in range(size)])


def _number(end: Any, sizes: dict[Any, int]) -> int:
    return sizes[end] if end in sizes else int(end)


def _plain(value: fmpq_mat) -> Any:
    return sympy.ImmutableMatrix([[sympy.Rational(int(entry.p), int(entry.q)) for entry in row] for row in value.tolist()])


def _text(value: fmpq_mat) -> str:
    rows = value.tolist()
    if len(rows) == 1 and len(rows[0]) == 1:
        return str(rows[0][0])
    return "[" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows) + "]"
