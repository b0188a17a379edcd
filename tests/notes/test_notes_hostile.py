"""Broken and hostile pages: bounded time and memory, what cannot be understood said so, and the rest of the page judged."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notes_score.corpus import CORPUS, PAGES, text
from pretending import report as pretended

from verifydiff.cli import main
from verifydiff.notes.documents import read, read_text, statements
from verifydiff.notes.documents.document import Kind
from verifydiff.notes.page import Span, Standing
from verifydiff.notes.report import judge_document
from verifydiff.notes.statements import judge
from verifydiff.report.html.notes import notes_page
from verifydiff.report.notes_annotated import annotated

HOSTILE = [pytest.param(path, id=path.name) for path in sorted((CORPUS / "hostile").iterdir())]
PAGES_OF_MARKDOWN = [one for one in HOSTILE if one.id.endswith(".md")]
GOOD = r"""

$$
\bar\alpha_t = \prod_{s=1}^{t} \alpha_s
$$

and $1 - \bar\alpha_t = \beta_t + \alpha_t (1 - \bar\alpha_{t-1})$.
"""
WRONG = GOOD.replace(r"= \beta_t", r"= \alpha_t")
TRACE = Path("/tmp/verifydiff-was-here")  # what some pages try to have touched


def kind_of(path):
    return {".md": Kind.MARKDOWN, ".tex": Kind.LATEX, ".ipynb": Kind.NOTEBOOK}[path.suffix]


def content(path):
    return path.read_bytes().decode("utf-8")


@pytest.mark.parametrize("path", PAGES_OF_MARKDOWN)
def test_the_rest_of_a_hostile_page_is_judged(path):
    TRACE.unlink(missing_ok=True)
    judged = judge_document(read_text(content(path) + WRONG))
    *hostile, _, last = [one.judged for one in judged.verdicts]
    assert last.status is Standing.FAILS
    assert last.line == (content(path) + WRONG).rstrip("\n").count("\n") + 1
    assert not TRACE.exists()
    assert all(one.reason for one in hostile)


@pytest.mark.parametrize("path", HOSTILE)
def test_the_command_ends_well_on_a_hostile_page(path, tmp_path, capsys):
    out = tmp_path / "out"
    code = main(["notes", str(path), "--json", f"{out}.json", "--html", f"{out}.html", "--annotate", f"{out}{path.suffix}"])
    assert code in (0, 1, 3)
    assert capsys.readouterr().err == ""
    plain = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    assert all(one["status"] in set(Standing) for one in plain["formulas"])
    assert len(re.findall("<script", Path(f"{out}.html").read_text(encoding="utf-8"))) == 1


FORMULAS = {
    "a megabyte": "x = " + "x + " * 2**18 + "x",
    "a megabyte of digits": "x = " + "9" * 2**20,
    "a megabyte of a letter": "x = " + "x" * 2**20,
    "a thousand roots": "x = " + r"\sqrt{" * 1000 + "x" + "}" * 1000,
    "a thousand open roots": "x = " + r"\sqrt{" * 1000,
    "a thousand brackets": "x = " + r"\left(" * 1000 + "x" + r"\right)" * 1000,
    "a thousand indices": "x" + "_{x" * 1000 + "}" * 1000 + " = 1",
    "a thousand links": " = ".join([r"\alpha_t"] * 1000),
    "a thousand bars": "x = " + "|" * 1000,
    "thirty roots": "x_t = " + " + ".join(rf"\sqrt{{1 - \bar\alpha_{{t-{k}}}}}" for k in range(30)),
    "a product of sums": "x_t = " + r"(1 + \alpha_t + \beta_t + x_0 + \epsilon)" * 40,
    "a tower": "x = 2^{9^{9^{9^9}}}",
    "a small number": "x = 10^{-100000000}",
    "a large power": r"x_t = (x_0 + \epsilon)^{1000000}",
    "a large product": r"\bar\alpha_t = \prod_{i=1}^{100000000} \alpha_i",
    "a fraction of fractions": r"x_t = \frac{1}{1 + " * 300 + "x_0" + "}" * 300,
}
MOST_SECONDS = 10.0
"""For one formula, on a machine that has other things to do."""


@pytest.mark.parametrize("latex", FORMULAS.values(), ids=FORMULAS.keys())
def test_a_formula_takes_bounded_time_and_memory(latex):
    """In a process of its own, which is ended if it does not end: no test may hang."""
    script = (
        "import resource, sys, time\nresource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))\n"
        "from verifydiff.notes.page import Span\nfrom verifydiff.notes.statements import judge\n"
        "judge([Span(1, 'a = b')])\nbegan = time.process_time()\n"
        "found = judge([Span(1, sys.stdin.read())])\nprint(time.process_time() - began, [str(one.status) for one in found])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        input=latex,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert float(run.stdout.split()[0]) < MOST_SECONDS


SIZE = 2**15
REPEATED = {
    "dollars": "$",
    "dollars and letters": "$a",
    "open displays": "$$\na\n",
    "open displays and paragraphs": "$$\n\n",
    "open brackets": "\\[\n",
    "open brackets and paragraphs": "\\[\n\n",
    "open parentheses": "\\(",
    "open environments": "\\begin{align}\n",
    "open environments in a line": "\\begin{align}",
    "quotations": "> ",
    "lists": "- ",
    "links": "[a](",
    "square brackets": "[",
    "stars": "*a",
    "backticks": "`",
    "tags": "<a ",
    "comments": "<!-- ",
    "cells": "|a",
    "rows": "|$a$|b|\n|-|-|\n",
    "backslashes": "\\",
    "formulas": "$a=b$ ",
    "joined": "$a$ is $b-c$ ",
    "pictures": "![$a$](",
    "emphasis": "*$a$",
    "fences": "```math\n",
    "null bytes": "\0",
    "per cent": "%",
    "listings": "\\begin{verbatim}",
    "documents": "\\begin{document}",
    "definitions": "\\newcommand{\\a}{",
    "blanks": " ",
    "lines": "\n",
}


@pytest.mark.parametrize("kind", [Kind.MARKDOWN, Kind.LATEX])
@pytest.mark.parametrize("piece", REPEATED.values(), ids=REPEATED)
def test_reading_takes_time_in_proportion_to_the_page(piece, kind):
    seconds = []
    for size in (SIZE // 4, SIZE):
        began = time.process_time()
        statements(read_text(piece * (size // len(piece)), "page", kind))
        seconds.append(time.process_time() - began)
    assert seconds[1] < 8 * max(seconds[0], 0.25)  # four times the page; sixteen times the time would be a square


# -- at random -----------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("$", "$$", "$`", "`$", "`", "```", "```math\n", "\\(", "\\)", "\\[", "\\]", "\\\\(", "\\", "{", "}", "[", "]", "(", ")"),
        *("\\begin{align}", "\\end{align}", "\\begin{cases}", "\\end{cases}", "\\begin{equation}", "\\end{equation}", "&", "\\\\"),
        *(
            "\\newcommand{\\a}{",
            "\\def\\a{\\a}",
            "\\a",
            "\\text{",
            "%",
            "\\%",
            "\\$",
            "\\verb|",
            "\\begin{document}",
            "\\end{document}",
        ),
        *(
            "x_t",
            "x_0",
            "\\bar\\alpha_t",
            "\\alpha_t",
            "\\beta_t",
            "\\epsilon",
            "\\sqrt",
            "\\frac",
            "^2",
            "_",
            "^",
            "=",
            ":=",
            "\\sim",
        ),
        *(
            "\\mathcal{N}",
            "\\mathbb{E}",
            "\\left(",
            "\\right)",
            "|",
            "\\mid",
            ",",
            ";",
            "\\int",
            "dx",
            "\\sum_{s=1}^{t}",
            "\\nabla",
        ),
        *(
            " ",
            "\n",
            "\n\n",
            "\t",
            "> ",
            "- ",
            "1. ",
            "# ",
            "    ",
            "---\n",
            "| ",
            "<b>",
            "<!--",
            "-->",
            "</script>",
            "&lt;",
            "![",
            "](",
        ),
        *(" is ", "为", "，", "when ", "\u202e", "\x00", "\r", "1", "0", "-", "+", "/", "'", '"', "é", "噪声"),
    ]
)
SOUP = st.lists(PIECES, max_size=60).map("".join)
KINDS = st.sampled_from([Kind.MARKDOWN, Kind.LATEX])


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(SOUP | st.text(max_size=80), KINDS)
def test_whatever_stands_in_a_file_its_formulas_have_places_and_lines(page, kind):
    document = read_text(page, "page", kind)
    (part,) = document.parts
    for one in part.found:
        assert 0 <= one.start < one.end <= len(part.text)
        assert 1 <= one.line <= part.text.count("\n") + 1
        assert one.latex == one.latex.strip() != ""
    assert [one.start for one in part.found] == sorted(one.start for one in part.found)
    for one in statements(document):
        assert one.span.latex


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(SOUP, KINDS)
def test_whatever_is_said_of_it_a_page_can_be_written_back(page, kind):
    judged = pretended(page, "page", kind)
    out = annotated(judged)
    assert annotated(pretended("", "page", kind)) == ""
    if not judged.verdicts:
        assert out == page.replace("\r\n", "\n").replace("\r", "\n").replace("\n", judged.document.newline)
    assert notes_page(judged).count("<script") == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_a_formula_is_the_judge_says_something_or_nothing(latex):
    for one in judge([Span(1, latex)]):
        assert one.status in set(Standing)
        assert one.reason


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([page for page in PAGES if page.endswith(".md")]), st.data())
def test_a_page_with_a_piece_torn_out_is_still_read_to_its_end(page, data):
    whole = text(page)
    start = data.draw(st.integers(0, len(whole)))
    torn = whole[:start] + data.draw(SOUP) + whole[start + data.draw(st.integers(0, 200)) :]
    found = read_text(torn + GOOD).parts[0].found
    assert found, "the formulas at the end are there"


def test_a_file_is_read_as_its_text_is(tmp_path):
    for path in sorted((CORPUS / "hostile").iterdir()):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        assert read(str(tmp_path / path.name)).parts == read_text(content(path), path.name, kind_of(path)).parts
