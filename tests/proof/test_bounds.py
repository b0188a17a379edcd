"""Rules that bound: what they prove, what they refute, what they refuse."""

from __future__ import annotations

import pytest
from sympy import exp, log

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION
from verifydiff.proof import Page, letter
from verifydiff.proof.rules.bounds import Gap
from verifydiff.verdict import MisuseError, Proof

f, slope, between, u = letter("f"), letter("slope"), letter("between"), letter("u")
r, w, bound = letter("r", domain=PROPER_FRACTION), letter("w", domain=NONNEGATIVE), letter("bound", domain=POSITIVE)


def test_a_remainder_is_bounded():
    d = Page()
    value = d.lagrange("f(u)", [f, slope], between, u, "smooth")
    d.assume(between <= bound, "the second derivative is bounded")
    d.at_most(value - f - slope * u, bound * u**2 / 2, "so is the remainder")
    assert d.steps[-1].outcome is Proof.PROVED
    d.at_most(value - f - slope * u, bound * u**2 / 3, "Taylor's third")
    assert d.steps[-1].outcome is not Proof.PROVED


def test_a_remainder_is_no_constant_of_the_point():
    d = Page()
    value = d.lagrange("f(u)", [f, slope], between, u, "smooth")
    with pytest.raises(MisuseError, match="depends on u"):
        d.derivative(value, u, slope + between * u, "as if the place between did not move")


def test_bernoulli_by_tangents():
    d = Page()
    first = d.above_tangent(-w * log(r), "r^-w is an exponential")
    second = d.above_tangent(log(r), "and so is r")
    claim = d.add_up(1 + w * (1 - r), r ** (-w), [(1, first), (w, second)], "added")
    assert d.steps[-1].outcome is Proof.PROVED
    assert claim.relation == "<="


def test_a_strict_bound_needs_something_strict():
    d = Page()
    gap = d.above_tangent(u, "why")
    d.add_up(1 + u, exp(u), [(1, gap)], "equal at 0", relation="<")
    assert d.steps[-1].outcome is not Proof.PROVED
    d.assume(u > 0, "not at 0")
    d.add_up(1 + u, exp(u), [(1, gap)], "so it is strict", relation="<")
    assert d.steps[-1].outcome is Proof.PROVED
    d.add_up(1 + w * u, 1 + w * (exp(u) - 1), [(w, gap)], "w may vanish", relation="<")
    assert d.steps[-1].outcome is not Proof.PROVED


WRONG = {
    "more than the gaps": lambda d, gap: d.add_up(2 + u, exp(u), [(1, gap)], "why"),
    "the other way round": lambda d, gap: d.add_up(exp(u), 1 + u, [(-1, gap)], "why"),
    "a number of unknown sign": lambda d, gap: d.add_up(u * (1 + u), u * exp(u), [(u, gap)], "why"),
}


@pytest.mark.parametrize("write", WRONG.values(), ids=WRONG)
def test_what_does_not_add_up_is_not_proved(write):
    d = Page()
    write(d, d.above_tangent(u, "why"))
    assert d.steps[-1].outcome is Proof.REFUTED


def test_an_exponent_without_a_value_is_not_taken():
    d = Page()
    d.above_tangent(log(u), "u may be negative")
    assert d.steps[-1].outcome is not Proof.PROVED


def spoken_for(d):
    d.depends(u, {between: slope}, "why")
    d.lagrange("f", [f], between, u, "why")


MISUSE = {
    "a gap of one's own": (lambda d: d.add_up(1, 0, [(1, Gap(u))], "why"), "made by"),
    "no gap": (lambda d: d.add_up(0, 1, [], "why"), "must be one"),
    "an equality": (lambda d: d.add_up(1 + u, exp(u), [(1, d.above_tangent(u, "why"))], "why", relation="=="), "add up to"),
    "a derivative that is said to be positive": (lambda d: d.lagrange("f", [f], bound, u, "why"), "is real"),
    "a letter of the function": (lambda d: d.lagrange("f", [f], f, u, "why"), "new letter"),
    "a letter that moves already": (spoken_for, "new letter"),
    "a letter that was bounded before": (
        lambda d: (d.assume(between <= bound, "why"), d.lagrange("f", [f], between, u, "why")), "new letter"
    ),
    "no value": (lambda d: d.lagrange("f", [], between, u, "why"), "value at the point"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_refused(write, message):
    with pytest.raises(MisuseError, match=message):
        write(Page())
