"""The noise: its scale at every step, none at the end, and its law."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import SamplerFault
from ..observe.probe import FINE, more_noise
from ..schedule import Array, Mask
from ..statistics import Decision, Evidence, compare_variance, draws_needed_for_variance, standard_normal_battery
from ..verdict import Finding, Status
from .behaviour import at_fault
from .case import SINGLE, Case
from .weights import wrong_weights

RESOLUTION = 0.05
"""Where the noise is hidden, its variance over all steps is told right or wrong within this relative resolution."""
LEAST_ROWS = 64
"""The smallest, so that every step has its share of draws."""
MOST_ROWS = 2**16
"""The largest batch that is asked for to judge hidden noise."""
SHAPE = ("kolmogorov-smirnov", "tails", "extremes")
"""Tests of the shape alone."""
SAME = 1e-6
"""Draws that lie nearer than this are one draw, seen through rounding."""
LAW = {
    "coincidence-of-steps": ("stale-noise", "the same noise serves several steps"),
    "coincidence-of-rows": ("shared-noise", "rows of the batch share their noise"),
    "coincidence-of-coordinates": ("repeated-coordinates", "coordinates share their noise"),
    "kolmogorov-smirnov": ("noise-not-normal", "the noise is not normally distributed"),
    "tails": ("noise-not-normal", "the noise has other tails than a normal one"),
    "extremes": ("noise-not-normal", "the largest draws are not those of normal noise"),
    "independence-of-steps": ("stale-noise", "the noise of a step depends on that of another"),
    "independence-of-rows": ("shared-noise", "rows of the batch have dependent noise"),
    "independence-of-coordinates": ("repeated-coordinates", "coordinates have dependent noise"),
    "zero-mean": ("noise-not-centred", "the noise has a mean"),
}
"""What a failed test means, most telling first: (slip, in words)."""


def scale_and_law(case: Case, seed: int, deadline: float) -> Iterator[Finding]:
    """The scale of the noise, exactly where its draws were recorded and by draws where not; and its law."""
    observation, right = case.observation, case.expected[2]
    known = list(exact_scale(case))
    yield from known
    if not observation.noisy.any():
        yield Finding("noise-law", Status.NOT_APPLICABLE, "no step adds noise.")
        return
    if not (observation.hidden & (right > 0)).any():
        use = observation.noisy & (observation.scale > 0)
        if observation.run.unit > FINE:  # draws that are known are better looked at than what rounding made of them
            u = np.array(observation.run.draws)[observation.draw_of_step[use]]
        else:
            u = observation.noise[use] / observation.scale[use, None, None]
        yield law(case, battery(u), u.size)
        return
    use = observation.noisy & (right > 0)
    needed = draws_needed_for_variance(RESOLUTION, case.rates)
    rows = int(np.clip(-(-needed // (int(use.sum()) * observation.target.dimensions)), LEAST_ROWS, MOST_ROWS))
    try:
        fresh = more_noise(observation, rows, seed=seed + 2, deadline=deadline)
    except SamplerFault as fault:
        yield at_fault("noise-scale", fault, f"with a batch of {rows} ")
        return
    u = fresh[use] / right[use, None, None]
    tests = battery(u)
    if shared := [test for test in tests if _twice(test)]:
        yield Finding(
            "noise-scale", Status.INCONCLUSIVE, "the noise cannot be reached, and draws that are shared do not tell a scale."
        )
        yield _wrong_law(case, shared, len(shared))
        return
    scale = scale_by_draws(case, u, tests, needed)
    if not any(finding.status is Status.FAIL for finding in known):
        yield scale
    found = law(case, tests, u.size) if scale.status is not Status.FAIL else shape(case, u)
    if found.status is Status.PASS and _drew_at(case, use & observation.hidden):
        message = (
            "besides the draws that were seen there is noise that does not come from them, and which is whose nobody can tell."
        )
        found = Finding("noise-law", Status.INCONCLUSIVE, message)
    yield found


def _drew_at(case: Case, steps: Mask) -> bool:
    """Whether at all of these steps draws of the state's shape were made and seen, which yet do not explain their noise."""
    before = np.array(case.observation.run.drawn_before)
    return bool(np.isin(np.flatnonzero(steps) + 1, before).all())


def exact_scale(case: Case) -> Iterator[Finding]:
    """Where the draws were recorded: is their weight that of the closed form, and is there nothing at the end?"""
    observation, right = case.observation, case.expected[2]
    hidden = observation.hidden
    seen = np.where(hidden, right, observation.z)
    bound = case.tolerance[2] + 1e-13
    off = ~(np.abs(seen - right) <= bound) | (hidden & (right == 0))
    lost = off & ~observation.noisy & (right <= observation.resolution[2])  # rounding may hide as much
    off &= ~lost
    last = off & (case.levels.end == -1) & (right == 0)
    if last.any():
        yield _noise_at_the_end(case, int(np.flatnonzero(last)[0]))
    off &= ~last
    if off.any():
        yield wrong_weights(case, "noise-scale", "z", observation.scale, right, bound, off)
    elif lost.any():
        k = int(np.flatnonzero(lost)[0])
        yield Finding(
            "noise-scale",
            Status.INCONCLUSIVE,
            f"in the precision of its states, noise cannot be told from rounding at {np.count_nonzero(lost)} of "
            f"{observation.steps} steps (first: {case.step(k)}, where {case.family.title} has {right[k]:.4g}).",
            expected=float(right[k]),
        )
    elif not observation.noisy.any():
        yield Finding("noise-scale", Status.PASS, "no step adds noise, as the closed form says.")
    elif not hidden.any():
        where = "none at the end" if right[-1] == 0 else "the end included"
        worst = float((np.abs(seen - right) / np.where(right > 0, right, 1)).max())
        yield Finding(
            "noise-scale",
            Status.PASS,
            f"the scale of the noise is that of the closed form at every step, {where} (off by at most {worst:.1g}).",
            measured=worst,
            tolerance=1e-10,
        )


