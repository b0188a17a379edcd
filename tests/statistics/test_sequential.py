"""The sequential tests: their e-processes by quadrature, their rates under constant peeking, their cost, their state."""

from __future__ import annotations

import io
from collections.abc import Callable
from math import exp, inf, log, nan
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, chi2, norm

from verifydiff.statistics import (
    Decision,
    ErrorRates,
    Moments,
    SequentialMean,
    SequentialVariance,
    compare_mean,
    draws_needed_for_mean,
    draws_needed_for_variance,
)
from verifydiff.statistics.likelihood import MEAN, VARIANCE, Family, Mixture
from verifydiff.statistics.sequential import Sequential
from verifydiff.verdict import MisuseError

LOUD = ErrorRates(false_alarm=0.05, miss=0.05)
RUNS = 500
OWN_RATE = 1e-6
RESOLUTION = 0.5
TESTS = {"mean": SequentialMean, "variance": SequentialVariance}

# -- e-processes -----------------------------------------------------------------------------------------------------------


def expectation(family: Family, mixture: Mixture, n: int, theta: float) -> float:
    """E_theta of E_n, by quadrature over the exact law of the sum, out to where the furthest alternative has its mass."""
    if family is MEAN:
        grid = np.linspace(-10 * n - 60, 10 * n + 60, 400_001)
        return float(np.trapezoid(np.exp(mixture.log_e(n, grid) + norm(n * theta, n**0.5).logpdf(grid)), grid))
    y = np.linspace(-30, 12, 400_001)  # the logarithm of the sum
    return float(np.trapezoid(np.exp(mixture.log_e(n, np.exp(y)) + chi2(n, scale=theta).logpdf(np.exp(y)) + y), y))


@pytest.mark.parametrize("kind", TESTS)
@pytest.mark.parametrize("n", [3, 10, 40])
def test_under_the_claim_the_evidence_against_it_is_one_on_average(kind: str, n: int) -> None:
    test = TESTS[kind](RESOLUTION)
    assert expectation(test.family, test.off_claim, n, test.family.claim) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kind", TESTS)
def test_the_weights_sum_to_one(kind: str) -> None:
    test = TESTS[kind](0.01)
    for mixture in (test.off_claim, *test.off_resolution):
        assert np.exp(mixture.log_weights).sum() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("kind", TESTS)
@pytest.mark.parametrize("side", [0, 1])
def test_at_the_resolution_the_evidence_against_it_is_one_on_average_and_beyond_it_less(kind: str, side: int) -> None:
    test = TESTS[kind](RESOLUTION)
    sign, mixture = (1, -1)[side], test.off_resolution[side]
    values = [expectation(test.family, mixture, 12, test.off_by(sign * off)) for off in (RESOLUTION, 0.55, 0.7, 0.9)]
    assert values[0] == pytest.approx(1.0, abs=1e-6)
    assert all(value < 1 for value in values[1:])


@pytest.mark.parametrize("family", [MEAN, VARIANCE], ids=TESTS)
def test_the_ratio_of_a_family_is_that_of_the_densities(family: Family, rng: np.random.Generator) -> None:
    u = rng.standard_normal(7)
    laws = (norm(0.3, 1), norm(-0.2, 1)) if family is MEAN else (norm(0, 1.7**0.5), norm(0, 0.6**0.5))
    thetas = (0.3, -0.2) if family is MEAN else (1.7, 0.6)
    ratio = family.mixture([thetas[0]], [5.0], thetas[1]).log_e(7, family.statistic(u).sum())
    assert float(ratio) == pytest.approx(float(np.sum(laws[0].logpdf(u) - laws[1].logpdf(u))), rel=1e-12)


# -- rates -----------------------------------------------------------------------------------------------------------------

Draw = Callable[[np.random.Generator, int], Any]


def until_decided(test: Sequential, draw: Draw, rng: np.random.Generator, batch: int = 8, most: int = 400) -> Decision:
    while test.n < most and test.update(draw(rng, batch)) is Decision.INCONCLUSIVE:
        pass
    return test.decision


