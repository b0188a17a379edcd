r"""SDE-DPM-Solver and SDE-DPM-Solver++: the reverse SDE by the same integrator (Lu et al. 2022, DPM-Solver++).

With the data prediction held, the reverse SDE is linear, its solution Gaussian. The mean of :math:`x a / \sigma^2` moves by
:math:`2 e^{2\lambda} \hat x_0` along lambda, its variance by :math:`2 e^{2\lambda}`. The step that comes out is no other than
the ancestral one: DDIM at eta = 1, the DDPM posterior. With the noise prediction held it is another step, and not a good one.
"""

from sympy import Integer, Rational, exp, sqrt

from verifydiff.forms import ddim, ddpm, dpm, forward
from verifydiff.forms.dpm import eps_before, h, ratio, step, x_before
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, abar_t, alpha_t, beta_t, eps, eta, sigma_t, snr_t, x_0, x_t
from verifydiff.proof import at, derivation, letter

u = letter("u", domain=step.domain)
tau, x = letter("tau", "t"), letter("x")
a, b = letter("a", "a", domain=POSITIVE), letter("b", r"\sigma", domain=POSITIVE)  # signal and noise
f, b_rate = letter("f", "f"), letter("b_rate", r"\dot\sigma")
E, D = letter("E", r"\hat\epsilon"), letter("D", r"\hat x_0")
var, extra = letter("var", "V", domain=NONNEGATIVE), letter("extra", "k", domain=NONNEGATIVE)
NOISED = "s >= 1: at the data lambda is infinite"
RATE = f - b_rate / b
G2 = 2 * b * b_rate - 2 * f * b**2


def drift(d, prediction):
    """The drift of the reverse SDE, and what its mean and variance do along time."""
    slope = d.given(
        r"\text{drift}",
        f * x + G2 / b * prediction,
        "the reverse SDE: twice the ODE's part of the score, and noise of variance g^2",
    )
    d.depends(tau, {a: f * a, b: b_rate, x: slope}, "the mean follows the drift, as the noise has none")
    d.equal(G2, -2 * b**2 * RATE, "the diffusion by the slope of lambda")
    return slope


def data_kernel(d):
    """Mean and variance of the step with the data held, by the letter for the step."""
    drift(d, (x - a * D) / b)
    d.derivative(
        x * a / b**2, tau, 2 * (a / b) ** 2 * D * RATE, "by lambda: 2 e^(2 lambda) times the data, for the mean of x a / sigma^2"
    )
    d.equal((a / b**2) ** 2 * -G2 / RATE, 2 * (a / b) ** 2, "and its variance grows by 2 e^(2 lambda) d lambda, backwards in time")
    value = d.integral(2 * exp(2 * u), u, 0, step, exp(2 * u), "both integrals, over e^(2 lambda_t)")
    gain = snr_t * value  # of x a / sigma^2
    scale = (1 - abar_s) / sqrt(abar_s)
    mean = scale * (sqrt(abar_t) / (1 - abar_t) * x_t + gain * x_0)
    return mean.xreplace({step: h}), (scale**2 * gain).xreplace({step: h})


@derivation(dpm.sde_data_mean)
def sde_data_mean(d):
    """The linear equation of the mean, solved with the data held."""
    d.assume(abar_s < 1, NOISED)
    linear = sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t
    d.misprint(linear * exp(-h) + sqrt(abar_s) * (1 - exp(-h)) * x_0, "1 - e^-h, the ODE's weight, for 1 - e^-2h")
    d.misprint(
        linear + sqrt(abar_s) * (1 - exp(-2 * h)) * x_0, "the state not damped by e^-h: its noise is kept, and more is added"
    )
    d.conclude(data_kernel(d)[0])


@derivation(dpm.sde_data_variance)
def sde_data_variance(d):
    """The noise of each moment is independent of that before, so that variances add up."""
    d.assume(abar_s < 1, NOISED)
    d.misprint((1 - abar_s) * (1 - exp(-h)), "the half: h for 2h, the exponent of the deviation")
    d.misprint((1 - abar_s) * (exp(2 * h) - 1), "the variance of the solver by the noise")
    d.conclude(data_kernel(d)[1])


@derivation(
    id="dpm.sde_is_ddpm",
    title="SDE-DPM-Solver++ of first order is DDIM at eta = 1, which is DDPM",
    source="Lu et al. 2022 (DPM-Solver++)",
)
def sde_is_ddpm(d):
    """Mean and variance of the step are those of the posterior given the predicted data: the ancestral step."""
    d.assume(abar_s < 1, NOISED)
    d.equal(d.use(dpm.sde_data_variance), d.use(ddpm.posterior_variance), "the fresh noise is that of the posterior")
    d.equal(d.use(dpm.sde_data_mean), d.use(ddpm.posterior_mean), "and the mean is its mean")
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(dpm.sde_data_variance.expression, scale**2, "as a member of the DDIM family: eta = 1")
    d.equal(dpm.sde_data_mean.expression, d.use(ddim.mean, at={sigma_t: scale}), "with its mean")
    d.misprint(beta_t, "DDPM's other choice of variance", right=dpm.sde_data_variance.expression)


