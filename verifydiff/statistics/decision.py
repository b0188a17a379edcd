r"""Equal within a resolution, different, or not enough draws to say.

A variance. For n draws of mean zero, claimed variance c**2 and true variance r c**2, :math:`S = \sum (n_i / c)^2 \sim r
\chi^2_n`. With :math:`\chi^2_{n, q}` the q-quantile, alpha the rate of false alarms, mu that of misses and rho the
resolution:

* *different* if S leaves :math:`[\chi^2_{n, \alpha/2},\ \chi^2_{n, 1 - \alpha/2}]`: for r = 1 with probability alpha;
* *equal* if :math:`S / \chi^2_{n, \mu} \le 1 + \rho` and :math:`S / \chi^2_{n, 1 - \mu} \ge 1 - \rho`, two one-sided
  tests (Schuirmann 1987): for any r with :math:`|r - 1| \ge \rho` with probability at most mu.

*Equal* is asked first: a difference that is seen but lies within the resolution is no difference. The two regions
overlap, and so leave nothing between them, from the smallest n on with

.. math:: \frac{\chi^2_{n, 1 - \alpha/2}}{\chi^2_{n, \mu}} \le 1 + \rho, \qquad
          \frac{\chi^2_{n, \alpha/2}}{\chi^2_{n, 1 - \mu}} \ge 1 - \rho,

which are also the conditions for finding :math:`r = 1 \pm \rho` with probability 1 - mu. That n is the number of draws
needed: with it there is always an answer.

A mean, at a known scale, is decided likewise; with standard normal quantiles the number needed is
:math:`n \ge ((z_{1 - \alpha/2} + z_{1 - \mu}) / \delta)^2`, delta being the resolution in units of the scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from ..verdict import MisuseError
from .chi_squared import above, below, quantile_above, quantile_below
from .evidence import draws, two_sided
from .rates import ErrorRates


class Decision(StrEnum):
    """What a comparison can come to."""

    EQUAL = "equal within the resolution"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claimed number against draws.

    Attributes:
        decision: what it came to.
        estimate: of the ratio of the true variance to the claimed one, or of the mean less the claimed one in units of the scale.
        interval: what the true value of that lies in, but for the rate of false alarms; exact, equal tails.
        claim: the value it has if the claim is right: 1 for a variance, 0 for a mean.
        resolution: how far from the claim counts as equal.
        p_value: of the claim, two-sided; exact.
        n: how many draws there were.
        needed: how many there must be for a decision that is never inconclusive.
    """

    decision: Decision
    estimate: float
    interval: tuple[float, float]
    claim: float
    resolution: float
    p_value: float
    n: int
    needed: int


def compare_variance(noise: Any, scale: float, resolution: float, rates: ErrorRates | None = None) -> Comparison:
    """Is the variance of these draws of mean zero ``scale**2``, within a relative ``resolution``?"""
    rates = rates or ErrorRates()
    _check_scale(scale)
    needed = draws_needed_for_variance(resolution, rates)
    u = draws(noise) / scale
    n, s = u.size, float(np.sum(u**2))
    alpha, mu = rates.false_alarm, rates.miss
    within = s <= (1 + resolution) * quantile_below(n, mu) and s >= (1 - resolution) * quantile_above(n, mu)
    p_value = float(two_sided(below(n, s), above(n, s)))
    interval = (s / quantile_above(n, alpha / 2), over(s, quantile_below(n, alpha / 2)))
    outside = not interval[0] <= 1 <= interval[1]
    return Comparison(decide(within, outside), s / n, interval, 1.0, resolution, p_value, n, needed)


def compare_mean(noise: Any, mean: float, scale: float, resolution: float, rates: ErrorRates | None = None) -> Comparison:
    """Is the mean of these draws of standard deviation ``scale`` the claimed one, within ``resolution`` times the scale?"""
    rates = rates or ErrorRates()
    _check_scale(scale)
    needed = draws_needed_for_mean(resolution, rates)
    u = (draws(noise) - mean) / scale
    n, estimate = u.size, float(np.mean(u))
    reach = float(-ndtri(rates.false_alarm / 2)) / sqrt(n)
    within = abs(estimate) + float(-ndtri(rates.miss)) / sqrt(n) <= resolution
    p_value = float(2 * ndtr(-abs(estimate) * sqrt(n)))
    interval = (estimate - reach, estimate + reach)
    return Comparison(decide(within, abs(estimate) > reach), estimate, interval, 0.0, resolution, p_value, n, needed)


def draws_needed_for_variance(resolution: float, rates: ErrorRates | None = None) -> int:
    """How many normal draws find a relative error of ``resolution`` in the variance, either way, at these rates."""
    rates = rates or ErrorRates()
    check_resolution_of_variance(resolution)
    alpha, mu = rates.false_alarm, rates.miss

    def enough(n: int) -> bool:
        return bool(
            quantile_above(n, alpha / 2) <= (1 + resolution) * quantile_below(n, mu)
            and quantile_below(n, alpha / 2) >= (1 - resolution) * quantile_above(n, mu)
        )

    return smallest(enough)


def draws_needed_for_mean(resolution: float, rates: ErrorRates | None = None) -> int:
    """How many draws of known scale find a mean that is off by ``resolution`` times the scale, either way, at these rates."""
    rates = rates or ErrorRates()
    check_resolution_of_mean(resolution)
    return max(1, ceil(float((ndtri(rates.false_alarm / 2) + ndtri(rates.miss)) / resolution) ** 2))


def check_resolution_of_variance(resolution: float) -> None:
    """Refuse a relative resolution that is none."""
    if not 0 < resolution < 1:
        raise MisuseError(f"the resolution of a variance must lie strictly between 0 and 1, got {resolution}.")


def check_resolution_of_mean(resolution: float) -> None:
    """Refuse a resolution in units of the scale that is none."""
    if not 0 < resolution < inf:
        raise MisuseError(f"the resolution of a mean must be positive and finite, got {resolution}.")


def decide(within: bool, outside: bool) -> Decision:
    """*Equal* is asked first."""
    if within:
        return Decision.EQUAL
    return Decision.DIFFERENT if outside else Decision.INCONCLUSIVE


def smallest(enough: Callable[[int], bool]) -> int:
    """The smallest n >= 1 with ``enough(n)``, which holds for every greater one too: doubling, then bisection."""
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2  # not enough, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def over(numerator: float, denominator: float) -> float:
    """The quotient; infinite where nothing divides."""
    return numerator / denominator if denominator > 0 else inf


def _check_scale(scale: float) -> None:
    if not 0 < scale < inf:
        raise MisuseError(f"the claimed scale must be positive and finite, got {scale}.")
