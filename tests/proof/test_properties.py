"""What holds of every claim: a true identity is never refuted, a false one never proved, and both ways of computing agree."""

from __future__ import annotations

import sympy
from flint import arb, ctx, fmpq
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Abs, Integer, Rational, sqrt

from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t, eps, eta, sigma_t, ve_s, ve_t, x_0, x_t
from verifydiff.proof import Claim, decide
from verifydiff.proof import claim as claimed
from verifydiff.proof.balls import Balls, ImpreciseError, UndefinedError
from verifydiff.proof.counterexample import candidates, letters
from verifydiff.proof.decide import forget
from verifydiff.proof.normal import Normal
from verifydiff.proof.signs import Sign
from verifydiff.proof.tower import NestedError, Tower
from verifydiff.verdict import Proof

LETTERS = [abar_s, abar_t, alpha_t, beta_t, eta, eps, x_0, x_t, ve_t, ve_s]
NONNEGATIVE = [abar_s, abar_t, alpha_t, beta_t, eta, 1 - abar_s, 1 - abar_t, ve_t, 1 - eta**2, abar_s - abar_t, ve_t**2 - ve_s**2]
SMALL = st.builds(Rational, st.integers(-3, 3), st.integers(1, 3))

expressions = st.recursive(
    st.sampled_from(LETTERS) | SMALL,
    lambda inner: st.one_of(
        st.builds(sympy.Add, inner, inner),
        st.builds(sympy.Mul, inner, inner),
        st.builds(lambda one: one**2, inner),
        st.builds(lambda one: Abs(one), inner),
        st.builds(lambda one: 1 / (1 + one**2), inner),
        st.builds(lambda one, factor: sqrt(factor) * one, inner, st.sampled_from(NONNEGATIVE)),
        st.builds(lambda one: sqrt(1 + one**2), inner),
    ),
    max_leaves=6,
)


def rewritten(expression, choices):
    """The same function, written otherwise: each rewriting is an identity on the whole domain."""
    for choice in choices:
        rewrites = [
            lambda e: sympy.expand(e),
            lambda e: sympy.together(e),
            lambda e: (e * (1 + ve_t**2)) / (1 / abar_t),
            lambda e: e * sqrt(1 - abar_t) / sqrt((1 - abar_t) / abar_t) / sqrt(alpha_t) / sqrt(abar_s),
            lambda e: e + (sqrt(abar_s) + eps) ** 2 - abar_s - 2 * sqrt(abar_s) * eps - eps**2,
            lambda e: e * (beta_t + alpha_t),
            lambda e: e.xreplace({beta_t: 1 - alpha_t}),
            lambda e: e - Abs(x_t) + sqrt(x_t**2),
            lambda e: e * (eta + 1) / (1 + eta),
        ]
        expression = rewrites[choice % len(rewrites)](expression)
    return expression


@given(expressions, st.lists(st.integers(0, 8), min_size=1, max_size=3))
def test_a_true_identity_is_never_refuted(expression, choices):
    forget()
    decision = decide(Claim(expression, "==", rewritten(expression, choices)))
    assert decision.outcome is not Proof.REFUTED, decision.counterexample


@given(expressions, st.lists(st.integers(0, 8), max_size=2))
def test_a_true_identity_without_absolute_values_of_sums_is_proved(expression, choices):
    assume(not expression.has(Abs))
    decision = decide(Claim(expression, "==", rewritten(expression, choices)))
    assert decision.outcome is Proof.PROVED, decision.remains


PERTURBATIONS = [
    Rational(1, 10**12),
    abar_s * Rational(1, 10**6),
    (1 - abar_s) * x_0,
    eps * eta / 7,
    sqrt(beta_t) - beta_t,
    alpha_t - abar_t,
]


@given(expressions, st.lists(st.integers(0, 8), max_size=2), st.sampled_from(PERTURBATIONS))
def test_a_perturbed_identity_is_never_proved(expression, choices, perturbation):
    decision = decide(Claim(expression, "==", rewritten(expression, choices) + perturbation))
    assert decision.outcome is not Proof.PROVED


@given(expressions, expressions, st.sampled_from(["<=", "<", "=="]), st.data())
def test_what_is_proved_holds_at_every_point_that_is_tried(lhs, rhs, relation, data):
    claim = Claim(lhs, relation, rhs)
    decision = decide(claim)
    point = {symbol: data.draw(st.sampled_from(candidates(symbol))) for symbol in letters(claim)}
    try:
        balls = Balls(point)
        gap = balls(claim.lhs) - balls(claim.rhs)
    except (UndefinedError, ImpreciseError):
        return
    holds = {"==": gap == 0 if isinstance(gap, fmpq) else gap.contains(0), "<=": not gap > 0, "<": not gap >= 0}[relation]
    if decision.outcome is Proof.PROVED:
        assert holds, (point, gap)


