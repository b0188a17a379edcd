"""What a solver does far from the run that its response is told from: in other rows, at other states, with large predictions."""

import random
from dataclasses import replace

import numpy as np
import pytest
from solvers import RIGHT, fresh

from verifydiff import check
from verifydiff.schedule import Schedule
from verifydiff.verdict import Status

STEPS = 16
ABAR = 1 / (1 + np.append(np.geomspace(20.0, 0.05, STEPS), 0.0) ** 2)
SCHEDULE = Schedule(np.append(1.0, ABAR[:-1][::-1]), "of the test")


def levels(k):
    return np.sqrt(ABAR[k]), np.sqrt(1 - ABAR[k])


def two_m(*, data=lambda x_0: x_0, state=lambda x: x, returned=lambda x: x):
    """DPM-Solver++(2M) on STEPS levels by index; each argument is what is made of the data, of every state, of what is returned."""

    def sample(denoise, x, seed):
        before, length = None, None
        for k in range(STEPS):
            (a, s), (b, r) = levels(k), levels(k + 1)
            eps = denoise(x, STEPS - 1 - k)
            x_0 = data((x - s * eps) / a)
            h = np.log(b / r) - np.log(a / s) if r > 0 else np.inf
            mixed = x_0 if before is None or r == 0 else x_0 + h / (2 * length) * (x_0 - before)
            x = state(r / s * x + (b - a * r / s) * mixed)
            before, length = x_0, h
        return returned(x)

    return sample


def judged(sample, **options):
    return check(sample, schedule=SCHEDULE, **options)


def of(report, check_id):
    return [finding for finding in report.findings if finding.check == check_id]


def test_the_clean_one_is_right():
    report = judged(two_m())
    assert report.status is Status.PASS
    assert not of(report, "clipping")
    assert "DPM-Solver++(2M)" in report.identified_as


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [1.0, 2.0])
def test_states_that_are_clipped_are_no_affine_map_whatever_the_seed(size, seed):
    report = judged(two_m(state=lambda x: np.clip(x, -size, size)), seed=seed)
    (found,) = of(report, "affinity")
    assert found.status is Status.FAIL
    assert report.status is Status.FAIL


@pytest.mark.parametrize("seed", range(8))
def test_states_that_are_clipped_where_hardly_any_reach_do_not_pass(seed):
    assert judged(two_m(state=lambda x: np.clip(x, -3.5, 3.5)), seed=seed).status in (Status.FAIL, Status.INCONCLUSIVE)


def first_row(change):
    def changed(x):
        x = x.copy()
        x[0] = change(x[0])
        return x

    return changed


@pytest.mark.parametrize("change", [lambda row: 1.1 * row, lambda row: 0 * row], ids=["scaled", "zeroed"])
def test_the_first_row_is_judged_like_the_others(change):
    (found,) = of(judged(two_m(state=first_row(change))), "affinity")
    assert found.status is Status.FAIL
    assert "in row 0 of 64 alone" in found.message


def test_coordinates_that_change_places_are_no_solver():
    (found,) = of(judged(two_m(state=lambda x: np.roll(x, 1, axis=1))), "affinity")
    assert found.status is Status.FAIL


# -- large predictions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [0.6, 1.0, 5.0])
def test_clipped_data_are_a_note_with_their_range(bound):
    report = judged(two_m(data=lambda x_0: np.clip(x_0, -bound, bound)))
    (found,) = of(report, "clipping")
    assert report.status is Status.PASS
    assert found.status is Status.NOTE
    assert found.measured == pytest.approx([-bound, bound], abs=1e-6)
    assert "prediction of x_0 is clipped" in found.message


def test_what_is_returned_may_be_clipped():
    report = judged(two_m(returned=lambda x: np.clip(x, -1, 1)))
    (found,) = of(report, "clipping")
    assert report.status is Status.PASS
    assert (found.status, found.measured) == (Status.NOTE, [-1.0, 1.0])
    assert "what is returned is clipped" in found.message


@pytest.mark.parametrize(
    "data",
    [
        lambda x_0: np.where(np.abs(x_0) > 0.7, 2 * x_0, x_0),
        lambda x_0: np.where(np.abs(x_0) > 0.8, 0.0, x_0),
        lambda x_0: x_0 / np.maximum(1.0, np.abs(x_0).max(axis=1, keepdims=True)),
        np.tanh,
    ],
    ids=["doubled", "zeroed", "scaled", "bent"],
)
def test_other_changes_of_large_data_stay_unjudged_and_do_not_pass(data):
    report = judged(two_m(data=data))
    assert report.status in (Status.INCONCLUSIVE, Status.FAIL)


