r"""Rescaling a schedule to no terminal signal, and what the state at its end must then be asked for.

A sampler starts from pure noise; a schedule with :math:`\bar\alpha_T > 0` has trained the network on noise with some signal
in it. Lin et al. 2024 move the roots of the levels by an affine map that keeps the first and sends the last to 0.
"""

from sympy import Eq, Integer, sqrt

from verifydiff.forms import forward, predictions, terminal
from verifydiff.forms.quantities import (
    POSITIVE,
    PROPER_FRACTION,
    UNIT,
    abar_s,
    abar_t,
    data_mean,
    data_variance,
    v,
    x_0,
    x_t,
)  # fmt: skip
from verifydiff.forms.terminal import first, height, last, root
from verifydiff.proof import claim, derivation, letter

slope, offset = letter("slope", "m", domain=POSITIVE), letter("offset", "k")
level = letter("level", r"\bar\alpha", domain=UNIT)
level_end = letter("level_end", r"\bar\alpha_T", domain=PROPER_FRACTION)
LIN = "Lin et al. 2024"


@derivation(terminal.rescaled_root)
def rescaled_root(d):
    """The one affine map of the roots that keeps the first and sends the last to 0."""
    ends = [claim(Eq(slope * first + offset, first)), claim(Eq(slope * last + offset, 0))]
    apart = claim(Eq(slope * (first - last), first))
    d.equal((ends[0].lhs - ends[1].lhs) - (ends[0].rhs - ends[1].rhs), apart.lhs - apart.rhs, "the second wish taken off the first")
    m = first / (first - last)
    d.solve([apart, ends[1], ends[0]], {slope: m, offset: -m * last}, "the first stays, the last goes to 0")
    d.conclude(m * root - m * last)
    d.misprint(root - last, "shifted, but not scaled back: the first level sinks too")
    d.misprint(sqrt((root**2 - last**2) * first**2 / (first**2 - last**2)), "the levels moved in place of their roots")


@derivation(id="terminal.rescaled", title="what the rescaling keeps and what it changes", source=f"{LIN}, sec. 3.1")
def rescaled(d):
    """The first level stays, the last is 0, the order stays, and every level between has less signal than before."""
    new = d.use(terminal.rescaled_root)
    d.equal(root.definition.xreplace({height: Integer(1)}), first, "the first root")
    d.equal(new.xreplace({root: first}), first, "stays where it was")
    d.equal(new.xreplace({root: last}), 0, "the last is 0: no signal, and a signal over noise of 0")
    d.equal(new, height * first, "the rescaled root is as high over 0 as the root was over the last")
    d.derivative(height * first, height, first, "so higher roots stay higher")
    d.less(0, first, "since this is positive")
    d.misprint(new, "no level gains signal, so that it is another schedule: a network has to be trained on it", root)
    d.at_most(new, root, "no level gains signal")


@derivation(id="terminal.last_beta", title="the last step of the rescaled schedule has beta = 1", source=f"{LIN}, sec. 3.1")
def last_beta(d):
    """It takes all signal away, so that 1 / sqrt(alpha_T) does not exist; a step has to be written without it."""
    before = letter("before", r"\sqrt{\bar\alpha_{T-1}'}", domain=PROPER_FRACTION)
    new = d.use(terminal.rescaled_root).xreplace({root: last})
    d.misprint(999 / Integer(1000), "clipped at 0.999, as the cosine schedule's is: some signal stays", 1 - new**2 / before**2)
    d.equal(1 - new**2 / before**2, 1, "beta_T = 1 - abar_T / abar_{T-1}")


@derivation(id="terminal.step_from_noise", title="the first step of a sampler from pure noise", source=f"{LIN}, sec. 3.2 and 6")
def step_from_noise(d):
    """At abar_T = 0 the velocity is minus the data, the state is the noise, and the deterministic step divides by nothing.

    By the noise the same step divides by sqrt(abar_T) = 0: huggingface/diffusers#3851, #5103.
    """
    data, noise = d.given(r"\hat x_0", -v, "v = -x_0 at the level 0"), d.given(r"\hat\epsilon", x_t, "the state is the noise")
    step = sqrt(abar_s) * data + sqrt(1 - abar_s) * noise
    d.misprint(step.xreplace({v: -v}), "the sign of Lin et al. 2024, sec. 3.2, v_T = x_0", step)
    left = d.given(r"\sqrt{\bar\alpha}\,x_0", sqrt(level) * x_0, "by the noise: what is left of x_t, to be divided by sqrt(abar)")
    d.equal(left.xreplace({level: Integer(0)}), 0, "is 0 at the level 0, and so is what it is to be divided by")
    d.equal(
        d.use(predictions.step_by_v).xreplace({abar_t: Integer(0)}), step, "the rotation's formula holds at its end: a right angle"
    )
    d.equal(step, sqrt(1 - abar_s) * x_t - sqrt(abar_s) * v, "x_s = sqrt(1 - abar_s) x_T - sqrt(abar_s) v")


@derivation(id="terminal.leak", title="what pure noise lacks of the state at T", source=f"{LIN}, sec. 3.1 and eq. 10")
def leak(d):
    """With abar_T > 0 the true x_T keeps a mean, and a variance that is not 1 unless that of the data is.

    For the schedule of Stable Diffusion the factor is 0.068265: the mean of every channel leaks, and a sampler that starts
    from noise of mean 0 asks for pictures of medium brightness (huggingface/diffusers#2585).
    """
    mean, variance = sqrt(level_end) * data_mean, level_end * data_variance + 1 - level_end
    d.equal(d.use(forward.mean).xreplace({abar_t: level_end, x_0: data_mean}), mean, "the mean of x_T")
    d.misprint(mean, "taken for 0, as a start from pure noise does", 0)
    d.misprint(variance, "taken for 1, as a start from pure noise does", 1)
    d.equal(variance - 1, level_end * (data_variance - 1), "the variance of x_T, less that of pure noise")
