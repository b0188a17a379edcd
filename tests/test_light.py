"""The root, the command and its help stay light: what is imported is read off ``sys.modules``, not off a clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

import verifydiff

HEAVY = ("jax", "jaxlib", "sympy", "flint", "scipy", "torch", "diffusers", "matplotlib", "pandas", "hypothesis")
NUMERIC = (*HEAVY, "numpy")  # numpy is needed as soon as there is an array, and not before

RUNS = {
    "import": ("import verifydiff", NUMERIC),
    "dir": ("import verifydiff; dir(verifydiff)", NUMERIC),
    "Schedule": ("import verifydiff; verifydiff.Schedule", HEAVY),
    "plugin": ("import verifydiff.plugin", NUMERIC),
    "verdict": ("import verifydiff.verdict", NUMERIC),
    "statistics": ("import verifydiff.statistics", ("scipy.stats", "scipy.optimize", "sympy", "jax", "torch")),
    "--help": ("from verifydiff.cli import main; main(['--help'])", NUMERIC),
    "--version": ("from verifydiff.cli import main; main(['--version'])", NUMERIC),
    "prove --help": ("from verifydiff.cli import main; main(['prove', '--help'])", NUMERIC),
    "notes --help": ("from verifydiff.cli import main; main(['notes', '--help'])", NUMERIC),
    "teach --help": ("from verifydiff.cli import main; main(['teach', '--help'])", NUMERIC),
    "confirm --help": ("from verifydiff.cli import main; main(['confirm', '--help'])", NUMERIC),
    "train --help": ("from verifydiff.cli import main; main(['train', '--help'])", NUMERIC),
    "check --help": ("from verifydiff.cli import main; main(['check', '--help'])", NUMERIC),
    "misuse": ("from verifydiff.cli import main; main(['no-such-command'])", NUMERIC),
}


@pytest.mark.parametrize(("code", "heavy"), RUNS.values(), ids=RUNS)
def test_nothing_heavy_is_imported_by(code: str, heavy: tuple[str, ...]) -> None:
    assert loaded_by(code).isdisjoint(heavy)


def test_the_probe_would_see_a_heavy_import() -> None:
    assert "scipy.special" in loaded_by("import verifydiff.statistics")


@pytest.mark.parametrize("name", verifydiff.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(verifydiff, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'samplre'"):
        verifydiff.samplre  # noqa: B018


def loaded_by(code: str) -> set[str]:
    """The modules a fresh interpreter holds after running the code, whether or not that exits."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('\\n' + ' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=600)
    return set(run.stdout.splitlines()[-1].split())
