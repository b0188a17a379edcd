r"""The UNet (Ronneberger et al. 2015), as a function of the state, the level and the label.

On the way down residual blocks alternate with halvings of the grid, and every result is kept; on the way up each block is given,
beside what came from below, the result of its own resolution. The last convolution begins at zero: a fresh network answers 0,
which as a prediction of :math:`v` is :math:`\hat\epsilon = \sqrt{1 - \bar\alpha}\,x_t`, the best that any number times x_t can
say of data with variance one.

The level enters as its log-SNR, :math:`\lambda = \log \bar\alpha / (1 - \bar\alpha)`, so that any level can be asked for, not only
those of a table; beyond :math:`|\lambda| = 20` all are one.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.random import Generator

from ..verdict import MisuseError
from .blocks import Attention, Residual, Stage
from .layers import Convolution, GroupNorm, Linear, doubled, folded, silent, unfolded, uniform
from .preset import Size

MOST_LOG_SNR = 20.0
LONGEST, SHORTEST = 4 * MOST_LOG_SNR, 1.0  # periods in log-SNR


class Condition(eqx.Module):
    """The embedding of the level and, where there are classes, of the label."""

    first: Linear
    second: Linear
    labels: Array | None
    width: int = eqx.field(static=True)

    def __init__(self, size: Size, embedded: int, classes: int | None, *, rng: Generator) -> None:
        self.width = size.width
        self.first = Linear(size.width, embedded, rng=rng)
        self.second = Linear(embedded, embedded, rng=rng)
        self.labels = None if classes is None else uniform(rng, (classes + 1, embedded), 1)

    def __call__(self, abar: Array, label: Array | None) -> Array:
        """(embedded,)."""
        told = waves(log_snr(abar), self.width).astype(self.first.weight.dtype)
        embedding = self.second(jax.nn.silu(self.first(told)))
        return jax.nn.silu(embedding if self.labels is None else embedding + self.labels[label])


class Descent(eqx.Module):
    """One resolution on the way down; at the end the grid is halved, unless this is the last."""

    stages: list[Stage]
    halve: Convolution | None

    def __init__(self, size: Size, level: int, c_in: int, embedded: int, *, rng: Generator) -> None:
        c, last = widths(size)[level], level == len(size.multipliers) - 1
        c_ins = [c_in] + [c] * (size.blocks - 1)
        self.stages = [_stage(size, level, one, embedded, rng=rng) for one in c_ins]
        self.halve = None if last else Convolution(c, c, size.padding, rng=rng, stride=2)

    def __call__(self, h: Array, embedding: Array) -> tuple[Array, list[Array]]:
        """What goes on down, and what is kept for the way up: the input and the result of every block."""
        kept = [h]
        for stage in self.stages:
            kept.append(stage(kept[-1], embedding))
        return (kept[-1] if self.halve is None else self.halve(kept[-1])), kept


class Ascent(eqx.Module):
    """One resolution on the way up; at the end the grid is doubled, unless it is whole."""

    stages: list[Stage]
    double: Convolution | None

    def __init__(self, size: Size, level: int, below: int, beside: list[int], embedded: int, *, rng: Generator) -> None:
        c = widths(size)[level]
        c_ins = [one + other for one, other in zip([below] + [c] * (len(beside) - 1), beside, strict=True)]
        self.stages = [_stage(size, level, one, embedded, rng=rng) for one in c_ins]
        self.double = None if level == 0 else Convolution(c, c, size.padding, rng=rng)

    def __call__(self, h: Array, beside: list[Array], embedding: Array) -> Array:
        """What comes from below and, for each block, what was kept on the way down."""
        for stage, kept in zip(self.stages, beside, strict=True):
            h = stage(jnp.concatenate([h, kept], axis=-1), embedding)
        return h if self.double is None else self.double(doubled(h))


class UNet(eqx.Module):
    r"""A network from a state, a level and a label to a prediction.

    Args:
        size: its shape.
        channels: of an event.
        classes: how many labels there are; None for a network that takes none.
        rng: draws the weights.
    """

    condition: Condition
    enter: Convolution
    descents: list[Descent]
    middle: tuple[Residual, Attention, Residual]
    ascents: list[Ascent]
    last_norm: GroupNorm
    leave: Convolution
    classes: int | None = eqx.field(static=True)
    patch: int = eqx.field(static=True)

    def __init__(self, size: Size, channels: int, classes: int | None, *, rng: Generator) -> None:
        c, embedded, levels = widths(size), 4 * size.width, range(len(size.multipliers))
        entering, below = [size.width, *c[:-1]], [*c[1:], c[-1]]
        self.classes = classes
        self.condition = Condition(size, embedded, classes, rng=rng)
        patched = size.patch**2 * channels
        self.patch = size.patch
        self.enter = Convolution(patched, size.width, size.padding, rng=rng)
        self.last_norm, self.leave = GroupNorm(c[0]), silent(Convolution(c[0], patched, size.padding, rng=rng))
        self.descents = [Descent(size, i, entering[i], embedded, rng=rng) for i in levels]
        self.middle = _middle(size, c[-1], embedded, rng=rng)
        self.ascents = [
            Ascent(size, i, below[i], [c[i]] * size.blocks + [entering[i]], embedded, rng=rng) for i in reversed(levels)
        ]

    def __call__(self, x_t: Array, abar: Array, label: Array | None = None) -> Array:
        r"""The prediction at one state, computed in the dtype of the weights and answered in that of x_t.

        Args:
            x_t: (\*grid, channels), each side of the grid divisible by two once for every halving.
            abar: a number.
            label: a whole number below ``classes``; ``classes`` itself, or None, for no label.

        Raises:
            MisuseError: if the grid cannot be halved so often, or a label is given where there are no classes.
        """
        label = self._label(label)
        self._refuse_odd(x_t.shape[:-1])
        embedding = self.condition(abar, label)
        h, kept = self.enter(folded(x_t.astype(embedding.dtype), self.patch)), []
        for descent in self.descents:
            h, results = descent(h, embedding)
            kept.append(results)
        before, attention, after = self.middle
        h = after(attention(before(h, embedding)), embedding)
        for ascent in self.ascents:
            h = ascent(h, kept.pop()[::-1], embedding)
        return unfolded(self.leave(jax.nn.silu(self.last_norm(h))), self.patch).astype(x_t.dtype)

    def _label(self, label: Array | None) -> Array | None:
        if self.classes is None and label is not None:
            raise MisuseError("this network was trained without labels, and takes none.")
        return jnp.asarray(self.classes) if self.classes is not None and label is None else label

    def _refuse_odd(self, grid: tuple[int, ...]) -> None:
        halvings = len(self.descents) - 1
        if any(side % (self.patch * 2**halvings) for side in grid):
            patches = "" if self.patch == 1 else f"cut into patches of {self.patch} x {self.patch} and "
            raise MisuseError(f"a grid of {grid} cannot be {patches}halved {halvings} times.")


def widths(size: Size) -> list[int]:
    """Channels at each resolution."""
    return [size.width * multiplier for multiplier in size.multipliers]


def log_snr(abar: Array) -> Array:
    """The logarithm of signal over noise, held within what the network tells apart."""
    return jnp.clip(jnp.log(abar) - jnp.log1p(-abar), -MOST_LOG_SNR, MOST_LOG_SNR)


def waves(number: Array, count: int) -> Array:
    """(count,): cosines and sines of the number, their periods in geometric progression."""
    turns = jnp.asarray(2 * np.pi / np.geomspace(LONGEST, SHORTEST, count // 2), number.dtype) * number
    return jnp.concatenate([jnp.cos(turns), jnp.sin(turns)])


def parameters(network: UNet) -> int:
    """How many numbers the network learns."""
    return sum(leaf.size for leaf in jax.tree.leaves(network))


def _stage(size: Size, level: int, c_in: int, embedded: int, *, rng: Generator) -> Stage:
    heads = size.heads if level in size.attention else 0
    return Stage(c_in, widths(size)[level], embedded, size.padding, heads, rng=rng)


def _middle(size: Size, c: int, embedded: int, *, rng: Generator) -> tuple[Residual, Attention, Residual]:
    return (
        Residual(c, c, embedded, size.padding, rng=rng),
        Attention(c, size.heads, rng=rng),
        Residual(c, c, embedded, size.padding, rng=rng),
    )
