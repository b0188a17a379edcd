r"""Langevin dynamics: noise and score in balance, and what a finite step does to the balance.

.. math:: dx_i = \tfrac12 \tau^2\, \partial_i \log p\,dt + \tau\,dW_i

leaves p as it is, for any density p and any strength of the noise. It is what the corrector of a predictor-corrector sampler
runs, and what tells the reverse SDE from the probability flow. A finite step leaves a bias.
"""

from sympy import Integer, Rational, exp, sqrt

from verifydiff.forms import sde
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, x_s, x_t
from verifydiff.forms.score import score_t
from verifydiff.forms.sde import f, g, lam, t
from verifydiff.proof import Gaussian, derivation, letter

SONG = sde.SONG_SDE

x_i, x_j = letter("x_i"), letter("x_j")
p = letter("p", domain=POSITIVE)
p_i, p_j, p_ii, p_jj = (letter(f"p_{k}", rf"\partial_{{{k}}} p") for k in ("i", "j", "ii", "jj"))
p_ij = letter("p_ij", r"\partial_i \partial_j p")
tau = letter("tau", r"\tau", domain=NONNEGATIVE)
delta = letter("delta", r"\delta", domain=POSITIVE)
v = letter("v", domain=POSITIVE)
spread = letter("spread", "v_n", domain=NONNEGATIVE)


@derivation(id="langevin.invariant", title="Langevin dynamics leaves the density as it is", source="Roberts & Tweedie 1996")
def invariant(d):
    """What noise spreads, the drift along the score takes back: the flux is zero at every point. The density is arbitrary."""
    d.depends(x_i, {p: p_i, p_i: p_ii, p_j: p_ij, tau: 0, x_j: 0}, "along the coordinate i")
    d.depends(x_j, {p: p_j, p_j: p_jj, p_i: p_ij, tau: 0, x_i: 0}, "along the coordinate j")
    d.depends(t, {p: 0}, "a density that does not change in time")
    d.evolves(p, t, {x_i: tau**2 / 2 * p_i / p, x_j: tau**2 / 2 * p_j / p}, tau, "it satisfies the equation of Langevin dynamics")
    flux = d.equal(tau**2 / 2 * (p_i / p) * p - tau**2 / 2 * p_i, 0, "even the flux vanishes, not only its divergence")
    d.misprint(
        tau**2 * (p_i / p) * p - tau**2 / 2 * p_i,
        "the half lost in the drift: a colder density, p squared, is what stays",
        right=flux,
    )


@derivation(id="langevin.temperature", title="which density stays if drift and noise do not match", source="Roberts & Tweedie 1996")
def temperature(d):
    """With the drift k tau^2/2 times the score a power of p stays, p^k: a wrong factor is a wrong temperature.

    Noise sqrt(delta) z in place of sqrt(2 delta) z in the discrete step is k = 2.
    """
    k, ell, l_i, l_ii = letter("k", domain=POSITIVE), letter("ell", r"\log p"), letter("l_i", r"\partial_i \log p"), letter("l_ii")
    d.depends(x_i, {ell: l_i, l_i: l_ii, tau: 0, k: 0}, "log p along one coordinate; the others are alike")
    d.depends(t, {ell: 0, k: 0}, "nothing changes in time")
    power = d.given("q", exp(k * ell), "the power of p, up to its normaliser")
    d.evolves(power, t, {x_i: k * tau**2 / 2 * l_i}, tau, "it stays as it is")
    d.equal(
        (k * tau**2 / 2).xreplace({k: Integer(2), tau: Integer(1)}),
        1,
        "score and unit noise, the discrete slip, is k = 2: p squared",
    )
    d.equal((k * tau**2 / 2).xreplace({k: Integer(1), tau: sqrt(2)}), 1, "score and noise of variance 2 is k = 1, as it should be")
    d.misprint(exp(ell), "p itself, whatever the noise", right=power)


@derivation(
    id="langevin.splits_reverse",
    title="the reverse SDE is the probability flow and Langevin dynamics",
    source="Karras et al. 2022, eq. 6",
)
def splits_reverse(d):
    """What noise of strength lambda g adds to the flow is Langevin dynamics of that strength, which leaves p alone.

    Backwards in time dt is negative, so that the Langevin drift is subtracted.
    """
    family, flow = d.use(sde.family_drift), d.use(sde.flow_drift)
    langevin = d.given("Langevin drift", (lam * g) ** 2 / 2 * score_t, "half of the noise's square, times the score")
    d.equal(family, flow - langevin, "flow, and Langevin dynamics run in the positive time |dt|")
    d.misprint(flow + langevin, "the Langevin drift with the sign of the flow: dt < 0 forgotten", right=family)
    d.equal((f - family).xreplace({lam: Integer(1)}), g**2 * score_t, "at lambda = 1: half from the flow, half from Langevin")


