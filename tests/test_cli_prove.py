"""``verifydiff prove`` as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from verifydiff.cli import main

MISPRINTS = Path(__file__).parent / "derivations" / "misprints.py"

RIGHT = """
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t
from verifydiff.proof import derivation

@derivation(title="variances add up", source="my notes, p. 3")
def variances(d):
    d.equal(alpha_t * (1 - abar_s) + beta_t, 1 - abar_t, "since abar_t = alpha_t abar_s")
"""
WRONG = RIGHT.replace("1 - abar_t,", "1 - alpha_t,")
OPEN = RIGHT.replace("d.equal(", "from sympy import floor; d.at_most(floor(abar_s), abar_s, 'rounding down')\n    d.equal(")


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="notes.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return name

    return write


def run(capsys, *arguments):
    code = main(["prove", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_right_file_is_proved(notes, capsys):
    code, out, err = run(capsys, notes(RIGHT))
    assert (code, err) == (0, "")
    assert "notes.variances" in out
    assert "1 proved" in out


def test_a_wrong_file_is_refuted_and_the_counterexample_is_printed(notes, capsys):
    code, out, err = run(capsys, notes(WRONG))
    assert (code, err) == (1, "")
    for part in ("refuted", "abar_s = 1/2", "alpha_t = 2/3", "abar_t = 1/3", "beta_t = 1/3", "differ by 1/3", "alpha_t abar_s"):
        assert part in " ".join(out.split()), part


def test_an_open_claim_is_undecided_and_says_what_remains(notes, capsys):
    code, out, _ = run(capsys, notes(OPEN))
    assert code == 1
    assert "undecided" in out
    assert "floor" in out


def test_verbose_shows_every_step_with_its_justification(notes, capsys):
    code, out, _ = run(capsys, notes(RIGHT), "--verbose")
    assert code == 0
    assert "since abar_t = alpha_t abar_s" in out


def test_conditions_that_are_left_to_the_reader_are_shown(notes, capsys):
    text = RIGHT.replace("d.equal(", "d.equal((1 - abar_s**2) / (1 - abar_s), 1 + abar_s, 'cancel')\n    d.equal(")
    _, out, _ = run(capsys, notes(text), "--verbose")
    assert "holds where 1 - abar_s != 0" in out


# -- JSON ----------------------------------------------------------------------------------------------------------------


def test_json_has_the_shape_that_scripts_rely_on(notes, capsys):
    code, out, err = run(capsys, notes(WRONG), "--json", "-")
    report = json.loads(out)
    assert (code, err) == (1, "")
    assert report["status"] == "refuted"
    (claim,) = report["claims"]
    assert {"id", "title", "latex", "status", "method", "seconds", "source"} <= set(claim)
    assert (claim["id"], claim["title"], claim["source"]) == ("notes.variances", "variances add up", "my notes, p. 3")
    assert claim["status"] == "refuted"
    assert claim["counterexample"]["point"] == {"abar_s": "1/2", "alpha_t": "2/3"}
    assert claim["seconds"] > 0


def test_json_goes_to_a_file_whole(notes, capsys, tmp_path):
    code, out, _ = run(capsys, notes(RIGHT), "--json", "out.json")
    assert code == 0
    assert "1 proved" in out
    assert json.loads((tmp_path / "out.json").read_text())["status"] == "proved"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.py", "out.json"]


def test_an_error_leaves_an_older_file_as_it_was(notes, capsys, tmp_path):
    (tmp_path / "out.json").write_text("old")
    assert run(capsys, notes("1 +"), "--json", "out.json")[0] == 2
    assert (tmp_path / "out.json").read_text() == "old"


NOISY = """
import os
print("at the top")
from verifydiff.proof import derivation

@derivation
def one(d):
    print("in the body"); os.write(1, b"by the descriptor"); os.system("echo from a child")
    d.equal(1, 1, "as ever")
