r"""Numbers that are proved: a recursion run in ball arithmetic, and what comes out compared.

A recursion with exact rational inputs is run step by step; every number is a ball that encloses the true one, so that what is
said of the result is a proof about these inputs, and about no others. Where a ball is too wide the outcome is *undecided*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import sympy
from flint import arb, ctx, fmpq

from ...forms.quantities import in_base_letters
from ...verdict import MisuseError, Proof
from ..balls import Balls, ImpreciseError, UndefinedError, Value, power
from ..claim import RELATIONS, Decision, exact
from ..step import Check
from ..tower import UnsupportedError, domain_of
from ..writer import Writer, tex

BITS = 128
METHOD = f"ball arithmetic with {BITS} bits"

Table = Mapping[sympy.Symbol, Sequence[Any]]
Values = Mapping[sympy.Symbol, Any]


def levels(betas: Iterable[Any]) -> list[Any]:
    """The products of 1 - beta, exactly: abar_0 = 1, abar_1, ..., abar_T."""
    found = [fmpq(1)]
    for beta in betas:
        found.append(found[-1] * (1 - _rational(beta)))
    return found


class ComputationRules(Writer):
    """What a page can say of numbers."""

    def iterate(self, table: Table, start: Values, step: Values, ends: Mapping[sympy.Symbol, sympy.Symbol], because: str) -> None:
        """Run a recursion, from exact numbers and through a table of them; letters name what it ends in, for :meth:`compare`.

        Args:
            table: for each letter of the step its values, one a step.
            start: the letters of the state with their first values.
            step: their next values, over the letters of the state and of the table; a letter that is no part of the state is an
                abbreviation, for those after it.
            ends: for each letter of the state, the letter that names its last value.
            because: the justification.

        Raises:
            MisuseError: if a letter has no value, a value lies outside the domain of its letter, or a name is taken.
        """
        steps = self._length(table)
        rows = {one: [_within(one, value) for value in values] for one, values in table.items()}
        first = {one: _within(one, value) for one, value in start.items()}
        equations = {one: in_base_letters(exact(value)) for one, value in step.items()}
        self._refuse_gaps(set(rows), set(first), equations)
        if set(ends) != set(first):
            raise MisuseError("every letter of the state has a name for its last value, and nothing else has.")
        for one in ends.values():
            self._refuse_defined(one)
            if self._has_a_meaning(one) or one in {*rows, *equations} or len(set(ends.values())) != len(ends):
                raise MisuseError(f"{one} stands for another number already.")
        with _precision():
            found, decision = _run({one: list(map(arb, values)) for one, values in rows.items()}, first, equations, steps)
        self._found.update({name: found[one] for one, name in ends.items()} if found else dict.fromkeys(ends.values()))
        check = Check(f"{steps} steps", None, decision)
        self._write(
            "computation", because, [check],
            lambda: f"after {steps} steps: " + ", ".join(f"{name} = {_digits(self._found[name])}" for name in ends.values()),
            lambda: rf"\text{{after {steps} steps: }} "
            + r",\quad ".join(f"{tex(name)} = {_digits(self._found[name])}" for name in ends.values()),
            "each number lies in the ball that encloses it, whatever the rounding",
        )  # fmt: skip

    def compare(self, lhs: Any, relation: str, rhs: Any, because: str) -> None:
        """A relation between numbers that :meth:`iterate` has named, decided by their balls.

        Raises:
            MisuseError: if a letter names no number.
        """
        lhs, rhs = exact(lhs), exact(rhs)
        if relation not in RELATIONS[1:]:
            raise MisuseError(f"balls tell <= and <, got {relation!r}.")
        if missing := (lhs.free_symbols | rhs.free_symbols) - set(self._found):
            raise MisuseError(f"{min(missing, key=str)} names no number that was computed.")
        with _precision():
            sides, decision = self._compared(lhs, relation, rhs)
        check = Check("", None, decision)
        sign = {"<=": r"\le", "<": "<"}[relation]
        shown = [_digits(side) for side in sides]
        self._write(
            "comparison", because, [check],
            lambda: f"{lhs} {relation} {rhs}: {shown[0]} and {shown[1]}",
            lambda: rf"{tex(lhs)} {sign} {tex(rhs)}: \quad {shown[0]} {sign} {shown[1]}",
            "two balls that do not meet are in the order of the numbers in them",
        )  # fmt: skip

    def _compared(self, lhs: sympy.Expr, relation: str, rhs: sympy.Expr) -> tuple[list[Value], Decision]:
        unknown = Decision(Proof.UNDECIDED, "not decided", remains="a ball is too wide, or a number was not found")
        if any(self._found[one] is None for one in lhs.free_symbols | rhs.free_symbols):
            return [None, None], unknown
        try:
            balls = Balls(self._found)
            sides = [balls(lhs), balls(rhs)]
        except (ImpreciseError, UndefinedError, UnsupportedError) as error:
            return [None, None], Decision(Proof.UNDECIDED, "not decided", remains=str(error) or "a ball is too wide")
        gap = sides[1] - sides[0]
        if gap > 0 or (relation == "<=" and isinstance(gap, fmpq) and gap == 0):
            return sides, Decision(Proof.PROVED, METHOD)
        if gap < 0 or (isinstance(gap, fmpq) and gap == 0):
            return sides, Decision(Proof.REFUTED, METHOD, remains=f"the sides are {_digits(sides[0])} and {_digits(sides[1])}")
        return sides, unknown

    @staticmethod
    def _length(table: Table) -> int:
        lengths = {len(values) for values in table.values()}
        if len(lengths) != 1 or 0 in lengths:
            raise MisuseError(f"the letters of the table have one value a step each, got {sorted(lengths)} values.")
        return lengths.pop()

    def _refuse_gaps(self, rows: set[Any], state: set[Any], equations: Mapping[sympy.Symbol, sympy.Expr]) -> None:
        known = rows | state
        for one in (*rows, *state, *equations):
            self._refuse_defined(one)
        if rows & state or rows & set(equations) or not state <= set(equations):
            raise MisuseError("a letter is one of the table, one of the state with its next value, or an abbreviation.")
        for one, value in equations.items():
            if missing := value.free_symbols - known:
                raise MisuseError(f"{min(missing, key=str)} has no value when {one} is computed.")
            known = known | {one}


def _run(rows: Mapping[Any, list[Any]], first: Values, equations: Values, steps: int) -> tuple[dict[Any, Value], Decision]:
    state, following = dict(first), _Program(equations, [*first, *rows])
    for index in range(steps):
        try:
            found = following([*state.values(), *(values[index] for values in rows.values())])
        except UndefinedError as error:
            return {}, Decision(Proof.REFUTED, METHOD, remains=f"step {index + 1} has no value: {error}")
        except (ImpreciseError, UnsupportedError) as error:
            return {}, Decision(Proof.UNDECIDED, "not decided", remains=str(error) or f"a ball is too wide at step {index + 1}")
        state = {one: found[one] for one in state}
    return state, Decision(Proof.PROVED, METHOD)


class _Program:
    """Equations as a list of operations on numbered places, so that a thousand steps cost what their arithmetic does.

    Args:
        equations: in the order in which they are computed; each may use the letters before it that are no input.
        inputs: the letters that are given.
    """

    def __init__(self, equations: Mapping[sympy.Symbol, sympy.Expr], inputs: Sequence[sympy.Symbol]) -> None:
        self._values: list[Value] = [None] * len(inputs)
        self._operations: list[tuple[Callable[..., Value], tuple[int, ...]]] = []
        self._places: dict[sympy.Expr, int] = {one: place for place, one in enumerate(inputs)}
        self._results: dict[sympy.Symbol, int] = {}
        self._constants: dict[int, Value] = {}
        for one, value in equations.items():
            self._results[one] = self._place(value)
            self._places.setdefault(one, self._results[one])

    def __call__(self, inputs: list[Value]) -> dict[sympy.Symbol, Value]:
        values = [*inputs, *(self._constants.get(place) for place in range(len(inputs), len(self._values)))]
        free = (place for place in range(len(inputs), len(values)) if place not in self._constants)
        for place, (operation, arguments) in zip(free, self._operations, strict=True):
            values[place] = operation(*[values[argument] for argument in arguments])
        return {one: values[place] for one, place in self._results.items()}

    def _place(self, part: sympy.Expr) -> int:
        if part not in self._places:
            if not part.free_symbols:
                self._constants[len(self._values)] = Balls({})(part)
            else:
                self._operations.append(self._operation(part))
            self._places[part] = len(self._values)
            self._values.append(None)
        return self._places[part]

    def _operation(self, part: sympy.Expr) -> tuple[Callable[..., Value], tuple[int, ...]]:
        match part:
            case sympy.Add():
                return _sum, tuple(map(self._place, part.args))
            case sympy.Mul():
                return _product, tuple(map(self._place, part.args))
            case sympy.Pow() if isinstance(part.exp, sympy.Rational):
                return partial(_raised, fmpq(part.exp.p, part.exp.q)), (self._place(part.base),)
        letters = sorted(part.free_symbols, key=str)
        return (lambda *values: Balls(dict(zip(letters, values, strict=True)))(part)), tuple(map(self._place, letters))


def _sum(first: Value, *others: Value) -> Value:
    for other in others:
        first = first + other
    return first


def _product(first: Value, *others: Value) -> Value:
    for other in others:
        first = first * other
    return first


def _raised(exponent: Any, base: Value) -> Value:
    return power(base, exponent)


def _within(one: sympy.Symbol, value: Any) -> Any:
    """The exact value, which must lie where its letter may."""
    number, domain = _rational(value), domain_of(one)
    below = domain.lower is not None and (number < domain.lower or (number == domain.lower and not domain.closed_below))
    above = domain.upper is not None and (number > domain.upper or (number == domain.upper and not domain.closed_above))
    if below or above:
        raise MisuseError(f"{one} lies in {domain}, got {float(number.p) / float(number.q):.6g}.")
    return number


def _rational(value: Any) -> Any:
    if isinstance(value, fmpq):
        return value
    number = value if isinstance(value, sympy.Rational) else exact(value)
    if not isinstance(number, sympy.Rational):
        raise MisuseError(f"an exact rational number is needed, got {value}.")
    return fmpq(number.p, number.q)


@contextmanager
def _precision() -> Iterator[None]:
    before = ctx.prec
    ctx.prec = BITS
    try:
        yield
    finally:
        ctx.prec = before


def _digits(value: Value | None) -> str:
    if value is None:
        return "?"
    with _precision():
        return str(value) if isinstance(value, fmpq) and value.q < 10**6 else str(arb(value).str(10, radius=False))
