r"""How many draws a test needs to find an effect of the resolution's size, either way, at declared rates.

Beside :func:`.draws_needed_for_mean` and :func:`.draws_needed_for_variance`:

* the sum of k squares finds a mean that is off by delta (in whitened units, in any direction) by the noncentral chi-squared law:
  the smallest n with :math:`P(\chi'^2_k(n \delta^2) \le \chi^2_{k, 1-\alpha}) \le \mu`;
* the bound of Dvoretzky, Kiefer & Wolfowitz finds a distance D of distribution functions, wherever it is, with
  :math:`n \ge (\sqrt{\log(2/\alpha)} + \sqrt{\log(1/\mu)})^2 / (2 D^2)`.
"""

from __future__ import annotations

from math import ceil, log, sqrt

from scipy.special import chndtr

from ..verdict import MisuseError
from .chi_squared import quantile_above
from .decision import check_resolution_of_mean, smallest
from .rates import ErrorRates


def draws_needed_for_directions(resolution: float, k: int, rates: ErrorRates | None = None) -> int:
    """Draws with which the sum of squares over k directions finds a mean that is off by ``resolution`` in one."""
    rates = rates or ErrorRates()
    check_resolution_of_mean(resolution)
    if k < 1:
        raise MisuseError(f"there is at least one direction, got {k}.")
    threshold = quantile_above(k, rates.false_alarm)
    return smallest(lambda n: float(chndtr(threshold, k, n * resolution**2)) <= rates.miss)


def draws_needed_for_distribution_function(distance: float, rates: ErrorRates | None = None) -> int:
    """Draws with which :func:`.distribution_function` and :func:`.kolmogorov_smirnov` find a distance D, whatever the law."""
    rates = rates or ErrorRates()
    if not 0 < distance <= 1:
        raise MisuseError(f"a distance of distribution functions lies in (0, 1], got {distance}.")
    return ceil((sqrt(log(2 / rates.false_alarm)) + sqrt(log(1 / rates.miss))) ** 2 / (2 * distance**2))
