r"""LaTeX: formulas of the document, not of its preamble, comments or listings. Other files are never looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .delimiters import Scanner
from .document import Found, Lines, Part, stripped
from .macros import Macros, plain, uncommented

VERBATIM = ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "tikzpicture")
_INTERESTING = re.compile(r"%|\\verb\*?(?![a-zA-Z])|\\begin\s{0,9}\{(?P<environment>[^{}\n]{1,40})\}|\\[(\[]|\\.|\$", re.DOTALL)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


def read(text: str) -> Part:
    """The formulas of a document."""
    macros = Macros()
    start, end = _body(text)
    macros.learn(uncommented(text))
    found, silent = _scan(text, start, end)
    return Part(text, tuple(plain(found, macros)), ((0, start), *silent, (end, len(text))))


def _body(text: str) -> tuple[int, int]:
    begin = re.search(r"(?m)^[^%\n]*?\\begin\s*\{document\}", text)
    end = re.search(r"(?m)^[^%\n]*?\\end\s*\{document\}", text)
    return (begin.end() if begin else 0), (end.start() if end else len(text))


def _scan(text: str, position: int, end: int) -> tuple[list[Found], list[tuple[int, int]]]:
    found: list[Found] = []
    silent: list[tuple[int, int]] = []
    scanner, paragraph, lines = Scanner(text, tex=True), _Paragraphs(text, end), Lines(text)
    while (mark := _INTERESTING.search(text, position, end)) is not None:
        quiet = _quiet(text, mark, end)
        if quiet > 0:
            silent.append((mark.start(), quiet))
            position = quiet
            continue
        stretch = scanner.formula_at(mark.start(), paragraph.end(mark.start()))
        position = stretch.end if stretch else mark.end()
        if stretch:
            latex, line = stripped(text[stretch.inner : stretch.outer], lines.number(stretch.inner))
            found.append(Found(stretch.start, stretch.end, line, latex, stretch.display, stretch.environment))
    return found, silent


def _quiet(text: str, mark: re.Match[str], end: int) -> int:
    """Behind a comment or a listing that starts here; 0 where none does."""
    if mark[0] == "%":
        behind = text.find("\n", mark.start(), end)
        return end if behind < 0 else behind
    if mark["environment"] in VERBATIM:
        behind = text.find(f"\\end{{{mark['environment']}}}", mark.end(), end)
        return end if behind < 0 else behind + len(mark["environment"]) + 6
    if mark[0].startswith("\\verb") and mark.end() < end:
        behind = text.find(text[mark.end()], mark.end() + 1, end)
        return mark.end() if behind < 0 else behind + 1
    return 0


class _Paragraphs:
    """Ends of paragraphs, asked for in order: no formula of LaTeX goes on beyond one."""

    def __init__(self, text: str, end: int) -> None:
        self._ends: Iterator[re.Match[str]] = _EMPTY_LINE.finditer(text, 0, end)
        self._last = end
        self._next = -1

    def end(self, position: int) -> int:
        while self._next < position:
            found = next(self._ends, None)
            self._next = self._last if found is None else found.start()
            if found is None:
                break
        return self._next
