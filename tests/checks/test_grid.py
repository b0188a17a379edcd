"""The time grid and where each step lands."""

import numpy as np
import pytest
from samplers import ABAR, BETAS, ddim, leading

import verifydiff as vd
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)


def over(times, told=lambda t: t):
    """DDIM(0) over any list of times."""

    def sample(denoise, x, seed):
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            eps = denoise(x, told(t))
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
        return x

    return sample


def finding(report, check):
    return next(found for found in report.findings if found.check == check)


WRONG = [
    (over([99, 66, 66, 33]), "the time t = 66 is told twice in a row (queries 1 and 2; 1 such pairs)"),
    (over([99, 33, 66]), "time must fall from query to query, it rises from t = 33 to 66 at query 2"),
    (over([99, 50], told=lambda t: t + 1), "query 0 tells t = 100; the schedule's indices run over 0..99"),
    (over([99, -1]), "query 1 tells t = -1; the schedule's indices run over 0..99"),
    (over([99, 50], told=lambda t: t / 100), "query 0 tells t = 0.99, which is no array index"),
    (over([99, 50], told=lambda t: t - 2e-6), "query 0 tells t = 98.999998, which is no array index"),
]


@pytest.mark.parametrize(
    ("sample", "says"), WRONG, ids=["duplicate", "rising", "one-based", "negative", "fractional", "nearly whole"]
)
def test_wrong_times_are_said(sample, says):
    report = vd.check(sample, schedule=SCHEDULE)
    assert report.status is Status.FAIL
    grid = [found for found in report.findings if found.check in ("time-grid", "behaviour") and found.status is Status.FAIL]
    assert grid
    assert says in grid[0].message or "without noise" in grid[0].message


@pytest.mark.parametrize("off", [1e-13, -1e-13, 9e-7, -9e-7])
def test_a_time_that_is_an_index_up_to_rounding_is_that_index(off):
    report = vd.check(
        over([99, 66, 33, 0], told=lambda t: t + off), schedule=SCHEDULE, family=vd.DDIM(), steps=4, spacing="linspace"
    )
    report.raise_if_failed()
    assert "from t = 99 to t = 0 of 0..99, linspace spacing" in finding(report, "time-grid").message


def test_a_wrong_number_of_steps_and_another_spacing_are_said():
    assert "asked 10 times; 12 steps were claimed" in finding(vd.check(ddim(), schedule=SCHEDULE, steps=12), "time-grid").message
    report = vd.check(ddim(0.0, 10, leading), schedule=SCHEDULE, steps=10, spacing="trailing")
    assert "not those of trailing spacing: query 0 tells t = 90, not 99" in finding(report, "time-grid").message
    assert finding(vd.check(ddim(0.0, 10, leading), schedule=SCHEDULE, spacing="leading"), "time-grid").status is Status.PASS


def test_a_grid_that_starts_below_the_noisiest_time_is_a_note():
    report = vd.check(ddim(0.0, 10, leading), schedule=SCHEDULE)
    assert finding(report, "time-coverage").status is Status.NOTE
    assert report.status is Status.PASS


def test_a_step_that_lands_beside_the_next_query_is_said_with_the_level_it_lands_on():
    times = [99, 79, 59, 39, 19]

    def sample(denoise, x, seed):
        for t in times:
            here, there = ABAR[t], ABAR[t - 18] if t > 19 else 1.0
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
        return x

    found = finding(vd.check(sample, schedule=SCHEDULE, family=vd.DDIM()), "pairing")
    assert found.status is Status.FAIL
    assert "4 of 5 steps" in found.message
    assert "(the level of t = 21)" in found.message or "(the level of t = 41)" in found.message
