r"""Levels to sample on: :math:`\bar\alpha`, noisiest first, and last the data, at 1.

Those of a schedule at some of its times, or those of noises over signal :math:`\sigma = \sqrt{(1 - \bar\alpha) / \bar\alpha}`
that are spread by a rule. All are float64 on the host: rounding is the business of who samples.
"""

from __future__ import annotations

import math
import operator
from typing import Any, Literal

import numpy as np

from ..schedule import Array
from ..verdict import MisuseError

Spacing = Literal["trailing", "leading", "linspace"]


def spaced(abar: Any, steps: int, spacing: Spacing = "trailing") -> Array:
    """The levels of a schedule at some of its times (Lin et al. 2024, table 2).

    Args:
        abar: shape (T + 1,), the table abar_0 = 1 > abar_1 > ... > abar_T of a schedule, ``Schedule.abar``.
        steps: S, from 1 to T.
        spacing: ``"trailing"`` starts at T, ``"leading"`` at the last whole stride below it, ``"linspace"`` at T with its last
            step from t = 1.

    Returns:
        shape (S + 1,).

    Raises:
        MisuseError: if the table does not fall strictly from 1 within [0, 1], or the steps or the spacing do not exist.
    """
    table = np.asarray(abar, dtype=np.float64)
    if table.ndim != 1 or table.size < 2 or table[0] != 1 or not np.all(np.diff(table) < 0) or table[-1] < 0:
        raise MisuseError("`abar` must be a table abar_0 = 1 > abar_1 > ... > abar_T >= 0, as a Schedule has it.")
    T, S = table.size - 1, _steps(steps)
    if S > T:
        raise MisuseError(f"`steps` must be at most the {T} times of the table, got {S}.")
    times = {
        "trailing": np.round(np.arange(S, 0, -1) * T / S),
        "leading": np.arange(S)[::-1] * (T // S) + 1,
        "linspace": np.round(np.linspace(0, T - 1, S))[::-1] + 1,
    }
    if spacing not in times:
        raise MisuseError(f"no spacing is called {spacing!r}: give {', '.join(times)}.")
    return np.append(table[times[spacing].astype(int)], 1.0)


def log_uniform(steps: int, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Array:
    """S levels whose noise over signal falls from ``sigma_max`` to ``sigma_min`` by one factor, and then the data; shape (S + 1,).

    Raises:
        MisuseError: unless 0 < sigma_min < sigma_max; or if there is no step.
    """
    _ends(sigma_min, sigma_max)
    return _levels(np.geomspace(sigma_max, sigma_min, _steps(steps)))


def karras(steps: int, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> Array:
    r"""The levels of Karras et al. 2022, eq. 5, and then the data; shape (S + 1,).

    .. math:: \sigma_i = \Bigl(\sigma_{\max}^{1/\rho}
        + \frac{i}{S - 1} \bigl(\sigma_{\min}^{1/\rho} - \sigma_{\max}^{1/\rho}\bigr)\Bigr)^\rho

    Raises:
        MisuseError: unless 0 < sigma_min < sigma_max and rho > 0; or if there is no step.
    """
    _ends(sigma_min, sigma_max)
    if not 0 < rho < math.inf:
        raise MisuseError(f"`rho` must be above 0, got {rho!r}.")
    return _levels(np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), _steps(steps)) ** rho)


def _levels(sigma: Array) -> Array:
    return np.append(1 / (1 + sigma**2), 1.0)


def _steps(steps: Any) -> int:
    try:
        count = operator.index(steps)
    except TypeError:
        raise MisuseError(f"`steps` must be a whole number, got {steps!r}.") from None
    if count < 1:
        raise MisuseError(f"`steps` must be at least 1, got {count}.")
    return count


def _ends(sigma_min: float, sigma_max: float) -> None:
    if not 0 < sigma_min < sigma_max < math.inf:
        raise MisuseError(f"noises over signal must hold 0 < sigma_min < sigma_max, got {sigma_min!r} and {sigma_max!r}.")
