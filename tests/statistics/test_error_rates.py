"""The tests' own error rates, at 5 %, where luck is visible, judged by an exact binomial test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy.special import bdtr, bdtrc

from verifydiff.statistics import (
    ErrorRates,
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
from verifydiff.statistics.evidence import slices
from verifydiff.statistics.independence import common, folded, neighbours, pairs

LEVEL = 0.05
RUNS = 2000
OWN_RATE = 1e-6  # of this judgement: how often it may fail a test whose rates are right
SHAPE = (5, 8, 6)

EXACT = {
    "zero-mean": zero_mean,
    "unit-variance": unit_variance,
    "extremes": extremes,
    **{f"zero-mean-{axis}": partial(zero_mean, axis=axis) for axis in range(3)},
    **{f"unit-variance-{axis}": partial(unit_variance, axis=axis) for axis in range(3)},
    "one-pair": lambda u: pairs(slices(u[:2], 0)),
    "one-pair-of-magnitudes": lambda u: pairs(folded(slices(u[:2], 0))),
    "neighbours-of-two": lambda u: neighbours(slices(u[:2], 0)),
    "common": lambda u: common(slices(u, 1)),
    "common-of-magnitudes": lambda u: common(folded(slices(u, 1))),
}

BOUNDED = {
    "kolmogorov-smirnov": kolmogorov_smirnov,
    "tails": tails,
    "pairs": lambda u: pairs(slices(u, 1)),
    "neighbours": lambda u: neighbours(slices(u, 0)),
    "coincidence": coincidence,
    "coincidence-of-two": lambda u: coincidence(u[:2], axis=0, resolution=0.0),
    "coincidence-of-rows": lambda u: coincidence(u[:, :, :1], axis=1),
    **{f"independence-{axis}": partial(independence, axis=axis) for axis in range(3)},
}


@pytest.mark.parametrize("test", EXACT.values(), ids=EXACT)
def test_an_exact_test_rejects_right_draws_as_often_as_it_says(test: Callable[..., Evidence], rng: np.random.Generator) -> None:
    rejections = sum(test(rng.standard_normal(SHAPE)).rejects(LEVEL) for _ in range(RUNS))
    assert bdtrc(rejections - 1, RUNS, LEVEL) > OWN_RATE / 2, f"{rejections} of {RUNS} rejected: too many"
    assert bdtr(rejections, RUNS, LEVEL) > OWN_RATE / 2, f"{rejections} of {RUNS} rejected: too few"


@pytest.mark.parametrize("test", BOUNDED.values(), ids=BOUNDED)
def test_a_bounded_test_rejects_right_draws_no_oftener_and_not_much_seldomer(
    test: Callable[..., Evidence], rng: np.random.Generator
) -> None:
    rejections = sum(test(rng.standard_normal(SHAPE)).rejects(LEVEL) for _ in range(RUNS))
    assert bdtrc(rejections - 1, RUNS, LEVEL) > OWN_RATE, f"{rejections} of {RUNS} rejected: too many"
    assert bdtr(rejections, RUNS, LEVEL / 10) > OWN_RATE, f"{rejections} of {RUNS} rejected: it says nothing any more"


def test_the_whole_battery_keeps_to_one_shared_budget(rng: np.random.Generator) -> None:
    runs = 1000
    rejections = 0
    for _ in range(runs):
        battery = standard_normal_battery(rng.standard_normal(SHAPE))
        share = ErrorRates(false_alarm=LEVEL).shared_among(len(battery)).false_alarm
        rejections += any(evidence.rejects(share) for evidence in battery)
    assert bdtrc(rejections - 1, runs, LEVEL) > OWN_RATE


def test_right_draws_pass_with_two_hundred_seeds() -> None:
    for seed in range(200):
        battery = standard_normal_battery(np.random.default_rng(seed).standard_normal((50, 16, 4)))
        share = ErrorRates().shared_among(200 * len(battery)).false_alarm
        assert not [evidence for evidence in battery if evidence.rejects(share)]
