"""Small steps are held against their equation: nothing right is called wrong, and the coefficient that is wrong is named."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from solvers import RIGHT, Solver

import verifydiff as vd
from verifydiff.checks.case import Contract
from verifydiff.checks.check import RATES
from verifydiff.checks.solver import SolverCase
from verifydiff.checks.solver.consistency import consistency
from verifydiff.checks.solver.rates import TOGETHER, asked, limit, places, rates, strength
from verifydiff.forms.solvers import ReverseSDE
from verifydiff.observe import Target, observe
from verifydiff.observe.response import respond
from verifydiff.verdict import Status


def alike(rho):
    return 1.0


def small_steps(
    denoise,
    x,
    rho,
    normal,
    *,
    lam=0.0,
    drift=None,
    of_state=alike,
    of_data=alike,
    of_noise=alike,
    told=lambda rho: rho,
    shift=0,
    kick=0.0,
):
    """Euler-Maruyama in log sigma on the reverse process with noise of strength lambda g: it lands nowhere exactly."""
    x = rho[0] * x
    strong = 1 + lam**2 if drift is None else drift
    for k, (high, low) in enumerate(pairwise(rho)):
        data = denoise(x, told(high))
        if low == 0:
            return data
        h = np.log(high / low)
        other = k + shift if k + 1 + shift < len(rho) - 1 else k
        h_b = np.log(rho[other] / rho[other + 1])
        x = x + (strong * of_data(high) * h_b + kick) * data - (strong * of_state(high) * h + kick) * x
        if lam:
            x = x + of_noise(high) * lam * np.sqrt(2 * h * high * low) * normal()
    raise AssertionError("it ends on the data")


def noised_afresh(denoise, x, rho, normal):
    """Consistency sampling: the predicted data with noise of the next level."""
    x = rho[0] * x
    for high, low in pairwise(rho):
        x = denoise(x, high)
        if low > 0:
            x = x + low * normal()
    return x


def restless(denoise, x, rho, normal):
    """Its weights depend on the number of steps, this way and that."""
    more = 0.02 if len(rho) in (82, 322) else -0.02  # on 80 and on 320 steps, and not on 40, 160 and 640
    return small_steps(denoise, x, rho, normal, of_state=lambda level: 1 + more, of_data=lambda level: 1 + more)


PLAIN, NOISY = Solver(small_steps, "exploding"), Solver(small_steps, "exploding", stochastic=True).mutant(lam=1.0)


def middle(size):
    """A factor that is wrong in the middle of the grid alone."""
    return lambda rho: size if 0.4 < rho < 2.5 else 1.0


def found(solver, **arguments):
    target = solver if isinstance(solver, Target) else solver.target()
    (finding,) = [one for one in vd.check(target, **arguments).findings if one.check == "consistency"]
    return finding


def judged(of):
    """The same, asked of nothing else, and of single steps as well."""
    target = of if isinstance(of, Target) else of.target()
    case = SolverCase(observe(target), Contract(), ReverseSDE(), respond(target), RATES, 0, float("inf"))
    (finding,) = consistency(case, missed=True, explained=False)
    return finding


# -- what is right ----------------------------------------------------------------------------------------------------------

RIGHT_TOO = {
    "euler in log sigma": PLAIN,
    "euler-maruyama in log sigma": NOISY,
    "a third of the noise": NOISY.mutant(lam=0.6),
    "twice the noise": NOISY.mutant(lam=2**0.5),
    "less noise in the middle": NOISY.mutant(of_noise=middle(0.5), of_state=middle(0.625), of_data=middle(0.625)),
}


@pytest.mark.parametrize("name", [*RIGHT, *RIGHT_TOO])
def test_a_right_solver_is_consistent(name):
    finding = judged({**RIGHT, **RIGHT_TOO}[name])
    assert finding.status is Status.PASS, finding.message
    assert finding.measured < 2e-3


@pytest.mark.parametrize(
    ("solver", "says"),
    [
        (RIGHT["heun"], "the probability flow:"),
        (RIGHT["sde-dpm-2m"], "the reverse SDE:"),
        (NOISY.mutant(lam=0.6), "with 0.36 times the variance of the reverse SDE:"),
    ],
    ids=["flow", "sde", "between"],
)
def test_it_says_which_equation_it_is(solver, says):
    assert says in judged(solver).message


def test_what_is_asked_comes_from_the_forms():
    assert asked(0) == (1.0, 1.0)
    assert asked(1) == (2.0, 2.0)
    assert strength(np.array([3.0])) == pytest.approx(18.0)


@pytest.mark.parametrize("lam", [0.0, 0.5, 1.0])
def test_the_rates_of_eulers_steps_are_the_weights_that_it_was_given(lam):
    response = respond((NOISY if lam else PLAIN).mutant(lam=lam).target().on_log_grid(40))
    seen = rates(response, places([response]))
    np.testing.assert_allclose(seen.kept, 1 + lam**2, rtol=1e-8)
    np.testing.assert_allclose(seen.predicted, 1 + lam**2, rtol=1e-8)
    np.testing.assert_allclose(seen.noise, lam**2, rtol=1e-8, atol=1e-9)
    assert np.abs(seen.off).max() < 1e-8


def test_a_limit_is_that_of_the_polynomial():
    h = [1 / (n - 1) for n in (40, 80, 160)]
    values = [np.array([2.0 + 3 * one - 7 * one**2, 1.0]) for one in h]
    np.testing.assert_allclose(limit(values, [40, 80, 160]), [2.0, 1.0], rtol=1e-12)


def test_rates_do_not_depend_on_where_steps_of_two_queries_are_cut():
    """A stage half-way is as good a start as a step's own: the rates of all windows are near one another."""
    response = respond(RIGHT["midpoint"].target().on_log_grid(40))
    seen = rates(response, places([response]))
    assert np.ptp(seen.kept) < 1e-3
    assert TOGETHER % 2 == TOGETHER % 3 == 0


