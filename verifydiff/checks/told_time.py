"""Is the model told the time of the level that it is asked at?

Where a library can be read, a query has two levels: the one that its step is computed for, and the one that the told time
stands for.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import Run
from ..observe.frame import Frame
from ..schedule import Schedule
from ..verdict import Finding, Status

HALF = 0.5 + 1e-6
"""A level between two array indices is told by the nearer one at best: half an index off."""
SAME = 1e-6
"""Told and meant are one where they differ by less than this: of an index, or of noise over signal, relative."""
NEAR = 1e-3
"""Levels that differ by less than this, relative, no network tells apart: a note."""


def told_time(run: Run, schedule: Schedule | None, inexact: str = "") -> Iterator[Finding]:
    """Is the model told the time of the level that it is asked at? Times that are rounded to whole indices are a note."""
    if len(run.told) != len(run.meant) or run.told == run.meant:
        return
    if schedule is None:
        yield _by_level(run)
        return
    meant = np.array([index_of(frame, schedule) for frame in run.meant])
    off = np.abs(meant - [index_of(frame, schedule) for frame in run.told])
    k = int(np.argmax(off))
    where = f"up to {off[k]:.2g} of an array index (query {k}, t = {run.times[k]:.6g}, which is meant as t = {meant[k]:.6g})"
    if off[k] <= SAME:
        yield Finding("told-time", Status.PASS, "the model is told the time of the level it is asked at.", float(off[k]))
    elif inexact:
        message = f"by construction the model is told another level than is meant, by {where}: {inexact}."
        yield Finding("told-time", Status.NOTE, message, float(off[k]), 0.0)
    elif off[k] <= HALF:
        message = f"times are rounded: the model is told another level than is meant, by {where}."
        yield Finding("told-time", Status.NOTE, message, float(off[k]), 0.0, 0.5)
    else:
        several = np.count_nonzero(off > HALF)
        message = f"{several} of {off.size} queries tell the time of another level than the one they are at: off by {where}."
        yield Finding("told-time", Status.FAIL, message, float(off[k]), 0.0, 0.5)


def _by_level(run: Run) -> Finding:
    told, meant = (np.array([frame.noise_over_signal for frame in frames]) for frames in (run.told, run.meant))
    with np.errstate(invalid="ignore"):
        off = np.nan_to_num(np.abs(told / meant - 1), nan=0.0)
    k = int(np.argmax(off))
    if off[k] <= SAME:
        return Finding("told-time", Status.PASS, "the model is told the time of the level it is asked at.", float(off[k]))
    if off[k] <= NEAR:
        message = (
            f"the model is told another level than is meant, by up to {off[k]:.1g} relative (query {k}, t = {run.times[k]:.6g})."
        )
        return Finding("told-time", Status.NOTE, message, float(told[k]), float(meant[k]), SAME)
    return Finding(
        "told-time",
        Status.FAIL,
        f"{np.count_nonzero(off > SAME)} of {off.size} queries tell the time of another level than the one they are at; the worst, "
        f"query {k}, t = {run.times[k]:.6g}, stands for noise over signal of {told[k]:.6g} and is meant at {meant[k]:.6g}.",
        float(told[k]),
        float(meant[k]),
        SAME,
    )


def index_of(frame: Frame, schedule: Schedule) -> float:
    """The (fractional) array index of the schedule that has the frame's level, by the logarithm of noise over signal."""
    abar = np.append(schedule.abar[1:], frame.level)
    logit = np.log(np.maximum(1 - abar, 1e-300)) - np.log(np.maximum(abar, 1e-300))
    return float(np.interp(logit[-1], logit[:-1], np.arange(schedule.timesteps)))