def _noise_at_the_end(case: Case, k: int) -> Finding:
    size = float(np.sqrt((case.observation.noise[k] ** 2).mean()))
    message = f"noise of scale {size:.4g} is added on the step onto the data ({case.step(k)})"
    if size <= SINGLE:
        message += ": a floor under a variance, less than single precision holds"
    status = Status.NOTE if size <= SINGLE else Status.FAIL
    return Finding("last-step", status, f"{message}.", measured=size, expected=0.0, tolerance=SINGLE)


def scale_by_draws(case: Case, u: Array, tests: list[Evidence], needed: int) -> Finding:
    """The scale of noise that cannot be reached, over all steps within a resolution, and step by step."""
    result = compare_variance(u, 1.0, RESOLUTION, case.rates)
    parts = [test for test in tests if test.test.startswith("unit-variance-")]
    rate = case.rates.shared_among(len(parts)).false_alarm
    uneven = min((test for test in parts if test.rejects(rate)), key=lambda test: test.p_value, default=None)
    status = _STATUS[result.decision]
    words = {
        Status.PASS: f"equals the closed form within {RESOLUTION:.0%}",
        Status.FAIL: "differs from the closed form",
        Status.INCONCLUSIVE: f"cannot be told within {RESOLUTION:.0%} from {result.n} draws; {needed} are needed",
    }[status]
    if uneven is not None:
        status, words = Status.FAIL, f"{words}; but {uneven.where} differs ({uneven.test} has p = {uneven.p_value:.2g})"
    return Finding(
        "noise-scale",
        status,
        f"the noise cannot be reached, so its variance is judged by {result.n} draws: over the closed form's it is "
        f"{result.estimate:.4g} (between {result.interval[0]:.4g} and {result.interval[1]:.4g}) and {words}.",
        measured=result.estimate,
        expected=1.0,
        tolerance=RESOLUTION,
        false_alarm=case.rates.false_alarm,
    )


_STATUS = {Decision.EQUAL: Status.PASS, Decision.DIFFERENT: Status.FAIL, Decision.INCONCLUSIVE: Status.INCONCLUSIVE}


def battery(u: Array) -> list[Evidence]:
    """Every test of standard normal noise that finds something to test; draws are seen through the rounding of a step."""
    return [test for test in standard_normal_battery(u, resolution=1e-9) if test.n]


def law(case: Case, tests: list[Evidence], draws: int) -> Finding:
    """Is the noise over its scale fresh at every step, independent over rows and coordinates, and standard normal?"""
    hidden = case.observation.hidden.any()
    return _law(case, [test for test in tests if not (hidden and test.test.startswith("unit-variance"))], draws)


def shape(case: Case, u: Array) -> Finding:
    """The law of noise whose scale is not the claimed one: every step brought to its own scale, its shape alone is judged."""
    u = u / np.sqrt((u**2).mean(axis=(1, 2), keepdims=True))
    return _law(case, [test for test in battery(u) if test.test in SHAPE], u.size)


def _law(case: Case, tests: list[Evidence], draws: int) -> Finding:
    rate = case.rates.shared_among(len(tests)).false_alarm
    failed = [test for test in tests if test.rejects(rate)]
    if failed:
        return _wrong_law(case, failed, len(tests))
    return Finding(
        "noise-law",
        Status.PASS,
        f"{draws} draws are fresh at every step, independent over rows and coordinates, and standard normal ({len(tests)} tests).",
        false_alarm=case.rates.false_alarm,
    )


def _wrong_law(case: Case, failed: list[Evidence], tests: int) -> Finding:
    test = min(failed, key=_how_telling)
    slip, words = LAW.get(test.test, (None, f"the noise fails the test {test.test}"))
    return Finding(
        "noise-law",
        Status.FAIL,
        f"{words}{f' ({test.where})' if test.where else ''}: {test.test} has p = {test.p_value:.2g} over {test.n} draws.",
        measured=test.p_value,
        tolerance=case.rates.shared_among(tests).false_alarm,
        false_alarm=case.rates.false_alarm,
        details={"slip": slip, "failed": {one.test: one.p_value for one in failed}},
    )


def _twice(test: Evidence) -> bool:
    """Whether slices of the noise are one and the same."""
    return test.test.startswith("coincidence-") and test.n > 0 and test.statistic <= SAME


def _how_telling(test: Evidence) -> tuple[bool, bool, float, int]:
    """Draws that stand twice to the last digit say most, draws that are merely near least; between them the p-value decides."""
    coincidence = test.test.startswith("coincidence")
    rank = list(LAW).index(test.test) if test.test in LAW else len(LAW)
    return not _twice(test), coincidence and not _twice(test), 0.0 if _twice(test) else test.p_value, rank
