"""Recursions run in balls: what is proved is proved, and what a ball cannot tell is not said."""

from __future__ import annotations

import pytest
from flint import ctx
from sympy import Integer, Rational, exp, pi, sqrt

from verifydiff.forms.quantities import PROPER_FRACTION
from verifydiff.proof import Page, letter, levels
from verifydiff.verdict import MisuseError, Proof

x, y, r, h = letter("x"), letter("y"), letter("r"), letter("h")
X, Y = letter("X"), letter("Y")
THREE = {r: [1, 2, Rational(1, 3)]}


def ran(start=2, step=None, table=None):
    d = Page()
    d.iterate(THREE if table is None else table, {x: start}, step or {x: x * r + 1}, {x: X}, "why")
    return d


def test_a_recursion_of_rationals_is_exact():
    d = ran()
    d.compare(X, "<=", Rational(10, 3), "((2 * 1 + 1) * 2 + 1) / 3 + 1")
    assert d.steps[-1].outcome is not Proof.REFUTED
    d.compare(X, "<", Rational(10, 3) + Rational(1, 10**30), "closely from above")
    d.compare(Rational(10, 3) - Rational(1, 10**30), "<", X, "closely from below")
    assert [step.outcome for step in d.steps[-2:]] == [Proof.PROVED, Proof.PROVED]
    assert "3.333333333" in d.steps[0].statement
    assert d.steps[0].latex


def test_the_other_order_is_refuted():
    d = ran()
    d.compare(X, "<", 3, "it is 10/3")
    assert d.steps[-1].outcome is Proof.REFUTED


def test_what_the_balls_cannot_tell_is_undecided():
    d = ran(step={h: x + pi, x: h - pi})
    d.compare(X, "<", 2, "it is 2, and no ball says so")
    assert d.steps[-1].outcome is Proof.UNDECIDED


def test_a_state_of_two_advances_at_once_and_abbreviations_before():
    d = Page()
    d.iterate({r: [1] * 10}, {x: 0, y: 1}, {h: x + y, x: y, y: h}, {x: X, y: Y}, "Fibonacci")
    d.compare(X, "<=", 55, "the tenth")
    d.compare(54, "<", X, "the tenth")
    d.compare(Y, "<", 90, "the eleventh is 89")
    assert {step.outcome for step in d.steps} == {Proof.PROVED}


def test_roots_exponentials_and_constants_are_enclosed():
    d = ran(start=1, step={h: exp(r) * x, x: sqrt(h / exp(r) + 1)}, table={r: [1] * 200})
    golden = (1 + sqrt(5)) / 2
    d.compare(X - golden, "<", Rational(1, 10**20), "the fixed point")
    d.compare(golden - X, "<", Rational(1, 10**20), "the fixed point")
    assert {step.outcome for step in d.steps} == {Proof.PROVED}


def test_a_step_without_a_value_is_refuted_and_leaves_no_number():
    d = ran(step={x: sqrt(-(x**2) - r)})
    assert d.steps[-1].outcome is Proof.REFUTED
    d.compare(X, "<", 10, "there is none")
    assert d.steps[-1].outcome is Proof.UNDECIDED
    assert "?" in d.steps[0].statement


def test_a_division_by_what_becomes_nought_is_refuted():
    d = ran(step={x: 1 / (x - r)}, table={r: [1, 1]})
    assert d.steps[-1].outcome is Proof.REFUTED


MISUSE = {
    "lengths that differ": (lambda d: d.iterate({r: [1], h: [1, 2]}, {x: 0}, {x: x + r + h}, {x: X}, "why"), "one value a step"),
    "no steps": (lambda d: d.iterate({r: []}, {x: 0}, {x: x + r}, {x: X}, "why"), "one value a step"),
    "no table": (lambda d: d.iterate({}, {x: 0}, {x: x + 1}, {x: X}, "why"), "one value a step"),
    "a float": (lambda d: d.iterate({r: [0.5]}, {x: 0}, {x: x + r}, {x: X}, "why"), "float"),
    "an irrational start": (lambda d: d.iterate({r: [1]}, {x: sqrt(2)}, {x: x + r}, {x: X}, "why"), "exact rational"),
    "a letter without a value": (lambda d: d.iterate({r: [1]}, {x: 0}, {x: x + h}, {x: X}, "why"), "h has no value"),
    "an abbreviation used too early": (lambda d: d.iterate({r: [1]}, {x: 0}, {x: x + h, h: r}, {x: X}, "why"), "h has no value"),
    "a state that does not advance": (lambda d: d.iterate({r: [1]}, {x: 0}, {h: r}, {x: X}, "why"), "next value"),
    "a letter of table and state": (lambda d: d.iterate({x: [1]}, {x: 0}, {x: x}, {x: X}, "why"), "next value"),
    "an end without a name": (lambda d: d.iterate({r: [1]}, {x: 0}, {x: x + r}, {}, "why"), "a name for its last value"),
    "a name for two": (
        lambda d: d.iterate({r: [1]}, {x: 0, y: 0}, {x: x + r, y: y}, {x: X, y: X}, "why"), "another number already"
    ),
    "a name that is taken": (
        lambda d: [d.iterate({r: [n]}, {x: 0}, {x: x + r}, {x: X}, "why") for n in (1, 2)], "another number already"
    ),
    "a name of the recursion": (lambda d: d.iterate({r: [1]}, {x: 0}, {x: x + r}, {x: r}, "why"), "another number already"),
    "a value outside the domain": (
        lambda d: d.iterate({letter("p", domain=PROPER_FRACTION): [1]}, {x: 0}, {x: x}, {x: X}, "why"), "p lies in"
    ),
    "a number that was not computed": (lambda d: d.compare(X, "<", 1, "why"), "names no number"),
    "an equality of balls": (lambda d: d.compare(1, "==", 1, "why"), "balls tell"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_refused(write, message):
    with pytest.raises(MisuseError, match=message):
        write(Page())


def test_a_named_number_is_a_free_letter_to_every_other_rule():
    d = ran()
    d.equal(X, Rational(10, 3), "algebra knows nothing of numbers that were computed")
    assert d.steps[-1].outcome is Proof.REFUTED


def test_levels_are_products():
    assert [str(one) for one in levels([Rational(1, 2), Rational(1, 3)])] == ["1", "1/2", "1/3"]
    with pytest.raises(MisuseError, match="float"):
        levels([0.1])


def test_the_precision_of_flint_is_left_alone():
    before = ctx.prec
    ran().compare(X, "<", Integer(4), "why")
    assert ctx.prec == before
