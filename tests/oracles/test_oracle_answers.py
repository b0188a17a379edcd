"""Everything an oracle says of x_t, x_0 and the noise, by brute quadrature of Bayes' rule, and the mistakes that are caught so.

The truth is a sum over a fine grid of x_0, with densities by SciPy: no formula of the oracles has a part in it. For smooth
densities that vanish at the border the trapezoid rule converges faster than any power of the step.
"""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle_laws import CASES, GAUSSIANS, LABELS, MIXTURES
from scipy.stats import multivariate_normal

LEVELS = (0.0, 0.15, 0.6, 0.93)
STEP = 0.125
AXIS = np.arange(-10, 10, STEP)
GRID = np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), axis=-1).reshape(-1, 2)
POINTS = np.array([[0.3, -0.8], [-1.7, 0.6], [2.0, 2.2]])
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


@cache
def truth(name, abar):
    """What Bayes' rule says at the points: p(x_t), p(x_0 | x_t) on the grid, E[x_0 | x_t], E[eps | x_t], p(y | x_t)."""
    case = CASES[name]
    prior = case.density(GRID)
    joint = np.stack([prior * multivariate_normal(x, (1 - abar) * np.eye(2)).pdf(np.sqrt(abar) * GRID) for x in POINTS])
    marginal = joint.sum(axis=1) * STEP**2
    posterior = joint / marginal[:, None]
    x_hat = posterior @ GRID * STEP**2
    parts = np.stack([w * law.pdf(POINTS) for w, law in zip(case.weights, case.components(abar), strict=True)], axis=-1)
    labels = np.array(LABELS[: len(case.weights)])
    classes = np.stack([parts[:, labels == y].sum(axis=-1) for y in range(labels.max() + 1)], axis=-1) / marginal[:, None]
    return marginal, posterior, x_hat, (POINTS - np.sqrt(abar) * x_hat) / np.sqrt(1 - abar), classes


def everything(law, x, abar, grid):
    """All that a law says of x_t = x at a level, as a user asks it."""
    given = law.posterior(x, abar)
    answers = {
        "density": jnp.exp(law.diffused(abar).log_prob(x)),
        "x0": law.denoise(x, abar),
        "eps": law.eps(x, abar),
        "score": law.score(x, abar),
        "v": law.velocity(x, abar),
        "posterior density": jnp.exp(given.log_prob(grid[:, None])).T,
        "posterior mean": given.mean,
        "posterior covariance": given.covariance_matrix,
        "posterior variance": given.variance,
    }
    return answers | ({"classes": jnp.exp(law.class_posterior(x, abar))} if hasattr(law, "labels") else {})


at_once = jax.jit(everything)  # one compilation for a law, where a dozen take ten times as long
SOME = GRID[::97]


def judge(name, abar, **replaced):
    """Raises where an answer is not what Bayes' rule says; those of the law, but for the replaced ones."""
    said = at_once(CASES[name].law, POINTS, abar, SOME) | replaced
    marginal, posterior, x_hat, eps_hat, classes = truth(name, abar)
    spread = np.einsum("ng,ngi,ngj->nij", posterior, *[GRID - x_hat[:, None]] * 2) * STEP**2
    right = {
        "density": marginal,
        "x0": x_hat,
        "eps": eps_hat,
        "score": -eps_hat / np.sqrt(1 - abar),
        "v": np.sqrt(abar) * eps_hat - np.sqrt(1 - abar) * x_hat,
        "posterior density": posterior[:, ::97],
        "posterior mean": x_hat,
        "posterior covariance": spread,
        "posterior variance": np.diagonal(spread, axis1=1, axis2=2),
        "classes": classes,
    }
    assert said.keys() == right.keys() - (set() if name in MIXTURES else {"classes"})
    for question, answer in said.items():
        np.testing.assert_allclose(answer, right[question], **CLOSE, err_msg=question)


@pytest.mark.parametrize("abar", LEVELS)
@pytest.mark.parametrize("name", CASES)
def test_the_answers_are_those_of_bayes_rule(name, abar):
    judge(name, abar)


