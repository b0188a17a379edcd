r"""Gaussian data: the law of x_t, the denoiser, the noise prediction.

The data have mean :math:`m_0` and covariance C; C and whatever is a function of it are diagonal in the same coordinates, so
that one eigenvalue c stands for all. c = 0 is allowed: along such a direction the data are a point.
"""

from sympy import sqrt

from verifydiff.forms import forward, laws
from verifydiff.forms.quantities import abar_t, data_mean, data_variance, x_0, x_t
from verifydiff.proof import Gaussian, at, derivation

D_t = laws.variance.expression
CENTRED = x_t - sqrt(abar_t) * data_mean
POSTERIOR = Gaussian(x_0, laws.denoiser.expression, laws.posterior_variance.expression)


def joint(d):
    """Data, forward kernel, marginal and posterior along one eigenvector."""
    d.spectral("C", data_variance, "covariance of the data; the forward process and the posterior are functions of it")
    kernel = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, d.use(forward.mean), d.use(forward.variance)), "the forward marginal")
    prior = Gaussian(x_0, data_mean, data_variance)
    evidence = Gaussian(x_t, sqrt(abar_t) * data_mean, abar_t * data_variance + 1 - abar_t)
    precision = abar_t / (1 - abar_t) + 1 / data_variance
    posterior = Gaussian(x_0, (sqrt(abar_t) / (1 - abar_t) * x_t + data_mean / data_variance) / precision, 1 / precision)
    with d.suppose(data_variance > 0, "the data are spread along the direction"):
        d.marginalise(prior, kernel, posterior, evidence, "complete the square in x_0")
        d.bayes(kernel, prior, evidence, posterior, "precisions add, and the mean is weighed by them")
    return evidence, posterior


@derivation(laws.variance)
def variance(d):
    """Variances add after scaling. Data of unit variance keep it, and the prior N(0, 1) is right for them."""
    evidence = joint(d)[0]
    d.equal(at(evidence.variance, data_variance=0), 1 - abar_t, "a point: the noise is all there is")
    d.equal(at(evidence.variance, data_variance=1), 1, "unit variance: it stays")
    d.misprint(abar_t * data_variance, "the noise left out")
    d.misprint(sqrt(abar_t) * data_variance + 1 - abar_t, "the signal not squared")
    d.conclude(evidence.variance)


@derivation(laws.denoiser)
def denoiser(d):
    """The mean of the posterior: it shrinks x_t towards the mean of the data, the more the less they are spread."""
    mean = joint(d)[1].mean
    weighed = (sqrt(abar_t) * data_variance * x_t + (1 - abar_t) * data_mean) / D_t
    with d.suppose(data_variance > 0, "the data are spread along the direction"):
        d.equal(mean, weighed, "numerator and denominator times c (1 - abar_t)")
    d.equal(at(weighed, data_variance=0), data_mean, "which holds for a point, too: the denoiser knows it")
    d.equal(at(weighed, data_variance=1, data_mean=0), sqrt(abar_t) * x_t, "standard normal data: the signal times x_t")
    d.misprint(CENTRED / sqrt(abar_t) + data_mean, "x_t divided by the signal: the noise is taken for data")
    d.conclude(weighed)


@derivation(laws.posterior_variance)
def posterior_variance(d):
    """One over the precision, and the same for every x_t: a Gaussian's denoiser is as unsure everywhere."""
    variance = joint(d)[1].variance
    known = data_variance - data_variance**2 * abar_t / D_t
    with d.suppose(data_variance > 0, "the data are spread along the direction"):
        d.equal(variance, known, "the variance of the data, less what x_t tells")
    d.less(0, D_t, "D_t does not vanish, for a point either")
    d.at_most(laws.posterior_variance.expression, data_variance, "x_t can only tell something")
    d.conclude(known, "which holds for a point, too")


@derivation(laws.noise_prediction)
def noise_prediction(d):
    """The noise that the denoiser implies. By Tweedie's formula it is the score, up to a factor."""
    implied = d.use(forward.eps_from_x0).xreplace({x_0: d.use(laws.denoiser)})
    law = Gaussian(x_t, sqrt(abar_t) * data_mean, D_t)
    score = d.derivative(law.log_density, x_t, -CENTRED / D_t, "the score of the marginal")
    d.equal(implied, -sqrt(1 - abar_t) * score, "the noise prediction is the score, but for a factor")
    d.misprint(CENTRED / sqrt(1 - abar_t), "the data taken for a point at their mean")
    d.conclude(implied)
