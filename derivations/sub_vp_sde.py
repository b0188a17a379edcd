r"""The sub-VP SDE: the drift of VP with less noise.

.. math:: dx = -\tfrac12\beta x\,dt + \sqrt{\beta (1 - e^{-2B})}\,dW

Given x(0), the mean is that of VP and the variance is the *square* :math:`(1 - e^{-B})^2` of VP's, so that it is never more
than VP's; both start at 0 and go to 1.
"""

from sympy import Rational, exp

from verifydiff.forms import sde
from verifydiff.forms.quantities import NONNEGATIVE, x_0
from verifydiff.forms.sde import B, beta, t
from verifydiff.proof import derivation, letter

SONG = sde.SONG_SDE

m, v = letter("m"), letter("v", domain=NONNEGATIVE)
g_squared = beta * (1 - exp(-2 * B))
LINEAR = "mean and variance of a linear SDE with the drift -beta/2 and g^2 = beta (1 - exp(-2 B))"


@derivation(sde.sub_vp_variance)
def variance(d):
    """The noise starts slowly: at t = 0 there is none, in VP it is at its full rate at once."""
    d.at_most(0, g_squared, "the noise is real, since exp(-2 B) is at most 1")
    d.depends(t, {B: beta, m: -beta / 2 * m, v: -beta * v + g_squared}, f"B is the integral of beta; {LINEAR}")
    d.solves(m, exp(-B / 2) * x_0, t, {B: 0}, x_0, "the mean is that of VP")
    closed = d.solves(v, (1 - exp(-B)) ** 2, t, {B: 0}, 0, "x(0) is given, so the variance starts at none")
    d.misprint(1 - exp(-B), "unsquared: the standard deviation of sub-VP, and the variance of VP")
    d.misprint(1 - exp(-2 * B), "the factor in g^2 taken for the variance")
    d.conclude(closed)


@derivation(id="sde.sub_vp_below_vp", title="the sub-VP variance is at most VP's", source=f"{SONG}, app. B")
def below_vp(d):
    """It is the square of a number in [0, 1): less than that number, by exp(-B) (1 - exp(-B)), which dies out at both ends."""
    d.use(sde.vp_variance)
    d.use(sde.sub_vp_variance)
    of_vp, of_sub = sde.vp_variance.expression, sde.sub_vp_variance.expression
    d.equal(of_sub, of_vp**2, "the one is the square of the other")
    d.at_most(of_sub, of_vp, "and the other is at most 1")
    d.equal(of_vp - of_sub, exp(-B) * (1 - exp(-B)), "they differ by abar (1 - abar)")
    d.at_most(of_vp - of_sub, Rational(1, 4), "which is at most 1/4, where abar = 1/2")
    d.misprint(of_vp, "the two variances taken for equal", right=of_sub)


@derivation(id="sde.sub_vp_strength", title="with which noise the VP drift gives a wanted variance", source=f"{SONG}, eq. 12")
def strength(d):
    """Read the equation of the variance the other way: g^2 = v' + beta v. For v = (1 - exp(-B))^2 that is sub-VP's noise."""
    d.use(sde.sub_vp_variance)
    d.depends(t, {B: beta}, "B is the integral of beta")
    rate = d.derivative(sde.sub_vp_variance.expression, t, 2 * beta * (1 - exp(-B)) * exp(-B), "the rate of the variance")
    needed = d.equal(rate + beta * sde.sub_vp_variance.expression, g_squared, "g^2 = v' + beta v: from v' = -beta v + g^2")
    d.equal(needed, beta * (1 - exp(-B)) * (1 + exp(-B)), "VP's g^2, times two factors: 1 - abar and 1 + abar")
    d.at_most(needed, beta, "never more than VP's")
    d.misprint(beta * (1 - exp(-B)), "the exponent without its 2: abar in place of abar squared", right=needed)
