"""A judged file of notes: what was said of each of its formulas, and how much of it was understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..verdict import Status
from .documents import Document, Statement, statements
from .page import Judged, Span, Standing
from .statements import judge

JUDGED = (Standing.HOLDS, Standing.FAILS, Standing.NOTATION)
"""What is said of a formula that claims something; a definition claims nothing that could be wrong."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one formula, and where it stands.

    Attributes:
        judged: what came out.
        statement: the formulas of the document that it is made of.
        cell: the number of a notebook's cell; None in other files.
    """

    judged: Judged
    statement: Statement
    cell: int | None

    def as_json(self) -> dict[str, Any]:
        """As plain values. ``suggestion`` is the likeliest correction, ``suggestions`` are all of them."""
        one = self.judged
        plain: dict[str, Any] = {
            "line": one.line,
            "latex": one.latex,
            "status": str(one.status),
            "reason": one.reason,
            "counterexample": one.counterexample,
            "suggestion": one.suggestion[0].latex if one.suggestion else None,
            "suggestions": [
                {"latex": it.latex, "marked": it.marked, "slip": it.slip, "description": it.description} for it in one.suggestion
            ],
        }
        return plain if self.cell is None else {"cell": self.cell, **plain}


@dataclass(frozen=True)
class NotesReport:
    """A file of notes and what was said of its formulas.

    Attributes:
        document: the file.
        verdicts: one for each formula, in the order of the file.
    """

    document: Document
    verdicts: tuple[Verdict, ...]

    @cached_property
    def counts(self) -> Counter[Standing]:
        """How many formulas came out how."""
        return Counter(one.judged.status for one in self.verdicts)

    @property
    def understood(self) -> int:
        """How many formulas were understood."""
        return len(self.verdicts) - self.counts[Standing.NOT_UNDERSTOOD]

    @property
    def judged(self) -> int:
        """How many formulas claim something and were judged."""
        return sum(self.counts[status] for status in JUDGED)

    @property
    def status(self) -> Status:
        """``FAIL`` if a formula fails; ``INCONCLUSIVE`` if there are formulas and none was understood; else ``PASS``."""
        return overall_status([self])

    @property
    def coverage(self) -> str:
        """How many formulas were understood, and how many judged, as a clause."""
        count = len(self.verdicts)
        if not count:
            return "no formula that states anything"
        return f"understood {self.understood} of {count} formula{'s' * (count != 1)}, judged {self.judged}"

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "file": self.document.file,
            "status": str(self.status),
            "understood": self.understood,
            "judged": self.judged,
            "formulas": [one.as_json() for one in self.verdicts],
        }


def overall_status(reports: Sequence[NotesReport]) -> Status:
    """The status of several pages, as if they were one."""
    if any(report.counts[Standing.FAILS] for report in reports):
        return Status.FAIL
    stated = any(report.verdicts for report in reports)
    return Status.INCONCLUSIVE if stated and not any(report.understood for report in reports) else Status.PASS


Judge = Callable[[Sequence[Span]], list[Judged]]


def judge_document(document: Document, judge: Judge = judge) -> NotesReport:
    """Judge every formula of a document, each with what the document has said before."""
    stated = statements(document)
    verdicts = []
    for judged, place in placed(judge([one.span for one in stated]), [one.span for one in stated]):
        verdicts.append(Verdict(judged, stated[place], document.parts[stated[place].part].number))
    return NotesReport(document, tuple(verdicts))


def placed(judged: Iterable[Judged], spans: Sequence[Span]) -> Iterator[tuple[Judged, int]]:
    """Which of the spans each verdict is about: the judge hands each one back as it was handed over."""
    places = {id(span): place for place, span in enumerate(spans)}
    return ((one, places[id(one.span)]) for one in judged)
