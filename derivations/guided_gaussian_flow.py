r"""Where guided sampling ends, in closed form.

For data that are Gaussian along a direction, :math:`\mathcal{N}(m_u, c_u)` without the label and :math:`\mathcal{N}(m_c, c_c)`
with it, the guided score is a line in x at every noise level, and both ways of sampling are linear. In sigma space, with v the
variance of the noise, the probability flow and the reverse SDE are, for decreasing v,

.. math:: dx = -\tfrac12 \tilde s(x, v)\, dv, \qquad dx = -\tilde s(x, v)\, dv + \sqrt{-dv}\, z .

What never changes along them gives the end (v = 0) from the start (v large), without solving anything: the sampler starts
from :math:`\mathcal{N}(m, v + c)` with any m and c, and in the limit of much noise neither matters.
"""

from sympy import Integer, Rational, log, sqrt

from verifydiff.forms import guidance
from verifydiff.forms.guidance import mean_c, mean_u, var_c, var_u
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION, w
from verifydiff.proof import Gaussian, derivation, letter

BRADLEY = "Bradley & Nakkiran 2024, sec. 3"
HALF = Rational(1, 2)
noise = letter("noise", "v", domain=NONNEGATIVE)
start = letter("start", "V", domain=POSITIVE)
small = letter("small", r"\nu", domain=NONNEGATIVE)
positive = letter("positive", r"\nu", domain=POSITIVE)
x, other = letter("x", "x"), letter("other", "x'")
spread, mean = letter("spread", "S", domain=POSITIVE), letter("mean", "M")
first_mean, first_extra = letter("first_mean", "m"), letter("first_extra", "c", domain=NONNEGATIVE)
push, steep = letter("push", r"\tilde s(0)"), letter("steep", r"\Lambda")
h, after = letter("h", "h", domain=NONNEGATIVE), letter("after", "x_{v-h}")

HELD = dict.fromkeys((w, var_c, var_u, mean_c, mean_u), 0)
A, B = var_c + noise, var_u + noise
GROWTH = A * (A / B) ** w  # what the slope of the guided score is the logarithmic derivative of
TOTAL = (1 + w) / A - w / B


def score(at):
    """The guided score at noise of variance v."""
    return -(1 + w) * (at - mean_c) / A + w * (at - mean_u) / B


def informative(d):
    d.assume(var_c < var_u, "the label says something: the data vary less with it than without")


def growth(d):
    d.given(r"\Phi(v)", GROWTH, "the powers of the two noised variances with the weights of guidance")
    return d.derivative(log(GROWTH), noise, TOTAL, "the slope of its logarithm is that of the guided score, with the other sign")


@derivation(guidance.ode_variance)
def ode_variance(d):
    """Two paths of the flow drift apart or together at the rate of Phi^(1/2), so a variance changes as Phi."""
    growth(d)
    flow = HELD | {x: -HALF * score(x), other: -HALF * score(other)}
    d.depends(noise, flow, "two paths of the probability flow (Karras et al. 2022, eq. 1, in v = sigma^2)")
    d.derivative((x - other) / sqrt(GROWTH), noise, 0, "their difference over the root of Phi never changes")
    end, far = at_zero(GROWTH), GROWTH.xreplace({noise: start})
    variance = d.given(
        r"\operatorname{Var}", (start + first_extra) * end / far, "from noise of variance V and an extra of c, down to no noise"
    )
    shrunk = (1 + positive * var_c) / (1 + positive * var_u)
    by_noise = end * (1 + positive * first_extra) / (1 + positive * var_c) / shrunk**w
    d.equal(variance.xreplace({start: 1 / positive}), by_noise, "with 1/V = nu the powers of V cancel")
    limit = d.expand(by_noise.xreplace({positive: small}), small, end, 0, "in the limit of much noise")
    d.conclude(limit)
    d.misprint(
        guidance.tilted_variance.expression,
        "the folklore: guided sampling ends in p(x) p(y | x)^(1+w). Its variance is another one",
    )
    d.misprint(var_c, "guidance moves the mean only")


def at_zero(function):
    return function.xreplace({noise: Integer(0)})


