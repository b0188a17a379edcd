"""The noise: its scale at every step, none at the end, and its law."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import SamplerFault
from ..observe.probe import more_noise
from ..schedule import Array
from ..statistics import Decision, Evidence, compare_variance, draws_needed_for_variance, standard_normal_battery
from ..verdict import Finding, Status
from .case import SINGLE, Case
from .weights import _wrong_weights

RESOLUTION = 0.05
"""Where the noise is hidden, its variance over all steps is told right or wrong within this relative resolution."""
MOST_ROWS = 2**16
"""The largest batch that is asked for to judge hidden noise."""
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
    """Scale and law. Draws tell the scale of hidden noise only where its law is right."""
    law = noise_law(case)
    yield from noise_scale(case, seed, deadline, trusted=law.status is not Status.FAIL)
    yield law


def noise_scale(case: Case, seed: int, deadline: float, *, trusted: bool) -> Iterator[Finding]:
    """Is the weight of the noise that of the closed form at every step, and nothing at the end?"""
    observation, right = case.observation, case.expected[2]
    hidden = observation.hidden
    seen = np.where(hidden, right, observation.z)  # hidden noise is judged by draws, below
    bound = case.tolerance[2] + 1e-13
    off = ~(np.abs(seen - right) <= bound) | (hidden & (right == 0))
    last = off & (case.levels.end == -1) & (right == 0)
    if last.any():
        yield _noise_at_the_end(case, int(np.flatnonzero(last)[0]))
    off &= ~last
    if off.any():
        shown = np.where(hidden, np.sqrt((observation.noise**2).mean(axis=(1, 2))), seen)
        yield _wrong_weights(case, "noise-scale", "z", shown, right, bound, off)
    elif (hidden & (right > 0)).any():
        if trusted:
            yield _hidden_scale(case, right, seed, deadline)
        else:
            yield Finding(
                "noise-scale", Status.INCONCLUSIVE, "the noise cannot be reached, and its law is not one whose draws tell a scale."
            )
    elif not observation.noisy.any():
        yield Finding("noise-scale", Status.PASS, "no step adds noise, as the closed form says.")
    else:
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


def _hidden_scale(case: Case, right: Array, seed: int, deadline: float) -> Finding:
    """The scale of noise that cannot be reached, by its draws: all steps together, within a resolution."""
    use = case.observation.hidden & (right > 0)
    needed = draws_needed_for_variance(RESOLUTION, case.rates)
    rows = min(MOST_ROWS, -(-needed // (int(use.sum()) * case.observation.target.dimensions)))
    try:
        fresh = more_noise(case.observation, rows, seed=seed + 2, deadline=deadline)
    except SamplerFault as fault:
        return Finding("noise-scale", Status.FAIL, f"with a batch of {rows} {fault}")
    u = fresh[use] / right[use, None, None]
    result = compare_variance(u, 1.0, RESOLUTION, case.rates)
    status = {Decision.EQUAL: Status.PASS, Decision.DIFFERENT: Status.FAIL, Decision.INCONCLUSIVE: Status.INCONCLUSIVE}[
        result.decision
    ]
    words = {
        Status.PASS: f"equals the closed form within {RESOLUTION:.0%}",
        Status.FAIL: "differs from the closed form",
        Status.INCONCLUSIVE: f"cannot be told within {RESOLUTION:.0%} from {result.n} draws; {needed} are needed",
    }
    return Finding(
        "noise-scale",
        status,
        f"the noise cannot be reached, so its variance is judged by {result.n} draws: over the closed form's it is "
        f"{result.estimate:.4g} (between {result.interval[0]:.4g} and {result.interval[1]:.4g}) and {words[status]}.",
        measured=result.estimate,
        expected=1.0,
        tolerance=RESOLUTION,
        false_alarm=case.rates.false_alarm,
    )


def noise_law(case: Case) -> Finding:
    """Is the noise fresh at every step, independent over rows and coordinates, and standard normal?"""
    observation, right = case.observation, case.expected[2]
    if not observation.noisy.any():
        return Finding("noise-law", Status.NOT_APPLICABLE, "no step adds noise.")
    scale = np.where(observation.hidden, right, observation.z)
    use = observation.noisy & (scale > 0) & np.isfinite(scale)
    u = observation.noise[use] / scale[use, None, None] if use.any() else observation.noise[observation.noisy]
    if observation.hidden.any():  # the scale itself is judged by `noise-scale`; the law is judged at the scale that was seen
        u = u / np.sqrt((u**2).mean())
    battery = [test for test in standard_normal_battery(u, resolution=1e-9) if test.n]
    if observation.hidden.any():
        battery = [test for test in battery if not test.test.startswith("unit-variance")]
    rates = case.rates.shared_among(len(battery))
    failed = {test.test: test for test in battery if test.rejects(rates.false_alarm)}
    if not failed:
        return Finding(
            "noise-law",
            Status.PASS,
            f"{u.size} draws are fresh at every step, independent over rows and coordinates, and standard normal "
            f"({len(battery)} tests).",
            false_alarm=case.rates.false_alarm,
        )
    test = min(failed.values(), key=_how_telling)
    slip, words = LAW.get(test.test, (None, f"the noise fails the test {test.test}"))
    return Finding(
        "noise-law",
        Status.FAIL,
        f"{words}{f' ({test.where})' if test.where else ''}: {test.test} has p = {test.p_value:.2g} over {test.n} draws.",
        measured=test.p_value,
        tolerance=rates.false_alarm,
        false_alarm=case.rates.false_alarm,
        details={"slip": slip, "failed": {name: one.p_value for name, one in failed.items()}},
    )


def _how_telling(test: Evidence) -> tuple[bool, float, int]:
    """Draws that stand twice to the last digit say most; else the smallest p-value, and the order of ``LAW`` between equals."""
    twice = test.test.startswith("coincidence-") and test.statistic <= SAME
    return not twice, 0.0 if twice else test.p_value, list(LAW).index(test.test) if test.test in LAW else len(LAW)
