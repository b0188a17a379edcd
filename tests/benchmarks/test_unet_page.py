"""What the page of benchmarks tells of the UNet is what the record shows."""

from __future__ import annotations

from pathlib import Path

import records

RESULTS = records.read("unet-cpu")["results"]
PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
TRAINING, SAMPLING = RESULTS["training"], RESULTS["sampling_50"]


def test_a_row_of_the_table_is_the_record():
    taken = " | ".join(f"{1e3 * TRAINING[side]['median']:.3g} ms" for side in ("jax", "torch"))
    ratio = f"{TRAINING['torch_over_jax']['median']:.2f}"
    assert f"| a step of training, {TRAINING['batch']} examples | {taken} | {ratio} |" in PAGE


def test_and_the_other():
    taken = f"{SAMPLING['jax']['median']:.2f} s | {SAMPLING['torch']['median']:.3g} s"
    ratio = f"{SAMPLING['torch_over_jax']['median']:.2f}"
    assert f"| {SAMPLING['steps']} steps of DDIM, {SAMPLING['batch']} images | {taken} | {ratio} |" in PAGE


def test_the_words_beside_it_are_too():
    found = RESULTS["agreement"]
    assert f"within {found['float32']:.1e} in float32".replace("e-07", "e-7") in PAGE
    rounding = f"{found['bfloat16_jax']:.1f} (JAX) and {found['bfloat16_torch']:.1f} (PyTorch) times $2^{{-8}}$"
    assert rounding in PAGE
    assert f"{found['bfloat16_apart']:.1f} times from each other" in PAGE
    assert SAMPLING["jax"]["program"] == {"trip_counts": [49], "asks_the_host": []}
