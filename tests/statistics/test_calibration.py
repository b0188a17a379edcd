"""Ranks of the truth among posterior draws: a right posterior passes, and each way to be wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from verifydiff.statistics import ErrorRates, calibration, ranks
from verifydiff.verdict import MisuseError

N, L = 4000, 15
Rng = np.random.Generator


def posterior(rng: Rng, shift: float = 0.0, widened: float = 1.0, functions: int = 1) -> tuple[Any, Any]:
    """theta ~ N(0, 1), y ~ N(theta, 1): theta given y is N(y / 2, 1/2)."""
    theta = rng.standard_normal((N, functions))
    y = theta + rng.standard_normal((N, functions))
    draws = y[:, None] / 2 + shift + widened * 0.5**0.5 * rng.standard_normal((N, L, functions))
    return (theta, draws) if functions > 1 else (theta[:, 0], draws[..., 0])


def right(rng: Rng) -> tuple[Any, Any]:
    return posterior(rng)


def off_to_one_side(rng: Rng) -> tuple[Any, Any]:
    return posterior(rng, shift=0.15)


def too_narrow(rng: Rng) -> tuple[Any, Any]:
    return posterior(rng, widened=0.8)


def too_wide(rng: Rng) -> tuple[Any, Any]:
    return posterior(rng, widened=1.25)


def one_of_three_functions_too_narrow(rng: Rng) -> tuple[Any, Any]:
    return posterior(rng, widened=np.array([1.0, 1.0, 0.7]), functions=3)  # type: ignore[arg-type]


def posterior_of_another_row(rng: Rng) -> tuple[Any, Any]:
    theta, draws = posterior(rng)
    return 2 * theta, np.roll(draws, 1, axis=0)


def rank_counted_from_one(rng: Rng) -> Any:
    return np.minimum(ranks(*posterior(rng)) + 1, L)


def the_truth_among_its_own_draws(rng: Rng) -> Any:
    """The chain that starts at the truth, its first state kept: ties broken so that the truth never comes first."""
    theta, draws = posterior(rng)
    draws[:, 0] = theta
    return np.maximum(1, ranks(theta, draws))


FOUND_BY: dict[Callable[[Rng], Any], set[str]] = {
    right: set(),
    off_to_one_side: {"distribution-function", "cumulative-counts"},
    too_narrow: {"spread"},
    too_wide: {"spread"},
    one_of_three_functions_too_narrow: {"spread"},
    posterior_of_another_row: {"spread"},
    rank_counted_from_one: {"cumulative-counts"},
    the_truth_among_its_own_draws: {"cumulative-counts"},
}


@pytest.mark.parametrize(("mutant", "tests"), FOUND_BY.items(), ids=[mutant.__name__ for mutant in FOUND_BY])
def test_no_mutant_survives_and_the_right_one_does(mutant: Callable[[Rng], Any], tests: set[str], rng: Rng) -> None:
    drawn = mutant(rng)
    found = calibration(ranks(*drawn) if isinstance(drawn, tuple) else drawn, L)
    share = ErrorRates().shared_among(len(found)).false_alarm
    rejecting = {one.test for one in found if one.rejects(share)}
    assert tests <= rejecting
    assert bool(tests) == bool(rejecting)


def test_the_function_that_stands_out_is_named(rng: Rng) -> None:
    found = calibration(ranks(*one_of_three_functions_too_narrow(rng)), L)
    assert found[2].where.endswith("function 2 of 3")


def test_ranks_are_counted_and_ties_broken_at_random() -> None:
    assert ranks([0.5, -1.0, 9.0], [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]).tolist() == [1, 0, 2]
    tied = ranks(np.zeros(6000), np.zeros((6000, 2)))
    assert np.abs(np.bincount(tied) - 2000).max() < 5 * 2000**0.5
    assert np.array_equal(tied, ranks(np.zeros(6000), np.zeros((6000, 2))))


def test_one_rank_says_nothing_and_one_draw_is_enough_to_be_ranked_among() -> None:
    assert all(one.p_value > 0.05 for one in calibration([7], 15))
    assert calibration(np.zeros(50, dtype=int), 1)[1].p_value < 1e-12
    assert calibration(np.arange(50) % 2, 1)[2].p_value == 1


@pytest.mark.parametrize("L", [1, 2, 3, 4, 7, 8])
def test_ranks_that_are_as_even_as_can_be_stand_every_test(L: int) -> None:
    for one in calibration(np.arange(60 * (L + 1)) % (L + 1), L):
        assert one.p_value == 1


MISUSES: dict[str, tuple[Callable[[], object], str]] = {
    "shapes": (lambda: ranks(np.zeros(3), np.zeros((4, 2))), "truths have the shape"),
    "functions": (lambda: ranks(np.zeros((3, 2)), np.zeros((3, 5, 1))), "truths have the shape"),
    "integers": (lambda: ranks(np.zeros(3, dtype=int), np.zeros((3, 2))), "single or double precision"),
    "half precision": (lambda: ranks(np.zeros(3), np.zeros((3, 2), dtype=np.float16)), "single or double precision"),
    "NaN": (lambda: ranks(np.zeros(3), np.full((3, 2), np.nan)), "must be finite"),
    "no draw": (lambda: ranks(np.zeros(3), np.zeros((3, 0))), "at least one draw"),
    "fractions": (lambda: calibration([0.5], 2), "whole numbers"),
    "no rank": (lambda: calibration(np.zeros(0, dtype=int), 2), "whole numbers"),
    "among none": (lambda: calibration([0], 0), "whole numbers"),
    "beyond": (lambda: calibration([0, 3], 2), "go from 0 to 2"),
    "negative": (lambda: calibration([-1, 0], 2), "go from 0 to 2"),
}


@pytest.mark.parametrize(("misuse", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_told(misuse: Callable[[], object], message: str) -> None:
    with pytest.raises(MisuseError, match=message):
        misuse()
