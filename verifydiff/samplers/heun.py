r"""Heun's method on the probability flow, in the noise over the signal (Karras et al. 2022, algorithm 1).

.. math:: \bar x' = \bar x_t + (\sigma_s - \sigma_t)\, \hat\epsilon(\bar x_t, \sigma_t), \qquad
    \bar x_s = \bar x_t + (\sigma_s - \sigma_t)\, \tfrac12 \bigl(\hat\epsilon(\bar x_t, \sigma_t) + \hat\epsilon(\bar x',
    \sigma_s)\bigr)

with :math:`\bar x = x / \sqrt{\bar\alpha}`. Onto the data, where no noise is left to ask about, the first line is the step.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array
from jax.numpy import sqrt

from .coordinates import sigma, x_hat
from .sampler import Model, Sampler, State


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Heun(Sampler):
    """Heun's method on the probability flow; of order 2, without noise, and with two questions a step."""

    def init(self, x_T: Array, abar: Array) -> State:
        """The state is x_T."""
        return State(x_T)

    def step(self, eps: Model, state: State, abar_t: Array, abar_s: Array, *, key: Array) -> State:
        """Along the tangent, and then along the mean of the slopes at both ends."""
        return State(along_both_slopes(eps, state.x, abar_t, abar_s))

    def last(self, eps: Model, state: State, abar_t: Array, *, key: Array) -> State:
        """The data that the model predicts, where the tangent leads."""
        return State(x_hat(state.x, eps(state.x, abar_t), abar_t))


def along_both_slopes(eps: Model, x_t: Array, abar_t: Array, abar_s: Array) -> Array:
    """x_s by a step of Heun's method."""
    h, xbar_t = sigma(abar_s) - sigma(abar_t), x_t / sqrt(abar_t)
    d = eps(x_t, abar_t)
    d_there = eps(sqrt(abar_s) * (xbar_t + h * d), abar_s)
    return sqrt(abar_s) * (xbar_t + h * (d + d_there) / 2)
