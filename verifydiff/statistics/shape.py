r"""The law of standard normal draws: its middle, its tails, its ends.

The three tests complement each other. Kolmogorov and Smirnov's looks at the whole distribution function, where a law
with a heavier tail of the same variance hardly differs; the tail counts look there; the largest draw sees the single
outlier and the law that is bounded.
"""

from __future__ import annotations

from math import exp, expm1, inf, log1p
from typing import Any

import numpy as np
from scipy.special import betainc, betaincc, ndtr, ndtri

from .evidence import Evidence, draws, smallest_of_any, two_sided

TAIL_PROBABILITIES = (0.5, 0.1, 0.01, 0.001)


def kolmogorov_smirnov(u: Any) -> Evidence:
    r"""Is the distribution function Phi?

    .. math:: D = \sup_x |F_n(x) - \Phi(x)|, \qquad P(D \ge \epsilon) \le 2 e^{-2 n \epsilon^2}

    (Dvoretzky, Kiefer & Wolfowitz 1956 with the constant of Massart 1990): a bound for every n, and tight where it
    matters, since the right-hand side is the leading term of the limiting law. No parameter is estimated.
    """
    x = np.sort(draws(u), axis=None)
    n = x.size
    F = ndtr(x)
    distances = np.maximum(np.arange(1, n + 1) / n - F, F - np.arange(n) / n)
    worst = int(np.argmax(distances))
    D = float(distances[worst])
    return Evidence("kolmogorov-smirnov", "the law is N(0, 1)", D, min(1.0, 2 * exp(-2 * n * D**2)), n, f"at {x[worst]:.3g}")


def tails(u: Any) -> Evidence:
    r"""Do as many draws lie far out, and near the middle, as should?

    The number of :math:`|u_i| > \Phi^{-1}(1 - p/2)` is binomial(n, p), exactly. It is counted for p = 1/2, 1/10, 1/100
    and 1/1000; the smallest of the four two-sided p-values is bounded by Boole. The statistic is the fraction that lies
    outside at the level that stood out the most. Four moments agree between many laws, these four counts do not: Laplace,
    Student's t, uniform and two-point laws of unit variance all differ in them.
    """
    magnitudes = np.abs(draws(u))
    n = magnitudes.size
    p = np.array(TAIL_PROBABILITIES)
    counts = np.array([np.count_nonzero(magnitudes > -ndtri(level / 2)) for level in p])
    p_values = two_sided(binomial_at_most(counts, n, p), binomial_at_least(counts, n, p))
    worst = int(np.argmin(p_values))
    return Evidence(
        "tails",
        "tails are as heavy as those of N(0, 1)",
        float(counts[worst] / n),
        smallest_of_any(float(p_values[worst]), p.size),
        n,
        f"{counts[worst]} of {n} beyond {-ndtri(p[worst] / 2):.3g}, {n * p[worst]:.6g} expected",
    )


def extremes(u: Any) -> Evidence:
    r"""Is the largest magnitude as large as it should be?

    .. math:: P\bigl(\max_i |u_i| \le m\bigr) = (2 \Phi(m) - 1)^n

    exactly; two-sided with equal tails. The statistic is the largest magnitude.
    """
    magnitudes = np.abs(draws(u))
    n = magnitudes.size
    worst = int(np.argmax(magnitudes))
    m = float(magnitudes.flat[worst])
    outside = float(2 * ndtr(-m))
    log_cdf = n * log1p(-outside) if outside < 1 else -inf
    index = tuple(int(i) for i in np.unravel_index(worst, magnitudes.shape))
    p_value = float(two_sided(exp(log_cdf), -expm1(log_cdf)))
    return Evidence("extremes", "the largest magnitude is that of N(0, 1)", m, p_value, n, f"at index {index}")


def binomial_at_least(k: Any, n: int, p: Any) -> Any:
    r""":math:`P(X \ge k) = I_p(k, n - k + 1)`."""
    return np.where(k > 0, betainc(np.maximum(k, 1), n - np.maximum(k, 1) + 1, p), 1.0)


def binomial_at_most(k: Any, n: int, p: Any) -> Any:
    r""":math:`P(X \le k) = 1 - I_p(k + 1, n - k)`."""
    return np.where(k < n, betaincc(np.minimum(k, n - 1) + 1, n - np.minimum(k, n - 1), p), 1.0)
