"""The run that a report tells of: how to do it again, and what it was done with."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata

from ... import __version__

JUDGES = ("numpy", "scipy", "torch", "jax", "diffusers")
"""Packages that a verdict may depend on; those that the run has loaded are told."""


@dataclass(frozen=True)
class Run:
    """How a report came about.

    Attributes:
        command: the shell command that makes it again.
        seed: of the run.
        false_alarm: the declared rate of the whole run.
        date: when it was.
        versions: of what took part, by name.
        seconds: how long it took in all.
        commands: the shell command for one target of a library, by the target's name, where that is known.
    """

    command: str
    seed: int
    false_alarm: float
    date: str
    versions: Mapping[str, str]
    seconds: float
    commands: Mapping[str, str] = field(default_factory=dict)


def this_run(
    command: str,
    *,
    seed: int,
    false_alarm: float,
    seconds: float,
    packages: Iterable[str] = (),
    commands: Mapping[str, str] | None = None,
) -> Run:
    """A run that ends now, in this process; ``packages`` are told besides those that are always of interest."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Run(command, seed, false_alarm, now, versions(packages), seconds, commands or {})


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Versions of what this process runs on and has loaded."""
    told = {"verifydiff": __version__, "Python": platform.python_version()}
    for name in dict.fromkeys([*JUDGES, *packages]):
        if sys.modules.get(name) is not None:
            try:
                told[name] = metadata.version(name)
            except (metadata.PackageNotFoundError, ValueError):  # a module of the user's own
                continue
    told["system"] = f"{platform.system()} {platform.machine()}"
    return told
