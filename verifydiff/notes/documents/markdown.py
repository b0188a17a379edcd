"""Markdown: CommonMark with tables, by markdown-it, and formulas in it by rules of our own.

The rules of the plugins at hand take a price for a formula, let a line of a displayed formula that starts with ``-`` open a list,
and do not say where on a line a formula stands. Ours open a displayed formula wherever a paragraph could go on, and keep its
place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from .delimiters import ENVIRONMENTS, Scanner, Stretch
from .document import Found, Lines, Part, stripped
from .macros import Macros, plain
from .prose import paragraph_of_prose

FORMULA = "formula"
"""The type of our tokens. ``meta`` holds the :class:`Found`, and for one within a text also the :class:`Stretch` of that text."""
FENCES = frozenset({"math", "{math}", "katex"})
_OPENS = re.compile(r"\$\$|\\{1,2}\[|\\begin\s{0,9}\{([a-zA-Z]+\*?)\}")
EMPTY_LINE = re.compile(r"\n[ \t>]*\n")
_BEHIND = re.compile(r"[\s.,;:，。；：]*(?:\([^()]*\)|\{#[^{}]*\})?[\s.,;:，。；：]*")
_UNREAD_HTML = re.compile(r"<!--|<(script|style|pre|code|textarea)\b", re.IGNORECASE)


def read(text: str, number: int | None = None) -> Part:
    """The formulas of a text."""
    tokens = parsed(text)
    found = tuple(plain((token.meta["found"] for token in formulas(tokens)), Macros()))
    return Part(text, found, tuple(_silent(tokens, text)), number)


def parsed(text: str) -> list[Token]:
    """The tokens of a text; every formula is one and holds its :class:`Found` under ``found``."""
    places = _Places(text)
    tokens = _parser().parse(text, {"places": places, "scanner": Scanner(text), "reach": {}})
    for token in _flat(tokens):
        if token.type == "inline":
            _place(token, places)
        elif token.type == "html_block" and token.map:
            token.children = list(_in_html(token, places))
        elif token.type == "fence" and token.map and token.info.strip().lower() in FENCES:
            token.type, token.meta = FORMULA, {"found": _fenced(token, places)}
    return tokens


def formulas(tokens: list[Token]) -> Iterator[Token]:
    """The tokens that are formulas, in the order of the page."""
    return (token for token in _flat(tokens) if token.type == FORMULA)


def _flat(tokens: list[Token]) -> Iterator[Token]:
    """Tokens and their children; what stands within a picture has no place on the page."""
    for token in tokens:
        yield token
        if token.children and token.type != "image":
            yield from _flat(token.children)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
    parser.block.ruler.before("fence", FORMULA, _displayed, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.inline.ruler.before("escape", FORMULA, _within)
    return parser


# -- in a paragraph ------------------------------------------------------------------------------------------------------


def _within(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    scanner = state.env.get("of_paragraph")
    if scanner is None or scanner.text is not state.src:
        scanner = state.env["of_paragraph"] = Scanner(state.src)
    found = scanner.formula_at(state.pos, state.posMax)
    if found is None:
        return _dollars(state, silent)
    if not silent:
        token = state.push(FORMULA, "", 0)
        token.content, token.meta = state.src[found.start : found.end], {"stretch": found}
    state.pos = found.end
    return True


def _dollars(state: StateInline, silent: bool) -> bool:
    """Two dollars that open nothing are no single one either."""
    if not state.src.startswith("$$", state.pos) or state.pos + 2 > state.posMax:
        return False
    if not silent:
        state.pending += "$$"
    state.pos += 2
    return True


def _place(paragraph: Token, places: _Places) -> None:
    """Say of every formula of a paragraph where on the page it stands."""
    within = [child for child in _flat(paragraph.children or []) if child.type == FORMULA]
    if not within:
        return
    columns = _Columns(places, paragraph.content, paragraph.map[0] if paragraph.map else 0)
    for token in within:
        token.meta["found"] = _found(token.meta["stretch"], paragraph.content, columns)


# -- on lines of its own -------------------------------------------------------------------------------------------------


def _displayed(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    start = state.bMarks[first] + state.tShift[first]
    if state.is_code_block(first):
        return False
    opening = _OPENS.match(state.src, start, state.eMarks[first])
    if opening is None or (opening[1] is not None and opening[1] not in ENVIRONMENTS):
        return False
    found, line = _closed(state, first, last, start)
    if found is None:
        return False
    if not silent:
        token = state.push(FORMULA, "", 0)
        token.block, token.map, token.content = True, [first, line + 1], state.src[found.start : found.end]
        latex, begins = stripped(_without_margin(state, found, first, line), state.env["places"].number(found.inner))
        token.meta = {"found": Found(found.start, found.end, begins, latex, True, found.environment)}
        state.line = line + 1
    return True


def _closed(state: StateBlock, first: int, last: int, start: int) -> tuple[Stretch | None, int]:
    """The formula, and the line that it ends on. It may hold empty lines, but no paragraph of words between them."""
    scanner: Scanner = state.env["scanner"]
    for reach in (_reach(state, first, last, empty=False), _reach(state, first, last, empty=True)):
        found = scanner.formula_at(start, state.eMarks[reach - 1])
        if found is None or _holds_words(state.src[found.inner : found.outer]):
            continue
        line = first + state.src.count("\n", start, found.end)
        if line < reach and _BEHIND.fullmatch(state.src, found.end, state.eMarks[line]):
            return found, line
    return None, first


def _holds_words(content: str) -> bool:
    """Whether one of several paragraphs between two delimiters is words alone, so that they open and close different formulas."""
    return bool(EMPTY_LINE.search(content)) and paragraph_of_prose(EMPTY_LINE.sub("\n\n", content))


def _reach(state: StateBlock, first: int, last: int, *, empty: bool) -> int:
    """Behind the last line that can belong to a formula: to the end of what it stands in, or to the first empty line."""
    memory: dict[tuple[int, int, bool], tuple[int, int]] = state.env["reach"]
    key = (state.blkIndent, last, empty)
    known = memory.get(key)
    if known and known[0] <= first < known[1]:
        return known[1]
    line = first + 1
    while line < last and (empty if state.isEmpty(line) else state.sCount[line] >= state.blkIndent):
        line += 1
    memory[key] = (first, line)
    return line


def _without_margin(state: StateBlock, found: Stretch, first: int, line: int) -> str:
    """LaTeX without what a quotation or a list puts before its lines."""
    if first == line:
        return state.src[found.inner : found.outer]
    starts = [found.inner, *(state.bMarks[row] + state.tShift[row] for row in range(first + 1, line + 1))]
    ends = (min(state.eMarks[row], found.outer) for row in range(first, line + 1))
    return "\n".join(state.src[start:end] for start, end in zip(starts, ends, strict=True))


def _fenced(fence: Token, places: _Places) -> Found:
    first, last = fence.map or (0, 0)
    content = re.sub(r"(?m)\A(?::[a-z-]+:.*\n)+", lambda options: "\n" * options[0].count("\n"), fence.content)
    latex, line = stripped(content, first + 2)
    return Found(places.start(first) + places.margin(first), places.end(last - 1), line, latex, True)


def _in_html(block: Token, places: _Places) -> Iterator[Token]:
    """Formulas between the tags of HTML, which renderers of formulas read too."""
    columns = _Columns(places, block.content, block.map[0] if block.map else 0)
    content = _without_unread(block.content)
    scanner, position = Scanner(content), 0
    while (mark := re.compile(r"[$\\]").search(content, position)) is not None:
        found = scanner.formula_at(mark.start(), len(content))
        position = found.end if found else mark.end() + (content[mark.start()] == "\\")
        if found:
            meta = {"stretch": found, "found": _found(found, block.content, columns)}
            yield Token(FORMULA, "", 0, content=block.content[found.start : found.end], meta=meta)


# -- places --------------------------------------------------------------------------------------------------------------


class _Places(Lines):
    """The lines of a text, and where on them the text of a token stands."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._behind_cell: dict[int, int] = {}

    def margin(self, line: int) -> int:
        """How much a quotation has put before what begins on a line."""
        row = self.rows[line]
        return len(row) - len(row.lstrip(" \t>"))

    def of_row(self, piece: str, line: int) -> int:
        """Where a line of a token stands in the text: at the end of its line, or, as the cell of a table, behind the last one."""
        if line >= len(self.rows):
            return self.starts[-1] - 1
        row, bare = self.rows[line].rstrip(), piece.rstrip()
        if row.endswith(bare) and "|" not in row:
            return self.starts[line] + len(row) - len(bare)
        found = row.find(bare.replace("|", r"\|"), self._behind_cell.get(line, 0))
        if found < 0:
            found = max(row.rfind(bare), 0)
        self._behind_cell[line] = found + len(bare)
        return self.starts[line] + found


