"""What only a library's scheduler can be asked: its tables, its precision, its prediction types, its second step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..forms.quantities import abar_s, abar_t
from ..observe import Observation, SamplerFault, Target, observe, run
from ..observe.probe import SMALL, answers, replay
from ..observe.response import Response, respond
from ..observe.target import Prediction
from ..schedule import Array
from ..verdict import Finding, MisuseError, Status
from .behaviour import at_fault
from .case import ROUNDINGS, SINGLE, Case, rounding
from .diagnosis import matches


def tables(target: Target) -> Iterator[Finding]:
    """Are the stored tables finite, and those of the schedule up to the precision they are stored in?"""
    for name, (stored, right) in target.tables.items():
        if not np.isfinite(stored).all():
            k = int(np.flatnonzero(~np.isfinite(stored))[0])
            yield Finding("tables", Status.FAIL, f"{name}[{k}] is {stored[k]}.", measured=float(stored[k]))
            continue
        rises = np.flatnonzero(np.diff(stored) > 0)
        if rises.size:
            k = int(rises[0])
            yield Finding(
                "tables",
                Status.FAIL,
                f"{name} must fall with time, it rises from {stored[k]:.4g} at t = {k} to {stored[k + 1]:.4g} at t = {k + 1}.",
                measured=float(stored[k + 1]),
            )
            continue
        error = np.abs(stored - right) / np.maximum(right, 1e-300)
        k = int(np.argmax(error))
        bound = table_rounding(right)
        if (np.abs(stored - right) > bound).any():
            k = int(np.argmax(np.abs(stored - right) / bound))
            yield Finding(
                "tables",
                Status.FAIL,
                f"{name}[{k}] is {stored[k]:.8g}, the schedule's abar is {right[k]:.8g}.",
                measured=float(stored[k]),
                expected=float(right[k]),
                tolerance=float(bound[k]),
            )
        elif error[k] > 1e-12:
            rest = np.abs(stored - right) / np.maximum(1 - right, 1e-300)
            worst = int(np.argmax(rest))
            yield Finding(
                "tables",
                Status.NOTE,
                f"{name} is kept in single precision: off by up to {error[k]:.1g} relative (t = {k}); 1 - abar, which the "
                f"steps divide by, by up to {rest[worst]:.1g} (t = {worst}).",
                measured=float(error[k]),
            )
        else:
            yield Finding("tables", Status.PASS, f"{name} is the schedule's to {error[k]:.1g}.")


def table_rounding(abar: Array) -> Array:
    r"""How far a table of abar, multiplied up in single precision, may lie from the right one.

    A factor alpha = 1 - beta is off by an absolute rounding error u, since 1 - beta is computed of numbers below 1; relative to
    the product that is u / alpha, and the errors of all factors add up. Where the last alpha is 0, what stands before it is meant.
    """
    before = np.concatenate([[1.0], abar[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = abar * (1 + np.cumsum(before / abar))
    return np.asarray(4 * SINGLE * np.where(abar > 0, bound, before) + SINGLE**2)


def precision(case: Case, seed: int, timeout: float) -> Iterator[Finding]:
    """As shipped, in its own precision: does rounding explain how far its weights are from those just judged?"""
    shipped = case.observation.target.as_shipped
    if shipped is None or not matches(case.observation, case.family):
        return  # what is wrong in double precision need not be said again
    try:
        seen = observe(shipped, seed=seed, timeout=timeout, seeds=False)
    except SamplerFault as fault:
        yield at_fault("precision", fault, "as shipped, in single precision: ")
        return
    if seen.steps != case.observation.steps:
        yield Finding(
            "precision", Status.FAIL, f"as shipped, it takes {seen.steps} steps; in double precision {case.observation.steps}."
        )
        return
    shipped_case = replace(case, observation=seen)
    moved = [np.abs(a - b) for a, b in zip((seen.x_t, seen.x_0), shipped_case.expected, strict=False)]
    states = step_rounding(shipped_case)
    bounds = rounding(case.family, shipped_case.levels, SINGLE)
    off = [np.flatnonzero(~(m <= b + states)) for m, b in zip(moved, bounds, strict=False)]
    worst = float(max(m.max() for m in moved))
    if any(o.size for o in off):
        k = int(next(o for o in off if o.size)[0])
        yield Finding(
            "precision",
            Status.FAIL,
            f"as shipped, the weights move by {worst:.2g}, more than single precision explains ({case.step(k)}).",
            measured=worst,
        )
    else:
        yield Finding(
            "precision",
            Status.NOTE,
            f"as shipped, in single precision, the weights move by up to {worst:.1g}; rounding explains that.",
            measured=worst,
        )


def step_rounding(case: Case) -> Array:
    r"""(N,): what a step does to its weights that casts its state and its prediction to single precision.

    The state and the prediction are of order 1 and 1/sqrt(1 - abar_t) over x_0; in x_s = a x_t + b eps they count a and b times,
    which is far more than x_s itself where the two cancel: in sigma space, from a level of noise of 10^4.
    """
    told = case.levels.told
    levels = {abar_t: case.levels.abar_t, abar_s: case.levels.abar_s}
    with np.errstate(all="ignore"):
        a, b, _ = (np.abs(weight) + np.zeros_like(told) for weight in case.family.writings[0].evaluate(levels, "eps"))
        terms = np.nan_to_num(a + b / np.sqrt(1 - told), nan=0.0, posinf=0.0)  # at abar = 0 a step has no such form
    return np.asarray(ROUNDINGS * SINGLE * (1 + 1 / np.sqrt(1 - told) + terms))


def prediction_types(observation: Observation, seed: int, deadline: float) -> Iterator[Finding]:
    """Does one denoiser, told as eps, as x_0, as v and as the velocity of a flow, give one sample?"""
    target, natural = observation.target, observation.run
    if target.with_prediction is None:
        yield Finding(
            "prediction-types", Status.NOT_APPLICABLE, f"the model predicts {target.prediction}; nothing else is offered."
        )
        return
    agreeing, refused = [str(target.prediction)], []
    first = np.asarray(natural.x[0] / observation.start)  # the x_init of the natural run
    for kind in Prediction:
        if kind is target.prediction:
            continue
        if kind is Prediction.V_PREDICTION and not natural.preserving:
            continue  # v is what it is in the variance-preserving frame alone
        if kind is Prediction.EPSILON and observation.levels.min() <= 0:
            refused.append(f"{kind} says nothing of x_0 where abar = 0")
            continue
        try:
            told_otherwise = target.with_prediction(kind)
        except MisuseError as error:
            if kind is Prediction.FLOW_PREDICTION:
                continue  # which is offered by methods of flows alone
            refused.append(f"{kind}: {str(error).rstrip('.')}")
            continue
        try:
            other = run(told_otherwise, answers(seed, SMALL), first, seed, noise=replay(natural), deadline=deadline)
        except SamplerFault as fault:
            yield at_fault("prediction-types", fault, f"told as {kind}: ")
            return
        difference = _difference(natural.x, other.x)
        if difference > 1e-9:
            yield Finding(
                "prediction-types",
                Status.FAIL,
                f"the same denoiser told as {target.prediction} and as {kind} gives samples that differ by {difference:.2g}.",
                measured=difference,
                expected=0.0,
                tolerance=1e-9,
            )
            return
        agreeing.append(str(kind))
    if len(agreeing) > 1:
        yield Finding("prediction-types", Status.PASS, f"one denoiser told as {', '.join(agreeing)} gives one sample.")
    if refused:
        yield Finding("prediction-types", Status.NOTE, f"not offered: {'; '.join(refused)}.")


def _difference(one: Array, other: Array) -> float:
    if one.shape != other.shape:
        return float("inf")
    return float((np.abs(one - other).max(axis=(1, 2)) / np.maximum(1.0, np.abs(one).max(axis=(1, 2)))).max())


def identity(case: Case, seed: int, timeout: float) -> Iterator[Finding]:
    """Does the target's second implementation of its step take the same step? If not, the twin's observation goes along."""
    if case.observation.target.twin is None:
        return
    name, twin = case.observation.target.twin
    try:
        seen = observe(twin, seed=seed, timeout=timeout, seeds=False)
    except SamplerFault as fault:
        yield at_fault("identity", fault, f"{name}: ")
        return
    finding = _same_weights(case, name, seen)
    yield replace(finding, details={**finding.details, "observation": seen}) if finding.status is Status.FAIL else finding


def _same_weights(case: Case, name: str, seen: Observation) -> Finding:
    own = case.observation
    if seen.steps != own.steps:
        return Finding("identity", Status.FAIL, f"{name} takes {seen.steps} steps, step takes {own.steps}.")
    p, q, _ = case.tolerance
    off = np.flatnonzero(~((np.abs(seen.x_t - own.x_t) <= p) & (np.abs(seen.x_0 - own.x_0) <= q)))
    if not off.size:
        return Finding("identity", Status.PASS, f"{name} takes the same steps as step does, up to its noise.")
    error = np.maximum(np.abs(seen.x_t - own.x_t), np.abs(seen.x_0 - own.x_0))
    k = int(off[np.argmax(error[off])])
    weight = "x_t" if abs(seen.x_t[k] - own.x_t[k]) > abs(seen.x_0[k] - own.x_0[k]) else "x_0"
    return Finding(
        "identity",
        Status.FAIL,
        f"{name} differs from step at {off.size} of {own.steps} steps; the worst, {case.step(k)}: the weights of x_t and x_0 are "
        f"{seen.x_t[k]:.8g} and {seen.x_0[k]:.8g}, those of step {own.x_t[k]:.8g} and {own.x_0[k]:.8g}.",
        measured=[float(seen.x_t[k]), float(seen.x_0[k])],
        expected=[float(own.x_t[k]), float(own.x_0[k])],
        details={
            "weight": weight,
            "times": own.times.tolist(),
            "steps": off.tolist(),
            "observed": getattr(seen, weight).tolist(),
            "expected": getattr(own, weight).tolist(),
        },
    )


def same_response(response: Response, bound: Array, seed: int, timeout: float) -> Iterator[Finding]:
    """Does the target's second implementation make the same of all that it is given?"""
    if response.target.twin is None:
        return
    name, twin = response.target.twin
    try:
        seen = respond(twin, seed=seed, timeout=timeout)
    except SamplerFault as fault:
        yield at_fault("identity", fault, f"{name}: ")
        return
    if seen.queries != response.queries:
        yield Finding(
            "identity", Status.FAIL, f"{name} asks the model {seen.queries} times, the sampler itself {response.queries} times."
        )
        return
    parts = [(seen.start, response.start), (seen.answers, response.answers)]
    if seen.draws.shape == response.draws.shape:
        parts.append((seen.draws, response.draws))
    off = np.max([np.abs(one - other).reshape(response.queries + 1, -1).max(axis=1) for one, other in parts if one.size], axis=0)
    wrong = np.flatnonzero(~(off <= bound))
    if not wrong.size:
        yield Finding(
            "identity",
            Status.PASS,
            f"{name} makes the same of all that it is given (off by at most {off.max():.1g}).",
            float(off.max()),
        )
        return
    yield Finding(
        "identity",
        Status.FAIL,
        f"{name} differs from the sampler itself, first at query {wrong[0]}: its weights are off by up to {off.max():.4g}.",
        float(off.max()),
        0.0,
        float(bound[wrong[0]]),
    )
