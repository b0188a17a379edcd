"""The numbers that a sampler is set to, looked at when it is made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax.core import Tracer

from ..verdict import MisuseError


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
    if not np.all((numbers >= low) & (numbers <= high)):
        interval = f"[{low:g}, {high:g}]" if high < math.inf else f"[{low:g}, inf)"
        raise MisuseError(f"`{name}` must lie in {interval}, got {value!r}.")
