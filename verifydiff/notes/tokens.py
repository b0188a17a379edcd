r"""From LaTeX to tokens: what can be read in mathematics, and nothing else.

Only commands that say something of a formula are known: letters, accents, fractions, relations, brackets. Whatever defines,
loads or writes (``\def``, ``\input``, ``\write``) is no mathematics and ends the reading where it stands; so do control
characters and marks that change the direction of the text. Layout is dropped here, and several rows become one line of
statements.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .words import words

MAX_LENGTH, MAX_TOKENS = 6_000, 2_500


class NotUnderstoodError(ValueError):
    """Where understanding ended.

    Attributes:
        token: what could not be read.
        at: where it stands in the formula, counted from 0.
        why: a few words.
    """

    def __init__(self, token: str, at: int, why: str = "") -> None:
        self.token, self.at, self.why = token[:40], at, why
        super().__init__(f"understanding ended at `{self.token}` (column {at + 1})" + (f": {why}" if why else ""))


@dataclass(frozen=True, slots=True)
class Token:
    r"""A token.

    Attributes:
        kind: ``letter``, ``number``, ``command`` (without its backslash), ``sign``, ``text``, ``relation``, ``break`` (between
            statements) or ``end``.
        text: the name.
        start, end: where it stands.
    """

    kind: str
    text: str
    start: int
    end: int


RELATIONS = {
    "=": "=", ":=": ":=", "coloneqq": ":=", "triangleq": ":=", "doteq": ":=", "eqqcolon": "=:", "equiv": ":=", "leftarrow": ":=",
    "gets": ":=", "neq": "!=", "ne": "!=", "<": "<", ">": ">", "lt": "<", "gt": ">", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "ll": "<<", "gg": ">>", "approx": "~~", "simeq": "~~", "cong": "~~",
    "thickapprox": "~~", "approxeq": "~~", "propto": "prop", "sim": "~", "thicksim": "~", "to": "->", "rightarrow": "->",
    "longrightarrow": "->", "mapsto": "->", "in": "in", "subset": "in", "subseteq": "in", "notin": "notin",
}  # fmt: skip

BREAKS = frozenset(
    [
        "quad",
        "qquad",
        "Rightarrow",
        "Longrightarrow",
        "implies",
        "iff",
        "Leftrightarrow",
        "Longleftrightarrow",
        "therefore",
        "because",
        "forall",
        "wedge",
        "land",
    ]
)

SILENT = {
    ",", ";", ":", "!", " ", ">", "/", "displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle", "limits", "nolimits",
    "nonumber", "notag", "hfill", "hfil", "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr",
    "biggl", "biggr", "Biggl", "Biggr", "bigm", "Bigm", "biggm", "Biggm", "thinspace", "medspace", "thickspace", "negthinspace",
    "enspace", "strut", "mathstrut", "allowbreak", "break", "newline", "noindent", "centering", "normalsize", "small", "relax",
    "large", "Large", "LARGE", "huge", "Huge", "footnotesize", "scriptsize", "tiny",
    "displaylimits",
}  # fmt: skip

SIZES = {"left", "big", "Big", "bigg", "Bigg", "bigl", "Bigl", "biggl", "Biggl"}

DROPPED = {"label": 1, "tag": 1, "hspace": 1, "vspace": 1, "phantom": 1, "hphantom": 1, "vphantom": 1, "color": 1, "mspace": 1,
    "kern": 0, "textcolor": 1, "colorbox": 1, "eqref": 1, "ref": 1, "cite": 1, "footnote": 1, "raisebox": 1}  # fmt: skip

TEXTS = words("text textrm textbf textit textsf textnormal mbox hbox textup intertext textmd textsc")

ENVIRONMENTS = words("""
    aligned align align* equation equation* gather gather* gathered split multline multline* eqnarray eqnarray* alignat
    alignat* flalign flalign* math displaymath alignedat
    """)

CHOICES = words("cases dcases cases* rcases")
CASE, BRANCH = "condition", "branch"  # what parts an expression from its condition, and one branch from the next

UNICODE = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi",
    "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Σ": "Sigma", "Δ": "Delta", "Γ": "Gamma", "Λ": "Lambda", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega", "Θ": "Theta", "∇": "nabla", "∂": "partial", "∫": "int", "∑": "sum", "∏": "prod", "√": "sqrt",
    "≈": "approx", "≤": "le", "≥": "ge", "≠": "ne", "∝": "propto", "∼": "sim", "→": "to", "∈": "in", "⇒": "Rightarrow",
    "·": "cdot", "×": "times", "∥": "|", "‖": "|", "∞": "infty", "…": "dots", "⋯": "cdots", "ℝ": "R", "𝔼": "E", "⊙": "odot",
    "≡": "equiv", "±": "pm", "∣": "mid", "⟨": "langle", "⟩": "rangle",
}  # fmt: skip

PLAIN = {"−": "-", "–": "-", "，": ",", "；": ";", "：": ":", "（": "(", "）": ")", "。": ".", "、": ",", "＝": "=", "′": "'"}


def tokens(source: str) -> list[Token]:
    """The tokens of a formula, layout dropped and rows joined; the last one is the end.

    Raises:
        NotUnderstoodError: at the first thing that is no mathematics, or at the limits on length.
    """
    if len(source) > MAX_LENGTH:
        raise NotUnderstoodError(source[MAX_LENGTH : MAX_LENGTH + 10], MAX_LENGTH, f"a formula has at most {MAX_LENGTH} characters")
    found = _Reader(source).read()
    return [*_joined(found), Token("end", "the end", len(source), len(source))]


class _Reader:
    """The first pass, over characters."""

    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0
        self.cases = 0  # how many choices are open
        self.sized = -1  # where a \\left or \\big began whose bracket comes next
        self.found: list[Token] = []

    def read(self) -> list[Token]:
        while self.at < len(self.source):
            if len(self.found) > MAX_TOKENS:
                raise NotUnderstoodError(self.source[self.at], self.at, f"a formula has at most {MAX_TOKENS} tokens")
            self._next()
        return self.found

    def _next(self) -> None:
        start = self.at
        char = PLAIN.get(self.source[start], self.source[start])
        if char in UNICODE:
            self._command(UNICODE[char], start, start + 1)
        elif char == "\\":
            self._backslash()
        elif char in " \t\r\n" or char == "~":
            self.at += 1
        elif char == "%":
            end = self.source.find("\n", start)
            self.at = len(self.source) if end < 0 else end
        elif char.isascii() and char.isalpha():
            self._add("letter", char, start, start + 1)
        elif char.isascii() and char.isdigit():
            self._number()
        elif char == ":" and self.source[start + 1 : start + 2] == "=":
            self._add("relation", ":=", start, start + 2)
        elif char == "=" and self.source[start + 1 : start + 2] == ":":
            self._add("relation", "=:", start, start + 2)
        elif char in "=<>":
            self._add("relation", char, start, start + 1)
        elif char == "&" and self.cases:
            self._add("sign", CASE, start, start + 1)
        elif self.source.startswith("...", start):
            self._add("command", "dots", start, start + 3)
        elif char in "+-*/^_{}()[]|,;:.&'!":
            self._add("sign", char, start, start + 1)
        else:
            raise NotUnderstoodError(_named(self.source[start]), start, "no sign of mathematics that is known here")

    def _add(self, kind: str, text: str, start: int, end: int) -> None:
        if self.sized >= 0:
            start, self.sized = self.sized, -1
        self.found.append(Token(kind, text, start, end))
        self.at = end

    def _number(self) -> None:
        start = end = self.at
        while end < len(self.source) and self.source[end] in "0123456789":
            end += 1
        if end - start <= 3 and self.source[start] != "0" and not self._parts_by_commas():
            while (group := _GROUP.match(self.source, end)) is not None:  # 196,608
                end = group.end()
        if end + 1 < len(self.source) and self.source[end] == "." and self.source[end + 1] in "0123456789":
            end += 1
            while end < len(self.source) and self.source[end] in "0123456789":
                end += 1
        if end - start > 40:
            raise NotUnderstoodError(self.source[start:end], start, "a number has at most 40 digits")
        self._add("number", self.source[start:end].translate(_NO_SEPARATORS), start, end)

    def _parts_by_commas(self) -> bool:
        """Whether a comma after a number here ends an argument, an index or an exponent: within brackets, or behind a script."""
        if self.found and self.found[-1].text in ("^", "_"):
            return True
        return sum((token.text in _OPENS) - (token.text in _CLOSES) for token in self.found) > 0

    def _backslash(self) -> None:
        start, end = self.at, self.at + 1
        while end < len(self.source) and self.source[end].isascii() and self.source[end].isalpha():
            end += 1
        if end == start + 1:
            end = min(end + 1, len(self.source))
        elif end < len(self.source) and self.source[end] == "*":
            end += 1
        self._command(self.source[start + 1 : end], start, end)

    def _command(self, name: str, start: int, end: int) -> None:
        self.at = end
        if name in ("lbrack", "rbrack"):
            self._add("sign", "[" if name == "lbrack" else "]", start, end)
        elif name == "\\":
            self._row(start, end)
        elif name in ("begin", "end"):
            self._environment(start)
        elif name in TEXTS and self.source[end:].lstrip().startswith("{I}"):
            self._add("letter", "I", start, self._braced()[1])
        elif name in TEXTS:
            text, end = self._braced()
            self._add("text", text, start, end)
        elif name in DROPPED:
            if DROPPED[name]:
                self._braced()
        elif name in RELATIONS:
            self._add("relation", RELATIONS[name], start, end)
        elif name in BREAKS:
            self._add("break", name, start, end)
        elif name in ("left", "right", "middle") or name in SILENT:
            if name in ("left", "right") and self.source[end : end + 1] == ".":
                self.at += 1
            elif name in SIZES:
                self.sized = start
        else:
            self._add("command", name, start, end)

    def _row(self, start: int, end: int) -> None:
        if self.source[end : end + 1] == "[":
            close = self.source.find("]", end)
            inside = self.source[end + 1 : close] if close > 0 else ""
            if inside and inside[-2:] in ("pt", "em", "ex", "mm", "cm"):
                end = close + 1
        if self.cases:
            self._add("sign", BRANCH, start, end)
        else:
            self._add("break", "row", start, end)

    def _environment(self, start: int) -> None:
        name, end = self._braced()
        if name in CHOICES:
            begins = "begin" in self.source[start:end]
            self.cases += 1 if begins else -1
            self._add("command", "choice" if begins else "end of the choice", start, end)
            return
        if name not in ENVIRONMENTS:
            raise NotUnderstoodError(self.source[start:end], start, "an environment that is not read")
        if name.startswith(("alignat", "alignedat")) and self.source[end : end + 1] == "{" and "begin" in self.source[start:end]:
            self._braced()
        if self.found and self.found[-1].kind != "break":
            self._add("break", "row", start, start)
            self.at = max(end, self.at)

    def _braced(self) -> tuple[str, int]:
        """What the braces that follow hold, as it stands, and where they end."""
        start = self.at
        while start < len(self.source) and self.source[start] in " \t\n":
            start += 1
        if self.source[start : start + 1] != "{":
            raise NotUnderstoodError(self.source[start : start + 1] or "the end", start, "an opening brace was expected")
        depth, end = 0, start
        while end < len(self.source):
            depth += {"{": 1, "}": -1}.get(self.source[end], 0)
            end += 1
            if depth == 0:
                self.at = end
                return self.source[start + 1 : end - 1], end
        raise NotUnderstoodError("{", start, "this brace is never closed")


def _named(char: str) -> str:
    if char.isprintable() and not unicodedata.category(char).startswith("C"):
        return char
    return f"U+{ord(char):04X}"


_GROUP = re.compile(r"(?:,|\{,\})[0-9]{3}(?![0-9])")
_NO_SEPARATORS = str.maketrans("", "", ",{}")


_CONTINUES = {"+", "-", "/", "*"}
_OPENS, _CLOSES = {"(", "[", "{", "lbrace", "choice"}, {")", "]", "}", "rbrace", "end of the choice"}


def _joined(found: list[Token]) -> list[Token]:
    """Rows joined: one that begins with a relation or an operator goes on with what stands before it."""
    found = _remarks_last([token for token in found if token.text != "&" or token.kind != "sign"])
    joined: list[Token] = []
    depth = 0
    for place, token in enumerate(found):
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.kind == "break" and (depth > 0 or _goes_on(joined, found[place + 1 :])):
            continue
        joined.append(token)
    return joined


def _remarks_last(found: list[Token]) -> list[Token]:
    """Words beside a row, with what they say, behind all rows, so that a chain goes on over them."""
    rows: list[Token] = []
    remarks: list[Token] = []
    depth, within = 0, False
    last = max((place for place, token in enumerate(found) if token.kind == "break" and token.text == "row"), default=-1)
    for place, token in enumerate(found):
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.kind == "break" and token.text == "row":
            within = False
        elif token.kind == "text" and depth == 0 and place < last and " " in token.text and rows and rows[-1].kind != "relation":
            within = True
            remarks.append(Token("break", "remark", token.start, token.start))
        (remarks if within else rows).append(token)
    return [*rows, *remarks]


def _goes_on(before: list[Token], after: list[Token]) -> bool:
    nearest = next((token for token in after if token.kind != "break"), None)
    if not before or nearest is None or before[-1].kind == "break":
        return True
    if before[-1].kind == "relation" or (before[-1].kind == "sign" and before[-1].text in ("+", "-", "*", "/", ",")):
        return True
    follows = nearest.kind == "relation" or (nearest.kind == "sign" and nearest.text in _CONTINUES)
    return follows or nearest.text in ("cdot", "times")
