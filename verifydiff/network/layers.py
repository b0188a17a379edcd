r"""The layers of a UNet, for one event of shape (\*grid, channels) at a time.

Weights are float32, and drawn by NumPy, since JAX would compile a program for every shape. A layer computes in the dtype of what it
is given; a norm in float32 at least.

A convolution is a matrix product of the 3 x 3 neighbourhoods of all points,

.. math:: y_n = \sum_{\delta \in \{-1, 0, 1\}^2} W_\delta^\top x_{n + \delta} + b,

and on a CPU it is computed as one: XLA's own convolutions are not threaded there inside a compiled loop, and took ten times as
long. On large grids, where nine copies of the grid do not stay in the cache, it is a product of the three neighbours in a row with
the weights of all three rows, whose parts are then added: on 28 x 28 points that takes half the time. Elsewhere it is left to XLA,
which knows the accelerator's.
"""

from __future__ import annotations

from math import gcd, sqrt
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.random import Generator

from .preset import Padding

SIDE = 3
MOST_GROUPS = 8
LARGE = 8  # points a side, from which on a grid is convolved row by row
NUMPY_PADDING = {"zeros": "constant", "circular": "wrap"}

Layer = TypeVar("Layer", bound=eqx.Module)


class Linear(eqx.Module):
    """An affine map of the last axis, the weights uniform within one over the root of ``c_in``."""

    weight: Array
    bias: Array

    def __init__(self, c_in: int, c_out: int, *, rng: Generator) -> None:
        self.weight, self.bias = uniform(rng, (c_in, c_out), c_in), constant(0, c_out)

    def __call__(self, x: Array) -> Array:
        r"""(\*any, c_in) to (\*any, c_out)."""
        return plus(x @ self.weight.astype(x.dtype), self.bias)


class Convolution(eqx.Module):
    """3 x 3, on a torus or with zeros around; it keeps the grid, or with stride 2 halves it."""

    weight: Array
    bias: Array
    padding: Padding = eqx.field(static=True)
    stride: int = eqx.field(static=True)

    def __init__(self, c_in: int, c_out: int, padding: Padding, *, rng: Generator, stride: int = 1) -> None:
        self.weight, self.bias = uniform(rng, (SIDE, SIDE, c_in, c_out), SIDE**2 * c_in), constant(0, c_out)
        self.padding, self.stride = padding, stride

    def __call__(self, x: Array) -> Array:
        r"""(\*grid, c_in) to (\*grid, c_out)."""
        wide = jnp.pad(x, ((1, 1), (1, 1), (0, 0)), NUMPY_PADDING[self.padding])
        on_cpu = by_rows if min(x.shape[:2]) >= LARGE else as_product
        convolved = on_cpu if jax.default_backend() == "cpu" else as_convolution
        return plus(convolved(wide, self.weight.astype(x.dtype), self.stride), self.bias)


