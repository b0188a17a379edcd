"""The sampler by itself: right ones pass, and every planted slip is seen and named."""

from __future__ import annotations

from dataclasses import replace

import confirm_standins as standins
import jax
import pytest
from confirm_standins import TABLE, T, stepwise, whole_loop

from verifydiff.confirm import Stepwise, Whole, flow
from verifydiff.confirm.implementation import PROBES, at, implementation
from verifydiff.confirm.model import exact
from verifydiff.confirm.noise import TESTS, flaws
from verifydiff.samplers import sample
from verifydiff.schedule import Schedule
from verifydiff.statistics import ErrorRates
from verifydiff.verdict import Status

RATES = ErrorRates(1e-9, 1e-9)
RIGHT = {
    "by its steps": Stepwise(most=T),
    "as a whole loop": Whole(whole_loop),
    "keeping its levels": stepwise(standins.KeepsTable),
}
SLIPS = {
    "beta for beta-tilde": (standins.BetaForBetaTilde, "beta-for-beta-tilde"),
    "a lost bar": (standins.LostBar, "lost-bar"),
    "eta squared": (standins.EtaSquared, "eta-squared"),
    "noise left out": (standins.NoiseLeftOut, "noise-left-out"),
    "sigma not subtracted": (standins.SigmaNotSubtracted, "sigma-not-subtracted"),
    "the wrong time": (standins.WrongTime, "time-told-of-the-next-step"),
    "a stride off by one": (standins.OffByOneStride, "end-one-early"),
}


NOISES = {
    "one noise for two neighbours": (standins.SharedByNeighbours, "the numbers in a row share noise"),
    "one noise for a whole row": (standins.SharedByAll, "the numbers in a row share noise"),
    "one magnitude for a whole row": (standins.SharedInMagnitude, "the numbers in a row share noise"),
    "signs": (standins.OfSigns, "the noise is not normal"),
    "uniform noise": (standins.Uniform, "the noise is not normal"),
    "signs in one place": (standins.OneOfSigns, "the noise is not normal"),
    "half the rows again": (standins.HalvesAlike, "some rows of a batch are the same noise, or its opposite"),
    "half the rows turned over": (standins.Antithetic, "some rows of a batch are the same noise, or its opposite"),
    "one row again": (standins.OneRowTwice, "some rows of a batch are the same noise, or its opposite"),
    "half the rows in part again": (standins.HalvesAlittleAlike, "rows of a batch share noise"),
}
SINGLES = {"throughout": standins.single, "and told in double": standins.single_inside}
SETTINGS = ((10, 0.5), (10, 1.0), (2, 1.0))


def judged(sampler, shape=(2, 3), seed=5, rates=RATES, settings=SETTINGS, table=TABLE):
    return implementation(sampler, table, shape, jax.random.key(seed), rates, settings)


@pytest.mark.parametrize("sampler", RIGHT.values(), ids=RIGHT)
def test_a_right_sampler_passes_and_nothing_is_named(sampler):
    seen = judged(sampler)
    assert [finding.status for finding in seen.findings] == [Status.PASS, Status.PASS]
    assert seen.slips == ()


@pytest.mark.parametrize(("kind", "slip"), SLIPS.values(), ids=SLIPS)
def test_a_planted_slip_is_seen_and_named(kind, slip):
    seen = judged(stepwise(kind))
    assert Status.FAIL in [finding.status for finding in seen.findings]
    assert slip in [one.slip for one in seen.slips]
    assert seen.slips[0].residual < 1e-7


def test_a_sampler_that_clips_is_told_to_be_no_affine_map():
    def clipping(eps, x_T, abar, *, eta, key):
        return whole_loop(eps, x_T, abar, eta=eta, key=key).clip(-1, 1)

    of_map, _ = judged(Whole(clipping)).findings
    assert of_map.status is Status.FAIL
    assert "no affine map" in of_map.message


def test_a_mistake_that_no_slip_explains_is_seen_and_not_named():
    def scaled(eps, x_T, abar, *, eta, key):
        return 1.01 * whole_loop(eps, x_T, abar, eta=eta, key=key)

    seen = judged(Whole(scaled))
    assert seen.findings[0].status is Status.FAIL
    assert seen.slips == ()


@pytest.mark.parametrize(("kind", "words"), NOISES.values(), ids=NOISES)
def test_noise_of_the_right_variance_that_is_no_fresh_normal_noise_is_seen_and_told(kind, words):
    seen = judged(stepwise(kind), shape=(4, 4))
    of_map, of_noise = seen.findings
    assert of_map.status is Status.PASS
    assert of_noise.status is Status.FAIL
    assert words in of_noise.message
    assert seen.slips == ()


