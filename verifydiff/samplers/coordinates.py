r"""From a state and its noise to other coordinates.

.. math:: \hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \hat\epsilon}{\sqrt{\bar\alpha_t}}, \qquad
    \bar x_t = \frac{x_t}{\sqrt{\bar\alpha_t}} = x_0 + \sigma_t \epsilon, \qquad
    \sigma_t = \sqrt{\frac{1 - \bar\alpha_t}{\bar\alpha_t}}
"""

from __future__ import annotations

from jax import Array
from jax.numpy import sqrt


def x_hat(x_t: Array, eps_hat: Array, abar_t: Array) -> Array:
    """The data that a prediction of the noise implies."""
    return (x_t - sqrt(1 - abar_t) * eps_hat) / sqrt(abar_t)


def sigma(abar_t: Array) -> Array:
    """The noise over the signal: the scale of the noise in coordinates that leave the data alone."""
    return sqrt((1 - abar_t) / abar_t)


def level(sigma_t: Array) -> Array:
    """The abar of a noise over signal."""
    return 1 / (1 + sigma_t**2)
