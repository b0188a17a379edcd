"""What a check costs, next to one plain run of the sampler it judges: run with `pytest tests/benchmarks --benchmark-enable`.

Nothing here is judged by a clock; the figures go to the documentation.
"""

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.probe import SMALL, answers
from verifydiff.observe.resolve import resolve
from verifydiff.observe.running import run

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")

CASES = [("DDIMScheduler", 50), ("DDPMScheduler", 1000)]


@pytest.mark.parametrize(("name", "steps"), CASES)
def test_a_whole_check(benchmark, name, steps):
    target = resolve(f"diffusers:{name}", steps=steps)
    report = benchmark.pedantic(vd.check, args=(target,), rounds=3, warmup_rounds=1)
    report.raise_if_failed()


@pytest.mark.parametrize(("name", "steps"), CASES)
def test_one_run_of_its_sampler(benchmark, name, steps):
    target = resolve(f"diffusers:{name}", steps=steps)
    start = np.zeros((64, 4))
    seen = benchmark.pedantic(run, args=(target, answers(0, SMALL), start, 0), rounds=3, warmup_rounds=1)
    assert seen.times.size == steps
