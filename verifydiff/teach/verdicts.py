"""A learner's formula, judged as a formula of notes is: after what is given, and with the same knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import RLock
from typing import Any

from ..notes.page import Judged, Span, Standing
from ..notes.parser import parse
from ..notes.statements import judge
from ..notes.tokens import NotUnderstoodError
from ..verdict import MisuseError

SECONDS = 30.0
"""How long a formula may wait for those before it: one is judged at a time."""

MOST_RELATIONS = 10
"""Each takes a bounded time, and whoever comes after waits for all of them."""

NOTHING = "nothing"  # nothing is stated that could be judged
_WORST_FIRST = (Standing.FAILS, Standing.NOT_UNDERSTOOD, Standing.NOTATION, Standing.DEFINITION, Standing.HOLDS)
_TURN = RLock()


class BusyError(RuntimeError):
    """Others are before, and it takes too long."""


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    Attributes:
        latex: the formula that was judged.
        status: that of notes, or ``nothing``.
        reason: a sentence.
        solved: whether it does what was asked; None where nothing was asked.
        judged: what the judge of notes said, of the statement that decides.
        more: what else the page shows.
    """

    latex: str
    status: str
    reason: str
    solved: bool | None = None
    judged: Judged | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        plain: dict[str, Any] = {"latex": self.latex, "status": str(self.status), "reason": self.reason}
        if self.judged is not None and self.judged.counterexample is not None:
            plain["counterexample"] = self.judged.counterexample
        if self.solved is not None:
            plain["solved"] = self.solved
        return plain | self.more


def judged(latex: str, given: Sequence[str] = ()) -> Verdict:
    """What the judge of notes says of a formula, of its worst statement if there are several.

    Raises:
        BusyError: if other formulas take too long.
    """
    if _relations(latex) > MOST_RELATIONS:
        return Verdict(latex, Standing.NOT_UNDERSTOOD, f"at most {MOST_RELATIONS} equations are judged at a time")
    with turn():
        statements = _judged(tuple(given), latex)
    if not statements:
        return Verdict(latex, NOTHING, "it states nothing yet: an equation says that two things are equal")
    worst = min(statements, key=lambda one: _WORST_FIRST.index(one.status))
    return Verdict(latex, worst.status, worst.reason, judged=worst)


class turn:  # noqa: N801 - reads as the words it stands for: with turn()
    """One formula at a time: the judge's caches are shared.

    Raises:
        BusyError: if it does not come to this one in time.
    """

    def __enter__(self) -> None:
        if not _TURN.acquire(timeout=SECONDS):
            raise BusyError("other formulas are being judged; try again in a moment.")

    def __exit__(self, *_: object) -> None:
        _TURN.release()


def _relations(latex: str) -> int:
    try:
        return sum(len(chain.relations) for chain in parse(latex))
    except (NotUnderstoodError, RecursionError):
        return 0  # the judge says why


@lru_cache(maxsize=1024)
def _judged(given: tuple[str, ...], latex: str) -> tuple[Judged, ...]:
    spans = [Span(line, one, display=True) for line, one in enumerate((*given, latex), 1)]
    return tuple(one for one in judge(spans) if one.span.line == len(spans))


def checked_given(lines: Any) -> tuple[str, ...]:
    """What a page says is given.

    Raises:
        MisuseError: unless these are a few formulas.
    """
    if (
        not isinstance(lines, (list, tuple))
        or len(lines) > 12
        or not all(isinstance(one, str) and len(one) <= 500 for one in lines)
    ):
        raise MisuseError("what is given is at most 12 formulas of at most 500 characters each.")
    return tuple(one for one in lines if one.strip())
