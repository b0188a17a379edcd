"""What a library promises besides its steps: noising, the way back, one sample whatever the batch it stands in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..observe import Observation, SamplerFault, Target, run
from ..observe.probe import generator
from ..observe.response import respond
from ..schedule import Array
from ..verdict import Finding, Status
from .behaviour import at_fault

WITHIN = 2.0**10
"""How many roundings a mixture may be off."""
ROWS = 3


def noising(target: Target, unit: float) -> Iterator[Finding]:
    """Are the library's mixtures of data and noise (noising, the velocity) those of the closed form?"""
    rng = generator(0)
    for way in target.noising:
        worst, at, right = 0.0, way.times[0], (0.0, 0.0)
        x0, eps = (rng.uniform(-1, 1, (2, *target.shape)) for _ in range(2))
        try:
            for told in way.times:
                signal, noise = way.weights(told)
                mixed = np.asarray(way.mix(x0.copy(), eps.copy(), told), dtype=np.float64)
                off = float(np.nan_to_num(np.abs(mixed - signal * x0 - noise * eps).max(), nan=np.inf))
                if off > worst:
                    worst, at, right = off, told, (signal, noise)
        except Exception as error:
            yield Finding("round-trip", Status.FAIL, f"{way.name} raises at t = {told:g}: {type(error).__name__}: {error}.")
            continue
        bound = WITHIN * unit * max(1.0, *(abs(weight) for weight in right))
        if worst <= bound:
            yield Finding(
                "round-trip", Status.PASS, f"{way.name} mixes as the closed form does (off by at most {worst:.1g}).", worst
            )
        else:
            yield Finding(
                "round-trip",
                Status.FAIL,
                f"{way.name} at t = {at:g} is off by {worst:.4g} from {right[0]:.6g} of the data and {right[1]:.6g} of the noise.",
                worst,
                0.0,
                bound,
            )


def way_back(observation: Observation, seed: int, deadline: float) -> Iterator[Finding]:
    r"""Does the inverse sampler lead back to the level that the sampler started from?

    While the predictions are one and the same data m, the way there and the way back are one path: from what the sampler ended in,
    :math:`\alpha_N m + \sigma_N \epsilon`, the inverse has to lead to :math:`\alpha_0 m + \sigma_0 \epsilon`.
    """
    inverse, first = observation.target.inverse, observation.run.meant[0].preserving
    if inverse is None:
        return
    try:
        back = respond(inverse, seed=seed, timeout=deadline - time.monotonic())
    except SamplerFault as fault:
        yield at_fault("round-trip", fault, f"{inverse.name}: ")
        return
    kept = back.start[-1] / back.start[0]
    data = kept * back.alpha[0] + back.answers[-1].sum()
    noise = kept * back.sigma[0]
    off = max(abs(data - first.alpha), abs(noise - first.sigma))
    bound = WITHIN * max(back.unit, observation.run.unit) * (1 + np.abs(back.answers[-1]).sum())
    if off <= bound:
        yield Finding("round-trip", Status.PASS, f"{inverse.name} leads back to the level it started from (off by {off:.1g}).", off)
    else:
        yield Finding(
            "round-trip",
            Status.FAIL,
            f"{inverse.name} leads back to {data:.8g} of the data and {noise:.8g} of the noise, not to {first.alpha:.8g} and "
            f"{first.sigma:.8g}, where the sampler starts.",
            [data, noise],
            [first.alpha, first.sigma],
            float(bound),
        )


def rows(target: Target, seed: int, deadline: float) -> Iterator[Finding]:
    """Is a sample the same whatever the batch it stands in, where the library takes a seed for each row?"""
    row_seeded = target.row_seeded
    if row_seeded is None:
        return
    seeds = [seed + 3 + i for i in range(ROWS)]
    start = generator([seed, 2]).standard_normal((ROWS, target.dimensions))

    def answer(k: int, x: Array, abar: float) -> Array:
        return np.full(x.shape, 0.3 * (-1.0) ** k)

    def states(chosen: list[int]) -> Array:  # all of them: the last is the answer itself, whatever the noise, where it is the data
        one = replace(target, taps=(), sample=lambda denoise, x, _: row_seeded(denoise, x, [seeds[i] for i in chosen]))
        return run(one, answer, start[chosen], seed, deadline=deadline).x

    try:
        together, alone = states(list(range(ROWS))), [states([i]) for i in range(ROWS)]
    except SamplerFault as fault:
        yield at_fault("noise-contract", fault, "with a seed for each row ")
        return
    same_queries = all(one.shape[0] == together.shape[0] for one in alone)
    off = float(np.abs(together - np.concatenate(alone, axis=1)).max()) if same_queries else float("inf")
    if off <= 1e-6:
        yield Finding(
            "noise-contract", Status.PASS, "with a seed for each row, a sample is the same whatever the batch it stands in.", off
        )
    else:
        message = f"with a seed for each row, a sample depends on its batch: {ROWS} rows at once and apart differ by {off:.4g}."
        yield Finding("noise-contract", Status.FAIL, message, off, 0.0, 1e-6)
