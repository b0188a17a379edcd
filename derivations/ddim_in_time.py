r"""DDIM and Euler in time: two first-order steps along one flow.

DDIM is Euler's step in :math:`\sigma = \sqrt{(1 - \bar\alpha)/\bar\alpha}`, where the flow is
:math:`d\bar x/d\sigma = \epsilon`; it is exact if the predicted noise stays what it is along the
step. Euler's step in t on the VP flow is exact if the velocity does, by the integral of the rate
:math:`\beta(t)` over the step; as in the discrete steps of the paper :math:`\beta = 1 - \alpha_t` stands for it here,
which is :math:`\beta^2/2` less. They agree to first order in :math:`\beta`; neither is the better one for all data.
"""

from sympy import Integer, Rational, log, sqrt

from verifydiff.forms import ddim, euler, reverse_steps, score
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import PROPER_FRACTION, abar_s, abar_t, alpha_t, eps, in_base_letters, sigma_t, ve_s, ve_t, x_t
from verifydiff.forms.reverse_steps import SONG_SDE as SONG
from verifydiff.forms.score import score_t
from verifydiff.proof import derivation, letter

SONG_DDIM = ddim.SONG

a = letter("a", r"\bar\alpha_t", domain=PROPER_FRACTION)
b = letter("b", r"\beta", domain=PROPER_FRACTION)
ONE, NONE = Integer(1), Integer(0)
NO_NOISE = {sigma_t: NONE}


def weights(d, form):
    """The weights of the state and of the noise, with the level at t held and a beta that goes to 0."""
    taken = d.use(form, at=NO_NOISE) if form == ddim.step_mean else d.use(form)
    step = in_base_letters(taken.xreplace({score_t: score.kernel_score.expression}))
    step = step.xreplace({abar_s: a / (1 - b), alpha_t: 1 - b})
    return step.xreplace({x_t: ONE, eps: NONE}), step.xreplace({x_t: NONE, eps: ONE})


@derivation(id="time.ddim_small_step", title="a small DDIM step, to second order", source=f"{SONG_DDIM}, eq. 12")
def ddim_small_step(d):
    """State: 1 + b/2 + 3 b^2/8. Noise, with s the deviation: -b/(2 s) - (1/(4 s) + 1/(8 s^3)) b^2. To first order, the flow."""
    state, noise = weights(d, ddim.step_mean)
    s = sqrt(1 - a)
    d.expand(state, b, 1 + b / 2 + 3 * b**2 / 8, 2, "the weight of the state, 1 / sqrt(alpha)")
    d.expand(noise, b, -b / (2 * s) - (1 / (4 * s) + 1 / (8 * s**3)) * b**2, 2, "the weight of the noise")
    d.misprint(-b / s, "the weight of the noise in DDPM's mean: twice as much", right=-b / (2 * s))


@derivation(id="time.against_euler", title="Euler in time differs from DDIM by O(beta^2)", source=f"{SONG}, eq. 13")
def against_euler(d):
    """DDIM less Euler is 3 b^2/8 of the state, less (1/(4 s) + 1/(8 s^3)) b^2 of the noise: large near the data.

    With the integral B = -log(1 - b) of the rate for b it is b^2/8 of the state, less b^2 / (8 s^3) of the noise.
    """
    d.use(score.kernel_score)
    state, noise = weights(d, reverse_steps.flow_euler)
    s = sqrt(1 - a)
    d.equal(state, 1 + b / 2, "Euler in time: the weight of the state")
    d.equal(noise, -b / (2 * s), "and of the noise: DDIM's to first order, with nothing of second")
    straight, along = weights(d, ddim.step_mean)
    integral = d.given("B", -log(1 - b), "the integral of beta(t) over the step: alpha_t = exp(-B)")
    d.expand(straight - state.xreplace({b: integral}), b, b**2 / 8, 2, "by the integral: what is left of the state")
    d.expand(along - noise.xreplace({b: integral}), b, -(b**2) / (8 * s**3), 2, "and of the noise")
    d.misprint(state, "Euler in time taken for DDIM", right=straight)


