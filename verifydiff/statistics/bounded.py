r"""The mean of draws within [a, b], whatever their law.

For :math:`v = (x - a) / (b - a)` with mean m, q the mean of n of them, and

.. math:: \mathrm{kl}(q, m) = q \log\frac{q}{m} + (1 - q) \log\frac{1 - q}{1 - m},

* :math:`P(\bar v \ge q) \le e^{-n\,\mathrm{kl}(q, m)}` for q > m, and likewise below (Hoeffding 1963, his first bound; the
  better-known :math:`e^{-2n(q - m)^2}` is weaker);
* with the unbiased sample variance V (Maurer & Pontil 2009, an empirical Bernstein bound)

  .. math:: P\Bigl(\bar v - m \ge \sqrt{2 V \ell / n} + \frac{7 \ell}{3 (n - 1)}\Bigr) \le 2 e^{-\ell},

  which is the sharper one where the draws vary little.

Both sides, and the two bounds, share the p-value by Boole. They hold at every n; they are bounds, so a test of a law that is known
needs fewer draws. The sequential form is :class:`.SequentialMean` with ``scale=(b - a) / 2``.
"""

from __future__ import annotations

from math import ceil, exp, inf, log, sqrt
from typing import Any

import numpy as np
from scipy.special import xlogy

from ..verdict import MisuseError
from .decision import check_resolution_of_mean
from .evidence import Evidence, draws, smallest_of_any
from .rates import ErrorRates


def bounded_mean(x: Any, mean: float, low: float, high: float) -> Evidence:
    """Is the mean of draws from [low, high] the claimed one? A bound at every n; the statistic is the sample's mean.

    Raises:
        MisuseError: if a draw lies outside, or the claimed mean does not lie inside.
    """
    u = draws(x).ravel()
    if not -inf < low < mean < high < inf:
        raise MisuseError(f"the claimed mean must lie between the bounds, got {low} < {mean} < {high}.")
    if u.min() < low or u.max() > high:
        raise MisuseError(f"draws must lie in [{low}, {high}], got {u.min():.3g} to {u.max():.3g}.")
    v, m = (u - low) / (high - low), (mean - low) / (high - low)
    p = min(_chernoff(v, m), _bernstein(v, m))
    return Evidence("bounded-mean", "the mean is the claimed one", float(u.mean()), smallest_of_any(p, 2), u.size)


def draws_needed_for_bounded_mean(resolution: float, rates: ErrorRates | None = None) -> int:
    r"""How many draws find a mean off by ``resolution`` times the width b - a, by Hoeffding's bound, whatever their law.

    .. math:: n \ge \Bigl(\sqrt{\log(4/\alpha)} + \sqrt{\log(1/\mu)}\Bigr)^2 / (2 \delta^2)
    """
    rates = rates or ErrorRates()
    check_resolution_of_mean(resolution)
    return ceil((sqrt(log(4 / rates.false_alarm)) + sqrt(log(1 / rates.miss))) ** 2 / (2 * resolution**2))


def _chernoff(v: Any, m: float) -> float:
    q = float(v.mean())
    distance = float(xlogy(q, q / m) + xlogy(1 - q, (1 - q) / (1 - m)))
    return min(1.0, 2 * exp(-v.size * max(0.0, distance)))


def _bernstein(v: Any, m: float) -> float:
    """2 exp(-l), on both sides, at the l where the bound meets the distance: a quadratic equation in its root."""
    n = v.size
    if n < 2:
        return 1.0
    linear, constant = sqrt(2 * float(v.var(ddof=1)) / n), abs(float(v.mean()) - m)
    quadratic = 7 / (3 * (n - 1))
    root = 2 * constant / (linear + sqrt(linear**2 + 4 * quadratic * constant)) if constant > 0 else 0.0
    return min(1.0, 4 * exp(-(np.float64(root) ** 2)))
