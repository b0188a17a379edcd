"""Is an answer judged by what it says?"""

from __future__ import annotations

import pytest

from verifydiff.teach.answers import answer, next_line
from verifydiff.teach.exercises import Complete, Derive, Misprint, every
from verifydiff.teach.hints import boxed, hints_for, hints_for_formula
from verifydiff.teach.typed import plain, side
from verifydiff.teach.verdicts import judged
from verifydiff.verdict import MisuseError


def named(shipped, id_):
    return next(one for one in every(shipped) if one.id == id_)


VARIANCE = {
    r"\tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t": ("holds", True),
    r"\tilde{\beta}_{t}=\frac{1-\bar{\alpha}_{t-1}}{1-\bar{\alpha}_{t}}\mleft(1-\alpha_{t}\mright)": ("holds", True),
    r"\tilde\beta_t = \beta_t - \frac{\alpha_t}{1 - \bar\alpha_t} \beta_t^2 \cdot \frac{1}{\alpha_t}": ("fails", False),
    r"\tilde\beta_t = \left( \frac{\alpha_t}{\beta_t} + \frac{1}{1 - \bar\alpha_{t-1}} \right)^{-1}": ("holds", True),
    r"\tilde\beta_t = \frac{1 - \bar\alpha_t}{1 - \bar\alpha_{t-1}} \beta_t": ("fails", False),
    r"\tilde\beta_t = \tilde\beta_t": ("other", False),
    r"\tilde\beta_t = 2 \tilde\beta_t - \tilde\beta_t": ("other", False),
    r"\beta_t = 1 - \alpha_t": ("other", False),
    r"1 = 1": ("other", False),
    r"\tilde\beta_t": ("nothing", False),
    r"\tilde\beta_t = ": ("not_understood", False),
}


@pytest.mark.parametrize(("latex", "status", "solved"), [(key, *value) for key, value in VARIANCE.items()])
def test_a_misprint_is_mended_by_whatever_is_right_and_says_the_same(shipped, latex, status, solved):
    try:
        verdict = answer(named(shipped, "posterior-variance"), {"latex": latex})
    except MisuseError:
        assert status == "not_understood"
    else:
        assert (verdict.status, verdict.solved) == (status, solved)


def test_the_printed_misprint_solves_nothing_and_the_right_formula_everything(shipped):
    for exercise in every(shipped):
        if isinstance(exercise, Misprint):
            assert not answer(exercise, {"latex": exercise.wrong}).solved
            assert answer(exercise, {"latex": exercise.right}).solved


OTHERS = {
    "ddim-sigma": r"\sigma_t = \sqrt{\beta_t}",
    "ddim-step": r"x_{t-1} = \sqrt{\bar\alpha_{t-1}} \hat x_0 + \sqrt{1 - \bar\alpha_{t-1}} \epsilon_\theta(x_t, t)",
    "vp-sde": r"dx = \left[ -\frac{1}{2} \beta(t) x - \frac{1}{2} \beta(t) \nabla_x \log p_t(x) \right] dt",
    "classifier-free": r"\tilde\epsilon_\theta(x_t, c) = \epsilon_\theta(x_t, c)",
}


@pytest.mark.parametrize(("id_", "latex"), OTHERS.items())
def test_another_formula_that_holds_is_not_the_one_that_was_asked_for(shipped, id_, latex):
    exercise = named(shipped, id_)
    assert judged(latex, exercise.given).status in ("holds", "definition")
    verdict = answer(exercise, {"latex": latex})
    assert (verdict.status, verdict.solved) in {("other", False), ("definition", False)}


def test_gaps_do_not_take_another_formula_that_holds(shipped):
    assert not answer(named(shipped, "reverse-vp"), {"gaps": [r"\frac{1}{2} \beta(t)", "0"]}).solved
    assert answer(named(shipped, "reverse-vp"), {"gaps": [r"\sqrt{\beta(t)}^2", r"\beta(t)^{1/2}"]}).solved


def test_gaps_take_what_is_equal(shipped):
    tweedie = named(shipped, "tweedie")
    assert isinstance(tweedie, Complete)
    assert answer(tweedie, {"gaps": [r"(1 - \bar\alpha_t)", r"\sqrt{\bar\alpha_t}"]}).solved
    assert answer(tweedie, {"gaps": [r"\sqrt{1 - \bar\alpha_t}^2", r"\bar\alpha_t^{1/2}"]}).solved
    assert not answer(tweedie, {"gaps": [r"\sqrt{1 - \bar\alpha_t}", r"\sqrt{\bar\alpha_t}"]}).solved
    assert answer(tweedie, {"gaps": ["", "1"]}).status == "nothing"
    for gaps in (["1"], ["1", "2", "3"], ["}{", "1"], ["1 = 1 }", "1"], ["x" * 501, "1"], "ab", [1, 2]):
        with pytest.raises(MisuseError):
            answer(tweedie, {"gaps": gaps})