"""


def test_what_a_file_prints_does_not_reach_the_json(notes):
    done = command(notes(NOISY), "--json", "-")
    assert json.loads(done.stdout)["status"] == "proved"
    for words in ("at the top", "in the body", "by the descriptor", "from a child"):
        assert words in done.stderr


def test_a_claim_that_is_nested_too_deeply_does_not_end_the_run(notes, capsys):
    deep = "d.equal(__import__('functools').reduce(lambda e, _: (1 + e) ** Rational(1, 2), range(150), beta_t), 1, 'deep')"
    name = notes(RIGHT + f"\n@derivation\ndef deep(d):\n    from sympy import Rational\n    {deep}\n")
    code, out, _ = run(capsys, name, "--json", "-")
    assert (code, [one["status"] for one in json.loads(out)["claims"]]) == (1, ["proved", "undecided"])


# -- misuse --------------------------------------------------------------------------------------------------------------


MISUSE = {
    "no such file": (None, ["nowhere.py"], "there is no file or folder nowhere.py"),
    "no python": ("text", ["notes.txt"], "no Python file"),
    "syntax": ("\nx = = 1\n", ["notes.py"], "notes.py:2: this is no Python"),
    "null bytes": ("x = 1\0", ["notes.py"], "null bytes"),
    "an exception of one's own on import": ("class Odd(BaseException): pass\nraise Odd('x')\n", ["notes.py"], "notes.py:2: Odd: x"),
    "an exception of one's own inside": (RIGHT + "    raise type('Odd', (BaseException,), {})\n", ["notes.py"], "notes.py:8: Odd"),
    "an exception without words": (
        RIGHT + "    raise type('Mute', (Exception,), {'__str__': lambda _: 1 / 0})\n", ["notes.py"], "notes.py:8: Mute: it gave up"
    ),
    "a number as id": (RIGHT.replace("title=", "id=7, title="), ["notes.py"], "notes.py:5: its id is no text .*: 7"),
    "half a character": (RIGHT.replace("my notes", r"\ud800"), ["notes.py"], r"its source is no text .*: '\\ud800"),
    "half a character as a reason": (RIGHT.replace("since", r"\ud800"), ["notes.py"], r"no text .*: '\\ud800"),
    "no function at all": (
        RIGHT + "from functools import partial\nx = derivation(id='x', title='x')(partial(print))\n", ["notes.py"], "got partial"
    ),
    "two functions of one name": (WRONG + RIGHT, ["notes.py"], "two claims are called notes.variances: notes.py:5 and notes.py:12"),
    "a function that takes nothing": (RIGHT.replace("variances(d)", "variances()"), ["notes.py"], "notes.py: TypeError"),
    "nothing in it": ("x = 1\n", ["notes.py"], "holds no derivations"),
    "an empty folder": (None, ["."], "holds no derivations"),
    "an error on import": ("import no_such_module_at_all\n", ["notes.py"], "notes.py:1: ModuleNotFoundError"),
    "an exit on import": ("import sys\nsys.exit(3)\n", ["notes.py"], "notes.py:2: SystemExit"),
    "an error inside": (RIGHT + "    1 / 0\n", ["notes.py"], "notes.py:8: ZeroDivisionError"),
    "a typo inside": (RIGHT.replace("d.equal", "d.equals"), ["notes.py"], "notes.py:7: AttributeError"),
    "a float": (RIGHT.replace("1 - abar_t,", "1.0 - abar_t,"), ["notes.py"], "notes.py:7: .*float"),
    "no reason": (RIGHT.replace('"since abar_t = alpha_t abar_s"', '""'), ["notes.py"], "justification"),
    "no steps": (RIGHT[: RIGHT.index("    d.equal")] + "    pass\n", ["notes.py"], "no steps"),
    "definitions only": (
        RIGHT.replace("d.equal(alpha_t * (1 - abar_s) + beta_t, ", "d.given('x', "), ["notes.py"], "states nothing"
    ),
    "no folder for the JSON": (RIGHT, ["notes.py", "--json", "no/such/out.json"], "no folder"),
    "a folder as JSON": (RIGHT, ["notes.py", "--json", "."], "is a folder"),
    "a clash of names": (
        RIGHT.replace("d.equal(", "from sympy import Symbol; d.equal(Symbol('abar_t') + "),
        ["notes.py"], "two different symbols are called abar_t",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "arguments", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_ends_in_one_line_and_exit_code_2(notes, capsys, text, arguments, message):
    if text is not None:
        notes(text, "notes.txt" if arguments == ["notes.txt"] else "notes.py")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(message, err), err


def test_bytes_that_are_no_text_are_an_error(notes, capsys, tmp_path):
    (tmp_path / "notes.py").write_bytes(b"x = '\xff\xfe'\n")
    code, _, err = run(capsys, "notes.py")
    assert code == 2
    assert "this is no Python" in err


def test_two_claims_of_one_id_are_an_error(notes, capsys):
    notes(RIGHT, "a/notes.py")
    notes(RIGHT, "b/notes.py")
    code, _, err = run(capsys, ".")
    assert code == 2
    assert "two claims are called notes.variances" in err
    assert "a/notes.py" in err
    assert "b/notes.py" in err


def test_the_same_file_twice_is_an_error_too(notes, capsys):
    name = notes(RIGHT)
    assert run(capsys, name, name)[0] == 2


# -- files ---------------------------------------------------------------------------------------------------------------


def test_files_of_one_stem_in_different_folders_do_not_clash(notes, capsys):
    notes(RIGHT.replace("@derivation(", "@derivation(id='one', "), "a/notes.py")
    notes(WRONG.replace("@derivation(", "@derivation(id='two', "), "b/notes.py")
    code, out, _ = run(capsys, "a", "b", "--json", "-")
    assert code == 1
    assert [(claim["id"], claim["status"]) for claim in json.loads(out)["claims"]] == [("one", "proved"), ("two", "refuted")]


def test_a_file_may_import_its_neighbour_and_leaves_nothing_behind(notes, capsys):
    notes("from verifydiff.forms.quantities import beta_t as mine\n", "_shared_letters.py")
    notes(
        RIGHT.replace("alpha_t, beta_t", "alpha_t").replace(
            "from verifydiff.proof", "from _shared_letters import mine as beta_t\nfrom verifydiff.proof"
        )
    )
    modules, path = set(sys.modules), list(sys.path)
    assert run(capsys, ".")[0] == 0
    left = {name for name in set(sys.modules) - modules if "verifydiff." not in name}
    assert not {name for name in left if "shared_letters" in name or "verifydiff_page" in name}
    assert sys.path == path
    assert not list(Path().rglob("__pycache__/notes*"))


def test_a_neighbour_of_the_same_name_in_another_folder_is_another(notes, capsys):
    for folder, text in (("a", "1 - abar_t"), ("b", "1 - alpha_t")):
        notes(f"from verifydiff.forms.quantities import *\nwanted = {text}\n", f"{folder}/_wanted.py")
        body = RIGHT.replace("1 - abar_t,", "wanted,").replace(
            "from verifydiff.proof", "from _wanted import wanted\nfrom verifydiff.proof"
        )
        notes(body.replace("@derivation(", f"@derivation(id='{folder}', "), f"{folder}/notes.py")
    _, out, _ = run(capsys, "a", "b", "--json", "-")
    assert [claim["status"] for claim in json.loads(out)["claims"]] == ["proved", "refuted"]


def test_a_body_finds_its_module_and_its_neighbours(notes, capsys):
    notes("from verifydiff.forms.quantities import abar_t\nwanted = 1 - abar_t\n", "_late.py")
    inside = """d):
    from dataclasses import dataclass
    from _late import wanted

    @dataclass
    class Wanted:
        value: "int"
