"""A function that is told its levels: ``sample(denoise, x_init, seed, *, abar)``.

``abar`` holds the levels of a table, ``abar[t]`` for t = 0..N-1, the noisiest last; the function visits every one of them, from
t = N - 1 down to 0, and goes on to the data. It can be asked for any table, and so for its order of convergence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..schedule import Schedule, grid
from .target import Target

LOWEST, HIGHEST = 0.02, 50.0
"""Noise over signal at the ends of the tables that are evenly spaced in its logarithm."""
CHURN = 4.0
"""The most churn of steps that are refined. By Karras et al. 2022, algorithm 2, noise is added by ``S_churn / N`` of its level at
every step, and never by more than 0.41: where that bound holds, steps do not get smaller as they get more."""


def takes_levels(sample: Callable[..., Any]) -> bool:
    """Whether the function has an argument ``abar`` that must be given, and by name."""
    try:
        parameter = inspect.signature(sample).parameters.get("abar")
    except Exception:  # an object may answer no questions
        return False
    return parameter is not None and parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty


def refinable(
    make: Callable[[Callable[..., Any], Schedule], Target], sample: Callable[..., Any], schedule: Schedule, steps: int | None
) -> Target:
    """The function as a target, on the schedule or on so many levels of it, that can be asked for other tables.

    Args:
        make: the target of a function that needs no levels, and the schedule that its times are indices of.
        sample: the function.
        schedule: the schedule it claims.
        steps: how many steps it is to take; all levels of the schedule where nothing is said.
    """

    def on(table: Schedule) -> Target:
        return make(partial(sample, abar=np.array(table.abar[1:])), table)

    own = on(schedule if steps is None else thinned(schedule, steps))
    return _each(own, lambda n: on(in_log(np.ones(n - 1))), lambda n: on(in_log(1.0 + np.arange(n - 1) % 2)))


def _each(target: Target, even: Callable[[int], Target], uneven: Callable[[int], Target]) -> Target:
    """The target, and what it is tried over otherwise, with both kinds of grids."""
    otherwise = None if target.otherwise is None else _each(target.otherwise, even, uneven)
    return replace(target, on_log_grid=even, on_uneven_grid=uneven, otherwise=otherwise)


def thinned(schedule: Schedule, steps: int) -> Schedule:
    """So many levels of a schedule, by the trailing spacing, as a table of their own."""
    return Schedule(np.append(1.0, schedule.abar[1:][grid(schedule.timesteps, steps, "trailing")[::-1]]), schedule.name)


def in_log(lengths: np.ndarray[Any, Any]) -> Schedule:
    """A table whose noise over signal goes from the lowest to the highest in steps of these lengths, in its logarithm."""
    share = np.append(0.0, np.cumsum(lengths)) / max(lengths.sum(), 1.0)
    ratio = LOWEST * (HIGHEST / LOWEST) ** share
    return Schedule(np.append(1.0, 1 / (1 + ratio**2)), "even in the logarithm of noise over signal")
