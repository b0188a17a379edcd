"""Is a learner's answer right? Not whether it looks like the teacher's, but whether it holds and says what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..notes.page import Standing
from ..notes.tree import Chain, Node, walk
from ..verdict import MisuseError
from .exercises import Complete, Derive, Exercise, Misprint, is_balanced
from .lines import is_there, place, read
from .typed import plain, side
from .verdicts import Verdict, judged

OTHER = "other"
"""The status of a formula that may hold and is no answer."""

MOST_LINES, LONGEST_GAP = 60, 500


def answer(exercise: Exercise, given: dict[str, Any]) -> Verdict:
    """What is said of an answer as the page hands it in.

    Args:
        exercise: what was asked.
        given: ``{"latex"}`` of a formula, ``{"gaps"}`` or ``{"lines", "latex"}`` of a derivation.

    Raises:
        MisuseError: if it is no such answer, or cannot be read.
    """
    if isinstance(exercise, Misprint):
        return mended(exercise, _text(given, "latex"))
    if isinstance(exercise, Complete):
        return completed(exercise, _texts(given, "gaps"))
    if isinstance(exercise, Derive):
        return next_line(exercise, _texts(given, "lines"), _text(given, "latex"))
    raise TypeError(type(exercise).__name__)


def mended(exercise: Misprint, latex: str) -> Verdict:
    """A formula with its misprint mended: it holds, and says what the exercise's own says something of."""
    latex = plain(latex)
    chain = read(latex)
    if not chain.relations:
        return Verdict(latex, "nothing", "it states nothing yet: the whole equation is wanted", solved=False)
    if chain.sides[0] != exercise.head:
        return Verdict(latex, OTHER, "keep the left side as it is, and mend the right one", solved=False)
    if any(_mentions(one, exercise.head) for one in chain.sides[1:]):
        return Verdict(latex, OTHER, "it says what something is by itself", solved=False)
    return _compared(judged(latex, exercise.given), exercise)


def completed(exercise: Complete, gaps: Sequence[str]) -> Verdict:
    """A formula with its gaps filled.

    Raises:
        MisuseError: if they are too many or too few, or too long.
    """
    if len(gaps) != len(exercise.fillings):
        raise MisuseError(f"there are {len(exercise.fillings)} gaps, and {len(gaps)} answers.")
    fillings = [plain(one) for one in gaps]
    if any(len(one) > LONGEST_GAP for one in fillings):
        raise MisuseError(f"what is filled in has at most {LONGEST_GAP} characters.")
    if not all(fillings):
        return Verdict(exercise.filled(fillings), "nothing", "something is still to be filled in", solved=False)
    if not all(map(is_balanced, fillings)):
        raise MisuseError("a brace is opened and not closed, or closed and not opened.")
    latex = exercise.filled(fillings)
    chain = read(latex)
    if len(chain.relations) != len(read(exercise.right).relations):
        return Verdict(latex, OTHER, "what is filled in is an expression, not an equation", solved=False)
    if any(_mentions(one, chain.sides[0]) for one in chain.sides[1:]):
        return Verdict(latex, OTHER, "it says what something is by itself", solved=False)
    return _compared(judged(latex, exercise.given), exercise)


def _compared(verdict: Verdict, exercise: Misprint | Complete) -> Verdict:
    """A formula that holds solves an exercise if it also says the same: several noises are in use for one sigma, say."""
    if verdict.status != Standing.HOLDS:
        return replace(verdict, solved=False)
    asked, answered = _last_side(exercise.right), _last_side(verdict.latex)
    comparable = judged(f"{asked} = {asked}", exercise.given).status == Standing.HOLDS
    if comparable and judged(f"{asked} = {answered}", exercise.given).status != Standing.HOLDS:
        return replace(
            verdict, status=OTHER, reason="it holds, and is not what is asked for here: it says something else", solved=False
        )
    return replace(verdict, solved=True)


def _last_side(latex: str) -> str:
    last = read(latex).sides[-1]
    return latex[last.start : last.end]


def next_line(exercise: Derive, lines: Sequence[str], latex: str) -> Verdict:
    """A line of a derivation: equal to the one before, and nearer to the goal.

    Args:
        exercise: the derivation.
        lines: the lines so far, after the first.
        latex: the new one, with its sign of equality or without.

    Returns:
        a verdict on the line whose ``more`` says whether it is ``accepted``, ``nearer``, how ``far`` along the way it is, from 0
        to 1, and which statement was ``judged``; it is solved at the goal.

    Raises:
        MisuseError: if a line cannot be read, or there are too many.
    """
    if len(lines) > MOST_LINES:
        raise MisuseError(f"a derivation has at most {MOST_LINES} lines here.")
    latex, before = side(latex), side(lines[-1]) if lines else exercise.start
    chain, was = read(latex), read(before)
    if was.relations:
        raise MisuseError("the line before is no single expression.")
    line, earlier = chain.sides[0], was.sides[0]
    if (why := _unfit(chain, earlier, read(exercise.head).sides[0])) is not None:
        return Verdict(latex, OTHER, why, solved=False, more={"accepted": False, "nearer": False})
    verdict = _equal(exercise, before, latex)
    here, nearer = place(line, exercise.way), place(line, exercise.way) > place(earlier, exercise.way)
    accepted = verdict.status == Standing.HOLDS
    solved = accepted and is_there(line, exercise.way[-1])
    far = 1.0 if solved else min(here[0] / (len(exercise.way) - 1), 0.95)
    more = {"accepted": accepted, "nearer": solved or nearer, "far": far, "judged": verdict.latex}
    return replace(verdict, latex=latex, solved=solved, more=more)


def _equal(exercise: Derive, before: str, latex: str) -> Verdict:
    """Whether two lines are equal: by themselves, or as what the left side stands for."""
    alone = judged(f"{before} = {latex}", exercise.given)
    if alone.status in (Standing.HOLDS, Standing.FAILS):
        return alone
    whole = judged(f"{exercise.head} = {latex}", exercise.given)
    return whole if whole.status in (Standing.HOLDS, Standing.FAILS) else alone


def _unfit(chain: Chain, before: Node, head: Node) -> str | None:
    """Why something is no next line at all, whatever it is equal to."""
    if chain.relations:
        return "write one line: what the left side is equal to next"
    if _mentions(chain, head):
        return "it says what something is by itself"
    return "it is the line before" if chain.sides[0] == before else None


def _mentions(node: Node, head: Node) -> bool:
    return any(one == head for one in walk(node))


def _text(given: dict[str, Any], name: str) -> str:
    if not isinstance(value := given.get(name), str):
        raise MisuseError(f"`{name}` must be a text.")
    return value


def _texts(given: dict[str, Any], name: str) -> list[str]:
    value = given.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MisuseError(f"`{name}` must be a list of texts.")
    return value
