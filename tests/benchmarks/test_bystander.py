"""What the plugin costs a test run that has no use for it: run with `pytest tests/benchmarks --benchmark-enable`.

Whole processes, `pytest --collect-only` on an empty file, with the plugin and without. To print the ratio, of rounds that take
turns: `python tests/benchmarks/test_bystander.py`. Nothing here is judged by a clock; the figures go to the documentation.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = {"without": (), "with": ("-p", "verifydiff.plugin")}
ROUNDS = 40


def collect(folder, options):
    """One run in a fresh process; this checkout's plugin is named, and whatever else is installed stays out."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options, "test_empty.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout + done.stderr  # no tests collected


def empty(folder):
    (folder / "test_empty.py").write_text("")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


@pytest.mark.parametrize("plugin", OPTIONS)
def test_collecting_an_empty_file(benchmark, plugin, tmp_path):
    benchmark.pedantic(collect, args=(empty(tmp_path), OPTIONS[plugin]), rounds=ROUNDS, warmup_rounds=2)


def main() -> None:
    """Print the medians and the median of the ratios, round by round."""
    with tempfile.TemporaryDirectory() as name:
        folder = empty(Path(name))
        seconds = {plugin: [] for plugin in OPTIONS}
        for _ in range(ROUNDS):
            for plugin, options in OPTIONS.items():
                began = perf_counter()
                collect(folder, options)
                seconds[plugin].append(perf_counter() - began)
    ratio = statistics.median(a / b for a, b in zip(seconds["with"], seconds["without"], strict=True))
    print({plugin: f"{statistics.median(times) * 1e3:.0f} ms" for plugin, times in seconds.items()}, f"ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
