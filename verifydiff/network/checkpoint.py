r"""Where a training keeps its state, so that a kill costs the steps since the last checkpoint and never the checkpoint.

A checkpoint is one file: a line of JSON that says what it is; then the arrays, as Equinox writes them (NumPy's own format, one
after the other, without pickle). The line holds a digest of all the rest, of what it says itself too. Equinox's serialisation was
chosen over Orbax since the state is the same on every device: it needs no further package and makes one file, which can be put in
its place whole. It is written beside that place, flushed to the disk and moved there. The last two are kept; one that is not whole
is passed over for the one before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import time
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import equinox as eqx

from ..disk import replacing
from ..verdict import MisuseError
from .preset import Padding, Prediction, Preset, Size, Weighting

KIND = "verifydiff network, version "
FORMAT = f"{KIND}2"
SUFFIX = ".checkpoint"
KEPT = 2
LONG_AGO = 600.0  # seconds


@dataclass(frozen=True)
class Plan:
    """All that the weights follow from.

    Attributes:
        preset: what is trained, on what, how.
        steps: how many the learning rate is spread over.
        batch: examples of a step.
        seed: of the weights and all draws.
    """

    preset: Preset
    steps: int
    batch: int
    seed: int

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        told: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return told

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        """From what :meth:`told` gave.

        Raises:
            KeyError, TypeError, ValueError: if it is of another version.
        """
        size: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in told["preset"]["size"].items()
        }
        preset = Preset(**told["preset"] | {"size": Size(**size)})
        for name, choice, among in (
            ("padding", preset.size.padding, Padding),
            ("prediction", preset.prediction, Prediction),
            ("weighting", preset.weighting, Weighting),
        ):
            if choice not in get_args(among):
                raise ValueError(f"no {name} is called {choice!r}")
        return cls(**told | {"preset": preset})


@dataclass(frozen=True)
class Record:
    """What was seen of a training at a step.

    Attributes:
        step: how many had been made.
        train_loss: mean loss of the steps since the record before, as it was minimised, with the luck of its draws.
        loss: expected loss of the averaged weights; None for images.
        floor: the least there is; None for images.
        excess: loss over floor, less one; None for images.
        gradient: the largest norm of a gradient since the record before.
    """

    step: int
    train_loss: float
    loss: float | None
    floor: float | None
    excess: float | None
    gradient: float


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says of itself.

    Attributes:
        plan: what is trained.
        step: how many steps had been made.
        seconds: how long they took, compiling aside.
        history: what was seen.
        passed_over: the names of newer checkpoints that are not whole.
    """

    plan: Plan
    step: int
    seconds: float
    history: tuple[Record, ...]
    passed_over: tuple[str, ...] = ()


def save(folder: Path, checkpoint: Checkpoint, state: Any) -> None:
    """Write a checkpoint, and remove all but the last two.

    Raises:
        MisuseError: if it cannot be written; those before are then still there.
    """
    arrays = BytesIO()
    eqx.tree_serialise_leaves(arrays, state)
    header = {
        "format": FORMAT,
        "plan": checkpoint.plan.told(),
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "history": [asdict(record) for record in checkpoint.history],
    }
    line = json.dumps(header | {"digest": digest(header, arrays.getbuffer())}).encode() + b"\n"
    _write(folder / f"step-{checkpoint.step:09d}{SUFFIX}", line, arrays.getbuffer())
    for old in [*_files(folder)[KEPT:], *_left_over(folder)]:
        with contextlib.suppress(OSError):
            old.unlink()


def newest(folder: Path) -> tuple[Checkpoint, bytes] | None:
    """The last whole checkpoint and its arrays, as bytes; None if the folder holds none.

    Raises:
        MisuseError: if none of those there is whole, or they are of another version.
    """
    passed_over: list[str] = []
    for path in _files(folder):
        if (found := _read(path)) is not None:
            header, arrays = found
            if _fits(checkpoint := _checkpoint(path, header, tuple(passed_over))):
                return checkpoint, arrays
        passed_over.append(path.name)
    if passed_over:
        raise MisuseError(f"no checkpoint in {folder} is whole: {', '.join(passed_over)}.")
    return None


def digest(header: dict[str, Any], arrays: bytes | memoryview) -> str:
    """Of the whole header, but for the digest in it, and of the arrays."""
    said = {name: value for name, value in header.items() if name != "digest"}
    over = hashlib.sha256(json.dumps(said, sort_keys=True).encode() + b"\n")
    over.update(arrays)
    return over.hexdigest()


def restored(arrays: bytes, like: Any) -> Any:
    """The state, from the bytes of its arrays and a skeleton of it."""
    return eqx.tree_deserialise_leaves(BytesIO(arrays), like)


def refuse_another(folder: Path, held: Plan, plan: Plan) -> None:
    """Nothing, if the folder holds this plan.

    Raises:
        MisuseError: if it holds another, with the first difference.
    """
    theirs, mine = _flat(held.told()), _flat(plan.told())
    for name in [*mine, *theirs]:
        if theirs.get(name) != mine.get(name):
            raise MisuseError(f"{folder} holds another training: its {name} is {theirs.get(name)}, not {mine.get(name)}.")


def _flat(told: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names with dots between; the name of the preset first."""
    flat: dict[str, Any] = {}
    for name, value in told.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _checkpoint(path: Path, header: dict[str, Any], passed_over: tuple[str, ...]) -> Checkpoint:
    try:
        history = tuple(Record(**record | {"step": operator.index(record["step"])}) for record in header["history"])
        return Checkpoint(Plan.of(header["plan"]), operator.index(header["step"]), float(header["seconds"]), history, passed_over)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise MisuseError(f"{path} is of another version of verifydiff: what it says of itself is not understood.") from None


def _fits(checkpoint: Checkpoint) -> bool:
    """Whether the step is one of the plan's, and the history leads up to it."""
    told = [0, *(record.step for record in checkpoint.history)]
    rising = all(before < after for before, after in pairwise(told))
    return rising and told[-1] == checkpoint.step <= checkpoint.plan.steps


def _files(folder: Path) -> list[Path]:
    """The checkpoints, the last one first."""
    return sorted(folder.glob(f"step-*{SUFFIX}"), reverse=True)


def _left_over(folder: Path) -> list[Path]:
    """What a kill has left half-written, long ago: another process may be writing now."""
    with contextlib.suppress(OSError):
        return [path for path in folder.glob(f".step-*{SUFFIX}.*") if time.time() - path.stat().st_mtime > LONG_AGO]
    return []


def _read(path: Path) -> tuple[dict[str, Any], bytes] | None:
    """The header and the arrays, if the file is whole."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MisuseError(f"{path} cannot be read: {error.strerror or error}.") from None
    line, _, arrays = content.partition(b"\n")
    try:
        header = json.loads(line)
        claimed, version = header["digest"], header["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if version != FORMAT and str(version).startswith(KIND):  # what its digest is taken of is that version's affair
        raise MisuseError(f"{path} is of another version: {str(version)[:60]!r}, not {FORMAT!r}.")
    return (header, arrays) if digest(header, arrays) == claimed else None


def _write(path: Path, *parts: Any) -> None:
    with replacing(path) as file:
        for part in parts:
            file.write(part)
