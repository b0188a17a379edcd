"""The whole confirmation: whose the error is, for every planted cause."""

from __future__ import annotations

import json
from io import StringIO

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from confirm_standins import BUDGET, LAW, TABLE, BetaForBetaTilde, WrongTime, network, stepwise
from rich.console import Console

from verifydiff.confirm import confirm, denoising
from verifydiff.confirm.model import as_model
from verifydiff.report import confirm as terminal
from verifydiff.report.html import this_run
from verifydiff.report.html.confirm import QUESTIONS, confirm_page
from verifydiff.verdict import MisuseError, Status

SLIPPED = stepwise(BetaForBetaTilde)
CAUSES = {
    "a perfect network, a right sampler": (network(), None, set(), set()),
    "a little error of no known shape": (network(smooth=0.01), None, set(), set()),
    "answers too small": (network(scale=0.9), None, {"network"}, {"scaled"}),
    "a smooth error": (network(smooth=0.1), None, {"network"}, {""}),
    "an untrained guess": (network(linear=1.0), None, {"network"}, {""}),
    "answers that are no numbers": (network(scale=jnp.nan), None, {"network"}, {""}),
    "a network told another time": (network(shift=1.0), None, {"network"}, {"told-another-time"}),
    "a slip of the sampler": (network(), SLIPPED, {"sampler"}, {"beta-for-beta-tilde"}),
    "the wrong time": (network(), stepwise(WrongTime), {"sampler"}, {"time-told-of-the-next-step"}),
    "both": (network(scale=0.9), SLIPPED, {"network", "sampler"}, {"scaled", "beta-for-beta-tilde"}),
}


@pytest.fixture(scope="module")
def confirmed():
    return {
        name: confirm(eps, LAW, TABLE, budget=BUDGET, sampler=sampler, name=name) for name, (eps, sampler, _, _) in CAUSES.items()
    }


@pytest.mark.parametrize("name", CAUSES)
def test_the_error_is_laid_at_the_right_door(confirmed, name):
    _, _, who, what = CAUSES[name]
    seen = confirmed[name]
    assert {cause.who for cause in seen.causes} == who
    assert {cause.what for cause in seen.causes} == what
    assert seen.status is (Status.FAIL if who else Status.PASS)


def test_a_little_error_is_told_in_notes_and_is_no_fault(confirmed):
    seen = confirmed["a little error of no known shape"]
    assert seen.imperfect
    assert "the network is trained" in seen.verdict
    assert not confirmed["a perfect network, a right sampler"].imperfect


def test_what_a_perfect_network_adds_is_rounding_and_its_intervals_too(confirmed):
    seen = confirmed["a perfect network, a right sampler"]
    assert seen.denoising.excess.high < 1e-20
    assert all(abs(cell.excess["network"].value) < 1e-7 for cell in seen.sampling.cells)
    assert abs(seen.likelihood.ode_excess.value) < 1e-9


def test_sampler_and_network_have_their_own_shares_of_the_distance(confirmed):
    """Too much noise may well bring few steps closer to the data than theory has them: it is off all the same."""
    seen = confirmed["both"]
    noisy = [cell.excess for cell in seen.sampling.cells if cell.eta == 1]
    assert any(not (one["sampler"].low <= 0 <= one["sampler"].high) for one in noisy)
    assert any(not (one["network"].low <= 0 <= one["network"].high) for one in noisy)
    quiet = [cell for cell in seen.sampling.cells if cell.eta == 0]
    assert all(abs(cell.excess["sampler"].value) < 1e-7 for cell in quiet)


def test_json_and_page_and_terminal_tell_of_it(confirmed):
    for seen in confirmed.values():
        told = json.loads(json.dumps(seen.to_json(), allow_nan=False))
        assert told["status"] == seen.status.value
        assert len(told["measured"]["sampling"]["cells"]) == 4
        page = confirm_page(seen, this_run("verifydiff confirm RUN", seed=0, false_alarm=1e-6, seconds=1.0), QUESTIONS)
        assert seen.verdict.split(";")[0][1:] in page
        assert {finding.check for finding in seen.findings} <= {*QUESTIONS, "guidance"}
        out = StringIO()
        terminal.show(seen, Console(file=out, width=200))
        assert seen.verdict in " ".join(out.getvalue().split())


def test_the_loss_of_answers_that_are_too_small_is_the_one_that_algebra_gives():
    """E|0.1 eps*|^2 = 0.01 (1 - floor) at every level: the noise has variance one."""
    seen = denoising.denoising(as_model(network(scale=0.9)), LAW, TABLE, BUDGET, jax.random.key(1))
    floors = np.asarray(LAW.bayes_loss(jnp.asarray(TABLE[1:])).value)
    right = 0.01 * (1 - floors).mean() / floors.mean()
    assert seen.excess.low <= right <= seen.excess.high
    assert seen.excess.value == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((lambda x, a: x, "a field", TABLE), "must be a law"),
        ((lambda x, a: x, LAW, TABLE[1:]), "must be 1"),
        (("no function", LAW, TABLE), "must be a function"),
    ],
)
def test_misuse_is_told_in_one_line(arguments, words):
    with pytest.raises(MisuseError, match=words) as raised:
        confirm(*arguments, budget=BUDGET)
    assert "\n" not in str(raised.value)
