r"""One Gaussian component of the data, noised: everything stays Gaussian.

.. math:: q(x_0 \mid k) = \mathcal{N}(\mu_k, c_k), \qquad
    q(x_t \mid k) = \mathcal{N}(\sqrt{\bar\alpha_t}\,\mu_k,\ \bar\alpha_t c_k + 1 - \bar\alpha_t)

The law of :math:`x_t` by marginalising, that of :math:`x_0` given :math:`x_t` by Bayes' rule; Tweedie's formulas of first and
second order, which know nothing of Gaussian data, agree with it. Mixtures are put together from such components.
"""

from sympy import Integer, sqrt

from verifydiff.forms import mixture, score
from verifydiff.forms.mixture import c_k, mu_k
from verifydiff.forms.quantities import abar_t, x_0, x_t
from verifydiff.forms.score import delta, hessian_t, score_t
from verifydiff.proof import Gaussian, derivation

A, V = sqrt(abar_t), 1 - abar_t


def posterior(d):
    """Within one component everything is Gaussian: the law of x_t, and by Bayes that of x_0 given x_t."""
    prior = d.given(r"q(x_0 \mid k)", Gaussian(x_0, mu_k, c_k), "the component")
    kernel = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, A * x_0, V), "the forward kernel, which does not know the component")
    precision = 1 / c_k + abar_t / V
    after = Gaussian(x_0, (mu_k / c_k + A * x_t / V) / precision, 1 / precision)
    marginal = Gaussian(x_t, A * mu_k, abar_t * c_k + V)
    d.marginalise(prior, kernel, after, marginal, "scaled by sqrt(abar_t), and variances add")
    d.bayes(kernel, prior, marginal, after, "precisions add")
    return marginal, after


@derivation(mixture.component_mean)
def component_mean(d):
    """The kernel scales the component."""
    d.conclude(posterior(d)[0].mean)


@derivation(mixture.component_variance)
def component_variance(d):
    """The component's variance is scaled by abar_t, and the noise's is added."""
    d.conclude(posterior(d)[0].variance)
    d.misprint(A * c_k + V, "the variance scaled like a mean")


@derivation(mixture.component_score)
def component_score(d):
    """The slope of the logarithm of a Gaussian density."""
    law = posterior(d)[0]
    d.conclude(d.derivative(law.log_density, x_t, -(x_t - law.mean) / law.variance, "a parabola has a linear slope"))


@derivation(mixture.component_denoiser)
def component_denoiser(d):
    """The mean of the posterior, by precisions; Tweedie's formula says the same."""
    mean = posterior(d)[1].mean
    tweedie = d.use(score.tweedie_mean).xreplace({score_t: d.use(mixture.component_score)})
    d.equal(tweedie, mean, "Tweedie: the mean of x_0 by the score of the component")
    d.conclude(mean)


@derivation(mixture.component_covariance)
def component_covariance(d):
    """One over the sum of the precisions; Tweedie's formula of second order says the same."""
    variance = posterior(d)[1].variance
    slope = d.derivative(d.use(mixture.component_score), x_t, -1 / (abar_t * c_k + V), "the score of the component is linear")
    tweedie = d.use(score.tweedie_covariance).xreplace({delta: Integer(1), hessian_t: slope})
    d.equal(tweedie, variance, "Tweedie of second order, with the Hessian of the component")
    d.conclude(variance)
