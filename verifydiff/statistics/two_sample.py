r"""Do two sets of draws come from one law, whatever it is? The energy distance, exact by permutation.

.. math:: \mathcal{E}(x, y) = \frac{2}{n m} \sum_{i,j} |x_i - y_j| - \frac{1}{n^2} \sum_{i,j} |x_i - x_j|
                               - \frac{1}{m^2} \sum_{i,j} |y_i - y_j|

is the squared distance of the two empirical laws in a norm that tells all laws with a mean apart (Szekely & Rizzo 2004);
with a kernel :math:`k(x, y) = e^{-|x - y|^2 / (2 h^2)}` in the place of :math:`-|x - y|` it is the maximum mean discrepancy
(Gretton et al. 2012), h being the median distance. Both depend on where the draws lie, and no formula tells their law. But
if x and y have one law, every one of the (n + m)! ways to share out the pooled draws is as likely as the one that was seen.
So with B random ones, of which b come to as much or more,

.. math:: p = \frac{1 + b}{1 + B}, \qquad P(p \le \alpha) \le \alpha

exactly, at every n, m and B (Phipson & Smyth 2010). No p-value is below 1 / (1 + B): that is the resolution of the test, and
:func:`permutations_needed` says how many a rate takes. It is the test for rates that are not small; for the others use a law with
a formula, or a sequential test.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, Literal

import numpy as np

from ..verdict import MisuseError
from .evidence import Array, Evidence, draws

LARGEST = 8192  # pooled draws: their distances take 512 MiB
TOGETHER = 256  # permutations at a time
ROUNDING = 1e-12  # of a statistic, relative to the largest entry that it sums


def energy_distance(x: Any, y: Any, *, permutations: int = 999, seed: int = 0) -> Evidence:
    """Do x, (n, d) or (n,), and y, (m, d) or (m,), come from one law? The statistic is the energy distance.

    Raises:
        MisuseError: if they are no draws, their dimensions differ, there are fewer than two of either or more than
            :data:`LARGEST` together, or there is no permutation.
    """
    return _by_permutation("energy-distance", x, y, "energy", permutations, seed)


def kernel_distance(x: Any, y: Any, *, permutations: int = 999, seed: int = 0) -> Evidence:
    """The same question put to the maximum mean discrepancy, with a Gaussian kernel as wide as the median distance."""
    return _by_permutation("kernel-distance", x, y, "kernel", permutations, seed)


def permutations_needed(false_alarm: float) -> int:
    """The fewest permutations with which a p-value can be as small as the rate."""
    if not 0 < false_alarm < 1:
        raise MisuseError(f"a rate lies strictly between 0 and 1, got {false_alarm}.")
    return ceil(1 / false_alarm) - 1


def projections(x: Any, y: Any, count: int, *, permutations: int = 999, seed: int = 0) -> Evidence:
    """The largest Kolmogorov-Smirnov distance of x and y along random directions; exact by permutation, in any dimension.

    Quick where the energy distance is slow: it takes no matrix of distances. The statistic is the largest distance of the
    empirical distribution functions.
    """
    pooled, n = _pooled(x, y)
    rng = _generator(permutations, seed)
    if count < 1:
        raise MisuseError(f"there must be at least one direction, got {count}.")
    V = rng.standard_normal((pooled.shape[1], count))
    order = np.argsort(pooled @ V, axis=0, kind="stable").T
    along = np.take_along_axis(pooled @ V, order.T, axis=0).T
    ends = np.concatenate([along[:, 1:] != along[:, :-1], np.ones((count, 1), dtype=bool)], axis=1)  # of each run of ties

    def statistics(signs: Array) -> Array:
        return np.asarray((np.abs(signs[:, order].cumsum(axis=2)) * ends).max(axis=(1, 2)))

    weights = _weights(n, len(pooled))
    seen = float(statistics(weights[None])[0])
    rows = max(1, TOGETHER * TOGETHER * TOGETHER // order.size)
    others = np.concatenate([statistics(signs) for signs in _shuffled(weights, permutations, rows, rng)])
    return _evidence("projections", seen, others, len(pooled), ROUNDING)


def _by_permutation(test: str, x: Any, y: Any, kind: Literal["energy", "kernel"], permutations: int, seed: int) -> Evidence:
    pooled, n = _pooled(x, y)
    if len(pooled) > LARGEST:
        raise MisuseError(f"at most {LARGEST} draws are compared pair by pair, got {len(pooled)}; thin them, or use projections.")
    rng = _generator(permutations, seed)
    with np.errstate(over="ignore", invalid="ignore"):  # told in the next line
        K = _kernel(pooled, kind)
    if not np.isfinite(K).all():
        raise MisuseError("the draws are so far apart that their distances overflow.")
    weights = _weights(n, len(pooled))
    seen = float(weights @ K @ weights)
    shuffled = _shuffled(weights, permutations, TOGETHER, rng)
    others = np.concatenate([np.einsum("bi,bi->b", signs @ K, signs) for signs in shuffled])
    return _evidence(test, seen, others, len(pooled), ROUNDING * float(np.abs(K).max()))


def _weights(n: int, pooled: int) -> Array:
    """1/n for each of x, -1/m for each of y."""
    return np.concatenate([np.full(n, 1 / n), np.full(pooled - n, -1 / (pooled - n))])


def _shuffled(weights: Array, permutations: int, rows: int, rng: np.random.Generator) -> Iterator[Array]:
    """The weights in random orders, so many rows at a time."""
    for start in range(0, permutations, rows):
        yield rng.permuted(np.tile(weights, (min(rows, permutations - start), 1)), axis=1)


def _kernel(pooled: Array, kind: str) -> Array:
    """-|x - y|, or the Gaussian kernel: the statistic is then a quadratic form in 1/n for x and -1/m for y."""
    squares = np.einsum("ij,ij->i", pooled, pooled)
    distances = np.maximum(squares[:, None] + squares - 2 * pooled @ pooled.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    if kind == "energy":
        return np.asarray(-np.sqrt(distances))
    width = float(np.median(distances))
    return np.asarray(np.exp(-distances / (2 * width)) if width > 0 else distances == 0, dtype=np.float64)


def _evidence(test: str, seen: float, others: Array, n: int, slack: float) -> Evidence:
    """Rounding must not make a tie a difference: what is within the slack counts as much."""
    p_value = (1 + int(np.count_nonzero(others >= seen - slack))) / (1 + others.size)
    return Evidence(test, "both come from one law", seen, p_value, n, f"p-values go down to {1 / (1 + others.size):.3g}")


def _pooled(x: Any, y: Any) -> tuple[Array, int]:
    parts = [part[:, None] if part.ndim == 1 else part for part in (draws(x), draws(y))]
    if any(part.ndim != 2 or len(part) < 2 for part in parts) or parts[0].shape[1] != parts[1].shape[1]:
        raise MisuseError(
            f"two sets of draws have the shapes (n, d) and (m, d), n and m at least 2; got {np.shape(x)} and {np.shape(y)}."
        )
    pooled = np.concatenate(parts)
    return pooled - pooled.mean(axis=0), len(parts[0])


def _generator(permutations: int, seed: int) -> np.random.Generator:
    if permutations < 1:
        raise MisuseError(f"there must be at least one permutation, got {permutations}.")
    return np.random.default_rng(seed)
