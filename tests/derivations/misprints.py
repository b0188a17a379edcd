"""The misprints that circulate. Every claim of this file is false, and has to be refuted with a counterexample.

Each is named after the slip; the right formula is the one in ``verifydiff.forms``.
"""

from sympy import Rational, exp, log, pi, sqrt

from verifydiff.forms import ddim, ddpm, euler, forward, score
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import (
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    eps,
    eta,
    sigma_t,
    v,
    ve_s,
    ve_t,
    x_0,
    x_s,
    x_t,
)
from verifydiff.forms.score import delta, hessian_t, score_t
from verifydiff.proof import Gaussian, derivation

WHERE = "circulating misprint"


def misprint(form):
    """A derivation that concludes something else than the form; its name is that of the slip."""

    def make(body):
        return derivation(form, id=f"misprint.{body.__name__}", title=body.__doc__, source=WHERE)(body)

    return make


# -- the forward process -------------------------------------------------------------------------------------------------


@misprint(forward.noised)
def lost_root_of_the_signal(d):
    """The signal is scaled by abar_t, not by its root."""
    d.conclude(abar_t * x_0 + sqrt(1 - abar_t) * eps)


@misprint(forward.noised)
def variance_as_deviation(d):
    """The noise is scaled by its variance."""
    d.conclude(sqrt(abar_t) * x_0 + (1 - abar_t) * eps)


@misprint(forward.noised)
def swapped_coefficients(d):
    """Signal and noise have changed places."""
    d.conclude(sqrt(1 - abar_t) * x_0 + sqrt(abar_t) * eps)


@misprint(forward.variance)
def lost_bar_in_the_marginal(d):
    """The variance of one step for that of all steps."""
    d.conclude(1 - alpha_t)


@misprint(forward.x0_from_eps)
def not_divided_by_the_signal(d):
    """The prediction of x_0 is left scaled."""
    d.conclude(x_t - sqrt(1 - abar_t) * eps)


@misprint(forward.velocity)
def velocity_with_the_other_sign(d):
    """x_0 and the noise have changed signs."""
    d.conclude(sqrt(1 - abar_t) * x_0 - sqrt(abar_t) * eps)


@misprint(forward.x0_from_v)
def v_read_as_noise(d):
    """The data recovered from v as if it were the noise."""
    d.conclude((x_t - sqrt(1 - abar_t) * v) / sqrt(abar_t))


# -- the posterior -------------------------------------------------------------------------------------------------------


@misprint(ddpm.posterior_mean)
def lost_bar_in_the_mean(d):
    """alpha_t for abar_s under the root at x_0."""
    d.conclude(sqrt(alpha_t) * beta_t / (1 - abar_t) * x_0 + sqrt(alpha_t) * (1 - abar_s) / (1 - abar_t) * x_t)


@misprint(ddpm.posterior_mean)
def weights_swapped(d):
    """The weights of x_0 and x_t have changed places."""
    d.conclude(sqrt(alpha_t) * (1 - abar_s) / (1 - abar_t) * x_0 + sqrt(abar_s) * beta_t / (1 - abar_t) * x_t)


@misprint(ddpm.posterior_variance)
def beta_for_beta_tilde(d):
    """The variance of the step for that of the posterior."""
    d.conclude(beta_t)


@misprint(ddpm.posterior_variance)
def fraction_upside_down(d):
    """The quotient of the noise levels stands on its head."""
    d.conclude((1 - abar_t) / (1 - abar_s) * beta_t)


@misprint(ddpm.posterior_variance)
def cancelled_fraction(d):
    """(1 - abar_s) / (1 - abar_t) cancelled to abar_s / abar_t, as if the ones went away."""
    d.conclude(abar_s / abar_t * beta_t)


@misprint(ddpm.mean_from_eps)
def lost_bar_under_the_noise(d):
    """1 - alpha_t for 1 - abar_t under the root."""
    d.conclude((x_t - beta_t / sqrt(1 - alpha_t) * eps) / sqrt(alpha_t))


@misprint(ddpm.mean_from_eps)
def root_lost_under_the_noise(d):
    """1 - abar_t without its root."""
    d.conclude((x_t - beta_t / (1 - abar_t) * eps) / sqrt(alpha_t))


@misprint(ddpm.mean_from_eps)
def noise_added(d):
    """The noise is added instead of taken away."""
    d.conclude((x_t + beta_t / sqrt(1 - abar_t) * eps) / sqrt(alpha_t))


