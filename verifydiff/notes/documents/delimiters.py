r"""Where a formula opens and closes: ``$ $``, ``$$ $$``, ``$` `$``, ``\( \)``, ``\[ \]``, and environments.

Looking for an end that is not there costs the length of the text, and a page may open a million formulas that never close: a
:class:`Scanner` remembers what it did not find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .prose import is_money, reads_as_prose

ENVIRONMENTS = frozenset(
    name + star
    for name in (
        *("equation", "align", "alignat", "flalign", "gather", "multline", "eqnarray", "displaymath", "math", "dmath"),
        *("aligned", "split", "cases", "gathered"),
    )
    for star in ("", "*")
)
"""What is mathematics wherever it stands."""
OPENING = re.compile(r"\$\$|\$`|\$|\\{1,2}[(\[]|\\begin\s{0,9}\{([a-zA-Z]+\*?)\}")
CLOSING = {"$$": "$$", "$`": "`$", "$": "$", r"\(": r"\)", r"\[": r"\]", r"\\(": r"\\)", r"\\[": r"\\]"}
BARE = frozenset({"equation", "displaymath", "math", "dmath"})
"""Environments that only say where a formula is; those of the others are part of its LaTeX."""
DISPLAYED = frozenset({"$$", r"\[", r"\\["})


@dataclass(frozen=True, slots=True)
class Stretch:
    """A formula in a text.

    Attributes:
        start, end: from the first character of the opening delimiter to behind the closing one.
        inner, outer: where the LaTeX itself starts and ends.
        display: whether it is to stand on lines of its own.
        environment: whether its delimiters are part of its LaTeX.
    """

    start: int
    end: int
    inner: int
    outer: int
    display: bool
    environment: bool = False


class Scanner:
    """Formulas in one text.

    Args:
        text: what is looked at.
        tex: whether it is LaTeX, where every dollar is a delimiter and two backslashes are a new line.
    """

    def __init__(self, text: str, *, tex: bool = False) -> None:
        self.text = text
        self.tex = tex
        self._none_behind: dict[tuple[str, int], int] = {}

    def formula_at(self, start: int, end: int) -> Stretch | None:
        """The formula that opens at the start and closes before the end; None where none does."""
        opening = OPENING.match(self.text, start, end)
        if opening is None or (self.tex and opening[0] in (r"\\(", r"\\[", "$`")):
            return self._dollars(start, "$", end) if opening and opening[0] == "$`" else None
        if opening[1] is not None:
            return self._environment(start, opening[1], end) if opening[1] in ENVIRONMENTS else None
        if opening[0].startswith("$"):
            return self._dollars(start, opening[0], end)
        return self._brackets(start, opening[0], end)

    def _dollars(self, start: int, opening: str, end: int) -> Stretch | None:
        inner = start + len(opening)
        outer = self.find(CLOSING[opening], inner, end)
        content = self.text[inner:outer] if outer >= 0 else ""
        if not content.strip():
            return None
        if not self.tex and opening == "$" and is_money(content, self.text[outer + 1 : outer + 2]):
            return None
        return Stretch(start, outer + len(opening), inner, outer, opening in DISPLAYED)

    def _brackets(self, start: int, opening: str, end: int) -> Stretch | None:
        inner = start + len(opening)
        outer = self.find(CLOSING[opening], inner, end)
        content = self.text[inner:outer] if outer >= 0 else ""
        if not content.strip() or (not self.tex and reads_as_prose(content)):
            return None
        return Stretch(start, outer + len(opening), inner, outer, opening in DISPLAYED)

    def _environment(self, start: int, name: str, end: int) -> Stretch | None:
        found = self._end_of(name, start, end)
        if found is None:
            return None
        opening, closing = found
        if name.rstrip("*") in BARE:
            return Stretch(start, closing.end(), opening.end(), closing.start(), name != "math")
        return Stretch(start, closing.end(), start, closing.end(), display=True, environment=True)

    def find(self, closing: str, start: int, end: int) -> int:
        """Where a closing delimiter stands whose first character no backslash takes away; -1 where none does."""
        key = (closing, end)
        if start >= self._none_behind.get(key, end + 1):
            return -1
        at = self.text.find(closing, start, end)
        while at >= 0 and self._escaped(at, start):
            at = self.text.find(closing, at + 1, end)
        if at < 0:
            self._none_behind[key] = start
        return at

    def _escaped(self, at: int, start: int) -> bool:
        slashes = 0
        while at - slashes > start and self.text[at - slashes - 1] == "\\":
            slashes += 1
        return slashes % 2 == 1

    def _end_of(self, name: str, start: int, end: int) -> tuple[re.Match[str], re.Match[str]] | None:
        key = (name, end)
        if start >= self._none_behind.get(key, end + 1):
            return None
        depth, first = 0, None
        for mark in re.compile(r"\\(begin|end)\s{0,9}\{" + re.escape(name) + r"\}").finditer(self.text, start, end):
            first = first or mark
            depth += 1 if mark[1] == "begin" else -1
            if depth == 0:
                return first, mark
        self._none_behind[key] = start
        return None
