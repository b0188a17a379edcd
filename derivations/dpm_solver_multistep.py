r"""DPM-Solver++(2M): the data prediction of the step before is kept, and a line through two predictions is followed.

With :math:`\rho = h_{\mathrm{prev}} / h` the quotient of the two steps in lambda, unequal steps are no obstacle. Two ways to
weigh the slope are in use, :math:`(1 - e^{-h})/2` and :math:`h - 1 + e^{-h}` over h; both are of second order. Onto the
data h is infinite, and the line is followed for ever: the last step is to be of first order.
"""

from sympy import Integer, Rational, exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.dpm import eps_before, h, ratio, step, x_before
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, abar_s, abar_t, eps, snr_s, x_0, x_t
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
D1, D2 = letter("D1", "D_1"), letter("D2", "D_2")
NOISED = "s >= 1: at the data lambda is infinite"
LINEAR = sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
LINE = exp(u - step) * u


def weight(d):
    """The weight of the slope of the data prediction."""
    value = d.integral(LINE, u, 0, step, exp(u - step) * (u - 1), "the weight of the slope")
    return d.equal(value, step - 1 + exp(-step), "h^2 phi_2(-h)")


@derivation(dpm.multistep_exact)
def multistep_exact(d):
    """The slope of the line through two predictions, weighed as the exact solution weighs it."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat x_0'", (x_0 - x_before) / (ratio * step), "the last two predictions, and their distance h_prev = rho h")
    d.conclude(
        d.use(dpm.first_data) + sqrt(abar_s) * (weight(d) * slope).xreplace({step: h}), "what first order leaves out, put in"
    )


@derivation(dpm.multistep)
def multistep(d):
    """The same with h (1 - e^-h) / 2 for the weight, which agrees to second order: then it is one step with a better prediction."""
    d.assume(abar_s < 1, NOISED)
    slope = (x_0 - x_before) / (ratio * step)
    near = d.expand(weight(d), step, step * (1 - exp(-step)) / 2, 2, "to second order the weight is h (1 - e^-h) / 2")
    better = d.given("D", (1 + 1 / (2 * ratio)) * x_0 - x_before / (2 * ratio), "the line at the middle of the step")
    d.equal(x_0 + slope * step / 2, better, "half a step on from the last prediction")
    rest = LINEAR + sqrt(abar_s) * (1 - exp(-h)) * x_0
    d.misprint(
        rest + sqrt(abar_s) * (1 - exp(-h)) * ratio / 2 * (x_0 - x_before),
        "rho inverted: h / h_prev for h_prev / h; at equal steps it is the same",
    )
    d.misprint(rest + sqrt(abar_s) * (1 - exp(-h)) / ratio * (x_0 - x_before), "the half lost: the line at the end of the step")
    d.misprint(rest - sqrt(abar_s) * (1 - exp(-h)) / (2 * ratio) * (x_0 - x_before), "the line followed backwards")
    d.conclude(d.use(dpm.first_data) + sqrt(abar_s) * (near * slope).xreplace({step: h}), "what first order leaves out, put in")


def noise_weight(d):
    """The weight of the slope of the noise prediction."""
    value = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of the slope")
    return d.equal(value, exp(step) - 1 - step, "h^2 phi_2(h)")


def noise_slope(d):
    """The slope of the line through two noise predictions."""
    return d.given(r"\hat\epsilon'", (eps - eps_before) / (ratio * step), "the last two predictions, and their distance rho h")


@derivation(dpm.multistep_noise_exact)
def multistep_noise_exact(d):
    """The same for the noise prediction: the line through two of them, integrated against e^-lambda."""
    d.assume(abar_s < 1, NOISED)
    gained = noise_weight(d) * noise_slope(d)
    d.misprint(
        d.use(dpm.first_noise) - sqrt(1 - abar_s) * (exp(h) - 1) / h * (eps - eps_before) / ratio, "phi_1 for h phi_2: the -1 lost"
    )
    d.misprint(
        dpm.first_noise.expression + sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps - eps_before) / ratio,
        "the sign of the data prediction's term kept",
    )
    d.conclude(dpm.first_noise.expression - sqrt(1 - abar_s) * gained.xreplace({step: h}), "what first order leaves out, put in")


@derivation(dpm.multistep_noise)
def multistep_noise(d):
    """Its weight to second order, h (e^h - 1) / 2: one step with the prediction at the middle."""
    d.assume(abar_s < 1, NOISED)
    slope = noise_slope(d)
    near = d.expand(noise_weight(d), step, step * (exp(step) - 1) / 2, 2, "to second order the weight is h (e^h - 1) / 2")
    rest = d.use(dpm.first_noise)
    d.misprint(rest - sqrt(1 - abar_s) * (exp(h) - 1) * ratio / 2 * (eps - eps_before), "rho inverted: h / h_prev for h_prev / h")
    d.misprint(rest - sqrt(1 - abar_s) * (exp(h) - 1) / ratio * (eps - eps_before), "the half lost: the line at its end")
    d.conclude(rest - sqrt(1 - abar_s) * (near * slope).xreplace({step: h}), "what first order leaves out, put in")


@derivation(id="dpm.multistep_error", title="local error of DPM-Solver++(2M)", source="Lu et al. 2022 (DPM-Solver++), algorithm 2")
def multistep_error(d):
    r"""Solver minus exact solution, up to :math:`O(h^4)`:

    .. math:: -\sqrt{\bar\alpha_s}\, h^3 \left(\tfrac{1}{12} D_1 + \tfrac{2 + 3\rho}{12} D_2\right)

    The step before is the line's other end, so that a long step before a short one costs as rho does. With the exact weight the
    first part is gone: :math:`-\tfrac{2 + 3\rho}{12} D_2`.
    """
    d.assume(abar_s < 1, NOISED)
    path = d.taylor(r"\hat x_0(\lambda_t + u)", [x_0, D1, D2], u, "the prediction is smooth along the exact path, also before t")
    before = d.given(
        r"\hat x_{\mathrm{prev}}", path.xreplace({u: -ratio * step}), "the prediction of the step before, at u = -rho h"
    )
    value = d.integral(
        exp(u - step) * path,
        u,
        0,
        step,
        exp(u - step) * (path - path.diff(u) + path.diff(u, 2)),
        "e^(-lambda_s) times the integral",
    )
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_data).xreplace({dpm.weighted_data: sqrt(abar_s) / sqrt(1 - abar_s) * value})
    asked = {h: step, x_before: before}
    gap = (1 - exp(-step)) * (x_0 + (x_0 - before) / (2 * ratio)) - value
    d.equal((d.use(dpm.multistep).xreplace(asked) - truth) / sqrt(abar_s), gap, "the state itself cancels")
    d.expand(
        gap, step, -(step**3) * (D1 / 12 + (2 + 3 * ratio) * D2 / 12), 3, "its leading term: all steps together are of second order"
    )
    other = step * (1 - exp(-step)) * x_0 + (step - 1 + exp(-step)) * (x_0 - before) / ratio - step * value
    d.equal(step * (d.use(dpm.multistep_exact).xreplace(asked) - truth) / sqrt(abar_s), other, "with the exact weight, times h")
    d.expand(other, step, -(step**4) * (2 + 3 * ratio) * D2 / 12, 4, "its leading term, times h")


@derivation(
    id="dpm.multistep_needs_its_ratio",
    title="only with h_prev / h for its ratio is the solver of second order",
    source="Lu et al. 2022 (DPM-Solver++), algorithm 2",
)
def multistep_needs_its_ratio(d):
    """With a weight w of the difference the error is h^2 (w rho - 1/2) D_1: rho inverted is right for equal steps only."""
    w = letter("weight", "w")
    gap = (1 - exp(-step)) * w * D1 * ratio * step - (step - 1 + exp(-step)) * D1
    d.expand(gap, step, step**2 * (w * ratio - Rational(1, 2)) * D1, 2, "solver minus truth to second order")
    condition = d.match((w * ratio - Rational(1, 2)) * D1, Integer(0), [D1], "it is to vanish whatever the prediction does")
    d.solve(condition, {w: 1 / (2 * ratio)}, "which fixes the weight")
    d.misprint(ratio / 2, "rho inverted", right=1 / (2 * ratio))


@derivation(
    id="dpm.last_step_of_second_order",
    title="towards noise 0 a second order step follows its line beyond all bounds",
    source="huggingface/diffusers#5433, #5541: artefacts at the last step; first order there",
)
def last_step_of_second_order(d):
    r"""The step before stays, and h grows as :math:`\log(1/\sigma_s)`; the difference is weighed with h over that step.

    With noise left it is only large; with none, h is infinite, and 0 times infinity is a NaN in code that asks for it.
    """
    before, bound = letter("h_prev", r"h_{\mathrm{prev}}", domain=POSITIVE), letter("bound", "B", domain=POSITIVE)
    start = letter("start", r"\bar\alpha_t", domain=PROPER_FRACTION)
    level = 1 / (1 + exp(-2 * bound) * (1 - start) / start)
    d.less(level, 1, "a level short of the data")
    d.equal(log(level / (1 - level) / (start / (1 - start))) / 2, bound, "to which the step h is B: h takes every value")
    d.assume(exp(-step) < Rational(1, 2), "the step more than halves the noise over signal")
    d.equal(1 / (2 * ratio), (step / (2 * before)).xreplace({before: ratio * step}), "rho = h_prev / h")
    stretched = (1 - exp(-step)) * step / (2 * before)
    d.less(step / (4 * before), stretched, "the weight of the difference is more than h / (4 h_prev), which exceeds every bound")
    with d.suppose(step > 2, "a long step"):
        d.less(step / (4 * before), (step - 1 + exp(-step)) / before, "and so is the exact weight")
    d.misprint(stretched, "the weight is taken to stay below 1", right=Integer(1), relation="<=")


@derivation(id="dpm.unipc_is_multistep", title="UniP-2 is DPM-Solver++(2M)", source="Zhao et al. 2023 (UniPC)")
def unipc_is_multistep(d):
    r"""The predictor of second order with :math:`B(h) = e^h - 1` and :math:`a_1 = 1/2`, for the data: the same step, other letters.

    There :math:`r_1 = (\lambda_{\mathrm{prev}} - \lambda_t) / h = -\rho` is negative, as the point lies in the past.
    """
    d.assume(abar_s < 1, NOISED)
    past = d.given("r_1", -ratio, "where the older prediction lies, in steps h: before t")
    size = d.given("B(-h)", exp(-h) - 1, "for the data h changes its sign")
    predictor = LINEAR - sqrt(abar_s) * size * x_0 - sqrt(abar_s) * size * Rational(1, 2) * (x_before - x_0) / past
    d.equal(predictor, d.use(dpm.multistep), "UniP-2 as it is written there")
    d.misprint(
        predictor.xreplace({ratio: -ratio}), "r_1 taken as positive: the line followed backwards", right=dpm.multistep.expression
    )
