r"""Euler-Maruyama on the reverse SDE of the variance-preserving process (Song et al. 2021, SDE, eq. 6 with the SDE of eq. 11).

.. math:: x_s = x_t + B \Bigl(\frac{x_t}{2} + \nabla \log p(x_t)\Bigr) + \sqrt{B}\, z, \qquad
    B = \int_s^t \beta(\tau)\, d\tau = \log \frac{\bar\alpha_s}{\bar\alpha_t}, \qquad
    \nabla \log p(x_t) = -\frac{\hat\epsilon}{\sqrt{1 - \bar\alpha_t}}

Where the paper's code ends on the mean of its last step, this ends on the mean of the data given the state: a step of B onto the
data would be of no small length.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array
from jax.numpy import log1p, sqrt

from .sampler import GaussianSampler, Kernel


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EulerMaruyama(GaussianSampler):
    """Euler-Maruyama on the reverse SDE; of weak order 1 in B."""

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """One step of the length B."""
        B = log1p((abar_s - abar_t) / abar_t)
        score = -eps_hat / sqrt(1 - abar_t)
        return Kernel(x_t + B * (x_t / 2 + score), sqrt(B))
