"""What is timed of JAX: a training as ``verifydiff train`` runs it, and the loop of a sampler in one program."""

from __future__ import annotations

import re
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from verifydiff.compiling import options
from verifydiff.network.data import classes, in_single
from verifydiff.network.objective import eps_of
from verifydiff.network.predictor import computing_in, native_dtype, predictions
from verifydiff.network.step import everywhere, initial, mesh, program
from verifydiff.network.unet import UNet
from verifydiff.samplers import DDIM, sample, spaced

from . import rates
from .speed import SEED, Task

TO_THE_HOST = re.compile(
    r"(?:\s(infeed|outfeed|send|recv)\(|custom_call_target=\"([^\"]*(?:callback|host)[^\"]*)\")", re.IGNORECASE
)
LOOP = re.compile(r"\swhile\(")
TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')


class Side:
    """JAX, on one device."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def training(self) -> Training:
        """A training, compiled."""
        return Training(self._task)

    def sampling(self, steps: int) -> Sampling:
        """A loop of so many steps, compiled."""
        return Sampling(self._task, steps)

    def rates(self, scale: rates.Scale) -> dict[str, Any]:
        """What the device does at best."""
        return rates.of_jax(scale)


class Training:
    """A training on one device."""

    def __init__(self, task: Task) -> None:
        preset, over = task.preset, mesh(jax.devices()[:1])
        self.most, self._before = preset.every, peak()
        self._program = program(preset, preset.steps, task.batch, over, native_dtype())
        self._source = everywhere(in_single(task.source), over)
        self._state = everywhere(initial(preset, classes(task.source), preset.steps, SEED), over)
        began = time.perf_counter()
        self.steps(0)
        self._compile_seconds = time.perf_counter() - began

    def steps(self, count: int) -> Any:
        """The losses of so many steps, up to ``most``, when all is done."""
        self._state, losses, _ = jax.block_until_ready(self._program(self._state, self._source, np.uint32(SEED), np.int32(count)))
        return np.asarray(losses)[:count]

    def facts(self) -> dict[str, Any]:
        """Beside the time of a step. The most memory is only known if it was this training that took it."""
        found = peak()
        known = found is not None and (self._before is None or found > self._before)
        return {"compile_seconds": self._compile_seconds, "peak_bytes": found if known else None}


class Sampling:
    """DDIM without noise, from noise to the data: the network in the dtype of the device, the states in float32."""

    def __init__(self, task: Task, steps: int) -> None:
        preset, levels = task.preset, spaced(task.preset.noising.abar, steps)
        self._given = jax.tree.map(jnp.asarray, (computing_in(native_dtype(), task.roused), task.noise, task.label))

        def drawn(network: UNet, x_T: Array, label: Array | None) -> Array:
            def eps(x_t: Array, abar: Array) -> Array:
                return eps_of(preset.prediction, abar, predictions(network, x_t, jnp.full(len(x_t), abar), label), x_t)

            return sample(DDIM(0.0), eps, x_T, levels, key=jax.random.key(SEED))

        began = time.perf_counter()
        self._compiled = jax.jit(drawn, compiler_options=options()).lower(*self._given).compile()
        self._compile_seconds = time.perf_counter() - began

    def __call__(self) -> Any:
        """The events."""
        return np.asarray(self._compiled(*self._given))

    def facts(self) -> dict[str, Any]:
        """Beside the time of a run: of its program, and the memory that was planned for it, weights and all."""
        return {
            "compile_seconds": self._compile_seconds,
            "program": loop(self._compiled.as_text()),
            "planned_bytes": planned(self._compiled.memory_analysis()),
        }


def loop(compiled: str) -> dict[str, Any]:
    """Of the text of a compiled program: how often each loop runs, None where that is not known, and what asks the host."""
    asking = sorted({one or other for one, other in TO_THE_HOST.findall(compiled)})
    trips = [TRIPS.search(line) for line in compiled.splitlines() if LOOP.search(line)]
    return {"trip_counts": [None if found is None else int(found[1]) for found in trips], "asks_the_host": asking}


def planned(analysis: Any) -> int | None:
    """Bytes: what is given, what is answered and what is needed in between."""
    if analysis is None:
        return None
    parts = ("argument", "output", "temp", "generated_code")
    return sum(getattr(analysis, f"{part}_size_in_bytes") for part in parts)


def peak() -> int | None:
    """The most bytes that were in use since the process began; None where the device does not say."""
    stats = jax.devices()[0].memory_stats()
    return None if stats is None else stats.get("peak_bytes_in_use")
