r"""Exact moments: the whole trajectory at once, on Gaussian data, without a draw.

For data N(m, v) the exact denoiser is affine,

.. math:: \mathbb{E}[x_0 \mid x_t] = m + g_t (x_t - \sqrt{\bar\alpha_t}\, m), \qquad
          g_t = \frac{\sqrt{\bar\alpha_t}\, v}{\bar\alpha_t v + 1 - \bar\alpha_t},

so the sampler's output is an affine map of x_T and of its draws z_1..z_N. One run whose batch holds a unit vector for each of
them yields that map, and with it the exact mean and variance that the sampler ends in. The four coordinates carry four laws
at once; the last one is a point mass, which must come out as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..observe import SamplerFault, run
from ..schedule import Array
from ..verdict import Finding, Status
from .case import Case

MEAN = np.array([0.08, -0.05, 0.1, -0.07])
VARIANCE = np.array([0.25, 1.0, 2.25, 0.0])
TOLERANCE = 1e-9
NUDGE = 2.0**-10
"""Unit vectors are this long: so small that no clipping range is left, and affine maps do not care."""


def exact_moments(case: Case, deadline: float = float("inf")) -> Iterator[Finding]:
    """Does the sampler end in the law that its closed form ends in, and does a point mass come out as it is?"""
    observation = case.observation
    if observation.hidden.any():
        yield Finding("exact-moments", Status.NOT_APPLICABLE, "the noise cannot be reached; its scale and law are judged by draws.")
        return
    try:
        mean, variance = output_law(case, deadline)
    except SamplerFault as fault:
        yield Finding("exact-moments", Status.FAIL, f"on Gaussian data {fault}")
        return
    right_mean, right_variance = expected_law(case)
    unit = np.maximum(right_variance, 1e-3)
    error = np.maximum(np.abs(mean - right_mean) / 0.1, np.abs(variance - right_variance) / unit)
    smooth, point = error[:3], error[3]
    j = int(np.argmax(np.nan_to_num(smooth, nan=np.inf)))
    law = f"data N({MEAN[j]:g}, {VARIANCE[j]:g}) ends in mean {mean[j]:.8g} and variance {variance[j]:.8g}"
    yield Finding(
        "exact-moments",
        Status.PASS if np.all(smooth <= TOLERANCE) else Status.FAIL,
        f"{law}, as {case.family.title} does (off by at most {smooth.max():.1g})."
        if np.all(smooth <= TOLERANCE)
        else f"{law}; {case.family.title} ends in {right_mean[j]:.8g} and {right_variance[j]:.8g}.",
        measured=[float(mean[j]), float(variance[j])],
        expected=[float(right_mean[j]), float(right_variance[j])],
        tolerance=TOLERANCE,
    )
    yield _point_mass(case, float(mean[3]), float(variance[3]), bool(point <= TOLERANCE))
    yield from _bias(right_mean, right_variance)


def _point_mass(case: Case, mean: float, variance: float, as_expected: bool) -> Finding:
    recovered = abs(mean - MEAN[3]) <= 0.1 * TOLERANCE and variance <= TOLERANCE * 1e-3
    if recovered:
        status, message = Status.PASS, "data without spread come out exactly."
    elif as_expected:
        status = Status.NOTE
        message = f"data at {MEAN[3]:g} without spread end in mean {mean:.6g} and variance {variance:.3g}: the contract does not end on the data."
    else:
        status, message = Status.FAIL, f"data at {MEAN[3]:g} without spread end in mean {mean:.8g} and variance {variance:.3g}."
    return Finding("point-mass", status, message, measured=[mean, variance], expected=[float(MEAN[3]), 0.0], tolerance=TOLERANCE)


def _bias(mean: Array, variance: Array) -> Iterator[Finding]:
    """What the chosen method costs even when it is implemented right."""
    j = int(np.argmax(np.abs(variance[:3] / VARIANCE[:3] - 1)))
    size = abs(variance[j] / VARIANCE[j] - 1)
    if size > 1e-6:
        yield Finding(
            "method-bias",
            Status.NOTE,
            f"implemented right, this method on this grid still ends data of variance {VARIANCE[j]:g} in {variance[j]:.6g} ({size:.2%} off).",
            measured=float(variance[j]),
            expected=float(VARIANCE[j]),
        )


def output_law(case: Case, deadline: float = float("inf")) -> tuple[Array, Array]:
    """Exact mean and variance of the sampler's output, per coordinate, from one run on unit vectors."""
    observation = case.observation
    rows = 2 + observation.drawn
    start = np.zeros((rows, MEAN.size))
    start[1] = NUDGE

    def unit_vectors(i: int, shape: tuple[int, ...]) -> Array:
        z = np.zeros(shape)
        if 2 + i < rows:
            z[2 + i] = NUDGE
        return z

    seen = run(observation.target, _denoised, start, 0, noise=unit_vectors, deadline=deadline)
    final = seen.x[-1]
    columns = (final[1:] - final[0]) / NUDGE
    return final[0], np.asarray((columns**2).sum(axis=0))


def expected_law(case: Case) -> tuple[Array, Array]:
    """Exact mean and variance in which the closed form ends, from the same start, by propagating moments."""
    mean = np.zeros(MEAN.size)
    variance = np.full(MEAN.size, case.observation.start**2)
    for p, q, c, abar in zip(*case.expected, case.levels.abar_t, strict=True):
        g = gain(abar)
        mean = p * mean + q * (MEAN + g * (mean - np.sqrt(abar) * MEAN))
        variance = (p + q * g) ** 2 * variance + c**2
    return mean, variance


def gain(abar: float) -> Array:
    """g_t, per coordinate."""
    return np.asarray(np.sqrt(abar) * VARIANCE / (abar * VARIANCE + 1 - abar))


def _denoised(k: int, x: Array, abar: float) -> Array:
    return np.asarray(MEAN + gain(abar) * (x - np.sqrt(abar) * MEAN))
