r"""Euler, Heun and the explicit midpoint: local errors and the order conditions, for systems of any dimension.

.. math:: \dot y = v(y, t), \qquad \ddot y = Dv, \qquad \dddot y = D^2 v + \partial v\,\ddot y

D is the derivative along the path (the velocity in y, 1 in t); :math:`D^2 v` keeps the direction, :math:`\partial v\,\ddot y`
is the Jacobian applied to the second derivative. The letters stand for one generic coordinate.
"""

from sympy import Rational

from verifydiff.forms import ode_steps
from verifydiff.forms.ode_steps import HAIRER, h, v_mid, v_s, v_t, y
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE
from verifydiff.forms.sde import t
from verifydiff.proof import derivation, letter

v_1 = letter("v_1", "Dv")
v_2 = letter("v_2", "D^2 v")
j = letter("j", r"\partial v\,\ddot y")
c, b_1, b_2 = letter("c"), letter("b_1"), letter("b_2")
TWELFTH, SIXTH, HALF = Rational(1, 12), Rational(1, 6), Rational(1, 2)


def path(d, order):
    """The solution by its derivatives: v, Dv, D^2 v + J Dv."""
    return d.taylor("y(t + h)", [y, v_t, v_1, v_2 + j][: order + 1], h, "the velocity is smooth, and so is the solution")


def ahead(d, fraction, order):
    """The velocity at a point that Euler predicts: along a straight line, so that only the direction matters."""
    return d.taylor(
        rf"v(y + {fraction} h v, t + {fraction} h)", [v_t, v_1, v_2][: order + 1], fraction * h, "the velocity is smooth"
    )


@derivation(id="ode.derivatives", title="the second and third derivative of a solution", source=f"{HAIRER}, sec. II.2")
def derivatives(d):
    """The chain rule along the path, for a system of two coordinates that stand for all."""
    y_i, y_j, v_i, v_j = letter("y_i"), letter("y_j"), letter("v_i"), letter("v_j")
    names = {"t": r"\partial_t v_i", "i": r"\partial_i v_i", "j": r"\partial_j v_i"}
    v_it, v_ii, v_ij = (letter(f"v_i{k}", latex) for k, latex in names.items())
    tt, ti, tj, ii, ij, jj = (letter(f"v_i{k}", rf"\partial_{{{k}}} v_i") for k in ("tt", "ti", "tj", "ii", "ij", "jj"))
    w_i, w_j = letter("w_i", r"\ddot y_i"), letter("w_j", r"\ddot y_j")
    d.depends(
        t, {y_i: v_i, y_j: v_j, v_j: w_j, w_j: letter("w_jt")}, "the solution moves with its velocity; w is its second derivative"
    )
    second = d.given(r"\ddot y_i", v_it + v_ii * v_i + v_ij * v_j, "the chain rule: Dv, the derivative of v along (v, 1)")
    d.depends(t, {v_i: second, v_it: tt + ti * v_i + tj * v_j}, "the partial derivatives change along the path, too")
    d.depends(t, {v_ii: ti + ii * v_i + ij * v_j, v_ij: tj + ij * v_i + jj * v_j}, "in the same way; mixed ones agree")
    keeps = tt + 2 * ti * v_i + 2 * tj * v_j + ii * v_i**2 + 2 * ij * v_i * v_j + jj * v_j**2
    third = d.derivative(second, t, keeps + v_ii * second + v_ij * w_j, "the third derivative")
    d.equal(
        third - keeps,
        (v_ii * w_i + v_ij * w_j).xreplace({w_i: second}),
        "D^2 v, with the direction held, plus the Jacobian times y''",
    )
    d.misprint(keeps, "the Jacobian forgotten: as if the velocity did not depend on the state", right=third)


@derivation(ode_steps.euler)
def euler(d):
    """The step along the tangent. What is left out is h^2/2 y'' to leading order: first order over a fixed time."""
    solution = path(d, 2)
    step = d.given("y_s", y + h * v_t, "along the velocity where the step starts")
    d.expand(solution - step, h, h**2 / 2 * v_1, 2, "local error: half of the second derivative, which is Dv = v_t + v v_y")
    d.misprint(y - h * v_t, "h taken for positive in a step towards the data, where it is negative")
    d.conclude(step)


