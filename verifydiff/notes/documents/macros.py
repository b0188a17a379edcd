r"""A page's own commands: ``\newcommand``, ``\def`` and ``\DeclareMathOperator``, with arguments or without, written out.

A definition is text for text. What it yields is bounded in length and depth, so that a command that names itself, or doubles
itself forty times, stays as it stands: nobody then claims to have understood it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .document import Found, stripped

DEPTH, LONGEST, MOST, MOST_OPEN = 12, 20_000, 500, 20
"""How often macros are written out in one another, to how many characters; how many a page may define, and how many of them may
have no end before the rest is not looked at."""
_DEFINITION = re.compile(
    r"\\(?:(?:new|renew|provide)command\*?\s*(?:\{\s*\\([a-zA-Z]+)\s*\}|\\([a-zA-Z]+))\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|def\s*\\([a-zA-Z]+)\s*(?=\{)"
    r"|DeclareMathOperator\*?\s*\{\s*\\([a-zA-Z]+)\s*\}\s*(?=\{))"
)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")


@dataclass(frozen=True, slots=True)
class Macro:
    """What a command stands for.

    Attributes:
        body: with ``#1``, ``#2`` where its arguments go.
        arguments: how many it takes.
    """

    body: str
    arguments: int = 0


class Macros(dict[str, Macro]):
    """The commands of a page, by name."""

    def learn(self, text: str) -> str:
        """Remember the definitions in a text; returns what else it says, with its lines kept."""
        kept, position, open_ = [], 0, 0
        for found in _DEFINITION.finditer(text):
            if found.start() < position or len(self) >= MOST or open_ >= MOST_OPEN:
                continue
            end = _group_end(text, found.end())
            if end < 0:
                open_ += 1
                continue
            name = found[1] or found[2] or found[4] or found[5]
            body = text[found.end() + 1 : end - 1].strip()
            self[name] = Macro(f"\\operatorname{{{body}}}" if found[5] else body, int(found[3] or 0))
            kept += [text[position : found.start()], "\n" * text.count("\n", found.start(), end)]
            position = end
        return "".join([*kept, text[position:]])

    def written_out(self, latex: str) -> str:
        """LaTeX without the commands of the page; as it was where that comes to no end."""
        if not self:
            return latex
        names = re.compile(r"\\(" + "|".join(sorted(self, key=len, reverse=True)) + r")(?![a-zA-Z])")
        written = latex
        for _ in range(DEPTH):
            if not names.search(written):
                return written
            written = "".join(self._once(written, names))
            if len(written) > LONGEST + len(latex):
                return latex
        return latex

    def _once(self, latex: str, names: re.Pattern[str]) -> Iterator[str]:
        position = length = 0
        for found in names.finditer(latex):
            if found.start() < position or length > LONGEST + len(latex):
                continue
            macro = self[found[1]]
            values, end = _arguments(latex, found.end(), macro.arguments)
            body = macro.body
            for number, value in enumerate(values, 1):
                body = body.replace(f"#{number}", value)
            yield latex[position : found.start()]
            yield f"{body} " if body[-1:].isalpha() and latex[end : end + 1].isalpha() else body
            length += len(body)
            position = end
        yield latex[position:]


def _arguments(latex: str, position: int, count: int) -> tuple[list[str], int]:
    values: list[str] = []
    for _ in range(count):
        while latex[position : position + 1].isspace():
            position += 1
        end = _group_end(latex, position) if latex.startswith("{", position) else -1
        if end > 0:
            values.append(latex[position + 1 : end - 1])
        else:
            token = re.compile(r"\\[a-zA-Z]+|\\?.?", re.DOTALL).match(latex, position)
            end = token.end() if token else position
            values.append(latex[position:end])
        position = end
    return values, position


def _group_end(text: str, start: int) -> int:
    """Behind the brace that closes the one at the start; -1 where none does within what a definition may be long."""
    depth = 0
    for mark in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, start + LONGEST):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0 and mark[0] == "}":
            return mark.end()
    return -1


def uncommented(latex: str) -> str:
    """LaTeX without its comments; lines stay."""
    return _COMMENT.sub(r"\1", latex) if "%" in latex else latex


def plain(found: Iterable[Found], macros: Macros) -> Iterator[Found]:
    """Formulas without comments and with the page's commands written out; those that only define commands are left out."""
    for one in found:
        latex = macros.learn(uncommented(one.latex))
        latex, line = stripped(macros.written_out(latex), one.line)
        if latex:
            yield replace(one, latex=latex, line=line)
