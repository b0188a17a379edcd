"""What is asked where no exact model has an answer, and closed forms at the ends of the levels."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.forms.families import Euler, EulerAncestral
from verifydiff.observe import Frame, Prediction, Target
from verifydiff.verdict import Status


def straight(t):
    return Frame(alpha=1 - t, sigma=t)


def flow(sample, **rest):
    given = {"prediction": Prediction.FLOW_PREDICTION, "family": vd.ProbabilityFlow(None), "frame": straight, **rest}
    return Target(name="flow", sample=sample, schedule=None, **given)


def euler(times, *, at_the_end=lambda x, v: x):
    def sample(velocity, x, seed):
        x = straight(times[0]).size * x
        for t, s in pairwise(times):
            x = x + (s - t) * velocity(x, t)
        return at_the_end(x, velocity)

    return sample


TIMES = np.linspace(0.95, 0.0, 11)


def test_who_makes_something_of_a_velocity_where_there_is_no_noise_is_not_judged():
    report = vd.check(flow(euler(TIMES, at_the_end=lambda x, v: x - 0.01 * v(x, 0.0))))
    (found,) = report.findings
    assert (found.check, found.status) == ("behaviour", Status.INCONCLUSIVE)
    assert "query 10 (t = 0)" in found.message
    assert "level without noise" in found.message


def test_who_asks_there_and_does_not_listen_is_judged():
    report = vd.check(flow(euler(TIMES, at_the_end=lambda x, v: x + 0 * v(x, 0.0))))
    assert report.status is Status.PASS
    assert not any("level without noise" in finding.message for finding in report.findings)


def test_what_breaks_there_by_itself_is_a_fault():
    (found,) = vd.check(flow(euler(TIMES, at_the_end=lambda x, v: v(x, 0.0) / 0.0))).findings
    assert (found.check, found.status) == ("behaviour", Status.FAIL)
    assert "not finite" in found.message


@pytest.mark.parametrize(("family", "eta"), [(Euler(), 0.0), (EulerAncestral(), 1.0)])
def test_eulers_closed_form_holds_at_a_level_without_signal(family, eta):
    ours, theirs = (one.coefficients([0.0, 1e-9, 0.5], [0.3, 0.3, 1.0]) for one in (family, vd.DDIM(eta)))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert np.isfinite(ours).all()


def test_euler_may_be_claimed_from_the_level_without_signal():
    assert vd.check(flow(euler(np.linspace(1.0, 0.0, 11)), family=vd.Euler())).status is Status.PASS


# -- inexact steps -------------------------------------------------------------------------------------------------------


def preserving(t):
    return Frame(alpha=t, sigma=max(0.0, 1 - t * t) ** 0.5)


def along_the_path(times, *, size=1.0):
    """Euler's method along the probability flow of a path whose steps it does not take exactly."""

    def sample(data, x, seed):
        x = preserving(times[0]).size * x
        for t, s in pairwise(times):
            m = data(x, t)
            x = x + size * (s - t) * (m - t * (x - t * m) / (1 - t * t))
        return x

    def on_log_grid(n):
        rho = np.geomspace(20, 0.05, n + 1)
        return along_the_path(1 / np.sqrt(1 + rho**2), size=size)

    end = preserving(times[-1])
    return flow(
        sample, frame=preserving, end=end, prediction=Prediction.SAMPLE, family=vd.ProbabilityFlow(1), on_log_grid=on_log_grid
    )


def test_a_point_mass_is_missed_by_no_more_than_the_levels_are():
    report = vd.check(along_the_path(np.linspace(0.02, 1, 41)))
    status = {finding.check: finding.status for finding in report.findings}
    assert (status["pairing"], status["point-mass"]) == (Status.NOTE, Status.NOTE)
    assert report.status is Status.PASS
    assert vd.check(along_the_path(np.linspace(0.02, 1, 41), size=1.05)).status is Status.FAIL


