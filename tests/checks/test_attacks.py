"""What a sceptic tried: errors that look like rounding, noise that hides, grids that cover nothing; right ones at the edge."""

import random

import numpy as np
import pytest
from samplers import ABAR, BETAS, T

import verifydiff as vd
from verifydiff.checks.report import Report
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.linear(1000)
LINEAR = np.linspace(1e-4, 0.02, 1000)


def failed(report: Report) -> list[str]:
    return [finding.check for finding in report.findings if finding.status is Status.FAIL]


def ddpm(betas, variance=lambda betas, abar, t: betas[t], offset=0.0):
    """All timesteps, with the betas given and the variance of one's choice."""
    abar = np.cumprod(1 - betas)

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for t in reversed(range(betas.size)):
            x = (x - betas[t] / np.sqrt(1 - abar[t] + offset) * denoise(x, t)) / np.sqrt(1 - betas[t])
            if t:
                x = x + np.sqrt(variance(betas, abar, t)) * rng.standard_normal(x.shape)
        return x

    return sample


WRONG_TABLES = {
    "linspace of T + 1": np.linspace(1e-4, 0.02, 1001)[:1000],
    "endpoint left out": np.linspace(1e-4, 0.02, 1000, endpoint=False),
    "a slightly larger last beta": np.linspace(1e-4, 0.02001, 1000),
    "betas rounded to five digits": np.round(LINEAR, 5),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
@pytest.mark.parametrize("family", [None, vd.DDPM("large")], ids=["auto", "claimed"])
def test_a_wrong_table_is_not_taken_for_a_rounded_one(name, family):
    assert "coefficients" in failed(vd.check(ddpm(WRONG_TABLES[name]), schedule=SCHEDULE, family=family))


def test_a_stabiliser_under_a_root_is_not_taken_for_rounding():
    assert "coefficients" in failed(vd.check(ddpm(LINEAR, offset=1e-6), schedule=SCHEDULE, family=vd.DDPM("large")))


def test_a_rounded_table_is_taken_for_what_it_is():
    betas = LINEAR.astype(np.float32)
    report = vd.check(ddpm(betas), schedule=SCHEDULE)
    report.raise_if_failed()
    assert report.identified_as == "DDPM (large variance)"
    assert any(finding.check == "precision" for finding in report.findings)


def hidden(scale, correlate=0.0, offset=0.0):
    """Strided DDIM whose noise comes from a generator that nobody sees; ``scale(sigma, k)`` is its deviation."""
    times = list(range(99, 0, -10))

    def sample(denoise, x, seed):
        source = random.Random(seed)
        x, before = x + offset, 0.0
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            sigma = np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            z = np.array([source.gauss(0, 1) for _ in range(x.size)]).reshape(x.shape)
            z = before = np.sqrt(1 - correlate**2) * z + correlate * before if k else z
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + scale(sigma, k) * z
        return x

    return sample


TABLE = vd.Schedule.from_betas(BETAS)


def test_hidden_noise_of_the_right_scale_passes():
    vd.check(hidden(lambda sigma, k: sigma), schedule=TABLE, family=vd.DDIM(1.0)).raise_if_failed()


HIDDEN = {
    "one step too loud": (hidden(lambda sigma, k: sigma * (1.3 if k == 4 else 1.0)), "noise-scale"),
    "loud and quiet in turn": (hidden(lambda sigma, k: sigma * (1.1 if k % 2 else 0.9)), "noise-scale"),
    "steps that are correlated": (hidden(lambda sigma, k: sigma, correlate=0.1), "noise-law"),
    "a start that is shifted": (hidden(lambda sigma, k: sigma, offset=1.0), "start"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_noise_that_is_wrong_is_found(name):
    sample, check = HIDDEN[name]
    assert check in failed(vd.check(sample, schedule=TABLE, family=vd.DDIM(1.0)))


def hidden_ddpm(variance):
    def sample(denoise, x, seed):
        source = random.Random(seed)
        for t in reversed(range(T)):
            x = (x - BETAS[t] / np.sqrt(1 - ABAR[t]) * denoise(x, t)) / np.sqrt(1 - BETAS[t])
            if t:
                z = np.array([source.gauss(0, 1) for _ in range(x.size)]).reshape(x.shape)
                x = x + np.sqrt(variance(t)) * z
        return x

    return sample


LARGE = hidden_ddpm(lambda t: BETAS[t])
SMALL = hidden_ddpm(lambda t: BETAS[t] * (1 - ABAR[t - 1]) / (1 - ABAR[t]))


def test_the_two_variances_of_ddpm_are_told_apart_by_hidden_noise():
    assert vd.check(LARGE, schedule=TABLE).identified_as == "DDPM (large variance)"
    assert vd.check(SMALL, schedule=TABLE).identified_as.startswith("DDPM (small variance)")
    report = vd.check(LARGE, schedule=TABLE, family=vd.DDPM())
    assert failed(report) == ["noise-scale"]
    assert report.diagnosis[0].slip == "beta-for-beta-tilde"


def test_a_grid_that_covers_nothing_fails():
    def sample(denoise, x, seed):
        for t in reversed(range(10)):
            there = ABAR[t - 1] if t else 1.0
            eps = denoise(x, t)
            x = np.sqrt(there / ABAR[t]) * (x - np.sqrt(1 - ABAR[t]) * eps) + np.sqrt(1 - there) * eps
        return x

    assert failed(vd.check(sample, schedule=TABLE, steps=10)) == ["time-coverage"]


def ddim(abar, times, eta):
    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(times):
            here, there = abar[t], abar[times[k + 1]] if k + 1 < len(times) else 1.0
            sigma = eta * np.sqrt((1 - there) / (1 - here)) * np.sqrt(1 - here / there)
            eps = denoise(x, t)
            x0 = (x - np.sqrt(1 - here) * eps) / np.sqrt(here)
            x = np.sqrt(there) * x0 + np.sqrt(max(0.0, 1 - there - sigma**2)) * eps + sigma * rng.standard_normal(x.shape)
        return x

    return sample


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7])
def test_few_steps_at_eta_1_where_a_radicand_cancels(steps):
    times = [round(1000 * (steps - i) / steps) - 1 for i in range(steps)]
    vd.check(ddim(SCHEDULE.abar[1:], times, 1.0), schedule=SCHEDULE, family=vd.DDIM(1.0)).raise_if_failed()


@pytest.mark.parametrize("eta", [0.0, 0.5])
def test_levels_with_next_to_no_signal(eta):
    table = vd.Schedule.linear(4000)
    vd.check(ddim(table.abar[1:], list(range(3999, -1, -40)), eta), schedule=table).raise_if_failed()


def test_velocities_at_a_terminal_level_of_zero():
    table = SCHEDULE.with_zero_terminal_snr()
    abar, times = table.abar[1:], list(range(999, 0, -50))

    def sample(denoise, x, seed):
        for k, t in enumerate(times):
            here, there = abar[t], abar[times[k + 1]] if k + 1 < len(times) else 1.0
            v = denoise(x, t)
            x0, eps = np.sqrt(here) * x - np.sqrt(1 - here) * v, np.sqrt(here) * v + np.sqrt(1 - here) * x
            x = np.sqrt(there) * x0 + np.sqrt(1 - there) * eps
        return x

    vd.check(sample, schedule=table, prediction="v_prediction").raise_if_failed()


def test_single_precision_inside_and_double_handed_over():
    times = list(range(99, 0, -10))

    def sample(denoise, x, seed):
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            x = x.astype(np.float32).astype(np.float64)
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
        return x.astype(np.float32).astype(np.float64)

    report = vd.check(sample, schedule=TABLE)
    report.raise_if_failed()
    assert report.identified_as.startswith("DDIM(eta = 0)")
