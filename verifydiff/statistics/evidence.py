r"""What a test returns, and how p-values are put together.

A p-value here satisfies :math:`P(p \le \alpha) \le \alpha` for every alpha when the hypothesis holds, with equality where
a test is called exact. Two ways to take the smallest of m of them:

* independent and exact, Sidak: :math:`1 - (1 - p_{\min})^m` is exact again;
* any dependence, Boole: :math:`\min(1, m\, p_{\min})` is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log1p
from typing import Any

import numpy as np

from ..verdict import MisuseError

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The outcome of one test.

    Attributes:
        test: kebab-case id of the question.
        hypothesis: what holds when the input is right, as a sentence.
        statistic: the number the test looks at.
        p_value: the probability, at most, of a statistic this extreme when the hypothesis holds.
        n: how many draws the statistic rests on; 0 where there was nothing to test, and then ``p_value`` is 1.
        where: which slice, pair or value stood out the most.
    """

    test: str
    hypothesis: str
    statistic: float
    p_value: float
    n: int
    where: str = ""

    def rejects(self, false_alarm: float) -> bool:
        """Whether the hypothesis is rejected at this rate of false alarms."""
        return self.p_value <= false_alarm


def smallest_of_independent(p: float, tests: int) -> float:
    r"""Sidak: the p-value of the smallest of ``tests`` independent exact ones, :math:`1 - (1 - p)^m`."""
    return 1.0 if p >= 1 else -expm1(tests * log1p(-p))


def smallest_of_any(p: float, tests: int) -> float:
    """Boole: a bound on the p-value of the smallest of ``tests``, whatever their dependence."""
    return min(1.0, tests * p)


def two_sided(below: Any, above: Any) -> Any:
    """Equal tails: the p-value of P(X <= x) and P(X >= x) together, exact for a continuous X."""
    return np.minimum(1.0, 2 * np.minimum(below, above))


def floats(u: Any) -> Any:
    """The draws as an array of single or double precision, as they are.

    Raises:
        MisuseError: if they are of another type. Integers are no draws of a continuous law, and half precision, with its 11
            bits, ties and overflows where no law does; widen on purpose, ``x.astype(float)``, what is known to be right.
    """
    array = np.asarray(u)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        raise MisuseError(f"draws must be of single or double precision, got {array.dtype}.")
    return array


def draws(u: Any) -> Array:
    """The draws as a float64 array.

    Raises:
        MisuseError: if there are none, one is not finite, or they are integers or of half precision.
    """
    array = np.asarray(floats(u), dtype=np.float64)
    if array.size == 0:
        raise MisuseError(f"there must be at least one draw, got an array of shape {array.shape}.")
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise MisuseError(f"draws must be finite, got {array[index]} at index {index}.")
    return array


def slices(u: Any, axis: int | None) -> Array:
    """The draws as rows: one row for each index along ``axis``, or a single row without an axis."""
    array = draws(u)
    if axis is None:
        return array.reshape(1, -1)
    if not -array.ndim <= axis < array.ndim:
        raise MisuseError(f"`axis` must be one of the {array.ndim} axes of the draws, got {axis}.")
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
