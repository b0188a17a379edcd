"""What the formulas of a page are before they are judged, and after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a formula stands. ``NOTATION``: it holds under another convention than the page's own."""

    HOLDS = "holds"
    FAILS = "fails"
    NOTATION = "notation"
    DEFINITION = "definition"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of mathematics on a page.

    Attributes:
        line: the line on which it begins, counted from 1.
        latex: what stands between its delimiters.
        display: whether it stands on lines of its own.
        before, after: the words between this span and its neighbours, for what they claim or suppose of it; empty at the ends.
    """

    line: int
    latex: str
    display: bool = False
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    r"""A small change after which the formula holds.

    Attributes:
        latex: the corrected formula.
        start, end: where the change stands in ``latex``.
        marked: the corrected formula with the change in ``\boxed{...}``.
        slip: the id of the mistake that it undoes, as in :mod:`verifydiff.slips`.
        description: what is changed into what, in a few words.
    """

    latex: str
    start: int
    end: int
    marked: str
    slip: str
    description: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out for one statement.

    Attributes:
        span: where it stands; of a statement that is split over several spans, the first.
        line: the line of the page on which the statement begins.
        latex: the statement itself.
        status: how it stands.
        reason: one sentence for a person.
        counterexample: of a failing formula, a schedule and what the two sides come to: ``{"at": {letter: value}, "left": value,
            "right": value, "of": what the values are}``, all text; None where there is none.
        suggestion: at most three corrections, the likeliest first.
    """

    span: Span
    line: int
    latex: str
    status: Standing
    reason: str
    counterexample: dict[str, object] | None = None
    suggestion: tuple[Suggestion, ...] = ()
