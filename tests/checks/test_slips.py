"""Every slip of the catalogue, made into a sampler, is found and named.

How the mutants are made: ``tests/mutants.py``.
"""

import numpy as np
import pytest
from mutants import EQUIVALENT, FAMILIES, NOISES, SCHEDULE, by_equations, noisy, normal, shifted, slipped, trajectory
from samplers import ABAR, BETAS, T, trailing

import verifydiff as vd
from verifydiff.slips import CATALOGUE, NoiseSlip
from verifydiff.verdict import Status

NAMES = ["ddpm", "ddpm-large", "ddim", "euler", "euler-ancestral"]


def blows_up(sample):
    """Whether the states outgrow the model's answers by more than six orders of magnitude."""
    largest = [0.0]

    def denoise(x, t):
        largest[0] = max(largest[0], float(np.abs(x).max()))
        return (x - np.sqrt(ABAR[int(t)]) * 0.5) / np.sqrt(1 - ABAR[int(t)])

    with np.errstate(all="ignore"):
        final = sample(denoise, np.ones((2, 2)), 0)
    return not max(largest[0], float(np.abs(final).max())) < 1e6


MUTANTS = [mutant for name in NAMES for mutant in slipped(name)]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_unslipped_equations_pass(name):
    family = FAMILIES[name]
    for writing in family.writings:
        sample = by_equations(writing, trajectory(trailing(13)), silent=family.silent_end)
        vd.check(sample, schedule=SCHEDULE, family=family, steps=13, spacing="trailing").raise_if_failed()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_no_mutant_survives_and_each_is_named(mutant):
    report = mutant.report
    if mutant.name in EQUIVALENT:
        report.raise_if_failed()
        return
    assert report.status is Status.FAIL
    if report.identified_as == "not observed" or blows_up(mutant.wrong):
        return  # states beyond all digits of the answers: what drowned in them cannot be named, and the sampler has failed
    assert mutant.mistake in [explanation.slip for explanation in report.diagnosis], report.diagnosis


def test_few_mutants_blow_up():
    """So few go unnamed that nine in ten of all are named."""
    assert sum(blows_up(mutant.wrong) for mutant in MUTANTS) < 0.1 * len(MUTANTS)


def test_the_catalogue_is_told_apart():
    """Ids are unique, and at least thirty slips are named first where they were planted."""
    assert len({slip.id for slip in CATALOGUE}) == len(CATALOGUE) >= 15
    first = {mutant.mistake for mutant in MUTANTS if mutant.report.diagnosis and mutant.report.diagnosis[0].slip == mutant.mistake}
    assert len(first) >= 30, sorted(first)


@pytest.mark.parametrize(("draw", "slip"), NOISES, ids=[draw.__name__ for draw, _ in NOISES])
def test_wrong_noise_is_found_and_named(draw, slip):
    report = vd.check(noisy(draw), schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert report.status is Status.FAIL
    assert report.diagnosis[0].slip == slip, [finding for finding in report.findings if finding.status is Status.FAIL]


def test_noise_with_a_mean_is_found():
    report = vd.check(noisy(shifted), schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert report.status is Status.FAIL


def test_right_noise_by_the_same_sampler_passes():
    vd.check(noisy(normal), schedule=SCHEDULE, family=vd.DDIM(1.0)).raise_if_failed()


def test_noise_on_the_last_step_is_named():
    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for t in reversed(range(T)):
            x = (x - BETAS[t] / np.sqrt(1 - ABAR[t]) * denoise(x, t)) / np.sqrt(1 - BETAS[t])
            x = x + np.sqrt(BETAS[t]) * rng.standard_normal(x.shape)
        return x

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDPM("large"))
    assert next(finding.check for finding in report.findings if finding.status is Status.FAIL) == "last-step"
    assert report.diagnosis[0].slip == "noise-at-the-end"


def test_every_noise_slip_has_a_mutant():
    planted = {slip for _, slip in NOISES} | {"noise-at-the-end", "noise-not-centred"}
    assert planted == {slip.id for slip in CATALOGUE if isinstance(slip, NoiseSlip)}


def test_what_no_slip_explains_is_not_guessed():
    def sample(denoise, x, seed):
        for t in reversed(range(T)):
            there = ABAR[t - 1] if t else 1.0
            eps = denoise(x, t)
            x0 = (x - np.sqrt(1 - ABAR[t]) * eps) / np.sqrt(ABAR[t])
            x = np.sqrt(there) * x0 * (1 + 1e-4 * np.sin(t)) + np.sqrt(1 - there) * eps
        return x

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM())
    assert report.status is Status.FAIL
    assert report.diagnosis == ()
