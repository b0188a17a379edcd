"""The loop of the reference samplers: what a user may do with it, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import random

from verifydiff.samplers import (
    DDIM,
    DDPM,
    EDM,
    DPMSolverPP2M,
    Euler,
    EulerMaruyama,
    GuidedStep,
    Heun,
    PredictorCorrector,
    ReverseDiffusion,
    from_score,
    from_v,
    from_x0,
    log_uniform,
    sample,
    trajectory,
)
from verifydiff.verdict import MisuseError

LEVELS = log_uniform(6, 0.05, 20.0)
KEY = random.key(7)


def eps(x, a):
    """The exact model of data N(0.5, 0.3)."""
    return jnp.sqrt(1 - a) * (x - jnp.sqrt(a) * 0.5) / (a * 0.3 + 1 - a)


SAMPLERS = {
    "ddpm": DDPM(),
    "ddpm-large": DDPM("large"),
    "ddim-0": DDIM(),
    "ddim-0.5": DDIM(0.5),
    "euler": Euler(),
    "heun": Heun(),
    "euler-maruyama": EulerMaruyama(),
    "reverse-diffusion": ReverseDiffusion(),
    "predictor-corrector": PredictorCorrector(corrections=2),
    "dpm-solver++(2m)": DPMSolverPP2M(),
    "edm": EDM(churn=3.0),
    "guided": GuidedStep(DDPM(), lambda x, a: 1 - 0 * x, 2.0),
}
every = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())


@every
def test_a_sampler_compiles_maps_over_particles_is_a_pytree_and_keeps_the_type(sampler):
    x_T, keys = random.normal(KEY, (3, 2), "float32"), random.split(KEY, 3)
    run = jax.jit(jax.vmap(lambda sampler, x, key: sample(sampler, eps, x, LEVELS, key=key), in_axes=(None, 0, 0)))
    mapped = run(sampler, x_T, keys)
    one_by_one = jnp.stack([sample(sampler, eps, x, LEVELS, key=key) for x, key in zip(x_T, keys, strict=True)])
    assert mapped.dtype == jnp.float32
    np.testing.assert_allclose(mapped, one_by_one, rtol=1e-4, atol=1e-5)
    assert jnp.isfinite(mapped).all()


@every
def test_a_trajectory_visits_every_level_and_ends_where_sample_does(sampler):
    x_T = random.normal(KEY, (3,))
    path = trajectory(sampler, eps, x_T, LEVELS, key=KEY)
    assert path.shape == (7, 3)
    np.testing.assert_array_equal(path[0], x_T)
    np.testing.assert_array_equal(path[-1], sample(sampler, eps, x_T, LEVELS, key=KEY))


@every
def test_a_point_is_recovered(sampler):
    """Data without spread come out as they are, whatever the noise; a guided step moves them."""
    x = sample(sampler, from_x0(lambda x, a: 0 * x + 0.7), random.normal(KEY, (4,)), LEVELS, key=KEY)
    np.testing.assert_allclose(x, 0.7, atol=1e-9)


def test_one_step_is_the_prediction_of_the_data():
    x_T = random.normal(KEY, (3,))
    for sampler in SAMPLERS.values():
        if not isinstance(sampler, EDM):
            a = 0.2
            expected = (x_T - np.sqrt(1 - a) * eps(x_T, a)) / np.sqrt(a)
            np.testing.assert_allclose(sample(sampler, eps, x_T, [a, 1.0], key=KEY), expected, rtol=1e-12)


def test_one_can_differentiate_through_the_loop_and_by_eta():
    def end(eta, x_T):
        return sample(DDIM(eta), eps, x_T, LEVELS, key=KEY).sum()

    slope, h = jax.grad(end)(0.5, jnp.ones(3)), 1e-5
    by_difference = (end(0.5 + h, jnp.ones(3)) - end(0.5 - h, jnp.ones(3))) / (2 * h)
    assert float(slope) == pytest.approx(float(by_difference), rel=1e-6)


def test_an_eta_of_zero_draws_nothing_and_agrees_with_one_that_is_not_known_yet():
    def run(eta):
        return sample(DDIM(eta), eps, jnp.ones(3), LEVELS, key=KEY)

    assert "random_bits" not in str(jax.make_jaxpr(lambda x: sample(DDIM(), eps, x, LEVELS, key=KEY))(jnp.ones(3)))
    np.testing.assert_allclose(jax.jit(run)(0.0), run(0.0), rtol=1e-12)


@pytest.mark.parametrize("edm", [EDM(), EDM(churn=3.0, tmin=30.0), EDM(churn=3.0, tmax=0.01)], ids=["none", "above", "below"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_nothing_is_churned_edm_is_heun_also_if_that_is_not_known_before(edm, dtype):
    levels, x_T = log_uniform(40, 0.05, 20.0), jnp.ones(3, dtype)
    run = jax.jit(lambda edm: sample(edm, eps, x_T, levels, key=KEY))
    expected = sample(Heun(), eps, x_T, levels, key=KEY)
    np.testing.assert_allclose(run(edm), expected, rtol=1e-4 if dtype == "float32" else 1e-12)


def test_the_old_kind_of_key_is_the_same_key():
    old, new = random.PRNGKey(3), random.key(3)
    np.testing.assert_array_equal(*(sample(DDPM(), eps, jnp.ones(3), LEVELS, key=key) for key in (old, new)))


@settings(max_examples=30)
@given(a=st.floats(1e-6, 1 - 1e-6), x=st.floats(-5, 5), noise=st.floats(-5, 5))
def test_models_of_the_data_the_velocity_and_the_score_are_models_of_the_noise(a, x, noise):
    data = (x - np.sqrt(1 - a) * noise) / np.sqrt(a)
    velocity = np.sqrt(a) * noise - np.sqrt(1 - a) * data
    unit = 1e-14 * (1 + abs(noise) + abs(x)) / np.sqrt(1 - a)  # the state nearly cancels where there is little noise
    assert float(from_x0(lambda x, a: data)(x, a)) == pytest.approx(noise, abs=unit)
    assert float(from_v(lambda x, a: velocity)(x, a)) == pytest.approx(noise, abs=unit)
    assert float(from_score(lambda x, a: -noise / jnp.sqrt(1 - a))(x, a)) == pytest.approx(noise, abs=unit)


# -- what is refused -------------------------------------------------------------------------------------------------------

X = np.ones(3)
BAD_LEVELS = {
    "falling": (LEVELS[::-1], "the noisiest level comes first"),
    "not monotone": ([0.1, 0.5, 0.3, 1.0], "must rise strictly, got 0.5 before 0.3 at k = 1"),
    "twice the same": ([0.1, 0.1, 1.0], "must rise strictly"),
    "above 1": ([0.1, 1.5], r"must lie in \[0, 1\], got 1.5"),
    "below 0": ([-0.1, 1.0], r"must lie in \[0, 1\], got -0.1"),
    "NaN": ([float("nan"), 1.0], r"must lie in \[0, 1\], got nan"),
    "no signal": ([0.0, 0.5, 1.0], "must be above 0"),
    "no end": ([0.1, 0.5], "must end on the data"),
    "no step": ([1.0], r"shape \(S \+ 1,\), got shape \(1,\)"),
    "two axes": (np.ones((2, 2)), "got shape"),
    "words": (["a", "b"], "real numbers"),
}


@pytest.mark.parametrize(("levels", "message"), BAD_LEVELS.values(), ids=BAD_LEVELS.keys())
def test_bad_levels_are_refused_also_while_tracing(levels, message):
    with pytest.raises(MisuseError, match=message):
        sample(DDPM(), eps, X, levels, key=KEY)
    with pytest.raises(MisuseError, match=message):
        jax.jit(lambda x: sample(DDPM(), eps, x, levels, key=KEY))(X)


@pytest.mark.parametrize(
    "levels", [[0.5, 0.3, 1.0], [0.0, 0.5, 1.0], [0.1, 0.5, 0.9], [0.1, np.nan, 1.0], [0.5, 1.5, 1.0]], ids=str
)
def test_bad_levels_that_are_known_too_late_make_nan_never_numbers(levels):
    run = jax.jit(lambda levels: sample(DDPM(), eps, X, levels, key=KEY))
    assert jnp.isnan(run(jnp.array(levels))).all()
    assert jnp.isfinite(run(jnp.array([0.1, 0.5, 1.0]))).all()


def test_levels_that_single_precision_cannot_tell_apart_are_refused():
    close = [0.1, 1 - 2e-9, 1 - 1e-9, 1.0]
    with pytest.raises(MisuseError, match="float32 cannot tell apart"):
        sample(DDPM(), eps, X.astype(np.float32), close, key=KEY)
    assert np.isfinite(sample(DDPM(), eps, X, close, key=KEY)).all()


BAD = {
    "whole numbers": ({"x_T": np.ones(3, int)}, "`x_T` must be float32 or float64, got int64"),
    "half precision": ({"x_T": np.ones(3, np.float16)}, "got float16"),
    "bfloat16": ({"x_T": jnp.ones(3, jnp.bfloat16)}, "got bfloat16"),
    "words": ({"x_T": "noise"}, "got <U5"),
    "a seed": ({"key": 3}, "`key` must be one key, such as .*, got int"),
    "nothing": ({"key": None}, "got NoneType"),
    "several keys": ({"key": random.split(KEY, 3)}, "jax.vmap"),
    "numbers": ({"key": np.ones(2)}, "got float64 of shape"),
    "no model": ({"eps": 3}, "`eps` must be a function"),
    "another shape": ({"eps": lambda x, a: x[:1]}, r"answer a state of shape \(3,\) in float64 .* got shape \(1,\)"),
    "another type": ({"eps": lambda x, a: x.astype("float32")}, "in float32"),
    "no array": ({"eps": lambda x, a: None}, "got NoneType"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(change, message):
    given = {"eps": eps, "x_T": X, "key": KEY} | change
    with pytest.raises(MisuseError, match=message):
        sample(DDPM(), given["eps"], given["x_T"], LEVELS, key=given["key"])


BAD_SAMPLERS = {
    "eta above 1": (lambda: DDIM(1.5), r"`eta` must lie in \[0, 1\], got 1.5"),
    "eta below 0": (lambda: DDIM(-0.1), "`eta` must lie"),
    "eta NaN": (lambda: DDIM(float("nan")), "`eta` must lie"),
    "eta an array": (lambda: DDIM(jnp.array(2.0)), "`eta` must lie"),
    "eta a word": (lambda: DDIM("0.5"), "`eta` must be a number"),
    "eta true": (lambda: DDIM(True), "`eta` must be a number"),
    "no variance": (lambda: DDPM("medium"), "`variance` must be 'small'"),
    "churn": (lambda: EDM(churn=-1.0), "`churn` must lie"),
    "noise": (lambda: EDM(noise=float("inf")), "`noise` must lie"),
    "snr": (lambda: PredictorCorrector(snr=-0.1), "`snr` must lie"),
    "corrections": (lambda: PredictorCorrector(corrections=-1), "`corrections` must be"),
    "half a correction": (lambda: PredictorCorrector(corrections=1.5), "`corrections` must be"),
}


@pytest.mark.parametrize(("make", "message"), BAD_SAMPLERS.values(), ids=BAD_SAMPLERS.keys())
def test_a_sampler_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(MisuseError, match=message):
        make()
