"""Where reports are written: a file, there whole or not at all, or standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ..disk import replacing
from ..verdict import MisuseError

STDOUT = "-"


def place(where: str, option: str) -> str:
    """The place as it will be written to: ``-``, or a path that no change of folder moves. It is refused before any work is done.

    Args:
        where: what the user gave.
        option: the option it was given to, as messages call it.

    Raises:
        MisuseError: if the folder is missing or closed, or the place is a folder itself.
    """
    if where == STDOUT:
        return where
    if not where:
        raise MisuseError(f"{option} needs a file, or - for standard output.")
    try:
        path = Path(where).resolve()
        folder, parent = path.is_dir(), path.parent.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # too long, with a null byte, a loop of links
        raise MisuseError(f"{where[:80]} cannot be written: {str(error)[:80]}.") from None
    if folder:
        raise MisuseError(f"{where} is a folder; {option} needs a file, or - for standard output.")
    if not parent:
        raise MisuseError(f"{where} cannot be written: there is no folder {Path(where).parent}.")
    if not os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK):
        raise MisuseError(f"{where} cannot be written: the folder {Path(where).parent} is closed.")
    return str(path)


def write(text: str, where: str) -> None:
    """Write a text to the file, or to standard output for ``-``.

    Raises:
        MisuseError: if the file cannot be written.
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # a target's words may hold half a character
    try:
        if where == STDOUT:
            _to_standard_output(text)
            return
        path = Path(where)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a device or a pipe stays what it is
        else:
            with replacing(path) as file:
                file.write(text.encode())
    except OSError as error:
        raise MisuseError(f"{'standard output' if where == STDOUT else where} cannot be written: {error.strerror}.") from None


def _to_standard_output(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError), Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what is left in the buffer has nowhere else to go at exit
        raise
