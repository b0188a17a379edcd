r"""The UNet of :mod:`verifydiff.network` in PyTorch: the same mathematics, written as one would write it there.

Tensors are (n, channels, \*grid), with the channels last in memory. Modules and what they hold are called as in the other network,
so that its weights find their places by name.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import jax
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the name it goes by)

from verifydiff.network.layers import MOST_GROUPS, SIDE
from verifydiff.network.preset import Padding, Size
from verifydiff.network.unet import LONGEST, MOST_LOG_SNR, SHORTEST, widths
from verifydiff.network.unet import UNet as JaxUNet

CALLED = {"scale": "weight", "shift": "bias", "labels": "labels.weight", "double": "smooth"}
"""What is called otherwise; ``double`` is a method of every module here."""


class OnTorus(nn.Conv2d):
    """A convolution of a torus, 3 x 3.

    It is joined to itself by hand: PyTorch's own circular padding gives up the order in memory, and takes one more pass over it
    when it is compiled.
    """

    def forward(self, x: Tensor) -> Tensor:
        r"""(n, c_in, \*grid)."""
        wide = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)
        return super().forward(torch.cat([wide[..., -1:, :], wide, wide[..., :1, :]], dim=-2))


class Residual(nn.Module):
    """A residual block with the conditioned norm."""

    def __init__(self, c_in: int, c_out: int, embedded: int, padding: Padding) -> None:
        super().__init__()
        self.norm_in, self.norm_out = group_norm(c_in), group_norm(c_out)
        self.conv_in, self.conv_out = convolution(c_in, c_out, padding), convolution(c_out, c_out, padding)
        self.modulation = nn.Linear(embedded, 2 * c_out)
        self.skip = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """x and the embedding (n, embedded)."""
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.norm_out(self.conv_in(F.silu(self.norm_in(x))))
        h = self.conv_out(F.silu((1 + scale) * h + shift))
        return h + self.skip(x)


class Attention(nn.Module):
    """Every point attends to all of them."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm, self.heads = group_norm(channels), heads
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape again."""
        points = self.norm(x).flatten(2).transpose(1, 2)
        told = self.qkv(points).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        heard = F.scaled_dot_product_attention(*told.unbind()).transpose(1, 2).flatten(2)
        return x + self.out(heard).transpose(1, 2).unflatten(2, x.shape[2:])


class Stage(nn.Module):
    """A residual block, and attention after it where there are heads."""

    def __init__(self, c_in: int, c_out: int, embedded: int, padding: Padding, heads: int) -> None:
        super().__init__()
        self.residual = Residual(c_in, c_out, embedded, padding)
        self.attention = Attention(c_out, heads) if heads else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """x and the embedding (n, embedded)."""
        return self.attention(self.residual(x, embedding))


class Condition(nn.Module):
    """The embedding of the level and, where there are classes, of the label."""

    def __init__(self, width: int, embedded: int, classes: int | None) -> None:
        super().__init__()
        turns = 2 * np.pi / np.geomspace(LONGEST, SHORTEST, width // 2)
        self.register_buffer("turns", torch.from_numpy(turns), persistent=False)
        self.first, self.second = nn.Linear(width, embedded), nn.Linear(embedded, embedded)
        self.labels = None if classes is None else nn.Embedding(classes + 1, embedded)

    def forward(self, abar: Tensor, label: Tensor | None) -> Tensor:
        """(n, embedded)."""
        log_snr = (torch.log(abar) - torch.log1p(-abar)).clamp(-MOST_LOG_SNR, MOST_LOG_SNR)
        turned = self.turns * log_snr[:, None]
        embedding = self.second(F.silu(self.first(torch.cat([turned.cos(), turned.sin()], dim=1))))
        return F.silu(embedding if self.labels is None else embedding + self.labels(label))


class Descent(nn.Module):
    """One resolution on the way down; at the end the grid is halved, unless this is the last."""

    def __init__(self, size: Size, level: int, c_in: int, embedded: int) -> None:
        super().__init__()
        c, last = widths(size)[level], level == len(size.multipliers) - 1
        self.stages = stages(size, level, [c_in] + [c] * (size.blocks - 1), embedded)
        self.halve = None if last else convolution(c, c, size.padding, stride=2)

    def forward(self, h: Tensor, embedding: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What goes on down, and what is kept for the way up: the input and the result of every block."""
        kept = [h]
        for stage in self.stages:
            kept.append(stage(kept[-1], embedding))
        return (kept[-1] if self.halve is None else self.halve(kept[-1])), kept


class Ascent(nn.Module):
    """One resolution on the way up; at the end the grid is doubled, unless it is whole."""

    def __init__(self, size: Size, level: int, below: int, beside: list[int], embedded: int) -> None:
        super().__init__()
        c = widths(size)[level]
        c_ins = [one + other for one, other in zip([below] + [c] * (len(beside) - 1), beside, strict=True)]
        self.stages = stages(size, level, c_ins, embedded)
        self.smooth = None if level == 0 else convolution(c, c, size.padding)

    def forward(self, h: Tensor, beside: list[Tensor], embedding: Tensor) -> Tensor:
        """What comes from below and, for each block, what was kept on the way down."""
        for stage, kept in zip(self.stages, beside, strict=True):
            h = stage(torch.cat([h, kept], dim=1), embedding)
        return h if self.smooth is None else self.smooth(F.interpolate(h, scale_factor=2, mode="nearest"))


