r"""Are these the draws of :math:`\mathcal{N}(m, C)`? Exact tests of mean and covariance, from the moments alone.

With :math:`C = L L^\top` the whitened draws :math:`u = L^{-1}(x - m)` are standard normal if the claim is right, and of n
of them

.. math:: z = \sqrt n\, \bar u \sim \mathcal{N}(0, I_d), \qquad W = \sum_i (u_i - \bar u)(u_i - \bar u)^\top \sim
          \mathrm{Wishart}_d(n - 1),

independently. Bartlett (1933) takes W apart: in :math:`W = T T^\top`, T lower triangular with a positive diagonal, all
entries are independent, :math:`T_{jj}^2 \sim \chi^2_{n-j}` (j = 1, ..., d) and :math:`T_{ij} \sim \mathcal{N}(0, 1)` for i > j.
That T_ij is what coordinates i and j have in common beyond what the earlier ones explain. So these are exact at every n > d:

* **mean**: :math:`|z|^2 \sim \chi^2_d`, and the largest :math:`|z_j|` (Sidak, as they are independent);
* **covariance-scale**: the trace of W, :math:`\chi^2_{d(n-1)}`, two-sided. Sharpest where all variances are off alike;
* **covariance-entries**: each entry of T as a standard normal number (the diagonal by its own distribution function),
  the largest. Sharpest where one variance or one correlation is off;
* **covariance**: the sum of their squares, :math:`\chi^2_{d(d+1)/2}`. Sharpest where many are off a little.

Where only variances were kept, coordinates are claimed to be independent and the diagonal of W stands for T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from ..verdict import MisuseError
from .chi_squared import above, below
from .evidence import Array, Evidence, draws, smallest_of_any, smallest_of_independent, two_sided
from .streaming import Moments

LAW = "the draws are those of the claimed Gaussian"
FURTHEST = 1e-300  # probabilities below it are told as this one


def gaussian_battery(moments: Moments, mean: Any, covariance: Any) -> tuple[Evidence, ...]:
    """Every exact test of the claim that the draws are N(mean, covariance), from their moments.

    Judge each p-value at ``rates.shared_among(len(battery)).false_alarm``. With no more draws than coordinates the tests of the
    full covariance have nothing to say: their ``n`` is 0.

    Args:
        moments: of the draws.
        mean: the claimed mean, (d,) or a number.
        covariance: the claimed covariance, (d, d); or the variances, (d,) or a number, of independent coordinates.

    Raises:
        MisuseError: if shapes do not agree, a number is not finite, or the covariance is not symmetric and positive definite.
    """
    z, T = whitened(moments, mean, covariance)
    n = moments.n
    parts = standardised(T, n) if n > moments.d or (T.ndim == 1 and n > 1) else None
    return (
        sum_of_squares("mean", z, n),
        largest_score("mean-coordinates", z, n, "coordinate {}"),
        _scale(T, n, moments.d),
        *((_nothing("covariance-entries"), _nothing("covariance")) if parts is None else _entries(parts, n)),
    )


def whitened(moments: Moments, mean: Any, covariance: Any) -> tuple[Array, Array]:
    r"""z, (d,), and Bartlett's T, (d, d); the square roots of the diagonal of W, (d,), where only variances were kept."""
    if moments.n < 1:
        raise MisuseError("there must be at least one draw to test.")
    L = factor(covariance, moments.d)
    shift = moments.mean - broadcast(mean, moments.d, "mean")
    if L.ndim == 2 and moments.kind == "diagonal":
        raise MisuseError("a full covariance is tested with the moments of the full covariance; only the diagonal was kept.")
    if moments.kind == "diagonal":
        return np.sqrt(moments.n) * shift / L, np.sqrt(moments.scatter) / L
    full = L if L.ndim == 2 else np.diag(L)
    z = np.sqrt(moments.n) * np.linalg.solve(full, shift)
    half = np.linalg.solve(full, moments.scatter)
    return z, _lower(np.linalg.solve(full, half.T))


