r"""What a field for mathematics writes, in the LaTeX that notes are written in.

MathLive marks what it understands: :math:`\mleft(` for a bracket that grows, ``\differentialD`` for the d of a differential,
``\placeholder{}`` where nothing has been typed yet, and leaves empty indices behind. None of these is LaTeX that people write.
"""

from __future__ import annotations

import re

from ..verdict import MisuseError

LONGEST = 2000  # characters of a formula; the longest of the shipped exercises has 160
MARKED = {
    "mleft": r"\left",
    "mright": r"\right",
    "differentialD": "d",
    "exponentialE": "e",
    "imaginaryI": "i",
    "bigm": "",
    "lvert": "|",
    "rvert": "|",
    "vert": "|",
}
_COMMAND = re.compile(r"\\(" + "|".join(sorted(MARKED, key=len, reverse=True)) + r")(?![a-zA-Z])")
_PLACEHOLDER = re.compile(r"\\placeholder(?![a-zA-Z])")
_EMPTY = re.compile(r"[_^]\{\s*\}")
_LEADING = re.compile(r"^\s*&?\s*=\s*")


def plain(latex: str) -> str:
    """The formula without the field's own marks.

    Raises:
        MisuseError: if it is longer than 2,000 characters, or something in it is still to be typed.
    """
    if len(latex) > LONGEST:
        raise MisuseError(f"a formula has at most {LONGEST} characters here, this one has {len(latex)}.")
    if _PLACEHOLDER.search(latex):
        raise MisuseError("something is still to be filled in.")
    latex = _COMMAND.sub(lambda found: MARKED[found[1]] + " " * (not found[1].startswith("m")), latex)
    return _EMPTY.sub("", latex).strip()


def side(latex: str) -> str:
    """A line of a derivation, which may be written with its sign of equality or without."""
    return _LEADING.sub("", plain(latex))