def gaussian(kind: str, off: float, d: int = 1) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> Any:
        u = rng.standard_normal((n, d))
        u[:, 0] = u[:, 0] + off if kind == "mean" else u[:, 0] * (1 + off) ** 0.5
        return 5 + 3 * u

    return draw


@pytest.mark.parametrize("d", [1, 5])
@pytest.mark.parametrize("kind", TESTS)
def test_what_is_right_is_called_different_as_seldom_as_declared_though_one_looks_all_the_time(
    kind: str, d: int, rng: np.random.Generator
) -> None:
    rates = ErrorRates(0.05, 1e-12)  # never equal within the horizon, so that every look counts
    tests = [TESTS[kind](RESOLUTION, rates, mean=5.0, scale=3.0, d=d) for _ in range(RUNS)]
    decisions = [until_decided(test, gaussian(kind, 0.0, d), rng, 8, 160) for test in tests]
    alarms = decisions.count(Decision.DIFFERENT)
    assert binomtest(alarms, RUNS, rates.false_alarm, alternative="greater").pvalue > OWN_RATE
    assert binomtest(alarms, RUNS, rates.false_alarm / 10, alternative="less").pvalue > OWN_RATE, "it has not been blunted either"


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("d", [1, 5])
@pytest.mark.parametrize("kind", TESTS)
def test_what_is_off_by_the_resolution_is_called_equal_as_seldom_as_declared(
    kind: str, d: int, side: int, rng: np.random.Generator
) -> None:
    tests = [TESTS[kind](RESOLUTION, LOUD, mean=5.0, scale=3.0, d=d) for _ in range(RUNS)]
    decisions = [until_decided(test, gaussian(kind, side * RESOLUTION, d), rng) for test in tests]
    assert binomtest(decisions.count(Decision.EQUAL), RUNS, LOUD.miss, alternative="greater").pvalue > OWN_RATE
    assert decisions.count(Decision.DIFFERENT) > 0.9 * RUNS


