"""The reference samplers are right by the package's own checks, and what is wrong about a sampler fails them."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import random
from judged import UNEVEN, on, target

import verifydiff as vd
from verifydiff.samplers import (
    DDIM,
    DDPM,
    EDM,
    DPMSolverPP2M,
    Euler,
    EulerMaruyama,
    Heun,
    Kernel,
    PredictorCorrector,
    ReverseDiffusion,
    Sampler,
    State,
)
from verifydiff.samplers.coordinates import level, sigma, x_hat
from verifydiff.samplers.dpm_solver import Remembering, half_log_snr
from verifydiff.samplers.sampler import draw
from verifydiff.verdict import Status

sqrt = jnp.sqrt


def failed(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


CLOSED = {
    "ddpm": (DDPM(), vd.DDPM()),
    "ddpm-large": (DDPM("large"), vd.DDPM("large")),
    "ddim-0": (DDIM(0.0), vd.DDIM(0.0)),
    "ddim-0.4": (DDIM(0.4), vd.DDIM(0.4)),
    "ddim-1-is-ddpm": (DDIM(1.0), vd.DDPM()),
    "euler-is-ddim-0": (Euler(), vd.DDIM(0.0)),
}


@pytest.mark.parametrize(("sampler", "family"), CLOSED.values(), ids=CLOSED.keys())
def test_every_coefficient_is_that_of_the_closed_form(sampler, family):
    assert failed(vd.check(on(sampler, UNEVEN, family))) == []


SOLVERS = {
    "euler": (lambda S: Euler(), vd.ProbabilityFlow(1)),
    "heun": (lambda S: Heun(), vd.ProbabilityFlow(2)),
    "dpm-solver++(2m)": (lambda S: DPMSolverPP2M(), vd.ProbabilityFlow(2)),
    "edm": (lambda S: EDM(churn=3.0), vd.ReverseSDE(2)),
    "euler-maruyama": (lambda S: EulerMaruyama(), vd.ReverseSDE(1)),
    "reverse-diffusion": (lambda S: ReverseDiffusion(), vd.ReverseSDE(1)),
    # its corrections leave a bias of their size, which falls only if they become smaller
    "predictor-corrector": (lambda S: PredictorCorrector(snr=sqrt(0.2 / S)), vd.ReverseSDE(1)),
}


@pytest.mark.parametrize(("make", "family"), SOLVERS.values(), ids=SOLVERS.keys())
def test_every_solver_has_its_order(make, family):
    assert failed(vd.check(target(make, family), timeout=1200)) == []


# -- mutants: each named after the mistake ---------------------------------------------------------------------------------


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Mutant(Sampler):
    """A right sampler in which a method is replaced: ``step(right, eps, state, abar_t, abar_s, key)`` and likewise ``last``."""

    right: Sampler
    wrong_step: Any = field(default=None, metadata={"static": True})
    wrong_last: Any = field(default=None, metadata={"static": True})

    def init(self, x_T, abar):
        return self.right.init(x_T, abar)

    def step(self, eps, state, abar_t, abar_s, *, key):
        if self.wrong_step is None:
            return self.right.step(eps, state, abar_t, abar_s, key=key)
        return self.wrong_step(self.right, eps, state, abar_t, abar_s, key)

    def last(self, eps, state, abar_t, *, key):
        if self.wrong_last is None:
            return self.right.last(eps, state, abar_t, key=key)
        return self.wrong_last(self.right, eps, state, abar_t, key)


def kernel(right, eps, state, abar_t, abar_s):
    return right.kernel(state.x, eps(state.x, abar_t), abar_t, abar_s)


def beta_for_beta_tilde(right, eps, state, abar_t, abar_s, key):
    return DDPM("large").step(eps, state, abar_t, abar_s, key=key)


def lost_root_of_the_variance(right, eps, state, abar_t, abar_s, key):
    mean, std = kernel(right, eps, state, abar_t, abar_s)
    return State(draw(Kernel(mean, std**2), key=key))


def index_off_by_one(right, eps, state, abar_t, abar_s, key):
    return right.step(eps, state, abar_t, (abar_s + abar_t) / 2, key=key)


def wrong_time_to_the_model(right, eps, state, abar_t, abar_s, key):
    return right.step(lambda x, abar: eps(x, abar_s), state, abar_t, abar_s, key=key)


def the_same_noise_at_every_step(right, eps, state, abar_t, abar_s, key):
    return right.step(eps, state, abar_t, abar_s, key=random.key(3))


def noise_that_the_batch_shares(right, eps, state, abar_t, abar_s, key):
    mean, std = kernel(right, eps, state, abar_t, abar_s)
    return State(mean + std * jnp.broadcast_to(random.normal(key, mean.shape[1:], mean.dtype), mean.shape))


def sign_of_the_noise(right, eps, state, abar_t, abar_s, key):
    return right.step(lambda x, abar: -eps(x, abar), state, abar_t, abar_s, key=key)


def lost_bar(right, eps, state, abar_t, abar_s, key):
    std = kernel(right, eps, state, abar_t, abar_s).std
    beta_t, alpha_t, eps_hat = 1 - abar_t / abar_s, abar_t / abar_s, eps(state.x, abar_t)
    return State(draw(Kernel((state.x - sqrt(beta_t) * eps_hat) / sqrt(alpha_t), std), key=key))


def noise_on_the_last_step(right, eps, state, abar_t, key):
    x_0 = right.last(eps, state, abar_t, key=key).x
    return State(x_0 + sqrt(1 - abar_t) * random.normal(key, x_0.shape, x_0.dtype))


def last_step_not_onto_the_data(right, eps, state, abar_t, key):
    return State(right.kernel(state.x, eps(state.x, abar_t), abar_t, (1 + abar_t) / 2).mean)


def direction_without_the_fresh_variance(right, eps, state, abar_t, abar_s, key):
    eps_hat = eps(state.x, abar_t)
    std = right.kernel(state.x, eps_hat, abar_t, abar_s).std
    mean = sqrt(abar_s) * x_hat(state.x, eps_hat, abar_t) + sqrt(1 - abar_s) * eps_hat
    return State(draw(Kernel(mean, std), key=key))


def eta_squared(right, eps, state, abar_t, abar_s, key):
    return DDIM(right.eta**2).step(eps, state, abar_t, abar_s, key=key)


def variance_for_sigma(right, eps, state, abar_t, abar_s, key):
    xbar = state.x / sqrt(abar_t) + (sigma(abar_s) ** 2 - sigma(abar_t) ** 2) * eps(state.x, abar_t)
    return State(sqrt(abar_s) * xbar)


COEFFICIENTS = [
    (DDPM(), vd.DDPM(), beta_for_beta_tilde, "noise-scale"),
    (DDPM(), vd.DDPM(), lost_root_of_the_variance, "noise-scale"),
    (DDPM(), vd.DDPM(), index_off_by_one, "pairing"),
    (DDPM(), vd.DDPM(), wrong_time_to_the_model, "pairing"),
    (DDPM(), vd.DDPM(), the_same_noise_at_every_step, "noise-law"),
    (DDPM(), vd.DDPM(), noise_that_the_batch_shares, "noise-law"),
    (DDPM(), vd.DDPM(), lost_bar, "coefficients"),
    (DDPM("large"), vd.DDPM("large"), sign_of_the_noise, "coefficients"),
    (DDIM(0.4), vd.DDIM(0.4), direction_without_the_fresh_variance, "coefficients"),
    (DDIM(0.4), vd.DDIM(0.4), eta_squared, "noise-scale"),
    (DDIM(), vd.DDIM(0.0), wrong_time_to_the_model, "pairing"),
    (Euler(), vd.Euler(), variance_for_sigma, "coefficients"),
    (Euler(), vd.Euler(), index_off_by_one, "pairing"),
]


def mistakes(table):
    return pytest.mark.parametrize(
        ("right", "family", "slip", "check"), table, ids=[f"{type(one[0]).__name__}-{one[2].__name__}" for one in table]
    )


@mistakes(COEFFICIENTS)
def test_a_mistake_in_a_step_shows(right, family, slip, check):
    assert check in failed(vd.check(on(Mutant(right, slip), UNEVEN, family, compiled=False)))


ENDS = [
    (DDPM(), vd.DDPM(), noise_on_the_last_step, "last-step"),
    (DDIM(0.4), vd.DDIM(0.4), last_step_not_onto_the_data, "pairing"),
]


@mistakes(ENDS)
def test_a_mistake_at_the_end_shows(right, family, slip, check):
    assert check in failed(vd.check(on(Mutant(right, wrong_last=slip), UNEVEN, family, compiled=False)))


# -- of solvers ------------------------------------------------------------------------------------------------------------


def second_slope_at_the_wrong_level(right, eps, state, abar_t, abar_s, key):
    h, xbar, d = sigma(abar_s) - sigma(abar_t), state.x / sqrt(abar_t), eps(state.x, abar_t)
    return State(sqrt(abar_s) * (xbar + h * (d + eps(sqrt(abar_s) * (xbar + h * d), abar_t)) / 2))


def half_lost(right, eps, state, abar_t, abar_s, key):
    h, xbar, d = sigma(abar_s) - sigma(abar_t), state.x / sqrt(abar_t), eps(state.x, abar_t)
    return State(sqrt(abar_s) * (xbar + h * (d + eps(sqrt(abar_s) * (xbar + h * d), abar_s))))


def second_slope_forgotten(right, eps, state, abar_t, abar_s, key):
    there = Euler().step(eps, state, abar_t, abar_s, key=key).x
    eps(there, abar_s)
    return State(there)


def multistep(state, eps, abar_t, abar_s, weight, sign=1):
    x_t, before, lambda_before = state
    data, lambda_t = x_hat(x_t, eps(x_t, abar_t), abar_t), half_log_snr(abar_t)
    h = half_log_snr(abar_s) - lambda_t
    r = (lambda_t - lambda_before) / h
    D = data + jnp.where(jnp.isinf(r), 0.0, weight(r)) * (data - before)
    x_s = sqrt((1 - abar_s) / (1 - abar_t)) * x_t - sign * sqrt(abar_s) * jnp.expm1(-sign * h) * D
    return Remembering(x_s, data, lambda_t)


def ratio_upside_down(right, eps, state, abar_t, abar_s, key):
    return multistep(state, eps, abar_t, abar_s, lambda r: r / 2)


def half_of_the_ratio_lost(right, eps, state, abar_t, abar_s, key):
    return multistep(state, eps, abar_t, abar_s, lambda r: 1 / r)


def extrapolated_backwards(right, eps, state, abar_t, abar_s, key):
    return multistep(state, eps, abar_t, abar_s, lambda r: -1 / (2 * r))


def sign_of_h(right, eps, state, abar_t, abar_s, key):
    return multistep(state, eps, abar_t, abar_s, lambda r: 1 / (2 * r), sign=-1)


def reverse_step(state, eps, abar_t, abar_s, key, drift=0.5, score=1.0, power=0.5):
    B = jnp.log(abar_s / abar_t)
    slope = -eps(state.x, abar_t) / sqrt(1 - abar_t)
    return State(draw(Kernel(state.x + B * (drift * state.x + score * slope), B**power), key=key))


def half_of_the_drift_lost(right, eps, state, abar_t, abar_s, key):
    return reverse_step(state, eps, abar_t, abar_s, key, drift=1.0)


def score_of_the_flow(right, eps, state, abar_t, abar_s, key):
    return reverse_step(state, eps, abar_t, abar_s, key, score=0.5)


def beta_for_its_root(right, eps, state, abar_t, abar_s, key):
    return reverse_step(state, eps, abar_t, abar_s, key, power=1.0)


def forward_step_not_turned_round(right, eps, state, abar_t, abar_s, key):
    mean, std = kernel(right, eps, state, abar_t, abar_s)
    return State(draw(Kernel(mean - (2 - 2 * sqrt(abar_t / abar_s)) * state.x, std), key=key))


def churned(right, eps, state, abar_t, abar_s, key, added, told=lambda up, here: up):
    up = (1 + state.gamma) * sigma(abar_t)
    xbar = state.x / sqrt(abar_t) + added(up, sigma(abar_t)) * random.normal(key, state.x.shape, state.x.dtype)
    x = sqrt(level(up)) * xbar
    return state._replace(x=Heun().step(lambda x, abar: eps(x, told(abar, abar_t)), State(x), level(up), abar_s, key=key).x)


def churn_by_the_difference_of_deviations(right, eps, state, abar_t, abar_s, key):
    return churned(right, eps, state, abar_t, abar_s, key, lambda up, here: up - here)


def churn_without_noise(right, eps, state, abar_t, abar_s, key):
    return churned(right, eps, state, abar_t, abar_s, key, lambda up, here: 0.0)


def noise_too_loud(right, eps, state, abar_t, abar_s, key):
    return EDM(churn=3.0, noise=1.01).step(eps, state, abar_t, abar_s, key=key)


def model_told_the_level_before_the_churn(right, eps, state, abar_t, abar_s, key):
    def told(asked, here):
        return jnp.where(asked < here, here, asked)

    return churned(right, eps, state, abar_t, abar_s, key, lambda up, here: sqrt(up**2 - here**2), told)


def corrector_without_the_root_of_two(right, eps, state, abar_t, abar_s, key):
    return corrected(state, eps, abar_t, abar_s, key, loud=1.0)


def corrector_at_the_level_before(right, eps, state, abar_t, abar_s, key):
    return corrected(state, eps, abar_t, abar_s, key, at=abar_t)


def corrector_without_the_score(right, eps, state, abar_t, abar_s, key):
    return corrected(state, eps, abar_t, abar_s, key, score=0.0)


def corrected(state, eps, abar_t, abar_s, key, loud=2.0, at=None, score=1.0):
    """A step of reverse diffusion, and one of Langevin dynamics with a ratio of signal to noise of 0.16."""
    to_predict, to_correct = random.split(key)
    x, at = ReverseDiffusion().step(eps, state, abar_t, abar_s, key=to_predict).x, abar_s if at is None else at
    delta = 2 * 0.16**2 * (1 - at)
    slope = -eps(x, at) / sqrt(1 - at)
    return State(x + score * delta * slope + sqrt(loud * delta) * random.normal(to_correct, x.shape, x.dtype))


LANDINGS = [
    (Heun(), vd.ProbabilityFlow(2), half_lost, "pairing"),
    (DPMSolverPP2M(), vd.ProbabilityFlow(2), sign_of_h, "pairing"),
    (EDM(churn=3.0), vd.ReverseSDE(2), churn_by_the_difference_of_deviations, "pairing"),
    (EDM(churn=3.0), vd.ReverseSDE(2), churn_without_noise, "pairing"),
    (EDM(churn=3.0), vd.ReverseSDE(2), noise_too_loud, "pairing"),
    (EDM(churn=3.0), vd.ReverseSDE(2), model_told_the_level_before_the_churn, "pairing"),
]


@mistakes(LANDINGS)
def test_a_solver_that_lands_beside_its_level_shows(right, family, slip, check):
    assert check in failed(vd.check(on(Mutant(right, slip), UNEVEN, family, compiled=False), converge=False))


ORDERS = [
    (Heun(), vd.ProbabilityFlow(2), second_slope_forgotten, "order"),
    (DPMSolverPP2M(), vd.ProbabilityFlow(2), ratio_upside_down, "order"),
    (EulerMaruyama(), vd.ReverseSDE(1), score_of_the_flow, "pairing"),
]


@mistakes(ORDERS)
def test_a_solver_that_does_not_converge_as_it_claims_shows(right, family, slip, check):
    assert check in failed(vd.check(target(lambda S: Mutant(right, slip), family), timeout=1200))
