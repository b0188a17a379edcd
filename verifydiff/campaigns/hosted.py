"""Blocks of draws of any sampler that :mod:`verifydiff.observe` can run: a function, a library's scheduler.

Block b starts from noise, and is given a seed, that follow from b alone. Every process draws blocks of its own, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any
from zlib import crc32

import jax
import numpy as np

from ..observe import SamplerFault
from ..observe.running import Run, over_its_arrays, run
from ..observe.target import Target
from ..oracles import Oracle
from ..statistics.evidence import Array
from ..verdict import MisuseError
from .blocks import Block, everywhere
from .denoisers import Denoiser, denoiser
from .yardstick import Yardstick

NUMBERS, FEWEST = 2**16, 64
"""In one block, and draws in it at least: the sampler is called once for all of them."""


@dataclass(frozen=True)
class Hosted:
    """The draws of a target on data that its model knows.

    Attributes:
        target: the sampler.
        law: of the data.
        seed: of all draws.
    """

    target: Target
    law: Oracle
    seed: int = 0

    @property
    def rows(self) -> int:
        """How many draws a block has."""
        return max(FEWEST, NUMBERS // self.law.event_size)

    def blocks(self, yardstick: Yardstick, start: int, stop: int) -> Iterator[Block]:
        """The blocks from ``start`` up to ``stop``, in order; every process gets all of them."""
        for first in range(start, stop, jax.process_count()):
            mine = self.block(yardstick, first + jax.process_index())
            yield from (block for block in everywhere([mine], yardstick) if block.number < stop)

    def block(self, yardstick: Yardstick, number: int) -> Block:
        """The block of that number; one without draws, and why, where the sampler fails."""
        noise = np.random.default_rng([self.seed, number]).standard_normal((self.rows, self.law.event_size))
        try:
            x = run(self._working[0], self._answer, noise, self._seed_of(number), keep=False).x[-1]
        except SamplerFault as fault:
            return Block(number, None, fault=f"{fault}")
        return Block.of(x.reshape(-1, *self.law.event_shape), yardstick, number)

    @property
    def levels(self) -> Array:
        """(S + 1,): abar where the sampler asks its model, each level once in a row, and abar of what it returns.

        Raises:
            MisuseError: if it does not run.
        """
        asked = np.append(self._working[1].levels, self.target.final_level)
        return np.asarray(asked[np.append(True, asked[1:] != asked[:-1])])

    @property
    def start(self) -> float:
        """The standard deviation of the first state that it asks about, when it is given standard normal noise: 1, or what noise
        has at that level, or between them. Another scale is a mistake, and taken for no more than the nearest of these.
        """
        seen = float(np.linalg.norm(self._working[1].x[0]) / np.linalg.norm(self._first))
        return min(max(seen, sqrt(1 - self.levels[0])), 1.0)

    @property
    def _first(self) -> Array:
        return np.random.default_rng(self.seed).standard_normal((2, self.law.event_size))

    @cached_property
    def _working(self) -> tuple[Target, Run]:
        """The target over arrays that it works on, and a first run."""
        if self.target.dimensions != self.law.event_size:
            raise MisuseError(f"{self.target.name} takes states of {self.target.shape}, and the data have {self.law.event_shape}.")
        seed = self._seed_of(0)
        try:
            return over_its_arrays(self.target, lambda one: run(one, self._answer, self._first, seed))
        except SamplerFault as fault:
            raise MisuseError(f"{self.target.name} cannot be run: {fault}") from None

    @cached_property
    def _denoise(self) -> Denoiser:
        return denoiser(self.law)

    def _answer(self, k: int, x: Any, abar: float) -> Array:
        return self._denoise(x, abar)

    def _seed_of(self, number: int) -> int:
        """No two blocks of a campaign share one; below 2**31, which every generator takes."""
        return (crc32(f"{self.seed}".encode()) + number) % 2**31
