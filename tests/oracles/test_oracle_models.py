"""The chains as NumPyro models: one joint law told from either end, and inference that finds the stated posterior."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro import handlers
from numpyro.infer import MCMC, NUTS
from numpyro.infer.util import log_density
from oracle_laws import CASES
from scipy.stats import multivariate_normal

from verifydiff.oracles import forward_chain, forward_scan, noised, reverse_chain, reverse_scan
from verifydiff.statistics import ErrorRates, compare_mean, compare_variance
from verifydiff.statistics.decision import Decision

ABAR = np.array([0.0, 0.2, 0.6, 0.9, 1.0])
PATH = np.array([[0.3, -0.8], [-1.7, 0.6], [2.0, 2.2], [0.1, 0.4], [-0.5, 1.0]])  # x_0, ..., x_4


def by_hand(case, path):
    """log p(x_0) + sum log q(x_k | x_{k-1}), by SciPy."""
    total = np.log(case.density(path[0]))
    for s, t, x_s, x_t in zip(ABAR[:0:-1], ABAR[-2::-1], path[:-1], path[1:], strict=True):
        total += multivariate_normal(np.sqrt(t / s) * x_s, (1 - t / s) * np.eye(2)).logpdf(x_t)
    return total


@pytest.mark.parametrize("name", ["low rank", "field", "mixture of full"])
def test_the_chain_has_one_density_from_either_end(name):
    case = CASES[name]
    right = by_hand(case, PATH)
    sites = {f"x_{k}": x for k, x in enumerate(jnp.asarray(PATH))}
    scanned = {"x_0": jnp.asarray(PATH[0]), "x": jnp.asarray(PATH[1:])}
    scanned_back = {"x_S": jnp.asarray(PATH[-1]), "x": jnp.asarray(PATH[-2::-1])}
    told = [(forward_chain, sites), (reverse_chain, sites), (forward_scan, scanned), (reverse_scan, scanned_back)]
    for model, values in told:
        np.testing.assert_allclose(log_density(model, (case.law, ABAR), {}, values)[0], right, rtol=1e-12)


def test_a_chain_with_a_level_off_by_one_has_another_density():
    case, wrong = CASES["full"], np.array([0.0, 0.2, 0.61, 0.9, 1.0])
    sites = {f"x_{k}": x for k, x in enumerate(jnp.asarray(PATH))}
    for model in (forward_chain, reverse_chain):
        assert abs(log_density(model, (case.law, wrong), {}, sites)[0] - by_hand(case, PATH)) > 1e-3


def test_noised_data_have_the_density_of_prior_and_noise():
    case, x_0, x_t = CASES["low rank"], PATH[0], PATH[1]
    right = np.log(case.density(x_0)) + multivariate_normal(np.sqrt(0.3) * x_0, 0.7 * np.eye(2)).logpdf(x_t)
    found = log_density(noised, (case.law, 0.3), {}, {"x_0": jnp.asarray(x_0), "x_t": jnp.asarray(x_t)})[0]
    np.testing.assert_allclose(found, right, rtol=1e-12)


def test_the_chains_draw_what_they_return():
    for model, end in ((forward_chain, "x_4"), (reverse_chain, "x_0")):
        trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace(CASES["full"].law, ABAR)
        assert list(trace) == [f"x_{k}" for k in (range(5) if end == "x_4" else reversed(range(5)))]
        assert all(site["value"].shape == (2,) for site in trace.values())
    trace = handlers.trace(handlers.seed(reverse_scan, jax.random.key(0))).get_trace(CASES["full"].law, ABAR)
    assert trace["x"]["value"].shape == (4, 2)


# -- NUTS ---------------------------------------------------------------------------------------------------------------------
#
# Draws of one Markov chain are correlated, and their effective sample size is an estimate, which leaves the rates of a test
# nominal. So there are many short chains, of each of which the last draw alone is kept: independent draws, one of effective sample
# size a chain, and the tests are exact. What a chain has not forgotten of its start after 60 steps would show as a difference.

RATES = ErrorRates(false_alarm=1e-6, miss=1e-6)
CHAINS, STEPS = 2048, 60
LEVELS, X_T = np.array([0.4, 0.7, 1.0]), np.array([4.0, -3.0])
T, S = LEVELS[:2]
BETA = 1 - T / S


@pytest.fixture(scope="module")
def draws():
    """NUTS on x_0 and x_1, given x_2: the last draw of every chain, (chain, coordinate) each."""
    with jax.numpy_rank_promotion("allow"):  # NumPyro's own code promotes ranks
        kernel = NUTS(handlers.condition(forward_chain, {"x_2": jnp.asarray(X_T)}), max_tree_depth=5)
        mcmc = MCMC(kernel, num_warmup=STEPS, num_samples=1, num_chains=CHAINS, chain_method="vectorized", progress_bar=False)
        mcmc.run(jax.random.key(7), CASES["full"].law, LEVELS)
    return {name: np.asarray(x)[:, -1] for name, x in mcmc.get_samples(group_by_chain=True).items()}


def judged(u):
    """What becomes of (chain, coordinate) draws that should be standard normal: their means, and their variances."""
    means = {compare_mean(v, 0.0, 1.0, 0.22, RATES).decision for v in u.T}
    return means | {compare_variance(v, 1.0, 0.36, RATES).decision for v in u.T}


def whitened(x, mean, covariance):
    return np.einsum("ij,kj->ki", np.linalg.inv(np.linalg.cholesky(covariance)), x - np.asarray(mean))


def test_inference_of_the_data_finds_the_stated_posterior(draws):
    given = CASES["full"].law.posterior(X_T, T)
    assert judged(whitened(draws["x_0"], given.loc, given.covariance)) == {Decision.EQUAL}


SLIPS = {
    "abar for its root in the gain": lambda m, C, a: (
        m + a * C @ np.linalg.inv(a * C + (1 - a) * np.eye(2)) @ (X_T - np.sqrt(a) * m),
        None,
    ),
    "the prior's covariance": lambda m, C, a: (None, C),
    "the likelihood's covariance": lambda m, C, a: (None, (1 - a) / a * np.eye(2)),
    "x_t for the mean": lambda m, C, a: (X_T, None),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_inference_of_the_data_refutes_another_posterior(draws, slip):
    law = CASES["full"].law
    given = law.posterior(X_T, T)
    mean, covariance = SLIPS[slip](np.asarray(law.loc), np.asarray(law.covariance), T)
    u = whitened(draws["x_0"], given.loc if mean is None else mean, given.covariance if covariance is None else covariance)
    assert Decision.DIFFERENT in judged(u)


def test_inference_between_the_ends_finds_the_posterior_of_ddpm(draws):
    """x_1 given x_0 and x_2 is N(mu, beta-tilde), Ho et al. 2020, eqs. 6 and 7, whatever x_0 is."""
    mean = np.sqrt(S) * BETA / (1 - T) * draws["x_0"] + np.sqrt(T / S) * (1 - S) / (1 - T) * X_T
    u = (draws["x_1"] - mean) / np.sqrt((1 - S) / (1 - T) * BETA)
    assert judged(u) == {Decision.EQUAL}
    assert Decision.DIFFERENT in judged(u * np.sqrt((1 - S) / (1 - T)))  # beta in place of beta-tilde
    assert Decision.DIFFERENT in judged(u + 0.5)
