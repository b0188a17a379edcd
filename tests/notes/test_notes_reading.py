r"""Is LaTeX read strictly, and is hostile LaTeX refused fast, with the place where understanding ended?"""

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import RIGHT

from verifydiff.notes.page import Span, Standing
from verifydiff.notes.parser import parse
from verifydiff.notes.statements import BROKEN, judge
from verifydiff.notes.tokens import NotUnderstoodError
from verifydiff.notes.tree import Node, letters, walk

SAME = [
    (r"\bar\alpha_t", r"\bar{\alpha}_t"),
    (r"\bar\alpha_t", r"\overline{\alpha}_{t}"),
    (r"\bar\alpha_t", r"\bar{\alpha_t}"),
    (r"x_{t-1}", r"x_{ t - 1 }"),
    (r"\mathbf{x}_t", r"x_t"),
    (r"\boldsymbol{\epsilon}", r"\varepsilon"),
    (r"\frac12 x", r"\dfrac{1}{2}x"),
    (r"\left( a + b \right) c", r"\big(a+b\big)c"),
    (r"\mathrm{SNR}(t)", r"\operatorname{SNR}(t)"),
    (r"\epsilon_\theta(x_t, t)", r"\boldsymbol{\epsilon}_{\theta}\left(\mathbf{x}_{t},\, t\right)"),
    (r"p(a|b)", r"p(a \mid b)"),
    (r"\|x\|^2", r"\left\lVert x \right\rVert^{2}"),
    (r"a = b", r"a &= b"),
    (r"ᾱ"[:0] + r"α_t = 1 − β_t", r"\alpha_t = 1 - \beta_t"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_formula_is_read_alike_however_it_is_written(one, other):
    assert parse(one) == parse(other)


UNLIKE = [
    (r"\alpha_t", r"\bar\alpha_t"),
    (r"x_{t-1}", r"x_t - 1"),
    (r"\sqrt{a} b", r"\sqrt{ab}"),
    (r"\frac{a}{b} c", r"\frac{a}{bc}"),
    (r"a^2", r"a_2"),
    (r"\alpha_t(1-\alpha_s)", r"\alpha(t)"),
]


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_two_formulas_are_told_apart(one, other):
    assert parse(one) != parse(other)


HOSTILE = {
    "roots": r"\sqrt{" * 1000 + "x" + "}" * 1000,
    "brackets": "(" * 3000 + "x" + ")" * 3000,
    "braces": "{" * 3000,
    "megabyte": "x_t + " * 170_000,
    "fractions": r"\frac{1}{1 + " * 200 + "1" + "}" * 200,
    "indices": "x" + "_{x" * 300 + "}" * 300,
    "powers": "2" + "^{9" * 30 + "}" * 30,
    "number": "9" * 500,
    "def": r"\def\a{\a\a}\a = 1",
    "newcommand": r"\newcommand{\x}{\x} \x = 1",
    "input": r"\input{/etc/passwd} = 1",
    "write": r"\immediate\write18{ls} = 1",
    "catcode": r"\catcode`\@=11 = 1",
    "python": r"x = \text{__import__('os').system('ls')}",
    "nul": "x_t = \0",
    "right-to-left": "x_t = \u202e1",
    "zero-width": "x_t\u200b = 1",
    "unbalanced": r"x_t = \left( a",
    "alien": r"\begin{tikzpicture} \draw (0,0); \end{tikzpicture}",
    "html": r"x = \href{javascript:alert(1)}{<script>}",
    "surrogate": "x = \ud800",
    "signs": "x = " + "-" * 2000 + "1",
    "sum": "x = "
    + "".join(rf"\sum_{{{letter}=1}}^{{t}}" for letter in "ijklmn")
    + r"\alpha_i\alpha_j\alpha_k\alpha_l\alpha_m\alpha_n",
    "tower": r"\alpha_t = 9^{9^{9^{9^9}}}",
    "power": r"\beta_t = (1-\alpha_t)^{99999}",
}


@pytest.mark.parametrize("latex", HOSTILE.values(), ids=HOSTILE)
def test_hostile_latex_costs_little_and_leaves_the_rest_of_the_page(latex):
    started = perf_counter()
    found = judge([Span(1, latex, True), Span(2, r"\beta_t = 1 - \alpha_t", True)])
    assert perf_counter() - started < 10
    assert found[-1].status is Standing.HOLDS
    assert Standing.HOLDS not in {one.status for one in found[:-1]}
    assert not any(BROKEN in one.reason for one in found)


def test_a_refusal_tells_the_token_and_the_column():
    with pytest.raises(NotUnderstoodError, match=r"`\\def` \(column 5\)"):
        parse(r"a + \def\b{c}")
    with pytest.raises(NotUnderstoodError, match=r"U\+202E"):
        parse("a = \u202eb")


def test_places_are_those_of_the_source():
    source = RIGHT["posterior-mean"]
    for chain in parse(source):
        for letter in (one for side in chain.sides for one in letters(side)):
            assert letter.base[0] in source[letter.start : letter.end] or letter.base[0] in "xz"


TOKENS = (
    r"\alpha \bar x _t _{t-1} ^2 \sqrt { } ( ) = + - \frac 1 2 \epsilon | , \mathcal{N} q p \| \left \right \sum \prod \int d t",
    r"\\ & \nabla \log \mathbb{E} [ ] \theta _ ^ \sim \dots / \text{if} \exp I ~ e w \sigma",
)
pieces = st.sampled_from([token for line in TOKENS for token in line.split()] + [" "])


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join))
def test_any_string_of_tokens_is_read_or_refused_and_judged_without_a_crash(latex):
    found = judge([Span(1, latex, True)])
    assert not any(BROKEN in one.reason for one in found)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(latex):
    assert is_read_or_refused(latex)


def is_read_or_refused(latex: str) -> bool:
    try:
        chains = parse(latex)
    except NotUnderstoodError as error:
        return 0 <= error.at <= len(latex)
    return all(isinstance(one, Node) for chain in chains for one in walk(chain))


@pytest.mark.parametrize("body", [r"\mathcal{N}(x;\mu,\sigma^2 I)", r"\log\mathcal{N}(x;\mu,\sigma^2 I)"])
@pytest.mark.parametrize("along", [r"\nabla_x", r"\nabla_"])
def test_the_gradient_of_a_law_is_refused_and_that_of_its_logarithm_is_read(along, body):
    (one,) = judge([Span(1, rf"{along}{body} = -\frac{{x-\mu}}{{\sigma^2}}", True)])
    assert BROKEN not in one.reason
    assert (one.status is Standing.HOLDS) == (along == r"\nabla_x" and "log" in body)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(RIGHT.values())), st.data())
def test_a_formula_with_a_piece_cut_out_is_still_answered(latex, data):
    start = data.draw(st.integers(0, len(latex) - 1))
    end = data.draw(st.integers(start, min(len(latex), start + 6)))
    found = judge([Span(1, latex[:start] + latex[end:], True)])
    assert not any(BROKEN in one.reason for one in found)
