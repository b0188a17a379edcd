"""Does the board say what the judge said, at its point and everywhere else?"""

from __future__ import annotations

from fractions import Fraction

import pytest

from verifydiff.schedule import Schedule
from verifydiff.teach.exercises import Misprint, every
from verifydiff.teach.playing import play
from verifydiff.teach.verdicts import judged
from verifydiff.verdict import MisuseError

MISPRINT = r"\tilde\beta_t = \frac{1 - \bar\alpha_t}{1 - \bar\alpha_{t-1}} \beta_t"
RIGHT = r"\tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t"


def values(board):
    return {one["name"]: one["value"] for one in board["knobs"]}


def test_it_begins_at_the_judges_counterexample():
    verdict = judged(MISPRINT)
    board = play(verdict, {})
    example = verdict.judged.counterexample
    (row,) = board["rows"]
    assert {one["latex"]: one["value"] for one in board["knobs"]} == pytest.approx(
        {name: float(Fraction(text)) for name, text in example["at"].items() if name != r"\bar\alpha_t"}
    )
    assert (row["left"], row["right"]) == pytest.approx((float(Fraction(example["left"])), float(Fraction(example["right"]))))
    assert row["agree"] is False


@pytest.mark.parametrize(("abar_s", "alpha_t"), [(0.9, 0.99), (0.31, 0.5), (0.002, 0.75)])
def test_both_sides_are_what_the_formula_says(abar_s, alpha_t):
    abar_t = abar_s * alpha_t
    (row,) = play(judged(MISPRINT), {"at": {"abar_s": abar_s, "alpha_t": alpha_t}})["rows"]
    assert row["left"] == pytest.approx((1 - abar_s) / (1 - abar_t) * (1 - alpha_t), rel=1e-12)
    assert row["right"] == pytest.approx((1 - abar_t) / (1 - abar_s) * (1 - alpha_t), rel=1e-12)


@pytest.mark.parametrize("at", [{}, {"abar_s": 0.9}, {"abar_s": 0.01, "alpha_t": 0.02}])
def test_a_right_formula_agrees_wherever_it_is_turned(at):
    assert [row["agree"] for row in play(judged(RIGHT), {"at": at})["rows"]] == [True]


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_a_schedule_sets_the_levels(name):
    board = play(judged(MISPRINT), {"schedule": name, "t": 250})
    abar = Schedule.named(name, 1000).abar
    assert values(board) == pytest.approx({"abar_s": abar[249], "alpha_t": abar[250] / abar[249]})
    along = board["along"]
    k = along["t"].index(1000)
    assert along["left"][k] == pytest.approx((1 - abar[999]) / (1 - abar[1000]) * (1 - abar[1000] / abar[999]), rel=1e-9)


def test_where_a_side_has_no_value_none_is_told():
    board = play(judged(MISPRINT), {"at": {"abar_s": 1.0}})
    assert (board["rows"][0]["right"], board["rows"][0]["agree"]) == (None, None)


def test_most_shipped_misprints_can_be_played_with(shipped):
    misprints = [one for one in every(shipped) if isinstance(one, Misprint)]
    boards = {one.id: play(judged(one.wrong, one.given), {}) for one in misprints}
    assert all(board is None or any(row["agree"] is False for row in board["rows"]) for board in boards.values())
    assert sum(board is not None for board in boards.values()) >= 0.8 * len(boards)


@pytest.mark.parametrize(
    "asked",
    [
        {"at": {"abar_s": 2}},
        {"at": {"abar_s": "0.5"}},
        {"at": {"abar_s": float("nan")}},
        {"at": {"abar_s": True}},
        {"at": []},
        {"schedule": "../linear.npy", "t": 1},
        {"schedule": "linear", "t": 0},
        {"schedule": "linear", "t": 1.5},
        {"schedule": "linear"},
    ],
)
def test_what_cannot_be_turned_is_refused(asked):
    with pytest.raises(MisuseError):
        play(judged(MISPRINT), asked)


def test_what_was_not_judged_has_no_board():
    assert play(judged(r"A_t = \phi(x_t) B"), {}) is None
    assert play(judged("x_t"), {}) is None
