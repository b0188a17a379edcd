"""Right posterior and guided samplers are calibrated; wrong ones, and those that ignore what they are given, are not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from verifydiff.campaigns.calibration import denoising_ranks, guided_ranks
from verifydiff.oracles import GaussianMixture
from verifydiff.samplers import DDIM, DDPM, Euler, GuidedStep, Heun, classifier_free, classifier_guided, log_uniform
from verifydiff.statistics import ErrorRates, calibration
from verifydiff.verdict import MisuseError

LAW = GaussianMixture.isotropic(
    jnp.array([0.2, 0.3, 0.5]), jnp.array([[1.5, 0.0], [-1.0, 1.0], [0.0, -1.5]]), 0.3, labels=[0, 1, 1]
)
L, N = 15, 1500
RATES = ErrorRates(1e-6, 1e-6).shared_among(3)
FINE = log_uniform(200, 0.01, 1.2)  # from a level where data and noise weigh alike
FROM_NOISE = log_uniform(100, 0.01, 40.0)


def rejected(found):
    return [one.test for one in calibration(found, L) if one.rejects(RATES.false_alarm)]


@pytest.mark.parametrize("sampler", [DDPM(), DDIM(1.0)], ids=["ddpm", "ddim(1)"])
def test_a_sampler_with_noise_draws_from_the_posterior_of_denoising(sampler):
    assert rejected(denoising_ranks(sampler, LAW, FINE, n=N, L=L)) == []


NOT_POSTERIOR = {
    "the probability flow, which draws one point": (Euler(), FINE),
    "half of the noise": (DDIM(0.5), FINE),
    "too few steps": (DDPM(), log_uniform(4, 0.01, 1.2)),
}


@pytest.mark.parametrize(("sampler", "levels"), NOT_POSTERIOR.values(), ids=NOT_POSTERIOR.keys())
def test_what_does_not_draw_from_it_is_seen(sampler, levels):
    assert rejected(denoising_ranks(sampler, LAW, levels, n=N, L=L))


def test_a_sampler_that_forgets_x_t_is_seen_by_the_function_of_both():
    class Forgetful(DDPM):
        """Begins anew, from a datum of its own noised to the same level."""

        def init(self, x_T, abar):
            fresh = LAW.diffused(abar[0]).sample(jax.random.key(5), x_T.shape[:1])
            return super().init(fresh.astype(x_T.dtype), abar)

    found = denoising_ranks(Forgetful(), LAW, FINE, n=N, L=L)
    assert rejected(found[:, :2]) == []
    assert rejected(found)


def gradient(y):
    return jax.grad(lambda x, abar: LAW.class_posterior(x, abar)[..., y].sum())


GUIDED = {
    "the conditional model": lambda y: (Heun(), LAW.given(y).eps),
    "a classifier around the model": lambda y: (Heun(), classifier_guided(LAW.eps, gradient(y))),
    "classifier-free of weight 0": lambda y: (Heun(), classifier_free(LAW.given(y).eps, LAW.eps, weight=0.0)),
    "a classifier at the mean of each step": lambda y: (GuidedStep(DDPM(), gradient(y)), LAW.eps),
}


@pytest.mark.parametrize("sampler", GUIDED.values(), ids=GUIDED.keys())
def test_guidance_of_scale_one_draws_from_the_class(sampler):
    levels = log_uniform(400, 0.01, 40.0) if sampler is GUIDED["a classifier at the mean of each step"] else FROM_NOISE
    assert rejected(guided_ranks(sampler, LAW, levels, n=N, L=L)) == []


MISGUIDED = {
    "no guidance": lambda y: (Heun(), LAW.eps),
    "a scale of two": lambda y: (Heun(), classifier_guided(LAW.eps, gradient(y), scale=2.0)),
    "classifier-free of weight 1": lambda y: (Heun(), classifier_free(LAW.given(y).eps, LAW.eps, weight=1.0)),
    "the wrong sign": lambda y: (Heun(), classifier_guided(LAW.eps, gradient(y), scale=-1.0)),
    "another class": lambda y: (Heun(), LAW.given(1 - y).eps),
}


@pytest.mark.parametrize("sampler", MISGUIDED.values(), ids=MISGUIDED.keys())
def test_misguided_samplers_are_seen(sampler):
    assert rejected(guided_ranks(sampler, LAW, FROM_NOISE, n=N, L=L))


@pytest.mark.parametrize(("n", "draws"), [(0, 5), (5, 0), (10**6, 10**6)])
def test_counts_that_are_none_are_refused(n, draws):
    with pytest.raises(MisuseError, match="must be positive"):
        denoising_ranks(DDPM(), LAW, FINE, n=n, L=draws)
