r"""DPM-Solver++(2M) (Lu et al. 2022, DPM-Solver++, algorithm 2).

.. math:: x_s = \frac{\sigma_s}{\sigma_t}\, x_t - \alpha_s \bigl(e^{-h} - 1\bigr) D, \qquad
    D = \Bigl(1 + \frac{1}{2r}\Bigr) \hat x_0 - \frac{1}{2r}\, \hat x_0', \qquad r = \frac{h'}{h}

with :math:`\alpha^2 = \bar\alpha`, :math:`\sigma^2 = 1 - \bar\alpha`, :math:`\lambda = \log(\alpha / \sigma)`, :math:`h =
\lambda_s - \lambda_t`; primes belong to the step before. The first step has none before it: a prediction from :math:`\lambda =
-\infty` has no weight, and D is :math:`\hat x_0`. So it is on the step onto the data, where h is infinite and the step ends on D
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.numpy import expm1, log, log1p, sqrt

from .coordinates import x_hat
from .sampler import Model, Sampler


class Remembering(NamedTuple):
    """A state and the prediction before.

    Attributes:
        x: x_t, variance preserving.
        x_hat: the data as they were predicted a step before.
        lambda_: log(alpha / sigma) of the level where that was.
    """

    x: Array
    x_hat: Array
    lambda_: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DPMSolverPP2M(Sampler):
    """DPM-Solver++(2M); of order 2 on the probability flow, with one question a step."""

    def init(self, x_T: Array, abar: Array) -> Remembering:
        """Nothing has been predicted yet."""
        return Remembering(x_T, jnp.zeros_like(x_T), jnp.full_like(abar[0], -jnp.inf))

    def step(self, eps: Model, state: Remembering, abar_t: Array, abar_s: Array, *, key: Array) -> Remembering:
        """One step of algorithm 2."""
        x_t, before, lambda_before = state
        data, lambda_t = x_hat(x_t, eps(x_t, abar_t), abar_t), half_log_snr(abar_t)
        h = half_log_snr(abar_s) - lambda_t
        half = h / (2 * (lambda_t - lambda_before))  # 1 / 2r
        D = (1 + half) * data - half * before
        x_s = sqrt((1 - abar_s) / (1 - abar_t)) * x_t - sqrt(abar_s) * expm1(-h) * D
        return Remembering(x_s, data, lambda_t)

    def last(self, eps: Model, state: Remembering, abar_t: Array, *, key: Array) -> Remembering:
        """The data that the model predicts."""
        data = x_hat(state.x, eps(state.x, abar_t), abar_t)
        return Remembering(data, data, half_log_snr(abar_t))


def half_log_snr(abar_t: Array) -> Array:
    """lambda_t = log(alpha_t / sigma_t)."""
    return (log(abar_t) - log1p(-abar_t)) / 2
