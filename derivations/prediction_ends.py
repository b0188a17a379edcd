r"""At the ends of a schedule: pure noise, where eps-prediction breaks, and the data, where x0-prediction does.

A prediction that is off by 1 puts the data off by an amplification. Over the noise it is
:math:`\sqrt{1 - \bar\alpha} / \sqrt{\bar\alpha}`, without bound as the signal goes; a terminal level of 0 divides by 0. The
noise, by the data, does so at the other end. Over the velocity it is at most 1 for the data and for the noise alike, at every
level from 0 to 1, ends included.
"""

from sympy import Integer, sqrt

from verifydiff.forms import forward, predictions
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, UNIT, abar_t, eps, v, x_0, x_t
from verifydiff.proof import derivation, letter

level = letter("level", r"\bar\alpha", domain=UNIT)
between = letter("between", r"\bar\alpha", domain=PROPER_FRACTION)
bound = letter("bound", "M", domain=POSITIVE)
error = letter("error", r"\delta")
SALIMANS, LIN = "Salimans & Ho 2022, sec. 4", "Lin et al. 2024, sec. 3.2"


def over(d, form, at):
    """What the form says at a level of one's own; at an end it is the formula, and a page says why it holds there too."""
    return d.use(form).xreplace({abar_t: at})


def drawn(at):
    """The state, the velocity and the flow velocity of a draw, at any level from 0 to 1."""
    a, b = sqrt(at), sqrt(1 - at)
    return {x_t: a * x_0 + b * eps, v: a * eps - b * x_0, u: eps - x_0}


def off(expression, letter, by=error):
    """By how much the expression is off where the letter is off."""
    return expression.xreplace({letter: letter + by}) - expression


def recovered(d, data, noise):
    """What is said of data and noise is right for every draw, at the ends as between them."""
    d.equal(data.xreplace(drawn(level)), x_0, "put a draw in: the data come back, at every level from 0 to 1")
    d.equal(noise.xreplace(drawn(level)), eps, "and so does the noise")


@derivation(
    id="predictions.eps_amplifies", title="the data, by the noise: errors grow without bound as the signal goes", source=SALIMANS
)
def eps_amplifies(d):
    """For every bound M there is a level from which on down an error of the noise is more than M times as large in the data."""
    wrong = off(over(d, forward.x0_from_eps, between), eps)
    d.equal(wrong**2, (1 - between) / between * error**2, "the error of the data over that of the noise, squared: 1 / SNR")
    d.assume(between < 1 / (1 + bound**2), "a level that is low enough")
    d.less(bound**2, (1 - between) / between, "then it is amplified more than M times")


@derivation(
    id="predictions.x0_amplifies", title="the noise, by the data: errors grow without bound as the noise goes", source=SALIMANS
)
def x0_amplifies(d):
    """The other end is no better: close to the data a small error of x_0 is a large one of the noise."""
    wrong = off(over(d, forward.eps_from_x0, between), x_0)
    d.equal(wrong**2, between / (1 - between) * error**2, "the error of the noise over that of the data, squared: SNR")
    d.assume(between > bound**2 / (1 + bound**2), "a level that is high enough")
    d.less(bound**2, between / (1 - between), "then it is amplified more than M times")


@derivation(id="predictions.v_never_amplifies", title="the velocity puts neither data nor noise off by more", source=SALIMANS)
def v_never_amplifies(d):
    """An error of the velocity is shared between the data and the noise, squares adding up, at every level from 0 to 1."""
    by_v = over(d, forward.x0_from_v, level), over(d, forward.eps_from_v, level)
    recovered(d, *by_v)
    data, noise = (off(one, v) for one in by_v)
    d.equal(data**2 + noise**2, error**2, "a rotation keeps lengths")
    d.at_most(noise**2, error**2, "so the noise is off by no more than the velocity")
    d.at_most(data**2, error**2, "nor are the data")


@derivation(
    id="predictions.u_never_amplifies",
    title="the flow velocity puts neither data nor noise off by more",
    source="Liu et al. 2023 (rectified flow), eq. 1",
)
def u_never_amplifies(d):
    """sqrt(abar) + sqrt(1 - abar) is at least 1, so that nothing vanishes at either end."""
    total = sqrt(level) + sqrt(1 - level)
    d.equal(total**2, 1 + 2 * sqrt(level) * sqrt(1 - level), "the square of the sum of a cosine and a sine")
    d.at_most(1, total**2, "is at least 1: the sum never vanishes, and may be divided by")
    by_u = over(d, predictions.x0_from_u, level), over(d, predictions.eps_from_u, level)
    recovered(d, *by_u)
    data, noise = (off(one, u) for one in by_u)
    d.equal(noise - data, error, "the error is shared between the data and the noise")
    d.at_most(noise**2, error**2, "the noise is off by no more than the flow velocity")
    d.at_most(data**2, error**2, "nor are the data")


@derivation(id="predictions.pure_noise", title="without signal, v is minus the data and the noise says nothing", source=LIN)
def pure_noise(d):
    """At a terminal level of 0 the state is the noise; the equation for the data, by the noise, reads 0 = 0 for all data."""
    draw = {letter: value.xreplace({level: Integer(0)}) for letter, value in drawn(level).items()}
    d.equal(draw[x_t], eps, "x_T is the noise, whatever the data are: to predict it is trivial")
    signal, rest = sqrt(level) * x_0, x_t - sqrt(1 - level) * eps
    d.equal(signal / sqrt(level), x_0, "x_0 is what is left of x_t without its noise, divided by sqrt(abar)")
    d.equal(
        signal.xreplace({level: Integer(0)}), rest.xreplace({level: Integer(0), x_t: eps}),
        "which is 0 over 0 at abar = 0: any data will do (huggingface/diffusers#3851, #5103)",
    )  # fmt: skip
    d.equal(draw[x_t] - draw[u], x_0, "the data are x_T minus the flow velocity")
    d.misprint(draw[v], "Lin et al. 2024, sec. 3.2, print v_T = x_0; their eq. 11 gives -x_0", x_0)
    d.equal(draw[v], -x_0, "the velocity is minus the data, and nothing divides by 0")


@derivation(id="predictions.no_noise", title="without noise, v is the noise and the data say nothing of it", source=SALIMANS)
def no_noise(d):
    """At the level 1 the state is the data; the equation for the noise, by the data, reads 0 = 0 for all noise."""
    draw = {letter: value.xreplace({level: Integer(1)}) for letter, value in drawn(level).items()}
    d.equal(draw[x_t], x_0, "x_0 itself, whatever the noise: to predict it is trivial")
    noise, rest = sqrt(1 - level) * eps, x_t - sqrt(level) * x_0
    d.equal(noise / sqrt(1 - level), eps, "the noise is what is left of x_t without its signal, divided by sqrt(1 - abar)")
    d.equal(noise.xreplace({level: Integer(1)}), rest.xreplace({level: Integer(1), x_t: x_0}), "which is 0 over 0 at abar = 1")
    d.equal(draw[x_t] + draw[u], eps, "the noise is x_0 plus the flow velocity")
    d.equal(draw[v], eps, "the velocity is the noise, and nothing divides by 0")
