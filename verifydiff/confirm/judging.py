r"""From estimates to findings: equal within a resolution, different, or not to be told.

An estimate is a mean over :data:`.BLOCKS` blocks of draws. Its interval is Student's over the blocks, at the rate that the
declared budget leaves for one question of the confirmation. With the interval :math:`[l, u]` and the resolution rho:

* *pass* if :math:`u \le \rho` and :math:`l \ge -\rho`;
* *fail* if :math:`l > \rho` or :math:`u < -\rho`;
* otherwise *inconclusive*.

No network is perfect, and to say so of one is no fault found. So what is a network's has a limit too, larger than its resolution:
it fails beyond the limit, and what is surely within is a *note* with its size.

What is compared is coupled, the model with the exact denoiser on the same data and noise. So a perfect model has the estimate 0
with an interval of rounding, and its false alarms have probability 0, however few the draws. For others the block means are
Gaussian as far as the mean of dozens of draws is; the interval is 7 standard errors wide at the usual rates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ..statistics.evidence import Array
from ..verdict import Finding, Status

GRAVITY = (Status.PASS, Status.NOTE, Status.INCONCLUSIVE, Status.FAIL)


@dataclass(frozen=True)
class Interval:
    """A number and where it surely lies.

    Attributes:
        value: the estimate.
        low: of the interval.
        high: of the interval.
    """

    value: float
    low: float
    high: float

    @property
    def finite(self) -> bool:
        """Whether there is anything to judge."""
        return bool(np.isfinite([self.value, self.low, self.high]).all())

    def by(self, function: Callable[[float], float]) -> Interval:
        """The same number seen through a rising function."""
        return Interval(function(self.value), function(self.low), function(self.high))

    def plain(self) -> list[float]:
        """As JSON has it: value, low, high."""
        return [self.value, self.low, self.high]


def mean_of_blocks(values: Any, rate: float) -> Interval:
    """The mean of independent numbers and Student's interval, but for ``rate``."""
    v: Array = np.asarray(values, np.float64)
    value = float(v.mean())
    reach = -float(stdtrit(v.size - 1, rate / 2)) * float(v.std(ddof=1)) / sqrt(v.size)
    return Interval(value, value - reach, value + reach)


def jackknife(statistic: Callable[[Array], Array], sums: Array, rate: float) -> list[Interval]:
    r"""Statistics of summed blocks, their bias of order 1/n taken off (Quenouille 1956, Tukey 1958).

    With :math:`\hat\theta` of all and :math:`\hat\theta_{-g}` of all but block g, the pseudo-values
    :math:`G\hat\theta - (G - 1)\hat\theta_{-g}` are judged as if they were G independent estimates.

    Args:
        statistic: of sums (\*batch, ...) to (\*batch, k).
        sums: (G, ...), one of each block.
        rate: at which an interval may miss.
    """
    G = len(sums)
    total = sums.sum(axis=0)
    values = statistic(np.concatenate([total[None], total[None] - sums]))
    pseudo = G * values[0] - (G - 1) * values[1:]
    return [mean_of_blocks(column, rate) for column in pseudo.T]


def judged(
    check: str, measured: Interval, resolution: float, message: str, *, limit: float, rate: float, details: Any = None
) -> Finding:
    """The finding: does this number, 0 where all is exact, lie within the resolution, or else within the limit?"""
    status = graded(measured, resolution, limit)
    if status is Status.NOTE:
        beyond = status_of(measured, resolution) is Status.FAIL
        told = "more than counts as none" if beyond else "not told from what counts as none"
        message = f"{message.rstrip('.')}: {told} ({resolution:.3g}), and less than a trained network may be off ({limit:.3g})."
    return Finding(
        check,
        status,
        message,
        measured=measured.value,
        expected=0.0,
        tolerance=resolution,
        false_alarm=rate,
        details=details or {},
    )


def status_of(measured: Interval, resolution: float) -> Status:
    """Pass, fail or inconclusive."""
    if not measured.finite:
        return Status.FAIL
    if measured.high <= resolution and measured.low >= -resolution:
        return Status.PASS
    return Status.FAIL if measured.low > resolution or measured.high < -resolution else Status.INCONCLUSIVE


def graded(measured: Interval, resolution: float, limit: float) -> Status:
    """Pass within the resolution, a note within the limit, fail beyond it; inconclusive where that cannot be told."""
    if status_of(measured, resolution) is Status.PASS:
        return Status.PASS
    within = status_of(measured, limit)
    return Status.NOTE if within is Status.PASS else within


def gravest(intervals: list[Interval], resolutions: list[float], limits: list[float]) -> int:
    """The one to be told of: what surely fails before what cannot be told, and that before the rest; then the furthest off."""
    grades = [GRAVITY.index(graded(*each)) for each in zip(intervals, resolutions, limits, strict=True)]
    some = [k for k, grade in enumerate(grades) if grade == max(grades)]
    return max(some, key=lambda k: _reach(intervals[k]) / resolutions[k])


def _reach(interval: Interval) -> float:
    return max(abs(interval.low), abs(interval.high)) if interval.finite else inf
