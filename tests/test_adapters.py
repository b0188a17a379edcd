"""The page on adapters: its example is run as a reader would, it is as short as it says, and what is wrong about it shows."""

import sys

import pytest
from test_tutorials import BLOCK, DOCS, NAMED, Shell

import verifydiff as vd
from verifydiff.cli import main
from verifydiff.observe.arrays import Arrays
from verifydiff.observe.resolve import resolve
from verifydiff.verdict import MisuseError, Status

SECTION = (DOCS / "adapters.md").read_text().partition("## An adapter for another library")[2]
FILES = {NAMED.match(text)[1]: text for language, text in BLOCK.findall(SECTION) if language == "python"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "132")
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


def written(folder, **changes):
    for name, text in FILES.items():
        for old, new in changes.get(name.removesuffix(".py"), ()):
            assert old in text
            text = text.replace(old, new)
        (folder / name).write_text(text)


def test_the_page_does_what_it_says(folder):
    shell = Shell()
    written(folder)
    for language, text in BLOCK.findall(SECTION):
        if language == "console":
            shell.type(text)
        elif language == "pycon":
            shell.type_python(text)


def test_the_adapter_has_some_thirty_lines():
    code = [
        line for line in FILES["tinyflow_adapter.py"].splitlines() if line.strip() and not line.startswith(("#", "import", "from"))
    ]
    assert len(code) <= 30


MISTAKES = {
    "a root for a weight": ("tinyflow_adapter", ("sigma=t)", "sigma=t**0.5)"), "coefficients"),
    "a time index off by one": ("tinyflow", ("x = (1 - s) * x_0", "x = (1 - t) * x_0"), "pairing"),
    "a scale in the frame": (
        "tinyflow_adapter",
        ("frame=frame,", "frame=lambda t: frame(0.95 * t),"),
        "pairing",
    ),
    "another prediction": ("tinyflow_adapter", ("Prediction.FLOW_PREDICTION", "Prediction.V_PREDICTION"), "pairing"),
    "a variance for a deviation": ("tinyflow", ("fresh * rng", "fresh**2 * rng"), "noise-scale"),
    "another eta than is claimed": ("tinyflow_adapter", ("family or vd.DDIM(eta)", "family or vd.DDIM(eta / 2)"), "coefficients"),
    "another end than is claimed": ("tinyflow_adapter", ("end=frame(times[-1])", "end=frame(times[-2])"), "pairing"),
    "a start of another size": ("tinyflow_adapter", ("frame(times[0]).size * x_init", "2 * x_init"), "start"),
}


@pytest.mark.parametrize(("module", "change", "check"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_the_library_or_the_adapter_shows(folder, module, change, check):
    written(folder, **{module: [change]})
    report = vd.check(resolve("tinyflow_adapter.py:twenty_steps"))
    assert check in [finding.check for finding in report.findings if finding.status is Status.FAIL]


def test_a_target_says_for_itself_what_it_is_told(folder):
    written(folder)
    says = "is a target, and says for itself what it is told: leave out --steps, --eta, --arrays"
    with pytest.raises(MisuseError, match=says):
        resolve("tinyflow_adapter.py:twenty_steps", steps=10, eta=0.5, arrays=Arrays.TORCH)


def test_another_claim_can_be_laid_over_that_of_a_target(folder, capsys):
    written(folder)
    claimed = ["check", "tinyflow_adapter.py:twenty_steps", "--family", "ddim", "--eta"]
    assert main([*claimed, "0.5"]) == 0
    assert main([*claimed, "0.25"]) == 1
    assert main([*claimed[:2], "--order", "1"]) == 0
    capsys.readouterr()
    assert main([*claimed[:2], "--eta", "0.5"]) == 2
    assert "leave out --eta. Another claim" in capsys.readouterr().err


def test_what_makes_a_target_is_not_taken_for_a_sampler(folder, capsys):
    written(folder)
    assert main(["check", "tinyflow_adapter.py:target"]) == 2
    said = capsys.readouterr().err
    assert "tinyflow_adapter.py:target is taken for a sampler sample(denoise, x_init, seed), but makes a Target" in said
    assert "`mine = target(...)`" in said
    assert said.count("\n") == 1
