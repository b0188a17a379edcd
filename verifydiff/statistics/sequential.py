r"""Draw until it is clear: *equal within the resolution*, or *different*, at rates that hold whenever one looks.

The draws, standardised by what is claimed, have a parameter theta that is theta_0 if the claim is right: 0 for a mean, 1 for
a variance. rho is the resolution, alpha the rate of false alarms, mu that of misses. Two kinds of e-processes
(:mod:`.likelihood`) are watched:

* *different* when :math:`E_n \ge 1/\alpha`, E mixing alternatives on both sides of :math:`\theta_0`: nearly all of the weight
  at the resolution, where the test is to be sharpest: every factor in a weight costs its logarithm, next to that of
  :math:`2/\alpha`. The rest is at half of it and at 2, 4, 8 ... times it, where the test is to come to an end, and is quick anyhow.
  For d coordinates, E is the average of theirs;
* *equal* when both :math:`E^+_n` and :math:`E^-_n \ge 1/\mu` in every coordinate, where :math:`E^\pm` tests the hypothesis
  that theta is :math:`\theta_0 \pm \rho` *or further off*, against :math:`\theta_0` and against half the resolution.

By Ville's inequality P(ever called different) is at most alpha if the claim is right, and P(ever called equal) at most mu if
a coordinate is off by the resolution or more; there is no set of looks to be declared, and nobody has to stop. Every theta
has an alternative that its draws favour, so a decision comes with probability one. *Equal* is asked first, and the first
decision stays.

At 1e-6 and a power of 0.99 that takes, at the resolution's own effect, some 0.6 of the draws of the best test with a fixed number
of them, and at rates of 5 % some 0.7; the table is in ``docs/power.md``.

The state is n and s alone, so draws of several processes merge. That is valid since the likelihood ratio of all draws is the
product of the processes', as long as every draw that was made is counted. What a process decides by itself is a test of
its own: let the rates of the campaign be those of the merged test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import inf, log
from typing import Any, Self

import numpy as np

from ..verdict import MisuseError
from .decision import Decision, check_resolution_of_mean, check_resolution_of_variance
from .evidence import Array, draws
from .likelihood import MEAN, VARIANCE, Family, Mixture
from .rates import ErrorRates
from .streaming import Moments

AT_RESOLUTION, AT_HALF = 0.97, 0.015  # weights of *different*; 2, 4, 8 ... times the resolution share the rest
AT_CLAIM = 0.8  # weight of *equal*; half the resolution has the rest
LARGEST, MOST_DOUBLINGS = 8.0, 60  # what is off by more shows in a few draws
DECISIONS = tuple(Decision)


class Sequential(ABC):
    """A test that goes on until it can say. Use :class:`SequentialMean` or :class:`SequentialVariance`.

    Attributes:
        resolution: how far from the claim counts as equal: in units of the scale for a mean, relative for a variance.
        rates: of false alarms and misses, over all looks and all coordinates together.
        mean: the claimed means, (d,).
        scale: the claimed standard deviations, (d,).
        n: how many draws there were.
        sums: of the statistic, coordinate by coordinate, (d,).
        decision: what it came to; once made it stays, though further draws sharpen estimate and interval.
        off_claim: the mixture that tests the claim.
        off_resolution: the two that test whether theta is off by the resolution or more, upwards and downwards.
    """

    family: Family

    def __init__(
        self, resolution: float, rates: ErrorRates | None = None, *, mean: Any = 0.0, scale: Any = 1.0, d: int | None = None
    ) -> None:
        self.check_resolution(resolution)
        self.resolution, self.rates = float(resolution), rates or ErrorRates()
        self.mean, self.scale = _claims(mean, scale, d)
        self.n, self.sums, self.decision = 0, np.zeros(self.mean.size), Decision.INCONCLUSIVE
        self.off_claim = self._against_the_claim()
        self.off_resolution = [self._beyond(self.off_by(side * resolution), self.off_by(side * resolution / 2)) for side in (1, -1)]

    @staticmethod
    @abstractmethod
    def check_resolution(resolution: float) -> None:
        """Refuse a resolution that is none."""

    @staticmethod
    @abstractmethod
    def off_by(amount: float) -> float:
        """The parameter of draws that are off by so much: downwards if it is negative."""

    @abstractmethod
    def alternatives(self, times: float) -> tuple[float, float]:
        """The two parameters that are watched at so many times the resolution, upwards and downwards."""

    @abstractmethod
    def sums_of(self, moments: Moments) -> Array:
        """The sums of the statistic of draws whose moments are known."""

    @abstractmethod
    def scaled_interval(self, low: float, high: float) -> tuple[Array, Array]:
        """The claims, in units of the present one, whose sums would lie between these two."""

    @property
    def d(self) -> int:
        """How many coordinates a draw has."""
        return int(self.sums.size)

    def update(self, batch: Any) -> Decision:
        """Take in a batch of shape (n, d), or (n,) if d is 1, and look once.

        Raises:
            MisuseError: if it is no such array, holds integers, half precision or a number that is not finite. Nothing of it
                is then counted.
        """
        array = draws(batch)
        x = array[:, None] if array.ndim == 1 else array
        if x.ndim != 2 or x.shape[1] != self.d:
            raise MisuseError(f"a batch has the shape (n, {self.d}){' or (n,)' if self.d == 1 else ''}, got {array.shape}.")
        with np.errstate(over="ignore", invalid="ignore"):  # refused with the sums
            sums = self.family.statistic((x - self.mean) / self.scale).sum(axis=0)
        return self._take(len(x), sums)

    def update_from(self, moments: Moments) -> Decision:
        """Take in draws of which only the moments were kept, and look once. They must be others than those already here."""
        if moments.d != self.d:
            raise MisuseError(f"the draws have {self.d} coordinates, those of the moments {moments.d}.")
        return self._take(moments.n, self.sums_of(moments))

    def update_by_sums(self, n: int, sums: Any) -> Decision:
        """Take in n draws of which only the sums of the standardised statistic were kept, (d,), and look once.

        Raises:
            MisuseError: if they are no such sums of at least one draw.
        """
        array = draws(sums)
        if array.shape != (self.d,) or _whole(n) < 1:
            raise MisuseError(f"the sums of at least one draw have the shape ({self.d},), got {array.shape} of {n} draws.")
        return self._take(_whole(n), array)

    def merge(self, other: Self) -> Decision:
        """Take in the draws of another process with the same claim, resolution and rates, and look once."""
        if other is self:
            raise MisuseError("a test is merged with the draws of another, not with its own.")
        self._check_alike(other.arrays())
        return self._take(other.n, other.sums)

    @property
    def estimate(self) -> Array:
        """The mean less the claimed one in units of the scale, or the variance over the claimed one, (d,); NaN without draws."""
        return self.sums / self.n if self.n else np.full(self.d, np.nan)

    @property
    def interval(self) -> tuple[Array, Array]:
        """Where all true values lie, but for the rate of false alarms, at all looks together: in the units of the estimate."""
        level = log(self.d / self.rates.false_alarm)
        low, high = (_root(self.off_claim, self.n, self.n * self.family.claim, side, level) for side in (-1, 1))
        return self.scaled_interval(low, high)

    @property
    def log_e(self) -> float:
        """log of the evidence against the claim; *different* at log(1 / false alarm)."""
        each = self.off_claim.log_e(self.n, self.sums)
        return float(np.logaddexp.reduce(each) - log(self.d))

    @property
    def p_value(self) -> float:
        """Of the claim: an upper bound that holds whenever one looks, min(1, 1 / E)."""
        return float(np.exp(-max(0.0, self.log_e)))

    def draws_expected(self, off: float = 0.0) -> float:
        """An estimate, after Wald, of the draws until the decision if every coordinate is off by this much.

        No bound: it leaves out what the last draw overshoots, and that the slowest of several coordinates decides on *equal*.
        """
        theta = self.off_by(off)
        different = self.off_claim.draws_expected(theta, -log(self.rates.false_alarm))
        return min(different, max(side.draws_expected(theta, -log(self.rates.miss)) for side in self.off_resolution))

    def arrays(self) -> dict[str, Any]:
        """Claim, rates and state as arrays for ``numpy.savez``; :meth:`restore` reads it back."""
        return {
            "test": np.array(type(self).__name__),
            "claim": np.concatenate([[self.resolution, self.rates.false_alarm, self.rates.miss], self.mean, self.scale]),
            "n": np.array(self.n, dtype=np.int64),
            "sums": self.sums.copy(),
            "decision": np.array(DECISIONS.index(self.decision)),
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Go on from a stored state of the same claim, resolution and rates.

        Raises:
            MisuseError: if it is another's, truncated, or no state; the present one is then kept.
        """
        self._check_alike(arrays)
        n, decision = (_whole(arrays.get(name)) for name in ("n", "decision"))
        sums = draws(arrays.get("sums", ())).copy()
        if sums.shape != (self.d,) or not decision < len(DECISIONS) or (n == 0 and sums.any()):
            raise MisuseError(f"the stored state of a sequential test has {self.d} sums, of no or more draws, and a decision.")
        self.n, self.sums, self.decision = n, sums, DECISIONS[decision]

    def _take(self, n: int, sums: Array) -> Decision:
        if not np.isfinite(total := self.sums + sums).all():
            raise MisuseError("the draws are so large that their sums overflow.")
        self.n, self.sums = self.n + n, total
        if self.decision is Decision.INCONCLUSIVE:
            self.decision = self._look()
        return self.decision

    def _look(self) -> Decision:
        if min(float(side.log_e(self.n, self.sums).min()) for side in self.off_resolution) >= -log(self.rates.miss):
            return Decision.EQUAL
        return Decision.DIFFERENT if self.log_e >= -log(self.rates.false_alarm) else Decision.INCONCLUSIVE

    def _against_the_claim(self) -> Mixture:
        doublings = [2.0**k for k in range(1, MOST_DOUBLINGS) if k == 1 or 2.0**k * self.resolution < LARGEST]
        rest = (1 - AT_RESOLUTION - AT_HALF) / len(doublings)
        pairs = [self.alternatives(times) for times in (0.5, 1.0, *doublings)]
        weights = np.repeat([AT_HALF, AT_RESOLUTION, *(rest for _ in doublings)], 2)
        return self.family.mixture(np.ravel(pairs), weights, self.family.claim)

    def _beyond(self, boundary: float, halfway: float) -> Mixture:
        return self.family.mixture([self.family.claim, halfway], [AT_CLAIM, 1 - AT_CLAIM], boundary)

    def _check_alike(self, arrays: Mapping[str, Any]) -> None:
        mine = self.arrays()
        if not all(np.array_equal(mine[name], np.asarray(arrays.get(name))) for name in ("test", "claim")):
            raise MisuseError("that is the state of a test of another kind, claim, resolution or rates.")


