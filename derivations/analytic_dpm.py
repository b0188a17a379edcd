r"""Analytic-DPM: the best variance of the reverse step by the score, for an arbitrary law of the data, and its bounds.

The noise in :math:`x_t` has variance 1, part of which :math:`x_t` tells: the mean of the noise given :math:`x_t` is the score times
:math:`-\sqrt{1 - \bar\alpha_t}`. What is left is the spread of the noise, and with it that of the data:

.. math:: \mathbb{E}\operatorname{Var}[x_0 \mid x_t] = \frac{1 - \bar\alpha_t}{\bar\alpha_t}
    \left(1 - (1 - \bar\alpha_t)\, \mathbb{E}\lVert\nabla\log p_t\rVert^2 / D\right)

(Bao et al. 2022). One coordinate stands for all; the mean over coordinates is that of their squares.
"""

from sympy import Eq, Integer, Rational, log, sqrt

from verifydiff.forms import ddim, ddpm, forward, variance
from verifydiff.forms.quantities import POSITIVE, UNIT, abar_s, abar_t, alpha_t, beta_t, eta, sigma_t, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.forms.variance import BAO, score_norm, spread
from verifydiff.proof import Gaussian, claim, derivation, letter

k = letter("k", "k")
P, P_x = letter("P", "p_t(x_t)", domain=POSITIVE), letter("P_x", "p_t'(x_t)")
M, S = letter("M", r"\int \epsilon\, q"), letter("S", r"\int \epsilon^2 q")
X, XX = letter("X", r"\int x_0\, q"), letter("XX", r"\int x_0^2 q")
left, all_ = letter("left", r"\mathbb{E}\operatorname{Var}[\epsilon \mid x_t]"), letter("all", r"\mathbb{E}[\epsilon^2]")
G = letter("G", r"\mathbb{E}(\nabla\log p_t)^2")
A, V = sqrt(abar_t), 1 - abar_t


@derivation(variance.spread_by_score)
def spread_by_score(d):
    """The variance of the noise is what x_t tells of it and what it does not; the score knows the first."""
    data = d.law("q")(x_0)
    kernel = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, d.use(forward.mean), d.use(forward.variance)), "the forward marginal")
    density, noise = d.normalised(kernel), d.use(forward.eps_from_x0)
    joint = data * density
    bend = d.boundary((x_t - A * x_0) * density, x_t, "a normal density times a polynomial vanishes at both ends")
    one = d.in_turn(data, density, [x_t], [x_0], "all is one")
    none = d.in_turn(data, bend, [x_t], [x_0], "by parts")
    square = d.in_turn(Integer(1), noise**2 * joint, [x_0], [x_t], "in the other order: given x_t first", S, all_)
    total = d.integrate([(1, square)], [(1, one), (-1, none)], [x_0, x_t], {}, "the mean square of the noise, whatever the data")
    moments(d, joint, noise)
    told = told_by(d, joint, noise)
    split = d.integrate(
        [(1, S - told)], [(1, S), (-V, score_t**2 * P)], [x_t], {S - told: left, S: all_, score_t**2 * P: G},
        "the variance given x_t is S / P - (M / P)^2, to be averaged over x_t: what is not told, and what is",
    )  # fmt: skip
    d.solve([total, split], {all_: Integer(1), left: 1 - V * G}, "so the score knows what of the noise x_t does not tell")
    d.misprint(V / abar_t * (1 - score_norm), "the scale of the score is forgotten")
    d.conclude((V / abar_t * (1 - V * G)).xreplace({G: score_norm}), "one coordinate stands for all")


def told_by(d, joint, noise):
    """P times the square of the mean of the noise given x_t, by the score: the kernel's slope is the kernel times the noise."""
    slope = d.under_integral(P, x_t, P_x, "the kernel is Gaussian: its slope is bounded")
    mean = d.integrate(
        [(1, noise * joint)], [(-sqrt(V), slope)], [x_0], {noise * joint: M, slope: P_x}, "the noise by the slope of the kernel"
    )
    of_marginal = d.derivative(log(P), x_t, P_x / P, "the score of the noised data")
    d.depend(score_t, frozenset((x_t,)))
    d.solve(
        [mean, claim(Eq(score_t * P, of_marginal * P))], {P_x: score_t * P, M: -sqrt(V) * score_t * P}, "E[noise | x_t] = M / P"
    )
    return d.equal((M**2 / P).xreplace({M: -sqrt(V) * score_t * P}), V * score_t**2 * P, "the square of the mean, by the score")


def moments(d, joint, noise):
    """The variance of x_0 given x_t is that of the noise times (1 - abar_t) / abar_t."""
    named = {joint: P, noise * joint: M, noise**2 * joint: S, x_0 * joint: X, x_0**2 * joint: XX}
    first = d.integrate(
        [(A, x_0 * joint)],
        [(x_t, joint), (-sqrt(V), noise * joint)],
        [x_0],
        named,
        "sqrt(abar_t) x_0 = x_t - sqrt(1 - abar_t) noise",
    )
    second = d.integrate(
        [(abar_t, x_0**2 * joint)],
        [(x_t**2, joint), (-2 * x_t * sqrt(V), noise * joint), (V, noise**2 * joint)],
        [x_0],
        named,
        "squared",
    )
    values = {X: (x_t * P - sqrt(V) * M) / A, XX: (x_t**2 * P - 2 * x_t * sqrt(V) * M + V * S) / abar_t}
    d.solve([first, second], values, "the moments of x_0 given x_t")
    d.equal((XX / P - X**2 / P**2).xreplace(values), V / abar_t * (S / P - M**2 / P**2), "the variance of x_0 by that of the noise")