@derivation(ode_steps.heun)
def heun(d):
    """The mean of the slopes at both ends: right up to h^2, with the error -D^2v/12 + J y''/6 times h^3."""
    solution, end = path(d, 3), ahead(d, Rational(1), 2)
    step = d.given("y_s", y + h * (v_t + v_s) / 2, "the trapezoid, with the end predicted by Euler")
    d.expand((solution - step).xreplace({v_s: end}), h, h**3 * (SIXTH * j - TWELFTH * v_2), 3, "local error: nothing up to h^2")
    d.misprint(y + h * (v_t + v_s), "the half lost: two steps in one")
    d.misprint(y + h * v_s, "the second slope alone: no better than Euler")
    d.conclude(step)


@derivation(ode_steps.midpoint)
def midpoint(d):
    """The slope in the middle: right up to h^2, with the error D^2v/24 + J y''/6 times h^3."""
    solution, middle = path(d, 3), ahead(d, HALF, 2)
    step = d.given("y_s", y + h * v_mid, "the whole step along the slope in the middle")
    d.expand((solution - step).xreplace({v_mid: middle}), h, h**3 * (SIXTH * j + v_2 / 24), 3, "local error: nothing up to h^2")
    d.misprint(y + h / 2 * v_mid, "half a step along the slope in the middle")
    d.conclude(step)


@derivation(id="ode.order_conditions", title="order conditions of two stages", source=f"{HAIRER}, sec. II.1")
def order_conditions(d):
    """A second slope at the fraction c, weights b_1 and b_2: first order needs b_1 + b_2 = 1, second order b_2 c = 1/2.

    Heun is c = 1, the midpoint c = 1/2; every c but 0 has its member.
    """
    solution, second = path(d, 2), ahead(d, c, 1)
    step = d.given("y_s", y + h * (b_1 * v_t + b_2 * second), "two slopes, weighted")
    conditions = d.match(step, solution, [h, v_t, v_1], "equal up to h^2, for every velocity")
    with d.suppose(c > 0, "the second slope is another one than the first"):
        d.solve(conditions, {b_2: 1 / (2 * c), b_1: 1 - 1 / (2 * c)}, "one family, with c free")
    d.equal((1 / (2 * c)).xreplace({c: Rational(1)}), HALF, "Heun: half and half")
    d.equal((1 - 1 / (2 * c)).xreplace({c: HALF}), 0, "the midpoint: the first slope is not used")
    third = path(d, 3) - (y + h * ((1 - 1 / (2 * c)) * v_t + ahead(d, c, 2) / (2 * c)))
    d.equal(third, h**3 * (j / 6 + (SIXTH - c / 4) * v_2), "its local error: c = 2/3 (Ralston) leaves the Jacobian's part alone")
    d.misprint(SIXTH - c / 2, "the error's factor with the slope's own Taylor coefficient forgotten", right=SIXTH - c / 4)


@derivation(id="ode.global_order", title="local errors of h^(p+1) add up to an error of order p", source=f"{HAIRER}, sec. II.3")
def global_order(d):
    """n steps of length T / n, each erring by K h^(p+1) and magnifying old errors by at most 1 + L h: see q_n = (1 + L h)^n."""
    error, K, q = letter("e", "e_n", domain=NONNEGATIVE), letter("K", domain=NONNEGATIVE), letter("q", "q_n", domain=NONNEGATIVE)
    step, L, power = letter("step", "h", domain=POSITIVE), letter("L", domain=POSITIVE), letter("power", "h^p", domain=POSITIVE)
    bound = d.induction(
        error, 0, (1 + L * step) * error + K * power * step, K * power / L * (q - 1), {q: 1}, {q: q * (1 + L * step)},
        "the old error, magnified, and a new one of K h^p h", "<=",
    )  # fmt: skip
    d.equal(bound, (q - 1) / L * K * power, "h^p times a constant, since (1 + L h)^n is at most exp(L T)")
