"""Equal within the resolution, different, or too few draws: of a whole Gaussian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from verifydiff.statistics import Decision, ErrorRates, Moments, compare_gaussian, draws_needed_for_gaussian
from verifydiff.verdict import MisuseError

LOUD, RUNS, OWN_RATE, RESOLUTION, D = ErrorRates(0.05, 0.05), 500, 1e-6, 0.4, 3
MEAN = np.array([1.0, -2.0, 0.5])
L = np.linalg.cholesky(np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.2], [0.0, -0.2, 0.5]]))
Rng = np.random.Generator


def off(b: Any = 0.0, entry: tuple[int, int] | None = None, by: float = 0.0) -> tuple[Any, Any]:
    B = np.eye(D)
    if entry:
        B[entry] = (1 + by) ** 0.5 if entry[0] == entry[1] else by
    return np.broadcast_to(b, (D,)), B


def decisions(law: tuple[Any, Any], n: int, rng: Rng, runs: int = RUNS) -> list[Decision]:
    b, B = law
    draws = (MEAN + (b + rng.standard_normal((n, D)) @ B.T) @ L.T for _ in range(runs))
    return [compare_gaussian(Moments.of(x), MEAN, L @ L.T, RESOLUTION, LOUD).decision for x in draws]


NEEDED = draws_needed_for_gaussian(RESOLUTION, D, LOUD)
OFF = {
    "mean": off(np.array([0, RESOLUTION, 0])),
    "mean, downwards": off(np.array([0, 0, -RESOLUTION])),
    "variance": off(entry=(1, 1), by=RESOLUTION),
    "variance, downwards": off(entry=(2, 2), by=-RESOLUTION),
    "correlation": off(entry=(2, 0), by=RESOLUTION),
}


@pytest.mark.parametrize("law", OFF.values(), ids=OFF)
def test_what_is_off_by_the_resolution_is_called_equal_as_seldom_as_declared(law: tuple[Any, Any], rng: Rng) -> None:
    found = decisions(law, NEEDED, rng)
    assert Decision.INCONCLUSIVE not in found
    assert binomtest(found.count(Decision.EQUAL), RUNS, LOUD.miss, alternative="greater").pvalue > OWN_RATE


def test_what_is_right_is_called_different_as_often_as_declared_where_too_few_draws_can_call_it_equal(rng: Rng) -> None:
    found = decisions(off(), 12, rng)
    assert Decision.EQUAL not in found
    assert binomtest(found.count(Decision.DIFFERENT), RUNS, LOUD.false_alarm).pvalue > OWN_RATE


def test_with_the_draws_needed_what_is_right_is_equal(rng: Rng) -> None:
    found = decisions(off(), NEEDED, rng)
    assert Decision.INCONCLUSIVE not in found
    assert found.count(Decision.EQUAL) > 0.9 * RUNS


def test_a_difference_that_shows_but_lies_within_the_resolution_is_none(rng: Rng) -> None:
    x = rng.standard_normal((20_000, 2)) + 0.1
    found = compare_gaussian(Moments.of(x), 0.0, 1.0, 0.2)
    assert found.evidence.p_value < 1e-9
    assert found.decision is Decision.EQUAL
    assert found.furthest == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_variances_alone_are_judged_too(covariance: Any, rng: Rng) -> None:
    n = draws_needed_for_gaussian(0.2, 4, entries=covariance == "full")
    x = rng.standard_normal((n, 4)) * [1, 2, 3, 4]
    assert compare_gaussian(Moments.of(x, covariance=covariance), 0.0, [1, 4, 9, 16], 0.2).decision is Decision.EQUAL
    assert compare_gaussian(Moments.of(x, covariance=covariance), 0.0, [1, 4, 9, 12], 0.2).decision is Decision.DIFFERENT


@pytest.mark.parametrize("n", [1, 2])
def test_with_no_more_draws_than_coordinates_nothing_is_said(n: int) -> None:
    found = compare_gaussian(Moments.of(np.full((n, 2), 1e9)), 0.0, 1.0, 0.1)
    assert found.decision is Decision.INCONCLUSIVE
    assert found.needed == draws_needed_for_gaussian(0.1, 2)


def test_draws_without_variance_are_different() -> None:
    assert compare_gaussian(Moments.of(np.zeros((100, 2))), 0.0, 1.0, 0.1).decision is Decision.DIFFERENT


def test_a_law_without_coordinates_is_refused() -> None:
    with pytest.raises(MisuseError, match="at least one coordinate"):
        draws_needed_for_gaussian(0.1, 0)


@pytest.mark.parametrize("resolution", [0.0, 1.0, np.nan])
def test_a_resolution_that_is_none_is_refused(resolution: float) -> None:
    with pytest.raises(MisuseError, match="resolution"):
        compare_gaussian(Moments.of(np.ones((3, 1))), 0.0, 1.0, resolution)
