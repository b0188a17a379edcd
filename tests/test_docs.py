"""The pages keep to the code: every check and every slip has its line."""

import re
from pathlib import Path

import pytest

from verifydiff.checks.table import CHECKS
from verifydiff.cli import main
from verifydiff.slips import CATALOGUE, FORMULA_SLIPS, MULTISTEP_SLIPS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_every_slip_of_the_catalogue_has_its_row_and_every_row_its_slip():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \|", (DOCS / "slips.md").read_text(), re.MULTILINE)
    assert dict(rows) == {slip.id: slip.description for slip in (*CATALOGUE, *MULTISTEP_SLIPS, *FORMULA_SLIPS)}
    costs = re.findall(r"^\| `([a-z0-9-]+)` \| .+? \| (\d) \|$", (DOCS / "slips.md").read_text(), re.MULTILINE)
    assert costs == [(slip.id, str(slip.cost)) for slip in FORMULA_SLIPS]


def test_every_check_has_its_row_with_its_question():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \|", (DOCS / "checks.md").read_text(), re.MULTILINE)
    assert rows == list(CHECKS.items())


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_example_of_a_derivation_prints_what_the_pages_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (example,) = [block for block in blocks(DOCS / "derivations.md", "python") if "# my_notes.py" in block]
    Path("my_notes.py").write_text(example)
    assert main(["prove", "my_notes.py"]) == 1
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines() if not re.search(r" in \d|ms$|  \d+$", line.rstrip())]
    (console,) = blocks(DOCS / "derivations.md", "console")
    (text,) = blocks(ROOT / "README.md", "text")
    for line in [*console.splitlines()[1:], *text.splitlines()]:
        assert line.rstrip() in printed or re.search(r" in \d|ms$|  \d+$", line)


def test_the_first_screen_of_the_readme_is_what_the_command_says(capsys, monkeypatch):
    pytest.importorskip("diffusers", reason="the README judges a scheduler of diffusers")
    pytest.importorskip("torch", reason="the README judges a scheduler of diffusers")
    monkeypatch.setenv("COLUMNS", "132")
    assert main(["check", "diffusers:DDIMScheduler", "--steps", "50", "--spacing", "linspace"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    shown = " ".join(line for line in blocks(ROOT / "README.md", "console")[0].splitlines()[1:] if line.strip() != "...")
    for part in re.split(r"(?=[✗] pairing|likeliest slip)", " ".join(shown.split())):
        assert part.strip() in printed


def test_the_page_about_notes_shows_what_the_command_says_of_its_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (example,) = blocks(DOCS / "notes.md", "markdown")
    Path("notes.md").write_text(example, encoding="utf-8")
    assert main(["notes", "notes.md"]) == 1
    (console,) = blocks(DOCS / "notes.md", "console")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == console.splitlines()[1:]


def test_the_exercises_of_the_page_about_teaching_are_sound_and_its_options_all_of_them(tmp_path, monkeypatch, capsys):
    (tmp_path / "week3").mkdir()
    (tmp_path / "week3" / "set.toml").write_text(blocks(DOCS / "teach.md", "toml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = next(one for one in blocks(DOCS / "teach.md", "console") if "--check" in one)
    command, _, expected = said.partition("\n")
    assert main(command.removeprefix("$ verifydiff ").split()) == 0
    assert capsys.readouterr().out == expected
    with pytest.raises(SystemExit):
        main(["teach", "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)", (DOCS / "teach.md").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_example_of_a_confirmation_in_python_runs_and_lays_the_error_at_the_network(capsys):
    pytest.importorskip("numpyro", reason="a confirmation needs the laws of the data")
    (python,) = blocks(DOCS / "confirm.md", "python")
    exec(compile(python, "confirm.md", "exec"), {})
    assert capsys.readouterr().out == "the network is off; the sampler does what its equations say.\n"


def test_the_example_of_notes_in_python_runs_and_the_hooks_are_the_same(capsys):
    (python,) = blocks(DOCS / "notes.md", "python")
    exec(compile(python, "notes.md", "exec"), {})
    mended = r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon"
    assert capsys.readouterr().out == f"fail understood 1 of 1 formula, judged 1\n{mended}\n"
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    shown = blocks(DOCS / "notes.md", "yaml")[0]
    for line in ("id: verifydiff-notes", "entry: verifydiff notes", "language: python", "name: the formulas of notes hold"):
        assert line in hook
        assert line in shown
