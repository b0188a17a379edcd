r"""A formula to play with: what its two sides come to at any schedule, any time, any values.

A statement owes that some values are equal (:mod:`verifydiff.notes.rules`): its two sides, or the mean and the variance of a law.
They are expressions in the letters of the proof engine, :math:`\bar\alpha_{t-1}` and :math:`\alpha_t` among them, and are worked
out at numbers for these letters; nothing is ever run as code. What is shown of a failing formula is the very thing that the judge
refuted: at the judge's counterexample it comes to the judge's own numbers, or it is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any

from ..notes.judging import judge_link
from ..notes.known import Known
from ..notes.page import Standing
from ..notes.parser import parse
from ..notes.process import CONVENTIONS
from ..notes.proofs import in_letters
from ..notes.rules import Link, Owed
from ..notes.tokens import NotUnderstoodError
from ..notes.tree import Dots
from ..notes.ways import Grade, Tried
from ..schedule import Schedule
from ..verdict import MisuseError
from .verdicts import Verdict, turn

TIMES, POINTS, SCHEDULES = 1000, 48, ("linear", "scaled_linear", "cosine")
ROUNDING = 1e-9
WIDE, MARGIN = 4.0, 0.001  # how far a letter without bounds is turned, and how near to an end that is not its own
LEVELS = {"abar_s", "alpha_t", "abar_t"}
"""The letters that a schedule has a value for."""


@dataclass(frozen=True)
class Knob:
    """A letter that may be turned.

    Attributes:
        name, latex: of the letter.
        low, high: how far.
        value: where it stands at first.
    """

    name: str
    latex: str
    low: float
    high: float
    value: float

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"name": self.name, "latex": self.latex, "low": self.low, "high": self.high, "value": self.value}


@dataclass(frozen=True)
class Board:
    """The statement at a point.

    Attributes:
        knobs: its letters.
        owed: what must hold.
        letters: the symbols of the letters, by name.
    """

    knobs: tuple[Knob, ...]
    owed: tuple[Owed, ...]
    letters: dict[str, Any]

    @property
    def scheduled(self) -> bool:
        """Whether a schedule has values for some of its letters."""
        return bool(LEVELS & set(self.letters))

    def at(self, values: dict[str, float]) -> list[dict[str, Any]]:
        """What is owed at a point: of what, both sides, and whether they agree; a side condition only where it is broken."""
        rows = [self._row(one, values) for one in self.owed]
        return [row for row in rows if row["relation"] == "==" or row["agree"] is False]

    def _row(self, owed: Owed, values: dict[str, float]) -> dict[str, Any]:
        left, right = (self._number(one, values) for one in (owed.left, owed.right))
        return {"of": owed.of, "left": left, "right": right, "relation": owed.relation, "agree": _agree(left, right, owed.relation)}

    def _number(self, expression: Any, values: dict[str, float]) -> float | None:
        """An expression at a point; None where it has no real value there."""
        from sympy import Float, sympify

        put = {letter: Float(values[name], 30) for name, letter in self.letters.items()}
        try:
            number = complex(sympify(expression).xreplace(put).evalf(20))
        except (TypeError, ValueError, ArithmeticError):
            return None
        real = abs(number.imag) <= ROUNDING * (1 + abs(number.real))
        return number.real if real and isfinite(number.real) else None

    def along(self, schedule: Schedule, values: dict[str, float]) -> dict[str, Any]:
        """The two sides that differ (the first, if none does) over the times of a schedule."""
        rows = [self._row(one, values) for one in self.owed]
        chosen = next((k for k, row in enumerate(rows) if row["agree"] is False), 0)
        times = sorted({round(1 + k * (schedule.timesteps - 1) / (POINTS - 1)) for k in range(POINTS)})
        found = [self._row(self.owed[chosen], values | levels(schedule, t)) for t in times]
        return {
            "of": rows[chosen]["of"],
            "t": times,
            "left": [one["left"] for one in found],
            "right": [one["right"] for one in found],
        }


def _agree(left: float | None, right: float | None, relation: str) -> bool | None:
    if left is None or right is None:
        return None
    gap = ROUNDING * (1 + abs(left) + abs(right))
    return abs(left - right) <= gap if relation == "==" else left <= right + gap


@lru_cache(maxsize=3)
def schedule_named(name: str) -> Schedule:
    """One of the usual schedules of 1,000 times.

    Raises:
        MisuseError: if it is none of them.
    """
    if name not in SCHEDULES:
        raise MisuseError(f"`schedule` must be one of {', '.join(SCHEDULES)}.")
    return Schedule.named(name, TIMES)


def levels(schedule: Schedule, t: int) -> dict[str, float]:
    """The levels of a step from t to t - 1."""
    abar_s, abar_t = float(schedule.abar[t - 1]), float(schedule.abar[t])
    return {"abar_s": abar_s, "alpha_t": abar_t / abar_s, "abar_t": abar_t}


def play(verdict: Verdict, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What the page shows of a judged formula at the point it asks for; None where there is nothing to turn.

    Args:
        verdict: of the formula.
        asked: ``{"at": {name: value}, "schedule", "t"}``, each of which may be left out.

    Raises:
        MisuseError: if a value is no number, or there is no such schedule or time.
    """
    with turn():
        board = board_of(verdict)
        if board is None:
            return None
        values = {one.name: one.value for one in board.knobs} | _values(asked.get("at", {}), board)
        schedule = asked.get("schedule")
        shown: dict[str, Any] = {"scheduled": board.scheduled}
        if schedule is not None and board.scheduled:
            told = levels(table := schedule_named(str(schedule)), _time(asked.get("t")))
            values |= {name: value for name, value in told.items() if name in values}
            shown["along"] = board.along(table, values)
        shown["knobs"] = [one.as_json() | {"value": values[one.name]} for one in board.knobs]
        shown["rows"] = board.at(values)
        return shown


