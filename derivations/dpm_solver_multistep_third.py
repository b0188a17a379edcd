r"""Three predictions and four: the parabola through them is followed (DPM-Solver++(3M), DEIS of order 3 in :math:`\log\rho`).

With the step h for the unit, the prediction now lies at 0, the older ones at :math:`-\rho` and :math:`-\rho - \rho_2`. The
parabola is :math:`m + D_1 v + D_2 v^2` with the slope :math:`D_1` and the second divided difference :math:`D_2`, which is *half* of
a second derivative. It is integrated as the exact solution weighs it. A fourth prediction makes a cubic of it.
"""

from sympy import Integer, Rational, exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.dpm import (
    bend,
    eps_before,
    eps_bend,
    eps_earlier,
    eps_earliest,
    eps_slope,
    eps_twist,
    h,
    ratio,
    ratio_2,
    ratio_3,
    slope,
    step,
    twist,
    x_before,
    x_earlier,
    x_earliest,
)
from verifydiff.forms.quantities import abar_s, eps, snr_s, x_0
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
v = letter("v")
D1, D2, D3 = letter("D1", "D'"), letter("D2", "D''"), letter("D3", "D'''")
NOISED = "s >= 1: at the data lambda is infinite"


def parabola(d, now, before, earlier, first, second):
    """The parabola through three predictions, by how far it goes on, in steps."""
    path = now + first * v + second * v**2
    d.equal(path.xreplace({v: Integer(0)}), now, "it goes through the prediction at t")
    d.equal(path.xreplace({v: -ratio}), before, "through the one before")
    d.equal(path.xreplace({v: -ratio - ratio_2}), earlier, "and through the one before that: there is one such parabola")
    return path.xreplace({v: u / step})


@derivation(dpm.multistep_third)
def multistep_third(d):
    """The parabola, integrated against e^lambda."""
    d.assume(abar_s < 1, NOISED)
    path = parabola(d, x_0, x_before, x_earlier, slope, bend)
    inner = exp(u - step) * (path - path.diff(u) + path.diff(u, 2))
    value = d.integral(exp(u - step) * path, u, 0, step, inner, "e^(-lambda_s) times the integral")
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    right = dpm.multistep_third.expression
    curved = 2 * sqrt(abar_s) * ((exp(-h) - 1 + h) / h**2 - Rational(1, 2)) * bend
    d.misprint(right + curved / 2, "D_2 taken for the second derivative: half of the last term")
    d.misprint(right + 2 * curved, "the sign of the last term")
    d.misprint(
        right - sqrt(abar_s) * ((exp(-h) - 1) / h + 1) * ratio * bend, "the slope of the last two predictions, not of the parabola"
    )
    d.conclude(
        d.use(dpm.exact_data).xreplace({dpm.weighted_data: sqrt(abar_s) / sqrt(1 - abar_s) * value.xreplace({step: h})}),
        "in the exact solution",
    )


@derivation(dpm.multistep_noise_third)
def multistep_noise_third(d):
    """The same for the noise, against e^-lambda."""
    d.assume(abar_s < 1, NOISED)
    path = parabola(d, eps, eps_before, eps_earlier, eps_slope, eps_bend)
    inner = -exp(step - u) * (path + path.diff(u) + path.diff(u, 2))
    value = d.integral(exp(step - u) * path, u, 0, step, inner, "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    right = dpm.multistep_noise_third.expression
    curved = 2 * sqrt(1 - abar_s) * ((exp(h) - 1 - h) / h**2 - Rational(1, 2)) * eps_bend
    d.misprint(right + curved / 2, "D_2 taken for the second derivative: half of the last term")
    d.conclude(
        d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: sqrt(1 - abar_s) / sqrt(abar_s) * value.xreplace({step: h})}),
        "in the exact solution",
    )


@derivation(dpm.sde_multistep_third_mean)
def sde_multistep_third_mean(d):
    """The mean of the reverse SDE: against 2 e^(2 lambda)."""
    d.assume(abar_s < 1, NOISED)
    path = parabola(d, x_0, x_before, x_earlier, slope, bend)
    rest = path - x_0
    inner = exp(2 * u - 2 * step) * (rest - rest.diff(u) / 2 + rest.diff(u, 2) / 4)
    value = d.integral(2 * exp(2 * u - 2 * step) * rest, u, 0, step, inner, "what the slope and the bend add, over the signal at s")
    curved = sqrt(abar_s) * (1 - 1 / h + (1 - exp(-2 * h)) / (2 * h**2)) * bend
    d.misprint(dpm.sde_multistep_third_mean.expression - curved / 2, "D_2 taken for the second derivative: half of the last term")
    d.misprint(
        dpm.sde_multistep_third_mean.expression
        - curved
        + sqrt(abar_s) * ((1 - exp(-2 * h) - 2 * h) / (2 * h) ** 2 - Rational(1, 2)) * bend,
        "a sign with it: a weight that tends to -1 as h vanishes",
    )
    d.conclude(d.use(dpm.sde_data_mean) + sqrt(abar_s) * value.xreplace({step: h}), "what first order leaves out, put in")


