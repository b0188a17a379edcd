"""On states in bfloat16, as pipelines run that are loaded in that type: does it run, and how far does it go astray?

That half precision costs some digits is no mistake. That it ends in an exception or in numbers that are not finite is one, where
the same sampler in single precision does neither.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import Observation, SamplerFault, run
from ..observe.probe import SMALL, answers, replay
from ..observe.running import HALF, Run
from ..schedule import Array
from ..verdict import Finding, Status
from .behaviour import at_fault


def half_precision(observation: Observation, seed: int, deadline: float) -> Iterator[Finding]:
    """One run on the answers, the start and the draws of the first, whose states are compared with those of that one."""
    target, natural = observation.target, observation.run
    if target.in_half is None:
        return
    start = np.asarray(natural.x[0] / observation.start)
    try:
        seen = run(target.in_half, answers(seed, SMALL), start, seed, noise=replay(natural), deadline=deadline)
    except SamplerFault as fault:
        if _runs_in_single(observation, start, seed, deadline):
            yield at_fault("half-precision", fault, "on states in bfloat16, ")
        return
    if seen.x.shape != natural.x.shape:
        message = (
            f"on states in bfloat16, it asks the model {seen.times.size} times; in double precision {natural.times.size} times."
        )
        yield Finding("half-precision", Status.FAIL, message, seen.times.size, natural.times.size)
        return
    off = _off(seen, natural)
    k = int(np.argmax(off))
    where = f"query {k}, t = {natural.times[k]:.6g}" if k < natural.times.size else "what is returned"
    message = (
        f"on states in bfloat16, they move by up to {off[k]:.1g} of their size ({where}), and what is returned by {off[-1]:.1g}."
    )
    if seen.finest < HALF:
        message += " From a state in bfloat16 it makes states in a wider type: who has loaded a model in bfloat16 has to cast them."
    yield Finding("half-precision", Status.NOTE, message, float(off[k]))


def _off(seen: Run, natural: Run) -> Array:
    """(N + 1,): how far every state is off, in the mean square, over its size or 1."""
    size = np.maximum(1.0, np.sqrt((natural.x**2).mean(axis=(1, 2))))
    return np.asarray(np.sqrt(((seen.x - natural.x) ** 2).mean(axis=(1, 2))) / size)


def _runs_in_single(observation: Observation, start: Array, seed: int, deadline: float) -> bool:
    shipped = observation.target.as_shipped
    if shipped is None:
        return True
    try:
        run(shipped, answers(seed, SMALL), start, seed, noise=replay(observation.run), deadline=deadline)
    except SamplerFault:
        return False
    return True
