r"""Rectified flow is the same family: a change of time and scale takes it to the variance-preserving process and back.

.. math:: x_t = (1 - t)\,x_0 + t\,\epsilon = \sqrt{(1 - t)^2 + t^2}\;
    \left(\sqrt{\bar\alpha}\,x_0 + \sqrt{1 - \bar\alpha}\,\epsilon\right), \qquad
    \bar\alpha = \frac{(1 - t)^2}{(1 - t)^2 + t^2}

Signal over noise decides everything: states of one ratio are multiples of one another. The velocity is affine in every
other prediction, and Euler's step along it is DDIM's.
"""

from sympy import Eq, Integer, sqrt

from verifydiff.forms import ddim, flow, forward, predictions
from verifydiff.forms.flow import s, score, t, x
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import PROPER_FRACTION, UNIT, abar_s, abar_t, eps, sigma_t, x_0, x_t
from verifydiff.proof import Gaussian, claim, derivation, letter

moment = letter("moment", "t", domain=UNIT)
level = letter("level", r"\bar\alpha", domain=PROPER_FRACTION)
LIU = "Liu et al. 2023 (rectified flow)"


@derivation(flow.interpolant)
def interpolant(d):
    """The path of constant velocity from the data at time 0 to the noise at time 1."""
    path = d.given("x_t", x_0 + t * (eps - x_0), "the data, and t times the way to the noise")
    d.equal((x_0 + moment * (eps - x_0)).xreplace({moment: Integer(0)}), x_0, "the data at time 0")
    d.equal((x_0 + moment * (eps - x_0)).xreplace({moment: Integer(1)}), eps, "the noise at time 1")
    d.conclude(path)
    d.misprint((1 - t) * eps + t * x_0, "time counted the other way round, as Lipman et al. and Liu et al. do: then u changes sign")


@derivation(flow.level)
def level_of_time(d):
    """The level with the signal over noise of the path at time t."""
    ratio = d.given(r"\operatorname{SNR}", (1 - t) ** 2 / t**2, "the squares of the two weights of the path")
    d.solve([claim(Eq(level, ratio * (1 - level)))], {level: ratio / (1 + ratio)}, "SNR = abar / (1 - abar), linear in abar")
    d.conclude(ratio / (1 + ratio))
    d.misprint(1 - t, "the weight of the data taken for the level")
    d.misprint((1 - t) ** 2, "the weights taken for those of the other scale: their squares do not sum to one")


@derivation(flow.time)
def time_of_level(d):
    """sqrt(1 - abar) : sqrt(abar) = t : (1 - t), linear in t."""
    value = sqrt(1 - abar_t) / (sqrt(abar_t) + sqrt(1 - abar_t))
    d.solve([claim(Eq(t * sqrt(abar_t), (1 - t) * sqrt(1 - abar_t)))], {t: value}, "the ratio of noise to signal")
    d.equal(d.use(flow.level).xreplace({t: value}), abar_t, "from the level to the time and back")
    d.conclude(value)
    d.misprint(1 - abar_t, "the variance of the noise taken for the time")


@derivation(flow.sigma)
def sigma_of_time(d):
    """Noise over signal: what the state is in sigma space, divided by the weight of the data."""
    d.equal(d.use(flow.interpolant) / (1 - t), x_0 + t / (1 - t) * eps, "the path over the weight of the data")
    d.equal(sqrt((1 - d.use(flow.level)) / d.use(flow.level)), t / (1 - t), "the sigma of the level")
    d.conclude(t / (1 - t))


@derivation(flow.scale)
def scale(d):
    """At equal signal over noise the two states are proportional."""
    preserving = d.use(forward.noised).xreplace({abar_t: d.use(flow.level)})
    root = sqrt((1 - t) ** 2 + t**2)
    d.equal(d.use(flow.interpolant), root * preserving, "the same data and the same noise, times the length of the weights")
    squared = ((1 - t) ** 2 + t**2).xreplace({t: d.use(flow.time)})
    d.equal(squared, 1 / (sqrt(abar_t) + sqrt(1 - abar_t)) ** 2, "its square by the level; both are positive")
    d.conclude((1 - t) / sqrt(d.use(flow.level)), "the ratio of the weights of the data")
    d.misprint(Integer(1), "a state of one handed to a network of the other without rescaling it")


# -- the velocity and the other predictions, over the state of the flow -----------------------------------------------------


