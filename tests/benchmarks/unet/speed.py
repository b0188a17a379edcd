"""How long training and sampling take, side by side.

In a round the sides take turns, and ratios are taken within it, so that a busy machine slows both; the median over the rounds is
told. The first round warms up, and counts only where there was no time for another.
"""

from __future__ import annotations

import statistics
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from verifydiff.network.data import Data, classes, data
from verifydiff.network.predictor import fresh
from verifydiff.network.preset import Preset
from verifydiff.network.unet import UNet

from . import work

BLOCK = 2.0  # seconds of training that are timed at once
SEED = 0

Results = dict[str, Any]


class LateError(Exception):
    """There is no time for a part; says how much it would take."""


class Task(NamedTuple):
    r"""What all sides do.

    Attributes:
        preset: what is trained.
        source: on what.
        network: to begin with.
        roused: the network that is compared and sampled from, none of its weights zero.
        batch: examples of a step.
        noise: what is sampled from, (n, \*grid).
        label: (n,) of what is sampled; None where there are none.
    """

    preset: Preset
    source: Data
    network: UNet
    roused: UNet
    batch: int
    noise: Any
    label: Any

    @classmethod
    def of(cls, preset: Preset, batch: int, sampling_batch: int) -> Task:
        """With random weights and noise."""
        source, rng = data(preset.data), np.random.default_rng(SEED)
        count = classes(source)
        network = fresh(preset, count, np.random.default_rng(SEED))
        noise = rng.standard_normal((sampling_batch, *source.event_shape)).astype(np.float32)
        label = None if count is None else (np.arange(sampling_batch) % count).astype(np.int32)
        return cls(preset, source, network, roused(network, SEED), batch, noise, label)

    @property
    def flops(self) -> int:
        """Of one pass of the network over one event."""
        return work.forward(self.preset.size, self.source.event_shape)


@dataclass
class Watch:
    """Says what there is time for.

    Attributes:
        until: when time is up.
    """

    until: float

    def left(self) -> float:
        """Seconds."""
        return self.until - time.perf_counter()

    def refuse(self, needed: float = 0.0) -> None:
        """Begin nothing that takes longer.

        Raises:
            LateError: if there is no time for it.
        """
        if (left := self.left()) < needed or left <= 0:
            about = f"about {needed:.1f} s would be needed, and " if needed else ""
            raise LateError(f"{about}{max(0.0, left):.0f} s are left.")


def roused(network: UNet, seed: int) -> UNet:
    """The network with every weight moved, so that none is silent and none is as it began; its answers are of order one."""
    rng = np.random.default_rng(seed)

    def moved(leaf: jax.Array) -> jax.Array:
        fan_in = np.prod(leaf.shape[:-1]) if leaf.ndim > 1 else 100
        return leaf + jnp.asarray(rng.normal(0, fan_in**-0.5, leaf.shape), leaf.dtype)

    return jax.tree.map(moved, network)


def training(sides: Mapping[str, Any], task: Task, rounds: int, best: float | None, watch: Watch) -> Results:
    """Blocks of steps, waited for."""
    watch.refuse()
    found, made = each(sides, lambda side: side.training())
    losses: dict[str, float | None] = {}

    def timed(name: str, steps: int) -> float:
        began = time.perf_counter()
        told = made[name].steps(steps)
        taken = (time.perf_counter() - began) / steps
        losses[name] = finite(np.mean(told, dtype=np.float64))
        return taken

    def block(name: str) -> int:
        timed(name, 1)
        return max(1, min(made[name].most, round(BLOCK / timed(name, 1))))

    failed, blocks = each({name: name for name in made}, block)
    late, taken = take_turns({name: lambda name=name: timed(name, blocks[name]) for name in blocks}, rounds, watch)
    found |= failed | late
    for name, seconds in taken.items():
        pace = told(seconds, task.batch, work.PASSES * task.flops, work.PASSES, best)
        found[name] = {"steps_of_a_block": blocks[name], **pace, "loss": losses[name], **made[name].facts()}
    return {"batch": task.batch, **found, **ratio(found)}


