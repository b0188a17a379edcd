r"""The score of the forward kernel, and Tweedie's formula for an arbitrary data density.

.. math:: p_t(x) = \int p_0(x_0) \prod_i \mathcal{N}(x_i \mid \sqrt{\bar\alpha_t}\, x_{0,i}, 1 - \bar\alpha_t)\, dx_0

Nothing is known of :math:`p_0`. The kernel's derivative is the kernel times a polynomial; differentiated under the integral,
the density of the noised data therefore knows the moments of :math:`x_0` given :math:`x_t`. Two generic coordinates i, j are
written: :math:`p_0` stands for the density of the data times the kernel of the other coordinates, integrated over those, and
it is taken where it is positive. That it integrates to one is nowhere used.
"""

from sympy import Eq, Integer, log, sqrt

from verifydiff.forms import forward, score
from verifydiff.forms.quantities import POSITIVE, abar_t, x_t
from verifydiff.forms.score import delta, hessian_t, score_t
from verifydiff.proof import Gaussian, claim, derivation, letter

x_i, x_j = letter("x_i"), letter("x_j")
y_i, y_j = letter("y_i", "x_{0,i}"), letter("y_j", "x_{0,j}")
A, V = sqrt(abar_t), 1 - abar_t
DATA = (y_i, y_j)

# integrals against p_0 of the kernel K, of its derivatives, and of K times coordinates of the data
P = letter("P", "p_t", domain=POSITIVE)
P_i, P_j, P_ij = letter("P_i", r"\partial_i p_t"), letter("P_j", r"\partial_j p_t"), letter("P_ij", r"\partial_i \partial_j p_t")
P_ii = letter("P_ii", r"\partial_i^2 p_t")
M_i, M_j = letter("M_i", r"\int K p_0\,x_{0,i}"), letter("M_j", r"\int K p_0\,x_{0,j}")
S_ij, S_ii = letter("S_ij", r"\int K p_0\,x_{0,i} x_{0,j}"), letter("S_ii", r"\int K p_0\,x_{0,i}^2")

SMOOTH = "for abar_t < 1 the kernel's derivatives are bounded, and p_0 is a density"


@derivation(score.kernel_score)
def kernel(d):
    """The log density is a parabola; its slope at x_t is minus the noise over the standard deviation."""
    law = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, forward.mean.expression, forward.variance.expression), "the forward marginal")
    slope = d.derivative(
        law.log_density,
        x_t,
        -(x_t - forward.mean.expression) / forward.variance.expression,
        "the normaliser does not depend on x_t",
    )
    d.conclude(slope.xreplace({x_t: forward.noised.expression}), "at x_t written with its noise")


def noised(d):
    """The density of the noised data as an integral, its slopes, and the Gaussian kernel times the density of the data."""
    p_0 = d.function("p_0", of=DATA, latex="p_0", domain=POSITIVE)
    kernel = Gaussian(x_i, A * y_i, V).density * Gaussian(x_j, A * y_j, V).density
    joint = d.given("K p_0", kernel * p_0, "coordinates i and j of the kernel, times the data")
    d.integrate([(1, joint)], [(1, joint)], DATA, {joint: P}, "the density of the noised data")
    d.less(0, V, "the variance of the kernel is positive")
    return joint


def first_moment(d, joint, x, y, derivative, moment):
    """E[y | x] from one integrated identity: a y K = x K + V dK/dx. Returns the moment and the integrand of the slope."""
    slope = d.under_integral(P, x, derivative, SMOOTH)
    identity = d.integrate(
        [(A, y * joint)], [(x, joint), (V, slope)], DATA, {y * joint: moment, joint: P, slope: derivative},
        "the kernel's slope is the kernel times (a x_0 - x) / V, integrated against p_0",
    )  # fmt: skip
    value = (x * P + V * derivative) / A
    d.solve([identity], {moment: value}, "the first moment")
    return value


