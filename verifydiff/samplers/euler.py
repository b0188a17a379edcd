r"""Euler's method on the probability flow, in the noise over the signal (Karras et al. 2022, eq. 1 with sigma(t) = t).

.. math:: \frac{d\bar x}{d\sigma} = \frac{\bar x - \hat x_0}{\sigma} = \hat\epsilon, \qquad
    \bar x_s = \bar x_t + (\sigma_s - \sigma_t)\, \hat\epsilon

with :math:`\bar x = x / \sqrt{\bar\alpha}`. In these coordinates it is DDIM(0).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array
from jax.numpy import sqrt

from .coordinates import sigma
from .sampler import GaussianSampler, Kernel


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Euler(GaussianSampler):
    """Euler's method on the probability flow; of order 1, and without noise."""

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """A step along the tangent."""
        xbar_s = x_t / sqrt(abar_t) + (sigma(abar_s) - sigma(abar_t)) * eps_hat
        return Kernel(sqrt(abar_s) * xbar_s, 0.0)
