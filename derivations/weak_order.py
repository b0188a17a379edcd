r"""How wrong one step along the reverse SDE is: exact moments for Gaussian data.

For data of mean :math:`m_0` and variance c the marginal at t is N(m, v) and the score a straight line, so that a step maps a
Gaussian to a Gaussian. Started in the exact marginal at t it should arrive in that at s:
:math:`m_s = m / \sqrt{1 - \beta}` and :math:`v_s = (v - \beta) / (1 - \beta)`. What is missing is of order :math:`\beta^2`,
one order more than a single step adds: the steps are of weak order one. The leading term tells them apart.
"""

from sympy import Integer, Rational, exp, sqrt

from verifydiff.forms import reverse_steps
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    PROPER_FRACTION,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_variance,
    x_s,
    x_t,
    z,
)
from verifydiff.forms.reverse_steps import SONG_SDE as SONG
from verifydiff.forms.score import score_t
from verifydiff.proof import Gaussian, derivation, letter

KLOEDEN = "Kloeden & Platen 1992"

b = letter("b", r"\beta", domain=PROPER_FRACTION)
m, v = letter("m"), letter("v", domain=POSITIVE)
ONE, NONE = Integer(1), Integer(0)
EXACT = (v - b) / (1 - b)


def after(form):
    """Mean and variance after one step from N(m, v), with the score of N(m, v)."""
    step = form.expression.xreplace({beta_t: b}).xreplace({score_t: -(x_t - m) / v, alpha_t: 1 - b})
    mean = step.xreplace({z: NONE})
    slope = mean.xreplace({x_t: ONE, m: NONE})
    return step, slope, mean.xreplace({x_t: m}), slope**2 * v + step.xreplace({z: ONE, x_t: NONE, m: NONE}) ** 2


@derivation(id="weak.exact", title="where the exact reverse step leads", source=f"{SONG}, app. B")
def exact(d):
    """The marginals of Gaussian data at s, written by those at t."""
    spread = d.given("v", abar_t * data_variance + 1 - abar_t, "data scaled by the signal, plus the noise")
    d.equal(
        (spread - beta_t) / (1 - beta_t), abar_s * data_variance + 1 - abar_s, "v_s = (v - beta) / (1 - beta): the step, undone"
    )
    d.expand(EXACT, b, v + b * (v - 1) + b**2 * (v - 1), 2, "for small beta")
    d.equal(EXACT.xreplace({v: ONE}), 1, "unit variance stays")
    d.misprint(v / (1 - b), "the signal undone, the noise forgotten", right=EXACT)


@derivation(id="weak.gaussian_step", title="mean and variance after a step with the exact score", source=f"{KLOEDEN}")
def gaussian_step(d):
    """The step is affine in the state and in fresh noise: the state is integrated out."""
    a, c = letter("a", domain=POSITIVE), letter("c", domain=POSITIVE)
    before = d.given("p(x_t)", Gaussian(x_t, m, v), "the exact marginal at t")
    step = d.given(r"p(x_s \mid x_t)", Gaussian(x_s, m + a * (x_t - m), c**2), "an affine step")
    total = a**2 * v + c**2
    back = Gaussian(x_t, m + a * v / total * (x_s - m), v * c**2 / total)
    d.marginalise(before, step, back, Gaussian(x_s, m, total), "variances add after scaling")
    d.misprint(a * v + c, "slope and noise not squared", right=total)


def local_error(d, form, second, mean_second):
    """The variance and the mean after one step, minus the exact ones, to second order."""
    d.use(form)
    step, slope, mean, variance = after(form)
    d.equal(step.xreplace({z: NONE}), mean + slope * (x_t - m), "the step, around the mean")
    d.expand(variance - EXACT, b, second * b**2, 2, "its variance, minus the exact one: nothing of first order")
    factor = mean.xreplace({m: ONE})
    d.equal(mean, factor * m, "its mean")
    d.expand(factor - 1 / sqrt(1 - b), b, mean_second * b**2, 2, "minus the exact one, for each unit of the mean")


