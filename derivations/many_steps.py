r"""Many steps: the probability flow of Gaussian data, and how fast DDIM approaches it.

With more and shorter steps the cosines tend to 1, and what is left of the deterministic step is the flow's gain
:math:`\sqrt{D_s / D_t}`, exact for every step length. A step that removes the fraction b of the signal loses
:math:`(1 + \eta^2)^2 b^2` times something: a sum of squares of lengths, which S steps divide by S. Against that, an
error of the start is forgotten at the rate :math:`\eta^2 b / D`, and not at all without fresh noise.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddim, laws
from verifydiff.forms.quantities import (
    POSITIVE,
    PROPER_FRACTION,
    abar_s,
    abar_t,
    alpha_t,
    data_mean,
    data_variance,
    eta,
    sigma_t,
    x_s,
    x_t,
)
from verifydiff.proof import Gaussian, derivation, letter

c = data_variance
tau, beta, k = letter("tau", "t"), letter("beta", r"\beta", domain=POSITIVE), letter("k")
level = letter("level", r"\bar\alpha", domain=PROPER_FRACTION)
spread = level * c + 1 - level
b = letter("b", "b", domain=PROPER_FRACTION)
D_s, D_t = abar_s * c + 1 - abar_s, laws.variance.expression
NOISED = "s >= 1: there is noise at s"


@derivation(laws.flow_gain)
def flow_gain(d):
    r"""The ODE :math:`\dot x = -\tfrac\beta2 (x + \nabla\log p)` keeps :math:`(x - \sqrt{\bar\alpha}\, m_0) / \sqrt D`."""
    path = d.given("x", sqrt(level) * data_mean + k * sqrt(spread), "with a constant k: the claim is that this solves the ODE")
    d.depends(tau, {level: -beta * level, k: Integer(0)}, "the level falls at the rate beta; k does not move")
    law = Gaussian(x_t, sqrt(level) * data_mean, spread)
    score = d.derivative(law.log_density, x_t, -(x_t - sqrt(level) * data_mean) / spread, "the score of the marginal")
    d.derivative(
        path, tau, -beta / 2 * (path + score.xreplace({x_t: path})), "it does; and a linear ODE has one solution from a start"
    )
    start, end = path.xreplace({level: abar_t}), path.xreplace({level: abar_s})
    d.misprint(D_s / D_t, "the variances' quotient for the deviations'")
    d.misprint(sqrt(abar_s / abar_t), "the signals' quotient: the noise forgotten")
    d.conclude((end - sqrt(abar_s) * data_mean) / (start - sqrt(abar_t) * data_mean), "k cancels: the deviations move like D")


@derivation(id="laws.flow_is_exact", title="the flow carries the marginals", source="Song et al. 2021 (SDE), sec. 4.3")
def flow_is_exact(d):
    """From the right start the flow ends in the data, and from the start N(0, 1) with an error that does not shrink."""
    d.assume(abar_s < 1, NOISED)
    gain = d.use(laws.flow_gain)
    before, after = Gaussian(x_t, sqrt(abar_t) * data_mean, D_t), Gaussian(x_s, sqrt(abar_s) * data_mean, D_s)
    d.affine(
        before,
        sqrt(abar_s) * data_mean + gain * (x_t - sqrt(abar_t) * data_mean),
        x_s,
        after,
        "the marginal at t goes to that at s",
    )
    wrong = letter("wrong", r"V / D", domain=POSITIVE)
    d.equal(gain**2 * wrong * D_t, wrong * D_s, "a variance that is wrong by a factor stays wrong by it")


@derivation(id="laws.loss_of_short_steps", title="what a short step loses", source="elementary")
def loss_of_short_steps(d):
    r"""With :math:`\bar\alpha_t = (1 - b) \bar\alpha_s`, to second order in b:

    .. math:: \frac{c\, \bar\alpha_s (1 + \eta^2)^2}{4 (1 - \bar\alpha_s) D_s} b^2

    So at eta = 1 a step loses four times what it does at eta = 0, for any data and schedule, and S steps lose in the order 1/S.
    """
    d.assume(abar_s < 1, NOISED)
    scale = d.use(ddim.sigma)
    lost = d.use(laws.loss, at={sigma_t: scale}).xreplace({abar_t: abar_t.definition}).xreplace({alpha_t: 1 - b})
    leading = c * abar_s * (1 + eta**2) ** 2 / (4 * (1 - abar_s) * D_s) * b**2
    d.expand(lost, b, leading, 2, "the roots expanded")
    d.equal(leading.xreplace({eta: Integer(1)}), 4 * leading.xreplace({eta: Integer(0)}), "eta = 1 against eta = 0")
    d.misprint((1 + eta**2) * leading.xreplace({eta: Integer(0)}), "the square of 1 + eta^2 lost", right=leading)


@derivation(id="laws.forgetting_of_short_steps", title="what a short step forgets", source="elementary")
def forgetting_of_short_steps(d):
    r"""Relative to the marginals an error of the variance is multiplied by :math:`1 - \eta^2 b / D_s`, to first order in b.

    Without fresh noise nothing is forgotten. So where the start is wrong, more noise helps many steps and harms few.
    """
    d.assume(abar_s < 1, NOISED)
    scale = d.use(ddim.sigma)
    short = {alpha_t: 1 - b}
    step_gain = d.use(laws.gain, at={sigma_t: scale}).xreplace({abar_t: abar_t.definition}).xreplace(short)
    before = (D_t.xreplace({abar_t: abar_t.definition})).xreplace(short)
    d.expand(step_gain**2 * before / D_s, b, 1 - eta**2 * b / D_s, 1, "g^2 D_t / D_s, the roots expanded")


@derivation(id="laws.deterministic_is_euler_of_the_flow", title="DDIM's gain against the flow's", source="elementary")
def deterministic_is_euler_of_the_flow(d):
    """They agree to first order in the step, so that DDIM is a consistent method for the flow, and differ in the second."""
    d.assume(abar_s < 1, NOISED)
    d.assume(c > 0, "the data are spread along the direction")
    short = {alpha_t: 1 - b}
    turned = d.use(laws.cosine)
    d.equal(
        d.use(laws.gain, at={sigma_t: Integer(0)}),
        d.use(laws.flow_gain) * turned,
        "the step's gain is the flow's, by a cosine",
    )
    near = turned.xreplace({abar_t: abar_t.definition}).xreplace(short)
    d.expand(near, b, 1 - c * abar_s / (8 * (1 - abar_s) * D_s**2) * b**2, 2, "the cosine of a small turn")
