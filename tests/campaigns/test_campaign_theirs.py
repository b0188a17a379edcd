"""Campaigns of samplers that others wrote: right ones pass, slips are found, what does not run is said."""

from __future__ import annotations

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.campaigns import Against, Outcome, Plan, Setting, Theirs, data, theirs
from verifydiff.campaigns.denoisers import denoiser
from verifydiff.cli import main
from verifydiff.observe.functions import function_target
from verifydiff.samplers import EDM, spaced
from verifydiff.schedule import Schedule
from verifydiff.statistics import ErrorRates
from verifydiff.verdict import Status

import theirs_samplers  # isort: skip

RATES = ErrorRates(1e-4, 1e-4)
SCHEDULE = Schedule.linear(1000)
FILE = Path(theirs_samplers.__file__)


def judged(sampler, family="ddim", name="gaussian:2", against=None, resolution=0.05, draws=None):
    given = Theirs(sampler.__name__, function_target(sampler, SCHEDULE, shape=data(name).event_shape))
    plan = Plan(family, Setting(10), name, data(name), None, 0, resolution, RATES, against, theirs=given)
    return Outcome(plan, plan.campaign().run(draws))


@pytest.mark.parametrize(
    ("sampler", "family"),
    [(theirs_samplers.ddim, "ddim"), (theirs_samplers.ddpm, "ddpm"), (theirs_samplers.diffrax_euler, "euler")],
    ids=["ddim", "ddpm", "diffrax"],
)
def test_a_right_sampler_ends_in_the_law_of_its_family(sampler, family):
    outcome = judged(sampler, family)
    assert outcome.status is Status.PASS
    assert outcome.plan.levels.size == 11
    assert outcome.count.yardstick.against == f"the exact law of {family} after 10 steps"


SLIPS = {
    "the level of the next index": (theirs_samplers.late, "ddim", "variance"),
    "half of the noise to begin with": (theirs_samplers.halved, "ddim", "variance"),
    "noise of signs": (theirs_samplers.ddpm_signs, "ddpm", "shape"),
    "one draw for the whole batch": (theirs_samplers.ddpm_shared, "ddpm", "variance"),
    "another family than is claimed": (theirs_samplers.ddpm, "ddim", "variance"),
}


