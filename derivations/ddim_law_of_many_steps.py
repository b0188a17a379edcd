r"""The law in which DDIM ends, after any number of steps, on Gaussian data with the exact denoiser.

Deterministic steps turn by angles. With :math:`\tan\theta_t = \sqrt{1 - \bar\alpha_t} / \sqrt{\bar\alpha_t c}` the gain of a
step is

.. math:: g = \sqrt{D_s / D_t}\, \cos(\theta_t - \theta_s)

The roots telescope, the cosines do not: the product of their squares is kept, and with equal angles it is greatest. The
whole turn is at most a quarter; in S equal steps :math:`\cos^{2S}(\theta_T / S)` of the variance is kept. The gains of DDPM,
eta = 1, telescope altogether, whatever the grid: how much of a wrong start is left does not depend on the number of steps.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddim, laws
from verifydiff.forms.laws import abar_top, gains, kept, start_mean, start_variance
from verifydiff.forms.quantities import (
    LEVEL,
    NONNEGATIVE,
    UNIT,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_mean,
    data_variance,
    eta,
    sigma_t,
)
from verifydiff.proof import derivation, letter

c = data_variance
D_s, D_t = abar_s * c + 1 - abar_s, laws.variance.expression
level, following = letter("level", r"\bar\alpha", domain=UNIT), letter("following", r"\bar\alpha'", domain=UNIT)
V, M = letter("V", "V"), letter("M", "M")
SPREAD = "along a direction in which the data are a point D_0 is 0, and every step is exact anyway"


def spread(which):
    """The variance of the marginal at a level."""
    return which * c + 1 - which


def turn(start, end):
    """The cosine of a step between two levels."""
    return (sqrt(start) * sqrt(end) * c + sqrt(1 - start) * sqrt(1 - end)) / sqrt(spread(start) * spread(end))


@derivation(laws.cosine)
def cosine(d):
    """The two levels are points on a circle, at the angles whose tangents are the noise over the signal of the data."""
    d.assume(c > 0, SPREAD)
    at_t = sqrt(abar_t * c / D_t), sqrt((1 - abar_t) / D_t)
    at_s = sqrt(abar_s * c / D_s), sqrt((1 - abar_s) / D_s)
    for name, (cos, sin) in (("t", at_t), ("s", at_s)):
        d.equal(cos**2 + sin**2, 1, f"cosine and sine of theta_{name}: signal and noise, over the whole deviation")
    between = d.given(r"\cos(\theta_t - \theta_s)", at_t[0] * at_s[0] + at_t[1] * at_s[1], "the addition theorem")
    sine = at_t[1] * at_s[0] - at_t[0] * at_s[1]
    d.equal(between**2 + sine**2, 1, "cosine and sine of the turn")
    d.less(0, sine, "it turns towards the data")
    deterministic = d.use(laws.gain, at={sigma_t: Integer(0)})
    d.equal(deterministic, sqrt(D_s / D_t) * between, "the gain of the deterministic step: what telescopes, and a cosine")
    d.equal(d.use(laws.loss, at={sigma_t: Integer(0)}), D_s * sine**2, "what a step loses: the square of the sine")
    d.misprint(Integer(1), "a deterministic step loses nothing: it does, for every finite step", right=between)
    d.conclude(between)


@derivation(laws.end_variance)
def end_variance(d):
    """By induction: the variance at a level is the marginal's, times the squared cosines, times what was wrong at the start."""
    closed = spread(level) * kept**2 * start_variance / spread(abar_top)
    d.assume(c > 0, SPREAD)
    gain_squared = (sqrt(level) * sqrt(following) * c + sqrt(1 - level) * sqrt(1 - following)) ** 2 / spread(level) ** 2
    d.equal(d.use(laws.gain, at={sigma_t: Integer(0)}), sqrt(D_s / D_t) * d.use(laws.cosine), "the gain of a step")
    d.equal(gain_squared, spread(following) / spread(level) * turn(level, following) ** 2, "the same for any two levels")
    closed = d.induction(
        V, start_variance, gain_squared * V, closed, {level: abar_top, kept: Integer(1)},
        {level: following, kept: kept * turn(level, following)}, "a deterministic step from a level to the following one",
    )  # fmt: skip
    d.misprint(data_variance * start_variance / spread(abar_top), "the cosines left out: the limit of infinitely many steps")
    d.conclude(closed.xreplace({level: Integer(1)}), "the last level is 1: the data")