@derivation(id="langevin.step_variance", title="variance after one unadjusted Langevin step", source="Roberts & Tweedie 1996")
def step_variance(d):
    """Target N(0, v), step x + delta score + sqrt(2 delta) z: a Gaussian stays Gaussian, its variance follows a recursion."""
    law = d.given("p_n", Gaussian(x_t, 0, v), "start in the target itself")
    factor = 1 - delta / v
    step = d.given("p(x_{n+1} | x_n)", Gaussian(x_s, factor * x_t, 2 * delta), "the score of N(0, v) is -x / v")
    after = factor**2 * v + 2 * delta
    back = Gaussian(x_t, factor * v / after * x_s, v * 2 * delta / after)
    d.marginalise(law, step, back, Gaussian(x_s, 0, after), "variances add after scaling")
    d.equal(after - v, delta**2 / v, "the target is not left as it is: delta^2 / v is added")
    d.misprint(v, "the discrete step taken to be exact, like the dynamics in continuous time", right=after)
    d.misprint(factor**2 * v + delta, "the 2 lost in the variance of the noise", right=after)


@derivation(
    id="langevin.bias",
    title="where unadjusted Langevin steps end: too wide, to first order in the step",
    source="Roberts & Tweedie 1996",
)
def bias(d):
    """For 0 < delta < 2 v the variance goes to v / (1 - delta / (2 v)), the fixed point; the distance shrinks geometrically."""
    d.assume(delta < 2 * v, "beyond that the factor 1 - delta / v exceeds 1 in size, and the variance grows without bound")
    factor = 1 - delta / v
    limit = d.given(r"v_\infty", v / (1 - delta / (2 * v)), "the candidate")
    d.equal(factor**2 * limit + 2 * delta, limit, "it stays as it is under a step")
    d.equal(factor**2 * spread + 2 * delta - limit, factor**2 * (spread - limit), "any other variance comes closer by factor^2")
    d.less(factor**2, 1, "which is less than 1")
    d.less(v, limit, "the limit is too wide")
    d.equal(limit - v, delta / 2 / (1 - delta / (2 * v)), "by delta / 2, and a little more")
    d.misprint(limit - v - delta / 2, "the bias taken for exactly delta / 2", right=0)


@derivation(id="langevin.mean_reverts", title="the mean forgets its start by the same factor", source="Roberts & Tweedie 1996")
def mean_reverts(d):
    """n steps shrink the distance of the mean to the target's by (1 - delta / v)^n: small variances are reached first."""
    m, m_0, r = letter("m", "m_n"), letter("m_0"), letter("r", "r^n")
    factor = 1 - delta / v
    d.induction(m, m_0, factor * m, r * m_0, {r: 1}, {r: r * factor}, "the score pulls by delta / v; r is the power so far")
    d.expand(factor, delta, exp(-delta / v), 1, "for small steps that is exp(-delta / v), the decay in continuous time")
    d.equal(factor.xreplace({delta: v}), 0, "a step of v forgets at once, one of 2 v never settles")
    d.equal(factor.xreplace({delta: 2 * v}), -1, "it swings from side to side")
    d.misprint(1 - sqrt(delta) / v, "the scale of the noise in front of the score", right=factor)


@derivation(
    id="langevin.corrector_step",
    title="the corrector's step for a wanted signal to noise ratio",
    source=f"{SONG}, app. G, algorithms 4, 5",
)
def corrector_step(d):
    r"""delta = 2 (r |z| / |score|)^2 makes the drift delta |score| be r times the noise sqrt(2 delta) |z|.

    For VP the paper multiplies it by alpha_i.
    """
    r, Z, S = (
        letter("r", domain=POSITIVE),
        letter("Z", r"\lVert z \rVert", domain=POSITIVE),
        letter("S", r"\lVert s \rVert", domain=POSITIVE),
    )
    step = d.given(r"\delta", 2 * (r * Z / S) ** 2, "the step of the corrector")
    d.equal(step * S, r * sqrt(2 * step) * Z, "drift over noise is r")
    d.misprint((r * Z / S) ** 2, "the 2 lost: then drift over noise is r / sqrt(2)", right=step)
    d.misprint(2 * r * Z / S, "the square lost", right=step)
    d.equal(step.xreplace({r: Rational(0)}), 0, "no signal, no step")
