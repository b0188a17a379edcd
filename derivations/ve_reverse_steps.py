r"""Steps along the reverse VE SDE, in the coordinates in which the data stand still.

.. math:: \bar x = x / \sqrt{\bar\alpha}, \qquad \sigma^2 = 1 / \bar\alpha - 1, \qquad
   \nabla \log p(\bar x_t) = -\epsilon / \sigma(t)

There is no drift, so that only the noise is discretised. The ancestral step is exact for data at one point; it is
k-diffusion's ancestral Euler step, and DDPM's.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddpm, euler, reverse_steps, sde
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, abar_t, alpha_t, eps, ve_s, ve_t, x_0, x_t, z
from verifydiff.forms.reverse_steps import SONG_SDE as SONG
from verifydiff.forms.reverse_steps import score_bar
from verifydiff.forms.score import score_t
from verifydiff.forms.sde import f, g
from verifydiff.proof import Gaussian, derivation, letter

h, rate = letter("h", domain=NONNEGATIVE), letter("rate", r"\frac{d\sigma^2}{dt}", domain=NONNEGATIVE)
xbar_s = letter("xbar_s", r"\bar x_s")
cleaner, noisier = letter("cleaner", r"\sigma(s)", domain=POSITIVE), letter("more", r"\sigma^2(t) - \sigma^2(s)", domain=POSITIVE)
SQUARES = ve_t**2 - ve_s**2
TOLD = {score_bar: -eps / ve_t}


@derivation(reverse_steps.ve_reverse_diffusion)
def ve_reverse_diffusion(d):
    """Without drift, g^2 h is the growth of sigma^2 over the step: in front of the score, and the variance of the noise."""
    drift = d.use(sde.reverse_drift).xreplace({f: Integer(0), g: sqrt(rate), score_t: score_bar})
    step = d.given(r"\bar x_s", xbar_t - drift * h + sqrt(rate * h) * z, "backwards in time dt = -h")
    d.equal(step, xbar_t + rate * h * score_bar + sqrt(rate * h) * z, "with rate h the growth of sigma^2 over the step")
    d.less(0, SQUARES, "which is positive, since s is the cleaner time")
    d.misprint(
        xbar_t + (ve_t - ve_s) ** 2 * score_bar + (ve_t - ve_s) * z,
        "the square of the difference for the difference of the squares",
    )
    d.misprint(xbar_t + SQUARES * score_bar + SQUARES * z, "the variance for its root in front of the noise")
    d.misprint(xbar_t + SQUARES / 2 * score_bar + sqrt(SQUARES) * z, "the half of the probability flow, with the noise left on")
    d.conclude(step.xreplace({rate: SQUARES, h: Integer(1)}))


@derivation(reverse_steps.ve_ancestral)
def ve_ancestral(d):
    """The chain of growing noise turned round by Bayes' rule: given x_0, the state at s lies between x_0 and the state at t.

    Written by the score, x_0 = x + sigma^2 score; the noise has the posterior's scale.
    """
    whole = cleaner**2 + noisier
    prior = d.given(r"q(\bar x_s \mid x_0)", Gaussian(xbar_s, x_0, cleaner**2), "the data plus noise of scale sigma(s)")
    likelihood = d.given(r"q(\bar x_t \mid \bar x_s)", Gaussian(xbar_t, xbar_s, noisier), "more noise, up to sigma(t)")
    evidence = d.given(r"q(\bar x_t \mid x_0)", Gaussian(xbar_t, x_0, whole), "the data plus noise of scale sigma(t)")
    posterior = Gaussian(xbar_s, (cleaner**2 * xbar_t + noisier * x_0) / whole, cleaner**2 * noisier / whole)
    d.bayes(
        likelihood, prior, evidence, posterior, "precisions add: complete the square; at sigma(s) = 0 it is the data themselves"
    )
    mean = d.equal(
        posterior.mean.xreplace({x_0: xbar_t + whole * score_bar}), xbar_t + noisier * score_bar,
        "the mean with the data written by the score, x_0 = x + sigma^2(t) score",
    )  # fmt: skip
    levels = {cleaner: ve_s, noisier: SQUARES}
    d.misprint(xbar_t + SQUARES * score_bar + sqrt(SQUARES) * z, "the noise of the reverse diffusion step")
    d.misprint(
        xbar_t + SQUARES * score_bar + ve_s * z, "the whole level at s as fresh noise: none of the old is left then, but it is"
    )
    d.conclude(mean.xreplace(levels) + sqrt(posterior.variance.xreplace(levels)) * z)


@derivation(
    id="reverse.ve_is_euler_ancestral",
    title="the VE ancestral step is Euler down and noise up",
    source="Crowson, k-diffusion, sample_euler_ancestral",
)
def ve_is_euler_ancestral(d):
    """Euler down to sigma_down moves just as far as (sigma_t^2 - sigma_s^2) times the score, and sigma_up is its noise."""
    step = d.use(reverse_steps.ve_ancestral).xreplace(TOLD)
    down, up = d.use(euler.sigma_down), d.use(euler.sigma_up)
    d.equal(down, ve_s**2 / ve_t, "sigma_down is sigma_s^2 / sigma_t")
    d.equal(step, xbar_t + (down - ve_t) * eps + up * z, "the two samplers are one, whatever the noise prediction")
    d.misprint(
        step, "Euler to sigma_s itself, with noise on top: the level would be passed", right=xbar_t + (ve_s - ve_t) * eps + up * z
    )


@derivation(id="reverse.ve_ancestral_is_ddpm", title="in VP coordinates the VE ancestral step is DDPM's", source=f"{SONG}, app. F")
def ve_ancestral_is_ddpm(d):
    """Scaled back by sqrt(abar_s) it has DDPM's mean and the smaller of DDPM's variances."""
    step = d.use(reverse_steps.ve_ancestral).xreplace(TOLD).xreplace({xbar_t: x_t / sqrt(abar_t)})
    scaled = sqrt(abar_s) * step
    d.equal(scaled.xreplace({z: Integer(0)}), d.use(ddpm.mean_from_eps), "the mean")
    d.equal(abar_s * ve_s**2 * SQUARES / ve_t**2, d.use(ddpm.posterior_variance), "the variance is beta-tilde")
    other = d.equal(abar_s * SQUARES, (1 - alpha_t) / alpha_t, "that of the reverse diffusion step is beta / alpha ...")
    d.less(d.use(ddpm.large_variance), other, "... more than either of DDPM's")
    d.misprint(other, "the VE reverse diffusion noise taken for VP's", right=ddpm.large_variance.expression)


@derivation(id="reverse.ve_two_noises", title="the two VE noises differ by a square", source=f"{SONG}, app. F")
def ve_two_noises(d):
    """(sigma_t^2 - sigma_s^2)^2 / sigma_t^2: of second order in the growth of sigma^2, and all of it in the last step."""
    small = ve_s**2 * SQUARES / ve_t**2
    d.equal(SQUARES - small, SQUARES**2 / ve_t**2, "the difference, exactly")
    d.less(small, SQUARES, "the ancestral step adds less")
    d.at_most(small, ve_s**2, "never more than the level it arrives at: at the data it adds nothing")
    d.misprint(SQUARES, "no more than the level it arrives at: not so of the reverse diffusion step", right=ve_s**2, relation="<=")


@derivation(reverse_steps.ve_flow)
def ve_flow(d):
    """Half of the growth of sigma^2 in front of the score, and no noise."""
    drift = d.use(sde.flow_drift).xreplace({f: Integer(0), g: sqrt(rate), score_t: score_bar})
    step = d.given(r"\bar x_s", xbar_t - drift * h, "backwards in time dt = -h")
    d.misprint(xbar_t + SQUARES * score_bar, "the half lost")
    d.misprint(xbar_t + (ve_t - ve_s) / 2 * score_bar, "the squares lost")
    d.conclude(step.xreplace({rate: SQUARES, h: Integer(1)}))


@derivation(
    id="reverse.ve_flow_against_euler", title="a step in sigma^2 falls short of the step in sigma", source=f"{SONG}, app. D.3"
)
def ve_flow_against_euler(d):
    """Both are Euler's method on one flow, in two variables. For held noise the step in sigma (DDIM) is exact.

    This one leaves (sigma_t - sigma_s)^2 / (2 sigma_t) of the noise too much: in one step to the data, half of it.
    """
    step, straight = d.use(reverse_steps.ve_flow).xreplace(TOLD), d.use(euler.step)
    d.equal(step - straight, (ve_t - ve_s) ** 2 / (2 * ve_t) * eps, "the difference, exactly: of second order in the step")
    d.equal(
        ((ve_t - ve_s) ** 2 / (2 * ve_t)).xreplace({ve_s: Integer(0)}), ve_t / 2, "in one step to the data half of the noise stays"
    )
    d.misprint(step, "the two steps taken for one", right=straight)
