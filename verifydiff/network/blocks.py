r"""What a UNet is made of, for one event of shape (\*grid, channels) at a time.

A residual block adds to what it is given; its last convolution begins at zero, so that a fresh block is the identity:

.. math:: h = W_1\,\phi(n_1(x)), \qquad x' = x + W_2\,\phi\bigl((1 + s_c)\, n_2(h) + b_c\bigr)

with n a group norm, :math:`\phi` SiLU and the scale s_c and shift b_c from the embedding c of the level and the label (the
conditioned norm of Dhariwal & Nichol 2021). Attention adds likewise; it knows no positions, so that whatever permutes the points
of the grid permutes what comes out.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from numpy.random import Generator

from .layers import Convolution, GroupNorm, Linear, silent
from .preset import Padding


class Residual(eqx.Module):
    """A residual block with the conditioned norm."""

    norm_in: GroupNorm
    conv_in: Convolution
    modulation: Linear
    norm_out: GroupNorm
    conv_out: Convolution
    skip: Linear | None

    def __init__(self, c_in: int, c_out: int, embedded: int, padding: Padding, *, rng: Generator) -> None:
        self.norm_in, self.norm_out = GroupNorm(c_in), GroupNorm(c_out)
        self.conv_in = Convolution(c_in, c_out, padding, rng=rng)
        self.modulation = Linear(embedded, 2 * c_out, rng=rng)
        self.conv_out = silent(Convolution(c_out, c_out, padding, rng=rng))
        self.skip = None if c_in == c_out else Linear(c_in, c_out, rng=rng)

    def __call__(self, x: Array, embedding: Array) -> Array:
        r"""x (\*grid, c_in) and the embedding to (\*grid, c_out)."""
        scale, shift = jnp.split(self.modulation(embedding), 2)
        h = self.conv_in(jax.nn.silu(self.norm_in(x)))
        h = self.conv_out(jax.nn.silu(self.norm_out(h, 1 + scale, shift)))
        return h + (x if self.skip is None else self.skip(x))


class Attention(eqx.Module):
    """Every point attends to all of them."""

    norm: GroupNorm
    qkv: Linear
    out: Linear
    heads: int = eqx.field(static=True)

    def __init__(self, channels: int, heads: int, *, rng: Generator) -> None:
        self.norm, self.heads = GroupNorm(channels), heads
        self.qkv = Linear(channels, 3 * channels, rng=rng)
        self.out = silent(Linear(channels, channels, rng=rng))

    def __call__(self, x: Array) -> Array:
        r"""x (\*grid, channels), and the same shape again."""
        points = self.norm(x).reshape(-1, x.shape[-1])
        query, key, value = jnp.split(self.qkv(points).reshape(len(points), 3 * self.heads, -1), 3, axis=1)
        return x + self.out(jax.nn.dot_product_attention(query, key, value).reshape(x.shape))


class Stage(eqx.Module):
    """A residual block, and attention after it where the resolution attends."""

    residual: Residual
    attention: Attention | None

    def __init__(self, c_in: int, c_out: int, embedded: int, padding: Padding, heads: int, *, rng: Generator) -> None:
        self.residual = Residual(c_in, c_out, embedded, padding, rng=rng)
        self.attention = Attention(c_out, heads, rng=rng) if heads else None

    def __call__(self, x: Array, embedding: Array) -> Array:
        r"""x (\*grid, c_in) and the embedding to (\*grid, c_out)."""
        x = self.residual(x, embedding)
        return x if self.attention is None else self.attention(x)
