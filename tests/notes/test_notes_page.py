"""Is a page read as a whole: split equations, chains, introductions, conventions?"""

import pytest

from verifydiff.notes.page import Span, Standing
from verifydiff.notes.statements import judge

HOLDS, FAILS, NOTATION = Standing.HOLDS, Standing.FAILS, Standing.NOTATION
DEFINITION, NOT_UNDERSTOOD = Standing.DEFINITION, Standing.NOT_UNDERSTOOD


def statuses(*latex: str) -> list[Standing]:
    return [one.status for one in judge([Span(line, text, display=True) for line, text in enumerate(latex, 1)])]


def split(first: str, words: str, second: str) -> list[Standing]:
    spans = [Span(1, r"\bar\alpha_t = \prod_{i=1}^t \alpha_i", True), Span(2, first, after=words), Span(2, second, before=words)]
    return [one.status for one in judge(spans)[1:]]


@pytest.mark.parametrize("words", ["is", "where it is", "为"])
def test_spans_are_judged_as_they_are_handed_over(words):
    """What words join is joined by who reads the page: "the variance of x is y" makes no equation of x and y."""
    assert split(r"\beta_t", words, r"1 - \alpha_t") == []


def test_a_span_that_begins_with_a_relation_goes_on_with_the_one_before():
    assert split(r"\beta_t", "so", r"= 1 - \frac{\bar\alpha_t}{\bar\alpha_{t-1}}") == [HOLDS]
    assert split(r"\beta_t = 1 - \alpha_t", "即", r"= 1 - \frac{\bar\alpha_{t-1}}{\bar\alpha_t}") == [HOLDS, FAILS]


def test_a_chain_is_judged_link_by_link_across_its_lines():
    right = r"""\begin{aligned}
    x_t &= \sqrt{\alpha_t}x_{t-1} + \sqrt{1-\alpha_t}\epsilon_{t-1} \\
        &= \sqrt{\alpha_t\alpha_{t-1}}x_{t-2} + \sqrt{1-\alpha_t\alpha_{t-1}}\bar\epsilon_{t-2} \\
        &= \sqrt{\bar\alpha_t}x_0 + \sqrt{1-\bar\alpha_t}\epsilon
    \end{aligned}"""
    assert statuses(right) == [HOLDS]
    (failing,) = judge([Span(7, right.replace(r"\sqrt{1-\alpha_t\alpha_{t-1}}", r"\sqrt{1-\alpha_{t-1}}"), True)])
    assert failing.status is FAILS
    assert failing.reason.startswith("link 2 of 3")


def test_the_lines_of_an_align_that_stand_alone_are_statements_of_their_own():
    found = judge(
        [Span(4, "\\begin{align}\n\\alpha_t &= 1 - \\beta_t \\\\\n\\bar\\alpha_t &= \\alpha_t\\bar\\alpha_t\n\\end{align}", True)]
    )
    assert [(one.line, one.status) for one in found] == [(5, HOLDS), (6, FAILS)]


def test_a_symbol_that_the_page_introduces_is_remembered():
    assert statuses(r"K_t = 1 - \bar\alpha_t", r"q(x_t|x_0) = \mathcal{N}(x_t; \sqrt{\bar\alpha_t}x_0, K_t I)") == [
        DEFINITION,
        HOLDS,
    ]
    assert statuses(r"K_t = \bar\alpha_t", r"q(x_t|x_0) = \mathcal{N}(x_t; \sqrt{\bar\alpha_t}x_0, K_t I)") == [DEFINITION, FAILS]


def test_a_convention_that_the_page_does_not_keep_is_told():
    product = r"\bar\alpha_t = \prod_{i=1}^t \alpha_i"
    found = judge([Span(1, product, True), Span(2, r"x_t = \sqrt{\alpha_t}x_0 + \sqrt{1-\alpha_t}\epsilon", True)])
    assert found[1].status is NOTATION
    assert found[1].suggestion[0].latex == r"x_t = \sqrt{\bar\alpha_t}x_0 + \sqrt{1-\bar\alpha_t}\epsilon"


@pytest.mark.parametrize(
    "latex",
    [
        r"x_t = \mathcal{N}(\sqrt{\bar\alpha_t}x_0, (1-\bar\alpha_t)I)",
        r"q(x_t|x_0) \sim \mathcal{N}(\sqrt{\bar\alpha_t}x_0, (1-\bar\alpha_t)I)",
    ],
)
def test_a_law_set_equal_to_what_has_it_is_a_matter_of_notation(latex):
    assert statuses(latex) == [NOTATION]


@pytest.mark.parametrize(
    "latex",
    [
        r"A_t = \phi(x_t) B",
        r"\mathcal{L}(\theta) = \mathbb{E}[\ell(\theta)]",
        r"\nabla\log p(x_t|y) = \nabla\log p(x_t) + \gamma\nabla\log p(y|x_t)",
        r"\alpha_t = \cos(\pi t / 2)",
        r"T = 1000",
        r"\beta_1 = 10^{-4}",
        r"x_T \approx \mathcal{N}(0, I)",
        r"\beta_1 < \beta_2 < \dots < \beta_T",
        r"\bar\alpha_T \approx 0",
        r"p(x, z) = p(x)p(z)",
        r"h(x) = x^2 + 1",
        r"E = mc^2",
        r"y = Wx + b",
    ],
)
def test_nothing_is_called_wrong_that_may_be_meant_otherwise(latex):
    assert FAILS not in statuses(latex)


def test_a_counterexample_is_spelled_in_the_letters_of_its_own_page():
    wrong = r"\tilde\beta_k = \frac{1-\bar\alpha_k}{1-\bar\alpha_{k-1}} \beta_k"
    for index in "kntkn":
        (failing,) = judge([Span(1, wrong.replace("k", index), True)])
        assert {rf"\bar\alpha_{{{index}-1}}", rf"\alpha_{index}", rf"\bar\alpha_{index}"} == set(failing.counterexample["at"])


def test_what_only_names_something_states_nothing():
    assert judge([Span(1, r"x_t"), Span(1, r"\epsilon_\theta(x_t, t)")]) == []


def test_a_bound_that_holds_for_every_schedule_is_proved_and_its_opposite_refuted():
    assert statuses(r"\bar\alpha_t < \bar\alpha_{t-1}", r"\bar\alpha_t > \bar\alpha_{t-1}") == [HOLDS, FAILS]


def test_what_was_not_understood_is_told_with_its_place():
    (found,) = judge([Span(1, r"x_t = \foo{x_0}", True)])
    assert found.status is NOT_UNDERSTOOD
    assert r"`\foo` (column 7)" in found.reason
