"""Nothing right is called wrong: every right solver passes, converges as it claims, and is called what it is."""

from dataclasses import replace

import numpy as np
import pytest
from solvers import RIGHT, uneven

import verifydiff as vd
from verifydiff.checks.solver.gaussian import law
from verifydiff.observe import run
from verifydiff.observe.response import respond
from verifydiff.verdict import Status

SEEDS = 200
STARTS_LOWER = ("ab-3", "lms-4")
"""Whose first steps have no predictions before them and are of lower order, which is then the order of the whole."""
ONE_BACK = "a multistep method whose steps use up to 1 earlier prediction; it adds no noise"
KINDS = {
    "euler": "a one-step method that adds no noise",
    "heun": "a method that asks the model more than once a step and adds no noise",
    "midpoint": "a multistep method whose steps use up to 1 earlier prediction; it adds no noise",
    "deis-2": f"DEIS with a line in rho (rhoAB, order 2), {ONE_BACK}",
    "ab-3": "DEIS with a parabola in rho (rhoAB, order 3), a multistep method whose steps use up to 2 earlier predictions; "
    "it adds no noise",
    "lms-4": "DEIS with a cubic in rho (rhoAB, order 4), a multistep method whose steps use up to 3 earlier predictions; "
    "it adds no noise",
    "dpm-2m": f"DPM-Solver++(2M), {ONE_BACK}",
    "dpm-2m-heun": f"the multistep solver with the weight of its integral, {ONE_BACK}",
    "dpm-2s": "a multistep method whose steps use up to 1 earlier prediction; it adds no noise",
    "flow-euler": "a one-step method that adds no noise",
    "flow-heun": "a method that asks the model more than once a step and adds no noise",
    "midpoint-ancestral": "a method that asks the model more than once a step and adds fresh noise",
    "sde-dpm-1": "a one-step method that adds fresh noise",
    "sde-dpm-2m": "SDE-DPM-Solver++(2M), a multistep method whose steps use up to 1 earlier prediction; it adds fresh noise",
    "euler-maruyama": "a one-step method that adds fresh noise",
}


def failures(report):
    return [(finding.check, finding.message) for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


def found(report, check):
    return next(finding for finding in report.findings if finding.check == check)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solver_passes_with_its_order_within_0_15(name):
    report = vd.check(RIGHT[name].target())
    assert failures(report) == []
    order = found(report, "order")
    if name in STARTS_LOWER:
        assert order.status is Status.NOTE
        assert order.details["local"]["measured"] == pytest.approx(RIGHT[name].order + 1, abs=0.15)
    else:
        assert order.status is Status.PASS
        assert order.measured == pytest.approx(RIGHT[name].order, abs=0.15)
    exact = name != "euler-maruyama"
    assert found(report, "pairing").status is (Status.PASS if exact else Status.NOTE)
    assert report.identified_as == KINDS[name]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solver_passes_with_two_hundred_seeds(name):
    """Only the law of the noise is left to chance, at 1e-6 a run: 2,820 runs, a chance of 0.003 in all."""
    target = RIGHT[name].target(4)
    for seed in range(SEEDS if name != "euler-maruyama" else 20):  # whose pairing is judged on finer grids every time
        assert failures(vd.check(target, seed=seed, converge=False)) == [], f"seed {seed}"


@pytest.mark.parametrize("name", RIGHT)
def test_the_law_of_a_solver_has_the_mean_and_variance_of_its_samples(name, rng):
    """On N(0.4, 2.25), a run of 20,000 rows against what the response says: within six standard errors."""
    target, mean, variance, rows = RIGHT[name].target(6), 0.4, 2.25, 20_000
    response = respond(target)
    said = law(response, mean, variance)

    def exact(k, x, abar):
        alpha, spread = np.sqrt(abar), abar * variance + 1 - abar
        return mean + np.sqrt(abar) * variance / spread * (x - alpha * mean)

    level = response.alpha[0] ** 2
    true = np.sqrt(level) * mean + np.sqrt(level * variance + 1 - level) * rng.standard_normal((rows, 2))
    start = true / response.start[0]
    x = run(target, exact, start, 5).x[-1]
    deviation = said.deviation[-1]
    assert abs(x.mean() - said.mean[-1]) < 6 * deviation / np.sqrt(2 * rows)
    assert abs(x.var() - deviation**2) < 6 * deviation**2 * np.sqrt(2 / (2 * rows))


@pytest.mark.parametrize("name", ["heun", "midpoint", "dpm-2s", "flow-heun"])
def test_steps_that_ask_twice_are_as_many_as_claimed(name):
    assert failures(vd.check(RIGHT[name].target(8), steps=8, converge=False)) == []


@pytest.mark.parametrize("rho", [[3.0, 0.0], [9.0, 1.0, 0.0], [30.0, 29.0, 28.9, 0.1, 1e-3, 0.0], uneven(30)], ids=len)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solver_passes_on_any_grid(name, rho):
    target = replace(RIGHT[name].on(rho), on_log_grid=RIGHT[name].target().on_log_grid)
    assert failures(vd.check(target, converge=False)) == []
