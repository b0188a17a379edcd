"""The sums of a score, and where ``docs/notes.md`` tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from verifydiff.notes.page import Standing

from .scoring import Outcome, all_judged

PAGE = Path(__file__).parents[2] / "docs" / "notes.md"
TOLD = re.compile(r"Of \d+ right formulas .*?stands first\.", re.DOTALL)


@dataclass(frozen=True)
class Sums:
    """How the judge fares.

    Attributes:
        right: right formulas.
        understood: how many of them were understood.
        accused: how many of them were called wrong.
        misprints: planted misprints.
        found: how many of them were called wrong.
        first: for how many the right correction stands first.
    """

    right: int
    understood: int
    accused: int
    misprints: int
    found: int
    first: int

    @classmethod
    def of(cls, pages: Iterable[str], results: Sequence[Outcome]) -> Sums:
        """The sums over pages and misprints."""
        statuses = [one.status for page in pages for one in all_judged(page)]
        return cls(
            len(statuses),
            len(statuses) - statuses.count(Standing.NOT_UNDERSTOOD),
            statuses.count(Standing.FAILS),
            len(results),
            sum(result.found for result in results),
            sum(result.found and result.place == 0 for result in results),
        )

    def __str__(self) -> str:
        return (
            f"Of {self.right} right formulas {self.understood} are understood ({self.understood / max(self.right, 1):.0%}) and "
            f"{self.accused or 'none'} called wrong.\nOf {self.misprints} misprints {self.found} are called wrong "
            f"({self.found / max(self.misprints, 1):.0%}), and for {self.first} ({self.first / max(self.misprints, 1):.0%}) "
            "the right correction stands first."
        )


def told() -> str:
    """What the page says."""
    found = TOLD.search(PAGE.read_text(encoding="utf-8"))
    return found[0] if found else ""


def write(sums: Sums) -> None:
    """Put the sums into the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TOLD.sub(lambda _: str(sums), text), encoding="utf-8")
