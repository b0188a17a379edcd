r"""The score of the forward kernel, and Tweedie's formula for an arbitrary data density.

.. math:: p_t(x) = \int p_0(x_0) \prod_i \mathcal{N}(x_i \mid \sqrt{\bar\alpha_t}\, x_{0,i}, 1 - \bar\alpha_t)\, dx_0

Nothing is known of :math:`p_0`. What is proved is an identity between integrands: the kernel's derivative is the kernel
times a polynomial. Integrated against :math:`p_0` it says what the moments of :math:`x_0` given :math:`x_t` are. Two
generic coordinates i, j stand for all: the others are constant factors.
"""

from sympy import Integer, exp, sqrt

from verifydiff.forms import forward, score
from verifydiff.forms.quantities import POSITIVE, abar_t, x_t
from verifydiff.forms.score import delta, hessian_t, score_t
from verifydiff.proof import Claim, Gaussian, derivation, letter

x_i, x_j = letter("x_i"), letter("x_j")
y_i, y_j = letter("y_i", "x_{0,i}"), letter("y_j", "x_{0,j}")
A, V = sqrt(abar_t), 1 - abar_t

# integrals against p_0 of the kernel K, of its derivatives, and of K times coordinates of the data
P = letter("P", "p_t", domain=POSITIVE)
P_i, P_j, P_ij = letter("P_i", r"\partial_i p_t"), letter("P_j", r"\partial_j p_t"), letter("P_ij", r"\partial_i \partial_j p_t")
P_ii = letter("P_ii", r"\partial_i^2 p_t")
M_i, M_j, S_ij, S_ii = letter("M_i", "M_i"), letter("M_j", "M_j"), letter("S_ij", "S_{ij}"), letter("S_ii", "S_{ii}")
K = letter("K", "K", domain=POSITIVE)

DOMINATED = "differentiation under the integral: for abar_t < 1 the kernel and its derivatives are bounded, and p_0 is a density"


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


def slopes(d):
    """The kernel of two coordinates, and its slopes along them: the kernel times a polynomial."""
    log_kernel = Gaussian(x_i, A * y_i, V).log_density + Gaussian(x_j, A * y_j, V).log_density
    kernel = exp(d.given(r"\log K", log_kernel, "the kernel of coordinates i and j; the others are constant factors"))
    d.less(0, V, "the kernel is a density with bounded derivatives, which dominate the integrals")
    u_i, u_j = -(x_i - A * y_i) / V, -(x_j - A * y_j) / V
    d.derivative(kernel, x_i, u_i * kernel, "along i, the kernel is multiplied by a polynomial")
    d.derivative(kernel, x_j, u_j * kernel, "along j too")
    return kernel, u_i, u_j


def first_moment(d, x, y, slope, derivative, moment):
    """E[y | x] from one integrated identity: a y K = x K + V K'."""
    identity = d.integrate(
        [(A, y * K)], [(x, K), (V, slope * K)], (y_i, y_j, K), {y * K: moment, K: P, slope * K: derivative},
        f"sqrt(abar_t) x_0 K = x K + (1 - abar_t) K', integrated against p_0; {DOMINATED}",
    )  # fmt: skip
    d.solve([identity], {moment: (x * P + V * derivative) / A}, "the first moment")
    return (x * P + V * derivative) / A


@derivation(score.tweedie_mean)
def tweedie_mean(d):
    """Differentiating the kernel brings down x_0 - so the derivative of p_t knows the mean of x_0."""
    _, slope, _ = slopes(d)
    moment = first_moment(d, x_i, y_i, slope, P_i, M_i)
    d.given(r"\partial_i \log p_t", P_i / P, "the score is the logarithmic derivative")
    d.solve([Claim(score_t, "==", P_i / P)], {P_i: score_t * P}, "so the derivative of p_t is p_t times the score")
    mean = d.equal((moment / P).xreplace({P_i: score_t * P}), (x_i + V * score_t) / A, "E[x_0 | x_t] = M / p_t")
    d.conclude(mean.xreplace({x_i: x_t}))


def second_moment(d, u_i, u_j):
    """E[y_i y_j | x] for different coordinates, from the second derivative of the kernel."""
    curvature = u_i * u_j
    identity = d.integrate(
        [(A**2, y_i * y_j * K)], [(V**2, curvature * K), (-x_i * x_j, K), (A * x_i, y_j * K), (A * x_j, y_i * K)],
        (y_i, y_j, K), {y_i * y_j * K: S_ij, K: P, y_i * K: M_i, y_j * K: M_j, curvature * K: P_ij},
        f"the second derivative of K along i and j, integrated against p_0; {DOMINATED}",
    )  # fmt: skip
    value = (V**2 * P_ij - x_i * x_j * P + A * x_i * M_j + A * x_j * M_i) / abar_t
    d.solve([identity], {S_ij: value}, "the mixed moment")
    return value


@derivation(score.tweedie_covariance)
def tweedie_covariance(d):
    """The second derivative of the kernel brings down two coordinates of x_0."""
    kernel, u_i, u_j = slopes(d)
    d.derivative(u_i * kernel, x_j, u_i * u_j * kernel, "different coordinates: the slopes do not mix")
    d.derivative(u_i * kernel, x_i, (u_i**2 - 1 / V) * kernel, "the same coordinate twice")
    first = {M_i: first_moment(d, x_i, y_i, u_i, P_i, M_i), M_j: first_moment(d, x_j, y_j, u_j, P_j, M_j)}
    mixed, pure = second_moment(d, u_i, u_j), second_moment_of_one(d, u_i)
    curved = {P_ij: from_hessian(d, P_ij, P_i * P_j), P_ii: from_hessian(d, P_ii, P_i**2)}
    apart = (mixed / P - M_i * M_j / P**2).xreplace(first | curved)
    alike = (pure / P - M_i**2 / P**2).xreplace(first | curved)
    d.equal(apart, score.tweedie_covariance.expression.xreplace({delta: Integer(0)}), "i != j: Cov = S / p_t - M_i M_j / p_t^2")
    d.equal(alike, score.tweedie_covariance.expression.xreplace({delta: Integer(1)}), "i = j: Var = S / p_t - M_i^2 / p_t^2")
    d.conclude(delta * alike + (1 - delta) * apart, "delta is 1 where i = j, else 0")


def from_hessian(d, second, product):
    """The second derivative of p_t by that of its logarithm."""
    hessian = d.given(r"\partial\partial \log p_t", second / P - product / P**2, "the quotient rule on the score")
    value = P * (hessian_t + product / P**2)
    d.solve([Claim(hessian_t, "==", hessian)], {second: value}, "the second derivative of p_t by the Hessian of log p_t")
    return value


def second_moment_of_one(d, u_i):
    """E[y_i^2 | x] from the second derivative along one coordinate."""
    curvature = u_i**2 - 1 / V
    identity = d.integrate(
        [(A**2, y_i**2 * K)], [(V**2, curvature * K), (V - x_i**2, K), (2 * A * x_i, y_i * K)],
        (y_i, y_j, K), {y_i**2 * K: S_ii, K: P, y_i * K: M_i, curvature * K: P_ii},
        f"the second derivative of K along i, integrated against p_0; {DOMINATED}",
    )  # fmt: skip
    value = (V**2 * P_ii + (V - x_i**2) * P + 2 * A * x_i * M_i) / abar_t
    d.solve([identity], {S_ii: value}, "the second moment of one coordinate")
    return value
