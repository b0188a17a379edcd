"""Right draws pass and wrong ones do not, at the rates that were declared."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binomtest, norm

from verifydiff.campaigns.blocks import BOUNDS, WALSH, Block, walsh_sums
from verifydiff.campaigns.campaign import Campaign, Count
from verifydiff.campaigns.yardstick import directions, normal_scores, scored, whitened
from verifydiff.oracles import GaussianMixture
from verifydiff.statistics import Decision, ErrorRates
from verifydiff.verdict import MisuseError

from targets import COVARIANCE, MEAN, ROWS, campaign, gaussian  # isort: skip

EQUAL, DIFFERENT = Decision.EQUAL, Decision.DIFFERENT
LOUD = ErrorRates(0.05, 0.05)
META = 1e-6  # how often a test of rates may itself be wrong


def decisions(count):
    return {name: test.decision for name, test in count.tests.items()}


MISTAKES = {
    "the mean off by three resolutions": (gaussian(shift=np.array([0.06, 0.0])), "mean"),
    "the mean off in one coordinate only, by one resolution": (gaussian(shift=np.array([0.0, 0.02 * np.sqrt(2.0)])), "mean"),
    "a variance too large by six per cent": (gaussian(stretch=1.03), "variance"),
    "a variance too small": (gaussian(stretch=0.9), "variance"),
}


@pytest.mark.parametrize(("draw", "asked"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_planted_mistake_is_found(draw, asked):
    assert decisions(campaign(draw).run(2_000_000))[asked] is DIFFERENT


def test_a_large_mistake_is_found_in_a_block():
    count = campaign(gaussian(stretch=2.0)).run()
    assert decisions(count)["variance"] is DIFFERENT
    assert count.tests["variance"].n == 4096 or count.blocks > 1


def test_a_single_draw_that_is_not_finite_ends_it():
    def draw(number):
        x = gaussian()(number)
        return x.at[17, 1].set(jnp.where(number == 2, jnp.nan, x[17, 1]))

    count = campaign(draw).run()
    assert count.broken is not None
    assert (count.broken.number, count.broken.broken, count.blocks) == (2, 1, 2)


def test_too_few_draws_leave_it_open():
    count = campaign().run(4096)
    assert not count.decided
    assert set(decisions(count).values()) == {Decision.INCONCLUSIVE}


def test_a_thousand_right_campaigns_raise_no_more_alarms_than_declared():
    right = whitened([0.0], [[1.0]], "N(0, 1)")
    alarms = sum(alarmed(right, seed) for seed in range(1000))
    assert binomtest(alarms, 1000, LOUD.false_alarm, alternative="greater").pvalue > META


def test_campaigns_that_are_off_by_the_resolution_are_missed_no_more_than_declared():
    wrong = whitened([0.5], [[1.0]], "N(1/2, 1)")
    missed = sum(not alarmed(wrong, seed) for seed in range(300))
    assert binomtest(missed, 300, LOUD.miss, alternative="greater").pvalue > META


def alarmed(yardstick, seed):
    """Whether a campaign of N(0, 1) at loud rates, in blocks of 64 draws, calls something different."""
    count, rng = Count.beginning(yardstick, 0.5, LOUD), np.random.default_rng(seed)
    while not count.decided:
        count.add(Block.of(rng.standard_normal((64, 1)), yardstick, count.blocks))
    return DIFFERENT in decisions(count).values()


# -- shape ---------------------------------------------------------------------------------------------------------------------


def of_noise(noise):
    """Draws of the claimed mean and covariance, made of other noise than N(0, I)."""
    key, root = jax.random.key(0), jnp.asarray(np.linalg.cholesky(COVARIANCE).T, jnp.float32)
    return lambda number: noise(jax.random.fold_in(key, number), (ROWS, 2)) @ root + jnp.asarray(MEAN, jnp.float32)[None]


def cauchy_like(key, shape):
    """Student's t with 5 degrees of freedom, of variance 1."""
    return jax.random.t(key, 5.0, shape) * jnp.sqrt(3 / 5)


def signs_exchanged(key, shape):
    """N(0, 1) each and uncorrelated, but the second is the first or its negative."""
    one, two = jax.random.split(key)
    first = jax.random.normal(one, (shape[0], 1))
    return jnp.concatenate([first, first * jax.random.rademacher(two, (shape[0], 1), jnp.float32)], axis=1)


