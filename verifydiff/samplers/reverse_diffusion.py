r"""The reverse diffusion predictor (Song et al. 2021, SDE, app. E), for the variance-preserving process.

The discrete forward step :math:`x_t = x_s + f(x_s) + G z` has :math:`f(x) = (\sqrt{1 - \beta_t} - 1)\, x` and :math:`G =
\sqrt{\beta_t}`. Turned round,

.. math:: x_s = x_t - f(x_t) + G^2 \nabla \log p(x_t) + G z
    = \bigl(2 - \sqrt{1 - \beta_t}\bigr)\, x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \hat\epsilon + \sqrt{\beta_t}\, z

with :math:`1 - \beta_t = \bar\alpha_t / \bar\alpha_s`, that of the step from s to t. It ends on the mean of the data given the
state.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array
from jax.numpy import sqrt

from .sampler import GaussianSampler, Kernel


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ReverseDiffusion(GaussianSampler):
    """The reverse diffusion predictor; of weak order 1."""

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """The forward step turned round."""
        beta_t = (abar_s - abar_t) / abar_s
        score = -eps_hat / sqrt(1 - abar_t)
        return Kernel((2 - sqrt(abar_t / abar_s)) * x_t + beta_t * score, sqrt(beta_t))
