"""How a training is shown: as it goes, at its end, as JSON."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from .. import __version__

if TYPE_CHECKING:
    from ..network import Record, Run


class Progress:
    """Tells each record in a line.

    Args:
        console: where.
        name: what is trained.
        folder: where it is kept.
    """

    def __init__(self, console: Console, name: str, folder: Path) -> None:
        self._console, self._last = console, time.monotonic()
        console.print(f"training {name} in {folder}; compiling first ...", markup=False, soft_wrap=True)

    def __call__(self, record: Record) -> None:
        """Tell one."""
        now = time.monotonic()
        self._console.print(f"  step {record.step:>6,}   {said(record)}   {now - self._last:.1f} s", markup=False, soft_wrap=True)
        self._last = now


def said(record: Record) -> str:
    """Loss against floor, in words."""
    if record.loss is None or record.floor is None or record.excess is None:
        return f"loss {record.train_loss:.4f}"
    return f"loss {record.loss:.4f}, floor {record.floor:.4f}, excess {100 * record.excess:.2f} %"


def show(run: Run, console: Console) -> None:
    """What has come of it."""
    end = f": {said(run.history[-1])}" if run.history else ""
    console.print(f"{run.preset.name}, {run.step:,} of {run.plan.steps:,} steps{end}", markup=False, soft_wrap=True)
    if run.step < run.plan.steps:
        console.print(f"  time was up; the same command goes on from step {run.step:,}", markup=False, soft_wrap=True)
    for name in run.checkpoint.passed_over:
        console.print(f"  {name} was not whole: what came before it was gone on from", markup=False, soft_wrap=True)
    took = f"{run.checkpoint.seconds:.0f} s of training"
    console.print(f"  {run.parameters:,} parameters, {took}, kept in {run.folder}", markup=False, soft_wrap=True)


def told(run: Run) -> dict[str, Any]:
    """The run as JSON."""
    return {
        "preset": run.preset.name,
        "version": __version__,
        "plan": run.plan.told(),
        "parameters": run.parameters,
        "step": run.step,
        "seconds": run.checkpoint.seconds,
        "folder": str(run.folder),
        "history": [asdict(record) for record in run.history],
    }
