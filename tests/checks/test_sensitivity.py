"""How small an error is found: one coefficient of one step, off by a relative 1e-9."""

import numpy as np
import pytest
from samplers import ABAR, BETAS, T

import verifydiff as vd
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)


def planted(family, coefficient, step, error):
    """All T steps by a, b and c, one of them off."""

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(reversed(range(T))):
            here, there = ABAR[t], ABAR[t - 1] if t else 1.0
            sigma = family.eta * np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            weights = {"x_t": np.sqrt(there / here), "z": sigma}
            weights["eps"] = np.sqrt(1 - there - sigma**2) - np.sqrt(1 - here) * weights["x_t"]
            if k == step:
                weights[coefficient] *= 1 + error
            eps = denoise(x, t)
            x = weights["x_t"] * x + weights["eps"] * eps + weights["z"] * rng.standard_normal(x.shape)
        return x

    return sample


@pytest.mark.parametrize("step", [0, 1, T // 2, T - 3, T - 2])
@pytest.mark.parametrize("coefficient", ["x_t", "eps", "z"])
@pytest.mark.parametrize("error", [1e-9, -1e-9])
def test_a_relative_error_of_1e_9_in_one_coefficient_of_one_step_is_found(coefficient, step, error):
    family = vd.DDIM(0.5)
    report = vd.check(planted(family, coefficient, step, error), schedule=SCHEDULE, family=family)
    failed = [finding for finding in report.findings if finding.status is Status.FAIL]
    assert failed
    assert all(f"step {step}," in finding.message for finding in failed if finding.check in ("coefficients", "noise-scale"))


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "cosine"])
def test_it_is_found_on_the_usual_schedules_with_a_thousand_timesteps(schedule):
    table = vd.Schedule.named(schedule, 1000)
    abar = table.abar[1:]
    times = list(range(999, -1, -25))

    def sample(denoise, x, seed, off=0.0):
        for k, t in enumerate(times):
            here, there = abar[t], abar[times[k + 1]] if k + 1 < len(times) else 1.0
            eps = denoise(x, t)
            b = np.sqrt(1 - there) - np.sqrt(there / here * (1 - here))
            x = np.sqrt(there / here) * x + b * (1 + off * (k == 17)) * eps
        return x

    vd.check(sample, schedule=table, family=vd.DDIM()).raise_if_failed()
    report = vd.check(lambda *arguments: sample(*arguments, off=1e-9), schedule=table, family=vd.DDIM())
    assert report.status is Status.FAIL


def test_an_error_below_rounding_is_not_made_up():
    vd.check(planted(vd.DDIM(0.5), "eps", 50, 1e-14), schedule=SCHEDULE, family=vd.DDIM(0.5)).raise_if_failed()


def test_errors_at_all_steps_that_are_finer_than_single_precision_are_told_as_such():
    """Off by 3e-8 everywhere is what float32 tables look like: a note with its size, never a silent pass."""

    def sample(denoise, x, seed):
        for t in reversed(range(T)):
            here, there = ABAR[t], ABAR[t - 1] if t else 1.0
            eps = denoise(x, t)
            x = np.sqrt(there) * (x - np.sqrt(1 - here) * eps) / np.sqrt(here) + np.sqrt(1 - there) * eps
            x = x * (1 + 3e-8)
        return x

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM())
    (note,) = [finding for finding in report.findings if finding.check == "precision"]
    assert note.status is Status.NOTE
    assert note.measured > 1e-8