@pytest.mark.parametrize(("sampler", "family", "asked"), SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_found(sampler, family, asked):
    resolution = 0.01 if asked == "shape" or sampler is theirs_samplers.late else 0.05
    outcome = judged(sampler, family, resolution=resolution, draws=2_000_000)
    found = {finding.check: finding.status for finding in outcome.findings}
    assert (outcome.status, found[asked]) == (Status.FAIL, Status.FAIL)


def test_the_bias_of_few_steps_is_told_apart_from_a_mistake():
    outcome = judged(theirs_samplers.ddim)
    bias = next(finding for finding in outcome.findings if finding.check == "bias")
    assert bias.status is Status.NOTE
    assert bias.measured[1] == pytest.approx(0.547, abs=0.001)  # of the variance, after ten steps
    assert judged(theirs_samplers.ddim, against=Against.DATA).status is Status.FAIL


def test_without_a_family_what_differs_from_the_data_may_be_the_bias_and_is_a_note():
    assert judged(theirs_samplers.ddim, None).status is Status.NOTE
    assert judged(theirs_samplers.ddim, None, "mixture:2", resolution=0.1).status is Status.NOTE


def test_a_sampler_that_fails_on_a_block_fails_and_says_why():
    outcome = judged(theirs_samplers.raises_late)
    assert outcome.status is Status.FAIL
    assert "MemoryError: too many" in outcome.findings[0].message
    assert "not finite" in judged(theirs_samplers.not_finite, None).findings[0].message


def test_a_scheduler_of_diffusers_ends_in_the_law_of_its_family(capsys):
    pytest.importorskip("diffusers")
    asked = ("--family", "dpm-solver++2m", "--steps", "10", "--resolution", "0.05", "--false-alarm", "1e-4", "--miss", "1e-4")
    assert main(["sample", "diffusers:DPMSolverMultistepScheduler", "gaussian:2", *asked, "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["campaign"]["levels"].startswith("10 steps")
    assert [finding["check"] for finding in told["findings"]] == ["mean", "variance", "shape", "bias"]


@pytest.mark.parametrize(("name", "status"), [("InJax", Status.PASS), ("Stale", Status.FAIL)])
def test_a_sampler_in_jax_is_taken_from_a_file(name, status):
    levels = spaced(SCHEDULE.abar, 10)
    given = theirs(f"{FILE}:{name}")
    plan = Plan("ddim", Setting(10), "gaussian:2", data("gaussian:2"), levels, 0, 0.05, RATES, theirs=given)
    assert Outcome(plan, plan.campaign().run(500_000)).status is status


def test_the_churn_of_a_sampler_in_jax_is_shared_among_the_steps_that_it_takes():
    levels = spaced(SCHEDULE.abar, 10)
    told = [Setting(steps, churn=3.0) for steps in (10, 50)]
    plans = [Plan("edm", one, "gaussian:2", data("gaussian:2"), levels, theirs=Theirs("mine", EDM(3.0))) for one in told]
    np.testing.assert_array_equal(*(plan.campaign().yardstick(np.eye(2)) for plan in plans))


def test_other_code_is_another_campaign(tmp_path):
    path = tmp_path / "mine.py"
    identities = []
    for comment in ("", "# mended\n"):
        path.write_text(f"{comment}def sample(denoise, x_init, seed):\n    return 0.5 * denoise(x_init, 999)\n")
        given = theirs(f"{path}:sample", shape=(2,))
        identities.append(Plan(None, Setting(1), "gaussian:2", data("gaussian:2"), None, theirs=given).identity)
    assert identities[0] != identities[1]


def test_what_a_scheduler_was_told_is_in_what_its_campaign_is_known_by():
    pytest.importorskip("diffusers")
    told = [{"config": {"clip_sample": clip}, "schedule": Schedule.linear(T)} for clip in (True, False) for T in (100, 200)]
    versions = [theirs("diffusers:DDIMScheduler", shape=(2,), **options).version for options in (*told, told[0])]
    assert len(set(versions)) == 4
    assert versions[0] == versions[4]


MISUSE = {
    "no such file": (("nowhere.py:f", "gaussian:2"), "there is no file"),
    "no such name": ((f"{FILE}:nothing", "gaussian:2"), "has no 'nothing'"),
    "no such family": ((f"{FILE}:ddim", "gaussian:2", "--family", "dpm"), "no sampler is called 'dpm'"),
    "other steps than it takes": ((f"{FILE}:ddim", "gaussian:2", "--steps", "20"), "takes 10 steps, and --steps says 20"),
    "a family for ours": (("ddim", "gaussian:2", "--family", "ddim"), "for a sampler of your own"),
    "a churn that hides the levels": ((f"{FILE}:ddim", "gaussian:2", "--family", "edm", "--churn", "1"), "are not seen"),
    "a step of a function": ((f"{FILE}:ddim", "gaussian:2", "--pair", "2"), "have a `step`"),
    "a law that is not known": ((f"{FILE}:ddim", "gaussian:2", "--against", "sampler"), "names no family"),
}


@pytest.mark.parametrize(("arguments", "says"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_is_one_line(capsys, arguments, says):
    assert main(["sample", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["gaussian:3", "mixture:2", "field:3"])
@pytest.mark.parametrize("abar", [0.0, 1e-4, 0.3, 0.999])
def test_the_denoiser_on_the_host_is_that_of_the_oracle(name, abar):
    law = data(name)
    x_t = np.random.default_rng(0).standard_normal((50, law.event_size)) * 2
    expected = np.asarray(law.denoise(jnp.asarray(x_t).reshape(50, *law.event_shape), abar)).reshape(50, -1)
    np.testing.assert_allclose(denoiser(law)(x_t, abar), expected, rtol=1e-9, atol=1e-10)
