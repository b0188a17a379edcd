"""What a library has, listed: what can be judged with which options, and what cannot, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Listed:
    """One sampler of a library's with one choice of options.

    Attributes:
        library: how ``verifydiff check`` calls the library.
        name: how the library calls the sampler.
        config: the options.
        reason: why it cannot be judged, in a clause; None where it can.
    """

    library: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def target(self) -> str:
        """What ``verifydiff check`` is given, before the options."""
        return f"{self.library}:{self.name}"

    def __str__(self) -> str:
        return " ".join([self.target, *(f"{key}={value}" for key, value in self.config.items())])
