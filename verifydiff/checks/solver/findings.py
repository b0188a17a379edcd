"""The checks of a solver, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...observe import SamplerFault
from ...verdict import Finding, Status
from .. import behaviour, half, library, promises
from ..behaviour import at_fault
from ..told_time import told_time
from . import clipping, consistency, grid, law, multistep, noise, orders, precision
from .case import SolverCase


def findings(case: SolverCase) -> Iterator[Finding]:
    """What comes out of every check that a solver can be asked."""
    yield from behaviour.behaviour(case.observation)
    yield from behaviour.start(case.observation)
    yield from grid.time_grid(case)
    yield from told_time(case.response.run, case.target.schedule, case.target.inexact)
    yield from library.tables(case.target)
    yield from grid.affinity(case)
    yield from behaviour.seed(case.observation, noisy=noise.noisy(case))
    if not case.affine:
        return
    yield from clipping.clipping(case)
    landing = list(grid.pairing(case))
    weights = list(multistep.coefficients(case.seen, case.solver.order))
    yield from (*landing, *weights)
    yield from noise.last_step(case)
    yield from noise.noise_law(case)
    yield from law.point_mass(case, exact=all(finding.status is not Status.NOTE for finding in landing))
    yield from law.method_bias(case)
    if case.contract.converge:
        yield from _on_finer_steps(case, landing, weights)
    yield from library.prediction_types(case.observation, case.seed, case.deadline)
    yield from library.same_response(case.response, case.bound, case.seed, case.deadline - time.monotonic())
    yield from promises.noising(case.target, case.response.unit)
    yield from promises.way_back(case.observation, case.seed, case.deadline)
    yield from promises.rows(case.target, case.seed, case.deadline)
    yield from precision.precision(case)
    yield from half.half_precision(case.observation, case.seed, case.deadline)


def _on_finer_steps(case: SolverCase, landing: list[Finding], weights: list[Finding]) -> Iterator[Finding]:
    """How fast it converges, and whether to what it should."""
    try:
        orders_found = list(orders.order(case))
        yield from orders_found
    except SamplerFault as fault:
        yield at_fault("order", fault, "on finer steps: ")
        return
    missed = any(finding.status is not Status.PASS for finding in landing)
    explained = any(finding.status is Status.FAIL for finding in (*weights, *orders_found))
    try:
        yield from consistency.consistency(case, missed=missed, explained=explained)
    except SamplerFault as fault:
        yield at_fault("consistency", fault, "on finer steps: ")