@derivation(flow.x0_from_velocity)
def x0_from_velocity(d):
    """Back along the velocity to time 0."""
    velocity, path = d.use(predictions.flow_velocity), d.use(flow.interpolant)
    d.equal((x - t * u).xreplace({x: path, u: velocity}), x_0, "put a draw in: the data come back")
    d.solve([claim(Eq(x, path.xreplace({eps: x_0 + u})))], {x_0: x - t * u}, "x_t = x_0 + t u, with the noise x_0 + u")
    d.conclude(x - t * u)
    d.misprint(x + t * u, "along the velocity, which points to the noise")


@derivation(flow.eps_from_velocity)
def eps_from_velocity(d):
    """On along the velocity to time 1."""
    d.equal(d.use(predictions.flow_velocity) + x_0, eps, "the noise is the data plus the velocity")
    d.conclude(d.use(flow.x0_from_velocity) + u)


@derivation(flow.velocity_from_x0)
def velocity_from_x0(d):
    """The way from the data, over the time it took."""
    d.solve([claim(Eq(x_0, d.use(flow.x0_from_velocity)))], {u: (x - x_0) / t}, "linear in the velocity, as t > 0")
    d.conclude((x - x_0) / t)
    d.misprint((x_0 - x) / t, "the sign of the other direction of time")


@derivation(flow.velocity_from_eps)
def velocity_from_eps(d):
    """The way to the noise, over the time it takes."""
    d.solve([claim(Eq(eps, d.use(flow.eps_from_velocity)))], {u: (eps - x) / (1 - t)}, "linear in the velocity, as t < 1")
    d.conclude((eps - x) / (1 - t))


@derivation(flow.velocity_from_score)
def velocity_from_score(d):
    """The kernel of the path has the standard deviation t, so that its score is minus the noise over t."""
    law = d.given(r"p(x_t \mid x_0)", Gaussian(x, (1 - t) * x_0, t**2), "the path for held data")
    slope = d.derivative(law.log_density, x, -(x - (1 - t) * x_0) / t**2, "its score")
    d.equal(slope.xreplace({x: d.use(flow.interpolant)}), -eps / t, "is minus the noise over t")
    d.solve([claim(Eq(score, -eps / t))], {eps: -t * score}, "so the noise is -t times the score")
    d.conclude(d.use(flow.velocity_from_eps).xreplace({eps: -t * score}))
    d.misprint(-(x + t**2 * score) / (1 - t), "the variance for the standard deviation")


# -- the step -------------------------------------------------------------------------------------------------------------


@derivation(flow.euler_step)
def euler_step(d):
    """For held data and noise the path is straight, so that Euler's step stays on it."""
    velocity = d.use(predictions.flow_velocity)
    path = d.use(flow.interpolant)
    d.derivative(path, t, velocity, "the slope of the path, at every time")
    d.equal(path.xreplace({t: s}), path + (s - t) * velocity, "to the time s along the slope")
    d.conclude(x + (s - t) * u)
    d.misprint(x + (t - s) * u, "the step goes up in time: noise is added where it is to be taken away")


@derivation(
    id="flow.euler_is_ddim",
    title="Euler's step of rectified flow is DDIM",
    source=f"{LIU}, sec. 2; Song et al. 2021 (DDIM), eq. 13",
)
def euler_is_ddim(d):
    """Read in the variance-preserving scale, the step is DDIM's without fresh noise, whatever the network says.

    Both keep the data and the noise that the prediction implies and change their weights. So at equal levels the samplers
    agree in every step, and differ only in the levels that their users choose.
    """
    level_t, level_s = d.use(flow.level), d.use(flow.level).xreplace({t: s})
    scale_t, scale_s = d.use(flow.scale), d.use(flow.scale).xreplace({t: s})
    at_times = {abar_t: level_t, abar_s: level_s}
    d.less(level_t, level_s, "the earlier time is the cleaner level")
    by_u = d.use(predictions.step_by_u).xreplace(at_times).xreplace({x_t: x / scale_t})
    d.equal(scale_s * by_u, x + (s - t) * u, "by the velocity")
    noise = d.use(flow.eps_from_velocity)
    by_eps = d.use(ddim.step_mean, at={sigma_t: 0}).xreplace(at_times).xreplace({x_t: x / scale_t, eps: noise})
    d.misprint(by_eps, "the states compared without rescaling them", x + (s - t) * u)
    d.equal(scale_s * by_eps, d.use(flow.euler_step), "by the noise that the velocity implies")
