"""A solver in its own precision: that it runs is asked, and how far rounding moves it is told."""

from dataclasses import replace

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.functions import function_target
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.linear(12)
ABAR = SCHEDULE.abar[1:]


def two_m(kind=np.float64, last=0, wrong=False):
    """DPM-Solver++(2M) in a precision."""

    def sample(denoise, x, seed):
        alpha, sigma = np.sqrt(ABAR).astype(kind), np.sqrt(1 - ABAR).astype(kind)
        half_log_snr, earlier, x = np.log(alpha / sigma), None, x.astype(kind)
        for t in reversed(range(last, len(ABAR))):
            x0 = ((x - sigma[t] * denoise(x, t)) / alpha[t]).astype(kind)
            if t == last:
                return x0
            if wrong and t == 4:
                raise IndexError("index 13 is out of bounds")
            h, mixed = half_log_snr[t - 1] - half_log_snr[t], x0
            if earlier is not None:
                mixed = x0 + h / (half_log_snr[t] - half_log_snr[t + 1]) / 2 * (x0 - earlier)
            x, earlier = (sigma[t - 1] / sigma[t] * x - alpha[t - 1] * np.expm1(-h) * mixed).astype(kind), x0
        raise AssertionError

    return sample


def findings(shipped):
    target = replace(function_target(two_m(), SCHEDULE), as_shipped=None if shipped is None else function_target(shipped, SCHEDULE))
    report = vd.check(target, family=vd.ProbabilityFlow())
    return [finding for finding in report.findings if finding.check == "precision"]


def test_rounding_is_a_note_with_its_size():
    (finding,) = findings(two_m(np.float32))
    assert finding.status is Status.NOTE
    assert 1e-9 < finding.measured < 1e-4


@pytest.mark.parametrize(
    ("shipped", "says"),
    [(two_m(np.float32, wrong=True), "index 13 is out of bounds"), (two_m(np.float32, last=1), "asks the model 11 times")],
    ids=["raises", "asks less often"],
)
def test_one_that_does_not_run_as_shipped_fails(shipped, says):
    (finding,) = findings(shipped)
    assert finding.status is Status.FAIL
    assert says in finding.message


def test_nothing_is_said_where_there_is_no_other_precision():
    assert findings(None) == []
