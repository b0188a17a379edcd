"""What the plugin costs a test run that has no use for it: run with `pytest tests/benchmarks --benchmark-enable`.

Whole processes, `pytest --collect-only` on an empty file, with the plugin and with one that is an empty file: to name any plugin
by hand has pytest look through all that is installed, which is no cost of this one. To print the ratio, of rounds that take turns:
`python tests/benchmarks/test_bystander.py`. Nothing here is judged by a clock; the figures go to the documentation.
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
PLUGINS = {"an empty plugin": "nothing", "this one": "verifydiff.plugin"}
ROUNDS = 40


def collect(folder, plugin):
    """One run in a fresh process; the plugin is named, and whatever else is installed stays out."""
    path = os.pathsep.join([str(ROOT), str(folder)])
    chosen = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": plugin, "PYTHONPATH": path}
    environment = {**os.environ, **chosen}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # pytest keeps the modules that it has rewritten
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "test_empty.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout + done.stderr  # no tests collected


def empty(folder):
    (folder / "test_empty.py").write_text("")
    (folder / "nothing.py").write_text("")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


@pytest.mark.parametrize("plugin", PLUGINS)
def test_collecting_an_empty_file(benchmark, plugin, tmp_path):
    benchmark.pedantic(collect, args=(empty(tmp_path), PLUGINS[plugin]), rounds=ROUNDS, warmup_rounds=2)


def main() -> None:
    """Print the medians and the median of the ratios, round by round."""
    with tempfile.TemporaryDirectory() as name:
        folder = empty(Path(name))
        seconds = {which: [] for which in PLUGINS}
        for _ in range(ROUNDS):
            for which, plugin in PLUGINS.items():
                began = perf_counter()
                collect(folder, plugin)
                seconds[which].append(perf_counter() - began)
    ratio = statistics.median(a / b for a, b in zip(seconds["this one"], seconds["an empty plugin"], strict=True))
    print({which: f"{statistics.median(times) * 1e3:.0f} ms" for which, times in seconds.items()}, f"ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
