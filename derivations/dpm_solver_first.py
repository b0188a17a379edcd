r"""DPM-Solver-1: the prediction is held over the step. For noise and for data it is DDIM, and its local error is of second order.

The exact solution needs the integral of the prediction along the path; held at its value at t, the integral is elementary.
What this leaves out is found with a Taylor polynomial of the prediction along the exact path, where :math:`E_1` is its total
derivative by :math:`\lambda`.
"""

from sympy import Integer, exp, log, sqrt

from verifydiff.forms import ddim, dpm, forward
from verifydiff.forms.dpm import h, step
from verifydiff.forms.quantities import abar_s, abar_t, eps, sigma_t, snr_s, x_0, x_t
from verifydiff.proof import at, derivation, letter

u = letter("u", domain=step.domain)
lam_t = letter("lam_t", r"\lambda_t")
E1, D1 = letter("E1", r"\hat\epsilon'"), letter("D1", r"\hat x_0'")
NOISED = "s >= 1: at the data lambda is infinite"


def held_noise(d):
    """The exact solution with its noise prediction held, by the letter lambda_t and the step."""
    value = d.integral(exp(-lam_t - u) * eps, u, 0, step, -exp(-lam_t - u) * eps, "the noise prediction held at its value at t")
    return d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: value})


def held_data(d):
    """The exact solution with its data prediction held."""
    value = d.integral(exp(lam_t + u) * x_0, u, 0, step, exp(lam_t + u) * x_0, "the data prediction held at its value at t")
    return d.use(dpm.exact_data).xreplace({dpm.weighted_data: value})


@derivation(dpm.first_noise)
def first_noise(d):
    """The integral of e^(-lambda) alone; signal times e^(-lambda_s) is the noise."""
    d.assume(abar_s < 1, NOISED)
    solver = held_noise(d).xreplace({lam_t: d.use(dpm.half_log_snr), step: h})
    linear = sqrt(abar_s) / sqrt(abar_t) * x_t
    d.misprint(linear - sqrt(1 - abar_s) * (exp(-h) - 1) * eps, "the sign of h: noise is added where it should go")
    d.misprint(linear - sqrt(abar_s) * (exp(h) - 1) * eps, "alpha for sigma before the noise")
    d.misprint(linear - sqrt(1 - abar_s) * (exp(2 * h) - 1) * eps, "the half lost: h as a difference of whole logarithms of SNR")
    d.misprint(linear - sqrt(1 - abar_t) * (exp(h) - 1) * eps, "the noise of the start for that of the end")
    d.conclude(solver)


@derivation(dpm.first_data)
def first_data(d):
    """The integral of e^lambda alone; noise times e^(lambda_s) is the signal."""
    d.assume(abar_s < 1, NOISED)
    solver = held_data(d).xreplace({lam_t: d.use(dpm.half_log_snr), step: h})
    linear = sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    d.misprint(linear + sqrt(abar_s) * (1 - exp(h)) * x_0, "the sign of h: the data are subtracted")
    d.misprint(linear + sqrt(1 - abar_s) * (1 - exp(-h)) * x_0, "sigma for alpha before the data")
    d.misprint(sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (1 - exp(-h)) * x_0, "x scaled by the signal, as for the noise")
    d.conclude(solver)


@derivation(
    id="dpm.first_is_ddim", title="DPM-Solver-1 is DDIM, for either prediction", source="Lu et al. 2022 (DPM-Solver), sec. 4.1"
)
def first_is_ddim(d):
    """Both solvers of first order are the deterministic DDIM step, so that they agree although they hold different things.

    The noise held and the data held are no contradiction: at its start a step asks the network once, and either answer is known
    from the other one there.
    """
    d.assume(abar_s < 1, NOISED)
    deterministic = d.use(ddim.step_mean, at={sigma_t: Integer(0)})
    d.equal(d.use(dpm.first_noise), deterministic, "by the noise")
    d.equal(d.use(dpm.first_data).xreplace({x_0: d.use(forward.x0_from_eps)}), deterministic, "by the data that the noise implies")


