r"""Blocks of draws over devices and processes: the same numbers whatever the layout.

A campaign is cut into numbered blocks, and what block b draws follows from b alone. Each round, every device makes one block,
by the same compiled program (``shard_map`` over all devices of all processes). Each process measures the blocks of its own
devices, in float64; where there are several processes their measurements, some hundred numbers a block, are gathered by a
collective, so that all of them see all blocks, in the order of their numbers. While a round is measured the next one is already
being drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..statistics import Moments
from ..statistics.evidence import Array
from .yardstick import Yardstick

BLOCKS = "blocks"  # the axis of the mesh

Draw = Callable[[jax.Array], jax.Array]
"""The draws of the block of that number, shape (rows, \\*event); traced by JAX."""


@dataclass(frozen=True)
class Block:
    """What was measured of a block.

    Attributes:
        number: which one.
        moments: of the measured numbers; None if not all draws are finite.
        broken: how many draws are not.
    """

    number: int
    moments: Moments | None
    broken: int = 0

    def packed(self, empty: Moments) -> Array:
        """All of it as one row of numbers, whose length is that of empty moments of the same kind."""
        moments = self.moments or empty
        return np.concatenate([[self.number, self.broken, moments.n], moments.mean, moments.scatter.ravel()])

    @classmethod
    def unpacked(cls, row: Array, empty: Moments) -> Block:
        """What :meth:`packed` gave."""
        number, broken, n = (int(one) for one in row[:3])
        mean, scatter = row[3 : 3 + empty.d].copy(), row[3 + empty.d :].reshape(empty.scatter.shape).copy()
        return cls(number, Moments(n, mean, scatter) if n else None, broken)


@dataclass(frozen=True)
class Layout:
    """Which devices draw.

    Attributes:
        devices: of all processes, in the order in which they take blocks.
    """

    devices: tuple[jax.Device, ...]

    @classmethod
    def of_all(cls) -> Layout:
        """All devices of all processes."""
        return cls(tuple(jax.devices()))

    def blocks(self, draw: Draw, yardstick: Yardstick, start: int, stop: int) -> Iterator[Block]:
        """The blocks from ``start`` up to ``stop``, in order; every process gets all of them."""
        rounds = range(start, stop, len(self.devices))
        drawing = self._drawing(draw)
        ahead = drawing(self._numbers(rounds[0])) if rounds else None
        for first in rounds:
            drawn, following = ahead, first + len(self.devices)
            ahead = drawing(self._numbers(following)) if following < stop else None
            for block in _everywhere(self._measured(drawn, yardstick, first), yardstick):
                if block.number < stop:
                    yield block

    def _drawing(self, draw: Draw) -> Callable[[jax.Array], Any]:
        def one(numbers: jax.Array) -> jax.Array:
            return draw(numbers[0])[None]

        each = PartitionSpec(BLOCKS)
        drawing: Callable[[jax.Array], Any] = jax.jit(
            jax.shard_map(one, mesh=self._mesh, in_specs=each, out_specs=each, check_vma=False)
        )
        return drawing

    def _numbers(self, first: int) -> jax.Array:
        numbers = np.arange(first, first + len(self.devices), dtype=np.uint32)
        return jax.make_array_from_callback(numbers.shape, NamedSharding(self._mesh, PartitionSpec(BLOCKS)), numbers.__getitem__)

    def _measured(self, drawn: Any, yardstick: Yardstick, first: int) -> list[Block]:
        """The blocks of this process's own devices."""
        shards = sorted(drawn.addressable_shards, key=lambda shard: shard.index[0].start or 0)
        return [_measured(np.asarray(shard.data)[0], yardstick, first + (shard.index[0].start or 0)) for shard in shards]

    @cached_property
    def _mesh(self) -> Mesh:
        return Mesh(np.array(self.devices), (BLOCKS,))


def _measured(x: Any, yardstick: Yardstick, number: int) -> Block:
    finite = np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if not finite.all():
        return Block(number, None, int((~finite).sum()))
    return Block(number, Moments.of(yardstick(x), covariance=yardstick.kept))


def _everywhere(blocks: list[Block], yardstick: Yardstick) -> list[Block]:
    """The blocks of all processes, in order."""
    if jax.process_count() == 1:
        return blocks
    empty = Moments.empty(yardstick.size, covariance=yardstick.kept)
    packed = np.stack([block.packed(empty) for block in blocks])
    gathered = multihost_utils.process_allgather(packed.view(np.uint32))  # as float64 they would be rounded on the way
    rows = np.ascontiguousarray(gathered).view(np.float64).reshape(-1, packed.shape[1])
    return sorted((Block.unpacked(row, empty) for row in rows), key=lambda block: block.number)