def cubic(d, first, second, third, predictions):
    """The cubic through four predictions, by how far it goes on, in steps; its coefficients by the divided differences."""
    now, *_ = predictions
    path = now + (first + ratio * (ratio + ratio_2) * third) * v + (second + (2 * ratio + ratio_2) * third) * v**2 + third * v**3
    nodes = (Integer(0), -ratio, -ratio - ratio_2, -ratio - ratio_2 - ratio_3)
    for node, prediction in zip(nodes, predictions, strict=True):
        d.equal(path.xreplace({v: node}), prediction, "it goes through the prediction that was made there")
    return path.xreplace({v: u / step})


@derivation(dpm.multistep_fourth)
def multistep_fourth(d):
    """A cubic through four predictions of the data."""
    d.assume(abar_s < 1, NOISED)
    path = cubic(d, slope, bend, twist, (x_0, x_before, x_earlier, x_earliest))
    inner = exp(u - step) * (path - path.diff(u) + path.diff(u, 2) - path.diff(u, 3))
    value = d.integral(exp(u - step) * path, u, 0, step, inner, "e^(-lambda_s) times the integral")
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    d.conclude(
        d.use(dpm.exact_data).xreplace({dpm.weighted_data: sqrt(abar_s) / sqrt(1 - abar_s) * value.xreplace({step: h})}),
        "in the exact solution",
    )


@derivation(dpm.multistep_noise_fourth)
def multistep_noise_fourth(d):
    """And of the noise."""
    d.assume(abar_s < 1, NOISED)
    path = cubic(d, eps_slope, eps_bend, eps_twist, (eps, eps_before, eps_earlier, eps_earliest))
    inner = -exp(step - u) * (path + path.diff(u) + path.diff(u, 2) + path.diff(u, 3))
    value = d.integral(exp(step - u) * path, u, 0, step, inner, "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    d.conclude(
        d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: sqrt(1 - abar_s) / sqrt(abar_s) * value.xreplace({step: h})}),
        "in the exact solution",
    )


@derivation(
    id="dpm.multistep_third_error", title="local error of DPM-Solver++(3M)", source="Lu et al. 2022 (DPM-Solver++), prop. 4.1"
)
def multistep_third_error(d):
    r"""For equal steps, solver minus exact solution is :math:`-\tfrac{3}{8} \sqrt{\bar\alpha_s}\, h^4 D'''` up to :math:`O(h^5)`.

    With the last term halved, as released solvers have it, :math:`-\tfrac{1}{12} \sqrt{\bar\alpha_s}\, h^3 D''` is left as well, so
    that all steps together are of second order.
    """
    d.assume(abar_s < 1, NOISED)
    path = d.taylor(
        r"\hat x_0(\lambda_t + u)", [x_0, D1, D2, D3], u, "the prediction is smooth along the exact path, also before t"
    )
    before = d.given(r"\hat x_{\mathrm{prev}}", path.xreplace({u: -step}), "the prediction of the step before")
    earlier = d.given(r"\hat x_{\mathrm{prev}, 2}", path.xreplace({u: -2 * step}), "and that before it")
    second = d.given("D_2", (x_0 - 2 * before + earlier) / 2, "the second divided difference, times h^2")
    first = d.given("D_1", x_0 - before + second, "the slope of the parabola, times h")
    inner = exp(u - step) * (path - path.diff(u) + path.diff(u, 2) - path.diff(u, 3))
    value = d.integral(exp(u - step) * path, u, 0, step, inner, "e^(-lambda_s) times the integral")
    bent = -2 * (exp(-step) - 1 + step - step**2 / 2) * second
    solver = step**2 * (1 - exp(-step)) * x_0 + step * (exp(-step) - 1 + step) * first + bent
    d.expand(solver - step**2 * value, step, -(step**6) * Rational(3, 8) * D3, 6, "its leading term, times h^2")
    d.expand(solver - bent / 2 - step**2 * value, step, -(step**5) * D2 / 12, 5, "with half of the last term, times h^2")
