"""The bound and the best variance by a route that shares nothing with the engine: quadrature on a grid, for data of two points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from verifydiff.forms import bound, divergence, variance
from verifydiff.forms.bound import eps_hat, step_variance, x0_hat
from verifydiff.forms.divergence import dimension, distance, log_det, mahalanobis, mean_p, mean_q, trace, var_p, var_q
from verifydiff.forms.quantities import abar_s, abar_t, data_variance, eps, sigma_t, x_0
from verifydiff.forms.variance import score_norm, spread

LETTERS = (abar_s, abar_t, data_variance, eps, sigma_t, x_0, eps_hat, step_variance, x0_hat, score_norm, spread)
LETTERS += (mean_p, mean_q, var_p, var_q, dimension, distance, log_det, mahalanobis, trace)
LEVELS = [(0.8, 0.5), (0.999, 0.99), (0.3, 0.01)]
LINE = np.linspace(-14.0, 14.0, 40_001)
POINTS, MASSES = np.array([-1.5, 0.5]), np.array([0.3, 0.7])


def value(form, **letters):
    """The form at numbers, by name of its letters."""
    names = {one.name: one for one in LETTERS}
    return float(form.numpy(*(names[name] for name in letters))(*letters.values()))


def integral(values):
    return float(np.sum(values) * (LINE[1] - LINE[0]))


def posterior_of_the_data(level):
    """p_t on the grid, and the mean and the variance of x_0 given x_t there."""
    joint = MASSES[:, None] * norm.pdf(LINE, np.sqrt(level) * POINTS[:, None], np.sqrt(1 - level))
    density = joint.sum(0)
    safe = np.maximum(density, 1e-300)
    mean = (POINTS[:, None] * joint).sum(0) / safe
    return density, mean, ((POINTS[:, None] - mean) ** 2 * joint).sum(0) / safe


def step_of(a, b):
    """Coefficients and variance of q(x_s | x_t, x_0), from the joint covariance of x_s and x_t given x_0."""
    gain = np.sqrt(b / a) * (1 - a) / (1 - b)
    return np.sqrt(a) - gain * np.sqrt(b), gain, (1 - a) - gain * np.sqrt(b / a) * (1 - a)


def test_the_divergence_of_two_gaussians_by_quadrature():
    for m_q, v_q, m_p, v_p in ((0.3, 0.5, -1.0, 2.0), (2.0, 3.0, 2.0, 0.7)):
        q, p = norm(m_q, np.sqrt(v_q)), norm(m_p, np.sqrt(v_p))
        exact = quad(lambda x, q=q, p=p: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), m_q - 12 * np.sqrt(v_q), m_q + 12 * np.sqrt(v_q))[
            0
        ]
        assert value(divergence.gaussian, mean_q=m_q, var_q=v_q, mean_p=m_p, var_p=v_p) == pytest.approx(exact, abs=1e-9)


def test_the_divergence_of_gaussians_with_any_covariances_by_matrices():
    rng = np.random.default_rng(3)
    a, b, gap = rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)
    q, p = a @ a.T + np.eye(4), b @ b.T + np.eye(4)
    exact = (
        np.trace(np.linalg.solve(p, q)) - 4 + gap @ np.linalg.solve(p, gap) + np.linalg.slogdet(p)[1] - np.linalg.slogdet(q)[1]
    ) / 2
    whitening = np.linalg.inv(np.linalg.cholesky(p))
    eigenvalues = np.linalg.eigvalsh(whitening @ q @ whitening.T)
    found = value(
        divergence.general,
        trace=eigenvalues.sum(),
        log_det=np.log(eigenvalues).sum(),
        mahalanobis=gap @ np.linalg.solve(p, gap),
        dimension=4.0,
    )
    assert found == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(("a", "b"), LEVELS)
def test_a_term_of_the_bound_by_quadrature(a, b):
    k, m, small = step_of(a, b)
    x0, noise, guess, model = 0.7, -0.4, 0.3, 1.7 * small
    x = np.sqrt(b) * x0 + np.sqrt(1 - b) * noise
    implied = (x - np.sqrt(1 - b) * guess) / np.sqrt(b)
    q, p = norm(k * x0 + m * x, np.sqrt(small)), norm(k * implied + m * x, np.sqrt(model))
    width = 10 * np.sqrt(small)
    exact = quad(lambda y: q.pdf(y) * (q.logpdf(y) - p.logpdf(y)), q.mean() - width, q.mean() + width)[0]
    weight = value(bound.eps_weight, abar_s=a, abar_t=b, step_variance=model)
    constant = value(bound.step_constant, abar_s=a, abar_t=b, step_variance=model)
    assert constant + weight * (noise - guess) ** 2 == pytest.approx(exact, rel=1e-7)
    in_data = value(bound.x0_step_weight, abar_s=a, abar_t=b, step_variance=small)
    assert in_data == pytest.approx(value(bound.x0_snr_weight, abar_s=a, abar_t=b), rel=1e-9)


@pytest.mark.parametrize(("a", "b"), LEVELS)
def test_the_best_variance_is_that_of_the_step_by_quadrature(a, b):
    """The mean over x_t of Var[x_s | x_t], by brute force, and the same by the score and by the spread of the data."""
    k, _, small = step_of(a, b)
    density, mean, spread_at = posterior_of_the_data(b)
    exact = integral(density * (small + k**2 * spread_at))
    average, squared = integral(density * spread_at), integral(density * ((LINE - np.sqrt(b) * mean) / (1 - b)) ** 2)
    assert integral(density) == pytest.approx(1, rel=1e-10)
    assert value(variance.optimal, abar_s=a, abar_t=b, spread=average) == pytest.approx(exact, rel=1e-9)
    assert value(variance.spread_by_score, abar_t=b, score_norm=squared) == pytest.approx(average, rel=1e-6)
    assert value(variance.analytic_ddpm, abar_s=a, abar_t=b, score_norm=squared) == pytest.approx(exact, rel=1e-6)
    assert value(variance.analytic, abar_s=a, abar_t=b, sigma_t=np.sqrt(small), score_norm=squared) == pytest.approx(
        exact, rel=1e-6
    )
    data = float(MASSES @ (POINTS - MASSES @ POINTS) ** 2)
    assert small * (1 - 1e-12) <= exact < value(variance.gaussian_data, abar_s=a, abar_t=b, data_variance=data)
    assert average < value(variance.linear_spread, abar_t=b, data_variance=data)


def test_the_spread_of_the_data_grows_with_the_noise():
    spreads = [integral(density * at) for density, _, at in map(posterior_of_the_data, (0.99, 0.9, 0.5, 0.1, 0.01))]
    assert spreads == sorted(spreads)


def test_the_whole_bound_is_minus_the_likelihood_for_the_exact_model():
    """Gaussian data of variance c and the exact reverse steps: all terms, averaged over q(x_0), make up the entropy of the data.

    The average term is that of eps_weight at the average squared error of the mean, plus its constant.
    """
    c, levels = 0.6, np.array([1.0, 0.9, 0.5, 0.1])
    total = (levels[-1] * (c - 1) - np.log(1 - levels[-1])) / 2  # L_T against the standard normal law
    total += _divergence_of_the_start(c, levels[-1])
    for a, b in pairwise(levels):
        model = value(variance.gaussian_data, abar_s=a, abar_t=b, data_variance=c)
        error = value(variance.linear_spread, abar_t=b, data_variance=c)
        if a == 1:  # L_0: minus the log-likelihood of the last step
            total += value(bound.first_term, x_0=0.0, x0_hat=np.sqrt(error), step_variance=model)
        else:
            noise_error = error * b / (1 - b)
            total += value(bound.step_constant, abar_s=a, abar_t=b, step_variance=model)
            total += value(bound.eps_weight, abar_s=a, abar_t=b, step_variance=model) * noise_error
    assert total == pytest.approx(0.5 * np.log(2 * np.pi * np.e * c), rel=1e-12)


def _divergence_of_the_start(c, level):
    """What starting from the marginal at T in place of a standard normal law takes off the bound."""
    v = level * c + 1 - level
    return -(v - 1 - np.log(v)) / 2
