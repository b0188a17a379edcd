r"""What guidance is said to sample, and why it does not.

The guided score is, at every noise level, that of :math:`p_t(x)\, p_t(y \mid x)^{1+w}` up to a normaliser. It is often
said that guidance therefore samples from the data tilted in the same way, :math:`p(x)\, p(y \mid x)^{1+w}`. But noising and
taking powers do not commute: noise the tilted data, and the score is another one. Gaussian data show by how much.

Along one direction let the data be :math:`\mathcal{N}(m_u, c_u)`, and given the label :math:`\mathcal{N}(m_c, c_c)` with
:math:`c_c < c_u`: a label that says something, as for any jointly Gaussian data and label.
"""

from sympy import Integer, MatrixSymbol, Rational, Symbol, sqrt

from verifydiff.forms import forward, guidance
from verifydiff.forms.guidance import mean_c, mean_u, var_c, var_u
from verifydiff.forms.quantities import POSITIVE, UNIT, abar_t, w, x_0, x_t
from verifydiff.proof import Gaussian, derivation, letter
from verifydiff.proof.matrices import POSITIVE_DEFINITE, quadratic

BRADLEY = "Bradley & Nakkiran 2024, sec. 3"
n = Symbol("n", integer=True, positive=True)
x, mu_c, mu_u = (MatrixSymbol(name, n, 1) for name in ("x", "mu_c", "mu_u"))
C, U = MatrixSymbol("C", n, n), MatrixSymbol("U", n, n)
HALF = Rational(1, 2)
level = letter("level", r"\bar\alpha", domain=UNIT)
mean, variance = letter("mean", "m"), letter("variance", "c", domain=POSITIVE)
noise = letter("noise", "v", domain=POSITIVE)


def informative(d):
    d.assume(var_c < var_u, "the label says something: the data vary less with it than without")


def tilted(d):
    """The two laws of the data, and the density that guidance is said to sample from, along one direction."""
    informative(d)
    given_label = d.given(r"p(x_0 \mid y)", Gaussian(x_0, mean_c, var_c), "the data with the label")
    without = d.given("p(x_0)", Gaussian(x_0, mean_u, var_u), "and without")
    precision = (1 + w) / var_c - w / var_u
    mean = ((1 + w) * mean_c / var_c - w * mean_u / var_u) / precision
    d.less(0, precision, "the precisions combine like the scores; what comes out is a precision")
    law = Gaussian(x_0, mean, 1 / precision)
    exponent = (1 + w) * given_label.log_density - w * without.log_density
    d.derivative(
        exponent - law.log_density, x_0, 0,
        "p(x | y) (p(x | y) / p(x))^w over this Gaussian is free of x: the Gaussian is it, normalised",
    )  # fmt: skip
    return law


@derivation(guidance.tilted_variance)
def tilted_variance(d):
    """Precisions combine like scores."""
    d.conclude(tilted(d).variance)
    d.misprint((1 + w) * var_c - w * var_u, "variances combined in place of precisions: it may even be negative")
    d.misprint(var_c / (1 + w), "the unconditional density forgotten")


@derivation(guidance.tilted_mean)
def tilted_mean(d):
    """Means combine weighed by precisions: the tilted mean lies beyond that of the label, but not by w differences."""
    mean = tilted(d).mean
    d.equal(
        mean - mean_c,
        w * var_c / ((1 + w) * var_u - w * var_c) * (mean_c - mean_u),
        "beyond the mean of the label, away from the other",
    )
    d.conclude(mean)
    d.misprint((1 + w) * mean_c - w * mean_u, "means combined without their precisions")


@derivation(id="guidance.tilted_in_any_dimension", title="the tilted density of two Gaussians, in any dimension", source=BRADLEY)
def tilted_in_any_dimension(d):
    """It exists if the combined precision is positive definite, and then it is the Gaussian of that precision."""
    d.matrices("x mu_c mu_u", (n, 1), "a point, and the means with the label and without")
    d.matrices("C U", (n, n), "the covariances with the label and without", POSITIVE_DEFINITE)
    precision = d.assume_matrix((1 + w) * C.I - w * U.I, POSITIVE_DEFINITE, "the tilted density has a finite integral")
    covariance, pull = precision.inverse(), (1 + w) * C.I * mu_c - w * U.I * mu_u
    mean = covariance * pull
    exponent = -(1 + w) * HALF * quadratic(C.I, x - mu_c) + w * HALF * quadratic(U.I, x - mu_u)
    rest = HALF * quadratic(covariance, pull) - (1 + w) * HALF * quadratic(C.I, mu_c) + w * HALF * quadratic(U.I, mu_u)
    d.complete_the_square(exponent, x, mean, covariance, rest, "p(x | y)^(1+w) / p(x)^w: complete the square in x")
    d.matrix_misprint((1 + w) * C - w * U, covariance, "covariances combined in place of precisions")


