r"""The probability flow: densities along it, its velocity by the noise, and where it leads.

.. math:: \dot x = \tilde f(x, t), \qquad \frac{d}{dt} \log p(x(t), t) = -\nabla \cdot \tilde f(x(t), t)

A flow without noise carries mass along: the continuity equation :math:`\partial_t p = -\sum_i \partial_i (\tilde f_i p)`.
Following a particle, the density changes only because the particles around it come closer or move apart.
"""

from sympy import Rational, sqrt

from verifydiff.forms import forward, score, sde
from verifydiff.forms.quantities import POSITIVE, abar_t, data_variance, eps, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.forms.sde import beta, divergence, f, g, sigma, sigma_rate, t
from verifydiff.proof import derivation, letter

SONG = sde.SONG_SDE

x_i, x_j = letter("x_i"), letter("x_j")
p = letter("p", domain=POSITIVE)
p_i, p_j, p_t = letter("p_i", r"\partial_i p"), letter("p_j", r"\partial_j p"), letter("p_t", r"\partial_t p")
v_i, v_j = letter("v_i", r"\tilde f_i"), letter("v_j", r"\tilde f_j")
v_ii, v_jj = letter("v_ii", r"\partial_i \tilde f_i"), letter("v_jj", r"\partial_j \tilde f_j")
x = letter("x")


@derivation(sde.log_density_rate)
def log_density_rate(d):
    """The total derivative of log p along a path: what changes in place, and what changes since the path moves on."""
    continuity = -(v_i * p_i + v_ii * p + v_j * p_j + v_jj * p)
    d.depends(x_i, {p: p_i, v_i: v_ii}, "at a held time, along the coordinate i")
    d.depends(x_j, {p: p_j, v_j: v_jj}, "at a held time, along the coordinate j")
    out = d.derivative(v_i * p, x_i, v_ii * p + v_i * p_i, "the flux along i")
    across = d.derivative(v_j * p, x_j, v_jj * p + v_j * p_j, "the flux along j")
    in_place = d.equal(
        -(out + across), continuity, "the continuity equation: how p changes in place; two coordinates stand for all"
    )
    along = d.given(r"\frac{dp}{dt}", in_place + v_i * p_i + v_j * p_j, "along the path, x_i moves at the rate v_i: the chain rule")
    rate = d.equal(along / p, -(v_ii + v_jj), "the rate of log p: the terms of the moving point cancel")
    d.misprint(v_ii + v_jj, "the sign lost: where the flow spreads, the density falls", right=rate)
    d.misprint(0, "the density taken for constant along the path: so it is for a flow without divergence only", right=rate)
    d.conclude(rate.xreplace({v_ii: divergence - v_jj}), "the sum over all coordinates is the divergence")


@derivation(id="sde.flow_of_scores", title="the divergence that the log density needs", source=f"{SONG}, app. D.2, eq. 39")
def flow_of_scores(d):
    """For a linear drift a x and n coordinates: the divergence is n a - g^2/2 times the Laplacian of log p."""
    a, n, lap, s_i, s_ii = letter("a"), letter("n", domain=POSITIVE), letter("lap", r"\Delta\log p"), letter("s_i"), letter("s_ii")
    d.depends(x_i, {s_i: s_ii, a: 0, g: 0}, "the score of one coordinate, and its slope")
    velocity = d.use(sde.flow_drift).xreplace({f: a * x_i, score_t: s_i})
    one = d.derivative(velocity, x_i, a - g**2 / 2 * s_ii, "one term of the divergence")
    total = d.given(r"\nabla\cdot\tilde f", n * a - g**2 / 2 * lap, "n such terms; the slopes of the score add up to the Laplacian")
    d.equal(total.xreplace({lap: n * s_ii}), n * one, "as it must be where all coordinates are alike")
    d.misprint(n * a - g**2 * lap, "the half lost", right=total)


