"""Which slip is named, in which order, and where none is."""

import numpy as np
import pytest
from samplers import ABAR, BETAS, trailing

import verifydiff as vd
from verifydiff.checks.diagnosis import COARSE, EXPLAINS
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)


def named(report):
    assert report.status is Status.FAIL
    return [explanation.slip for explanation in report.diagnosis]


def ddim(eta, last, noise=lambda rng, shape: rng.standard_normal(shape)):
    """DDIM whose last step ends at the level ``last``."""
    times = trailing(10)

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else last
            sigma = eta * np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + sigma * noise(rng, x.shape)
        return x

    return sample


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("times", [[999], [999, 500]])
def test_zeros_for_the_data_are_explained_by_no_slip(times, kind):
    """From the noisiest level the weight of the data is next to nothing in many a slip, and less than rounding in all of them."""
    schedule = vd.Schedule.linear(1000)
    abar = schedule.abar[1:].astype(kind)

    def sample(denoise, x, seed):
        x = x.astype(kind)
        for k, t in enumerate(times):
            eps = denoise(x, t)
            if k + 1 == len(times):
                return 0 * x
            here, there = abar[t], abar[times[k + 1]]
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
        raise AssertionError

    assert named(vd.check(sample, schedule=schedule)) == []


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_named_slip_is_as_near_as_it_must_be(kind):
    right = ddim(0.0, float(ABAR[0]))
    report = vd.check(lambda denoise, x, seed: right(denoise, x.astype(kind), seed), schedule=SCHEDULE, family=vd.DDIM())
    assert "final-level-is-abar-1" in named(report)
    assert all(explanation.residual < (EXPLAINS if kind is np.float64 else COARSE) for explanation in report.diagnosis)


def test_tables_in_single_precision_are_granted_their_rounding():
    table = np.cumprod((1 - BETAS).astype(np.float32), dtype=np.float32).astype(np.float64)
    times = trailing(10)

    def sample(denoise, x, seed):
        for k, t in enumerate(times):
            here, there = table[t], table[times[k + 1]] if k + 1 < len(times) else table[0]
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
        return x

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM())
    assert "final-level-is-abar-1" in named(report)
    assert EXPLAINS < report.diagnosis[0].residual < COARSE


def test_a_slip_that_has_the_noise_at_the_end_too_comes_before_that():
    report = vd.check(ddim(0.7, float(ABAR[0])), schedule=SCHEDULE, family=vd.DDIM(0.7))
    assert "last-step" in [finding.check for finding in report.findings if finding.status is Status.FAIL]
    assert named(report) == ["final-level-is-abar-1", "noise-at-the-end"]


def test_noise_whose_law_is_wrong_comes_before_a_slip_of_the_weights():
    def uniform(rng, shape):
        return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)

    report = vd.check(ddim(0.7, float(ABAR[0]), uniform), schedule=SCHEDULE, family=vd.DDIM(0.7))
    assert named(report)[0] == "noise-not-normal"


@pytest.mark.parametrize("wrong", ["x_0", "the noise", "both"])
def test_a_velocity_of_the_wrong_sign_is_named(wrong):
    signs = {"x_0": -1 if wrong != "the noise" else 1, "the noise": -1 if wrong != "x_0" else 1}
    times = trailing(10)

    def sample(denoise, x, seed):
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            v = denoise(x, t)
            x_0 = np.sqrt(here) * x - signs["x_0"] * np.sqrt(1 - here) * v
            eps = np.sqrt(1 - here) * x + signs["the noise"] * np.sqrt(here) * v
            x = np.sqrt(there) * x_0 + np.sqrt(1 - there) * eps
        return x

    assert named(vd.check(sample, schedule=SCHEDULE, prediction="v_prediction")) == ["sign-of-v"]
