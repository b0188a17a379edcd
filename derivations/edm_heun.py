r"""EDM's sampler: Heun's method in sigma, and what it does in the last step.

.. math:: \frac{d\bar x}{d\sigma} = \frac{\bar x - D(\bar x; \sigma)}{\sigma}, \qquad
   \bar x_s = \bar x_t + (\sigma_s - \sigma_t)\,\tfrac12 (d_t + d_s)

D is the denoised data. For data at one point the slope is constant and Euler is exact. For data N(0, c) it is
:math:`d = \sigma \bar x / (c + \sigma^2)`, and the exact flow scales by :math:`\sqrt{c + \sigma^2}`.
"""

from sympy import Integer, Rational, sqrt

from verifydiff.forms import euler, ode_steps
from verifydiff.forms.euler import KARRAS, xbar_t
from verifydiff.forms.ode_steps import d_s, d_t, h, v_s, v_t, y
from verifydiff.forms.quantities import POSITIVE, data_variance, eps, ve_s, ve_t, x_0
from verifydiff.proof import derivation, letter

level = letter("level", r"\sigma", domain=POSITIVE)
step = letter("step", "h")
c = letter("c", domain=POSITIVE)
u = letter("u")


@derivation(ode_steps.edm_heun)
def edm_heun(d):
    """Heun's step with sigma for time: predict by Euler, take the slope there, go along the mean of both."""
    heun = d.use(ode_steps.heun).xreplace({y: xbar_t, h: ve_s - ve_t, v_t: d_t, v_s: d_s})
    d.misprint(xbar_t + (ve_t - ve_s) * (d_t / 2 + d_s / 2), "the step taken towards more noise")
    d.misprint(xbar_t + (ve_s - ve_t) * d_t + (ve_s - ve_t) * (d_t / 2 + d_s / 2), "the correction added on top of Euler's step")
    d.conclude(heun)


@derivation(id="edm.flow_of_a_gaussian", title="the exact flow for Gaussian data, in sigma", source=f"{KARRAS}, eqs. 1, 3")
def flow_of_a_gaussian(d):
    """The denoiser is the posterior mean, a straight line; the flow scales the state by sqrt(c + sigma^2)."""
    denoised = d.given("D", c * u / (c + level**2), "the posterior mean for data N(0, c), one coordinate")
    slope = d.equal((u - denoised) / level, level * u / (c + level**2), "the slope of the flow")
    scale = letter("scale", "k")
    path = d.given(r"\bar x(\sigma)", scale * sqrt(c + level**2), "the candidate, with any factor")
    d.derivative(path, level, slope.xreplace({u: path}), "it moves along the slope")


def growth(d):
    """Exact growth over a step in sigma, and that of Euler, with the slope's rate at both ends."""
    first, second = level / (c + level**2), (level + step) / (c + (level + step) ** 2)
    exact = sqrt(c + (level + step) ** 2) / sqrt(c + level**2)
    return first, second, exact


@derivation(id="edm.local_errors", title="local errors of Euler and Heun in sigma, for Gaussian data", source=f"{KARRAS}, sec. 3")
def local_errors(d):
    """Euler errs by c h^2 / (2 (c + sigma^2)^2), Heun by a multiple of h^3: it is worth its second call of the model."""
    first, second, exact = growth(d)
    d.expand(exact - (1 + step * first), step, c * step**2 / (2 * (c + level**2) ** 2), 2, "Euler: of second order in the step")
    heun = 1 + step / 2 * (first + (1 + step * first) * second)
    d.expand(heun, step, exact, 2, "Heun: right up to the second order")
    d.misprint(
        c * step**2 / (c + level**2) ** 2, "the half of Taylor's theorem lost", right=c * step**2 / (2 * (c + level**2) ** 2)
    )


@derivation(
    id="edm.point_mass", title="for data at one point Euler is exact, and so is Heun before the end", source=f"{KARRAS}, sec. 3"
)
def point_mass(d):
    """The slope (x - x_0) / sigma is the same at both ends of the step; at sigma_s = 0 it has no value there."""
    here = d.given("d_t", (xbar_t - x_0) / ve_t, "the slope where the step starts, D being the point x_0")
    end = d.use(euler.step).xreplace({eps: here})
    d.equal(end - x_0, ve_s / ve_t * (xbar_t - x_0), "Euler shrinks the distance by sigma_s / sigma_t: exactly")
    with d.suppose(ve_s > 0, "not the last step"):
        there = d.equal((end - x_0) / ve_s, here, "the slope at the end is the same")
        d.equal(d.use(ode_steps.edm_heun).xreplace({d_t: here, d_s: there}), end, "so the correction changes nothing")


@derivation(id="edm.last_step", title="the last step, to sigma = 0, for Gaussian data", source=f"{KARRAS}, algorithm 1, line 6")
def last_step(d):
    """Euler returns the denoised data. Heun, with the limit 0 of the slope at sigma = 0, would take half of that way.

    For data narrower than sigma Heun leaves half of the noise: a reason for the last step to be Euler's, beside the 0 / 0 in
    its slope. For data much wider than sigma Heun would be the better one even here; images have directions of both kinds.
    """
    first, _, exact = growth(d)
    last = {step: -level}
    by_euler = d.equal((1 + step * first).xreplace(last), c / (c + level**2), "Euler: the posterior mean")
    halved = d.given("Heun", 1 - level * first / 2, "Heun, with 0 for the slope at sigma = 0, which is its limit for c > 0")
    truth = d.equal(exact.xreplace(last), sqrt(c) / sqrt(c + level**2), "the exact flow")
    narrow = {c: Integer(0)}
    d.equal(by_euler.xreplace(narrow), 0, "data at one point: Euler is exact")
    d.equal(halved.xreplace(narrow), Rational(1, 2), "while Heun leaves half of the noise")
    d.equal(halved, (by_euler + 1) / 2, "Heun goes half of Euler's way")
    d.expand(by_euler, level, 1 - level**2 / c, 3, "wide data, small sigma: Euler shrinks twice as much as it should")
    d.expand(halved - truth, level, Integer(0), 3, "and Heun agrees with the flow up to sigma^3")
    d.less(by_euler, truth, "Euler ends too narrow for any data that are not a point")
    d.misprint(by_euler, "the last step onto the mean taken for the exact flow", right=truth)


@derivation(id="edm.euler_variance", title="the variance that Euler's steps in sigma end with", source=f"{KARRAS}, sec. 3")
def euler_variance(d):
    """Each step multiplies the deviation by (c + sigma_s sigma_t) / (c + sigma_t^2), less than the exact flow does: too narrow."""
    lower = letter("lower", r"\sigma_s", domain=POSITIVE)
    gap = letter("gap", r"\sigma_t - \sigma_s", domain=POSITIVE)
    upper = lower + gap
    factor = d.equal(1 + (lower - upper) * upper / (c + upper**2), (c + lower * upper) / (c + upper**2), "the factor of one step")
    exact = (c + lower**2) / (c + upper**2)
    d.less(factor**2, exact, "the variance after it is less than the flow's: Cauchy's inequality")
    d.equal(
        (c + lower * upper) ** 2, (c + lower**2) * (c + upper**2) - c * (upper - lower) ** 2, "by c times the square of the step"
    )
    d.equal(factor.xreplace({c: data_variance}).xreplace({data_variance: Integer(0)}), lower / upper, "at a point, exact")
    d.misprint(factor**2, "Euler's steps taken to keep the variance", right=exact)
