"""One step of the samplers that have no family, by the closed form that a derivation proves; and one with a mistake in it is
another."""

import jax.numpy as jnp
import numpy as np
import pytest
import test_reference_judged as mutants
from jax import random

from verifydiff.forms import dpm, ode_steps, reverse_steps
from verifydiff.forms.quantities import abar_s, abar_t, beta_t, x_0, x_t, z
from verifydiff.forms.score import score_t
from verifydiff.samplers import EDM, DPMSolverPP2M, EulerMaruyama, Heun, PredictorCorrector, ReverseDiffusion, State
from verifydiff.samplers.dpm_solver import Remembering
from verifydiff.samplers.predictor_corrector import langevin

KEY = random.key(0)
X = np.array([0.7, -0.4, 1.9])
Z = np.asarray(random.normal(KEY, X.shape, "float64"))
T, S, BEFORE = 0.35, 0.6, 0.1
"""Levels: of the state, of where the step leads, and of the step before; h is not that of the step before."""
HERE, THERE, EARLIER = np.array([0.3, 1.1, -0.2]), np.array([0.5, -0.6, 0.1]), np.array([-1.0, 0.4, 0.8])
"""The noise predicted at t and at s, and the data predicted before."""


def eps(x, a):
    return jnp.asarray(HERE) * (a == T) + jnp.asarray(THERE) * (a == S)


def stepped(sampler, slip, state):
    given = (eps, state, jnp.asarray(T), jnp.asarray(S))
    new = sampler.step(*given, key=KEY) if slip is None else slip(sampler, *given, KEY)
    return np.asarray(new.x)


def noise_over_signal(a):
    return np.sqrt((1 - a) / a)


def by_reverse_step(form, beta):
    return form.numpy(x_t, score_t, beta_t, z)(X, -HERE / np.sqrt(1 - T), beta, Z)


def by_multistep():
    lam = {a: np.log(a / (1 - a)) / 2 for a in (BEFORE, T, S)}
    h = lam[S] - lam[T]
    data = (X - np.sqrt(1 - T) * HERE) / np.sqrt(T)
    form = dpm.multistep.numpy(x_t, abar_t, abar_s, dpm.h, dpm.ratio, x_0, dpm.x_before)
    return form(X, T, S, h, (lam[T] - lam[BEFORE]) / h, data, EARLIER)


def by_heun():
    form = ode_steps.edm_heun.numpy(ode_steps.xbar_t, ode_steps.ve_t, ode_steps.ve_s, ode_steps.d_t, ode_steps.d_s)
    return np.sqrt(S) * form(X / np.sqrt(T), noise_over_signal(T), noise_over_signal(S), HERE, THERE)


def by_correction():
    """Reverse diffusion by its closed form, and Langevin dynamics by hand at the level that it has led to."""
    to_predict, to_correct = random.split(KEY)
    z_first, z_then = (np.asarray(random.normal(key, X.shape, "float64")) for key in (to_predict, to_correct))
    predicted = reverse_steps.reverse_diffusion.numpy(x_t, score_t, beta_t, z)(X, -HERE / np.sqrt(1 - T), 1 - T / S, z_first)
    delta = 2 * 0.16**2 * (1 - S)
    return predicted - delta * THERE / np.sqrt(1 - S) + np.sqrt(2 * delta) * z_then


REMEMBERED = Remembering(jnp.asarray(X), jnp.asarray(EARLIER), jnp.asarray(np.log(BEFORE / (1 - BEFORE)) / 2))
PLAIN = State(jnp.asarray(X))
RIGHT = {
    "euler-maruyama": (EulerMaruyama(), PLAIN, lambda: by_reverse_step(reverse_steps.euler_maruyama, np.log(S / T))),
    "reverse-diffusion": (ReverseDiffusion(), PLAIN, lambda: by_reverse_step(reverse_steps.reverse_diffusion, 1 - T / S)),
    "dpm-solver++(2m)": (DPMSolverPP2M(), REMEMBERED, by_multistep),
    "heun": (Heun(), PLAIN, by_heun),
    "predictor-corrector": (PredictorCorrector(snr=0.16), PLAIN, by_correction),
    "edm-without-churn": (EDM(), EDM().init(jnp.asarray(X), jnp.array([T, S, 1.0])), by_heun),
}


@pytest.mark.parametrize(("sampler", "state", "expected"), RIGHT.values(), ids=RIGHT.keys())
def test_a_step_is_that_of_its_closed_form(sampler, state, expected):
    np.testing.assert_allclose(stepped(sampler, None, state), expected(), rtol=1e-12, atol=1e-13)


SLIPS = [
    ("euler-maruyama", mutants.half_of_the_drift_lost),
    ("euler-maruyama", mutants.score_of_the_flow),
    ("euler-maruyama", mutants.beta_for_its_root),
    ("euler-maruyama", mutants.wrong_time_to_the_model),
    ("euler-maruyama", mutants.the_same_noise_at_every_step),
    ("reverse-diffusion", mutants.forward_step_not_turned_round),
    ("reverse-diffusion", mutants.lost_root_of_the_variance),
    ("reverse-diffusion", mutants.index_off_by_one),
    ("reverse-diffusion", mutants.sign_of_the_noise),
    ("predictor-corrector", mutants.corrector_without_the_root_of_two),
    ("predictor-corrector", mutants.corrector_at_the_level_before),
    ("predictor-corrector", mutants.corrector_without_the_score),
    ("dpm-solver++(2m)", mutants.ratio_upside_down),
    ("dpm-solver++(2m)", mutants.half_of_the_ratio_lost),
    ("dpm-solver++(2m)", mutants.extrapolated_backwards),
    ("dpm-solver++(2m)", mutants.sign_of_h),
    ("heun", mutants.second_slope_at_the_wrong_level),
    ("heun", mutants.second_slope_forgotten),
    ("heun", mutants.half_lost),
]


@pytest.mark.parametrize(("name", "slip"), SLIPS, ids=[f"{name}-{slip.__name__}" for name, slip in SLIPS])
def test_a_step_with_a_mistake_is_not(name, slip):
    sampler, state, expected = RIGHT[name]
    assert np.abs(stepped(sampler, slip, state) - expected()).max() > 1e-3


@pytest.mark.parametrize("snr", [0.16, 0.5])
def test_langevin_dynamics_at_one_level(snr):
    """One step, with delta = 2 r^2 (1 - abar), by hand."""
    moved = langevin(lambda x, a: jnp.asarray(THERE), jnp.asarray(X), jnp.asarray(S), snr, key=KEY)
    delta = 2 * snr**2 * (1 - S)
    np.testing.assert_allclose(moved, X - delta * THERE / np.sqrt(1 - S) + np.sqrt(2 * delta) * Z, rtol=1e-12)


def test_langevin_dynamics_settle_in_a_deviation_that_is_too_large_by_what_the_docstring_says():
    """On data that are one point the noise has variance 1 - abar, and the fixed point of the steps' own recursion is
    that over 1 - r^2.
    """
    snr, variance = 0.3, 1 - S
    at = jnp.array([0.0, 1.0])
    still = langevin(lambda x, a: x / jnp.sqrt(1 - a), at, jnp.asarray(S), snr, key=KEY)
    slope = float(still[1] - still[0] - np.sqrt(4 * snr**2 * (1 - S)) * (random.normal(KEY, (2,))[1] - random.normal(KEY, (2,))[0]))
    fixed = 4 * snr**2 * (1 - S) / (1 - slope**2)
    assert fixed / variance == pytest.approx(1 / (1 - snr**2), rel=1e-9)
