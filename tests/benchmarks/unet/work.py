"""The work of a UNet, from its shape: what its matrix products take, a multiplication and an addition counted as two.

Convolutions, affine maps and the two products of attention are counted; norms, activations and sums are not: that is the field's
convention. A step of training is counted as three passes, one on and two back, though nobody asks for the gradient by what the
network was given.
"""

from __future__ import annotations

from math import prod

from verifydiff.network.layers import SIDE
from verifydiff.network.preset import Size
from verifydiff.network.unet import widths

PASSES = 3


def forward(size: Size, grid: tuple[int, int], channels: int = 1) -> int:
    """Of one pass over one event."""
    c, embedded, levels, patched = widths(size), 4 * size.width, range(len(size.multipliers)), size.patch**2 * channels
    entering, below = [size.width, *c[:-1]], [*c[1:], c[-1]]
    points = [prod(side // (size.patch * 2**level) for side in grid) for level in levels]

    def residual(level: int, c_in: int) -> int:
        c_out = c[level]
        convolved = convolution(c_in, c_out, points[level]) + convolution(c_out, c_out, points[level])
        skipped = 0 if c_in == c_out else product(points[level], c_in, c_out)
        return convolved + skipped + product(1, embedded, 2 * c_out)

    def attention(level: int) -> int:
        n, width = points[level], c[level]
        return product(n, width, 3 * width) + product(n, width, n) + product(n, n, width) + product(n, width, width)

    def stages(level: int, c_ins: list[int]) -> int:
        attended = attention(level) if level in size.attention else 0
        return sum(residual(level, c_in) + attended for c_in in c_ins)

    def descent(level: int) -> int:
        halved = convolution(c[level], c[level], points[level + 1]) if level < levels[-1] else 0
        return stages(level, [entering[level]] + [c[level]] * (size.blocks - 1)) + halved

    def ascent(level: int) -> int:
        beside = [c[level]] * size.blocks + [entering[level]]
        c_ins = [one + other for one, other in zip([below[level]] + [c[level]] * size.blocks, beside, strict=True)]
        return stages(level, c_ins) + (convolution(c[level], c[level], points[level - 1]) if level else 0)

    condition = product(1, size.width, embedded) + product(1, embedded, embedded)
    ends = convolution(patched, size.width, points[0]) + convolution(c[0], patched, points[0])
    middle = 2 * residual(levels[-1], c[-1]) + attention(levels[-1])
    return condition + ends + middle + sum(descent(i) + ascent(i) for i in levels)


def training_step(size: Size, grid: tuple[int, int], channels: int = 1) -> int:
    """Of one step of training, for each event of its batch."""
    return PASSES * forward(size, grid, channels)


def product(rows: int, inner: int, columns: int) -> int:
    """Of a matrix product."""
    return 2 * rows * inner * columns


def convolution(c_in: int, c_out: int, points: int) -> int:
    """Of a convolution that gives so many points."""
    return product(points, SIDE**2 * c_in, c_out)