@derivation(id="dpm.first_error_noise", title="local error of DPM-Solver-1", source="Lu et al. 2022 (DPM-Solver), theorem 3.2")
def first_error_noise(d):
    r"""Solver minus exact solution is :math:`\tfrac12 \sigma_s E_1 h^2 + O(h^3)`: the steps' errors add up to first order."""
    d.assume(abar_s < 1, NOISED)
    path = d.taylor(r"\hat\epsilon(\lambda_t + u)", [eps, E1], u, "the prediction is smooth along the exact path")
    value = d.integral(exp(step - u) * path, u, 0, step, -exp(step - u) * (path + E1), "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: sqrt(1 - abar_s) / sqrt(abar_s) * value})
    gap = d.use(dpm.first_noise).xreplace({h: step}) - truth
    d.equal(gap, sqrt(1 - abar_s) * (exp(step) - 1 - step) * E1, "what was left out: h^2 phi_2 of the derivative")
    d.expand(gap, step, sqrt(1 - abar_s) * E1 * step**2 / 2, 2, "its leading term")
    d.misprint(sqrt(1 - abar_s) * E1 * step**2, "the half of the leading term lost", right=sqrt(1 - abar_s) * E1 * step**2 / 2)


@derivation(
    id="dpm.first_error_data", title="local error of DPM-Solver++ of first order", source="Lu et al. 2022 (DPM-Solver++), prop. 4.1"
)
def first_error_data(d):
    r"""Solver minus exact solution is :math:`-\tfrac12 \sqrt{\bar\alpha_s}\, D_1 h^2 + O(h^3)`, which is the same error."""
    d.assume(abar_s < 1, NOISED)
    path = d.taylor(r"\hat x_0(\lambda_t + u)", [x_0, D1], u, "the prediction is smooth along the exact path")
    value = d.integral(exp(u - step) * path, u, 0, step, exp(u - step) * (path - D1), "e^(-lambda_s) times the integral")
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_data).xreplace({dpm.weighted_data: sqrt(abar_s) / sqrt(1 - abar_s) * value})
    gap = d.use(dpm.first_data).xreplace({h: step}) - truth
    d.equal(gap, -sqrt(abar_s) * (exp(-step) - 1 + step) * D1, "what was left out")
    d.expand(gap, step, -sqrt(abar_s) * D1 * step**2 / 2, 2, "its leading term")


@derivation(
    id="dpm.slopes_of_predictions", title="the slopes of the two predictions along the path", source="Lu et al. 2022 (DPM-Solver++)"
)
def slopes_of_predictions(d):
    r"""Along the exact path :math:`d\hat x_0 / d\lambda = -e^{-\lambda}\, d\hat\epsilon / d\lambda`: both are smooth, or neither.

    With :math:`y = x / \sqrt{\bar\alpha}` and :math:`e^{-\lambda}` for noise over signal, :math:`\hat x_0 = y - e^{-\lambda}
    \hat\epsilon`.
    """
    y, E = letter("y", r"x / \sqrt{\bar\alpha}"), letter("E", r"\hat\epsilon")
    d.depends(dpm.lam, {y: -exp(-dpm.lam) * E, E: E1}, "the ODE divided by the signal, and the slope of the noise prediction")
    d.derivative(y - exp(-dpm.lam) * E, dpm.lam, -exp(-dpm.lam) * E1, "the slope of the data prediction")
    d.misprint(-exp(dpm.lam) * E1, "signal over noise for noise over signal", right=-exp(-dpm.lam) * E1)


@derivation(
    id="dpm.last_step",
    title="onto the data, the first order step returns the prediction",
    source="Lu et al. 2022 (DPM-Solver++), sec. 4",
)
def last_step(d):
    """At s = 0 lambda is infinite and e^(-h) is 0; written by the levels, the step of first order has a value there."""
    left = sqrt(1 - abar_s) * sqrt(abar_t) / (sqrt(abar_s) * sqrt(1 - abar_t))
    by_levels = sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t + sqrt(abar_s) * (1 - left) * x_0
    with d.suppose(abar_s < 1, NOISED):
        d.equal(exp(-h), left, "e^(-h) by the levels")
        d.equal(d.use(dpm.first_data), by_levels, "the step by the levels")
    d.equal(at(left, abar_s=1), 0, "onto the data e^(-h) is 0")
    d.equal(at(by_levels, abar_s=1), x_0, "and the step is the prediction: nothing of x_t is left")
