r"""The cosine schedule: levels are squares of cosines, over the first of them.

.. math:: \bar\alpha_t = \frac{f(t)}{f(0)}, \qquad f(t) = \cos^2\left(\frac{t / T + s}{1 + s} \cdot \frac{\pi}{2}\right)

A cosine is a letter here, C_t, with all that is used of it: C_0 >= C_s >= C_t >= 0, it is 0 at T, its slope along the angle is
minus the sine S, and C^2 + S^2 = 1.
"""

from sympy import Integer, Rational, log

from verifydiff.forms import terminal
from verifydiff.forms.quantities import PROPER_FRACTION
from verifydiff.forms.terminal import cos_0, cos_s, cos_t, step_fall
from verifydiff.proof import derivation, letter

angle = letter("angle", r"\phi")
C, S = letter("C", "C", domain=PROPER_FRACTION), letter("S", "S", domain=PROPER_FRACTION)
NICHOL = "Nichol & Dhariwal 2021"


@derivation(terminal.cosine_level)
def level(d):
    """f is the square of the cosine, and is divided by f(0) so that the data have the level 1."""
    f_t, f_0 = d.given("f(t)", cos_t**2, "the square of the cosine"), d.given("f(0)", cos_0**2, "at time 0, where s is left")
    d.equal((f_t / f_0).xreplace({cos_t: cos_0}), 1, "the data keep all signal")
    d.equal((f_t / f_0).xreplace({cos_t: Integer(0)}), 0, "at T the angle is a right one, and no signal is left")
    d.conclude(f_t / f_0)
    d.misprint(cos_t / cos_0, "the cosine not squared: lilianweng/lilianweng.github.io#9")
    d.misprint(cos_t**2, "not divided by f(0): then the data themselves have lost signal")


@derivation(terminal.cosine_beta)
def beta(d):
    """The quotient of two levels knows nothing of f(0)."""
    at = d.use(terminal.cosine_level)
    quotient = d.given(r"\alpha_t", at / at.xreplace({cos_t: cos_s}), "the level at t over that at s")
    d.equal(quotient, step_fall**2, "f(0) cancels")
    d.conclude(1 - quotient)
    d.misprint(1 - cos_t / cos_s, "the cosine not squared: lilianweng/lilianweng.github.io#9")
    d.misprint((1 - cos_t**2) / cos_s**2, "the fraction taken apart wrongly")


@derivation(
    id="cosine.last_beta",
    title="the last step of the cosine schedule takes all signal, unless clipped",
    source=f"{NICHOL}, sec. 3.2",
)
def last_beta(d):
    """At T the cosine is 0 and beta is 1; clipped at 0.999 a thousandth of the level before is left."""
    before = letter("before", r"\bar\alpha_{T-1}", domain=PROPER_FRACTION)
    d.equal(d.use(terminal.cosine_beta).xreplace({cos_t: Integer(0)}), 1, "beta_T")
    clipped = d.given(r"\bar\alpha_T", before * (1 - Rational(999, 1000)), "with beta_T clipped at 0.999")
    d.misprint(clipped, "clipping keeps the schedule from reaching 0", 0)
    d.less(0, clipped, "the terminal signal is small, and not 0")


@derivation(id="cosine.first_level", title="at time 0 there is no noise to divide by", source=f"{NICHOL}, eq. 17")
def first_level(d):
    """A table that holds abar_0 = 1 as a time of its own has beta = 0 there, and a posterior variance of 0 / 0.

    So Project-MONAI/GenerativeModels#489: the first time of a sampler is 1, and abar_0 is what it steps to.
    """
    level_0 = d.use(terminal.cosine_level).xreplace({cos_t: cos_0})
    before = d.given(r"\bar\alpha_{-1}", Integer(1), "what stands for the level before the first one")
    d.equal(1 - level_0 / before, 0, "beta, and with it the numerator")
    d.equal((1 - before) * (1 - level_0 / before), 0, "of the posterior variance")
    d.equal(1 - level_0, 0, "the denominator is 0 too")


@derivation(
    id="cosine.uniform_angle",
    title="without offset the angle of (x, v) grows at constant speed",
    source="Salimans & Ho 2022, app. D",
)
def uniform_angle(d):
    """cos^2 and sin^2 are signal and noise: each step of the deterministic sampler is a rotation by the same angle.

    The logarithm of the signal over noise falls at the rate 2 / (C S), fastest at both ends.
    """
    d.depends(angle, {C: -S, S: C}, "cosine and sine along their angle")
    d.derivative(C**2 + S**2, angle, 0, "the sum of their squares stays what it is at the angle 0: one")
    d.derivative(C**2, angle, -2 * C * S, "the slope of the level")
    d.misprint(-2 * S, "the slope of the cosine, doubled: not that of its square", -2 * C * S)
    d.derivative(log(C**2) - log(S**2), angle, -2 * (C**2 + S**2) / (C * S), "the slope of the logarithm of signal over noise")