def _values(at: Any, board: Board) -> dict[str, float]:
    if not isinstance(at, dict):
        raise MisuseError("`at` must be values by name.")
    found = {}
    for knob in board.knobs:
        if knob.name in at:
            value = at[knob.name]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not knob.low <= value <= knob.high:
                raise MisuseError(f"{knob.name} must be a number from {knob.low:g} to {knob.high:g}.")
            found[knob.name] = float(value)
    return found


def _time(t: Any) -> int:
    if type(t) is not int or not 1 <= t <= TIMES:
        raise MisuseError(f"`t` must be a whole number from 1 to {TIMES}.")
    return t


# -- which statement --------------------------------------------------------------------------------------------------------


def board_of(verdict: Verdict) -> Board | None:
    """The board of a formula that holds or fails; None of any other."""
    if verdict.judged is None or verdict.status not in (Standing.HOLDS, Standing.FAILS):
        return None
    example = verdict.judged.counterexample
    if verdict.status == Standing.FAILS and example is None:
        return None
    return _board(verdict.judged.latex, verdict.status == Standing.HOLDS, _frozen(example))


Frozen = tuple[tuple[tuple[str, str], ...], str, str, str]


def _frozen(example: dict[str, Any] | None) -> Frozen | None:
    if example is None:
        return None
    return tuple(example["at"].items()), str(example["left"]), str(example["right"]), str(example["of"])


@lru_cache(maxsize=256)
def _board(latex: str, holds: bool, example: Frozen | None) -> Board | None:
    try:
        links = list(_links(latex))
    except (NotUnderstoodError, RecursionError):
        return None
    for link in links:
        for tried in _tries(link, holds):
            try:
                owed, algebra = in_letters(tried, link, Known())
            except (NotUnderstoodError, ArithmeticError, ValueError, TypeError):
                continue
            board = _made(owed, algebra, example)
            if board is not None and board.knobs and (example is None or _is_the_judges(board, example)):
                return board
    return None


def _links(latex: str) -> Iterator[Link]:
    for chain in parse(latex):
        for left, relation, right in zip(chain.sides, chain.relations, chain.sides[1:], strict=False):
            if not isinstance(left, Dots) and not isinstance(right, Dots):
                yield Link(left, relation, right)


def _tries(link: Link, holds: bool) -> Sequence[Tried]:
    opinion = judge_link(link, CONVENTIONS, Known())
    if opinion.holds:
        return opinion.ways[-1:] if holds else ()
    return [one for one in opinion.ways if one.grade is Grade.DIFFERS] if not holds else ()


def _made(owed: Sequence[Owed], algebra: Any, example: Frozen | None) -> Board | None:
    from sympy import sympify

    free = set().union(*(sympify(side).free_symbols for one in owed for side in (one.left, one.right)))
    letters = {letter.name: letter for letter in sorted(free, key=lambda letter: (letter.name not in LEVELS, letter.name))}
    start = {} if example is None else dict(example[0])
    spelled = {name: _spelled(algebra.known.get(name, letter)) for name, letter in letters.items()}
    knobs = [_knob(letter, spelled[name], start.get(spelled[name])) for name, letter in letters.items()]
    return Board(tuple(knobs), tuple(owed), letters)


def _spelled(letter: Any) -> str:
    """A letter as counterexamples write it."""
    return re.sub(r"_\{(\w)\}", r"_\1", getattr(letter, "tex", letter.name))


def _knob(letter: Any, spelled: str, start: str | None) -> Knob:
    from ..forms.quantities import REAL

    domain = getattr(letter, "domain", REAL)
    low = -WIDE if domain.lower is None else domain.lower + (0.0 if domain.closed_below else MARGIN)
    high = WIDE if domain.upper is None else domain.upper - (0.0 if domain.closed_above else MARGIN)
    value = (0.5 if high <= 1 else 1.0) if start is None else float(Fraction(start))
    return Knob(letter.name, spelled, min(low, value), max(high, value), value)


def _is_the_judges(board: Board, example: Frozen) -> bool:
    """Whether the board says at the judge's counterexample what the judge said."""
    _, left, right, of = example
    for row in board.at({one.name: one.value for one in board.knobs}):
        if row["of"] == of and _is(row["left"], left) and _is(row["right"], right):
            return True
    return False


def _is(number: float | None, told: str) -> bool:
    try:
        return number is not None and abs(number - float(Fraction(told))) <= 1e-6 * (1 + abs(number))
    except (ValueError, ZeroDivisionError):
        return False
