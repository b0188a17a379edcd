r"""The loss: the squared error of a prediction, per coordinate, at a random level.

.. math:: L = \mathbb{E}_t\, \frac{w_t}{d}\, \|\hat y(x_t, \bar\alpha_t) - y\|^2, \qquad
          x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon,

with t uniform over the table of the schedule and y the noise, the data or the velocity. At one x_t the errors of the three are
multiples of one another, so that *whose* error counts is a choice apart from *what* is predicted: w_t is the ratio of two of these
multiples, and the loss that no network beats depends on the first choice alone. The formulas are those of :mod:`verifydiff.forms`,
compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array

from ..forms import forward, predictions
from ..forms.quantities import abar_t, eps, snr_t, v, x_0, x_t

GAMMA = 5.0  # Hang et al. 2023: the largest weight of the data's error

noised: Callable[..., Array] = forward.noised.jax(abar_t, x_0, eps)

_velocity = forward.velocity.jax(abar_t, eps, x_0)
_eps_from_x0 = forward.eps_from_x0.jax(abar_t, x_0, x_t)
_eps_from_v = forward.eps_from_v.jax(abar_t, v, x_t)
_eps_over_x0 = predictions.eps_weight.jax(snr_t)
_v_over_x0 = predictions.v_weight.jax(snr_t)


def target(kind: str, abar: Array, x_0: Array, eps: Array) -> Array:
    """y, what a network that predicts ``kind`` should answer."""
    return {"eps": lambda: eps, "x0": lambda: x_0, "v": lambda: _velocity(abar, eps, x_0)}[kind]()


def eps_of(kind: str, abar: Array, y_hat: Array, x_t: Array) -> Array:
    """The noise that a prediction implies. One of x_0 implies none at abar = 1, where there is no noise to tell."""
    ways = {"eps": lambda: y_hat, "x0": lambda: _eps_from_x0(abar, y_hat, x_t), "v": lambda: _eps_from_v(abar, y_hat, x_t)}
    return ways[kind]()


def weight(kind: str, weighting: str, abar: Array) -> Array:
    """w: by which the squared error of ``kind`` becomes that of ``weighting``."""
    snr = abar / (1 - abar)
    return _over_data_error(weighting, snr) / _over_data_error(kind, snr)


def floor(law: Any, weighting: str, abar: Array, **options: Any) -> Array:
    """The loss that no network beats at these levels; options are those of a mixture's ``bayes_loss``."""
    if weighting == "min-snr":
        return _over_data_error(weighting, abar / (1 - abar)) * law.bayes_loss(abar, "x0", **options).value
    return law.bayes_loss(abar, weighting, **options).value


def _over_data_error(whose: str, snr: Array) -> Array:
    """The squared error in question over that of the data, at one x_t."""
    return {
        "x0": lambda: jnp.ones_like(snr),
        "eps": lambda: _eps_over_x0(snr),
        "v": lambda: _v_over_x0(snr),
        "min-snr": lambda: jnp.minimum(snr, GAMMA),
    }[whose]()