class SequentialMean(Sequential):
    """Is the mean of draws of known scale the claimed one, within ``resolution`` times the scale?

    Valid for every law that is sub-Gaussian with that scale, so also for draws within [a, b] with ``scale=(b - a) / 2``.

    Raises:
        MisuseError: if resolution, mean or scale are none, or their shapes do not agree.
    """

    family = MEAN

    @staticmethod
    def check_resolution(resolution: float) -> None:
        """Refuse one that is not positive and finite."""
        check_resolution_of_mean(resolution)

    @staticmethod
    def off_by(amount: float) -> float:
        """The mean, in units of the scale, of draws that are off by ``amount`` times the scale."""
        return amount

    def alternatives(self, times: float) -> tuple[float, float]:
        """As far on either side."""
        return times * self.resolution, -times * self.resolution

    def sums_of(self, moments: Moments) -> Array:
        """n times the mean of the standardised draws."""
        return moments.n * (moments.mean - self.mean) / self.scale

    def scaled_interval(self, low: float, high: float) -> tuple[Array, Array]:
        """A claim that is off by m takes n m from each sum."""
        if not self.n:
            return np.full(self.d, -inf), np.full(self.d, inf)
        return (self.sums - high) / self.n, (self.sums - low) / self.n


class SequentialVariance(Sequential):
    """Is the variance of Gaussian draws of known mean ``scale**2``, within a relative ``resolution``?

    Raises:
        MisuseError: if resolution, mean or scale are none, or their shapes do not agree.
    """

    family = VARIANCE

    @staticmethod
    def check_resolution(resolution: float) -> None:
        """Refuse one that is not strictly between 0 and 1."""
        check_resolution_of_variance(resolution)

    @staticmethod
    def off_by(amount: float) -> float:
        """The ratio of variances."""
        if not -1 < amount < inf:
            raise MisuseError(f"a variance is off by more than -1 times itself, got {amount}.")
        return 1 + amount

    def alternatives(self, times: float) -> tuple[float, float]:
        """As far on either side; beyond the resolution, and below one half, by the reciprocal."""
        off = times * self.resolution
        return 1 + off, 1 - off if times <= 1 or off < 0.5 else 1 / (1 + off)

    def sums_of(self, moments: Moments) -> Array:
        """The sums of squares of the standardised draws."""
        about = moments.about(self.mean)
        return (np.diagonal(about) if about.ndim == 2 else about) / self.scale**2

    def scaled_interval(self, low: float, high: float) -> tuple[Array, Array]:
        """A claim that is r times the present one divides each sum by r."""
        if not self.n:
            return np.zeros(self.d), np.full(self.d, inf)
        return self.sums / high, self.sums / low if low > 0 else np.full(self.d, inf)


