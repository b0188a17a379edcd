"""Classes that are refined in a way of their own: between which levels their steps lead, and with which order they converge."""

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")
pytest.importorskip("torch", reason="judging diffusers needs torch")

import verifydiff as vd
from verifydiff.checks.solver.convergence import STEPS, global_error, measured
from verifydiff.observe.diffusers import diffusers_target
from verifydiff.observe.diffusers.grids import UNREFINED
from verifydiff.observe.response import respond
from verifydiff.verdict import Status


def ratios(response):
    """The noise over the signal of every query, and of what is returned."""
    return np.array([frame.noise_over_signal for frame in response.frames])


def on(name, steps, config=None, *, uneven=False):
    target = diffusers_target(name, config=config or {}, steps=8)
    return respond((target.on_uneven_grid if uneven else target.on_log_grid)(steps))


ENDS = [
    ("DDPMWuerstchenScheduler", {}, 50.0, 0.02),
    ("DDPMWuerstchenScheduler", {"scaler": 2.0, "s": 0.02}, 50.0, 0.02),
    ("DDPMWuerstchenScheduler", {"scaler": 0.5}, 50.0, 0.02),
    ("KarrasVeScheduler", {"s_churn": 0.0}, 50.0, 0.02),
    ("ScoreSdeVpScheduler", {}, np.sqrt(np.expm1(10.05)), np.sqrt(np.expm1(1e-4 + 9.95e-6))),
    ("FlowMatchHeunDiscreteScheduler", {"shift": 3.0}, np.inf, 1 / 49),
]


@pytest.mark.parametrize(("name", "config", "first", "last"), ENDS)
@pytest.mark.parametrize("steps", [10, 40])
def test_the_ends_do_not_depend_on_the_number_of_steps(name, config, first, last, steps):
    queried = ratios(on(name, steps, config))[:-1]
    assert queried[0] == pytest.approx(first, rel=1e-9)
    assert queried[-1] == pytest.approx(last, rel=1e-9)


@pytest.mark.parametrize("name", ["DDIMInverseScheduler", "DPMSolverMultistepInverseScheduler"])
@pytest.mark.parametrize("steps", [10, 40])
def test_a_way_back_rises_in_even_steps_to_the_noisiest_level(name, steps):
    levels = np.log(ratios(on(name, steps)))
    np.testing.assert_allclose(np.diff(levels), np.log(2500) / (steps - 1), rtol=1e-8)
    assert levels[-1] == pytest.approx(np.log(50))


def test_times_of_a_cosine_can_be_in_turn_short_and_long():
    lengths = -np.diff(np.log(ratios(on("DDPMWuerstchenScheduler", 20, uneven=True))[:-1]))
    short, long = lengths[::2], lengths[1::2]
    assert np.ptp(short) < 1e-9
    np.testing.assert_allclose(long, 2 * short[0], rtol=1e-8)


def test_churn_is_bounded_so_that_it_vanishes_with_its_steps():
    """sigma_hat / sigma of the first step: 1 + 4 / N, though 80 are asked for, of which N below 193 would feel nothing."""
    assert ratios(on("KarrasVeScheduler", 16))[0] == pytest.approx(50 * (1 + 4 / 16))
    assert ratios(on("KarrasVeScheduler", 16, {"s_churn": 1.0}))[0] == pytest.approx(50 * (1 + 1 / 16))


ORDERS = [
    ("DDIMInverseScheduler", {"set_alpha_to_one": False}, 1),
    ("DDPMWuerstchenScheduler", {}, 1),
    ("DPMSolverMultistepInverseScheduler", {}, 2),
    ("FlowMatchHeunDiscreteScheduler", {}, 2),
    ("KarrasVeScheduler", {"s_churn": 0.0}, 2),
    ("KarrasVeScheduler", {}, 2),
    ("ScoreSdeVpScheduler", {}, 1),
]


@pytest.mark.parametrize(("name", "config", "order"), ORDERS)
def test_they_converge_with_the_order_of_their_method(name, config, order):
    responses = [on(name, steps, config) for steps in STEPS]
    assert measured(responses, global_error).order == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize(("name", "config", "order"), ORDERS)
def test_the_checks_measure_it(name, config, order):
    report = vd.check(diffusers_target(name, config=config, steps=10))
    found = {finding.check: finding for finding in report.findings}
    assert found["order"].status is Status.PASS, found["order"].message
    assert found["order"].measured == pytest.approx(order, abs=0.15)
    assert found["consistency"].status is Status.PASS, found["consistency"].message


SOLVERS = [("CMStochasticIterativeScheduler", None, 10), ("HeliosDMDScheduler", None, 4), ("RePaintScheduler", None, 10),
           ("TCDScheduler", 1.0, 10)]  # fmt: skip


@pytest.mark.parametrize(("name", "eta", "steps"), SOLVERS)
def test_one_that_cannot_be_refined_says_why(name, eta, steps):
    report = vd.check(diffusers_target(name, eta=eta, steps=steps))
    found = {finding.check: finding for finding in report.findings if finding.check in ("order", "consistency")}
    assert found.keys() == {"order", "consistency"}
    for finding in found.values():
        assert finding.status is Status.NOT_APPLICABLE
        assert finding.message.endswith(f": {UNREFINED[name]}.")


def test_a_flow_whose_sigmas_cannot_be_chosen_says_so():
    target = diffusers_target(
        "DEISMultistepScheduler", config={"use_flow_sigmas": True, "prediction_type": "flow_prediction"}, steps=10
    )
    assert target.on_log_grid is None
    assert "takes no others" in target.unrefined
