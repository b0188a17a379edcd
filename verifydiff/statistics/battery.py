"""Every test that standard normal noise of shape (steps, batch, coordinates) must stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .coincidence import coincidence
from .evidence import Evidence, draws
from .independence import independence
from .moments import unit_variance, zero_mean
from .shape import extremes, kolmogorov_smirnov, tails

AXES = ("steps", "rows", "coordinates")


def standard_normal_battery(u: Any, resolution: float | None = None) -> tuple[Evidence, ...]:
    """The evidence on noise that claims to be independent and standard normal, test by test.

    Flat noise is read as one row and one coordinate over many steps, a matrix as (steps, coordinates); further axes are
    joined to the coordinates. Judge each p-value at ``rates.shared_among(len(battery)).false_alarm``. Tests along an axis
    carry its name in their id: ``independence-of-steps``.

    Args:
        u: the noise over its claimed scale.
        resolution: the spacing of the numbers that could have been drawn; see :func:`.coincidence`.
    """
    u = np.asarray(u)
    draws(u)
    u = u.reshape(-1, 1, 1) if u.ndim < 2 else u[:, None, :] if u.ndim == 2 else u.reshape(*u.shape[:2], -1)
    whole = (zero_mean(u), unit_variance(u), kolmogorov_smirnov(u), tails(u), extremes(u), coincidence(u, None, resolution))
    along = [
        _named(test(u, axis), f"of-{name}")
        for axis, name in enumerate(AXES)
        for test in (zero_mean, unit_variance, independence)
        if u.shape[axis] > 1
    ]
    twice = [_named(coincidence(u, axis, resolution), f"of-{name}") for axis, name in enumerate(AXES) if u.shape[axis] > 1]
    return (*whole, *along, *twice)


def _named(evidence: Evidence, suffix: str) -> Evidence:
    return replace(evidence, test=f"{evidence.test}-{suffix}")
