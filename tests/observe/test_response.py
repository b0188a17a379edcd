"""The response recovers what a sampler makes of everything that it is given, whatever the method, and says what it cannot."""

import random
from dataclasses import replace

import numpy as np
import pytest
from solvers import RIGHT

from verifydiff.observe import SamplerFault, Target
from verifydiff.observe.frame import Frame
from verifydiff.observe.response import respond
from verifydiff.observe.taps import numpy_tap
from verifydiff.observe.target import Prediction

RHO = np.array([8.0, 3.0, 1.0, 0.3])
"""Noise over signal at the queries; the state is kept variance preserving."""
N, M = RHO.size, 3


def target(sample, **rest):
    return Target(
        "a map",
        sample,
        schedule=None,
        shape=(2,),
        taps=(numpy_tap(globals()),),
        prediction=Prediction.SAMPLE,
        frame=lambda rho: Frame.exploding(rho).preserving,
        **rest,
    )


def weights(seed):
    """(A, B, C) of an arbitrary causal map: state k uses answers before it, and no draws before the k-th."""
    rng = np.random.default_rng(seed)
    A, B, C = rng.uniform(0.2, 1, N + 1), rng.uniform(-2, 2, (N + 1, N)), rng.uniform(-1, 1, (N + 1, M))
    A[0] = 1
    return A, np.tril(B, -1), np.tril(C, -1)


def affine(A, B, C, normal=None, bend=lambda x: x, hidden=0.0):
    """A map with these weights; ``normal(rng, shape)`` draws, ``bend`` is done to every state that goes on."""

    def sample(denoise, x, seed):
        rng, secret = np.random.default_rng(seed), random.Random(seed)
        told, drawn = [], []
        for k in range(N + 1):
            past = [A[k] * x, *(B[k, j] * told[j] for j in range(k)), *(C[k, i] * drawn[i] for i in range(min(k, M)))]
            unseen = hidden * np.array([secret.gauss(0, 1) for _ in range(x.size)]).reshape(x.shape)
            state = bend(sum(past) + (unseen if k else 0.0))
            if k == N:
                return state
            told.append(denoise(state, RHO[k]))
            drawn.append(rng.standard_normal(x.shape) if k < M else None)
        raise AssertionError

    return target(sample)


@pytest.mark.parametrize("seed", range(5))
def test_arbitrary_weights_are_recovered_to_1e_12(seed):
    A, B, C = weights(seed)
    seen = respond(affine(A, B, C), seed=seed)
    np.testing.assert_allclose(seen.start, A, atol=1e-12)
    np.testing.assert_allclose(seen.answers, B, atol=1e-12)
    np.testing.assert_allclose(seen.draws, C, atol=1e-12)
    assert seen.affine
    assert not seen.hidden
    assert seen.queries == N
    assert seen.spread.max() < 1e-12


def test_noise_that_cannot_be_reached_drops_out_and_is_told():
    A, B, C = weights(0)
    seen = respond(affine(A, B, C, hidden=0.7))
    np.testing.assert_allclose(seen.start, A, atol=1e-12)
    np.testing.assert_allclose(seen.answers, B, atol=1e-12)
    np.testing.assert_allclose(seen.draws, C, atol=1e-12)
    assert seen.affine
    assert seen.hidden
    assert seen.spread[0] < 1e-12
    assert (seen.spread[1:] > 0.3).all()


def thresholded(x):
    """Dynamic thresholding: what is divided by depends on the sample."""
    return x / np.maximum(0.3, np.quantile(np.abs(x), 0.9, axis=1, keepdims=True))


