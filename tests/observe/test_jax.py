"""Functions over JAX arrays, in loops of Python's and in compiled ones, are judged as finely as those over NumPy arrays."""

import logging
import time
from functools import partial

import numpy as np
import pytest
from samplers import ABAR, BETAS, T, leading, trailing

import verifydiff as vd
from verifydiff.observe import SamplerFault, observe
from verifydiff.observe.functions import function_target
from verifydiff.verdict import Status

jax = pytest.importorskip("jax", reason="functions over JAX arrays need JAX")
import jax.numpy as jnp  # noqa: E402
from jax.random import normal as imported_normal  # noqa: E402

SCHEDULE = vd.Schedule.from_betas(BETAS)


def failed(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


def step(x, eps, z, here, there, eta):
    sigma = eta * jnp.sqrt((1 - there) / (1 - here)) * jnp.sqrt(1 - here / there)
    x0 = (x - jnp.sqrt(1 - here) * eps) / jnp.sqrt(here)
    return jnp.sqrt(there) * x0 + jnp.sqrt(1 - there - sigma**2) * eps + sigma * z


def plan(times, early=0):
    """The times, the level of each, and the level that its step leads to."""
    following = [ABAR[t - early] for t in times[1:]]
    return jnp.array(times), jnp.array(ABAR[times]), jnp.array([*following, 1.0])


def python_loop(eta, times, early=0):
    def sample(denoise, x, seed):
        key = jax.random.key(seed)
        for t, here, there in zip(*plan(times, early), strict=True):
            key, fresh = jax.random.split(key)
            x = step(x, denoise(x, t), jax.random.normal(fresh, x.shape), here, there, eta)
        return x

    return sample


def jitted_scan(eta, times, early=0):
    def sample(denoise, x, seed):
        @jax.jit
        def loop(x, key):
            def body(x, inputs):
                t, here, there, key = inputs
                return step(x, denoise(x, t), jax.random.normal(key, x.shape), here, there, eta), None

            return jax.lax.scan(body, x, (*plan(times, early), jax.random.split(key, len(times))))[0]

        return loop(x, jax.random.key(seed))

    return sample


def fori_loop(eta, times, early=0):
    def sample(denoise, x, seed):
        asked, here, there = plan(times, early)

        def body(k, x):
            z = imported_normal(jax.random.fold_in(jax.random.key(seed), k), x.shape)
            return step(x, denoise(x, asked[k]), z, here[k], there[k], eta)

        return jax.lax.fori_loop(0, len(times), body, x)

    return sample


def while_loop(eta, times, early=0):
    def sample(denoise, x, seed):
        asked, here, there = plan(times, early)

        def body(carry):
            k, x, key = carry
            key, fresh = jax.random.split(key)
            z = jax.random.normal(fresh, x.shape, x.dtype)
            return k + 1, step(x, denoise(x, asked[k]), z, here[k], there[k], eta), key

        return jax.lax.while_loop(lambda carry: carry[0] < len(times), body, (0, x, jax.random.key(seed)))[1]

    return sample


def one_particle(eta, times, early=0):
    """The sampler of a single state, mapped over the batch."""

    def sample(denoise, x, seed):
        def particle(x, key):
            def body(x, inputs):
                t, here, there, key = inputs
                return step(x, denoise(x, t), jax.random.normal(key, x.shape), here, there, eta), None

            return jax.lax.scan(body, x, (*plan(times, early), jax.random.split(key, len(times))))[0]

        return jax.jit(jax.vmap(particle))(x, jax.random.split(jax.random.key(seed), len(x)))

    return sample


@partial(jax.jit, static_argnames="denoise")
def compiled_once(denoise, x, key):
    """A loop of the module's own, whose compiled program outlives a call."""

    def body(x, inputs):
        t, here, there, key = inputs
        return step(x, denoise(x, t), jax.random.normal(key, x.shape), here, there, 0.3), None

    return jax.lax.scan(body, x, (*plan(trailing(7)), jax.random.split(key, 7)))[0]


LOOPS = [python_loop, jitted_scan, fori_loop, while_loop, one_particle]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_right_sampler_passes_and_its_family_is_identified(loop):
    report = vd.check(loop(0.3, leading(7)), schedule=SCHEDULE)
    assert failed(report) == []
    assert report.identified_as == "DDIM(eta = 0.3)"
    found = {finding.check: finding for finding in report.findings}
    assert found["coefficients"].measured < 1e-10
    assert found["noise-scale"].measured < 1e-12  # the draws are seen, also those under vmap
    assert "precision" not in found


def test_the_grid_is_that_of_the_program():
    seen = observe(function_target(jitted_scan(0.0, [99, 70, 5]), SCHEDULE))
    assert seen.times.tolist() == [99, 70, 5]
    assert seen.run.drawn_before == [1, 2, 3]


@pytest.mark.parametrize("loop", [python_loop, jitted_scan, one_particle], ids=lambda loop: loop.__name__)
def test_slips_are_found_and_named(loop):
    report = vd.check(loop(0.0, trailing(10), early=1), schedule=SCHEDULE, family=vd.DDIM(0.0))
    assert failed(report)[0] == "pairing"
    assert report.diagnosis[0].slip == "end-one-early"


@jax.jit
def ddpm_step(x, eps, t, key, spread):
    x = (x - jnp.array(BETAS)[t] / jnp.sqrt(1 - jnp.array(ABAR)[t]) * eps) / jnp.sqrt(1 - jnp.array(BETAS)[t])
    return x + jnp.where(t > 0, jnp.sqrt(spread), 0.0) * jax.random.normal(key, x.shape)


def ddpm(spreads):
    def sample(denoise, x, seed):
        for t in reversed(range(T)):
            x = ddpm_step(x, denoise(x, t), t, jax.random.fold_in(jax.random.key(seed), t), spreads[t])
        return x

    return sample


def test_the_variances_of_ddpm_are_told_apart_by_a_step_that_was_compiled_before():
    ddpm_step(jnp.ones((64, 4)), jnp.ones((64, 4)), 3, jax.random.key(0), 0.1)
    small = ddpm(BETAS * (1 - np.append(1.0, ABAR[:-1])) / (1 - ABAR))
    assert failed(vd.check(small, schedule=SCHEDULE, family=vd.DDPM())) == []
    report = vd.check(ddpm(BETAS), schedule=SCHEDULE, family=vd.DDPM())
    assert failed(report) == ["noise-scale", "exact-moments"]
    assert report.diagnosis[0].slip == "beta-for-beta-tilde"


def test_noise_that_is_drawn_while_tracing_serves_every_step_and_is_found():
    def sample(denoise, x, seed):
        noise = np.random.default_rng(seed)

        def body(x, inputs):
            t, here, there = inputs
            return step(x, denoise(x, t), noise.standard_normal(x.shape), here, there, 1.0), None

        return jax.jit(lambda x: jax.lax.scan(body, x, plan(trailing(10)))[0])(x)

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert "noise-law" in failed(report)
    assert report.diagnosis[0].slip == "stale-noise"


def test_a_key_that_is_used_twice_is_found():
    def sample(denoise, x, seed):
        def body(x, inputs):
            t, here, there = inputs
            return step(x, denoise(x, t), jax.random.normal(jax.random.key(seed), x.shape), here, there, 1.0), None

        return jax.jit(lambda x: jax.lax.scan(body, x, plan(trailing(10)))[0])(x)

    assert vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(1.0)).diagnosis[0].slip == "stale-noise"


