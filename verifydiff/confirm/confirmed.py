"""What every confirmation says, whatever its data are: its statements, whose the errors are, and that in one sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..verdict import Finding, Status, overall
from .budget import Budget
from .implementation import Implementation
from .plain import plain

OF_SAMPLER = frozenset({"sampler-map", "sampler-noise", "samples-of-sampler"})
"""Findings that the network has no part in."""
FINDING = ("check", "status", "message", "measured", "expected", "tolerance", "false_alarm")
"""What JSON tells of a finding."""
PICTURES = "pictures"
"""Left out of all that was measured."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Cause:
    """Whose an error is.

    Attributes:
        who: ``network`` or ``sampler``.
        what: a kebab-case name: of the slip, or of the shape of the network's error; empty where it has no name.
        description: in words.
    """

    who: str
    what: str
    description: str


@dataclass(frozen=True)
class Sentences:
    """What is said of a confirmation that did not pass.

    Attributes:
        both, network, sampler: whose the error is.
        neither: something is off, and by itself neither of them is.
        unsure: nothing is seen to be off, which may be for want of draws.
    """

    both: str
    network: str
    sampler: str
    neither: str
    unsure: str


@dataclass(frozen=True, kw_only=True)
class Confirmed(ABC):
    """What came out.

    Attributes:
        name: of what was confirmed.
        data: what it was trained on, in words.
        budget: what was drawn.
        findings: every statement.
        causes: whose the errors are; empty if there are none.
        seconds: how long each part took.
    """

    name: str
    data: str
    budget: Budget
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    SENTENCES: ClassVar[Sentences]
    MEASURED: ClassVar[tuple[str, ...]]
    """The attributes that JSON tells, beside those of every confirmation."""

    @property
    @abstractmethod
    def praise(self) -> str:
        """What is said where nothing is off."""

    @property
    def left_out(self) -> str:
        """What a larger budget would have looked at, in words; empty where that is nothing."""
        return ""

    @property
    def status(self) -> Status:
        """``pass``, ``fail`` or ``inconclusive``."""
        return overall([finding.status for finding in self.findings])

    @property
    def verdict(self) -> str:
        """Whose the error is, in one sentence."""
        match sorted({cause.who for cause in self.causes}):
            case ["network", "sampler"]:
                return self.SENTENCES.both
            case ["network"]:
                return self.SENTENCES.network
            case ["sampler"]:
                return self.SENTENCES.sampler
        if self.status is Status.FAIL:
            return self.SENTENCES.neither
        return self.SENTENCES.unsure if self.status is Status.INCONCLUSIVE else self.praise

    def to_json(self) -> dict[str, Any]:
        """Name, data, status, verdict, causes, findings, and all that was measured; pictures are left out."""
        return {
            "name": self.name,
            "data": self.data,
            "status": self.status.value,
            "verdict": self.verdict,
            "causes": [plain(cause) for cause in self.causes],
            "findings": [{key: plain(getattr(finding, key)) for key in FINDING} for finding in self.findings],
            "left_out": self.left_out,
            "budget": plain(self.budget),
            "measured": {name: _without_pictures(plain(getattr(self, name))) for name in self.MEASURED},
            "seconds": plain(self.seconds),
        }


def of_sampler(failed: set[str], sampler: Implementation) -> list[Cause]:
    """The sampler's share of what failed, by the slips that explain it; none if nothing of it did."""
    if not failed & OF_SAMPLER:
        return []
    slips = [Cause("sampler", one.slip, one.description) for one in sampler.slips]
    return slips or [Cause("sampler", "", "nothing in the catalogue of slips explains what the sampler does")]


def _without_pictures(value: Any) -> Any:
    return {name: one for name, one in value.items() if name != PICTURES} if isinstance(value, dict) else value
