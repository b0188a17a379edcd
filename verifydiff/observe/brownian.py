r"""A Brownian path that is affine in standard normal draws, at times that are asked for in any order.

Solvers of the reverse SDE that ask the model within a step want the noise of overlapping intervals, and it must be that of one
path: :math:`W(u) - W(t)` is a part of :math:`W(s) - W(t)` where u lies between. So every time that is new costs one fresh draw
z, and the law of all increments together is exact:

- beyond the last known time t, :math:`W(s) = W(t) + \sqrt{|s - t|}\, z`;
- between two neighbours :math:`a < u < b`, the bridge

.. math:: W(u) = \frac{b - u}{b - a}\, W(a) + \frac{u - a}{b - a}\, W(b) + \sqrt{\frac{(u - a)(b - u)}{b - a}}\; z .
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Any


class BrownianPath:
    """W, pinned to 0 at the first time that it is asked about; only increments are noise.

    Args:
        normal: a fresh standard normal draw, of the shape of the state; an array of any library's.
    """

    def __init__(self, normal: Callable[[], Any]) -> None:
        self.normal = normal
        self.times: list[float] = []
        self.values: list[Any] = []

    def at(self, time: float) -> Any:
        """W at a time; the same one again where it is known.

        Raises:
            ValueError: if the time is not finite.
        """
        if not math.isfinite(time):
            raise ValueError(f"a Brownian path is asked about finite times, got {time!r}.")
        k = bisect_left(self.times, time)
        if k == len(self.times) or self.times[k] != time:
            self.values.insert(k, self._fresh(k, time))
            self.times.insert(k, time)
        return self.values[k]

    def _fresh(self, k: int, u: float) -> Any:
        """W at a new time between the k-th known one and that before it."""
        times, W = self.times, self.values
        if not times:
            return 0.0
        if k == 0:
            return W[0] + math.sqrt(times[0] - u) * self.normal()
        if k == len(times):
            return W[-1] + math.sqrt(u - times[-1]) * self.normal()
        a, b = times[k - 1], times[k]
        near, far = (b - u) / (b - a), (u - a) / (b - a)
        return near * W[k - 1] + far * W[k] + math.sqrt(near * far * (b - a)) * self.normal()

    def increment(self, t: float, s: float) -> Any:
        r"""The noise from time t to time s as a standard normal number, :math:`(W(s) - W(t)) / \sqrt{|s - t|}`.

        Raises:
            ValueError: if the times are the same one, or not finite.
        """
        if t == s:
            raise ValueError(f"there is no noise between {t!r} and itself.")
        before = self.at(t)
        return (self.at(s) - before) / math.sqrt(abs(s - t))
