"""Laws over two coordinates, one of each family and mixtures of them, beside the plain numbers that SciPy is asked with."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.stats import multivariate_normal

from verifydiff.oracles import DiagonalGaussian, FullGaussian, GaussianField, GaussianMixture, LowRankGaussian, Oracle

WEIGHTS, LABELS = np.array([0.2, 0.5, 0.3]), (0, 1, 1)
MEANS = np.array([[1.0, -0.5], [-1.2, 0.4], [0.3, 1.5]])
FULL = np.array([[[0.9, 0.4], [0.4, 0.7]], [[0.3, -0.1], [-0.1, 0.5]], [[0.6, 0.2], [0.2, 0.4]]])
DIAGONAL = np.array([[0.5, 1.2], [0.3, 0.4], [0.8, 0.25]])
FACTOR = np.array([[[0.7], [-0.5]], [[0.2], [0.4]], [[-0.6], [0.3]]])
SPECTRUM = np.array([[1.1, 0.3], [0.4, 0.9], [0.25, 0.5]])
HARTLEY = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)  # of two points


class Case(NamedTuple):
    """A law, and the same as weights, means and dense covariances.

    Attributes:
        law: the oracle.
        weights, means, covariances: of its components; a single one for a Gaussian.
    """

    law: Oracle
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def components(self, abar: float) -> list:
        """SciPy's laws of the components of x_t."""
        return [
            multivariate_normal(np.sqrt(abar) * m, abar * C + (1 - abar) * np.eye(2))
            for m, C in zip(self.means, self.covariances, strict=True)
        ]

    def density(self, x: np.ndarray, abar: float = 1.0) -> np.ndarray:
        """p(x_t)."""
        return sum(w * law.pdf(x) for w, law in zip(self.weights, self.components(abar), strict=True))


FAMILIES = {
    "diagonal": (
        lambda k: DiagonalGaussian(jnp.asarray(MEANS[k]), jnp.asarray(DIAGONAL[k])),
        np.stack([np.diag(v) for v in DIAGONAL]),
    ),
    "full": (lambda k: FullGaussian(jnp.asarray(MEANS[k]), jnp.asarray(FULL[k])), FULL),
    "low rank": (
        lambda k: LowRankGaussian(jnp.asarray(MEANS[k]), jnp.asarray(FACTOR[k]), jnp.asarray(DIAGONAL[k])),
        np.stack([W @ W.T + np.diag(v) for W, v in zip(FACTOR, DIAGONAL, strict=True)]),
    ),
    "field": (
        lambda k: GaussianField(jnp.asarray(MEANS[k]), jnp.asarray(SPECTRUM[k]), grid_dim=1),
        np.stack([HARTLEY @ np.diag(s) @ HARTLEY for s in SPECTRUM]),
    ),
}
GAUSSIANS = {name: Case(make(0), np.ones(1), MEANS[:1], C[:1]) for name, (make, C) in FAMILIES.items()}
MIXTURES = {
    f"mixture of {name}": Case(GaussianMixture(jnp.asarray(WEIGHTS), make(slice(None)), LABELS), WEIGHTS, MEANS, C)
    for name, (make, C) in FAMILIES.items()
}
CASES = {**GAUSSIANS, **MIXTURES}
