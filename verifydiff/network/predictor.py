r"""A network as a predictor of batches: events of a law in, predictions out.

The network takes one event of shape (\*grid, 1); a law's events are grids. Weights are float32. Where there is a GPU it is trained
in bfloat16, with a copy of them; what it answers afterwards is computed from the float32 weights.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from numpy.random import Generator

from .preset import Preset
from .unet import UNet

CHANNELS = 1


def fresh(preset: Preset, classes: int | None, rng: Generator) -> UNet:
    """An untrained network of a preset."""
    return UNet(preset.size, CHANNELS, classes, rng=rng)


def predictions(network: UNet, x_t: Array, abar: Array, label: Array | None) -> Array:
    r"""Of a batch: x_t (n, \*grid), abar (n,), label (n,) or None."""
    one = jax.vmap(network, in_axes=(0, 0, None if label is None else 0))
    return one(x_t[..., None], abar, label)[..., 0]


def computing_in(dtype: Any, network: UNet) -> UNet:
    """The network with its matrices rounded to a dtype, in which it then computes; numbers of single channels stay as they are."""
    rounded: UNet = jax.tree.map(lambda leaf: leaf.astype(dtype) if leaf.ndim > 1 else leaf, network)
    return rounded


def native_dtype() -> Any:
    """bfloat16 on a GPU, float32 elsewhere."""
    return jnp.bfloat16 if jax.default_backend() == "gpu" else jnp.float32
