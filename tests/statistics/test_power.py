"""Wrong noise is found, at the default rates, by the test that asks about it. Each mutant is named after the mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from verifydiff.statistics import ErrorRates, standard_normal_battery

STEPS, ROWS, COORDINATES = SHAPE = (50, 128, 8)
Rng = np.random.Generator


def uniform(rng: Rng) -> Any:
    return rng.uniform(-(3**0.5), 3**0.5, SHAPE)


def rademacher(rng: Rng) -> Any:
    return rng.choice([-1.0, 1.0], SHAPE)


def laplace(rng: Rng) -> Any:
    return rng.laplace(scale=0.5**0.5, size=SHAPE)


def student_t(rng: Rng) -> Any:
    return rng.standard_t(5, SHAPE) * (3 / 5) ** 0.5


def truncated_at_three(rng: Rng) -> Any:
    return np.clip(rng.standard_normal(SHAPE), -3, 3)


def scale_off_by_three_percent(rng: Rng) -> Any:
    return 1.03 * rng.standard_normal(SHAPE)


def scale_off_at_one_step(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)
    u[17] *= 1.3
    return u


def variance_used_as_standard_deviation(rng: Rng) -> Any:
    return 0.81 / 0.9 * rng.standard_normal(SHAPE)


def biased(rng: Rng) -> Any:
    return rng.standard_normal(SHAPE) + 0.05


def biased_both_ways(rng: Rng) -> Any:
    return rng.standard_normal(SHAPE) + 0.1 * np.tile([1, -1], COORDINATES // 2)


def one_outlier(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)
    u[3, 4, 5] = 9
    return u


def one_draw_for_all_rows(rng: Rng) -> Any:
    return np.broadcast_to(rng.standard_normal((STEPS, 1, COORDINATES)), SHAPE)


def two_rows_share_their_noise(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)
    u[:, 100] = u[:, 3]
    return u


def one_draw_for_all_coordinates(rng: Rng) -> Any:
    return np.broadcast_to(rng.standard_normal((STEPS, ROWS, 1)), SHAPE)


def stale_step(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)
    u[20] = u[19]
    return u


def same_key_at_every_step(rng: Rng) -> Any:
    return np.broadcast_to(rng.standard_normal((1, ROWS, COORDINATES)), SHAPE)


def generator_starts_over_half_way(rng: Rng) -> Any:
    return np.tile(rng.standard_normal((STEPS // 2, ROWS, COORDINATES)), (2, 1, 1))


def antithetic_rows(rng: Rng) -> Any:
    half = rng.standard_normal((STEPS, ROWS // 2, COORDINATES))
    return np.concatenate([half, -half], axis=1)


def faintly_autoregressive(rng: Rng) -> Any:
    u, rho = rng.standard_normal(SHAPE), 0.06
    for k in range(1, STEPS):
        u[k] = rho * u[k - 1] + (1 - rho**2) ** 0.5 * u[k]
    return u


def faintly_shared_by_all_rows(rng: Rng) -> Any:
    return 0.98**0.5 * rng.standard_normal(SHAPE) + 0.02**0.5 * rng.standard_normal((STEPS, 1, COORDINATES))


def smoothed_over_coordinates(rng: Rng) -> Any:
    u = rng.standard_normal((STEPS, ROWS, COORDINATES + 1))
    return (u[..., 1:] + 0.1 * u[..., :-1]) / 1.01**0.5


def magnitudes_kept_under_fresh_signs(rng: Rng) -> Any:
    return np.abs(rng.standard_normal((1, ROWS, COORDINATES))) * rng.choice([-1.0, 1.0], SHAPE)


def one_draw_twice(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)[:2]
    u[0, 0, 0] = u[1, 5, 3]
    return u


def step_in_the_order_of_another(rng: Rng) -> Any:
    u = rng.standard_normal(SHAPE)
    u[30] = rng.permutation(u[29].ravel()).reshape(u[30].shape)
    return u


FOUND_BY: dict[Callable[[Rng], Any], set[str]] = {
    uniform: {"kolmogorov-smirnov", "tails", "extremes"},
    rademacher: {"kolmogorov-smirnov", "tails", "extremes"},
    laplace: {"kolmogorov-smirnov", "tails", "extremes"},
    student_t: {"kolmogorov-smirnov", "tails", "extremes"},
    truncated_at_three: {"extremes"},
    scale_off_by_three_percent: {"unit-variance"},
    scale_off_at_one_step: {"unit-variance-of-steps"},
    variance_used_as_standard_deviation: {"unit-variance", "kolmogorov-smirnov", "tails"},
    biased: {"zero-mean", "kolmogorov-smirnov"},
    biased_both_ways: {"zero-mean-of-coordinates"},
    one_outlier: {"extremes"},
    one_draw_for_all_rows: {"independence-of-rows", "coincidence-of-rows"},
    two_rows_share_their_noise: {"independence-of-rows", "coincidence-of-rows"},
    one_draw_for_all_coordinates: {"independence-of-coordinates", "coincidence-of-coordinates"},
    stale_step: {"independence-of-steps", "coincidence-of-steps"},
    same_key_at_every_step: {"independence-of-steps", "coincidence-of-steps"},
    generator_starts_over_half_way: {"independence-of-steps", "coincidence-of-steps"},
    antithetic_rows: {"independence-of-rows"},
    faintly_autoregressive: {"independence-of-steps"},
    faintly_shared_by_all_rows: {"independence-of-rows"},
    smoothed_over_coordinates: {"independence-of-coordinates"},
    magnitudes_kept_under_fresh_signs: {"independence-of-steps"},
    one_draw_twice: {"coincidence"},
    step_in_the_order_of_another: {"coincidence"},
}


@pytest.mark.parametrize(("mutant", "tests"), FOUND_BY.items(), ids=[mutant.__name__ for mutant in FOUND_BY])
def test_no_mutant_survives(mutant: Callable[[Rng], Any], tests: set[str], rng: Rng) -> None:
    battery = standard_normal_battery(mutant(rng))
    share = ErrorRates().shared_among(len(battery)).false_alarm
    assert tests <= {evidence.test for evidence in battery if evidence.rejects(share)}


def test_every_test_of_the_battery_has_a_mutant_of_its_own(rng: Rng) -> None:
    asked = {evidence.test for evidence in standard_normal_battery(rng.standard_normal(SHAPE))}
    without = asked - set().union(*FOUND_BY.values())
    assert without == {"zero-mean-of-steps", "zero-mean-of-rows", "unit-variance-of-rows", "unit-variance-of-coordinates"}, (
        "the same code along another axis"
    )