def _claims(mean: Any, scale: Any, d: int | None) -> tuple[Array, Array]:
    means, scales = np.asarray(mean, dtype=np.float64), np.asarray(scale, dtype=np.float64)
    sizes = {one.size for one in (means, scales) if one.ndim} | ({d} if d is not None else set())
    if len(sizes) > 1 or means.ndim > 1 or scales.ndim > 1 or 0 in sizes:
        raise MisuseError(f"mean, scale and d must agree, got the shapes {means.shape} and {scales.shape}, and d = {d}.")
    size = sizes.pop() if sizes else 1
    if not np.isfinite(means).all() or not (np.isfinite(scales) & (scales > 0)).all():
        raise MisuseError(f"the claimed mean must be finite and the scale positive and finite, got {mean} and {scale}.")
    return np.broadcast_to(means, (size,)).copy(), np.broadcast_to(scales, (size,)).copy()


def _whole(number: Any) -> int:
    array = np.asarray(number)
    if array.shape != () or array.dtype.kind not in "iu" or array < 0:
        raise MisuseError(f"the stored state of a sequential test counts in whole numbers, got {number!r}.")
    return int(array)


def _root(mixture: Mixture, n: int, centre: float, side: int, level: float) -> float:
    """The sum on one side of the centre where log E reaches the level; it is convex there and at most 0 at the centre."""

    def beyond(s: Any) -> Any:
        return mixture.log_e(n, s) >= level

    if not n:
        return side * inf
    reach = n**0.5
    while not beyond(centre + side * reach) and reach < 1e300:
        reach *= 2
    return _first(beyond, centre, centre + side * reach)


def _first(beyond: Callable[[Any], Any], within: float, outside: float) -> float:
    """The first number beyond, up to rounding and never short of it: 64 parts at a time."""
    for _ in range(8):  # to 64**-8, some 4e-15, of their distance
        grid = np.linspace(within, outside, 65)
        first = int(np.argmax([*beyond(grid[:-1]), True]))
        within, outside = float(grid[max(0, first - 1)]), float(grid[first])
    return outside
