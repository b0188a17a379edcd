"""The page on adapters: its examples are run as a reader would, are as short as it says, and what is wrong about them shows."""

import re
import sys
from dataclasses import fields

import pytest
from samplers import BETAS, ddim
from test_tutorials import BLOCK, DOCS, NAMED, Shell

import verifydiff as vd
import verifydiff.forms.families
from verifydiff.cli import main
from verifydiff.forms.claims import named
from verifydiff.observe import Target
from verifydiff.observe.arrays import Arrays
from verifydiff.observe.resolve import resolve
from verifydiff.verdict import MisuseError, Status

SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (DOCS / "adapters.md").read_text(), re.MULTILINE | re.DOTALL))
CLAIMS, ADAPTER, OVER_TORCH = (
    SECTIONS[title] for title in ("What can be claimed", "An adapter for another library", "A library over PyTorch")
)
FILES = {NAMED.match(text)[1]: text for language, text in BLOCK.findall(ADAPTER + OVER_TORCH) if language == "python"}


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


@pytest.mark.parametrize("section", [CLAIMS, ADAPTER, OVER_TORCH], ids=["claims", "an adapter", "over PyTorch"])
def test_the_page_does_what_it_says(section, folder):
    if section is OVER_TORCH:
        pytest.importorskip("torch", reason="the library of the example works on tensors")
    shell = Shell()
    written(folder)
    for language, text in BLOCK.findall(section):
        if language == "console":
            shell.type(text)
        elif language == "pycon":
            shell.type_python(text)


@pytest.mark.parametrize("name", ["tinyflow_adapter.py", "tinydiffusion_loop.py", "tinydiffusion_target.py"])
def test_an_adapter_has_some_thirty_lines(name):
    code = [line for line in FILES[name].splitlines() if line.strip() and not line.startswith(("#", "import", "from"))]
    assert len(code) <= 30


def test_every_field_of_a_target_has_its_row():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", ADAPTER, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"\w+", row)) == sorted(field.name for field in fields(Target))


ROW = re.compile(r"^\| `([a-z-]+)`(?:, `([a-z-]+)`)?(?:, with `--(\w+) ([\d.]+)`)? \| `(.*?)`(?:, `(.*?)`)? \|", re.MULTILINE)


def test_every_family_of_the_command_has_its_row_and_is_what_the_row_makes():
    rows = ROW.findall(CLAIMS)
    assert len(rows) == 7
    names = []
    for first, second, option, value, maker, other in rows:
        told = {option: float(value) if option == "eta" else int(value)} if option else {}
        for name, makes in ((first, maker), (second, other)):
            if name:
                names.append(name)
                assert eval(makes, {"vd": vd, "verifydiff": verifydiff}) == named(name, **told)
    with pytest.raises(ValueError, match="no family is called") as error:
        named("")
    assert set(re.findall(r"[a-z-]+", str(error.value).partition("auto, ")[2])) == set(names)


LOSES = {
    "its first state is its own": (
        "tinydiffusion_target",
        ('with mock.patch("torch.randn", lambda *size, **options: start):', "if 1:"),
    ),
    "a step is shifted": ("tinydiffusion", ("self.abar[t - 1] if", "self.abar[max(t - 2, 0)] if")),
}
SHOWS = {"its first state is its own": "start", "a step is shifted": "pairing"}


@pytest.mark.parametrize("mistake", LOSES)
def test_a_mistake_over_torch_shows(mistake, folder):
    pytest.importorskip("torch", reason="the library of the example works on tensors")
    module, change = LOSES[mistake]
    written(folder, **{module: [change]})
    report = vd.check(resolve("tinydiffusion_target.py:hundred_steps"))
    assert SHOWS[mistake] in [finding.check for finding in report.findings if finding.status is Status.FAIL]


def test_without_wide_it_is_judged_in_its_own_precision_and_with_it_finely(folder):
    pytest.importorskip("torch", reason="the library of the example works on tensors")
    written(folder)
    for name in ("tinydiffusion_loop.py:loop", "tinydiffusion_target.py:hundred_steps"):
        target = resolve(name)
        errors = [
            next(finding.measured for finding in vd.check(one).findings if finding.check == "coefficients")
            for one in (target, target.as_shipped)
        ]
        assert errors[0] < 1e-10 < errors[1]


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


@pytest.mark.parametrize(
    "told",
    [{"schedule": vd.Schedule.linear(1000)}, {"prediction": "epsilon"}, {"shape": (2, 2)}, {"arrays": "torch"}],
    ids=lambda told: next(iter(told)),
)
def test_from_python_too(folder, told):
    written(folder)
    target = resolve("tinyflow_adapter.py:twenty_steps")
    with pytest.raises(MisuseError, match=f"is a target, and says for itself what it is told: leave out `{next(iter(told))}`"):
        vd.check(target, **told)


def test_a_target_may_be_told_what_it_says_itself():
    target = Target(name="mine", sample=ddim(), schedule=vd.Schedule.from_betas(BETAS))
    told = vd.check(target, schedule=vd.Schedule.from_betas(BETAS), prediction="epsilon", shape=[4], arrays="auto")
    assert told.status is Status.PASS
    assert told.findings == vd.check(target).findings


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