BENT = {
    "clipped": lambda x: np.clip(x, -0.5, 0.5),
    "thresholded": thresholded,
    "normalised": lambda x: x / np.linalg.norm(x, axis=1, keepdims=True),
    "squared": lambda x: x + 1e-3 * x**2,
    "mixed over the batch": lambda x: x + 1e-3 * x.mean(axis=0),
    "branching on the sign": lambda x: np.where(x > 0, x, 0.9 * x),
    "multiplied by its rows": lambda x: x * (1 + 1e-3 * x[:, ::-1]),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_what_is_no_affine_map_is_told_by_what_is_left_over(bend):
    A, B, C = weights(1)
    seen = respond(affine(A, B, 0 * C, bend=bend))
    assert not seen.affine
    assert seen.residual.max() > 1e-7


def test_a_constant_that_is_added_is_affine_and_stays_unexplained():
    A, B, C = weights(2)
    seen = respond(affine(A, B, C, bend=lambda x: x + 0.25))
    np.testing.assert_allclose(seen.answers, B, atol=1e-12)
    assert seen.affine
    assert seen.spread.max() > 0.1


def test_a_grid_that_depends_on_the_data_is_none():
    def sample(denoise, x, seed):
        rho = 4.0
        while rho > 0.1:
            x0 = denoise(x, rho)
            rho = rho * (0.5 + 0.1 * float(np.tanh(x0.mean() * 3)))
            x = 0.5 * (x + x0)
        return x

    with pytest.raises(SamplerFault, match="it has no grid") as fault:
        respond(target(sample))
    assert fault.value.kind == "no-grid"


def test_one_query_more_where_the_data_are_large_is_no_grid():
    def sample(denoise, x, seed):
        x0 = denoise(x, 2.0)
        return denoise(x0, 1.0) if np.abs(x - X[: len(x)]).max() > 0.01 else x0

    X = np.random.default_rng(0).standard_normal((1, 2))
    with pytest.raises(SamplerFault, match="it has no grid"):
        respond(target(sample))


def test_single_precision_tells_its_unit_and_the_weights_are_good_to_it():
    A, B, C = weights(3)
    seen = respond(affine(A, B, C, bend=lambda x: x.astype(np.float32)))
    assert seen.unit == 2.0**-24
    assert seen.affine
    np.testing.assert_allclose(seen.answers, B, atol=1e-5)
    assert np.abs(seen.answers - B).max() > 1e-10


def test_several_states_drawn_at_once_are_as_many_draws():
    def sample(denoise, x, seed):
        z = np.random.default_rng(seed).standard_normal((2, *x.shape))
        return denoise(x, 1.0) + 0.5 * z[0] - 0.25 * z[1]

    np.testing.assert_allclose(respond(target(sample)).draws, [[0, 0], [0.5, -0.25]], atol=1e-13)


def test_noise_before_the_first_query_is_a_weight_of_the_first_state():
    def sample(denoise, x, seed):
        z = np.random.default_rng(seed).standard_normal(x.shape)
        return denoise(0.6 * x + 0.8 * z, 1.0)

    seen = respond(target(sample))
    np.testing.assert_allclose(seen.start, [0.6, 0], atol=1e-13)
    np.testing.assert_allclose(seen.draws, [[0.8], [0]], atol=1e-13)
    assert not seen.hidden


def test_the_levels_are_those_that_are_meant():
    def sample(denoise, x, seed):
        return denoise(x, 3.0, at=Frame(0.5, 0.5))

    seen = respond(target(sample))
    assert seen.alpha == pytest.approx([0.5**0.5, 1])
    assert seen.sigma == pytest.approx([0.5**0.5, 0])
    assert seen.run.told[0].noise_over_signal == pytest.approx(3)


@pytest.mark.parametrize("frame", ["exploding", "flow"])
def test_states_are_kept_variance_preserving_whatever_the_frame(frame):
    """Euler's steps are one method in every frame, x_0 held: the weights of two frames are the same."""
    rho = [5.0, 1.0, 0.2, 0.0]
    reference = respond(RIGHT["euler"].on(rho))
    seen = respond(RIGHT["euler" if frame == "exploding" else "flow-euler"].on(rho))
    np.testing.assert_allclose(seen.start, reference.start, atol=1e-12)
    np.testing.assert_allclose(seen.answers, reference.answers, atol=1e-12)
    alpha = 1 / np.hypot(1, rho)
    np.testing.assert_allclose(seen.alpha, alpha, atol=1e-14)


def test_a_run_out_of_time_is_a_fault():
    A, B, C = weights(0)
    with pytest.raises(SamplerFault) as fault:
        respond(affine(A, B, C), timeout=0.0)
    assert fault.value.kind == "out-of-time"


def test_the_seed_of_the_probe_changes_nothing_of_the_weights():
    one, other = (respond(replace(RIGHT["sde-dpm-2m"].target(), name=str(seed)), seed=seed) for seed in (0, 1))
    for part in ("start", "answers", "draws"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), atol=1e-12)


def counted(one):
    """The target, and a list that grows by the number of rows of every run."""
    rows = []

    def sample(denoise, x, seed):
        rows.append(x.shape[0])
        return one.sample(denoise, x, seed)

    return replace(one, sample=sample), rows


@pytest.mark.parametrize(("hidden", "runs"), [(0.0, 2), (1e-11, 3), (0.7, 3)])
def test_a_run_of_rows_that_are_not_moved_is_made_where_they_may_hold_noise_that_cannot_be_reached(hidden, runs):
    A, B, C = weights(0)
    watched, rows = counted(affine(A, B, C, hidden=hidden))
    seen = respond(watched)
    np.testing.assert_allclose(seen.answers, B, atol=1e-12)  # which noise of 1e-11 in the weights would not be within
    assert len(rows) == runs


@pytest.mark.parametrize("bend", [np.tanh, lambda x: x + 0.3])
def test_a_run_of_rows_that_are_not_moved_is_made_where_there_are_bends_or_constants(bend):
    watched, rows = counted(affine(*weights(0), bend=bend))
    respond(watched)
    assert len(rows) == 3


@pytest.mark.parametrize("name", ["euler", "heun", "ab-3"])
@pytest.mark.parametrize("prediction", Prediction)
@pytest.mark.parametrize(("off", "runs"), [(0, 1), (1, 3), (-1, 3), (-5, 3)])
def test_a_guess_of_the_number_of_queries_saves_a_run_and_changes_not_a_bit(name, prediction, off, runs):
    one = replace(RIGHT[name].target().on_log_grid(12), prediction=prediction)  # another method by another reading, affine as well
    plain = respond(one)
    watched, rows = counted(one)
    guessed = respond(watched, queries=plain.queries + off)
    assert len(rows) == runs
    for part in ("start", "answers", "residual", "spread"):
        np.testing.assert_array_equal(getattr(guessed, part), getattr(plain, part))
    for part in ("x", "times", "answers"):
        np.testing.assert_array_equal(getattr(guessed.run, part), getattr(plain.run, part))


def test_noise_and_less_than_double_precision_are_seen_in_two_runs_whatever_was_guessed():
    for one in (affine(*weights(0)), affine(*weights(0)[:2], 0 * weights(0)[2], bend=lambda x: x.astype(np.float32))):
        plain, watched = respond(one), counted(one)[0]
        guessed = respond(watched, queries=plain.queries)
        for part in ("start", "answers", "draws", "residual", "spread"):
            np.testing.assert_array_equal(getattr(guessed, part), getattr(plain, part))


def test_what_a_sampler_does_wrong_is_told_alike_with_a_guess():
    def sample(denoise, x, seed):
        denoise(x, 7)
        raise ValueError("no more")

    said = set()
    for queries in (None, 1, 5):
        with pytest.raises(SamplerFault) as fault:
            respond(target(sample), queries=queries)
        said.add(str(fault.value))
    assert len(said) == 1
