"""``verifydiff check LIBRARY``: a matrix on the terminal, as JSON and as a page, and what belongs to a single target is refused."""

import json
import shlex

import pytest

from verifydiff.checks import matrix
from verifydiff.checks.report import LibraryReport, Report
from verifydiff.cli import _parser, main
from verifydiff.report.library import alone, failures
from verifydiff.verdict import Finding, Status


def report(target, *findings):
    return Report(target, "something", findings, seconds=0.5)


PASSED = Finding("pairing", Status.PASS, "lands.")
FAILED = Finding("order", Status.FAIL, "order 3 is claimed [bold] <script>.", 1.9, 3)
REPORTS = (
    report("diffusers:A steps=10", PASSED),
    report("diffusers:A steps=10 solver_order=3 use_karras_sigmas=True", PASSED, FAILED),
    report("diffusers:A steps=10 solver_order=3", PASSED, FAILED),
    Report(
        "diffusers:B steps=10 eta=0.5", "not observed", (Finding("options", Status.NOTE, "the library refuses these options: no."),)
    ),
    Report("diffusers:C", "not observed", (Finding("options", Status.NOT_APPLICABLE, "not judged: it samples tokens."),)),
)


@pytest.fixture
def judged(monkeypatch):
    asked = []

    def check_library(library, *, progress, **options):
        asked.append((library, options))
        for i, one in enumerate(REPORTS):
            progress(i + 1, len(REPORTS), one)
        return LibraryReport(library, "0.0", REPORTS, missing=options["seed"])

    monkeypatch.setattr(matrix, "check_library", check_library)
    return asked


def test_the_terminal_shows_a_line_for_every_sampler_and_each_failure_once(judged, capsys):
    assert main(["check", "diffusers", "--jobs", "2"]) == 1
    shown = capsys.readouterr().out
    assert "FAIL  diffusers 0.0" in shown
    assert "it samples tokens" in shown
    assert shown.count("order 3 is claimed [bold] <script>.") == 1
    assert "(2 configurations)" in shown
    assert "verifydiff check diffusers:A --steps 10 --config solver_order=3\n" in shown
    assert judged[0][1]["jobs"] == 2


def test_what_an_interrupt_left_out_is_said_and_leaves_the_whole_undecided(judged, capsys, monkeypatch):
    monkeypatch.setattr(__import__(__name__), "REPORTS", REPORTS[:1])
    assert main(["check", "azula", "--seed", "7"]) == 3
    assert "interrupted: 7 targets are missing" in capsys.readouterr().out


def test_json_and_page_hold_every_target(judged, tmp_path):
    json_file, page = tmp_path / "all.json", tmp_path / "all.html"
    assert main(["check", "diffusers", "--json", str(json_file), "--html", str(page)]) == 1
    content = json.loads(json_file.read_text())
    assert set(content) == {"library", "version", "status", "targets"}
    assert [one["target"] for one in content["targets"]] == [one.target for one in REPORTS]
    assert "&lt;script&gt;" in page.read_text()
    assert "<script>.</" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--steps", "10"], "--steps belongs to a single target"),
        (["--config", "a=b"], "--config belongs to a single target"),
        (["--family", "ddim"], "--family belongs to a single target"),
        (["--jobs", "0"], "--jobs must be at least 1"),
    ],
)
def test_misuse_is_one_line(judged, capsys, arguments, says):
    assert main(["check", "diffusers", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not judged


def test_jobs_are_for_a_whole_library(capsys):
    assert main(["check", "no.such:thing", "--jobs", "2"]) == 2
    assert "--jobs shares out" in capsys.readouterr().err


def test_each_failure_is_shown_by_its_shortest_configuration():
    ((shown, finding, count),) = failures(LibraryReport("diffusers", "0.0", REPORTS))
    assert (shown.target, finding, count) == ("diffusers:A steps=10 solver_order=3", FAILED, 2)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("diffusers:A", {}),
        ("diffusers:A steps=10 eta=0.5 solver_order=3", {"steps": 10, "eta": 0.5, "config": ["solver_order=3"]}),
        ("diffusers:A disable_corrector=[0, 1] flag=True", {"config": ["disable_corrector=[0, 1]", "flag=True"]}),
    ],
)
def test_the_command_for_one_target_means_that_target(target, options):
    arguments = _parser().parse_args(shlex.split(alone(target))[1:])
    assert arguments.target == target.split()[0]
    assert {name: getattr(arguments, name) for name in options} == options