@derivation(variance.analytic)
def analytic(d):
    """The spread of the data by the score, put into the best variance."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the bound on sigma")
    found = d.use(variance.family).xreplace({spread: d.use(variance.spread_by_score)})
    told = 1 - V * score_norm
    d.misprint(
        sigma_t**2 + (sqrt(V * alpha_t) - sqrt(1 - abar_s - sigma_t**2)) ** 2 * told,
        "multiplied by alpha where it should be divided",
    )
    d.conclude(found)


@derivation(variance.analytic_ddpm)
def analytic_ddpm(d):
    """At eta = 1 most of the formula cancels."""
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(
        d.use(variance.optimal).xreplace({spread: d.use(variance.spread_by_score)}),
        beta_t / alpha_t * (1 - beta_t * score_norm),
        "the same by the spread",
    )
    d.misprint(d.use(ddpm.large_variance) * (1 - beta_t * score_norm), "beta for beta / alpha")
    d.conclude(d.use(variance.analytic, at={sigma_t: scale}))


@derivation(id="variance.analytic_bounds", title="bounds of the best variance, whatever the data", source=f"{BAO}, theorem 2")
def analytic_bounds(d):
    """Neither the spread nor the square of the score is negative: the one bounds it from below, the other from above."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the bound on sigma")
    best = d.use(variance.family)
    d.equal(best, (sigma_t**2 + k**2 * spread).xreplace({k: d.use(ddim.x_0_coefficient)}), "with k for the coefficient of x_0")
    d.at_most(sigma_t**2, sigma_t**2 + k**2 * spread, "the spread is not negative: at least sigma_t^2")
    d.at_most(
        d.use(variance.spread_by_score),
        V / abar_t,
        "the mean square of the score is not negative: the spread is at most that of the noise",
    )
    widest = best.xreplace({spread: V / abar_t})
    d.equal(widest, sigma_t**2 + (sqrt(V / alpha_t) - sqrt(1 - abar_s - sigma_t**2)) ** 2, "the upper bound as the paper writes it")
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(scale**2, d.use(ddpm.posterior_variance), "at eta = 1 the lower bound is beta-tilde")
    d.equal(widest.xreplace({sigma_t: scale}), beta_t / alpha_t, "and the upper one beta / alpha")
    d.misprint(
        widest.xreplace({sigma_t: scale}),
        "beta is said to bound it whatever the data",
        right=d.use(ddpm.large_variance),
        relation="<=",
    )
    d.at_most(
        d.use(variance.analytic_ddpm), beta_t / alpha_t, "so the best DDPM variance is at most beta / alpha, whatever the data"
    )


@derivation(id="variance.bounded_data", title="bounds of the best variance for data in an interval", source=f"{BAO}, theorem 2")
def bounded_data(d):
    """A variable between a and b has at most the variance (b - a)^2 / 4 (Popoviciu), given anything."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the bound on sigma")
    y = letter("y", "y", domain=UNIT)
    law = d.law("q")(y, given=x_t)
    first, second, around = (
        letter("m_1", r"\mathbb{E}[y]"),
        letter("m_2", r"\mathbb{E}[y^2]"),
        letter("c", r"\mathbb{E}(y - 1/2)^2"),
    )
    half, quarter = Rational(1, 2), Rational(1, 4)
    off = (y - half) ** 2 * law
    d.integrate(
        [(1, off)], [(quarter, law)], [y], {off: around}, "x_0 = a + (b - a) y with y in [0, 1]: |y - 1/2| <= 1/2", relation="<="
    )
    found = d.integrate(
        [(1, off)],
        [(1, y**2 * law), (-1, y * law), (quarter, law)],
        [y],
        {off: around, y**2 * law: second, y * law: first},
        "expand",
    )
    d.solve([found], {second: around + first - quarter}, "the second moment by the one around 1/2")
    d.at_most(
        (second - first**2).xreplace({second: around + first - quarter}),
        around,
        "the variance is at most the mean square around 1/2",
    )
    length, part = letter("length", "b - a", domain=POSITIVE), letter("part", "4 Var[y]", domain=UNIT)
    best, slope = d.use(variance.family), d.use(ddim.x_0_coefficient)
    bound = sigma_t**2 + slope**2 * (length / 2) ** 2
    d.misprint(
        sigma_t**2 + (sqrt(abar_s) - sqrt(1 - abar_s - sigma_t**2)) ** 2 * (length / 2) ** 2,
        "the factor sqrt(abar_t / (1 - abar_t)) of the second root is lost",
        right=bound,
    )
    d.equal(best, (sigma_t**2 + k**2 * spread).xreplace({k: slope}), "with k for the coefficient of x_0")
    d.at_most(
        sigma_t**2 + k**2 * (length**2 * part / 4), sigma_t**2 + k**2 * (length / 2) ** 2,
        "Var[x_0 | x_t] = (b - a)^2 Var[y] is at most (b - a)^2 / 4",
    )  # fmt: skip