def euler(d):
    """Mean and variance of one Euler step of the guided reverse SDE, to first order in its length."""
    d.equal(score(x), score(Integer(0)) - TOTAL * x, "the guided score falls with x at a constant rate, call it Lambda")
    law = d.given("p_v(x)", Gaussian(x, mean, spread), "mean and variance at noise of variance v")
    drifted, factor = x + h * (push - steep * x), 1 - h * steep
    with d.suppose(h > 0, "a step of some length, from v to v - h"):
        step = d.given(r"p(x_{v-h} \mid x)", Gaussian(after, drifted, h), "the drift, and fresh noise of variance h")
        moved, total = drifted.xreplace({x: mean}), factor**2 * spread + h
        back = Gaussian(x, mean + factor * spread / total * (after - moved), spread * h / total)
        d.marginalise(law, step, back, Gaussian(after, moved, total), "a linear step keeps a Gaussian one")
    d.expand(factor**2 * spread + h, h, spread + h * (1 - 2 * steep * spread), 1, "the variance, to first order in h")
    d.depends(
        noise,
        HELD | {spread: 2 * TOTAL * spread - 1, mean: -score(mean)},
        "the limit of small steps, for growing v: the rates of mean and variance",
    )


@derivation(guidance.sde_variance)
def sde_variance(d):
    """The noise that is put in on the way is tightened by the later steps: an integral of powers that is elementary."""
    informative(d)
    growth(d)
    euler(d)
    ratio = B / A
    poured = ratio / (A / B) ** (2 * w) / ((1 + 2 * w) * (var_u - var_c))
    d.derivative(poured, noise, -1 / GROWTH**2, "the noise that came in")
    d.derivative(spread / GROWTH**2 - poured, noise, 0, "variance over Phi^2, less what came in, never changes")
    far = {noise: start}
    value = d.given(
        r"\operatorname{Var}",
        at_zero(GROWTH) ** 2 * ((start + first_extra) / GROWTH.xreplace(far) ** 2 + at_zero(poured) - poured.xreplace(far)),
        "so the end follows from the start",
    )
    shrunk = (1 + positive * var_u) / (1 + positive * var_c)
    by_noise = at_zero(GROWTH) ** 2 * (
        positive * (1 + positive * first_extra) * shrunk ** (2 * w) / (1 + positive * var_c) ** 2
        + at_zero(poured)
        - shrunk / (1 / shrunk) ** (2 * w) / ((1 + 2 * w) * (var_u - var_c))
    )
    d.equal(value.xreplace({start: 1 / positive}), by_noise, "with 1/V = nu the powers of V cancel")
    limit = at_zero(GROWTH) ** 2 * (at_zero(poured) - 1 / ((1 + 2 * w) * (var_u - var_c)))
    d.expand(by_noise.xreplace({positive: small}), small, limit, 0, "in the limit of much noise")
    d.conclude(limit)
    d.misprint(guidance.tilted_variance.expression, "the folklore again: the reverse SDE does not end there either")
    d.misprint(guidance.ode_variance.expression, "flow and SDE taken for one, as they are without guidance")


@derivation(guidance.sde_mean)
def sde_mean(d):
    """The same for the mean."""
    informative(d)
    growth(d)
    euler(d)
    pulled = (B / A) ** w / (var_u - var_c)
    d.derivative(pulled, noise, -w / (B * GROWTH), "the pull of the difference of the means")
    gap = mean_u - mean_c
    d.derivative((mean - mean_c) / GROWTH + gap * pulled, noise, 0, "the mean over Phi, and the pull, never change together")
    far = {noise: start}
    value = d.given(
        r"\mathbb{E}",
        mean_c + at_zero(GROWTH) * ((first_mean - mean_c) / GROWTH.xreplace(far) + gap * (pulled.xreplace(far) - at_zero(pulled))),
        "so the end follows from the start",
    )
    shrunk = (1 + positive * var_u) / (1 + positive * var_c)
    by_noise = mean_c + at_zero(GROWTH) * (
        positive * (first_mean - mean_c) * shrunk**w / (1 + positive * var_c)
        + gap * (shrunk**w / (var_u - var_c) - at_zero(pulled))
    )
    d.equal(value.xreplace({start: 1 / positive}), by_noise, "with 1/V = nu the powers of V cancel")
    limit = mean_c + at_zero(GROWTH) * gap * (1 / (var_u - var_c) - at_zero(pulled))
    d.expand(by_noise.xreplace({positive: small}), small, limit, 0, "in the limit of much noise the first mean is forgotten")
    d.conclude(limit)
    d.misprint(guidance.tilted_mean.expression, "the folklore: the mean of p(x) p(y | x)^(1+w)")
    d.misprint(mean_c, "guidance narrows only")


