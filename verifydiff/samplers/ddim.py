r"""DDIM (Song et al. 2021, eqs. 12 and 16).

.. math:: x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma_t^2}\; \hat\epsilon + \sigma_t z, \qquad
    \sigma_t = \eta \sqrt{\frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}} \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_s}}

eta = 0 follows the probability flow and draws nothing; eta = 1 is DDPM.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array
from jax.numpy import maximum, sqrt

from .coordinates import x_hat
from .sampler import GaussianSampler, Kernel
from .settings import between


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DDIM(GaussianSampler):
    """DDIM.

    Attributes:
        eta: the scale of the fresh noise over that of the posterior, in [0, 1]. Where it is known to be 0 when the loop is traced,
            nothing is drawn.

    Raises:
        MisuseError: if eta leaves [0, 1]: beyond 1 the root of 1 - abar_s - sigma^2 can fail to be real.
    """

    eta: float | Array = 0.0

    def __post_init__(self) -> None:
        between("eta", self.eta, 0, 1)

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """Eq. 12 with the sigma of eq. 16."""
        beta_t = (abar_s - abar_t) / abar_s
        sigma_t = self.eta * sqrt((1 - abar_s) / (1 - abar_t)) * sqrt(beta_t)
        stale = maximum(1 - abar_s - sigma_t**2, 0)  # rounding can take it below 0 where there is next to no signal
        mean = sqrt(abar_s) * x_hat(x_t, eps_hat, abar_t) + sqrt(stale) * eps_hat
        return Kernel(mean, 0.0 if isinstance(self.eta, int | float) and self.eta == 0 else sigma_t)