def noised(d):
    """The law of x_t where the data are Gaussian."""
    data = Gaussian(x_0, mean, variance)
    kernel = Gaussian(x_t, d.use(forward.mean), d.use(forward.variance))
    total = abar_t * variance + 1 - abar_t
    back = Gaussian(x_0, mean + sqrt(abar_t) * variance / total * (x_t - sqrt(abar_t) * mean), variance * (1 - abar_t) / total)
    return d.marginalise(data, kernel, back, Gaussian(x_t, sqrt(abar_t) * mean, total), "noised Gaussian data are Gaussian")


@derivation(guidance.guided_precision)
def guided_precision(d):
    """The score of a Gaussian is a line; the guided one is a combination of two."""
    law = noised(d)
    with_label, without = law.at({mean: mean_c, variance: var_c}), law.at({mean: mean_u, variance: var_u})
    guided = (1 + w) * with_label.log_density - w * without.log_density
    slope = d.derivative(
        guided, x_t,
        -(1 + w) * (x_t - with_label.mean) / with_label.variance + w * (x_t - without.mean) / without.variance,
        "the guided score",
    )  # fmt: skip
    bend = d.derivative(slope, x_t, -(1 + w) / with_label.variance + w / without.variance, "it falls with x at a constant rate")
    d.conclude(-bend)
    d.misprint(1 / (abar_t * guidance.tilted_variance.expression + 1 - abar_t), "guidance is the noised tilted density: it is not")


@derivation(guidance.precision_gap)
def precision_gap(d):
    """Tilt, then noise; or noise, then guide: the second is steeper, at every level between data and noise."""
    informative(d)
    first = d.given(r"\Lambda_{\text{tilted}}", 1 / (abar_t * d.use(guidance.tilted_variance) + 1 - abar_t), "tilted, then noised")
    gap = d.use(guidance.guided_precision) - first
    by_level = guidance.precision_gap.expression.xreplace({abar_t: level})
    d.conclude(gap)
    d.equal(by_level.xreplace({level: Integer(1)}), 0, "nothing on the data themselves: there guidance is tilting")
    d.equal(by_level.xreplace({level: Integer(0)}), 0, "nor at pure noise, where there is nothing to tilt")
    d.equal(by_level.xreplace({w: Integer(0)}), 0, "nor without guidance")
    d.at_most(0, guidance.precision_gap.expression, "between them the guided score is never less steep")
    with d.suppose(w > 0, "and with any guidance"):
        d.less(0, guidance.precision_gap.expression, "it is steeper at every level")
    d.misprint(Integer(0), "no difference, which is the folklore: guidance samples from p(x) p(y | x)^(1+w)")


@derivation(id="guidance.no_forward_process", title="guided scores are the noised versions of no data at all", source=BRADLEY)
def no_forward_process(d):
    """Noise of variance v adds v to the variance of the data. Take it off the guided variance again, and v is still in it.

    So not only the tilted density is ruled out: no data whatever have the guided scores for their noised scores.
    """
    informative(d)
    combined = (1 + w) * var_u - w * var_c
    precision = d.given(r"\Lambda", (1 + w) / (var_c + noise) - w / (var_u + noise), "the guided score at noise of variance v")
    d.less(0, precision, "a Gaussian at every level")
    left = d.equal(
        1 / precision - noise,
        (var_c * var_u + noise * (var_c + var_u - combined)) / (combined + noise),
        "what the data's variance would be",
    )
    rate = d.derivative(
        left, noise, -w * (1 + w) * (var_u - var_c) ** 2 / (combined + noise) ** 2, "it changes with the noise level"
    )
    with d.suppose(w > 0, "with any guidance"):
        d.less(rate, 0, "it falls: the more noise, the narrower the data would have to be")
    d.equal(left.xreplace({noise: Integer(0)}), d.use(guidance.tilted_variance), "only without noise it is the tilted variance")
