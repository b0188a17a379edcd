"""What the page is made of: nothing from a network, no markup from strings, a pinned field with its licence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from verifydiff.teach.server import HERE, files

OWN = sorted((HERE / "page").iterdir())
MATHLIVE = HERE / "vendor" / "mathlive"


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_of_the_page_reads_markup_or_code_from_a_string(path):
    text = path.read_text(encoding="utf-8")
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTML|createContextualFragment|srcdoc"
    assert not re.search(banned, text)
    assert not re.search(r"<script(?! type=\"module\" src=)|\son[a-z]+\s*=\s*[\"']|\sstyle=", text) or path.suffix != ".html"


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_of_the_page_is_elsewhere(path):
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'`)]*", path.read_text(encoding="utf-8")))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_every_module_that_is_imported_is_served():
    for path in OWN:
        if path.suffix == ".js":
            for name in re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8")):
                assert name.replace("./", "/", 1).replace("//", "/") in files()


def test_the_field_is_pinned_and_has_its_licence():
    notice = (MATHLIVE / "NOTICE.txt").read_text()
    assert "MathLive 0.111.1" in notice
    assert "MIT" in notice
    assert (MATHLIVE / "mathlive.min.mjs").read_text(encoding="utf-8").startswith("/** MathLive 0.111.1")
    assert "Permission is hereby granted, free of charge" in (MATHLIVE / "LICENSE.txt").read_text()
    assert len(list((MATHLIVE / "fonts").glob("*.woff2"))) == 20


def test_the_page_adds_little_to_the_package():
    assert sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc") < 2_000_000


def test_the_wheel_takes_the_whole_package_and_ignores_none_of_the_page():
    root = Path(__file__).parents[2]
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["verifydiff"]
    assert "exclude" not in wheel
    ignored = [line.strip("/*") for line in (root / ".gitignore").read_text().splitlines() if line and not line.startswith("#")]
    assert not any(part in ignored for path in HERE.rglob("*") for part in path.relative_to(HERE).parts if part != "__pycache__")


def test_both_languages_say_everything():
    text = (HERE / "page" / "words.js").read_text(encoding="utf-8")
    entries = re.findall(r'^  (\w+): \[\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)",?\s*\]', text, re.M)
    keys = {key for key, *_ in entries}
    assert len(entries) == len(re.findall(r"^  \w+: \[", text, re.M)) > 60
    assert all(set(re.findall(r"\{\d\}", english)) == set(re.findall(r"\{\d\}", chinese)) for _, english, chinese in entries)
    for path in OWN:
        if path.suffix == ".js":
            assert set(re.findall(r'\bsay\("(\w+)"', path.read_text(encoding="utf-8"))) <= keys