@misprint(ddpm.mean_from_eps)
def divided_by_the_bar(d):
    """sqrt(abar_t) for sqrt(alpha_t) in front."""
    d.conclude((x_t - beta_t / sqrt(1 - abar_t) * eps) / sqrt(abar_t))


# -- DDIM ----------------------------------------------------------------------------------------------------------------


@misprint(ddim.step_mean)
def sign_of_sigma(d):
    """The fresh noise is added to the stale one instead of being taken from it."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the root is real")
    d.conclude(sqrt(abar_s) * (x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t) + sqrt(1 - abar_s + sigma_t**2) * eps)


@misprint(ddim.step_mean)
def sigma_not_squared(d):
    """sigma under the root in place of its square."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the root is real")
    d.assume(sigma_t <= 1 - abar_s, "so is the misprinted one")
    d.conclude(sqrt(abar_s) * (x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t) + sqrt(1 - abar_s - sigma_t) * eps)


@misprint(ddim.step_mean)
def stale_noise_of_the_wrong_level(d):
    """1 - abar_t for 1 - abar_s in front of the noise: the root of a negative number where sigma is large."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the root is real")
    d.conclude(sqrt(abar_s) * (x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t) + sqrt(1 - abar_t - sigma_t**2) * eps)


@misprint(ddim.sigma)
def eta_lost_its_root(d):
    """The variance for the deviation."""
    d.conclude(eta * (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s))


@misprint(ddim.sigma)
def quotient_of_levels_upside_down(d):
    """abar_s / abar_t for abar_t / abar_s: the root of a negative number for every valid schedule."""
    d.conclude(eta * sqrt((1 - abar_s) / (1 - abar_t)) * sqrt(1 - abar_s / abar_t))


@misprint(ddim.sigma)
def sigma_of_the_large_variance(d):
    """eta times the root of beta_t, which exceeds the bound near the data."""
    d.at_most(eta**2 * beta_t, 1 - abar_s, "the variance stays within the bound")
    d.conclude(eta * sqrt(beta_t))


# -- scores and sigma space ----------------------------------------------------------------------------------------------


@misprint(score.kernel_score)
def score_with_the_variance(d):
    """The noise divided by the variance instead of the deviation."""
    d.conclude(-eps / (1 - abar_t))


@misprint(score.kernel_score)
def score_with_the_other_sign(d):
    """The score points away from the data."""
    d.conclude(eps / sqrt(1 - abar_t))


@misprint(score.tweedie_mean)
def tweedie_with_a_root(d):
    """The deviation in front of the score."""
    d.conclude((x_t + sqrt(1 - abar_t) * score_t) / sqrt(abar_t))


@misprint(score.tweedie_covariance)
def tweedie_of_second_order_unscaled(d):
    """The covariance is left in the scale of x_t."""
    d.conclude((1 - abar_t) * (delta + (1 - abar_t) * hessian_t))


@misprint(euler.step)
def euler_uphill(d):
    """The step goes the wrong way in sigma."""
    d.conclude(xbar_t + (ve_t - ve_s) * eps)


@misprint(euler.sigma_up)
def sigma_up_of_the_wrong_level(d):
    """sigma_t for sigma_s in front of the root."""
    d.conclude(sqrt(ve_t**2 - ve_s**2))


# -- wrong on the way, though not at the end -----------------------------------------------------------------------------


@misprint(ddpm.posterior_variance)
def normaliser_lost_in_bayes(d):
    """The exponents agree, but the posterior has twice the variance in its normaliser."""
    d.assume(abar_s < 1, "s >= 1")
    variance = ddpm.posterior_variance.expression
    exponent = -((x_s - ddpm.posterior_mean.expression) ** 2) / (2 * variance)
    likelihood, prior = Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t), Gaussian(x_s, sqrt(abar_s) * x_0, 1 - abar_s)
    evidence = Gaussian(x_t, sqrt(abar_t) * x_0, 1 - abar_t)
    d.equal(
        likelihood.log_density + prior.log_density - evidence.log_density,
        exponent - log(4 * pi * variance) / 2,
        "Bayes, pointwise",
    )
    d.conclude(variance)


@misprint(ddpm.posterior_variance)
def density_at_one_point_only(d):
    """The two densities agree at x = 0, and nowhere else."""
    d.equal(exp(-(x_0**2) / 2), exp(-(x_0**2)), "compared at the peak")
    d.conclude(ddpm.posterior_variance.expression)


@misprint(ddpm.posterior_variance)
def halved_by_a_coincidence(d):
    """Right at alpha_t = 1/2 only."""
    d.conclude(ddpm.posterior_variance.expression * 2 * alpha_t * Rational(1, 1))
