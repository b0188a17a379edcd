"""The folder of a training, confirmed: what is trained too little fails by name, and foreign folders are told in one line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from confirm_standins import BUDGET, BetaForBetaTilde, stepwise

from verifydiff.cli import main
from verifydiff.confirm import confirm, runs
from verifydiff.network import PRESETS, checkpoint, train
from verifydiff.network.step import initial
from verifydiff.verdict import MisuseError, Status

sys.path.insert(0, str(Path(__file__).parents[1] / "network"))
from tiny_network import TINY  # isort: skip

SMALL = replace(BUDGET, steps=(5, 10), noised=512, batch=64, draws=64)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Twenty steps of a training, far too few."""
    return train(TINY, tmp_path_factory.mktemp("tiny"))


def confirmed(run, sampler=None):
    unlabelled, _ = runs.models(run)
    return confirm(unlabelled, run.data, run.levels, budget=SMALL, prediction=run.preset.prediction, sampler=sampler)


def test_a_network_that_is_trained_too_little_fails_by_name(run):
    """With a budget of more steps than its table has, as the full one is: those are left out."""
    seen = runs.confirm_run(run.folder, budget=replace(SMALL, steps=(5, 10, 1000)), asked_for=(5, 10))
    assert (seen.status, {cause.who for cause in seen.causes}) == (Status.FAIL, {"network"})
    assert seen.name == "tiny after 20 steps"


def test_an_average_that_stayed_with_the_first_weights_fails_by_name(run):
    """As a decay of 1 would leave it: the weights are trained, and what answers is not."""
    untouched = initial(TINY, None, TINY.steps, 0).average
    seen = confirmed(replace(run, network=untouched))
    assert (seen.status, {cause.who for cause in seen.causes}) == (Status.FAIL, {"network"})


def test_with_a_slip_of_the_sampler_both_are_told(run):
    seen = confirmed(run, stepwise(BetaForBetaTilde))
    assert {cause.who for cause in seen.causes} == {"network", "sampler"}
    assert "beta-for-beta-tilde" in {cause.what for cause in seen.causes}


# -- what is refused ---------------------------------------------------------------------------------------------------------


def written(folder, run, header=lambda told: told, arrays=lambda content: content, right=True):
    """The run's checkpoint, with something changed, and a digest that is right all the same, or is not."""
    line, _, content = next(run.folder.glob("*.checkpoint")).read_bytes().partition(b"\n")
    content = arrays(content)
    told = header(json.loads(line))
    told |= {"digest": checkpoint.digest(told, content) if right else "0"}
    (folder / "step-000000020.checkpoint").write_bytes(json.dumps(told).encode() + b"\n" + content)


def of_preset(**changes):
    return lambda told: told | {"plan": told["plan"] | {"preset": told["plan"]["preset"] | changes}}


FOREIGN = {
    "truncated": (lambda folder, run: written(folder, run, right=False), "is whole: step-000000020"),
    "no checkpoint": (lambda folder, run: (folder / "step-000000001.checkpoint").write_bytes(b"\x93NUMPY"), "is whole"),
    "a list": (lambda folder, run: (folder / "step-000000001.checkpoint").write_bytes(b"[1, 2]\n"), "is whole"),
    "another version": (
        lambda folder, run: written(folder, run, lambda told: told | {"format": "verifydiff network, version 9"}),
        "is of another version",
    ),
    "steps in words": (lambda folder, run: written(folder, run, lambda told: told | {"step": "many"}), "is of another version"),
    "weights of another size": (
        lambda folder, run: written(folder, run, of_preset(size=dict(PRESETS["field-8"].size.__dict__))),
        "do not fit what it says of itself",
    ),
    "no weights": (lambda folder, run: written(folder, run, arrays=lambda content: b""), "do not fit what it says of itself"),
    "unknown data": (lambda folder, run: written(folder, run, of_preset(data="cats:8")), "no data are called 'cats:8'"),
    "padding that is none": (
        lambda folder, run: written(folder, run, of_preset(size=TINY.size.__dict__ | {"padding": "mirrored"})),
        "is of another version",
    ),
    "an empty folder": (lambda folder, run: None, "holds no training"),
}


@pytest.mark.parametrize(("spoil", "words"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_folder_is_refused_in_one_line(run, tmp_path, capsys, monkeypatch, spoil, words):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    spoil(tmp_path, run)
    assert main(["confirm", str(tmp_path)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1
    assert words in err[0]


MISUSE = {
    "no folder": (["nowhere"], "there is no folder nowhere"),
    "an empty name": ([""], "the name of the folder is empty; the current one is called '.'"),
    "a file": (["taken"], "there is no folder taken"),
    "no sampler": (["tiny", "--sampler", "nothing"], "names no sampler"),
    "no sampler's file": (["tiny", "--sampler", "nothing.py:Sampler"], "nothing.py"),
    "no steps": (["tiny", "--steps", "5,x"], "--steps takes numbers"),
    "too few steps": (["tiny", "--steps", "1"], "2 steps or more"),
    "an eta that is none": (["tiny", "--etas", "2"], "must lie in [0, 1]"),
    "odd draws": (["tiny", "--draws", "100"], "multiple of 32"),
    "too many draws": (["tiny", "--draws", "640000000000"], "`draws` must be at most 10,000,000, got 640,000,000,000."),
    "a seed below 0": (["tiny", "--seed", "-1"], "--seed must lie between"),
    "one place for two": (["tiny", "--json", "-", "--html", "-"], "cannot both go to -"),
}


@pytest.mark.parametrize(("arguments", "words"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_told_in_one_line(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    assert main(["confirm", *arguments]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1
    assert words in err[0]


@pytest.mark.parametrize("how", [[], ["--full"]], ids=["quick", "full"])
def test_a_number_of_steps_that_the_user_names_is_not_left_out_but_refused(run, capsys, monkeypatch, how):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    assert main(["confirm", str(run.folder), *how, "--steps", "5,16,17,2000"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err == ["verifydiff: the table of this run has 16 times, too few for 2,000 steps."]


@pytest.mark.parametrize(
    ("how", "named"), [([], ()), (["--full"], ()), (["--full", "--steps", "5,10"], (5, 10))], ids=["quick", "full", "named"]
)
def test_what_the_budget_alone_names_is_not_refused(monkeypatch, how, named):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    seen = []

    def told(folder, *, asked_for, **given):
        seen.append(asked_for)
        raise MisuseError("enough.")

    monkeypatch.setattr(runs, "confirm_run", told)
    assert main(["confirm", "tiny", *how]) == 2
    assert seen == [named]


def test_weights_that_are_no_numbers_fail_by_name(run):
    spoilt = replace(run, network=checkpoint.eqx.tree_at(lambda net: net.leave.bias, run.network, np.full(1, np.nan, np.float32)))
    seen = confirmed(spoilt)
    assert (seen.status, {cause.who for cause in seen.causes}) == (Status.FAIL, {"network"})
