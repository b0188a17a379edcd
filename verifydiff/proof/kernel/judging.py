"""The verdict of the second referee on many pages."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from ...verdict import EXIT_FAILED, EXIT_OK, MisuseError
from ..proving import Proofs
from .coq import Coq, Told, check, find
from .export import Batch, Export, Site, export
from .names import PRELUDE


@dataclass(frozen=True, slots=True)
class Refusal:
    """A claim that Coq does not accept.

    Attributes:
        site: where it stands.
        lemma: its name in the export.
        message: what Coq says, in a line.
    """

    site: Site
    lemma: str
    message: str


@dataclass(frozen=True, slots=True)
class Referee:
    """What Coq says of the claims of many pages.

    Attributes:
        coq: which Coq.
        checked: where the claims stand that it has checked.
        not_algebraic: where those stand that were not put to it, and why.
        failed: those that it has refused.
        lemmas: how many lemmas these came to.
        seconds: how long it took.
    """

    coq: Coq
    checked: tuple[Site, ...]
    not_algebraic: tuple[tuple[Site, str], ...]
    failed: tuple[Refusal, ...]
    lemmas: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 if a claim was refused, else 0."""
        return EXIT_FAILED if self.failed else EXIT_OK

    def as_json(self, page: str) -> dict[str, Any]:
        """What it says of one page, as plain values."""
        return {
            "checked": sum(site.page == page for site in self.checked),
            "not_algebraic": sum(site.page == page for site, _ in self.not_algebraic),
            "failed": [_plain(one) for one in self.failed if one.site.page == page],
        }


def judge(proofs: Proofs, coq: Coq | None = None, keep: Path | None = None, tell: Told | None = None) -> Referee:
    """Put every proved algebraic claim to Coq.

    Args:
        proofs: the pages.
        coq: the Coq; else the one on PATH.
        keep: a folder that is to hold the exported files.
        tell: called with how many lemmas are done, and how many there are.

    Raises:
        MisuseError: if there is no Coq, or the folder cannot be written.
    """
    coq, began = coq or find(), perf_counter()
    found = export(proofs.claims)
    batches = found.batches()
    if keep is not None:
        _keep(batches, keep)
    with tempfile.TemporaryDirectory(prefix="verifydiff-coq-", ignore_cleanup_errors=True) as folder:
        refused = check(coq, batches, Path(folder), tell)
    return _verdict(coq, found, refused, perf_counter() - began)


def folder(path: str) -> Path:
    """The folder for the exported files, made if it is missing; refused before any work is done.

    Raises:
        MisuseError: if it cannot be made.
    """
    try:
        place = Path(path).resolve()
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MisuseError(f"--kernel-out {path[:80]} cannot be made a folder: {reason[:80]}.") from None
    return place


def _keep(batches: list[Batch], place: Path) -> None:
    try:
        shutil.copyfile(PRELUDE, place / PRELUDE.name)
        for batch in batches:
            (place / f"{batch.name}.v").write_text(batch.source()[0], encoding="ascii")
    except OSError as error:
        raise MisuseError(f"--kernel-out {place} cannot be written: {error.strerror}.") from None


def _verdict(coq: Coq, found: Export, refused: dict[str, str], seconds: float) -> Referee:
    checked = tuple(site for lemma in found.lemmas if lemma.name not in refused for site in lemma.sites)
    failed = tuple(
        Refusal(site, lemma.name, refused[lemma.name]) for lemma in found.lemmas if lemma.name in refused for site in lemma.sites
    )
    return Referee(coq, checked, found.left_out, failed, len(found.lemmas), seconds)


def _plain(one: Refusal) -> dict[str, Any]:
    return {
        "step": one.site.step,
        "because": one.site.because,
        "statement": one.site.statement,
        "lemma": one.lemma,
        "message": one.message,
    }