@derivation(id="guidance.without", title="without guidance, flow and SDE end in the conditional data", source=BRADLEY)
def without(d):
    """At w = 0 all three variances and both means are those of the data with the label."""
    informative(d)
    for form in (guidance.ode_variance, guidance.sde_variance, guidance.tilted_variance):
        d.equal(d.use(form).xreplace({w: Integer(0)}), var_c, "the variance with the label")
    for form in (guidance.sde_mean, guidance.tilted_mean):
        d.equal(d.use(form).xreplace({w: Integer(0)}), mean_c, "the mean with the label")


@derivation(
    id="guidance.flow_is_narrower", title="the guided flow ends in less variance than the tilted density has", source=BRADLEY
)
def flow_is_narrower(d):
    """Two tangents of the exponential. With r = c_c / c_u < 1 and w > 0: r^(-w) > 1 + w log(1/r) >= 1 + w (1 - r)."""
    ratio = letter("ratio", "r", domain=PROPER_FRACTION)
    d.assume(w > 0, "there is guidance")
    known = {var_c: d.given("c_c", ratio * var_u, "the label says something: the data vary less with it than without")}
    first = d.above_tangent(-w * log(ratio), "r^(-w) is an exponential, of -w log r")
    second = d.above_tangent(log(ratio), "and r is one, of log r")
    d.add_up(1 + w * (1 - ratio), ratio ** (-w), [(1, first), (w, second)], "the two together", relation="<")
    flow, tilted = (d.use(form, at=known) for form in (guidance.ode_variance, guidance.tilted_variance))
    d.equal(
        ratio * var_u / tilted, 1 + w * (1 - ratio), "on the left, by how much the tilted density is narrower than the label's data"
    )
    d.equal(ratio * var_u / flow, ratio ** (-w), "on the right, by how much the flow's end is: by more")


@derivation(id="guidance.flow_mean", title="the guided flow overshoots the tilted mean: at scale 3, in closed form", source=BRADLEY)
def flow_mean(d):
    """For w = 2 (s = 3) the integral is elementary: the flow ends two r beyond the label's mean, the tilted density less.

    For a general weight the mean is an incomplete beta integral.
    """
    informative(d)
    two = {w: Integer(2)}
    power = GROWTH.xreplace(two)
    held = dict.fromkeys((var_c, var_u, mean_c, mean_u), 0)
    d.depends(noise, held | {x: -HALF * score(x).xreplace(two)}, "a path of the flow at w = 2; the mean of all paths is one, too")
    gap, pulled = mean_u - mean_c, 2 / sqrt(A)
    d.derivative(
        (x - mean_c) / sqrt(power) + gap * pulled, noise, 0, "the path over the root of Phi, and a pull, never change together"
    )
    far = {noise: start}
    value = d.given(
        r"\mathbb{E}",
        mean_c
        + sqrt(at_zero(power))
        * ((first_mean - mean_c) / sqrt(power.xreplace(far)) + gap * (pulled.xreplace(far) - at_zero(pulled))),
        "so the end follows from the start",
    )
    q = letter("q", r"V^{-1/2}", domain=NONNEGATIVE)
    strict = letter("strict", r"V^{-1/2}", domain=POSITIVE)
    by_noise = mean_c + sqrt(at_zero(power)) * (
        (first_mean - mean_c) * q * (1 + q**2 * var_u) / sqrt(1 + q**2 * var_c) ** 3
        + gap * (2 * q / sqrt(1 + q**2 * var_c) - at_zero(pulled))
    )
    d.equal(value.xreplace({start: strict**-2}), by_noise.xreplace({q: strict}), "with 1/V = nu the powers of V cancel")
    end = mean_c + 2 * var_c / var_u * (mean_c - mean_u)
    d.expand(by_noise, q, end, 0, "in the limit of much noise: beyond the label's mean by 2 r of the difference")
    tilted = d.use(guidance.tilted_mean).xreplace(two)
    d.equal(end - mean_c, (3 - 2 * var_c / var_u) * (tilted - mean_c), "that is 3 - 2 r times as far as the tilted density goes")
    d.less(1, 3 - 2 * var_c / var_u, "farther, since r < 1")
    d.misprint(end, "the folklore: the mean of p(x) p(y | x)^3", right=tilted)
