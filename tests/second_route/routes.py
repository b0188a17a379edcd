"""The second route of every kind of finding, by the name of the check that it confirms or does not."""

from __future__ import annotations

from collections.abc import Callable

from . import grids, laws, orders, parabolas, running
from .asked import Asked
from .opinion import Opinion

ROUTES: dict[str, Callable[[Asked], Opinion]] = {
    "behaviour": running.behaviour,
    "clipping": laws.clipping,
    "coefficients": parabolas.coefficients,
    "exact-moments": laws.exact_moments,
    "half-precision": running.half_precision,
    "identity": grids.identity,
    "last-step": laws.last_step,
    "noise-scale": laws.noise_scale,
    "order": orders.order,
    "pairing": laws.landing,
    "point-mass": laws.point_mass,
    "precision": running.precision,
    "prediction-types": laws.prediction_types,
    "round-trip": grids.round_trip,
    "start": laws.start,
    "tables": grids.tables,
    "time-grid": grids.time_grid,
    "told-time": grids.told_time,
}
