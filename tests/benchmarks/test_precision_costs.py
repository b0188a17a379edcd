"""What `tests/benchmarks/precision` measures with, its roundings to the bit; and that what is worse is measured as worse."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from benchmarks.precision.costs import TIMES, Samples, score_error
from benchmarks.precision.formats import (
    BFLOAT16,
    BFLOAT16_WEIGHTS,
    EXACT,
    FLOAT16,
    FLOAT32,
    TF32,
    TF32_CUT,
    Precision,
    bfloat16,
    by_hardware_bfloat16,
    float16,
    highest,
    plain,
    tf32,
    tf32_cut,
)
from benchmarks.precision.models import KINDS, basis, exact_model, gain
from jax import random

from verifydiff.network.data import field
from verifydiff.samplers import spaced
from verifydiff.schedule import Schedule

TABLE = Schedule.cosine(1000).abar
DRAWS = 128


@pytest.fixture(scope="module")
def law():
    return field(8)


@pytest.fixture(scope="module")
def samples(law):
    return Samples(law, TABLE, DRAWS, random.key(0))


def every_kind_of_float(rng):
    """Bit patterns of float32: any at all, few of whose last bits are set, ties, subnormals, and the special ones."""
    bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32)
    ties = (bits & np.uint32(0xFFFFE000)) | np.uint32(0x1000)
    half = (bits & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    small = bits & np.uint32(0x807FFFFF)
    special = np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 0xFF7FFFFF, 1, 0x80000001], np.uint32)
    return np.concatenate([bits, ties, half, small, special]).view(np.float32)


def to_nearest_even(x, dropped):
    """The definition, on the bits: half of the last place that stays, and a tie to where that place is even."""
    u = x.view(np.uint32).astype(np.uint64)
    carried = u + (1 << (dropped - 1)) - 1 + ((u >> dropped) & 1)
    return (carried & ~np.uint64((1 << dropped) - 1)).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize(("rounding", "dropped"), [(tf32, 13), (bfloat16, 16)], ids=["tf32", "bfloat16"])
def test_a_rounding_is_the_one_to_nearest_even_to_the_bit(rounding, dropped, rng):
    x = every_kind_of_float(rng)
    found, right = np.asarray(jax.jit(rounding)(x)), to_nearest_even(x, dropped)
    number = ~np.isnan(x)
    assert np.array_equal(found[number].view(np.uint32), right[number].view(np.uint32))
    assert np.isnan(found[~number]).all()
    assert np.array_equal(np.asarray(rounding(found[number])).view(np.uint32), found[number].view(np.uint32))


def test_roundings_are_those_that_numpy_has(rng):
    x = every_kind_of_float(rng)
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.array_equal(np.asarray(bfloat16(x)), x.astype(ml_dtypes.bfloat16).astype(np.float32), equal_nan=True)
        assert np.array_equal(np.asarray(float16(x)), x.astype(np.float16).astype(np.float32), equal_nan=True)


def test_what_is_cut_off_goes_towards_zero_and_ten_bits_stay(rng):
    x = every_kind_of_float(rng)
    cut = np.asarray(jax.jit(tf32_cut)(x))
    assert np.array_equal(cut.view(np.uint32), x.view(np.uint32) & np.uint32(0xFFFFE000))
    ten = np.float32([1 + 2**-10, -1.5, 1023 / 1024, 2**-126, 0, -np.inf])
    assert all(np.array_equal(np.asarray(one(ten)), ten) for one in (tf32, tf32_cut))
    ties = np.float32([1 + 2**-11, 1 + 3 * 2**-11, -1 - 2**-11])
    assert np.asarray(tf32(ties)).tolist() == [1, 1 + 2**-9, -1]
    assert np.asarray(tf32_cut(ties)).tolist() == [1, 1 + 2**-10, -1]


def test_an_emulated_product_of_bfloat16_is_the_one_in_bfloat16_accumulated_in_float32(rng):
    a, b = (np.asarray(bfloat16(rng.standard_normal(shape).astype(np.float32))) for shape in ((32, 64), (64, 48)))
    right = a.astype(np.float64) @ b.astype(np.float64)
    for product in (highest, by_hardware_bfloat16):
        assert np.abs(np.asarray(product(a, b)) - right).max() < 1e-5


def test_the_basis_is_one_of_ordinary_numbers(law):
    columns, spectrum = basis(law, 0)
    assert np.abs(columns.T @ columns - np.eye(64)).max() < 1e-14
    assert np.abs(columns @ (spectrum[:, None] * columns.T) - np.asarray(law.covariance_matrix)).max() < 1e-13
    error = np.asarray(bfloat16(columns.astype(np.float32))) / columns - 1
    assert 1.2e-3 < np.sqrt(np.mean(error**2)) < 2.2e-3  # 2^-8 / sqrt(3), a little less for where mantissas lie


@pytest.mark.parametrize("kind", KINDS)
def test_in_float64_the_model_is_the_oracle(law, kind):
    model = exact_model(EXACT, kind, law)
    for t in TIMES:
        abar = jnp.asarray(TABLE[t])
        x = law.diffused(abar).sample(random.key(t), (16,))
        right = np.asarray(law.eps(x, abar)).reshape(16, -1)
        worse_near_data = 1e-12 * (1 - TABLE[t]) ** -0.5  # a prediction of the data is divided by the noise that is left
        assert np.abs(np.asarray(model(x.reshape(16, -1), abar)) - right).max() < worse_near_data


@pytest.fixture(scope="module")
def errors(law):
    return {
        p.name: score_error(exact_model(p, "eps", law), law, TABLE, 256, random.key(1))
        for p in (FLOAT32, TF32, TF32_CUT, FLOAT16, BFLOAT16)
    }


def test_errors_are_of_the_size_of_the_last_place_and_in_order(errors):
    score = {name: np.array(told["score"]) for name, told in errors.items()}
    assert ((score["float32"] > 2e-8) & (score["float32"] < 5e-7)).all()
    assert ((score["tf32"] > 2**-12) & (score["tf32"] < 2**-10)).all()
    assert ((score["bfloat16"] > 2**-9) & (score["bfloat16"] < 2**-7)).all()
    in_order = [score[name] for name in ("float32", "tf32", "float16", "tf32, cut off", "bfloat16")]
    assert all((better < worse).all() for better, worse in pairwise(in_order))


def test_the_error_of_the_data_is_that_of_the_noise_over_the_signal(law, errors):
    told = errors["bfloat16"]
    for t, score, data in zip(TIMES, told["score"], told["data"], strict=True):
        size = np.sqrt(np.mean((1 - TABLE[t]) / (TABLE[t] * np.asarray(law.spectrum) + 1 - TABLE[t])))
        assert data == pytest.approx(score * size * ((1 - TABLE[t]) / TABLE[t]) ** 0.5, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_rounded_weights_are_another_linear_map_and_rounded_activations_are_noise(law, kind):
    x = np.asarray(law.diffused(jnp.asarray(TABLE[500])).sample(random.key(2), (2048,))).reshape(2048, 64).astype(np.float32)
    answers = partial(ask, jnp.asarray(x), jnp.float32(TABLE[500]))
    right = answers(exact_model(FLOAT32, kind, law))
    for precision, low, high in (
        (BFLOAT16_WEIGHTS, 0.999, 1.0),
        (Precision("activations", operand=bfloat16, kept=bfloat16), 0.0, 0.05),
    ):
        error = answers(exact_model(precision, kind, law)) - right
        left = error - x @ np.linalg.lstsq(x.astype(np.float64), error)[0]
        explained = 1 - (left**2).sum() / (error**2).sum() * 2048 / (2048 - 64)
        assert low - 0.02 < explained < high + 0.02


def ask(x, abar, model):
    return np.asarray(model(x, abar), np.float64)


def test_the_reference_itself_has_no_excess_and_does_not_move(samples):
    told = samples.told(samples.drawn(samples.exact, 10, 1.0, dtype=jnp.float64), 10, 1.0)
    assert told == {"excess": [0.0, 0.0, 0.0], "moved": 0.0}


def test_float32_ends_within_rounding_and_worse_precisions_end_further_off(samples, law):
    moved = [samples.told(samples.drawn(exact_model(p, "v", law), 50, 1.0), 50, 1.0) for p in (FLOAT32, TF32, TF32_CUT, BFLOAT16)]
    assert moved[0]["moved"] < 1e-5
    assert max(map(abs, moved[0]["excess"])) < 1e-6
    off = [one["moved"] for one in moved]
    assert all(better < worse for better, worse in pairwise(off))
    assert off[1] > 10 * off[0]
    assert 5 * off[1] < off[-1] < 0.005


def test_an_error_of_the_noise_is_blown_up_by_the_first_step_where_there_is_no_signal(samples, law):
    told = {kind: samples.told(samples.drawn(exact_model(BFLOAT16, kind, law), 10, 0.0), 10, 0.0) for kind in KINDS}
    assert told["eps"]["moved"] > 1 > 0.02 > told["x0"]["moved"] > told["v"]["moved"]
    assert told["eps"]["excess"][0] > 1
    assert told["v"]["excess"][2] < 1e-3


def test_what_is_no_number_is_told_as_none(samples):
    assert samples.told(np.full((DRAWS, 64), np.nan), 10, 0.0) == {"excess": None, "moved": None}


def by_numpy(samples, law, steps, eta):
    """DDIM written out, in float64 but for a state of NumPy's bfloat16; and the share of numbers that a step leaves alone."""
    columns, spectrum = basis(law, 0)
    levels = spaced(samples.table, steps)
    to_start, to_run = random.split(random.fold_in(samples.key, 0))
    x = np.asarray(random.normal(to_start, (DRAWS, 64), jnp.float64)).astype(ml_dtypes.bfloat16)
    drawn = jax.vmap(lambda k: random.normal(random.fold_in(to_run, k), (DRAWS, 64), jnp.float64))
    noise = np.asarray(jax.jit(drawn)(jnp.arange(steps)))
    left = 0.0
    for k, (a_t, a_s) in enumerate(pairwise(levels)):
        u = x.astype(np.float64)
        eps = (np.asarray(gain("eps", a_t, spectrum)) * (u @ columns)) @ columns.T
        x_0 = (u - np.sqrt(1 - a_t) * eps) / np.sqrt(a_t)
        sigma = eta * np.sqrt((1 - a_s) / (1 - a_t) * (1 - a_t / a_s))
        after = np.sqrt(a_s) * x_0 + np.sqrt(np.maximum(1 - a_s - sigma**2, 0)) * eps + sigma * noise[k]
        left, x = left + np.mean(after.astype(ml_dtypes.bfloat16) == x) / steps, after.astype(ml_dtypes.bfloat16)
    return x.astype(np.float64), left


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_states_in_bfloat16_stand_still_in_a_thousand_steps_without_noise(samples, law, eta):
    model = exact_model(FLOAT32, "v", law)
    whole, half = (samples.told(samples.drawn(model, 1000, eta, state), 1000, eta) for state in (plain, bfloat16))
    x, left = by_numpy(samples, law, 1000, eta)
    again = samples.told(x, 1000, eta)
    assert again["moved"] == pytest.approx(half["moved"], rel=1e-3)
    assert again["excess"][0] == pytest.approx(half["excess"][0], rel=1e-3, abs=1e-5)
    assert whole["moved"] < 1e-4
    if eta == 0:
        assert left > 0.9
        assert half["excess"][1] > 0.1
        assert half["moved"] > 0.3
    else:
        assert left < 0.1
        assert half["excess"][2] < 1e-3
        assert 0.01 < half["moved"] < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_in_bfloat16_is_the_one_that_numpy_computes_with_numbers_of_that_type(law, kind, rng):
    def half(values):
        return values.astype(np.float32).astype(ml_dtypes.bfloat16)

    columns, spectrum = basis(law, 0)
    abar, x = TABLE[500], rng.standard_normal((64, 64)).astype(np.float32)
    U, g = half(columns), half(np.asarray(gain(kind, abar, spectrum)))
    along = half(half(x).astype(np.float32) @ U.astype(np.float32))
    y = half((g * along).astype(np.float32) @ U.T.astype(np.float32)).astype(np.float64)
    s, n = np.sqrt(abar), np.sqrt(1 - abar)
    right = {"eps": y, "x0": (x - s * y) / n, "v": s * y + n * x}[kind]
    found = np.asarray(exact_model(BFLOAT16, kind, law)(jnp.asarray(x), jnp.float32(abar)))
    same = np.isclose(found, right, rtol=0, atol=1e-5)
    assert same.mean() > 0.99  # where a sum in another order falls on the other side of a tie, one answer differs in its last place
    assert np.abs(found - right).max() < 0.05
