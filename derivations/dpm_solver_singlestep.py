r"""DPM-Solver++(2S): the data are asked for again within the step, at :math:`\lambda_t + r h`.

It is DPM-Solver-2 with the data in place of the noise. At the same r the two are different solvers, with different errors,
although their first order steps agree.
"""

from sympy import Rational, exp, log, sqrt

from verifydiff.forms import dpm
from verifydiff.forms.dpm import h, r, step, x_r
from verifydiff.forms.quantities import POSITIVE, abar_s, abar_t, snr_s, x_0, x_t
from verifydiff.proof import derivation, letter

u = letter("u", domain=step.domain)
D1, D2, JD1 = letter("D1", "D_1"), letter("D2", "D_2"), letter("JD1", "J D_1")
a_r = letter("a_r", "a_r", domain=POSITIVE)
NOISED = "s >= 1: at the data lambda is infinite"
LINEAR = sqrt(1 - abar_s) / sqrt(1 - abar_t) * x_t


@derivation(dpm.singlestep)
def singlestep(d):
    """The line through the two predictions, at the middle of the step."""
    d.assume(abar_s < 1, NOISED)
    slope = d.given(r"\hat x_0'", (x_r - x_0) / (r * step), "the difference of the two predictions over their distance r h")
    value = d.integral(exp(u - step) * u, u, 0, step, exp(u - step) * (u - 1), "the weight of the slope")
    near = d.expand(value, step, step * (1 - exp(-step)) / 2, 2, "to second order it is h (1 - e^-h) / 2")
    d.misprint(
        LINEAR + sqrt(abar_s) * (1 - exp(-h)) * ((1 + 1 / (2 * r)) * x_0 - x_r / (2 * r)),
        "the signs of the multistep solver, whose other point lies in the past",
    )
    d.misprint(LINEAR + sqrt(abar_s) * (1 - exp(-h)) * ((1 - r / 2) * x_0 + r / 2 * x_r), "r for 1/r")
    d.conclude(d.use(dpm.first_data) + sqrt(abar_s) * (near * slope).xreplace({step: h}), "what first order leaves out, put in")


@derivation(
    id="dpm.singlestep_midpoint",
    title="r = 1/2: only the second prediction counts",
    source="Lu et al. 2022 (DPM-Solver++), algorithm 1",
)
def singlestep_midpoint(d):
    """At the midpoint the first prediction cancels, and the step is one of first order with the middle's prediction."""
    d.assume(abar_s < 1, NOISED)
    half = d.use(dpm.singlestep).xreplace({r: Rational(1, 2)})
    d.equal(half, d.use(dpm.first_data).xreplace({x_0: x_r}), "the midpoint rule")
    d.misprint(
        dpm.first_data.expression, "the prediction of the start in the last line: it asks twice and uses one answer", right=half
    )


@derivation(id="dpm.singlestep_error", title="local error of DPM-Solver++(2S)", source="Lu et al. 2022 (DPM-Solver++), algorithm 1")
def singlestep_error(d):
    r"""Solver minus exact solution, up to :math:`O(h^4)`:

    .. math:: \sqrt{\bar\alpha_s}\, h^3 \left(-\tfrac{1}{12} D_1 + \tfrac{3r - 2}{12} D_2 - \tfrac r4 a_r J D_1\right)

    :math:`D_1, D_2` are total derivatives of the data prediction along the exact path, J its Jacobian, a the signal at the point.
    """
    d.assume(abar_s < 1, NOISED)
    off = -a_r * (exp(-r * step) - 1 + r * step)
    d.expand(off, step, -a_r * (r * step) ** 2 / 2, 2, "the first order step to the second point is off by so much of D_1")
    path = d.taylor(r"\hat x_0(\lambda_t + u)", [x_0, D1, D2], u, "the prediction is smooth along the exact path")
    answer = path.xreplace({u: r * step}) + off * JD1
    d.given(r"\hat x_r", answer, "the prediction there: that of the exact path, and the Jacobian on what the state is off")
    inner = exp(u - step) * (path - path.diff(u) + path.diff(u, 2))
    value = d.integral(exp(u - step) * path, u, 0, step, inner, "e^(-lambda_s) times the integral")
    d.equal(exp(log(snr_s) / 2), sqrt(abar_s) / sqrt(1 - abar_s), "e^(lambda_s): what the integral itself is of it")
    truth = d.use(dpm.exact_data).xreplace({dpm.weighted_data: sqrt(abar_s) / sqrt(1 - abar_s) * value})
    gap = d.equal(
        (d.use(dpm.singlestep).xreplace({h: step, x_r: answer}) - truth) / sqrt(abar_s),
        (1 - exp(-step)) * (x_0 + (answer - x_0) / (2 * r)) - value,
        "the state itself cancels",
    )  # fmt: skip
    leading = -D1 / 12 + (3 * r - 2) * D2 / 12 - r * a_r * JD1 / 4
    d.expand(gap, step, step**3 * leading, 3, "its leading term: all steps together are of second order")


@derivation(
    id="dpm.order_list", title="which order each step has, if the last one is to be of first", source="huggingface/diffusers#6953"
)
def order_list(d):
    """A step of second order asks twice. Of an even number n of questions all go in pairs, and the last step is of second order.

    To end in first order two steps of first order take the place of the last pair; a list of n/2 pairs ends in second order
    whatever it is asked for, as it did there. Of an odd number one question is left over for the end anyway.
    """
    pairs = letter("pairs", r"\lfloor n/2 \rfloor", domain=POSITIVE)
    even, odd = 2 * pairs, 2 * pairs + 1
    d.equal(2 * pairs, even, "n even, pairs only: all questions are asked, and none is left for a last step of first order")
    d.equal(2 * (pairs - 1) + 1 + 1, even, "n even: one pair fewer, and two steps of first order")
    d.equal(2 * pairs + 1, odd, "n odd: the one that is left over is the last step")
    d.misprint(2 * pairs + 1, "n/2 pairs and a step of first order on top: one question too many", right=even)
