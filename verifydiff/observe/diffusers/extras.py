"""What a scheduler offers besides its steps: mixtures of data and noise, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...schedule import Array
from ..faults import SamplerFault
from ..frame import Frame
from ..target import Noising
from .frames import Sigmas
from .precision import precision

if TYPE_CHECKING:
    from .scheduler import Configuration

INVERSES = {"DDIMScheduler": "DDIMInverseScheduler", "DPMSolverMultistepScheduler": "DPMSolverMultistepInverseScheduler"}
NOT_OFFERED = {
    "RePaintScheduler": "it refers to DDPM's",
    "KarrasVeScheduler": "it is not implemented",
    "HeliosDMDScheduler": "it is a part of its step, and is seen there",
    "ScoreSdeVeScheduler": "its times are indices of another table than the sampler's",
}
"""Whose ``add_noise`` is not asked, and why."""
MOST_TIMES = 5
SAME = 1e-9


def noisings(configuration: Configuration, example: Any) -> tuple[Noising, ...]:
    """The mixtures that a class offers, at some of the times at which its told level is the one it means."""
    if configuration.name in NOT_OFFERED or configuration.batched:
        return ()
    try:
        times = _times(configuration)
    except SamplerFault:  # it works at no level at all, which its first query tells
        return ()
    if configuration.schedule is not None:
        times = tuple(time for time in times if time >= 0)
    if not times:
        return ()
    levels = configuration.levels
    offered: list[tuple[str, Callable[[float], tuple[float, float]]]] = []
    exploding = isinstance(levels, Sigmas) and levels.final == Frame.exploding

    def of_state(time: float) -> tuple[float, float]:
        frame = levels.told(time)
        return (1.0, frame.noise_over_signal) if exploding else (frame.alpha, frame.sigma)

    def of_velocity(time: float) -> tuple[float, float]:
        frame = levels.told(time).preserving
        return -frame.sigma, frame.alpha

    for name, weights in (("add_noise", of_state), ("scale_noise", of_state), ("get_velocity", of_velocity)):
        if callable(getattr(example, name, None)):
            offered.append((name, weights))
    return tuple(Noising(name, _mix(configuration, name), weights, times) for name, weights in offered)


def _times(configuration: Configuration) -> tuple[float, ...]:
    """Some of the times of the steps, each once; those that are rounded, and so tell another level than is meant, are left out."""
    scheduler = configuration.make()
    if not hasattr(scheduler, "sigmas") or not isinstance(configuration.levels, Sigmas):
        found = sorted({float(t) for t in scheduler.timesteps})
    else:
        told = [float(t) for t in scheduler.timesteps]
        with precision(wide=configuration.wide):
            meant = [configuration.levels.state(float(sigma)) for sigma in scheduler.sigmas[: len(told)]]
        found = sorted({t for t, frame in zip(told, meant, strict=False) if _same(configuration.levels.told(t), frame)})
    chosen: Any = np.unique(np.linspace(0, len(found) - 1, min(MOST_TIMES, len(found))).astype(int)) if found else []
    return tuple(found[i] for i in chosen)


def _same(one: Frame, other: Frame) -> bool:
    return abs(one.preserving.alpha - other.preserving.alpha) + abs(one.preserving.sigma - other.preserving.sigma) < SAME


def _mix(configuration: Configuration, name: str) -> Callable[[Array, Array, float], Array]:
    def mix(x0: Array, eps: Array, time: float) -> Array:
        import torch

        scheduler = configuration.make()
        with precision(wide=configuration.wide), torch.no_grad():
            rows = [] if configuration.name == "FlowMatchHeunDiscreteScheduler" else [x0.shape[0]]
            t = torch.full(rows, time, dtype=scheduler.timesteps.dtype)
            data, normal = torch.from_numpy(x0), torch.from_numpy(eps)
            if name == "scale_noise":
                return np.asarray(scheduler.scale_noise(data, t, normal).numpy())
            return np.asarray(getattr(scheduler, name)(data, normal, t).numpy())

    return mix
