"""The time grid: what times the model is asked about, in which order, and where each step lands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import Observation
from ..schedule import Array, grid
from ..verdict import Finding, Status
from .case import Case

ON_THE_DATA = 1e-9
"""A weight of the signal this near to 1 is that of the data."""
MOST_SIGNAL = 0.5
"""Pure noise handed over where the signal's weight is larger than this is no choice of grid any more."""
SPACINGS = ("trailing", "leading", "linspace")


def time_grid(case: Case) -> Iterator[Finding]:
    """Are the times in range, in order, without duplicates, as many and as spaced as claimed?"""
    observation, T = case.observation, case.observation.schedule.timesteps
    own = observation.target.schedule is not None  # else its times are no indices, and the levels alone tell the order
    times, steps = observation.times, observation.steps
    wrong = _faults(times, T, fractional=observation.target.fractional_times) if own else _order(observation)
    claimed = case.contract.steps
    if not wrong and claimed is not None and steps != claimed:
        wrong = f"the model was asked {steps} times; {claimed} steps were claimed"
    if not wrong and case.contract.spacing is not None and own and not observation.target.fractional_times:
        wrong = _other_spacing(times, T, case.contract.spacing)
    if wrong:
        yield Finding("time-grid", Status.FAIL, f"{wrong}.", measured=_brief(times), details={"times": times.tolist()})
        return
    if not own:
        yield Finding("time-grid", Status.PASS, f"{steps} steps from t = {times[0]:.6g} to t = {times[-1]:.6g}, towards the data.")
        return
    spacing = next((name for name in SPACINGS if np.array_equal(times, grid(T, steps, name))), None)
    shape = f", {spacing} spacing" if spacing else ""
    yield Finding("time-grid", Status.PASS, f"{steps} steps from t = {times[0]:.6g} to t = {times[-1]:.6g} of 0..{T - 1}{shape}.")
    if times[0] < T - 1 - 1e-3:
        start, end = observation.levels[0], float(observation.schedule.abar[-1])
        yield Finding(
            "time-coverage",
            Status.NOTE if np.sqrt(start) <= MOST_SIGNAL else Status.FAIL,
            f"the first query is at t = {times[0]:.6g}, not at the noisiest t = {T - 1}: pure noise is handed over where "
            f"the signal's weight sqrt(abar) is {np.sqrt(start):.4g} ({np.sqrt(end):.4g} at the end of the schedule).",
            measured=float(times[0]),
            expected=T - 1,
        )


def _faults(times: Array, T: int, *, fractional: bool) -> str:
    if not fractional and (times != np.round(times)).any():
        k = int(np.flatnonzero(times != np.round(times))[0])
        digits = 6 if float(f"{times[k]:.6g}") != np.round(times[k]) else 12
        return f"query {k} tells t = {times[k]:.{digits}g}, which is no array index"
    outside = np.flatnonzero((times < 0) | (times > T - 1))
    if outside.size:
        k = int(outside[0])
        return f"query {k} tells t = {times[k]:.6g}; the schedule's indices run over 0..{T - 1}"
    stays = np.flatnonzero(np.diff(times) == 0)
    if stays.size:
        k = int(stays[0])
        return f"the time t = {times[k]:.6g} is told twice in a row (queries {k} and {k + 1}; {stays.size} such pairs)"
    rises = np.flatnonzero(np.diff(times) > 0)
    if rises.size:
        k = int(rises[0])
        return f"time must fall from query to query, it rises from t = {times[k]:.6g} to {times[k + 1]:.6g} at query {k + 1}"
    return ""


def _order(observation: Observation) -> str:
    still = np.flatnonzero(np.diff(observation.levels) <= 0)
    if not still.size:
        return ""
    k = int(still[0])
    return (
        f"queries {k} and {k + 1} (t = {observation.times[k]:.6g} and {observation.times[k + 1]:.6g}) do not lead towards the data"
    )


def _other_spacing(times: Array, T: int, spacing: str) -> str:
    right = grid(T, times.size, spacing)
    differing = np.flatnonzero(times != right)
    if not differing.size:
        return ""
    k = int(differing[0])
    told = f"query {k} tells t = {times[k]:.6g}, not {right[k]}"
    return f"the times are not those of {spacing} spacing: {told} ({differing.size} differ)"


def _brief(times: Array) -> list[float]:
    return [float(t) for t in (times if times.size <= 12 else np.concatenate([times[:6], times[-6:]]))]


def pairing(case: Case) -> Iterator[Finding]:
    r"""Does each step land on the level of the next query?

    Every family here keeps the marginal mean, :math:`p \sqrt{\bar\alpha_t} + q = \sqrt{\bar\alpha_s}`, whatever its noise:
    so the weights tell the level that a step lands on.
    """
    observation, levels = case.observation, case.levels
    landed = observation.x_t * np.sqrt(levels.abar_t) + observation.x_0
    right = np.sqrt(levels.abar_s)
    bound = _landing_bound(case)
    off = np.flatnonzero(~(np.abs(landed - right) <= bound))
    if not off.size:
        yield Finding("pairing", Status.PASS, "every step lands on the level of the next query, the last one on its end.")
        return
    k = int(off[np.argmax(np.abs(landed - right)[off])])
    yield Finding(
        "pairing",
        Status.FAIL,
        f"{off.size} of {observation.steps} steps do not land on the level they should; the worst, {case.step(k)}, lands on "
        f"sqrt(abar) = {landed[k]:.8g}{level_in_words(landed[k], *known_levels(observation))}, not on {right[k]:.8g} "
        f"(off by {landed[k] - right[k]:.2g}).",
        measured=float(landed[k]),
        expected=float(right[k]),
        tolerance=float(bound[k]),
        details={
            "times": observation.times.tolist(),
            "steps": off.tolist(),
            "landed": landed.tolist(),
            "expected": right.tolist(),
        },
    )


def _landing_bound(case: Case) -> Array:
    p, q, _ = case.tolerance
    return np.asarray(p * np.sqrt(case.levels.abar_t) + q + 1e-12)


def known_levels(observation: Observation) -> tuple[Array, Array]:
    """The weights of the signal that have a time, and the times: of a whole table where there is one, else of the queries."""
    table = observation.target.schedule
    if table is None:
        return np.sqrt(observation.levels), observation.times
    return np.sqrt(table.abar[1:]), np.arange(table.timesteps, dtype=np.float64)


def level_in_words(root: float, roots: Array, times: Array) -> str:
    """The time at which the signal's weight is that, between those that have one, in brackets for a message.

    Args:
        root: a weight of the signal, sqrt(abar).
        roots, times: of the levels that have a time, as from :func:`known_levels`.
    """
    order = np.argsort(roots, kind="stable")
    roots, times = roots[order], times[order]
    if abs(root - 1) <= ON_THE_DATA:
        return " (the data)"
    if not roots[0] <= root <= 1:
        return " (a level that was never told)"
    if root > roots[-1]:
        return f" (a level between that of t = {times[-1]:.6g} and the data)"
    return f" (the level of t = {float(np.interp(root, roots, times)):.6g})"
