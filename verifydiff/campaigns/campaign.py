r"""A campaign: draws of a sampler, counted until it is clear whether their law is the claimed one.

What is measured of a draw has a known law if the claim is right (:mod:`.yardstick`): numbers that are N(0, 1) each, and numbers in
[0, 1] of known means. So four questions are asked, by sequential tests that hold however often one looks: are the means right, the
variances, the shares of the octiles (:mod:`.blocks`), the fractions? One looks after every block, in the order of the blocks'
numbers, and stops at the first block after which all are answered: where that is does not depend on the layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np

from ..statistics import Decision, ErrorRates, MomentsTree, SequentialMean, SequentialVariance
from ..statistics.sequential import Sequential
from ..verdict import MisuseError
from .blocks import Block
from .hosted import Hosted
from .layout import Draw, Layout
from .processes import from_first, is_first
from .store import Store
from .yardstick import Yardstick

SAVE_EVERY = 10.0  # seconds
SEPARATOR = "/"  # between the name of a test and its array, in the store

Progress = Callable[["Count"], None]


@dataclass(eq=False)
class Count:
    """What has been counted so far.

    Attributes:
        yardstick: what is measured.
        tree: the moments, block by block.
        tests: the questions, by name.
        broken: the block that held draws that are not finite, if there was one.
    """

    yardstick: Yardstick
    tests: dict[str, Sequential]
    tree: MomentsTree = field(default_factory=MomentsTree)
    broken: Block | None = None

    @classmethod
    def beginning(cls, yardstick: Yardstick, resolution: float, rates: ErrorRates) -> Count:
        """Nothing counted; the rates are shared by all questions."""
        normal, fractions = yardstick.normal, yardstick.fractions
        share = rates.shared_among(4 if fractions.size else 3)
        tests: dict[str, Sequential] = {
            "mean": SequentialMean(resolution, share, d=normal),
            "variance": SequentialVariance(resolution, share, d=normal),
            "shape": SequentialMean(resolution, share, d=7 * yardstick.shaped),
        }
        if fractions.size:
            tests["fractions"] = SequentialMean(resolution, share, mean=fractions, scale=0.5)
        return cls(yardstick, tests)

    @property
    def blocks(self) -> int:
        """How many blocks are counted; they are the first so many."""
        return self.tree.blocks

    @property
    def draws(self) -> int:
        """How many draws are counted."""
        return self.tree.n

    @property
    def decided(self) -> bool:
        """Whether every question is answered, or nothing can be asked any more."""
        return self.broken is not None or all(test.decision is not Decision.INCONCLUSIVE for test in self.tests.values())

    def add(self, block: Block) -> None:
        """Count a block in, and look."""
        if block.moments is None:
            self.broken = block
            return
        self.tree.add(block.number, block.moments)
        normal = self.yardstick.normal
        for name, test in self.tests.items():
            if name == "shape":
                test.update_by_sums(block.moments.n, block.walsh)
            else:
                part = slice(normal, None) if name == "fractions" else slice(normal)
                test.update_from(block.moments.of_coordinates(part))

    def arrays(self) -> dict[str, Any]:
        """The state, for a store."""
        nested = {"tree": self.tree.arrays(), **{name: test.arrays() for name, test in self.tests.items()}}
        return {f"{outer}{SEPARATOR}{inner}": value for outer, arrays in nested.items() for inner, value in arrays.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Go on from a stored state.

        Raises:
            MisuseError: if it is none of this campaign.
        """
        self.tree = MomentsTree.from_arrays(_under("tree", arrays))
        for name, test in self.tests.items():
            test.restore(_under(name, arrays))
            if test.n != self.draws:
                raise MisuseError(f"the stored state counts {self.draws} draws and has tested {test.n}.")
        if any(block not in self.tree for block in range(self.blocks)):
            raise MisuseError("the stored state does not hold the first blocks of the campaign.")


@dataclass(frozen=True)
class Campaign:
    """What is to be drawn and what it is measured by.

    Attributes:
        draw: the draws of a block, from its number: by a program of JAX, or on the host.
        rows: how many draws a block has.
        yardstick: what is measured, and its law if the claim is right.
        resolution: how far off counts as equal: in standard deviations for a mean, relative for a variance, and in halves for
            the share of four octiles or a fraction.
        rates: of false alarms and misses, of the whole campaign.
    """

    draw: Draw | Hosted
    rows: int
    yardstick: Yardstick
    resolution: float
    rates: ErrorRates = field(default_factory=ErrorRates)

    def run(
        self,
        draws: int | None = None,
        layout: Layout | None = None,
        store: Store | None = None,
        progress: Progress | None = None,
        save_every: float = SAVE_EVERY,
    ) -> Count:
        """Draw until all is clear, or until so many draws are counted.

        Args:
            draws: how many at most, rounded up to whole blocks; None draws on until all is clear.
            layout: the devices of a program of JAX; all, without one.
            store: where the count is kept; it goes on from there.
            progress: told the count after every block.
            save_every: seconds between two saves.

        Raises:
            MisuseError: if the store holds something else or cannot be written.
        """
        count = Count.beginning(self.yardstick, self.resolution, self.rates)
        keeper = Keeper(store, save_every)
        keeper.restore(count)
        stop = 2**32 - 1 if draws is None else -(-draws // self.rows)
        if not count.decided and count.blocks < stop:
            for block in self._blocks(layout, count.blocks, stop):
                count.add(block)
                keeper.now_and_then(count)
                if progress is not None:
                    progress(count)
                if count.decided:
                    break
            keeper.save(count)
        return count

    def _blocks(self, layout: Layout | None, start: int, stop: int) -> Iterator[Block]:
        if isinstance(self.draw, Hosted):
            return self.draw.blocks(self.yardstick, start, stop)
        return (layout or Layout.of_all()).blocks(self.draw, self.yardstick, start, stop)


@dataclass
class Keeper:
    """Saves a count now and then, if there is a store."""

    store: Store | None
    every: float
    saved: float = field(default_factory=monotonic)

    def restore(self, count: Count) -> None:
        """Go on from what is stored."""
        stored = None if self.store is None else from_first(self.store.load)
        if stored is not None:
            count.restore(stored)

    def now_and_then(self, count: Count) -> None:
        """Save, if the last time was long ago."""
        if monotonic() - self.saved > self.every:
            self.save(count)

    def save(self, count: Count) -> None:
        """Save now."""
        if self.store is not None and is_first():
            self.store.save(count.arrays())
            self.saved = monotonic()


def _under(name: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    prefix = name + SEPARATOR
    return {key.removeprefix(prefix): np.asarray(value) for key, value in arrays.items() if key.startswith(prefix)}
