"""A record says where it comes from, and holds nothing of the machine that it was made on but what it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pages
import pytest
import records

KEPT = sorted(records.FOLDER.glob("*.json"))


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with one commit."""

    def git(*arguments):
        told = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(told, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(records, "HOME", tmp_path)
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    return git


def test_the_commit_is_told_and_whether_files_differ_from_it(checkout, tmp_path, monkeypatch):
    head = checkout("rev-parse", "HEAD")
    assert records.commit() == head
    (tmp_path / "another").write_text("of no commit, and no part of one")
    assert records.commit() == head
    (tmp_path / "docs" / "records").mkdir(parents=True)
    (tmp_path / "docs" / "records" / "file").write_text("what it has found before")
    checkout("add", "docs")
    assert records.commit() == head
    (tmp_path / "file").write_text("two")
    assert records.commit() == head + records.CHANGED
    monkeypatch.setenv("GIT_COMMIT", "told")
    assert records.commit() == "told"


def test_without_a_history_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "HOME", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    assert records.commit() == records.UNKNOWN


def test_the_command_can_be_pasted(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["/somewhere/bin/python3.11", "-m", "tests.evidence", "a b"])
    assert records.command() == "python -m tests.evidence 'a b'"


def test_a_record_has_all_of_it_and_is_read_as_it_was_written(tmp_path, monkeypatch):
    made = records.record("something", {"found": 1.5}, seed=7)
    assert set(made) == {"what", "command", "date", "commit", "machine", "versions", "seed", "results"}
    assert made["versions"]["numpy"]
    assert made["machine"]["processor"]
    records.write(made, tmp_path / "deep" / "name.json")
    monkeypatch.setattr(records, "FOLDER", tmp_path / "deep")
    assert records.read("name") == made


def test_a_number_that_json_has_not_is_no_record(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        records.write({"found": float("nan")}, tmp_path / "name.json")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_records_that_are_kept_are_of_a_commit_and_name_no_place_of_a_machine(path):
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert len(kept["commit"]) == 40, "made of files that no commit holds"
    assert kept["command"].startswith("python -m tests.")
    assert not any(word.startswith("/") for word in kept["command"].split())


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.123456, "12 %"),
        (0.9979, "99.8 %"),
        (1.0, "100 %"),
        (12.3456, "1,230 %"),
        (0.00031, "0.031 %"),
        (2e-7, "2.0e−5 %"),
        (-0.0075, "−0.75 %"),
    ],
)
def test_shares_as_pages_have_them(share, told):
    assert pages.percent(share) == told


def test_what_is_no_number_is_said_to_be_none():
    assert pages.hundredths(None) == "no number"


def test_numbers_are_shortened_and_nothing_else():
    told = {"a": [0.123456789, 3, True, None, "x"], "b": (float("inf"), 123456.0)}
    assert pages.shortened(told, 3) == {"a": [0.123, 3, True, None, "x"], "b": [float("inf"), 123000.0]}