@derivation(id="time.against_flow_step", title="the discrete flow step differs from DDIM as well", source=f"{SONG}, app. D.3")
def against_flow_step(d):
    """With 2 - sqrt(1 - beta) in place of 1 / sqrt(1 - beta) a quarter of beta^2 is missing at the state."""
    d.use(score.kernel_score)
    state, noise = weights(d, reverse_steps.flow)
    straight = weights(d, ddim.step_mean)[0]
    d.expand(straight - state, b, b**2 / 4, 2, "at the state")
    d.equal(noise, -b / (2 * sqrt(1 - a)), "at the noise it is Euler's")
    d.less(state, straight, "for every beta the state is stretched less than by DDIM")


@derivation(
    id="time.ddim_local_error",
    title="local error of DDIM: the rate of the predicted noise",
    source=f"{SONG_DDIM}, sec. 4.3",
)
def ddim_local_error(d):
    """In sigma the flow is the integral of the predicted noise; DDIM holds it. To leading order half of its rate is lost."""
    u, e_1, e_2 = letter("u"), letter("e_1", r"\epsilon'"), letter("e_2", r"\epsilon''")
    step = letter("step", r"\sigma_s - \sigma_t")
    noise = d.taylor(r"\epsilon(\sigma + u)", [eps, e_1, e_2], u, "the predicted noise along the exact path is smooth in sigma")
    exact = d.integral(noise, u, 0, step, eps * u + e_1 * u**2 / 2 + e_2 * u**3 / 6, "the flow moves by its integral")
    straight = d.equal(d.use(euler.step) - xbar_t, (ve_s - ve_t) * eps, "DDIM moves along the noise where it starts")
    held = straight.xreplace({ve_s: step, ve_t: NONE})
    d.expand(exact - held, step, e_1 * step**2 / 2, 2, "the local error")
    d.equal((exact - held).xreplace({e_1: NONE, e_2: NONE}), 0, "none at all where the noise is constant: data at one point")
    d.misprint(e_1 * step**2, "the half of Taylor's theorem lost", right=e_1 * step**2 / 2)


@derivation(id="time.unit_variance", title="for standard normal data Euler in time is exact, not DDIM", source="elementary")
def unit_variance(d):
    """The score is -x, so that the VP flow stands still. DDIM shrinks the state by the cosine of the angle between the levels."""
    d.equal(d.use(reverse_steps.flow_euler).xreplace({score_t: -x_t}), x_t, "Euler in time does not move, as it should be")
    noise = d.given(r"\epsilon", sqrt(1 - abar_t) * x_t, "the noise that the score -x implies")
    d.equal(d.use(score.kernel_score).xreplace({eps: noise}), -x_t, "since the score is -eps / sqrt(1 - abar_t)")
    factor = sqrt(abar_s * abar_t) + sqrt((1 - abar_s) * (1 - abar_t))
    d.equal(d.use(ddim.step_mean, at=NO_NOISE).xreplace({eps: noise}), factor * x_t, "DDIM's step: a cosine of a difference")
    lost = sqrt(abar_s * (1 - abar_t)) - sqrt(abar_t * (1 - abar_s))
    d.equal(1 - factor**2, lost**2, "its square falls short of 1 by the square of the sine")
    d.less(0, lost, "which is not 0, since abar_t < abar_s: every step loses variance")
    d.misprint(factor, "DDIM taken to keep unit variance", right=1)


@derivation(id="time.unit_variance_small", title="how much variance DDIM loses there, for small steps", source="elementary")
def unit_variance_small(d):
    """A step loses abar b^2 / (4 (1 - abar)) of the variance: of second order.

    At levels below 1 what is lost in n steps goes like 1/n. Down to the data a grid that is uniform in time pays a factor log n on
    top, as abar / (1 - abar) goes to infinity there; one that is uniform in the angle does not.
    """
    other = a / (1 - b)
    factor = sqrt(other * a) + sqrt((1 - other) * (1 - a))
    d.expand(factor**2, b, 1 - a * b**2 / (4 * (1 - a)), 2, "the variance after one step from 1")
    d.misprint(1 - a * b / (4 * (1 - a)), "a loss of first order", right=1 - a * b**2 / (4 * (1 - a)))
    d.equal(Rational(1, 4) * a / (1 - a) * b**2, a * b**2 / (4 * (1 - a)), "a quarter of the signal to noise ratio, times beta^2")
