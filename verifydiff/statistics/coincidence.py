r"""Draws that stand twice.

Two independent standard normal vectors of length k lie within D of each other, in every coordinate, with probability

.. math:: P\bigl(\max_j |u_j - v_j| \le D\bigr) = \operatorname{erf}(D / 2)^k,

since :math:`u_j - v_j \sim \mathcal{N}(0, 2)`. In exact arithmetic two draws are never equal. A generator draws from a
lattice, though, and float32 holds only some 2**24 numbers: among 10,000 float32 draws a few ties are nothing odd, a tie
among 10,000 float64 draws, or two equal vectors of any kind, are. So D is widened by the lattice's ``resolution``, and
Boole's inequality over the m (m - 1) / 2 pairs gives a p-value that is right in both.
"""

from __future__ import annotations

from math import erf
from typing import Any

import numpy as np

from .evidence import Evidence, draws, slices

LATTICE = 4.0  # ulps of the largest draw between two numbers a generator can return: what inverting a uniform leaves


def coincidence(u: Any, axis: int | None = None, resolution: float | None = None) -> Evidence:
    """Do two slices along ``axis``, or two single draws without an axis, coincide?

    Slices are sorted by their first draw and each compared with the next. A pair that coincides is neighbours there but
    for an improbable third between them; overlooking a pair can only raise the p-value.

    Args:
        u: the draws.
        axis: what is compared: slices along it; without one, single draws.
        resolution: the spacing of the numbers that could have been drawn. Without it, that of the array's own type, and
            of float32 where every draw is a float32 number.
    """
    u = np.asarray(u)
    rows = draws(u).reshape(-1, 1) if axis is None else slices(u, axis)
    m, k = rows.shape
    if m < 2:
        return Evidence("coincidence", "no draw stands twice", 0.0, 1.0, 0)
    if resolution is None:
        resolution = _resolution(u)
    order = np.argsort(rows[:, 0], kind="stable")
    distances = np.abs(np.diff(rows[order], axis=0)).max(axis=1)
    nearest = int(np.argmin(distances))
    D = float(distances[nearest])
    log_p = np.log(m * (m - 1) / 2) + k * np.log(max(erf((D + resolution) / 2), np.finfo(np.float64).tiny))
    i, j = sorted((int(order[nearest]), int(order[nearest + 1])))
    noun = "draws" if axis is None else "slices"
    return Evidence("coincidence", "no draw stands twice", D, float(np.exp(min(0.0, log_p))), rows.size, f"{noun} {i} and {j}")


def _resolution(u: Any) -> float:
    kind = u.dtype if u.dtype.kind == "f" else np.dtype(np.float64)
    if kind.itemsize > 4 and np.array_equal(u, u.astype(np.float32)):
        kind = np.dtype(np.float32)
    return LATTICE * float(np.finfo(kind).eps) * max(1.0, float(np.abs(u).max()))
