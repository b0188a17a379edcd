"""The weights of every step against the closed form, and whether the step is a weighted sum at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..observe.clipping import Clipping, Kind
from ..observe.probe import FINE
from ..schedule import Array, Mask
from ..verdict import Finding, Status
from .case import DOUBLE, RELATIVE, Case

COARSELY = 0.25
"""What rounding in half precision may leave of a step, where states of much noise tell little of the data."""
NAMES = {"x_t": "x_t", "x_0": "the predicted x_0", "z": "the noise"}


def affinity(case: Case) -> Iterator[Finding]:
    """Is every step an affine map of the state and of the present prediction, as all the families are?"""
    observation = case.observation
    if not np.isfinite(observation.x_t).all():
        yield Finding("affinity", Status.FAIL, "the sampler asks at other times when its data differ: it has no grid.")
        return
    bent = np.flatnonzero(~observation.affine)
    if bent.size and observation.run.unit > FINE and (left := float(observation.residual[bent].max())) <= COARSELY:
        yield Finding(
            "affinity",
            Status.INCONCLUSIVE,
            f"{bent.size} of {observation.steps} steps leave up to {left:.2g} of themselves unexplained, and rounding in the "
            "precision of its states may be all of that: nothing more is judged.",
            measured=left,
        )
        return
    if observation.remembers.any():
        k = int(np.flatnonzero(observation.remembers)[0])
        yield Finding(
            "affinity",
            Status.FAIL,
            f"{np.count_nonzero(observation.remembers)} of {observation.steps} steps use earlier predictions or states "
            f"(first: {case.step(k)}): a multistep method, which is none of the known families.",
        )
        return
    if bent.size and observation.hidden.any() and not observation.replays:
        yield Finding(
            "affinity",
            Status.INCONCLUSIVE,
            "the noise neither repeats with the seed nor can it be reached: nothing can be compared.",
        )
    elif bent.size:
        k = int(bent[np.argmax(np.nan_to_num(observation.residual[bent], posinf=1e300))])
        yield Finding(
            "affinity",
            Status.FAIL,
            f"{bent.size} of {observation.steps} steps are not affine maps of the state and the prediction; the worst, "
            f"{case.step(k)}, leaves {observation.residual[k]:.2g} of itself unexplained.",
            measured=float(observation.residual[k]),
            tolerance=1e-9,
        )
    else:
        yield Finding(
            "affinity",
            Status.PASS,
            f"every step is an affine map (what is left over: {observation.residual.max():.1g}).",
            measured=float(observation.residual.max()),
            tolerance=1e-9,
        )
    if observation.affine.all() or observation.clip.kind is not Kind.OTHER:
        yield from clipped(observation.clip)


def clipped(clip: Clipping) -> Iterator[Finding]:
    """What becomes of large predictions of the data?"""
    if clip.kind in (Kind.CLIPPED, Kind.DATA_ONLY):
        stale = ", and the noise is not taken from the clipped x_0" if clip.kind is Kind.DATA_ONLY else ""
        yield Finding(
            "clipping",
            Status.NOTE,
            f"the prediction of x_0 is clipped to [{clip.lower:.4g}, {clip.upper:.4g}]{stale}; the steps are judged inside that "
            "range, where it does nothing.",
            measured=[clip.lower, clip.upper],
        )
    elif clip.kind is Kind.RETURNED:
        yield Finding(
            "clipping",
            Status.NOTE,
            f"what is returned is clipped to [{clip.lower:.4g}, {clip.upper:.4g}], and no step before is.",
            measured=[clip.lower, clip.upper],
        )
    elif clip.kind is Kind.OTHER:
        yield Finding(
            "clipping",
            Status.INCONCLUSIVE,
            "predictions of x_0 beyond [-1/2, 1/2] are changed, and not by clipping to one range: outside, the steps are unjudged.",
        )


def coefficients(case: Case) -> Iterator[Finding]:
    """Are the weights of x_t and of the prediction those of the closed form, at every step?"""
    observation = case.observation
    observed = {"x_t": observation.x_t, "x_0": observation.x_0}
    bounds = dict(zip(observed, case.tolerance, strict=False))
    off = {
        name: ~(np.abs(seen - right) <= bounds[name]) for (name, seen), right in zip(observed.items(), case.expected, strict=False)
    }
    adds = np.flatnonzero(observation.offset != 0)
    if adds.size:
        k = int(adds[0])
        yield Finding(
            "coefficients",
            Status.FAIL,
            f"{adds.size} of {observation.steps} steps add a constant (first: {case.step(k)}, {observation.offset[k]:.4g}).",
            measured=float(observation.offset[k]),
            expected=0.0,
        )
    for (name, seen), right in zip(observed.items(), case.expected, strict=False):
        if off[name].any():
            yield wrong_weights(case, "coefficients", name, seen, right, bounds[name], off[name])
    if not any(mask.any() for mask in off.values()) and not adds.size:
        worst = max(float(_relative(observed[n], right).max()) for n, right in zip(observed, case.expected, strict=False))
        if case.unit > DOUBLE:
            moved = max(float(np.abs(observed[n] - right).max()) for n, right in zip(observed, case.expected, strict=False))
            yield Finding(
                "precision",
                Status.NOTE,
                f"the sampler works in less than double precision: its weights are off by up to {moved:.1g}, as rounding explains, "
                "and are not judged more finely than that.",
                measured=moved,
            )
        yield Finding(
            "coefficients",
            Status.PASS,
            f"the weights of x_t and x_0 are those of {case.family.title} at all {observation.steps} steps "
            f"(off by at most {worst:.1g}).",
            measured=worst,
            tolerance=RELATIVE if case.unit == DOUBLE else float(max(bound.max() for bound in case.tolerance[:2])),
        )


def wrong_weights(case: Case, check: str, name: str, seen: Array, right: Array, bound: Array, off: Mask) -> Finding:
    """The finding on one weight of the steps in ``off``: where it is worst, what was seen and what the closed form has."""
    error = np.where(off, np.abs(seen - right) / np.maximum(np.abs(right), bound), -1)
    error[off & ~np.isfinite(right)] = np.inf
    k = int(np.argmax(error))
    steps = np.flatnonzero(off)
    which = "all steps" if off.all() else f"{steps.size} of {off.size} steps ({_ranges(steps)})"
    return Finding(
        check,
        Status.FAIL,
        f"the weight of {NAMES[name]} is wrong at {which}; the worst, {case.step(k)}: {seen[k]:.10g} where {case.family.title} has "
        f"{right[k]:.10g}{_off_by(seen[k], right[k])}.",
        measured=float(seen[k]),
        expected=float(right[k]),
        tolerance=float(bound[k]),
        details={
            "weight": name,
            "times": case.observation.times.tolist(),
            "steps": steps.tolist(),
            "observed": seen.tolist(),
            "expected": right.tolist(),
        },
    )


def _off_by(seen: float, right: float) -> str:
    return f" ({abs(seen - right) / abs(right):.2g} relative)" if abs(right) > 1e-12 else ""


def _relative(seen: Array, right: Array) -> Array:
    return np.asarray(np.abs(seen - right) / np.maximum(np.abs(right), 1e-3 * max(1e-300, float(np.abs(right).max()))))


def _ranges(steps: np.ndarray[Any, np.dtype[np.intp]], most: int = 4) -> str:
    """Consecutive numbers as ranges: 0-4, 7, 9-12, ..."""
    breaks = np.flatnonzero(np.diff(steps) > 1)
    starts, ends = np.append(steps[:1], steps[breaks + 1]), np.append(steps[breaks], steps[-1:])
    parts = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True)]
    return ", ".join(parts[:most]) + (", ..." if len(parts) > most else "")
