r"""The DDPM posterior from Bayes' rule, for any s < t.

.. math:: q(x_s \mid x_t, x_0) = \frac{q(x_t \mid x_s)\, q(x_s \mid x_0)}{q(x_t \mid x_0)}

since the chain is Markov: given :math:`x_s`, :math:`x_t` forgets :math:`x_0`. All three densities are Gaussian; the
quotient is compared with the posterior pointwise, normalisers included. At s = 0 the posterior is the data themselves.
"""

from sympy import sqrt

from verifydiff.forms import ddpm, forward
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t, eps, x_0, x_s, x_t
from verifydiff.proof import Gaussian, at, derivation


def posterior(d):
    """The law of x_s given x_t and x_0, where some noise has been added at s."""
    d.equal(abar_t / abar_s, alpha_t, "over any stride, the composed alpha is the quotient of the levels")
    forgets = "Markov: given x_s, x_t forgets x_0 (Ho et al. 2020, eq. 2)"
    likelihood = d.given(r"q(x_t \mid x_s, x_0)", Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t), forgets)
    prior = d.given(r"q(x_s \mid x_0)", Gaussian(x_s, sqrt(abar_s) * x_0, 1 - abar_s), "the forward marginal at s (eq. 4)")
    evidence = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, sqrt(abar_t) * x_0, 1 - abar_t), "the forward marginal at t (eq. 4)")
    with d.suppose(abar_s < 1, "s >= 1: at s = 0 the posterior is the point x_0 and has no density"):
        precision = alpha_t / beta_t + 1 / (1 - abar_s)
        d.equal(precision, (1 - abar_t) / (beta_t * (1 - abar_s)), "the factor of -x_s^2 / 2: precisions add")
        mean = (sqrt(alpha_t) / beta_t * x_t + sqrt(abar_s) / (1 - abar_s) * x_0) / precision
        return d.bayes(likelihood, prior, evidence, Gaussian(x_s, mean, 1 / precision), "complete the square in x_s")


@derivation(ddpm.posterior_mean)
def posterior_mean(d):
    """The precision-weighted mean of what the step and what the data say."""
    d.equal(at(ddpm.posterior_mean.expression, abar_s=1), x_0, "at s = 0 the form is the data")
    d.conclude(posterior(d).mean)
    d.misprint(
        sqrt(abar_s) * (1 - abar_s) / (1 - abar_t) * x_0 + sqrt(alpha_t) * beta_t / (1 - abar_t) * x_t,
        "the two weights have changed places",
    )
    d.misprint(
        sqrt(alpha_t) * beta_t / (1 - abar_t) * x_0 + sqrt(alpha_t) * (1 - abar_s) / (1 - abar_t) * x_t,
        "a lost bar: alpha_t under the root at x_0 in place of abar_s",
    )


@derivation(ddpm.posterior_variance)
def posterior_variance(d):
    """The inverse of the precision: beta_t, shortened by what the data already say."""
    d.equal(at(ddpm.posterior_variance.expression, abar_s=1), 0, "at s = 0 nothing is left to chance")
    d.conclude(posterior(d).variance)
    d.misprint((1 - abar_s) * beta_t, "not divided by 1 - abar_t (varun-ml/diffusion-models-tutorial#1)")
    d.misprint(beta_t, "beta_t is a valid choice of the sampler's variance, but not the variance of the posterior")
    d.misprint(sqrt(ddpm.posterior_variance.expression), "a standard deviation where a variance belongs")


@derivation(ddpm.mean_from_eps)
def mean_from_eps(d):
    """The data are written by the noise; the fractions collapse."""
    implied = d.use(forward.x0_from_eps)
    d.equal(implied.xreplace({x_t: d.use(forward.noised)}), x_0, "the noise implies the data")
    d.conclude(d.use(ddpm.posterior_mean).xreplace({x_0: implied}), "the posterior mean with x_0 written by the noise")
    d.misprint((x_t - beta_t / sqrt(1 - alpha_t) * eps) / sqrt(alpha_t), "a lost bar under the noise: 1 - alpha_t")
    d.misprint((x_t - beta_t / (1 - abar_t) * eps) / sqrt(alpha_t), "1 - abar_t without its root")
    d.misprint((x_t - beta_t / sqrt(1 - abar_t) * eps) / sqrt(abar_t), "divided by the signal of all steps, not of this one")


@derivation(ddpm.large_variance)
def large_variance(d):
    """beta_t bounds the posterior variance from above, and is the variance of q(x_s | x_t) for standard normal data."""
    d.at_most(d.use(ddpm.posterior_variance), beta_t, "abar_t <= abar_s")
    prior = d.given("q(x_s)", Gaussian(x_s, 0, 1), "standard normal data stay standard normal")
    evidence = d.given("q(x_t)", Gaussian(x_t, 0, 1), "alpha_t + beta_t = 1")
    likelihood = d.given(r"q(x_t \mid x_s)", Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t), "the kernel")
    law = d.bayes(likelihood, prior, evidence, Gaussian(x_s, sqrt(alpha_t) * x_t, beta_t), "complete the square in x_s")
    d.conclude(law.variance, "the variance of the reverse step for standard normal data")
