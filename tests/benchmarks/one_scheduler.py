"""What one scheduler costs beyond importing torch: ``python -m tests.benchmarks.one_scheduler [ROUNDS]``.

Whole processes, ``verifydiff check diffusers:NAME`` at the number of steps that it takes where none is named. In every round the
check and the import of torch alone take turns, so that a busy machine slows both; the median of the rounds is printed, the
slowest class first.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from time import perf_counter

from verifydiff.observe.diffusers.classes import NotApplicable, schedulers

TORCH = ("-c", "import torch")


def seconds(*arguments: str) -> float:
    """What a fresh process takes; a check may find fault, and may not be misused."""
    began = perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    took = perf_counter() - began
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)
    return took


def main(rounds: int) -> None:
    """Print a line for every class."""
    table = []
    for name, found in schedulers().items():
        if isinstance(found, NotApplicable):
            continue
        check = ("-m", "verifydiff.cli", "check", f"diffusers:{name}")
        pairs = [(seconds(*TORCH), seconds(*check)) for _ in range(rounds)]
        beyond = statistics.median(whole - torch for torch, whole in pairs)
        table.append((beyond, statistics.median(whole / torch for torch, whole in pairs), name))
    for beyond, ratio, name in sorted(table, reverse=True):
        print(f"{beyond:5.2f} s beyond torch, {ratio:4.1f} times its import  {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
