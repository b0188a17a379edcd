r"""Formulas are found wherever people put them, on the right line and in the right place, and nothing else is taken for one."""

import json
from zlib import crc32

import numpy as np
import pytest

from verifydiff.notes.documents import read, read_text
from verifydiff.notes.documents.document import Kind
from verifydiff.verdict import MisuseError


def found(text, kind=Kind.MARKDOWN):
    return [one for part in read_text(text, "page", kind).parts for one in part.found]


def latex(text, kind=Kind.MARKDOWN):
    return [one.latex for one in found(text, kind)]


# -- Markdown ------------------------------------------------------------------------------------------------------------

WAYS = {
    "dollars": "so $a = b$ holds",
    "dollars with spaces": "so $ a = b $ holds",
    "two dollars in a line": "so $$a = b$$ holds",
    "two dollars alone": "$$a = b$$",
    "two dollars on lines of their own": "$$\na = b\n$$",
    "two dollars with a full stop behind": "$$\na = b\n$$.",
    "two dollars with a label": "$$a = b$$ {#eq:one}",
    "two dollars with a number": "$$\na = b\n$$ (1)",
    "two dollars right below words": "words\n$$\na = b\n$$\nwords",
    "two dollars around empty lines": "$$\n\na = b\n\n$$",
    "dollar and backtick": "so $`a = b`$ holds",
    "fence": "```math\na = b\n```",
    "fence of tildes": "~~~ math\na = b\n~~~",
    "directive of MyST": "```{math}\n:label: one\na = b\n```",
    "round brackets": r"so \(a = b\) holds",
    "round brackets for MathJax": r"so \\(a = b\\) holds",
    "square brackets": "\\[\na = b\n\\]",
    "square brackets in a line": r"so \[a = b\] holds",
    "square brackets for MathJax": r"\\[ a = b \\]",
    "equation": "\\begin{equation}\na = b\n\\end{equation}",
    "equation with a star": "words\n\\begin{equation*} a = b \\end{equation*}",
    "heading": "## Why $a = b$",
    "quotation": "> said\n>\n> $$\n> a = b\n> $$",
    "quotation in a line": "> said that $a = b$",
    "list": "- first\n\n  $$\n  a = b\n  $$\n",
    "list in a line": "1. first $a = b$",
    "nested list": "- one\n    - two\n      $$\n      a = b\n      $$",
    "table": "| x | y |\n|---|---|\n| 1 | $a = b$ |",
    "emphasis": "it is **$a = b$**, really",
    "link": "see [$a = b$](there)",
    "HTML": "<div align=center>\n$a = b$\n</div>",
    "details": "<details>\n\n$a = b$\n\n</details>",
    "front matter": "---\ntitle: costs $1 = 2$\n---\n$a = b$",
    "after a price": "it costs $5, and $a = b$",
    "after code": "`$1 = 2$` and $a = b$",
    "after a comment": "<!-- $1 = 2$ --> and $a = b$",
    "after a block of comment": "<!--\n$1 = 2$\n-->\n\n$a = b$",
    "after a comment that is never closed": "<!-- to do\n\n$a = b$",
    "after a comment, and one that is never closed": "<div>\n<!-- $1 = 2$ --> <!-- $a = b$\n",
    "after an escaped dollar": r"\$1 = 2\$ and $a = b$",
    "after a listing": "```python\nx = '$1 = 2$'\n```\n\n$a = b$",
    "after an indented listing": "words\n\n    $1 = 2$\n\n$a = b$",
    "after a picture": "![of $1 = 2$](x.png) $a = b$",
    "after an open dollar": "it costs 5$.\n\n$a = b$",
    "after an open display": "$$\nc\n\nwords of a sentence\n\n$$\na = b\n$$",
    "after an open environment": "\\begin{align}\nc\n\nwords of a sentence\n\n$a = b$",
    "carriage returns": "$$\r\na = b\r\n$$\r\n",
    "Chinese": "因此有$a = b$，其中",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_a_formula_is_found_however_it_is_written(text):
    (one,) = found(text)
    assert one.latex == "a = b"
    assert text.replace("\r\n", "\n").split("\n")[one.line - 1].find("a = b") >= 0


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_the_place_of_a_formula_is_that_of_its_delimiters(text):
    (part,) = read_text(text).parts
    (one,) = part.found
    source = part.text[one.start : one.end]
    assert "a = b" in source
    assert source[0] in "$\\`~"
    assert source[-1] in "$)]}`~"


NOT_FORMULAS = {
    "price": "it costs $5",
    "prices": "from $5 to $10",
    "prices and words": "between $5 per hour and $ a lot",
    "a range": "$20-$30",
    "code": "`$a = b$`",
    "code with two backticks": "``$a = b$ ` $``",
    "listing": "```\n$a = b$\n```",
    "listing of LaTeX": "```latex\n$a = b$\n```",
    "open listing": "```python\n$a = b$\n",
    "indented": "    $a = b$",
    "comment": "<!-- $a = b$ -->",
    "script": "<script>\nlet x = `$a = b$`\n</script>",
    "escaped": r"\$a = b\$",
    "open dollar": "$a = b",
    "open dollars": "$$\na = b\n",
    "open bracket": r"\[a = b",
    "escaped brackets": r"\[see also this\]",
    "nothing": "$$$$ and $ $",
    "other paragraph": "$a\n\n= b$",
    "empty": "",
    "blank": " \n\n\t\n",
}


@pytest.mark.parametrize("text", NOT_FORMULAS.values(), ids=NOT_FORMULAS)
def test_money_code_and_comments_are_no_formulas(text):
    assert latex(text) == []


def test_a_line_of_a_displayed_formula_may_look_like_markdown():
    text = "so\n$$\na\n= b\n- c\n+ d\n> e\n# f\n1. g\n$$\n"
    (one,) = found(text)
    assert (one.latex, one.line) == ("a\n= b\n- c\n+ d\n> e\n# f\n1. g", 3)


def test_underscores_and_stars_of_formulas_are_not_emphasis():
    assert latex("$a_1 * b_2$ and $c_3 * d_4$ *really*") == ["a_1 * b_2", "c_3 * d_4"]


def test_margins_of_quotations_and_lists_are_not_part_of_a_formula():
    assert latex("> $$\n> a\n> = b\n> $$") == ["a\n= b"]
    assert latex("- $$\n  a\n  = b\n  $$") == ["a\n= b"]


def test_environments_are_kept_where_they_say_more_than_where_a_formula_is():
    for name in ("align", "align*", "aligned", "cases", "gather"):
        text = f"\\begin{{{name}}}\na &= b \\\\\nc &= d\n\\end{{{name}}}"
        assert latex(text) == [text]
        assert latex(f"$$\n{text}\n$$") == [text]


def test_environments_within_themselves_close_where_they_should():
    inner = "\\begin{cases} 1 & \\begin{cases} 2 \\end{cases} \\\\ 3 \\end{cases}"
    assert latex(f"$x = {inner}$") == [f"x = {inner}"]
    assert latex(inner) == [inner]


LONG = """---
a: 1
---

# One

```
$1$
```
<!--

-->

> q
> $a = 1$

| x |
|---|
| $a = 2$ |

w
$a = 3$ w
$$

a = 4
$$
"""


def test_lines_are_counted_over_everything_that_stands_before():
    text = LONG
    rows = text.split("\n")
    assert [one.latex for one in found(text)] == ["a = 1", "a = 2", "a = 3", "a = 4"]
    for one in found(text):
        assert one.latex in rows[one.line - 1]


@pytest.mark.parametrize("row", [r"| $p(x \| y)$ | $q(a \| b)$ |", r"| \| | $a$ | $a$ |", "| a | `|` $b$ |", "$a$ | $a$"])
def test_places_in_tables_are_right_with_bars_escaped(row):
    text = f"| x | y | z |\n|---|---|---|\n{row}\n"
    (part,) = read_text(text).parts
    for one in part.found:
        assert part.text[one.start : one.end].replace(r"\|", "|") == f"${one.latex}$"
    assert len({one.start for one in part.found}) == len(part.found) > 0


def test_places_are_right_on_pages_put_together_at_random():
    rng = np.random.default_rng(crc32(b"pages"))
    ends_elsewhere = ("open", "never closed", "front matter")  # what comes after such a block decides what it hides
    blocks = [text for name, text in WAYS.items() if not any(word in name for word in ends_elsewhere)]
    for _ in range(60):
        chosen = [blocks[k] for k in rng.integers(len(blocks), size=12)]
        (part,) = read_text("\n\n".join(chosen)).parts
        assert [one.latex for one in part.found] == ["a = b"] * 12
        for one in part.found:
            assert "a = b" in part.text[one.start : one.end]
            assert part.text[one.start : one.end].count("a = b") == 1
            assert "a = b" in part.text.split("\n")[one.line - 1]
            assert part.text.count("\n", 0, one.start) + 1 <= one.line


# -- LaTeX ---------------------------------------------------------------------------------------------------------------

DOCUMENT = r"""\documentclass{article}
\newcommand{\abar}{\bar{\alpha}}
\newcommand\two[2]{#1 + #2}
\def\half{\frac12}
\DeclareMathOperator{\KL}{KL}
% $1 = 2$
\begin{document}
Costs 5\$ and 100\% % $1 = 2$
but $\abar_t = b$ \verb|$1 = 2$| and
\begin{equation}
  a = \two{b}{c} % $1 = 2$
\end{equation}
\begin{verbatim}
$1 = 2$
\end{verbatim}
\begin{lstlisting}
$1 = 2$
\end{lstlisting}
\[ x = \half \KL(p) \] $$ y = \abar $$ \( z = 1 \)
\begin{align} a &= b \\[2pt] c &= d \end{align}
\input{other} $unclosed

$w = \half x$
\end{document}
$1 = 2$
"""


def test_a_latex_document_is_read_between_its_ends_and_around_its_comments():
    said = [(one.line, " ".join(one.latex.split())) for one in found(DOCUMENT, Kind.LATEX)]
    assert said == [
        (9, r"\bar{\alpha}_t = b"),
        (11, "a = b + c"),
        (19, r"x = \frac12 \operatorname{KL}(p)"),
        (19, r"y = \bar{\alpha}"),
        (19, "z = 1"),
        (20, r"\begin{align} a &= b \\[2pt] c &= d \end{align}"),
        (23, r"w = \frac12 x"),
    ]


def test_nothing_of_another_file_is_read(tmp_path):
    (tmp_path / "other.tex").write_text("$stolen = 1$")
    page = tmp_path / "page.tex"
    page.write_text(rf"\input{{{tmp_path / 'other.tex'}}} \include{{other}} $a = \input{{{tmp_path / 'other.tex'}}}$")
    (part,) = read(str(page)).parts
    assert not any("stolen" in one.latex for one in part.found)


MACROS = {
    "itself": r"\newcommand{\a}{\a}$x = \a$",
    "each other": r"\newcommand{\a}{\b}\newcommand{\b}{\a}$x = \a$",
    "itself in itself": r"\newcommand{\a}{1 + \a}$x = \a$",
    "twice itself": r"\newcommand{\a}{\a\a}$x = \a$",
    "doubling": "".join(rf"\def\{chr(97 + k)}{{\{chr(98 + k)}\{chr(98 + k)}}}" for k in range(24)) + r"$x = \a$",
    "argument itself": r"\newcommand{\a}[1]{\a{#1#1}}$x = \a{1}$",
}


@pytest.mark.parametrize("text", MACROS.values(), ids=MACROS)
def test_macros_that_come_to_no_end_stand_as_they_are(text):
    (one,) = found(text, Kind.LATEX)
    assert one.latex.startswith(r"x = \a")
    assert len(one.latex) < 100


def test_macros_of_a_page_of_markdown_are_written_out_in_what_follows():
    text = "$\\abar$ before\n\n$$\n\\newcommand{\\abar}{\\bar\\alpha}\n$$\n\n$\\abar_t = \\abar\\beta$ and $\\abarx$"
    assert latex(text) == [r"\abar", r"\bar\alpha_t = \bar\alpha\beta", r"\abarx"]


def test_what_follows_a_macro_is_not_taken_for_its_name():
    assert latex(r"\newcommand{\a}{\alpha}$\a x = \a{}x$", Kind.LATEX) == [r"\alpha x = \alpha{}x"]
    assert latex(r"\newcommand{\n}[1]{\mathbf #1}$\n x$", Kind.LATEX) == [r"\mathbf x"]


# -- notebooks -----------------------------------------------------------------------------------------------------------


def notebook(*cells):
    made = [{"cell_type": kind, "metadata": {}, "source": source} for kind, source in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_a_notebook_is_read_cell_by_cell_and_lines_are_counted_within_them():
    silent = (("code", "x = '$1 = 2$'"), ("raw", "$1 = 2$"))
    text = notebook(("markdown", ["one\n", "$a = 1$\n"]), *silent, ("markdown", "\n\n$$a = 2$$"))
    parts = read_text(text, "n.ipynb", Kind.NOTEBOOK).parts
    assert [(part.number, one.line, one.latex) for part in parts for one in part.found] == [(1, 2, "a = 1"), (4, 3, "a = 2")]


NO_NOTEBOOKS = {
    "empty": "",
    "broken": '{"cells": [',
    "a list": "[]",
    "no cells": "{}",
    "cells of another kind": '{"cells": 3}',
    "deep": "[" * 100_000,
    "a long number": '{"cells": ' + "1" * 5000 + "}",
}


@pytest.mark.parametrize("text", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused_in_one_line(text):
    with pytest.raises(MisuseError, match=r"^n\.ipynb is no notebook of Jupyter: [^\n]{5,100}$"):
        read_text(text, "n.ipynb", Kind.NOTEBOOK)


def test_cells_that_are_odd_are_passed_over():
    text = json.dumps({"cells": [None, 3, {}, {"cell_type": "markdown"}, {"cell_type": "markdown", "source": [1, "$a$"]}]})
    assert [part.number for part in read_text(text, "n.ipynb", Kind.NOTEBOOK).parts] == [4, 5]


# -- files ---------------------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_its_ending(tmp_path):
    for name, text in {"a.md": "$a$", "b.TEX": "$a$%", "c.ipynb": notebook(("markdown", "$a$")), "README": "$a$"}.items():
        (tmp_path / name).write_text(text)
        assert [one.latex for part in read(str(tmp_path / name)).parts for one in part.found] == ["a"]


def test_a_mark_of_byte_order_is_not_part_of_the_page(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# $a$")
    assert read(str(tmp_path / "a.md")).parts[0].text == "# $a$"


REFUSED = {
    "missing": ("missing.md", None, "No such file"),
    "folder": ("folder.md", "folder", "is a folder"),
    "other kind": ("a.pdf", b"%PDF", "neither Markdown"),
    "not UTF-8": ("a.md", b"one\ntwo \xff\xfe", "not UTF-8: line 2 holds the byte 0xff"),
    "UTF-16": ("a.md", "$a$".encode("utf-16"), "not UTF-8"),
    "too large": ("a.md", b" " * (8 * 2**20 + 1), "larger than 8 MiB"),
    "null byte in the name": ("a\0.md", None, "cannot be read"),
    "long name": ("a" * 5000 + ".md", None, "cannot be read"),
}


@pytest.mark.parametrize(("name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, name, content, said):
    path = f"{tmp_path}/{name}"
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MisuseError, match=said) as refusal:
        read(path)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500 + len(str(tmp_path))


def test_endless_files_are_not_read_to_their_end():
    with pytest.raises(MisuseError, match="larger than 8 MiB"):
        read("/dev/zero")
