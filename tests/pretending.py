"""A judge that decides by the first letter of a formula, for tests of what is done with verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from verifydiff.notes.documents import read_text
from verifydiff.notes.documents.document import Kind
from verifydiff.notes.page import Judged, Span, Standing, Suggestion
from verifydiff.notes.report import NotesReport, judge_document

STANDINGS = {
    "h": Standing.HOLDS,
    "f": Standing.FAILS,
    "n": Standing.NOTATION,
    "d": Standing.DEFINITION,
    "u": Standing.NOT_UNDERSTOOD,
}


def pretend(spans: Sequence[Span]) -> list[Judged]:
    """Of a formula that begins with f say that it fails, and so on; of the rest say nothing."""
    return [_judged(span, STANDINGS[span.latex[0]]) for span in spans if span.latex[0] in STANDINGS]


def _judged(span: Span, status: Standing) -> Judged:
    if status is not Standing.FAILS:
        return Judged(span, span.line, span.latex, status, f"so it is with {span.latex}")
    at = span.latex.find("=") + 1
    meant = Suggestion(
        f"{span.latex[:at]}-{span.latex[at:]}",
        at,
        at + 1,
        rf"{span.latex[:at]}\boxed{{-}}{span.latex[at:]}",
        "other-sign",
        f"a minus before {span.latex[at:]}",
    )
    found = {"at": {"abar_t": "1/2", span.latex: "2"}, "left": "1", "right": "-1", "of": "the mean"}
    return Judged(span, span.line, span.latex, status, f"the sides of {span.latex} differ by 2", found, (meant, meant))


def report(text: str, file: str = "page.md", kind: Kind = Kind.MARKDOWN) -> NotesReport:
    """A text as it is judged so."""
    return judge_document(read_text(text, file, kind), pretend)
