r"""The linear schedule: its integral in closed form, and the table of betas that DDPM uses.

.. math:: \beta(t) = \beta_{\min} + t\,\Delta\beta, \qquad B(t) = \beta_{\min} t + \tfrac12 \Delta\beta\, t^2

DDPM's table of N betas runs evenly from :math:`\beta_{\min}/N` to :math:`\beta_{\max}/N`. Its sums stay close to the integral.
"""

from sympy import Integer, Rational, exp

from verifydiff.forms import sde
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE
from verifydiff.forms.sde import beta_min, beta_span, t
from verifydiff.proof import derivation, letter

SONG = sde.SONG_SDE

u = letter("u", domain=NONNEGATIVE)
k = letter("k", domain=NONNEGATIVE)
N = letter("N", domain=POSITIVE)
total = letter("total", r"\sum\beta_i", domain=NONNEGATIVE)


@derivation(sde.linear_integral)
def linear_integral(d):
    """A straight line integrates to a parabola."""
    slope = d.given(r"\beta(u)", beta_min + beta_span * u, "beta goes from beta_min to beta_max = beta_min + its span over [0, 1]")
    closed = d.integral(slope, u, 0, t, beta_min * u + beta_span * u**2 / 2, "an antiderivative")
    d.misprint(beta_min * t + beta_span * t**2, "the half lost in the quadratic term")
    d.misprint((beta_min + beta_span * t) * t, "the last beta times the time, as if beta were constant")
    d.conclude(closed)


@derivation(id="sde.linear_log_mean", title="log of the VP mean factor for the linear schedule", source=f"{SONG}, app. C, eq. 33")
def log_mean(d):
    """The exponent is -B/2: a quarter of the span at t^2, half of beta_min at t. The variance has twice that exponent."""
    d.use(sde.linear_integral)
    d.use(sde.vp_level)
    exponent = -sde.linear_integral.expression / 2
    told = d.equal(exponent, -beta_span * t**2 / 4 - beta_min * t / 2, "the log mean coefficient, as implementations have it")
    d.equal(1 - exp(2 * exponent), 1 - exp(-sde.linear_integral.expression), "the variance: the mean factor squared, taken from 1")
    d.misprint(-beta_span * t**2 / 2 - beta_min * t, "B in place of B/2", right=told)
    d.misprint(-beta_span * t**2 / 4 - beta_min * t / 4, "a quarter at both", right=told)


@derivation(id="sde.linear_sums", title="the sums of DDPM's linear betas against the integral", source=f"{SONG}, app. C")
def sums(d):
    """The table is evenly spaced from beta_min / N to beta_max / N, both ends included: its whole sum is B(1), exactly.

    On the way the sum lags behind the integral, by nothing at both ends and at most the span over 8 (N - 1) in the middle.
    """
    d.use(sde.linear_integral)
    d.assume(N > 1, "a table has two ends")
    gap = d.given(r"\delta", beta_span / (N * (N - 1)), "the spacing of the table")
    closed = d.induction(
        total, 0, total + beta_min / N + k * gap, k * beta_min / N + gap * k * (k - 1) / 2, {k: 0}, {k: k + 1},
        "the next beta is k spacings above the first",
    )  # fmt: skip
    d.equal(closed.xreplace({k: N}), sde.linear_integral.expression.xreplace({t: Integer(1)}), "all N betas: the integral to t = 1")
    lag = sde.linear_integral.expression.xreplace({t: k / N}) - closed
    d.equal(lag, beta_span * k * (N - k) / (2 * N**2 * (N - 1)), "after k of them the sum lags behind the integral to k / N")
    d.at_most(lag, beta_span / (8 * (N - 1)), "by most in the middle, k = N / 2")
    d.misprint(sde.linear_integral.expression.xreplace({t: k / N}), "the sum taken for the integral on the way", right=closed)


@derivation(id="sde.linear_table", title="DDPM's betas from 0.0001 to 0.02 are beta(t) from 0.1 to 20", source=f"{SONG}, app. C")
def table(d):
    """With N = 1000 the table times N gives the ends of beta(t); at t = 1 the integral is 10.05 and little signal is left.

    That little is not none: the last mean factor is exp(-B/2), about 0.0066.
    """
    d.use(sde.linear_integral)
    low, high, steps = Rational(1, 10000), Rational(2, 100), 1000
    d.equal(steps * low, Rational(1, 10), "beta_min")
    d.equal(steps * high, 20, "beta_max")
    ends = {beta_min: steps * low, beta_span: steps * (high - low), t: Integer(1)}
    at_one = d.equal(sde.linear_integral.expression.xreplace(ends), Rational(1005, 100), "B(1), half the sum of the ends")
    d.less(0, exp(-at_one), "the signal that is left in power is never none ...")
    d.less(exp(-at_one), Rational(5, 100000), "... but less than 0.00005")
    d.less(Rational(65, 10000), exp(-at_one / 2), "its amplitude is more than 0.0065: the chain does not end in pure noise")
    d.misprint(0, "the chain taken to end in pure noise: huggingface/diffusers#2585 is what comes of it", right=exp(-at_one))
