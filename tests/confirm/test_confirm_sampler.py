"""The sampler by itself: right ones pass, and every planted slip is seen and named."""

from __future__ import annotations

import confirm_standins as standins
import jax
import pytest
from confirm_standins import TABLE, T, stepwise, whole_loop

from verifydiff.confirm import Stepwise, Whole
from verifydiff.confirm.implementation import implementation
from verifydiff.statistics import ErrorRates
from verifydiff.verdict import Status

RATES = ErrorRates(1e-9, 1e-9)
RIGHT = {
    "by its steps": Stepwise(most=T),
    "as a whole loop": Whole(whole_loop),
    "keeping its levels": stepwise(standins.KeepsTable),
}
SLIPS = {
    "beta for beta-tilde": (standins.BetaForBetaTilde, "beta-for-beta-tilde"),
    "a lost bar": (standins.LostBar, "lost-bar"),
    "eta squared": (standins.EtaSquared, "eta-squared"),
    "noise left out": (standins.NoiseLeftOut, "noise-left-out"),
    "sigma not subtracted": (standins.SigmaNotSubtracted, "sigma-not-subtracted"),
    "the wrong time": (standins.WrongTime, "time-told-of-the-next-step"),
    "a stride off by one": (standins.OffByOneStride, "end-one-early"),
}


def judged(sampler):
    return implementation(sampler, TABLE, (2, 3), jax.random.key(5), RATES, ((10, 0.5), (10, 1.0)))


@pytest.mark.parametrize("sampler", RIGHT.values(), ids=RIGHT)
def test_a_right_sampler_passes_and_nothing_is_named(sampler):
    seen = judged(sampler)
    assert [finding.status for finding in seen.findings] == [Status.PASS, Status.PASS]
    assert seen.slips == ()


@pytest.mark.parametrize(("kind", "slip"), SLIPS.values(), ids=SLIPS)
def test_a_planted_slip_is_seen_and_named(kind, slip):
    seen = judged(stepwise(kind))
    assert Status.FAIL in [finding.status for finding in seen.findings]
    assert slip in [one.slip for one in seen.slips]
    assert seen.slips[0].residual < 1e-7


def test_a_sampler_that_clips_is_told_to_be_no_affine_map():
    def clipping(eps, x_T, abar, *, eta, key):
        return whole_loop(eps, x_T, abar, eta=eta, key=key).clip(-1, 1)

    of_map, _ = judged(Whole(clipping)).findings
    assert of_map.status is Status.FAIL
    assert "no affine map" in of_map.message


def test_a_mistake_that_no_slip_explains_is_seen_and_not_named():
    def scaled(eps, x_T, abar, *, eta, key):
        return 1.01 * whole_loop(eps, x_T, abar, eta=eta, key=key)

    seen = judged(Whole(scaled))
    assert seen.findings[0].status is Status.FAIL
    assert seen.slips == ()
