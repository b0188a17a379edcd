r"""Exact moments: the whole trajectory at once, on Gaussian data, without a draw.

For data N(m, v) the exact denoiser is affine,

.. math:: \mathbb{E}[x_0 \mid x_t] = m + g_t (x_t - \sqrt{\bar\alpha_t}\, m), \qquad
          g_t = \frac{\sqrt{\bar\alpha_t}\, v}{\bar\alpha_t v + 1 - \bar\alpha_t},

so the sampler's output is an affine map of x_T and of its draws z_1..z_N. One run whose batch holds a unit vector for each of
them yields that map, and with it the exact mean and variance that the sampler ends in. The coordinates carry four laws at
once, in turn; one of them is a point mass, which must come out as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import SamplerFault, run
from ..schedule import Array
from ..verdict import Finding, Status
from .behaviour import at_fault
from .case import DOUBLE, Case

MEANS, VARIANCES = (0.08, -0.07, 0.1, -0.05), (0.25, 0.0, 2.25, 1.0)
"""The laws of the data. Means are small, so that no common clipping range is left."""
ROUNDINGS = 2.0**23
"""How many roundings the law may be off after a whole trajectory: 1e-9 in double precision."""
COARSEST = 1e-3
"""In single precision the law is judged within this."""
NUDGE = 2.0**-10
"""Unit vectors are this long in double precision: small, for the same reason; affine maps do not care."""
COARSE_NUDGE = 2.0**-2
"""And this long where rounding would drown the former."""


def exact_moments(case: Case, deadline: float = float("inf")) -> Iterator[Finding]:
    """Does the sampler end in the law that its closed form ends in, and does a point mass come out as it is?"""
    if case.observation.hidden.any():
        yield Finding("exact-moments", Status.NOT_APPLICABLE, "the noise cannot be reached; its scale and law are judged by draws.")
        return
    data = _laws(case)
    try:
        seen = output_law(case, data, deadline)
    except SamplerFault as fault:
        yield at_fault("exact-moments", fault, "on Gaussian data ")
        return
    right = expected_law(case, data)
    tolerance = max(min(ROUNDINGS * case.unit, COARSEST), 64 * case.observation.run.unit)
    error = np.max([np.abs(seen[0] - right[0]) / 0.1, np.abs(seen[1] - right[1]) / np.maximum(right[1], 1e-3)], axis=0)
    error = np.nan_to_num(error, nan=np.inf)
    spread = data[1] > 0
    yield _law(case, data, seen, right, np.where(spread, error, -1.0), tolerance)
    if not spread.all():
        yield _point_mass(data, seen, error <= tolerance, tolerance)
    yield from _bias(data, right)


def _law(case: Case, data: Array, seen: Array, right: Array, error: Array, tolerance: float) -> Finding:
    j = int(np.argmax(error))
    law = f"data N({data[0, j]:g}, {data[1, j]:g}) end in mean {seen[0, j]:.8g} and variance {seen[1, j]:.8g}"
    if error[j] <= tolerance:
        status, message = Status.PASS, f"{law}, as {case.family.title} has it (off by at most {error[j]:.1g})."
    else:
        status, message = Status.FAIL, f"{law}; {case.family.title} ends in {right[0, j]:.8g} and {right[1, j]:.8g}."
    return Finding("exact-moments", status, message, seen[:, j].tolist(), right[:, j].tolist(), tolerance)


def _point_mass(data: Array, seen: Array, as_expected: Array, tolerance: float) -> Finding:
    j = int(np.argmin(data[1]))
    (point, _), (mean, variance) = data[:, j], seen[:, j]
    end = f"data at {point:g} without spread end in mean {mean:.8g} and variance {variance:.3g}"
    if abs(mean - point) <= 0.1 * tolerance and variance <= 1e-3 * tolerance:
        status, message = Status.PASS, "data without spread come out exactly."
    elif as_expected[j]:
        status, message = Status.NOTE, f"{end}: the contract does not end on the data."
    else:
        status, message = Status.FAIL, f"{end}."
    return Finding("point-mass", status, message, [float(mean), float(variance)], [float(point), 0.0], tolerance)


def _bias(data: Array, right: Array) -> Iterator[Finding]:
    """What the chosen method costs even when it is implemented right."""
    off = np.where(data[1] > 0, np.abs(right[1] / np.where(data[1] > 0, data[1], 1) - 1), -1)
    j = int(np.argmax(off))
    if off[j] > 1e-6:
        yield Finding(
            "method-bias",
            Status.NOTE,
            f"implemented right, this method on this grid ends data of variance {data[1, j]:g} in {right[1, j]:.6g} "
            f"({off[j]:.2%} off).",
            float(right[1, j]),
            float(data[1, j]),
        )


def output_law(case: Case, data: Array, deadline: float = float("inf")) -> Array:
    """Exact mean and variance of the sampler's output, shape (2, d), from one run on unit vectors."""
    rows = 2 + case.observation.drawn
    start = np.zeros((rows, data.shape[1]))
    nudge = NUDGE if case.observation.run.unit == DOUBLE else COARSE_NUDGE
    start[1] = nudge

    def unit_vectors(i: int, shape: tuple[int, ...]) -> Array:
        z = np.zeros(shape)
        if 2 + i < rows:
            z[2 + i] = nudge
        return z

    def denoised(k: int, x: Array, abar: float) -> Array:
        return np.asarray(data[0] + gain(abar, data[1]) * (x - np.sqrt(abar) * data[0]))

    final = run(case.observation.target, denoised, start, 0, noise=unit_vectors, deadline=deadline, keep=False).x[-1]
    columns = (final[1:] - final[0]) / nudge
    return np.stack([final[0], (columns**2).sum(axis=0)])


def expected_law(case: Case, data: Array) -> Array:
    """Exact mean and variance in which the closed form ends, shape (2, d), from the same start, by propagating moments."""
    mean, variance = np.zeros(data.shape[1]), np.full(data.shape[1], case.observation.start**2)
    for p, q, c, abar in zip(*case.expected, case.levels.abar_t, strict=True):
        g = gain(abar, data[1])
        mean = p * mean + q * (data[0] + g * (mean - np.sqrt(abar) * data[0]))
        variance = (p + q * g) ** 2 * variance + c**2
    return np.stack([mean, variance])


def gain(abar: float, variance: Array) -> Array:
    """g_t for every coordinate."""
    return np.asarray(np.sqrt(abar) * variance / (abar * variance + 1 - abar))


def _laws(case: Case) -> Array:
    """Mean and variance of the data in every coordinate, shape (2, d)."""
    d = case.observation.target.dimensions
    return np.stack([np.resize(MEANS, d), np.resize(VARIANCES, d)])