def test_noise_that_the_rows_share_under_vmap_is_found():
    def sample(denoise, x, seed):
        def particle(x):
            def body(x, inputs):
                t, here, there, key = inputs
                return step(x, denoise(x, t), jax.random.normal(key, x.shape), here, there, 1.0), None

            return jax.lax.scan(body, x, (*plan(trailing(10)), jax.random.split(jax.random.key(seed), 10)))[0]

        return jax.vmap(particle)(x)

    assert vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(1.0)).diagnosis[0].slip == "shared-noise"


def test_noise_of_another_source_is_judged_by_draws():
    def sample(denoise, x, seed):
        def body(x, inputs):
            t, here, there, key = inputs
            z = jnp.sqrt(2) * jax.scipy.special.erfinv(jax.random.uniform(key, x.shape, minval=-1, maxval=1))
            return step(x, denoise(x, t), z, here, there, 1.0), None

        return jax.jit(lambda x: jax.lax.scan(body, x, (*plan(trailing(5)), jax.random.split(jax.random.key(seed), 5)))[0])(x)

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert failed(report) == []
    (scale,) = [finding for finding in report.findings if finding.check == "noise-scale"]
    assert scale.false_alarm > 0


def test_what_was_compiled_before_is_tapped_and_what_is_compiled_meanwhile_is_met_by_nobody_else():
    def sample(denoise, x, seed):
        return compiled_once(denoise, x, jax.random.key(seed))

    def model(x, t):
        return 0.5 * x

    x = jnp.ones((64, 4))
    before = compiled_once(model, x, jax.random.key(1))
    assert failed(vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(0.3))) == []
    np.testing.assert_array_equal(compiled_once(model, x, jax.random.key(1)), before)
    assert "callback" not in str(jax.make_jaxpr(lambda x: compiled_once(model, x, jax.random.key(1)))(x))
    assert jax.random.normal.__module__.startswith("jax")