def _without_unread(html: str) -> str:
    """The text with spaces for its comments, scripts and the like; what is opened and never closed hides nothing."""
    parts: list[str] = []
    position, unclosed = 0, set[str]()
    while (opened := _UNREAD_HTML.search(html, position)) is not None:
        end = rf"</{opened[1].lower()}>" if opened[1] else "-->"
        closed = None if end in unclosed else re.compile(end, re.IGNORECASE).search(html, opened.end())
        if closed is None:  # nor is any that is opened later
            unclosed.add(end)
        hidden = html[opened.start() : closed.end()] if closed else ""
        parts += [html[position : opened.start()], re.sub(r"[^\n]", " ", hidden) if closed else opened[0]]
        position = closed.end() if closed else opened.end()
    return "".join([*parts, html[position:]])


class _Columns:
    """The map from a character of a token's content to its place on the page, and to its line."""

    def __init__(self, places: _Places, content: str, first: int) -> None:
        self.within, self.first = Lines(content), first
        self.places = [places.of_row(piece, first + number) for number, piece in enumerate(self.within.rows)]
        self.ends = [places.end(first + number) for number in range(len(self.within.rows))]
        self.escaped = r"\|" in places.rows[min(first, len(places.rows) - 1)] and len(self.within.rows) == 1

    def line(self, offset: int) -> int:
        """The line of the page, counted from 1."""
        return self.first + self.within.number(offset)

    def __call__(self, offset: int) -> int:
        """The place on the page. In a table a bar stands behind a backslash, which its content has lost."""
        row = self.within.number(offset) - 1
        column = offset - self.within.starts[row]
        if self.escaped:
            column += self.within.rows[0].count("|", 0, column + 1)
        return min(self.places[row] + column, self.ends[row])


def _found(stretch: Stretch, content: str, columns: _Columns) -> Found:
    latex, line = stripped(content[stretch.inner : stretch.outer], columns.line(stretch.inner))
    return Found(columns(stretch.start), columns(stretch.end - 1) + 1, line, latex, stretch.display, stretch.environment)


def _silent(tokens: list[Token], text: str) -> Iterator[tuple[int, int]]:
    """Stretches of the page that say nothing to a reader of formulas: code, comments, front matter."""
    lines = Lines(text)
    for token in tokens:
        if token.map and token.type in ("fence", "code_block", "html_block", "front_matter"):
            yield lines.start(token.map[0]), lines.end(token.map[1] - 1)
