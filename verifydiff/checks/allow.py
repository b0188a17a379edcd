"""Known deviations that are kept on purpose, each with its reason.

An allow file is TOML:

.. code-block:: toml

    [[allow]]
    check = "pairing"                      # the id of the check
    target = "diffusers:DDIMScheduler"     # optional; all targets without it
    reason = "golden sums of released models depend on it"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from ..verdict import Finding, MisuseError, Status
from .report import Report


@dataclass(frozen=True)
class Allowed:
    """One entry: the check whose failure is allowed, why, and on which target (all where it is empty)."""

    check: str
    reason: str
    target: str = ""


def load_allowed(path: Path) -> tuple[Allowed, ...]:
    """The entries of an allow file.

    Raises:
        MisuseError: if it cannot be read, an entry lacks its check or its reason, or has a key that means nothing.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MisuseError(f"there is no file {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MisuseError(f"{path} cannot be read as TOML: {error}.") from None
    entries = content.get("allow", [])
    if not isinstance(entries, list) or set(content) - {"allow"}:
        raise MisuseError(f"{path} must hold [[allow]] tables and nothing else.")
    return tuple(_entry(entry, path, i + 1) for i, entry in enumerate(entries))


def _entry(entry: object, path: Path, number: int) -> Allowed:
    if not isinstance(entry, dict) or not all(isinstance(value, str) and value.strip() for value in entry.values()):
        raise MisuseError(f"{path}, entry {number}: check, reason and target must be strings that say something.")
    if unknown := set(entry) - {"check", "reason", "target"}:
        raise MisuseError(f"{path}, entry {number}: {', '.join(sorted(unknown))} means nothing here.")
    for key in ("check", "reason"):
        if key not in entry:
            raise MisuseError(f"{path}, entry {number}: {key} is missing.")
    return Allowed(**entry)


def apply_allowed(report: Report, allowed: tuple[Allowed, ...]) -> Report:
    """The report with allowed failures marked, and a note on every entry that no longer has a failure to allow."""
    if not allowed:
        return report
    mine = {entry.check: entry for entry in allowed if entry.target in ("", report.target)}
    used: set[str] = set()
    findings: list[Finding] = []
    for finding in report.findings:
        if finding.status is Status.FAIL and finding.check in mine:
            used.add(finding.check)
            findings.append(
                replace(finding, status=Status.ALLOWED, message=f"{finding.message} Allowed: {mine[finding.check].reason}")
            )
        else:
            findings.append(finding)
    stale = [entry for entry in mine.values() if entry.check not in used]
    findings += [
        Finding("allow", Status.NOTE, f"{entry.check} is allowed to fail ({entry.reason}) and no longer does.") for entry in stale
    ]
    return replace(report, findings=tuple(findings))