def test_a_gap_does_not_take_an_equation(shipped):
    verdict = answer(named(shipped, "ddim-deterministic"), {"gaps": [r"0 \cdot 1 = x_{t-1} + 0"]})
    assert (verdict.status, verdict.solved) == ("other", False)


LINES = {
    "the next one": (r"-\frac{\sqrt{1 - \bar\alpha_t} \epsilon}{1 - \bar\alpha_t}", True, True, False),
    "with its sign of equality": (r"= -\frac{\sqrt{1 - \bar\alpha_t} \epsilon}{1 - \bar\alpha_t}", True, True, False),
    "the goal at once": (r"-\frac{\epsilon}{\sqrt{1 - \bar\alpha_t}}", True, True, True),
    "the goal in another order": (r"-\frac{1}{\sqrt{1 - \bar\alpha_t}} \epsilon", True, True, True),
    "equal, and further away": (
        r"-\frac{x_t - \sqrt{\bar\alpha_t} x_0 + x_0 - x_0 + x_t - x_t}{1 - \bar\alpha_t}",
        True,
        False,
        False,
    ),
    "not equal": (r"-\frac{\epsilon}{1 - \bar\alpha_t}", False, None, False),
    "the same": (r"-\frac{x_t - \sqrt{\bar\alpha_t} x_0}{1 - \bar\alpha_t}", False, False, False),
    "what is asked for": (r"\nabla_{x_t} \log q(x_t | x_0)", False, False, False),
}


@pytest.mark.parametrize(("latex", "accepted", "nearer", "solved"), LINES.values(), ids=LINES)
def test_a_line_follows_if_it_is_equal_and_counts_if_it_is_nearer(shipped, latex, accepted, nearer, solved):
    verdict = next_line(named(shipped, "score-of-the-kernel"), [], latex)
    assert (verdict.more["accepted"], verdict.solved) == (accepted, solved)
    assert nearer is None or verdict.more["nearer"] == nearer
    assert verdict.latex == side(latex)  # the page keeps the line, not the statement that was judged


def test_a_noise_may_be_marked_as_one_likes(shipped):
    exercise = named(shipped, "two-steps-in-one")
    line = r"\sqrt{\alpha_t \alpha_{t-1}} x_{t-2} + \sqrt{1 - \alpha_t \alpha_{t-1}} \epsilon"
    assert next_line(exercise, [], line).solved
    assert not next_line(exercise, [], line.replace("1 - ", "1 + ")).more["accepted"]


def test_a_line_that_was_never_one_is_refused(shipped):
    exercise = named(shipped, "score-of-the-kernel")
    for lines in ([r"-\frac{x_t}{2} = \epsilon"], ["{"], ["x"] * 61):
        with pytest.raises(MisuseError):
            next_line(exercise, lines, r"\epsilon")


def test_a_derivation_can_be_walked_by_its_hints_alone(shipped):
    for exercise in every(shipped):
        if not isinstance(exercise, Derive):
            continue
        lines: list[str] = []
        solved = False
        while not solved:
            hints = hints_for(exercise, lines)
            assert [one.kind for one in hints[-2:]] == ["say", "answer"]
            verdict = next_line(exercise, lines, hints[-1].latex)
            assert verdict.more["accepted"]
            assert verdict.more["nearer"]
            solved = verdict.solved
            lines.append(hints[-1].latex)
            assert len(lines) <= len(exercise.steps)


def test_hints_come_before_the_answer(shipped):
    kinds = [one.kind for one in hints_for(named(shipped, "noised-sample"))]
    assert kinds == ["say", "where", "slip", "answer"]


def test_where_is_a_box_around_what_is_wrong():
    right = r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\bar\alpha_t}\epsilon"
    wrong = r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\alpha_t}\epsilon"
    assert boxed(wrong, right) == r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\boxed{\alpha_t}}\epsilon"
    assert boxed("{", right) == "{"


def test_a_formula_of_ones_own_has_hints_where_a_correction_is_known():
    verdict = judged(r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\alpha_t}\epsilon")
    where, slip, answered = hints_for_formula(verdict)
    assert (where.kind, slip.slip, answered.kind) == ("where", "bar-lost", "answer")
    assert r"\bar" not in slip.words["en"]
    assert hints_for_formula(judged(r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\bar\alpha_t}\epsilon")) == []


FIELD = {
    r"\mleft(a\mright)": r"\left(a\right)",
    r"\differentialD x": r"d  x",
    r"\exponentialE^{-t}": r"e ^{-t}",
    r"p\mleft(x\vert y\mright)": r"p\left(x| y\right)",
    r"\mleftx": r"\mleftx",
}


@pytest.mark.parametrize(("typed", "latex"), FIELD.items())
def test_what_the_field_writes_is_put_into_latex(typed, latex):
    assert plain(typed).split() == latex.split()


def test_what_is_unfinished_or_too_long_is_told():
    for latex in (r"x = \placeholder{}", "x" * 2001):
        with pytest.raises(MisuseError):
            plain(latex)
    assert side("&= a") == "a"
