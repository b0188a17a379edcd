r"""The bound by signal over noise, in discrete and in continuous time.

With the variance of the posterior, :math:`\sigma_t^2 = \tilde\beta_t`, a term of the bound is

.. math:: L_{t-1} = \tfrac12 (\operatorname{SNR}(s) - \operatorname{SNR}(t))\,\lVert x_0 - \hat x_0 \rVert^2,
    \qquad \operatorname{SNR} = \frac{\bar\alpha}{1 - \bar\alpha}

The sum over the steps is a Riemann sum of the error against SNR. As the steps become short it tends to
:math:`-\tfrac12 \int \operatorname{SNR}'(t)\,\lVert x_0 - \hat x_0 \rVert^2\,dt`, which by a change of variables asks only for the
ends of the schedule (Kingma et al. 2021).
"""

from sympy import Integer, exp

from verifydiff.forms import bound, ddpm, forward
from verifydiff.forms.bound import KINGMA, step_variance, v_hat, x0_hat
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, abar_t, snr_s, snr_t, v, x_0
from verifydiff.proof import derivation, letter

t, step = letter("t", "t"), letter("step", r"\tau", domain=POSITIVE)
snr, slope, bend = (
    letter("snr", r"\operatorname{SNR}"),
    letter("slope", r"\operatorname{SNR}'"),
    letter("bend", r"\operatorname{SNR}''"),
)
error = letter("error", r"\lVert x_0 - \hat x_0\rVert^2", domain=NONNEGATIVE)


@derivation(bound.x0_snr_weight)
def x0_snr_weight(d):
    """The weight of the bound, with the posterior's variance put in."""
    d.assume(abar_s < 1, "s >= 1: the data have no noise, and SNR(0) no value")
    found = d.use(bound.x0_step_weight).xreplace({step_variance: d.use(ddpm.posterior_variance)})
    d.less(0, (snr_s - snr_t) / 2, "the signal falls, so the weight is positive")
    d.misprint((snr_t - snr_s) / 2, "the two times have changed places: a negative weight", right=found)
    d.misprint(snr_s - snr_t, "the half is lost", right=found)
    d.conclude(found)


@derivation(bound.eps_snr_weight)
def eps_snr_weight(d):
    r"""The error of the noise is SNR(t) times that of the data.

    With :math:`\gamma = -\log \operatorname{SNR}` the ratio of the two is an exponential.
    """
    d.assume(abar_s < 1, "s >= 1")
    implied = d.use(forward.eps_from_x0)
    gap = implied - implied.xreplace({x_0: x0_hat})
    d.equal(gap**2, snr_t * (x_0 - x0_hat) ** 2, "at one x_t, the error of the noise by that of the data")
    found = d.use(bound.x0_snr_weight) / snr_t
    gamma_s, gamma_t = letter("gamma_s", r"\gamma(s)"), letter("gamma_t", r"\gamma(t)")
    d.equal((exp(-gamma_s) / exp(-gamma_t) - 1) / 2, (exp(gamma_t - gamma_s) - 1) / 2, "the paper's expm1(gamma(t) - gamma(s))")
    d.equal(found, d.use(bound.eps_weight_small), "it is the weight of Ho et al.'s eq. 12, with beta-tilde")
    d.conclude(found)


@derivation(bound.v_snr_weight)
def v_snr_weight(d):
    """The error of the velocity is SNR(t) + 1 times that of the data."""
    d.assume(abar_s < 1, "s >= 1")
    implied = d.use(forward.x0_from_v)
    gap = implied - implied.xreplace({v: v_hat})
    d.equal((snr_t + 1) * gap**2, (v - v_hat) ** 2, "at one x_t, the error of the data by that of the velocity")
    d.misprint(d.use(bound.eps_snr_weight), "the weight of the loss in the noise is used for the loss in the velocity")
    d.conclude(d.use(bound.x0_snr_weight) / (snr_t + 1))


