"""The same numbers whatever the layout, and after whatever happens to the process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

TARGETS = Path(__file__).with_name("targets.py")
ROOT = TARGETS.parents[2]


def start(*arguments, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XLA_FLAGS": flags, "JAX_ENABLE_X64": "0"}
    command = [sys.executable, str(TARGETS), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def alone():
    """The campaign on one device, uninterrupted."""
    return told(start())


def test_it_decides_before_it_has_drawn_what_a_fixed_test_needs(alone):
    assert {test[1] for test in alone["tests"].values()} == {"equal within the resolution"}
    assert 50_000 < alone["draws"] < 700_000


def test_three_devices_give_the_same_numbers(alone):
    assert told(start(devices=3)) == alone


def test_two_processes_of_four_devices_give_the_same_numbers(alone, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = ("--coordinator", f"127.0.0.1:{port}", "--processes", 2, "--store", tmp_path / "count.npz")
    both = [start(*common, "--process", process, devices=4) for process in range(2)]
    assert [told(process) for process in both] == [alone, alone]
    assert told(start("--store", tmp_path / "count.npz")) == alone  # and one process goes on from where two have stopped


def test_a_kill_at_any_moment_loses_no_count_and_counts_nothing_twice(alone, tmp_path):
    store = tmp_path / "count.npz"
    for _ in range(2):
        process = start("--store", store, "--slow", 0.05)
        until = time.monotonic() + 600
        before = store.stat().st_mtime_ns if store.exists() else 0
        while (not store.exists() or store.stat().st_mtime_ns == before) and time.monotonic() < until:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert told(start("--store", store)) == alone


def test_more_draws_can_be_asked_for_later(tmp_path):
    store = tmp_path / "count.npz"
    assert told(start("--store", store, "--draws", 10_000))["draws"] == 12_288
    assert told(start("--store", store, "--draws", 20_000)) == told(start("--draws", 20_000))