def drawn_at_random(seed, kind, fault=alike):
    """A method of its own: noise that changes with the level, smoothly or in jumps, and terms of the order h^2 in a and b."""
    rng = np.random.default_rng([seed, len(kind)])
    waves, phases, most = rng.integers(1, 5, 3), rng.uniform(0, 2 * np.pi, 3), rng.uniform(0, 2)
    jumps, between_jumps = np.sort(rng.uniform(np.log(0.05), np.log(20), 3)), rng.uniform(0, 2, 4)
    second = rng.normal(size=6) * rng.choice([0.3, 1.0, 3.0])

    def noise(u):
        return (
            between_jumps[np.searchsorted(jumps, u)] if kind == "jumps" else most * (1 + np.sin(waves[0] * u / 2 + phases[0])) / 2
        )

    def of_second_order(k, u, which, rough):
        if kind == "by turns":
            return second[(k + which) % 6]
        return second[which] * (rough.normal() if kind == "rough" else np.sin(waves[which] * u + phases[which]))

    def loop(denoise, x, rho, normal):
        x, rough = rho[0] * x, np.random.default_rng(len(rho))
        for k, (high, low) in enumerate(pairwise(rho)):
            data = denoise(x, high)
            if low == 0:
                return data
            h, middle = np.log(high / low), np.sqrt(high * low)
            u, drift = np.log(middle), (1 + noise(np.log(middle))) * h
            lost, taken = (fault(middle) * drift + of_second_order(k, u, which, rough) * h**2 for which in (1, 2))
            x = x - lost * x + taken * data + np.sqrt(2 * noise(u) * h) * middle * normal()
        raise AssertionError("it ends on the data")

    return Solver(loop, "exploding", stochastic=True).target()


