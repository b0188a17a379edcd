"""What a second route says of a failure."""

from __future__ import annotations

from dataclasses import dataclass

Z = 6.0
"""How many standard errors are no chance: two-sided 2e-9 for one number, and all cases look at some 2000."""


@dataclass(frozen=True)
class Opinion:
    """Whether the library departs, and what was measured, and what was expected of it."""

    departs: bool
    words: str
