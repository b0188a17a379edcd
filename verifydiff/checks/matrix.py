"""A whole library: every sampler that it has, over the options that matter.

The order of convergence is measured once for every method, since a grid, a prediction type or a table of betas leaves it as it is:
on the first configuration, or, where that one does not run at all, on the first that does.
"""

from __future__ import annotations

import gc
import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..observe.libraries import LIBRARIES
from ..observe.listed import Listed
from ..observe.once import remembering
from ..observe.resolve import resolve
from ..surroundings import rare_collections, standard_output_kept, unchanged
from ..verdict import Finding, MisuseError, Status
from .allow import Allowed
from .check import check
from .report import LibraryReport, Report
from .workers import LostError, Workers

GRACE = 10.0
"""Seconds past its time limit after which a target's process is ended."""
Progress = Callable[[int, int, Report], None]
"""``progress(done, of, report)``, after every target."""


@dataclass(frozen=True)
class Piece:
    """One target of a library.

    Attributes:
        listed: the target.
        converge: whether its order is measured.
        seed, timeout, allow: as of :func:`~verifydiff.checks.check.check`.
    """

    listed: Listed
    converge: bool
    seed: int
    timeout: float
    allow: tuple[Allowed, ...]


def check_library(
    library: str,
    *,
    only: Callable[[Listed], bool] = lambda listed: True,
    jobs: int = 1,
    seed: int = 0,
    timeout: float = 120.0,
    allow: tuple[Allowed, ...] = (),
    progress: Progress = lambda done, of, report: None,
) -> LibraryReport:
    """Judge all that a library has.

    Args:
        library: ``"diffusers"``, ``"k_diffusion"`` or ``"azula"``.
        only: which of its targets are judged.
        jobs: how many processes share the work; each imports the library.
        seed: seeds the probe, and is handed to the samplers.
        timeout: seconds for each target.
        allow: known deviations that are kept on purpose.
        progress: is told of every target that is done.

    Returns:
        the reports, in the library's order. Interrupted by Ctrl-C, those that are there, and how many are missing.

    Raises:
        MisuseError: if there is no such library, or it is not installed.
    """
    if library not in LIBRARIES:
        raise MisuseError(f"no library is called {library!r}: give {', '.join(LIBRARIES)}.")
    done: dict[int, Report] = {}
    with Workers(judge, jobs, timeout + GRACE, within=partial(in_a_row, library), alike=_alike) as workers:
        pieces = list(_pieces(library, only, seed, timeout, allow))
        try:
            for i, came in workers.results(pieces):
                done[i] = _told(pieces[i], came)
                progress(len(done), len(pieces), done[i])
            again = _unmeasured(pieces, done)
            for j, came in workers.results([replace(pieces[i], converge=True) for i in again]) if again else ():
                done[again[j]] = _told(pieces[again[j]], came)
        except KeyboardInterrupt:
            pass  # what is there is kept, and what is missing is said
    reports = tuple(done[i] for i in sorted(done))
    return LibraryReport(library, _version(library), reports, missing=len(pieces) - len(reports))


def _pieces(library: str, only: Callable[[Listed], bool], seed: int, timeout: float, allow: tuple[Allowed, ...]) -> Iterator[Piece]:
    seen: set[str] = set()
    for listed in LIBRARIES[library].everything():
        if only(listed):
            yield Piece(listed, _method(listed) not in seen, seed, timeout, allow)
            if listed.reason is None:
                seen.add(_method(listed))


def _method(listed: Listed) -> str:
    return listed.method or str(listed)


def _unmeasured(pieces: list[Piece], done: dict[int, Report]) -> list[int]:
    """Of every method whose order was to be measured where it does not run, the first configuration that does."""
    runs = {i: any(f.check == "behaviour" and f.status is Status.PASS for f in report.findings) for i, report in done.items()}
    asked = {i: _method(piece.listed) for i, piece in enumerate(pieces) if piece.converge}
    lost = {asked[i] for i in asked if not runs[i]} - {asked[i] for i in asked if runs[i]}
    first: dict[str, int] = {}
    for i, piece in enumerate(pieces):
        if runs[i] and _method(piece.listed) in lost:
            first.setdefault(_method(piece.listed), i)
    return list(first.values())


def _alike(before: Piece, piece: Piece) -> bool:
    """Whether two targets differ in their number of steps alone: much of what the one takes is there when the other one comes."""
    return replace(before.listed, steps=None) == replace(piece.listed, steps=None)


@contextmanager
def in_a_row(library: str) -> Iterator[None]:
    """A process that judges one target of a library after another: the library is imported, and what is made once is kept."""
    with rare_collections(), remembering():
        with standard_output_kept(), unchanged(), suppress(Exception):  # what is wrong with it is said by who lists it
            next(LIBRARIES[library].everything(), None)
        gc.freeze()  # the million objects of a large library, none of which is garbage, are not looked through for it any more
        yield


def judge(piece: Piece) -> Report:
    """The report of one target; whatever the library does, it ends in one."""
    listed = piece.listed
    name = str(listed)
    if listed.reason is not None:
        return _unjudged(name, Finding("options", Status.NOT_APPLICABLE, f"not judged: {listed.reason}."))
    with standard_output_kept(), unchanged():
        try:
            target = resolve(listed.target, steps=listed.steps, eta=listed.eta, config=dict(listed.config))
            report = check(target, seed=piece.seed, timeout=piece.timeout, allow=piece.allow, converge=piece.converge)
        except MisuseError as error:
            clear = getattr(error, "clearly", True)
            status = Status.NOTE if clear else Status.FAIL
            return _unjudged(
                name, Finding("options", status, f"the library {'refuses' if clear else 'stumbles over'} these options: {error}")
            )
    return light(replace(report, target=name))


def _unjudged(name: str, finding: Finding) -> Report:
    return Report(name, "not observed", (finding,))


def _told(piece: Piece, came: Report | LostError) -> Report:
    """The report that came of a piece, or the one on its process."""
    if isinstance(came, LostError):
        return _unjudged(str(piece.listed), Finding("behaviour", Status.INCONCLUSIVE, f"{came}."))
    return came


def light(report: Report) -> Report:
    """The report with the details of its findings as plain values, which another process and a page can be handed."""
    return replace(
        report,
        findings=tuple(
            replace(f, details={key: value for key, value in f.details.items() if _is_plain(value)}) for f in report.findings
        ),
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, str | int | float)


def _version(library: str) -> str:
    return importlib.metadata.version(LIBRARIES[library].distribution)