ASSUMPTIONS = [
    abar_s < 1, eta < 1, eta > 0, sigma_t**2 <= 1 - abar_s, sigma_t > 0,
    x_0 <= 2, x_0 > -1, x_0**2 <= eta, eps <= x_0, sigma_t <= eta,
]  # fmt: skip
bounded = st.lists(
    st.tuples(st.integers(-3, 3), *[st.sampled_from([abar_s, alpha_t, eta, sigma_t, x_0, eps, Integer(1), 1 - abar_s])] * 2),
    min_size=1, max_size=4,
).map(lambda terms: sum((c * one * other for c, one, other in terms), Integer(0)))  # fmt: skip


@given(bounded, st.sampled_from(["<=", "<"]), st.lists(st.sampled_from(ASSUMPTIONS), max_size=3, unique=True), st.data())
def test_what_is_proved_under_assumptions_holds_where_they_do(expression, relation, assuming, data):
    claim = Claim(expression, relation, Integer(0), tuple(map(claimed, assuming)))
    decision = decide(claim)
    point = {symbol: data.draw(st.sampled_from(candidates(symbol))) for symbol in letters(claim, *claim.assuming)}
    if decision.outcome is Proof.PROVED and all(bool(one.subs(point)) for one in assuming):
        value = sympy.sympify(expression).subs(point)
        assert value <= 0 if relation == "<=" else value < 0
    if decision.outcome is Proof.REFUTED:
        found = decision.counterexample.point
        assert all(bool(one.subs(found)) for one in assuming)
        value = sympy.sympify(expression).subs(found)
        assert value > 0 if relation == "<=" else value >= 0


def read(expression, squared=frozenset()):
    """The normal form, with letters as squares where their roots stand under roots."""
    normal = Normal(Tower(48, squared, 1e12))
    try:
        return normal, normal(expression)
    except NestedError as nested:
        return read(expression, squared | {nested.symbol})


@given(expressions, st.data())
def test_the_normal_form_has_the_value_of_the_expression(expression, data):
    normal, (numerator, denominator) = read(sympy.sympify(expression))
    point = {symbol: data.draw(st.sampled_from(candidates(symbol))) for symbol in letters(Claim(expression, "==", Integer(0)))}
    before = ctx.prec
    try:
        ctx.prec = 200
        balls = Balls(point)
        values = [arb(balls(normal.tower.expression(poly))) for poly in (numerator, denominator)]
        direct = arb(balls(sympy.sympify(expression)))
    except (UndefinedError, ImpreciseError):
        return
    finally:
        ctx.prec = before
    assert (direct * values[1] - values[0]).contains(0)


@given(expressions, expressions, st.data())
def test_a_certified_sign_over_roots_is_the_sign_at_every_point(left, right, data):
    expression = sympy.sympify(left) - sympy.sympify(right)
    normal, (numerator, denominator) = read(expression)
    signs = [normal.signs(normal.tower.reduced(poly)) for poly in (numerator, denominator)]
    point = {symbol: data.draw(st.sampled_from(candidates(symbol))) for symbol in letters(Claim(expression, "==", Integer(0)))}
    try:
        balls = Balls(point)
        values = [balls(normal.tower.expression(poly)) for poly in (numerator, denominator)]
    except (UndefinedError, ImpreciseError, KeyError):
        return
    for sign, value in zip(signs, values, strict=True):
        if sign.at_least_zero:
            assert not value < 0
        if sign.at_most_zero:
            assert not value > 0
        if sign.strict:
            assert not (isinstance(value, fmpq) and value == 0)


polynomials = st.lists(
    st.tuples(st.integers(-4, 4), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5
).map(lambda terms: sum((c * abar_s**i * alpha_t**j * eta**k for c, i, j, k in terms), Integer(0)))


@given(polynomials, st.data())
def test_a_certified_sign_is_the_sign_at_every_point_closed_ends_included(polynomial, data):
    normal = Normal(Tower(12, frozenset(), 1e12))
    sign = normal.signs(normal(sympy.sympify(polynomial))[0])
    symbols = letters(Claim(polynomial, "==", Integer(0)))
    point = {symbol: data.draw(st.sampled_from(candidates(symbol))) for symbol in symbols}
    value = sympy.sympify(polynomial).subs(point)
    holds = {
        Sign.POSITIVE: value > 0,
        Sign.NONNEGATIVE: value >= 0,
        Sign.NEGATIVE: value < 0,
        Sign.NONPOSITIVE: value <= 0,
        Sign.ZERO: value == 0,
        Sign.UNKNOWN: True,
    }
    assert holds[sign]
