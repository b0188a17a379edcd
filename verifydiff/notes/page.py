r"""A page of formulas, judged.

A page is a sequence of spans of mathematics with the words between them. Every span that states something is judged once for each
statement in it: a chain :math:`a = b = c` is one statement, each line of an ``align`` that stands alone is another. A span that
only names something, such as :math:`x_t`, states nothing and is passed over.

What a page says early holds for what it says later: a symbol that it introduces is remembered, and its convention (whether
:math:`\alpha_t` is one factor or the whole product) is read off all its formulas together.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def judge(spans: Sequence[Span]) -> list[Judged]:
    """Judge every statement of a page, in the order of the page.

    Args:
        spans: the mathematics of the page, in its order.
    """
    from .statements import judged

    return judged(spans)
