r"""Euler's method in sigma space is DDIM.

Dividing by the signal, :math:`\bar x = x / \sqrt{\bar\alpha} = x_0 + \sigma \epsilon`, turns every marginal into the data
plus noise of scale :math:`\sigma = \sqrt{(1 - \bar\alpha) / \bar\alpha}`. For held noise the path is a straight line in
sigma, so one Euler step goes along it exactly.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddim, euler, forward
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import abar_s, abar_t, eps, eta, sigma_t, ve_s, ve_t, x_0, x_t
from verifydiff.proof import derivation, letter

sigma_any = letter("sigma_any", r"\sigma")
SCALED = {x_t: sqrt(abar_t) * xbar_t}
DDPM = ddim.sigma.expression.xreplace({eta: Integer(1)})


@derivation(euler.step)
def step(d):
    """DDIM without fresh noise, read in sigma space."""
    d.equal(forward.noised.expression / sqrt(abar_t), x_0 + ve_t * eps, "the marginal in sigma space is the data plus noise")
    d.derivative(x_0 + sigma_any * eps, sigma_any, eps, "for held data and noise the path's slope in sigma is the noise")
    d.conclude(
        ddim.step_mean.expression.xreplace({sigma_t: Integer(0)}).xreplace(SCALED) / sqrt(abar_s), "the DDIM step at sigma = 0"
    )


@derivation(euler.sigma_up)
def sigma_up(d):
    """The fresh noise of DDIM at eta = 1, read in sigma space."""
    d.less(ve_s, ve_t, "the cleaner level is the smaller one, so the root is real")
    d.conclude(DDPM / sqrt(abar_s), "the scale of the fresh noise, divided by the signal")


@derivation(euler.sigma_down)
def sigma_down(d):
    """The rest of the noise of DDIM at eta = 1, read in sigma space."""
    d.equal(euler.sigma_up.expression**2 + euler.sigma_down.expression**2, ve_s**2, "together they make up the level at s")
    d.conclude(sqrt(1 - abar_s - DDPM**2) / sqrt(abar_s), "the scale of the noise that is kept, divided by the signal")


@derivation(
    id="euler.ancestral_is_ddim",
    title="the ancestral Euler step is DDIM at eta = 1",
    source="Crowson, k-diffusion, sample_euler_ancestral",
)
def ancestral_is_ddim(d):
    """Euler down to sigma_down, then noise of scale sigma_up."""
    ancestral = xbar_t + (euler.sigma_down.expression - ve_t) * eps
    d.equal(ancestral, ddim.step_mean.expression.xreplace({sigma_t: DDPM}).xreplace(SCALED) / sqrt(abar_s), "the mean of the step")
    d.equal(euler.sigma_up.expression, DDPM / sqrt(abar_s), "and its fresh noise")
