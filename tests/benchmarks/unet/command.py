"""The command: its arguments, the parts one after the other, and a record after each of them."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import jax
import numpy as np
from records import record, write

from verifydiff.network.data import classes
from verifydiff.network.predictor import native_dtype
from verifydiff.network.preset import Preset
from verifydiff.network.preset import preset as preset_named
from verifydiff.network.unet import parameters
from verifydiff.verdict import MisuseError

from . import ours, profile, rates, tables, work
from .speed import SEED, LateError, Results, Task, Watch, failure, sampling, training

NAME = "tests.benchmarks.unet"
JAX, TORCH = "jax", "torch"
PROFILED = 5  # steps
MOST = 10**7
OK, FAILED, MISUSED = 0, 1, 2


class Parser(argparse.ArgumentParser):
    """One that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Say it."""
        raise MisuseError(f"{message}.")


def parser() -> Parser:
    """The arguments."""
    found = Parser(prog=f"python -m {NAME}", description="The UNet in JAX and its twin in PyTorch, side by side.")
    found.add_argument("preset", metavar="PRESET", help="what is trained")
    found.add_argument("--batch", type=int, metavar="N", help="examples of a step (default: the preset's)")
    found.add_argument("--rounds", type=int, default=5, metavar="N", help="beside the one that warms up (default: %(default)s)")
    found.add_argument("--sampling-batch", type=int, default=1024, metavar="N", help="sampled at once (default: %(default)s)")
    found.add_argument("--steps", default="50,1000", metavar="S,...", help="of sampling, one run for each (default: %(default)s)")
    found.add_argument("--seconds", type=float, default=300.0, metavar="S", help="for all that is timed (default: %(default)g)")
    found.add_argument("--only", choices=(JAX, TORCH), help="time one side alone")
    found.add_argument("--profile", action="store_true", help="look into some steps of JAX's training, kernel by kernel")
    found.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, help="whether PyTorch compiles its network (default: on a GPU)"
    )
    found.add_argument("--json", type=Path, metavar="FILE", help="write a record, anew after each part")
    return found


def main(told: Sequence[str] | None = None) -> int:
    """Measure; 0 if all went well, 1 if the networks do not agree or a part failed, 2 if the command was misused."""
    try:
        return Command(parser().parse_args(told)).run()
    except MisuseError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return MISUSED


class Command:
    """What was asked for, and what has been found so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments, preset = arguments, preset_named(arguments.preset)
        self._steps = numbers_of_steps(arguments.steps, preset)
        refuse_nonsense(arguments)
        self._torch = find_spec("torch") is not None
        names = (JAX, TORCH) if arguments.only is None else (arguments.only,)
        if TORCH in names and not self._torch:
            raise MisuseError("PyTorch is not installed; --only jax goes without.")
        self._task = task = Task.of(preset, arguments.batch or preset.batch, arguments.sampling_batch)
        self._sides = {name: self._side(name) for name in names}
        self._best: float | None = None
        self._results: Results = {
            "preset": preset.name,
            "size": asdict(preset.size),
            "grid": task.source.event_shape,
            "classes": classes(task.source),
            "parameters": parameters(task.network),
            "dtype": np.dtype(native_dtype()).name,
            "flops": {"forward": task.flops, "training_step": work.PASSES * task.flops},
        }

    def run(self) -> int:
        """All parts; what it comes to."""
        self._keep()
        if not self._agree():
            return FAILED
        arguments, task, sides = self._arguments, self._task, self._sides
        watch = Watch(time.perf_counter() + arguments.seconds)
        if "best" in (found := self._part("rates", lambda: self._rates(watch))):
            self._best = found["best"]
        self._part("training", lambda: training(sides, task, arguments.rounds, self._best, watch))
        for steps in self._steps:
            self._part(
                f"sampling_{steps}",
                lambda steps=steps: sampling(sides, task, steps, arguments.rounds, self._best, watch, self._pace()),
            )
        if arguments.profile:
            self._part("profile", lambda: profile.profile(ours.Training(task), PROFILED))
        print(tables.summary(self._results))
        return FAILED if any("failed" in one for one in tables.leaves(self._results)) else OK

    def _side(self, name: str) -> Any:
        if name == JAX:
            return ours.Side(self._task)
        from .theirs import Side

        side = Side(self._task, compiling=self._arguments.compile)
        if (side.device.type == "cuda") != (jax.default_backend() == "gpu"):
            raise MisuseError(f"PyTorch runs on {side.device.type} and JAX on {jax.default_backend()}: nothing would be compared.")
        return side

    def _agree(self) -> bool:
        """Whether the two networks do; where there is no PyTorch, nobody asks."""
        if not self._torch:
            self._part("agreement", lambda: {"left_out": "PyTorch is not installed."})
            return True
        from .agreement import DisagreementError, agreement
        from .theirs import device
        from .twin import twin_of

        network = self._task.roused
        try:
            found = agreement(network, twin_of(network).to(device()), self._task.source.event_shape, SEED)
        except DisagreementError as error:
            self._results["agreement"] = {"failed": str(error)}
            self._keep()
            print(f"{NAME}: nothing is timed: {error}", file=sys.stderr)
            return False
        self._part("agreement", lambda: found)
        return True

    def _part(self, name: str, measured: Callable[[], Results]) -> Results:
        """Measure, keep, and print it; if it fails, or there is no time for it, the reason stands in its place."""
        try:
            found = measured()
        except LateError as late:
            found = {"left_out": str(late)}
        except Exception as error:
            found = failure(error)
        self._results[name] = found
        gc.collect()
        self._keep()
        print(tables.part(name, found), flush=True)
        return found

    def _keep(self) -> None:
        if (place := self._arguments.json) is None:
            return
        try:
            write(record(f"UNet {self._task.preset.name}, JAX beside PyTorch", self._results, seed=SEED), place)
        except OSError as error:
            raise MisuseError(f"{place} cannot be written: {error.strerror}.") from None

    def _rates(self, watch: Watch) -> Results:
        watch.refuse()
        scale = rates.ON_GPU if jax.default_backend() == "gpu" else rates.ON_CPU
        found = {name: told for name, side in self._sides.items() if (told := side.rates(scale)) is not None}
        return found | {"best": max(one["products"] for one in found.values())} if found else {"left_out": "only JAX tells."}

    def _pace(self) -> dict[str, float]:
        """Of each side, what one pass over one event took last."""
        parts = [part for name, part in self._results.items() if name == "training" or name.startswith("sampling_")]
        return {name: part[name]["pass_seconds"] for part in parts for name in self._sides if "pass_seconds" in part.get(name, {})}


def numbers_of_steps(told: str, preset: Preset) -> list[int]:
    """Of sampling.

    Raises:
        MisuseError: if they are none, or more than there are times.
    """
    parts = told.split(",")
    if not all(one.isdecimal() and 1 <= int(one) <= preset.timesteps for one in parts):
        raise MisuseError(
            f"--steps must be whole numbers from 1 to {preset.timesteps}, with commas between them, got {told[:60]!r}."
        )
    return [int(one) for one in parts]


def refuse_nonsense(arguments: argparse.Namespace) -> None:
    """Say what cannot be meant.

    Raises:
        MisuseError: if anything cannot.
    """
    for name in ("batch", "rounds", "sampling_batch"):
        number = getattr(arguments, name)
        if number is not None and not 1 <= number <= MOST:
            raise MisuseError(f"--{name.replace('_', '-')} must lie between 1 and {MOST:,}, got {number}.")
    if not (isfinite(arguments.seconds) and arguments.seconds > 0):
        raise MisuseError(f"--seconds must be positive, got {arguments.seconds:g}.")
