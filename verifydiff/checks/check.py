"""The checks in order: from a target and a contract to a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..forms.families import DDIM, DDPM, Euler, EulerAncestral, Family
from ..observe import Observation, SamplerFault, Target, observe
from ..observe.arrays import Arrays
from ..observe.functions import function_target
from ..observe.sample_loops import has_loop, sample_loop_target
from ..observe.target import Prediction
from ..schedule import Schedule
from ..statistics import ErrorRates
from ..verdict import Finding, MisuseError, Status
from . import behaviour, grid, library, moments, noise, weights
from .allow import Allowed, apply_allowed
from .case import Case, Contract
from .diagnosis import Explanation, diagnose
from .identify import Identity, identify
from .report import Report

RATES = ErrorRates(false_alarm=1e-6, miss=1e-6)
STATISTICAL_CHECKS = 3
"""The scale of hidden noise, of all steps and of each, and the law of the noise; everything else is free of chance."""


def check(
    sample: Callable[..., Any] | Target,
    *,
    schedule: Schedule | None = None,
    family: Family | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    prediction: str = "epsilon",
    shape: tuple[int, ...] = (4,),
    arrays: str = "auto",
    seed: int = 0,
    timeout: float = 120.0,
    allow: tuple[Allowed, ...] = (),
) -> Report:
    """Judge a sampler by the closed forms of the family it claims to be.

    Args:
        sample: ``sample(denoise, x_init, seed) -> x_0`` over arrays of shape (batch, d), or a target of an adapter.
            ``denoise(x, t)`` takes the integer array index t = 0..T-1.
        schedule: the levels that a plain function claims; linear with 1000 timesteps where nothing is said.
        family: what it claims to be; None identifies it.
        steps: how many steps it claims to take.
        spacing: ``"trailing"``, ``"leading"`` or ``"linspace"``, if it claims one.
        prediction: what its model predicts: ``"epsilon"``, ``"sample"`` or ``"v_prediction"``.
        shape: what one state of a plain function looks like; it is handed arrays of shape (batch, *shape).
        arrays: what a plain function works on: ``"numpy"``, ``"torch"`` or ``"jax"``; ``"auto"`` finds out.
        seed: seeds the probe, and is handed to the sampler.
        timeout: seconds for the whole check.
        allow: known deviations that are kept on purpose.

    Returns:
        the report; a sampler that is wrong is no error.

    Raises:
        MisuseError: if the arguments make no sense.
    """
    began = time.monotonic()
    target = sample if isinstance(sample, Target) else _as_target(sample, schedule, prediction, steps, shape, arrays)
    contract = Contract(family, steps if steps is not None else target.steps, spacing)
    if contract.steps is not None and not 1 <= contract.steps <= target.schedule.timesteps:
        raise MisuseError(f"`steps` must lie between 1 and the {target.schedule.timesteps} timesteps, got {contract.steps}.")
    deadline = began + timeout
    report = _report(target, contract, seed, deadline)
    return replace(apply_allowed(report, allow), seconds=time.monotonic() - began)


def _as_target(
    sample: Callable[..., Any], schedule: Schedule | None, prediction: str, steps: int | None, shape: tuple[int, ...], arrays: str
) -> Target:
    if not callable(sample) and not has_loop(sample):
        raise MisuseError(f"a sampler is a function sample(denoise, x_init, seed), got {type(sample).__name__}.")
    if not all(isinstance(n, int) and n >= 1 for n in shape):
        raise MisuseError(f"`shape` must hold positive numbers, got {shape}.")
    try:
        kind = Prediction(prediction)
    except ValueError:
        raise MisuseError(f"no prediction is called {prediction!r}: give {', '.join(Prediction)}.") from None
    try:
        library = Arrays(arrays)
    except ValueError:
        raise MisuseError(f"no arrays are called {arrays!r}: give {', '.join(Arrays)}.") from None
    if has_loop(sample):
        return sample_loop_target(sample, schedule=schedule, prediction=kind if prediction != "epsilon" else None, shape=shape)
    return function_target(sample, schedule or Schedule.linear(1000), prediction=kind, steps=steps, shape=shape, arrays=library)


def _report(target: Target, contract: Contract, seed: int, deadline: float) -> Report:
    try:
        observation = observe(target, seed=seed, timeout=deadline - time.monotonic())
    except SamplerFault as fault:
        check = "time-grid" if fault.kind == "time-out-of-range" else "behaviour"
        finding = behaviour.at_fault(check, fault)
        return Report(target.name, "not observed", (finding,), (), 0.0, target.notes)
    identity = identify(observation)
    claimed = contract.family or target.family
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
    yield from behaviour.behaviour(case)
    yield from behaviour.start(case)
    yield from grid.time_grid(case)
    yield from library.tables(case)
    yield from weights.affinity(case)
    yield from behaviour.seed(case)
    if not case.observation.affine.all():
        return
    yield from behaviour.known_family(case, identity)
    yield from grid.pairing(case)
    yield from weights.coefficients(case)
    yield from noise.scale_and_law(case, seed, deadline)
    yield from moments.exact_moments(case, deadline)
    yield from library.prediction_types(case, seed, deadline)
    yield from library.identity(case, seed, deadline - time.monotonic())
    yield from library.precision(case, seed, deadline - time.monotonic())


def _suspects(claimed: Family | None, identity: Identity) -> list[Family]:
    """The families that a wrong sampler may have been meant to be, likeliest first."""
    if claimed is not None:
        return [claimed]
    etas = {eta for eta in (identity.eta, 0.0, 0.5) if eta is not None and 0 <= eta <= 1}
    return [identity.family, DDPM("small"), DDPM("large"), *(DDIM(eta) for eta in sorted(etas)), Euler(), EulerAncestral()]


def _noise_slips(findings: tuple[Finding, ...]) -> list[str]:
    slips = [finding.details.get("slip") for finding in findings if finding.check == "noise-law"]
    if any(finding.check == "last-step" and finding.status is Status.FAIL for finding in findings):
        slips.append("noise-at-the-end")
    return [slip for slip in slips if slip]