"""
    name = notes(RIGHT.replace("d):\n", inside).replace("1 - abar_t,", "Wanted(wanted).value,"))
    modules, path = set(sys.modules), list(sys.path)
    assert run(capsys, name)[0] == 0
    assert not {name for name in set(sys.modules) - modules if "_late" in name or "verifydiff_page" in name}
    assert sys.path == path


def test_no_derivation_is_lost_in_a_loop_or_a_list(notes, capsys):
    loop = """
from verifydiff.proof import derivation

def made(number):
    @derivation(id=f"made.{number}")
    def claim(d):
        d.equal(number, 1, "some are one")
    return claim

for number in (1, 2):
    @derivation(id=f"loop.{number}")
    def claim(d, number=number):
        d.equal(number, 2, "some are two")

several = [made(number) for number in (1, 3)]
again = several[0]
"""
    _, out, _ = run(capsys, notes(loop), "--json", "-")
    statuses = {one["id"]: one["status"] for one in json.loads(out)["claims"]}
    assert statuses == {"loop.1": "refuted", "loop.2": "proved", "made.1": "proved", "made.3": "refuted"}


def test_a_derivation_that_a_neighbour_makes_is_the_files_own(notes, capsys):
    notes(
        "from verifydiff.proof import derivation\ndef make():\n    return derivation(lambda d: d.equal(1, 2, 'no'))\n", "_make.py"
    )
    assert run(capsys, notes("from _make import make\none = make()\n"))[0] == 1


def test_an_imported_derivation_is_not_proved_twice(notes, capsys):
    notes(RIGHT, "first.py")
    notes("from first import variances\n" + RIGHT.replace("def variances", "def again"), "second.py")
    code, out, _ = run(capsys, ".", "--json", "-")
    assert code == 0
    assert [claim["id"] for claim in json.loads(out)["claims"]] == ["first.variances", "second.again"]


# -- the whole -----------------------------------------------------------------------------------------------------------


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "verifydiff.cli", "prove", *arguments],
        capture_output=True, text=True, timeout=600, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_the_shipped_derivations_are_found_from_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "verifydiff.cli", "prove", "--json", "-"],
        capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == "proved"
    assert len(report["claims"]) >= 25


def test_the_misprints_are_refuted_by_the_command():
    done = command(str(MISPRINTS), "--json", "-")
    assert done.returncode == 1
    claims = json.loads(done.stdout)["claims"]
    assert {claim["status"] for claim in claims} == {"refuted"}
    assert all(claim["counterexample"]["point"] for claim in claims)


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_the_table_keeps_to_the_width_of_the_terminal(columns):
    done = command(str(MISPRINTS), COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert "…" not in done.stdout


def test_without_a_terminal_there_is_neither_colour_nor_a_progress_bar():
    done = command()
    assert "\x1b" not in done.stdout
    assert "proving" not in done.stdout
    assert "mistakes that people make refuted on their pages" in done.stdout


def test_many_claims_are_told_file_by_file(capsys):
    from rich.console import Console

    from verifydiff.proof import load, prove
    from verifydiff.proof.loading import shipped
    from verifydiff.report import proofs as report

    few = prove(*load([shipped() / name for name in ("ddim_family.py", "min_snr.py")]))
    many = replace(few, claims=few.claims * (report.MANY // len(few.claims) + 1))
    report.show(many, Console(width=100))
    told = capsys.readouterr().out
    assert "The DDIM family from undetermined coefficients" in told
    assert "ddim.eta_one_is_ddpm" not in told
    report.show(few, Console(width=100))
    assert "ddim.eta_one_is_ddpm" in capsys.readouterr().out


def test_a_derivation_without_a_name_is_not_lost(tmp_path, capsys):
    (tmp_path / "unnamed.py").write_text(
        "from verifydiff.forms.quantities import alpha_t, beta_t\n"
        "from verifydiff.proof import derivation\n\n"
        "def make(times):\n"
        "    @derivation(id=f'claim-{times}')\n"
        "    def body(d):\n"
        "        d.equal(alpha_t + times * beta_t, 1, 'why')\n\n"
        "make(1)\nmake(2)\n"
    )
    assert main(["prove", str(tmp_path / "unnamed.py")]) == 1
    printed = capsys.readouterr().out
    assert "claim-1" in printed
    assert "1 refuted" in printed
