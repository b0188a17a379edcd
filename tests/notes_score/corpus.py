"""The corpus: pages of right formulas, and the misprints of `slips.toml`, each planted in its page alone."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from verifydiff.notes.documents import Document, Statement, read_text, statements
from verifydiff.notes.documents.file import KINDS

CORPUS = Path(__file__).parents[1] / "notes" / "corpus"
RIGHT = CORPUS / "right"
PAGES = tuple(sorted(path.name for path in RIGHT.iterdir()))


@dataclass(frozen=True)
class Slip:
    """A misprint.

    Attributes:
        page: where it is planted.
        slip: its id in the catalogue; empty where the catalogue has none.
        right, wrong: what the page says, and what it says then.
    """

    page: str
    slip: str
    right: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.page}: {self.slip or 'unnamed'}: {self.right} -> {self.wrong}"


@cache
def slips() -> tuple[Slip, ...]:
    """All misprints."""
    table = tomllib.loads((CORPUS / "slips.toml").read_text(encoding="utf-8"))
    return tuple(Slip(page, *row) for page, rows in table.items() for row in rows)


@cache
def text(page: str) -> str:
    """A page as it stands in the file."""
    return (RIGHT / page).read_text(encoding="utf-8")


def document(page: str, slip: Slip | None = None) -> Document:
    """A page as it is read, with a misprint planted or without.

    Raises:
        ValueError: if what is right does not stand on the page exactly once.
    """
    raw = text(page)
    if slip is not None:
        right, wrong = slip.right, slip.wrong
        if page.endswith(".ipynb"):
            right, wrong = (json.dumps(piece, ensure_ascii=False)[1:-1] for piece in (right, wrong))
        if raw.count(right) != 1:
            raise ValueError(f"{slip} stands {raw.count(right)} times on its page.")
        raw = raw.replace(right, wrong)
    return read_text(raw, page, KINDS[Path(page).suffix])


def stated(page: str, slip: Slip | None = None) -> list[Statement]:
    """What a page states."""
    return statements(document(page, slip))
