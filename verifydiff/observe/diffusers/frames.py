r"""Which level a query is at, told in two ways that need not agree.

As the scheduler means it: from the very entry of its tables that its step is computed with. And by the time that the model is told,
from the definition of that time, with nothing of the scheduler's. The state that the model is handed is, over the
variance-exploding one with noise of scale :math:`\sigma` on the data,

.. math::
    \frac{x}{\sqrt{1 + \sigma^2}} \quad\text{(variance preserving)}, \qquad
    (1 - \sigma)\,x_0 + \sigma\,\epsilon \quad\text{(flow matching)}, \qquad
    \frac{x}{\sqrt{\sigma^2 + \sigma_{\mathrm{data}}^2}} \quad\text{(EDM, Karras et al. 2022, table 1)}.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...schedule import Array, Schedule
from ..faults import SamplerFault
from ..frame import DATA, Frame

FromSigma = Callable[[float], Frame]


class Levels(ABC):
    """Which level a scheduler is at, at a query and in the end."""

    @abstractmethod
    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about at the scheduler's time t, as the scheduler means it."""

    @abstractmethod
    def told(self, time: float) -> Frame:
        """What a state holds at a time, by the time alone."""

    @abstractmethod
    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds, as the scheduler means it."""


# -- what a state of noise scale sigma holds --------------------------------------------------------------------------------


def preserving(sigma: float) -> Frame:
    """Noise over signal sigma, variance preserving."""
    size = math.sqrt(1 + sigma**2)
    return Frame(1 / size, sigma / size)


def flow(sigma: float) -> Frame:
    """The straight path from the data to the noise."""
    if not 0 <= sigma <= 1:
        raise SamplerFault("no-level", f"the scheduler works at sigma = {sigma:g}, where a flow leaves 1 - sigma of the data.")
    return Frame(1 - sigma, sigma)


def inverted_flow(sigma: float) -> Frame:
    """The same path, sigma being the share of the data and not of the noise."""
    return flow(1 - sigma)


def preconditioned(sigma_data: float) -> FromSigma:
    """What EDM's network is handed: c_in times the variance-exploding state (Karras et al. 2022, table 1)."""
    return lambda sigma: Frame(1 / math.hypot(sigma, sigma_data), sigma / math.hypot(sigma, sigma_data))


# -- tables over array indices ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table(Levels):
    """A level for every array index, ``alphas_cumprod``; the state is variance preserving.

    Attributes:
        schedule: the table in float64, by formulas of our own.
        last: the name of the scheduler's level of what it returns; the data where it has none of that name, or there is no name.
    """

    schedule: Schedule
    last: str | None = "final_alpha_cumprod"

    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about."""
        return Frame.of_level(float(scheduler.alphas_cumprod[int(t)]))

    def told(self, time: float) -> Frame:
        """What a state holds at a time."""
        return Frame.of_level(level(self.schedule, time))

    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds."""
        return DATA if self.last is None else Frame.of_level(float(getattr(scheduler, self.last, 1.0)))


@dataclass(frozen=True)
class EndsAtFirst(Levels):
    """A table whose sampler goes as far as array index 0 and no further."""

    table: Table

    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about."""
        return self.table.asked(scheduler, t)

    def told(self, time: float) -> Frame:
        """What a state holds at a time."""
        return self.table.told(time)

    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds."""
        return Frame.of_level(float(scheduler.alphas_cumprod[0]))


@dataclass(frozen=True)
class FromBelow(Levels):
    """The way back by a table: at time t the state is taken to be at the level one stride below, and is led up to that of t.

    The data hold no noise, and no model can be asked which: the first query of a sampler that starts from them is read by its time.
    """

    table: Table

    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about."""
        below = int(t) - scheduler.config.num_train_timesteps // scheduler.num_inference_steps
        value = float(scheduler.alphas_cumprod[below] if below >= 0 else scheduler.initial_alpha_cumprod)
        return Frame.of_level(value) if value < 1 else self.table.told(float(t))

    def told(self, time: float) -> Frame:
        """What a state holds at a time."""
        return self.table.told(time)

    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds."""
        return Frame.of_level(float(scheduler.alphas_cumprod[int(scheduler.timesteps[-1])]))


# -- tables of sigmas over steps --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sigmas(Levels):
    """A sigma for every step, ``sigmas``.

    Attributes:
        state: what the state that the model is handed holds at a sigma.
        time: what a state holds at a time.
        final: what the state that is returned holds at the last sigma; as it is handed to the model where nothing is said.
        sigma: the sigma of a query, given the scheduler and its index of the step.
    """

    state: FromSigma
    time: Callable[[float], Frame]
    final: FromSigma | None = None
    sigma: Callable[[Any, int], Any] = lambda scheduler, index: scheduler.sigmas[index]

    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about."""
        return self.state(float(self.sigma(scheduler, step_index(scheduler, t))))

    def told(self, time: float) -> Frame:
        """What a state holds at a time."""
        return self.time(time)

    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds."""
        return (self.final or self.state)(float(scheduler.sigmas[-1]))


