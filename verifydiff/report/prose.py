r"""The words of a page, taken apart: docstrings and justifications as paragraphs, formulas and code.

A docstring is text in the manner of reStructuredText, of which a page uses little: paragraphs, lists, ``.. math::``,
``:math:`` and double backquotes. Only these are read, by hand; everything else stays text. So a page can say nothing
that a browser would take for more than words.

In plain words a formula is written as on a keyboard, ``abar_t = alpha_t abar_s``; :func:`inline` sets such runs as
mathematics, :math:`\bar\alpha_t = \alpha_t \bar\alpha_s`. A run counts if it holds a letter of the field that no English
word is, or relates single letters, as in ``s < t``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple

_LETTERS_OF_GREECE = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_GREEK = (*_LETTERS_OF_GREECE.split(),)
Kind = Literal["text", "math", "code", "emphasis", "strong"]


class Piece(NamedTuple):
    """A stretch of text within a line."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a displayed formula, a stretch of code, or a list.

    Attributes:
        kind: which of them.
        text: the LaTeX of the formula, or the code.
        lines: the paragraph, or an entry each of the list.
    """

    kind: Literal["paragraph", "math", "code", "list"]
    text: str = ""
    lines: tuple[tuple[Piece, ...], ...] = ()


def blocks(text: str) -> list[Block]:
    """A docstring, block by block."""
    return [block for lines in _apart(text.splitlines()) for block in _blocks(lines)]


def first_sentence(text: str) -> tuple[str, str]:
    """The first sentence of a docstring, without its stop, as a title; and what follows it."""
    head, _, rest = text.strip().partition("\n\n")
    head = " ".join(head.split())
    found = re.match(r"(.+?)(?<!eq)(?<!eqs)(?<!al)(?<!sec)[.](?:\s+|$)(?=[A-Z:`]|$)", head)
    if found is None:
        return head.rstrip("."), rest
    return found[1], f"{head[found.end() :]}\n\n{rest}".strip()


def without_markup(text: str) -> str:
    """A line as plain text, formulas in the letters that every font has."""
    return "".join(_in_letters(piece.text) if piece.kind == "math" else piece.text for piece in inline(text))


_SIMPLE = {r"\bar\alpha": "ᾱ", r"\tilde\beta": "β̃", r"\tilde\mu": "μ̃", r"\bar x": "x̄", r"\le": "≤", r"\ge": "≥", r"\ne": "≠"}
_SIMPLE |= {r"\cdot": "·", r"\mid": "|", r"\infty": "∞", r"\hat ": ""}
_SIMPLE |= {f"\\{name}": unicodedata.lookup(f"GREEK SMALL LETTER {'lamda' if name == 'lambda' else name}") for name in _GREEK}


def _in_letters(tex: str) -> str:
    tex = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", re.sub(r"\^\{?2\}?", "²", tex))
    for name in sorted(_SIMPLE, key=len, reverse=True):
        tex = re.sub(re.escape(name) + r"(?![A-Za-z])", _SIMPLE[name], tex)
    return re.sub(r"\\[A-Za-z]+|[{}\\]", "", tex)


def _apart(lines: list[str]) -> list[list[str]]:
    """The lines between empty ones."""
    groups: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            groups[-1].append(line.rstrip())
        elif groups[-1]:
            groups.append([])
    return _joined([group for group in groups if group])


def _joined(groups: list[list[str]]) -> list[list[str]]:
    """A directive and the indented group that follows it belong together."""
    joined: list[list[str]] = []
    for group in groups:
        if joined and group[0].startswith(" ") and _opens(joined[-1][-1]):
            joined[-1] = [*joined[-1], *group]
        else:
            joined.append(group)
    return joined


def _opens(line: str) -> bool:
    return bool(re.match(r"\s*\.\. [\w-]+::\s*\w*$", line)) or line.endswith("::")


_ITEM = re.compile(r"\s*(?:[-*]|\d+[.)])\s+(.*)")


def _blocks(lines: list[str]) -> list[Block]:
    directive = re.match(r"\s*\.\. (math|code-block|code)::\s*(.*)", lines[0])
    if directive:
        body = [directive[2], *lines[1:]] if directive[1] == "math" else lines[1:]
        if directive[1] == "math":
            return [Block("math", " ".join(line.strip() for line in body).strip())]
        return [Block("code", _dedented(body))]
    if _ITEM.match(lines[0]):
        return [Block("list", lines=tuple(inline(item) for item in _items(lines)))]
    if lines[-1].endswith("::") or any(line.endswith("::") for line in lines[:-1]):
        head = next(number for number, line in enumerate(lines) if line.endswith("::"))
        words = " ".join(line.strip() for line in lines[: head + 1])[:-1]
        code = _dedented(lines[head + 1 :])
        return [Block("paragraph", lines=(inline(words),)), *([Block("code", code)] if code else [])]
    return [Block("paragraph", lines=(inline(" ".join(line.strip() for line in lines)),))]


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if found := _ITEM.match(line):
            items.append(found[1])
        else:
            items[-1] += f" {line.strip()}"
    return items


def _dedented(lines: list[str]) -> str:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


# -- within a line -------------------------------------------------------------------------------------------------------

_MARKUP = re.compile(
    r":math:`(?P<math>[^`]+)`"
    r"|``(?P<code>[^`]+)``"
    r"|:[\w+:.-]+:`[~!]?(?P<role>[^`<]+?)(?:\s*<[^`]*>)?`"
    r"|\$(?P<dollar>[^\s$](?:[^$]*[^\s$])?)\$"
    r"|\*\*(?P<strong>[^\s*](?:[^*]*[^\s*])?)\*\*"
    r"|(?<![\w*])\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
    r"|`(?P<plain>[^`]+)`"
)
_KINDS: dict[str, Kind] = {
    "math": "math",
    "dollar": "math",
    "code": "code",
    "role": "code",
    "plain": "code",
    "strong": "strong",
    "emphasis": "emphasis",
}


def inline(text: str) -> tuple[Piece, ...]:
    """The pieces of a line: words, formulas, code and what is stressed."""
    pieces: list[Piece] = []
    end = 0
    for found in _MARKUP.finditer(text):
        pieces += _words(text[end : found.start()])
        name = found.lastgroup or "plain"
        pieces.append(Piece(_KINDS[name], found[name]))
        end = found.end()
    return (*pieces, *_words(text[end:]))


_BASES = {
    "abar": r"\bar\alpha",
    "eps": r"\epsilon",
    "xbar": r"\bar x",
    "beta-tilde": r"\tilde\beta",
    "mu-tilde": r"\tilde\mu",
    "x_hat": r"\hat x",
    "eps_hat": r"\hat\epsilon",
    "snr": r"\mathrm{SNR}",
}
_BASES |= {name: f"\\{name}" for name in _GREEK}
_LETTERS = "xyuvpqrmkzhKPMSc"
_STRONG = re.compile(
    rf"(?P<base>{'|'.join(sorted(_BASES, key=len, reverse=True))}|[{_LETTERS}](?=_))"
    r"(?:_(?P<sub>\d+|[a-z]|up|down|min|max|data))?(?!\w)"
)
_WEAK = re.compile(r"[stijmkvzuxyrTNSKMPV](?!\w)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?![\w.]*[A-Za-z])")
_RELATION = re.compile(r" ?(<=|>=|!=|<|>|=) ?(?=[^\s])")
_SUM = re.compile(r" ([-+*/]) |(/)")
_SIGNS = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "*": r"\cdot"}


def _words(text: str) -> list[Piece]:
    """Plain words, with what reads as a formula set as one."""
    pieces: list[Piece] = []
    start = here = 0
    while here < len(text):
        run = _Run(text, here).read() if here == 0 or not re.match(r"[\w.\\-]", text[here - 1]) else None
        if run is None:
            here += 1
            continue
        if here > start:
            pieces.append(Piece("text", text[start:here]))
        pieces.append(Piece("math", run.latex))
        start = here = run.here
    if start < len(text):
        pieces.append(Piece("text", text[start:]))
    return pieces


class _Run:
    """The longest formula that starts at a place of the text: terms, joined by signs."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.here, self.latex = text, start, ""
        self._strong = self._related = False

    def read(self) -> _Run | None:
        """The run itself, if there is a formula here and it is certain enough to be one; else None."""
        self.latex = self._sum(relations=True)
        ends_well = not re.match(r"\w", self.text[self.here : self.here + 1])
        return self if self.latex and ends_well and (self._strong or self._related) else None

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.here)
        if found:
            self.here = found.end()
        return found

    def _sum(self, relations: bool) -> str:
        latex = self._product()
        while latex:
            before = self.here
            sign, related = self._take(_SUM), False
            if sign is None and relations:
                sign, related = self._take(_RELATION), True
            if sign is None:
                break
            right = self._product()
            if not right:
                self.here = before
                break
            self._related |= related
            name = sign[1] or sign[sign.lastindex or 1]
            latex += f" {_SIGNS.get(name, name)} {right}"
        return latex

    def _product(self) -> str:
        """Factors side by side; a second factor must be certain, or words would be drawn in."""
        latex = self._power()
        while latex:
            before, strong = self.here, self._strong
            space = self.text[self.here : self.here + 1] == " "
            self.here += space
            bracket = self.text[self.here : self.here + 1] == "("
            self._strong = False
            right = self._power() if space else ""
            if not right or not (self._strong or bracket or right in "KMPSV"):
                self.here, self._strong = before, strong
                break
            self._strong |= strong
            latex += f" {right}"
        return latex

    def _power(self) -> str:
        minus = "-" if re.match(r"-(?=\w)", self.text[self.here :]) else ""
        before = self.here
        self.here += len(minus)
        latex = self._atom()
        if not latex:
            self.here = before
            return ""
        raised = self._take(re.compile(r"(?:\^|\*\*)(\d+|[st](?!\w))"))
        return minus + latex + (f"^{{{raised[1]}}}" if raised else "")

    def _atom(self) -> str:
        before = self.here
        if found := self._take(re.compile(r"(sqrt|exp|log)\(|([pq]|E|Var|Cov)([(\[])|(\()")):
            return self._bracketed(found, before)
        if found := self._take(_STRONG):
            self._strong = True
            sub = found["sub"] or ""
            return _BASES.get(found["base"], found["base"]) + _subscript(sub)
        if found := self._take(_WEAK) or self._take(_NUMBER):
            return found[0]
        return ""

    def _bracketed(self, found: re.Match[str], before: int) -> str:
        inside = self._sum(relations=False)
        while inside and (sign := self._take(re.compile(r" ?([|,]) ?"))):
            right, between = self._sum(relations=False), r" \mid " if sign[1] == "|" else ", "
            inside = inside + between + right if right else ""
        close = self.text[self.here : self.here + 1]
        if not inside or close != {"(": ")", "[": "]"}[found[3] or "("]:
            self.here = before
            return ""
        self.here += 1
        if found[1]:
            return rf"\sqrt{{{inside}}}" if found[1] == "sqrt" else rf"\{found[1]}({inside})"
        if found[2]:
            name = {"E": r"\mathbb{E}", "Var": r"\operatorname{Var}", "Cov": r"\operatorname{Cov}"}.get(found[2], found[2])
            return f"{name}{found[3]}{inside}{close}"
        return f"({inside})"


def _subscript(sub: str) -> str:
    if not sub:
        return ""
    return f"_{sub}" if len(sub) == 1 else f"_{{{sub}}}" if sub.isdigit() else rf"_{{\mathrm{{{sub}}}}}"
