"""The probe recovers what is there, whatever way the sampler draws its noise, and says what it cannot."""

import copy

import numpy as np
import pytest
from samplers import ABAR, BETAS
from scipy.stats import norm

import verifydiff as vd
from verifydiff.observe import observe
from verifydiff.observe.clipping import Kind
from verifydiff.observe.resolve import function_target

SCHEDULE = vd.Schedule.from_betas(BETAS)
TIMES = [99, 66, 33, 5]
A, B, C = [0.9, 1.1, 0.7, 0.2], [0.3, -0.2, 0.1, 0.4], [0.5, 0.25, 0.125, 0.0]


def affine(draw):
    """Steps x -> A x + B x_0 + C z with arbitrary numbers; the model's eps is turned into x_0 at the told level."""

    def sample(denoise, x, seed):
        normal = draw(seed)
        for k, t in enumerate(TIMES):
            x0 = (x - np.sqrt(1 - ABAR[t]) * denoise(x, t)) / np.sqrt(ABAR[t])
            x = A[k] * x + B[k] * x0 + (C[k] * normal(x.shape) if C[k] else 0.0)
        return x

    return sample


def new_generator(seed):
    return np.random.default_rng(seed).standard_normal


def own_bit_generator(seed):
    return np.random.Generator(np.random.Philox(seed)).standard_normal


def scaled(seed):
    rng = np.random.default_rng(seed)
    return lambda shape: rng.normal(1.0, 2.0, shape) / 2 - 0.5


def legacy_state(seed):
    return np.random.RandomState(seed).standard_normal


def legacy_global(seed):
    np.random.seed(seed)
    return lambda shape: np.random.randn(*shape)


def into_a_buffer(seed):
    rng = np.random.default_rng(seed)

    def normal(shape):
        buffer = np.empty(shape)
        rng.standard_normal(out=buffer)
        return buffer

    return normal


def spawned(seed):
    return np.random.default_rng(seed).spawn(2)[1].standard_normal


def copied(seed):
    return copy.deepcopy(np.random.default_rng(seed)).standard_normal


def legacy_copied(seed):
    return copy.deepcopy(np.random.RandomState(seed)).standard_normal


def in_single_precision(seed):
    rng = np.random.default_rng(seed)
    return lambda shape: rng.standard_normal(shape, dtype=np.float32).astype(np.float64)


def by_scipy(seed):
    rng = np.random.default_rng(seed)
    return lambda shape: norm.rvs(size=shape, random_state=rng)


DRAWS = [
    new_generator,
    own_bit_generator,
    scaled,
    legacy_state,
    legacy_global,
    into_a_buffer,
    spawned,
    copied,
    legacy_copied,
    in_single_precision,
    by_scipy,
]


@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw.__name__)
def test_arbitrary_weights_are_recovered_to_1e_12(draw):
    seen = observe(function_target(affine(draw), SCHEDULE))
    np.testing.assert_allclose(seen.x_t, A, rtol=1e-12)
    np.testing.assert_allclose(seen.x_0, B, rtol=1e-12)
    np.testing.assert_allclose(seen.z, C, rtol=1e-12)
    assert seen.affine.all()
    assert not seen.hidden.any()
    assert list(seen.times) == TIMES
    assert seen.replays
    assert seen.seeds_differ


def test_what_the_seed_does_is_asked_in_two_runs_which_can_be_spared():
    rows = []
    sample = affine(new_generator)

    def counted(denoise, x, seed):
        rows.append(seed)
        return sample(denoise, x, seed)

    asked, spared = (observe(function_target(counted, SCHEDULE), seeds=seeds) for seeds in (True, False))
    assert rows == [0, 0, 1, 0, 0, 0, 0, 0]
    assert (asked.replays, asked.seeds_differ) == (True, True)
    assert (spared.replays, spared.seeds_differ) == (None, None)
    np.testing.assert_array_equal(asked.x_t, spared.x_t)
    np.testing.assert_array_equal(asked.z, spared.z)


def test_a_recorded_run_is_bit_for_bit_the_run_that_would_have_happened():
    from verifydiff.observe.probe import SMALL, answers
    from verifydiff.observe.running import run

    sample = affine(new_generator)
    target = function_target(sample, SCHEDULE)
    answer, start = answers(0, SMALL), np.ones((4, 4))
    queries = []

    def denoise(x, t):
        queries.append(t)
        return (x - np.sqrt(ABAR[t]) * answer(len(queries) - 1, x, ABAR[t])) / np.sqrt(1 - ABAR[t])

    np.testing.assert_allclose(run(target, answer, start, 7).x[-1], sample(denoise, start, 7), rtol=1e-12)


def test_generators_stay_what_they_are_while_they_are_tapped():
    before, seen = np.random.default_rng(1), {}

    def sample(denoise, x, seed):
        new, state = np.random.default_rng(seed), np.random.RandomState(seed)
        seen["kinds"] = [isinstance(rng, np.random.Generator) for rng in (before, new, *new.spawn(2), np.random.default_rng(new))]
        seen["states"] = [isinstance(state, np.random.RandomState), isinstance(state, np.random.Generator)]
        seen["same"] = np.random.default_rng(new) is new
        return denoise(x, 99)

    observe(function_target(sample, SCHEDULE))
    assert all(seen["kinds"])
    assert seen["states"] == [True, False]
    assert seen["same"]


def test_draws_in_single_precision_are_the_numbers_that_numpy_would_have_drawn():
    def drawn(seed):
        return np.random.default_rng(seed).standard_normal((2, 4), dtype=np.float32)

    kept = []

    def sample(denoise, x, seed):
        kept.append(drawn(7))
        return denoise(x, 99)

    observe(function_target(sample, SCHEDULE))
    np.testing.assert_array_equal(kept[0], drawn(7))
    assert kept[0].dtype == np.float32


