r"""Frechet distances of draws that are coupled with draws whose law is known.

Let y be draws of the reference sampler with the exact denoiser, whose mean m and covariance C are known, and x the draws in
question, on the same noise. With :math:`x - y = \delta` and the regression :math:`\delta \approx b + B (y - m)`,

.. math:: \hat m_x = m + b, \qquad \hat C_x = (I + B)\, C\, (I + B)^\top + R, \qquad
          B = S_{\delta y} S_{yy}^{-1},

R being the covariance that the regression leaves. Where the model is perfect, delta = 0 and these are m and C exactly, however few
the draws: the plain estimate from n draws in d dimensions would be off by some (d + 5) / (4 n) of the variance by chance alone.
Where it is nearly so, what is left to chance is the small R. The bias of order 1/n that remains is taken off by the jackknife.

Where no law is known in closed form (mixtures), m and C are those of many more draws of the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..statistics.evidence import Array as Numbers
from .budget import BLOCKS
from .judging import Interval, jackknife

MOST_FULL = 256
"""Coordinates of which whole covariances are compared; of more, the leading ones of the data."""
EACH = 2
"""Draws for each coordinate, at least."""


def frechet(mean_p: Numbers, covariance_p: Numbers, mean_q: Numbers, covariance_q: Numbers) -> Numbers:
    r"""The squared distance of Gaussians, means (\*batch, d) and covariances (\*batch, d, d) of p against one q, in float64.

    :math:`\|m_p - m_q\|^2 + \operatorname{tr} C_p + \operatorname{tr} C_q - 2 \operatorname{tr}(L^\top C_p L)^{1/2}` with
    :math:`C_q = L L^\top`: one spectrum for each p. Some 1e-8 of the variance is left to rounding, far less than is judged;
    :func:`verifydiff.oracles.frechet_distance` leaves none.
    """
    L = root(covariance_q)
    spectrum = np.linalg.eigvalsh(L.T @ covariance_p @ L)
    overlap = np.sqrt(np.maximum(spectrum, 0.0)).sum(axis=-1)
    traces = np.trace(covariance_p, axis1=-2, axis2=-1) + np.trace(covariance_q)
    distance: Numbers = np.sum((mean_p - mean_q) ** 2, axis=-1) + np.maximum(traces - 2 * overlap, 0.0)
    return distance


def root(covariance: Numbers) -> Numbers:
    """L with L L^T = C."""
    values, vectors = np.linalg.eigh((covariance + np.swapaxes(covariance, -1, -2)) / 2)
    L: Numbers = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    return L


class Coupled:
    """The law of coupled draws, block by block.

    Attributes:
        mean: (d,), of the reference.
        covariance: (d, d), of the reference.
        sums: (BLOCKS, 1 + 2 d, 1 + 2 d): products of (1, y - m, x - y), summed over the block.
    """

    def __init__(self, mean: Numbers, covariance: Numbers, x: Any, y: Any) -> None:
        self.mean, self.covariance = mean, covariance
        a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
        rows = np.concatenate([np.ones((len(a), 1)), b - mean, a - b], axis=1).reshape(BLOCKS, -1, 1 + 2 * mean.size)
        self.sums = np.einsum("gni,gnj->gij", rows, rows, optimize=True)

    def moments(self, sums: Numbers) -> tuple[Numbers, Numbers]:
        """Mean (..., d) and covariance (..., d, d) of x, from sums over any blocks."""
        d = self.mean.size
        n = sums[..., :1, :1]
        centre = sums[..., 1:, 0] / n[..., 0]
        scatter = sums[..., 1:, 1:] / n - centre[..., :, None] * centre[..., None, :]
        yy, dy, dd = scatter[..., :d, :d], scatter[..., d:, :d], scatter[..., d:, d:]
        B = np.swapaxes(np.linalg.solve(yy + 1e-12 * np.trace(self.covariance) * np.eye(d), np.swapaxes(dy, -1, -2)), -1, -2)
        left = (dd - B @ np.swapaxes(dy, -1, -2)) * n / np.maximum(n - 1 - d, 1)
        turn = np.eye(d) + B
        mean = self.mean + centre[..., d:] - (B @ centre[..., :d, None])[..., 0]
        return mean, turn @ self.covariance @ np.swapaxes(turn, -1, -2) + left

    def distance(self, mean: Numbers, covariance: Numbers, theory: float, rate: float) -> tuple[Interval, Interval]:
        """Of x from a law, and that less what theory gives for the reference."""

        def statistic(sums: Numbers) -> Numbers:
            found = frechet(*self.moments(sums), mean, covariance)
            return np.stack([found, found - theory], axis=1)

        far, excess = jackknife(statistic, self.sums, rate)
        return far, excess
