"""Verdicts as JSON, in a file or on standard output; a file is there whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..verdict import MisuseError

STDOUT = "-"


def check_writable(where: str) -> None:
    """Refuse a place that cannot be written to before any work is done for it.

    Raises:
        MisuseError: if the folder is missing or closed, or the place is a folder itself.
    """
    path = Path(where)
    if where == STDOUT:
        return
    if path.is_dir():
        raise MisuseError(f"{path} is a folder; --json needs a file, or - for standard output.")
    if not path.parent.is_dir():
        raise MisuseError(f"{path} cannot be written: there is no folder {path.parent}.")
    if not os.access(path.parent, os.W_OK):
        raise MisuseError(f"{path} cannot be written: the folder {path.parent} is closed.")


def write(plain: Any, where: str) -> None:
    """Write plain values as JSON to the file, or to standard output for ``-``.

    Raises:
        MisuseError: if the file cannot be written.
    """
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if where == STDOUT:
        sys.stdout.write(text)
        return
    check_writable(where)
    path = Path(where)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except OSError as error:
        raise MisuseError(f"{path} cannot be written: {error.strerror}.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
