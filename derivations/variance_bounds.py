r"""Is beta an upper bound? The best variance against the two common choices, by the variance c of the data.

The mean of :math:`x_0` given :math:`x_t` is at least as good an estimate as any affine one, whatever the data. The best affine
estimate knows the data by their variance c alone, and so bounds the best variance of the reverse step:

.. math:: \tilde\beta_t \le \sigma_t^{*2} \le \beta_t \frac{1 - \bar\alpha_s + c\,\bar\alpha_s}{1 - \bar\alpha_t + c\,\bar\alpha_t}
    < \frac{\beta_t}{\alpha_t}

with equality on the right for Gaussian data. For :math:`c \le 1` the bound is at most :math:`\beta_t`; for Gaussian data with
:math:`c > 1` the best variance is larger than :math:`\beta_t`. That :math:`\beta_t` and :math:`\tilde\beta_t` are bounds is said by
Ho et al. 2020 (sec. 3.2) of data of unit variance only, and in this form is true.
"""

from sympy import Integer, log, sqrt

from verifydiff.forms import ddpm, forward, variance
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    UNIT,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_mean,
    data_variance,
    x_0,
    x_s,
    x_t,
)
from verifydiff.forms.variance import spread
from verifydiff.proof import Gaussian, derivation, letter

SOHL, HO = "Sohl-Dickstein et al. 2015", "Ho et al. 2020"
k = letter("k", "k")
A, V, c = sqrt(abar_t), 1 - abar_t, data_variance
v_s, v_t = 1 - abar_s + c * abar_s, 1 - abar_t + c * abar_t
part = letter("part", r"\rho", domain=UNIT)


@derivation(variance.linear_spread)
def linear_spread(d):
    """The error of m_0 + k (x_t - sqrt(abar_t) m_0) is a parabola in k."""
    error = d.given(
        r"\mathbb{E}(x_0 - g)^2", (1 - k * A) ** 2 * c + k**2 * V, "what is left of the data, and the noise that comes in"
    )
    best = A * c / v_t
    d.derivative(error, k, 2 * (k * v_t - A * c), "the slope of the parabola")
    d.equal(
        error,
        error.xreplace({k: best}) + v_t * (k - best) ** 2,
        "so the smallest error is at k = sqrt(abar_t) c / (1 - abar_t + c abar_t)",
    )
    d.misprint(c, "the data are left as spread as they were")
    d.conclude(error.xreplace({k: best}))


@derivation(
    id="variance.linear_bound",
    title="x_0 given x_t is spread at most as the best affine estimate errs",
    source="Kay 1993, sec. 12.3",
)
def linear_bound(d):
    """Whatever the data: over x_t first, the error knows their variance alone; over x_0 first, it is the spread and a square."""
    data = d.law("q")(x_0)
    kernel = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, d.use(forward.mean), d.use(forward.variance)), "the forward marginal")
    density = d.normalised(kernel)
    joint, guess = data * density, data_mean + k * (x_t - A * data_mean)
    once, twice = d.boundary(density, x_t, "normal"), d.boundary((x_t - A * x_0) * density, x_t, "normal, times a polynomial")
    C, error = letter("C", "c"), letter("error", r"\mathbb{E}(x_0 - g)^2")
    forward_order, both = ([x_t], [x_0]), [x_0, x_t]
    wide = d.in_turn((x_0 - data_mean) ** 2 * data, density, *forward_order, "x_t first: the variance of the data", outer_named=C)
    cross = d.in_turn((x_0 - data_mean) * data, once, *forward_order, "x_t first: the noise has mean 0")
    one, bend = (
        d.in_turn(data, piece, *forward_order, "x_t first: the noise has variance 1 - abar_t") for piece in (density, twice)
    )
    whole = (x_0 - guess) ** 2 * joint
    found = d.integrate(
        [(1, whole)],
        [((1 - k * A) ** 2, wide), (2 * k * (1 - k * A) * V, cross), (k**2 * V, one), (-(k**2) * V, bend)], both, {whole: error},
        "x_0 - g = (1 - k sqrt(abar_t)) (x_0 - m_0) - k (x_t - sqrt(abar_t) x_0)",
    )  # fmt: skip
    P = letter("P", "p_t(x_t)", domain=POSITIVE)
    M, S = letter("M", r"\int x_0\, q"), letter("S", r"\int x_0^2 q")
    names = [letter(f"I_{n}", rf"\mathbb{{E}}[{power}]") for n, power in enumerate(("g^2", "g x_0", "x_0^2"))]
    backward = [x_0], [x_t]
    pieces = [
        d.in_turn(coefficient, power * joint, *backward, "x_0 first, for held x_t", inner, outer)
        for coefficient, power, inner, outer in zip(
            (guess**2, guess, Integer(1)), (Integer(1), x_0, x_0**2), (P, M, S), names, strict=True
        )
    ]
    d.integrate(
        [(1, whole)],
        [(1, pieces[0]), (-2, pieces[1]), (1, pieces[2])],
        both,
        {whole: error},
        "the same integral in the other order",
    )
    best = A * c / v_t
    d.equal(
        found.rhs.xreplace({C: c, k: best}),
        d.use(variance.linear_spread),
        "at the best k it is the error of the best affine estimate",
    )
    left = letter("left", r"\mathbb{E}\operatorname{Var}[x_0 \mid x_t]")
    products = {guess**2 * P: names[0], guess * M: names[1], S: names[2]}
    d.integrate(
        [(1, S - M**2 / P)], [(1, guess**2 * P), (-2, guess * M), (1, S)], [x_t], {**products, S - M**2 / P: left},
        "given x_t, the variance of x_0 is at most the mean square around g, by P (M / P - g)^2: so it is on average",
        relation="<=",
    )  # fmt: skip


