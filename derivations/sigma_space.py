r"""Euler's method in sigma space is DDIM.

Dividing by the signal, :math:`\bar x = x / \sqrt{\bar\alpha} = x_0 + \sigma \epsilon`, turns every marginal into the data
plus noise of scale :math:`\sigma = \sqrt{(1 - \bar\alpha) / \bar\alpha}`. For held noise the path is a straight line in
sigma, so one Euler step goes along it exactly.
"""

from sympy import sqrt

from verifydiff.forms import ddim, euler, forward
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import abar_s, abar_t, eps, eta, sigma_t, ve_s, ve_t, x_0, x_t
from verifydiff.proof import derivation, letter

sigma_any = letter("sigma_any", r"\sigma")
SCALED = {x_t: sqrt(abar_t) * xbar_t}


def ancestral_noise(d):
    """The fresh noise of DDIM at eta = 1."""
    return d.use(ddim.sigma, at={eta: 1})


@derivation(euler.step)
def step(d):
    """DDIM without fresh noise, read in sigma space."""
    d.equal(d.use(forward.noised) / sqrt(abar_t), x_0 + ve_t * eps, "the marginal in sigma space is the data plus noise")
    d.derivative(x_0 + sigma_any * eps, sigma_any, eps, "for held data and noise the path's slope in sigma is the noise")
    still = d.use(ddim.step_mean, at={sigma_t: 0})
    d.conclude(still.xreplace(SCALED) / sqrt(abar_s), "the DDIM step at sigma = 0")
    d.misprint(xbar_t + (ve_t - ve_s) * eps, "uphill: the step goes the wrong way in sigma")
    d.misprint(xbar_t + (ve_s**2 - ve_t**2) * eps, "a step in the variance in place of the deviation")


@derivation(euler.sigma_up)
def sigma_up(d):
    """The fresh noise of DDIM at eta = 1, read in sigma space."""
    d.less(ve_s, ve_t, "the cleaner level is the smaller one, so the root is real")
    d.conclude(ancestral_noise(d) / sqrt(abar_s), "the scale of the fresh noise, divided by the signal")
    d.misprint(sqrt(ve_t**2 - ve_s**2), "the noise between the two levels: what the forward process adds, not the posterior's")


@derivation(euler.sigma_down)
def sigma_down(d):
    """The rest of the noise of DDIM at eta = 1, read in sigma space."""
    d.equal(d.use(euler.sigma_up) ** 2 + euler.sigma_down.expression**2, ve_s**2, "together they make up the level at s")
    kept = sqrt(1 - abar_s - ancestral_noise(d) ** 2)
    d.conclude(kept / sqrt(abar_s), "the scale of the noise that is kept, divided by the signal")
    d.misprint(ve_s, "going down to sigma(s) and adding sigma_up on top ends at more noise than sigma(s)")
    d.misprint(ve_s - euler.sigma_up.expression, "deviations subtracted where variances must be")


@derivation(
    id="euler.ancestral_is_ddim",
    title="the ancestral Euler step is DDIM at eta = 1",
    source="Crowson, k-diffusion, sample_euler_ancestral",
)
def ancestral_is_ddim(d):
    """Euler down to sigma_down, then noise of scale sigma_up."""
    fresh = ancestral_noise(d)
    ancestral = xbar_t + (d.use(euler.sigma_down) - ve_t) * eps
    d.equal(ancestral, d.use(ddim.step_mean, at={sigma_t: fresh}).xreplace(SCALED) / sqrt(abar_s), "the mean of the step")
    d.equal(d.use(euler.sigma_up), fresh / sqrt(abar_s), "and its fresh noise")
