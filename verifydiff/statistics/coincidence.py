r"""Draws that stand twice.

Two independent standard normal vectors of length k lie within D of each other, in every coordinate, with probability

.. math:: P\bigl(\max_j |u_j - v_j| \le D\bigr) = \operatorname{erf}(D / 2)^k,

since :math:`u_j - v_j \sim \mathcal{N}(0, 2)`. So among m vectors :math:`\mathbb{E}[N_D] = \tfrac12 m (m - 1)
\operatorname{erf}(D / 2)^k` pairs are expected to lie that near, and by Markov's inequality

.. math:: P(N_D \ge j) \le \mathbb{E}[N_D] / j.

In exact arithmetic two draws are never equal. A generator draws from a lattice, though, and float32 holds only some 2**24
numbers: among 10,000 float32 draws a few ties are nothing odd; a tie among 10,000 float64 draws is, and so are two equal
vectors of either kind. So D is widened by the lattice's ``resolution``, which makes the p-value right for both.
"""

from __future__ import annotations

from math import erf, exp, log
from typing import Any

import numpy as np

from .evidence import Evidence, draws, slices, smallest_of_any

HYPOTHESIS = "no draw stands twice"
LATTICE = 4.0  # ulps of the largest draw between two numbers a generator can return: what inverting a uniform leaves


def coincidence(u: Any, axis: int | None = None, resolution: float | None = None) -> Evidence:
    """Do two slices along ``axis``, or two single draws without an axis, coincide?

    Two counts share the p-value by Boole: the nearest pair, at whatever distance D it lies, and all that lie within the
    resolution. Slices are sorted by their first draw and each compared with the next; a pair overlooked so can only raise
    the p-value. The statistic is D.

    Args:
        u: the draws.
        axis: what is compared: slices along it; without one, single draws.
        resolution: the spacing of the numbers that could have been drawn. Without it, that of the array's own type, and
            of float32 where every draw is a float32 number. Noise that was drawn in single precision and computed with
            since no longer looks it: say so here.
    """
    u = np.asarray(u)
    rows = draws(u).reshape(-1, 1) if axis is None else slices(u, axis)
    m, k = rows.shape
    if m < 2:
        return Evidence("coincidence", HYPOTHESIS, 0.0, 1.0, 0)
    if resolution is None:
        resolution = _resolution(u)
    order = np.argsort(rows[:, 0], kind="stable")
    distances = np.abs(np.diff(rows[order], axis=0)).max(axis=1)
    nearest = int(np.argmin(distances))
    D = float(distances[nearest])
    ties = int(np.count_nonzero(distances <= resolution))

    def bound(count: int, distance: float) -> float:
        near = max(erf((distance + resolution) / 2), np.finfo(np.float64).tiny)
        return exp(min(0.0, log(m * (m - 1) / 2 / count) + k * log(near)))

    p_value = smallest_of_any(min(bound(1, D), bound(ties, resolution) if ties else 1.0), 2)
    i, j = sorted((int(order[nearest]), int(order[nearest + 1])))
    where = f"{'draws' if axis is None else 'slices'} {i} and {j}" + (f", and {ties - 1} more" if ties > 1 else "")
    return Evidence("coincidence", HYPOTHESIS, D, p_value, rows.size, where)


def _resolution(u: Any) -> float:
    kind = u.dtype if u.dtype.kind == "f" else np.dtype(np.float64)
    if kind.itemsize > 4 and np.array_equal(u, u.astype(np.float32)):
        kind = np.dtype(np.float32)
    return LATTICE * float(np.finfo(kind).eps) * max(1.0, float(np.abs(u).max()))