@derivation(dpm.sde_noise_mean)
def sde_noise_mean(d):
    """With the noise held the linear part is that of the signal, and the noise counts twice."""
    d.assume(abar_s < 1, NOISED)
    drift(d, E)
    d.derivative(x / a, tau, -2 * (b / a) * E * RATE, "the mean of x / a: by lambda -2 e^(-lambda) times the noise, twice the ODE")
    value = d.integral(exp(-u) * eps, u, 0, step, -exp(-u) * eps, "its integral over e^(-lambda_t)")
    mean = sqrt(abar_s) * (x_t / sqrt(abar_t) - 2 * sqrt(1 - abar_t) / sqrt(abar_t) * value)
    d.misprint(
        sqrt(abar_s) / sqrt(abar_t) * x_t - sqrt(1 - abar_s) * (exp(h) - 1) * eps,
        "the factor 2 lost: the ODE's mean, with noise on top",
    )
    d.conclude(mean.xreplace({step: h}))


@derivation(dpm.sde_noise_variance)
def sde_noise_variance(d):
    """The variance of x / a grows by 2 e^(-2 lambda) along lambda."""
    d.assume(abar_s < 1, NOISED)
    d.equal(-G2 / RATE / a**2, 2 * (b / a) ** 2, "the fresh noise of x / a, by lambda: 2 e^(-2 lambda)")
    value = d.integral(2 * exp(-2 * u), u, 0, step, -exp(-2 * u), "its integral over e^(-2 lambda_t)")
    d.conclude((abar_s * (1 - abar_t) / abar_t * value).xreplace({step: h}))


@derivation(
    id="dpm.sde_noise_overshoots",
    title="SDE-DPM-Solver-1 is no member of the DDIM family",
    source="Lu et al. 2022 (DPM-Solver++), SDE-DPM-Solver-1",
)
def sde_noise_overshoots(d):
    r"""Its fresh noise is :math:`\beta_t / \alpha_t`, more than the marginal at s has where :math:`e^{2h} > 2`.

    Onto the data it is not silent, and its mean is not the prediction. Both come of holding the noise while noise
    is added. As the step goes to 0 it agrees with the others.
    """
    with d.suppose(abar_s < 1, NOISED):
        d.equal(d.use(dpm.sde_noise_variance), beta_t / alpha_t, "the fresh noise by the levels")
        d.less(d.use(ddpm.posterior_variance), beta_t / alpha_t, "more than the posterior's, and")
        d.less(beta_t, beta_t / alpha_t, "more than the larger choice of DDPM")
        d.misprint(beta_t / alpha_t, "it is taken to stay within the bound of the DDIM family", right=1 - abar_s, relation="<=")
        by_levels = (
            sqrt(abar_s) / sqrt(abar_t) * x_t - 2 * (sqrt(abar_s) * sqrt(1 - abar_t) / sqrt(abar_t) - sqrt(1 - abar_s)) * eps
        )
        d.equal(d.use(dpm.sde_noise_mean), by_levels, "the mean by the levels")
    overshoot = forward.x0_from_eps.expression - sqrt(1 - abar_t) / sqrt(abar_t) * eps
    d.equal(at(by_levels, abar_s=1), at(overshoot, abar_s=1), "onto the data it is the prediction, less as much noise again")
    d.equal(beta_t / alpha_t, at((1 - abar_t) / abar_t, abar_s=1), "with fresh noise on top, which nothing removes")
    d.expand(exp(2 * step) - 1 - (1 - exp(-2 * step)), step, 4 * step**2, 2, "to first order in h the two variances agree")


