r"""Do two ways of making a pair (a, b) give it the same joint law? The test of Geweke (2004), without his simulators.

Draw a pair from its joint law by one way, and by another; if both are right their laws agree, in the marginals *and in
what a and b have in common*. A slip that leaves both marginals alone shows in the cross-covariance only.

* Where the joint law is a known Gaussian: with a stacked over b, Bartlett's T (:mod:`.gaussian`) has the block
  :math:`T_{ba}`, which is what b takes from a. Its entries are independent and standard normal if the claim is right:
  **cross-covariance** is the sum of their squares, **cross-covariance-entries** their largest, both exact.
* Where it is not known, pairs of the two ways are compared by :func:`.energy_distance`, whose p-value is exact by permutation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..verdict import MisuseError
from .evidence import Array, Evidence, draws
from .gaussian import LAW, gaussian_battery, largest_score, sum_of_squares, whitened
from .streaming import Moments
from .two_sample import energy_distance


def stacked(a: Any, b: Any) -> Array:
    """Pairs as single vectors: a, (n, p) or (n,), over b, (n, q) or (n,)."""
    parts = [part[:, None] if part.ndim == 1 else part for part in (draws(a), draws(b))]
    if any(part.ndim != 2 for part in parts) or len(parts[0]) != len(parts[1]):
        raise MisuseError(f"pairs are two arrays of as many rows, got the shapes {np.shape(a)} and {np.shape(b)}.")
    return np.concatenate(parts, axis=1)


def joint_battery(moments: Moments, first: int, mean: Any, covariance: Any) -> tuple[Evidence, ...]:
    """All tests of :func:`.gaussian_battery` on stacked pairs, and two that look at what b has in common with a alone.

    Args:
        moments: of the stacked pairs, with the full covariance.
        first: how many coordinates a has.
        mean: of the claimed joint law.
        covariance: of the claimed joint law, (p + q, p + q).

    Raises:
        MisuseError: as :func:`.gaussian_battery`, and if a or b has no coordinate.
    """
    if not 0 < first < moments.d or moments.kind != "full":
        raise MisuseError(f"a has from 1 to {moments.d - 1} coordinates, of moments of the full covariance; got {first}.")
    whole = gaussian_battery(moments, mean, covariance)
    if moments.n <= moments.d:
        nothing = (Evidence(f"cross-covariance{suffix}", LAW, 0.0, 1.0, 0, "too few draws") for suffix in ("", "-entries"))
        return (*whole, *nothing)
    _, T = whitened(moments, mean, covariance)
    block, n = T[first:, :first].ravel(), moments.n
    return (
        *whole,
        sum_of_squares("cross-covariance", block, n),
        largest_score("cross-covariance-entries", block, n, f"entry {{}} of the {moments.d - first} x {first} block"),
    )


def joint_agreement(one: tuple[Any, Any], other: tuple[Any, Any], *, permutations: int = 999, seed: int = 0) -> Evidence:
    """Do pairs (a, b) of one way and of another have the same joint law, whatever it is? See :func:`.energy_distance`.

    Each coordinate is divided by its standard deviation over all pairs first, so that none drowns another.
    """
    x, y = stacked(*one), stacked(*other)
    if x.shape[1] != y.shape[1]:
        raise MisuseError(f"pairs of both ways have as many coordinates, got {x.shape[1]} and {y.shape[1]}.")
    spread = np.concatenate([x, y]).std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return energy_distance(x / spread, y / spread, permutations=permutations, seed=seed)
