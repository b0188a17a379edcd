"""Draws by their index: the same whatever is computed with them, and as independent as their noise should be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from verifydiff.oracles import DiagonalGaussian, law_after, steps
from verifydiff.samplers import (
    DDIM,
    DDPM,
    EDM,
    DPMSolverPP2M,
    Draws,
    Euler,
    EulerMaruyama,
    GuidedStep,
    Heun,
    PredictorCorrector,
    ReverseDiffusion,
    chunk_size,
    log_uniform,
    sample,
    sample_many,
)
from verifydiff.samplers.draws import ELEMENTWISE
from verifydiff.verdict import MisuseError

LEVELS = log_uniform(5, 0.05, 20.0)
KEY = random.key(11)
D = 600
"""Chunks of 64."""


def eps(x, a):
    return jnp.sqrt(1 - a) * x / (a * 0.3 + 1 - a)


@pytest.fixture(scope="module")
def draws():
    return Draws(DDPM(), eps, LEVELS, D)


def test_the_size_of_a_chunk_is_part_of_what_a_draw_is():
    """Changing one of these numbers changes every campaign that was ever recorded."""
    assert [chunk_size(d) for d in (1, 2, 4, 8, 64, 100, 512, 3072, 2**20)] == [8192, 8192, 8192, 4096, 512, 256, 64, 64, 64]


@pytest.mark.parametrize("layout", ["forwards", "backwards", "scattered", "one by one", "twice"])
def test_a_draw_is_the_same_whatever_is_computed_with_it(draws, layout):
    indices = np.arange(200)
    asked = {
        "forwards": [indices],
        "backwards": [indices[::-1]],
        "scattered": [indices[::3], indices[1::3], indices[2::3]],
        "one by one": [indices[i : i + 1] for i in (0, 63, 64, 199)],
        "twice": [np.array([5, 5, 130, 5])],
    }[layout]
    whole = draws.at(range(200), key=KEY)
    for part in asked:
        np.testing.assert_array_equal(draws.at(part, key=KEY), whole[part])


def test_chunks_are_the_same_on_any_device_and_side_by_side(draws):
    """Compiled alone, mapped over their indices in turn, and all at once: the same noise, and the same numbers up to rounding."""
    alone = np.stack([jax.jit(draws.chunk)(k, key=KEY) for k in range(3)])
    in_turn = jax.jit(lambda ks: jax.lax.map(lambda k: draws.chunk(k, key=KEY), ks))(jnp.arange(3))
    at_once = jax.jit(jax.vmap(lambda k: draws.chunk(k, key=KEY)))(jnp.arange(3))
    np.testing.assert_allclose(in_turn, alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(at_once, alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(draws.at(range(192), key=KEY), alone.reshape(192, D))


SAMPLERS = [DDPM(), DDIM(0.5), Euler(), EulerMaruyama(), Heun(), ReverseDiffusion(), DPMSolverPP2M(), EDM(churn=2.0)]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_a_sampler_that_may_be_turned_acts_on_every_number_alike(sampler, monkeypatch):
    """With the same noise for every number, a turned state is led to the turned data."""
    monkeypatch.setattr(random, "normal", lambda key, shape, dtype: jnp.full(shape, 0.3, dtype))
    x_T = jnp.arange(15, dtype="float32").reshape(5, 3) / 7 - 1
    straight = sample(sampler, eps, x_T, LEVELS, key=KEY)
    np.testing.assert_allclose(sample(sampler, eps, x_T.T, LEVELS, key=KEY).T, straight, rtol=1e-5, atol=1e-6)


def test_the_samplers_that_may_be_turned_are_all_looked_at():
    assert {type(sampler) for sampler in SAMPLERS} == ELEMENTWISE


class Batched(DDPM):
    """A sampler that draws one number for each particle: it must be told which axis is which."""

    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        assert x_t.shape[-1] == 2
        return super().kernel(x_t, eps_hat, abar_t, abar_s)


def gradient(x, abar):
    assert x.shape[-1] == 2
    return x


@pytest.mark.parametrize(
    "sampler",
    [DDPM(), Batched(), GuidedStep(DDPM(), gradient), PredictorCorrector(DDIM())],
    ids=lambda sampler: type(sampler).__name__,
)
def test_in_few_dimensions_too_particles_lie_on_the_first_axis(sampler):
    """For the model, for whatever model a sampler holds, and for samplers that may tell the axes apart."""

    def apart(x, a):
        assert x.shape == (8192, 2)
        return x / jnp.sqrt(1 - a) * jnp.array([[1.0, 0.0]], "float32")

    assert Draws(sampler, apart, LEVELS, 2).chunk(0, key=KEY).shape == (8192, 2)


def test_in_few_dimensions_too_draws_are_theirs_alone():
    """As many chunks as asked for, in any order; and each coordinate ends in the law that its own data have."""

    def two(x, a):
        return jnp.sqrt(1 - a) * x / (a * jnp.array([[0.3, 3.0]], "float32") + 1 - a)

    draws = Draws(DDPM("large"), two, log_uniform(40, 0.01, 100.0), 2)
    whole = draws.at(range(20_000), key=KEY)
    np.testing.assert_array_equal(draws.at([12_345, 3], key=KEY), whole[[12_345, 3]])
    ends = [
        law_after(DiagonalGaussian(jnp.zeros(1), jnp.array([v])), draws.abar, steps.ddpm("large")).variance[0] for v in (0.3, 3.0)
    ]
    np.testing.assert_allclose(whole.var(0), ends, rtol=6 * np.sqrt(2 / 20_000))


def test_no_number_is_drawn_twice():
    """The start and every step of three chunks: all their numbers differ, in double precision, where chance repeats none."""
    seen = []

    def start(key, count):
        x_T = random.normal(key, (count, D), "float64")
        jax.debug.callback(lambda x: seen.append(np.asarray(x)), x_T)
        return x_T

    class Recorded(DDPM):
        def step(self, eps, state, abar_t, abar_s, *, key):
            z = random.normal(key, state.x.shape, "float64")
            jax.debug.callback(lambda z: seen.append(np.asarray(z)), z)
            return state._replace(x=z)

    recorded = Draws(Recorded(), eps, LEVELS, D, "float64", start)
    for k in range(3):
        recorded.chunk(k, key=KEY).block_until_ready()
    jax.effects_barrier()
    numbers = np.concatenate([one.ravel() for one in seen])
    assert numbers.size == 3 * (1 + 4) * 64 * D
    assert np.unique(numbers).size == numbers.size


def test_another_key_makes_other_draws(draws):
    assert (draws.at(range(10), key=KEY) != draws.at(range(10), key=random.key(12))).all()


def test_a_chunk_is_sample_on_its_own_noise(draws):
    to_start, to_run = random.split(random.fold_in(KEY, 2))
    x_T = random.normal(to_start, (64, D), "float32")
    expected = sample(DDPM(), eps, x_T, LEVELS, key=to_run)
    np.testing.assert_allclose(draws.chunk(2, key=KEY), expected, rtol=1e-5, atol=1e-6)


def test_a_start_of_ones_own():
    draws = Draws(DDIM(), eps, LEVELS, D, start=lambda key, count: jnp.full((count, D), 2.0, "float32"))
    np.testing.assert_array_equal(draws.at([0, 77], key=KEY), np.broadcast_to(draws.at([0], key=KEY), (2, D)))


def test_sample_many_is_the_same_in_one_call(draws):
    np.testing.assert_array_equal(sample_many(DDPM(), eps, [3, 70], LEVELS, key=KEY, dimensions=D), draws.at([3, 70], key=KEY))
    assert draws.at([], key=KEY).shape == (0, D)


BAD = {
    "no dimension": (lambda: Draws(DDPM(), eps, LEVELS, 0), "`dimensions` must be at least 1"),
    "half a dimension": (lambda: Draws(DDPM(), eps, LEVELS, 1.5), "`dimensions` must be a whole number"),
    "half precision": (lambda: Draws(DDPM(), eps, LEVELS, D, "float16"), "`dtype` must be one of"),
    "no levels": (lambda: Draws(DDPM(), eps, LEVELS[::-1], D), "the noisiest level comes first"),
    "a negative index": (lambda: Draws(DDPM(), eps, LEVELS, D).at([-1], key=KEY), "`indices` must lie in"),
    "an index too large": (lambda: Draws(DDPM(), eps, LEVELS, D).at([2**62], key=KEY), "`indices` must lie in"),
    "half an index": (lambda: Draws(DDPM(), eps, LEVELS, D).at([0.5], key=KEY), "`indices` must be whole numbers"),
    "a seed": (lambda: Draws(DDPM(), eps, LEVELS, D).at([0], key=3), "`key` must be one key"),
    "a start of another shape": (
        lambda: Draws(DDPM(), eps, LEVELS, D, start=lambda k, n: jnp.ones((n, 2))).chunk(0, key=KEY),
        "`start`",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(make, message):
    with pytest.raises(MisuseError, match=message):
        make()
