"""How the judge of notes fares on the corpus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from verifydiff.notes.page import Judged, Span, Standing
from verifydiff.notes.report import placed
from verifydiff.notes.statements import judge

from .corpus import Slip, slips, stated

Page = tuple[tuple[Judged, ...], ...]
"""What is said of a page: for each of its statements, what came of it; of what names something only, nothing."""


def _judged(spans: list[Span]) -> Page:
    found: list[list[Judged]] = [[] for _ in spans]
    for one, place in placed(judge(spans), spans):
        found[place].append(one)
    return tuple(map(tuple, found))


@cache
def judged(page: str) -> Page:
    """What is said of a right page."""
    return _judged([one.span for one in stated(page)])


def all_judged(page: str) -> tuple[Judged, ...]:
    """Every formula of a right page."""
    return tuple(one for statement in judged(page) for one in statement)


@dataclass(frozen=True)
class Outcome:
    """What became of a misprint.

    Attributes:
        slip: the misprint.
        right, wrong: the formula as it is and as it was printed; None where nothing is said of it.
        astray: formulas that are right, and were called wrong since another on the page was.
    """

    slip: Slip
    right: Judged | None
    wrong: Judged | None
    astray: tuple[Judged, ...]

    @property
    def found(self) -> bool:
        """Whether it was called wrong."""
        return self.wrong is not None and self.wrong.status is Standing.FAILS

    @cached_property
    def place(self) -> int | None:
        """How many corrections stand before the right one; None where it is not among them."""
        if self.wrong is None or self.right is None:
            return None
        spans = [one.span for one in stated(self.slip.page)]
        return next((k for k, one in enumerate(self.wrong.suggestion) if same(one.latex, self.right.latex, spans)), None)


@cache
def outcome(slip: Slip) -> Outcome:
    """Judge a page with a misprint in it."""
    before, spans = judged(slip.page), [one.span for one in stated(slip.page, slip)]
    after = _judged(spans)
    (at,) = [k for k, one in enumerate(stated(slip.page)) if one.span.latex != spans[k].latex]
    right, wrong = _changed(before[at], after[at])
    failed = {(k, one.latex) for k, statement in enumerate(before) for one in statement if one.status is Standing.FAILS}
    astray = [
        one
        for k, statement in enumerate(after)
        for one in statement
        if one.status is Standing.FAILS and (k, one.latex) not in failed and one is not wrong
    ]
    return Outcome(slip, right, wrong, tuple(astray))


def _changed(before: tuple[Judged, ...], after: tuple[Judged, ...]) -> tuple[Judged | None, Judged | None]:
    """Of the formulas of one statement, the one that the misprint is in."""
    if len(before) == len(after):
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old.latex != new.latex]
        return pairs[0] if pairs else (None, None)
    known, kept = {one.latex for one in before}, {one.latex for one in after}
    gone, new = [one for one in before if one.latex not in kept], [one for one in after if one.latex not in known]
    return (gone[0] if gone else None), (new[0] if new else None)


def outcomes(chosen: Iterable[Slip] | None = None) -> Iterator[Outcome]:
    """What became of every misprint."""
    return (outcome(slip) for slip in (slips() if chosen is None else chosen))


# -- the same formula ----------------------------------------------------------------------------------------------------


def same(one: str, other: str, page: list[Span]) -> bool:
    """Whether two formulas say the same, side by side: as they are written, or by what the page has said."""
    if normal(one) == normal(other):
        return True
    sides = list(zip(_sides(one), _sides(other), strict=False))
    if len(_sides(one)) != len(_sides(other)):
        return False
    claims = [Span(0, f"{left} = {right}") for left, right in sides if normal(left) != normal(right)]
    said = [one for statement in _judged([*page, *claims])[len(page) :] for one in statement]
    return len(said) == len(claims) and all(one.status is Standing.HOLDS for one in said)


def _sides(latex: str) -> list[str]:
    """What stands between the signs of equality that no bracket holds."""
    sides, depth, start = [], 0, 0
    for found in re.finditer(r"\\[{}]|[{}()\[\]]|:?=", latex):
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(found[0], 0)
        if found[0].endswith("=") and depth == 0:
            sides.append(latex[start : found.start()])
            start = found.end()
    return [*(side.replace("&", " ").strip() for side in [*sides, latex[start:]])]


SPACING = re.compile(
    r"\\[,;:! ]|\\(?:quad|qquad|left|right|middle|[bB]igg?[lr]?|displaystyle|boldsymbol|mathbf|bf)(?![a-zA-Z])|[\s&~]"
)
SAME = {
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cdot": "",
    r"\nonumber": "",
    r"\vert": "|",
    r"\mid": "|",
    r"\varepsilon": r"\epsilon",
}


def normal(latex: str) -> str:
    """LaTeX without what changes its look and not its meaning."""
    latex = SPACING.sub(lambda found: " " if found[0].startswith("\\") and found[0][-1].isalpha() else "", _spaced(latex))
    for one, other in SAME.items():
        latex = re.sub(re.escape(one) + r"(?![a-zA-Z])", lambda _, other=other: other, latex)
    latex = re.sub(r"\{\s*([a-zA-Z0-9]|\\[a-zA-Z]+)\s*\}", r" \1 ", latex)
    latex = re.sub(r"\s+", "", latex)
    return latex.rstrip(".,;")


def _spaced(latex: str) -> str:
    """A space behind every command, so that nothing that follows is taken for its name."""
    return re.sub(r"\\[a-zA-Z]+", lambda found: f"{found[0]} ", latex)
