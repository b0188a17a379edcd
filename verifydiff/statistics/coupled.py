r"""Two samplers on the same noise: what differs shows in pairs long before it shows in either alone.

Let x and y be draws of two samplers that share their noise, with standard deviation c and correlation r. The difference
:math:`d = x - y` has the standard deviation :math:`c \sqrt{2 (1 - r)}`: at r = 0.999 a difference of means needs 0.2 % of the draws
that the test of x alone against a known mean does. The spread of d is not known beforehand, so:

* **means**: for Gaussian d, Student's :math:`\sqrt n\,(\bar d - \delta) / s \sim t_{n-1}`, exactly. To fix how many draws
  there have to be before they are judged, take k pairs as a pilot and keep their s. By Stein (1945)
  :math:`\sqrt N\,(\bar d_N - \delta) / s_k \sim t_{k-1}` exactly, where N may depend on s_k in any way: with

  .. math:: N \ge \bigl((t_{k-1,\,1-\alpha/2} + t_{k-1,\,1-\mu})\, s_k / (\rho c)\bigr)^2

  there is always an answer. Going on until a t test says something would be peeking, and is not that;
* **variances**: x and y have one variance if and only if x + y and x - y are uncorrelated (Pitman 1939, Morgan 1939). For Gaussian
  pairs the square of their correlation is Beta(1/2, (n - 2)/2), exactly.
"""

from __future__ import annotations

from math import ceil, inf, sqrt
from typing import Any

import numpy as np
from scipy.special import betaincc, stdtr, stdtrit

from ..verdict import MisuseError
from .decision import Comparison, check_resolution_of_mean, decide
from .evidence import Array, Evidence, draws
from .rates import ErrorRates

LARGEST = 1e100


def compare_coupled_means(
    x: Any, y: Any, scale: float, resolution: float, rates: ErrorRates | None = None, *, pilot: int | None = None
) -> Comparison:
    """Have two samplers on shared noise the same mean, within ``resolution`` times the scale?

    Call it with some pairs: with too few it is inconclusive, and says how many are needed. Draw as many in all, the first ones
    included, and call it again with ``pilot`` the number of the first ones: then the answer is sure, and the rates hold
    exactly.

    Args:
        x: draws of one, (n,).
        y: draws of the other on the same noise, (n,).
        scale: in which the resolution is told; that of x, say.
        resolution: how far apart two means count as equal.
        rates: of false alarms and misses.
        pilot: how many of the first pairs fixed the number of pairs; without it all are one sample, whose number was fixed before.

    Raises:
        MisuseError: if the shapes differ, there are fewer than two pairs (or than the pilot), or a draw is none.
    """
    rates = rates or ErrorRates()
    check_resolution_of_mean(resolution)
    if not 0 < scale < inf:
        raise MisuseError(f"the scale must be positive and finite, got {scale}.")
    d = _differences(x, y) / scale
    k = d.size if pilot is None else pilot
    if not 2 <= k <= d.size:
        raise MisuseError(f"the pilot is from 2 to all {d.size} pairs, got {k}.")
    spread = float(d[:k].std(ddof=1))
    outer, inner = (-float(stdtrit(k - 1, q)) for q in (rates.false_alarm / 2, rates.miss))
    estimate, error = float(d.mean()), spread / sqrt(d.size)
    interval = (estimate - outer * error, estimate + outer * error)
    needed = max(k, ceil(((outer + inner) * spread / resolution) ** 2))
    t = abs(estimate) / error if error > 0 else (inf if estimate else 0.0)
    decision = decide(abs(estimate) + inner * error <= resolution, t > outer)
    return Comparison(decision, estimate, interval, 0.0, resolution, float(2 * stdtr(k - 1, -t)), d.size, needed)


def coupled_variances(x: Any, y: Any) -> Evidence:
    """Have two samplers on shared noise the same variance? Pitman and Morgan's test; exact for Gaussian pairs.

    The statistic is the correlation of x + y and x - y: positive if x has the larger variance.
    """
    difference = _differences(x, y)
    if difference.size < 3:
        raise MisuseError(f"variances of pairs are compared from three pairs on, got {difference.size}.")
    total = 2 * draws(y) + difference
    total, difference = (part - part.mean() for part in (total, difference))
    norm = float(np.linalg.norm(total) * np.linalg.norm(difference))
    r = float(np.clip(np.vdot(total, difference) / norm, -1, 1)) if norm > 0 else 0.0
    p_value = float(betaincc(0.5, (difference.size - 2) / 2, r * r))
    return Evidence("coupled-variances", "both have the same variance", r, p_value, difference.size)


def _differences(x: Any, y: Any) -> Array:
    a, b = draws(x), draws(y)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise MisuseError(f"pairs are two arrays of the shape (n,), n at least 2; got {a.shape} and {b.shape}.")
    if max(float(np.abs(a).max()), float(np.abs(b).max())) > LARGEST:
        raise MisuseError(f"the draws are so large, beyond {LARGEST:g}, that their squares overflow.")
    return a - b
