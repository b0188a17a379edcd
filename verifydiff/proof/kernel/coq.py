"""Coq itself: finding it, and putting files of lemmas to it.

A lemma counts as checked when Coq has accepted a file that holds it, to the end, and has said that nothing in the file rests
on more than the axioms of its real numbers. Where it refuses a file, the lemma it stops at has failed, what stands after
that is put to it again at once, and what stands before it at the end, with all else that is in want of a whole file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from ...verdict import MisuseError
from .export import LIBRARY, Batch, Lemma
from .names import PRELUDE

AXIOMS = frozenset(
    {"sig_forall_dec", "sig_not_dec", "functional_extensionality_dep", "classic", "completeness", "total_order_T", "archimed"}
)
"""What Coq's real numbers rest on, in this version or another; a proof that rests on anything else is refused."""

SECONDS_A_FILE = 900.0
MOST_A_FILE = 120
FILES_A_PROCESS = 4
PAUSE = 0.02
MISSING = "--kernel coq needs Coq: install Debian's package `coq` (apt-get install coq), or put a `coqc` on PATH."

Refused = dict[str, str]
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Coq:
    """A Coq that can be run.

    Attributes:
        command: what compiles a file.
        name, version: as it calls itself.
    """

    command: tuple[str, ...]
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find() -> Coq:
    """The Coq on PATH, or its successor Rocq.

    Raises:
        MisuseError: if there is none that says which version it is.
    """
    for command in (("coqc",), ("rocq", "c")):
        program = shutil.which(command[0])
        if program is None:
            continue
        try:
            said = subprocess.run([program, *command[1:], "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - the program that is asked for
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            continue
        if found := re.search(r"The (Coq|Rocq)\b.*?version (\d[\w.+~-]*)", said.stdout):
            return Coq((program, *command[1:]), found[1], found[2])
    raise MisuseError(MISSING)


def check(coq: Coq, batches: list[Batch], folder: Path, tell: Told | None = None) -> Refused:
    """Put the lemmas to Coq; returns those it refuses, by name, each with what it says in a line.

    Args:
        coq: the Coq.
        batches: the lemmas.
        folder: an empty folder to work in.
        tell: called with how many lemmas are done, and how many there are.

    Raises:
        MisuseError: if this Coq does not accept the lemmas that all files lean on.
    """
    shutil.copyfile(PRELUDE, folder / PRELUDE.name)
    with _running(coq, folder, PRELUDE.stem) as prelude:
        while not prelude.done:
            sleep(PAUSE)
    if prelude.message:
        raise MisuseError(f"{coq} does not accept {PRELUDE.name}, which comes with verifydiff: {prelude.message}")
    return _Desk(coq, folder, _together(batches), tell).cleared()


def _together(batches: list[Batch]) -> list[Batch]:
    """Neighbouring batches as one file each, as long as there stay files enough for all processes.

    To begin, to load the real numbers and to list what a file rests on takes Coq 1.5 s a file, as long as some ten lemmas.
    """
    most = min(MOST_A_FILE, sum(len(batch.lemmas) for batch in batches) // (FILES_A_PROCESS * _processes()))
    joined: list[Batch] = []
    for batch in batches:
        if joined and len(joined[-1].lemmas) + len(batch.lemmas) <= most:
            joined[-1] = Batch(joined[-1].name, joined[-1].lemmas + batch.lemmas)
        else:
            joined.append(batch)
    return joined


class _Desk:
    """The files that are waiting for Coq, and those that it is at."""

    def __init__(self, coq: Coq, folder: Path, batches: list[Batch], tell: Told | None) -> None:
        self.coq, self.folder, self.tell = coq, folder, tell
        self.waiting = list(batches)
        self.at: list[tuple[Batch, list[int], _Run]] = []
        self.refused: Refused = {}
        self.unconfirmed: list[Lemma] = []  # Coq went past them, in a file that it did not accept
        self.total, self.done, self.again = sum(len(batch.lemmas) for batch in batches), 0, 0

    def cleared(self) -> Refused:
        try:
            while self.waiting or self.at or self.unconfirmed:
                if not self.waiting and not self.at:
                    self._again(self.unconfirmed)
                    self.unconfirmed = []
                while self.waiting and len(self.at) < _processes():
                    self._start(self.waiting.pop(0))
                sleep(PAUSE)
                for one in [one for one in self.at if one[2].done]:
                    self.at.remove(one)
                    self._finish(*one)
        finally:
            for _, _, run in self.at:
                run.end()
        return self.refused

    def _start(self, batch: Batch) -> None:
        source, begins = batch.source()
        (self.folder / f"{batch.name}.v").write_text(source, encoding="ascii")
        self.at.append((batch, begins, _Run(self.coq, self.folder, batch.name)))

    def _finish(self, batch: Batch, begins: list[int], run: _Run) -> None:
        message = run.message or run.beyond_the_reals()
        if not message:
            self._count(len(batch.lemmas))
        elif len(batch.lemmas) == 1:
            self._refuse(batch, 0, message)
        elif (line := run.line) is not None and line > begins[0] and run.message:
            place = max(place for place, begin in enumerate(begins) if begin < line)
            self._refuse(batch, place, message)
            self.unconfirmed += batch.lemmas[:place]
            self._again(batch.lemmas[place + 1 :])
        else:
            half = len(batch.lemmas) // 2
            self._again(batch.lemmas[:half])
            self._again(batch.lemmas[half:])

    def _refuse(self, batch: Batch, place: int, message: str) -> None:
        self.refused[batch.lemmas[place].name] = message
        self._count(1)

    def _again(self, lemmas: Sequence[Lemma]) -> None:
        if lemmas:
            self.again += 1
            self.waiting.insert(0, Batch(f"once_more__{self.again}", tuple(lemmas)))

    def _count(self, lemmas: int) -> None:
        self.done += lemmas
        if self.tell:
            self.tell(self.done, self.total)


class _Run:
    """One file put to Coq."""

    def __init__(self, coq: Coq, folder: Path, name: str) -> None:
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        self._compiled = folder / f"{name}.vo"
        self._until = monotonic() + SECONDS_A_FILE
        self._late = False
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 - the program that is asked for
                [*coq.command, "-q", "-w", "-all", "-R", ".", LIBRARY, f"{name}.v"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    @property
    def done(self) -> bool:
        """Whether Coq has come to an end, or was brought to it."""
        if self._process.poll() is not None:
            return True
        if monotonic() > self._until:
            self._late = True
            self.end()
        return self._late

    def end(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def message(self) -> str:
        """What Coq has against the file, in a line; empty if it has accepted it."""
        if self._process.returncode == 0 and self._compiled.is_file():
            return ""
        if self._late:
            return f"no answer after {SECONDS_A_FILE:g} s"
        said = self._err.read_text(encoding="utf-8", errors="replace")
        words = " ".join(said.rpartition("Error:")[2].split())
        return words[:300] or f"coqc ended with exit code {self._process.returncode}"

    @property
    def line(self) -> int | None:
        """The line that Coq stopped at."""
        found = re.findall(r'^File "[^"\n]*", line (\d+)', self._err.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        return int(found[-1]) if found else None

    def beyond_the_reals(self) -> str:
        """What the file rests on that is no axiom of Coq's real numbers, as a message; empty if there is none."""
        said = self._out.read_text(encoding="utf-8", errors="replace")
        if "Closed under the global context" in said:
            return ""
        if "Axioms:" not in said:
            return "coqc did not say what the proofs rest on"
        names = re.findall(r"^([A-Za-z_][\w.']*)\s*(?::|$)", said.partition("Axioms:")[2], re.MULTILINE)
        beyond = sorted(name for name in names if name.rpartition(".")[2] not in AXIOMS)
        return f"it rests on {', '.join(beyond)}" if beyond else ""


@contextmanager
def _running(coq: Coq, folder: Path, name: str) -> Iterator[_Run]:
    run = _Run(coq, folder, name)
    try:
        yield run
    finally:
        run.end()


def _processes() -> int:
    return max(1, min(4, os.cpu_count() or 1))