def sampling(
    sides: Mapping[str, Any], task: Task, steps: int, rounds: int, best: float | None, watch: Watch, pace: Mapping[str, float]
) -> Results:
    """DDIM in so many steps; ``pace`` is what one pass over one event takes, where that is known."""
    expected = sum(pace.get(name, 0.0) * len(task.noise) * steps for name in sides)
    watch.refuse(expected)
    found, made = each(sides, lambda side: side.sampling(steps))
    watch.refuse(expected)
    ends: dict[str, Any] = {}

    def timed(name: str) -> float:
        began = time.perf_counter()
        ends[name] = made[name]()
        return time.perf_counter() - began

    failed, taken = take_turns({name: lambda name=name: timed(name) for name in made}, rounds, watch)
    found |= failed
    for name, seconds in taken.items():
        found[name] = told(seconds, len(task.noise), steps * task.flops, steps, best) | made[name].facts()
    return {"batch": len(task.noise), "steps": steps, **found, **ratio(found), **distance(ends)}


def each(sides: Mapping[str, Any], make: Callable[[Any], Any]) -> tuple[Results, dict[str, Any]]:
    """What every side makes; where one fails, the reason, and the others go on."""
    failed, made = {}, {}
    for name, side in sides.items():
        try:
            made[name] = make(side)
        except Exception as error:
            failed[name] = failure(error)
    return failed, made


def failure(error: Exception) -> Results:
    """What went wrong; all of it goes to standard error."""
    traceback.print_exception(error)
    return {"failed": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"}


def take_turns(
    runs: Mapping[str, Callable[[], float]], rounds: int, watch: Watch
) -> tuple[dict[str, Results], dict[str, list[float]]]:
    """Which sides have failed, and of the others the seconds of every round.

    One round more than asked for, since the first warms up; fewer when time is up.
    """
    failed, seconds = dict[str, Results](), {name: list[float]() for name in runs}
    longest = 0.0
    for _ in range(rounds + 1):
        began = time.perf_counter()
        late, taken = each({name: runs[name] for name in seconds}, lambda run: run())
        failed |= late
        seconds = {name: [*seconds[name], one] for name, one in taken.items()}
        longest = max(longest, time.perf_counter() - began)
        if watch.left() < longest:
            break
    return failed, seconds


def counted(seconds: list[float]) -> list[float]:
    """The rounds that count."""
    return seconds[1:] or seconds


def told(seconds: list[float], events: int, flops: int, passes: int, best: float | None) -> Results:
    """The median of the rounds and what follows from it, for so many events, each of so many operations in so many passes."""
    median = statistics.median(counted(seconds))
    return {
        "seconds": seconds,
        "median": median,
        "events_per_second": events / median,
        "flops_per_second": events * flops / median,
        "utilisation": None if best is None else events * flops / median / best,
        "pass_seconds": median / events / passes,
    }


def ratio(found: Results) -> Results:
    """PyTorch's seconds over JAX's, within each round, and the median."""
    if any("seconds" not in found.get(name, {}) for name in ("jax", "torch")):
        return {}
    ratios = [two / one for one, two in zip(*(counted(found[name]["seconds"]) for name in ("jax", "torch")), strict=True)]
    return {"torch_over_jax": {"rounds": ratios, "median": statistics.median(ratios)}}


def distance(ends: dict[str, Any]) -> Results:
    """How far the two ends of the same noise are apart, relatively."""
    if len(ends) < 2:
        return {}
    one, two = (end.astype(np.float64) for end in ends.values())
    return {"ends_apart": finite(np.linalg.norm(one - two) / np.linalg.norm(one))}


def finite(number: Any) -> float | None:
    """A number that a record can hold."""
    return float(number) if np.isfinite(number) else None
