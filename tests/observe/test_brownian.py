"""The Brownian path: its weights on the draws are known, and so its law is compared exactly and not by drawing."""

import itertools

import numpy as np
import pytest

from verifydiff.observe.brownian import BrownianPath

MOST = 64


def basis_path():
    """A path whose draws are unit vectors: W is then the row of its weights on the draws."""
    unit = iter(np.eye(MOST))
    return BrownianPath(lambda: next(unit))


ORDERS = {
    "forwards": [0.0, 1.0, 2.5, 4.0],
    "backwards": [4.0, 2.5, 1.0, 0.0],
    "from the middle": [2.0, 5.0, 0.5, 3.0, 1.0, 2.5, 4.9],
    "a step, then its middle": [80.0, 20.0, 40.0, 5.0, 10.0, 60.0],
    "negative and huge": [-3.0, 1e6, 0.0, -1e3, 7.0],
    "halved again and again": [0.0, 1.0, *(0.5**k for k in range(1, 30))],
}


@pytest.mark.parametrize("asked", ORDERS.values(), ids=ORDERS.keys())
def test_the_covariance_of_any_two_increments_is_their_overlap(asked):
    path = basis_path()
    for time in asked:
        path.at(time)
    intervals = list(itertools.combinations(sorted(asked), 2))
    increments = np.array([path.at(b) - path.at(a) for a, b in intervals])
    overlap = np.array([[max(0.0, min(b, d) - max(a, c)) for c, d in intervals] for a, b in intervals])
    scale = np.sqrt(np.outer(overlap.diagonal(), overlap.diagonal()))
    np.testing.assert_allclose(increments @ increments.T / scale, overlap / scale, rtol=0, atol=1e-13)


@pytest.mark.parametrize("asked", ORDERS.values(), ids=ORDERS.keys())
def test_a_new_time_costs_one_draw_and_a_known_one_none(asked):
    drawn = []

    def normal():
        drawn.append(0)
        return 1.0

    path = BrownianPath(normal)
    for time in [*asked, *reversed(asked)]:
        path.at(time)
    assert len(drawn) == len(asked) - 1  # the first is where it is pinned


def test_an_increment_is_standard_normal_and_changes_its_sign_with_its_direction():
    path = basis_path()
    there, back = path.increment(3.0, 1.0), path.increment(1.0, 3.0)
    assert there @ there == pytest.approx(1, abs=1e-15)
    np.testing.assert_array_equal(there, -back)


def test_the_two_parts_of_a_step_make_up_the_step():
    path = basis_path()
    whole = path.increment(80.0, 20.0)
    parts = np.sqrt(20.0) * path.increment(80.0, 60.0) + np.sqrt(40.0) * path.increment(60.0, 20.0)
    np.testing.assert_allclose(np.sqrt(60.0) * whole, parts, atol=1e-13)


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_a_time_that_is_not_finite_is_refused(time):
    with pytest.raises(ValueError, match="finite times"):
        basis_path().at(time)


def test_no_interval_has_no_noise():
    with pytest.raises(ValueError, match=r"between 1\.0 and itself"):
        basis_path().increment(1.0, 1.0)