@derivation(
    id="bound.snr_sum",
    title="for an error that is the same at all t, only the ends of the schedule matter",
    source=f"{KINGMA}, sec. 5.1",
)
def snr_sum(d):
    """The weights of all steps telescope, however many there are."""
    first, before, after = (letter(name, tex, domain=POSITIVE) for name, tex in (
        ("snr_1", r"\operatorname{SNR}(1)"), ("snr_k", r"\operatorname{SNR}(k)"), ("snr_next", r"\operatorname{SNR}(k + 1)")
    ))  # fmt: skip
    total = letter("total", r"\sum w_k")
    d.induction(
        term=total, first=Integer(0), then=total + (before - after) / 2, closed=(first - before) / 2,
        at_first={before: first}, advanced={before: after}, because="each step adds its own weight",
    )  # fmt: skip


@derivation(id="bound.finer_is_tighter", title="more steps make the bound smaller", source=f"{KINGMA}, sec. 4.1")
def finer_is_tighter(d):
    """Split a step in two at r: where the error grows with the noise, the new sum is smaller, in proportion to the growth."""
    low, rise, more = (
        letter("low", r"\operatorname{SNR}(t)", domain=POSITIVE),
        letter("rise", "a", domain=POSITIVE),
        letter("more", "b", domain=POSITIVE),
    )
    worse = letter("worse", r"\Delta", domain=NONNEGATIVE)
    middle, high = low + rise, low + rise + more
    coarse = (high - low) / 2 * (error + worse)
    fine = (middle - low) / 2 * (error + worse) + (high - middle) / 2 * error
    d.equal(coarse - fine, more / 2 * worse, "half of SNR(s) - SNR(r), times what the error at t is above that at r")
    d.misprint(coarse, "the sum is thought not to depend on the number of steps", right=fine)
    d.at_most(fine, coarse, "an error at r that is at most that at t: the finer bound is at most the coarser one")


@derivation(id="bound.continuous_time", title="the bound in continuous time", source=f"{KINGMA}, sec. 5")
def continuous_time(d):
    """The weight per unit of time of a step of length tau, as tau tends to 0."""
    level, rate = letter("level", r"\bar\alpha(t)", domain=abar_t.domain), letter("rate", r"\beta(t)", domain=POSITIVE)
    d.depends(t, {level: -rate * level}, "the schedule of the SDE: abar' = -beta abar")
    d.derivative(-level / (1 - level) / 2, t, rate * level / (2 * (1 - level) ** 2), "the weight of the data's error by beta(t)")
    noise = rate / (2 * (1 - level))
    d.equal(
        rate * level / (2 * (1 - level) ** 2) / (level / (1 - level)), noise, "that of the noise's error: beta / (2 (1 - abar))"
    )
    earlier = d.taylor(r"\operatorname{SNR}(t - \tau)", [snr, slope, bend], -step, "a smooth schedule, at t >= some s > 0")
    weight = d.equal((earlier - snr) / (2 * step), -slope / 2 + step * bend / 4, "the weight of the step, divided by its length")
    d.misprint(slope / 2, "the sign: SNR falls, and the weight is positive", right=-slope / 2)
    d.expand(weight, step, -slope / 2, 0, "so the sum over steps tends to the integral of -SNR'(t)/2 times the error")


@derivation(id="bound.schedule_free", title="in continuous time only the ends of the schedule matter", source=f"{KINGMA}, sec. 5.1")
def schedule_free(d):
    """The error at a signal over noise of u is some function e(u), whose antiderivative is E(u): substitute u = SNR(t)."""
    gamma, gamma_slope = letter("gamma_t", r"\gamma(t)"), letter("gamma_slope", r"\gamma'(t)")
    d.depends(t, {gamma: gamma_slope}, "the paper's gamma = -log SNR")
    d.derivative(exp(-gamma), t, -gamma_slope * exp(-gamma), "SNR = exp(-gamma)")
    d.equal(
        -(-gamma_slope * exp(-gamma)) / 2 / exp(-gamma), gamma_slope / 2,
        "the loss in the noise has weight gamma'(t)/2 in continuous time: 1/2 for time measured by log SNR",
    )  # fmt: skip
    error_of, primitive = letter("e_u", "e(u)", domain=NONNEGATIVE), letter("E_u", "E(u)")
    d.depends(t, {snr: slope, primitive: error_of * slope}, "the chain rule: dE(SNR(t))/dt = e(SNR(t)) SNR'(t)")
    d.derivative(
        -primitive / 2, t, -slope / 2 * error_of,
        "so the bound is (E(SNR at the clean end) - E(SNR at the noisy end)) / 2, whatever path SNR takes between them",
    )  # fmt: skip
