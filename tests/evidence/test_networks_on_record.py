"""The page of networks on record is made of the records, and says of them no more than they show."""

from __future__ import annotations

import importlib

import pytest
import records
from evidence.page import (
    PAGE,
    added,
    behind,
    caption,
    did,
    distances,
    kept,
    network,
    overtaken,
    page,
    perfect,
    runs,
    winning,
    within,
)
from pages import percent

command = importlib.import_module("evidence.__main__")


def interval(value, spread=0.0):
    return {"value": value, "low": value - spread, "high": value + spread}


def cell(steps, eta, theory, network, spread=0.01):
    excess = {"network": interval(network - theory, spread)}
    return {"steps": steps, "eta": eta, "theory": interval(theory), "network": interval(network, spread), "excess": excess}


SAMPLING = {
    "variance": 10.0,
    "cells": [
        cell(5, 0.0, 1.0, 1.02),
        cell(5, 1.0, 2.0, 2.5),
        cell(50, 0.0, 0.1, 0.3),
        cell(50, 1.0, 0.2, 0.25),
        cell(500, 0.0, 0.01, 0.31),
        cell(500, 1.0, 0.02, 0.3),
    ],
}


def test_the_page_is_the_one_that_its_records_make():
    assert PAGE.read_text(encoding="utf-8") == page(), "write the page anew: python -m tests.evidence --page"


@pytest.mark.parametrize("record", kept(), ids=lambda record: record["results"]["training"]["preset"])
def test_a_record_tells_what_it_takes_to_make_it_again(record):
    training, budget = record["results"]["training"], record["results"]["confirmation"]["budget"]
    assert training["step"] == training["plan"]["steps"]
    assert training["history"][-1]["step"] == training["step"]
    assert record["command"].startswith(f"python -m tests.evidence {training['preset']}")
    assert budget["seed"] == record["seed"]


@pytest.mark.parametrize("record", kept(), ids=lambda record: record["results"]["training"]["preset"])
def test_what_the_page_tells_first_are_the_findings_of_the_record(record):
    told = {one["check"]: one for one in record["results"]["confirmation"]["findings"]}
    measured = record["results"]["confirmation"]["measured"]
    assert percent(told["denoising-loss"]["measured"]) in did(measured)
    assert f"{measured['denoising']['floor']:.4f}" in perfect(measured)
    assert f"{measured['likelihood']['entropy']:.4f}" in perfect(measured)
    lines = "\n".join(network(record))
    assert all(one["check"] in lines for one in told.values() if one["status"] != "not_applicable")


def test_what_the_sampler_adds():
    told = added(SAMPLING)
    assert "10 % at eta = 0; 20 % at eta = 1" in told
    assert "surely at 1 of the 4 settings with S up to 250, surely not at 3, and 0 are open" in told
    assert "surely more than that bias from S = 50 on at eta = 0, from S = 500 on at eta = 1." in told


@pytest.mark.parametrize(
    ("network", "spread", "says"),
    [(1.02, 0.01, True), (0.98, 0.01, True), (1.02, 0.1, None), (1.2, 0.01, False), (0.8, 0.01, False), (1.06, 0.02, None)],
)
def test_within_is_said_of_whole_intervals(network, spread, says):
    assert within(cell(5, 0.0, 1.0, network, spread)) is says


def test_what_is_overtaken_stays_so():
    crossing = [cell(S, 0.0, 0.1, network) for S, network in ((5, 0.3), (10, 0.15), (50, 0.3), (100, 0.4))]
    assert overtaken(crossing) == "from S = 50 on"
    assert overtaken(crossing[:2]) == "at no S"


def test_the_caption_says_of_how_many_coordinates():
    assert caption({"coordinates": [64, 64]}).endswith("is not shown.")
    assert caption({"coordinates": [256, 1024]}).endswith("Of 1,024 coordinates the leading 256 are compared.")


def test_a_winner_is_one_only_where_intervals_part():
    exact, measured = winning(SAMPLING).split(" With this network, ")
    assert exact == "With the exact score, at every S eta = 0 comes closest."
    assert measured.split("; ") == [
        "at S = 5 eta = 0 comes closest",
        "at S = 50 eta = 1 comes closest",
        "at S = 500 no two etas are told apart.",
    ]


def test_several_may_be_behind():
    row = [cell(5, eta, 1.0, distance) for eta, distance in ((0.0, 1.0), (0.2, 1.01), (0.5, 1.5), (1.0, 2.0))]
    assert behind(row, "network") == "eta = 0.5 and 1 end further off than the closest"
    assert behind(row[:3], "network") == "eta = 0.5 ends further off than the closest"
    assert behind(row, "theory") == "no two etas are told apart"


def test_alike_together():
    assert list(runs([5, 10, 20, 50], ["a", "a", "b", "a"])) == [("a", "at S = 5 to 10"), ("b", "at S = 20"), ("a", "at S = 50")]
    assert list(runs([5, 10], ["a", "a"])) == [("a", "at every S")]


def test_distances_stand_beside_theory_with_their_intervals():
    head, _, first, *_ = distances(SAMPLING)
    assert head == "| S | theory<br>eta = 0 | network<br>eta = 0 | theory<br>eta = 1 | network<br>eta = 1 |"
    assert first == "| 5 | 10 | 10 ± 0.1 | 20 | 25 ± 0.1 |"


def test_what_is_estimated_has_its_interval_too():
    mixture = SAMPLING | {"cells": [one | {"theory": interval(one["theory"]["value"], 0.02)} for one in SAMPLING["cells"]]}
    *_, last = distances(mixture)
    assert last == "| 500 | 0.1 ± 0.2 | 3.1 ± 0.1 | 0.2 ± 0.2 | 3 ± 0.1 |"
    assert "estimated by draws" in added(mixture)
    assert "estimated by draws" not in added(SAMPLING)


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 400])
def test_a_history_is_thinned_to_some_entries_and_keeps_the_last(count):
    history = command.thinned({"folder": "f", "preset": "p", "history": list(range(count))})
    assert history["preset"] == "p"
    assert "folder" not in history
    assert len(history["history"]) <= 40
    assert history["history"][-1:] == list(range(count))[-1:]


def test_without_a_preset_there_is_one_clear_line(capsys):
    with pytest.raises(SystemExit):
        command.main([])
    assert "give a preset, or --page." in capsys.readouterr().err


@pytest.mark.parametrize("commit", ["0123+", records.UNKNOWN])
def test_of_no_commit_nothing_is_recorded(capsys, monkeypatch, commit):
    monkeypatch.setattr(records, "commit", lambda: commit)
    with pytest.raises(SystemExit):
        command.main(["field-8"])
    assert "commit what has changed, or name the commit in GIT_COMMIT." in capsys.readouterr().err


@pytest.mark.parametrize(("preset", "says"), [("digits", "nobody knows the law"), ("field-9", "no preset is called 'field-9'")])
def test_what_has_no_theory_is_refused(capsys, monkeypatch, preset, says):
    monkeypatch.setattr(records, "commit", lambda: "0" * 40)
    with pytest.raises(SystemExit):
        command.main([preset])
    assert says in capsys.readouterr().err
