"""A confirmation as plain values, as JSON holds them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from .confirmation import Confirmation

FINDING = ("check", "status", "message", "measured", "expected", "tolerance", "false_alarm")
"""What is told of a finding."""
MEASURED = ("denoising", "spectra", "sampling", "flow", "guided", "likelihood")
"""What is told of a confirmation on data with known answers, beside its head."""
PICTURES = "pictures"
"""Left out of all that was measured."""


def to_json(confirmation: Confirmation) -> dict[str, Any]:
    """Name, data, status, verdict, causes, findings, and all that was measured; pictures are left out."""
    return told(confirmation, {name: getattr(confirmation, name) for name in MEASURED}, confirmation.budget.left_out)


def told(confirmation: Any, measured: dict[str, Any], left_out: str = "") -> dict[str, Any]:
    """A confirmation of any kind, and what it measured, by name."""
    return {
        "name": confirmation.name,
        "data": confirmation.data,
        "status": confirmation.status.value,
        "verdict": confirmation.verdict,
        "causes": [plain(cause) for cause in confirmation.causes],
        "findings": [{key: plain(getattr(finding, key)) for key in FINDING} for finding in confirmation.findings],
        "left_out": left_out,
        "budget": plain(confirmation.budget),
        "measured": {name: _without_pictures(plain(value)) for name, value in measured.items()},
        "seconds": plain(confirmation.seconds),
    }


def _without_pictures(value: Any) -> Any:
    return {name: one for name, one in value.items() if name != PICTURES} if isinstance(value, dict) else value


def plain(value: Any) -> Any:
    """Lists, dicts, numbers and words; of what JSON has no number for, its name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else str(float(value))
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    return value if value is None or isinstance(value, bool | int) else str(value)
