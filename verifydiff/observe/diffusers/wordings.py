"""How the models of some schedulers say what the data are, where that is no usual prediction.

Each is the library's own equation for the predicted data, as it is published, solved for what the network says. ``x`` is the state
that the network is handed, ``frame`` what that holds.
"""

from __future__ import annotations

import math

import numpy as np

from ...schedule import Array, Schedule
from ..frame import Frame
from ..target import Prediction, Wording


def edm(sigma_data: float, sign: float = 1.0) -> Wording:
    """F of ``D = c_skip x + c_out F`` (Karras et al. 2022, eq. 7 and table 1); with sign -1, c_out has the other sign."""

    def wording(x: Array, x0: Array, frame: Frame) -> Array:
        sigma = frame.noise_over_signal
        c_skip, c_out = sigma_data**2 / (sigma**2 + sigma_data**2), sigma * sigma_data / math.hypot(sigma, sigma_data)
        return np.asarray(sign * (x0 - c_skip * x / frame.alpha) / c_out)

    return wording


def consistency(sigma_data: float, sigma_min: float) -> Wording:
    """F of ``f = c_skip x + c_out F``, with f = x at sigma_min, where F cannot say anything (Song et al. 2023, app. C)."""

    def wording(x: Array, x0: Array, frame: Frame) -> Array:
        sigma = frame.noise_over_signal
        above = sigma - sigma_min
        c_skip, c_out = sigma_data**2 / (above**2 + sigma_data**2), sigma_data * above / math.hypot(sigma, sigma_data)
        return np.asarray((x0 - c_skip * x / frame.alpha) / c_out) if above > 1e-9 * sigma else np.zeros_like(x0)

    return wording


def latent_consistency(schedule: Schedule, scaling: float, prediction: Prediction) -> Wording:
    """A prediction whose data x_hat give ``f = c_skip(t) x + c_out(t) x_hat`` (Luo et al. 2023, eq. 9).

    With ``c_skip = 1 / (4 s^2 + 1)`` and ``c_out = s / sqrt(s^2 + 1/4)``, s the scaled time.
    """

    def wording(x: Array, x0: Array, frame: Frame) -> Array:
        scaled = scaling * float(np.argmin(np.abs(schedule.abar[1:] - frame.level)))
        c_skip, c_out = 0.25 / (scaled**2 + 0.25), scaled / math.hypot(scaled, 0.5)
        x_hat = (x0 - c_skip * x) / c_out if c_out else np.zeros_like(x0)
        eps = (x - frame.alpha * x_hat) / frame.sigma
        if prediction is Prediction.SAMPLE:
            return np.asarray(x_hat)
        return np.asarray(eps if prediction is Prediction.EPSILON else frame.alpha * eps - frame.sigma * x_hat)

    return wording


def trigonometric(sigma_data: float) -> Wording:
    """F of ``x_0 = cos(t) x - sin(t) F``, with noise of scale sigma_data (Lu and Song 2024, sec. 3)."""

    def wording(x: Array, x0: Array, frame: Frame) -> Array:
        return np.asarray((frame.alpha * x - x0) / (frame.sigma / sigma_data))

    return wording


def score(x: Array, x0: Array, frame: Frame) -> Array:
    """The score of the variance-exploding state."""
    return np.asarray((x0 - x) / frame.sigma**2)


def minus_noise(x: Array, x0: Array, frame: Frame) -> Array:
    """The noise with the other sign."""
    return np.asarray((frame.alpha * x0 - x) / frame.sigma)


def towards_the_data(x: Array, x0: Array, frame: Frame) -> Array:
    """The velocity of a flow whose time runs towards the data, x_0 - eps."""
    return np.asarray(x0 - (x - frame.alpha * x0) / frame.sigma)
