r"""Brownian motion: independent Gaussian increments whose variance is the time that passes.

.. math:: W_t - W_s \sim \mathcal{N}(0, t - s), \qquad \text{independent of the past}

A discretised diffusion adds :math:`\sqrt{h}\,z` in a step of length h. Variances add over independent increments, standard
deviations do not: this is why it is the root of the step, and why any grid leads to the same law at the end.
"""

from sympy import sqrt

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, z
from verifydiff.proof import Gaussian, derivation, letter

OKSENDAL = "Øksendal 2003"

h = letter("h", domain=POSITIVE)
h_1, h_2 = letter("h_1", "h_1", domain=POSITIVE), letter("h_2", "h_2", domain=POSITIVE)
w_r, w_s, w_t = letter("w_r", "w_r"), letter("w_s", "w_s"), letter("w_t", "w_t")
n = letter("n", domain=NONNEGATIVE)
total = letter("total", "V_n", domain=NONNEGATIVE)
T = letter("T", domain=POSITIVE)
passed = letter("passed", "t", domain=NONNEGATIVE)
c = letter("c", domain=POSITIVE)


@derivation(id="brownian.increments_add", title="two increments are one over both times", source=f"{OKSENDAL}, sec. 2.2")
def increments_add(d):
    """From r over s to t: the state in between is integrated out, and the variances add."""
    first = d.given(r"p(w_s \mid w_r)", Gaussian(w_s, w_r, h_1), "an increment over a time h_1")
    second = d.given(r"p(w_t \mid w_s)", Gaussian(w_t, w_s, h_2), "the next one, over h_2; it forgets w_r (independence)")
    between = Gaussian(w_s, (h_2 * w_r + h_1 * w_t) / (h_1 + h_2), h_1 * h_2 / (h_1 + h_2))
    both = d.marginalise(first, second, between, Gaussian(w_t, w_r, h_1 + h_2), "complete the square in w_s")
    d.equal(both.variance, h_1 + h_2, "the variance is the time that has passed")
    d.misprint((sqrt(h_1) + sqrt(h_2)) ** 2, "standard deviations added in place of variances", right=both.variance)


@derivation(id="brownian.bridge", title="the state in between, given both ends", source=f"{OKSENDAL}, ch. 5")
def bridge(d):
    """The Brownian bridge: a straight line between the ends, with the variance h_1 h_2 / (h_1 + h_2) around it."""
    prior = d.given(r"p(w_s \mid w_r)", Gaussian(w_s, w_r, h_1), "an increment over a time h_1")
    likelihood = d.given(r"p(w_t \mid w_s)", Gaussian(w_t, w_s, h_2), "the next one, over h_2")
    evidence = d.given(r"p(w_t \mid w_r)", Gaussian(w_t, w_r, h_1 + h_2), "both together")
    precision = 1 / h_1 + 1 / h_2
    law = Gaussian(w_s, (w_r / h_1 + w_t / h_2) / precision, 1 / precision)
    d.bayes(likelihood, prior, evidence, law, "precisions add: complete the square in w_s")
    d.equal(law.mean, w_r + h_1 / (h_1 + h_2) * (w_t - w_r), "the mean lies on the straight line between the ends")
    d.less(law.variance, h_1, "knowing where it goes makes the state more certain")


@derivation(id="brownian.scaling", title="slower time is a smaller scale", source=f"{OKSENDAL}, ch. 2")
def scaling(d):
    """An increment over c h is sqrt(c) times one over h: noise of variance g^2 h may be written g sqrt(h) z."""
    step = d.given("p(w_s)", Gaussian(w_s, 0, h), "an increment over h")
    d.affine(step, sqrt(c) * w_s, w_t, Gaussian(w_t, 0, c * h), "scaled by sqrt(c), it is an increment over c h")
    standard = d.given("p(z)", Gaussian(z, 0, 1), "standard normal noise")
    d.affine(standard, sqrt(h) * z, w_s, Gaussian(w_s, 0, h), "so an increment is drawn as sqrt(h) z")
    d.misprint(h**2, "the step h in front of z in place of its root: the variance of h z", right=h)


@derivation(
    id="brownian.any_grid", title="every grid leads to the same variance, if the noise is scaled by the root of the step",
    source="Kloeden & Platen 1992",
)  # fmt: skip
def any_grid(d):
    """The variances add up to the time that has passed: on n equal steps to n h = T, whatever n is, and on unequal ones as well.

    With h z in place of sqrt(h) z the noise would die out as the grid is refined.
    """
    d.induction(
        total,
        0,
        total + h,
        passed,
        {passed: 0},
        {passed: passed + h},
        "each independent increment adds its variance, the length h of its step",
    )
    elapsed = d.induction(total, 0, total + h, n * h, {n: 0}, {n: n + 1}, "the same for steps of one length h")
    d.equal(elapsed.xreplace({h: T / n}), T, "n steps of length T / n: the whole time, on every grid")
    wrong = d.given("V_n", n * (T / n) ** 2, "with the scale h in place of sqrt(h): each step adds h^2")
    d.equal(wrong, T**2 / n, "the variance goes down with the number of steps, to nothing")
    d.misprint(wrong, "noise scaled by the step: right on no grid but that with n = T", right=T)


@derivation(
    id="brownian.quadratic_variation", title="dW^2 = dt: the squared increments add up to the time", source=f"{OKSENDAL}, ch. 2"
)  # fmt: skip
def quadratic_variation(d):
    """The squares of n increments of length T / n have the mean T in sum, and a variance 2 T^2 / n that dies out.

    The moments of a standard normal come by parts, from the derivatives of its density times a power.
    """
    phi = Gaussian(z, 0, 1)
    density = d.normalised(phi)
    second, fourth = letter("E_2", r"\mathbb{E} z^2"), letter("E_4", r"\mathbb{E} z^4")
    by_parts = d.boundary(z * density, z, "a Gaussian density times a power vanishes at both ends")
    one = d.integrate([(1, z**2 * density)], [(1, density), (-1, by_parts)], [z], {z**2 * density: second}, "the second moment")
    d.equal(one.rhs, 1, "E z^2 = 1")
    by_parts = d.boundary(z**3 * density, z, "a Gaussian density times a power vanishes at both ends")
    two = d.integrate(
        [(1, z**4 * density)], [(3, z**2 * density), (-1, by_parts)], [z], {z**4 * density: fourth, z**2 * density: second},
        "the fourth moment is three times the second",
    )  # fmt: skip
    d.equal(two.rhs.xreplace({second: one.rhs}), 3, "E z^4 = 3")
    moments = two.rhs.xreplace({second: one.rhs}), one.rhs
    spread = d.given(
        r"\operatorname{Var}[h z^2]", h**2 * (moments[0] - moments[1] ** 2), "the variance of one squared increment (sqrt(h) z)^2"
    )
    mean = d.induction(total, 0, total + h * 1, n * h, {n: 0}, {n: n + 1}, "the means h E z^2 add up")
    d.equal(mean.xreplace({h: T / n}), T, "the mean of the sum is the time")
    d.equal((n * spread).xreplace({h: T / n}), 2 * T**2 / n, "the variances of independent squares add up: it dies out as n grows")
    d.misprint(0, "dW^2 dropped as if it were of second order in dt, as in ordinary calculus", right=mean)
