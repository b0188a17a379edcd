"""Matrices of any size: what is equal is proved, what is not is refuted with matrices, and nothing false is ever proved."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Identity, MatrixSymbol, Rational, Symbol, Transpose, ZeroMatrix, sqrt

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE
from verifydiff.proof import Page, letter
from verifydiff.proof.matrices import (
    GENERAL,
    INVERTIBLE,
    POSITIVE_DEFINITE,
    SYMMETRIC,
    Nature,
    decide_matrices,
    matrix_latex,
    quadratic,
)
from verifydiff.verdict import MisuseError, Proof

n, k = Symbol("n", integer=True, positive=True), Symbol("k", integer=True, positive=True)
x, y, g, mu = (MatrixSymbol(name, n, 1) for name in ("x", "y", "g", "mu"))
A, B, H, S, R, P, Q = (MatrixSymbol(name, n, n) for name in ("A", "B", "H", "S", "R", "P", "Q"))
C = MatrixSymbol("C", k, n)
N = MatrixSymbol("N", k, k)
s, half, root = letter("s", domain=POSITIVE), Rational(1, 2), letter("r", domain=NONNEGATIVE)
N2 = MatrixSymbol("N2", n, n)
MIX = (1 + s) * S.I - s * N2.I
NATURES = {
    N2: POSITIVE_DEFINITE, MIX: POSITIVE_DEFINITE, S.I - s * A: INVERTIBLE,
    x: GENERAL, y: GENERAL, g: GENERAL, mu: GENERAL, A: GENERAL, B: GENERAL, C: GENERAL,
    H: SYMMETRIC, S: POSITIVE_DEFINITE, R: INVERTIBLE, P: INVERTIBLE, Q: Nature(symmetric=True, invertible=True),
    N: POSITIVE_DEFINITE, S.I - H: POSITIVE_DEFINITE, S + A: INVERTIBLE, C * S * C.T + N: POSITIVE_DEFINITE,
    S.I + C.T * N.I * C: POSITIVE_DEFINITE,
}  # fmt: skip
L = (S.I - H).inverse()

EQUAL = {
    "a scalar and its transpose": (x.T * A * y, y.T * A.T * x),
    "numbers commute": (x * (y.T * g) * x.T, x * (g.T * y) * x.T),
    "two numbers commute": (x.T * y * g.T * mu, mu.T * g * y.T * x),
    "a symmetric matrix": (x.T * S * y, y.T * S * x),
    "an inverse cancels": (R * R.I * x, x),
    "and under a transpose": ((R.T) * (R.I).T * x, x),
    "an inverse of a product": ((R * P).inverse(), P.I * R.I),
    "the transpose of an inverse": (Transpose(R.inverse()), R.T.inverse()),
    "the binomial": ((A + B) * (A + B), A * A + A * B + B * A + B * B),
    "a power": (A**3, A * A * A),
    "a negative power": (R**-2 * R * R * x, x),
    "scalars": (sqrt(s) * A * sqrt(s), s * A),
    "an inverse of a multiple": ((s * R).inverse(), R.I / s),
    "zero": (A - A, ZeroMatrix(n, n)),
    "the identity": (Identity(n) * A, A),
    "a square completed": (
        -half * quadratic(S.I, x - mu) + g.T * (x - mu), -half * quadratic(S.I, x - mu - S * g) + half * g.T * S * g
    ),
    "an inverted sum, left": (L * (S.I - H), Identity(n)),
    "an inverted sum, right": ((S.I - H) * L, Identity(n)),
    "an inverted sum is symmetric": (L.T, L),
    "an inverted sum, resolved": (L, S + S * H * S + S * H * L * H * S),
    "the inverse of a sum without symmetry": ((S + A).inverse() * (A + S) * x, x),
    "twice the same sum": ((S + A).inverse() - (A + S).inverse(), ZeroMatrix(n, n)),
    "an inverted sum of inverses": (
        MIX.inverse() * ((1 + s) * S.I * x - s * N2.I * x), x
    ),
    "an inverted sum with a scalar": ((S.I - s * A).inverse() * (S.I * x - s * A * x), x),
    "a rectangle": ((C * x).T * (C * y), y.T * C.T * C * x),
}  # fmt: skip

DIFFERENT = {
    "matrices do not commute": (A * B, B * A),
    "a matrix is not its transpose": (A, A.T),
    "not even symmetric ones commute": (S * H, H * S),
    "the binomial of numbers": ((A + B) * (A + B), A * A + 2 * A * B + B * B),
    "an inverse on the wrong side": (R * P * R.I, P),
    "the order of an inverse of a product": ((R * P).inverse(), R.I * P.I),
    "a transposed inverse for an inverse": (x.T * R.I * R * y, x.T * (R.I).T * R * y),
    "an outer product is no number": (x * y.T, y * x.T),
    "a half is lost": (-half * quadratic(S.I, x) + g.T * x, -half * quadratic(S.I, x - S * g) + g.T * S * g),
    "a covariance is lost": (-half * quadratic(S.I, x) + g.T * x, -half * quadratic(S.I, x - g) + half * g.T * S * g),
    "a wrong sign in the inverted sum": (L, S - S * H * S + S * H * L * H * S),
    "a wrong order in the inverted sum": (L, S + S * H * S + S * H * L * S * H),
    "the inverse of a sum is no sum of inverses": (L, S - H),
    "a number is no identity": (x * (x.T * x) * x.T, x * x.T),
    "scalars": (s**2 * A, s * A),
    "an inverted sum of inverses, wrongly weighed": (MIX.inverse() * (s * S.I * x - s * N2.I * x), x),
    "what holds in one dimension only": (x * x.T * A, A * x * x.T),
    "what holds in two dimensions only": (
        (A * B - B * A) ** 2 * A, A * (A * B - B * A) ** 2  # the square is a multiple of the identity for n = 2
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lhs", "rhs"), EQUAL.values(), ids=EQUAL)
def test_what_is_equal_is_proved(lhs, rhs):
    decision = decide_matrices(lhs, rhs, NATURES)
    assert decision.outcome is Proof.PROVED, decision.remains


@pytest.mark.parametrize(("lhs", "rhs"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_is_not_is_refuted_with_matrices(lhs, rhs):
    decision = decide_matrices(lhs, rhs, NATURES)
    assert decision.outcome is Proof.REFUTED
    assert decision.counterexample.point
    assert "differ by" in decision.counterexample.reason


def test_a_counterexample_is_one_in_numpy_too():
    lhs, rhs = x.T * S * H * y, x.T * H * S * y
    point = decide_matrices(lhs, rhs, NATURES).counterexample.point
    values = {one: np.array(point[one].tolist(), dtype=float) for one in (x, y, S, H)}
    one, other = (values[x].T @ a @ b @ values[y] for a, b in ((values[S], values[H]), (values[H], values[S])))
    assert abs(one - other) > 1e-6
    assert (np.linalg.eigvalsh(values[S]) > 0).all()


MUTANTS = {
    "doubled": lambda side: 2 * side,
    "other sign": lambda side: -side,
    "nearly": lambda side: (1 + Rational(1, 10**12)) * side,
    "transposed letters": lambda side: side.xreplace({A: A.T, R: R.T}),
    "one letter for another": lambda side: side.xreplace({S: Q, H: A, y: g}),
}
MUTATED = {
    f"{name}, {mutation}": (lhs, mutant)
    for name, (lhs, rhs) in EQUAL.items()
    for mutation, mutate in MUTANTS.items()
    if (mutant := mutate(rhs)) != rhs and not rhs.is_ZeroMatrix
}


@pytest.mark.parametrize(("lhs", "mutant"), MUTATED.values(), ids=MUTATED)
def test_no_mutant_is_proved_that_differs_at_random_matrices(lhs, mutant):
    """A mutant may be equal by luck, as a matrix that is not there; what is proved has to hold in floating point."""
    try:
        decision = decide_matrices(lhs, mutant, NATURES | {S.I - A: POSITIVE_DEFINITE, Q.I - A: INVERTIBLE, Q + A: INVERTIBLE})
    except MisuseError:
        return
    assert decision.outcome is not Proof.PROVED or _close(lhs, mutant)


def _close(lhs, rhs):
    rng = np.random.default_rng(0)
    values = {}
    for one in lhs.atoms(MatrixSymbol) | rhs.atoms(MatrixSymbol):
        drawn = rng.normal(size=tuple(3 if end == n else 2 if end == k else int(end) for end in one.shape))
        nature = NATURES[one]
        drawn = drawn @ drawn.T / 9 + np.eye(len(drawn)) if nature.positive else drawn + drawn.T if nature.symmetric else drawn
        values[one] = drawn / 10 if one == H else drawn
    return np.allclose(*(_at(side, values) for side in (lhs, rhs)))


def _at(side, values):
    from sympy import lambdify

    symbols = sorted(values, key=str)
    concrete = side.subs({n: 3, k: 2})
    function = lambdify([*(one.subs({n: 3, k: 2}) for one in symbols), s], concrete, "numpy")
    return function(*(values[one] for one in symbols), 0.7)


def test_what_rests_on_an_inverse_that_cannot_be_resolved_is_not_decided():
    woodbury = (S.I + C.T * N.I * C).inverse()
    other = S - S * C.T * (C * S * C.T + N).inverse() * C * S
    assert decide_matrices(woodbury, other, NATURES).outcome is Proof.UNDECIDED
    assert decide_matrices(woodbury, S + S * C.T * (C * S * C.T + N).inverse() * C * S, NATURES).outcome is Proof.REFUTED


def test_a_term_whose_coefficient_may_vanish_does_not_resolve_an_inverse():
    natures = NATURES | {S + root * A: INVERTIBLE, R: INVERTIBLE}
    assert (
        decide_matrices((S + root * A).inverse() * (S * x + root * A * x) + S.I * x, x + S.I * x, natures).outcome
        is Proof.UNDECIDED
    )


def test_an_equality_under_a_root_of_a_negative_number_is_not_proved():
    assert decide_matrices(sqrt(s - 1) * x, sqrt(s - 1) * x, NATURES).outcome is not Proof.PROVED


def test_a_scalar_that_may_vanish_is_a_condition():
    decision = decide_matrices((root * R).inverse() * x, R.inverse() * x / root, NATURES)
    assert decision.outcome is Proof.PROVED
    assert "r != 0" in [str(one) for one in decision.open_conditions]


def test_what_a_proof_uses_of_its_matrices_is_among_its_conditions():
    conditions = [str(one) for one in decide_matrices(*EQUAL["an inverted sum, resolved"], NATURES).conditions]
    assert "S is symmetric and positive definite" in conditions
    assert "S**(-1) - H is symmetric and positive definite" in conditions


MISUSE = {
    "a letter that was not declared": (lambda: decide_matrices(MatrixSymbol("u", n, 1), x, NATURES), "no matrix of the page"),
    "an inverse that may not exist": (
        lambda: decide_matrices(A.inverse() * x, x, NATURES),
        "not known to have an inverse",
    ),
    "an inverse of a sum": (lambda: decide_matrices((A + B).inverse(), (A + B).inverse(), NATURES), "not known to have an inverse"),
    "shapes": (lambda: decide_matrices(x, x.T, NATURES), "different shapes"),
    "shapes within a product": (lambda: decide_matrices((x.T * x) * A, x.T, NATURES), "shapes of .* do not match"),
    "no matrix": (lambda: decide_matrices(s, s, NATURES), "no matrix expression"),
    "a float": (lambda: decide_matrices(0.5 * x, 0.5 * x, NATURES), "float"),
}


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_refused(write, message):
    with pytest.raises(MisuseError, match=message):
        write()


# -- the rules -------------------------------------------------------------------------------------------------------------


def page():
    d = Page()
    vectors = d.matrices("x mu g", (n, 1), "vectors")
    (covariance,) = d.matrices("S", (n, n), "a covariance", POSITIVE_DEFINITE)
    (hessian,) = d.matrices("H", (n, n), "a Hessian", SYMMETRIC)
    (factor,) = d.matrices("R", (n, n), "a root", INVERTIBLE)
    d.matrices("A", (n, n), "any matrix")
    return d, *vectors, covariance, hessian, factor


EXPONENT = -half * quadratic(S.I, x - mu) + g.T * (x - mu)
NOTHING = ZeroMatrix(1, 1)


def square(mean=mu + S * g, covariance=S, rest=half * g.T * S * g, exponent=EXPONENT):
    d, *_ = page()
    d.complete_the_square(exponent, x, mean, covariance, rest, "why")
    return d.steps[-1].outcome


def test_a_square_is_completed():
    assert square() is Proof.PROVED


@pytest.mark.parametrize(
    "change",
    [{"mean": mu + g}, {"mean": mu - S * g}, {"covariance": 2 * S}, {"rest": NOTHING}, {"rest": g.T * S * g}, {"mean": mu}],
    ids=str,
)
def test_a_square_completed_wrongly_is_refuted(change):
    assert square(**change) is Proof.REFUTED


def test_a_covariance_that_may_not_be_positive_is_not_one():
    assert square(exponent=-half * quadratic(H, x), mean=ZeroMatrix(n, 1), covariance=S, rest=NOTHING) is Proof.REFUTED
    d, *_ = page()
    d.assume_matrix(S.I - H, INVERTIBLE, "nothing is said of its sign")
    d.complete_the_square(-half * quadratic(S.I - H, x), x, ZeroMatrix(n, 1), (S.I - H).inverse(), NOTHING, "why")
    assert d.steps[-1].outcome is Proof.UNDECIDED


def test_the_law_of_a_linear_image():
    d, *_ = page()
    d.linear_image(x, mu + R * R.T * g, R, R * R.T, "the root of the covariance scales the noise")
    assert d.steps[-1].outcome is Proof.PROVED
    d.linear_image(x, mu, R, R, "the covariance in place of its root")
    assert d.steps[-1].outcome is not Proof.PROVED
    d.linear_image(x, mu, R, R.T * R, "the transposes exchanged")
    assert d.steps[-1].outcome is not Proof.PROVED


def test_a_mistake_with_matrices_is_refuted_on_the_page_and_what_is_right_is_no_mistake():
    d, *_ = page()
    d.matrix_misprint(mu + g, mu + S * g, "the covariance is forgotten")
    assert d.steps[-1].outcome is Proof.PROVED
    d.matrix_misprint(g.T * S * mu, mu.T * S * g, "no mistake at all")
    assert d.steps[-1].outcome is Proof.REFUTED


REFUSED = {
    "a name twice": (lambda d: d.matrices("x", (n, 1), "again"), "already"),
    "a nature without a square": (lambda d: d.matrices("V", (n, 1), "why", SYMMETRIC), "square"),
    "the nature of a letter, later": (lambda d: d.assume_matrix(H, POSITIVE_DEFINITE, "why"), "where it is declared"),
    "natures that contradict each other": (lambda d: d.assume_matrix(-S, POSITIVE_DEFINITE, "why"), "no matrices were found"),
    "zero inverted": (lambda d: d.assume_matrix(R * R.I * H - H, INVERTIBLE, "why"), "no matrices were found"),
    "a mean that depends on the vector": (
        lambda d: d.complete_the_square(EXPONENT, x, x + S * g, S, NOTHING, "why"),
        "depends on x",
    ),
    "a rest that depends on the vector": (
        lambda d: d.complete_the_square(EXPONENT, x, mu, S, g.T * (x - mu), "why"),
        "depends on x",
    ),
    "a law of a matrix": (lambda d: d.complete_the_square(EXPONENT, S, mu, S, NOTHING, "why"), "no vector"),
    "a root without an inverse": (lambda d: d.linear_image(x, mu, A, A * A.T, "why"), "inverse"),
    "a vector that a hypothesis narrows": (
        lambda d: (
            d.assume_matrix(S - x * x.T, POSITIVE_DEFINITE, "small"),
            d.complete_the_square(EXPONENT, x, mu + S * g, S, NOTHING, "why"),
        ),
        "narrows",
    ),
    "no reason": (lambda d: d.matrix_equal(S, S, " "), "justification"),
}


@pytest.mark.parametrize(("write", "message"), REFUSED.values(), ids=REFUSED)
def test_a_rule_refuses_what_it_does_not_apply_to(write, message):
    with pytest.raises(MisuseError, match=message):
        write(page()[0])


def test_matrices_print_as_one_writes_them():
    assert matrix_latex(mu + s * S * g) == r"\mu + s\,S g"
    assert matrix_latex(-half * quadratic(S.I, x - mu)) == r"-\frac{1}{2}\,\left(x - \mu\right)^\top S^{-1} \left(x - \mu\right)"
    assert matrix_latex(L) == r"\left(S^{-1} - H\right)^{-1}"
