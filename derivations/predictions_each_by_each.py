r"""Each prediction by each other, given :math:`x_t`: data, noise, velocity, score, flow velocity.

All five are linear in :math:`(x_0, \epsilon)`, and so is :math:`x_t`. Given :math:`x_t`, one of them fixes :math:`x_0` and
:math:`\epsilon`, and those fix the rest. So the twenty maps are affine in what is predicted, with coefficients that only the
level knows; being affine they hold for a network's predictions and for conditional expectations as they hold for a draw.
"""

from sympy import Eq, sqrt

from verifydiff.forms import forward, predictions, score
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import UNIT, abar_t, eps, v, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.proof import claim, derivation, letter

A, B = sqrt(abar_t), sqrt(1 - abar_t)
time = letter("t", "t", domain=UNIT)


def by(d, wanted, **known):
    """What is wanted, a function of the data and the noise, with these written by what is known."""
    letters = {"data": x_0, "noise": eps}
    return d.use(wanted).xreplace({letters[name]: d.use(form) for name, form in known.items()})


@derivation(predictions.flow_velocity)
def flow_velocity(d):
    """The slope of the straight line from the data to the noise is their difference, at every time."""
    path = d.given("x(t)", (1 - time) * x_0 + time * eps, "the straight path: the data at time 0, the noise at time 1")
    slope = d.derivative(path, time, eps - x_0, "for held data and noise")
    d.conclude(slope, "the slope does not depend on the time: the path is gone through at constant speed")


@derivation(predictions.v_from_eps)
def v_from_eps(d):
    """The velocity, with the data that the noise implies."""
    d.conclude(by(d, forward.velocity, data=forward.x0_from_eps))
    d.misprint(eps, "the prediction of the noise handed on as the velocity")


@derivation(predictions.v_from_x0)
def v_from_x0(d):
    """The velocity, with the noise that the data imply."""
    d.conclude(by(d, forward.velocity, noise=forward.eps_from_x0))


@derivation(predictions.score_from_x0)
def score_from_x0(d):
    """The score of the kernel, with the noise that the data imply."""
    d.conclude(by(d, score.kernel_score, noise=forward.eps_from_x0))
    d.misprint((x_0 - x_t) / (1 - abar_t), "the data not scaled by sqrt(abar_t): right in sigma space only")


@derivation(predictions.score_from_v)
def score_from_v(d):
    """The score of the kernel, with the noise that the velocity implies."""
    d.conclude(by(d, score.kernel_score, noise=forward.eps_from_v))


@derivation(predictions.eps_from_score)
def eps_from_score(d):
    """The score is minus the noise over its standard deviation; solve for the noise."""
    d.solve([claim(Eq(score_t, d.use(score.kernel_score)))], {eps: -B * score_t}, "linear in the noise")
    d.conclude(-B * score_t)
    d.misprint(-(1 - abar_t) * score_t, "the variance for the standard deviation")
    d.misprint(B * score_t, "the noise points away from the data, the score towards them")


@derivation(predictions.v_from_score)
def v_from_score(d):
    """From the score to the noise, and from the noise to the velocity."""
    noise = d.use(predictions.eps_from_score)
    d.conclude(d.use(predictions.v_from_eps).xreplace({eps: noise}))


@derivation(predictions.x0_from_u)
def x0_from_u(d):
    """The noise is the data plus the flow velocity; put that into x_t and solve for the data."""
    d.equal(d.use(predictions.flow_velocity) + x_0, eps, "the noise is the data plus the flow velocity")
    noised = d.use(forward.noised).xreplace({eps: x_0 + u})
    d.solve([claim(Eq(x_t, noised))], {x_0: (x_t - B * u) / (A + B)}, "x_t = (sqrt(abar_t) + sqrt(1 - abar_t)) x_0 + ... u")
    d.conclude((x_t - B * u) / (A + B))
    d.misprint(x_t - B**2 * u, "the time of the flow taken for 1 - abar_t, and x_t not brought to its scale")


@derivation(predictions.eps_from_u)
def eps_from_u(d):
    """The noise is the data plus the flow velocity."""
    d.equal(d.use(predictions.flow_velocity) + x_0, eps, "the noise is the data plus the flow velocity")
    d.conclude(d.use(predictions.x0_from_u) + u)


@derivation(predictions.v_from_u)
def v_from_u(d):
    """The velocity, with the data and the noise that the flow velocity implies."""
    d.conclude(by(d, forward.velocity, data=predictions.x0_from_u, noise=predictions.eps_from_u))


@derivation(predictions.score_from_u)
def score_from_u(d):
    """The score of the kernel, with the noise that the flow velocity implies."""
    d.conclude(by(d, score.kernel_score, noise=predictions.eps_from_u))


@derivation(predictions.u_from_eps)
def u_from_eps(d):
    """The flow velocity, with the data that the noise implies."""
    d.conclude(by(d, predictions.flow_velocity, data=forward.x0_from_eps))


@derivation(predictions.u_from_x0)
def u_from_x0(d):
    """The flow velocity, with the noise that the data imply."""
    d.conclude(by(d, predictions.flow_velocity, noise=forward.eps_from_x0))


@derivation(predictions.u_from_v)
def u_from_v(d):
    """The flow velocity, with the data and the noise that the velocity implies."""
    d.conclude(by(d, predictions.flow_velocity, data=forward.x0_from_v, noise=forward.eps_from_v))
    d.misprint(v, "two different things are called velocity")


@derivation(predictions.u_from_score)
def u_from_score(d):
    """From the score to the noise, and from the noise to the flow velocity."""
    noise = d.use(predictions.eps_from_score)
    d.conclude(d.use(predictions.u_from_eps).xreplace({eps: noise}))
