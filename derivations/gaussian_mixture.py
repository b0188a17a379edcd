r"""Gaussian mixtures, noised: score, denoiser, and their derivatives, for any number of components.

.. math:: q(x_t) = \sum_k \pi_k\, \mathcal{N}(x_t \mid \sqrt{\bar\alpha_t}\,\mu_k,\ \bar\alpha_t c_k + 1 - \bar\alpha_t)

One generic component is written by letters that depend on k, and the sum over k is an integral against counting measure:
it is linear, and may be differentiated term by term since it is finite. For more coordinates, independent within a component,
:math:`\pi_k` stands for the weight times the densities of the others. With a small common :math:`c_k` this is a data set of points.
"""

from sympy import Eq, Integer, log, sqrt

from verifydiff.forms import mixture, score
from verifydiff.forms.mixture import c_k, mu_k
from verifydiff.forms.quantities import POSITIVE, abar_t, x_t
from verifydiff.forms.score import delta, hessian_t, score_t
from verifydiff.proof import Gaussian, claim, derivation, letter

k = letter("k", "k")
A, V = sqrt(abar_t), 1 - abar_t
SUM = "a finite sum is linear and may be differentiated term by term"
P = letter("P", "q(x_t)", domain=POSITIVE)
P_1, P_2 = letter("P_1", "q'(x_t)"), letter("P_2", "q''(x_t)")
one = letter("R", r"\sum_k r_k")
mean_score = letter("mean_score", r"\sum_k r_k s_k")
square_score = letter("square_score", r"\sum_k r_k s_k^2")
mean_slope = letter("mean_slope", r"\sum_k r_k s_k'")


def mixed(d):
    """The density of the mixture as a sum, and one component of it."""
    d.depend(mu_k, frozenset((k,)))
    d.depend(c_k, frozenset((k,)))
    weight = d.function("pi_k", of=(k,), latex=r"\pi_k", domain=POSITIVE)
    law = Gaussian(x_t, d.use(mixture.component_mean), d.use(mixture.component_variance))
    part = d.given(r"\pi_k q(x_t \mid k)", weight * law.density, "one component, by its weight")
    d.integrate([(1, part)], [(1, part)], (k,), {part: P}, "the density of the mixture is the sum over its components")
    return part, d.use(mixture.component_score)


def responsible(d, part):
    """The probability of a component given x_t, which sums to one."""
    share = d.given("r_k", part / P, "Bayes: the responsibility is the weighted density of the component over the mixture's")
    whole = d.integrate([(1, share)], [(1 / P, part)], (k,), {share: one, part: P}, SUM)
    d.solve([whole], {one: Integer(1)}, "the responsibilities sum to one")
    return share


def averaged(d):
    """The score of the mixture as an average; what else its pages build on."""
    part, s_k = mixed(d)
    slope = d.under_integral(P, x_t, P_1, SUM)
    share = responsible(d, part)
    average = d.integrate(
        [(1, share * s_k)], [(1 / P, slope)], (k,), {share * s_k: mean_score, slope: P_1},
        "the slope of a component is the component times its score",
    )  # fmt: skip
    d.solve([average], {P_1: mean_score * P}, "so the slope of the mixture is the mixture times the averaged score")
    return share, s_k


@derivation(id="mixture.responsibility", title="the responsibilities sum to one", source="Bishop 2006, eq. 9.13")
def responsibility(d):
    """By Bayes the probability of a component given x_t is its share of the density there."""
    part, _ = mixed(d)
    share = responsible(d, part)
    d.less(0, share, "each is positive")
    d.equal(share * P, part, "r_k q(x_t) = pi_k q(x_t | k)")


@derivation(
    id="mixture.score", title="the score of a mixture is the average of the components' scores", source="Bishop 2006, sec. 9.2"
)
def mixture_score(d):
    """Weighted by the responsibilities at x_t, not by the weights of the mixture."""
    _, s_k = averaged(d)
    d.misprint(s_k, "the score of one component for that of the mixture", P_1 / P)
    d.derivative(log(P), x_t, P_1 / P, "the logarithmic derivative")
    d.equal((P_1 / P).xreplace({P_1: mean_score * P}), mean_score, "is the averaged score")


@derivation(
    id="mixture.denoiser",
    title="the denoiser of a mixture is the average of the components' denoisers",
    source="Efron 2011, eq. 1.4",
)
def denoiser(d):
    """Tweedie's formula is affine in the score, and the responsibilities sum to one."""
    share, s_k = averaged(d)
    d_k = d.use(mixture.component_denoiser)
    average = letter("average", r"\sum_k r_k\,\mathbb{E}[x_0 \mid x_t, k]")
    total = d.integrate(
        [(1, share * d_k)], [(x_t / A, share), (V / A, share * s_k)], (k,),
        {share * d_k: average, share: one, share * s_k: mean_score}, "Tweedie's formula in each component, averaged",
    )  # fmt: skip
    d.solve([total, claim(Eq(one, 1))], {one: Integer(1), average: (x_t + V * mean_score) / A}, "the responsibilities sum to one")
    d.equal(
        d.use(score.tweedie_mean).xreplace({score_t: mean_score}), (x_t + V * mean_score) / A,
        "which is Tweedie's formula with the score of the mixture",
    )  # fmt: skip


