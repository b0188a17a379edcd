"""Judged notes as a page: the verdict, what fails with what was meant, and the notes themselves with a mark at each formula.

Nothing of the notes is taken for markup: HTML in them is shown as it is written, pictures by their descriptions, links by their
words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from ... import __version__
from ...notes.documents import Part
from ...notes.documents.document import Found, Kind
from ...notes.documents.markdown import FORMULA, parsed
from ...notes.documents.notebook import source
from ...notes.page import Standing, Suggestion
from ...notes.report import NotesReport, Verdict
from ..checks import MARK as MARK_OF_STATUS
from ..command import quoted
from ..notes import MARK, WORDS, coverage, place, sides, values
from .document import document, section
from .elements import Child, Markup, cut, element, joined
from .findings import KIND as KIND_OF_STATUS
from .findings import LONGEST_MESSAGE, name
from .mathml import formula
from .page import VERDICT

KIND = {
    Standing.HOLDS: "p",
    Standing.FAILS: "f",
    Standing.NOTATION: "a",
    Standing.DEFINITION: "n",
    Standing.NOT_UNDERSTOOD: "i",
}
MEANING = {
    Standing.HOLDS: "holds",
    Standing.FAILS: "fails",
    Standing.NOTATION: "holds under another convention than the page's own",
    Standing.DEFINITION: "introduces a symbol",
    Standing.NOT_UNDERSTOOD: "was not understood",
}


def notes_page(report: NotesReport) -> str:
    """The page."""
    failed = [(k, one) for k, one in enumerate(report.verdicts, 1) if one.judged.status is Standing.FAILS]
    return document(
        f"{MARK_OF_STATUS[report.status]} {name(report.document.file)}, judged by verifydiff",
        element("header", element("h1", name(report.document.file)), _verdict(report)),
        element(
            "main",
            section("What fails", "failures", [_card(k, one) for k, one in failed]) if failed else None,
            section("The notes", "notes", element("div", _notes(report), class_="notes")),
            section("All formulas", "formulas", _table(report)) if report.verdicts else None,
            section("How to see it again", "again", _command(report)),
        ),
        _footer(),
    )


def _verdict(report: NotesReport) -> Markup:
    words = element("strong", f"{MARK_OF_STATUS[report.status]} {VERDICT[report.status]}")
    return element("p", words, " ", coverage(report), class_=f"verdict {KIND_OF_STATUS[report.status]}")


def _mark(status: Standing) -> Markup:
    return element("span", element("span", MARK[status], class_="sign"), f" {WORDS[status]}", class_=f"status {KIND[status]}")


# -- what fails ----------------------------------------------------------------------------------------------------------


def _card(number: int, verdict: Verdict) -> Markup:
    judged = verdict.judged
    where = element("a", f"line {place(verdict)}" if verdict.cell is None else f"cell {place(verdict)}", href=f"#formula-{number}")
    told = [("at", [[formula(one), " \u2003"] for one in values(judged)] or None), *sides(judged)]
    rows = [element("div", element("dt", word), element("dd", said)) for word, said in told if said]
    return element(
        "article",
        element("h3", _mark(judged.status), " ", element("span", where, class_="origin")),
        element(
            "div",
            element("p", formula(judged.latex, display=True), class_="formula"),
            element("p", cut(judged.reason, LONGEST_MESSAGE), class_="message"),
            element("dl", rows, class_="numbers") if rows else None,
        ),
        _meant(judged.suggestion),
        id=f"failure-{number}",
        class_="card",
    )


def _meant(suggestions: Sequence[Suggestion]) -> Markup | None:
    if not suggestions:
        return None
    rows = [
        element(
            "li",
            element("div", formula(one.latex, display=True), class_="formula"),
            element("p", element("code", one.latex[: one.start], _changed(one), one.latex[one.end :]), class_="source"),
            element("p", one.description, " ", element("span", one.slip, class_="check"), class_="quiet"),
        )
        for one in suggestions
    ]
    return element("div", element("p", element("strong", "Did you mean")), element("ul", rows), class_="slips")


def _changed(one: Suggestion) -> Markup:
    return element("mark", one.latex[one.start : one.end]) if one.end > one.start else element("mark", "\u2038")


# -- all formulas --------------------------------------------------------------------------------------------------------


def _table(report: NotesReport) -> Markup:
    head = element("tr", [element("th", word, scope="col") for word in ("status", "line", "formula", "why")])
    rows = [
        element(
            "tr",
            element("td", _mark(one.judged.status)),
            element("td", element("a", place(one), href=f"#formula-{k}"), class_="number"),
            element("td", formula(one.judged.latex)),
            element("td", cut(one.judged.reason, LONGEST_MESSAGE)),
        )
        for k, one in enumerate(report.verdicts, 1)
    ]
    return element("div", element("table", element("thead", head), element("tbody", rows), class_="findings"), class_="wide")


def _command(report: NotesReport) -> Markup:
    file = report.document.file
    words = ["verifydiff", "notes", *(["--"] if file.startswith("-") else []), quoted(file)]
    return element("pre", element("code", " ".join(words)), class_="command", tabindex="0")


def _footer() -> Markup:
    signs = [element("span", MARK[one], " ", words, class_=f"status {KIND[one]}") for one, words in MEANING.items()]
    return element("footer", element("p", f"Made by verifydiff {__version__}."), element("p", signs, class_="signs"))


# -- the notes -----------------------------------------------------------------------------------------------------------


class _Marks:
    """The formulas of one part, as they are shown: rendered, with the marks of what was said of them."""

    def __init__(self, verdicts: list[tuple[int, Verdict]], part: Part) -> None:
        self._by_end: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
        for number, verdict in verdicts:
            self._by_end[part.found[verdict.statement.members[-1]].end].append((number, verdict))
        self._plain = {one.end: one for one in part.found}

    def show(self, found: Found) -> Markup:
        """A formula in its place."""
        latex = self._plain.get(found.end, found).latex
        marks = [self._one(number, verdict) for number, verdict in self._by_end.pop(found.end, ())]
        classes = f"formula {'display' if found.display else 'inline'}"
        return element("span", formula(latex, display=found.display), marks, class_=classes)

    @staticmethod
    def _one(number: int, verdict: Verdict) -> Markup:
        status = verdict.judged.status
        sign: Child = MARK[status]
        if status is Standing.FAILS:
            sign = element("a", MARK[status], href=f"#failure-{number}", aria_label=WORDS[status])
        said = cut(verdict.judged.reason, 300)
        return element("sup", sign, class_=f"mark {KIND[status]}", id=f"formula-{number}", title=f"{WORDS[status]}: {said}")


def _notes(report: NotesReport) -> Iterator[Child]:
    notes = report.document
    by_part: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
    for number, verdict in enumerate(report.verdicts, 1):
        by_part[verdict.statement.part].append((number, verdict))
    marks = [_Marks(by_part[k], part) for k, part in enumerate(notes.parts)]
    if notes.kind is Kind.LATEX:
        yield element("div", _latex(notes.parts[0], marks[0]), class_="latex")
    elif notes.kind is Kind.MARKDOWN:
        yield from _markdown(notes.parts[0].text, marks[0])
    else:
        yield from _notebook(report, marks)


def _latex(part: Part, marks: _Marks) -> Iterator[Child]:
    """The source with its formulas rendered, and what is not read paler."""
    formulas: list[tuple[int, int, Found | None]] = [(one.start, one.end, one) for one in part.found]
    pieces = sorted([*formulas, *((start, end, None) for start, end in part.silent)], key=lambda piece: piece[:2])
    position = 0
    for start, end, found in pieces:
        yield part.text[position:start]
        yield marks.show(found) if found else element("span", part.text[start:end], class_="quiet")
        position = end
    yield part.text[position:]


def _notebook(report: NotesReport, marks: list[_Marks]) -> Iterator[Child]:
    by_number = {part.number: k for k, part in enumerate(report.document.parts)}
    for number, cell in enumerate((report.document.raw or {}).get("cells", ()), 1):
        if number in by_number:
            k = by_number[number]
            yield element("div", list(_markdown(report.document.parts[k].text, marks[k])), class_="cell")
        elif isinstance(cell, dict):
            yield element("pre", element("code", source(cell)), class_="cell")


TAGS = {
    **{tag: tag for tag in ("p", "ul", "ol", "li", "blockquote", "em", "strong", "s", "table", "thead", "tbody", "tr", "th", "td")},
    **{f"h{k}": f"h{min(k + 2, 6)}" for k in range(1, 7)},
}
"""Elements of Markdown, and what they are on our page, whose own headings stand above; any other is a span."""


def _markdown(text: str, marks: _Marks) -> Iterator[Child]:
    """A text of Markdown as elements of our own making."""
    return iter(_elements(parsed(text), marks))


def _elements(tokens: list[Token], marks: _Marks) -> list[Child]:
    open_: list[tuple[str, list[Child]]] = [("", [])]
    for token in tokens:
        if token.nesting == 1:
            open_.append((TAGS.get(token.tag, "span"), []))
        elif token.nesting == -1 and len(open_) > 1:
            tag, children = open_.pop()
            open_[-1][1].append(joined(children) if token.hidden else element(tag, children))
        else:
            open_[-1][1].append(_leaf(token, marks))
    while len(open_) > 1:
        tag, children = open_.pop()
        open_[-1][1].append(element(tag, children))
    return open_[0][1]


def _leaf(token: Token, marks: _Marks) -> Child:
    if token.type == FORMULA:
        return marks.show(token.meta["found"])
    if token.type == "inline":
        return _elements(token.children or [], marks)
    if token.type == "html_block":
        return element("div", _html(token, marks), class_="quiet html")
    if token.type in ("fence", "code_block"):
        return element("pre", element("code", token.content))
    if token.type in ("code_inline", "html_inline"):
        return element("code", token.content)
    if token.type == "image":
        return element("span", f"[picture: {token.content}]", class_="quiet")
    breaks: dict[str, Child] = {"softbreak": "\n", "hardbreak": element("br"), "hr": element("hr"), "front_matter": None}
    return breaks.get(token.type, token.content)


def _html(block: Token, marks: _Marks) -> Iterator[Child]:
    """A block of HTML as it is written, but for the formulas in it."""
    position = 0
    for token in block.children or ():
        stretch = token.meta["stretch"]
        yield re.sub(r"\n+\Z", "", block.content[position : stretch.start])
        yield marks.show(token.meta["found"])
        position = stretch.end
    yield block.content[position:]
