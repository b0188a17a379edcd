r"""DPM-Solver-3: the noise is asked for at h/3 and at 2h/3.

The second point is reached by a step of second order, so that the network there is asked :math:`O(h^3)` off the path. The
difference to the first answer stands for the derivative, and that its second derivative is weighed rightly too fixes the
point: 2/3. The letters :math:`E_k` are total derivatives of the prediction along the exact path, J its Jacobian.
"""

from sympy import Integer, Rational, exp, expand, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.dpm import eps_r, h, step
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, abar_s, eps, snr_s
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
E1, E2, E3 = letter("E1", "E_1"), letter("E2", "E_2"), letter("E3", "E_3")
JE1, JE2, JJE1 = letter("JE1", "J E_1"), letter("JE2", "J E_2"), letter("JJE1", "J J E_1")
b = letter("b", r"\sigma", domain=POSITIVE)
q = letter("q", "q", domain=PROPER_FRACTION)
THIRD, TWO_THIRDS = Rational(1, 3), Rational(2, 3)
NOISED = "s >= 1: at the data lambda is infinite"
PHI = (exp(step) - 1 - step) / step  # h phi_2


@derivation(dpm.third_inner)
def third_inner(d):
    """The line through the answers at t and half-way to the second point, integrated with its own weight."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat\epsilon'", 2 * (eps_r - eps) / step, "the answers are half this step apart: h/3 of 2h/3")
    value = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of the derivative, h^2 phi_2")
    d.equal(value * slope, 2 * ((exp(step) - 1) / step - 1) * (eps_r - eps), "together")
    d.misprint(d.use(dpm.first_noise) - sqrt(1 - abar_s) / 2 * ((exp(h) - 1) / h - 1) * (eps_r - eps), "r_1 / r_2 for r_2 / r_1")
    d.conclude(dpm.first_noise.expression - sqrt(1 - abar_s) * (value * slope).xreplace({step: h}), "added to the first order step")


@derivation(dpm.third_noise)
def third_noise(d):
    """The line through the answers at t and at 2h/3, integrated with its own weight."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat\epsilon'", (eps_r - eps) / (TWO_THIRDS * step), "the difference of the answers over their distance")
    value = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of the derivative, h^2 phi_2")
    d.misprint(
        d.use(dpm.first_noise) - Rational(3, 2) * sqrt(1 - abar_s) * (exp(h) - 1) / h * (eps_r - eps),
        "phi_1 for h phi_2: the -1 lost",
    )
    d.misprint(
        dpm.first_noise.expression - TWO_THIRDS * sqrt(1 - abar_s) * ((exp(h) - 1) / h - 1) * (eps_r - eps), "r_2 for 1 / r_2"
    )
    d.conclude(dpm.first_noise.expression - sqrt(1 - abar_s) * (value * slope).xreplace({step: h}), "added to the first order step")


@derivation(id="dpm.third_point", title="third order fixes the second point", source="Lu et al. 2022 (DPM-Solver), algorithm 2")
def third_point(d):
    """With the point at q h, and the weight that is exact for a straight prediction, E_2 is left with h^3 (1/6 - q/4)."""
    line = d.integral(exp(step - u) * u, u, 0, step, -exp(step - u) * (u + 1), "the weight of E_1")
    curve = d.integral(exp(step - u) * u**2 / 2, u, 0, step, -exp(step - u) * (u**2 / 2 + u + 1), "the weight of E_2")
    d.equal(
        line, line / (q * step) * (q * step), "E_1 is weighed rightly, for every q: the difference of a line over q h is its slope"
    )
    d.expand(
        curve - line / (q * step) * (q * step) ** 2 / 2, step, step**3 * (Rational(1, 6) - q / 4), 3, "E_2 is left with so much"
    )
    condition = d.match(
        (Rational(1, 6) - q / 4) * E2, Integer(0), [E2], "third order asks that it vanish, whatever the prediction does"
    )
    d.solve(condition, {q: TWO_THIRDS}, "which fixes the point")
    d.misprint((Rational(1, 6) - q / 4).xreplace({q: Rational(1, 2)}), "the midpoint, as with two answers", right=Integer(0))


def second_answer(d):
    """What the network says at 2h/3, up to fourth order in h."""
    path = d.taylor(r"\hat\epsilon(\lambda_t + u)", [eps, E1, E2, E3], u, "the prediction is smooth along the exact path")
    first = E1 * step / 3 + (E2 + b * JE1) * step**2 / 18
    d.given(
        r"\epsilon_{1/3} - \epsilon", first, "the answer at h/3, as for DPM-Solver-2: with the Jacobian on what the state is off"
    )
    long = TWO_THIRDS * step
    off = (exp(long) - 1 - long) * E1 + (exp(long) - 1 - long - long**2 / 2) * E2 - 2 * ((exp(long) - 1) / long - 1) * first
    scaled = d.equal(off * step, expand(off * step), "times h, so that nothing is divided by it")
    d.expand(scaled, step, step**4 * (E2 / 81 - b * JE1 / 27), 4, "the state at 2h/3 is off by this over h, times the noise there")
    answer = path.xreplace({u: long}) + b * step**3 * (JE2 / 81 - b * JJE1 / 27)
    d.given(r"\epsilon_{2/3}", answer, "the prediction there: that of the exact path, and the Jacobian on what the state is off")
    return path, answer


@derivation(id="dpm.third_error", title="local error of DPM-Solver-3", source="Lu et al. 2022 (DPM-Solver), theorem 3.2")
def third_error(d):
    r"""Solver minus exact solution, up to :math:`O(h^5)`:

    .. math:: \sigma_s h^4 \left(\tfrac{1}{216} E_3 - \tfrac{1}{72} E_2 - \tfrac{1}{108} \sigma J E_2
       + \tfrac{1}{36} \sigma^2 J J E_1\right)

    The noise levels within the step differ by O(h) only, so that one letter stands for them.
    """
    d.assume(abar_s < 1, NOISED)
    path, answer = second_answer(d)
    slopes = sum(path.diff(u, k) for k in range(4))
    value = d.integral(exp(step - u) * path, u, 0, step, -exp(step - u) * slopes, "e^(lambda_s) times the integral")
    d.equal(exp(-log(snr_s) / 2), sqrt(1 - abar_s) / sqrt(abar_s), "e^(-lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_noise).xreplace({dpm.weighted_noise: sqrt(1 - abar_s) / sqrt(abar_s) * value})
    solver = d.use(dpm.third_noise).xreplace({h: step, eps_r: answer})
    gap = d.equal(
        (solver - truth) / sqrt(1 - abar_s),
        value - (exp(step) - 1) * eps - Rational(3, 2) * ((exp(step) - 1) / step - 1) * (answer - eps),
        "the state itself cancels",
    )  # fmt: skip
    leading = E3 / 216 - E2 / 72 - b * JE2 / 108 + b**2 * JJE1 / 36
    scaled = d.equal(gap * step, expand(gap * step), "times h, so that nothing is divided by it")
    d.expand(scaled, step, step**5 * leading, 5, "its leading term, times h: of fourth order, so that all steps are of third order")
