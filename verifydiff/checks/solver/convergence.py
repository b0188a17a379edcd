r"""Orders of convergence, measured without a draw.

On N steps evenly spaced in the logarithm of the noise over the signal, between two fixed levels, a method of order p leaves an
error of :math:`C N^{-p} (1 + O(1/N))`. The error is that of the law on Gaussian data, at the last query, the largest over several
variances of the data: at a single one it can vanish by luck. From doubling N,

.. math:: p_i = \log_2 \frac{e(N_i)}{e(2 N_i)}, \qquad p \approx 2 p_n - p_{n-1},

the second taking off what the :math:`O(1/N)` leaves of the slope, where the slopes are seen to settle so. Errors that rounding has
reached are left out.

A multistep method starts with steps of lower order, whose errors come once and not N times; where the signal is weak they are
small, but in the end they set the slope. So the error of single steps is measured as well, all before them being exact, on all
steps but a fixed number at either end of the grid: it falls as :math:`N^{-(p+1)}`. And since each of a fixed number of first-order
steps leaves an error of :math:`N^{-2}`, so does the whole at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...observe.response import DOUBLE, Response
from ...schedule import Array
from .gaussian import law, local_errors

VARIANCES = (0.04, 0.3, 1.7, 9.0)
"""Of the data: narrow, ordinary, wide. At 1 nothing happens in the variance-preserving frame, and nothing would be seen."""
MEAN = 0.4
STEPS = (10, 20, 40, 80, 160)
"""How many steps the method is asked to take, in turn."""
MORE = 320
"""And where its order is still in doubt; twice as many where its slope still rises, as that of much churn does."""
FLOOR = 2.0**18
"""An error below this many roundings is rounding: 3e-11 in double precision."""
COARSE_FLOOR = 2.0**15
"""The same in less than double precision: 0.002 in single precision."""
NEAR = 0.15
"""A measured order is that of the nearest whole number when it lies this near to it."""
SETTLES = 0.75
"""Slopes, and rates, settle when they move by less than this share of what they moved before; by half, in theory."""
ENDS = 8
"""Steps at either end of the grid that may be of lower order: a number, and no share of them. On few steps, a quarter."""


@dataclass(frozen=True)
class Slope:
    """How an error falls with the number of steps.

    Attributes:
        steps: the numbers of steps.
        errors: the error at each.
        order: the measured order; NaN where too few errors stand above rounding.
        exact: whether all errors are rounding: the method is exact here.
        rises: whether the last slope is steeper than the one before by more than is near, and they do not settle: the steps are
            still too large for the order to show.
    """

    steps: tuple[int, ...]
    errors: tuple[float, ...]
    order: float
    exact: bool
    rises: bool = False

    @property
    def nearest(self) -> int | None:
        """The whole number it lies near to, if it does."""
        whole = round(self.order) if np.isfinite(self.order) else 0
        return whole if whole and abs(self.order - whole) <= NEAR else None


def slope(steps: list[int], errors: list[float], floor: float) -> Slope:
    """The slope of errors on ever more steps, each twice the one before."""
    above = [e for e in errors if np.isfinite(e) and e > floor]
    rising = np.array(errors[: len(above)]) if errors[: len(above)] == above else np.array([])
    if not above and np.isfinite(errors).all():
        return Slope(tuple(steps), tuple(errors), np.nan, exact=True)
    if rising.size < 2:
        return Slope(tuple(steps), tuple(errors), np.nan, exact=False)
    slopes = np.diff(np.log(rising)) / -np.diff(np.log(steps[: rising.size]))
    turns = np.abs(np.diff(slopes))
    settles = turns.size > 1 and turns[-1] <= SETTLES * turns[-2]
    rises = slopes.size > 1 and not settles and bool(slopes[-1] - slopes[-2] > NEAR)
    order = 2 * slopes[-1] - slopes[-2] if settles else slopes[-1]
    return Slope(tuple(steps), tuple(errors), float(order), exact=False, rises=rises)


def global_error(response: Response) -> float:
    """The error of the law at the last query, the largest over the variances of the data."""
    return max(float(law(response, MEAN, variance).error[response.queries - 1]) for variance in VARIANCES)


def local_error(response: Response) -> float:
    """The error of one step away from the ends of the grid, the largest over these steps and the variances of the data."""
    steps = response.queries - 1
    ends = min(ENDS, steps // 4)
    return max(float(np.abs(local_errors(response, variance)[ends : steps - ends]).max()) for variance in VARIANCES)


def measured(responses: list[Response], error: Callable[[Response], float]) -> Slope:
    """The slope of an error over responses on ever finer grids, by the number of their queries."""
    errors = [error(response) for response in responses]
    unit = max(response.unit for response in responses)
    return slope([response.queries for response in responses], errors, (FLOOR if unit == DOUBLE else COARSE_FLOOR) * unit)


def landing(response: Response) -> tuple[Array, Array]:
    r"""What every state holds of the data and of the noise, (N + 1,) each, while the predictions are one and the same data.

    With :math:`\hat x_0 = m` throughout, and the first query at :math:`\alpha_0 m + \sigma_0 \epsilon`, that is
    :math:`A_k \alpha_0 + \sum_j B_{kj}` times the data, and noise of the variance :math:`(A_k \sigma_0)^2 + \sum_i C_{ki}^2`.
    """
    kept = response.start / response.start[0]
    data = kept * response.alpha[0] + response.answers.sum(axis=1)
    before = (response.draws[0] ** 2).sum()
    return np.asarray(data), np.sqrt(kept**2 * np.maximum(response.sigma[0] ** 2 - before, 0.0) + (response.draws**2).sum(axis=1))
