"""The tutorials are run as a reader would: files written, commands typed, and what comes out is what the page says.

A block whose first line names a file, in a comment, is that file; a ``console`` block is commands and what they print, where
``...`` stands for any lines; a ``pycon`` block is typed into one Python shell. Times and line breaks may differ.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from verifydiff.cli import main

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:#|\.\.|<!--) ([\w/]+\.\w+)(?: -->)?\n")


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("tutorial-*.md")), DOCS / "testing.md"], ids=lambda page: page.stem)
def test_the_tutorial_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    if "sphinx-build" in page.read_text():
        pytest.importorskip("sphinx", reason="the tutorial builds a page")
    shell = Shell()
    for language, text in BLOCK.findall(page.read_text()):
        if language == "console":
            shell.type(text)
        elif language == "pycon":
            shell.type_python(text)
        else:
            name = NAMED.match(text)
            assert name, f"a block of {language} on {page.name} says not which file it is"
            Path(name[1]).parent.mkdir(exist_ok=True)
            Path(name[1]).write_text(text)


def test_a_page_that_says_otherwise_is_found_out():
    with pytest.raises(AssertionError, match="never"):
        Shell().type("$ verifydiff --version\nnever printed\n")
    with pytest.raises(AssertionError):
        Shell().type_python(">>> 1 + 1\n3\n")


class Shell:
    """A terminal with the commands that the tutorials use, and a Python shell."""

    def __init__(self):
        self.code = 0
        self.names = {}

    def type(self, block):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE):
            printed = plain(self.run(command))
            here = 0
            for part in re.split(r"\.\.\.(?!\S)", plain(shown)):
                found = printed.find(part.strip(), here)
                assert found >= 0, f"{command!r} prints no {part.strip()!r} from there on, but: {printed[here:]}"
                here = found + len(part.strip())
            rest = printed[here:].strip()
            assert plain(shown).endswith("...") or not rest, f"{command!r} goes on with {rest!r}, which is not shown"

    def run(self, command):
        program, *arguments = shlex.split(command)
        if command == "echo $?":
            return str(self.code)
        if program == "verifydiff":
            return self._inside(main, arguments)
        if program == "sphinx-build":
            from sphinx.cmd.build import main as build
            from sphinx.util.docutils import docutils_namespace

            with docutils_namespace():
                return self._inside(build, arguments)
        assert program == "python"
        plugged_in = entry_points(group="pytest11", name="verifydiff")  # by an installation that is not older than the plugin
        environment = os.environ if plugged_in else {**os.environ, "PYTEST_PLUGINS": "verifydiff.plugin"}
        command = [sys.executable, *arguments, "-p", "no:cacheprovider"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        self.code = run.returncode
        return run.stdout

    def _inside(self, program, arguments):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                self.code = program(arguments)
            except SystemExit as error:
                self.code = error.code or 0
        return printed.getvalue().replace(f"{Path.cwd()}/", "")

    def type_python(self, block):
        for example in doctest.DocTestParser().get_examples(block):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(example.source, "<shell>", "single"), self.names)
            assert printed.getvalue() == example.want, example.source


def plain(text):
    """Without colours, times, and the places where lines are broken."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"\b\d+(\.\d+)? ?m?s\b", "0 s", text)
    text = re.sub(r"^([✓✗?] .*\S) +\d+ *$", r"\1", text, flags=re.MULTILINE)  # a column of milliseconds
    return " ".join(text.split())
