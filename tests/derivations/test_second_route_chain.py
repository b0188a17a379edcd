"""Forward process, posterior and DDIM once more, by quadrature on a grid: nothing of the engine has a part in it."""

from __future__ import annotations

import numpy as np
import pytest

from verifydiff.forms import ddim, ddpm, forward
from verifydiff.forms.quantities import abar_s, abar_t, eps, sigma_t, x_0, x_t

GRID = np.linspace(-12.0, 12.0, 4001)
LEVELS = [(0.9, 0.5), (0.5, 0.49), (0.99, 0.01), (0.3, 1e-3)]
DATA, NOISY = 0.7, -1.3


def normal(x, mean, variance):
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def moments(density):
    """Mass, mean and variance on the grid; the trapezoidal rule is exact to rounding for what decays like a Gaussian."""
    step = GRID[1] - GRID[0]
    mass = density.sum() * step
    mean = (GRID * density).sum() * step / mass
    return mass, mean, ((GRID - mean) ** 2 * density).sum() * step / mass


@pytest.mark.parametrize(("s", "t"), LEVELS)
def test_the_forward_marginal_is_the_chapman_kolmogorov_integral(s, t):
    kernel = normal(GRID[:, None], np.sqrt(t / s) * GRID[None, :], 1 - t / s)
    at_t = kernel @ normal(GRID, np.sqrt(s) * DATA, 1 - s) * (GRID[1] - GRID[0])
    mass, mean, variance = moments(at_t)
    assert mass == pytest.approx(1, rel=1e-9)
    assert mean == pytest.approx(forward.mean.numpy(x_0, abar_t)(DATA, t), rel=1e-9)
    assert variance == pytest.approx(forward.variance.numpy(abar_t)(t), rel=1e-8)


@pytest.mark.parametrize(("s", "t"), LEVELS)
def test_the_posterior_is_the_normalised_product(s, t):
    product = normal(NOISY, np.sqrt(t / s) * GRID, 1 - t / s) * normal(GRID, np.sqrt(s) * DATA, 1 - s)
    mass, mean, variance = moments(product)
    assert mass == pytest.approx(normal(NOISY, np.sqrt(t) * DATA, 1 - t), rel=1e-9)
    assert mean == pytest.approx(ddpm.posterior_mean.numpy(x_0, x_t, abar_s, abar_t)(DATA, NOISY, s, t), rel=1e-9)
    assert variance == pytest.approx(ddpm.posterior_variance.numpy(abar_s, abar_t)(s, t), rel=1e-8)
    noise = (NOISY - np.sqrt(t) * DATA) / np.sqrt(1 - t)
    assert mean == pytest.approx(ddpm.mean_from_eps.numpy(x_t, eps, abar_s, abar_t)(NOISY, noise, s, t), rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(("s", "t"), LEVELS)
def test_the_ddim_step_keeps_the_marginal(s, t, share):
    scale = share * np.sqrt(1 - s)
    mean = ddim.mean.numpy(x_0, x_t, sigma_t, abar_s, abar_t)
    intercept, slope = mean(DATA, 0.0, scale, s, t), mean(DATA, 1.0, scale, s, t) - mean(DATA, 0.0, scale, s, t)
    start_mean, start_variance = np.sqrt(t) * DATA, 1 - t
    assert intercept + slope * start_mean == pytest.approx(np.sqrt(s) * DATA, rel=1e-12)
    assert slope**2 * start_variance + scale**2 == pytest.approx(1 - s, rel=1e-12)
