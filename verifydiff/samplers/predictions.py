r"""Models that predict something else, as models of the noise.

With :math:`x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon` and :math:`v = \sqrt{\bar\alpha_t}\, \epsilon -
\sqrt{1 - \bar\alpha_t}\, x_0` (Salimans and Ho 2022),

.. math:: \hat\epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, \hat x_0}{\sqrt{1 - \bar\alpha_t}}
    = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, \hat v = -\sqrt{1 - \bar\alpha_t}\, \nabla \log p(x_t)
"""

from __future__ import annotations

from jax import Array
from jax.numpy import sqrt

from .sampler import Model


def from_x0(x_0: Model) -> Model:
    """The noise by a model ``x_0(x_t, abar_t)`` of the data."""

    def eps(x_t: Array, abar_t: Array) -> Array:
        return (x_t - sqrt(abar_t) * x_0(x_t, abar_t)) / sqrt(1 - abar_t)

    return eps


def from_v(v: Model) -> Model:
    """The noise by a model ``v(x_t, abar_t)`` of the velocity."""

    def eps(x_t: Array, abar_t: Array) -> Array:
        return sqrt(1 - abar_t) * x_t + sqrt(abar_t) * v(x_t, abar_t)

    return eps


def from_score(score: Model) -> Model:
    """The noise by a model ``score(x_t, abar_t)`` of the score of x_t."""

    def eps(x_t: Array, abar_t: Array) -> Array:
        return -sqrt(1 - abar_t) * score(x_t, abar_t)

    return eps
