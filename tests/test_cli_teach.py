"""The command that serves the page to learn on."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from verifydiff.cli import main

SET = r"""
title = "A set"
[[exercise]]
id = "one"
kind = "misprint"
title = "One"
right = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon'
misprint = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \alpha_t} \epsilon'
"""


def told(capsys, *arguments):
    code = main(["teach", "--no-browser", *arguments])
    captured = capsys.readouterr()
    return code, captured.err or captured.out


def test_a_folder_that_is_not_there_is_misuse(capsys, tmp_path):
    code, said = told(capsys, "--exercises", str(tmp_path / "none"))
    assert (code, said) == (2, f"verifydiff: there is no folder {tmp_path / 'none'}.\n")


def test_a_file_in_place_of_a_folder_is_misuse(capsys, tmp_path):
    (tmp_path / "a.toml").write_text(SET)
    code, said = told(capsys, "--exercises", str(tmp_path / "a.toml"))
    assert code == 2
    assert "is a file, not a folder of exercises" in said


def test_an_empty_folder_is_misuse(capsys, tmp_path):
    code, said = told(capsys, "--exercises", str(tmp_path))
    assert code == 2
    assert "there is no exercise in" in said


def test_a_broken_file_is_misuse_in_one_line(capsys, tmp_path):
    (tmp_path / "a.toml").write_text(SET.replace('kind = "misprint"', 'kind = "misprnt"'))
    code, said = told(capsys, "--exercises", str(tmp_path))
    assert code == 2
    assert said == ("verifydiff: a.toml, exercise 1 (one): `kind` must be one of misprint, complete, derive, got 'misprnt'.\n")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none_is_misuse(capsys, port):
    assert told(capsys, f"--port={port}") == (2, f"verifydiff: --port must be from 0 to 65535, got {port}.\n")


def test_a_busy_port_is_misuse_in_one_line(capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        code, said = told(capsys, "--port", str(busy.getsockname()[1]))
    assert code == 2
    assert re.fullmatch(r"verifydiff: port \d+ cannot be used: Address already in use\. Another one: .*\n", said)


def test_exercises_can_be_checked_without_being_served(capsys, tmp_path):
    (tmp_path / "a.toml").write_text(SET)
    assert told(capsys, "--check", "--exercises", str(tmp_path)) == (0, "1 of 1 exercises are sound\n")
    (tmp_path / "a.toml").write_text(SET + 'slip = "twice"\n')
    code, said = told(capsys, "--check", "--exercises", str(tmp_path))
    assert code == 1
    assert "✗ one: the slip twice does not explain it; found: bar-lost" in said
    assert "0 of 1 exercises are sound" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_it_starts_at_once_serves_and_ends_with_ctrl_c(tmp_path):
    (tmp_path / "a.toml").write_text(SET)
    command = [sys.executable, "-m", "verifydiff.cli", "teach", "--no-browser", "--port", "0", "--exercises", str(tmp_path)]
    begun = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        line = process.stdout.readline()
        started = time.monotonic() - begun
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
            with urlopen(address, timeout=20) as page:
                assert b"verifydiff" in page.read()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert (process.returncode, out, err) == (0, "\nEnded.\n", "")
    assert started < 15
