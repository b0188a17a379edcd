"""The samplers at speed, next to the random generator alone: run with `pytest tests/benchmarks --benchmark-enable`.

Nothing here is judged by a clock; the ratios within a round are printed by `python -m tests.benchmarks.sampling`. What is judged
is that the runs that are timed do the same work.
"""

import numpy as np
import pytest
from sampling import SIZES, VARIANCE, diffusers_loop, floor, means, ours

from verifydiff.samplers import DDIM, DDPM

SMALL = {2: 16_384, 64: 2_048}


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("name", ["floor", "DDPM", "DDIM(0)"])
def test_draws_of_a_mixture(benchmark, d, name):
    sampled = {"DDPM": DDPM(), "DDIM(0)": DDIM()}
    run = ours(sampled[name], d, SMALL[d]) if name in sampled else floor(d, SMALL[d])
    benchmark.pedantic(run, args=(0,), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("name", ["DDPM", "matrix", "plain"])
def test_what_is_timed_samples_the_mixture(d, name):
    """Every draw belongs to one of the means: its squared distance, over the variance, is a chi-squared variable on d degrees.

    By its mean, within six of its standard errors and what fifty steps leave.
    """
    if name != "DDPM":
        pytest.importorskip("diffusers", reason="the loop beside it is diffusers'")
    run = ours(DDPM(), d, 4096) if name == "DDPM" else diffusers_loop(d, 4096, plain=name == "plain")
    apart = ((run(0)[:, None] - means(d)[None]) ** 2).sum(-1).min(1) / VARIANCE / d
    assert abs(apart.mean() - 1) < 6 * np.sqrt(2 / d / 4096) + 0.1
