"""Work shared out over processes, where a piece of it may hang or take its process down.

Each process is handed one piece at a time. One that does not answer in time is ended, and none of the others is: its piece is lost,
and a fresh process goes on with the rest.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class LostError(Exception):
    """The process that had a piece did not answer; the message says how it ended."""


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    piece: int | None = None
    since: float = 0.0
    mine: list[int] = field(default_factory=list)


class Workers(Generic[Piece, Result]):
    """Processes that each apply one function to pieces.

    Args:
        function: of a module, since a fresh process imports it.
        jobs: how many processes.
        limit: seconds that one piece may take, besides what a fresh process needs to get ready.
        ready: further seconds for the first piece of a process, which imports what it needs.
        within: of a module too; a process does all its pieces within the context that it makes.
        alike: whether a piece goes to the process that had the one before it.
    """

    def __init__(
        self,
        function: Callable[[Piece], Result],
        jobs: int,
        limit: float,
        ready: float = 60.0,
        *,
        within: Callable[[], AbstractContextManager[Any]] = nullcontext,
        alike: Callable[[Piece, Piece], bool] = lambda before, piece: False,
    ) -> None:
        self.function, self.jobs, self.limit, self.ready, self.within, self.alike = function, jobs, limit, ready, within, alike
        self._workers: list[_Worker] = []

    def __enter__(self) -> Workers[Piece, Result]:
        """Start the processes, which get ready while the caller finds out what there is to do."""
        self._workers = [self._started() for _ in range(self.jobs)]
        return self

    def __exit__(self, *error: object) -> None:
        """End all processes."""
        while self._workers:
            _end(self._workers.pop())

    def results(self, pieces: Sequence[Piece]) -> Iterator[tuple[int, Result | LostError]]:
        """(number of the piece, what came of it), as they come; a piece whose process was lost gives the error that says so.

        When the caller stops taking results, all processes are ended.
        """
        left = self._groups(pieces)[::-1]
        workers = self._workers = self._workers or [self._started() for _ in range(min(self.jobs, len(left)))]
        try:
            for worker in workers:
                self._hand(worker, left, pieces)
            while any(worker.piece is not None for worker in workers):
                for i, worker in enumerate(workers):
                    if worker.piece is None:
                        continue
                    came = self._came(worker)
                    if came is None:
                        continue
                    yield worker.piece, came
                    if isinstance(came, LostError):
                        _end(worker)
                        workers[i] = self._started() if left or worker.mine else worker
                        workers[i].piece, workers[i].mine = None, worker.mine
                    self._hand(workers[i], left, pieces)
                wait([worker.pipe for worker in workers if worker.piece is not None], timeout=0.5)
        finally:
            self.__exit__()

    def _groups(self, pieces: Sequence[Piece]) -> list[list[int]]:
        """Numbers of pieces that go to one process, one after the other."""
        groups: list[list[int]] = []
        for i, piece in enumerate(pieces):
            if i and self.alike(pieces[i - 1], piece):
                groups[-1].append(i)
            else:
                groups.append([i])
        return groups

    def _started(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(self.function, self.within, theirs), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, since=time.monotonic() + self.ready)

    def _hand(self, worker: _Worker, left: list[list[int]], pieces: Sequence[Piece]) -> None:
        if not worker.mine and left:
            worker.mine = left.pop()
        worker.piece = worker.mine.pop(0) if worker.mine else None
        if worker.piece is not None:
            worker.since = max(time.monotonic(), worker.since)  # a fresh one is still getting ready
            with suppress(OSError):  # it has ended: the answer will say so
                worker.pipe.send(pieces[worker.piece])

    def _came(self, worker: _Worker) -> Result | LostError | None:
        """What came of a worker's piece; None while it is at work."""
        try:
            if worker.pipe.poll():
                worker.since = 0.0
                return worker.pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError):
            worker.process.join(5)
            return LostError(f"its process ended with exit code {worker.process.exitcode}")
        if time.monotonic() - worker.since > self.limit:
            return LostError(f"it did not end within {self.limit:g} s, and its process was ended")
        return None


def _end(worker: _Worker) -> None:
    """End a process: one that waits for its next piece by itself, when nobody is there to ask any more; any other at once."""
    worker.pipe.close()
    if worker.piece is None and not worker.since:
        worker.process.join(5)
    worker.process.kill()
    worker.process.join(5)


def _serve(function: Callable[[Any], Any], within: Callable[[], AbstractContextManager[Any]], pipe: Connection) -> None:
    """What a process does: one piece after the other, until nobody asks any more."""
    import signal

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the processes share the cores out, and what is computed is small
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that hands out the pieces
    with within(), suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(function(pipe.recv()))
