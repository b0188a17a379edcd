"""``verifydiff notes`` as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verifydiff.cli import main

ROOT = Path(__file__).parents[1]
RIGHT = "With $\\alpha_t = 1 - \\beta_t$ and $\\bar\\alpha_t = \\prod_{s=1}^t \\alpha_s$.\n"
WRONG = RIGHT + "\nThen\n\n$$\nx_t = \\sqrt{\\bar\\alpha_t}\\, x_0 + \\sqrt{1 - \\alpha_t}\\, \\epsilon\n$$\n"
OTHER = "A product of groups is $\\mathfrak{G} = \\mathfrak{A} \\rtimes \\mathfrak{B}$.\n"
WORDS = "No formula, and $x$ is only a name.\n"


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def write(text, name="notes.md"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def run(capsys, *arguments):
    code = main(["notes", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_right_page_ends_with_0(page, capsys):
    code, out, err = run(capsys, page(RIGHT))
    assert (code, err) == (0, "")
    assert "✓ PASS  notes.md\n  understood 2 of 2 formulas" in out


def test_a_misprint_ends_with_1_and_is_shown_with_numbers_and_what_was_meant(page, capsys):
    code, out, err = run(capsys, page(WRONG))
    assert (code, err) == (1, "")
    said = " ".join(out.split())
    for part in (
        "✗ FAIL notes.md",
        "✗ line 6",
        "left side",
        "right side",
        r"did you mean x_t =",
        r"\sqrt{1 - \bar\alpha_t}",
        "[bar-lost]",
    ):
        assert part in said


def test_a_page_on_another_subject_ends_with_3_and_one_without_formulas_with_0(page, capsys):
    assert run(capsys, page(OTHER))[0] == 3
    assert run(capsys, page(WORDS))[0] == 0
    assert run(capsys, page(""))[0] == 0
    assert run(capsys, page(OTHER), page(RIGHT, "b.md"))[0] == 0


def test_json_has_the_keys_that_scripts_depend_on(page, capsys):
    code, out, _ = run(capsys, page(WRONG), "--json", "-")
    plain = json.loads(out)
    assert (code, plain["file"]) == (1, "notes.md")
    for one in plain["formulas"]:
        assert {"line", "latex", "status", "reason", "counterexample", "suggestion"} <= set(one)
    (wrong,) = [one for one in plain["formulas"] if one["status"] == "fails"]
    assert wrong["line"] == 6
    assert wrong["suggestion"] == r"x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon"
    assert wrong["counterexample"]["left"] != wrong["counterexample"]["right"]


def test_several_files_are_judged_each_by_itself(page, capsys):
    code, out, _ = run(capsys, page(WRONG), page(RIGHT, "b.tex"), "--json", "-")
    assert code == 1
    assert [one["file"] for one in json.loads(out)["files"]] == ["notes.md", "b.tex"]
    assert [one["status"] for one in json.loads(out)["files"]] == ["fail", "pass"]


def test_all_outputs_are_written_at_once_and_the_screen_still_speaks(page, capsys):
    code, out, _ = run(capsys, page(WRONG), "--json", "a.json", "--annotate", "a.md", "--html", "a.html")
    assert code == 1
    assert "✗ line 6" in out
    assert json.loads(Path("a.json").read_text(encoding="utf-8"))["formulas"]
    assert re.search(r"\$\$\n\n✗\[\^verifydiff-3\]\n", Path("a.md").read_text(encoding="utf-8"))
    assert "<math" in Path("a.html").read_text(encoding="utf-8")


MISUSED = {
    "no file": ([], "required: FILE"),
    "missing": (["missing.md"], "missing.md cannot be read: No such file"),
    "folder": (["."], ". is a folder"),
    "other kind": (["x.pdf"], "neither Markdown"),
    "broken notebook": (["broken.ipynb"], "is no notebook of Jupyter: line 1"),
    "not UTF-8": (["latin.md"], "is not UTF-8: line 1 holds the byte 0xe9"),
    "the first is right": (["notes.md", "missing.md"], "missing.md cannot be read"),
    "annotate several": (["notes.md", "b.md", "--annotate", "c.md"], "--annotate writes one page; 2 files were given"),
    "HTML of several": (["notes.md", "b.md", "--html", "c.html"], "--html writes one page"),
    "over itself": (["notes.md", "--annotate", "notes.md"], "notes.md is read, and will not be written over"),
    "over itself by another name": (["notes.md", "--annotate", "./sub/../notes.md"], "will not be written over"),
    "over each other": (["notes.md", "--annotate", "a", "--html", "a"], "need places of their own"),
    "both to standard output": (["notes.md", "--json", "-", "--html", "-"], "need places of their own"),
    "no folder": (["notes.md", "--json", "there/a.json"], "there is no folder there"),
    "to a folder": (["notes.md", "--html", "sub"], "sub is a folder"),
}


@pytest.mark.parametrize(("arguments", "said"), MISUSED.values(), ids=MISUSED)
def test_misuse_ends_with_2_and_one_line(page, capsys, arguments, said):
    for name, text in {"notes.md": RIGHT, "b.md": RIGHT, "x.pdf": "%PDF", "broken.ipynb": '{"cells": ['}.items():
        page(text, name)
    Path("latin.md").write_bytes("caf\u00e9".encode("latin-1"))
    Path("sub").mkdir()
    before = sorted(Path().iterdir())
    try:
        code = main(["notes", *arguments])
    except SystemExit as end:
        code = end.code
    err = capsys.readouterr().err
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert not arguments or err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_a_name_that_starts_with_a_hyphen_is_a_name(page, capsys):
    page(RIGHT, "-v.md")
    assert run(capsys, "--json", "-", "--", "-v.md")[0] == 0


def test_the_page_of_forty_formulas_is_judged_cold_in_ten_seconds(page):
    formula = r"$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$"
    other = r"$\tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t$"
    name = page("\n\n".join([RIGHT, *(f"{k}: {formula} and {other}" for k in range(19))]))
    began = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "verifydiff.cli", "notes", name],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0
    assert "understood 40 of 40 formulas" in run.stdout
    assert time.perf_counter() - began < 10
