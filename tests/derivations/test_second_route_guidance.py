"""Guidance once more, by quadrature and by solving the differential equations: nothing of the engine has a part in it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from verifydiff.forms import guidance
from verifydiff.forms.guidance import eps_c, eps_u, gradient, mean_c, mean_u, var_c, var_u
from verifydiff.forms.quantities import abar_t, eps, w

GRID = np.linspace(-14.0, 14.0, 8001)
STEP = GRID[1] - GRID[0]
CASES = [
    (0.3, -0.5, 1.0, 2.0, 1.0),
    (-1.0, 0.4, 0.2, 1.5, 2.0),
    (0.5, 0.5, 0.7, 0.9, 0.5),
    (1.0, 0.0, 0.1, 1.0, 6.5),
]  # m_c, m_u, c_c, c_u, w
MUCH = 1e7  # variance of the noise that the sampler starts from


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2


def moments(log_density):
    density = np.exp(log_density - log_density.max())
    density /= density.sum() * STEP
    mean = (GRID * density).sum() * STEP
    return mean, ((GRID - mean) ** 2 * density).sum() * STEP


def guided_score(x, v, case):
    m_c, m_u, c_c, c_u, weight = case
    return -(1 + weight) * (x - m_c) / (c_c + v) + weight * (x - m_u) / (c_u + v)


@pytest.mark.parametrize("case", CASES)
def test_mean_and_variance_of_the_tilted_density(case):
    m_c, m_u, c_c, c_u, weight = case
    mean, variance = moments((1 + weight) * log_normal(GRID, m_c, c_c) - weight * log_normal(GRID, m_u, c_u))
    assert variance == pytest.approx(guidance.tilted_variance.numpy(var_c, var_u, w)(c_c, c_u, weight), rel=1e-8)
    assert mean == pytest.approx(guidance.tilted_mean.numpy(mean_c, mean_u, var_c, var_u, w)(*case), abs=1e-8)


@pytest.mark.parametrize("level", [0.9, 0.5, 0.05])
@pytest.mark.parametrize("case", CASES)
def test_the_gap_between_guiding_and_tilting(case, level):
    """The tilted data are noised by quadrature; the slope of the logarithm is taken by differences."""
    m_c, m_u, c_c, c_u, weight = case
    tilted = np.exp((1 + weight) * log_normal(GRID, m_c, c_c) - weight * log_normal(GRID, m_u, c_u))
    at = np.array([-0.01, 0.0, 0.01])
    kernel = np.exp(log_normal(at[:, None], np.sqrt(level) * GRID[None, :], 1 - level))
    logs = np.log(kernel @ tilted)
    precision = -(logs[0] - 2 * logs[1] + logs[2]) / 0.01**2
    guided = guidance.guided_precision.numpy(abar_t, var_c, var_u, w)(level, c_c, c_u, weight)
    gap = guidance.precision_gap.numpy(abar_t, var_c, var_u, w)(level, c_c, c_u, weight)
    assert guided - precision == pytest.approx(gap, rel=1e-6, abs=1e-7)
    assert gap > 0


def solved(rates, start):
    """From noise of variance MUCH down to none, in the logarithm of 1 + v."""

    def slope(u, y):
        return rates(np.expm1(u), y) * np.exp(u)

    return solve_ivp(slope, (np.log1p(MUCH), 0.0), start, rtol=1e-10, atol=1e-12, method="LSODA").y[:, -1]


@pytest.mark.parametrize("case", CASES)
def test_where_the_guided_probability_flow_ends(case):
    """Two paths, one deviation apart at the start, are one deviation apart at the end."""
    _, _, c_c, c_u, weight = case
    ends = solved(lambda v, x: -guided_score(x, v, case) / 2, [0.0, np.sqrt(MUCH)])
    assert (ends[1] - ends[0]) ** 2 == pytest.approx(guidance.ode_variance.numpy(var_c, var_u, w)(c_c, c_u, weight), rel=1e-5)


def test_where_the_mean_of_the_guided_flow_ends_at_scale_three():
    case = (-1.0, 0.4, 0.2, 1.5, 2.0)
    (end,) = solved(lambda v, x: -guided_score(x, v, case) / 2, [0.0])
    assert end == pytest.approx(-1.0 + 2 * 0.2 / 1.5 * (-1.0 - 0.4), abs=1e-3)  # the start is forgotten as V^(-1/2)


@pytest.mark.parametrize("case", CASES)
def test_where_the_guided_reverse_sde_ends(case):
    _, _, c_c, c_u, weight = case

    def rates(v, y):
        mean, variance = y
        steep = guided_score(0.0, v, case) - guided_score(1.0, v, case)
        return np.array([-guided_score(mean, v, case), 2 * steep * variance - 1])

    mean, variance = solved(rates, [0.0, MUCH])
    assert variance == pytest.approx(guidance.sde_variance.numpy(var_c, var_u, w)(c_c, c_u, weight), rel=1e-5)
    assert mean == pytest.approx(guidance.sde_mean.numpy(mean_c, mean_u, var_c, var_u, w)(*case), abs=1e-5)


def test_the_reverse_sde_by_many_small_steps_has_these_moments():
    """The Euler chain itself, moments without a draw: what the rates above are the limit of."""
    case = (-1.0, 0.4, 0.2, 1.5, 2.0)
    ends = []
    for steps in (4000, 8000):
        mean, variance = 0.0, 1e4
        levels = np.expm1(np.linspace(np.log1p(1e4), 0.0, steps + 1))
        for v, after in pairwise(levels):
            h = v - after
            steep = guided_score(0.0, v, case) - guided_score(1.0, v, case)
            mean, variance = mean + h * guided_score(mean, v, case), (1 - h * steep) ** 2 * variance + h
        ends.append((mean, variance))
    mean, variance = (2 * fine - coarse for coarse, fine in zip(*ends, strict=True))  # Richardson: the error is of first order
    assert variance == pytest.approx(guidance.sde_variance.numpy(var_c, var_u, w)(0.2, 1.5, 2.0), rel=1e-3)
    assert mean == pytest.approx(guidance.sde_mean.numpy(mean_c, mean_u, var_c, var_u, w)(*case), rel=1e-3)


def test_the_published_example():
    """Bradley & Nakkiran's example: N(0, 1) with the label, N(0, 2) without; their gamma is 1 + w."""
    for gamma in (1.5, 3.0, 5.0):
        values = 1.0, 2.0, gamma - 1
        assert guidance.ode_variance.numpy(var_c, var_u, w)(*values) == pytest.approx(2 ** (1 - gamma))
        assert guidance.sde_variance.numpy(var_c, var_u, w)(*values) == pytest.approx((2 - 2 ** (2 - 2 * gamma)) / (2 * gamma - 1))
        assert guidance.tilted_variance.numpy(var_c, var_u, w)(*values) == pytest.approx(2 / (gamma + 1))


