"""What holds of every test, whatever the draws, and the exact value of each statistic in a case done by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from verifydiff.statistics import (
    Evidence,
    coincidence,
    extremes,
    independence,
    kolmogorov_smirnov,
    standard_normal_battery,
    tails,
    unit_variance,
    zero_mean,
)
from verifydiff.statistics.independence import folded, neighbours, pairs
from verifydiff.verdict import MisuseError

TESTS = (zero_mean, unit_variance, kolmogorov_smirnov, tails, extremes, coincidence)

values = st.floats(-40, 40)
noises = hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=4, max_side=6), elements=values)


@given(noises)
def test_a_p_value_is_a_probability_whatever_the_noise(u: np.ndarray) -> None:
    for evidence in standard_normal_battery(u):
        assert 0 <= evidence.p_value <= 1
        assert np.isfinite(evidence.statistic)


@given(noises, st.randoms(use_true_random=False))
def test_the_order_of_the_draws_does_not_matter_to_a_law(u: np.ndarray, random: np.random.Generator) -> None:
    shuffled = u.ravel().tolist()
    random.shuffle(shuffled)
    for test in TESTS:
        assert test(np.array(shuffled)).p_value == pytest.approx(test(u).p_value, rel=1e-9)


@given(noises)
def test_the_sign_of_all_draws_does_not_matter(u: np.ndarray) -> None:
    for evidence, mirrored in zip(standard_normal_battery(u), standard_normal_battery(-u), strict=True):
        if evidence.test.startswith("coincidence-of-"):
            continue  # which pairs of slices are compared follows from the order of their first draws, where those tie
        assert mirrored.p_value == pytest.approx(evidence.p_value, rel=1e-6, abs=1e-300)


@given(noises)
def test_what_was_handed_in_is_left_alone(u: np.ndarray) -> None:
    before = u.copy()
    u.setflags(write=False)
    standard_normal_battery(u)
    assert np.array_equal(u, before)


@given(hnp.arrays(np.float64, (4, 5), elements=st.integers(-500, 500).map(lambda i: i / 100)), st.floats(0.1, 10))
def test_correlation_does_not_ask_about_scale(rows: np.ndarray, scale: float) -> None:
    for test in (pairs, neighbours):
        assert test(scale * rows).p_value == pytest.approx(test(rows).p_value, rel=1e-6, abs=1e-12)


@given(hnp.arrays(np.float64, 20, elements=st.floats(-8, 8)))
def test_the_folded_magnitude_has_the_order_of_the_magnitude(u: np.ndarray) -> None:
    order = np.argsort(np.abs(u))
    assert np.all(np.diff(folded(u)[order]) >= -1e-12)


def test_the_folded_magnitude_is_right_at_a_point_and_continuous_where_its_two_branches_meet() -> None:
    assert folded(np.array([0.6744897501960817])) == pytest.approx(0, abs=1e-15)  # the median of |u| goes to the median
    below, above = folded(np.array([1 - 1e-12, 1 + 1e-12]))
    assert above == pytest.approx(below, abs=1e-11)


BY_HAND = {
    "zero-mean": (zero_mean([1.0, 1.0, 1.0, 1.0]), 2.0, 0.04550026389635842),  # 2 (1 - Phi(2))
    "unit-variance": (unit_variance([2.0, 0.0]), 2.0, 2 * exp(-2)),  # P(chi2_2 >= 4) = exp(-2)
    "kolmogorov-smirnov": (kolmogorov_smirnov([0.0, 0.0]), 0.5, 2 * exp(-1)),
    "extremes": (extremes([0.1]), 0.1, 2 * erf(0.1 / 2**0.5)),
    "pairs": (pairs(np.array([[1.0, 0.0], [1.0, 1.0]])), 0.5**0.5, 0.5),  # r^2 ~ Beta(1/2, 1/2), the arcsine law
    "coincidence": (coincidence([0.0, 0.5], resolution=0.0), 0.5, 2 * erf(0.25)),
}


@pytest.mark.parametrize(("evidence", "statistic", "p_value"), BY_HAND.values(), ids=BY_HAND)
def test_a_case_done_by_hand(evidence: Evidence, statistic: float, p_value: float) -> None:
    assert evidence.statistic == pytest.approx(statistic, rel=1e-12)
    assert evidence.p_value == pytest.approx(p_value, rel=1e-12)


def test_tail_counts_are_binomial() -> None:
    # all of 10 draws beyond the median of the magnitude: probability 2**-10 each way, twice for two sides, Boole over 4
    assert tails(np.full(10, 1.0)).p_value == pytest.approx(8 * 2**-10, rel=1e-12)
    assert tails(np.full(10, 0.1)).p_value == pytest.approx(8 * 2**-10, rel=1e-12)


def test_the_slice_that_stands_out_is_named(rng: np.random.Generator) -> None:
    u = rng.standard_normal((9, 200))
    u[7] += 1
    assert zero_mean(u, axis=0).where == "slice 7 of 9"
    u[5] = u[2]
    assert independence(u).where == "slices 2 and 5"
    assert coincidence(u, axis=0).where == "slices 2 and 5"


def test_ties_among_float32_draws_are_nothing_odd_and_among_float64_draws_they_are(rng: np.random.Generator) -> None:
    single = rng.standard_normal(20_000, dtype=np.float32)
    assert len(np.unique(single)) < single.size
    for stored in (single, single.astype(np.float64)):
        assert coincidence(stored).p_value > 1e-3
    double = rng.standard_normal(2_000)
    assert coincidence(double).p_value > 1e-3
    double[3] = double[1414]
    assert coincidence(double).rejects(1e-6)


def test_equal_vectors_show_even_in_float32(rng: np.random.Generator) -> None:
    u = rng.standard_normal((100, 8)).astype(np.float32)
    u[3] = u[77]
    assert coincidence(u, axis=0).rejects(1e-20)


def test_a_stale_step_shows_through_rounding(rng: np.random.Generator) -> None:
    u = rng.standard_normal((50, 4))
    u[9] = u[8] + 1e-13 * rng.standard_normal(4)  # as noise recovered from a sampler's steps is
    assert coincidence(u, axis=0, resolution=1e-11).rejects(1e-20)


@pytest.mark.parametrize("shape", [(1,), (7,), (7, 3), (7, 1, 3), (1, 1, 3), (2, 3, 2, 2)])
def test_the_battery_takes_any_shape(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    battery = standard_normal_battery(rng.standard_normal(shape))
    names = [evidence.test for evidence in battery]
    assert len(set(names)) == len(names)
    assert names[0] == "zero-mean"


def test_where_there_is_nothing_to_compare_a_test_says_so() -> None:
    for evidence in (independence([[1.0, 2.0]]), coincidence([1.0])):
        assert (evidence.n, evidence.p_value) == (0, 1.0)


@pytest.mark.parametrize("wrong", [nan, np.inf])
@pytest.mark.parametrize("test", TESTS)
def test_a_draw_that_is_not_finite_is_misuse(test: Callable[..., Evidence], wrong: float) -> None:
    with pytest.raises(MisuseError, match=r"draws must be finite, got (nan|inf) at index \(1, 0\)"):
        test(np.array([[0.0, 1.0], [wrong, 2.0]]))


@pytest.mark.parametrize("test", TESTS)
def test_no_draws_are_misuse(test: Callable[..., Evidence]) -> None:
    with pytest.raises(MisuseError, match=r"at least one draw, got an array of shape \(0, 3\)"):
        test(np.empty((0, 3)))


def test_an_axis_that_is_none_is_misuse() -> None:
    with pytest.raises(MisuseError, match="one of the 2 axes of the draws, got 2"):
        zero_mean(np.ones((2, 2)), axis=2)
