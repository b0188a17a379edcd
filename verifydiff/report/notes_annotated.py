r"""Notes written back with a mark at each formula.

Markdown gets a footnote for every formula that fails, a notebook a list below the cell, since its cells know no footnotes, and
LaTeX comments below the line, which change nothing of what it prints. Nothing else of the file changes, down to its line ends.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator

from ..notes.documents import Part
from ..notes.documents.document import Kind
from ..notes.documents.notebook import source
from ..notes.page import Standing
from ..notes.report import NotesReport, Verdict
from .html.elements import visible
from .notes import MARK, WORDS, one_line, sides, values

NOTE = "verifydiff"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def annotated(report: NotesReport) -> str:
    """The text of the file with its marks."""
    document = report.document
    by_part: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
    for number, verdict in enumerate(report.verdicts, 1):
        by_part[verdict.statement.part].append((number, verdict))
    if document.kind is Kind.LATEX:
        text = _commented(document.parts[0], by_part[0])
    elif document.kind is Kind.MARKDOWN:
        text = _marked(document.parts[0], by_part[0], footnotes=True)
    else:
        text = _notebook(report, [_marked(part, by_part[k], footnotes=False) for k, part in enumerate(document.parts)])
    return text.replace("\n", document.newline)


# -- Markdown ------------------------------------------------------------------------------------------------------------


def _marked(part: Part, verdicts: list[tuple[int, Verdict]], *, footnotes: bool) -> str:
    marks: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
    for number, verdict in verdicts:
        marks[part.found[verdict.statement.members[-1]].end].append((number, verdict))
    pieces, position = [], 0
    for end in sorted(marks):
        signs = " ".join(_sign(number, verdict, footnotes=footnotes) for number, verdict in marks[end])
        place, put = _put(part.text, _start_of(part, end), end, signs)
        pieces += [part.text[position:place], put]
        position = max(place, position)
    text = "".join([*pieces, part.text[position:]])
    notes = list(_notes(verdicts, footnotes=footnotes))
    return text if not notes else "\n".join([text.rstrip("\n"), "", *notes, ""])


def _start_of(part: Part, end: int) -> int:
    return next(one.start for one in part.found if one.end == end)


def _sign(number: int, verdict: Verdict, *, footnotes: bool) -> str:
    mark = MARK[verdict.judged.status]
    if verdict.judged.status is not Standing.FAILS:
        return mark
    return f"{mark}[^{NOTE}-{number}]" if footnotes else f"{mark} ({number})"


def _put(text: str, start: int, end: int, signs: str) -> tuple[int, str]:
    """Where the signs of a formula go, and with what around them: behind it, or on a line of their own below what takes several."""
    if "\n" not in text[start:end]:
        return end, f" {signs}"
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    if text[end:line_end].strip(" \t.,;:"):
        return end, f" {signs}"
    row = text[text.rfind("\n", 0, end) + 1 : line_end]
    margin = row[: len(row) - len(row.lstrip(" \t>"))]
    parted = not text[line_end : text.find("\n", line_end + 1) + 1 or None].strip(" \t>\n")
    below = "" if parted else f"\n{margin.rstrip()}"
    return line_end, f"\n{margin.rstrip()}\n{margin}{signs}{below}"


def _notes(verdicts: list[tuple[int, Verdict]], *, footnotes: bool) -> Iterator[str]:
    for number, verdict in verdicts:
        if verdict.judged.status is Standing.FAILS:
            yield f"[^{NOTE}-{number}]: {_told(verdict)}" if footnotes else f"- ({number}) {_told(verdict)}"


def _told(verdict: Verdict) -> str:
    """Why a formula fails, with what numbers, and what was meant, as one paragraph of Markdown."""
    judged = verdict.judged
    sentences = [f"Line {judged.line} {WORDS[judged.status]}: {_plain(judged.reason.rstrip('.'))}."]
    at, told = (
        ", ".join(map(_formula, values(judged))),
        " and the ".join(f"{side} is {_plain(said)}" for side, said in sides(judged)),
    )
    if told:
        sentences.append(f"At {at} the {told}." if at else f"The {told}.")
    meant = [f"{_formula(one.marked)} ({_plain(one.description)})" for one in judged.suggestion]
    if meant:
        sentences.append(f"Did you mean {', or '.join(meant)}?")
    return " ".join(sentences)


def _plain(text: str) -> str:
    """A text as it is, whatever Markdown would make of its characters."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def _formula(latex: str) -> str:
    """A formula between dollars, or in a code span where dollars would not hold it or a tag would start in it."""
    latex = one_line(latex)
    if not re.search(r"[$<`]|\\begin|\\\\", latex):
        return f"${latex}$"
    fence = "`" * (max((len(run) for run in re.findall(r"`+", latex)), default=0) + 1)
    return f"{fence} {latex} {fence}"


# -- notebooks and LaTeX -------------------------------------------------------------------------------------------------


def _notebook(report: NotesReport, texts: list[str]) -> str:
    """The notebook with its cells of Markdown replaced; all else stays."""
    raw = json.loads(json.dumps(report.document.raw))
    for part, text in zip(report.document.parts, texts, strict=True):
        cell = raw["cells"][(part.number or 1) - 1]
        if text != source(cell):
            cell["source"] = text.splitlines(keepends=True)
    return json.dumps(raw, indent=1, ensure_ascii=False) + "\n"


def _commented(part: Part, verdicts: list[tuple[int, Verdict]]) -> str:
    comments: dict[int, list[str]] = defaultdict(list)
    for _, verdict in verdicts:
        end = part.found[verdict.statement.members[-1]].end
        line_end = part.text.find("\n", end)
        comments[len(part.text) if line_end < 0 else line_end] += list(_comments(verdict))
    pieces, position = [], 0
    for place in sorted(comments):
        pieces += [part.text[position:place], *(f"\n% {NOTE}: {comment}" for comment in comments[place])]
        position = place
    return "".join([*pieces, part.text[position:]])


def _comments(verdict: Verdict) -> Iterator[str]:
    judged = verdict.judged
    said = f": {judged.reason}" if judged.status in (Standing.FAILS, Standing.NOT_UNDERSTOOD, Standing.NOTATION) else ""
    yield f"{MARK[judged.status]} {WORDS[judged.status]}: {one_line(judged.latex)}{visible(' '.join(said.split()))}"
    at = [("at", ", ".join(values(judged)))] if values(judged) else []
    for word, told in (*at, *sides(judged)):
        yield f"  {word}: {one_line(told)}"
    for one in judged.suggestion:
        yield f"  did you mean: {one_line(one.latex)} ({visible(one.description)})"