@derivation(dpm.sde_multistep_mean)
def sde_multistep_mean(d):
    """The line through two predictions, weighed with 2 e^(2 lambda); its value at the middle of the step is as good."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat x_0'", (x_0 - x_before) / (ratio * step), "the last two predictions over h_prev = rho h")
    inner = exp(2 * u - 2 * step) * (u - Rational(1, 2))
    value = d.integral(2 * exp(2 * u - 2 * step) * u, u, 0, step, inner, "the weight of the slope")
    near = d.expand(value, step, step * (1 - exp(-2 * step)) / 2, 2, "to second order it is h (1 - e^-2h) / 2")
    linear = sqrt(1 - abar_s) / sqrt(1 - abar_t) * exp(-h) * x_t
    d.misprint(
        linear + sqrt(abar_s) * (1 - exp(-2 * h)) * (x_0 + ratio / 2 * (x_0 - x_before)), "rho inverted: h / h_prev for h_prev / h"
    )
    d.conclude(d.use(dpm.sde_data_mean) + sqrt(abar_s) * (near * slope).xreplace({step: h}), "what first order leaves out, put in")


@derivation(dpm.sde_multistep_exact_mean)
def sde_multistep_exact_mean(d):
    """The same line with the weight that the integral gives it."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat x_0'", (x_0 - x_before) / (ratio * step), "the last two predictions over h_prev = rho h")
    inner = exp(2 * u - 2 * step) * (u - Rational(1, 2))
    value = d.integral(2 * exp(2 * u - 2 * step) * u, u, 0, step, inner, "the weight of the slope")
    d.equal(value, step * (1 - (1 - exp(-2 * step)) / (2 * step)), "as it is written in code")
    d.misprint(
        d.use(dpm.sde_data_mean) + sqrt(abar_s) * (1 - (1 - exp(-h)) / h) * (x_0 - x_before) / ratio,
        "the ODE's weight: h for 2h",
    )
    d.conclude(dpm.sde_data_mean.expression + sqrt(abar_s) * (value * slope).xreplace({step: h}), "what first order leaves out")


def noise_line(d):
    """What a line through two noise predictions adds to the mean of x / a, over e^(-lambda_s)."""
    slope = d.given(r"\hat\epsilon'", (eps - eps_before) / (ratio * step), "the last two predictions over h_prev = rho h")
    value = d.integral(2 * exp(step - u) * u, u, 0, step, -2 * exp(step - u) * (u + 1), "the weight of the slope, twice the ODE's")
    return value, slope


@derivation(dpm.sde_multistep_noise_mean)
def sde_multistep_noise_mean(d):
    """By the noise, to second order in the step."""
    d.assume(abar_s < 1, NOISED)
    value, slope = noise_line(d)
    near = d.expand(value, step, step * (exp(step) - 1), 2, "to second order it is h (e^h - 1)")
    linear = sqrt(abar_s) / sqrt(abar_t) * x_t
    d.misprint(
        linear - sqrt(1 - abar_s) * (exp(h) - 1) * ((1 + 1 / (2 * ratio)) * eps - eps_before / (2 * ratio)),
        "the factor 2 lost: the mean of the ODE",
    )
    d.conclude(
        d.use(dpm.sde_noise_mean) - sqrt(1 - abar_s) * (near * slope).xreplace({step: h}), "what first order leaves out, put in"
    )


@derivation(dpm.sde_multistep_noise_exact_mean)
def sde_multistep_noise_exact_mean(d):
    """By the noise, with the weight of its integral."""
    d.assume(abar_s < 1, NOISED)
    value, slope = noise_line(d)
    d.conclude(
        d.use(dpm.sde_noise_mean) - sqrt(1 - abar_s) * (value * slope).xreplace({step: h}), "what first order leaves out, put in"
    )


@derivation(
    id="dpm.sde_multistep_error", title="what the mean of SDE-DPM-Solver++(2M) leaves out", source="Lu et al. 2022 (DPM-Solver++)"
)
def sde_multistep_error(d):
    r"""For a data prediction that is smooth along the way the mean is right to second order; the step of first order is not.

    Along a path with noise the prediction is *not* smooth: it follows the noise, and its derivative stands for its mean drift
    only. So this is the order in the sense of small noise, not a strong or weak order of the SDE.
    """
    slope_1, slope_2 = letter("D1", "D_1"), letter("D2", "D_2")
    path = d.taylor(r"\hat x_0(\lambda_t + u)", [x_0, slope_1, slope_2], u, "the prediction is smooth, as if noise were small")
    before = d.given(r"\hat x_{\mathrm{prev}}", path.xreplace({u: -ratio * step}), "the prediction of the step before")
    inner = exp(2 * u - 2 * step) * (path - path.diff(u) / 2 + path.diff(u, 2) / 4)
    value = d.integral(2 * exp(2 * u - 2 * step) * path, u, 0, step, inner, "what the mean gains, over the signal at s")
    first = (1 - exp(-2 * step)) * x_0
    second = first + (1 - exp(-2 * step)) * (x_0 - before) / (2 * ratio)
    d.expand(first - value, step, -(step**2) * slope_1, 2, "the step of first order leaves out a second order")
    d.expand(second - value, step, -(step**3) * (slope_1 / 3 + (2 + 3 * ratio) * slope_2 / 6), 3, "the multistep solver a third")
