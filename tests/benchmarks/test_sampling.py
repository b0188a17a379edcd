"""The samplers at speed, next to the random generator alone: run with `pytest tests/benchmarks --benchmark-enable`.

Nothing here is judged by a clock; the ratios within a round are printed by `python -m tests.benchmarks.sampling`. What is judged
is that the runs that are timed do the same work.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from sampling import LEVELS, SIZES, VARIANCE, diffusers_loop, floor, means, ours

from verifydiff.oracles import DiagonalGaussian, law_after, steps
from verifydiff.samplers import DDIM, DDPM

SMALL = {2: 16_384, 64: 2_048}  # draws that are timed
DRAWS = {2: 16_384, 64: 4_096}  # draws whose law is looked at


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("name", ["floor", "DDPM", "DDIM(0)"])
def test_draws_of_a_mixture(benchmark, d, name):
    sampled = {"DDPM": DDPM(), "DDIM(0)": DDIM()}
    run = ours(sampled[name], d, SMALL[d]) if name in sampled else floor(d, SMALL[d])
    benchmark.pedantic(run, args=(0,), rounds=3, warmup_rounds=1)


def spread(run, d):
    """The mean squared distance of draws from the nearest of the means, over that of the data, and its standard error.

    Were components far apart, it would be a chi-squared variable on d degrees, over d, times the bias of fifty steps.
    """
    apart = ((run(0)[:, None] - means(d)[None]) ** 2).sum(-1).min(1) / VARIANCE / d
    return apart.mean(), np.sqrt(2 / d / len(apart))


def test_what_is_timed_ends_where_the_oracle_says():
    """In 64 dimensions, where components are far apart: each is a Gaussian of its own."""
    end = law_after(DiagonalGaussian(jnp.zeros(1), jnp.array([VARIANCE])), LEVELS, steps.ddpm())
    measured, error = spread(ours(DDPM(), 64, 4096), 64)
    assert abs(measured - float(end.variance[0]) / VARIANCE) < 6 * error


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("plain", [False, True], ids=["matrix", "plain"])
def test_the_loops_that_are_timed_sample_the_same_law(d, plain):
    pytest.importorskip("diffusers", reason="the loop beside it is diffusers'")
    mine, error = spread(ours(DDPM(), d, DRAWS[d]), d)
    assert abs(spread(diffusers_loop(d, DRAWS[d], plain=plain), d)[0] - mine) < 6 * np.sqrt(2) * error
