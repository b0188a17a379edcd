r"""Simulation-based calibration: is a sampler of posteriors right, where nobody knows the posterior?

Draw :math:`\theta \sim p(\theta)`, data :math:`y \sim p(y \mid \theta)`, and L draws from what claims to be
:math:`p(\theta \mid y)`. If it is, theta is one more draw from it, and so for every real function of theta its rank
among the L,

.. math:: r = \#\{l : \theta_l < \theta\} \in \{0, \dots, L\},

is uniform, exactly (Talts et al. 2018; Cook, Gelman & Rubin 2006). The number of ranks up to r is then
:math:`\mathrm{binomial}(n, (r + 1) / (L + 1))`. Three tests of n ranks:

* **distribution-function** and **cumulative-counts** (:mod:`.uniformity`), over all ranks: a posterior that is off to one side
  piles ranks up at one end;
* **spread**: cumulative counts of :math:`|2 r - L|`, which adds both ends up: a posterior that is too narrow piles them up
  at both ends, one that is too wide in the middle.

The L draws must be independent given y: a Markov chain is thinned first. What holds for ranks says nothing of what the ranked
functions do not see: a sampler that ignores y and draws from the prior passes for theta itself. Rank a function of theta *and* y
too, the likelihood say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..verdict import MisuseError
from .evidence import Evidence, draws, smallest_of_any
from .uniformity import binomial_counts, bounded_distance

Ranks = np.ndarray[Any, np.dtype[np.int64]]


def ranks(truth: Any, posterior: Any, *, seed: int = 0) -> Ranks:
    """The rank of each truth among the draws of its posterior, 0 to L; ties are broken at random.

    Args:
        truth: what the data were drawn from, (n,), or (n, k) for k functions of it.
        posterior: the draws, (n, L) or (n, L, k).
        seed: of the broken ties.

    Returns:
        whole numbers of the shape of ``truth``.

    Raises:
        MisuseError: if shapes do not agree, a number is not finite, or they are integers or of half precision.
    """
    theta, sample = draws(truth), draws(posterior)
    if theta.ndim not in (1, 2) or sample.ndim != theta.ndim + 1 or theta.shape != (sample.shape[0], *sample.shape[2:]):
        raise MisuseError(
            f"truths have the shape (n,) or (n, k), their posteriors (n, L) or (n, L, k); got {theta.shape}, {sample.shape}."
        )
    below, ties = ((compare(sample, theta[:, None])).sum(axis=1) for compare in (np.less, np.equal))
    return np.asarray(below + np.random.default_rng(seed).integers(0, ties + 1), dtype=np.int64)


def calibration(found: Any, L: int) -> tuple[Evidence, ...]:
    """Are these ranks uniform on 0, ..., L? The evidence, test by test.

    Judge each p-value at ``rates.shared_among(3).false_alarm``.

    Args:
        found: the ranks, (n,), or (n, k) of k functions; then each test reports the function that stands out the most, by
            Boole over the k.
        L: the number of draws that they are ranks among.

    Raises:
        MisuseError: if they are not whole numbers from 0 to L, or there are none.
    """
    r = _checked(found, L)
    each = [_of_one(column, L) for column in r.T]
    return tuple(_most_extreme(tests) for tests in zip(*each, strict=True))


def _of_one(r: Ranks, L: int) -> tuple[Evidence, Evidence, Evidence]:
    n = r.size
    counts = np.bincount(r, minlength=L + 1)
    upto, p = counts.cumsum()[:-1], np.arange(1, L + 1) / (L + 1)
    distances = np.abs(upto / n - p)
    worst = int(np.argmax(distances))
    pairs = counts + counts[::-1]  # the ranks r and L - r together; an even L has one in the middle, counted twice
    outer = pairs[: (L + 1) // 2].cumsum()
    q = 2 * np.arange(1, outer.size + 1) / (L + 1)
    inside = slice(None, -1) if q[-1] == 1 and q.size > 1 else slice(None)
    return (
        bounded_distance(float(distances[worst]), n, f"up to rank {worst} of {L}"),
        binomial_counts(upto, n, p),
        replace(binomial_counts(outer[inside], n, q[inside]), test="spread"),
    )


def _most_extreme(tests: tuple[Evidence, ...]) -> Evidence:
    worst = min(range(len(tests)), key=lambda i: tests[i].p_value)
    where = tests[worst].where + (f"; function {worst} of {len(tests)}" if len(tests) > 1 else "")
    return replace(tests[worst], p_value=smallest_of_any(tests[worst].p_value, len(tests)), where=where)


def _checked(found: Any, L: int) -> Ranks:
    r = np.asarray(found)
    if L < 1 or r.dtype.kind not in "iu" or r.ndim not in (1, 2) or r.size == 0:
        raise MisuseError(
            f"ranks are whole numbers of the shape (n,) or (n, k) among L >= 1 draws, got {r.dtype} {r.shape}, L = {L}."
        )
    if r.min() < 0 or r.max() > L:
        raise MisuseError(f"ranks among {L} draws go from 0 to {L}, got {r.min()} to {r.max()}.")
    return r.reshape(len(r), -1).astype(np.int64)
