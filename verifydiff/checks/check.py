"""The checks in order: from a target and a contract to a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..forms.claims import Claim
from ..forms.families import DDIM, DDPM, Euler, EulerAncestral, Family
from ..forms.solvers import ProbabilityFlow, ReverseSDE, Solver
from ..observe import Observation, SamplerFault, Target, observe
from ..observe.arrays import Arrays
from ..observe.functions import function_target
from ..observe.response import respond
from ..observe.sample_loops import has_loop, sample_loop_target
from ..observe.target import Prediction
from ..schedule import Schedule
from ..statistics import ErrorRates
from ..verdict import Finding, MisuseError, Status
from . import behaviour, grid, half, library, moments, noise, promises, solver, weights
from .allow import Allowed, apply_allowed
from .case import Case, Contract
from .diagnosis import Explanation, diagnose
from .identify import Identity, identify
from .report import Report
from .told_time import told_time

RATES = ErrorRates(false_alarm=1e-6, miss=1e-6)
WEIGHTS = {"coefficients", "noise-scale", "exact-moments"}
"""What a method fails that has the steps of a family in part, and in the rest others that may be as right."""
STATISTICAL_CHECKS = 3
"""The scale of hidden noise, of all steps and of each, and the law of the noise; everything else is free of chance."""


def check(
    sample: Callable[..., Any] | Target,
    *,
    schedule: Schedule | None = None,
    family: Claim | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    order: int | None = None,
    converge: bool = True,
    prediction: str | None = None,
    shape: tuple[int, ...] | None = None,
    arrays: str | None = None,
    seed: int = 0,
    timeout: float = 120.0,
    allow: tuple[Allowed, ...] = (),
) -> Report:
    """Judge a sampler by the closed forms of the family it claims to be.

    Args:
        sample: ``sample(denoise, x_init, seed) -> x_0`` over arrays of shape (batch, d), or a target of an adapter.
            ``denoise(x, t)`` takes the integer array index t = 0..T-1.
        schedule: the levels that a plain function claims; linear with 1000 timesteps where nothing is said. Like ``prediction``,
            ``shape`` and ``arrays`` it is told of a function: a Target says these by itself.
        family: what it claims to be, a family (``DDIM(0.5)``) or a solver (``ProbabilityFlow(2)``); None identifies it.
        steps: how many steps it claims to take.
        spacing: ``"trailing"``, ``"leading"`` or ``"linspace"``, if it claims one.
        order: the order in which it converges, if it claims one and no family.
        converge: whether a solver is asked for finer steps: its order and its consistency; it takes most of the time.
        prediction: what its model predicts: ``"epsilon"``, which is so where nothing is said, ``"sample"`` or ``"v_prediction"``.
        shape: what one state of a plain function looks like; it is handed arrays of shape (batch, *shape). (4,), if left out.
        arrays: what a plain function works on: ``"numpy"``, ``"torch"`` or ``"jax"``; ``"auto"``, as if left out, finds out.
        seed: seeds the probe, and is handed to the sampler.
        timeout: seconds for the whole check.
        allow: known deviations that are kept on purpose.

    Returns:
        the report; a sampler that is wrong is no error.

    Raises:
        MisuseError: if the arguments make no sense.
    """
    began = time.monotonic()
    if isinstance(sample, Target):
        target = sample
        another = schedule is not None and not _same(schedule, target.schedule)
        told = {
            "schedule": another,
            "prediction": prediction not in (None, target.prediction),
            "shape": shape is not None and tuple(shape) != tuple(target.shape),
            "arrays": arrays not in (None, Arrays.AUTO),
        }
        if names := [f"`{name}`" for name, twice in told.items() if twice]:
            says = "is a target, and says for itself what it is told: leave out"
            raise MisuseError(f"{target.name} {says} {', '.join(names)}.")
    else:
        target = _as_target(sample, schedule, prediction, steps, shape, arrays)
    contract = _contract(target, family, steps if steps is not None else target.steps, spacing, order, converge)
    deadline = began + timeout
    report = _report(target, contract, seed, deadline)
    return replace(apply_allowed(report, allow), seconds=time.monotonic() - began)


def _same(one: Schedule, other: Schedule | None) -> bool:
    return other is not None and bool(np.array_equal(one.abar, other.abar))


def _as_target(
    sample: Callable[..., Any],
    schedule: Schedule | None,
    prediction: str | None,
    steps: int | None,
    shape: tuple[int, ...] | None,
    arrays: str | None,
) -> Target:
    if not callable(sample) and not has_loop(sample):
        raise MisuseError(f"a sampler is a function sample(denoise, x_init, seed), got {type(sample).__name__}.")
    shape = (4,) if shape is None else shape
    if not all(isinstance(n, int) and n >= 1 for n in shape):
        raise MisuseError(f"`shape` must hold positive numbers, got {shape}.")
    try:
        kind = None if prediction is None else Prediction(prediction)
    except ValueError:
        raise MisuseError(f"no prediction is called {prediction!r}: give {', '.join(Prediction)}.") from None
    try:
        library = Arrays.AUTO if arrays is None else Arrays(arrays)
    except ValueError:
        raise MisuseError(f"no arrays are called {arrays!r}: give {', '.join(Arrays)}.") from None
    if has_loop(sample):
        return sample_loop_target(sample, schedule=schedule, prediction=kind, shape=shape)
    table = Schedule.linear(1000) if schedule is None else schedule
    return function_target(sample, table, prediction=kind or Prediction.EPSILON, steps=steps, shape=shape, arrays=library)


def _contract(
    target: Target, family: Claim | None, steps: int | None, spacing: str | None, order: int | None, converge: bool
) -> Contract:
    if steps is not None and steps < 1:
        raise MisuseError(f"`steps` must be at least 1, got {steps}.")
    if steps is not None and target.schedule is not None and steps > target.schedule.timesteps:
        raise MisuseError(f"`steps` must lie between 1 and the {target.schedule.timesteps} timesteps, got {steps}.")
    if order is not None and family is not None:
        raise MisuseError("give a family or an order: a family has a closed form, and a solver's order belongs to it.")
    try:
        ProbabilityFlow(order)
    except ValueError as error:
        raise MisuseError(str(error)) from None
    return Contract(family, steps, spacing, order, converge)


def _report(target: Target, contract: Contract, seed: int, deadline: float) -> Report:
    try:
        observation = observe(target, seed=seed, timeout=deadline - time.monotonic())
        claimed = contract.family or (target.family if contract.order is None else None)
        if _is_solver(claimed, contract, observation):
            return _of_solver(observation, claimed, contract, seed, deadline)
    except SamplerFault as fault:
        check = {"time-out-of-range": "time-grid", "no-grid": "affinity"}.get(fault.kind, "behaviour")
        finding = _only_there(target, fault, seed, deadline) or behaviour.at_fault(check, fault)
        return Report(target.name, "not observed", (finding,), (), 0.0, target.notes)
    assert not isinstance(claimed, Solver)  # noqa: S101 - such a claim has just been judged
    report = _of_family(observation, claimed, identity := identify(observation), contract, seed, deadline)
    if claimed is not None or report.status is not Status.FAIL:
        return report
    return _of_no_family(report, observation, identity, contract, seed, deadline) or report


def _only_there(target: Target, fault: SamplerFault, seed: int, deadline: float) -> Finding | None:
    """The finding where a sampler fails in a wider precision than its own, and not in that: a root of -1e-16, say, that is 0 there.

    What decides is then rounding, and whether the rest of it is right stays open.
    """
    if target.as_shipped is None or fault.kind not in ("raises", "not-finite"):
        return None
    try:
        observe(target.as_shipped, seed=seed, timeout=deadline - time.monotonic())
    except SamplerFault:
        return None
    message = f"in double precision {fault} As shipped, in its own precision, it does not: rounding decides."
    return Finding("behaviour", Status.INCONCLUSIVE, message, measured=fault.kind)


def _is_solver(claimed: Claim | None, contract: Contract, observation: Observation) -> bool:
    """Whether there is no closed form to judge it by: a solver is claimed, or nothing is and its steps are none of a family's."""
    if claimed is not None:
        return isinstance(claimed, Solver)
    has_grid = bool(np.isfinite(observation.x_t).all())
    return has_grid and (contract.order is not None or not observation.affine.all())