NOISES = {
    "signs": lambda key, shape: jax.random.rademacher(key, shape, jnp.float32),
    "uniform": lambda key, shape: jax.random.uniform(key, shape, minval=-(3**0.5), maxval=3**0.5),
    "heavy tails": cauchy_like,
    "exponential less 1": lambda key, shape: jax.random.exponential(key, shape) - 1,
    "a copy up to a sign": signs_exchanged,
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES.keys())
def test_noise_of_the_right_mean_and_variance_is_not_taken_for_normal(noise):
    count = campaign(of_noise(noise), resolution=0.05).run(500_000)
    assert decisions(count)["shape"] is DIFFERENT


def test_nothing_but_the_shape_sees_signs():
    count = campaign(of_noise(NOISES["signs"]), resolution=0.05).run(500_000)
    assert decisions(count)["mean"] is EQUAL
    assert count.tests["variance"].estimate == pytest.approx(1, abs=0.05)


def test_walsh_functions_tell_the_shares_of_the_octiles_one_to_one():
    np.testing.assert_array_equal(WALSH @ WALSH.T, 8 * np.eye(7))
    np.testing.assert_array_equal(WALSH.sum(axis=1), 0)
    np.testing.assert_allclose(norm.cdf(BOUNDS), np.arange(1, 8) / 8, rtol=1e-14)


def test_walsh_sums_are_those_of_every_draw():
    u = np.random.default_rng(0).standard_normal((1000, 3))
    octile = np.floor(8 * norm.cdf(u)).astype(int)
    np.testing.assert_array_equal(walsh_sums(u), WALSH[:, octile].sum(axis=1).T.ravel())


# -- mixtures ------------------------------------------------------------------------------------------------------------------

WEIGHTS, CENTRES = np.array([0.1, 0.2, 0.3, 0.4]), np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.5], [0.5, -3.0]])


def mixture(weights=WEIGHTS, centres=CENTRES, variance=0.2):
    return GaussianMixture.isotropic(weights, centres, variance, labels=[0, 0, 1, 2])


def of_mixture(law, seed=0):
    key = jax.random.key(seed)
    return lambda number: law.sample(jax.random.fold_in(key, number), (4096,)).astype(jnp.float32)


def judged(law, draws=1_500_000):
    return decisions(Campaign(of_mixture(law), 4096, scored(mixture(), "the data"), 0.03).run(draws))


def test_draws_of_the_mixture_are_equal_to_it():
    assert judged(mixture()) == {"mean": EQUAL, "variance": EQUAL, "shape": EQUAL, "fractions": EQUAL}


WRONG_MIXTURES = {
    "two weights exchanged": (mixture(weights=WEIGHTS[[1, 0, 2, 3]]), "mean"),
    "a class too rare": (mixture(weights=np.array([0.1, 0.2, 0.4, 0.3])), "fractions"),
    "a centre moved": (mixture(centres=CENTRES + np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 0.0], [0.0, 0.0]])), "mean"),
    "components too wide": (mixture(variance=0.4), "variance"),
}


@pytest.mark.parametrize(("law", "asked"), WRONG_MIXTURES.values(), ids=WRONG_MIXTURES.keys())
def test_a_wrong_mixture_is_found(law, asked):
    assert judged(law)[asked] is DIFFERENT


def test_normal_scores_keep_their_digits_in_both_tails():
    z = np.array([-38.0, -20.0, -9.0, -1.0, 0.0, 1.0, 9.0, 20.0, 38.0])
    np.testing.assert_allclose(normal_scores(z[:, None], np.ones(1)), z, rtol=1e-12, atol=1e-15)


def test_normal_scores_of_a_mixture_invert_its_distribution_function():
    weights, z = np.array([0.25, 0.75]), np.array([[0.3, -1.2], [2.0, 2.5]])
    np.testing.assert_allclose(norm.cdf(normal_scores(z, weights)), norm.cdf(z) @ weights, rtol=1e-13)


def test_directions_are_unit_vectors_and_the_same_every_time():
    np.testing.assert_allclose(np.linalg.norm(directions(64), axis=1), 1)
    np.testing.assert_array_equal(directions(3), directions(3))


def test_a_law_without_spread_somewhere_is_refused():
    with pytest.raises(MisuseError, match="without spread"):
        whitened([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]], "a line")


@pytest.mark.parametrize("d", [1, 2, 9, 64, 65])
def test_whitening_by_rows_and_by_lapack_undo_the_root_of_the_covariance(d):
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((d, 2 * d))
    C, u = factor @ factor.T, rng.standard_normal((5, d))
    yardstick = whitened(np.arange(d), C, "N(m, C)")
    x = np.arange(d) + u @ np.linalg.cholesky(C).T
    np.testing.assert_allclose(yardstick(x)[:, :d], u, rtol=1e-9, atol=1e-9)
