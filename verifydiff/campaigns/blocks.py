r"""What is counted of a block of draws: moments of the measured numbers, and their shape.

Means, variances and pair sums leave room for other laws: noise of +1 and -1 has those of N(0, 1). So the octiles of N(0, 1) are
counted, too, in which the numbers lie. The shares of the eight follow one to one from the means of the seven Walsh functions

.. math:: w_k(u) \in \{-1, 1\}, \qquad \mathbb{E}\, w_k(u) = 0 \quad\text{if } u \sim \mathcal{N}(0, 1), \qquad k = 1, \dots, 7,

each of them constant on every octile and 1 on four of the eight. Their sums are whole numbers, and so are exact in whatever order
they are added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from scipy.linalg import hadamard
from scipy.special import ndtri

from ..statistics import Moments
from ..statistics.evidence import Array
from .yardstick import Yardstick

BOUNDS: Array = ndtri(np.arange(1, 8) / 8)
"""Between the octiles of N(0, 1)."""
WALSH: Array = hadamard(8)[1:].astype(np.float64)
"""(7, 8): the Walsh functions on the octiles, lowest first."""


@dataclass(frozen=True)
class Block:
    """What was measured of a block.

    Attributes:
        number: which one.
        moments: of the measured numbers; None if not all draws are finite.
        walsh: the sums of the Walsh functions, seven for each number whose shape is counted.
        broken: how many draws are not finite.
        fault: why there are no draws, in words, if there are none.
    """

    number: int
    moments: Moments | None
    walsh: Array = field(default_factory=lambda: np.empty(0))
    broken: int = 0
    fault: str = ""

    @classmethod
    def of(cls, x: Any, yardstick: Yardstick, number: int) -> Block:
        r"""What is measured of the draws x (rows, \*event)."""
        finite = np.isfinite(x).reshape(len(x), -1).all(axis=1)
        if not finite.all():
            return cls(number, None, broken=int((~finite).sum()))
        measured = yardstick(x)
        return cls(number, Moments.of(measured, covariance=yardstick.kept), walsh_sums(measured[:, : yardstick.shaped]))

    def packed(self, yardstick: Yardstick) -> Array:
        """All of it but the words as one row of numbers, of the same length for every block."""
        moments, walsh = self.moments, self.walsh
        if moments is None:
            moments, walsh = Moments.empty(yardstick.size, covariance=yardstick.kept), np.zeros(7 * yardstick.shaped)
        counts = [self.number, self.broken, bool(self.fault), moments.n]
        return np.concatenate([counts, walsh, moments.mean, moments.scatter.ravel()])

    @classmethod
    def unpacked(cls, row: Array, yardstick: Yardstick) -> Block:
        """What :meth:`packed` gave."""
        number, broken, fault, n = (int(one) for one in row[:4])
        empty = Moments.empty(yardstick.size, covariance=yardstick.kept)
        walsh, mean, scatter = (part.copy() for part in np.split(row[4:], np.cumsum([7 * yardstick.shaped, empty.d])))
        if not n:
            return cls(number, None, broken=broken, fault="the sampler failed in another process" if fault else "")
        return cls(number, Moments(n, mean, scatter.reshape(empty.scatter.shape)), walsh)


def walsh_sums(u: Array) -> Array:
    """The sums over the rows of the Walsh functions of u (rows, K), seven for each column one after the other, (7 K,)."""
    below = np.array([[np.count_nonzero(column < bound) for bound in BOUNDS] for column in u.T], np.float64).reshape(-1, 7)
    octiles = np.diff(below, axis=1, prepend=0.0, append=float(len(u)))
    return np.asarray((octiles @ WALSH.T).ravel())


def everywhere(blocks: list[Block], yardstick: Yardstick) -> list[Block]:
    """The blocks of all processes, in order; every process has as many."""
    if jax.process_count() == 1:
        return blocks
    packed = np.stack([block.packed(yardstick) for block in blocks])
    gathered = multihost_utils.process_allgather(packed.view(np.uint32))  # as float64 they would be rounded on the way
    rows = np.ascontiguousarray(gathered).view(np.float64).reshape(-1, packed.shape[1])
    return sorted((Block.unpacked(row, yardstick) for row in rows), key=lambda block: block.number)
