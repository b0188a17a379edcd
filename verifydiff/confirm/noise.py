r"""Draws from one start, each over its own scale: are they independent standard normal numbers?

A sampler with the exact denoiser of a Gaussian is affine, so that its draws from one start are exactly normal, with a mean and a
scale that are known: :math:`u = (x_0 - A x_T - b) / \sqrt V` is standard normal, number by number and row by row of the batch. Of
many noisy steps any noise comes out nearly normal; after a single one nothing hides. All tests are exact or bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..statistics import Evidence, coincidence, extremes, independence, kolmogorov_smirnov, tails
from ..statistics.evidence import Array, smallest_of_any

TESTS = 8
"""Of one set of draws."""
SINGLE = float(np.finfo(np.float32).eps)
LATTICE = 64.0
"""Roundings of single precision within which two numbers may be one: right noise may be drawn and computed with in it."""


@dataclass(frozen=True)
class Flaw:
    """The likeliest thing to be off.

    Attributes:
        p_value: of all tests, the least.
        words: what it would be, as the end of a sentence.
    """

    p_value: float
    words: str


def flaws(u: Array, size: float = 1.0) -> tuple[Flaw, ...]:
    """What the tests say of the rows, of the numbers in a row, and of the law of a single number; :data:`TESTS` p-values in all.

    Args:
        u: (n, d), the draws over their scale.
        size: the largest magnitude that was rounded to make one of them, in units of its scale.
    """
    resolution = LATTICE * SINGLE * max(1.0, size, float(np.abs(u).max()))
    n, d = u.shape
    same = coincidence(u * np.copysign(1.0, u[:, :1]), 0, resolution)
    same = replace(same, p_value=smallest_of_any(same.p_value, 2))  # the first number of a row is one of magnitude alone
    half = n // 2
    of_rows = min(independence(u, 0), _of_halves(u, half), key=_likelihood)
    of_numbers = independence(u, 1)
    by_number = [kolmogorov_smirnov(column) for column in u.T]
    worst = int(np.argmin([one.p_value for one in by_number]))
    apart = replace(by_number[worst], p_value=smallest_of_any(by_number[worst].p_value, d), where=f"number {worst} of a row")
    of_law = min(kolmogorov_smirnov(u), apart, tails(u), extremes(u), key=_likelihood)
    return (
        Flaw(same.p_value, f"some rows of a batch are the same noise, or its opposite ({same.where})"),
        Flaw(of_rows.p_value, f"rows of a batch share noise ({of_rows.where})"),
        Flaw(of_numbers.p_value, f"the numbers in a row share noise ({of_numbers.where.replace('slice', 'number')})"),
        Flaw(of_law.p_value, f"the noise is not normal ({of_law.test}, {of_law.where})"),
    )


def with_two_keys(u: Array, other: Array) -> Flaw:
    """Whether a sampler that is handed another key draws the same noise again, in whole or in part; one test.

    Args:
        u: (n, d), the draws with one key over their scale.
        other: (n, d), those with the other.
    """
    evidence = independence(np.stack([u.ravel(), other.ravel()]), 0)
    return Flaw(evidence.p_value, "another key brings the same noise, in whole or in part")


def _of_halves(u: Array, half: int) -> Evidence:
    """The first half of the rows beside the second, which a large batch may have been made of."""
    evidence = independence(np.stack([u[:half].ravel(), u[half : 2 * half].ravel()]), 0)
    return replace(evidence, where="the first half of the batch and the second")


def _likelihood(evidence: Evidence) -> float:
    return evidence.p_value