class UNet(nn.Module):
    """A network from states, levels and labels to predictions.

    Args:
        size: its shape.
        channels: of an event.
        classes: how many labels there are; None for a network that takes none.
    """

    def __init__(self, size: Size, channels: int, classes: int | None) -> None:
        super().__init__()
        c, embedded, levels, patched = widths(size), 4 * size.width, range(len(size.multipliers)), size.patch**2 * channels
        entering, below = [size.width, *c[:-1]], [*c[1:], c[-1]]
        self.classes, self.patch = classes, size.patch
        self.condition = Condition(size.width, embedded, classes)
        self.enter = convolution(patched, size.width, size.padding)
        self.descents = nn.ModuleList(Descent(size, i, entering[i], embedded) for i in levels)
        before, after = (Residual(c[-1], c[-1], embedded, size.padding) for _ in range(2))
        self.middle = nn.ModuleList([before, Attention(c[-1], size.heads), after])
        self.ascents = nn.ModuleList(
            Ascent(size, i, below[i], [c[i]] * size.blocks + [entering[i]], embedded) for i in reversed(levels)
        )
        self.last_norm, self.leave = group_norm(c[0]), convolution(c[0], patched, size.padding)

    def forward(self, x_t: Tensor, abar: Tensor, label: Tensor | None = None) -> Tensor:
        r"""The predictions, in the dtype of x_t.

        Args:
            x_t: (n, channels, \*grid).
            abar: (n,).
            label: (n,), whole numbers; ``classes``, or None, for no label.
        """
        if self.classes is not None and label is None:
            label = torch.full_like(abar, self.classes, dtype=torch.long)
        embedding = self.condition(abar, label)
        h, kept = self.enter(F.pixel_unshuffle(x_t, self.patch)), []
        for descent in self.descents:
            h, results = descent(h, embedding)
            kept.append(results)
        before, attention, after = self.middle
        h = after(attention(before(h, embedding)), embedding)
        for ascent in self.ascents:
            h = ascent(h, kept.pop()[::-1], embedding)
        return F.pixel_shuffle(self.leave(F.silu(self.last_norm(h))), self.patch).to(x_t.dtype)


def convolution(c_in: int, c_out: int, padding: Padding, stride: int = 1) -> nn.Conv2d:
    """3 x 3, one more point around on each side."""
    return OnTorus(c_in, c_out, SIDE, stride) if padding == "circular" else nn.Conv2d(c_in, c_out, SIDE, stride, padding=1)


def group_norm(channels: int) -> nn.GroupNorm:
    """Of eight groups, fewer where they do not divide; PyTorch's own eps is 1e-5."""
    return nn.GroupNorm(gcd(channels, MOST_GROUPS), channels)


def stages(size: Size, level: int, c_ins: list[int], embedded: int) -> nn.ModuleList:
    """The blocks of one resolution, one for each number of channels that comes in."""
    c, heads = widths(size)[level], size.heads if level in size.attention else 0
    return nn.ModuleList(Stage(c_in, c, embedded, size.padding, heads) for c_in in c_ins)


def twin_of(network: JaxUNet) -> UNet:
    """The same network, with the same weights, in the same dtype, on the CPU."""
    named = state_of(network)
    twin = UNet(size_of(network), channels_of(network), network.classes).to(named["enter.weight"].dtype)
    twin.load_state_dict(named)
    return twin.to(memory_format=torch.channels_last)


def size_of(network: JaxUNet) -> Size:
    """Its shape, as its parts have it."""
    width, residuals = network.condition.width, [descent.stages[0].residual for descent in network.descents]
    return Size(
        width,
        tuple(residual.conv_out.bias.size // width for residual in residuals),
        len(network.descents[0].stages),
        tuple(level for level, descent in enumerate(network.descents) if descent.stages[0].attention is not None),
        network.middle[1].heads,
        network.enter.padding,
        network.patch,
    )


def channels_of(network: JaxUNet) -> int:
    """Of an event."""
    return int(network.leave.bias.size // network.patch**2)


def state_of(network: JaxUNet) -> dict[str, Tensor]:
    """Its weights, or anything of the same structure, by the names and in the shapes that the twin has for them."""
    found = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(network)[0]:
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        array = _by_channel(name, np.asarray(leaf), network)
        if name.endswith("weight"):
            array = np.moveaxis(array, (-1, -2), (0, 1))  # the channels that go out, those that come in, and the neighbourhood
        if name.endswith("skip.weight"):
            array = array[:, :, None, None]
        found[".".join(CALLED.get(part, part) for part in name.split("."))] = torch.tensor(array)
    return found


def _by_channel(name: str, array: np.ndarray[Any, Any], network: JaxUNet) -> np.ndarray[Any, Any]:
    """The points of a patch come after the channel here, and before it there."""
    order = np.arange(network.leave.bias.size).reshape(network.patch**2, -1).T.ravel()
    if name == "enter.weight":
        return array[:, :, order]
    return array[..., order] if name.startswith("leave.") else array
