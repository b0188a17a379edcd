r"""The exact denoiser in NumPy, for samplers that run on the host and may not call back into JAX while a program of theirs runs.

For a mixture of K Gaussians with :math:`C_k = V_k \operatorname{diag}(\lambda_k) V_k^\top`, along the eigendirections
:math:`y_k = V_k^\top (x_t - \sqrt{\bar\alpha}\, m_k)`,

.. math:: \mathbb{E}[x_0 \mid x_t] = \sum_k p(k \mid x_t)
          \Bigl(m_k + V_k \frac{\sqrt{\bar\alpha}\, \lambda_k}{\bar\alpha \lambda_k + 1 - \bar\alpha}\, y_k\Bigr), \qquad
          p(k \mid x_t) \propto w_k\, \mathcal{N}\bigl(y_k \mid 0, \operatorname{diag}(\bar\alpha \lambda_k + 1 - \bar\alpha)\bigr).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax

from ..oracles import GaussianMixture, Oracle
from ..oracles.gaussian import Gaussian
from ..statistics.evidence import Array
from ..verdict import MisuseError

Denoiser = Callable[[Array, float], Array]
"""``denoise(x_t, abar)``, over states of shape (rows, d)."""


def denoiser(law: Oracle) -> Denoiser:
    """E[x_0 | x_t] in float64, over flat states.

    Raises:
        MisuseError: if the law is neither a Gaussian nor a mixture of them.
    """
    weights, means, covariances = _components(law)
    spectra, turns = np.linalg.eigh(covariances)  # (K, d) and (K, d, d)
    spectra = np.maximum(spectra, 0.0)

    def denoise(x_t: Array, abar: float) -> Array:
        v = abar * spectra + (1 - abar)
        y = (x_t - np.sqrt(abar) * means[:, None]) @ turns  # (K, rows, d)
        gain = np.divide(np.sqrt(abar) * spectra, v, out=np.ones_like(v), where=v > 0)
        x_0 = means[:, None] + (gain[:, None] * y) @ np.swapaxes(turns, 1, 2)
        if len(weights) == 1:
            return np.asarray(x_0[0])
        log_p = np.log(weights)[:, None] - ((y**2 / v[:, None]).sum(axis=-1) + np.log(v).sum(axis=-1)[:, None]) / 2
        return np.asarray(np.einsum("kr,krd->rd", softmax(log_p, axis=0), x_0))

    return denoise


def _components(law: Oracle) -> tuple[Array, Array, Array]:
    if isinstance(law, GaussianMixture):
        weights: Any = np.asarray(law.weights, np.float64)
        parts: Any = law.components
    elif isinstance(law, Gaussian):
        weights, parts = np.ones(1), law
    else:
        raise MisuseError(f"the exact denoiser is known for Gaussians and their mixtures, got {type(law).__name__}.")
    d = law.event_size
    covariances = np.asarray(parts.covariance_matrix, np.float64).reshape(len(weights), d, d)
    return weights, np.asarray(parts.mean, np.float64).reshape(len(weights), d), covariances