@derivation(variance.gaussian_data)
def gaussian_data(d):
    """For Gaussian data the reverse step is Gaussian, and Bayes' rule gives its covariance, eigenvalue by eigenvalue."""
    d.spectral("C", c, "the covariance of the data; those of x_s, of x_t and of the step are functions of it")
    with d.suppose(c > 0, "a direction in which the data are spread, so that x_s has a density"):
        likelihood = d.given(r"q(x_t \mid x_s)", Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t), "the kernel, along an eigenvector")
        prior = d.given("q(x_s)", Gaussian(x_s, sqrt(abar_s) * data_mean, v_s), "the data, scaled, and their noise")
        evidence = d.given("q(x_t)", Gaussian(x_t, A * data_mean, v_t), "the same at t")
        mean = sqrt(abar_s) * data_mean + sqrt(alpha_t) * v_s / v_t * (x_t - A * data_mean)
        law = d.bayes(likelihood, prior, evidence, Gaussian(x_s, mean, beta_t * v_s / v_t), "complete the square in x_s")
    best = d.use(variance.optimal).xreplace({spread: d.use(variance.linear_spread)})
    d.equal(best, law.variance, "for other data it is what the best affine estimate makes of the best variance: a bound")
    d.equal(law.variance.xreplace({c: Integer(0)}), d.use(ddpm.posterior_variance), "no spread: beta-tilde")
    d.equal(law.variance.xreplace({c: Integer(1)}), d.use(ddpm.large_variance), "unit variance: beta")
    d.misprint(beta_t * v_t / v_s, "the variances of the two marginals have changed places")
    d.conclude(law.variance)


@derivation(
    id="variance.at_most_beta",
    title="beta bounds the best variance where the variance of the data is at most 1",
    source=f"{HO}, sec. 3.2",
)
def at_most_beta(d):
    """What the spread of x_0 is of its linear bound is some share; with c at most 1 that is enough for beta, whatever the law."""
    d.assume(c <= 1, "the variance of the data along the direction")
    best = d.use(variance.optimal).xreplace({spread: d.use(variance.linear_spread) * part})
    d.at_most(d.use(ddpm.posterior_variance), best, "at least beta-tilde")
    d.at_most(best, d.use(variance.gaussian_data), "at most that of Gaussian data")
    d.at_most(d.use(variance.gaussian_data), d.use(ddpm.large_variance), "which for c <= 1 is at most beta")


@derivation(
    id="variance.above_beta",
    title="beta is no upper bound where the variance of the data is larger than 1",
    source=f"{SOHL}, sec. 2",
)
def above_beta(d):
    """The marginals then lose variance on the way to the noise, and the reverse step has to win it back."""
    best, beta = d.use(variance.gaussian_data), d.use(ddpm.large_variance)
    d.misprint(best, "beta is always an upper bound", right=beta, relation="<=")
    d.misprint(best, "beta-tilde is always the best variance", right=d.use(ddpm.posterior_variance))
    d.less(best, beta / alpha_t, "beta / alpha bounds the variance for any c")
    d.equal(v_s - v_t, (abar_s - abar_t) * (c - 1), "the marginal at s is wider than that at t exactly if c > 1")
    with d.suppose(c > 1, "data of variance larger than 1 along the direction"):
        d.less(beta, best, "for Gaussian data the best variance is then larger than beta")


