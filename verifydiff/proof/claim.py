r"""Claims and what came out of deciding them.

A claim says :math:`l = r`, :math:`l \le r` or :math:`l < r` for *all* values of its letters in their domains that satisfy
its assumptions. It is decided, never tried: the outcome is proved, refuted with a counterexample, or undecided with what
remains. A formula that divides by zero or takes the root of a negative number has no value there; where a denominator may
vanish is a condition of the proof, a root of a negative number at a valid point refutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from ..forms.quantities import Quantity
from ..forms.typeset import typeset
from ..verdict import MisuseError, Proof

RELATIONS = ("==", "<=", "<")

_RELATIONALS = {
    sympy.Eq: ("==", False),
    sympy.Le: ("<=", False),
    sympy.Lt: ("<", False),
    sympy.Ge: ("<=", True),
    sympy.Gt: ("<", True),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that can be judged.

    Attributes:
        lhs, rhs: the two sides, as SymPy expressions without floats.
        relation: ``==``, ``<=`` or ``<``.
        assuming: further claims, or relations, that may be used; they narrow the domain.

    Raises:
        MisuseError: if a side is not an expression over real letters and exact numbers.
    """

    lhs: sympy.Expr
    relation: str
    rhs: sympy.Expr
    assuming: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise MisuseError(f"a claim is one of {', '.join(RELATIONS)}, got {self.relation!r}.")
        object.__setattr__(self, "lhs", exact(self.lhs))
        object.__setattr__(self, "rhs", exact(self.rhs))
        if not isinstance(self.assuming, (tuple, list)):
            raise MisuseError(f"`assuming` takes a list of claims or relations, got {text(self.assuming)}.")
        object.__setattr__(self, "assuming", tuple(claim(one) for one in self.assuming))

    def latex(self) -> str:
        """The statement as LaTeX, without dollar signs."""
        sign = {"==": "=", "<=": r"\le", "<": "<"}[self.relation]
        return f"{latex(self.lhs)} {sign} {latex(self.rhs)}"

    def __str__(self) -> str:
        return f"{text(self.lhs)} {'=' if self.relation == '==' else self.relation} {text(self.rhs)}"


def claim(statement: Any, assuming: Iterable[Any] = ()) -> Claim:
    """The claim of a SymPy relation such as ``sigma**2 <= 1 - abar_s``, or a claim, with further assumptions.

    Raises:
        MisuseError: if the statement is anything else, for instance ``True`` because SymPy has evaluated it.
    """
    if not isinstance(assuming, Iterable):
        raise MisuseError(f"`assuming` takes a list of claims or relations, got {text(assuming)}.")
    if isinstance(statement, Claim):
        further = tuple(assuming)
        return replace(statement, assuming=(*statement.assuming, *further)) if further else statement
    if type(statement) not in _RELATIONALS:
        raise MisuseError(f"a claim or a relation such as `x <= y` or `Eq(x, y)` is needed, got {statement!r}.")
    relation, swapped = _RELATIONALS[type(statement)]
    lhs, rhs = (statement.rhs, statement.lhs) if swapped else (statement.lhs, statement.rhs)
    return Claim(lhs, relation, rhs, tuple(assuming))


def letters_of(*expressions: sympy.Expr) -> set[sympy.Symbol]:
    """The base letters that the expressions rest on, also those that would cancel from a definition."""
    found: set[sympy.Symbol] = set()
    waiting = [symbol for expression in expressions for symbol in expression.free_symbols]
    while waiting:
        symbol = waiting.pop()
        definition = getattr(symbol, "definition", None)
        if definition is None:
            found.add(symbol)
        else:
            waiting += definition.free_symbols
    return found


