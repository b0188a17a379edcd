"""Do right formulas hold, and are misprints of them called wrong, with the right correction first?"""

from functools import cache
from time import process_time

import pytest
from written import ALSO_RIGHT, DDIM_PAGE, MISPRINTS, RIGHT, ROOT_PAGE

from verifydiff.notes.amend import edits
from verifydiff.notes.edit import statement
from verifydiff.notes.page import Judged, Span, Standing
from verifydiff.notes.parser import parse
from verifydiff.notes.statements import judge

DDPM = Span(1, r"\bar\alpha_t = \prod_{i=1}^t \alpha_i", display=True)
WRONG = (Standing.FAILS, Standing.NOTATION)


@cache
def on_a_page(latex: str) -> list[Judged]:
    return judge([DDPM, Span(3, latex, display=True)])[1:]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_formula_is_never_called_wrong(name):
    found = judge([Span(1, RIGHT[name], display=True)])
    assert found
    assert {one.status for one in found} <= {Standing.HOLDS, Standing.DEFINITION}, found


def test_most_right_formulas_are_proved_and_not_merely_noted():
    holding = [name for name, latex in RIGHT.items() if all(one.status is Standing.HOLDS for one in judge([Span(1, latex)]))]
    assert len(holding) >= 0.9 * len(RIGHT), sorted(set(RIGHT) - set(holding))


def test_a_page_keeps_its_own_convention():
    found = judge([Span(line, latex, display=True) for line, latex in enumerate(DDIM_PAGE.values(), 1)])
    assert {one.status for one in found} <= {Standing.HOLDS, Standing.DEFINITION}, found


@pytest.mark.parametrize("latex", DDIM_PAGE.values(), ids=DDIM_PAGE)
def test_another_convention_is_told_from_a_mistake(latex):
    if latex != DDIM_PAGE["data"]:
        assert Standing.FAILS not in {one.status for one in on_a_page(latex)}


def test_right_formulas_that_leave_letters_open_are_not_called_wrong_and_most_are_understood():
    found = [one for latex in ALSO_RIGHT for one in on_a_page(latex)]
    assert not [one for one in found if one.status is Standing.FAILS]
    assert sum(one.status is not Standing.NOT_UNDERSTOOD for one in found) >= 0.85 * len(found)


def test_a_page_whose_letters_are_square_roots_is_read_as_it_is_meant():
    page = [Span(line, latex, display=True) for line, latex in enumerate(ROOT_PAGE, 1)]
    assert {one.status for one in judge(page)} <= {Standing.HOLDS, Standing.DEFINITION}
    (*_, failing) = judge([*page, Span(90, r"x_t = \bar\alpha_t x_0 + \bar\beta_t^2 \varepsilon", display=True)])
    assert failing.status is Standing.FAILS
    assert failing.suggestion[0].latex == r"x_t = \bar\alpha_t x_0 + \bar\beta_t \varepsilon"


def printed(name: str, right: str, wrong: str) -> str:
    assert right in RIGHT[name]
    return RIGHT[name].replace(right, wrong, 1)


@pytest.mark.parametrize(
    ("name", "right", "wrong"), MISPRINTS, ids=[f"{name}-{place}" for place, (name, *_) in enumerate(MISPRINTS)]
)
def test_a_misprint_is_called_wrong(name, right, wrong):
    found = on_a_page(printed(name, right, wrong))
    assert any(one.status in WRONG for one in found), found


def reads_like(latex: str, right: str) -> bool:
    wanted = [(chain.sides, chain.relations) for chain in parse(right)]
    return all((chain.sides, chain.relations) in wanted for chain in parse(latex))


def test_the_right_correction_comes_first():
    first = []
    for name, right, wrong in MISPRINTS:
        failing = next(one for one in on_a_page(printed(name, right, wrong)) if one.status in WRONG)
        first.append(bool(failing.suggestion) and reads_like(failing.suggestion[0].latex, RIGHT[name]))
    assert sum(first) >= 0.85 * len(first)


def test_a_correction_holds_where_it_is_put():
    for name, right, wrong in MISPRINTS[::4]:
        for failing in on_a_page(printed(name, right, wrong)):
            for correction in failing.suggestion:
                status = {one.status for one in on_a_page(correction.latex)}
                assert not status & {Standing.FAILS, Standing.NOT_UNDERSTOOD}, (correction, status)


def test_a_failing_formula_shows_a_schedule_and_both_sides():
    (failing,) = on_a_page(r"\tilde\beta_t = \frac{1-\bar\alpha_t}{1-\bar\alpha_{t-1}}\beta_t")
    example = failing.counterexample
    assert set(example["at"]) == {r"\bar\alpha_s", r"\alpha_t", r"\bar\alpha_t"} or len(example["at"]) >= 2
    assert example["left"] != example["right"]


def test_the_change_is_marked_where_it_stands():
    (failing,) = on_a_page(r"x_t = \sqrt{\bar\alpha_t} x_0 + (1-\bar\alpha_t)\epsilon")
    best = failing.suggestion[0]
    assert best.latex[best.start : best.end] == r"\sqrt{1-\bar\alpha_t}"
    assert best.marked == r"x_t = \sqrt{\bar\alpha_t} x_0 + \boxed{\sqrt{1-\bar\alpha_t}}\epsilon"
    assert best.slip == "root-lost"


RIGID = ("closed-form", "kernel", "posterior-variance", "kernel-score")


@pytest.mark.parametrize("name", RIGID)
def test_no_small_change_of_a_right_formula_holds(name):
    latex = RIGHT[name]
    sides = parse(latex)[0].sides
    for edit in edits(sides[-1], statement(latex, sides)):
        if edit.slip in ("other-sign", "bar-lost", "bar-added", "root-lost", "root-added", "complement-missing", "upside-down"):
            glue = " " if edit.text[-1:].isalpha() and latex[edit.end : edit.end + 1].isalpha() else ""
            changed = latex[: edit.start] + edit.text + glue + latex[edit.end :]
            assert Standing.HOLDS not in {one.status for one in on_a_page(changed)}, changed


def test_a_right_formula_takes_little_time_once_the_engine_is_warm():
    on_a_page(RIGHT["closed-form"])
    times = []
    for latex in RIGHT.values():
        started = process_time()
        judge([Span(1, latex, display=True)])
        times.append(process_time() - started)
    assert sorted(times)[len(times) // 2] < 0.05