def test_taps_leave_numpy_as_it_was():
    before = {
        name: getattr(np.random, name) for name in ("default_rng", "Generator", "RandomState", "randn", "normal", "standard_normal")
    }
    np.random.seed(3)
    state = np.random.get_state()[1].copy()
    observe(function_target(affine(legacy_global), SCHEDULE))
    assert {name: getattr(np.random, name) for name in before} == before
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_a_step_that_remembers_is_told_from_one_that_is_bent():
    def two_step(denoise, x, seed):
        previous = 0.0
        for t in TIMES:
            eps = denoise(x, t)
            x, previous = 0.9 * x + 0.3 * eps - 0.1 * previous, eps
        return x

    def bent(denoise, x, seed):
        for t in TIMES:
            x = 0.9 * x + 0.1 * np.tanh(denoise(x, t))
        return x

    assert observe(function_target(two_step, SCHEDULE)).remembers.tolist() == [False, True, True, True]
    seen = observe(function_target(bent, SCHEDULE))
    assert not seen.remembers.any()
    assert not seen.affine.any()


def test_a_constant_that_a_step_adds_is_seen():
    def sample(denoise, x, seed):
        for t in TIMES:
            x = 0.9 * x + 0.1 * denoise(x, t) + 0.01
        return x

    np.testing.assert_allclose(observe(function_target(sample, SCHEDULE)).offset, 0.01, rtol=1e-9)


def test_noise_of_an_unknown_source_is_hidden_and_its_steps_are_recovered_all_the_same():
    import random

    def gauss(seed):
        hidden = random.Random(seed)
        return lambda shape: np.array([hidden.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)

    seen = observe(function_target(affine(gauss), SCHEDULE))
    np.testing.assert_allclose(seen.x_t, A, rtol=1e-12)
    assert seen.hidden.tolist() == [True, True, True, False]
    assert np.sqrt((seen.noise[:3] ** 2).mean(axis=(1, 2))) == pytest.approx(C[:3], rel=0.2)


@pytest.mark.parametrize("clip", [1.0, 2.5])
def test_the_clipping_range_is_seen(clip):
    def sample(denoise, x, seed):
        for t in TIMES:
            x0 = np.clip((x - np.sqrt(1 - ABAR[t]) * denoise(x, t)) / np.sqrt(ABAR[t]), -clip, clip)
            x = 0.5 * x + 0.5 * x0
        return x

    seen = observe(function_target(sample, SCHEDULE))
    assert seen.clip.kind is Kind.CLIPPED
    assert (seen.clip.lower, seen.clip.upper) == pytest.approx((-clip, clip))
    assert seen.affine.all()


def after_prediction(change, *, recompute, early=0):
    """DDIM(0) whose prediction of the data goes through ``change``, and which lands ``early`` indices above the next query."""

    def sample(denoise, x, seed):
        for k, t in enumerate(TIMES):
            here, there = ABAR[t], ABAR[TIMES[k + 1] + early] if k + 1 < len(TIMES) else 1.0
            eps = denoise(x, t)
            x0 = change((x - np.sqrt(1 - here) * eps) / np.sqrt(here))
            if recompute:
                eps = (x - np.sqrt(here) * x0) / np.sqrt(1 - here)
            x = np.sqrt(there) * x0 + np.sqrt(1 - there) * eps
        return x

    return sample


def clip_to_data(x0):
    return np.clip(x0, -1.0, 2.0)


def mirror(x0):
    return np.where(np.abs(x0) > 1, -x0, x0)


def double(x0):
    return np.where(np.abs(x0) > 0.6, 2 * x0, x0)


@pytest.mark.parametrize(
    ("change", "recompute", "kind"),
    [
        (lambda x0: x0, False, Kind.NONE),
        (clip_to_data, True, Kind.CLIPPED),
        (clip_to_data, False, Kind.DATA_ONLY),
        (mirror, True, Kind.OTHER),
        (double, True, Kind.OTHER),
        (double, False, Kind.OTHER),
    ],
)
def test_what_becomes_of_large_predictions_is_told_apart(change, recompute, kind):
    seen = observe(function_target(after_prediction(change, recompute=recompute), SCHEDULE))
    assert seen.affine.all()
    assert seen.clip.kind is kind


@pytest.mark.parametrize("recompute", [False, True])
def test_clipping_is_told_where_the_steps_land_on_wrong_levels(recompute):
    seen = observe(function_target(after_prediction(clip_to_data, recompute=recompute, early=1), SCHEDULE))
    assert seen.clip.kind is (Kind.CLIPPED if recompute else Kind.DATA_ONLY)
    assert (seen.clip.lower, seen.clip.upper) == pytest.approx((-1, 2), abs=1e-6)


def test_the_range_is_taken_from_the_step_that_tells_it_best():
    """In single precision the noisiest steps hardly tell what was used; they must not widen the range."""
    abar, times = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float32)), list(range(999, -1, -1))

    def sample(denoise, x, seed):
        x = x.astype(np.float32)
        for k, t in enumerate(times):
            here, there = abar[t], abar[times[k + 1]] if k + 1 < len(times) else np.float32(1)
            x0 = np.clip((x - np.sqrt(1 - here) * denoise(x, t)) / np.sqrt(here), -1, 1)
            alpha = here / there
            x = np.sqrt(there) * (1 - alpha) / (1 - here) * x0 + np.sqrt(alpha) * (1 - there) / (1 - here) * x
        return x

    seen = observe(function_target(sample, vd.Schedule.linear(1000)))
    assert seen.clip.kind is Kind.CLIPPED
    assert (seen.clip.lower, seen.clip.upper) == pytest.approx((-1, 1), abs=1e-4)
