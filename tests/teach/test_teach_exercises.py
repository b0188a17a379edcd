"""Are the exercises sound, and is what makes one unsound told?"""

from __future__ import annotations

from collections import Counter

import pytest

from verifydiff.teach.exercises import Derive, Misprint, every, load, load_file
from verifydiff.teach.soundness import unsound
from verifydiff.verdict import MisuseError

HEAD = 'title = "A set"\n'
START = 'id = "one"\ntitle = "One"\n'
RIGHT = r"right = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon'" + "\n"
WRONG = r"misprint = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \alpha_t} \epsilon'" + "\n"
MISPRINT = f'[[exercise]]\nkind = "misprint"\n{START}'


def made(tmp_path, text):
    path = tmp_path / "set.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_file(path)


def faults(tmp_path, text):
    return [one.why for one in unsound([made(tmp_path, text)])]


def test_every_shipped_exercise_is_sound(shipped):
    assert list(unsound(shipped)) == []


def test_what_is_shipped_covers_the_field_in_all_kinds_and_two_languages(shipped):
    exercises = list(every(shipped))
    assert len(exercises) >= 24
    assert len(shipped) == 6
    assert all(count >= 5 for count in Counter(one.kind for one in exercises).values())
    assert all({"en", "zh"} <= set(words) for one in exercises for words in (one.title, one.task, *one.hints))
    assert all(one.slip for one in exercises if isinstance(one, Misprint))


def test_what_a_learner_is_sent_does_not_hold_the_answer(shipped):
    for exercise in every(shipped):
        sent = str(exercise.shown())
        if isinstance(exercise, Misprint):
            assert exercise.right not in sent
        elif isinstance(exercise, Derive):
            assert all(step.line not in sent for step in exercise.steps[:-1])
        else:
            assert exercise.right not in sent


DERIVE = (
    '[[exercise]]\nkind = "derive"\n' + START + r"start = '\tilde\beta_t = \left( \frac{\alpha_t}{\beta_t} + "
    r"\frac{1}{1 - \bar\alpha_{t-1}} \right)^{-1}'" + "\nsteps = [{say = 'so', line = 'LINE'}, "
    r"{say = 'so', line = '\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t'}]" + "\n"
)
BETWEEN = r"\left( \frac{1 - \bar\alpha_t}{\beta_t (1 - \bar\alpha_{t-1})} \right)^{-1}"

UNSOUND = {
    "the right one is wrong": (MISPRINT + RIGHT.replace("1 - ", "1 + ") + WRONG, "right formula is not accepted"),
    "the misprint is right": (
        MISPRINT + RIGHT + RIGHT.replace("right", "misprint").replace(r"\epsilon", r"\varepsilon\,"),
        "the misprint does not fail",
    ),
    "another slip": (MISPRINT + RIGHT + WRONG + 'slip = "upside-down"\n', "the slip upside-down does not explain it"),
    "an answer that is wrong": (
        '[[exercise]]\nkind = "complete"\n' + START + RIGHT.replace(r"1 - \bar\alpha_t", r"[[1 - \alpha_t]]"),
        "the answer is not accepted",
    ),
    "a line that does not follow": (DERIVE.replace("LINE", r"\frac{1 - \bar\alpha_t}{\beta_t}"), "line 1 does not follow"),
    "a line that leads nowhere": (
        DERIVE.replace("LINE", r"\left( \frac{1}{1 - \bar\alpha_{t-1}} + \frac{\alpha_t}{\beta_t} \right)^{-1}"),
        "line 1 is no nearer",
    ),
    "something wrong is given": (
        MISPRINT.replace("[[exercise]]", "given = ['\\beta_t = 1 + \\alpha_t']\n[[exercise]]") + RIGHT + WRONG,
        "what is given is wrong",
    ),
}


@pytest.mark.parametrize(("text", "why"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_exercise_is_told(tmp_path, text, why):
    assert any(why in one for one in faults(tmp_path, text))


def test_the_same_exercises_made_right_are_sound(tmp_path):
    assert faults(tmp_path, MISPRINT + RIGHT + WRONG + 'slip = "bar-lost"\n') == []
    assert faults(tmp_path, DERIVE.replace("LINE", BETWEEN)) == []


def test_a_form_and_a_slip_make_an_exercise(tmp_path):
    text = MISPRINT + 'form = "ddpm.posterior_variance"\nslip = "factor-lost"\n'
    (exercise,) = made(tmp_path, text).exercises
    assert exercise.right == r"\tilde\beta_t = \frac{\beta_t \left(1 - \bar\alpha_{t-1}\right)}{1 - \bar\alpha_t}"
    assert exercise.wrong == r"\tilde\beta_t = \frac{\beta_t}{1 - \bar\alpha_t}"
    assert faults(tmp_path, text) == []


BROKEN = {
    "no TOML": ("[[exercise\n", "is not TOML"),
    "no exercise": ("", r"no \[\[exercise\]\]"),
    "no id": ('[[exercise]]\nkind = "misprint"\n', "`id` must be a text, and is missing"),
    "an id that is none": ('[[exercise]]\nid = "../x"\nkind = "misprint"\n', "letters, digits and hyphens"),
    "another kind": ('[[exercise]]\nid = "one"\nkind = "essay"\n', "`kind` must be one of"),
    "an unknown key": (MISPRINT + RIGHT + WRONG + 'colour = "red"\n', "nothing is known of `colour`"),
    "an unreadable formula": (MISPRINT + RIGHT + r"misprint = 'x_t = \frac{1'" + "\n", "`misprint` is not understood"),
    "no equation": (MISPRINT + RIGHT + "misprint = 'x_t'\n", "must be an equation"),
    "no misprint": (MISPRINT + RIGHT + RIGHT.replace("right", "misprint"), "is the right formula"),
    "no such form": (MISPRINT + 'form = "ddpm.nothing"\nslip = "twice"\n', "no form is called"),
    "no such place": (MISPRINT + 'form = "ddpm.posterior_variance"\nslip = "twice"\nplace = 99\n', "places"),
    "no gap": ('[[exercise]]\nkind = "complete"\n' + START + RIGHT, "has no gap"),
    "an open gap": ('[[exercise]]\nkind = "complete"\n' + START + r"right = 'x_t = [[x_0'" + "\n", "a gap is"),
    "no steps": ('[[exercise]]\nkind = "derive"\n' + START + "start = 'a = b'\n", "it needs `steps`"),
    "a wrong type": (MISPRINT + "right = 3\n", "`right` must be a text"),
    "exercises that are none": ("exercise = [1]\n", "a table with keys is wanted"),
    "hints without their translations": (MISPRINT + RIGHT + WRONG + 'hints = ["a"]\nhints_zh = []\n', "equally many"),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_told_in_one_line(tmp_path, text, why):
    with pytest.raises(MisuseError, match=why) as told:
        made(tmp_path, text)
    assert "set.toml" in str(told.value)
    assert "\n" not in str(told.value)


def test_two_exercises_of_one_name_are_told(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(HEAD + MISPRINT + RIGHT + WRONG)
    with pytest.raises(MisuseError, match=r"b\.toml: the id 'one' is taken already, in a\.toml"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 100_000], ids=["not UTF-8", "deep"])
def test_hostile_files_are_told(tmp_path, content):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(MisuseError):
        load(tmp_path)
