"""The chains as NumPyro models: one joint law told from either end, and inference that finds the stated posterior."""

from __future__ import annotations

from math import ceil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro import handlers
from numpyro.diagnostics import effective_sample_size
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


def test_the_chains_draw_what_they_return():
    for model, end in ((forward_chain, "x_4"), (reverse_chain, "x_0")):
        trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace(CASES["full"].law, ABAR)
        assert list(trace) == [f"x_{k}" for k in (range(5) if end == "x_4" else reversed(range(5)))]
        assert all(site["value"].shape == (2,) for site in trace.values())
    trace = handlers.trace(handlers.seed(reverse_scan, jax.random.key(0))).get_trace(CASES["full"].law, ABAR)
    assert trace["x"]["value"].shape == (4, 2)


# -- NUTS ---------------------------------------------------------------------------------------------------------------------
#
# Draws of a Markov chain are correlated. The mean of n of them has the variance of one over the effective sample size, so a
# mean is compared at the scale sqrt(n / ESS). Of a variance every k-th draw is kept, k = 2 n / ESS, after which what is left of
# the correlation is small beside the resolution. Rates: 1e-6 for each comparison, both ways; an ESS that is off by 10 %
# changes the quantile 4.9 to 4.6 and the rate to 4e-6.

RATES = ErrorRates(false_alarm=1e-6, miss=1e-6)
X_T, LEVEL = np.array([4.0, -3.0]), 0.5


def judged(u):
    """What becomes of (chain, draw, coordinate) draws that should be standard normal: their means, and their variances."""
    decisions = []
    for v in np.moveaxis(np.asarray(u), -1, 0):
        n, ess, ess_square = v.size, float(effective_sample_size(v)), float(effective_sample_size(v**2))
        decisions.append(compare_mean(v, 0.0, np.sqrt(n / min(n, ess)), 0.3, RATES).decision)
        thinned = v[:, :: ceil(2 * n / min(ess, ess_square))]
        decisions.append(compare_variance(thinned, 1.0, 0.5, RATES).decision)
    return decisions


def inferred(model, given, *arguments):
    """NUTS: (chain, draw, coordinate) of the site that is left."""
    with jax.numpy_rank_promotion("allow"):  # NumPyro's own code promotes ranks
        kernel = NUTS(handlers.condition(model, given))
        mcmc = MCMC(kernel, num_warmup=300, num_samples=1500, num_chains=4, chain_method="vectorized", progress_bar=False)
        mcmc.run(jax.random.key(7), *arguments)
    (site,) = mcmc.get_samples(group_by_chain=True).values()
    return np.asarray(site)


@pytest.fixture(scope="module")
def draws():
    return inferred(noised, {"x_t": jnp.asarray(X_T)}, CASES["full"].law, LEVEL)


def whitened(x, mean, covariance):
    return np.einsum("ij,...j->...i", np.linalg.inv(np.linalg.cholesky(covariance)), x - np.asarray(mean))


def test_inference_finds_the_stated_posterior(draws):
    given = CASES["full"].law.posterior(X_T, LEVEL)
    assert set(judged(whitened(draws, given.loc, given.covariance))) == {Decision.EQUAL}


SLIPS = {
    "abar for its root in the gain": lambda m, C, a: (
        m + C @ np.linalg.inv(a * C + (1 - a) * np.eye(2)) @ (X_T - np.sqrt(a) * m) * a,
        None,
    ),
    "the prior's covariance": lambda m, C, a: (None, C),
    "the likelihood's covariance": lambda m, C, a: (None, (1 - a) / a * np.eye(2)),
    "x_t for the mean": lambda m, C, a: (X_T, None),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_inference_refutes_another_posterior(draws, slip):
    law = CASES["full"].law
    given = law.posterior(X_T, LEVEL)
    mean, covariance = SLIPS[slip](np.asarray(law.loc), np.asarray(law.covariance), LEVEL)
    found = judged(whitened(draws, given.loc if mean is None else mean, given.covariance if covariance is None else covariance))
    assert Decision.DIFFERENT in found


def test_inference_between_two_ends_of_a_chain_finds_the_bridge():
    """x_1 given x_0 and x_2: the posterior of DDPM, with Ho et al. 2020, eqs. 6 and 7, written out."""
    abar, x_0, x_2 = np.array([0.3, 0.7, 1.0]), np.array([1.0, -1.0]), np.array([0.2, 0.9])
    t, s = abar[:2]
    beta = 1 - t / s
    mean = np.sqrt(s) * beta / (1 - t) * x_0 + np.sqrt(t / s) * (1 - s) / (1 - t) * x_2
    x_1 = inferred(forward_chain, {"x_0": jnp.asarray(x_0), "x_2": jnp.asarray(x_2)}, CASES["full"].law, abar)
    u = (x_1 - mean) / np.sqrt((1 - s) / (1 - t) * beta)
    assert set(judged(u)) == {Decision.EQUAL}
    assert Decision.DIFFERENT in judged(u * np.sqrt((1 - s) / (1 - t)))  # beta in place of beta-tilde
