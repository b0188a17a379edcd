r"""Independence between slices of standard normal draws: steps, rows of a batch, coordinates.

Everything rests on one exact law. For independent :math:`u, v \in \mathbb{R}^k`, of which one is standard normal, the
direction of that one is uniform on the sphere, so that

.. math:: r = \frac{\langle u, v \rangle}{|u|\,|v|}, \qquad r^2 \sim \mathrm{Beta}\bigl(\tfrac12, \tfrac{k-1}{2}\bigr),

at any scale of either. Three questions are put to the m slices:

* **pairs**: r of every two slices. Finds two that share their noise.
* **neighbours**: r of all slices next to each other at once, first of the pairs (0,1), (2,3), ..., then of (1,2), (3,4),
  ...; within each class every draw stands once, so both are exact. Finds a faint dependence from slice to slice.
* **common**: :math:`|\sum_i u_i|^2 / m \sim \chi^2_k`. Finds a faint part that all slices share, or that cancels in their sum.

Correlation is blind to signs: slices that share their magnitudes under fresh signs are uncorrelated. So the same three
are put to :math:`w = \Phi^{-1}(2 \Phi(|u|) - 1)` as well, which is standard normal, exactly, when u is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import betaincc, erf, ndtr, ndtri

from .chi_squared import above, below
from .evidence import Array, Evidence, slices, smallest_of_any, two_sided

HYPOTHESIS = "slices are independent"
LARGEST_BLOCK = 1024  # all pairs of so many slices at once; with more slices, pairs within blocks of them


def independence(u: Any, axis: int = 0) -> Evidence:
    """Are the slices along ``axis`` independent of one another?

    Six tests (pairs, neighbours and common part, of the draws and of their magnitudes) share the p-value by Boole; the
    one that stands out is reported, with its correlation as the statistic (for the common part, the mean square of the
    slices' sum over the square root of m).
    """
    rows = slices(u, axis)
    found = [
        replace(evidence, where=f"{evidence.where}{suffix}")
        for values, suffix in ((rows, ""), (folded(rows), ", in magnitude"))
        for evidence in (pairs(values), neighbours(values), common(values))
        if evidence.n
    ]
    if not found:
        return Evidence("independence", HYPOTHESIS, 0.0, 1.0, 0)
    worst = min(found, key=lambda evidence: evidence.p_value)
    return replace(worst, test="independence", p_value=smallest_of_any(worst.p_value, len(found)))


def pairs(rows: Array) -> Evidence:
    """The most correlated pair of slices; Boole's bound over the pairs."""
    m, k = rows.shape
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    best, where, tested = 0.0, (0, 0), 0
    for start in range(0, m, LARGEST_BLOCK):
        block = unit[start : start + LARGEST_BLOCK]
        gram = np.triu(block @ block.T, 1)
        tested += len(block) * (len(block) - 1) // 2
        i, j = (int(index) for index in np.unravel_index(np.argmax(np.abs(gram)), gram.shape))
        if abs(gram[i, j]) > abs(best):
            best, where = float(gram[i, j]), (start + i, start + j)
    if not tested or k < 2:
        return Evidence("pairs", HYPOTHESIS, 0.0, 1.0, 0)
    p = smallest_of_any(_beta_tail(best, k), tested)
    return Evidence("pairs", HYPOTHESIS, best, p, rows.size, f"slices {where[0]} and {where[1]}")


def neighbours(rows: Array) -> Evidence:
    """The correlation of all slices with the next, over even and over odd pairs; Boole's bound over the two."""
    found = []
    for first in (0, 1):
        left, right = rows[first:-1:2], rows[first + 1 :: 2]
        scale = float(np.linalg.norm(left) * np.linalg.norm(right))
        if left.size >= 2 and scale > 0:
            r = float(np.vdot(left, right)) / scale
            found.append((_beta_tail(r, left.size), r))
    if not found:
        return Evidence("neighbours", HYPOTHESIS, 0.0, 1.0, 0)
    p, r = min(found)
    return Evidence("neighbours", HYPOTHESIS, r, smallest_of_any(p, len(found)), rows.size, "each slice and the next")


def common(rows: Array) -> Evidence:
    """The mean square of the slices' sum over the square root of m: 1 if they are independent; exact, two-sided."""
    m, k = rows.shape
    if m < 2:
        return Evidence("common", HYPOTHESIS, 0.0, 1.0, 0)
    s = float(np.sum(rows.sum(axis=0) ** 2)) / m
    return Evidence("common", HYPOTHESIS, s / k, float(two_sided(below(k, s), above(k, s))), rows.size, "all slices together")


def folded(u: Array) -> Array:
    r""":math:`\Phi^{-1}(2 \Phi(|u|) - 1)`: standard normal when u is, and a function of the magnitude alone."""
    a = np.abs(u)
    near = ndtri(np.maximum(erf(a / np.sqrt(2)), np.finfo(np.float64).tiny))
    far = -ndtri(np.maximum(2 * ndtr(-a), np.finfo(np.float64).tiny))
    return np.asarray(np.where(a < 1, near, far), dtype=np.float64)


def _beta_tail(r: float, k: int) -> float:
    """P(R**2 >= r**2) for R**2 ~ Beta(1/2, (k - 1)/2); rounding may have carried |r| beyond 1."""
    return float(betaincc(0.5, (k - 1) / 2, min(1.0, r * r)))
