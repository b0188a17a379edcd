"""Samplers that claim nothing, and are right without being one of the families; and those that are wrong all the same."""

import random

import numpy as np
import pytest
from samplers import ABAR, trailing

from verifydiff import check
from verifydiff.schedule import Schedule
from verifydiff.verdict import Status

SCHEDULE = Schedule(np.append(1.0, ABAR), "of the test")
TIMES = trailing(20)


def steps(step, *, corrected=lambda x, k, denoise, normal: x):
    """``step(x, x_0, eps, a, b, normal)`` from abar = a to b, for every step of the grid."""

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)

        def normal():
            return rng.standard_normal(x.shape)

        for k, t in enumerate(TIMES):
            a, b = ABAR[t], ABAR[TIMES[k + 1]] if k + 1 < len(TIMES) else 1.0
            x = corrected(x, k, denoise, normal)
            eps = denoise(x, t)
            x = step(x, (x - np.sqrt(1 - a) * eps) / np.sqrt(a), eps, a, b, normal)
        return x

    return sample


def ddim(share, *, loud=1.0, root=True):
    """DDIM with an eta that ``share(a)`` tells of every level."""

    def step(x, x_0, eps, a, b, normal):
        spread = share(a) * np.sqrt((1 - b) / (1 - a) * (1 - a / b))
        rest = 1 - b - spread**2
        return np.sqrt(b) * x_0 + (np.sqrt(rest) if root else rest) * eps + loud * spread * normal()

    return step


def renoised(x, x_0, eps, a, b, normal):
    return np.sqrt(b) * x_0 + np.sqrt(1 - b) * normal()


def langevin(size, *, noise=2.0):
    """A corrector before every second step: a step along the score where the state is, with its noise."""

    def corrected(x, k, denoise, normal):
        if k % 2 == 0:
            return x
        a = ABAR[TIMES[k]]
        score, length = -denoise(x, TIMES[k]) / np.sqrt(1 - a), size * (1 - a)
        kept = 1 - length / (1 - a)
        return x + length * score + np.sqrt((1 - kept**2) * (1 - a) * noise / 2) * normal()

    return corrected


RIGHT = {
    "eta that falls": steps(ddim(lambda a: 1 - a)),
    "eta that ends": steps(ddim(lambda a: 1.0 if a < 0.3 else 0.0)),
    "eta of no family": steps(ddim(lambda a: 0.3 + 0.6 * a)),
    "renoised": steps(renoised),
    "corrected": steps(ddim(lambda a: 0.0), corrected=langevin(0.1)),
    "much corrected": steps(ddim(lambda a: 0.5), corrected=langevin(0.4)),
}
WRONG = {
    "eta that ends, and noise that does not": steps(
        lambda x, x_0, eps, a, b, normal: (
            ddim(lambda a: 1.0 if a < 0.3 else 0.0)(x, x_0, eps, a, b, normal) + 0.1 * np.sqrt(1 - b) * normal()
        )
    ),
    "noise left out of half of the steps": steps(
        lambda x, x_0, eps, a, b, normal: ddim(lambda a: 1.0, loud=1.0 if a < 0.3 else 0.0)(x, x_0, eps, a, b, normal)
    ),
    "noise too loud": steps(ddim(lambda a: 1 - a, loud=1.1)),
    "no root": steps(ddim(lambda a: 0.3 + 0.6 * a, root=False)),
    "too clean": steps(lambda x, x_0, eps, a, b, normal: renoised(x, x_0, eps, a, min(1.0, 1.01 * b), normal)),
    "corrected without enough noise": steps(ddim(lambda a: 0.0), corrected=langevin(0.1, noise=1.0)),
}