@derivation(sde.vp_flow)
def vp_flow(d):
    """The drift of VP and half of beta times the score; the score is minus the noise over its deviation."""
    flow = d.use(sde.flow_drift).xreplace({f: -beta / 2 * x_t, g: sqrt(beta)})
    velocity = d.equal(flow, -beta / 2 * (x_t + score_t), "drift and score have the same factor, beta / 2")
    d.misprint(-beta / 2 * x_t - beta * score_t, "the half lost in front of the score", right=velocity)
    d.misprint(-beta / 2 * (x_t + eps / sqrt(1 - abar_t)), "the noise taken for the score: the sign is the other one")
    d.misprint(-beta / 2 * (x_t - eps), "the noise not divided by its deviation")
    d.conclude(velocity.xreplace({score_t: d.use(score.kernel_score)}))


@derivation(sde.ve_flow)
def ve_flow(d):
    """Without drift, g^2 / 2 = sigma sigma'. The score is (x_0 - x) / sigma^2: the flow runs away from the denoised data."""
    flow = d.use(sde.flow_drift).xreplace({f: 0 * x, g: sqrt(2 * sigma * sigma_rate)})
    velocity = d.equal(flow, -sigma * sigma_rate * score_t, "half of the rate of sigma^2, times the score")
    d.misprint(-sigma * score_t * 2 * sigma_rate, "g^2 for its half", right=velocity)
    d.misprint((x_t - x_0) / sigma, "the rate of sigma left out: right where sigma is the time itself")
    d.conclude(velocity.xreplace({score_t: (x_0 - x_t) / sigma**2}), "the score of data plus noise of scale sigma")


@derivation(
    id="sde.flow_of_a_point", title="for data at one point, the VP flow is the path of held noise", source=f"{SONG}, app. D"
)
def flow_of_a_point(d):
    """Along x = sqrt(abar) x_0 + sqrt(1 - abar) eps with data and noise held, the velocity is the flow's: DDIM goes this way."""
    level = letter("level", r"\bar\alpha", domain=POSITIVE)
    d.assume(level < 1, "some noise has been added")
    d.depends(t, {level: -beta * level}, "beta is the rate of -log abar")
    path = d.use(forward.noised).xreplace({abar_t: level})
    velocity = (-beta / 2) * (path - eps / sqrt(1 - level))
    d.derivative(path, t, velocity, "the slope of the path")
    d.equal(
        velocity, d.use(sde.vp_flow).xreplace({abar_t: level, x_t: path}), "is the velocity of the flow at the point where it is"
    )


@derivation(id="sde.flow_of_a_gaussian", title="the flow of Gaussian data keeps the standardised point", source=f"{SONG}, app. D")
def flow_of_a_gaussian(d):
    """x moves so that (x - mean) / deviation stays what it is: the flow stretches and shifts, and keeps the order of points."""
    m, v, a, u = letter("m"), letter("v", domain=POSITIVE), letter("a"), letter("u")
    d.depends(t, {m: a * m, v: 2 * a * v + g**2}, "mean and variance of a linear SDE; the marginal is N(m, v)")
    path = d.given("x(t)", m + sqrt(v) * u, "a point that is u deviations from the mean, with u held")
    velocity = d.use(sde.flow_drift).xreplace({f: a * x, score_t: -(x - m) / v})
    d.derivative(path, t, velocity.xreplace({x: path}), "its slope is the velocity of the flow there")
    spread = abar_t * data_variance + 1 - abar_t
    d.equal(
        (path - m).xreplace({v: spread}),
        sqrt(1 - abar_t * (1 - data_variance)) * u,
        "for VP and data of variance c the deviation at t",
    )
    d.misprint(
        (sqrt(abar_t * data_variance) + sqrt(1 - abar_t)) ** 2,
        "deviations of data and noise added in place of variances",
        right=spread,
    )
    d.equal(spread.xreplace({data_variance: Rational(1)}), 1, "data of unit variance are only shifted")
