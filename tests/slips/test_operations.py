"""Each slip of a formula does what its name says, and none of them stumbles over any expression."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Max, Min, Rational, Symbol, cos, exp, log, sqrt, tanh

from verifydiff.forms import every_letter
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Quantity,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    eps,
    sigma_t,
    v,
    ve_s,
    ve_t,
    x_0,
    x_t,
)
from verifydiff.slips import CATALOGUE, FORMULA_SLIPS, FormSlip, mutated
from verifydiff.slips.formula import Formula

w, h = Quantity("w", "w", NONNEGATIVE), Quantity("h", "h", POSITIVE)
eps_c, eps_u = Quantity("eps_c", r"\epsilon_c", REAL), Quantity("eps_u", r"\epsilon_u", REAL)
noise, guided = sqrt(1 - abar_t), (1 + w) * eps_c - w * eps_u

EXAMPLES = [
    ("other-sign", sqrt(abar_t) * x_0 + noise * eps, sqrt(abar_t) * x_0 - noise * eps),
    ("other-sign", exp(-h), exp(h)),
    ("other-sign", abar_t * x_0, -abar_t * x_0),
    ("bar-lost", sqrt(abar_t) * x_0 + noise * eps, sqrt(alpha_t) * x_0 + noise * eps),
    ("bar-lost", sqrt(abar_t) * x_0 + noise * eps, sqrt(alpha_t) * x_0 + sqrt(1 - alpha_t) * eps),
    ("bar-added", x_t / sqrt(alpha_t), x_t / sqrt(abar_t)),
    ("other-index", sqrt(abar_t) * x_0, sqrt(abar_s) * x_0),
    ("other-index", sqrt(abar_t) * x_0, sqrt(abar_t) * x_t),
    ("root-lost", noise * (eps + noise * v), noise * (eps + (1 - abar_t) * v)),
    ("square-lost", 1 - abar_s - sigma_t**2, 1 - abar_s - sigma_t),
    ("square-lost", 1 / ve_t**2, 1 / ve_t),
    ("complement-missing", 1 - abar_s - sigma_t**2, abar_s - sigma_t**2),
    ("complement-missing", 1 - abar_t / abar_s, abar_t / abar_s),
    ("one-lost", guided, w * eps_c - w * eps_u),
    ("one-lost", 1 / (1 + ve_t**2), 1 / ve_t**2),
    ("number-lost", beta_t**2 / (2 * alpha_t), beta_t**2 / alpha_t),
    ("number-lost", -beta_t / 2, -beta_t),
    ("number-inverted", log(ve_t) / 4, 4 * log(ve_t)),
    ("twice", x_t + beta_t * eps, x_t + 2 * beta_t * eps),
    ("half", exp(-h), exp(-h / 2)),
    ("half", abar_t, abar_t / 2),
    ("root-added", eps / (1 - abar_t), eps / noise),
    ("root-added", beta_t * (1 - abar_s), sqrt(beta_t * (1 - abar_s))),
    ("square-added", 1 - abar_s - sigma_t, 1 - abar_s - sigma_t**2),
    ("square-in-place-of-root", noise * (eps + noise * v), noise * (eps + (1 - abar_t) ** 2 * v)),
    ("complement-added", sqrt(abar_t) * x_0, noise * x_0),
    ("signal-for-noise", sqrt(abar_t) * x_0 + noise * eps, noise * x_0 + sqrt(abar_t) * eps),
    ("off-by-one", guided, (1 + w) * eps_c - (1 + w) * eps_u),
    ("off-by-one", h * eps, (h - 1) * eps),
    ("off-by-one", 1 / ve_t**2, 1 / (1 + ve_t**2)),
    ("power-off-by-one", h**3, h**2),
    ("indices-swapped", sqrt(abar_t / abar_s), sqrt(abar_s / abar_t)),
    ("indices-swapped", x_t - abar_t * x_0, x_0 - abar_t * x_t),
    ("vectors-swapped", guided, (1 + w) * eps_u - w * eps_c),
    ("vectors-swapped", abar_t * x_t + beta_t * eps, abar_t * eps + beta_t * x_t),
    ("other-vector", guided, (1 + w) * eps_c - w * eps_c),
    ("factor-lost", beta_t * (1 - abar_s) * eps, beta_t * eps),
    ("division-lost", beta_t / (1 - abar_t), beta_t),
    ("term-lost", eps_u + w * (eps_c - eps_u), w * (eps_c - eps_u)),
    ("other-extreme", Min(h, w) / h, Max(h, w) / h),
    ("function-lost", log(h) / 4, h / 4),
    ("function-lost", exp(-h) - 1, -h - 1),
    ("factor-inverted", x_t / sqrt(abar_t), x_t * sqrt(abar_t)),
    ("upside-down", (1 - abar_s) / (1 - abar_t) * beta_t, (1 - abar_t) / (1 - abar_s) * beta_t),
    ("upside-down", sqrt((1 - abar_s) / (1 - abar_t)), sqrt((1 - abar_t) / (1 - abar_s))),
    ("ones-cancelled", (1 - abar_s) / (1 - abar_t) * beta_t, abar_s / abar_t * beta_t),
    ("bracket-lost", eps_u + w * (eps_c - eps_u), eps_u + w * eps_c - eps_u),
    ("bracket-lost", (x_t - noise * eps) / sqrt(abar_t), x_t - noise * eps / sqrt(abar_t)),
    ("root-too-short", sqrt(1 - abar_s - sigma_t**2), sqrt(1 - abar_s) - sigma_t**2),
    ("power-split", noise, 1 - sqrt(abar_t)),
    ("power-split", 1 / (h + w), 1 / h + 1 / w),
    ("power-split", (x_t - x_0) ** 2, x_t**2 - x_0**2),
]
"""What a slip makes of an expression, among other things."""


@pytest.mark.parametrize(("slip", "right", "wrong"), EXAMPLES, ids=[f"{i}-{example[0]}" for i, example in enumerate(EXAMPLES)])
def test_a_slip_does_what_its_name_says(slip, right, wrong):
    rewrite = next(one.rewrite for one in FORMULA_SLIPS if one.id == slip)
    assert wrong in list(rewrite(Formula(right)))
    assert wrong in [one.expression for one in mutated(right)]


def test_every_slip_of_a_formula_has_an_example():
    assert {slip for slip, _, _ in EXAMPLES} == {slip.id for slip in FORMULA_SLIPS}


def test_slips_stand_in_the_order_of_their_cost():
    assert [slip.cost for slip in FORMULA_SLIPS] == sorted(slip.cost for slip in FORMULA_SLIPS)


def test_the_smallest_mistake_comes_first():
    found = [one.slip.id for one in mutated(eps / (1 - abar_t)) if one.expression == eps / noise]
    assert found == ["root-added"]
    assert next(mutated(eps / noise)).cost == 1


def test_a_weight_is_told_from_the_vectors_it_weighs():
    real_weight = Quantity("w", "w", REAL)
    assert Formula(eps_u + real_weight * (eps_c - eps_u)).vectors == {eps_u, eps_c}
    assert Formula(-eps / noise).vectors == {eps}
    assert Formula(beta_t * (1 - abar_s)).vectors == set()


def test_letters_that_share_a_name_are_not_taken_for_each_other():
    letters = every_letter()
    assert all(letters[name].name == name for name in letters)
    stranger = Quantity("abar_t", r"\bar\alpha_t", POSITIVE)
    for one in mutated(stranger * ve_s):
        assert not {ve_t, stranger} <= one.expression.free_symbols, "ve_t is defined by the abar_t of the field"
    assert any(ve_t in one.expression.free_symbols for one in mutated(x_0 * ve_s))


LETTERS = [*every_letter().values(), w, h, eps_c, eps_u, Symbol("n", integer=True, positive=True), Symbol("a")]
FUNCTIONS = [exp, log, sqrt, cos, tanh, lambda one: log(1 - one), lambda one: 1 - one, lambda one: 1 + one]

expressions = st.recursive(
    st.sampled_from(LETTERS) | st.builds(Rational, st.integers(-3, 3), st.integers(1, 3)),
    lambda inner: st.one_of(
        st.builds(sympy.Add, inner, inner),
        st.builds(sympy.Mul, inner, inner),
        st.builds(lambda one, other: one / other if other != 0 else one, inner, inner),
        st.builds(lambda one, power: one**power if one != 0 else one, inner, st.sampled_from([-2, -1, Rational(1, 2), 2, 3])),
        st.builds(lambda one, function: function(one), inner, st.sampled_from(FUNCTIONS)),
        st.builds(lambda one, other: Max(one, other), st.sampled_from(LETTERS), st.sampled_from(LETTERS)),
    ),
    max_leaves=8,
).filter(lambda one: not one.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I))  # fmt: skip


@given(expressions)
def test_slips_take_any_expression_and_leave_an_exact_one(expression):
    found = list(mutated(expression))
    assert found == list(mutated(expression))
    assert expression not in [one.expression for one in found]
    assert len({one.expression for one in found}) == len(found)
    for one in found:
        assert isinstance(one.expression, sympy.Expr)
        assert not one.expression.has(sympy.Float, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I)
        assert one.slip.id


def test_the_slips_of_a_step_apply_to_a_form_of_one_equation():
    ids = {one.slip.id for one in mutated(sqrt(abar_t) * x_0)}
    assert {"lost-bar", "lost-root", "s-for-t"} <= ids & {slip.id for slip in CATALOGUE if isinstance(slip, FormSlip)}