class GroupNorm(eqx.Module):
    """Mean 0 and variance 1 over the grid and each of eight groups of channels (fewer where they do not divide); then scaled."""

    scale: Array
    shift: Array
    groups: int = eqx.field(static=True)

    def __init__(self, channels: int) -> None:
        self.scale, self.shift = constant(1, channels), constant(0, channels)
        self.groups = gcd(channels, MOST_GROUPS)

    def __call__(self, x: Array, gain: Array | float = 1.0, offset: Array | float = 0.0) -> Array:
        r"""(\*grid, channels), and that shape again; at the end times ``gain`` plus ``offset``, (channels,) or a number each."""
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        mean, variance = self._moments(wide)
        slope = jax.lax.rsqrt(variance + 1e-5) * self.scale.astype(wide.dtype) * gain
        normed = (wide - along(mean, wide)) * along(slope, wide)
        return plus(normed, self.shift.astype(wide.dtype) * gain + offset).astype(x.dtype)

    def _moments(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of each group, (channels,) each.

        One pass over the grid sums both, about the value of each channel at one of the points: about zero, a mean that is large
        beside the deviation would cost digits. In exact arithmetic it does not matter which point, so no derivatives go through
        it; in float32 one that lies a hundred deviations off costs two digits.
        """
        pivot = jax.lax.stop_gradient(x[0, 0])
        apart = x - along(pivot, x)
        first, second = (jnp.mean(power, axis=(0, 1)) for power in (apart, apart**2))
        mean = self._shared(pivot + first)
        return mean, self._shared(second - first**2 + (pivot + first - mean) ** 2)

    def _shared(self, channels: Array) -> Array:
        """The mean over each group, told to all its channels."""
        means = channels.reshape(self.groups, -1).mean(axis=1, keepdims=True)
        return jnp.broadcast_to(means, (self.groups, channels.size // self.groups)).reshape(channels.shape)


def silent(layer: Layer) -> Layer:
    """The layer with all its weights zero."""
    zero: Layer = jax.tree.map(lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype)), layer)
    return zero


def doubled(x: Array) -> Array:
    """Every point of the grid four times."""
    return x.repeat(2, axis=0).repeat(2, axis=1)


def folded(x: Array, patch: int) -> Array:
    r"""(\*grid, channels) to a grid of patches, the points of each its channels."""
    rows, columns, channels = x.shape
    cut = x.reshape(rows // patch, patch, columns // patch, patch, channels)
    return cut.swapaxes(1, 2).reshape(rows // patch, columns // patch, patch**2 * channels)


def unfolded(x: Array, patch: int) -> Array:
    """The way back."""
    rows, columns, channels = x.shape
    cut = x.reshape(rows, columns, patch, patch, channels // patch**2)
    return cut.swapaxes(1, 2).reshape(rows * patch, columns * patch, channels // patch**2)


def as_product(wide: Array, weight: Array, stride: int) -> Array:
    """The convolution of a grid that has been padded, as a product of matrices."""
    rows, columns = (range(0, side - SIDE + 1, stride)[-1] + 1 for side in wide.shape[:2])
    shifted = [wide[i : i + rows : stride, j : j + columns : stride] for i in range(SIDE) for j in range(SIDE)]
    return jnp.concatenate(shifted, axis=-1) @ weight.reshape(-1, weight.shape[-1])


def by_rows(wide: Array, weight: Array, stride: int) -> Array:
    """The same as a sum of three parts, a third of the memory to and fro, and some more products at the edge."""
    rows, columns = (range(0, side - SIDE + 1, stride)[-1] + 1 for side in wide.shape[:2])
    across = jnp.concatenate([wide[:, j : j + columns : stride] for j in range(SIDE)], axis=-1)
    given = across @ weight.transpose(1, 2, 0, 3).reshape(SIDE * weight.shape[2], -1)  # to the row below, its own, the one above
    below, own, above = (part[i : i + rows : stride] for i, part in enumerate(jnp.split(given, SIDE, axis=-1)))
    return below + own + above


def as_convolution(wide: Array, weight: Array, stride: int) -> Array:
    """The same by XLA."""
    names = jax.lax.conv_dimension_numbers((1, *wide.shape), weight.shape, ("NHWC", "HWIO", "NHWC"))
    return jax.lax.conv_general_dilated(wide[None], weight, (stride, stride), "VALID", dimension_numbers=names)[0]


def plus(x: Array, bias: Array) -> Array:
    """The bias added to each channel."""
    return x + along(bias, x)


def along(channels: Array, x: Array) -> Array:
    """A number for each channel, shaped and typed to go with x."""
    return channels.astype(x.dtype).reshape((1,) * (x.ndim - 1) + channels.shape)


def uniform(rng: Generator, shape: tuple[int, ...], fan_in: int) -> Array:
    """Float32 within one over the root of the number of inputs."""
    return jnp.asarray(rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(sqrt(fan_in)))


def constant(number: float, channels: int) -> Array:
    """Float32."""
    return jnp.asarray(np.full(channels, number, np.float32))
