"""Outcomes and verdicts.

A verdict says of one claim what came out and on what evidence. It is a value: it is never true or false by itself
("inconclusive" is neither), and nothing in it decides what a caller does about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from numbers import Integral, Real
from typing import Any


class Proof(StrEnum):
    """What can come out of an attempt to prove a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


class Status(StrEnum):
    """What can come out of a check.

    A ``NOTE`` is a property of the chosen method with its size, not a mistake; ``ALLOWED`` is a known deviation that
    its owner keeps on purpose, with a reason.
    """

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOTE = "note"
    ALLOWED = "allowed"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of one check.

    Attributes:
        check: the stable kebab-case id of the question that was asked.
        status: the outcome.
        message: one sentence for a person: what was found, and where.
        measured: the number (or short table) that was observed, if there is one.
        expected: what the closed form says it should have been.
        tolerance: how far the two may lie apart: a rounding bound, or what follows from the error rates.
        false_alarm: the probability with which right input would have been failed; 0 where nothing is random.
        details: the evidence in full, for reports that draw it.
    """

    check: str
    status: Status
    message: str
    measured: Any = None
    expected: Any = None
    tolerance: float | None = None
    false_alarm: float = 0.0
    details: dict[str, Any] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The finding as plain data, without its details."""
        keys = ("check", "status", "message", "measured", "expected", "tolerance", "false_alarm")
        return {key: plain(getattr(self, key)) for key in keys}


def plain(value: Any) -> Any:
    """As JSON holds it: numbers of Python's own, and no NaN or infinity, which JSON does not know; the rest as text."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if isfinite(value) else str(float(value))
    return str(value)


def overall(statuses: list[Status]) -> Status:
    """The status of a whole from the statuses of its parts: ``FAIL`` before ``INCONCLUSIVE`` before ``PASS``."""
    for decisive in (Status.FAIL, Status.INCONCLUSIVE):
        if decisive in statuses:
            return decisive
    return Status.PASS


EXIT_OK, EXIT_FAILED, EXIT_MISUSE, EXIT_INCONCLUSIVE = 0, 1, 2, 3


def exit_code(status: Status) -> int:
    """The process exit code that goes with an overall status."""
    return {Status.FAIL: EXIT_FAILED, Status.INCONCLUSIVE: EXIT_INCONCLUSIVE}.get(status, EXIT_OK)


class MisuseError(ValueError):
    """The caller's own mistake, told in one line; the command prints it without a traceback and exits with 2."""