@pytest.mark.parametrize("level", [0.99, 0.5, 0.01])
def test_guided_noise_is_the_conditional_noise_for_an_exact_classifier(level):
    """Two classes of Gaussian data: unconditional noise and a classifier's gradient, by differences, give the class's noise."""
    means, variances, weights = np.array([-1.0, 0.8]), np.array([0.3, 1.2]), np.array([0.4, 0.6])
    spread = level * variances + 1 - level

    def log_classes(x):
        return np.log(weights) + log_normal(x, np.sqrt(level) * means, spread)

    def total(x):
        return np.logaddexp.reduce(log_classes(x))

    def slope(function, x, step=1e-5):
        return (function(x + step) - function(x - step)) / (2 * step)

    deviation = np.sqrt(1 - level)
    for x in (-1.7, 0.0, 2.3):
        without = -deviation * slope(total, x)
        with_label = -deviation * slope(lambda at: log_classes(at)[0], x)
        classifier = slope(lambda at: log_classes(at)[0] - total(at), x)
        assert guidance.eps_by_classifier.numpy(abar_t, eps, gradient)(level, without, classifier) == pytest.approx(
            with_label, abs=1e-7
        )
        assert guidance.implicit_gradient.numpy(abar_t, eps_c, eps_u)(level, with_label, without) == pytest.approx(
            classifier, abs=1e-5
        )


def test_a_guided_step_in_two_dimensions():
    """The product of a step and a log-linear classifier, on a grid: mean mu + Sigma g and covariance Sigma."""
    covariance, mu, g = np.array([[0.5, 0.2], [0.2, 0.3]]), np.array([0.1, -0.4]), np.array([0.9, -1.3])
    axis = np.linspace(-6.0, 6.0, 401)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1) - mu
    density = np.exp(-np.einsum("...i,ij,...j", points, np.linalg.inv(covariance), points) / 2 + points @ g)
    density /= density.sum()
    mean = np.einsum("ab,abi->i", density, points)
    found = np.einsum("ab,abi,abj->ij", density, points - mean, points - mean)
    assert mean == pytest.approx(covariance @ g, abs=1e-9)
    assert found == pytest.approx(covariance, abs=1e-9)