KINDS = ["smooth", "jumps", "by turns", "rough"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_no_consistent_method_is_called_wrong_whatever_its_terms_of_second_order(seed, kind):
    finding = judged(drawn_at_random(seed, kind))
    assert finding.status in ((Status.PASS, Status.INCONCLUSIVE) if kind == "rough" else (Status.PASS,)), finding.message


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_none_of_them_passes_with_a_drift_off_by_a_twentieth(seed, kind):
    finding = judged(drawn_at_random(seed, kind, fault=lambda rho: 1.05 if 0.2 < rho < 5 else 1.0))
    assert finding.status in ((Status.FAIL, Status.INCONCLUSIVE) if kind == "rough" else (Status.FAIL,)), finding.message


# -- what is wrong ----------------------------------------------------------------------------------------------------------

NOISE = "the noise does not match the drift: c^2 / h is"
MUTANTS = {
    "noise a tenth too loud": (NOISY.mutant(of_noise=lambda rho: 1.1), f"{NOISE} 1.21 of"),
    "noise a tenth too quiet": (NOISY.mutant(of_noise=lambda rho: 0.9), f"{NOISE} 0.81 of"),
    "noise too loud, landing else": (RIGHT["midpoint-ancestral"].mutant(loud=1.1), f"{NOISE} 1.21 of"),
    "noise too loud, in time": (RIGHT["euler-maruyama"].mutant(loud=1.1), f"{NOISE} 1.21 of"),
    "a variance for a deviation": (RIGHT["sde-dpm-1"].mutant(variance=lambda h: -np.expm1(-h)), f"{NOISE} 0.5 of"),
    "the drift of the flow and the noise of the SDE": (NOISY.mutant(drift=1.0), "does not know of: a and b are 0.5 of"),
    "the drift of the SDE and no noise": (PLAIN.mutant(drift=2.0), "no noise is added, and the drift of a and b is 2 of"),
    "eta in c and not in b": (NOISY.mutant(lam=0.5, drift=1.0), "that the drift does not know of: a and b are 0.8 of"),
    "the drift too weak in the middle": (PLAIN.mutant(of_data=middle(0.95), of_state=middle(0.95)), "of a and b is 0.95 of"),
    "the drift too strong in the middle": (NOISY.mutant(of_data=middle(1.05), of_state=middle(1.05)), f"{NOISE} 0.909 of"),
    "the weights of predictions in the middle": (PLAIN.mutant(of_data=middle(1.05)), "predictions are wrong: sum b / h is 1.05 of"),
    "the same with noise": (NOISY.mutant(of_data=middle(0.95)), "predictions are wrong: sum b / h is 0.95 of"),
    "the weight of the state in the middle": (NOISY.mutant(of_state=middle(1.05)), "state is wrong: (1 - a) / h is 1.05 of"),
    "all three": (NOISY.mutant(of_state=lambda rho: 1.2, of_data=lambda rho: 0.9), "a, b and c are of three equations"),
    "another time told": (PLAIN.mutant(told=lambda rho: rho**1.05), "the drift of a and b is 0.952 of"),
    "another time told in the middle of steps": (RIGHT["dpm-2s"].mutant(told=lambda rho: 0.9 * rho), "at sigma/alpha ="),
    "another time told at their end": (RIGHT["heun"].mutant(told=lambda high, low: 0.9 * low), "log sigma is told to fall by"),
    "a step of half the length": (RIGHT["euler"].mutant(size=0.5), "the drift of a and b is 0.5 of"),
    "b of the step after": (PLAIN.mutant(shift=1), "sum b is 2 of what is asked on the short ones and 0.5 on the long ones"),
    "b of the step after, with noise": (NOISY.mutant(shift=1), "sum b is 2 of what is asked on the short ones and 0.5"),
    "a pull that stays": (PLAIN.mutant(kick=0.05), "have no rate"),
    "noised afresh": (Solver(noised_afresh, "exploding", stochastic=True), "keeps nothing of the state"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_no_mutant_survives_and_each_is_told_apart(name):
    solver, says = MUTANTS[name]
    finding = judged(solver)
    assert finding.status is Status.FAIL
    assert says in finding.message


def ddim(eta, in_b=1.0):
    """DDIM of Song et al. 2021 as a plain function that is told its levels; ``in_b`` of its noise is taken off its direction."""

    def sample(denoise, x_init, seed, *, abar):
        rng, x = np.random.default_rng(seed), x_init
        for t in reversed(range(len(abar))):
            here, there, eps = abar[t], abar[t - 1] if t else 1.0, denoise(x, t)
            variance = eta**2 * (1 - there) / (1 - here) * (1 - here / there)
            data = (x - np.sqrt(1 - here) * eps) / np.sqrt(here)
            x = np.sqrt(there) * data + np.sqrt(1 - there - in_b * variance) * eps
            x = x + np.sqrt(variance) * rng.standard_normal(x.shape)
        return x

    return sample


@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_an_eta_in_c_and_not_in_b_is_named_in_a_plain_function(eta):
    def told(sample):
        report = vd.check(sample, family=ReverseSDE(), schedule=vd.Schedule.linear(1000), steps=12)
        return next(finding for finding in report.findings if finding.check == "consistency")

    right, wrong = told(ddim(eta)), told(ddim(eta, in_b=0.0))
    assert right.status is Status.PASS
    assert wrong.status is Status.FAIL
    assert f"that the drift does not know of: a and b are {1 / (1 + eta**2):.3g} of what c asks for" in wrong.message


@pytest.mark.parametrize("name", ["the drift too weak in the middle", "the weights of predictions in the middle"])
def test_it_says_at_which_levels(name):
    finding = judged(MUTANTS[name][0])
    sigma, predicted = (np.array(finding.details[key]) for key in ("sigma", "predicted"))
    inside, outside = (sigma > 0.5) & (sigma < 2.0), (sigma < 0.25) | (sigma > 3.6)
    assert np.abs(np.abs(predicted[inside] - 1) - 0.05).max() < 3e-3
    assert np.abs(predicted[outside] - 1).max() < 1e-3
    assert 0.4 < float(finding.message.split("sigma/alpha = ")[1].split(",")[0]) < 2.5


@pytest.mark.parametrize("size", [1.02, 0.98])
def test_two_per_cent_are_seen(size):
    assert judged(PLAIN.mutant(of_data=lambda rho: size)).status is Status.FAIL
    assert judged(NOISY.mutant(of_data=lambda rho: size)).status is Status.FAIL


@pytest.mark.parametrize("size", [1.005, 0.995])
def test_half_of_one_per_cent_is_within_the_resolution(size):
    assert judged(PLAIN.mutant(of_data=lambda rho: size)).status is Status.PASS


def test_a_failure_that_comes_with_another_is_said_in_short():
    short = found(RIGHT["euler"].mutant(size=0.5))
    assert short.status is Status.FAIL
    assert short.message.endswith("levels.")
    assert "known to" in judged(NOISY.mutant(of_state=middle(1.02))).message


# -- what cannot be said ----------------------------------------------------------------------------------------------------


def test_coefficients_that_do_not_settle_leave_it_open():
    finding = found(Solver(restless, "exploding"))
    assert finding.status is Status.INCONCLUSIVE
    assert "do not settle from 161 to 641 queries" in finding.message


def test_without_finer_steps_it_does_not_apply_and_the_reason_is_told():
    coarse = replace(PLAIN.target(), on_log_grid=None, on_uneven_grid=None, unrefined="it has one step")
    finding = found(coarse)
    assert finding.status is Status.NOT_APPLICABLE
    assert finding.message == "the sampler cannot be asked for ever smaller steps: it has one step."
    (order,) = [one for one in vd.check(coarse).findings if one.check == "order"]
    assert order.message == "the sampler cannot be asked for ever finer steps: it has one step."


def test_noise_that_cannot_be_reached_leaves_it_out():
    assert found(replace(RIGHT["sde-dpm-1"].target(), taps=())).status is Status.NOT_APPLICABLE


def test_finer_steps_that_stay_at_one_level_leave_it_open():
    few = replace(PLAIN.target(), on_log_grid=lambda n: PLAIN.on([3.0, 2.0, 1.0, 0.5, 0.0]), on_uneven_grid=None)
    finding = judged(few)
    assert finding.status is Status.INCONCLUSIVE
    assert "too few levels" in finding.message


def churned(denoise, x, rho, normal, *, churn):
    """Euler after noise on top, by churn / N of the level and 0.41 of it at most: right, and far from its limit on 80 steps."""
    x, by = rho[0] * x, min(churn / (len(rho) - 2), 2**0.5 - 1)
    for high, low in pairwise(rho):
        x, high = x + high * np.sqrt((1 + by) ** 2 - 1) * normal(), (1 + by) * high
        x = x + (low - high) * (x - denoise(x, high)) / high
    return x


@pytest.mark.parametrize("churn", [20.0, 30.0, 40.0, 50.0, 60.0, 80.0])
def test_much_noise_on_few_steps_is_not_called_wrong(churn):
    solver = Solver(churned, "exploding", stochastic=True).mutant(churn=churn)
    assert judged(replace(solver.target(), on_uneven_grid=None)).status in (Status.PASS, Status.INCONCLUSIVE)


def test_where_only_finer_steps_bend_it_is_left_open():
    def bent(denoise, x, rho, normal):
        return small_steps(denoise, np.tanh(x) if len(rho) > 30 else x, rho, normal)

    finding = found(Solver(bent, "exploding"))
    assert finding.status is Status.INCONCLUSIVE
    assert "no affine map" in finding.message


def test_what_lands_is_not_asked_for_uneven_steps_again():
    """Where every state lands on its level and a tends to 1, single steps are consistent: nothing more is run."""
    asked_for = []

    def uneven(n):
        asked_for.append(n)
        return RIGHT["euler"].target().on_uneven_grid(n)

    assert found(replace(RIGHT["euler"].target(), on_uneven_grid=uneven)).status is Status.PASS
    assert asked_for == []
    assert found(replace(PLAIN.target(), on_uneven_grid=uneven)).status is Status.PASS
    assert asked_for == [20, 40, 80]