# -- noise that cannot be reached, beside noise that can -----------------------------------------------------------------


def test_noise_besides_the_draws_is_not_passed_over():
    target = RIGHT["sde-dpm-2m"].target()
    assert check(target).status is Status.PASS

    def louder(denoise, x, seed):
        unseen, asked = random.Random(seed), []

        def model(state, t, **rest):
            asked.append(t)
            noise = np.reshape([unseen.gauss(0, 0.3) for _ in range(state.size)], state.shape)
            return denoise(state + noise * (len(asked) > 1), t, **rest)

        return target.sample(model, x, seed)

    report = check(replace(target, sample=louder))
    (found,) = of(report, "noise-law")
    assert found.status is Status.INCONCLUSIVE
    assert report.status is not Status.PASS
    assert not any("with noise of its scale" in one.message for one in report.findings)


def stochastic(noise):
    """Steps like those of DDIM, with an eta of each step's own."""

    def sample(denoise, x, seed):
        normal = noise(seed, x.shape)
        for k in range(STEPS):
            (a, s), (b, r) = levels(k), levels(k + 1)
            eps = denoise(x, STEPS - 1 - k)
            spread = (0.5 + k / 40) * r / s * np.sqrt(1 - (a / b) ** 2)
            x = b / a * (x - s * eps) + np.sqrt(r**2 - spread**2) * eps + spread * normal()
        return x

    return sample


def repeated(seed, shape):
    normal = fresh(seed, shape)

    def draw():
        z = normal()
        z[:, 2] = z[:, 0]
        return z

    return draw


def test_an_eta_of_each_steps_own_is_right_and_a_coordinate_that_takes_the_draws_of_another_is_not_passed_over():
    assert judged(stochastic(fresh)).status is Status.PASS
    assert judged(stochastic(repeated)).status is not Status.PASS


def test_a_one_step_method_may_clip_the_data_and_keep_the_noise():
    def sample(denoise, x, seed):
        normal = fresh(seed, x.shape)
        for k in range(STEPS):
            (a, s), (b, r) = levels(k), levels(k + 1)
            eps = denoise(x, STEPS - 1 - k)
            x_0 = np.clip((x - s * eps) / a, -1, 1)
            spread = (0.5 + k / 40) * r / s * np.sqrt(1 - (a / b) ** 2)
            x = b * x_0 + np.sqrt(r**2 - spread**2) * eps + spread * normal()
        return x

    report = judged(sample)
    (found,) = of(report, "clipping")
    assert (report.status, found.status) == (Status.PASS, Status.NOTE)
    assert found.measured == pytest.approx([-1, 1], abs=1e-6)
    assert "the noise is not taken from the clipped x_0" in found.message


def test_a_method_that_leads_beyond_what_is_returned_is_not_called_bent():
    """Adams and Bashforth's weights make of answers within 1/2 a state far beyond 1, which the clip then cuts."""

    def sample(denoise, x, seed):
        kept = []
        for k in range(STEPS):
            (a, s), (b, r) = levels(k), levels(k + 1)
            eps = denoise(x, STEPS - 1 - k)
            kept = [eps, *kept][:4]
            weights = ([1], [3, -1], [23, -16, 5], [55, -59, 37, -9])[len(kept) - 1]
            used = sum(w * e for w, e in zip(weights, kept, strict=True)) / (1, 2, 12, 24)[len(kept) - 1]
            x = b / a * (x - s * used) + r * used
        return np.clip(x, -1, 1)

    report = judged(sample)
    (found,) = of(report, "affinity")
    assert (report.status, found.status) == (Status.INCONCLUSIVE, Status.INCONCLUSIVE)
    assert "what is returned is clipped to [-1, 1]" in found.message


@pytest.mark.parametrize("returned", [np.sign, lambda x: np.maximum(x, 0)], ids=["sign", "rectified"])
def test_what_cuts_the_data_themselves_is_no_clip_and_fails(returned):
    (found,) = of(judged(two_m(returned=returned)), "affinity")
    assert found.status is Status.FAIL
