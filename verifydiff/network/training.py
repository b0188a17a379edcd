"""Training: from where the folder is to the last step, or until time is up, with a checkpoint now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..disk import alone, folder_named
from ..oracles import Oracle
from ..verdict import MisuseError
from .checkpoint import Checkpoint, Plan, Record, newest, refuse_another, save
from .data import Data, classes, data, in_single
from .excess import excess, mean_floor
from .hosts import as_first_says, is_first
from .predictor import native_dtype
from .preset import Preset
from .preset import preset as preset_named
from .run import Run, held
from .step import State, everywhere, initial, mesh, program

SAVE_AFTER = 20.0  # seconds
LOCK = ".lock"


class DivergedError(ArithmeticError):
    """The loss or its gradient is no finite number any more; says since which step, and what is kept."""


def train(
    preset: str | Preset,
    folder: str | PathLike[str],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    batch: int | None = None,
    seed: int | None = None,
    devices: Sequence[jax.Device] | None = None,
    tell: Callable[[Record], None] | None = None,
    save_after: float = SAVE_AFTER,
) -> Run:
    """Train a preset, from where the folder is.

    The same preset, steps, batch and seed give the same weights, however often it is interrupted: bit for bit on the same CPU, on a
    GPU as far as its kernels give the same sum twice.
    Several processes train together where each of them calls this after ``jax.distributed.initialize``, with a folder they share.

    Args:
        preset: one of the presets, or its name.
        folder: where the training is kept; made if it is not there.
        steps: how many in all, over which the learning rate falls; that of the folder, or of the preset, if left out.
        seconds: stop after about so many, to go on another time.
        batch: examples of a step; that of the folder or the preset if left out.
        seed: that of the folder, or 0, if left out.
        devices: which to use; all if left out.
        tell: is told each record as it is made.
        save_after: seconds between checkpoints, about; for each second that the last one took, if it took more than one.

    Raises:
        MisuseError: if the folder holds another training, or cannot be written, or has no name, or another process trains in it; if
            data are missing; if the devices do not divide the batch.
        DivergedError: if the loss or its gradient is no finite number any more; the last checkpoint from before is kept.
    """
    path = _made(folder_named(folder))
    preset = preset_named(preset) if isinstance(preset, str) else preset
    with _alone(path):
        plan, found = _planned(path, preset, steps, batch, seed)
        training = Training(path, plan, data(preset.data), devices, found)
        training.go_on(time.monotonic() + seconds if seconds is not None else None, tell or (lambda record: None), save_after)
    return training.as_run()


class Training:
    """A training under way.

    Args:
        folder: where it is kept.
        plan: what is trained.
        source: on what.
        devices: which to use; None for all.
        found: the checkpoint to go on from, and its arrays; None to begin.
    """

    def __init__(
        self, folder: Path, plan: Plan, source: Data, devices: Sequence[jax.Device] | None, found: tuple[Checkpoint, bytes] | None
    ) -> None:
        over = mesh(devices)
        self.folder, self.plan, self.source = folder, plan, source
        self.program = program(plan.preset, plan.steps, plan.batch, over, native_dtype())
        self.learnt_from = everywhere(in_single(source), over)
        self.floor = mean_floor(plan.preset, source)
        self.excess = excess(plan.preset) if isinstance(source, Oracle) else None
        self.done, state = self._begun() if found is None else (found[0], held(folder, plan, source, found[1]))
        self.state: State = everywhere(state, over)

    def go_on(self, until: float | None, tell: Callable[[Record], None], save_after: float) -> None:
        """Train until the last step or until the clock says so."""
        if self.done.step == self.plan.steps:
            return
        if self.done.step == 0:
            self._save()
        self._advance(0)  # compiles
        saved = lately = time.monotonic()
        longest = cost = 0.0
        while self.done.step < self.plan.steps and as_first_says(until is None or lately + longest < until):
            tell(self._round())
            now = time.monotonic()
            longest, lately = max(longest, now - lately), now
            if now - saved >= save_after * max(1.0, cost):
                self._save()
                saved = lately = time.monotonic()
                cost = saved - now
        self._save()

    def as_run(self) -> Run:
        """The run as it is now."""
        return Run(self.plan, self.source, self.state.average, self.done, self.folder)

    def _round(self) -> Record:
        """Train until the next record."""
        every, started = self.plan.preset.every, time.monotonic()
        count = min(every - self.done.step % every, self.plan.steps - self.done.step)
        losses, norms = self._advance(count)
        self._refuse_infinite(losses, norms)
        step, seconds = self.done.step + count, self.done.seconds + time.monotonic() - started
        record = self._record(step, float(np.mean(losses, dtype=np.float64)), float(np.max(norms)))
        self.done = replace(self.done, step=step, seconds=seconds, history=(*self.done.history, record))
        return record

    def _advance(self, count: int) -> tuple[Any, Any]:
        seed, steps = np.uint32(self.plan.seed), np.int32(count)
        self.state, losses, norms = self.program(self.state, self.learnt_from, seed, steps)
        return np.asarray(losses)[:count], np.asarray(norms)[:count]

    def _record(self, step: int, train_loss: float, gradient: float) -> Record:
        if self.excess is None or self.floor is None:
            return Record(step, train_loss, None, None, None, gradient)
        beyond = float(self.excess(self.state.average, self.learnt_from, np.uint32(self.plan.seed), np.int32(step)))
        return Record(step, train_loss, self.floor + beyond, self.floor, beyond / self.floor, gradient)

    def _refuse_infinite(self, losses: Any, norms: Any) -> None:
        bad = ~(np.isfinite(losses) & np.isfinite(norms))
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            what, number = ("loss", losses[first]) if not np.isfinite(losses[first]) else ("gradient", norms[first])
            raise DivergedError(
                f"the {what} of step {self.done.step + first + 1} is {number}: training has stopped; "
                f"{self.folder} keeps the last checkpoint from before."
            )

    def _begun(self) -> tuple[Checkpoint, State]:
        state = initial(self.plan.preset, classes(self.source), self.plan.steps, self.plan.seed)
        return Checkpoint(self.plan, 0, 0.0, ()), state

    def _save(self) -> None:
        if is_first():
            save(self.folder, self.done, self.state)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MisuseError(f"{folder} cannot be made: {error.strerror}.") from None
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this training, in all its processes, is the only one that may write to the folder."""
    with alone(folder / LOCK) if is_first() else nullcontext(True) as free:
        if not as_first_says(free):
            raise MisuseError(f"{folder} is being trained by another process: wait until it has ended, or train in another folder.")
        yield


def _planned(
    folder: Path, preset: Preset, steps: int | None, batch: int | None, seed: int | None
) -> tuple[Plan, tuple[Checkpoint, bytes] | None]:
    """What is to be trained: what is left out is as the folder has it, and then as the preset has it."""
    found = newest(folder)
    usual = Plan(preset, preset.steps, preset.batch, 0) if found is None else replace(found[0].plan, preset=preset)
    plan = Plan(
        preset,
        usual.steps if steps is None else _positive("steps", steps),
        usual.batch if batch is None else _positive("batch", batch),
        usual.seed if seed is None else seed,
    )
    if found is not None:
        refuse_another(folder, found[0].plan, plan)
    return plan, found


def _positive(name: str, number: int) -> int:
    if number < 1:
        raise MisuseError(f"`{name}` must be at least 1, got {number}.")
    return number
