"""What the page of benchmarks tells of the UNet is what the record shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import records

RESULTS = records.read("unet-cpu")["results"]
PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
TRAINING, SAMPLING = RESULTS["training"], RESULTS["sampling_50"]


@pytest.mark.parametrize(
    "row",
    [
        f"| a step of training, {TRAINING['batch']} examples | {1e3 * TRAINING['jax']['median']:.3g} ms | "
        f"{1e3 * TRAINING['torch']['median']:.3g} ms | {TRAINING['torch_over_jax']['median']:.2f} |",
        f"| {SAMPLING['steps']} steps of DDIM, {SAMPLING['batch']} images | {SAMPLING['jax']['median']:.2f} s | "
        f"{SAMPLING['torch']['median']:.3g} s | {SAMPLING['torch_over_jax']['median']:.2f} |",
    ],
    ids=["training", "sampling"],
)
def test_a_row_of_the_table_is_the_record(row):
    assert row in PAGE


def test_the_words_beside_it_are_too():
    found = RESULTS["agreement"]
    assert f"within {found['float32']:.1e} in float32".replace("e-07", "e-7") in PAGE
    rounding = f"{found['bfloat16_jax']:.1f} (JAX) and {found['bfloat16_torch']:.1f} (PyTorch) times $2^{{-8}}$"
    assert rounding in PAGE
    assert f"{found['bfloat16_apart']:.1f} times from each other" in PAGE
    assert SAMPLING["jax"]["program"] == {"trip_counts": [49], "asks_the_host": []}