@derivation(laws.end_mean)
def end_mean(d):
    """By induction: what the mean is wrong by at the start is multiplied by every gain, and nothing else is wrong with it.

    With fresh noise the gains are smaller; a deterministic sampler remembers where it started.
    """
    g = letter("g", "g", domain=NONNEGATIVE)
    closed = sqrt(level) * data_mean + gains * (start_mean - sqrt(abar_top) * data_mean)
    with d.suppose(sigma_t**2 <= 1 - abar_s, "a step, with no more fresh noise than the marginal at s has"):
        kept = sqrt(abar_s) * data_mean - d.use(laws.gain) * sqrt(abar_t) * data_mean
        shifted = d.equal(d.use(laws.shift), kept, "the shift keeps the right mean")
    d.given("M_s", shifted, "so the mean goes to g M + sqrt(abar_s) m_0 - g sqrt(abar_t) m_0")
    closed = d.induction(
        M, start_mean, g * M + (sqrt(following) - g * sqrt(level)) * data_mean, closed, {level: abar_top, gains: Integer(1)},
        {level: following, gains: g * gains}, "a step of any eta from a level to the following one",
    )  # fmt: skip
    d.misprint(data_mean, "the mean is right whatever the start: only if the start is, or if a gain is 0")
    d.conclude(closed.xreplace({level: Integer(1)}), "the last level is 1: the data")


@derivation(id="laws.end_variance_with_noise", title="the variance with fresh noise", source="Song et al. 2021 (DDIM), eq. 12")
def end_variance_with_noise(d):
    r"""Of any eta: :math:`V = G V_T + N`, where G is the product of the squared gains and N gathers the fresh noise.

    Started with the marginal's variance or less, a sampler never has more: every step loses some, and multiplies what is lost.
    """
    g, lost = letter("g", "g", domain=NONNEGATIVE), letter("lost", r"\text{loss}", domain=NONNEGATIVE)
    G, N = letter("G", "G", domain=NONNEGATIVE), letter("N", "N", domain=NONNEGATIVE)
    excess, short = letter("excess", "V - D"), letter("short", r"D_T - V_T", domain=NONNEGATIVE)
    d.induction(
        V, start_variance, g**2 * V + sigma_t**2, G * start_variance + N, {G: Integer(1), N: Integer(0)},
        {G: g**2 * G, N: g**2 * N + sigma_t**2}, "the law of a step",
    )  # fmt: skip
    d.at_most(0, d.use(laws.loss, at={sigma_t: Integer(0)}), "a step loses something (its page shows it for every sigma)")
    d.induction(
        excess, -short, g**2 * excess - lost, Integer(0), {}, {}, "what is in excess is multiplied by g^2, less the loss", "<="
    )


@derivation(id="laws.equal_angles", title="equal angles lose least", source="elementary")
def equal_angles(d):
    r"""Of two steps that turn by a and b together, the kept part is greatest where a = b.

    So a grid with two unlike neighbouring turns can be improved, and the best grid, which exists since the product is continuous
    on a compact set, has equal ones: of the variance :math:`\cos^{2S}(\theta_T / S)` is kept, about :math:`1 - \theta_T^2 / S`.
    The angles depend on c, so that no grid is best along all directions of the data.
    """
    p, q = letter("p", r"\tan\tfrac a2", domain=UNIT), letter("q", r"\tan\tfrac b2", domain=UNIT)
    cos_a, sin_a = (1 - p**2) / (1 + p**2), 2 * p / (1 + p**2)
    cos_b, sin_b = (1 - q**2) / (1 + q**2), 2 * q / (1 + q**2)
    d.equal(cos_a**2 + sin_a**2, 1, "cosine and sine of the one turn, by the tangent of its half")
    d.equal(cos_b**2 + sin_b**2, 1, "and of the other")
    together = d.given(r"\cos(a + b)", cos_a * cos_b - sin_a * sin_b, "the whole turn is held")
    halved = d.given(
        r"\cos^2 \tfrac{a + b}{2}", (1 + together) / 2, "two equal turns instead: the square of the cosine of the half"
    )
    d.equal(halved - cos_a * cos_b, (1 - (cos_a * cos_b + sin_a * sin_b)) / 2, "the gain is (1 - cos(a - b)) / 2")
    d.at_most(cos_a * cos_b, halved, "which is never negative")
    d.equal((halved - cos_a * cos_b).xreplace({q: p}), 0, "and 0 for equal turns")


