"""What an installation brings along, read off the files that say so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FRAMEWORKS = {"torch", "torchvision", "torchsde", "diffusers", "azula", "jax", "jaxlib", "numpyro", "matplotlib"}

LOCKED = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


def test_installing_it_alone_brings_no_framework() -> None:
    assert names(PROJECT["dependencies"]).isdisjoint(FRAMEWORKS)


def test_what_is_judged_is_an_extra() -> None:
    for library in ("diffusers", "azula"):
        assert {library, "torch"} <= names(PROJECT["optional-dependencies"][library])


@pytest.mark.parametrize("name", ["torch", "diffusers", "azula", "torchsde"])
def test_the_tests_bring_torch_only_where_it_does_not_bring_cuda(name: str) -> None:
    assert [
        line for line in PROJECT["optional-dependencies"]["test"] if line.startswith(name) and "python_version < '3.12'" in line
    ]


@pytest.mark.parametrize("line", LOCKED)
def test_the_lock_names_versions_and_neither_hosts_nor_paths_nor_cuda(line: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+==[\d.]+(?:b\d)?( ; [\w' .<>=!*]+)?", line)
    assert not re.match(r"nvidia|cuda|triton", line)


def test_the_lock_holds_all_that_is_required() -> None:
    extras = PROJECT["optional-dependencies"].values()
    required = names(PROJECT["dependencies"]).union(*map(names, extras)) - {"verifydiff"}
    assert required <= names(LOCKED)