@pytest.mark.parametrize("sample", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_right_passes_though_it_is_of_no_family(sample, seed):
    report = check(sample, schedule=SCHEDULE, seed=seed)
    assert report.status is Status.PASS, report


@pytest.mark.parametrize("sample", WRONG.values(), ids=WRONG)
def test_what_is_wrong_fails_as_what_it_is_nearest_to(sample):
    assert check(sample, schedule=SCHEDULE).status is Status.FAIL


def test_fresh_noise_at_every_level_has_a_name():
    assert check(RIGHT["renoised"], schedule=SCHEDULE).identified_as == "the prediction of the data, noised afresh"


def test_a_mistake_in_the_mean_leaves_the_eta_that_the_noise_tells():
    report = check(steps(ddim(lambda a: 0.7, root=False)), schedule=SCHEDULE)
    assert report.diagnosis[0].slip == "root-left-out-of-the-direction" or report.diagnosis[0].residual < 1e-9


@pytest.mark.parametrize("where", ["every step", "one step"])
def test_a_constant_is_no_noise(where):
    def step(x, x_0, eps, a, b, normal):
        off = 0.1 if where == "every step" or a == ABAR[TIMES[5]] else 0.0
        return np.sqrt(b) * x_0 + np.sqrt(1 - b) * eps + off

    report = check(steps(step), schedule=SCHEDULE)
    failed = {finding.check for finding in report.findings if finding.status is Status.FAIL}
    assert "coefficients" in failed
    assert not failed & {"seed", "noise-law", "noise-scale", "last-step"}
    assert not {one.slip for one in report.diagnosis} & {"stale-noise", "shared-noise", "noise-at-the-end"}


def test_times_that_are_told_twice_for_nothing_stay_a_fault():
    def sample(denoise, x, seed):
        for k, t in enumerate(TIMES):
            a, b = ABAR[t], ABAR[TIMES[k + 1]] if k + 1 < len(TIMES) else 1.0
            if k == 3:
                denoise(x, t)
            eps = denoise(x, t)
            x = np.sqrt(b) * (x - np.sqrt(1 - a) * eps) / np.sqrt(a) + np.sqrt(1 - b) * eps
        return x

    (found,) = (one for one in check(sample, schedule=SCHEDULE).findings if one.check == "time-grid")
    assert found.status is Status.FAIL
    assert "told twice" in found.message


@pytest.mark.parametrize(("claimed", "status"), [(20, Status.PASS), (10, Status.FAIL), (15, Status.FAIL)])
def test_the_number_of_steps_is_held_to_the_claim(claimed, status):
    assert check(RIGHT["eta of no family"], schedule=SCHEDULE, steps=claimed).status is status


def test_pure_noise_that_is_handed_over_where_there_is_much_signal_fails():
    late = [t for t in TIMES if ABAR[t] > 0.5]

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(late):
            a, b = ABAR[t], ABAR[late[k + 1]] if k + 1 < len(late) else 1.0
            eps = denoise(x, t)
            x_0, z = (x - np.sqrt(1 - a) * eps) / np.sqrt(a), rng.standard_normal(x.shape)
            x = ddim(lambda a: 0.3 + 0.6 * a)(x, x_0, eps, a, b, lambda z=z: z)
        return x

    found = {one.check: one.status for one in check(sample, schedule=SCHEDULE).findings}
    assert found["time-coverage"] is Status.FAIL


def test_noise_besides_the_draws_of_a_family_is_not_passed_over():
    def sample(denoise, x, seed):
        rng, unseen = np.random.default_rng(seed), random.Random(seed)

        def normal():
            return rng.standard_normal(x.shape) + 0.05 * np.reshape([unseen.gauss(0, 1) for _ in range(x.size)], x.shape)

        for k, t in enumerate(TIMES):
            a, b = ABAR[t], ABAR[TIMES[k + 1]] if k + 1 < len(TIMES) else 1.0
            eps = denoise(x, t)
            x = ddim(lambda a: 0.5)(x, (x - np.sqrt(1 - a) * eps) / np.sqrt(a), eps, a, b, normal)
        return x

    report = check(sample, schedule=SCHEDULE)
    (found,) = (one for one in report.findings if one.check == "noise-law")
    assert found.status is Status.INCONCLUSIVE
    assert report.status is Status.INCONCLUSIVE
