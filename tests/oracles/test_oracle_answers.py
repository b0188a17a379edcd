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
from scipy.special import logsumexp
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


def judge(name, abar, mutant=None):
    """Raises where an answer is not what Bayes' rule says."""
    law = CASES[name].law
    said = at_once(law, POINTS, abar, SOME) if mutant is None else everything(mutant, jnp.asarray(POINTS), abar, jnp.asarray(SOME))
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
    np.testing.assert_allclose(jnp.exp(case.law.log_prob(POINTS)), case.density(POINTS), **CLOSE)
    mean = case.weights @ case.means
    spread = case.means - mean
    covariance = np.einsum("k,kij->ij", case.weights, case.covariances) + np.einsum("k,ki,kj->ij", case.weights, spread, spread)
    np.testing.assert_allclose(case.law.mean, mean, **CLOSE)
    np.testing.assert_allclose(case.law.covariance_matrix, covariance, **CLOSE)
    np.testing.assert_allclose(case.law.variance, np.diag(covariance), **CLOSE)


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
    np.testing.assert_allclose(noise["x0"], np.broadcast_to(law.mean, POINTS.shape), **rounding)
    np.testing.assert_array_equal(data["eps"], 0 * POINTS)
    np.testing.assert_allclose(data["x0"], POINTS, **rounding)
    np.testing.assert_allclose(data["density"], CASES[name].density(POINTS), rtol=1e-13)
    np.testing.assert_array_equal(data["posterior density"], 0)  # all mass on the point, which is none of these
    np.testing.assert_array_less(data["posterior variance"], 1e-28)
    point = law.posterior(POINTS, 1.0)
    np.testing.assert_allclose(point.sample(jax.random.key(0)), POINTS, **rounding)


@pytest.mark.parametrize("name", ["full", "low rank", "mixture of diagonal", "mixture of low rank", "mixture of field"])
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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mixture of full", "eps"),
        ("mixture of full", "x0"),
        ("mixture of full", "v"),
        ("mixture of low rank", "v"),
        ("mixture of field", "eps"),
    ],
)
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


class Mutant:
    """A law one of whose answers is replaced."""

    def __init__(self, law, **answers):
        self.law, self.answers = law, answers

    def __getattr__(self, name):
        if name in self.answers:
            return lambda *arguments: self.answers[name](self.law, *arguments)
        return getattr(self.law, name)


def prior_weights(law, x, abar):
    return law._mixture(jnp.broadcast_to(law.log_weights, (len(x), 3)), law.posterior(x, abar).components, law.labels)


def without_weights(law, x, abar):
    even = law._with((), log_weights=jnp.full(3, -jnp.log(3.0)))
    return even.class_posterior(x, abar)


def distances_only(law, x, abar):
    white = law.components.diffused(abar)._whitened(jnp.asarray(x)[:, None])
    return law._by_class(jax.nn.log_softmax(law.log_weights[None] - jnp.sum(white**2, axis=-1) / 2, axis=-1))


def classes_by_mean(law, x, abar):
    log_r = law.component_posterior(x, abar)
    return jnp.stack([log_r[:, 0], logsumexp(log_r[:, 1:], axis=-1) - np.log(2)], axis=-1)


ROOT = jnp.sqrt
MUTANTS = {
    "abar without its root on the mean": {"diffused": lambda law, a: law.diffused(a)._law(a * law.loc, law.diffused(a).spectrum)},
    "variance as standard deviation": {
        "diffused": lambda law, a: law.diffused(a)._law(ROOT(a) * law.loc, a * law.spectrum + ROOT(1 - a))
    },
    "alpha for abar": {"diffused": lambda law, a: law.diffused(0.99 * a)},
    "the score without its sign": {"score": lambda law, x, a: -law.score(x, a)},
    "the noise is the score": {"eps": lambda law, x, a: -law.score(x, a)},
    "the noise with a lost root": {"eps": lambda law, x, a: -(1 - a) * law.score(x, a)},
    "the data by x_t over sqrt(abar)": {"denoise": lambda law, x, a: x / ROOT(a)},
    "the data without shrinking": {"denoise": lambda law, x, a: (x - ROOT(1 - a) * law.score(x, a)) / ROOT(a)},
    "v with its roots swapped": {"velocity": lambda law, x, a: ROOT(1 - a) * law.eps(x, a) - ROOT(a) * law.denoise(x, a)},
    "v with the other sign": {"velocity": lambda law, x, a: -law.velocity(x, a)},
    "the posterior's variance of the noise": {
        "posterior": lambda law, x, a: law.posterior(x, a)._law(
            law.denoise(x, a), a * law.spectrum[None] / (a * law.spectrum[None] + 1 - a)
        )
    },
    "the posterior is the prior": {"posterior": lambda law, x, a: law.expand((len(x),))},
}
OF_MIXTURES = {
    "prior weights in the posterior": {"posterior": prior_weights},
    "no weights in the class posterior": {"class_posterior": without_weights},
    "no determinants in the class posterior": {"class_posterior": distances_only},
    "a mean in place of a sum over a class": {"class_posterior": classes_by_mean},
    "the prior's weights in the denoiser": {
        "denoise": lambda law, x, a: law._weighted(
            jnp.broadcast_to(law.weights, (len(x), 3)), law.components.denoise(x[:, None], a)
        )
    },
    "the score of the nearest component": {
        "score": lambda law, x, a: law._weighted(
            jax.nn.one_hot(jnp.argmax(law.component_posterior(x, a), axis=-1), 3), law.components.score(x[:, None], a)
        )
    },
}


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_a_gaussian_is_caught(mistake):
    with pytest.raises(AssertionError):
        judge("diagonal", 0.6, Mutant(GAUSSIANS["diagonal"].law, **MUTANTS[mistake]))


@pytest.mark.parametrize("mistake", OF_MIXTURES)
def test_a_mistake_in_a_mixture_is_caught(mistake):
    with pytest.raises(AssertionError):
        judge("mixture of full", 0.6, Mutant(MIXTURES["mixture of full"].law, **OF_MIXTURES[mistake]))


def test_a_law_without_a_mistake_is_not():
    judge("diagonal", 0.6, Mutant(GAUSSIANS["diagonal"].law))
    judge("mixture of full", 0.6, Mutant(MIXTURES["mixture of full"].law))


# -- classes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mixture of full", "mixture of low rank"])
def test_a_class_pulls_by_the_gradient_of_its_posterior(name):
    law, abar = MIXTURES[name].law, 0.6
    gradients = jax.jit(jax.vmap(jax.jacrev(lambda x: law.class_posterior(x, abar))))(jnp.asarray(POINTS))
    for y in (0, 1):
        pull = law.given(y).score(POINTS, abar) - law.score(POINTS, abar)
        np.testing.assert_allclose(pull, gradients[:, y], rtol=1e-10, atol=1e-11)


def test_labels_go_with_their_draws():
    law = MIXTURES["mixture of full"].law
    apart = law._mixture(law.log_weights, law.components._law(100 * law.components.loc, law.components.spectrum), law.labels)
    x, y = apart.sample_labelled(jax.random.key(3), (1000,))
    np.testing.assert_array_equal(jnp.argmax(apart.class_posterior(x, 1.0), axis=-1), y)
    assert set(np.asarray(y).tolist()) == {0, 1}
