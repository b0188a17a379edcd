"""A file of notes: found, decoded, and read by the reader of its kind."""

from __future__ import annotations

from pathlib import Path

from ...verdict import MisuseError
from .document import Document, Kind

LARGEST = 8 * 2**20
"""Bytes of a file of notes: some two hundred times a long paper."""
KINDS = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mdx", ".qmd", ".rmd", ".myst", ".txt", ""), Kind.MARKDOWN),
    **dict.fromkeys((".tex", ".latex", ".ltx"), Kind.LATEX),
    ".ipynb": Kind.NOTEBOOK,
}


def read(path: str) -> Document:
    """Read a file.

    Raises:
        MisuseError: if it is missing, a folder, too large, not UTF-8, or of no kind that is read.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise MisuseError(f"{path} is neither Markdown (.md), LaTeX (.tex) nor a notebook (.ipynb).")
    return read_text(_decoded(path), path, KINDS[suffix])


def read_text(text: str, file: str = "page.md", kind: Kind = Kind.MARKDOWN) -> Document:
    """Read a text as a file of that kind would be.

    Raises:
        MisuseError: if it is to be a notebook and is none.
    """
    from . import markdown, notebook, tex

    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if kind is Kind.NOTEBOOK:
        raw, cells = notebook.read(text, file)
        return Document(file, kind, cells, raw, newline)
    part = tex.read(text) if kind is Kind.LATEX else markdown.read(text)
    return Document(file, kind, (part,), newline=newline)


def _decoded(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise MisuseError(f"{path} is a folder; name the files in it.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MisuseError(f"{path[:200]} cannot be read: {reason}.") from None
    if len(content) > LARGEST:
        raise MisuseError(f"{path} is larger than {LARGEST // 2**20} MiB, more than any page of notes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MisuseError(f"{path} is not UTF-8: line {line} holds the byte 0x{content[error.start]:02x}.") from None
