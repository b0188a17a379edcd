"""Plain functions as solvers: without steps of one's choice they are judged by where they land."""

import numpy as np
import pytest
from samplers import ABAR, BETAS, ddim, trailing

import verifydiff as vd
from verifydiff.forms.solvers import ProbabilityFlow
from verifydiff.verdict import MisuseError, Status

SCHEDULE = vd.Schedule.from_betas(BETAS)
TIMES = trailing(10)


def dpm_2m(half=0.5, whole=1.0):
    """DPM-Solver++(2M) by the indices of a table."""
    alpha, sigma = np.sqrt(ABAR), np.sqrt(1 - ABAR)
    lam = np.log(alpha / sigma)

    def sample(denoise, x, seed):
        before = None
        for i, t in enumerate(TIMES):
            data = (x - sigma[t] * denoise(x, t)) / alpha[t]
            if i + 1 == len(TIMES):
                return data
            s = TIMES[i + 1]
            h, d = lam[s] - lam[t], data
            if before is not None:
                d = data + half * h / (lam[t] - lam[TIMES[i - 1]]) * (data - before)
            before = data
            x = whole * sigma[s] / sigma[t] * x - alpha[s] * np.expm1(-h) * d
        raise AssertionError

    return sample


def squashed(denoise, x, seed):
    return np.tanh(dpm_2m()(denoise, x, seed))


def failed(report):
    return [finding.check for finding in report.findings if finding.status is Status.FAIL]


CLAIMS = [({}, Status.NOT_APPLICABLE), ({"order": 2}, Status.INCONCLUSIVE), ({"family": ProbabilityFlow(2)}, Status.INCONCLUSIVE)]


@pytest.mark.parametrize(("claims", "status"), CLAIMS, ids=["nothing", "2", "flow"])
def test_a_multistep_function_is_judged_as_a_solver_whatever_it_claims(claims, status):
    """An order that is claimed and cannot be measured, since the function takes no levels, stays undecided."""
    report = vd.check(dpm_2m(), schedule=SCHEDULE, steps=10, **claims)
    assert failed(report) == []
    assert report.identified_as.startswith("DPM-Solver++(2M), a multistep method whose steps use up to 1 earlier prediction")
    (order,) = [finding for finding in report.findings if finding.check == "order"]
    assert order.status is status


def test_one_that_misses_its_levels_fails():
    assert failed(vd.check(dpm_2m(whole=1.01), schedule=SCHEDULE)) == ["pairing"]


def test_one_that_is_not_affine_fails_and_nothing_more_is_asked():
    report = vd.check(squashed, schedule=SCHEDULE, order=2)
    assert failed(report) == ["affinity"]
    assert "pairing" not in [finding.check for finding in report.findings]


def test_a_family_claimed_is_held_against_its_closed_form_and_not_taken_for_a_solver():
    assert "affinity" in failed(vd.check(dpm_2m(), schedule=SCHEDULE, family=vd.DDIM()))


def test_a_one_step_method_that_claims_an_order_is_judged_as_a_solver():
    report = vd.check(ddim(0.0), schedule=SCHEDULE, order=1)
    assert failed(report) == []
    assert report.identified_as == "a one-step method that adds no noise"


def test_more_steps_claimed_than_asked_for_fail():
    assert "time-grid" in failed(vd.check(dpm_2m(), schedule=SCHEDULE, order=2, steps=12))
    assert "time-grid" in failed(vd.check(dpm_2m(), schedule=SCHEDULE, order=2, steps=9))


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"order": 2, "family": vd.DDIM()}, "give a family or an order"),
        ({"order": 0}, "`order` must be a whole number"),
        ({"order": 2.0}, "`order` must be a whole number"),
    ],
    ids=str,
)
def test_claims_that_make_no_sense_are_misuse(claims, says):
    with pytest.raises(MisuseError, match=says):
        vd.check(dpm_2m(), schedule=SCHEDULE, **claims)
