"""Verdicts on notes as they are told: as plain values, on the terminal, in the page itself, and as HTML."""

import json
import re
from xml.etree.ElementTree import tostring

import pytest
from documents import Document, assert_closed
from pretending import report
from rich.console import Console

from verifydiff.notes.documents import read_text
from verifydiff.notes.documents.document import Kind
from verifydiff.report.html import elements, mathml, notes
from verifydiff.report.html.elements import visible
from verifydiff.report.html.mathml import ATTRIBUTES, ELEMENTS, formula
from verifydiff.report.html.notes import notes_page
from verifydiff.report.notes import show
from verifydiff.report.notes_annotated import annotated
from verifydiff.verdict import Status

PAGE = """# Notes

We have $h = 1$ and $f = 2$, where $x$ is known.

$$
f = 3
+ 4
$$

> $$
> n = 5
> $$
> said

- $d = 6$

  $$
  f = 7
  $$

| a | b |
|---|---|
| $u = 8$ | $h = 9$ |

```math
f = 10
```
"""
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["$h = 1$\n", "and $f = 2$"]},
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = '$f = 3$'"},
            {"cell_type": "markdown", "metadata": {}, "source": "$$\nf = 4\n$$"},
        ],
        "metadata": {"a": [1, None]},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
)
LATEX = "\\begin{document}\nWe have $h = 1$ and $f = 2$ % $f = 3$\n\\[ f = 4\n\\] so\n\\end{document}\n"

# -- plain values --------------------------------------------------------------------------------------------------------


def test_the_values_are_those_that_scripts_depend_on():
    plain = report("$h = 1$\n\nand $f = 2$").to_json()
    assert plain["file"] == "page.md"
    right, wrong = plain["formulas"]
    assert {key: right[key] for key in ("line", "latex", "status", "counterexample", "suggestion")} == {
        "line": 1,
        "latex": "h = 1",
        "status": "holds",
        "counterexample": None,
        "suggestion": None,
    }
    assert wrong["line"] == 3
    assert wrong["status"] == "fails"
    assert wrong["suggestion"] == "f =- 2"
    assert wrong["counterexample"]["left"] == "1"
    assert [one["slip"] for one in wrong["suggestions"]] == ["other-sign", "other-sign"]
    assert json.loads(json.dumps(plain)) == plain


def test_a_formula_of_a_notebook_says_which_cell_it_stands_in():
    plain = report(NOTEBOOK, "n.ipynb", Kind.NOTEBOOK).to_json()
    assert [(one["cell"], one["line"]) for one in plain["formulas"]] == [(1, 1), (1, 2), (3, 2)]


STATUSES = {
    "nothing": ("words alone", Status.PASS, "no formula that states anything"),
    "nothing stated": ("$x$", Status.PASS, "no formula that states anything"),
    "right": ("$h = 1$", Status.PASS, "understood 1 of 1 formula, judged 1"),
    "defined": ("$d = 1$, $u$", Status.PASS, "understood 1 of 2 formulas, judged 0"),
    "other notation": ("$n = 1$ $h$", Status.PASS, "understood 2 of 2 formulas, judged 2"),
    "wrong": ("$f = 1$ $u$", Status.FAIL, "understood 1 of 2 formulas, judged 1"),
    "not understood": ("$u = 1$ $u$", Status.INCONCLUSIVE, "understood 0 of 2 formulas, judged 0"),
}


@pytest.mark.parametrize(("text", "status", "coverage"), STATUSES.values(), ids=STATUSES)
def test_a_page_fails_if_a_formula_does_and_is_inconclusive_if_none_is_understood(text, status, coverage):
    judged = report(text)
    assert (judged.status, judged.coverage) == (status, coverage)


# -- the terminal --------------------------------------------------------------------------------------------------------


def printed(judged, *, verbose=False, width=120):
    console = Console(width=width, record=True, file=None, quiet=False, highlight=False, force_terminal=False)
    with console.capture() as captured:
        show(judged, console, verbose)
    return captured.get()


