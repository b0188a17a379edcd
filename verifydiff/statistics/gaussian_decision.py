r"""Is this the claimed Gaussian, within a resolution? Every entry of mean and covariance is asked, none is passed unseen.

In whitened coordinates (:mod:`.gaussian`) the claim is N(0, I). A law that is off is N(b, B B^T) there, B lower triangular
with a positive diagonal, and of its draws :math:`T = B T_0` with the T_0 of right ones. The resolution rho counts as equal

* a mean with every :math:`|b_j| < \rho`, variances with every :math:`|B_{jj}^2 - 1| < \rho`: what is left of coordinate j beyond
  the earlier ones;
* and every :math:`|B_{ij} / B_{jj}| < \rho`: by how much coordinate i follows coordinate j.

*Equal* if every entry is seen to be within, each by two one-sided tests at the rate of misses: one entry that is off by the
resolution or more, the others right, is passed with probability at most mu, whichever it is. *Different* if the largest of all
scores rejects at alpha (Sidak; all are independent and exact). With the draws needed there is always an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log1p, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..verdict import MisuseError
from .chi_squared import quantile_above, quantile_below
from .decision import Decision, check_resolution_of_variance, decide, draws_needed_for_variance, over
from .evidence import Array, Evidence
from .gaussian import largest_score, standardised, whitened
from .rates import ErrorRates
from .streaming import Moments


@dataclass(frozen=True, slots=True)
class GaussianComparison:
    """A claimed Gaussian against draws.

    Attributes:
        decision: what it came to.
        evidence: the entry of mean (first, d of them) and lower triangle (row by row) that stands out the most.
        furthest: the largest deviation of an entry as estimated, which the resolution is about.
        n: how many draws there were.
        needed: how many there must be for a decision that is never inconclusive.
    """

    decision: Decision
    evidence: Evidence
    furthest: float
    n: int
    needed: int


def compare_gaussian(
    moments: Moments, mean: Any, covariance: Any, resolution: float, rates: ErrorRates | None = None
) -> GaussianComparison:
    """Are these the moments of draws of N(mean, covariance), entry by entry within ``resolution``?

    Raises:
        MisuseError: as :func:`.gaussian_battery`, and if the resolution is not strictly between 0 and 1.
    """
    rates = rates or ErrorRates()
    n, needed = moments.n, draws_needed_for_gaussian(resolution, moments.d, rates, entries=moments.scatter.ndim == 2)
    z, T = whitened(moments, mean, covariance)
    if n <= moments.d:
        nothing = Evidence("gaussian", "the draws are those of the claimed Gaussian", 0.0, 1.0, 0, "too few draws")
        return GaussianComparison(Decision.INCONCLUSIVE, nothing, float("nan"), n, needed)
    evidence = largest_score("gaussian", np.concatenate([z, standardised(T, n)]), n, "entry {}")
    within = bool(_farthest(z, T, n, rates.miss) <= resolution)
    return GaussianComparison(decide(within, evidence.rejects(rates.false_alarm)), evidence, _farthest(z, T, n, 0.5), n, needed)


def draws_needed_for_gaussian(resolution: float, d: int, rates: ErrorRates | None = None, *, entries: bool = True) -> int:
    """Draws with which :func:`compare_gaussian` is never inconclusive: those of a variance at the rates of one of all entries.

    A mean and an entry off the diagonal take half of them. ``entries`` is whether there are any off the diagonal.
    """
    rates = rates or ErrorRates()
    check_resolution_of_variance(resolution)
    if d < 1:
        raise MisuseError(f"draws have at least one coordinate, got d = {d}.")
    scores = d + (d * (d + 1) // 2 if entries else d)
    each = -expm1(log1p(-rates.false_alarm) / scores)  # Sidak, the other way round
    return draws_needed_for_variance(resolution, ErrorRates(each, rates.miss)) + d


def _farthest(z: Array, T: Array, n: int, miss: float) -> float:
    """How far the entry that is furthest off may lie, each but for the rate of misses; at 1/2 its median."""
    reach = -float(ndtri(miss))
    diagonal = T if T.ndim == 1 else np.diagonal(T)
    degrees = [n - 1] * len(T) if T.ndim == 1 else range(n - 1, n - 1 - len(T), -1)
    high = max(over(float(s**2), quantile_below(k, miss)) - 1 for k, s in zip(degrees, diagonal, strict=True))
    low = max(1 - s**2 / quantile_above(k, miss) for k, s in zip(degrees, diagonal, strict=True))
    follows = 0.0
    if T.ndim == 2 and len(T) > 1:
        i, j = np.tril_indices(len(T), -1)
        follows = max(over(float(size), float(T[k, k])) for size, k in zip(np.abs(T[i, j]) + reach, j, strict=True))
    return max(float((np.abs(z).max() + reach) / sqrt(n)), float(high), float(low), follows)
