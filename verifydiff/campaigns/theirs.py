"""A sampler of the user's own, or of another team's, by the name that ``verifydiff check`` takes, too."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..observe.libraries import LIBRARIES
from ..observe.resolve import look_up, resolve
from ..observe.target import Target
from ..samplers import Sampler
from ..schedule import Schedule


@dataclass(frozen=True)
class Theirs:
    """A sampler that is not one of ours.

    Attributes:
        name: how reports call it.
        runs: a sampler in JAX with ``init``, ``step`` and ``last``, or a target that runs on the host.
        version: what tells this code of it, and what it was told, from another; a campaign is resumed with no other.
    """

    name: str
    runs: Sampler | Target
    version: str = ""


def theirs(name: str, **options: Any) -> Theirs:
    """The sampler at ``path/file.py:name``, ``package.module:name`` or ``library:Class``.

    Args:
        name: one of these, or the path of a ``scheduler_config.json``.
        options: as :func:`verifydiff.observe.resolve` takes them. A sampler in JAX needs none.

    Raises:
        MisuseError: if there is none, or it cannot be loaded.
    """
    where = name.rpartition(":")[0]
    if where in LIBRARIES or name.endswith(".json"):
        target = resolve(name, **options)
        code = Path(name).read_bytes() if name.endswith(".json") else _version(where).encode()
        return Theirs(name, target, _digest(code, options))
    found = look_up(name)
    if isinstance(found.thing, type) and issubclass(found.thing, Sampler):
        found = found.made()
    if isinstance(found.thing, Target):
        options = {**options, "shape": None}  # it says so itself
    runs = found.thing if isinstance(found.thing, Sampler) else found.target(**options)
    return Theirs(name, runs, _digest(Path(where).read_bytes() if where.endswith(".py") else b"", options))


def _digest(code: bytes, options: dict[str, Any]) -> str:
    told = {key: value.abar.tobytes() if isinstance(value, Schedule) else value for key, value in options.items()}
    return sha256(code + repr(sorted(told.items())).encode()).hexdigest()[:16]


def _version(library: str) -> str:
    try:
        return version(LIBRARIES[library].distribution)
    except PackageNotFoundError:
        return ""
