r"""Hints before answers: first where, then what kind of slip, then the answer.

Where a formula is wrong is read off the correction that the judge has found: the smallest part of the formula, as it is written, in
which the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..notes.page import Suggestion
from ..notes.parser import parse
from ..notes.tokens import NotUnderstoodError
from ..notes.tree import Node, Range, Term, walk
from ..verdict import MisuseError
from .exercises import Complete, Derive, Exercise, Misprint, Words
from .lines import distance, place, read
from .typed import side
from .verdicts import Verdict, judged


@dataclass(frozen=True)
class Hint:
    """One hint.

    Attributes:
        kind: ``say``, ``where``, ``slip`` or ``answer``.
        words: what is said, by language.
        latex: a formula that goes with it.
        slip: the id of the mistake, of a hint of that kind.
    """

    kind: str
    words: Words
    latex: str = ""
    slip: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"kind": self.kind, "words": self.words, "latex": self.latex, "slip": self.slip}


WHERE = {"en": "Look at the part in the box.", "zh": "请看方框里的部分。"}
ANSWER = {"en": "This holds:", "zh": "这样就对了："}
NEXT = {"en": "The next line can be:", "zh": "下一行可以是："}
MISSING = {"en": "This belongs in the gap:", "zh": "空处应填："}


def hints_for_formula(verdict: Verdict) -> list[Hint]:
    """The hints for a formula that fails; none if the judge knows no correction."""
    if verdict.judged is None or not verdict.judged.suggestion:
        return []
    return _of_suggestion(verdict.judged.latex, verdict.judged.suggestion[0])


def _of_suggestion(latex: str, suggestion: Suggestion) -> list[Hint]:
    slip = _kind_of(suggestion.slip)
    return [
        Hint("where", WHERE, boxed(latex, suggestion.latex)),
        Hint("slip", {"en": slip}, slip=suggestion.slip),
        Hint("answer", ANSWER, suggestion.marked),
    ]


def _kind_of(slip: str) -> str:
    """What the catalogue says of a slip."""
    from ..slips import CATALOGUE, FORMULA_SLIPS

    known: dict[str, str] = {one.id: one.description for one in (*CATALOGUE, *FORMULA_SLIPS)}
    return known.get(slip, slip.replace("-", " "))


def hints_for(exercise: Exercise, lines: Sequence[str] = ()) -> list[Hint]:
    """The hints of an exercise: the teacher's own, then those that are made.

    Args:
        exercise: what was asked.
        lines: of a derivation, the lines so far.
    """
    own = [Hint("say", words) for words in exercise.hints]
    if isinstance(exercise, Misprint):
        return own + _for_misprint(exercise)
    if isinstance(exercise, Complete):
        return own + [Hint("answer", MISSING, one) for one in exercise.fillings]
    if isinstance(exercise, Derive):
        return own + _for_line(exercise, lines)
    return own


def _for_misprint(exercise: Misprint) -> list[Hint]:
    found = [Hint("where", WHERE, boxed(exercise.wrong, exercise.right))]
    slip = exercise.slip or _found(exercise)
    if slip:
        found.append(Hint("slip", {"en": _kind_of(slip)}, slip=slip))
    return [*found, Hint("answer", ANSWER, exercise.right)]


def _found(exercise: Misprint) -> str:
    verdict = judged(exercise.wrong, exercise.given)
    return verdict.judged.suggestion[0].slip if verdict.judged is not None and verdict.judged.suggestion else ""


def _for_line(exercise: Derive, lines: Sequence[str]) -> list[Hint]:
    try:
        here = read(side(lines[-1])).sides[0] if lines else exercise.way[0]
    except MisuseError:
        here = exercise.way[0]
    step = exercise.steps[min(place(here, exercise.way)[0], len(exercise.steps) - 1)]
    if distance(here, exercise.way[-1]) == 0:
        return []
    return [Hint("say", step.say), Hint("answer", NEXT, step.line)]


# -- where ---------------------------------------------------------------------------------------------------------------


def boxed(wrong: str, right: str) -> str:
    """The wrong formula with a box around the smallest part of it in which the right one differs."""
    start, end = _changed(wrong, right)
    try:
        nodes = [one for chain in parse(wrong) for one in walk(chain) if _can_be_boxed(one)]
    except (NotUnderstoodError, RecursionError):
        return wrong
    around = [one for one in nodes if one.start <= start and end <= one.end and one.end > one.start]
    if not around:
        return wrong
    part = min(around, key=lambda one: one.end - one.start)
    return rf"{wrong[: part.start]}\boxed{{{wrong[part.start : part.end]}}}{wrong[part.end :]}"


def _can_be_boxed(node: Node) -> bool:
    return not isinstance(node, (Term, Range))


def _changed(wrong: str, right: str) -> tuple[int, int]:
    """Where the first differs from the second."""
    shorter = min(len(wrong), len(right))
    start = next((k for k in range(shorter) if wrong[k] != right[k]), shorter)
    end = next((k for k in range(shorter - start) if wrong[-1 - k] != right[-1 - k]), shorter - start)
    return start, len(wrong) - end
