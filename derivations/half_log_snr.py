r"""The coordinate of the exponential integrators: half the logarithm of the signal-to-noise ratio.

.. math:: \lambda = \log\frac{\sqrt{\bar\alpha}}{\sqrt{1 - \bar\alpha}}

It rises from :math:`-\infty` (noise only) to :math:`\infty` (the data), and every schedule is :math:`\bar\alpha = 1 / (1 +
e^{-2\lambda})` in it: schedules differ only in which time they call a level by. At the data, s = 0, it has no value.
"""

from sympy import exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.quantities import abar_s, abar_t, snr_s, snr_t
from verifydiff.proof import derivation

NOISED = "s >= 1: at the data lambda is infinite"


@derivation(dpm.half_log_snr)
def half_log_snr(d):
    """The logarithm of a quotient of deviations is half that of a quotient of variances."""
    ratio = d.given(r"\lambda_t", log(sqrt(abar_t) / sqrt(1 - abar_t)), "signal over noise, both as factors of x_t")
    d.misprint(log(snr_t), "the half lost: the logarithm of SNR itself, so that every step h is twice as long", right=ratio)
    d.misprint(
        log(sqrt(1 - abar_t) / sqrt(abar_t)),
        "signal and noise swapped: lambda falls towards the data, and h has the wrong sign",
        right=ratio,
    )
    d.misprint(log(abar_t / sqrt(1 - abar_t)), "abar for sqrt(abar) as the signal: the papers' alpha is the root", right=ratio)
    d.conclude(ratio)


@derivation(dpm.signal)
def signal(d):
    """The level as a function of lambda alone: there and back."""
    level = dpm.signal.expression
    there = d.use(dpm.half_log_snr)
    d.equal(level.xreplace({dpm.lam: there}), abar_t, "at the lambda of a level it is that level")
    d.equal(log(level / (1 - level)) / 2, dpm.lam, "and its lambda is lambda")
    d.derivative(level, dpm.lam, 2 * level * (1 - level), "its slope")
    d.less(0, 2 * level * (1 - level), "is positive: the level rises with lambda, from 0 to 1")
    d.equal(1 - level, 1 / (1 + exp(2 * dpm.lam)), "the noise is the same function of -lambda")
    d.misprint(1 / (1 + exp(-dpm.lam)), "the logistic function of lambda: right if lambda were the whole logarithm of SNR")
    d.misprint(1 / (1 + exp(2 * dpm.lam)), "the sign of lambda: the noise taken for the signal")
    odds = exp(2 * dpm.lam)
    d.conclude(odds / (1 + odds), "solve SNR = abar / (1 - abar) = e^(2 lambda) for abar")


@derivation(dpm.growth)
def growth(d):
    """The step h is half the logarithm of a quotient of signal-to-noise ratios; towards the data it is positive."""
    d.assume(abar_s < 1, NOISED)
    there = d.use(dpm.half_log_snr)
    d.equal(log(snr_s) / 2 - there, dpm.h, "h = lambda_s - lambda_t")
    d.less(snr_t, snr_s, "the signal-to-noise ratio rises towards the data")
    d.less(0, dpm.h, "and so does its logarithm: h > 0")
    d.less(1, dpm.growth.expression, "in other words e^h > 1")
    d.equal(exp(2 * dpm.h), snr_s / snr_t, "e^(2h) is the quotient of the signal-to-noise ratios")
    d.misprint(
        1 / dpm.growth.expression, "h = lambda_t - lambda_s, start minus end: the reciprocal, and a step back into the noise"
    )
    d.misprint(dpm.growth.expression**2, "h as a difference of whole logarithms: the square")
    d.conclude(exp(dpm.h), "e^h is the quotient of the roots")
