"""Paths between two ends: what moves gains the integral of its slope, and every letter has one meaning."""

from __future__ import annotations

import pytest
from sympy import exp, log

from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION
from verifydiff.proof import Page, letter
from verifydiff.verdict import MisuseError, Proof

t, x, k = letter("t"), letter("x"), letter("k")
p = letter("p", domain=POSITIVE)
p_0, p_1 = letter("p_0", domain=POSITIVE), letter("p_1", domain=POSITIVE)
x_0, x_1, t_0, t_1 = letter("x_0"), letter("x_1"), letter("t_0"), letter("t_1")
total, other = letter("total"), letter("other")
START, END = {t: t_0, x: x_0}, {t: t_1, x: x_1}


def page():
    d = Page()
    d.depends(t, {x: k * x, k: 0}, "exponential growth")
    return d


def test_a_quantity_gains_the_integral_of_its_slope():
    d = page()
    gained = d.travel(x, t, k * x, START, END, total, "why")
    assert (gained.lhs, gained.relation, gained.rhs) == (x_1 - x_0, "==", total)
    d.travel(x * exp(-k * t), t, 0, {t: t_0, x: x_0}, {t: t_1, x: x_1}, other, "the same ends once more")
    assert {step.outcome for step in d.steps} == {Proof.PROVED}
    assert "int_" in d.steps[-1].statement
    assert d.steps[-1].latex


def test_a_wrong_slope_is_refuted():
    d = page()
    d.travel(x, t, x, START, END, total, "why")
    assert d.steps[-1].outcome is Proof.REFUTED


def test_a_quantity_without_a_value_on_the_way_is_not_integrated():
    d = page()
    d.travel(1 / x, t, -k / x, START, END, total, "x may pass through 0")
    assert d.steps[-1].outcome is Proof.REFUTED


def test_a_logarithm_of_what_is_positive_is_fine():
    d = Page()
    d.depends(t, {p: k * p, k: 0}, "growth")
    d.travel(log(p), t, k, {t: t_0, p: p_0}, {t: t_1, p: p_1}, total, "why")
    assert d.steps[-1].outcome is Proof.PROVED


def test_an_end_outside_the_domain_of_what_runs_is_refuted():
    d, s = Page(), letter("s", domain=PROPER_FRACTION)
    d.depends(s, {x: k}, "a straight line")
    d.travel(x, s, k, {s: t_0, x: x_0}, {s: t_1, x: x_1}, total, "why")
    assert d.steps[-1].outcome is Proof.REFUTED


MISUSE = {
    "an end without a value": (lambda d: d.travel(x, t, k * x, {t: t_0}, END, total, "why"), "has no value at an end"),
    "an end that moves": (lambda d: d.travel(x, t, k * x, {t: x, x: x_0}, END, total, "why"), "must not move"),
    "one letter for both ends": (lambda d: d.travel(x, t, k * x, START, {t: t_1, x: x_0}, total, "why"), "means something else"),
    "two letters for one end": (
        lambda d: [d.travel(x, t, k * x, START, END, total, "why"), d.travel(x, t, k * x, {t: t_0, x: k}, END, other, "why")],
        "has a name already",
    ),
    "a value for what does not move": (lambda d: d.travel(x, t, k * x, {**START, p: p_0}, END, total, "why"), "does not move"),
    "the path as an end": (lambda d: d.travel(x, t, k * x, {t: t_0, x: t}, END, total, "why"), "cannot stand"),
    "an integral with a name": (lambda d: d.travel(x, t, k * x, START, END, x_0, "why"), "cannot stand for an integral"),
    "an integral that is positive": (lambda d: d.travel(x, t, k * x, START, END, p, "why"), "cannot stand for an integral"),
    "an integral named twice": (
        lambda d: [d.travel(x, t, k * x, START, END, total, "why"), d.travel(2 * x, t, 2 * k * x, START, END, total, "why")],
        "cannot stand for an integral",
    ),
    "a narrowed path": (lambda d: [d.assume(t < 1, "early"), d.travel(x, t, k * x, START, END, total, "why")], "all values of t"),
    "a narrowed state": (lambda d: [d.assume(x < 1, "low"), d.travel(x, t, k * x, START, END, total, "why")], "all values of x"),
    "a letter with less room than what moves": (
        lambda d: d.travel(x, t, k * x, START, {t: t_1, x: p_1}, total, "why"), "means something else"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_refused(write, message):
    with pytest.raises(MisuseError, match=message):
        write(page())


def test_an_integral_is_no_constant_of_its_ends():
    d = page()
    d.travel(x, t, k * x, START, END, total, "why")
    with pytest.raises(MisuseError, match="depends on x_1"):
        d.derivative(total, x_1, 0, "it does depend on its end")
    with pytest.raises(MisuseError, match="cannot leave"):
        d.integrate([(total, x_1)], [(1, total * x_1)], [x_1], {x_1: k, total * x_1: other}, "nor may it leave an integral")


def test_one_does_not_equal_nought_by_a_path():
    """The integral of 1 over no length is not the one over a length: the letters of the ends are told apart."""
    d = Page()
    d.depends(t, {x: 1}, "x runs like t")
    gained = d.travel(x, t, 1, {t: t_0, x: x_0}, {t: t_1, x: x_1}, total, "from t_0 to t_1")
    d.equal(gained.lhs, 0, "they would have to be one letter")
    assert d.steps[-1].outcome is Proof.REFUTED
    with pytest.raises(MisuseError, match="means something else"):
        d.travel(x, t, 1, {t: t_0, x: x_0}, {t: t_1, x: x_0}, other, "and they cannot be")


def test_a_value_at_an_end_is_nothing_else():
    d = page()
    d.travel(x, t, k * x, START, END, total, "why")
    with pytest.raises(MisuseError, match="does not move"):
        d.depends(t, {x_1: 5}, "a value that moves")
    with pytest.raises(MisuseError, match="a value already"):
        d.function("x_1", of=(p,))
    with pytest.raises(MisuseError, match="meaning of its own"):
        d.integrate([(1, 2 * p)], [(2, p)], [p], {p: x_1, 2 * p: other}, "the name of an integral")
    with pytest.raises(MisuseError, match="another number already"):
        d.iterate({p: [1]}, {other: 0}, {other: other + p}, {other: x_1}, "the name of a number")