def test_the_terminal_shows_every_formula_and_each_failure_in_full():
    out = printed(report(PAGE))
    assert "✗ FAIL  page.md" in out
    assert "understood 8 of 9 formulas, judged 7: 2 hold, 4 fail, 1 other notation, 1 definition, 1 not understood" in out
    for line, mark in ((3, "✓ holds"), (11, "≈ other notation"), (15, "≔ definition"), (23, "? not understood"), (26, "✗ fails")):
        assert re.search(rf"^{re.escape(mark)} +{line} ", out, re.MULTILINE)
    assert "why           the sides of f = 2 differ by 2" in out
    assert "at            abar_t = 1/2, f = 2 = 2" in out
    assert "left side     1 (the mean)" in out
    assert "did you mean  f =- 2   a minus before  2 [other-sign]" in out


def test_a_long_page_shows_what_does_not_hold_unless_all_is_asked_for():
    judged = report("$h = 1$ $d = 2$ " * 40 + "$f = 3$")
    assert printed(judged).count("h = 1") == 0
    assert printed(judged, verbose=True).count("h = 1") >= 40
    assert "f = 3" in printed(judged)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_narrow_terminals_are_kept_to(width):
    assert all(len(row) <= max(width, 48) for row in printed(report(PAGE), width=width).splitlines())


# -- the page, marked ----------------------------------------------------------------------------------------------------


def formulas(text, kind=Kind.MARKDOWN):
    return [one.latex for part in read_text(text, "page", kind).parts for one in part.found]


def test_the_page_is_written_back_with_a_mark_at_each_formula_and_a_footnote_for_each_failure():
    out = annotated(report(PAGE))
    assert "We have $h = 1$ ✓ and $f = 2$ ✗[^verifydiff-2], where $x$ is known." in out
    assert "$$\nf = 3\n+ 4\n$$\n\n✗[^verifydiff-3]\n\n> $$\n> n = 5\n> $$\n>\n> ≈\n>\n> said\n\n- $d = 6$ ≔\n" in out
    assert "  $$\n  f = 7\n  $$\n\n  ✗[^verifydiff-6]\n\n| a | b |" in out
    assert "| $u = 8$ ? | $h = 9$ ✓ |" in out
    assert "```math\nf = 10\n```\n\n✗[^verifydiff-9]\n" in out
    assert re.findall(r"✗\[\^verifydiff-(\d)\]", out) == re.findall(r"^\[\^verifydiff-(\d)\]:", out, re.MULTILINE)
    assert "[^verifydiff-2]: Line 3 fails: the sides of f = 2 differ by 2. At $abar_t = 1/2$, $f = 2 = 2$ the left side is 1" in out
    assert r"Did you mean $f =\boxed{-} 2$ (a minus before 2), or" in out


SHORT = ("$f = 1$", "a\n$$\nf\n$$", "$$f$$", "- $$\n  f\n  $$\n- x", "$$\nf\n$$.\nwords", "> > $$\n> > f\n> > $$\n> x")


def test_the_marks_take_no_formula_from_the_page():
    for text in (PAGE, *SHORT):
        before = annotated(report(text)).split("[^verifydiff-1]:")[0].split("[^verifydiff-2]:")[0]
        assert formulas(before) == formulas(text)


def test_a_page_without_failures_has_no_footnotes_and_one_without_formulas_is_unchanged():
    assert annotated(report("$h = 1$\n")) == "$h = 1$ ✓\n"
    for text in ("", "words", "$x$\n", "no end of line $x$"):
        assert annotated(report(text)) == text


def test_line_ends_are_kept():
    assert annotated(report("$$\r\nh\r\n$$\r\nx\r\n")) == "$$\r\nh\r\n$$\r\n\r\n✓\r\n\r\nx\r\n"


