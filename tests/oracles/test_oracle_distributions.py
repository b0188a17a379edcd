"""Oracles are NumPyro distributions: shapes, batches, pytrees, transformations, draws, and densities that integrate to one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.distributions.batch_util import promote_batch_shape, vmap_over
from oracle_laws import CASES
from scipy.special import log_ndtr, ndtri_exp

from verifydiff.oracles import DiagonalGaussian, FullGaussian, GaussianField, GaussianMixture, LowRankGaussian
from verifydiff.statistics import ErrorRates, kolmogorov_smirnov, unit_variance, zero_mean

KEY = jax.random.key(5)
RATE = ErrorRates(false_alarm=1e-9)
C = np.array([[1.0, 0.3], [0.3, 0.5]])
BATCHED = {
    "diagonal": lambda: DiagonalGaussian(jnp.zeros((3, 1, 2)), jnp.ones((4, 2))),
    "full": lambda: FullGaussian(jnp.zeros((3, 1, 2)), jnp.asarray(C * np.arange(1.0, 5)[:, None, None])),
    "full, one covariance": lambda: FullGaussian(jnp.ones((3, 4, 2)), jnp.asarray(C)),
    "low rank": lambda: LowRankGaussian(jnp.zeros((3, 1, 2)), jnp.ones((2, 1)), jnp.ones((4, 2))),
    "field": lambda: GaussianField(jnp.zeros((3, 1, 2)), jnp.ones((4, 2)), grid_dim=1),
    "mixture": lambda: GaussianMixture(jnp.full((3, 1, 5), 0.2), FullGaussian(jnp.zeros((4, 5, 2)), jnp.asarray(C))),
}


@pytest.mark.parametrize("name", BATCHED)
def test_shapes_follow_batch_and_event(name):
    law = BATCHED[name]()
    assert isinstance(law, dist.Distribution)
    assert (law.batch_shape, law.event_shape, law.event_dim) == ((3, 4), (2,), 1)
    shapes = jax.eval_shape(lambda law: answers(law, law.sample(KEY, (6,)), jnp.full((6, 1, 1), 0.5)), law)  # compiles nothing
    assert shapes["x"].shape == shapes["score"].shape == shapes["x0"].shape == law.shape((6,)) == (6, 3, 4, 2)
    assert shapes["density"].shape == (6, 3, 4)
    assert shapes["mean"].shape == shapes["variance"].shape == (3, 4, 2)
    assert shapes["covariance"].shape == (3, 4, 2, 2)
    assert shapes["posterior"].batch_shape == shapes["diffused"].batch_shape == (6, 3, 4)
    assert shapes["loss"].value.shape == shapes["loss"].standard_error.shape == (3, 4)


def answers(law, x, abar):
    return {
        "x": x,
        "density": law.log_prob(x),
        "mean": law.mean,
        "variance": law.variance,
        "covariance": law.covariance_matrix,
        "score": law.score(x, abar),
        "x0": law.denoise(x, 0.5),
        "posterior": law.posterior(x, abar),
        "diffused": law.diffused(abar),
        "loss": law.bayes_loss(jnp.full((4,), 0.5)),
    }


@pytest.mark.parametrize("name", ["full", "low rank", "mixture"])
def test_an_entry_of_a_batch_is_the_law_by_itself(name):
    law = BATCHED[name]()
    x = jnp.broadcast_to(jnp.array([0.4, -0.2]), (3, 4, 2))
    one = jax.vmap(jax.vmap(lambda m, cov, x: FullGaussian(m, cov).score(x, 0.3)))(law.mean, law.covariance_matrix, x)
    np.testing.assert_allclose(law.score(x, 0.3), one, rtol=1e-12)  # the components of the mixture are all the same


def test_a_law_expands_to_one_of_its_kind():
    law = CASES["mixture of full"].law
    large = law.expand((4, 3))
    assert type(large) is GaussianMixture
    assert (large.batch_shape, large.sample(KEY).shape) == ((4, 3), (4, 3, 2))
    draws = large.sample(KEY).reshape(-1, 2)
    assert len(np.unique(draws, axis=0)) == 12  # each entry is drawn by itself
    assert law.expand_by((2,)).batch_shape == (2,)
    with pytest.raises(ValueError, match=r"batch shape \(4, 3\) does not expand to \(1, 3\)"):
        large.expand((1, 3))
    with pytest.raises(ValueError, match="do not broadcast"):
        large.expand((5,))


@pytest.mark.parametrize("name", ["low rank", "field", "mixture of full"])
def test_a_law_survives_being_taken_apart(name):
    law = CASES[name].law
    leaves, tree = jax.tree.flatten(law)
    again = jax.tree.unflatten(tree, leaves)
    x = jnp.ones((3, 2))
    np.testing.assert_array_equal(law.log_prob(x), again.log_prob(x))
    assert jax.tree.structure(law) == jax.tree.structure(again)
    through = jax.jit(lambda law: law.diffused(0.5))(law)
    np.testing.assert_allclose(through.log_prob(x), law.diffused(0.5).log_prob(x), rtol=1e-14)


def test_laws_are_made_inside_jit_vmap_and_grad():
    m, v = jnp.ones((5, 2)), jnp.full((5, 2), 0.5)
    x = jnp.zeros((5, 2))
    by_hand = DiagonalGaussian(m, v).log_prob(x)
    np.testing.assert_allclose(jax.vmap(lambda m, v, x: DiagonalGaussian(m, v).log_prob(x))(m, v, x), by_hand)
    np.testing.assert_allclose(jax.jit(lambda m, v: DiagonalGaussian(m, v).log_prob(x))(m, v), by_hand)
    slope = jax.grad(lambda m: DiagonalGaussian(m, v[0]).log_prob(x[0]))(m[0])
    np.testing.assert_allclose(slope, DiagonalGaussian(m, v).score(x, 1.0)[0] * -1)
    over = vmap_over(DiagonalGaussian(m, v), loc=0, spectrum=0)
    np.testing.assert_allclose(jax.vmap(lambda law, x: law.log_prob(x), in_axes=(over, 0))(DiagonalGaussian(m, v), x), by_hand)


@pytest.mark.parametrize("name", ["full", "field", "mixture of full"])
def test_a_stack_of_laws_is_promoted_to_a_batch(name):
    law = CASES[name].law
    stacked = promote_batch_shape(jax.vmap(law.diffused)(jnp.array([0.2, 0.5, 0.9])))
    assert stacked.batch_shape == (3,)
    x = jnp.ones((3, 2))
    np.testing.assert_allclose(stacked.log_prob(x), law.diffused(jnp.array([0.2, 0.5, 0.9])).log_prob(x), rtol=1e-13)


def test_a_law_is_a_site_of_a_model_and_goes_into_plates():
    law = CASES["mixture of full"].law

    def model():
        with numpyro.plate("n", 7):
            return numpyro.sample("x", law)

    site = handlers.trace(handlers.seed(model, KEY)).get_trace()["x"]
    assert site["value"].shape == (7, 2)
    assert site["fn"].log_prob(site["value"]).shape == (7,)


@pytest.mark.parametrize("name", ["diagonal", "full", "low rank", "mixture of field"])
def test_the_density_integrates_to_one(name):
    axis = np.arange(-9, 9, 0.15)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    np.testing.assert_allclose(np.exp(CASES[name].law.log_prob(grid)).sum() * 0.15**2, 1, rtol=1e-9)


def test_the_density_integrates_to_one_in_one_dimension():
    law = GaussianMixture.isotropic(jnp.array([0.3, 0.7]), jnp.array([[-1.0], [2.0]]), jnp.array([0.1, 0.6]))
    axis = np.arange(-9, 9, 0.02)[:, None]
    for abar in (0.0, 0.4, 1.0):
        np.testing.assert_allclose(np.exp(law.diffused(abar).log_prob(axis)).sum() * 0.02, 1, rtol=1e-12)


# -- draws, at declared rates ---------------------------------------------------------------------------------------------------


def evidence(u):
    """Of pairs that should be independent standard normal: mean and variance of each, of their sum and difference, and the law."""
    turned = np.stack([u[:, 0] + u[:, 1], u[:, 0] - u[:, 1]], axis=1) / np.sqrt(2)
    return [test(v, axis=1) for v in (u, turned) for test in (zero_mean, unit_variance)] + [kolmogorov_smirnov(u)]


@pytest.mark.parametrize("name", ["full", "low rank", "field", "mixture of diagonal", "mixture of low rank"])
def test_noised_draws_have_the_diffused_law(name):
    case, abar, n = CASES[name], 0.4, 20_000
    first, second = jax.random.split(KEY)
    x_0 = np.asarray(case.law.sample(first, (n,)))
    x_t = np.sqrt(abar) * x_0 + np.sqrt(1 - abar) * np.asarray(jax.random.normal(second, x_0.shape))
    found = evidence(gaussianised(case, abar, x_t))
    assert all(not one.rejects(RATE.shared_among(len(found)).false_alarm) for one in found)


@pytest.mark.parametrize("abar", [0.36, 0.44])
def test_draws_of_another_level_are_told_apart(abar):
    case = CASES["full"]
    x_t = np.asarray(case.law.diffused(abar).sample(KEY, (100_000,)))
    found = evidence(gaussianised(case, 0.4, x_t))
    assert any(one.rejects(RATE.shared_among(len(found)).false_alarm) for one in found)


def gaussianised(case, abar, x):
    """Standard normal coordinates if x has SciPy's law of x_t: by its cdf and its conditional cdf (Rosenblatt 1952)."""
    laws = case.components(abar)
    means, covariances = np.stack([law.mean for law in laws]), np.stack([law.cov for law in laws])
    s = np.sqrt(covariances[:, 0, 0])
    z = (x[:, :1] - means[:, 0]) / s
    first = log_mixture(np.log(case.weights) + log_ndtr(z))
    weights = np.log(case.weights) - z**2 / 2 - np.log(s)
    slope = covariances[:, 0, 1] / covariances[:, 0, 0]
    rest = np.sqrt(covariances[:, 1, 1] - slope * covariances[:, 0, 1])
    z2 = (x[:, 1:] - means[:, 1] - slope * (x[:, :1] - means[:, 0])) / rest
    second = log_mixture(weights - log_mixture(weights)[:, None] + log_ndtr(z2))
    return np.stack([ndtri_exp(np.minimum(first, -1e-300)), ndtri_exp(np.minimum(second, -1e-300))], axis=1)


def log_mixture(terms):
    return np.logaddexp.reduce(terms, axis=1)
