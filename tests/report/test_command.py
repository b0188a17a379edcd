"""The command that makes a report again, and where reports are written."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from verifydiff.cli import _parser, main
from verifydiff.report import files
from verifydiff.report.command import ASIDE, again, quoted

ARGUMENTS = {
    "the target alone": ["a.py:sample"],
    "of a library": ["diffusers:DDIMScheduler", "--steps", "50", "--spacing", "linspace"],
    "every kind": [
        "samplers.py:x", "--family", "ddim", "--eta", "0.5", "--schedule", "cosine", "--timesteps", "100", "--prediction", "sample",
        "--shape", "3x8x8", "--allow", "kept.toml", "--seed", "7", "--timeout", "2.5",
    ],
    "config": ["diffusers:X", "--config", "a=1", "--config", 'b="two words"', "--config", "c=$(rm -rf ~)", "--config", "d=it's"],
    "abbreviated": ["a.py:sample", "--fam", "ddim", "--eta=1e-3"],
    "spaces": ["my samplers/a b.py:sample", "--allow", "", "--schedule", "./-x.npy"],
    "like options": ["--family=-odd", "--allow=--seed", "--", "--steps"],
    "quotes": ["a'b\"c`d$e\\f.py:s"],
}  # fmt: skip


def parsed(words):
    given = vars(_parser().parse_args(["check", *words]))
    return {name: value for name, value in given.items() if name not in ASIDE - {"target"}}


@pytest.mark.parametrize("words", ARGUMENTS.values(), ids=ARGUMENTS)
def test_the_command_read_by_a_shell_and_by_our_parser_gives_the_same_arguments(words):
    arguments = _parser().parse_args(["check", "--html", "x.html", "--json", "y.json", "-v", *words])
    command = again(arguments, _parser().parse_args(["check", "a:b"]))
    program, verb, *rest = shlex.split(command)
    assert (program, verb) == ("verifydiff", "check")
    assert parsed(rest) == parsed(words)
    assert "html" not in command
    assert "y.json" not in command


@pytest.mark.parametrize("word", ["a\nb", "tab\there", "\u202egnp", "it's \x07 \\", "\u200b'"])
def test_a_word_with_characters_that_do_not_show_is_quoted_so_that_they_do_and_bash_reads_it_back(word):
    text = quoted(word)
    assert text.isprintable()
    read = subprocess.run(
        ["bash", "-c", f"printf %s {text}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/bin"}
    )
    assert read.stdout.decode() == word


SAMPLER = """
import numpy as np
ABAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
def sample(denoise, x, seed):
    print("<p>something")
    for t, there in ((999, ABAR[{there}]), (499, 1.0)):
        eps = denoise(x, t)
        x = np.sqrt(there / ABAR[t]) * (x - np.sqrt(1 - ABAR[t]) * eps) + np.sqrt(1 - there) * eps
    return x
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("target.py").write_text(SAMPLER.format(there=498))
    return "target.py:sample"


def test_html_and_json_are_written_together_and_the_screen_still_speaks(target, capsys):
    assert main(["check", target, "--family", "ddim", "--html", "r.html", "--json", "r.json"]) == 1
    assert "FAIL" in capsys.readouterr().out
    page = Path("r.html").read_text()
    plain = json.loads(Path("r.json").read_text())
    assert page.count("<article") == sum(finding["status"] == "fail" for finding in plain["findings"]) >= 3
    assert page.count("<svg") == page.count("<article")
    assert "verifydiff check target.py:sample --family ddim</code>" in page
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == ["r.html", "r.json", "target.py"]


def test_html_on_standard_output_is_html_and_nothing_else(target, capsys):
    assert main(["check", target, "--html", "-"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("<!doctype html>")
    assert captured.out.endswith("</html>\n")
    assert "something" in captured.err


MISUSE = [
    (["--html", ""], "--html needs a file"),
    (["--html", "no/such/folder.html"], "there is no folder"),
    (["--html", "."], "--html needs a file"),
    (["--html", "-", "--json", "-"], "--json and --html cannot both go to -"),
    (["--html", "x", "--json", "./x"], "--json and --html cannot both go to"),
]


@pytest.mark.parametrize(("words", "says"), MISUSE, ids=[" ".join(words) for words, _ in MISUSE])
def test_a_place_that_cannot_be_is_refused_in_one_line_before_anything_is_run(target, capsys, words, says):
    assert main(["check", target, *words]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert "something" not in captured.err


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    place = files.place(str(tmp_path / "r.html"), "--html")
    files.write("before", place)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ValueError, match="cannot be written: No space left"):
        files.write("after", place)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_half_a_character_does_not_stop_a_report(tmp_path):
    files.write("a\ud800b", str(tmp_path / "r"))
    assert (tmp_path / "r").read_text() == "a\\ud800b"