def test_a_latex_document_gets_comments_below_its_lines_and_prints_the_same():
    out = annotated(report(LATEX, "a.tex", Kind.LATEX))
    rows = out.split("\n")
    assert "\n".join(row for row in rows if not row.startswith("% verifydiff: ")) == LATEX
    assert rows[2] == "% verifydiff: ✓ holds: h = 1"
    assert rows[3] == "% verifydiff: ✗ fails: f = 2: the sides of f = 2 differ by 2"
    assert "% verifydiff:   did you mean: f =- 2 (a minus before  2)" in rows


def test_a_notebook_gets_its_marks_in_its_cells_and_is_otherwise_the_same():
    before, after = json.loads(NOTEBOOK), json.loads(annotated(report(NOTEBOOK, "n.ipynb", Kind.NOTEBOOK)))
    assert "".join(after["cells"][0]["source"]).startswith("$h = 1$ ✓\nand $f = 2$ ✗ (2)\n\n- (2) Line 2 fails: ")
    assert after["cells"][1] == before["cells"][1]
    assert {key: after[key] for key in after if key != "cells"} == {key: before[key] for key in before if key != "cells"}


# -- HTML ----------------------------------------------------------------------------------------------------------------

OF_NOTES = ELEMENTS | {"sup", "mark", "br", "hr", "ol", "em", "s", "blockquote", "h4", "h5", "h6"}


def sound(page):
    document = assert_closed(page, OF_NOTES)
    for tag, attributes in document.elements:
        if tag in ELEMENTS:
            assert set(attributes) <= ATTRIBUTES | {"class"}
    return document


@pytest.mark.parametrize(
    ("text", "kind"), [(PAGE, Kind.MARKDOWN), (NOTEBOOK, Kind.NOTEBOOK), (LATEX, Kind.LATEX)], ids=["markdown", "notebook", "latex"]
)
def test_the_page_is_whole_in_itself_and_leads_from_marks_to_failures_and_back(text, kind):
    judged = report(text, "page", kind)
    document = sound(notes_page(judged))
    for number, verdict in enumerate(judged.verdicts, 1):
        assert f"formula-{number}" in document.ids
        assert (f"failure-{number}" in document.ids) == (verdict.judged.status == "fails")
    assert document.all("math")
    assert judged.coverage in document.words


def test_the_page_shows_markdown_as_such():
    document = Document(notes_page(report("# One\n\n*two* **three** `four`\n\n1. five\n\n---\n\n> six\n\nseven  \neight")))
    tags = [tag for tag, _ in document.elements]
    assert {"h3", "em", "strong", "code", "ol", "li", "hr", "blockquote", "br"} <= set(tags)


def test_a_page_may_have_the_same_formula_twice():
    sound(notes_page(report("$f = 1$ and $f = 1$ $f = 1$")))


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script in a formula": r"$f = \text{<script>alert(1)</script>}$",
    "tag in a formula": "$f <img src=x onerror=alert(1)> 1$",
    "attribute": '"><img src=x onerror=alert(1)>',
    "attribute in a formula": '$f = \'" onmouseover="alert(1)$',
    "link in a formula": r"$f = \href{javascript:alert(1)}{x}$",
    "style in a formula": r"$f = \style{background:url(//x)}{x} \class{a}{b} \color{red} y \mathchoice$",
    "entity in a formula": r"$f = \text{&lt;script&gt;alert(1)&lt;/script&gt;} &amp; &#60;b&#62;$",
    "link": "[x](javascript:alert(1)) [y](http://a.b) <http://a.b> ![z](http://a.b/c.png)",
    "reference": "[x]: javascript:alert(1)\n\n[x]",
    "block of HTML": "<div onclick='alert(1)'>\n$f = 1$\n<iframe src='x'></iframe>\n</div>",
    "comment": "<!-- $f$ --><svg onload=alert(1)>",
    "override": "a\u202eb $f = \u202e\u2066 1$",
    "controls": "a\x00b\x1b[31mc\x07 $f = \x00\x1b[31m 1$",
    "half a character": "$f = \ud800 1$",
    "end of title": "$f = </title></style></script><h1>$",
    "fence": "```math\nf = </code></pre><script>alert(1)</script>\n```\n\n```<script>\nx\n```",
    "listing": "```\n</code></pre><script>alert(1)</script>\n```",
    "heading": "# <img src=x onerror=alert(1)> $f$",
    "deep": "$f = " + r"\sqrt{" * 1000 + "}" * 1000 + "$",
    "deep fences": "$f = " + r"\left(" * 500 + "x" + r"\right)" * 500 + "$",
    "long": "$f = " + "x + " * 20_000 + "x$",
    "unbalanced": r"$f = \frac{1}{$ and $f = \left( 1$ and $f = }{$ and $f_ = ^$ and $f = \begin{matrix} 1$",
}