def test_a_recorded_run_draws_the_numbers_that_jax_would_have_drawn():
    target = function_target(jitted_scan(0.5, [99, 50]), SCHEDULE)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(5), 2)
        expected = [np.asarray(jax.random.normal(key, (64, 4))) for key in keys]
    np.testing.assert_array_equal(observe(target, seed=5).run.draws, expected)


@pytest.mark.parametrize(("kind", "unit"), [(jnp.float32, 2.0**-24), (jnp.bfloat16, 2.0**-8)], ids=["float32", "bfloat16"])
def test_coarser_types_are_judged_at_their_own_rounding(kind, unit):
    def sample(denoise, x, seed):
        def body(x, inputs):
            t, here, there = inputs
            eps = denoise(x, t)
            assert eps.dtype == kind
            return step(x, eps, 0.0, here, there, 0.0).astype(kind), None

        return jax.lax.scan(body, x.astype(kind), plan(trailing(5)))[0]

    assert failed(vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(0.0))) == []
    assert observe(function_target(sample, SCHEDULE)).run.unit == unit


def test_a_loop_that_takes_single_precision_alone_is_given_it():
    def sample(denoise, x, seed):
        def body(x, inputs):
            return step(x, denoise(x, inputs[0]), 0.0, *inputs[1:], 0.0).astype(jnp.float32), None

        return jax.lax.scan(body, x, plan(trailing(5)))[0]

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(0.0))
    assert failed(report) == []
    assert report.notes == ("it raises when it is handed JAX arrays, and is judged over JAX arrays in single precision.",)


@pytest.mark.parametrize("before", [True, False])
def test_precision_and_configuration_are_given_back(before):
    def sample(denoise, x, seed):
        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_debug_nans", True)
        return jitted_scan(0.5, trailing(3))(denoise, x, seed)

    kept = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", before)
    try:
        assert failed(vd.check(sample, schedule=SCHEDULE)) == []
        assert jax.config.jax_enable_x64 is before
        assert jax.config.jax_debug_nans is False
        assert logging.root.manager.disable == 0
    finally:
        jax.config.update("jax_enable_x64", kept)


def never_ends(denoise, x, seed):
    return jax.lax.while_loop(lambda x: True, lambda x: 0.5 * denoise(x, 50), x)


def asks_with_nan(denoise, x, seed):
    return jax.jit(lambda x: denoise(x * jnp.nan, 50))(x)


def asks_with_another_shape(denoise, x, seed):
    return jax.jit(lambda x: denoise(x[:3], 50))(x)


def raises(denoise, x, seed):
    denoise(x, 99)
    return jnp.ones(3) @ jnp.ones(4)


FAULTS = [
    (never_ends, "without returning: it does not seem to end"),
    (asks_with_nan, "query 0 holds 256 of 256 numbers that are not finite"),
    (asks_with_another_shape, "asked the model (query 0) with shape (3, 4)"),
    (raises, "raised after 1 model calls: TypeError"),
]


@pytest.mark.parametrize(("sample", "says"), FAULTS, ids=[sample.__name__ for sample, _ in FAULTS])
def test_a_fault_inside_a_compiled_loop_is_told_as_itself_and_the_next_target_goes_on(sample, says, caplog):
    (finding,) = vd.check(sample, schedule=SCHEDULE).findings
    assert (finding.check, finding.status) == ("behaviour", Status.FAIL)
    assert says in finding.message
    assert "\n" not in finding.message
    assert caplog.records == []
    assert failed(vd.check(jitted_scan(0.0, trailing(3)), schedule=SCHEDULE)) == []


def test_the_time_limit_strikes_inside_a_compiled_loop():
    def slow(denoise, x, seed):
        def body(x):
            jax.debug.callback(lambda: time.sleep(0.01))
            return 0.5 * denoise(x, 50)

        return jax.lax.while_loop(lambda x: True, body, x)

    began = time.monotonic()
    with pytest.raises(SamplerFault) as fault:
        observe(function_target(slow, SCHEDULE), timeout=1.0)
    assert fault.value.kind == "out-of-time"
    assert time.monotonic() - began < 20
