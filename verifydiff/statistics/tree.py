r"""The same moments whatever the layout: blocks of draws merged in an order that their indices fix.

Floating-point sums depend on their order. So block k of a campaign (its draws follow from k alone) is leaf k of a binary
tree, and node (l, j) holds the blocks :math:`j 2^l, \dots, (j + 1) 2^l - 1`. Two siblings merge, left with right, as soon as
both are there. Which nodes are full is a property of the set of blocks; so the numbers, to the last bit, are the same for
one process or many, in whatever order the blocks come, and after any number of restarts. Rounding grows with the
logarithm of the number of blocks, and so does what is kept of blocks that come in order.

A block that has been counted is refused the second time: a campaign that is resumed cannot count wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import index
from typing import Any

import numpy as np

from ..verdict import MisuseError
from .streaming import Moments

Node = tuple[int, int]  # level and place


@dataclass(eq=False, slots=True)
class MomentsTree:
    """Moments of numbered blocks, merged in a fixed order.

    Attributes:
        nodes: the largest full subtrees, by level and place.
    """

    nodes: dict[Node, Moments] = field(default_factory=dict)

    def add(self, block: int, moments: Moments) -> None:
        """Count in the draws of a block.

        Raises:
            MisuseError: if the block was counted already, its number is negative, it is empty or of another kind.
        """
        if (block := index(block)) in self:
            raise MisuseError(f"block {block} is already counted.")
        if block < 0 or not moments.n:
            raise MisuseError(f"a block has a number from 0 on and at least one draw, got block {block} of {moments.n} draws.")
        self._check_alike(moments)
        self._settle((0, block), moments.copy())

    def merge(self, other: MomentsTree) -> None:
        """Count in all blocks of another tree, of another process say; the two may not share any.

        Raises:
            MisuseError: if they do, or are of another kind; nothing is then counted.
        """
        for level, place in other.nodes:
            if shared := self._overlapping(level, place):
                raise MisuseError(f"block {shared[0]} is already counted.")
            self._check_alike(other.nodes[level, place])
        for node, moments in other.nodes.items():
            self._settle(node, moments.copy())

    def __contains__(self, block: int) -> bool:
        return any(block >> level == place for level, place in self.nodes)

    @property
    def blocks(self) -> int:
        """How many blocks are counted."""
        return sum(1 << level for level, _ in self.nodes)

    @property
    def n(self) -> int:
        """How many draws are counted."""
        return sum(moments.n for moments in self.nodes.values())

    @property
    def total(self) -> Moments:
        """The moments of all draws so far.

        Raises:
            MisuseError: if there are none.
        """
        if not self.nodes:
            raise MisuseError("no block is counted yet.")
        parts = [self.nodes[node] for node in sorted(self.nodes, key=lambda node: node[1] << node[0])]
        whole = parts[-1]
        for part in parts[-2::-1]:  # from the right, where subtrees are small
            whole = part + whole
        return whole.copy()

    def arrays(self) -> dict[str, Any]:
        """All that is known, as arrays for ``numpy.savez``; :meth:`from_arrays` reads it back bit for bit."""
        nodes = np.array(sorted(self.nodes), dtype=np.int64).reshape(-1, 2)
        parts = [self.nodes[(int(level), int(place))].arrays() for level, place in nodes]
        return {"nodes": nodes, **{name: np.stack([part[name] for part in parts]) for name in (parts[0] if parts else ())}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> MomentsTree:
        """What :meth:`arrays` gave.

        Raises:
            MisuseError: if something is missing, nodes overlap, or one is no moments of draws.
        """
        nodes = np.asarray(arrays.get("nodes"))
        stacked = {name: np.asarray(arrays[name]) for name in arrays if name != "nodes"}
        if nodes.dtype.kind not in "iu" or nodes.ndim != 2 or nodes.shape[1] != 2 or (nodes < 0).any():
            raise MisuseError("a tree of moments is stored with `nodes`, the level and place of each, and found none.")
        if any(part.shape[:1] != nodes.shape[:1] for part in stacked.values()):
            raise MisuseError("a tree of moments is stored with as many moments as nodes, and found another number.")
        tree = cls()
        for row, (level, place) in enumerate(nodes.tolist()):
            one = cls({(level, place): Moments.from_arrays({name: part[row] for name, part in stacked.items()})})
            tree.merge(one)
        return tree

    def _check_alike(self, moments: Moments) -> None:
        for counted in self.nodes.values():
            counted.check_alike(moments)

    def _settle(self, node: Node, moments: Moments) -> None:
        level, place = node
        while (sibling := self.nodes.pop((level, place ^ 1), None)) is not None:
            moments = sibling + moments if place & 1 else moments + sibling
            level, place = level + 1, place >> 1
        self.nodes[level, place] = moments

    def _overlapping(self, level: int, place: int) -> list[int]:
        """The first block of each node that shares blocks with this one."""
        first, last = place << level, (place + 1 << level) - 1
        return [max(first, p << v) for v, p in self.nodes if p << v <= last and first <= (p + 1 << v) - 1]
