"""``verifydiff train``, as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from verifydiff.cli import main
from verifydiff.cli.devices import refuse_nonsense
from verifydiff.cli.train import EPILOG
from verifydiff.network import PRESETS, load, train
from verifydiff.verdict import MisuseError

from tiny_network import TINY  # isort: skip

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A preset that trains in no time, in a folder of its own."""
    monkeypatch.setitem(PRESETS, TINY.name, TINY)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_trains_tells_and_goes_on(tiny, capsys):
    assert main(["train", "tiny", "--seconds", "1e-9"]) == 0
    assert "goes on from step 0" in capsys.readouterr().out
    assert main(["train", "tiny", "--json", "told.json"]) == 0
    out, err = capsys.readouterr()
    assert "tiny, 20 of 20 steps: loss 0.9" in out
    assert err.count("floor 0.9445, excess ") == 4
    told = json.loads((tiny / "told.json").read_text())
    assert (told["step"], len(told["history"]), told["plan"]["preset"]["name"]) == (20, 4, "tiny")
    assert (tiny / "runs" / "tiny" / "step-000000020.checkpoint").exists()
    assert main(["train", "tiny", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert main(["train", "tiny", "--seed", "3"]) == 2
    assert "holds another training: its seed is 0, not 3" in capsys.readouterr().err


MISUSE = {
    "an unknown preset": (["train", "field-7"], "no preset is called 'field-7': give one of field-8, "),
    "no steps": (["train", "field-8", "--steps", "0"], "--steps must lie between 1"),
    "no batch": (["train", "field-8", "--batch", "-1"], "--batch must lie between 1"),
    "no time": (["train", "field-8", "--seconds", "nan"], "--seconds must be positive, got nan"),
    "a negative seed": (["train", "field-8", "--seed", "-1"], "--seed must lie between"),
    "no devices": (["train", "field-8", "--devices", "0"], "--devices must lie between"),
    "half of several processes": (["train", "field-8", "--coordinator", "localhost:1"], "--process belong together"),
    "a process too many": (
        ["train", "field-8", "--coordinator", "localhost:1", "--processes", "2", "--process", "2"],
        "--process must lie between 0 and 1, got 2",
    ),
    **{
        f"{address!r} for an address": (
            ["train", "field-8", "--coordinator", address, "--processes", "2", "--process", "0"],
            f"--coordinator takes HOST:PORT, with a port from 1 to 65535, got {address!r}.",
        )
        for address in ("foo", "foo:", ":1", "foo:port", "foo:0", "foo:65536", "foo:²", "fo o:1", "::1", "[]:1", "")
    },
    "an empty name for a folder": (["train", "field-8", "--run", ""], "the name of the folder is empty"),
    "a blank name for a folder": (["train", "field-8", "--run", " "], "the name of the folder is empty"),
    "a file for a folder": (["train", "field-8", "--run", "taken"], "taken cannot be made"),
    "a closed place for JSON": (["train", "field-8", "--json", "no/where.json"], "no/where.json cannot be written"),
}


@pytest.mark.parametrize(("arguments", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_told_in_one_line(tiny, capsys, arguments, message):
    (tiny / "taken").write_text("")
    assert main(arguments) == 2
    err = capsys.readouterr().err.splitlines()
    assert message in err[-1]
    assert not any("Traceback" in line for line in err)


@pytest.mark.parametrize("address", ["localhost:1", "10.0.0.1:65535", "[::1]:8000", "node-3.cluster:29500"])
def test_an_address_with_a_port_is_taken(address):
    refuse_nonsense(SimpleNamespace(devices=None, coordinator=address, processes=2, process=0))


def test_an_empty_name_is_no_folder_from_python_either(tiny):
    for use in (load, partial(train, TINY)):
        with pytest.raises(MisuseError, match="the name of the folder is empty"):
            use("")
    assert list(tiny.iterdir()) == []


def test_a_batch_that_the_devices_do_not_divide_is_told_before_anything_is_compiled(tmp_path):
    command = [sys.executable, "-m", "verifydiff.cli", "train", "field-8", "--devices", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert found.returncode == 2
    assert "a batch of 64 cannot be shared by 3 devices: give a multiple of 3." in found.stderr.splitlines()[-1]


def test_the_help_names_every_preset():
    assert all(name in EPILOG for name in PRESETS)