def _of_solver(observation: Observation, claimed: Claim | None, contract: Contract, seed: int, deadline: float) -> Report:
    target = observation.target
    response = respond(target, seed=seed, timeout=deadline - time.monotonic())
    if not isinstance(claimed, Solver):
        noisy = bool(response.draws.any() or response.hidden)
        claimed = ReverseSDE(contract.order) if noisy else ProbabilityFlow(contract.order)
    rates = RATES.shared_among(STATISTICAL_CHECKS)
    case = solver.SolverCase(observation, contract, claimed, response, rates, seed, deadline)
    findings = tuple(solver.findings(case))
    identified = solver.kind(response) if case.affine else "no affine map of what it was given"
    if case.seen is not None:
        identified = f"{case.seen}, {identified}"
    return Report(target.name, identified, findings, solver.explanations(case.seen, claimed.order), 0.0, target.notes)


def _of_no_family(
    report: Report, observation: Observation, identity: Identity, contract: Contract, seed: int, deadline: float
) -> Report | None:
    """The report, as a solver, on a method that claims nothing and fails as the family it is nearest to; None where that says less.

    Any step that lands on its level with noise of its scale is right, as those of DDIM are for an eta of each step's own. The
    method need not be of a family where none has half of its steps; where it adds noise where it is, or on its way back, as
    correctors and restarts do; or where the weights alone are wrong, as they are in steps of another eta. What fails as a solver
    too was meant to be something else: the families tell best what that is, and tell of what stays open where a slip explains it.
    """
    corrects = ((np.diff(observation.levels) <= 0) & observation.noisy[:-1]).any()
    weights_alone = {finding.check for finding in report.findings if finding.status is Status.FAIL} <= WEIGHTS
    if contract.spacing is not None or (identity.found and not corrects and not weights_alone):
        return None
    try:
        otherwise = _of_solver(observation, None, contract, seed, deadline)
    except SamplerFault:
        return None
    says_more = otherwise.status is Status.PASS or not (weights_alone or report.diagnosis)
    return otherwise if otherwise.status is not Status.FAIL and says_more else None