@derivation(
    id="variance.isotropic",
    title="one variance for all coordinates: the average variance of the data decides",
    source=f"{HO}, sec. 3.2",
)
def isotropic(d):
    """The bound is concave in c, so its mean over directions is at most its value at the mean of the variances.

    So beta bounds the best common variance if the data have variance at most 1 on average over the coordinates.
    """
    mean, one = letter("c_mean", r"\bar c", domain=NONNEGATIVE), letter("c_i", "c_i", domain=NONNEGATIVE)
    count, total = letter("D", "D", domain=POSITIVE), letter("C_D", r"\sum c_i", domain=NONNEGATIVE)
    bound, variances = d.use(variance.gaussian_data), letter("variances", r"\sum \sigma_i^2")
    at_mean, here = bound.xreplace({c: mean}), bound.xreplace({c: one})
    slope = beta_t * (abar_s - abar_t) / (1 - abar_t + mean * abar_t) ** 2
    tangent = at_mean + slope * (one - mean)
    d.derivative(at_mean, mean, slope, "the slope of the bound along the variance")
    d.at_most(here, tangent, "concave: below its tangent at the mean")
    summed = d.induction(
        term=variances, first=tangent, then=variances + tangent, closed=count * at_mean + slope * (total - count * mean),
        at_first={count: 1, total: one}, advanced={count: count + 1, total: total + one}, because="the sum of the tangents",
    )  # fmt: skip
    d.equal(
        summed.xreplace({total: count * mean}) / count,
        at_mean,
        "with the mean for the mean, the slopes cancel: the bound at the mean",
    )
    with d.suppose(mean <= 1, "variance at most 1 on average"):
        d.at_most(at_mean, d.use(ddpm.large_variance), "then beta bounds the best variance that all coordinates share")


@derivation(
    id="variance.entropy_bounds", title="the entropy of the reverse step lies between two known ones", source=f"{SOHL}, sec. 2.6"
)
def entropy_bounds(d):
    """The entropy of x_s given x_t is at least that given x_0 as well, and by Bayes' rule tied to that of x_t given x_s.

    The upper bound holds where the entropy does not fall along the chain; where it falls, it fails, as beta does.
    """
    q = d.law("q")
    everything = [x_0, x_s, x_t]
    known, free, joint = q(x_s, given=(x_t, x_0)), q(x_s, given=x_t), q(x_0, x_s, x_t)
    information = letter("I", r"I(x_0; x_s | x_t)", domain=NONNEGATIVE)
    told = d.gibbs(joint, q(x_0, x_t) * free, everything, information, "what x_0 tells of x_s beyond x_t")
    given_both, given_t = letter("h_0", r"-H(x_s | x_t, x_0)"), letter("h_t", r"-H(x_s | x_t)")
    named = {joint * log(known): given_both, joint * log(free): given_t, told: information}
    lower = d.integrate(
        [(1, joint * log(free))],
        [(1, joint * log(known)), (-1, told)],
        everything,
        named,
        "q(x_0, x_s, x_t) is q(x_0, x_t) q(x_s | x_t, x_0)",
    )
    d.at_most(-given_both, -lower.rhs, "conditioning does not raise the entropy: with x_0 known it is that of beta-tilde")
    forward, H_s, H_t = letter("h_f", r"-H(x_t | x_s)"), letter("h_s", r"-H(x_s)"), letter("h", r"-H(x_t)")
    terms = {joint * log(q(x_t, given=x_s)): forward, joint * log(q(x_s)): H_s, joint * log(q(x_t)): H_t}
    ahead, before, after = terms
    upper = d.integrate(
        [(1, joint * log(free))],
        [(1, ahead), (1, before), (-1, after)],
        everything,
        {**named, **terms},
        "Bayes: q(x_s | x_t) = q(x_t | x_s) q(x_s) / q(x_t)",
    )
    growth = letter("growth", r"H(x_t) - H(x_s)", domain=NONNEGATIVE)
    d.misprint(-upper.rhs, "the upper bound is given without its hypothesis", right=-forward, relation="<=")
    d.at_most(
        -upper.rhs.xreplace({H_s: H_t + growth}),
        -forward,
        "H(x_s | x_t) is at most H(x_t | x_s), that of beta, if H(x_s) is at most H(x_t)",
    )
