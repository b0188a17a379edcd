"""Grids of levels, against numbers worked out by hand and the grids that the package judges by."""

import numpy as np
import pytest

from verifydiff.samplers import karras, log_uniform, spaced
from verifydiff.schedule import Schedule, grid
from verifydiff.verdict import MisuseError

TABLE = Schedule.linear(1000).abar


@pytest.mark.parametrize("steps", [1, 7, 10, 50, 999, 1000])
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_levels_of_a_schedule_are_those_of_the_grid_that_a_sampler_is_judged_by(spacing, steps):
    times = grid(1000, steps, spacing) + 1  # array indices begin at t = 1
    np.testing.assert_array_equal(spaced(TABLE, steps, spacing), np.append(TABLE[times], 1.0))


def test_ten_steps_of_a_hundred_by_hand():
    table = np.linspace(1, 0.01, 101)
    starts = {"trailing": range(100, 0, -10), "leading": range(91, 0, -10), "linspace": [100, 89, 78, 67, 56, 45, 34, 23, 12, 1]}
    for spacing, times in starts.items():
        np.testing.assert_array_equal(spaced(table, 10, spacing), np.append(table[list(times)], 1.0))


def sigma(levels):
    return np.sqrt((1 - levels[:-1]) / levels[:-1])


def test_levels_even_in_the_logarithm_of_the_noise():
    levels = log_uniform(11, 0.01, 100.0)
    np.testing.assert_allclose(sigma(levels), 100.0 * 10.0 ** (-0.4 * np.arange(11)), rtol=1e-10)
    assert levels[-1] == 1
    assert (np.diff(levels) > 0).all()


def test_the_levels_of_karras():
    """Five steps at the paper's own settings, worked out from eq. 5 by hand."""
    expected = [(80 ** (1 / 7) + i / 4 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(5)]
    np.testing.assert_allclose(sigma(karras(5)), expected, rtol=1e-6)
    np.testing.assert_allclose(sigma(karras(4, 1.0, 4.0, rho=1.0)), [4, 3, 2, 1], rtol=1e-12)


BAD = {
    "no step": (lambda: spaced(TABLE, 0), "`steps` must be at least 1"),
    "half a step": (lambda: karras(2.5), "`steps` must be a whole number"),
    "too many": (lambda: spaced(TABLE, 1001), "`steps` must be at most the 1000 times"),
    "no spacing": (lambda: spaced(TABLE, 10, "even"), "no spacing is called 'even'"),
    "a rising table": (lambda: spaced(TABLE[::-1], 10), "must be a table"),
    "without the data": (lambda: spaced(TABLE[1:], 10), "must be a table"),
    "ends swapped": (lambda: log_uniform(5, 80.0, 0.002), "0 < sigma_min < sigma_max"),
    "no noise": (lambda: karras(5, 0.0), "0 < sigma_min < sigma_max"),
    "NaN": (lambda: karras(5, float("nan")), "0 < sigma_min < sigma_max"),
    "rho": (lambda: karras(5, rho=0.0), "`rho` must be above 0"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_bad_grids_are_refused(make, message):
    with pytest.raises(MisuseError, match=message):
        make()