def _of_family(
    observation: Observation, claimed: Family | None, identity: Identity, contract: Contract, seed: int, deadline: float
) -> Report:
    target = observation.target
    family = claimed or identity.family
    case = Case(observation, contract, family, RATES.shared_among(STATISTICAL_CHECKS))
    findings = tuple(_findings(case, identity, seed, deadline))
    diagnosis: list[Explanation] = []
    if any(finding.status is Status.FAIL for finding in findings):
        diagnosis = diagnose(observation, _suspects(claimed, identity), _noise_slips(findings))
    for finding in findings:
        if isinstance(twin := finding.details.get("observation"), Observation):
            diagnosis += diagnose(replace(twin, z=np.full_like(twin.z, np.nan)), [family], [])  # it leaves the noise to its caller
    return Report(target.name, str(identity), findings, tuple(diagnosis), 0.0, observation.target.notes)


def _findings(case: Case, identity: Identity, seed: int, deadline: float) -> Iterator[Finding]:
    observation = case.observation
    yield from behaviour.behaviour(observation)
    yield from behaviour.start(observation)
    yield from grid.time_grid(case)
    yield from told_time(observation.run, observation.target.schedule, observation.target.inexact)
    yield from library.tables(observation.target)
    yield from weights.affinity(case)
    yield from behaviour.seed(observation, noisy=bool(observation.noisy.any()))
    if not observation.affine.all():
        return
    yield from behaviour.known_family(case, identity)
    yield from grid.pairing(case)
    yield from weights.coefficients(case)
    yield from noise.scale_and_law(case, seed, deadline)
    yield from moments.exact_moments(case, deadline)
    yield from library.prediction_types(observation, seed, deadline)
    yield from library.identity(case, seed, deadline - time.monotonic())
    yield from promises.noising(observation.target, case.unit)
    yield from promises.way_back(observation, seed, deadline)
    yield from promises.rows(observation.target, seed, deadline)
    yield from library.precision(case, seed, deadline - time.monotonic())
    yield from half.half_precision(observation, seed, deadline)


def _suspects(claimed: Family | None, identity: Identity) -> list[Family]:
    """The families that a wrong sampler may have been meant to be, likeliest first."""
    if claimed is not None:
        return [claimed]
    etas = {eta for eta in (identity.eta, *identity.etas, 0.5) if eta is not None and 0 <= eta <= 1}
    return [identity.family, DDPM("small"), DDPM("large"), *(DDIM(eta) for eta in sorted(etas)), Euler(), EulerAncestral()]


def _noise_slips(findings: tuple[Finding, ...]) -> list[str]:
    slips = [finding.details.get("slip") for finding in findings if finding.check == "noise-law"]
    if any(finding.check == "last-step" and finding.status is Status.FAIL for finding in findings):
        slips.append("noise-at-the-end")
    return [slip for slip in slips if slip]
