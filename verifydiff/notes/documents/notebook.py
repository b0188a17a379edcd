"""Jupyter notebooks: the cells of Markdown, each read by itself; a line is counted within its cell."""

from __future__ import annotations

import json
from typing import Any

from ...verdict import MisuseError
from . import markdown
from .document import Part


def read(text: str, file: str) -> tuple[dict[str, Any], tuple[Part, ...]]:
    """The notebook as it stands in the file, and its cells of Markdown.

    Raises:
        MisuseError: if it is no notebook.
    """
    raw = _json(text, file)
    cells = raw.get("cells")
    if not isinstance(cells, list):
        raise MisuseError(f"{file} is no notebook of Jupyter: it has no list of cells.")
    return raw, tuple(
        markdown.read(source(cell), number)
        for number, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown"
    )


def source(cell: dict[str, Any]) -> str:
    """The text of a cell, which is stored as one string or as a list of lines."""
    lines = cell.get("source", "")
    text = "".join(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else lines
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""


def _json(text: str, file: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise MisuseError(f"{file} is no notebook of Jupyter: line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError):
        raise MisuseError(f"{file} is no notebook of Jupyter: it is nested too deeply, or holds a number too long.") from None
    if not isinstance(raw, dict):
        raise MisuseError(f"{file} is no notebook of Jupyter: it holds no object.")
    return raw
