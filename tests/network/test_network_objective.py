"""What is learnt from, and against what."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binomtest

from verifydiff.network import Preset, Size, best, data, mean_floor
from verifydiff.network.data import in_single
from verifydiff.network.objective import eps_of, floor, target, weight
from verifydiff.network.step import examples

T = 16
MIXED = Preset("mixed", "mixture:4", Size(4, (1,)), 64, 10, 1e-3, timesteps=T, label_dropout=0.25)
LAW = data("mixture:4")
DRAWN = 4096
RATE = 1e-9  # of a false alarm, for each test


@pytest.fixture(scope="module")
def drawn():
    asked = jax.jit(lambda key: examples(MIXED, in_single(LAW), key, jnp.arange(DRAWN, dtype=jnp.int32), DRAWN))
    return asked(jax.random.key(3))


def test_every_level_of_the_table_is_drawn_equally_often(drawn):
    levels, counts = np.unique(np.asarray(drawn.abar), return_counts=True)
    np.testing.assert_allclose(levels, np.sort(MIXED.noising.abar[1:]).astype(np.float32))
    assert abs(counts - DRAWN // T).max() <= 1  # stratified


def test_the_label_is_withheld_as_often_as_it_is_said_to_be(drawn):
    withheld = int((np.asarray(drawn.label) == LAW.classes).sum())
    assert binomtest(withheld, DRAWN, MIXED.label_dropout).pvalue > RATE
    assert binomtest(withheld, DRAWN, 0.1).pvalue < RATE  # another rate would show


def test_the_classes_come_as_often_as_in_the_law(drawn):
    told = np.asarray(drawn.label)
    for y, share in enumerate(np.asarray(LAW.weights)):
        assert binomtest(int((told == y).sum()), int((told < LAW.classes).sum()), float(share)).pvalue > RATE


def test_example_i_is_the_same_whoever_draws_it():
    asked = jax.jit(lambda numbers: examples(MIXED, in_single(LAW), jax.random.key(3), numbers, 8))
    whole = [asked(jnp.arange(8, dtype=jnp.int32)[half]) for half in (slice(4), slice(4, 8))]
    swapped = asked(jnp.arange(8, dtype=jnp.int32)[4:])
    assert (whole[1].x_t == swapped.x_t).all()
    assert not (whole[0].x_t == whole[1].x_t).any()


def test_the_target_and_the_state_give_back_the_noise(drawn):
    """x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps, with both by v: the noise has variance one at every level."""
    abar = np.asarray(drawn.abar)[:, None, None]
    eps = np.asarray(eps_of("v", abar, drawn.target, drawn.x_t), np.float64)
    mean_square = (eps**2).mean()
    assert abs(mean_square - 1) < 6.2 * np.sqrt(2 / eps.size)  # 6.2 deviations: 6e-10


ABAR = np.array([1e-3, 0.2, 0.7, 0.999])
SNR = ABAR / (1 - ABAR)
ONE = np.ones(4)
BY_HAND = {
    ("v", "v"): ONE,
    ("v", "eps"): SNR / (1 + SNR),
    ("v", "x0"): 1 / (1 + SNR),
    ("v", "min-snr"): np.minimum(SNR, 5) / (1 + SNR),
    ("eps", "eps"): ONE,
    ("eps", "min-snr"): np.minimum(1, 5 / SNR),
    ("x0", "eps"): SNR,
    ("x0", "x0"): ONE,
}


@pytest.mark.parametrize(("kinds", "expected"), BY_HAND.items(), ids=[" as ".join(kinds) for kinds in BY_HAND])
def test_the_weight_is_the_ratio_of_two_errors(kinds, expected):
    np.testing.assert_allclose(weight(*kinds, jnp.asarray(ABAR)), expected, rtol=1e-12)


@pytest.mark.parametrize("weighting", ["eps", "x0", "v", "min-snr"])
@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
def test_the_loss_is_the_same_whatever_is_predicted(kind, weighting):
    """Of one and the same wrong answer, told as noise, data or velocity."""
    x_0, eps, off = (np.random.default_rng(i).normal(size=4) for i in range(3))
    x_t, eps_hat = np.sqrt(ABAR) * x_0 + np.sqrt(1 - ABAR) * eps, eps + off
    x_hat = (x_t - np.sqrt(1 - ABAR) * eps_hat) / np.sqrt(ABAR)
    answer = {"eps": eps_hat, "x0": x_hat, "v": np.sqrt(ABAR) * eps_hat - np.sqrt(1 - ABAR) * x_hat}[kind]
    found = weight(kind, weighting, jnp.asarray(ABAR)) * (answer - target(kind, jnp.asarray(ABAR), x_0, eps)) ** 2
    by_hand = {"eps": SNR, "x0": 1, "v": 1 + SNR, "min-snr": np.minimum(SNR, 5)}[weighting] * (x_hat - x_0) ** 2
    np.testing.assert_allclose(found, by_hand, rtol=1e-9)
    np.testing.assert_allclose(eps_of(kind, jnp.asarray(ABAR), answer, x_t), eps_hat, rtol=1e-9)


def test_the_floor_is_the_loss_of_the_best_answers_and_no_other(drawn):
    errors = np.mean((np.asarray(best(MIXED, in_single(LAW), drawn)) - np.asarray(drawn.target)) ** 2, axis=(1, 2))
    deviation = errors.std() / np.sqrt(DRAWN)
    least = mean_floor(MIXED, LAW)
    assert abs(errors.mean() - least) < 7 * deviation  # 6.2 of the draws; the floor of a mixture has draws, too
    worse = np.mean((np.asarray(LAW.velocity(drawn.x_t, drawn.abar)) - np.asarray(drawn.target)) ** 2, axis=(1, 2))
    assert worse.mean() - errors.mean() > 0  # who does not listen to the label loses


def test_the_floor_of_a_field_is_its_bayes_loss_averaged_over_the_table():
    law, preset = data("field:4"), replace(MIXED, weighting="eps")
    by_hand = np.mean([np.mean(a * s / (a * s + 1 - a)) for a in preset.noising.abar[1:] for s in [np.asarray(law.spectrum)]])
    np.testing.assert_allclose(mean_floor(preset, law), by_hand, rtol=1e-6)
    np.testing.assert_allclose(
        floor(law, "min-snr", jnp.asarray(ABAR)), np.minimum(SNR, 5) * np.asarray(law.bayes_loss(ABAR, "x0").value), rtol=1e-9
    )


def test_the_classes_are_stationary_and_together_have_mean_0_and_variance_1():
    np.testing.assert_allclose(LAW.mean, np.zeros((4, 4)), atol=1e-12)
    np.testing.assert_allclose(LAW.variance, np.ones((4, 4)), rtol=1e-12)
    assert np.ptp(np.asarray(LAW.components.loc), axis=(1, 2)).max() == 0
