r"""DEIS: the same integral in another coordinate, noise over signal :math:`\rho = e^{-\lambda}`.

There the weight is 1, :math:`\frac{d}{d\rho} \frac{x}{\sqrt{\bar\alpha}} = \hat\epsilon`, and a polynomial through known
predictions is integrated as it stands. A line in :math:`\rho` is no line in :math:`\lambda`: the two families meet at first
order only, where both are DDIM, and in the order of their errors. Onto the data :math:`\rho` is 0, and no line runs away.
"""

from sympy import Integer, exp, sqrt

from verifydiff.forms import ddim, deis, dpm
from verifydiff.forms.deis import back, back_2, back_3, rho_bend, rho_noise, rho_slope, rho_twist
from verifydiff.forms.dpm import eps_before, eps_earlier, eps_earliest
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, abar_t, eps, in_base_letters, sigma_t, ve_s, ve_t, x_s, x_t
from verifydiff.proof import at, derivation, letter

rho = letter("rho", r"\rho", domain=NONNEGATIVE)
x, E, E1 = letter("x"), letter("E", r"\hat\epsilon"), letter("E1", "E_1")
a, a_rate = letter("a", "a", domain=POSITIVE), letter("a_rate", "a'")
a_t, a_s = letter("a_t", domain=POSITIVE), letter("a_s", domain=POSITIVE)
u = letter("u")


@derivation(deis.exact)
def exact(d):
    r"""The ODE by :math:`\lambda`, where :math:`d\rho = -e^{-\lambda} d\lambda`, integrated."""
    d.derivative(exp(-dpm.lam), dpm.lam, -exp(-dpm.lam), "rho = e^(-lambda): so -e^(-lambda) eps d lambda is eps d rho")
    d.depends(rho, {a: a_rate, x: a_rate / a * x + a * E}, "the probability-flow ODE with rho for the time")
    gained = d.travel(x / a, rho, E, {rho: ve_t, x: x_t, a: a_t}, {rho: ve_s, x: x_s, a: a_s}, rho_noise, "from t to s")
    solution = a_s / a_t * x_t + a_s * rho_noise
    d.solve([gained], {x_s: solution}, "solve for the state at s")
    d.conclude(solution.xreplace({a_t: sqrt(abar_t), a_s: sqrt(abar_s)}), "the signal is sqrt(abar)")


@derivation(id="deis.zero_is_ddim", title="DEIS with a held prediction is DDIM", source="Zhang & Chen 2022 (DEIS), sec. 3")
def zero_is_ddim(d):
    """No polynomial but a constant: Euler's method in rho, whose path is straight for held noise."""
    value = d.integral(eps, rho, ve_t, ve_s, eps * rho, "the prediction held at its value at t")
    step = d.use(deis.exact).xreplace({rho_noise: value})
    d.equal(step, d.use(ddim.step_mean, at={sigma_t: Integer(0)}), "the deterministic DDIM step")
    d.misprint(
        step.xreplace({eps: -eps}),
        "rho_t - rho_s for rho_s - rho_t",
        right=ddim.step_mean.expression.xreplace({sigma_t: Integer(0)}),
    )


@derivation(deis.rho_ab)
def rho_ab(d):
    """The line through the last two predictions, integrated; its weight stays finite onto the data."""
    slope = d.given(r"\hat\epsilon'", (eps_before - eps) / back, "the last two predictions over their distance in rho")
    line = eps + slope * (rho - ve_t)
    value = d.integral(line, rho, ve_t, ve_s, eps * rho + slope * (rho - ve_t) ** 2 / 2, "the line, integrated")
    finished = at(deis.rho_ab.expression, abar_s=1)
    d.equal(
        finished,
        at((x_t - sqrt(1 - abar_t) * eps) / sqrt(abar_t) + ve_t**2 / (2 * back) * (eps_before - eps), abar_s=1),
        "onto the data: all is finite",
    )
    d.misprint(
        sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (3 * eps - eps_before) / 2,
        "3/2 and -1/2, the weights of equal steps, where the steps of rho are not equal",
    )
    d.conclude(d.use(deis.exact).xreplace({rho_noise: value}), "in the exact solution")


def polynomial(d, order):
    """The polynomial through the last three or four predictions, in Newton's form, by how far rho lies above that of t."""
    line, parabola = eps + rho_slope * u, rho_bend * u * (u - back)
    whole = line + parabola + (rho_twist * u * (u - back) * (u - back - back_2) if order == 4 else 0)
    nodes = {eps: 0, eps_before: back, eps_earlier: back + back_2, eps_earliest: back + back_2 + back_3}
    for prediction, node in list(nodes.items())[:order]:
        d.equal(whole.xreplace({u: Integer(0) + node}), prediction, "it goes through the prediction that was made there")
    return whole