def exact(value: Any) -> sympy.Expr:
    """The value as a SymPy expression, refused if it holds a float, an infinity or what is no expression at all.

    A float is refused rather than converted: 0.1 is not one tenth, and a proof about the one is not about the other.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return sympy.Integer(value)
    if isinstance(value, float):
        raise MisuseError(f"{value!r} is a float; write an exact number, such as Rational({str(value)!r}).")
    if not isinstance(value, sympy.Expr):
        raise MisuseError(f"{value!r} is no SymPy expression.")
    try:
        return _exact_atoms(value)
    except RecursionError:
        raise MisuseError("an expression is nested too deeply to be read.") from None


def _exact_atoms(value: sympy.Expr) -> sympy.Expr:
    if value.has(sympy.Float):
        found = min(value.atoms(sympy.Float), key=str)
        raise MisuseError(f"{value} holds the float {found}; write an exact number, such as Rational('0.1').")
    if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise MisuseError(f"{value} holds an infinity or a nan; a claim is about real numbers.")
    return value


def text(expression: Any) -> str:
    """The expression as text, however deep it is."""
    try:
        return str(expression)
    except RecursionError:
        return "(an expression too deep to print)"


def latex(expression: Any) -> str:
    """The expression as LaTeX, however deep it is."""
    try:
        return typeset(expression)
    except RecursionError:
        return r"\text{(an expression too deep to print)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the letters for a statement to make sense.

    Attributes:
        relation: ``!= 0``, ``>= 0`` or ``> 0``; of a matrix, what it is said to be.
        holds: whether it follows from the domains and assumptions; if not, it is left to the reader.
    """

    relation: str
    holds: bool
    _expression: Callable[[], sympy.Expr] = field(repr=False, compare=False)

    @property
    def expression(self) -> sympy.Expr:
        """The expression that the condition is about."""
        return self._expression()

    def __str__(self) -> str:
        return f"{text(self.expression)} {self.relation}"

    def latex(self) -> str:
        """The condition as LaTeX, without dollar signs."""
        sign = {"!= 0": r"\ne 0", ">= 0": r"\ge 0", "> 0": "> 0"}.get(self.relation, rf"\ \text{{{self.relation}}}")
        return f"{latex(self.expression)} {sign}"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A point of the domain at which a claim fails, in exact rationals, found and checked by ball arithmetic.

    Attributes:
        point: the base letters and their values.
        derived: what the defined quantities of the claim come to there.
        lhs, rhs: enclosures of the two sides, as text; ``undefined`` where a side has no real value.
        reason: one sentence: how the claim fails.
        difference: an enclosure of lhs - rhs as text, which does not contain 0; empty where a side is undefined.
    """

    point: dict[sympy.Symbol, sympy.Rational]
    derived: dict[Quantity, str]
    lhs: str
    rhs: str
    reason: str
    difference: str = ""

    @property
    def values(self) -> dict[str, str]:
        """All letters and what they come to, the levels of the schedule first."""
        everything = {str(symbol): str(value) for symbol, value in (*self.point.items(), *self.derived.items())}
        return {name: everything[name] for name in sorted(everything, key=_place)}

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        return f"at {values or 'every point'}: {self.reason}"


_SCHEDULE = ("abar_s", "alpha_t", "abar_t", "beta_t")


def _place(name: str) -> tuple[int, str]:
    return (_SCHEDULE.index(name) if name in _SCHEDULE else len(_SCHEDULE)), name


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a claim.

    Attributes:
        outcome: proved, refuted or undecided.
        method: how it was decided, in a few words.
        counterexample: of a refutation.
        remains: of an undecided claim: what is left to show, or why it could not be read.
    """

    outcome: Proof
    method: str
    _conditions: Callable[[], tuple[Condition, ...]] = field(default=tuple, repr=False, compare=False)
    counterexample: Counterexample | None = None
    remains: str = ""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Where a proof holds: what must not vanish or be negative, whether or not the domains see to it."""
        return self._conditions()

    @property
    def open_conditions(self) -> tuple[Condition, ...]:
        """The conditions that do not follow from the domains and are left to the reader."""
        return tuple(condition for condition in self.conditions if not condition.holds)
