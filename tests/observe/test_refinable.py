"""A function that takes its levels can be asked for its order."""

from functools import partial

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.refinable import in_log, takes_levels, thinned
from verifydiff.verdict import Status


def two_m(denoise, x, seed, *, abar, ratio=lambda h, before: before / h, half=0.5):
    """DPM-Solver++(2M), the last step onto the data."""
    alpha, sigma = np.sqrt(abar), np.sqrt(1 - abar)
    half_log_snr, earlier = np.log(alpha / sigma), None
    for t in reversed(range(len(abar))):
        x0 = (x - sigma[t] * denoise(x, t)) / alpha[t]
        if t == 0:
            return x0
        h, mixed = half_log_snr[t - 1] - half_log_snr[t], x0
        if earlier is not None:
            mixed = x0 + half / ratio(h, half_log_snr[t] - half_log_snr[t + 1]) * (x0 - earlier)
        x, earlier = sigma[t - 1] / sigma[t] * x - alpha[t - 1] * np.expm1(-h) * mixed, x0
    raise AssertionError


WRONG = {
    "steps taken for equal": partial(two_m, ratio=lambda h, before: 1.0),
    "the half lost": partial(two_m, half=1.0),
    "the sign": partial(two_m, half=-0.5),
    "of first order": partial(two_m, half=0.0),
}
NAMED = {"steps taken for equal": "equal-steps-assumed", "the half lost": "difference-doubled", "the sign": "difference-reversed"}


def the_order(report):
    return [finding for finding in report.findings if finding.check == "order"]


@pytest.mark.parametrize("steps", [None, 7, 20])
def test_the_order_of_a_right_solver_is_measured(steps):
    report = vd.check(two_m, schedule=vd.Schedule.cosine(50), family=vd.ProbabilityFlow(2), steps=steps)
    report.raise_if_failed()
    (finding,) = the_order(report)
    assert finding.status is Status.PASS
    assert abs(finding.measured - 2) < 0.05


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_weight_of_the_earlier_prediction_is_found(name):
    report = vd.check(WRONG[name], schedule=vd.Schedule.cosine(50), family=vd.ProbabilityFlow(2), steps=10)
    failed = {finding.check for finding in report.findings if finding.status is Status.FAIL}
    assert failed == ({"order", "coefficients"} if name in NAMED else {"order"})
    assert [slip.slip for slip in report.diagnosis] == ([NAMED[name]] if name in NAMED else [])


def test_of_a_ratio_of_steps_upside_down_single_steps_tell_and_it_could_be_a_predictor():
    """The errors of neighbours cancel in the whole, as the offsets of states do that are corrected later."""
    upside_down = partial(two_m, ratio=lambda h, before: h / before)
    report = vd.check(upside_down, schedule=vd.Schedule.cosine(50), family=vd.ProbabilityFlow(2), steps=10)
    assert [finding.status for finding in the_order(report)] == [Status.PASS, Status.NOTE]
    assert "look at the ratio of its steps" in the_order(report)[1].message


def test_a_higher_order_than_it_has_is_refuted():
    report = vd.check(two_m, schedule=vd.Schedule.cosine(50), order=3, steps=10)
    assert [finding.status for finding in the_order(report)] == [Status.FAIL]


def test_an_order_that_is_claimed_and_cannot_be_measured_is_undecided():
    fixed = partial(two_m, abar=np.array(vd.Schedule.linear(20).abar[1:]))
    report = vd.check(fixed, schedule=vd.Schedule.linear(20), family=vd.ProbabilityFlow(2))
    assert report.status is Status.INCONCLUSIVE
    assert [finding.status for finding in the_order(report)] == [Status.INCONCLUSIVE]


def test_a_one_step_method_that_takes_its_levels_is_judged_by_its_closed_form():
    def ddim(denoise, x, seed, *, abar):
        for t in reversed(range(len(abar))):
            there = abar[t - 1] if t else 1.0
            eps = denoise(x, t)
            x = np.sqrt(there / abar[t]) * (x - np.sqrt(1 - abar[t]) * eps) + np.sqrt(1 - there) * eps
        return x

    report = vd.check(ddim, family=vd.DDIM(), steps=13)
    report.raise_if_failed()
    assert "coefficients" in {finding.check for finding in report.findings}


def test_only_an_argument_that_must_be_given_by_name_asks_for_levels():
    assert takes_levels(two_m)
    assert not takes_levels(partial(two_m, abar=np.ones(1)))
    assert not takes_levels(lambda denoise, x, seed, abar: x)
    assert not takes_levels(print)


def test_tables_are_even_and_uneven_and_thinned_by_the_trailing_spacing():
    def ratios(schedule):
        return np.sqrt((1 - schedule.abar[1:]) / schedule.abar[1:])

    even, uneven = np.diff(np.log(ratios(in_log(np.ones(9))))), np.diff(np.log(ratios(in_log(1.0 + np.arange(9) % 2))))
    np.testing.assert_allclose(even, even[0], rtol=1e-9)
    np.testing.assert_allclose(uneven[1::2] / uneven[:-1:2], 2, rtol=1e-9)
    schedule = vd.Schedule.linear(10)
    np.testing.assert_array_equal(thinned(schedule, 3).abar, schedule.abar[[0, 3, 7, 10]])
