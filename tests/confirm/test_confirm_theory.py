"""Theory of S steps by the proved forms, against the oracle's own algebra; distances against the oracle's."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from confirm_standins import LAW, TABLE

from verifydiff.confirm import Budget, sampling, theory
from verifydiff.confirm.distance import Coupled, frechet
from verifydiff.confirm.judging import Interval, graded, mean_of_blocks, status_of
from verifydiff.oracles import FullGaussian, frechet_distance, frechet_distance_of_moments, law_after, steps
from verifydiff.samplers import spaced
from verifydiff.verdict import Status

LAWS = {
    "a field": LAW,
    "a full covariance": FullGaussian(jnp.array([1.0, -2.0, 0.5]), jnp.array([[1.0, 0.4, 0.1], [0.4, 2.0, 0.3], [0.1, 0.3, 0.2]])),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize(("S", "eta"), [(2, 0.0), (5, 0.5), (20, 1.0)])
def test_the_law_after_some_steps_is_that_of_the_oracle(law, S, eta):
    mean, covariance = theory.along(law, *theory.end(law, TABLE, S, eta))
    end = law_after(law, jnp.asarray(spaced(TABLE, S)), steps.ddim(eta))
    np.testing.assert_allclose(mean, np.ravel(end.mean), atol=1e-12)
    np.testing.assert_allclose(covariance, end.covariance_matrix, atol=1e-12)
    assert theory.distance(law, TABLE, S, eta) == pytest.approx(float(frechet_distance(end, law)), rel=1e-9)


def test_the_distance_of_moments_is_the_oracles(rng):
    roots = rng.standard_normal((3, 5, 5))
    covariances = roots @ roots.transpose(0, 2, 1)
    means = rng.standard_normal((3, 5))
    seen = frechet(means[:2], covariances[:2], means[2], covariances[2])
    right = [frechet_distance_of_moments(means[k], covariances[k], means[2], covariances[2]) for k in range(2)]
    np.testing.assert_allclose(seen, right, rtol=1e-9)


def test_coupled_draws_that_are_equal_have_the_law_of_the_reference_exactly(rng):
    mean, covariance = np.ones(4), np.diag([0.1, 0.5, 1.0, 2.0])
    y = rng.standard_normal((64, 4))
    far, excess = Coupled(mean, covariance, y, y).distance(mean, covariance, 0.0, 1e-6)
    assert abs(far.value) < 1e-12
    assert excess.high < 1e-12


def test_coupled_draws_find_the_distance_of_a_linear_map_from_few_draws(rng):
    """256 plain draws in 8 dimensions are off by some 8 * 13 / 1024 = 0.1 by chance alone."""
    scale = np.geomspace(0.8, 1.2, 8)
    y = rng.standard_normal((256, 8))
    x = y * scale + 0.1 + 0.01 * rng.standard_normal((256, 8))
    far, _ = Coupled(np.zeros(8), np.eye(8), x, y).distance(np.zeros(8), np.eye(8), 0.0, 1e-6)
    right = 8 * 0.01 + float(np.sum((np.sqrt(scale**2 + 1e-4) - 1) ** 2))
    assert far.low <= right <= far.high
    assert abs(far.value - right) < 0.003


def test_intervals_of_block_means_miss_as_often_as_declared(rng):
    """At a loud rate, by an exact binomial bound: 4000 intervals at 5 %, 200 expected, 5.2 deviations either way."""
    missed = sum(not (one.low <= 0 <= one.high) for one in (mean_of_blocks(rng.standard_normal(32), 0.05) for _ in range(4000)))
    assert 130 <= missed <= 275


@pytest.mark.parametrize(
    ("interval", "status"),
    [
        ((0.05, -0.05, 0.1), Status.PASS),
        ((0.2, 0.11, 0.3), Status.NOTE),
        ((0.1, 0.0, 0.2), Status.NOTE),
        ((-0.2, -0.3, 0.0), Status.NOTE),
        ((0.3, 0.2, 0.5), Status.INCONCLUSIVE),
        ((0.5, 0.41, 0.6), Status.FAIL),
        ((-0.5, -0.6, -0.41), Status.FAIL),
        ((np.nan, np.nan, np.nan), Status.FAIL),
    ],
)
def test_an_error_between_resolution_and_limit_is_a_note(interval, status):
    assert graded(Interval(*interval), 0.1, 0.4) is status


@pytest.mark.parametrize(
    ("interval", "status"),
    [
        ((0.0, 0.0, 0.0), Status.PASS),
        ((0.05, -0.05, 0.1), Status.PASS),
        ((0.05, 0.0, 0.11), Status.INCONCLUSIVE),
        ((0.2, 0.11, 0.3), Status.FAIL),
        ((-0.2, -0.3, -0.11), Status.FAIL),
        ((-0.1, -0.2, 0.0), Status.INCONCLUSIVE),
        ((np.nan, np.nan, np.nan), Status.FAIL),
        ((np.inf, np.inf, np.inf), Status.FAIL),
    ],
)
def test_an_interval_is_judged_by_where_it_lies(interval, status):
    assert status_of(Interval(*interval), 0.1) is status


def cell(steps, theory, low, high):
    """Of the network, with an excess from low to high; the reference is at 1."""
    excess = Interval((low + high) / 2, low, high)
    there = Interval(theory, theory, theory)
    zero = Interval(0.0, 0.0, 0.0)
    all_of_it = {"network": excess, "sampler": zero, "both": excess}
    return sampling.Cell(steps, 0.0, there, there, there, there, all_of_it, max(0.05 * theory, 0.064), 1.0)


def worst_of(*cells, curve=False):
    seen = sampling.Sampling(cells, 64.0, {0.0: [(5, 1.0)]} if curve else {}, np.zeros((1, 6)), (64, 64), False)
    return sampling.findings(seen, Budget.quick())[0]


def test_a_setting_that_surely_fails_is_not_hidden_by_one_that_is_further_out_and_cannot_be_told():
    sure, unsure = cell(20, 2.0, 0.7, 0.9), cell(50, 0.1, -9.0, 9.0)
    for told in (worst_of(sure, unsure), worst_of(unsure, sure)):
        assert told.status is Status.FAIL
        assert told.details["steps"] == 20
    assert worst_of(unsure).status is Status.INCONCLUSIVE


def test_where_a_mixture_is_sampled_far_off_by_theory_itself_a_network_is_not_judged_and_that_is_said():
    few, more = cell(5, 14.8, -7.1, -5.1), cell(50, 0.2, -0.05, 0.05)
    told = worst_of(few, more)
    assert told.status is Status.PASS
    assert "Not judged: 1 of 2 settings" in told.message
    assert worst_of(few).status is Status.INCONCLUSIVE
    assert worst_of(cell(5, 14.8, np.inf, np.inf), more).status is Status.FAIL  # what is no number is wrong anywhere
    of_a_gaussian = worst_of(few, more, curve=True)
    assert of_a_gaussian.status is Status.FAIL
    assert "Not judged" not in of_a_gaussian.message
