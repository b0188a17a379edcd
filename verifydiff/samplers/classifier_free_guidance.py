r"""Guidance without a classifier (Ho and Salimans 2022, eq. 6).

.. math:: \tilde\epsilon = (1 + w)\, \hat\epsilon_c - w\, \hat\epsilon_u

w = 0 is no guidance; others count by the scale s = 1 + w.
"""

from __future__ import annotations

from jax import Array

from .sampler import Model


def classifier_free(conditional: Model, unconditional: Model, *, weight: float | Array) -> Model:
    """The noise that a model with the label and one without it make together.

    It samples no density that is p(x) p(y | x)^(1 + w), though that is often said: where the data are Gaussian, what it does
    sample is known in closed form, and another.

    Args:
        conditional: predicts the noise with the label.
        unconditional: without.
        weight: w.
    """

    def guided(x_t: Array, abar_t: Array) -> Array:
        return (1 + weight) * conditional(x_t, abar_t) - weight * unconditional(x_t, abar_t)

    return guided
