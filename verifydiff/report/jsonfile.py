"""Verdicts as JSON, in a file or on standard output."""

from __future__ import annotations

import json
from typing import Any

from . import files


def write(plain: Any, where: str) -> None:
    """Write plain values as JSON to a place that :func:`files.place` found.

    Raises:
        MisuseError: if it cannot be written.
    """
    files.write(json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n", where)
