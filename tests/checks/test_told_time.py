"""The model is told the time of the level that it is asked at, or it is said by how much not."""

from dataclasses import replace

import numpy as np
import pytest
from samplers import ABAR, BETAS, trailing
from solvers import RIGHT

import verifydiff as vd
from verifydiff.checks.told_time import index_of
from verifydiff.observe import Target
from verifydiff.observe.frame import Frame
from verifydiff.observe.target import Prediction
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)
TIMES = trailing(10)


def ddim(told, times=TIMES):
    """DDIM(0) that means its levels and tells ``told(t)``; a level between two indices lies evenly in noise over signal."""
    ratio = np.sqrt((1 - ABAR) / ABAR)

    def level(t):
        return float(1 / (1 + np.interp(t, np.arange(ABAR.size), ratio) ** 2))

    def sample(denoise, x, seed):
        for t, s in zip(times, [*times[1:], None], strict=True):
            here, there = level(t), 1.0 if s is None else level(s)
            x0 = denoise(x, told(t), at=Frame.of_level(here))
            eps = (x - np.sqrt(here) * x0) / np.sqrt(1 - here)
            x = np.sqrt(there) * x0 + np.sqrt(1 - there) * eps
        return x

    return Target("ddim", sample, SCHEDULE, prediction=Prediction.SAMPLE, fractional_times=True)


def told_time(report):
    return [finding for finding in report.findings if finding.check == "told-time"]


BETWEEN = [98.6, 80.3, 41.5, 20.25, 5.0]
CASES = {
    "the level's own": (ddim(lambda t: t), [Status.PASS]),
    "the level's own, between indices": (ddim(lambda t: t + 1e-9, BETWEEN), [Status.PASS]),
    "the nearest index": (ddim(round, BETWEEN), [Status.NOTE]),
    "the index below": (ddim(np.floor, BETWEEN), [Status.FAIL]),
    "one too high": (ddim(lambda t: min(99, t + 1)), [Status.FAIL]),
    "one too low": (ddim(lambda t: max(0, t - 1)), [Status.FAIL]),
    "the noisiest always": (ddim(lambda t: 99), [Status.FAIL]),
    "the steps counted": (ddim(lambda t: TIMES.index(t)), [Status.FAIL]),
}


@pytest.mark.parametrize(("target", "statuses"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("order", [None, 1], ids=["a family", "a solver"])
def test_times_are_held_against_the_levels_that_are_meant(target, statuses, order):
    report = vd.check(target, order=order, converge=False)
    assert [finding.status for finding in told_time(report)] == statuses


def test_the_message_says_at_how_many_queries_and_by_how_much():
    (finding,) = told_time(vd.check(ddim(lambda t: max(0, t - 1)), order=1, converge=False))
    assert finding.measured == pytest.approx(1.0)
    assert "10 of 10 queries" in finding.message


def test_what_misses_the_level_by_construction_is_a_note_that_says_why():
    target = replace(ddim(lambda t: max(0, t - 1)), inexact="it is meant so")
    (finding,) = told_time(vd.check(target, order=1, converge=False))
    assert finding.status is Status.NOTE
    assert "it is meant so" in finding.message


def by_level(told):
    """Euler's method whose times are levels themselves, each told as ``told`` of it."""

    def sample(denoise, x, seed):
        return RIGHT["euler"].loop(lambda x, rho: denoise(x, told(rho), at=Frame.exploding(rho)), x, [9.0, 3.0, 1.0, 0.0], None)

    return replace(RIGHT["euler"].target(), sample=sample)


BY_LEVEL = {
    "itself": (lambda rho: rho, []),
    "rounded": (lambda rho: rho * (1 + 1e-9), [Status.PASS]),
    "in half precision": (lambda rho: rho * (1 + 4e-4), [Status.NOTE]),
    "two per cent off": (lambda rho: rho * 1.02, [Status.FAIL]),
    "its square": (lambda rho: rho**2, [Status.FAIL]),
    "nothing": (lambda rho: 0.0, [Status.FAIL]),
}


@pytest.mark.parametrize(("told", "statuses"), BY_LEVEL.values(), ids=BY_LEVEL)
def test_where_times_are_levels_they_are_compared_as_levels(told, statuses):
    assert [finding.status for finding in told_time(vd.check(by_level(told), converge=False))] == statuses


@pytest.mark.parametrize("t", [0, 17, 99])
def test_the_index_of_a_level_is_found(t):
    assert index_of(Frame.of_level(float(ABAR[t])), SCHEDULE) == pytest.approx(t, abs=1e-8)
    assert index_of(Frame.exploding(np.sqrt((1 - ABAR[t]) / ABAR[t])), SCHEDULE) == pytest.approx(t, abs=1e-8)
