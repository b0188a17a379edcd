"""What precision costs: ``python -m tests.benchmarks.precision``, from the root of the repository, on a CPU or a GPU.

``--json docs/records/precision-cpu.json`` writes the record, and ``--page`` then makes the page ``docs/precision.md`` of it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import jax

sys.path.insert(0, str(Path(__file__).parents[2]))  # where `records` and `benchmarks` are, as pytest has it

import records
from benchmarks.precision.measuring import SEED, measured
from benchmarks.precision.page import PAGE, page

from verifydiff.confirm.budget import BLOCKS
from verifydiff.network.run import load


def numbers(kind: Any) -> Any:
    """A comma-separated list, for argparse."""
    return lambda told: tuple(kind(one) for one in told.split(","))


def main() -> None:
    """The command."""
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.precision", description=__doc__)
    parser.add_argument("--side", type=int, default=8, help="of the field, in points (default: 8; 32 for a GPU)")
    parser.add_argument("--draws", type=int, default=2048, help="of each S and eta, a multiple of 32 (default: 2048)")
    parser.add_argument("--steps", type=numbers(int), default=(10, 50, 250, 1000), help="S (default: 10,50,250,1000)")
    parser.add_argument("--etas", type=numbers(float), default=(0.0, 1.0), help="of DDIM (default: 0,1)")
    parser.add_argument("--run", help="the folder of a training on such a field, to be looked at too")
    parser.add_argument("--network-steps", type=numbers(int), default=(10, 50), help="S for that network (default: 10,50)")
    parser.add_argument("--network-draws", type=int, default=1024, help="draws of that network (default: 1024)")
    parser.add_argument("--json", type=Path, help="where the record is written")
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the page from its record")
    told = parser.parse_args()
    if told.page:
        PAGE.write_text(page(records.read("precision-cpu")), encoding="utf-8")
        print(f"wrote {PAGE}")
        return
    if told.draws % BLOCKS or told.network_draws % BLOCKS:
        parser.error(f"draws come in multiples of {BLOCKS}")
    run = None if told.run is None else load(told.run)
    if run is not None and not run.preset.data.startswith("field:"):
        parser.error(f"{run.preset.name} is no field: where its samples should end is not known exactly")
    found = measured(told.side, told.draws, told.steps, told.etas, run, told.network_steps, told.network_draws)
    if told.json:
        records.write(records.record("what precision costs", found, seed=SEED), told.json)
        print(f"wrote {told.json}")


main()