def curved(d):
    """The second derivative of the mixture, by averages of the scores' squares and slopes."""
    share, s_k = averaged(d)
    curvature = d.under_integral(P_1, x_t, P_2, SUM)
    slope_k = d.derivative(s_k, x_t, -1 / (abar_t * c_k + V), "the slope of a component's score")
    total = d.integrate(
        [(1 / P, curvature)], [(1, share * s_k**2), (1, share * slope_k)], (k,),
        {curvature: P_2, share * s_k**2: square_score, share * slope_k: mean_slope},
        "the second derivative of a component is the component times the square of its score, plus the slope of that",
    )  # fmt: skip
    d.solve([total], {P_2: (square_score + mean_slope) * P}, "so for the mixture")
    d.derivative(P_1 / P, x_t, P_2 / P - (P_1 / P) ** 2, "the quotient rule on the score")
    hessian = mean_slope + square_score - mean_score**2
    value = (P_2 / P - (P_1 / P) ** 2).xreplace({P_1: mean_score * P, P_2: (square_score + mean_slope) * P})
    return share, s_k, slope_k, d.equal(value, hessian, "the Hessian: the mean of the slopes plus the variance of the scores")


@derivation(
    id="mixture.hessian",
    title="the Hessian of a mixture: the mean of the slopes plus the variance of the scores",
    source="Bishop 2006, sec. 9.2",
)
def hessian(d):
    """Where components disagree, the score of the mixture is steeper upwards than theirs: the second part is never negative."""
    share, s_k, _, value = curved(d)
    d.misprint(mean_slope, "the mean of the components' Hessians alone: as if one component were there", value)
    at_least = d.integrate(
        [(1, share * (s_k - mean_score) ** 2)], [(1, share * s_k**2), (-2 * mean_score, share * s_k), (mean_score**2, share)],
        (k,), {share * (s_k - mean_score) ** 2: letter("spread", r"\operatorname{Var}_r[s_k]"), share * s_k**2: square_score,
        share * s_k: mean_score, share: one}, "the variance of the scores under the responsibilities",
    )  # fmt: skip
    d.at_most(0, (s_k - mean_score) ** 2, "which is never negative, being an average of squares by positive weights")
    d.equal(at_least.rhs.xreplace({one: Integer(1)}) + mean_slope, value, "and with the mean of the slopes makes the Hessian")


@derivation(
    id="mixture.covariance",
    title="the covariance of x_0 given x_t: within the components plus between them",
    source="Efron 2011, eq. 2.8",
)
def covariance(d):
    """Tweedie's formula of second order for a mixture is the law of total variance."""
    share, s_k, slope_k, value = curved(d)
    within, d_k = d.use(mixture.component_covariance), d.use(mixture.component_denoiser)
    mean_within = letter("W", r"\sum_k r_k \operatorname{Var}[x_0 \mid x_t, k]")
    mean_d, square_d = letter("D_1", r"\sum_k r_k D_k"), letter("D_2", r"\sum_k r_k D_k^2")
    inside = d.integrate(
        [(1, share * within)], [(V / abar_t, share), (V**2 / abar_t, share * slope_k)], (k,),
        {share * within: mean_within, share: one, share * slope_k: mean_slope}, "Tweedie of second order within each component",
    )  # fmt: skip
    first = d.integrate(
        [(1, share * d_k)], [(x_t / A, share), (V / A, share * s_k)], (k,),
        {share * d_k: mean_d, share: one, share * s_k: mean_score}, "the mean of the components' denoisers",
    )  # fmt: skip
    second = d.integrate(
        [(1, share * d_k**2)],
        [(x_t**2 / abar_t, share), (2 * x_t * V / abar_t, share * s_k), (V**2 / abar_t, share * s_k**2)], (k,),
        {share * d_k**2: square_d, share: one, share * s_k: mean_score, share * s_k**2: square_score}, "and of their squares",
    )  # fmt: skip
    put = {one: Integer(1)}
    between = (second.rhs - first.rhs**2).xreplace(put)
    total = d.use(score.tweedie_covariance).xreplace({delta: Integer(1), hessian_t: value})
    d.misprint(inside.rhs.xreplace(put), "the spread between the components forgotten", total)
    d.equal(inside.rhs.xreplace(put) + between, total, "E_r Var[x_0 | x_t, k] + Var_r E[x_0 | x_t, k] = Tweedie of second order")