@derivation(laws.frechet_ddim)
def frechet_ddim(d):
    """The law that deterministic DDIM ends in, against the data."""
    d.assume(c > 0, SPREAD)
    ends = {
        laws.m_1: d.use(laws.end_mean), laws.m_2: data_mean,
        laws.v_1: d.use(laws.end_variance), laws.v_2: c,
    }  # fmt: skip
    distance = d.use(laws.frechet).xreplace(ends)
    right = {start_variance: spread(abar_top), start_mean: sqrt(abar_top) * data_mean}
    d.equal(
        laws.frechet_ddim.expression.xreplace(right), c * (1 - kept) ** 2, "started in the marginal at T, only the cosines are left"
    )
    roots = d.given(
        r"\textstyle\prod g", sqrt(c / spread(abar_top)) * kept, "the gains: what telescopes, from D_T to c, and the cosines"
    )
    d.misprint(c * (1 - kept**2) ** 2, "the variances compared in place of the deviations", right=c * (1 - kept) ** 2)
    d.conclude(distance.xreplace({gains: roots}))


@derivation(laws.ddpm_gain)
def ddpm_gain(d):
    """The slope of the regression of x_s on x_t, since the posterior's mean given the mean of x_0 is the mean of x_s."""
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    gain = d.given("g", d.use(laws.gain, at={sigma_t: scale}), "the gain of the DDIM family at eta = 1")
    d.misprint(sqrt(D_s / D_t), "the flow's gain", right=gain)
    d.misprint(sqrt(alpha_t), "right for unit variance only", right=gain)
    d.conclude(gain)


@derivation(id="laws.ddpm_forgets", title="what DDPM keeps of its start, on any grid", source="elementary")
def ddpm_forgets(d):
    r"""The product of the gains from :math:`\bar\alpha_T` to a level is :math:`\sqrt{\bar\alpha_T / \bar\alpha}\, D / D_T`.

    Down to the data that is :math:`\sqrt{\bar\alpha_T}\, c / D_T`, be it in one step or in a thousand. Deterministic steps keep
    :math:`\sqrt{c / D_T}` times their cosines: nearly what the flow keeps, the more so the more steps there are.
    """
    at_level, at_following = letter("level", r"\bar\alpha", domain=LEVEL), letter("following", r"\bar\alpha'", domain=LEVEL)
    start = letter("start", r"\bar\alpha_T", domain=LEVEL)
    between = sqrt(at_level / at_following) * spread(at_following) / spread(at_level)
    d.equal(d.use(laws.ddpm_gain), sqrt(abar_t / abar_s) * D_s / D_t, "the gain by the levels, with alpha_t = abar_t / abar_s")
    closed = d.induction(
        gains, Integer(1), between * gains, sqrt(start / at_level) * spread(at_level) / spread(start),
        {at_level: start}, {at_level: at_following}, "a step of DDPM from a level to the following one",
    )  # fmt: skip
    d.equal(closed.xreplace({at_level: Integer(1)}), sqrt(start) * c / spread(start), "down to the data")
    d.equal(
        (sqrt(start) * c / spread(start)) ** 2,
        start * c / spread(start) * (c / spread(start)),
        "abar_T c / D_T of what a flow keeps",
    )


@derivation(id="laws.ddpm_deficit", title="what DDPM is short of, as a sum", source="elementary")
def ddpm_deficit(d):
    r"""With :math:`\Delta = D - V` missing at a level, :math:`\Delta \bar\alpha / D^2` grows by each step's loss, and is kept.

    So at the data :math:`\Delta_0 = c^2 \sum \bar\alpha_s\, \mathrm{loss} / D_s^2`, over all steps, and a start's share
    :math:`c^2 \bar\alpha_T \Delta_T / D_T^2`.
    """
    missing, lost = letter("missing", r"\Delta_t"), letter("lost", r"\mathrm{loss}", domain=NONNEGATIVE)
    with d.suppose(c > 0, SPREAD):
        after = d.given(r"\Delta_s", d.use(laws.ddpm_gain) ** 2 * missing + lost, "g^2 times what was missing, and the loss")
        d.equal(after * abar_s / D_s**2, missing * abar_t / D_t**2 + lost * abar_s / D_s**2, "in these units it is a sum")
        d.equal((missing * abar_s / D_s**2).xreplace({abar_s: Integer(1)}), missing / c**2, "and at the data it is Delta_0 / c^2")
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(d.use(laws.loss, at={sigma_t: scale}), abar_s * beta_t**2 * c / ((1 - abar_t) * D_t), "the loss of a step")
