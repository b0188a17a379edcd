"""The numbers that a sampler is set to, looked at when it is made."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from jax.core import Tracer

from ..verdict import MisuseError

LARGEST = sys.float_info.max
"""As an upper bound: whatever is finite."""


def between(name: str, value: Any, low: float, high: float) -> None:
    """Refuse a number outside [low, high].

    What has no value yet passes: tracers, and whatever a pytree holds in place of its leaves.

    Raises:
        MisuseError: if it lies outside, or is NaN, or no number.
    """
    if isinstance(value, str | bytes | bool | None):
        raise MisuseError(f"`{name}` must be a number, got {value!r}.")
    if isinstance(value, Tracer) or not (isinstance(value, int | float) or hasattr(value, "__array__")):
        return
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "fiu" or not np.all((numbers >= low) & (numbers <= high)):
        top = f"{high:g}]" if high < LARGEST else "inf)"
        interval = f"[{low:g}, {top}" if low > -LARGEST else "the real numbers"
        raise MisuseError(f"`{name}` must lie in {interval}, got {value!r}.")
