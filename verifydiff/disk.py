"""Files: what cannot be read is refused in one clear line, and what is written is there whole or not at all, by one at a time."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .verdict import MisuseError

try:
    import fcntl
except ImportError:  # only where there is POSIX
    fcntl = None  # type: ignore[assignment]

LARGEST_JSON = 64 * 2**20  # bytes
MOST_SAID = 200  # letters of a path, or of what is wrong with it, that go into a line


def read_json(path: Path) -> Any:
    """What a file of JSON says.

    Raises:
        MisuseError: if it is not there, cannot be read, is no JSON in UTF-8, or is larger than ``LARGEST_JSON``.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_JSON + 1)
    except FileNotFoundError:
        raise MisuseError(f"there is no file {_said(path)}.") from None
    except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
        raise MisuseError(f"{_said(path)} cannot be read: {_reason(error)}.") from None
    if len(content) > LARGEST_JSON:
        raise MisuseError(f"{_said(path)} is larger than the {LARGEST_JSON >> 20} MiB that a file of JSON may take.")
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MisuseError(f"{_said(path)} is no JSON: {_said(error)}.") from None


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of ``path`` when all is written and flushed to the disk.

    It is made beside its place and moved there: at any moment ``path`` is the last whole one. Whatever is raised meanwhile leaves
    that one as it was. The file may be read by whom the umask lets read.

    Raises:
        MisuseError: if it cannot be written.
    """
    beside = None
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(path)
    except BaseException as error:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise MisuseError(f"{_said(path)} cannot be written: {_reason(error)}.") from None
        raise


def folder_named(name: str | os.PathLike[str]) -> Path:
    """The folder of this name, there or not.

    Raises:
        MisuseError: for an empty name, which would be the current folder; that one is ``.``.
    """
    if not os.fspath(name).strip():
        raise MisuseError("the name of the folder is empty; the current one is called '.'.")
    return Path(name)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether no other process holds this file; if so, this one does, until the end of the block or its own, even by a kill.

    The file is made if it is not there, and stays, empty: the system keeps who holds it, and nothing in it. Where the system keeps
    no such thing, or not of this file, nobody is known to hold it.
    """
    handle = _opened(path)
    try:
        yield handle is None or _taken(handle)
    finally:
        if handle is not None:
            os.close(handle)


def _opened(path: Path) -> int | None:
    with suppress(OSError):
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    return None


def _taken(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or _said(error)


def _said(what: object) -> str:
    return " ".join(str(what).split())[:MOST_SAID]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