def parabola_integrated(d, down):
    """The integral of the parabola over a step."""
    inner = eps * u + rho_slope * u**2 / 2 + rho_bend * (u**3 / 3 - back * u**2 / 2)
    return d.integral(polynomial(d, 3), u, 0, down, inner, "the parabola, integrated")


@derivation(deis.rho_ab_3)
def rho_ab_3(d):
    """The parabola through the last three predictions, integrated."""
    value = parabola_integrated(d, ve_s - ve_t)
    linear = sqrt(abar_s) / sqrt(abar_t) * x_t
    step = ve_s - ve_t
    d.misprint(
        linear + sqrt(abar_s) * (step * eps + step**2 / 2 * rho_slope + (step**3 / 3 + back * step**2 / 2) * rho_bend),
        "u (u + p) for u (u - p): the node before taken to lie ahead",
    )
    d.misprint(
        linear + sqrt(abar_s) * (step * eps + step**2 / 2 * rho_slope + step**3 / 3 * rho_bend),
        "the second difference taken at t, where the slope is another one",
    )
    d.conclude(d.use(deis.exact).xreplace({rho_noise: value}), "in the exact solution")


@derivation(deis.rho_ab_4)
def rho_ab_4(d):
    """The cubic through the last four."""
    inner = eps * u + rho_slope * u**2 / 2 + rho_bend * (u**3 / 3 - back * u**2 / 2)
    inner += rho_twist * (u**4 / 4 - (2 * back + back_2) * u**3 / 3 + back * (back + back_2) * u**2 / 2)
    value = d.integral(polynomial(d, 4), u, 0, ve_s - ve_t, inner, "the cubic, integrated")
    d.conclude(d.use(deis.exact).xreplace({rho_noise: value}), "in the exact solution")


@derivation(deis.ab_2)
def ab_2(d):
    """The same where the step before is as long in rho; taken on other steps, the line is not the one through the predictions."""
    equal = d.use(deis.rho_ab).xreplace({back: ve_t - ve_s})
    d.misprint(
        sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (3 * eps - eps_before),
        "the half lost: two steps in one",
    )
    d.misprint(
        sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (3 * eps_before - eps) / 2,
        "the two predictions swapped",
    )
    d.conclude(equal, "rho_prev - rho_t = rho_t - rho_s")


def on_equal_steps(expression):
    """A form where all steps of rho are as long as this one."""
    return in_base_letters(expression).xreplace({one: in_base_letters(ve_t - ve_s) for one in (back, back_2, back_3)})


@derivation(deis.ab_3)
def ab_3(d):
    """The parabola, where all steps are as long."""
    d.misprint(
        sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (23 * eps + 16 * eps_before + 5 * eps_earlier) / 12,
        "the sign of 16/12",
    )
    d.conclude(on_equal_steps(d.use(deis.rho_ab_3)), "all steps of rho are one")


@derivation(deis.ab_4)
def ab_4(d):
    """The cubic, where all steps are as long."""
    d.conclude(on_equal_steps(d.use(deis.rho_ab_4)), "all steps of rho are one")


@derivation(id="deis.rho_ab_error", title="local error of rhoAB-DEIS", source="Zhang & Chen 2022 (DEIS), sec. 4")
def rho_ab_error(d):
    r"""Of third order in the steps of rho: the gap is :math:`\sqrt{\bar\alpha_s} E_2 k^2 \left(\tfrac{k}{6} + \tfrac{p}{4}\right)`.

    Here k is the step down in rho and p the one before, and :math:`E_2` the second derivative of the prediction by rho.
    """
    k, E2, u = letter("k", domain=POSITIVE), letter("E2", "E_2"), letter("u", domain=POSITIVE)
    path = d.taylor(r"\hat\epsilon(\rho_t - u)", [eps, -E1, E2], u, "the prediction is smooth along the exact path")
    before = d.given(r"\epsilon_{\mathrm{prev}}", path.xreplace({u: -back}), "the prediction of the step before, at u = -p")
    value = d.integral(-path, u, 0, k, -(eps * u - E1 * u**2 / 2 + E2 * u**3 / 6), "the integral over rho, downwards")
    down = {k: ve_t - ve_s}
    truth = d.use(deis.exact).xreplace({rho_noise: value}).xreplace(down)
    gap = d.use(deis.rho_ab).xreplace({eps_before: before}) - truth
    d.equal(
        gap, (sqrt(abar_s) * E2 * k**2 * (k / 6 + back / 4)).xreplace(down), "exactly, for a prediction that is a parabola in rho"
    )