def test_a_grid_that_cannot_be_made_is_told_and_is_no_traceback():
    def on_log_grid(n):
        raise ZeroDivisionError("no such grid")

    report = vd.check(replace(along_the_path(np.linspace(0.02, 1, 41)), on_log_grid=on_log_grid))
    assert report.status is Status.FAIL
    assert any("cannot be made: ZeroDivisionError: no such grid" in finding.message for finding in report.findings)


# -- answers kept in single precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["family", "multistep"])
def test_answers_that_are_kept_in_single_precision_are_no_bend(method):
    table = vd.Schedule.linear(1000)
    times = [*range(999, 0, -50), 0]

    def sample(denoise, x, seed):
        before = None
        for t, s in zip(times, [*times[1:], -1], strict=True):
            a, b = table.abar[t + 1], table.abar[s + 1]
            eps = denoise(x, t).astype(np.float32).astype(np.float64)
            x_0 = (x - np.sqrt(1 - a) * eps) / np.sqrt(a)
            used = x_0 if method == "family" or before is None or s < 0 else 1.5 * x_0 - 0.5 * before
            x, before = np.sqrt(b) * used + np.sqrt(1 - b) * (x - np.sqrt(a) * used) / np.sqrt(1 - a), x_0
        return x

    report = vd.check(sample, schedule=table)
    status = {finding.check: finding.status for finding in report.findings}
    assert status["affinity"] is Status.PASS
    assert report.status is Status.PASS, report


@pytest.mark.parametrize("family", [None, vd.DDIM(0.0)], ids=["found", "claimed"])
def test_what_is_returned_may_be_clipped_by_a_family_too(family):
    table = vd.Schedule.linear(100)

    def sample(denoise, x, seed):
        for t in reversed(range(100)):
            a, b = table.abar[t + 1], table.abar[t]
            eps = denoise(x, t)
            x = np.sqrt(b) * (x - np.sqrt(1 - a) * eps) / np.sqrt(a) + np.sqrt(1 - b) * eps
        return np.clip(x, -1, 1)

    report = vd.check(sample, schedule=table, family=family)
    (found,) = (finding for finding in report.findings if finding.check == "clipping")
    assert (report.status, found.status, found.measured) == (Status.PASS, Status.NOTE, [-1.0, 1.0])
    assert "what is returned is clipped" in found.message


def test_a_level_has_the_time_that_was_told_where_there_is_no_table():
    def late(velocity, x, seed):
        x = straight(TIMES[0]).size * x
        for k, (t, s) in enumerate(pairwise(TIMES)):
            x = x + ((TIMES[3] + TIMES[4]) / 2 - t if k == 3 - 1 else s - t) * velocity(x, t)
        return x

    report = vd.check(flow(late, family=vd.DDIM(0.0)))
    (found,) = (finding for finding in report.findings if finding.check == "pairing")
    assert found.status is Status.FAIL
    assert "the level of t = 0.61" in found.message or "the level of t = 0.62" in found.message


def test_a_sampler_without_a_table_makes_no_mistake_with_its_entries():
    """Noise left out on a last step that ends at a level: nothing of an index explains it."""
    levels = np.append(np.linspace(0.02, 0.9, 20), 0.97)

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, (a, b) in enumerate(pairwise(levels)):
            x_0 = (x - np.sqrt(1 - a) * denoise(x, a)) / np.sqrt(a)
            x = (np.sqrt(b) * (1 - a / b) * x_0 + np.sqrt(a / b) * (1 - b) * x) / (1 - a)
            if k < levels.size - 2:
                x = x + np.sqrt((1 - b) / (1 - a) * (1 - a / b)) * rng.standard_normal(x.shape)
        return x

    by_level = Target("by level", sample, None, frame=Frame.of_level, end=Frame.of_level(levels[-1]), family=vd.DDPM())
    report = vd.check(by_level)
    assert [finding.check for finding in report.findings if finding.status is Status.FAIL] == ["noise-scale"]
    assert report.diagnosis == ()
