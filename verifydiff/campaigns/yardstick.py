r"""What is counted of draws: numbers whose law is known if the draws follow the claimed one.

A Gaussian claim N(m, C) is whitened: with :math:`C = L L^\top`, :math:`u = L^{-1}(x - m)` has d independent N(0, 1) coordinates.
That they do not vary together is seen in :math:`(u_i + u_j) / \sqrt 2`, which is N(0, 1) too: of all pairs i < j up to eight
coordinates, of neighbours beyond.

A mixture :math:`\sum_k w_k \mathcal{N}(m_k, C_k)` is looked at along directions a. There its law is a mixture in one dimension,
and the normal score

.. math:: u_a = \Phi^{-1}\Bigl(\sum_k w_k\, \Phi\bigl((a^\top x - a^\top m_k) / \sqrt{a^\top C_k a}\bigr)\Bigr)

is N(0, 1). The directions are the coordinate axes and some oblique ones. They are not independent of each other, which the
tests do not ask for. Beside them stand the probabilities of the classes, :math:`p(y \mid x) \in [0, 1]`, whose means are the
shares of the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import Any
from zlib import crc32

import jax
import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri, ndtri_exp

from ..oracles import GaussianMixture
from ..statistics.evidence import Array
from ..statistics.streaming import Covariance
from ..verdict import MisuseError

MOST_FULL = 64  # coordinates of which all covariances are kept
MOST_SHAPED = 64  # numbers whose octiles are counted
MOST_PAIRED = 8  # coordinates that are paired each with each
MOST_AXES, OBLIQUE = 8, 4  # directions along which a mixture is looked at
SEEN = 1e-10  # a tail smaller than this is computed by its logarithm
FLAT = 1e-12  # a variance so much smaller than the largest cannot be told from none


@dataclass(frozen=True)
class Yardstick:
    r"""What is counted of a draw, and what is known of it.

    Attributes:
        against: the claim, as reports call it.
        normal: how many numbers are N(0, 1); they stand first.
        measure: (rows, \*event) to (rows, K).
        names: what the numbers are, one for each.
        fractions: the means of those after them, which lie in [0, 1]; there may be none.
    """

    against: str
    normal: int
    measure: Callable[[Any], Array]
    names: tuple[str, ...]
    fractions: Array = field(default_factory=lambda: np.empty(0))

    @property
    def size(self) -> int:
        """K, how many numbers are counted of a draw."""
        return self.normal + self.fractions.size

    @property
    def shaped(self) -> int:
        """Of how many numbers, the first of them, the octiles are counted."""
        return min(self.normal, MOST_SHAPED)

    @property
    def kept(self) -> Covariance:
        """Whether all covariances are kept, or the variances alone."""
        return "full" if self.size <= MOST_FULL else "diagonal"

    def __call__(self, x: Any) -> Array:
        """The numbers of these draws."""
        return self.measure(x)


def whitened(mean: Any, covariance: Any, against: str) -> Yardstick:
    r"""A Gaussian claim, from its mean (\*event) and its covariance (d, d).

    Raises:
        MisuseError: if in some direction there is no spread: a single draw would tell, and no test of a law is needed.
    """
    m, C = np.asarray(mean, np.float64).ravel(), np.asarray(covariance, np.float64)
    scale = np.sqrt(np.diagonal(C))
    spread = np.linalg.eigvalsh(C)
    if not spread[0] > FLAT * spread[-1]:
        raise MisuseError("the law has a direction without spread, where nothing is left to be tested by draws.")
    L, first, second = np.linalg.cholesky(C / np.outer(scale, scale)), *pairs(m.size)

    def measure(x: Any) -> Array:
        u = np.empty((m.size + first.size, len(x)))
        u[: m.size] = np.asarray(x).reshape(len(x), -1).T
        u[: m.size] = solved(L, (u[: m.size] - m[:, None]) / scale[:, None])
        np.add(u[first], u[second], out=u[m.size :])
        u[m.size :] /= sqrt(2)
        return u.T

    both = zip(first, second, strict=True)
    names = (*(f"coordinate {i}" for i in range(m.size)), *(f"coordinates {i} and {j} together" for i, j in both))
    return Yardstick(against, len(names), measure, names)


def solved(L: Array, z: Array) -> Array:
    """u of L u = z, for a lower triangular L (d, d) and many columns z (d, n), which is used up.

    Row by row where there are few: LAPACK, and the threads of its BLAS, are made for square problems and take ten times as long.
    """
    if len(z) > MOST_FULL:
        return np.asarray(solve_triangular(L, z, lower=True, overwrite_b=True))
    for i, row in enumerate(z):
        row -= L[i, :i] @ z[:i]
        row /= L[i, i]
    return z


def pairs(d: int) -> tuple[Any, Any]:
    """The i and the j of the coordinates that are looked at together."""
    if d <= MOST_PAIRED:
        return np.triu_indices(d, 1)
    return np.arange(d - 1), np.arange(1, d)


def scored(mixture: GaussianMixture, against: str) -> Yardstick:
    """A mixture, by normal scores along directions and by the probabilities of its classes."""
    weights = np.asarray(mixture.weights, np.float64)
    means = np.asarray(mixture.components.mean, np.float64).reshape(weights.size, -1)
    covariances = np.asarray(mixture.components.covariance_matrix, np.float64)
    a = directions(means.shape[1])
    centres, widths = a @ means.T, np.sqrt(np.einsum("ai,kij,aj->ak", a, covariances, a))  # (directions, components)
    if not (widths > 0).all():
        raise MisuseError("a component of the mixture has a direction without spread, along which it has no normal scores.")
    shares = np.array([weights[[k for k, label in enumerate(mixture.labels) if label == y]].sum() for y in range(mixture.classes)])
    fractions = shares if mixture.classes > 1 else np.empty(0)
    posterior = jax.jit(lambda x: mixture.class_posterior(x, 1.0))

    def measure(x: Any) -> Array:
        along = np.asarray(x, np.float64).reshape(len(x), -1) @ a.T
        scores = normal_scores((along[..., None] - centres) / widths, weights)
        return np.hstack([scores, np.exp(np.asarray(posterior(x), np.float64))]) if fractions.size else scores

    names = (*(f"direction {i}" for i in range(len(a))), *(f"class {y}" for y in range(fractions.size)))
    return Yardstick(against, len(a), measure, names, fractions)


def directions(d: int) -> Array:
    """Unit vectors in R^d, one a row: the first axes, and oblique ones that are the same every time."""
    oblique = np.random.default_rng(crc32(b"oblique directions")).standard_normal((OBLIQUE if d > 1 else 0, d))
    rows: Array = np.vstack([np.eye(d)[:MOST_AXES], oblique / np.linalg.norm(oblique, axis=1, keepdims=True)])
    return rows


def normal_scores(z: Array, weights: Array) -> Array:
    r""":math:`\Phi^{-1}(\sum_k w_k \Phi(z_k))`, over the last axis; from the smaller tail, so that no digit is lost."""
    below, above = ndtr(z) @ weights, ndtr(-z) @ weights
    with np.errstate(divide="ignore"):
        u = np.where(below < above, ndtri(below), -ndtri(above))
    far = np.minimum(below, above) < SEEN
    if far.any():
        side = np.where(below < above, 1.0, -1.0)[far]
        u[far] = side * ndtri_exp(logsumexp(log_ndtr(side[:, None] * z[far]), axis=-1, b=weights))
    return np.asarray(u)
