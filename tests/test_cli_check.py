"""`verifydiff check` as a user meets it: exit codes, JSON, one line for every mistake of his own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from verifydiff.cli import main

SAMPLERS = """
import numpy as np
from dataclasses import dataclass

T = 100
BETAS = np.linspace(1e-3, 0.2, T)
ABAR = np.cumprod(1 - BETAS)

@dataclass
class Settings:
    steps: int = 10

def right(denoise, x, seed):
    times = [99, 74, 49, 24]
    for k, t in enumerate(times):
        here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
        eps = denoise(x, t)
        x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
    return x

def wrong(denoise, x, seed):
    print("something")
    for t in (99, 49):
        here, there = ABAR[t], ABAR[48] if t == 99 else 1.0
        eps = denoise(x, t)
        x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there) * eps
    return x

number = 3
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("betas.npy", np.linspace(1e-3, 0.2, 100))
    Path("samplers.py").write_text(SAMPLERS)
    return "samplers.py"


def command(capsys, *arguments):
    code = main(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_right_sampler_exits_with_0_and_says_little(file, capsys):
    code, out, _ = command(capsys, f"{file}:right", "--schedule", "betas.npy")
    assert code == 0
    assert "PASS" in out
    assert "seen to be: DDIM(eta = 0)" in out
    assert len(out.splitlines()) < 15


def test_a_wrong_sampler_exits_with_1_and_names_the_slip(file, capsys):
    code, out, _ = command(capsys, f"{file}:wrong", "--schedule", "betas.npy", "--family", "ddim", "--eta", "0")
    assert code == 1
    assert "FAIL" in out
    assert "likeliest slip: end-one-early" in out


def test_json_on_standard_output_is_json_and_nothing_else(file, capsys):
    code, out, err = command(capsys, f"{file}:wrong", "--schedule", "betas.npy", "--json", "-")
    assert code == 1
    report = json.loads(out)
    assert set(report) == {"target", "status", "identified_as", "findings", "diagnosis"}
    assert report["status"] == "fail"
    assert report["target"] == f"{file}:wrong"
    keys = {"check", "status", "message", "measured", "expected", "tolerance", "false_alarm"}
    assert all(set(finding) == keys for finding in report["findings"])
    statuses = {"pass", "fail", "inconclusive", "note", "allowed", "not_applicable"}
    assert {finding["status"] for finding in report["findings"]} <= statuses
    assert report["diagnosis"]
    assert all(set(explanation) == {"slip", "description", "residual"} for explanation in report["diagnosis"])
    assert "something" in err


def test_json_goes_to_a_file_beside_the_screen(file, capsys):
    code, out, _ = command(capsys, f"{file}:right", "--schedule", "betas.npy", "--json", "report.json")
    assert code == 0
    assert "PASS" in out
    assert json.loads(Path("report.json").read_text())["status"] == "pass"


def test_an_allowed_failure_passes_with_its_reason_and_a_stale_entry_is_said(file, capsys):
    entries = "".join(
        f'[[allow]]\ncheck = "{check}"\nreason = "old samples depend on it"\n'
        for check in ("pairing", "coefficients", "exact-moments", "family", "seed")
    )
    Path("allow.toml").write_text(entries)
    code, out, _ = command(
        capsys, f"{file}:wrong", "--schedule", "betas.npy", "--family", "ddim", "--allow", "allow.toml", "--json", "-"
    )
    assert code == 0
    findings = json.loads(out)["findings"]
    assert {finding["check"] for finding in findings if finding["status"] == "allowed"} == {
        "pairing",
        "coefficients",
        "exact-moments",
    }
    stale = [finding["message"] for finding in findings if finding["check"] == "allow"]
    assert len(stale) == 2
    assert all("no longer does" in message for message in stale)


MISUSE = [
    (["nothing"], "names no target"),
    (["missing.py:sample"], "there is no file missing.py"),
    (["samplers.py:absent"], "has no 'absent'; it has Settings, right, wrong"),
    (["samplers.py:number"], "is int, not a function"),
    (["broken.py:sample"], "broken.py, line 2"),
    (["raising.py:sample"], "raising.py cannot be imported: ValueError: at import"),
    (["no.such.module:sample"], "no.such.module cannot be imported"),
    (["samplers.py:right", "--schedule", "cubic"], "no schedule is called 'cubic'"),
    (["samplers.py:right", "--schedule", "none.npy"], "there is no file none.npy"),
    (["samplers.py:right", "--schedule", "bad.npy"], "must lie in (0, 1)"),
    (["samplers.py:right", "--schedule", "nan.npy"], "nan"),
    (["samplers.py:right", "--schedule", "empty.npy"], "non-empty"),
    (["samplers.py:right", "--schedule", "text.npy"], "is not a NumPy table"),
    (["samplers.py:right", "--schedule", "betas.npy", "--timesteps", "50"], "holds 100 betas"),
    (["samplers.py:right", "--timesteps", "0"], "`timesteps`"),
    (["samplers.py:right", "--family", "heun"], "no family is called 'heun'"),
    (["samplers.py:right", "--family", "ddpm", "--eta", "0.5"], "has no eta"),
    (["samplers.py:right", "--eta", "0.5"], "--eta belongs to --family ddim"),
    (["samplers.py:right", "--family", "ddim", "--eta", "1.5"], "[0, 1]"),
    (["samplers.py:right", "--family", "ddim", "--eta", "nan"], "[0, 1]"),
    (["samplers.py:right", "--steps", "0"], "--steps must be at least 1"),
    (["samplers.py:right", "--steps", "2000"], "`steps` must lie between 1 and"),
    (["samplers.py:right", "--shape", "3x"], "--shape takes sizes"),
    (["samplers.py:right", "--seed", "-1"], "--seed must not be negative"),
    (["samplers.py:right", "--timeout", "0"], "--timeout must be positive"),
    (["samplers.py:right", "--config", "a=1"], "--config goes to a library's scheduler"),
    (["samplers.py:right", "--allow", "none.toml"], "there is no file none.toml"),
    (["samplers.py:right", "--allow", "bad.toml"], "reason is missing"),
    (["samplers.py:right", "--json", "no/such/folder.json"], "there is no folder"),
    (["samplers.py:right", "--schedule", "header.npy"], "header.npy cannot be read as a NumPy table"),
    (["samplers.py:right", "--shape", "99999x99999"], "a state has 1 to 1,048,576 numbers"),
    (["samplers.py:right", "--shape", "x".join("1" * 69)], "on at most 32 axes"),
    (["samplers.py:right", "--timeout", "nan"], "--timeout must be positive"),
    (["samplers.py:right", "--seed", "99999999999999999999999"], "--seed must be at most"),
    (["samplers.py:right", "--json", ""], "--json needs a file"),
    (["samplers.py:right", "--json", "a" * 300], "cannot be written"),
    (["base.py:sample"], "base.py cannot be imported: KeyboardInterrupt"),
    (["leaving.py:sample"], "leaving.py cannot be imported: its code ends the process: os._exit(0)"),
    (["binary.py:sample"], "binary.py: source code string cannot contain null bytes"),
    (["lookup.py:sample"], "'sample' of lookup.py cannot be looked up: RuntimeError: no sample"),
    (["a" * 5000 + ".py:sample"], "cannot be opened"),
    (["a" * 5000 + ".json"], "cannot be read"),
    (["nested.json"], "is no JSON"),
    (["broken.json"], "is no JSON"),
    (["absent.json"], "there is no file absent.json"),
]


@pytest.mark.parametrize(("arguments", "says"), MISUSE, ids=[" ".join(arguments)[:60] for arguments, _ in MISUSE])
def test_misuse_is_one_clear_line_and_exit_code_2(file, capsys, arguments, says):
    Path("broken.py").write_text("x = 1\ndef sample(:\n")
    Path("raising.py").write_text("raise ValueError('at import')\n")
    Path("bad.toml").write_text('[[allow]]\ncheck = "seed"\n')
    Path("broken.json").write_text("{")
    np.save("bad.npy", np.array([0.1, 1.5, 0.2]))
    np.save("nan.npy", np.array([0.1, np.nan]))
    np.save("empty.npy", np.array([]))
    Path("text.npy").write_text("hello")
    Path("header.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((\n  ")
    Path("base.py").write_text("raise KeyboardInterrupt\n")
    Path("leaving.py").write_text("import os\nos._exit(0)\n")
    Path("binary.py").write_bytes(b"\xff\xfe\x00bad")
    Path("lookup.py").write_text("def __getattr__(name): raise RuntimeError('no ' + name)\n")
    Path("nested.json").write_text("[" * 100_000)
    code, out, err = command(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("verifydiff: ")
    assert err.count("\n") == 1
    assert says in err


def test_a_target_whose_library_is_missing_says_how_to_install_it():
    code = (
        "import sys; sys.modules['diffusers'] = None; sys.modules['diffusers.schedulers'] = None\n"
        "from verifydiff.cli import main; sys.exit(main(['check', 'diffusers:DDIMScheduler']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'verifydiff[diffusers]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_inconclusive_alone_exits_with_3(tmp_path, monkeypatch, capsys):
    """Noise that cannot be reached, in a batch that may not grow: its scale stays unsaid."""
    from verifydiff.checks import noise

    monkeypatch.setattr(noise, "MOST_ROWS", 64)
    monkeypatch.chdir(tmp_path)
    Path("hidden.py").write_text(
        "import random\nimport numpy as np\nABAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))\n"
        "def sample(denoise, x, seed):\n"
        "    draw = random.Random(seed)\n"
        "    for t, there in ((999, ABAR[499]), (499, 1.0)):\n"
        "        sigma = np.sqrt((1 - there) / (1 - ABAR[t]) * (1 - ABAR[t] / there))\n"
        "        eps = denoise(x, t)\n"
        "        z = np.array([draw.gauss(0, 1) for _ in range(x.size)]).reshape(x.shape)\n"
        "        x0 = (x - np.sqrt(1 - ABAR[t]) * eps) / np.sqrt(ABAR[t])\n"
        "        x = np.sqrt(there) * x0 + np.sqrt(1 - there - sigma**2) * eps + sigma * z\n"
        "    return x\n"
    )
    code, out, _ = command(capsys, "hidden.py:sample", "--json", "-")
    assert code == 3
    assert json.loads(out)["status"] == "inconclusive"


RIGHT = """
import os, sys, time, numpy as np
ABAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
{at_import}
def sample(denoise, x, seed):
    {before}
    eps = denoise(x, 999)
    return (x - np.sqrt(1 - ABAR[999]) * eps) / np.sqrt(ABAR[999])
"""


def start(folder, *arguments, at_import="", before="pass"):
    """The command in a process of its own, on a right sampler that does something else besides."""
    (folder / "target.py").write_text(RIGHT.format(at_import=at_import, before=before))
    command = [sys.executable, "-m", "verifydiff.cli", "check", "target.py:sample", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def process(folder, *arguments, **does):
    started = start(folder, *arguments, **does)
    out, err = started.communicate(timeout=600)
    return subprocess.CompletedProcess([], started.returncode, out, err)


@pytest.mark.parametrize(
    "does",
    [
        "print('hello')",
        "os.write(1, b'hello')",
        "sys.__stdout__.write('hello')",
        "sys.stdout.close()",
        "sys.stdout = sys.stderr = None",
        "sys.path.clear()",
        "sys.modules['json'] = None",
        "sys.setrecursionlimit(100)",
        "os.fork() or exit(5)",
    ],
)
@pytest.mark.parametrize("when", ["at_import", "before"])
def test_nothing_that_a_target_does_to_its_process_reaches_the_report(tmp_path, does, when):
    done = process(tmp_path, "--json", "-", **{when: does})
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "pass")


def test_a_target_that_changes_the_folder_does_not_move_the_report(tmp_path):
    for when in ("at_import", "before"):
        assert process(tmp_path, "--json", "here.json", **{when: "os.chdir('/')"}).returncode == 0
        assert json.loads((tmp_path / "here.json").read_text())["status"] == "pass"
        (tmp_path / "here.json").unlink()


LOOPS = {
    "at import": {"at_import": "while True: time.sleep(0.01)"},
    "without the alarm": {"before": "import signal; signal.setitimer(signal.ITIMER_REAL, 0)\n    while True: time.sleep(0.01)"},
    "deaf to the alarm": {"before": "while True:\n        try: time.sleep(0.01)\n        except BaseException: pass"},
}


def test_what_no_exception_can_stop_is_given_up_in_one_line_and_nothing_is_written(tmp_path):
    running = {}
    for name, loop in LOOPS.items():
        (tmp_path / name).mkdir()
        running[name] = start(tmp_path / name, "--timeout", "0.5", "--json", "report.json", **loop)
    for name, started in running.items():
        out, err = started.communicate(timeout=600)
        assert (name, started.returncode, out) == (name, 3, "")
        assert err.startswith("verifydiff: given up")
        assert err.count("\n") == 1
        assert [path.name for path in (tmp_path / name).iterdir() if path.suffix == ".json"] == []


def test_a_sampler_that_ends_the_process_has_failed_and_the_report_is_written(tmp_path):
    done = process(tmp_path, "--json", "report.json", at_import="from os import _exit", before="_exit(0)")
    assert done.returncode == 1
    assert "the sampler ended the process" in done.stdout
    (finding,) = json.loads((tmp_path / "report.json").read_text())["findings"]
    assert (finding["check"], finding["status"]) == ("behaviour", "fail")
    assert "before it asked the model: os._exit(0)" in finding["message"]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a device that is always full")
def test_a_report_that_cannot_be_written_is_an_error_and_the_device_stays_one(tmp_path):
    done = process(tmp_path, "--json", "/dev/full")
    assert (done.returncode, done.stderr) == (2, "verifydiff: /dev/full cannot be written: No space left on device.\n")
    assert Path("/dev/full").is_char_device()


def test_a_function_may_import_its_neighbour_when_it_is_called(tmp_path):
    (tmp_path / "neighbour.py").write_text("number = 1\n")
    assert process(tmp_path, before="import neighbour").returncode == 0
