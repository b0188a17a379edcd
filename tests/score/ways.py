r"""Four ways to test a sampler, each as it is written in public test-suites, put to one mutant at a time.

- *Golden sums*: a full loop from a fixed start with a dummy model that returns ``x * t / (t + 1)``; the sum and the mean of the
  absolute output, to 1e-2 and 1e-3, against numbers that were recorded earlier. So do the scheduler tests of diffusers. The
  numbers come from the code that is under test when the test is written: recorded from *right* code they are one thing, from the
  code *as it is* another.
- *Shape and finite*: the output has the shape of the input and holds no NaN and no infinity.
- *Moments*: on Gaussian data with the exact denoiser, mean and standard deviation of some thousands of draws lie within 10 % of the
  data's. Where the right sampler is not within 10 % itself, of its own, which is the most that such a test could be calibrated to.
- *verifydiff*: its check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mutants import Mutant
from samplers import ABAR, Sample, T

from verifydiff.verdict import Status

SUM, MEAN = 1e-2, 1e-3
"""What golden sums may be off."""
SHAPE = (4, 3 * 8 * 8)
"""Of the golden loop: four images of 3 x 8 x 8."""
DATA_MEAN, DATA_DEVIATION = 1.5, 0.5
DRAWS, COORDINATES = 4000, 2
WITHIN = 0.1
"""What moments may be off, relative."""
SEED = 0


@dataclass(frozen=True)
class Judgement:
    """What a way of testing says of a mutant.

    Attributes:
        killed: whether the test fails.
        seen: what it saw, in a few words.
    """

    killed: bool
    seen: str


# -- golden sums -----------------------------------------------------------------------------------------------------------


def dummy(x, t):
    """The dummy model of the public tests."""
    t = np.reshape(t, (-1, 1)).astype(float)
    return x * t / (t + 1)


def golden(sample: Sample) -> tuple[float, float]:
    """Sum and mean of the absolute output of a full loop from a fixed start."""
    start = np.arange(np.prod(SHAPE), dtype=float).reshape(SHAPE[1], SHAPE[0]).T / np.prod(SHAPE)
    size = np.abs(sample(dummy, start, SEED))
    return float(size.sum()), float(size.mean())


def golden_sums(of: Callable[[Mutant], Sample]) -> Callable[[Mutant], Judgement]:
    """The test whose numbers were recorded from ``of(mutant)``."""

    def judge(mutant: Mutant) -> Judgement:
        total, mean = golden(mutant.wrong)
        recorded, recorded_mean = golden(of(mutant))
        same = abs(total - recorded) < SUM and abs(mean - recorded_mean) < MEAN
        return Judgement(not same, f"the sum is {total:.4f}, recorded is {recorded:.4f}")

    return judge


# -- shape and finite ------------------------------------------------------------------------------------------------------


def shape_and_finite(mutant: Mutant) -> Judgement:
    """Is what comes out finite, and of the shape of what went in?"""
    start = np.random.default_rng(SEED).standard_normal(SHAPE)
    final = np.asarray(mutant.wrong(dummy, start, SEED))
    finite = bool(np.isfinite(final).all())
    return Judgement(
        final.shape != start.shape or not finite, "it is finite and of the right shape" if finite else "it is not finite"
    )


# -- moments ---------------------------------------------------------------------------------------------------------------


def exact_denoiser(x, t):
    """What the best model says of the noise, on data N(1.5, 0.25), at the level of the index that it is told."""
    index = np.reshape(t, -1)[0]
    if index != np.round(index) or not 0 <= index < T:
        raise IndexError(f"the table has no level of t = {index}")
    abar = ABAR[int(index)]
    variance = DATA_DEVIATION**2
    x0 = DATA_MEAN + np.sqrt(abar) * variance / (abar * variance + 1 - abar) * (x - np.sqrt(abar) * DATA_MEAN)
    return (x - np.sqrt(abar) * x0) / np.sqrt(1 - abar)


def outcome(sample: Sample, seed: int = SEED) -> tuple[float, float]:
    """Mean and standard deviation of what a sampler makes of pure noise with the exact denoiser."""
    start = np.random.default_rng([seed, 1]).standard_normal((DRAWS, COORDINATES))
    final = sample(exact_denoiser, start, seed)
    return float(final.mean()), float(final.std())


def near(found: tuple[float, float], wanted: tuple[float, float]) -> bool:
    """Whether both moments are within 10 %."""
    return all(abs(one - other) <= WITHIN * abs(other) for one, other in zip(found, wanted, strict=True))


def calibrated(right: Sample) -> tuple[float, float]:
    """The moments to compare with: the data's, if the right sampler reaches them within half of the tolerance, else its own.

    Half, so that no seed of the right sampler fails.
    """
    own, data = outcome(right), (DATA_MEAN, DATA_DEVIATION)
    reached = all(abs(one - other) <= WITHIN / 2 * other for one, other in zip(own, data, strict=True))
    return data if reached else own


def moments(mutant: Mutant) -> Judgement:
    """Are mean and standard deviation within 10 % of what they should be?"""
    mean, deviation = outcome(mutant.wrong)
    wanted = calibrated(mutant.right)
    seen = f"mean {mean:.3f} and deviation {deviation:.3f}, for {wanted[0]:.3f} and {wanted[1]:.3f}"
    return Judgement(not near((mean, deviation), wanted), seen)


# -- verifydiff ------------------------------------------------------------------------------------------------------------


def checked(mutant: Mutant) -> Judgement:
    """What ``verifydiff.check`` says."""
    report = mutant.report
    failed = [finding.check for finding in report.findings if finding.status is Status.FAIL]
    return Judgement(report.status is Status.FAIL, ", ".join(dict.fromkeys(failed)) or str(report.status))


WAYS: dict[str, Callable[[Mutant], Judgement]] = {
    "golden sums of right code": golden_sums(lambda mutant: mutant.right),
    "golden sums of the code as it is": golden_sums(lambda mutant: mutant.wrong),
    "shape and finite": shape_and_finite,
    "moments within 10 %": moments,
    "verifydiff": checked,
}


def judge(way: str, mutant: Mutant) -> Judgement:
    """What the way of testing says; a sampler that raises fails any test that runs it."""
    with np.errstate(all="ignore"):
        try:
            return WAYS[way](mutant)
        except (ArithmeticError, IndexError, ValueError) as error:
            return Judgement(killed=True, seen=f"it raises {type(error).__name__}")
