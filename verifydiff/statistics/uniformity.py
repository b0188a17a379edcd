r"""Numbers that should be uniform: probability transforms of any continuous law, and ranks.

If x has the distribution function F, F(x) is uniform on [0, 1]. Two tests that complement each other, for any law:

* **distribution-function**: :math:`D = \sup_p |F_n(p) - p|` with the bound :math:`2 e^{-2 n D^2}` of Dvoretzky, Kiefer & Wolfowitz
  (1956) and Massart (1990), at every n; it holds for laws with atoms too, so for ranks. Sharp in the middle, blunt at the ends;
* **cumulative-counts**: the number of draws up to each of some cuts is binomial, exactly; the smallest two-sided p-value
  by Boole. That is the statistic of Berk & Jones (1979) on fixed cuts: every cut is judged on its own scale, so the ends count
  as much as the middle. The cuts halve towards both ends until hardly a draw is to be expected beyond.
"""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np

from ..verdict import MisuseError
from .evidence import Array, Evidence, draws, smallest_of_any, two_sided
from .shape import binomial_at_least, binomial_at_most

LAW = "the law is the claimed one"
MIDDLE = np.arange(1, 16) / 16
FINEST = 40  # halvings towards an end


def distribution_function(p: Any) -> Evidence:
    """Are these numbers, F(x) of the claimed F, uniform? The statistic is D; bounded at every n."""
    v = np.sort(_in_unit_interval(p))
    n = v.size
    distances = np.maximum(np.arange(1, n + 1) / n - v, v - np.arange(n) / n)
    worst = int(np.argmax(distances))
    return bounded_distance(float(distances[worst]), n, f"at probability {v[worst]:.3g}")


def cumulative_counts(p: Any) -> Evidence:
    """Are these numbers uniform, also towards 0 and 1? The statistic is the fraction up to the cut that stands out the most."""
    v = np.sort(_in_unit_interval(p))
    ends = 0.5 ** np.arange(5, min(FINEST, 5 + int(np.log2(max(1, v.size)))))
    above = v.size - np.searchsorted(v, 1 - ends, side="right")
    lower = np.concatenate([ends, MIDDLE])
    counts = np.concatenate([np.searchsorted(v, lower, side="right"), above])
    return binomial_counts(counts, v.size, np.concatenate([lower, ends]))


def bounded_distance(D: float, n: int, where: str) -> Evidence:
    """The evidence in a distance of distribution functions."""
    return Evidence("distribution-function", LAW, D, min(1.0, 2 * exp(-2 * n * D**2)), n, where)


def binomial_counts(counts: Any, n: int, probabilities: Array) -> Evidence:
    """Is each count binomial(n, p) of its p? Exact two-sided p-values, put together by Boole, whatever the counts share."""
    k = np.asarray(counts)
    p_values = two_sided(binomial_at_most(k, n, probabilities), binomial_at_least(k, n, probabilities))
    worst = int(np.argmin(p_values))
    where = f"{k[worst]} of {n}, {n * probabilities[worst]:.6g} expected"
    return Evidence("cumulative-counts", LAW, float(k[worst] / n), smallest_of_any(float(p_values[worst]), k.size), n, where)


def _in_unit_interval(p: Any) -> Array:
    v = draws(p).ravel()
    if v.min() < 0 or v.max() > 1:
        raise MisuseError(f"values of a distribution function lie in [0, 1], got {v.min():.3g} to {v.max():.3g}.")
    return v
