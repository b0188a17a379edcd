r"""UniPC's predictors and correctors: polynomials through predictions, the last of which may lie at the end of the step.

With the step h for the unit the present prediction lies at 0, the older ones at :math:`-\rho` and :math:`-\rho - \rho_2`, and the
one at the end of the step, which is known when the step is done over again, at 1. The paper solves a linear system for the weights;
the polynomial that goes through all predictions has them too, and there is one such polynomial.
"""

from sympy import Integer, exp, log, sqrt

from verifydiff.forms import dpm, unipc
from verifydiff.forms.dpm import eps_before, eps_earlier, h, ratio, ratio_2, step, x_before, x_earlier
from verifydiff.forms.quantities import abar_s, eps, snr_s, x_0
from verifydiff.forms.unipc import eps_after, x_after
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
v = letter("v")
NOISED = "s >= 1: at the data lambda is infinite"


def path(d, coefficients, predictions):
    """The polynomial through the predictions, by how far it goes on; checked at each of them."""
    whole = sum(one * v**power for power, one in enumerate(coefficients))
    nodes = (Integer(1), Integer(0), -ratio, -ratio - ratio_2)
    for node, prediction in zip(nodes, predictions, strict=False):
        d.equal(whole.xreplace({v: node}), prediction, "it goes through the prediction that was made there")
    return whole.xreplace({v: u / step})


def by_the_data(d, coefficients, predictions):
    """The polynomial, integrated as the exact solution weighs the prediction of the data."""
    d.assume(abar_s < 1, NOISED)
    along = path(d, coefficients, predictions)
    inner = exp(u - step) * sum((-1) ** k * along.diff(u, k) for k in range(len(coefficients)))
    value = d.integral(exp(u - step) * along, u, 0, step, inner, "e^(-lambda_s) times the integral")
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    whole = sqrt(abar_s) / sqrt(1 - abar_s) * value.xreplace({step: h})
    d.conclude(d.use(dpm.exact_data).xreplace({dpm.weighted_data: whole}), "in the exact solution")


def by_the_noise(d, coefficients, predictions):
    """The same for the prediction of the noise."""
    d.assume(abar_s < 1, NOISED)
    along = path(d, coefficients, predictions)
    inner = -exp(step - u) * sum(along.diff(u, k) for k in range(len(coefficients)))
    value = d.integral(exp(step - u) * along, u, 0, step, inner, "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    whole = sqrt(1 - abar_s) / sqrt(abar_s) * value.xreplace({step: h})
    d.conclude(d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: whole}), "in the exact solution")


def slope_of_the_data(d, near):
    """The weight of a slope to second order."""
    d.assume(abar_s < 1, NOISED)
    value = d.integral(exp(u - step) * u, u, 0, step, exp(u - step) * (u - 1), "the weight of the slope")
    return d.expand(value, step, near, 2, "to second order")


def slope_of_the_noise(d, near):
    """The same for the noise."""
    d.assume(abar_s < 1, NOISED)
    value = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of the slope")
    return d.expand(value, step, near, 2, "to second order")


@derivation(unipc.predictor_bh1)
def predictor_bh1(d):
    """The line through two predictions, its slope weighed by h^2 / 2."""
    gained = slope_of_the_data(d, step**2 / 2) * (x_0 - x_before) / (ratio * step)
    d.misprint(
        d.use(dpm.first_data) - sqrt(abar_s) * h / 2 * (x_0 - x_before) / ratio,
        "r_1 taken as positive: the line followed backwards",
    )
    d.conclude(dpm.first_data.expression + sqrt(abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.noise_predictor_bh1)
def noise_predictor_bh1(d):
    """By the noise."""
    gained = slope_of_the_noise(d, step**2 / 2) * (eps - eps_before) / (ratio * step)
    d.conclude(d.use(dpm.first_noise) - sqrt(1 - abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.corrector_1)
def corrector_1(d):
    """The line to the prediction at the end of the step, its slope weighed by h (1 - e^-h) / 2: a trapezoid."""
    gained = slope_of_the_data(d, step * (1 - exp(-step)) / 2) * (x_after - x_0) / step
    d.misprint(d.use(dpm.first_data) + sqrt(abar_s) * (1 - exp(-h)) * (x_after - x_0), "the half lost: the end alone counts")
    d.conclude(dpm.first_data.expression + sqrt(abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.corrector_1_bh1)
def corrector_1_bh1(d):
    """The same with h^2 / 2."""
    gained = slope_of_the_data(d, step**2 / 2) * (x_after - x_0) / step
    d.conclude(d.use(dpm.first_data) + sqrt(abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.noise_corrector_1)
def noise_corrector_1(d):
    """By the noise: in rho it is the trapezoid itself."""
    gained = slope_of_the_noise(d, step * (exp(step) - 1) / 2) * (eps_after - eps) / step
    d.conclude(d.use(dpm.first_noise) - sqrt(1 - abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.noise_corrector_1_bh1)
def noise_corrector_1_bh1(d):
    """The same with h^2 / 2."""
    gained = slope_of_the_noise(d, step**2 / 2) * (eps_after - eps) / step
    d.conclude(d.use(dpm.first_noise) - sqrt(1 - abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(unipc.corrector_2)
def corrector_2(d):
    """The parabola through the prediction before, the present one and that at the end."""
    by_the_data(d, (x_0, unipc.slope_ahead, unipc.bend_ahead), (x_after, x_0, x_before))


@derivation(unipc.corrector_3)
def corrector_3(d):
    """The cubic through one more."""
    by_the_data(d, (x_0, unipc.slope_of_cubic, unipc.bend_of_cubic, unipc.twist_ahead), (x_after, x_0, x_before, x_earlier))


@derivation(unipc.noise_corrector_2)
def noise_corrector_2(d):
    """The parabola, by the noise."""
    by_the_noise(d, (eps, unipc.eps_slope_ahead, unipc.eps_bend_ahead), (eps_after, eps, eps_before))


@derivation(unipc.noise_corrector_3)
def noise_corrector_3(d):
    """The cubic, by the noise."""
    by_the_noise(
        d,
        (eps, unipc.eps_slope_of_cubic, unipc.eps_bend_of_cubic, unipc.eps_twist_ahead),
        (eps_after, eps, eps_before, eps_earlier),
    )


@derivation(
    id="unipc.system",
    title="the paper's linear system has the weights of the parabola",
    source="Zhao et al. 2023 (UniPC), theorem 3.1",
)
def system(d):
    r"""UniC-2 by the data: :math:`\sum_m a_m r_m^{k - 1} B = k!\, h \varphi_{k + 1}`, so that powers are integrated exactly.

    With :math:`r_1 = -\rho`, :math:`r_2 = 1` and :math:`D_m / r_m` for the differences from the present prediction.
    """
    first, second = letter("W_1"), letter("W_2")
    line = d.given("D_1 / r_1", (x_before - x_0) / -ratio, "the older difference over where it lies")
    older = d.given("B a_1", (first - second) / (1 + ratio), "the weight of it")
    ahead = d.given("B a_2", first - older, "and of the difference to the prediction at the end")
    d.equal(older + ahead, first, "the first power: W_1 is its integral")
    d.equal(-ratio * older + ahead, second, "the second: W_2; the two equations have one solution, as 1 is not -rho")
    d.equal(
        older * line + ahead * (x_after - x_0),
        first * unipc.slope_ahead + second * unipc.bend_ahead,
        "and so the slope and the bend of the parabola are weighed",
    )