def one_seed(eps, x_T, abar, *, eta, key):
    """Drawn afresh at every step, and the same whatever the key."""
    return whole_loop(eps, x_T, abar, eta=eta, key=jax.random.key(7))


def one_seed_for_half(eps, x_T, abar, *, eta, key):
    """The first half of the batch by the key, the second by a seed of its own."""
    half = len(x_T) // 2
    parts = (whole_loop(eps, x_T[:half], abar, eta=eta, key=key), one_seed(eps, x_T[half:], abar, eta=eta, key=key))
    return jax.numpy.concatenate(parts)


@pytest.mark.parametrize("function", [one_seed, one_seed_for_half])
def test_a_seed_that_no_key_changes_is_seen_and_told(function):
    of_map, of_noise = judged(Whole(function), shape=(4, 4)).findings
    assert of_map.status is Status.PASS
    assert of_noise.status is Status.FAIL
    assert "another key brings the same noise" in of_noise.message


@pytest.mark.parametrize("shape", [(256, 8), (64, 1), (16, 200)])
def test_fresh_normal_noise_raises_no_more_alarms_than_declared(rng, shape):
    """At a loud rate of one in ten, of 200: 20 on average at most, 36 with a probability of 1e-3."""
    seen = [flaws(rng.standard_normal(shape)) for _ in range(200)]
    assert sum(min(flaw.p_value for flaw in found) <= 0.1 / TESTS for found in seen) <= 36


@pytest.mark.parametrize("seed", range(6))
def test_noise_of_one_s_own_that_is_right_passes_whatever_the_key(seed):
    seen = judged(stepwise(standins.OfNoise), (4, 4), seed, ErrorRates(1e-4, 1e-4))
    assert [finding.status for finding in seen.findings] == [Status.PASS, Status.PASS]


@pytest.mark.parametrize(
    "table", [TABLE, Schedule.linear(1000).abar, Schedule.cosine(1000).abar], ids=("short", "linear", "cosine")
)
@pytest.mark.parametrize("function", SINGLES.values(), ids=SINGLES)
def test_a_right_sampler_in_single_precision_passes_and_is_told_to_be_so(function, table):
    of_map, of_noise = judged(Whole(function), table=table, settings=((10, 0.0), *SETTINGS)).findings
    assert (of_map.status, of_noise.status) == (Status.PASS, Status.PASS), (of_map.message, of_noise.message)
    assert "computes in single precision" in of_map.message


def test_a_planted_slip_in_single_precision_is_named():
    def function(eps, x_T, abar, *, eta, key):
        x_T, abar = x_T.astype("float32"), abar.astype("float32")
        return sample(standins.BetaForBetaTilde(eta), eps, x_T, abar, key=key)

    assert "beta-for-beta-tilde" in [one.slip for one in judged(Whole(function)).slips]


def test_a_sampler_that_clips_in_single_precision_is_told_to_be_no_affine_map():
    def clipping(eps, x_T, abar, *, eta, key):
        return standins.single(eps, x_T, abar, eta=eta, key=key).clip(-1, 1)

    assert "no affine map" in judged(Whole(clipping)).findings[0].message


def test_half_precision_is_no_clipping_and_fails():
    def half(eps, x_T, abar, *, eta, key):
        return whole_loop(eps, x_T, abar, eta=eta, key=key).astype("float16")

    of_map, _ = judged(Whole(half)).findings
    assert of_map.status is Status.FAIL
    assert "no affine map" not in of_map.message


def test_a_sampler_is_looked_at_wherever_it_is_asked_for():
    def wrong_beyond(eps, x_T, abar, *, eta, key):
        x_0 = whole_loop(eps, x_T, abar, eta=eta, key=key)
        return x_0 if len(abar) - 1 <= 25 and eta in (0, 0.5, 1) else 0 * x_0

    assert judged(Whole(wrong_beyond), settings=PROBES).findings[0].status is Status.PASS
    assert judged(Whole(wrong_beyond), settings=at((50,), (0.0,))).findings[0].status is Status.FAIL
    assert judged(Whole(wrong_beyond), settings=at((20,), (0.2,))).findings[0].status is Status.FAIL


def test_more_draws_tell_the_diversity_of_a_sampler_with_keys_of_its_own_more_finely():
    def with_own_keys(eps, x_T, abar, *, eta, key):
        return whole_loop(eps, x_T, abar, eta=eta, key=jax.random.fold_in(key, 7))

    def width(draws):
        budget = replace(standins.BUDGET, draws=draws)
        spread = flow.flow(exact(standins.LAW), standins.LAW, TABLE, budget, jax.random.key(3), Whole(with_own_keys)).spread
        assert spread.low < 0 < spread.high
        return spread.high - spread.low

    assert width(1024) < width(64) / 2
