"""Tests of samplers on shared noise: the rates after a pilot, what it costs, and how many draws other tests need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, chi2, t, ttest_rel

from verifydiff.statistics import (
    Comparison,
    Decision,
    ErrorRates,
    compare_coupled_means,
    coupled_variances,
    draws_needed_for_bounded_mean,
    draws_needed_for_directions,
    draws_needed_for_distribution_function,
    draws_needed_for_mean,
)
from verifydiff.verdict import MisuseError

LOUD, RUNS, OWN_RATE = ErrorRates(0.05, 0.05), 1000, 1e-6
Rng = np.random.Generator


def pairs(rng: Rng, n: int, off: float = 0.0, correlation: float = 0.9) -> tuple[Any, Any]:
    shared, own = rng.standard_normal((2, n))
    x = 3 * shared + 7
    return x, 3 * (correlation * shared + (1 - correlation**2) ** 0.5 * own) + 7 - 3 * off


def by_pilot(rng: Rng, off: float, pilot: int = 5, resolution: float = 0.5) -> Comparison:
    x, y = pairs(rng, pilot, off)
    first = compare_coupled_means(x, y, 3.0, resolution, LOUD)
    rest = pairs(rng, first.needed - pilot, off)
    return compare_coupled_means(
        *(np.concatenate(two) for two in zip((x, y), rest, strict=True)), 3.0, resolution, LOUD, pilot=pilot
    )


def test_after_a_pilot_there_is_always_an_answer_and_right_pairs_are_called_different_as_seldom_as_declared(rng: Rng) -> None:
    found = [by_pilot(rng, 0.0) for _ in range(RUNS)]
    assert all(one.decision is not Decision.INCONCLUSIVE and one.n == one.needed for one in found)
    alarms = sum(one.p_value <= LOUD.false_alarm for one in found)
    assert binomtest(alarms, RUNS, LOUD.false_alarm).pvalue > OWN_RATE
    assert alarms == sum(not one.interval[0] <= 0 <= one.interval[1] for one in found)
    assert sum(one.decision is Decision.DIFFERENT for one in found) <= alarms


@pytest.mark.parametrize("off", [-0.5, 0.5])
def test_what_is_off_by_the_resolution_is_called_equal_as_seldom_as_declared(off: float, rng: Rng) -> None:
    equal = sum(by_pilot(rng, off).decision is Decision.EQUAL for _ in range(RUNS))
    assert binomtest(equal, RUNS, LOUD.miss, alternative="greater").pvalue > OWN_RATE


def going_on_until_it_says_something(rng: Rng) -> bool:
    x, y = pairs(rng, 40)
    return any(compare_coupled_means(x[:n], y[:n], 3.0, 1e-3, LOUD).decision is Decision.DIFFERENT for n in range(3, 41))


def the_normal_quantile_for_students(rng: Rng) -> bool:
    x, y = pairs(rng, 4)
    d = x - y
    return bool(abs(d.mean()) > 1.96 * d.std(ddof=1) / 2)


@pytest.mark.parametrize("mutant", [going_on_until_it_says_something, the_normal_quantile_for_students])
def test_the_judge_of_the_rates_kills(mutant: Callable[[Rng], bool], rng: Rng) -> None:
    alarms = sum(mutant(rng) for _ in range(RUNS))
    assert binomtest(alarms, RUNS, LOUD.false_alarm, alternative="greater").pvalue < OWN_RATE


def test_a_fixed_number_of_pairs_is_students_test(rng: Rng) -> None:
    x, y = pairs(rng, 30, 0.2)
    found = compare_coupled_means(x, y, 3.0, 0.1, LOUD)
    assert found.p_value == pytest.approx(ttest_rel(x, y).pvalue, rel=1e-9)
    reach = t(29).isf(0.025) * (x - y).std(ddof=1) / 3 / 30**0.5
    assert found.interval == pytest.approx((found.estimate - reach, found.estimate + reach))


def test_at_a_correlation_of_0_999_a_mean_takes_a_five_hundredth_of_the_draws(rng: Rng) -> None:
    x, y = pairs(rng, 2000, correlation=0.999)
    needed = compare_coupled_means(x, y, 3.0, 1e-3).needed
    assert 0.0018 < needed / draws_needed_for_mean(1e-3) < 0.0022


def test_samplers_that_are_one_are_equal_and_a_constant_between_them_is_seen(rng: Rng) -> None:
    x = rng.standard_normal(5)
    assert compare_coupled_means(x, x, 1.0, 1e-9).decision is Decision.EQUAL
    one = np.array([1.0, 2.0, 3.0])
    found = compare_coupled_means(one + 0.5, one, 1.0, 0.1)
    assert found.decision is Decision.DIFFERENT
    assert found.p_value == 0
    assert coupled_variances(x, x).p_value == 1


def test_variances_of_pairs_are_told_apart_though_each_alone_would_not_be(rng: Rng) -> None:
    x, y = pairs(rng, 3000, correlation=0.999)
    assert coupled_variances(1.01 * x, y).rejects(1e-6)
    assert coupled_variances(1.01 * x, y).statistic > 0 > coupled_variances(x, 1.01 * y).statistic
    assert not coupled_variances(x, y).rejects(1e-3)


# -- how many draws --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 5, 2144])
def test_the_draws_for_directions_find_the_effect_and_one_fewer_do_not(k: int, rng: Rng) -> None:
    rates = ErrorRates(1e-3, 0.1)
    n = draws_needed_for_directions(0.2, k, rates)
    sums = rng.noncentral_chisquare(k, [[n * 0.04], [0.8 * n * 0.04]], (2, 20_000)) > chi2(k).isf(1e-3)
    assert binomtest(int(sums[0].sum()), 20_000, 0.9, alternative="less").pvalue > OWN_RATE
    assert binomtest(int(sums[1].sum()), 20_000, 0.9, alternative="less").pvalue < OWN_RATE


def test_one_direction_takes_what_a_mean_takes_and_more_take_more() -> None:
    rates = ErrorRates(1e-6, 0.01)
    counts = [draws_needed_for_directions(0.01, k, rates) for k in (1, 5, 20, 2144)]
    assert counts[0] == pytest.approx(draws_needed_for_mean(0.01, rates), rel=1e-3)
    assert counts == sorted(counts)


def test_the_draws_of_the_bounds_are_those_of_their_formulas() -> None:
    rates = ErrorRates(2e-6, 1e-6)
    L = np.log(1e6)
    assert draws_needed_for_distribution_function(0.01, rates) == np.ceil(2 * L / 1e-4)
    assert draws_needed_for_bounded_mean(0.01, ErrorRates(4e-6, 1e-6)) == np.ceil(2 * L / 1e-4)


MISUSES: dict[str, tuple[Callable[[], object], str]] = {
    "shapes": (lambda: compare_coupled_means(np.ones(3), np.ones(4), 1.0, 0.1), "two arrays"),
    "vectors": (lambda: coupled_variances(np.ones((3, 2)), np.ones((3, 2))), "two arrays"),
    "one pair": (lambda: compare_coupled_means([1.0], [1.0], 1.0, 0.1), "n at least 2"),
    "two pairs for a variance": (lambda: coupled_variances([1.0, 2.0], [1.0, 2.0]), "from three pairs on"),
    "overflow": (lambda: compare_coupled_means([1e300, -1e300], [1.0, 2.0], 1.0, 0.1), "squares overflow"),
    "pilot": (lambda: compare_coupled_means([1.0, 2.0], [1.0, 2.0], 1.0, 0.1, pilot=3), "the pilot is from 2 to all 2"),
    "scale": (lambda: compare_coupled_means([1.0, 2.0], [1.0, 2.0], 0.0, 0.1), "scale must be positive"),
    "resolution": (lambda: compare_coupled_means([1.0, 2.0], [1.0, 2.0], 1.0, -0.1), "resolution of a mean"),
    "integers": (lambda: coupled_variances([1, 2, 3], [1, 2, 4]), "single or double precision"),
    "directions": (lambda: draws_needed_for_directions(0.1, 0), "at least one direction"),
    "distance": (lambda: draws_needed_for_distribution_function(1.5), r"in \(0, 1\]"),
    "bounded": (lambda: draws_needed_for_bounded_mean(0.0), "resolution of a mean"),
}


@pytest.mark.parametrize(("misuse", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_told(misuse: Callable[[], object], message: str) -> None:
    with pytest.raises(MisuseError, match=message):
        misuse()
