"""The noise of a solver, and a level that it is not exact at: each status where it belongs."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from solvers import RIGHT, Solver, fresh, preserving, to_data

import verifydiff as vd
from verifydiff.verdict import Status


def found(report, check):
    return [finding.status for finding in report.findings if finding.check == check]


def unseen(seed, shape):
    """A right source that nobody can reach."""
    secret = random.Random(seed)
    return lambda: np.array([secret.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)


STOCHASTIC = [name for name, solver in RIGHT.items() if solver.stochastic]


@pytest.mark.parametrize("name", STOCHASTIC)
def test_right_noise_passes_every_check_of_it(name):
    report = vd.check(RIGHT[name].target(), converge=False)
    assert found(report, "last-step") == [Status.PASS]
    assert found(report, "noise-law") == [Status.PASS]
    assert found(report, "seed") == [Status.PASS]
    (law,) = [finding for finding in report.findings if finding.check == "noise-law"]
    assert 0 < law.false_alarm <= 1e-6


@pytest.mark.parametrize("name", ["euler", "dpm-2m", "heun"])
def test_without_noise_there_is_none_to_judge(name):
    report = vd.check(RIGHT[name].target(), converge=False)
    assert found(report, "noise-law") == [Status.NOT_APPLICABLE]
    assert found(report, "last-step") == []


@pytest.mark.parametrize("name", ["sde-dpm-1", "sde-dpm-2m", "midpoint-ancestral"])
def test_noise_that_cannot_be_reached_leaves_its_law_and_the_order_open_and_the_rest_judged(name):
    report = vd.check(replace(RIGHT[name], noise=unseen).target())
    assert [finding.check for finding in report.findings if finding.status is Status.FAIL] == []
    assert found(report, "noise-law") == [Status.INCONCLUSIVE]
    assert found(report, "order") == [Status.NOT_APPLICABLE]
    assert found(report, "pairing") == [Status.PASS]
    assert "fresh noise" in report.identified_as


def test_behind_noise_that_cannot_be_reached_a_level_of_the_data_is_still_missed():
    def drifting(denoise, x, rho, normal):
        return RIGHT["sde-dpm-1"].loop(lambda x, level: denoise(x, 0.9 * level), x, rho, normal)

    wrong = replace(RIGHT["sde-dpm-1"], loop=drifting, noise=unseen)
    assert Status.FAIL in found(vd.check(wrong.target()), "pairing")


@pytest.mark.parametrize(("size", "status"), [(0.0, Status.PASS), (1e-3, Status.FAIL)])
def test_noise_after_the_last_query_is_seen_from_its_size(size, status):
    report = vd.check(RIGHT["sde-dpm-1"].mutant(at_the_end=size).target(), converge=False)
    assert found(report, "last-step") == [status]


def euler_maruyama_for_the_flow(denoise, x, rho, normal, *, slope=0.5):
    """The probability flow of the VP SDE by Euler's method in the integral of beta: not exact, and first-order."""
    for high, low in pairwise(rho):
        eps = denoise(x, high)
        if low == 0:
            return to_data(x, eps, high)
        beta = np.log1p(high**2) - np.log1p(low**2)
        x = x + beta * (x / 2 - slope * eps / preserving(high)[1])
    raise AssertionError("it ends on the data")


INEXACT = Solver(euler_maruyama_for_the_flow, "preserving", 1, noise=fresh)


def test_a_method_that_misses_by_what_falls_with_its_steps_is_a_note():
    report = vd.check(INEXACT.target())
    assert found(report, "pairing") == [Status.NOTE]
    assert found(report, "order") == [Status.PASS]
    assert report.status is Status.PASS


def test_a_wrong_one_of_its_kind_is_a_failure():
    report = vd.check(INEXACT.mutant(slope=0.55).target())
    assert found(report, "pairing") == [Status.FAIL]
    assert found(report, "order") == [Status.FAIL]


def test_what_cannot_be_asked_for_finer_steps_has_to_land_exactly():
    report = vd.check(replace(INEXACT.target(), on_log_grid=None))
    assert found(report, "pairing") == [Status.FAIL]
    assert found(report, "order") == [Status.NOT_APPLICABLE]


@pytest.mark.parametrize("name", RIGHT)
def test_data_without_spread_come_out_as_they_are(name):
    assert found(vd.check(RIGHT[name].target(), converge=False), "point-mass") == [Status.PASS]


def test_the_bias_of_the_method_is_a_note_with_its_size():
    (note,) = [f for f in vd.check(RIGHT["euler"].target(), converge=False).findings if f.check == "method-bias"]
    assert note.status is Status.NOTE
    assert note.expected == pytest.approx(0.25)
    assert note.measured == pytest.approx(0.129918, rel=1e-5)
