"""What this device does at best: products of random matrices, and copies, measured in the run that they are held against.

A product is of normal numbers: a device that saves power computes zeros faster. A copy is a sum with one, its bytes those that are
read and those that are written. After some runs that warm up, the median of many is told.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Scale(NamedTuple):
    """How much is computed.

    Attributes:
        side: of the matrices.
        dtype: of the matrices.
        copied: bytes that are read, and as many written.
        runs: that are waited for at once.
        times: how often.
    """

    side: int
    dtype: str
    copied: int
    runs: int
    times: int


ON_GPU = Scale(8192, "bfloat16", 2**28, 10, 20)
ON_CPU = Scale(512, "float32", 2**25, 4, 10)


def of_jax(scale: Scale) -> dict[str, Any]:
    """By XLA."""
    rng = np.random.default_rng(0)
    left, right = (jnp.asarray(rng.standard_normal((scale.side,) * 2, np.float32), scale.dtype) for _ in range(2))
    long = jnp.asarray(rng.standard_normal(scale.copied // 4, np.float32))
    product, copy = jax.jit(jnp.matmul), jax.jit(lambda x: x + 1)
    return told(
        scale,
        median(lambda: product(left, right), jax.block_until_ready, scale),
        median(lambda: copy(long), jax.block_until_ready, scale),
    )


def of_torch(scale: Scale, device: Any) -> dict[str, Any]:
    """By PyTorch, where it has CUDA."""
    import torch

    dtype = getattr(torch, scale.dtype)
    left, right = (torch.randn((scale.side,) * 2, device=device).to(dtype) for _ in range(2))
    long = torch.randn(scale.copied // 4, device=device)

    def waited(_: torch.Tensor) -> None:
        torch.cuda.synchronize(device)

    return told(scale, median(lambda: left @ right, waited, scale), median(lambda: long + 1, waited, scale))


def told(scale: Scale, product: float, copy: float) -> dict[str, Any]:
    """Operations and bytes a second, and of what."""
    return {
        "side": scale.side,
        "dtype": scale.dtype,
        "products": 2 * scale.side**3 / product,
        "copied": scale.copied,
        "copies": 2 * scale.copied / copy,
    }


def median(run: Callable[[], Any], wait: Callable[[Any], Any], scale: Scale) -> float:
    """Seconds of one run."""
    seconds = []
    for i in range(3 + scale.times):
        began = time.perf_counter()
        for _ in range(scale.runs):
            last = run()
        wait(last)
        if i >= 3:
            seconds.append((time.perf_counter() - began) / scale.runs)
    return statistics.median(seconds)
