r"""The probability-flow ODE solved but for one integral (Lu et al. 2022, prop. 3.1 and, for the data, DPM-Solver++ prop. 4.1).

With signal a and noise :math:`\sigma` of any schedule, :math:`f = \dot a / a` and :math:`g^2 = \frac{d}{dt}\sigma^2 - 2 f
\sigma^2`, the ODE is linear in x but for the prediction. Divided by the signal, x moves with the noise prediction alone;
divided by the noise, with the data prediction alone:

.. math:: \frac{d}{d\lambda} \frac{x}{a} = -e^{-\lambda}\, \hat\epsilon, \qquad \frac{d}{d\lambda} \frac{x}{\sigma} =
   e^{\lambda}\, \hat x_0

Nothing is asked of the predictions but that they are integrable along the path, and they may depend on x.
"""

from sympy import exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.quantities import POSITIVE, abar_s, abar_t, x_0, x_s, x_t
from verifydiff.proof import derivation, letter

tau = letter("tau", "t")
x = letter("x")
a, b = letter("a", "a", domain=POSITIVE), letter("b", r"\sigma", domain=POSITIVE)  # signal and noise
f, b_rate = letter("f", "f"), letter("b_rate", r"\dot\sigma")
E, D = letter("E", r"\hat\epsilon"), letter("D", r"\hat x_0")
a_slope, b_slope = letter("a_slope", "a'"), letter("b_slope", r"\sigma'")
lam_t, lam_s = letter("lam_t", r"\lambda_t"), letter("lam_s", r"\lambda_s")
a_t, a_s = letter("a_t", "a_t", domain=POSITIVE), letter("a_s", "a_s", domain=POSITIVE)
b_t, b_s = letter("b_t", r"\sigma_t", domain=POSITIVE), letter("b_s", r"\sigma_s", domain=POSITIVE)
LAM = log(a / b)
LAM_RATE = f - b_rate / b


def flow(d):
    """The probability-flow ODE along time, and how lambda moves."""
    g_squared = d.given("g^2", 2 * b * b_rate - 2 * f * b**2, "what keeps the variance of x given x_0 at sigma^2")
    slope = d.given(r"\frac{dx}{dt}", f * x + g_squared / (2 * b) * E, "the probability-flow ODE, its score written -eps / sigma")
    d.depends(tau, {a: f * a, b: b_rate, x: slope}, "signal, noise and state run with time")
    d.derivative(
        LAM,
        tau,
        LAM_RATE,
        "so does lambda = log(a / sigma), strictly downwards where g^2 > 0, so that it can stand for the time",
    )
    d.equal(g_squared, -2 * b**2 * LAM_RATE, "the diffusion by the slope of lambda (eq. 3.2)")
    return slope


@derivation(dpm.exact_noise)
def exact_noise(d):
    """Variation of constants: the linear part is undone by the signal, and what is left is integrated along lambda."""
    flow(d)
    d.derivative(x / a, tau, -exp(-LAM) * E * LAM_RATE, "the linear part cancels; by lambda: divide by its slope")
    d.depends(
        dpm.lam,
        {a: a_slope, x: a_slope / a * x - a * exp(-dpm.lam) * E},
        "the same ODE with lambda for the time, where d(x/a) is that",
    )
    gained = d.travel(
        -x / a, dpm.lam, exp(-dpm.lam) * E,
        {dpm.lam: lam_t, x: x_t, a: a_t}, {dpm.lam: lam_s, x: x_s, a: a_s}, dpm.weighted_noise, "from t to s",
    )  # fmt: skip
    solution = a_s / a_t * x_t - a_s * dpm.weighted_noise
    d.solve([gained], {x_s: solution}, "solve for the state at s")
    d.misprint(
        dpm.exact_noise.expression.xreplace({dpm.weighted_noise: -dpm.weighted_noise}), "the sign of the integral: noise is put in"
    )
    d.misprint(
        sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t - sqrt(abar_s) * dpm.weighted_noise,
        "alpha and sigma swapped: x scaled by the noise, as with the data prediction",
    )
    d.conclude(solution.xreplace({a_t: sqrt(abar_t), a_s: sqrt(abar_s)}), "the signal is sqrt(abar)")


@derivation(dpm.exact_data)
def exact_data(d):
    """The same with the noise in place of the signal: the prediction of the data is what is left."""
    slope = flow(d)
    implied = d.given(r"\hat\epsilon", (x - a * D) / b, "the noise that a prediction of the data implies")
    d.equal(slope.xreplace({E: implied}), b_rate / b * x + a * LAM_RATE * D, "the ODE by the data prediction")
    d.equal(
        slope.xreplace({E: implied}) / LAM_RATE, b_rate / b / LAM_RATE * x + b * exp(LAM) * D,
        "with lambda for the time; a = sigma e^lambda",
    )  # fmt: skip
    d.depends(
        dpm.lam,
        {b: b_slope, x: b_slope / b * x + b * exp(dpm.lam) * D},
        "the same ODE with lambda for the time; a = sigma e^lambda",
    )
    gained = d.travel(
        x / b, dpm.lam, exp(dpm.lam) * D,
        {dpm.lam: lam_t, x: x_t, b: b_t}, {dpm.lam: lam_s, x: x_s, b: b_s}, dpm.weighted_data, "from t to s",
    )  # fmt: skip
    solution = b_s / b_t * x_t + b_s * dpm.weighted_data
    d.solve([gained], {x_s: solution}, "solve for the state at s")
    d.misprint(sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t + sqrt(abar_s) * dpm.weighted_data, "signal for noise before the integral")
    d.conclude(solution.xreplace({b_t: sqrt(1 - abar_t), b_s: sqrt(1 - abar_s)}), "the noise is sqrt(1 - abar)")


@derivation(
    id="dpm.right_noise", title="the right noise, held, leads to the right marginal", source="Lu et al. 2022 (DPM-Solver), sec. 3.1"
)
def right_noise(d):
    """If the prediction is the same noise all along the path, the exact solution carries x_0 over, whatever the step."""
    u = letter("u", domain=POSITIVE)
    eps = letter("eps_held", r"\epsilon")
    d.assume(abar_s < 1, "s >= 1: at the data lambda is infinite")
    start, signal = sqrt(abar_t) * x_0 + sqrt(1 - abar_t) * eps, d.use(dpm.half_log_snr)
    value = d.integral(
        exp(-signal - u) * eps, u, 0, dpm.step, -exp(-signal - u) * eps, "the integral of e^(-lambda) over a step, for held noise"
    )
    end = d.use(dpm.exact_noise).xreplace({x_t: start, dpm.weighted_noise: value}).xreplace({dpm.step: dpm.h})
    d.equal(end, sqrt(abar_s) * x_0 + sqrt(1 - abar_s) * eps, "x_s has the same data and the same noise")
