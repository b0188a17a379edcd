"""Records: what a benchmark or a confirmation found, with all that it takes to find it again.

A record is a JSON file under ``docs/records``: what was measured, the command, when, of which commit, on which machine, with which
versions and seed, and the results. The pages of the documentation quote records, and tests read the pages against them.

Where the checkout has no history (a copy on another machine), the environment variable ``GIT_COMMIT`` names the commit.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
FOLDER = HOME / "docs" / "records"
CHANGED, UNKNOWN = "+", "unknown"
"""After a commit from which files differ; and in place of one that nobody knows."""
PACKAGES = ("verifydiff", "numpy", "scipy", "jax", "jaxlib", "jax-cuda13-plugin", "numpyro", "equinox", "optax", "torch", "triton")


def record(what: str, results: dict[str, Any], *, seed: int | None = None) -> dict[str, Any]:
    """The results with where they come from: this process, this commit, this machine."""
    return {
        "what": what,
        "command": command(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions()},
        "seed": seed,
        "results": results,
    }


def write(made: dict[str, Any], path: Path) -> None:
    """Put a record in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """The record of that name in the documentation."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def command() -> str:
    """What this process was started with, as one would write it."""
    told = [Path(sys.orig_argv[0]).name.rstrip("0123456789."), *sys.orig_argv[1:]]
    return shlex.join(told)


def commit() -> str:
    """The commit of this checkout, with ``+`` where files differ from it, those apart that hold records."""
    if told := os.environ.get("GIT_COMMIT"):
        return told
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/records")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return head + CHANGED if changed else head


def machine() -> dict[str, Any]:
    """The accelerators that JAX sees, and the processor."""
    told: dict[str, Any] = {"processor": _processor(), "cores": len(os.sched_getaffinity(0))}
    if (jax := sys.modules.get("jax")) is not None:
        device = jax.devices()[0]
        told |= {"platform": device.platform, "device": device.device_kind, "devices": jax.device_count()}
    return told


def versions() -> dict[str, str]:
    """Of the packages that are installed, whether or not they were used."""
    told = {}
    for name in PACKAGES:
        try:
            told[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return told


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=HOME, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
