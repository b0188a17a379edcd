r"""Mean and variance of standard normal draws.

For independent :math:`u_1, \dots, u_k \sim \mathcal{N}(0, 1)`

.. math:: z = \frac{1}{\sqrt k} \sum_i u_i \sim \mathcal{N}(0, 1), \qquad S = \sum_i u_i^2 \sim \chi^2_k,

both exactly. Along an axis each slice is tested by itself and the most extreme one reported; the slices are independent,
so the p-value of the most extreme is exact as well. That finds biases that cancel between coordinates, and a scale that
is off at one step only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from .chi_squared import above, below
from .evidence import Array, Evidence, slices, smallest_of_independent, two_sided


def zero_mean(u: Any, axis: int | None = None) -> Evidence:
    """Is the mean 0? The exact two-sided z test, of all draws or of each slice along ``axis``.

    The statistic is z of the most extreme slice.
    """
    rows = slices(u, axis)
    z = rows.sum(axis=1) / np.sqrt(rows.shape[1])
    return _most_extreme("zero-mean", "the mean is 0", z, 2 * ndtr(-np.abs(z)), rows, axis)


def unit_variance(u: Any, axis: int | None = None) -> Evidence:
    """Is the variance 1, given mean 0? The exact two-sided chi-squared test with equal tails, of all draws or of each slice.

    The statistic is the mean square of the most extreme slice.
    """
    rows = slices(u, axis)
    k = rows.shape[1]
    s = np.einsum("ij,ij->i", rows, rows)
    return _most_extreme("unit-variance", "the variance is 1", s / k, two_sided(below(k, s), above(k, s)), rows, axis)


def _most_extreme(test: str, hypothesis: str, statistics: Array, p: Array, rows: Array, axis: int | None) -> Evidence:
    worst = int(np.argmin(p))
    return Evidence(
        test,
        hypothesis if axis is None else f"{hypothesis} in each slice along axis {axis}",
        float(statistics[worst]),
        smallest_of_independent(float(p[worst]), rows.shape[0]),
        rows.size,
        "" if axis is None else f"slice {worst} of {rows.shape[0]}",
    )