@derivation(score.tweedie_mean)
def tweedie_mean(d):
    """Differentiating the kernel brings down x_0 - so the derivative of p_t knows the mean of x_0."""
    joint = noised(d)
    moment = first_moment(d, joint, x_i, y_i, P_i, M_i)
    of_marginal = d.derivative(log(P), x_i, P_i / P, "the score is the logarithmic derivative")
    d.solve([claim(Eq(score_t, of_marginal))], {P_i: score_t * P}, "so the derivative of p_t is p_t times the score")
    mean = d.equal((moment / P).xreplace({P_i: score_t * P}), (x_i + V * score_t) / A, "E[x_0 | x_t] = M / p_t")
    d.conclude(mean.xreplace({x_i: x_t}))
    d.misprint(x_t + V * score_t, "the data left in the scale of x_t: right in sigma space only")
    d.misprint((x_t - V * score_t) / A, "a step away from the data: the score points towards them")


@derivation(score.tweedie_covariance)
def tweedie_covariance(d):
    """The second derivative of the kernel brings down two coordinates of x_0."""
    joint = noised(d)
    first = {M_i: first_moment(d, joint, x_i, y_i, P_i, M_i), M_j: first_moment(d, joint, x_j, y_j, P_j, M_j)}
    mixed, pure = second_moment(d, joint), second_moment_of_one(d, joint)
    curved = {P_ij: from_hessian(d, P_ij, x_j, P_j), P_ii: from_hessian(d, P_ii, x_i, P_i)}
    apart = (mixed / P - M_i * M_j / P**2).xreplace(first).xreplace(curved)
    alike = (pure / P - M_i**2 / P**2).xreplace(first).xreplace(curved)
    d.equal(apart, score.tweedie_covariance.expression.xreplace({delta: Integer(0)}), "i != j: Cov = S / p_t - M_i M_j / p_t^2")
    d.equal(alike, score.tweedie_covariance.expression.xreplace({delta: Integer(1)}), "i = j: Var = S / p_t - M_i^2 / p_t^2")
    d.conclude(delta * alike + (1 - delta) * apart, "delta is 1 where i = j, else 0")


def from_hessian(d, second, along, slope):
    """The second derivative of p_t by that of its logarithm."""
    hessian = d.derivative(P_i / P, along, second / P - P_i * slope / P**2, "the quotient rule on the score")
    value = P * (hessian_t + P_i * slope / P**2)
    d.solve([claim(Eq(hessian_t, hessian))], {second: value}, "the second derivative of p_t by the Hessian of log p_t")
    return value


def second_moment(d, joint):
    """E[y_i y_j | x] for different coordinates, from the second derivative of the kernel."""
    curvature = d.under_integral(P_i, x_j, P_ij, SMOOTH)
    identity = d.integrate(
        [(abar_t, y_i * y_j * joint)], [(V**2, curvature), (-x_i * x_j, joint), (A * x_i, y_j * joint), (A * x_j, y_i * joint)],
        DATA, {y_i * y_j * joint: S_ij, joint: P, y_i * joint: M_i, y_j * joint: M_j, curvature: P_ij},
        "the second derivative of the kernel along i and j, integrated against p_0",
    )  # fmt: skip
    value = (V**2 * P_ij - x_i * x_j * P + A * x_i * M_j + A * x_j * M_i) / abar_t
    d.solve([identity], {S_ij: value}, "the mixed moment")
    return value


def second_moment_of_one(d, joint):
    """E[y_i^2 | x] from the second derivative along one coordinate."""
    curvature = d.under_integral(P_i, x_i, P_ii, SMOOTH)
    identity = d.integrate(
        [(abar_t, y_i**2 * joint)], [(V**2, curvature), (V - x_i**2, joint), (2 * A * x_i, y_i * joint)], DATA,
        {y_i**2 * joint: S_ii, joint: P, y_i * joint: M_i, curvature: P_ii},
        "the second derivative of the kernel along i, integrated against p_0",
    )  # fmt: skip
    value = (V**2 * P_ii + (V - x_i**2) * P + 2 * A * x_i * M_i) / abar_t
    d.solve([identity], {S_ii: value}, "the second moment of one coordinate")
    return value