def factor(covariance: Any, d: int) -> Array:
    """The Cholesky factor of a claimed covariance, (d, d); or the standard deviations, (d,), of independent coordinates."""
    C = np.asarray(covariance, dtype=np.float64)
    if C.ndim < 2:
        variances = broadcast(C, d, "variances")
        if (variances <= 0).any():
            raise MisuseError(f"the claimed variances must be positive, got {variances.min():.3g}.")
        return np.sqrt(variances)
    if C.shape != (d, d) or not np.isfinite(C).all() or not np.allclose(C, C.T, rtol=1e-10, atol=1e-12 * np.abs(C).max()):
        raise MisuseError(f"the claimed covariance must be a finite symmetric {d} x {d} matrix, got the shape {C.shape}.")
    try:
        return np.asarray(np.linalg.cholesky((C + C.T) / 2), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise MisuseError(
            f"the claimed covariance must be positive definite, its least eigenvalue is {np.linalg.eigvalsh(C)[0]:.3g}."
        ) from error


def whiten(x: Any, mean: Any, covariance: Any) -> Array:
    """L^{-1}(x - m) for draws of shape (n, d): independent and standard normal if they are those of N(m, C).

    For the tests of single draws: :func:`.standard_normal_battery`, :func:`.kolmogorov_smirnov`, :class:`.SequentialMean`.
    """
    array = draws(x)
    if array.ndim != 2:
        raise MisuseError(f"draws of vectors have the shape (n, d), got {array.shape}.")
    L = factor(covariance, array.shape[1])
    shifted = array - broadcast(mean, array.shape[1], "mean")
    return shifted / L if L.ndim == 1 else np.asarray(np.linalg.solve(L, shifted.T).T)


def broadcast(value: Any, d: int, name: str) -> Array:
    """A claim for each of d coordinates, from d numbers or one."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (1,), (d,)) or not np.isfinite(array).all():
        raise MisuseError(f"the claimed {name} must be one or {d} finite numbers, got the shape {array.shape}.")
    return np.broadcast_to(array, (d,))


def directions(moments: Moments, mean: Any, covariance: Any, along: Any) -> tuple[Evidence, ...]:
    r"""Mean and variance along given directions, where one knows where to look or draws a few at random.

    For a direction v, :math:`v^\top x \sim \mathcal{N}(v^\top m, v^\top C v)`: an exact z and an exact chi-squared test each;
    over k directions, which depend on one another, Boole. The statistics are z and the ratio of variances of the most extreme.

    Args:
        moments: of the draws, with the full covariance.
        mean: the claimed mean.
        covariance: the claimed covariance.
        along: the directions as rows, (k, d).
    """
    V = draws(along)
    if V.ndim != 2 or V.shape[1] != moments.d or moments.kind != "full":
        raise MisuseError(f"directions are rows of {moments.d} numbers, of moments of the full covariance; got {V.shape}.")
    L = factor(covariance, moments.d)
    spread = np.linalg.norm(V @ (L if L.ndim == 2 else np.diag(L)), axis=1)
    if not (spread > 0).all():
        raise MisuseError("a direction must not be zero.")
    n = moments.n
    z = np.sqrt(n) * (V @ (moments.mean - broadcast(mean, moments.d, "mean"))) / spread
    found = [_worst_direction("mean-along-directions", z, 2 * ndtr(-np.abs(z)), n)]
    if n > 1:
        s = np.einsum("ki,ij,kj->k", V, moments.scatter, V) / spread**2
        found.append(_worst_direction("variance-along-directions", s / (n - 1), two_sided(below(n - 1, s), above(n - 1, s)), n))
    return tuple(found)


def standardised(T: Array, n: int) -> Array:
    """The lower triangle of T, row by row (or the diagonal), as independent standard normal numbers."""
    d = len(T)
    if T.ndim == 1:
        return _scores([n - 1] * d, T**2)
    scores = T.copy()
    np.fill_diagonal(scores, _scores(n - 1 - np.arange(d), np.diagonal(T) ** 2))
    return scores[np.tril_indices(d)]


def _scores(degrees: Any, s: Array) -> Array:
    """Standard normal numbers from chi-squared ones, by whichever tail is the smaller."""
    lower = np.array([below(int(k), value) for k, value in zip(degrees, s, strict=True)])
    upper = np.array([above(int(k), value) for k, value in zip(degrees, s, strict=True)])
    return np.asarray(np.where(lower < upper, ndtri(np.maximum(lower, FURTHEST)), -ndtri(np.maximum(upper, FURTHEST))))


def _lower(W: Array) -> Array:
    """The Cholesky factor of W; of draws that lie in a subspace only what there is of it, zeros beyond."""
    W = (W + W.T) / 2
    try:
        return np.asarray(np.linalg.cholesky(W), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(W)
        R: Array = np.asarray(np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0))).T, mode="r"), dtype=np.float64)
        return np.asarray((R * np.where(np.diagonal(R) < 0, -1.0, 1.0)[:, None]).T)


def _entries(parts: Array, n: int) -> tuple[Evidence, Evidence]:
    return largest_score("covariance-entries", parts, n, "entry {} of the lower triangle"), sum_of_squares("covariance", parts, n)


def _scale(T: Array, n: int, d: int) -> Evidence:
    degrees = d * (n - 1)
    if not degrees:
        return _nothing("covariance-scale")
    s = float(np.sum(T**2))
    return Evidence("covariance-scale", LAW, s / degrees, float(two_sided(below(degrees, s), above(degrees, s))), n)


def sum_of_squares(test: str, scores: Array, n: int) -> Evidence:
    """Are these independent standard normal numbers? By the sum of their squares, the upper tail; the statistic is its mean."""
    s = float(np.sum(scores**2))
    return Evidence(test, LAW, s / scores.size, float(above(scores.size, s)), n)


def largest_score(test: str, scores: Array, n: int, where: str) -> Evidence:
    """Are these independent standard normal numbers? By the largest magnitude; the statistic is that number."""
    worst = int(np.argmax(np.abs(scores)))
    p = float(2 * ndtr(-abs(scores[worst])))
    return Evidence(test, LAW, float(scores[worst]), smallest_of_independent(p, scores.size), n, where.format(worst))


def _worst_direction(test: str, statistics: Array, p: Array, n: int) -> Evidence:
    worst = int(np.argmin(p))
    p_value = smallest_of_any(float(p[worst]), p.size)
    return Evidence(test, LAW, float(statistics[worst]), p_value, n, f"direction {worst} of {p.size}")


def _nothing(test: str) -> Evidence:
    return Evidence(test, LAW, 0.0, 1.0, 0, "too few draws")
