r"""The stochastic sampler of EDM (Karras et al. 2022, algorithm 2).

.. math:: \hat\sigma = (1 + \gamma)\, \sigma_t, \qquad \hat x = \bar x_t + \sqrt{\hat\sigma^2 - \sigma_t^2}\; S_{\text{noise}}\,
    z, \qquad \gamma = \begin{cases} \min(S_{\text{churn}} / S, \sqrt 2 - 1) & \sigma_t \in [S_{\text{tmin}}, S_{\text{tmax}}] \\
    0 & \text{else} \end{cases}

and from there a step of Heun's method down to :math:`\sigma_s`; with :math:`\bar x = x / \sqrt{\bar\alpha}`, and S the number of
steps. Onto the data it is one of Euler's, after the same churn. Without churn it is Heun's method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, random
from jax.numpy import sqrt

from .coordinates import level, sigma, x_hat
from .heun import along_both_slopes
from .sampler import Model, Sampler
from .settings import LARGEST, between


class Churned(NamedTuple):
    """A state, and how much noise is put back at a step.

    Attributes:
        x: x_t, variance preserving.
        gamma: by how much the noise over the signal is raised at levels that are churned.
    """

    x: Array
    gamma: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EDM(Sampler):
    """The stochastic sampler of EDM.

    Attributes:
        churn: S_churn, shared out over the steps.
        noise: S_noise, the deviation of the fresh noise; 1 keeps the law.
        tmin: S_tmin, the least noise over signal that is churned.
        tmax: S_tmax, the largest.

    Raises:
        MisuseError: if one of them is negative.
    """

    churn: float | Array = 0.0
    noise: float | Array = 1.0
    tmin: float | Array = 0.0
    tmax: float | Array = math.inf

    def __post_init__(self) -> None:
        for name in ("churn", "noise", "tmin"):
            between(name, getattr(self, name), 0, LARGEST)
        between("tmax", self.tmax, 0, math.inf)

    def init(self, x_T: Array, abar: Array) -> Churned:
        """The churn is shared out over the steps to come."""
        steps = abar.shape[0] - 1
        return Churned(x_T, jnp.minimum(jnp.asarray(self.churn / steps, abar.dtype), math.sqrt(2) - 1))

    def step(self, eps: Model, state: Churned, abar_t: Array, abar_s: Array, *, key: Array) -> Churned:
        """Noise up, and a step of Heun's method down."""
        x_up, abar_up = self.raised(state, abar_t, key=key)
        return state._replace(x=along_both_slopes(eps, x_up, abar_up, abar_s))

    def last(self, eps: Model, state: Churned, abar_t: Array, *, key: Array) -> Churned:
        """Noise up, and the data that the model predicts there."""
        x_up, abar_up = self.raised(state, abar_t, key=key)
        return state._replace(x=x_hat(x_up, eps(x_up, abar_up), abar_up))

    def raised(self, state: Churned, abar_t: Array, *, key: Array) -> tuple[Array, Array]:
        """The state with more noise, and the level that it then has."""
        if isinstance(self.churn, int | float) and self.churn == 0:
            return state.x, abar_t
        sigma_t = sigma(abar_t)
        gamma = jnp.where((sigma_t >= self.tmin) & (sigma_t <= self.tmax), state.gamma, 0)
        sigma_up = (1 + gamma) * sigma_t
        z = random.normal(key, state.x.shape, state.x.dtype)
        added = sqrt(gamma * (2 + gamma)) * sigma_t  # the root of sigma_up^2 - sigma_t^2, which rounding can take below 0
        xbar_up = state.x / sqrt(abar_t) + added * self.noise * z
        return sqrt(level(sigma_up)) * xbar_up, level(sigma_up)
