from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr, bdtrc

from verifydiff.statistics import (
    Comparison,
    Decision,
    ErrorRates,
    compare_mean,
    compare_variance,
    draws_needed_for_mean,
    draws_needed_for_variance,
)
from verifydiff.statistics.chi_squared import above, below, quantile_above, quantile_below
from verifydiff.verdict import MisuseError

LOUD = ErrorRates(false_alarm=0.05, miss=0.05)
RUNS = 2000
OWN_RATE = 1e-6

rates = st.builds(ErrorRates, st.floats(1e-12, 0.4), st.floats(1e-12, 0.4))


def with_mean_square(n: int, square: float) -> np.ndarray:
    return np.full(n, square**0.5)


@given(st.floats(0.05, 0.9), rates)
def test_the_draws_needed_find_the_resolution_and_one_fewer_do_not(resolution: float, rates: ErrorRates) -> None:
    def found(n: int) -> bool:
        upper, lower = quantile_above(n, rates.false_alarm / 2), quantile_below(n, rates.false_alarm / 2)
        missed = max(below(n, upper / (1 + resolution)), above(n, lower / (1 - resolution)))
        return bool(missed <= rates.miss * (1 + 1e-9))

    n = draws_needed_for_variance(resolution, rates)
    assert found(n)
    assert n == 1 or not found(n - 1)


@pytest.mark.parametrize("resolution", [1e-2, 1e-3, 1e-5])
def test_for_a_fine_resolution_the_draws_needed_are_those_of_the_normal_approximation(resolution: float) -> None:
    z = 4.891638475698806 + 4.753424308822899  # the normal quantiles of 1 - 5e-7 and 1 - 1e-6
    assert draws_needed_for_variance(resolution) == pytest.approx(2 * (z / resolution) ** 2, rel=1.1 * resolution)
    assert draws_needed_for_mean(resolution) == pytest.approx((z / resolution) ** 2, abs=1.1, rel=1e-9)


@given(st.floats(0.1, 0.9), rates, st.floats(0.2, 2.0))
def test_with_the_draws_needed_there_is_always_an_answer(resolution: float, rates: ErrorRates, square: float) -> None:
    n = draws_needed_for_variance(resolution, rates)
    assert compare_variance(with_mean_square(n, square), 1.0, resolution, rates).decision != Decision.INCONCLUSIVE


@given(st.floats(0.1, 2.0), rates, st.floats(-3, 3))
def test_with_the_draws_needed_a_mean_has_an_answer_too(resolution: float, rates: ErrorRates, mean: float) -> None:
    n = draws_needed_for_mean(resolution, rates)
    assert compare_mean(np.full(n, mean), 0.0, 1.0, resolution, rates).decision != Decision.INCONCLUSIVE


def test_too_few_draws_are_inconclusive_and_say_how_many_it_takes(rng: np.random.Generator) -> None:
    verdict = compare_variance(rng.standard_normal(1000), 1.0, 0.01)
    assert verdict.decision == Decision.INCONCLUSIVE
    assert verdict.n == 1000
    assert verdict.needed == draws_needed_for_variance(0.01) == 1_879_080


def test_too_few_draws_still_find_what_is_far_off(rng: np.random.Generator) -> None:
    assert compare_variance(2 * rng.standard_normal(200), 1.0, 0.01).decision == Decision.DIFFERENT
    assert compare_mean(2 + rng.standard_normal(20), 0.0, 1.0, 0.01).decision == Decision.DIFFERENT


def test_a_difference_that_shows_but_lies_within_the_resolution_is_none() -> None:
    verdict = compare_variance(with_mean_square(10**6, 1.01), 1.0, 0.05)
    assert verdict.p_value < 1e-9
    assert not verdict.interval[0] <= 1 <= verdict.interval[1]
    assert verdict.decision == Decision.EQUAL


def test_scale_and_mean_claimed_are_those_that_are_meant(rng: np.random.Generator) -> None:
    noise = 3 + 0.25 * rng.standard_normal(5000)
    assert compare_variance(noise - 3, 0.25, 0.3).decision == Decision.EQUAL
    assert compare_mean(noise, 3.0, 0.25, 0.3).decision == Decision.EQUAL
    assert compare_variance(noise - 3, 0.25**2, 0.3).decision == Decision.DIFFERENT
    assert compare_mean(noise, 3.1, 0.25, 0.3).decision == Decision.DIFFERENT


def test_a_sampler_without_noise_has_not_the_claimed_variance() -> None:
    verdict = compare_variance(np.zeros(100), 1.0, 0.5)
    assert verdict.decision == Decision.DIFFERENT
    assert verdict.interval == (0.0, 0.0)


@pytest.mark.parametrize("quantity", ["variance", "mean"])
def test_what_is_right_is_called_different_as_often_as_declared(quantity: str, rng: np.random.Generator) -> None:
    verdicts = [judge(quantity, 0.0, 40, rng) for _ in range(RUNS)]
    assert not any(verdict.decision == Decision.EQUAL for verdict in verdicts), "40 draws cannot tell"
    different = sum(verdict.decision == Decision.DIFFERENT for verdict in verdicts)
    assert bdtrc(different - 1, RUNS, LOUD.false_alarm) > OWN_RATE / 2
    assert bdtr(different, RUNS, LOUD.false_alarm) > OWN_RATE / 2
    assert different == sum(verdict.p_value <= LOUD.false_alarm for verdict in verdicts)
    assert different == sum(not verdict.interval[0] <= verdict.claim <= verdict.interval[1] for verdict in verdicts)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("quantity", ["variance", "mean"])
def test_what_is_off_by_the_resolution_is_called_equal_as_seldom_as_declared(
    quantity: str, side: int, rng: np.random.Generator
) -> None:
    needed = (draws_needed_for_variance if quantity == "variance" else draws_needed_for_mean)(RESOLUTION, LOUD)
    decisions = [judge(quantity, side * RESOLUTION, needed, rng).decision for _ in range(RUNS)]
    assert Decision.INCONCLUSIVE not in decisions
    assert bdtrc(decisions.count(Decision.EQUAL) - 1, RUNS, LOUD.miss) > OWN_RATE


RESOLUTION = 0.25


def judge(quantity: str, off: float, n: int, rng: np.random.Generator) -> Comparison:
    u = rng.standard_normal(n)
    if quantity == "variance":
        return compare_variance(7 * (1 + off) ** 0.5 * u, 7.0, RESOLUTION, LOUD)
    return compare_mean(5 + 7 * (off + u), 5.0, 7.0, RESOLUTION, LOUD)


@pytest.mark.parametrize("resolution", [0, -0.1, 1, nan])
def test_a_resolution_that_is_none_is_refused(resolution: float) -> None:
    with pytest.raises(MisuseError, match="the resolution of a variance must lie strictly between 0 and 1"):
        draws_needed_for_variance(resolution)


@pytest.mark.parametrize("resolution", [0, -0.1, inf, nan])
def test_a_resolution_of_a_mean_that_is_none_is_refused(resolution: float) -> None:
    with pytest.raises(MisuseError, match="the resolution of a mean must be positive and finite"):
        draws_needed_for_mean(resolution)


@pytest.mark.parametrize("scale", [0, -1, inf, nan])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(MisuseError, match="the claimed scale must be positive and finite"):
        compare_variance([1.0], scale, 0.1)
    with pytest.raises(MisuseError, match="the claimed scale must be positive and finite"):
        compare_mean([1.0], 0.0, scale, 0.1)
