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
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .blocks import Block, everywhere
from .yardstick import Yardstick

BLOCKS = "blocks"  # the axis of the mesh

Draw = Callable[[jax.Array], jax.Array]
"""The draws of the block of that number, shape (rows, \\*event); traced by JAX."""


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
            for block in everywhere(self._measured(drawn, yardstick, first), yardstick):
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
        return [Block.of(np.asarray(shard.data)[0], yardstick, first + (shard.index[0].start or 0)) for shard in shards]

    @cached_property
    def _mesh(self) -> Mesh:
        return Mesh(np.array(self.devices), (BLOCKS,))