SUB_GAUSSIAN: dict[str, Draw] = {
    "signs": lambda rng, n: rng.choice([-1.0, 1.0], n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "a rare bit": lambda rng, n: np.where(rng.random(n) < 0.9, 0.2, -1.8) / 1.8,
}


@pytest.mark.parametrize("draw", SUB_GAUSSIAN.values(), ids=SUB_GAUSSIAN)
def test_bounded_draws_keep_the_rates_of_a_mean_too(draw: Draw, rng: np.random.Generator) -> None:
    tests = [SequentialMean(RESOLUTION, LOUD) for _ in range(RUNS)]
    decisions = [until_decided(test, draw, rng) for test in tests]
    assert binomtest(decisions.count(Decision.DIFFERENT), RUNS, LOUD.false_alarm, alternative="greater").pvalue > OWN_RATE
    tests = [SequentialMean(RESOLUTION, LOUD, scale=1.0) for _ in range(RUNS)]
    decisions = [until_decided(test, lambda rng, n: RESOLUTION + draw(rng, n), rng) for test in tests]
    assert binomtest(decisions.count(Decision.EQUAL), RUNS, LOUD.miss, alternative="greater").pvalue > OWN_RATE


def peeking_with_the_fixed_test(draw: Draw, rng: np.random.Generator) -> bool:
    u = np.empty((0, 1))
    while len(u) < 160:
        u = np.concatenate([u, draw(rng, 4)])
        if compare_mean(u, 5.0, 3.0, RESOLUTION, ErrorRates(0.05, 1e-12)).decision is Decision.DIFFERENT:
            return True
    return False


def largest_coordinate_for_the_average(draw: Draw, rng: np.random.Generator) -> bool:
    test = SequentialMean(RESOLUTION, ErrorRates(0.05, 1e-12), mean=5.0, scale=3.0, d=16)
    while test.n < 160:
        test.update(draw(rng, 10))
        if test.off_claim.log_e(test.n, test.sums).max() >= log(1 / 0.05):
            return True
    return False


@pytest.mark.parametrize(
    ("mutant", "d"), [(peeking_with_the_fixed_test, 1), (largest_coordinate_for_the_average, 16)], ids=["peeking", "largest"]
)
def test_the_judge_of_the_rates_kills(
    mutant: Callable[[Draw, np.random.Generator], bool], d: int, rng: np.random.Generator
) -> None:
    alarms = sum(mutant(gaussian("mean", 0.0, d), rng) for _ in range(RUNS))
    assert binomtest(alarms, RUNS, 0.05, alternative="greater").pvalue < OWN_RATE


@pytest.mark.parametrize("kind", TESTS)
def test_the_interval_covers_the_truth_at_all_looks_at_once(kind: str, rng: np.random.Generator) -> None:
    off, lost = 0.3, 0
    for _ in range(150):
        test = TESTS[kind](RESOLUTION, LOUD, mean=5.0, scale=3.0, d=2)
        for _ in range(5):
            test.update(gaussian(kind, off, 2)(rng, 15))
            low, high = test.interval
            truth = np.array([off, 0.0]) + test.family.claim
            assert (low <= test.estimate).all()
            assert (test.estimate <= high).all()
            if ((truth < low) | (truth > high)).any():
                lost += 1
                break
    assert binomtest(lost, 150, LOUD.false_alarm, alternative="greater").pvalue > OWN_RATE


# -- cost ------------------------------------------------------------------------------------------------------------------


def draws_until_decided(test: Sequential, off: float, runs: int, rng: np.random.Generator) -> np.ndarray:
    """How many draws each of many runs takes, looked at after every 20; the same mixtures, all runs at once."""
    spent, s, n = np.zeros(runs), np.zeros(runs), 0
    open_ = np.ones(runs, dtype=bool)
    while open_.any():
        n += 20
        u = rng.standard_normal((runs, 20))
        u = u + off if test.family is MEAN else u * (1 + off) ** 0.5
        s += test.family.statistic(u).sum(axis=1)
        within = np.minimum(*(side.log_e(n, s) for side in test.off_resolution)) >= -log(test.rates.miss)
        decided = within | (test.off_claim.log_e(n, s) >= -log(test.rates.false_alarm))
        spent[open_ & decided] = n
        open_ &= ~decided
    return spent


COST = {"at the resolution": (0.1, 0.7), "at four times it": (0.4, 0.1), "at none": (0.0, 0.7), "at half": (0.05, 1.1)}


@pytest.mark.parametrize(("off", "share"), COST.values(), ids=COST)
@pytest.mark.parametrize("kind", TESTS)
def test_the_draws_on_average_are_a_share_of_the_fixed_tests(kind: str, off: float, share: float, rng: np.random.Generator) -> None:
    rates = ErrorRates(1e-6, 0.01)
    needed = (draws_needed_for_mean if kind == "mean" else draws_needed_for_variance)(0.1, rates)
    spent = draws_until_decided(TESTS[kind](0.1, rates), off, 200, rng)
    error = spent.std() / len(spent) ** 0.5
    assert spent.mean() + 5 * error < share * needed


@pytest.mark.parametrize("off", [-0.2, 0.0, 0.1, 0.4])
@pytest.mark.parametrize("kind", TESTS)
def test_the_draws_expected_are_of_the_right_size(kind: str, off: float, rng: np.random.Generator) -> None:
    test = TESTS[kind](0.1)
    assert draws_until_decided(test, off, 50, rng).mean() == pytest.approx(test.draws_expected(off), rel=0.5, abs=20)


# -- state -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TESTS)
def test_several_processes_come_to_what_one_would(kind: str, rng: np.random.Generator) -> None:
    x = gaussian(kind, 0.0, 3)(rng, 900)
    one, *many = (TESTS[kind](0.1, mean=5.0, scale=[3.0, 3.0, 3.0]) for _ in range(4))
    one.update(x)
    for process, part in zip(many, np.split(x, [100, 350]), strict=True):
        process.update(part)
    for process in many[1:]:
        many[0].merge(process)
    by_moments = TESTS[kind](0.1, mean=5.0, scale=3.0, d=3)
    by_moments.update_from(Moments.of(x, covariance="full"))
    for other in (many[0], by_moments):
        assert other.n == one.n == 900
        np.testing.assert_allclose(other.sums, one.sums, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("kind", TESTS)
def test_a_stored_state_goes_on_as_if_nothing_had_happened(kind: str, rng: np.random.Generator) -> None:
    test, resumed = (TESTS[kind](0.2, d=2) for _ in range(2))
    test.update(rng.standard_normal((50, 2)))
    np.savez(file := io.BytesIO(), **test.arrays())
    file.seek(0)
    resumed.restore(dict(np.load(file)))
    rest = 3 * rng.standard_normal((200, 2)) + 2
    assert test.update(rest) is resumed.update(rest) is Decision.DIFFERENT
    assert np.array_equal(test.sums, resumed.sums)
    resumed.restore(test.arrays())
    assert resumed.decision is Decision.DIFFERENT


def test_sums_alone_come_to_what_the_draws_would(rng: np.random.Generator) -> None:
    signs = rng.choice([-1.0, 1.0], (500, 3))
    whole, by_sums = SequentialMean(0.2, d=3), SequentialMean(0.2, d=3)
    assert whole.update(signs) is by_sums.update_by_sums(500, signs.sum(axis=0))
    assert (whole.n, *whole.sums) == (by_sums.n, *by_sums.sums)


@pytest.mark.parametrize(("n", "sums"), [(0, [1.0]), (-1, [1.0]), (5, [1.0, 2.0]), (5, [np.nan]), (2.5, [1.0])], ids=str)
def test_what_are_no_sums_of_draws_is_refused_and_not_counted(n: float, sums: list[float]) -> None:
    test = SequentialMean(0.2)
    with pytest.raises(MisuseError):
        test.update_by_sums(n, np.array(sums))  # type: ignore[arg-type]
    assert test.n == 0


def test_the_first_decision_stays(rng: np.random.Generator) -> None:
    test = SequentialMean(0.5)
    test.update(rng.standard_normal(1000))
    assert test.decision is Decision.EQUAL
    assert test.update(10 + rng.standard_normal(10_000)) is Decision.EQUAL
    assert test.p_value < 1e-6


def test_before_the_first_draw_nothing_is_said() -> None:
    for cls in TESTS.values():
        test = cls(0.1, d=2)
        assert test.decision is Decision.INCONCLUSIVE
        assert test.p_value == 1
        low, high = test.interval
        assert (high == inf).all()
        assert (low == (-inf if cls is SequentialMean else 0)).all()
        assert np.isnan(test.estimate).all()


def test_a_sampler_without_noise_has_not_the_claimed_variance() -> None:
    test = SequentialVariance(0.1)
    assert test.update(np.zeros(1000)) is Decision.DIFFERENT
    assert test.interval[1][0] < 1


def test_evidence_too_large_for_a_float_is_still_evidence() -> None:
    test = SequentialMean(1e-3)
    assert test.update(np.full(1000, 50.0)) is Decision.DIFFERENT
    assert test.p_value == 0
    assert test.log_e > 700


def test_half_the_weight_of_the_claims_evidence_is_on_either_side() -> None:
    mixture = SequentialMean(0.1).off_claim
    assert np.exp(mixture.log_weights)[mixture.eta > 0].sum() == pytest.approx(0.5)
    assert exp(mixture.log_weights[list(mixture.eta).index(0.1)]) == pytest.approx(0.485)


def test_anything_but_a_batch_is_refused_and_nothing_of_it_counted() -> None:
    test = SequentialMean(0.1, d=2)
    test.update(np.ones((3, 2)))
    wrong = (
        np.ones((2, 3)),
        np.ones(4),
        np.ones((2, 2), int),
        np.ones((2, 2), np.float16),
        [[1.0, nan]],
        [],
        np.full((2, 2), 1e308),
    )
    for batch in wrong:
        with pytest.raises(MisuseError):
            test.update(batch)
        assert test.n == 3
    with pytest.raises(MisuseError, match="2 coordinates"):
        test.update_from(Moments.empty(3))


FOREIGN: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "another kind": lambda: SequentialVariance(0.1).arrays(),
    "another resolution": lambda: SequentialMean(0.2).arrays(),
    "other rates": lambda: SequentialMean(0.1, LOUD).arrays(),
    "another claim": lambda: SequentialMean(0.1, mean=1.0).arrays(),
    "another dimension": lambda: SequentialMean(0.1, d=2).arrays(),
    "truncated": lambda: {name: part for name, part in SequentialMean(0.1).arrays().items() if name != "n"},
    "without sums": lambda: {name: part for name, part in SequentialMean(0.1).arrays().items() if name != "sums"},
    "no decision": lambda: {**SequentialMean(0.1).arrays(), "decision": np.array(7)},
    "a fraction": lambda: {**SequentialMean(0.1).arrays(), "n": np.array(0.5)},
    "sums of nothing": lambda: {**SequentialMean(0.1).arrays(), "sums": np.ones(1)},
    "NaN": lambda: {**SequentialMean(0.1).arrays(), "sums": np.array([nan])},
}


@pytest.mark.parametrize("arrays", FOREIGN.values(), ids=FOREIGN)
def test_the_state_of_another_test_is_refused_and_the_good_one_kept(arrays: Callable[[], dict[str, Any]]) -> None:
    test = SequentialMean(0.1)
    test.update(np.ones(3))
    with pytest.raises(MisuseError):
        test.restore(arrays())
    assert test.n == 3


def test_a_test_is_not_merged_with_itself_nor_with_another_claim() -> None:
    test = SequentialMean(0.1)
    with pytest.raises(MisuseError, match="not with its own"):
        test.merge(test)
    with pytest.raises(MisuseError, match="another kind, claim"):
        test.merge(SequentialMean(0.1, scale=2.0))


MISUSES: dict[str, Callable[[], object]] = {
    **{f"resolution of a mean {r}": lambda r=r: SequentialMean(r) for r in (0, -1, inf, nan)},
    **{f"resolution of a variance {r}": lambda r=r: SequentialVariance(r) for r in (0, -1, 1, nan)},
    **{f"scale {c}": lambda c=c: SequentialMean(0.1, scale=c) for c in (0, -1, inf, nan)},
    "mean": lambda: SequentialMean(0.1, mean=nan),
    "shapes": lambda: SequentialMean(0.1, mean=[1.0, 2.0], scale=[1.0, 2.0, 3.0]),
    "d": lambda: SequentialMean(0.1, mean=[1.0, 2.0], d=3),
    "no coordinates": lambda: SequentialMean(0.1, d=0),
    "a matrix for a scale": lambda: SequentialMean(0.1, scale=np.eye(2)),
    "a variance below nothing": lambda: SequentialVariance(0.1).draws_expected(-1.0),
}


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_misuse_is_told(misuse: Callable[[], object]) -> None:
    with pytest.raises(MisuseError):
        misuse()


def test_the_smallest_and_the_largest_resolutions_are_no_trouble() -> None:
    for resolution in (5e-324, 1e-12, 7.0, 100.0):
        assert SequentialMean(resolution).update(np.zeros(3)) is (Decision.INCONCLUSIVE if resolution < 7 else Decision.EQUAL)
    assert SequentialVariance(1 - 1e-12).update(np.ones(3)) is Decision.INCONCLUSIVE
