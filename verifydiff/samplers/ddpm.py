r"""Ancestral sampling (Ho et al. 2020, algorithm 2).

.. math:: x_s = \frac{1}{\sqrt{\alpha_t}} \Bigl(x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \hat\epsilon\Bigr)
    + \sigma_t z, \qquad \sigma_t^2 = \tilde\beta_t = \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}\, \beta_t \quad\text{or}\quad
    \beta_t

with :math:`\alpha_t = \bar\alpha_t / \bar\alpha_s` and :math:`\beta_t = 1 - \alpha_t`: those of the step from s to t, so that a
sampler that skips times is one on a coarser schedule. The mean is eq. 11; both variances are of sec. 3.2. No noise is added on
the step onto the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import jax
from jax import Array
from jax.numpy import sqrt

from ..verdict import MisuseError
from .sampler import GaussianSampler, Kernel

Variance = Literal["small", "large"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DDPM(GaussianSampler):
    """DDPM, on all times or on some.

    Attributes:
        variance: of the fresh noise: ``"small"``, that of the posterior (beta-tilde), or ``"large"`` (beta).

    Raises:
        MisuseError: if the variance is neither.
    """

    variance: Variance = field(default="small", metadata={"static": True})

    def __post_init__(self) -> None:
        if self.variance not in get_args(Variance):
            raise MisuseError(f"`variance` must be 'small' (beta-tilde) or 'large' (beta), got {self.variance!r}.")

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """Algorithm 2, line 4."""
        alpha_t, beta_t = abar_t / abar_s, (abar_s - abar_t) / abar_s
        mean = (x_t - beta_t / sqrt(1 - abar_t) * eps_hat) / sqrt(alpha_t)
        variance = beta_t if self.variance == "large" else (1 - abar_s) / (1 - abar_t) * beta_t
        return Kernel(mean, sqrt(variance))
