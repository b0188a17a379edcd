r"""The shift of times in flow matching is a factor on sigma.

A flow at time t has :math:`\sigma = t / (1 - t)`. Multiply it by a constant and read the time off again: that is the shift of
Esser et al. 2024. So shifts compose by multiplication, a shift and its reciprocal undo each other, and the logarithm of the
signal over noise is moved by a constant. The constant answers for resolution: the mean of n pixels is as uncertain as that of
m if :math:`\sigma` grows by :math:`\sqrt{m / n}`.
"""

from sympy import Eq, Integer, exp, log, sqrt

from verifydiff.forms import flow
from verifydiff.forms.flow import mu, shift, t
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, UNIT
from verifydiff.proof import claim, derivation, letter

moved = letter("moved", "t'", domain=PROPER_FRACTION)
other, time = letter("other", r"\varsigma'", domain=POSITIVE), letter("time", "t", domain=UNIT)
ESSER = "Esser et al. 2024"


@derivation(flow.shifted)
def shifted(d):
    """Sigma times the shift, read as a time again."""
    sigma = d.use(flow.sigma)
    value = shift * t / (1 + (shift - 1) * t)
    d.equal(1 + (shift - 1) * t, (1 - t) + shift * t, "what is divided by is positive: a mean of 1 and the shift")
    d.solve([claim(Eq(moved, shift * sigma * (1 - moved)))], {moved: value}, "t' / (1 - t') is to be the shift times t / (1 - t)")
    d.conclude(value)
    d.misprint(shift * t, "the time multiplied in place of sigma: it would leave [0, 1]")
    d.misprint(t / (shift + (1 - shift) * t), "the shift and its reciprocal swapped: steps go to the data's end")


@derivation(id="flow.shift_of_sigma", title="a shift multiplies sigma", source=f"{ESSER}, eq. 23")
def shift_of_sigma(d):
    """Whatever the time, and so the signal over noise is divided by the shift squared."""
    sigma, new = d.use(flow.sigma), d.use(flow.shifted)
    d.equal((new / (1 - new)) ** -2, sigma**-2 / shift**2, "the signal over noise, in power")
    d.equal(new / (1 - new), shift * sigma, "sigma at the shifted time")


@derivation(id="flow.shift_of_snr", title="a shift moves the logarithm of the signal over noise", source=f"{ESSER}, eq. 24")
def shift_of_snr(d):
    """By minus twice the logarithm of the shift."""
    old, new = d.use(flow.sigma), d.use(flow.shifted) / (1 - d.use(flow.shifted))
    d.misprint(-2 * log(new), "the sign lost: more shift is more noise", -2 * log(old) + 2 * log(shift))
    d.equal(-2 * log(new), -2 * log(old) - 2 * log(shift), "lambda' = lambda - 2 log(shift)")


@derivation(id="flow.shift_composes", title="shifts compose by multiplication", source=f"{ESSER}, eq. 23")
def shift_composes(d):
    """Shifting twice is shifting by the product; the reciprocal undoes a shift, and 1 is none."""
    once = d.use(flow.shifted)
    d.equal(once.xreplace({shift: Integer(1)}), t, "the shift 1 changes nothing")
    back = once.xreplace({shift: 1 / shift}).xreplace({t: moved})
    d.equal(back.xreplace({moved: once}), t, "the reciprocal brings every time back")
    again = once.xreplace({shift: other, t: moved}).xreplace({moved: once})
    d.misprint(again, "shifts added", once.xreplace({shift: shift + other}))
    d.equal(again, once.xreplace({shift: shift * other}), "first by the one, then by the other")


@derivation(id="flow.shift_keeps_order", title="a shift keeps the ends and the order of the times", source=f"{ESSER}, eq. 23")
def shift_keeps_order(d):
    """The data and the noise stay where they are; a shift above 1 moves all between them towards the noise."""
    at = d.use(flow.shifted).xreplace({t: time})
    d.equal(at.xreplace({time: Integer(0)}), 0, "the data stay at time 0")
    d.equal(at.xreplace({time: Integer(1)}), 1, "the noise stays at time 1")
    slope = shift / (1 + (shift - 1) * t) ** 2
    d.derivative(d.use(flow.shifted), t, slope, "the slope")
    d.less(0, slope, "is positive: no two times change places")
    d.assume(shift > 1, "a shift above 1, as for large images")
    d.less(t, d.use(flow.shifted), "moves every time between the ends towards the noise")


@derivation(flow.shifted_by_exponential)
def shifted_by_exponential(d):
    """The same map, with the logarithm of the shift for a parameter."""
    d.conclude(d.use(flow.shifted).xreplace({shift: exp(mu)}))
    d.misprint(mu / (mu + 1 / t - 1), "the parameter taken for the shift, whose logarithm it is")


@derivation(id="flow.shift_of_resolution", title="equal uncertainty at another resolution", source=f"{ESSER}, sec. 5.3.2")
def shift_of_resolution(d):
    """From n pixels of one colour that colour is known up to sigma / sqrt(n): equal for m pixels at the shifted time.

    A model of constant images; what shift looks best is not a theorem.
    """
    n, m = letter("n", "n", domain=POSITIVE), letter("m", "m", domain=POSITIVE)
    sigma = d.use(flow.sigma)
    known = d.given(r"\sigma(t, n)", sigma / sqrt(n), "the deviation of the mean of n independent pixels, over the weight 1 - t")
    new = d.use(flow.shifted).xreplace({shift: sqrt(m / n)})
    d.misprint(
        d.use(flow.shifted).xreplace({shift: m / n}), "the number of pixels for its root", new
    )  # fmt: skip
    d.equal(new / (1 - new) / sqrt(m), known, "sigma(t', m) = sigma(t, n)")
