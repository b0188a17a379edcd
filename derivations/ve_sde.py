r"""The variance-exploding SDE, and VP seen in its coordinates.

.. math:: dx = \sqrt{\frac{d\sigma^2(t)}{dt}}\,dW

The data are left where they are and noise is added: the variance given x(0) is :math:`\sigma^2(t) - \sigma^2(0)`. Dividing a
VP process by its mean factor removes the drift, and what is left is a VE process with :math:`\sigma^2 = 1/\bar\alpha - 1`.
"""

from sympy import exp, log, sqrt

from verifydiff.forms import sde
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_t, ve_t, x_0
from verifydiff.forms.sde import B, beta, sigma, sigma_0, sigma_rate, t
from verifydiff.proof import derivation, letter

SONG = sde.SONG_SDE

m, v = letter("m"), letter("v")
g_squared = 2 * sigma * sigma_rate


@derivation(sde.ve_variance)
def variance(d):
    """Without drift the variance is the integral of g^2, which is the rate of sigma^2."""
    d.depends(t, {sigma: sigma_rate, sigma_rate: letter("sigma_rate_2", r"\ddot\sigma")}, "any increasing, smooth sigma(t)")
    d.derivative(sigma**2, t, g_squared, "g^2 is the rate of sigma^2, by the chain rule")
    d.depends(t, {m: 0, v: g_squared}, "mean and variance of a linear SDE without drift")
    d.solves(m, x_0, t, {}, x_0, "the mean stays at the data")
    closed = d.solves(v, sigma**2 - sigma_0**2, t, {sigma: sigma_0}, 0, "x(0) is given, so the variance starts at none")
    d.misprint(sigma**2, "sigma(0) forgotten: right only if it is 0; with sigma(0) = 0.01 it is small, not nothing")
    d.misprint((sigma - sigma_0) ** 2, "standard deviations subtracted in place of variances")
    d.conclude(closed)


@derivation(id="sde.ve_strength", title="strength of the VE noise, and of the geometric schedule", source=f"{SONG}, eq. 9, app. C")
def strength(d):
    """g is the root of the rate of sigma^2, not the rate of sigma; for sigma_min r^t it is sigma sqrt(2 log r)."""
    low, ratio = (
        letter("sigma_min", r"\sigma_{\min}", domain=POSITIVE),
        letter("r", r"\sigma_{\max}/\sigma_{\min}", domain=POSITIVE),
    )
    d.assume(ratio > 1, "sigma_max > sigma_min")
    level = d.given(r"\sigma(t)", low * exp(t * log(ratio)), "the geometric schedule")
    squared = d.derivative(level**2, t, 2 * log(ratio) * level**2, "the rate of its square")
    d.less(0, squared, "which is positive, so that it has a root")
    strength = d.equal(sqrt(squared), level * sqrt(2 * log(ratio)), "the strength of the noise")
    d.derivative(level, t, level * log(ratio), "the rate of sigma itself is another thing")
    d.misprint(level * log(ratio), "the rate of sigma taken for g", right=strength)
    d.misprint(level * sqrt(log(ratio)), "the 2 lost that comes from the square", right=strength)


@derivation(id="sde.vp_is_ve", title="VP divided by its mean factor is VE", source="Karras et al. 2022, app. B")
def vp_is_ve(d):
    """The signal is taken out; sigma^2 = exp(B) - 1 = 1/abar - 1 is the noise over the signal, in power."""
    scaled, spread = letter("scaled", r"\bar m"), letter("spread", r"\bar v", domain=NONNEGATIVE)
    d.use(sde.vp_mean)
    d.use(sde.vp_variance)
    d.depends(t, {B: beta}, "B is the integral of beta")
    d.equal(sde.vp_mean.expression * exp(B / 2), x_0, "the mean of x exp(B/2) is the data: no drift is left")
    level = d.equal(sde.vp_variance.expression * exp(B / 2) ** 2, exp(B) - 1, "its variance, with the factor squared")
    strength = d.derivative(level, t, beta * exp(B), "the strength of its noise, squared, is the rate of that")
    d.depends(t, {scaled: 0, spread: strength}, "so it obeys the equations of a VE process with sigma^2 = exp(B) - 1")
    d.solves(spread, level, t, {B: 0}, 0, "and starts at sigma(0) = 0")
    d.equal(level.xreplace({B: -log(abar_t)}), ve_t**2, "written by the level abar = exp(-B): (1 - abar) / abar")
    d.misprint(exp(B / 2) - 1, "the variance scaled by the factor in place of its square", right=level)


@derivation(id="sde.score_of_scaled", title="the score in the coordinates of VE", source="Karras et al. 2022, app. B")
def score_of_scaled(d):
    """If x = a u, the density of u is a p(a u): its score is a times that of x, and that of x is divided by a."""
    a, u, x, slope = (
        letter("a", r"\sqrt{\bar\alpha}", domain=POSITIVE),
        letter("u"),
        letter("x"),
        letter("score_x", r"\nabla\log p(x)"),
    )
    ell = letter("ell", r"\log p(x)")
    d.depends(u, {x: a, ell: slope * a, a: 0}, "x = a u, and log p changes along x at the rate of the score")
    scaled = d.derivative(ell + log(a), u, a * slope, "log of a p(a u), along u; the factor of the volume is constant")
    d.equal(scaled / a, slope, "so the score of x is that of u, divided by sqrt(abar)")
    d.misprint(
        scaled, "the score of the scaled variable taken for that of x: the rescaling forgotten (deepinv/deepinv#736)", right=slope
    )
    d.misprint(slope / a, "multiplied where it should be divided", right=scaled)
