r"""Flow matching: the mean of the conditional velocities carries the marginal, and may be learnt from the conditional ones.

Every draw c of the data has a path of densities :math:`p_t(x \mid c)` with a velocity :math:`u_t(x \mid c)` that carries it.
The marginal :math:`p_t(x) = \int p_t(x \mid c)\, q(c)\, dc` is carried by

.. math:: u_t(x) = \int u_t(x \mid c)\, \frac{p_t(x \mid c)\, q(c)}{p_t(x)}\, dc = \mathbb{E}[u_t \mid x_t = x]

since the continuity equation is linear in density and flux. One coordinate is written; the divergence sums over them.
"""

from sympy import Eq, log

from verifydiff.forms import flow
from verifydiff.forms.flow import t
from verifydiff.forms.quantities import POSITIVE, eps, x_0
from verifydiff.proof import Gaussian, claim, derivation, letter

x, c = letter("x", "x"), letter("c", "c")
time = letter("time", "t", domain=POSITIVE)
LIPMAN = "Lipman et al. 2023"
P, P_t = letter("P", "p_t(x)", domain=POSITIVE), letter("P_t", r"\partial_t p_t(x)")
flux, flux_x = letter("flux", r"\int u\,p\,q\,dc"), letter("flux_x", r"\partial_x \int u\,p\,q\,dc")


@derivation(id="flow.continuity", title="the mean velocity carries the marginal density", source=f"{LIPMAN}, theorem 1")
def continuity(d):
    """Each conditional density obeys the continuity equation with its velocity; integrated over c so does the marginal."""
    joint = d.function("p", of=(x, c, time), latex=r"p_t(x \mid c) q(c)", domain=POSITIVE)
    u = d.function("u", of=(x, c, time), latex=r"u_t(x \mid c)")
    joint_x, u_x = letter("p_x", r"\partial_x p_t(x \mid c) q(c)"), letter("u_x", r"\partial_x u_t(x \mid c)")
    d.depends(x, {joint: joint_x, u: u_x}, "density and velocity are differentiable in the state")
    d.depends(time, {joint: -(joint_x * u + joint * u_x)}, "the continuity equation of the path of c: d/dt p = -d/dx (u p)")
    d.integrate(
        [(1, joint), (1, joint * u)], [(1, joint), (1, joint * u)], (c,), {joint: P, joint * u: flux}, "the marginal, and the flux"
    )  # fmt: skip
    in_time = d.under_integral(P, time, P_t, "the paths are smooth in time, with integrable derivatives")
    in_space = d.under_integral(flux, x, flux_x, "and in space")
    mean = d.given("u_t(x)", flux / P, "the mean of the velocities, given that the state is x")
    d.derivative(P * mean, x, flux_x, "the marginal times its velocity is the integrated flux")
    d.misprint(u, "the velocity of one draw for their mean: paths of different draws cross", mean)
    d.integrate(
        [(1, in_time)], [(-1, in_space)], (c,), {in_time: P_t, in_space: flux_x},
        "the continuity equations, integrated over c: d/dt p_t = -d/dx (u_t p_t)",
    )  # fmt: skip


@derivation(
    id="flow.path_is_carried", title="the straight paths to the noise carry their Gaussian densities", source=f"{LIPMAN}, theorem 3"
)
def path_is_carried(d):
    """p_t(x | c) is normal with mean (1 - t) c and variance t^2; u = (x - c) / t obeys the continuity equation with it."""
    law = d.given(r"p_t(x \mid c)", Gaussian(x, (1 - t) * c, t**2), "the straight path from c, over all noise")
    velocity = d.use(flow.velocity_from_x0).xreplace({x_0: c, flow.x: x})
    d.equal(velocity.xreplace({x: (1 - t) * c + t * eps}), eps - c, "along a path it is the noise minus the data")
    noise = (x - (1 - t) * c) / t
    in_time = d.derivative(law.log_density, t, (noise**2 - c * noise - 1) / t, "the slope in time, over the density")
    in_space = d.derivative(law.log_density, x, -noise / t, "and in space")
    d.derivative(velocity, x, 1 / t, "the velocity's own divergence")
    d.misprint(-velocity * in_space, "the divergence of the velocity forgotten: density is carried, not only values", in_time)
    d.equal(in_time, -(velocity * in_space + 1 / t), "d/dt log p = -(u d/dx log p + d/dx u): the continuity equation over p")


@derivation(
    id="flow.marginal_velocity",
    title="the marginal velocity by the score of the noised data",
    source=f"{LIPMAN}, theorem 1",
)
def marginal_velocity(d):
    """For Gaussian noise the mean velocity is known from the score: flow matching and score matching learn the same thing."""
    for one in (x, c):
        d.depends(one, {t: 0}, "the time is held")
    q = d.law("q")
    joint = q(c, x)
    of_kernel = -(x - (1 - t) * c) / t**2
    d.derivative(Gaussian(x, (1 - t) * c, t**2).log_density, x, of_kernel, "the score of the kernel")
    d.depends(x, {joint: joint * of_kernel}, "the derivative of a density is the density times its score")
    d.depends(c, {x: 0}, "the state is held while the data are integrated over")
    d.integrate([(1, joint)], [(1, joint)], (c,), {joint: P}, "the density of the state")
    slope = letter("P_x", r"\partial_x p_t(x)")
    rate = d.under_integral(P, x, slope, "a Gaussian kernel is smooth, with bounded derivatives")
    velocity = (x - c) / t
    identity = d.integrate(
        [(1 - t, joint * velocity)], [(-x, joint), (-t, rate)], (c,), {joint * velocity: flux, joint: P, rate: slope},
        "the velocity of one draw by the score of its kernel, integrated over the data",
    )  # fmt: skip
    d.solve([identity], {flux: -(x * P + t * slope) / (1 - t)}, "the flux")
    mean = d.given("u_t(x)", -(x * P + t * slope) / (1 - t) / P, "the mean velocity is the flux over the density")
    of_marginal = d.derivative(log(P), x, slope / P, "the score of the state")
    d.solve([claim(Eq(flow.score, of_marginal))], {slope: flow.score * P}, "by the score of the state")
    by_score = d.use(flow.velocity_from_score).xreplace({flow.x: x})
    d.equal(mean.xreplace({slope: flow.score * P}), by_score, "u_t = -(x + t score) / (1 - t)")


@derivation(flow.loss_weight)
def loss_weight(d):
    """The velocity's plain loss, written as a loss on the noise along lambda = log SNR."""
    snr_log = d.given(r"\lambda_t", 2 * log((1 - t) / t), "the logarithm of the signal over noise")
    slope = d.derivative(snr_log, t, -2 / (t * (1 - t)), "its slope in time")
    off = letter("off", r"\delta")
    by_noise = d.use(flow.velocity_from_eps)
    error = d.equal(by_noise.xreplace({eps: eps + off}) - by_noise, off / (1 - t), "an error of the noise, in the velocity")
    weight = letter("weight", "w")
    d.solve(
        [claim(Eq(error**2 / off**2, -weight * slope / 2))],
        {weight: t / (1 - t)},
        "(velocity's error)^2 = -w lambda' / 2 (noise's)^2",
    )
    d.conclude(t / (1 - t))
    d.misprint(t * (1 - t), "the weight of the noise's plain loss")
