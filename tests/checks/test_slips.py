"""Every slip of the catalogue, made into a sampler, is found and named.

The mutants are run by evaluating the slipped equations one after the other on arrays, as a sampler would; the diagnosis works
from symbolic weights. The two share the catalogue and nothing else.
"""

import numpy as np
import pytest
import sympy
from samplers import ABAR, BETAS, T, leading, trailing

import verifydiff as vd
from verifydiff.forms import quantities as q
from verifydiff.slips import CATALOGUE, FormSlip, LevelSlip, NoiseSlip
from verifydiff.slips.slip import Levels, alpha_of_s, alpha_of_t
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)
FAMILIES = {
    "ddpm": vd.DDPM(),
    "ddpm-large": vd.DDPM("large"),
    "ddim": vd.DDIM(0.6),
    "euler": vd.Euler(),
    "euler-ancestral": vd.EulerAncestral(),
}


def trajectory(times, final=1.0):
    start, end = np.array(times, dtype=float), np.array([*times[1:], -1], dtype=float)
    abar_t = np.array([ABAR[t] for t in times])
    abar_s = np.array([*abar_t[1:], final])
    return Levels(SCHEDULE, start, end, final, abar_t, abar_t, abar_s)


def sampler(writing, levels, *, silent):
    """A sampler that computes the writing's equations in order, step by step."""
    symbols = [s for s, _ in writing.equations]
    inputs = [q.x_t, q.eps, q.z, q.abar_t, q.abar_s, q.alpha_t, q.beta_t, q.ve_t, q.ve_s, alpha_of_t, alpha_of_s]
    inputs += [s for s, _ in writing.variables]
    code = [sympy.lambdify([*inputs, *symbols[:i]], e, "numpy") for i, (_, e) in enumerate(writing.equations)]

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k in range(levels.steps):
            here, there = levels.abar_t[k], levels.abar_s[k]
            a, s = (levels.values[symbol][k] for symbol in (alpha_of_t, alpha_of_s))
            eps = denoise(x, levels.start[k])
            noise = rng.standard_normal(x.shape) * (not (silent and levels.end[k] < 0))
            alpha = here / there
            ve = [np.sqrt((1 - level) / level) for level in (here, there)]
            known = [x, eps, noise, here, there, alpha, 1 - alpha, *ve, a, s, *(value for _, value in writing.variables)]
            for equation in code:
                known.append(equation(*known))
            x = known[-1]
        return x

    return sample


def blows_up(sample):
    """Whether the states outgrow the model's answers by more than six orders of magnitude."""
    largest = [0.0]

    def denoise(x, t):
        largest[0] = max(largest[0], float(np.abs(x).max()))
        return (x - np.sqrt(ABAR[int(t)]) * 0.5) / np.sqrt(1 - ABAR[int(t)])

    with np.errstate(all="ignore"):
        final = sample(denoise, np.ones((2, 2)), 0)
    return not max(largest[0], float(np.abs(final).max())) < 1e6


def mutants():
    """(slip, family, sampler) for every place in which a slip can happen in a family, on a grid with unequal strides."""
    levels = trajectory(trailing(13))
    for name, family in FAMILIES.items():
        for slip in CATALOGUE:
            if isinstance(slip, FormSlip):
                for i, writing in enumerate(slip.variants(family)):
                    yield pytest.param(slip, name, sampler(writing, levels, silent=family.silent_end), id=f"{name}-{slip.id}-{i}")
            elif isinstance(slip, LevelSlip):
                for i, fed in enumerate(slip.shift(levels)):
                    mutant = sampler(family.writings[0], fed, silent=family.silent_end)
                    yield pytest.param(slip, name, mutant, id=f"{name}-{slip.id}-{i}")


TRULY_EQUAL = {("final-level-is-one", name): "the contract ends on the data anyway" for name in FAMILIES}
"""Slips that change nothing here, and why."""


@pytest.mark.parametrize("name", FAMILIES)
def test_the_unslipped_equations_pass(name):
    family = FAMILIES[name]
    for writing in family.writings:
        sample = sampler(writing, trajectory(trailing(13)), silent=family.silent_end)
        vd.check(sample, schedule=SCHEDULE, family=family, steps=13, spacing="trailing").raise_if_failed()


@pytest.mark.parametrize(("slip", "name", "sample"), list(mutants()))
def test_no_mutant_survives_and_each_is_named(slip, name, sample):
    report = vd.check(sample, schedule=SCHEDULE, family=FAMILIES[name])
    if (slip.id, name) in TRULY_EQUAL:
        report.raise_if_failed()
        return
    assert report.status is Status.FAIL
    if report.identified_as == "not observed" or blows_up(sample):
        return  # states beyond all digits of the answers: what drowned in them cannot be named, and the sampler has failed
    assert slip.id in [explanation.slip for explanation in report.diagnosis], report.diagnosis


def test_few_mutants_blow_up():
    """So few go unnamed that nine in ten of all are named."""
    everyone = [case.values for case in mutants()]
    assert sum(blows_up(sample) for _, _, sample in everyone) < 0.1 * len(everyone)


def test_the_catalogue_is_told_apart():
    """Ids are unique, and at least fifteen slips are named first where they were planted."""
    assert len({slip.id for slip in CATALOGUE}) == len(CATALOGUE) >= 15
    first = set()
    for case in mutants():
        slip, name, sample = case.values
        diagnosis = vd.check(sample, schedule=SCHEDULE, family=FAMILIES[name]).diagnosis
        if diagnosis and diagnosis[0].slip == slip.id:
            first.add(slip.id)
    assert len(first) >= 30, sorted(first)


def noisy(draw):
    """DDIM(1) on the leading grid whose noise is what ``draw(rng, k, shape)`` says."""
    times = leading(10)

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            sigma = np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + sigma * draw(rng, k, x.shape)
        return x

    return sample


def stale(rng, k, shape):
    return np.random.default_rng(rng.bit_generator.seed_seq.entropy).standard_normal(shape)


def every_other_stale(rng, k, shape):
    return np.random.default_rng([rng.bit_generator.seed_seq.entropy, k // 2]).standard_normal(shape)


def shared_rows(rng, k, shape):
    return np.broadcast_to(rng.standard_normal((1, *shape[1:])), shape)


def shared_coordinates(rng, k, shape):
    return np.broadcast_to(rng.standard_normal((*shape[:-1], 1)), shape)


def uniform(rng, k, shape):
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


def rademacher(rng, k, shape):
    return rng.choice([-1.0, 1.0], shape)


def shifted(rng, k, shape):
    return rng.standard_normal(shape) * np.sqrt(1 - 0.3**2) + 0.3


NOISES = [
    (stale, "stale-noise"),
    (every_other_stale, "stale-noise"),
    (shared_rows, "shared-noise"),
    (shared_coordinates, "repeated-coordinates"),
    (uniform, "noise-not-normal"),
    (rademacher, "noise-not-normal"),
]


@pytest.mark.parametrize(("draw", "slip"), NOISES, ids=[draw.__name__ for draw, _ in NOISES])
def test_wrong_noise_is_found_and_named(draw, slip):
    report = vd.check(noisy(draw), schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert report.status is Status.FAIL
    assert report.diagnosis[0].slip == slip, [finding for finding in report.findings if finding.status is Status.FAIL]


def test_noise_with_a_mean_is_found():
    report = vd.check(noisy(shifted), schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert report.status is Status.FAIL


def test_right_noise_by_the_same_sampler_passes():
    vd.check(noisy(lambda rng, k, shape: rng.standard_normal(shape)), schedule=SCHEDULE, family=vd.DDIM(1.0)).raise_if_failed()


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
