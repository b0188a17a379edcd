"""``verifydiff sample``, as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from verifydiff.cli import main

QUICK = ("--steps", "10", "--resolution", "0.05", "--false-alarm", "1e-4", "--miss", "1e-4")
EXACT = ["ddpm", "ddpm-large", "ddim", "euler", "heun", "euler-maruyama", "reverse-diffusion", "dpm-solver++2m", "edm"]


def outcome(capsys, *arguments):
    code = main(["sample", *arguments, "--json", "-"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("sampler", EXACT)
def test_a_sampler_ends_in_the_law_that_the_oracle_derives_for_it(capsys, sampler):
    code, told = outcome(capsys, sampler, "gaussian:2", *QUICK)
    assert (code, told["status"]) == (0, "pass")
    assert told["against"] == f"the exact law of {sampler} after 10 steps"
    assert [finding["check"] for finding in told["findings"]] == ["mean", "variance", "shape", "bias"]


@pytest.mark.parametrize("told", [("ddim", "--eta", "0.7"), ("edm", "--churn", "4")], ids=["ddim with noise", "edm with churn"])
def test_what_a_sampler_is_set_to_is_in_the_law(capsys, told):
    assert outcome(capsys, *told[:1], "gaussian:2", *told[1:], *QUICK)[0] == 0


def test_few_steps_are_off_the_law_of_the_data_and_it_is_said_when_asked(capsys):
    code, told = outcome(capsys, "ddim", "gaussian:2", *QUICK, "--against", "data")
    assert (code, told["status"]) == (1, "fail")


def test_where_only_the_data_are_known_a_difference_is_a_note(capsys):
    code, told = outcome(capsys, "ddim", "mixture:2", *QUICK)
    assert (code, told["status"]) == (0, "note")
    assert [finding["check"] for finding in told["findings"]] == ["mean", "variance", "shape", "fractions"]


FINE = (*QUICK, "--steps", "30", "--spacing", "karras", "--resolution", "0.1")


def test_a_second_order_solver_samples_a_mixture(capsys):
    code, told = outcome(capsys, "heun", "mixture:2", *FINE)
    assert (code, told["status"]) == (0, "pass")


def test_a_class_alone_is_sampled(capsys):
    code, told = outcome(capsys, "heun", "mixture:2", "--label", "1", *FINE)
    assert (code, told["status"]) == (0, "pass")
    assert told["campaign"]["class"] == "1"


def test_a_field_is_sampled(capsys):
    assert outcome(capsys, "ddim", "field:4", *QUICK)[0] == 0


def test_a_law_is_read_from_a_file(tmp_path, capsys):
    (tmp_path / "law.json").write_text(json.dumps({"kind": "gaussian", "mean": [1, 2, 3], "variance": [0.5, 1, 2]}))
    assert outcome(capsys, "ddpm", str(tmp_path / "law.json"), *QUICK)[0] == 0


def test_too_few_draws_are_inconclusive(capsys):
    code, told = outcome(capsys, "ddpm", "gaussian:2", "--draws", "10", "--resolution", "0.001")
    assert (code, told["status"]) == (3, "inconclusive")
    assert "not enough draws to say" in told["findings"][0]["message"]


def test_a_campaign_goes_on_from_its_state(tmp_path, capsys):
    state = ("--state", str(tmp_path / "count.npz"))
    asked = ("ddpm", "gaussian:2", "--steps", "5", "--resolution", "0.02")
    first = outcome(capsys, *asked, *state, "--draws", "10")[1]
    whole = outcome(capsys, *asked, *state)[1]
    assert first["draws"] < whole["draws"]
    assert whole == outcome(capsys, *asked)[1]


def test_a_state_of_another_campaign_is_refused_and_kept(tmp_path, capsys):
    path = tmp_path / "count.npz"
    main(["sample", "ddpm", "gaussian:2", "--steps", "5", "--draws", "10", "--state", str(path)])
    content = path.read_bytes()
    capsys.readouterr()
    assert main(["sample", "ddpm", "gaussian:2", "--steps", "6", "--draws", "10", "--state", str(path)]) == 2
    assert "belongs to another campaign" in capsys.readouterr().err
    assert path.read_bytes() == content


def test_the_terminal_shows_verdict_claim_and_draws(capsys):
    assert main(["sample", "ddim", "gaussian:2", *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.startswith("✓ PASS  ddim, 10 steps, on gaussian:2\n  against the exact law of ddim after 10 steps\n")
    assert "a right sampler fails with probability 0.0001 at most" in " ".join(out.split())


MISUSE = {
    "an unknown sampler": (("dpm", "gaussian:2"), "no sampler is called 'dpm'"),
    "unknown data": (("ddpm", "cats"), "no data are called 'cats'"),
    "no size": (("ddpm", "gaussian"), "takes a size"),
    "a huge size": (("ddpm", "gaussian:99999"), "takes a size"),
    "no steps": (("ddpm", "gaussian:2", "--steps", "0"), "`steps` must be at least 1"),
    "too many steps": (("ddpm", "gaussian:2", "--steps", "1001"), "at most the 1000"),
    "an eta beyond 1": (("ddim", "gaussian:2", "--eta", "1.5"), "`eta` must lie in [0, 1]"),
    "no resolution": (("ddpm", "gaussian:2", "--resolution", "0"), "resolution"),
    "a resolution that is no number": (("ddpm", "gaussian:2", "--resolution", "nan"), "resolution"),
    "a rate of nothing": (("ddpm", "gaussian:2", "--false-alarm", "0"), "false_alarm"),
    "no draws": (("ddpm", "gaussian:2", "--draws", "0"), "--draws must be at least 1"),
    "a negative seed": (("ddpm", "gaussian:2", "--seed", "-1"), "--seed must lie"),
    "no classes": (("ddpm", "gaussian:2", "--label", "0"), "has no classes"),
    "no such class": (("ddpm", "mixture:2", "--label", "9"), "one of the classes"),
    "half of what several processes need": (("ddpm", "gaussian:2", "--process", "0"), "belong together"),
    "a law that is not known": (("ddpm", "mixture:2", "--against", "sampler"), "is not known in closed form"),
    "a schedule that is not there": (("ddpm", "gaussian:2", "--schedule", "quadratic"), "no schedule is called"),
    "a scheduler's file that is not there": (("nowhere.json", "gaussian:2"), "there is no file nowhere.json"),
    "a sampler in no file": ((":f", "gaussian:2"), "':f' names no target"),
    "a file without a sampler": (("nowhere.py:", "gaussian:2"), "'nowhere.py:' names no target"),
    "a state in no folder": (("ddpm", "gaussian:2", "--state", "/nowhere/count.npz"), "there is no folder"),
}


@pytest.mark.parametrize(("arguments", "message"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_is_told_in_one_line(capsys, arguments, message):
    assert main(["sample", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


BAD_FILES = {
    "no JSON": ("{", "is no JSON"),
    "a list": ("[]", "must be an object with a `kind`"),
    "an unknown kind": ('{"kind": "cauchy"}', "must be an object with a `kind`"),
    "an unknown name": ('{"kind": "gaussian", "mean": [0], "sigma": 1}', "is not told by 'sigma'"),
    "nothing but the kind": ('{"kind": "gaussian"}', "`mean` is missing"),
    "ragged": ('{"kind": "gaussian", "mean": [[0], [1, 2]], "variance": 1}', "must hold finite numbers"),
    "words": ('{"kind": "gaussian", "mean": ["a"], "variance": 1}', "must hold finite numbers"),
    "infinite": ('{"kind": "gaussian", "mean": [1e999], "variance": 1}', "must hold finite numbers"),
    "weights that do not sum to one": ('{"kind": "mixture", "weights": [0.5, 0.6], "means": [[0], [1]], "variance": 1}', "sum"),
    "no covariance": ('{"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 2], [2, 1]]}', "positive"),
    "labels that are words": ('{"kind": "mixture", "weights": [1], "means": [[0]], "variance": 1, "labels": ["a"]}', "labels"),
    "deep": ("[" * 100_000, "is no JSON"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_told_in_one_line(tmp_path, capsys, content, message):
    path = tmp_path / "law.json"
    path.write_text(content)
    assert main(["sample", "ddpm", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_integers_are_numbers_too(tmp_path, capsys):
    path = tmp_path / "law.json"
    path.write_text(json.dumps({"kind": "mixture", "weights": [1], "means": [[0, 0]], "covariances": np.eye(2)[None].tolist()}))
    assert main(["sample", "ddpm", str(path), "--draws", "10", "--steps", "5"]) in (0, 3)