@pytest.mark.parametrize("kind", [Kind.MARKDOWN, Kind.LATEX, Kind.NOTEBOOK])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_of_the_notes_is_taken_for_markup(text, kind):
    if kind is Kind.NOTEBOOK:
        text = json.dumps({"cells": [{"cell_type": "markdown", "source": text}, {"cell_type": "code", "source": text}]})
    judged = report(text, f"<b>{text[:50]}", kind)
    page = notes_page(judged)
    document = sound(page)
    assert len(document.all("script")) == 1
    assert not document.all("img")
    assert not document.all("iframe")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_terminal_gets_no_controls_of_the_notes(text):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed(report(text, visible(text[:60]))))


def raw_text(monkeypatch):
    monkeypatch.setattr(mathml, "_text", lambda text: text and elements.raw(text))


def any_element(monkeypatch):
    monkeypatch.setattr(mathml, "ELEMENTS", frozenset({"script", *ELEMENTS}))
    monkeypatch.setattr(mathml, "_copied", lambda node: elements.raw(tostring(node, encoding="unicode")))


def raw_html(monkeypatch):
    monkeypatch.setattr(notes, "_html", lambda block, _: elements.raw(block.content))


def raw_code(monkeypatch):
    leaf = notes._leaf
    monkeypatch.setattr(
        notes, "_leaf", lambda token, marks: elements.raw(token.content) if token.type == "fence" else leaf(token, marks)
    )


def raw_reason(monkeypatch):
    monkeypatch.setattr(notes, "cut", lambda text, longest: elements.raw(text))


@pytest.mark.parametrize("mutant", [raw_text, any_element, raw_html, raw_code, raw_reason], ids=lambda mutant: mutant.__name__)
def test_a_dropped_escape_in_a_page_of_notes_is_caught(monkeypatch, mutant):
    mathml._translated.cache_clear()
    mutant(monkeypatch)
    caught = []
    for text in HOSTILE.values():
        try:
            test_nothing_of_the_notes_is_taken_for_markup(text, Kind.MARKDOWN)
        except (AssertionError, ValueError):
            caught.append(text)
    mathml._translated.cache_clear()
    assert caught


def test_what_is_told_in_a_footnote_is_text():
    told = annotated(report("$f = *a* _b_ [c](d) <img> | # ~ & \\x$")).split("[^verifydiff-1]:")[1]
    assert "<img" not in re.sub(r"\\<|`[^`]*`", "", told)
    assert not re.search(r"(?<!\\)\[c", re.sub(r"`[^`]*`", "", told))


# -- formulas as MathML --------------------------------------------------------------------------------------------------


def test_formulas_are_translated_and_what_cannot_be_is_shown_as_it_is_written():
    assert "<mfrac>" in formula(r"\frac{1}{2}")
    assert "<msqrt>" in formula(r"\begin{align} a &= \sqrt{b} \\ c &= d \end{align}", display=True)
    assert formula(r"\frac{1") == formula(r"\frac{1")
    for broken in (r"\frac{1}", r"\left( 1", "}{", "x_", "x^^2", "{" * 100):
        assert formula(broken)


def test_the_box_around_a_change_is_drawn():
    assert '<mrow class="boxed">' in formula(r"a = \boxed{-} b")
