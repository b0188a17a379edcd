"""What came out for one target, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..verdict import Finding, Status, overall, plain
from .diagnosis import Explanation


class CheckFailed(AssertionError):  # noqa: N818 - a sampler that fails a check is no error of the caller
    """Raised by :meth:`Report.raise_if_failed`; the message lists what failed and why."""


@dataclass(frozen=True)
class Report:
    """What came out for one target.

    Attributes:
        target: its name.
        identified_as: the family it was found to be, in words.
        findings: the outcome of every check.
        diagnosis: the slips that explain what failed, best first.
        seconds: how long it took.
        notes: what the target says of itself.
    """

    target: str
    identified_as: str
    findings: tuple[Finding, ...]
    diagnosis: tuple[Explanation, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def status(self) -> Status:
        """``pass``, ``fail`` or ``inconclusive``."""
        return overall([finding.status for finding in self.findings])

    def to_json(self) -> dict[str, Any]:
        """The report as plain data: target, status, identified_as, findings, diagnosis."""
        return {
            "target": self.target,
            "status": str(self.status),
            "identified_as": self.identified_as,
            "findings": [finding.to_json() for finding in self.findings],
            "diagnosis": [{"slip": e.slip, "description": e.description, "residual": plain(e.residual)} for e in self.diagnosis],
        }

    def raise_if_failed(self) -> None:
        """Raise if anything failed or stayed inconclusive.

        Raises:
            CheckFailed: with a line for every such finding, and the diagnosis.
        """
        __tracebackhide__ = True  # a test shows the line that asked, and none of this
        bad = [finding for finding in self.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]
        if bad:
            lines = [f"{self.target}: {len(bad)} checks did not pass"]
            lines += [f"  {finding.check} ({finding.status}): {finding.message}" for finding in bad]
            lines += [f"  likeliest slip: {e.slip}: {e.description} (residual {e.residual:.1g})" for e in self.diagnosis[:1]]
            raise CheckFailed("\n".join(lines))


@dataclass(frozen=True)
class LibraryReport:
    """What came out for all the targets of a library.

    A target is named ``library:Class`` or ``library:Class configuration``; what stands behind the class says how it was made
    (``diffusers:DDIMScheduler steps=50 timestep_spacing=linspace``), and reports group the configurations of a class.

    Attributes:
        library: its name.
        version: the version that was judged.
        reports: what came out for every target, no two of one name.
        missing: how many targets were left when the run was interrupted.
    """

    library: str
    version: str
    reports: tuple[Report, ...]
    missing: int = 0

    @property
    def status(self) -> Status:
        """``pass``, ``fail`` or ``inconclusive``."""
        unfinished = [Status.INCONCLUSIVE] if self.missing else []
        return overall([*(report.status for report in self.reports), *unfinished])

    def to_json(self) -> dict[str, Any]:
        """The report as plain data: library, version, status, targets; where it was interrupted, how many are missing."""
        missing = {"missing": self.missing} if self.missing else {}
        return {
            **missing,
            "library": self.library,
            "version": self.version,
            "status": str(self.status),
            "targets": [report.to_json() for report in self.reports],
        }