@derivation(id="weak.euler_maruyama", title="local error of Euler-Maruyama, for Gaussian data", source=f"{KLOEDEN}")
def euler_maruyama(d):
    """Variance: beta^2 (1/v - 3v/4). Mean: -3/8 of beta^2. Neither vanishes for all data."""
    local_error(d, reverse_steps.euler_maruyama, 1 / v - 3 * v / 4, Rational(-3, 8))
    d.misprint((1 / v - 3 * v / 4).xreplace({v: ONE}), "no error for data of unit variance: that is the ancestral step's", right=0)


@derivation(id="weak.reverse_diffusion", title="local error of the reverse diffusion step, for Gaussian data", source=f"{KLOEDEN}")
def reverse_diffusion(d):
    """Variance: beta^2 (1/v - v/2). Mean: -1/4 of beta^2."""
    local_error(d, reverse_steps.reverse_diffusion, 1 / v - v / 2, Rational(-1, 4))
    d.less(1 / v - 3 * v / 4, 1 / v - v / 2, "its variance is above that of Euler-Maruyama, by beta^2 v / 4")


@derivation(
    id="weak.ancestral", title="local error of the ancestral step with variance beta, for Gaussian data", source=f"{KLOEDEN}"
)
def ancestral(d):
    """Variance: beta^2 (1/v - 1), which vanishes for data of unit variance. The mean is exact."""
    form = reverse_steps.ancestral
    d.use(form)
    _, _, mean, variance = after(form)
    d.equal(mean, m / sqrt(1 - b), "the mean is exact, for every beta")
    d.equal(variance - EXACT, b**2 / (1 - b) * (1 / v - 1), "the variance is too large for narrow data, too small for wide ones")
    d.expand(variance - EXACT, b, (1 / v - 1) * b**2, 2, "to second order")
    d.equal((variance - EXACT).xreplace({v: ONE}), 0, "and exact for unit variance, for every beta: there it is the posterior")
    d.misprint(variance, "the ancestral step taken to be exact for all data", right=EXACT)


@derivation(id="weak.slope", title="a reverse step also has to shrink towards the mean by the right amount", source=f"{KLOEDEN}")
def slope(d):
    """The joint law of both ends: the exact slope of x_s over x_t is Cov / v = sqrt(alpha) v_s / v, met to O(beta^2)."""
    exact_slope = d.given("slope", sqrt(1 - b) * EXACT / v, "Cov(x_s, x_t) = sqrt(alpha) v_s, divided by the variance of x_t")
    d.equal(after(reverse_steps.ancestral)[1], exact_slope, "the ancestral step has it exactly")
    d.expand(after(reverse_steps.euler_maruyama)[1] - exact_slope, b, (Rational(-3, 8) + 1 / (2 * v)) * b**2, 2, "Euler-Maruyama")
    d.expand(
        after(reverse_steps.reverse_diffusion)[1] - exact_slope, b, (Rational(-1, 4) + 1 / (2 * v)) * b**2, 2, "reverse diffusion"
    )


@derivation(id="weak.global", title="local errors of beta^2 add up to an error of first order", source=f"{KLOEDEN}, ch. 14")
def total_error(d):
    """If a step errs by at most K beta^2 and magnifies old errors by at most 1 + L beta, n steps of beta = T / n err by O(1/n).

    The sum of a geometric series, bounded by induction; (1 + L beta)^n is at most exp(L T).
    """
    error, n, K, power = (letter(k, x, domain=NONNEGATIVE) for k, x in (("e", "e_n"), ("n", "n"), ("K", "K"), ("q", "q_n")))
    step, L = letter("step", r"\beta", domain=POSITIVE), letter("L", domain=POSITIVE)
    bound = d.induction(
        error, 0, (1 + L * step) * error + K * step**2, K * step / L * (power - 1), {power: 1}, {power: power * (1 + L * step)},
        "the old error, magnified, and the new one; q_n = (1 + L beta)^n", "<=",
    )  # fmt: skip
    u = letter("u", domain=NONNEGATIVE)
    d.grows(exp(u) - 1 - u, u, 0, "exp(u) - 1 - u starts at 0 and grows: so 1 + L beta <= exp(L beta), and q_n <= exp(L T)")
    T = letter("T", domain=POSITIVE)
    d.equal(bound.xreplace({step: T / n}), K * T / (L * n) * (power - 1), "with beta = T / n: first order in 1 / n")
