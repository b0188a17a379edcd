"""Findings as plain data."""

from __future__ import annotations

import json
from enum import IntEnum

import numpy as np
import pytest

from verifydiff.verdict import Finding, Status, plain


class Three(IntEnum):
    IT = 3


PLAIN = {
    "None": (None, None),
    "a word": ("a", "a"),
    "a status": (Status.FAIL, "fail"),
    "a truth": (True, True),
    "a number": (0.5, 0.5),
    "a number of NumPy's": (np.float32(0.5), 0.5),
    "an integer of NumPy's": (np.int64(3), 3),
    "an integer with a name": (Three.IT, 3),
    "half precision": (np.float16(0.5), 0.5),
    "NaN": (float("nan"), "nan"),
    "NumPy's infinity": (-np.float64(np.inf), "-inf"),
    "a nested tuple": ((1, (np.float64(2.5), float("inf"))), [1, [2.5, "inf"]]),
    "anything else": (1j, "1j"),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN.keys())
def test_values_become_what_json_holds(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == expected


def test_a_finding_becomes_plain_without_its_details():
    finding = Finding("mean", Status.PASS, "right", np.float64(0.1), (0, 1), float("inf"), 1e-6, {"x": object()})
    assert finding.to_json() == {
        "check": "mean",
        "status": "pass",
        "message": "right",
        "measured": 0.1,
        "expected": [0, 1],
        "tolerance": "inf",
        "false_alarm": 1e-6,
    }
