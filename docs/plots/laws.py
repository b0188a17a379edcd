"""Plots of the exact laws that samplers end in on Gaussian data."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff.forms import ddim, laws
from verifydiff.forms.quantities import abar_s, abar_t, data_variance, eta, sigma_t

from .drawing import beside

STEPS = (5, 10, 20, 40, 50, 100, 200, 250, 500, 1000)
_gain = laws.gain.numpy(abar_t, abar_s, sigma_t, data_variance)
_scale = ddim.sigma.numpy(abar_t, abar_s, eta)
_distance = laws.frechet.numpy(laws.m_1, laws.m_2, laws.v_1, laws.v_2)


def _linear() -> np.ndarray:
    return np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))])


def _squared_distance(abar: np.ndarray, steps: int, noise: float, spread: float, mean: float) -> float:
    """The squared Frechet distance of the sampler that starts with N(0, 1) to data N(mean, spread)."""
    variance, error, stride = 1.0, -np.sqrt(abar[-1]) * mean, 1000 // steps
    for t in range(1000, 0, -stride):
        sigma = _scale(abar[t], abar[t - stride], noise)
        gain = _gain(abar[t], abar[t - stride], sigma, spread)
        variance, error = gain**2 * variance + sigma**2, gain * error
    return float(_distance(error, 0.0, variance, spread))


@beside("best_eta")
def eta_by_steps(axes: Any) -> None:
    """Squared Frechet distance to data N(1, 1/4) over the number of steps, for several eta: few steps want no noise, many some."""
    abar = _linear()
    for noise in (0.0, 0.25, 0.5, 0.75, 1.0):
        axes.loglog(
            STEPS, [_squared_distance(abar, steps, noise, 0.25, 1.0) for steps in STEPS], "o-", label=rf"$\eta = {noise:g}$"
        )
    axes.set_xlabel("steps S")
    axes.set_ylabel("squared Frechet distance")


@beside("best_eta")
def steps_by_eta(axes: Any) -> None:
    """Squared Frechet distance over eta, relative to eta = 0: with more steps the best eta moves away from 0."""
    abar, etas = _linear(), np.linspace(0, 1, 41)
    for steps in (10, 100, 500, 1000):
        found = np.array([_squared_distance(abar, steps, noise, 0.25, 1.0) for noise in etas])
        axes.semilogy(etas, found / found[0], label=f"S = {steps}")
    axes.set_xlabel(r"$\eta$")
    axes.set_ylabel(r"distance over that of $\eta = 0$")


@beside("laws.equal_angles")
def kept_by_equal_angles(axes: Any) -> None:
    """The share of the variance that S deterministic steps lose, from a terminal level of 0: equal angles lose least."""
    abar = _linear()
    abar = np.concatenate([abar[:-1], [0.0]])
    turn = laws.cosine.numpy(abar_t, abar_s, data_variance)
    for spread in (0.25, 1.0, 4.0):
        found = []
        for steps in STEPS:
            grid = abar[range(1000, -1, -1000 // steps)]
            found.append(np.prod(turn(grid[:-1], grid[1:], spread)) ** 2)
        axes.loglog(STEPS, 1 - np.array(found), "o-", label=f"linear schedule, c = {spread:g}")
    sizes = np.array(STEPS)
    axes.loglog(sizes, 1 - np.cos(np.pi / (2 * sizes)) ** (2 * sizes), "k--", label="equal angles")
    axes.set_xlabel("steps S")
    axes.set_ylabel("share of the variance that is lost")
