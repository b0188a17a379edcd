r"""The variance-preserving SDE: the forward process of DDPM in continuous time.

.. math:: dx = -\tfrac12 \beta(t)\, x\,dt + \sqrt{\beta(t)}\,dW, \qquad B(t) = \int_0^t \beta

Nothing is assumed of :math:`\beta(t) > 0` but that it is continuous. Given x(0), the mean is :math:`e^{-B/2} x(0)` and the
variance :math:`1 - e^{-B}`: the forward marginal of DDPM at the signal level :math:`\bar\alpha = e^{-B}`.
"""

from sympy import Integer, exp, sqrt

from verifydiff.forms import forward, sde
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, alpha_t, beta_t, eps, in_base_letters, x_0, x_t
from verifydiff.forms.sde import B, beta, t
from verifydiff.proof import Gaussian, derivation, letter

SONG = sde.SONG_SDE

m, v = letter("m"), letter("v", domain=NONNEGATIVE)
x_s = letter("x_s", "x(s)")
B_s, D = letter("B_s", "B(s)", domain=NONNEGATIVE), letter("D", "B(t) - B(s)", domain=NONNEGATIVE)
LINEAR = "mean and variance of a linear SDE with the drift -beta/2 and g^2 = beta"


def moments(d, variance):
    """The equations of mean and variance."""
    d.depends(t, {B: beta, m: -beta / 2 * m, variance: -beta * variance + beta}, f"B is the integral of beta; {LINEAR}")


@derivation(sde.vp_mean)
def mean(d):
    """The mean dies out at half the rate beta."""
    moments(d, v)
    closed = d.solves(m, exp(-B / 2) * x_0, t, {B: 0}, x_0, "it starts at the data")
    d.misprint(exp(-B) * x_0, "the half lost in the drift: the signal of the variance, not of the mean")
    d.conclude(closed)


@derivation(sde.vp_variance)
def variance(d):
    """The variance starts at none, since x(0) is given, and goes to 1."""
    moments(d, v)
    closed = d.solves(v, 1 - exp(-B), t, {B: 0}, 0, "x(0) is given, so it starts at none")
    d.misprint(1 - exp(-B / 2), "the exponent of the mean in the variance (seen where a log mean coefficient is not doubled)")
    d.misprint(sqrt(1 - exp(-B)), "the standard deviation for the variance")
    d.conclude(closed)


@derivation(id="sde.vp_preserves", title="VP keeps unit variance, and pulls any other towards it", source=f"{SONG}, app. B")
def preserves(d):
    """For data of variance v_0 the variance is 1 + (v_0 - 1) exp(-B): it stays between v_0 and 1, and at 1 if it starts there."""
    v_0, var = letter("v_0", domain=NONNEGATIVE), letter("var", "v", domain=NONNEGATIVE)
    moments(d, var)
    closed = d.solves(var, 1 + (v_0 - 1) * exp(-B), t, {B: 0}, v_0, "it starts at the variance of the data")
    d.equal(closed.xreplace({v_0: Integer(1)}), 1, "data of unit variance keep it")
    d.equal(closed, exp(-B) * v_0 + sde.vp_variance.expression, "signal and noise: data scaled by the mean factor, plus the noise")


@derivation(sde.vp_level)
def level(d):
    """The mean factor squared is the signal level, and what is lost of it is noise: abar + (1 - abar) = 1."""
    d.use(sde.vp_mean)
    d.use(sde.vp_variance)
    factor = d.given("m / x(0)", exp(-B / 2), "the factor of x(0) in the mean")
    d.equal(sde.vp_mean.expression, factor * x_0, "the mean is linear in the data")
    d.equal(factor**2 + sde.vp_variance.expression, 1, "signal and noise add up to 1")
    d.depends(t, {B: beta}, "B is the integral of beta")
    d.derivative(factor**2, t, -beta * factor**2, "so beta is the rate of -log abar, for any schedule that is differentiable")
    d.misprint(exp(-B / 2), "abar taken for the mean factor: its root is that")
    d.conclude(factor**2)


@derivation(id="sde.vp_kernel", title="VP from s to t is one step of DDPM, with the composed alpha", source=f"{SONG}, app. B")
def kernel(d):
    """The kernel over any stretch of time has alpha = exp(-(B(t) - B(s))), and it leads from one marginal to the other."""
    d.use(sde.vp_mean)
    d.use(sde.vp_variance)
    d.depends(t, {D: beta, m: -beta / 2 * m, v: -beta * v + beta}, f"D is the integral of beta from s on; {LINEAR}")
    d.solves(m, exp(-D / 2) * x_s, t, {D: 0}, x_s, "the mean starts at x(s)")
    d.solves(v, 1 - exp(-D), t, {D: 0}, 0, "x(s) is given, so the variance starts at none")
    step = {alpha_t: exp(-D), abar_s: exp(-B_s)}
    d.equal(in_base_letters(beta_t).xreplace(step), 1 - exp(-D), "with alpha = exp(-D), beta is the variance of the kernel")
    d.equal(
        in_base_letters(d.use(forward.mean)).xreplace(step), exp(-(B_s + D) / 2) * x_0, "levels multiply as exponents add: the mean"
    )
    d.equal(in_base_letters(d.use(forward.variance)).xreplace(step), 1 - exp(-(B_s + D)), "and the variance, at B(t) = B(s) + D")
    d.equal(
        exp(-D) * (1 - exp(-B_s)) + (1 - exp(-D)),
        1 - exp(-(B_s + D)),
        "so the kernel takes the variance at s to that at t, as in DDPM",
    )
    d.misprint(exp(-(B_s + D)), "the variance of all time for that of the step: a lost bar", right=1 - exp(-D))


@derivation(id="sde.vp_score", title="score of the VP marginal given the data", source=f"{SONG}, eq. 7")
def vp_score(d):
    """The slope of the log density at x(t), written by its noise: minus the noise over the standard deviation."""
    d.use(sde.vp_mean)
    d.use(sde.vp_variance)
    spread = letter("spread", "v", domain=POSITIVE)
    law = d.given("p(x(t) | x(0))", Gaussian(x_t, m, spread), "the marginal, a Gaussian")
    slope = d.derivative(law.log_density, x_t, -(x_t - m) / spread, "the log density is a parabola")
    with d.suppose(B > 0, "some time has passed, so that there is a density"):
        slope = slope.xreplace({m: sde.vp_mean.expression, spread: sde.vp_variance.expression})
        noised = exp(-B / 2) * x_0 + sqrt(1 - exp(-B)) * eps
        right = d.equal(slope.xreplace({x_t: noised}), -eps / sqrt(1 - exp(-B)), "at x(t) = mean + deviation times noise")
        d.misprint(-eps / (1 - exp(-B)), "divided by the variance in place of its root", right=right)
        d.misprint(-eps, "the predicted noise handed over as if it were the score", right=right)