def step_index(scheduler: Any, t: Any) -> int:
    """The index of the present step; a scheduler that counts from its first step is set to it as its step would do."""
    if scheduler.step_index is None and hasattr(scheduler, "_init_step_index"):
        scheduler._init_step_index(t)
    if scheduler.step_index is not None:
        return int(scheduler.step_index)
    return int(np.argmin(np.abs(np.asarray(scheduler.timesteps, dtype=np.float64) - float(t))))  # it does not count


def midway(index_of_middle: int) -> Callable[[Any, int], Any]:
    """The sigma of a method with two stages, the second at ``sigmas_interpol`` so many entries on."""
    return lambda scheduler, index: (
        scheduler.sigmas[index] if scheduler.state_in_first_order else scheduler.sigmas_interpol[index + index_of_middle]
    )


def midpoint(scheduler: Any, index: int) -> Any:
    """The sigma of a method with two stages that keeps the second one's itself."""
    return scheduler.sigmas[index] if scheduler.state_in_first_order else scheduler.mid_point_sigma


@dataclass(frozen=True)
class Indices:
    """What a state holds at a time that is an array index, whole or not.

    Attributes:
        schedule: the table.
        log_interpolated: between two indices the logarithm of sigma is interpolated, as grids chosen in sigma (Karras and the like)
            do; else sigma itself.
    """

    schedule: Schedule
    log_interpolated: bool = False

    def __call__(self, time: float) -> Frame:
        """What a state holds at a time."""
        return Frame.of_level(self.level(time))

    def level(self, time: float) -> float:
        """abar at a time."""
        low, T = math.floor(time), self.schedule.timesteps
        if not 0 <= time <= T - 1 or time == low:
            return level(self.schedule, time) if not 0 <= time <= T - 1 else float(self.table[low])
        sigma = np.sqrt((1 - self.table[low : low + 2]) / self.table[low : low + 2])
        if self.log_interpolated:
            value = float(np.exp(np.interp(time, [low, low + 1], np.log(sigma))))
        else:
            value = float(np.interp(time, [low, low + 1], sigma))
        return 1 / (1 + value**2)

    @cached_property
    def table(self) -> Array:
        """abar at every array index. A level of 0 is an infinite sigma; the library puts 2**-24 in its place."""
        abar = self.schedule.abar[1:].copy()
        if abar[-1] == 0:
            abar[-1] = 2.0**-24
        return abar


def level(schedule: Schedule, time: float) -> float:
    """abar at a time; the nearest end of the table where the time lies outside."""
    return float(schedule.at(min(max(time, -1.0), schedule.timesteps - 1.0)))


# -- levels by a formula of the time ----------------------------------------------------------------------------------------


def quarter_log(time: float) -> Frame:
    """EDM's c_noise = log(sigma) / 4 (Karras et al. 2022, table 1)."""
    return Frame.exploding(math.exp(4 * time))


def thousand_quarter_log(time: float) -> Frame:
    """1000 log(sigma) / 4, as consistency models are told."""
    return Frame.exploding(math.exp(time / 250))


def arc(time: float) -> Frame:
    """sigma = tan(pi t / 2)."""
    return Frame(math.sin((1 - time) * math.pi / 2), math.sin(time * math.pi / 2))


def share_of(timesteps: int) -> Callable[[float], Frame]:
    """The sigma of a flow is t / T."""
    return lambda time: flow(time / timesteps)


def share_left(time: float) -> Frame:
    """The sigma of a flow is 1 - t."""
    return flow(1 - time)


@dataclass(frozen=True)
class ByTime(Levels):
    """A level by a formula of the time, and tables of no kind.

    Attributes:
        meant: what the state holds, as the scheduler computes it.
        time: the same by a formula of our own.
        final: what the returned state holds.
    """

    meant: Callable[[Any, Any], Frame]
    time: Callable[[float], Frame]
    final: Callable[[Any], Frame] = lambda scheduler: DATA

    def asked(self, scheduler: Any, t: Any) -> Frame:
        """What the state holds that the model is asked about."""
        return self.meant(scheduler, t)

    def told(self, time: float) -> Frame:
        """What a state holds at a time."""
        return self.time(time)

    def end(self, scheduler: Any) -> Frame:
        """What the returned state holds."""
        return self.final(scheduler)
