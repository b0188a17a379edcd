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
        steps: how many steps it is told to take; None leaves it at what it takes by itself.
        eta: the scale of the noise that it is told, where it takes one.
        reason: why it cannot be judged, in a clause; None where it can.
        method: what tells one method from another: options that leave the order of convergence as it is are left out.
    """

    library: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    steps: int | None = None
    eta: float | None = None
    reason: str | None = None
    method: str = ""

    @property
    def target(self) -> str:
        """What ``verifydiff check`` is given, before the options."""
        return f"{self.library}:{self.name}"

    def __str__(self) -> str:
        told = {"steps": self.steps, "eta": self.eta}
        options = {**{key: value for key, value in told.items() if value is not None}, **self.config}
        return " ".join([self.target, *(f"{key}={value}" for key, value in options.items())])
