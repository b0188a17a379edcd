"""Every test of a law at 5 %, where luck is visible: on right draws it rejects as often as it says, on wrong ones it finds.

The judge is an exact binomial test. It is judged itself: mistakes planted in the statistics fail it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import betaincc, ndtr
from scipy.stats import binomtest, ks_2samp

from verifydiff.statistics import (
    ErrorRates,
    Evidence,
    Moments,
    bounded_mean,
    calibration,
    coupled,
    coupled_variances,
    cumulative_counts,
    directions,
    distribution_function,
    energy_distance,
    gaussian,
    gaussian_battery,
    joint_agreement,
    joint_battery,
    kernel_distance,
    moments,
    permutations_needed,
    projections,
    stacked,
    two_sample,
    uniformity,
    unit_variance,
    zero_mean,
)
from verifydiff.statistics.chi_squared import above, below
from verifydiff.verdict import MisuseError

LEVEL, RUNS, OWN_RATE = 0.05, 1000, 1e-6
Rng = np.random.Generator
D, N = 4, 9
MEAN = np.array([1.0, -2.0, 0.5, 3.0])
COVARIANCE = np.array([[2.0, 0.6, 0.0, 0.3], [0.6, 1.0, -0.2, 0.0], [0.0, -0.2, 0.5, 0.1], [0.3, 0.0, 0.1, 4.0]])
L = np.linalg.cholesky(COVARIANCE)


def gaussian_draws(rng: Rng, n: int = N) -> Any:
    return MEAN + rng.standard_normal((n, D)) @ L.T


def battery_of_right_draws(rng: Rng) -> tuple[Evidence, ...]:
    return joint_battery(Moments.of(gaussian_draws(rng)), 1, MEAN, COVARIANCE)


def battery_of_independent_coordinates(rng: Rng) -> tuple[Evidence, ...]:
    x = MEAN + rng.standard_normal((N, D)) * [1, 2, 3, 4]
    return gaussian_battery(Moments.of(x, covariance="diagonal"), MEAN, [1, 4, 9, 16])


def of_gaussian(test: str) -> Callable[[Rng], Evidence]:
    return lambda rng: next(one for one in battery_of_right_draws(rng) if one.test == test)


def of_calibration(index: int, L: int, n: int = 50) -> Callable[[Rng], Evidence]:
    return lambda rng: calibration(rng.integers(0, L + 1, n), L)[index]


EXACT: dict[str, Callable[[Rng], Evidence]] = {
    "one direction, mean": lambda rng: directions(Moments.of(gaussian_draws(rng)), MEAN, COVARIANCE, np.ones((1, D)))[0],
    "one direction, variance": lambda rng: directions(Moments.of(gaussian_draws(rng)), MEAN, COVARIANCE, np.ones((1, D)))[1],
    "coupled-variances": lambda rng: coupled_variances(*(rng.standard_normal((5, 2)) @ [[1, 0.9], [0.9, 1]]).T),
    "energy-distance": lambda rng: energy_distance(rng.gamma(2, size=(6, 2)), rng.gamma(2, size=(9, 2)), permutations=19),
    "kernel-distance": lambda rng: kernel_distance(rng.gamma(2, size=6), rng.gamma(2, size=9), permutations=19),
    "joint-agreement": lambda rng: joint_agreement(*(tuple(rng.standard_normal((2, 8))) for _ in "ab"), permutations=19),
}
BOUNDED: dict[str, Callable[[Rng], Evidence]] = {
    "projections": lambda rng: projections(rng.gamma(2, size=(12, 3)), rng.gamma(2, size=(15, 3)), 4, permutations=19),
    "directions, mean": lambda rng: directions(Moments.of(gaussian_draws(rng)), MEAN, COVARIANCE, rng.standard_normal((3, D)))[0],
    "directions, variance": lambda rng: directions(Moments.of(gaussian_draws(rng)), MEAN, COVARIANCE, rng.standard_normal((3, D)))[
        1
    ],
    "distribution-function": lambda rng: distribution_function(rng.random(40)),
    "cumulative-counts": lambda rng: cumulative_counts(rng.random(400)),
    "calibration, distribution-function": of_calibration(0, 31),
    "calibration, cumulative-counts": of_calibration(1, 31),
    "calibration, spread": of_calibration(2, 31),
    "calibration, an even number of draws": of_calibration(2, 6),
}
TIGHT_NOWHERE: dict[str, Callable[[Rng], Evidence]] = {
    "bounded-mean of signs": lambda rng: bounded_mean(rng.choice([-1.0, 1.0], 100), 0.0, -1, 1),
    "bounded-mean of uniform": lambda rng: bounded_mean(rng.random(100), 0.5, 0, 1),
    "bounded-mean of rare events": lambda rng: bounded_mean((rng.random(100) < 0.05).astype(float), 0.05, 0, 1),
    "distribution-function of atoms": lambda rng: calibration(rng.integers(0, 2, 40), 1)[0],
}


def rejections(test: Callable[[Rng], Evidence], rng: Rng, runs: int = RUNS) -> int:
    return sum(test(rng).rejects(LEVEL) for _ in range(runs))


def too_many(count: int, runs: int = RUNS) -> bool:
    return bool(binomtest(count, runs, LEVEL, alternative="greater").pvalue < OWN_RATE / 2)


def too_few(count: int, level: float, runs: int = RUNS) -> bool:
    return bool(binomtest(count, runs, level, alternative="less").pvalue < OWN_RATE / 2)


@pytest.mark.parametrize("battery", [battery_of_right_draws, battery_of_independent_coordinates])
def test_every_exact_test_of_a_gaussian_rejects_right_draws_as_often_as_it_says(
    battery: Callable[[Rng], tuple[Evidence, ...]], rng: Rng
) -> None:
    runs = [battery(rng) for _ in range(RUNS)]
    for tests in zip(*runs, strict=True):
        count = sum(one.rejects(LEVEL) for one in tests)
        assert not too_many(count), tests[0].test
        assert not too_few(count, LEVEL), tests[0].test


@pytest.mark.parametrize("test", EXACT.values(), ids=EXACT)
def test_an_exact_test_rejects_right_draws_as_often_as_it_says(test: Callable[[Rng], Evidence], rng: Rng) -> None:
    count = rejections(test, rng)
    assert not too_many(count)
    assert not too_few(count, LEVEL)


@pytest.mark.parametrize("test", BOUNDED.values(), ids=BOUNDED)
def test_a_bounded_test_rejects_right_draws_no_oftener_and_not_much_seldomer(test: Callable[[Rng], Evidence], rng: Rng) -> None:
    count = rejections(test, rng)
    assert not too_many(count)
    assert not too_few(count, LEVEL / 10)


@pytest.mark.parametrize("test", TIGHT_NOWHERE.values(), ids=TIGHT_NOWHERE)
def test_a_bound_for_all_laws_rejects_right_draws_no_oftener_than_it_says(test: Callable[[Rng], Evidence], rng: Rng) -> None:
    assert not too_many(rejections(test, rng))


# -- mistakes in the statistics --------------------------------------------------------------------------------------------


def one_sided(below: Any, above: Any) -> Any:
    return np.minimum(below, above)


def first_alone(p: float, tests: int) -> float:
    return p


def half_a_tail(z: Any) -> Any:
    return ndtr(z) / 2


def without_the_one_that_was_seen(rng: Rng) -> Evidence:
    found = energy_distance(rng.random(6), rng.random(6), permutations=9)
    return replace(found, p_value=(found.p_value * 10 - 1) / 9)


MISTAKES: dict[str, tuple[Any, dict[str, Any], Callable[[Rng], Evidence]]] = {
    "one side of a chi-squared test for both": (
        moments,
        {"two_sided": one_sided},
        lambda rng: unit_variance(rng.standard_normal(N)),
    ),
    "one side of a z test for both": (moments, {"ndtr": half_a_tail}, lambda rng: zero_mean(rng.standard_normal(N))),
    "one side of the trace for both": (gaussian, {"two_sided": one_sided}, of_gaussian("covariance-scale")),
    "one side of the largest entry for both": (gaussian, {"ndtr": half_a_tail}, of_gaussian("covariance-entries")),
    "n - 1 degrees of freedom for n": (
        moments,
        {"below": lambda n, s: below(n - 1, s), "above": lambda n, s: above(n - 1, s)},
        lambda rng: unit_variance(rng.standard_normal((30, 2)), axis=0),
    ),
    "n degrees of freedom for n - 1": (
        gaussian,
        {"below": lambda n, s: below(n + 1, s), "above": lambda n, s: above(n + 1, s)},
        lambda rng: gaussian_battery(Moments.of(rng.standard_normal((2, 1))), 0.0, 1.0)[2],
    ),
    "as many degrees of freedom for every entry of the diagonal": (
        gaussian,
        {"_scores": lambda degrees, s: scores([N - 1] * len(s), s)},
        of_gaussian("covariance-entries"),
    ),
    "the least of many p-values for its own": (
        gaussian,
        {"smallest_of_independent": first_alone},
        of_gaussian("covariance-entries"),
    ),
    "the least of many cuts for its own": (
        uniformity,
        {"smallest_of_any": first_alone},
        BOUNDED["calibration, cumulative-counts"],
    ),
    "n - 1 degrees of freedom for n - 2 of a correlation": (
        coupled,
        {"betaincc": lambda a, b, x: betaincc(a, b + 0.5, x)},
        EXACT["coupled-variances"],
    ),
    "a whitening that forgets the correlations": (
        gaussian,
        {"factor": lambda C, d: np.sqrt(np.diagonal(C))},
        of_gaussian("covariance"),
    ),
    "a p-value of permutations without the one that was seen": (two_sample, {}, without_the_one_that_was_seen),
}
scores = gaussian._scores


@pytest.mark.parametrize(("module", "wrong", "test"), MISTAKES.values(), ids=MISTAKES)
def test_no_mistake_in_the_statistics_lives(
    module: Any, wrong: dict[str, Any], test: Callable[[Rng], Evidence], rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, mistake in wrong.items():
        monkeypatch.setattr(module, name, mistake)
    assert too_many(rejections(test, rng))


# -- what is wrong is found ------------------------------------------------------------------------------------------------


def moved(rng: Rng, n: int) -> Any:
    return gaussian_draws(rng, n) + np.eye(D)[1] / 10


def moved_everywhere(rng: Rng, n: int) -> Any:
    return gaussian_draws(rng, n) + 0.05 * L.sum(axis=1)


def standard_deviation_off_by_three_percent(rng: Rng, n: int) -> Any:
    return MEAN + 1.03 * (gaussian_draws(rng, n) - MEAN)


def one_variance_off(rng: Rng, n: int) -> Any:
    return MEAN + rng.standard_normal((n, D)) * [1, 1, 1.06, 1] @ L.T


def first_coordinate_on_noise_of_its_own(rng: Rng, n: int) -> Any:
    x = gaussian_draws(rng, n)
    x[:, 0] = gaussian_draws(rng, n)[:, 0]
    return x


FOUND_BY: dict[Callable[[Rng, int], Any], set[str]] = {
    moved: {"mean", "mean-coordinates"},
    moved_everywhere: {"mean"},
    standard_deviation_off_by_three_percent: {"covariance-scale", "covariance"},
    one_variance_off: {"covariance-entries", "covariance"},
    first_coordinate_on_noise_of_its_own: {"covariance-entries", "covariance", "cross-covariance", "cross-covariance-entries"},
}


@pytest.mark.parametrize(("mutant", "tests"), FOUND_BY.items(), ids=[mutant.__name__ for mutant in FOUND_BY])
def test_no_mutant_of_a_gaussian_survives(mutant: Callable[[Rng, int], Any], tests: set[str], rng: Rng) -> None:
    battery = joint_battery(Moments.of(mutant(rng, 20_000)), 1, MEAN, COVARIANCE)
    share = ErrorRates().shared_among(len(battery)).false_alarm
    assert tests <= {one.test for one in battery if one.rejects(share)}


def test_every_direction_is_its_own_question(rng: Rng) -> None:
    along = rng.standard_normal((20, D))
    right = directions(Moments.of(gaussian_draws(rng, 20_000)), MEAN, COVARIANCE, along)
    wrong = directions(Moments.of(standard_deviation_off_by_three_percent(rng, 20_000)), MEAN, COVARIANCE, along)
    assert not any(one.rejects(1e-6) for one in right)
    assert not wrong[0].rejects(1e-6)
    assert wrong[1].rejects(1e-6)


@pytest.mark.parametrize("test", [energy_distance, kernel_distance])
def test_laws_with_the_same_mean_and_variance_are_told_apart(test: Callable[..., Evidence], rng: Rng) -> None:
    x, y = rng.standard_normal((400, 2)), rng.standard_exponential((400, 2)) - 1
    assert test(x, y).p_value == 1 / 1000
    assert test(x, rng.standard_normal((400, 2))).p_value > 1e-3


def test_projections_see_what_one_coordinate_hides(rng: Rng) -> None:
    x = rng.standard_normal((1500, 2))
    z = rng.standard_normal((1500, 2))
    y = np.stack([z[:, 0], 0.9 * z[:, 0] + 0.19**0.5 * z[:, 1]], axis=1)
    assert projections(x, y, 10).p_value == 1 / 1000


def test_pairs_that_agree_in_the_marginals_alone_are_told_apart_without_a_formula(rng: Rng) -> None:
    def pairs() -> tuple[Any, Any]:
        a = rng.standard_exponential((400, 1))
        return a, a + 0.5 * rng.standard_normal((400, 1))

    assert joint_agreement((pairs()[0], pairs()[1]), pairs()).p_value == 1 / 1000
    assert joint_agreement(pairs(), pairs()).p_value > 1e-3


def test_heavy_and_light_ends_are_found_by_the_counts(rng: Rng) -> None:
    t = rng.standard_t(4, 20_000) * 0.5**0.5  # of variance one
    assert cumulative_counts(ndtr(t)).rejects(1e-6)
    far = rng.standard_normal(20_000)
    far[:12] = 5.0
    assert cumulative_counts(ndtr(far)).rejects(1e-6)
    assert not distribution_function(ndtr(far)).rejects(1e-2)
    assert distribution_function(ndtr(rng.standard_normal(20_000) + 0.1)).rejects(1e-6)


def test_a_bounded_mean_that_is_off_is_found_and_few_varying_draws_the_sooner(rng: Rng) -> None:
    assert bounded_mean(rng.random(2000) ** 1.3, 0.5, 0, 1).rejects(1e-6)
    quiet = 0.5 + 0.01 * rng.uniform(-1, 1, 5000)
    assert bounded_mean(quiet, 0.51, 0, 1).rejects(1e-6)
    assert 2 * np.exp(-2 * quiet.size * 0.01**2) > 0.5, "Hoeffding alone would not see it"


# -- by hand ---------------------------------------------------------------------------------------------------------------


def test_the_entries_of_the_triangle_are_those_of_bartlett(rng: Rng) -> None:
    x = gaussian_draws(rng)
    u = gaussian.whiten(x, MEAN, COVARIANCE)
    np.testing.assert_allclose(u @ L.T + MEAN, x, rtol=1e-12)
    z, T = gaussian.whitened(Moments.of(x), MEAN, COVARIANCE)
    np.testing.assert_allclose(z, u.sum(axis=0) / N**0.5, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(T @ T.T, np.cov(u.T) * (N - 1), rtol=1e-9, atol=1e-12)
    residual = u[:, 1] - u[:, 1].mean()
    first = u[:, 0] - u[:, 0].mean()
    assert T[1, 0] == pytest.approx(residual @ first / np.linalg.norm(first))
    residual = residual - T[1, 0] * first / np.linalg.norm(first)
    assert T[1, 1] == pytest.approx(np.linalg.norm(residual))


def test_variances_given_as_a_matrix_are_the_same_claim(rng: Rng) -> None:
    m = Moments.of(rng.standard_normal((20, 3)))
    for one, other in zip(gaussian_battery(m, 0.0, 2.0), gaussian_battery(m, np.zeros(3), 2 * np.eye(3)), strict=True):
        assert one.p_value == pytest.approx(other.p_value, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, D])
def test_with_no_more_draws_than_coordinates_the_covariance_is_not_judged(n: int, rng: Rng) -> None:
    battery = {one.test: one for one in joint_battery(Moments.of(1e6 * gaussian_draws(rng, n)), 2, MEAN, COVARIANCE)}
    for test in ("covariance", "covariance-entries", "cross-covariance", "cross-covariance-entries"):
        assert battery[test].n == 0
        assert battery[test].p_value == 1
    assert battery["mean"].rejects(1e-6)
    assert battery["covariance-scale"].rejects(1e-6) == (n > 1)


def test_draws_that_lie_in_a_plane_are_not_those_of_a_full_gaussian(rng: Rng) -> None:
    x = gaussian_draws(rng, 100)
    x[:, 3] = x[:, 0]
    battery = {one.test: one for one in gaussian_battery(Moments.of(x), MEAN, COVARIANCE)}
    assert battery["covariance"].rejects(1e-12)
    constant = gaussian_battery(Moments.of(np.tile(MEAN, (100, 1))), MEAN, COVARIANCE)
    assert {one.test for one in constant if one.rejects(1e-12)} == {"covariance-scale", "covariance-entries", "covariance"}


@pytest.mark.parametrize(
    ("x", "y", "energy"), [([0.0, 0.0], [1.0, 1.0], 2.0), ([0.0, 2.0], [1.0, 1.0], 1.0), ([0.0, 1.0], [0.0, 1.0], 0.0)]
)
def test_the_energy_distance_is_that_of_its_definition(x: list[float], y: list[float], energy: float) -> None:
    assert energy_distance(x, y, permutations=1).statistic == pytest.approx(energy, abs=1e-12)


def test_draws_that_are_all_the_same_are_of_one_law() -> None:
    for test in (energy_distance, kernel_distance):
        assert test(np.ones((5, 2)), np.ones((4, 2)), permutations=9).p_value == 1
    assert projections(np.ones((5, 2)), np.ones((4, 2)), 3, permutations=9).p_value == 1


def test_the_distance_of_projections_is_kolmogorov_and_smirnovs(rng: Rng) -> None:
    x, y = rng.integers(0, 5, 30).astype(float), rng.integers(0, 6, 40).astype(float)
    assert projections(x, y, 1, permutations=1).statistic == pytest.approx(ks_2samp(x, y).statistic, rel=1e-12)


def test_the_same_seed_gives_the_same_p_value_and_the_resolution_is_told(rng: Rng) -> None:
    x, y = rng.random(20), rng.random(20)
    assert energy_distance(x, y, seed=3) == energy_distance(x, y, seed=3)
    assert energy_distance(x, y).where == "p-values go down to 0.001"
    for rate in (0.05, 1e-3, 1e-6):
        B = permutations_needed(rate)
        assert 1 / (1 + B) <= rate < 1 / B


WIDE = Moments.of(np.random.default_rng(0).standard_normal((9, 2)))
NARROW = Moments.of(np.random.default_rng(0).standard_normal((9, 2)), covariance="diagonal")
PAIR = np.array([0.1, 0.2])
MISUSES: dict[str, tuple[Callable[[], object], str]] = {
    "not positive definite": (lambda: gaussian_battery(WIDE, 0.0, [[1.0, 2.0], [2.0, 1.0]]), "positive definite"),
    "not symmetric": (lambda: gaussian_battery(WIDE, 0.0, [[1.0, 0.5], [0.0, 1.0]]), "symmetric 2 x 2"),
    "another shape": (lambda: gaussian_battery(WIDE, 0.0, np.eye(3)), "symmetric 2 x 2"),
    "NaN": (lambda: gaussian_battery(WIDE, 0.0, [[1.0, np.nan], [np.nan, 1.0]]), "finite symmetric"),
    "a negative variance": (lambda: gaussian_battery(WIDE, 0.0, [1.0, -1.0]), "variances must be positive"),
    "a mean too many": (lambda: gaussian_battery(WIDE, [0.0, 0.0, 0.0], 1.0), "claimed mean must be one or 2"),
    "variances for a covariance": (lambda: gaussian_battery(NARROW, 0.0, np.eye(2)), "only the diagonal was kept"),
    "no draws": (lambda: gaussian_battery(Moments.empty(2), 0.0, 1.0), "at least one draw"),
    "vectors that are none": (lambda: gaussian.whiten(PAIR, 0.0, 1.0), r"the shape \(n, d\)"),
    "directions": (lambda: directions(WIDE, 0.0, 1.0, np.ones((1, 3))), "rows of 2 numbers"),
    "a direction of zeros": (lambda: directions(WIDE, 0.0, 1.0, np.zeros((1, 2))), "must not be zero"),
    "a without coordinates": (lambda: joint_battery(WIDE, 0, 0.0, 1.0), "from 1 to 1"),
    "b without coordinates": (lambda: joint_battery(WIDE, 2, 0.0, 1.0), "from 1 to 1"),
    "pairs of variances": (lambda: joint_battery(NARROW, 1, 0.0, 1.0), "full covariance"),
    "pairs of other lengths": (lambda: stacked(np.ones(3), np.ones(4)), "as many rows"),
    "pairs of other kinds": (lambda: joint_agreement((PAIR, PAIR), (np.ones((2, 2)), PAIR)), "as many coordinates"),
    "dimensions": (lambda: energy_distance(np.ones((3, 2)), np.ones((3, 1))), r"\(n, d\) and \(m, d\)"),
    "one draw against many": (lambda: energy_distance([1.0], PAIR), "at least 2"),
    "no permutation": (lambda: energy_distance(PAIR, PAIR, permutations=0), "at least one permutation"),
    "too many draws": (lambda: energy_distance(np.zeros(5000), np.zeros(5000)), "at most 8192"),
    "overflow": (lambda: energy_distance([1e200, 1.0], PAIR), "distances overflow"),
    "no direction": (lambda: projections(PAIR, PAIR, 0), "at least one direction"),
    "a rate that is none": (lambda: permutations_needed(0.0), "strictly between 0 and 1"),
    "integers": (lambda: energy_distance(np.arange(3), np.arange(3)), "single or double precision"),
    "half precision": (lambda: distribution_function(PAIR.astype(np.float16)), "single or double precision"),
    "no probability": (lambda: cumulative_counts([0.5, 1.5]), r"lie in \[0, 1\]"),
    "beyond the bounds": (lambda: bounded_mean([0.5, 1.5], 0.5, 0, 1), "draws must lie in"),
    "a mean at the bound": (lambda: bounded_mean([0.5], 0.0, 0, 1), "must lie between the bounds"),
    "NaN for a bound": (lambda: bounded_mean([0.5], 0.5, np.nan, 1), "must lie between the bounds"),
}


@pytest.mark.parametrize(("misuse", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_told(misuse: Callable[[], object], message: str) -> None:
    with pytest.raises(MisuseError, match=message):
        misuse()
