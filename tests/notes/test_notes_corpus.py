"""On pages of right formulas and on planted misprints, the judge of notes says what it must."""

import pytest
from notes_score.corpus import PAGES, slips, stated
from notes_score.scoring import all_judged, normal, outcome, same
from notes_score.sums import Sums, told

from verifydiff.notes.documents.joining import RELATION
from verifydiff.notes.page import Span, Standing
from verifydiff.slips import CATALOGUE, FORMULA_SLIPS

EVERY = 9
"""One misprint in so many is judged anew here; ``python -m tests.notes_score`` judges all."""
SAMPLE = slips()[::EVERY]
UNDERSTOOD, FOUND, FIRST = 0.95, 0.9, 0.85
"""What the judge reaches, and must not fall behind: shares of right formulas understood, and of misprints that are found and put
right at once."""


def test_the_corpus_is_large_and_of_two_languages():
    formulas = [one.span.latex for page in PAGES for one in stated(page) if RELATION.search(one.span.latex)]
    assert len(formulas) >= 150
    assert len(slips()) >= 150
    assert sum(page.startswith("zh") for page in PAGES) >= 2
    assert {page.rpartition(".")[2] for page in PAGES} == {"md", "tex", "ipynb"}


def test_every_misprint_changes_one_formula_of_its_page():
    for slip in slips():
        before, after = stated(slip.page), stated(slip.page, slip)
        assert len(before) == len(after), slip
        assert sum(old.span.latex != new.span.latex for old, new in zip(before, after, strict=True)) == 1, slip


def test_the_slips_are_those_of_the_catalogue():
    assert {slip.slip for slip in slips()} <= {one.id for one in (*CATALOGUE, *FORMULA_SLIPS)} | {""}


def test_right_formulas_are_understood():
    judged = [one for page in PAGES for one in all_judged(page)]
    assert sum(one.status is not Standing.NOT_UNDERSTOOD for one in judged) >= UNDERSTOOD * len(judged)


@pytest.mark.parametrize("page", PAGES)
def test_no_right_formula_is_called_wrong(page):
    assert [one.latex for one in all_judged(page) if one.status is Standing.FAILS] == []


def test_misprints_are_called_wrong_and_the_right_correction_stands_first():
    results = [outcome(slip) for slip in SAMPLE]
    assert sum(one.found for one in results) >= FOUND * len(results)
    assert sum(one.found and one.place == 0 for one in results) >= FIRST * len(results)


def test_a_misprint_leads_no_right_formula_astray():
    """But for those that follow from what was misprinted: a definition that is wrong makes right what is not."""
    for slip in SAMPLE:
        result = outcome(slip)
        assert all(one.line > result.wrong.line for one in result.astray if result.wrong)


def test_the_page_tells_the_sums_of_the_right_formulas_as_they_are():
    now = Sums.of(PAGES, ())
    assert told().startswith(str(now).split(".\n")[0])


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        (r"x = \dfrac{1}{2}\left( \mathbf{y} \right)", r"x=\frac12(y)", True),
        (r"\bar{\alpha}_{t}", r"\bar\alpha_t", True),
        (r"x = \sqrt{\bar\alpha_t}", r"x = \sqrt{\alpha_t}", False),
        (r"x_t = 1 - \beta_t", r"x_t = \alpha_t", True),
        (r"x_t = 1 + \beta_t", r"x_t = \alpha_t", False),
        (r"\alpha_t = 1 - \beta_t", r"1 - \alpha_t = \beta_t", False),
    ],
    ids=["looks", "braces", "bar", "by definition", "sign", "other side"],
)
def test_formulas_are_the_same_if_each_side_is(one, other, are):
    page = [Span(1, r"\alpha_t = 1 - \beta_t"), Span(2, r"\bar\alpha_t = \prod_{s=1}^t \alpha_s")]
    assert same(one, other, page) is are
    assert not are or normal(one) != "" != normal(other)
