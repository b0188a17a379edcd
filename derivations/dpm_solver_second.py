r"""DPM-Solver-2: the noise is asked for again within the step, at :math:`\lambda_t + r h`.

The difference of the two answers stands for the derivative of the prediction. The state at the second point is itself only
first order, :math:`O(h^2)` off the path, and the network feels that through its Jacobian J; weighed with h, this is of third
order, like everything else that is left out. :math:`E_1, E_2` are total derivatives of the prediction along the exact path.
"""

from sympy import Integer, Rational, exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.dpm import eps_r, h, r, step
from verifydiff.forms.quantities import POSITIVE, abar_s, abar_t, eps, snr_s, x_t
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
lam_t = letter("lam_t", r"\lambda_t")
E1, E2, JE1 = letter("E1", "E_1"), letter("E2", "E_2"), letter("JE1", "J E_1")
b_r = letter("b_r", r"\sigma_r", domain=POSITIVE)
NOISED = "s >= 1: at the data lambda is infinite"
LINEAR = sqrt(abar_s) / sqrt(abar_t) * x_t


@derivation(dpm.second_noise)
def second_noise(d):
    """The line through the two answers, integrated; then (e^h - 1) / 2 for the weight e^h - 1 - h over h, which is as good."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat\epsilon'", (eps_r - eps) / (r * step), "the difference of the two answers over their distance r h")
    value = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of the derivative")
    d.equal(value, exp(step) - 1 - step, "e^h - 1 - h")
    d.expand(value, step, step * (exp(step) - 1) / 2, 2, "to second order it is h (e^h - 1) / 2, and the third is not needed")
    replaced = (step * (exp(step) - 1) / 2 * slope).xreplace({step: h})
    d.misprint(
        LINEAR - sqrt(1 - abar_s) * (exp(h) - 1) * (eps + (eps_r - eps) * r / 2),
        "r for 1/r: the difference shrunk where it is to be stretched",
    )
    d.misprint(LINEAR - sqrt(1 - abar_s) * (exp(h) - 1) * (eps - (eps_r - eps) / (2 * r)), "the sign of the difference")
    d.conclude(d.use(dpm.first_noise) - sqrt(1 - abar_s) * replaced, "what first order leaves out, put in")


@derivation(id="dpm.midpoint", title="r = 1/2 is the midpoint rule", source="Lu et al. 2022 (DPM-Solver), algorithm 1")
def midpoint(d):
    """At the midpoint the first answer cancels: DPM-Solver-2 as it is mostly written needs the second one only."""
    d.assume(abar_s < 1, NOISED)
    half = {r: Rational(1, 2)}
    d.equal(d.use(dpm.second_noise).xreplace(half), LINEAR - sqrt(1 - abar_s) * (exp(h) - 1) * eps_r, "algorithm 1 of the paper")
    d.equal(
        d.use(dpm.first_noise).xreplace({eps: eps_r}),
        LINEAR - sqrt(1 - abar_s) * (exp(h) - 1) * eps_r,
        "a first order step, with the noise of the middle",
    )
    d.equal(
        dpm.second_noise.expression.xreplace({eps_r: eps}),
        dpm.first_noise.expression,
        "where the two answers agree it is first order, for any r",
    )
    d.misprint(
        dpm.first_noise.expression, "the noise of the start in the last line: a first order step that asks twice",
        right=dpm.second_noise.expression.xreplace(half),
    )  # fmt: skip


def inner_answer(d):
    """What the network says at the second point, up to third order in h."""
    off = b_r * (exp(r * step) - 1 - r * step)
    path = d.taylor(r"\hat\epsilon(\lambda_t + u)", [eps, E1, E2], u, "the prediction is smooth along the exact path")
    d.expand(off, step, b_r * (r * step) ** 2 / 2, 2, "the first order step to the second point is off by so much of E_1")
    answer = path.xreplace({u: r * step}) + off * JE1
    d.given(r"\epsilon_r", answer, "the prediction there: that of the exact path, and the Jacobian on what the state is off")
    return path, answer


@derivation(id="dpm.second_error", title="local error of DPM-Solver-2", source="Lu et al. 2022 (DPM-Solver), theorem 3.2")
def second_error(d):
    r"""Solver minus exact solution, up to :math:`O(h^4)`:

    .. math:: \sigma_s h^3 \left(-\tfrac{1}{12} E_1 + \tfrac{2 - 3r}{12} E_2 - \tfrac r4 \sigma_r J E_1\right)
    """
    d.assume(abar_s < 1, NOISED)
    path, answer = inner_answer(d)
    slopes = path + path.diff(u) + path.diff(u, 2)
    value = d.integral(exp(step - u) * path, u, 0, step, -exp(step - u) * slopes, "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: sqrt(1 - abar_s) / sqrt(abar_s) * value})
    solver = d.use(dpm.second_noise).xreplace({h: step, eps_r: answer})
    leading = -E1 / 12 + (2 - 3 * r) * E2 / 12 - r * b_r * JE1 / 4
    gap = d.equal(
        (solver - truth) / sqrt(1 - abar_s),
        value - (exp(step) - 1) * (eps + (answer - eps) / (2 * r)),
        "the state itself cancels",
    )  # fmt: skip
    d.expand(gap, step, step**3 * leading, 3, "its leading term: of third order, so that all steps together are of second order")
    d.equal(
        leading.xreplace({r: Rational(2, 3)}).coeff(E2),
        0,
        "r = 2/3 spares E_2; no r spares E_1, which the weight (e^h - 1)/2 costs",
    )


@derivation(id="dpm.second_needs_its_weight", title="only 1/(2r) is of second order", source="Lu et al. 2022 (DPM-Solver), app. B")
def second_needs_its_weight(d):
    """With another weight w of the difference the error is h^2 (1/2 - w r) E_1: undetermined coefficients leave one choice."""
    w = letter("weight", "w")
    d.assume(abar_s < 1, NOISED)
    gap = (exp(step) - 1 - step) * E1 - (exp(step) - 1) * w * E1 * r * step
    d.expand(gap, step, step**2 * (Rational(1, 2) - w * r) * E1, 2, "solver minus truth, up to the sign, to second order")
    condition = d.match((Rational(1, 2) - w * r) * E1, Integer(0), [E1], "it is to vanish whatever the prediction does")
    d.solve(condition, {w: 1 / (2 * r)}, "which fixes the weight")
    d.misprint(1 / r, "the half lost", right=1 / (2 * r))
    d.misprint(r / 2, "r inverted", right=1 / (2 * r))
