from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.special import chdtr, chdtrc

from verifydiff.statistics import chi_squared

MANY = chi_squared.MANY


def exactly(n: int, s: float) -> tuple[float, float]:
    """P(chi2_n <= s) and P(chi2_n >= s): the density integrated with forty digits, out to where nothing is left."""
    with mpmath.workdps(40):
        a, x = mpmath.mpf(n) / 2, mpmath.mpf(s) / 2

        def density(t: mpmath.mpf) -> mpmath.mpf:
            return mpmath.exp((a - 1) * mpmath.log(t) - t - mpmath.loggamma(a))

        reach = [k * mpmath.sqrt(a) for k in range(19)]
        return mpmath.quad(density, [x - k for k in reversed(reach)]), mpmath.quad(density, [x + k for k in reach])


@pytest.mark.parametrize("n", [MANY, 10**7, 10**9])
@pytest.mark.parametrize("z", [-7.0, -4.75, -0.01, 0.0, 1.0, 5.0])
def test_both_tails_are_right_at_many_degrees_of_freedom(n: int, z: float) -> None:
    s = n + z * (2 * n) ** 0.5
    lower, upper = exactly(n, s)
    assert float(chi_squared.below(n, s)) == pytest.approx(float(lower), rel=1e-9)
    assert float(chi_squared.above(n, s)) == pytest.approx(float(upper), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 50, MANY - 1, MANY, 10**7, 10**12])
@pytest.mark.parametrize("q", [1e-15, 1e-12, 1e-6, 0.05, 0.4])
def test_quantiles_invert_the_tails(n: int, q: float) -> None:
    assert float(chi_squared.below(n, chi_squared.quantile_below(n, q))) == pytest.approx(q, rel=1e-7)
    assert float(chi_squared.above(n, chi_squared.quantile_above(n, q))) == pytest.approx(q, rel=1e-7)


def test_scipy_and_the_expansion_meet() -> None:
    s = MANY + np.linspace(-4, 7, 50) * (2 * MANY) ** 0.5
    assert chi_squared.below(MANY, s) == pytest.approx(chdtr(MANY, s), rel=1e-9)
    assert chi_squared.above(MANY, s) == pytest.approx(chdtrc(MANY, s), rel=1e-9)


@pytest.mark.parametrize("n", [3, MANY])
def test_the_ends_are_zero_and_one(n: int) -> None:
    assert chi_squared.below(n, 0.0) == 0 == chi_squared.above(n, 1e300)
    assert chi_squared.above(n, 0.0) == 1 == chi_squared.below(n, 1e300)