@pytest.mark.parametrize("name", CASES)
def test_the_moments_and_the_density_are_those_of_scipy(name):
    case = CASES[name]
    ask = jax.jit(lambda law: (law.log_prob(POINTS), law.mean, law.covariance_matrix, law.variance))
    log_density, mean, covariance, variance = ask(case.law)
    np.testing.assert_allclose(jnp.exp(log_density), case.density(POINTS), **CLOSE)
    right_mean = case.weights @ case.means
    spread = case.means - right_mean
    right = np.einsum("k,kij->ij", case.weights, case.covariances) + np.einsum("k,ki,kj->ij", case.weights, spread, spread)
    np.testing.assert_allclose(mean, right_mean, **CLOSE)
    np.testing.assert_allclose(covariance, right, **CLOSE)
    np.testing.assert_allclose(variance, np.diag(right), **CLOSE)


@pytest.mark.parametrize("name", CASES)
def test_the_score_is_the_gradient_of_the_density(name):
    law = CASES[name].law
    gradient = jax.jit(jax.vmap(jax.grad(lambda x, abar: law.diffused(abar).log_prob(x)), (0, None)))
    for abar in (*LEVELS, 1.0):
        by_hand = at_once(law, POINTS, abar, SOME)["score"]
        np.testing.assert_allclose(by_hand, gradient(jnp.asarray(POINTS), abar), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_ends_are_exact(name):
    law = CASES[name].law
    noise, data = (at_once(law, POINTS, abar, SOME) for abar in (0.0, 1.0))
    rounding = {"rtol": 4e-15, "atol": 1e-15}
    np.testing.assert_allclose(noise["eps"], POINTS, **rounding)
    np.testing.assert_allclose(noise["x0"], np.tile(CASES[name].weights @ CASES[name].means, (3, 1)), **rounding)
    np.testing.assert_array_equal(data["eps"], 0 * POINTS)
    np.testing.assert_allclose(data["x0"], POINTS, **rounding)
    np.testing.assert_allclose(data["density"], CASES[name].density(POINTS), rtol=1e-13)
    np.testing.assert_array_equal(data["posterior density"], 0)  # all mass on the point, which is none of these
    np.testing.assert_array_less(data["posterior variance"], 1e-28)


@pytest.mark.parametrize("name", ["low rank", "mixture of full"])
def test_single_precision_answers_to_single_precision_and_nothing_overflows(name):
    law = CASES[name].law
    single = jax.tree.map(lambda field: field.astype(jnp.float32), law)
    near, some = POINTS.astype(np.float32), SOME.astype(np.float32)
    for question, answer in at_once(single, near, 0.6, some).items():
        assert answer.dtype == jnp.float32
        np.testing.assert_allclose(answer, at_once(law, near.astype(float), 0.6, some)[question], rtol=5e-5, atol=5e-6)
    far = jnp.asarray([[1e3, -2e3], [-1e12, 1e12], [1e30, 1e29]], jnp.float32)
    for abar in (0.0, 1e-4, 0.5, 1.0):
        said = at_once(single, far, abar, some)
        assert all(jnp.isfinite(said[question]).all() for question in ("x0", "eps", "score", "v", "posterior mean"))


def test_far_away_the_widest_component_wins():
    law = MIXTURES["mixture of diagonal"].law
    there = jnp.array([0.0, 1e25])
    np.testing.assert_array_equal(jnp.exp(law.component_posterior(there, 1.0)), [1, 0, 0])  # variance 1.2 along the second


# -- the loss no model beats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
@pytest.mark.parametrize("name", GAUSSIANS)
def test_the_loss_of_gaussians_is_the_trace_of_the_posterior(name, kind):
    law, C, abar = GAUSSIANS[name].law, GAUSSIANS[name].covariances[0], 0.3
    unknown = np.linalg.inv(np.linalg.inv(C) + abar / (1 - abar) * np.eye(2))  # of x_0, by precisions
    scale = {"eps": abar / (1 - abar), "x0": 1, "v": 1 / (1 - abar)}[kind]
    value, error = law.bayes_loss(abar, kind)
    np.testing.assert_allclose(value, scale * np.trace(unknown) / 2, rtol=1e-12)
    assert error == 0
    ends = [[law.bayes_loss(abar, kind).value for kind in ("eps", "x0", "v")] for abar in (0.0, 1.0)]
    np.testing.assert_allclose(ends, [[0, np.trace(C) / 2, np.trace(C) / 2], [1, 0, 1]], atol=1e-15)


@pytest.mark.parametrize(("name", "kind"), [("mixture of full", "v"), ("mixture of low rank", "eps")])
def test_the_loss_of_mixtures_is_the_integral_of_the_variance(name, kind):
    case, abar = MIXTURES[name], 0.3
    grid = jnp.asarray(GRID[::3])  # a lattice too
    spread = jnp.sum(jax.jit(lambda x: case.law.posterior(x, abar).variance)(grid), axis=-1) / 2
    scale = {"eps": abar / (1 - abar), "x0": 1, "v": 1 / (1 - abar)}[kind]
    exact = scale * float(jnp.sum(case.density(np.asarray(grid), abar) * spread)) * 3 * STEP**2
    value, error = case.law.bayes_loss(abar, kind)
    assert 0 < error < 0.01 * exact
    assert abs(value - exact) < 6.5 * error  # false alarm 1e-10


# -- mutants ------------------------------------------------------------------------------------------------------------------


def diffused(law, a, loc=lambda m, a: np.sqrt(a) * m, spectrum=lambda v, a: a * v + 1 - a):
    return {"density": jnp.exp(law._law(loc(law.loc, a), spectrum(law.spectrum, a)).log_prob(POINTS))}


def posterior(law):
    return {"posterior density": jnp.exp(law.log_prob(SOME[:, None])).T}


def classes(law, components):
    """Posteriors of the classes from unnormalised ones of the components."""
    by_class = np.stack([components[:, 0], components[:, 1] + components[:, 2]], axis=-1)
    return {"classes": by_class / by_class.sum(axis=-1, keepdims=True)}


def averaged(law, weights, answers):
    return np.einsum("k,nki->ni", weights, answers) if np.ndim(weights) == 1 else np.einsum("nk,nki->ni", weights, answers)


def r(law, a):
    return np.exp(law.component_posterior(POINTS, a))


def white(law, a):
    return np.sum(np.asarray(law.components.diffused(a)._whitened(jnp.asarray(POINTS)[:, None])) ** 2, axis=-1)


def log_det(law, a):
    return np.asarray(law.components.diffused(a)._log_det)


W = np.array([0.2, 0.5, 0.3])
ROOT = np.sqrt
MUTANTS = {
    "abar without its root on the mean": lambda law, a: diffused(law, a, loc=lambda m, a: a * m),
    "variance as standard deviation": lambda law, a: diffused(law, a, spectrum=lambda v, a: a * v + ROOT(1 - a)),
    "standard deviation as variance": lambda law, a: diffused(law, a, spectrum=lambda v, a: a * ROOT(v) + 1 - a),
    "alpha for abar": lambda law, a: diffused(law, 0.99 * a),
    "the score without its sign": lambda law, a: {"score": -law.score(POINTS, a)},
    "the noise is the score": lambda law, a: {"eps": -law.score(POINTS, a)},
    "the noise with a lost root": lambda law, a: {"eps": -(1 - a) * law.score(POINTS, a)},
    "the data by x_t over sqrt(abar)": lambda law, a: {"x0": POINTS / ROOT(a)},
    "Tweedie with a root too many": lambda law, a: {"x0": (POINTS + ROOT(1 - a) * law.score(POINTS, a)) / ROOT(a)},
    "Tweedie with abar for its root": lambda law, a: {"x0": (POINTS + (1 - a) * law.score(POINTS, a)) / a},
    "v with its roots swapped": lambda law, a: {"v": ROOT(1 - a) * law.eps(POINTS, a) - ROOT(a) * law.denoise(POINTS, a)},
    "v with the other sign": lambda law, a: {"v": -law.velocity(POINTS, a)},
    "the posterior's variance of the noise": lambda law, a: {
        "posterior variance": np.tile(a * law.spectrum / (a * law.spectrum + 1 - a), (3, 1))
    },
    "the posterior is the prior": lambda law, a: posterior(law.expand((3,))),
}
OF_MIXTURES = {
    "prior weights in the posterior": lambda law, a: {
        "posterior density": np.exp(law.components.posterior(POINTS[:, None], a).log_prob(SOME[:, None, None])).swapaxes(0, 1) @ W
    },
    "no weights in the class posterior": lambda law, a: classes(law, r(law, a) / W),
    "no determinants in the class posterior": lambda law, a: classes(law, W * np.exp(-white(law, a) / 2)),
    "no half in the class posterior": lambda law, a: classes(law, W * np.exp(-white(law, a) - log_det(law, a) / 2)),
    "a class of one component alone": lambda law, a: classes(law, r(law, a) * np.array([1, 1, 0])),
    "prior weights in the denoiser": lambda law, a: {"x0": averaged(law, W, law.components.denoise(POINTS[:, None], a))},
    "the score of the nearest component": lambda law, a: {
        "score": averaged(law, np.eye(3)[np.argmax(r(law, a), axis=-1)], law.components.score(POINTS[:, None], a))
    },
    "the sum of the scores": lambda law, a: {"score": averaged(law, np.ones(3), law.components.score(POINTS[:, None], a))},
}


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_a_gaussian_is_caught(mistake):
    replaced = MUTANTS[mistake](GAUSSIANS["diagonal"].law, 0.6)
    with pytest.raises(AssertionError, match=next(iter(replaced))):
        judge("diagonal", 0.6, **replaced)


@pytest.mark.parametrize("mistake", OF_MIXTURES)
def test_a_mistake_in_a_mixture_is_caught(mistake):
    replaced = OF_MIXTURES[mistake](MIXTURES["mixture of full"].law, 0.6)
    with pytest.raises(AssertionError, match=next(iter(replaced))):
        judge("mixture of full", 0.6, **replaced)


def test_what_builds_the_mutants_makes_no_mistake_of_its_own():
    law, mixture = GAUSSIANS["diagonal"].law, MIXTURES["mixture of full"].law
    judge("diagonal", 0.6, **diffused(law, 0.6), **posterior(law.posterior(POINTS, 0.6)))
    right = W * np.exp(-white(mixture, 0.6) / 2 - log_det(mixture, 0.6) / 2)
    judge("mixture of full", 0.6, **classes(mixture, right))
    score = averaged(mixture, r(mixture, 0.6), mixture.components.score(POINTS[:, None], 0.6))
    judge("mixture of full", 0.6, score=score)


# -- classes ------------------------------------------------------------------------------------------------------------------


def test_a_class_pulls_by_the_gradient_of_its_posterior():
    law, abar = MIXTURES["mixture of full"].law, 0.6
    gradients = jax.jit(jax.vmap(jax.jacrev(lambda x: law.class_posterior(x, abar))))(jnp.asarray(POINTS))
    for y in (0, 1):
        pull = law.given(y).score(POINTS, abar) - law.score(POINTS, abar)
        np.testing.assert_allclose(pull, gradients[:, y], rtol=1e-10, atol=1e-11)


def test_the_posterior_of_clean_data_is_drawn_as_that_point():
    for law in (GAUSSIANS["low rank"].law, MIXTURES["mixture of full"].law):
        np.testing.assert_allclose(law.posterior(POINTS, 1.0).sample(jax.random.key(0)), POINTS, rtol=1e-14)
    point = GAUSSIANS["low rank"].law.posterior(POINTS, 1.0)
    np.testing.assert_array_equal(point.log_prob(point.loc), np.inf)


def test_labels_go_with_their_draws():
    law = MIXTURES["mixture of full"].law
    apart = law._mixture(law.log_weights, law.components._law(100 * law.components.loc, law.components.spectrum), law.labels)
    x, y = apart.sample_labelled(jax.random.key(3), (1000,))
    np.testing.assert_array_equal(jnp.argmax(apart.class_posterior(x, 1.0), axis=-1), y)
    assert set(np.asarray(y).tolist()) == {0, 1}
