"""The schedule that a configuration means, in float64 and by formulas of our own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...schedule import Array, Schedule
from ...verdict import MisuseError

LOWEST, HIGHEST = 0.02, 50.0
"""Noise over signal, of the two levels between which orders of convergence are measured."""


def schedule_of(name: str, config: Any) -> Schedule | None:
    """The table of levels of a class with this configuration; None where its times are indices of none."""
    if name == "ConsistencyDecoderScheduler":
        return Schedule.cosine(config.num_train_timesteps)
    if "beta_schedule" not in config or config.get("use_flow_sigmas"):
        return None
    schedule = _by_betas(config)
    shift = config.get("snr_shift_scale")
    if shift is not None and shift != 1:
        abar = schedule.abar[1:]
        shifted = abar / (shift + (1 - shift) * abar)  # the signal over the noise is divided by the shift (CogVideoX)
        schedule = Schedule(np.append(1.0, shifted), f"{schedule.name}, shifted")
    return schedule.with_zero_terminal_snr() if config.get("rescale_betas_zero_snr") else schedule


def _by_betas(config: Any) -> Schedule:
    T, kind = config.num_train_timesteps, config.beta_schedule
    if config.get("trained_betas") is not None:
        return Schedule.from_betas(np.asarray(config.trained_betas, dtype=np.float64), "trained_betas")
    if kind == "linear":
        return Schedule.linear(T, config.beta_start, config.beta_end)
    if kind == "scaled_linear":
        return Schedule.scaled_linear(T, config.beta_start, config.beta_end)
    if kind == "squaredcos_cap_v2":
        return Schedule.cosine(T)
    if kind == "sigmoid":
        ramp = 1 / (1 + np.exp(-np.linspace(-6, 6, T)))
        return Schedule.from_betas(ramp * (config.beta_end - config.beta_start) + config.beta_start, "sigmoid")
    if kind == "exp":
        return _of_ratios(lambda t: math.exp(-12 * t), T, "exp")
    if kind == "laplace":
        return _of_ratios(_laplace, T, "laplace")
    raise MisuseError(f"no closed form here knows the beta schedule {kind!r}.")


def _of_ratios(level: Callable[[float], float], timesteps: int, name: str, most: float = 0.999) -> Schedule:
    """beta_t = 1 - f(t / T) / f((t - 1) / T), at most 0.999."""
    levels = np.array([level(t / timesteps) for t in range(timesteps + 1)])
    return Schedule.from_betas(np.minimum(1 - levels[1:] / levels[:-1], most), name)


def _laplace(t: float) -> float:
    snr = math.exp(-0.5 * math.copysign(1, 0.5 - t) * math.log(1 - 2 * abs(0.5 - t) + 1e-6))
    return math.sqrt(snr / (1 + snr))


def evenly_in_log(number: int, *, below: int = 0, stride: int = 1, uneven: bool = False) -> Array:
    """So many noises over signal, from the lowest to the highest, evenly spaced in their logarithm.

    Args:
        number: how many.
        below: how many more of the same spacing there are below the lowest.
        stride: how many of them make one spacing.
        uneven: whether the spacings are in turn short and twice as long instead.
    """
    if uneven:
        places = np.cumsum([0.0, *(1.0 + (i % 2) for i in range(below + number - 1))])
        share = (places - places[below]) / (places[-1] - places[below])
        return np.asarray(LOWEST * (HIGHEST / LOWEST) ** share)
    ratio = (HIGHEST / LOWEST) ** (1 / max(number - 1, 1))
    return np.asarray(LOWEST * ratio ** (np.arange(-below, stride * number) / stride))


def betas_of(ratios: Array) -> list[float]:
    """The betas of a table of these noises over signal, 1 - abar_t / abar_{t-1} without its cancellation."""
    before = np.append(0.0, ratios[:-1])
    return [float(beta) for beta in (ratios**2 - before**2) / (1 + ratios**2)]
