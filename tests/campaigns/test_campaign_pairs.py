"""Geweke's joint test of a step: it passes right steps, and sees what the marginals hide."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.campaigns import Against, Campaign, Plan, Setting, data, whitened
from verifydiff.campaigns.pairs import PAIRS
from verifydiff.oracles import joint_of_step, steps
from verifydiff.samplers import spaced
from verifydiff.schedule import Schedule
from verifydiff.statistics import Decision, ErrorRates
from verifydiff.verdict import MisuseError

LEVELS = spaced(Schedule.linear(1000).abar, 10)
RATES = ErrorRates(1e-4, 1e-4)
K = 5


def plan(sampler="ddpm", **options):
    law = data("gaussian:2")
    return Plan(sampler, Setting(10), "gaussian:2", law, LEVELS, resolution=0.05, rates=RATES, **{"pair": K, **options})


def decisions(count):
    return {name: test.decision for name, test in count.tests.items()}


@pytest.mark.parametrize("sampler", ["ddpm", "ddpm-large", "euler-maruyama", "reverse-diffusion"])
def test_a_right_step_has_the_joint_law_of_the_published_one(sampler):
    assert set(decisions(plan(sampler).campaign().run()).values()) == {Decision.EQUAL}


def test_a_small_step_has_the_joint_law_of_noising_and_a_large_one_has_not():
    law = data("gaussian:2")
    each = spaced(Schedule.linear(1000).abar, 1000)
    small = Plan("ddpm", Setting(1000), "gaussian:2", law, each, 0, 0.05, RATES, Against.DATA, pair=500)
    assert set(decisions(small.campaign().run()).values()) == {Decision.EQUAL}
    assert Decision.DIFFERENT in decisions(plan(against=Against.DATA).campaign().run()).values()


def mutant(slip, seen=slice(None)):
    """Pairs of DDPM's step K, with a slip; or what is seen of them."""
    law, (abar_t, abar_s) = data("gaussian:2"), LEVELS[K : K + 2]
    joint = joint_of_step(law, abar_t, abar_s, steps.ddpm())
    start, key = law.diffused(abar_t), jax.random.key(0)

    def block(number):
        one, two = jax.random.split(jax.random.fold_in(key, number))
        x_t = start.sample(one, (PAIRS,))
        x_s = slip(law, x_t, jax.random.normal(two, x_t.shape), abar_t, abar_s)
        return jnp.concatenate([x_t, x_s], axis=1)[:, seen]

    yardstick = whitened(joint.mean[seen], joint.covariance[seen, seen], "ddpm")
    return Campaign(block, PAIRS, yardstick, 0.05, RATES).run()


def ddpm(law, x_t, z, abar_t, abar_s, *, time=None, sign=1.0, variance="small"):
    alpha = abar_t / abar_s
    eps = law.eps(x_t, abar_t if time is None else time)
    mean = (x_t - sign * (1 - alpha) / np.sqrt(1 - abar_t) * eps) / np.sqrt(alpha)
    small = (1 - alpha) * (1 - abar_s) / (1 - abar_t)
    return mean + np.sqrt(small if variance == "small" else small**2 if variance == "square" else 1 - alpha) * z


def fresh(law, x_t, z, abar_t, abar_s):
    """The right law of x_s, and nothing of x_t in it."""
    end = joint_of_step(law, abar_t, abar_s, steps.ddpm())
    return end.mean[None, 2:] + z @ jnp.linalg.cholesky(end.covariance[2:, 2:]).T


def reflected(law, x_t, z, abar_t, abar_s):
    """The right step of the state reflected in its mean: both marginals are right."""
    return ddpm(law, 2 * law.diffused(abar_t).mean[None] - x_t, z, abar_t, abar_s)


def test_the_step_written_by_hand_is_right():
    assert set(decisions(mutant(ddpm)).values()) == {Decision.EQUAL}


SLIPS = {
    "a fresh draw from the marginal": fresh,
    "the state reflected": reflected,
    "the time of the next level": lambda *told: ddpm(*told, time=told[-1]),
    "beta for beta-tilde": lambda *told: ddpm(*told, variance="large"),
    "the variance as a deviation": lambda *told: ddpm(*told, variance="square"),
    "the sign of eps": lambda *told: ddpm(*told, sign=-1.0),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_shows(slip):
    assert Decision.DIFFERENT in decisions(mutant(slip)).values()


@pytest.mark.parametrize("hidden", [fresh, reflected])
def test_what_hides_in_the_marginals_shows_in_the_joint_law_alone(hidden):
    assert set(decisions(mutant(hidden, seen=slice(2, None))).values()) == {Decision.EQUAL}


@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_a_step_without_noise_is_not_for_draws(sampler):
    with pytest.raises(MisuseError, match="without spread"):
        plan(sampler).campaign()


@pytest.mark.parametrize("k", [-1, 9, 100])
def test_a_step_that_is_not_there_is_refused(k):
    with pytest.raises(MisuseError, match="0 to 8"):
        plan(pair=k).campaign()


def test_a_mixture_has_no_joint_law_in_closed_form():
    law = data("mixture:2")
    with pytest.raises(MisuseError, match="Gaussian data"):
        Plan("ddpm", Setting(10), "mixture:2", law, LEVELS, pair=K).campaign()
