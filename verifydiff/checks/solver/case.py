"""A solver's case: its response beside what it claims, and its responses on ever finer grids."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...forms.solvers import Solver
from ...observe import Observation, SamplerFault, Target
from ...observe.faults import one_line
from ...observe.probe import affine_within
from ...observe.response import NUDGE, Response, respond
from ...schedule import Array
from ...statistics import ErrorRates
from ..case import SINGLE, Contract
from .convergence import STEPS
from .multistep import Seen, seen_in

WEIGHTS = 8.0
"""Roundings of a state by which each of the weights may be off, times the length of a nudge."""
TABLES = 2.0**4
"""How many roundings of single precision a table in it may be off, each of the size of what a state is summed of."""
LANDS = 2.0**10
"""How many roundings a state may be off where it lands, each of the size of what it is summed of."""


@dataclass(frozen=True)
class SolverCase:
    """What is known of a solver.

    Attributes:
        observation: what the probe saw in its first runs.
        contract: what was claimed.
        solver: the solver that it is judged as.
        response: its response on its own grid.
        rates: the error rates of one statistical test.
        seed: of the probe.
        deadline: the value of ``time.monotonic()`` at which all is broken off.
    """

    observation: Observation
    contract: Contract
    solver: Solver
    response: Response
    rates: ErrorRates
    seed: int
    deadline: float

    @property
    def target(self) -> Target:
        """The sampler."""
        return self.observation.target

    @cached_property
    def bound(self) -> Array:
        """(N + 1,): what rounding may do to a state of unit predictions, a unit start and unit noise."""
        return LANDS * self.response.rounding

    @cached_property
    def single(self) -> Array:
        """(N + 1,): what tables in single precision may do to such a state."""
        return np.asarray(TABLES * SINGLE * self.response.sizes)

    @property
    def has_grid(self) -> bool:
        """Whether it asks at the same times, whatever its data."""
        times = self.response.run.times
        return all(np.array_equal(one.times, times) for one in (self.observation.run, self.observation.varied))

    @cached_property
    def elsewhere(self) -> Array:
        """(N + 1, rows): what the response leaves unexplained of a whole batch of other states, answered otherwise, relative.

        The response is told from rows that lie near to one another, and this from rows all over: of two runs on one noise, the
        difference.
        """
        one, other = self.observation.run, self.observation.varied
        if not self.has_grid:
            return np.full((self.response.queries + 1, len(one.x_init)), np.inf)
        size = np.maximum(1.0, np.maximum(np.abs(one.x), np.abs(other.x)).max(axis=(1, 2)))
        return np.asarray(np.abs(self.response.unexplained(one, other)).max(axis=2) / size[:, None])

    @cached_property
    def affine(self) -> bool:
        """Whether every state is an affine map of what was given, near the run of the response and everywhere else."""
        return self.response.affine and bool((self.elsewhere.max(axis=1) <= self.elsewhere_within).all())

    @property
    def elsewhere_within(self) -> Array:
        """(N + 1,): what may be left over of an affine map elsewhere: what may be near by, and the rounding of its weights."""
        weights = np.sqrt(1 + self.response.queries) * self.response.rounding / NUDGE
        return np.asarray(affine_within(max(self.response.unit, self.observation.run.unit)) + WEIGHTS * weights)

    @cached_property
    def seen(self) -> Seen | None:
        """The method of known weights that it is, if it is one."""
        return seen_in(self.response) if self.affine else None

    @cached_property
    def grids(self) -> list[Response]:
        """The responses of the same method on evenly spaced steps, ever more of them.

        Raises:
            SamplerFault: if it fails on one of them.
        """
        if self.target.on_log_grid is None:
            return []
        return [self.on(steps) for steps in STEPS]

    @cached_property
    def uneven(self) -> list[Response]:
        """The same on steps that are in turn short and twice as long."""
        return [] if self.target.on_uneven_grid is None else [self.on_uneven(steps) for steps in STEPS]

    def on(self, steps: int) -> Response:
        """The response on that many evenly spaced steps."""
        assert self.target.on_log_grid is not None  # noqa: S101 - asked by whom has seen that there is one
        return self._of(self.target.on_log_grid, steps, self._responses)

    def on_uneven(self, steps: int) -> Response:
        """The response on that many steps that are in turn short and twice as long."""
        assert self.target.on_uneven_grid is not None  # noqa: S101 - as above
        return self._of(self.target.on_uneven_grid, steps, self._uneven_responses)

    def knows_uneven(self, steps: tuple[int, ...]) -> bool:
        """Whether these have been asked for already, so that they cost no more."""
        return all(n in self._uneven_responses for n in steps)

    @cached_property
    def _responses(self) -> dict[int, Response]:
        return {}

    @cached_property
    def _uneven_responses(self) -> dict[int, Response]:
        return {}

    def _of(self, grid: Callable[[int], Target], steps: int, seen: dict[int, Response]) -> Response:
        if steps not in seen:
            left = self.deadline - time.monotonic()
            seen[steps] = respond(_made(grid, steps), seed=self.seed, timeout=left, queries=self._likely_queries(steps, seen))
        return seen[steps]

    def _likely_queries(self, steps: int, seen: dict[int, Response]) -> int | None:
        """How often the model will be asked on that many steps: as on evenly spaced ones, or so many times more for each step."""
        if steps in self._responses:
            return self._responses[steps].queries
        known = sorted(n for n in seen if n < steps)[-2:]
        if len(known) < 2:
            return None
        few, more = known
        return seen[more].queries + round((steps - more) * (seen[more].queries - seen[few].queries) / (more - few))

    @property
    def why_not(self) -> str:
        """Why it cannot be asked for finer steps, as the end of a sentence that says so."""
        return f": {self.target.unrefined}" if self.target.unrefined else ""

    def query(self, k: int) -> str:
        """How messages call a state."""
        times = self.response.run.times
        return f"query {k}, t = {times[k]:.6g}" if k < times.size else "what is returned"


def _made(grid: Callable[[int], Target], steps: int) -> Target:
    """The target on that many steps; what its maker raises is a fault of the target's."""
    try:
        return grid(steps)
    except SamplerFault:
        raise
    except Exception as error:
        raise SamplerFault(
            "raises", f"the target for {steps} steps cannot be made: {type(error).__name__}: {one_line(error)}"
        ) from None
