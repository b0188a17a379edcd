"""Are the exercises themselves sound? What is right holds, what is wrong fails, and the named slip is what explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..notes.page import Standing
from ..verdict import MisuseError
from .answers import completed, mended, next_line
from .exercises import Complete, Derive, Exercise, ExerciseSet, Misprint, every
from .verdicts import judged


@dataclass(frozen=True)
class Unsound:
    """What is wrong with an exercise."""

    id: str
    why: str

    def __str__(self) -> str:
        return f"{self.id}: {self.why}"


def unsound(sets: Sequence[ExerciseSet]) -> Iterator[Unsound]:
    """Everything that is wrong with some sets."""
    for exercise in every(sets):
        for why in _faults(exercise):
            yield Unsound(exercise.id, why)


def _faults(exercise: Exercise) -> Iterator[str]:
    for latex in exercise.given:
        status = judged(latex).status
        if status in (Standing.FAILS, "nothing"):
            yield f"what is given is wrong: {latex}"
    try:
        if isinstance(exercise, Misprint):
            yield from _of_misprint(exercise)
        elif isinstance(exercise, Complete):
            if not (verdict := completed(exercise, exercise.fillings)).solved:
                yield f"the answer is not accepted ({verdict.status}): {verdict.reason}"
        elif isinstance(exercise, Derive):
            yield from _of_derivation(exercise)
    except MisuseError as error:
        yield str(error)


def _of_misprint(exercise: Misprint) -> Iterator[str]:
    right, wrong = mended(exercise, exercise.right), judged(exercise.wrong, exercise.given)
    if not right.solved:
        yield f"the right formula is not accepted ({right.status}): {right.reason}"
    if wrong.status != Standing.FAILS:
        yield f"the misprint does not fail ({wrong.status}): {wrong.reason}"
        return
    if not exercise.slip:
        return
    meant = wrong.judged.suggestion if wrong.judged is not None else ()
    if not any(one.slip == exercise.slip and judged(one.latex, exercise.given).status == Standing.HOLDS for one in meant):
        yield f"the slip {exercise.slip} does not explain it; found: {', '.join(one.slip for one in meant) or 'nothing'}"


def _of_derivation(exercise: Derive) -> Iterator[str]:
    first = judged(f"{exercise.head} = {exercise.start}", exercise.given)
    if first.status != Standing.HOLDS:
        yield f"the first line does not hold ({first.status}): {first.reason}"
    lines: list[str] = []
    for k, step in enumerate(exercise.steps, 1):
        verdict = next_line(exercise, lines, step.line)
        if not verdict.more["accepted"]:
            yield f"line {k} does not follow ({verdict.status}): {verdict.reason}"
        elif not verdict.more["nearer"]:
            yield f"line {k} is no nearer to the goal than the one before"
        if verdict.solved != (k == len(exercise.steps)):
            yield f"line {k} is the goal already" if verdict.solved else "the goal is not recognised"
        lines.append(step.line)
