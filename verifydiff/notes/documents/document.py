"""What was read of a file: its text in parts, and where in them formulas stand.

A Markdown or LaTeX file is one part; a notebook has one for every cell of Markdown. Places are offsets into the text of a part,
lines are counted from 1 within it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any


class Kind(StrEnum):
    """How a file is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    NOTEBOOK = "notebook"


@dataclass(frozen=True, slots=True)
class Found:
    """A formula in the text of a part.

    Attributes:
        start, end: from the first character of the opening delimiter to behind the closing one.
        line: the line on which its LaTeX begins.
        latex: what stands between the delimiters, without white space around it.
        display: whether it stands on lines of its own.
        environment: whether its delimiters are those of an environment, which ``latex`` then keeps.
    """

    start: int
    end: int
    line: int
    latex: str
    display: bool
    environment: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A text with its formulas.

    Attributes:
        text: as it stands in the file.
        found: its formulas, in order.
        silent: stretches that are not read, such as code and comments, as (start, end).
        number: of the cell, counted from 1; None where the part is the whole file.
    """

    text: str
    found: tuple[Found, ...]
    silent: tuple[tuple[int, int], ...] = ()
    number: int | None = None

    def words(self, start: int, end: int) -> str:
        """What is said between two places, on one line."""
        return " ".join(" ".join(self.text[a:b] for a, b in _outside(start, end, self.silent)).split())


def _outside(start: int, end: int, silent: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for a, b in silent:
        if b > start and a < end:
            if a > start:
                yield start, a
            start = max(start, b)
    if start < end:
        yield start, end


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read.

    Attributes:
        file: its name, as it was given.
        kind: how it is written.
        parts: its text.
        raw: a notebook as it stands in the file, whose cells the parts are; None otherwise.
        newline: how its lines end; in the parts they end with a line feed.
    """

    file: str
    kind: Kind
    parts: tuple[Part, ...]
    raw: dict[str, Any] | None = None
    newline: str = "\n"


class Lines:
    """The lines of a text.

    Attributes:
        rows: without their ends.
        starts: where each begins, and where one more would.
    """

    def __init__(self, text: str) -> None:
        self.rows = text.split("\n")
        self.starts = list(accumulate((len(row) + 1 for row in self.rows), initial=0))

    def number(self, offset: int) -> int:
        """The number of the line that an offset lies on, counted from 1."""
        return bisect_right(self.starts, offset)

    def start(self, line: int) -> int:
        """Where a line begins, counted from 0; the end of the text for those beyond it."""
        return self.starts[line] if line < len(self.rows) else self.starts[-1] - 1

    def end(self, line: int) -> int:
        """Where a line ends."""
        return self.starts[min(line + 1, len(self.rows))] - 1


def stripped(latex: str, line: int) -> tuple[str, int]:
    """LaTeX without white space around it, and the line on which it then begins."""
    lead = len(latex) - len(latex.lstrip())
    return latex.strip(), line + latex.count("\n", 0, lead)
