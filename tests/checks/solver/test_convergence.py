"""How a slope is read off errors, and which steps are excused."""

from types import SimpleNamespace

import numpy as np
import pytest
from solvers import RIGHT

from verifydiff.checks.solver import orders
from verifydiff.checks.solver.convergence import ENDS, NEAR, landing, local_error, slope
from verifydiff.checks.solver.gaussian import law, local_errors
from verifydiff.observe.response import respond
from verifydiff.verdict import Status

STEPS = [10, 20, 40, 80, 160]
CHURNED = [2.1e-1, 1.4e-1, 1.1e-1, 9.3e-2, 7.9e-2, 4.5e-2]  # of Euler with s_churn = 60, on these and on 320 steps


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("bend", [0.0, 2.0, -2.0])
def test_the_next_term_of_the_error_is_taken_off(order, bend):
    errors = [n**-order * (1 + bend / n) for n in STEPS]
    one = slope(STEPS, errors, 1e-15)
    assert one.order == pytest.approx(order, abs=0.01)
    assert one.nearest == order
    assert not one.exact


def test_errors_that_rounding_has_reached_are_left_out():
    errors = [1e-2, 1e-3, 1e-4, 1e-12, 3e-12]
    assert slope(STEPS, errors, 1e-11).order == pytest.approx(np.log2(10), abs=1e-6)


def test_a_method_whose_errors_are_all_rounding_is_exact():
    one = slope(STEPS, [1e-14] * 5, 1e-11)
    assert one.exact
    assert one.nearest is None


@pytest.mark.parametrize("errors", [[np.inf] * 5, [np.nan] * 5, [0.5, np.nan, np.nan, np.nan, np.nan]], ids=str)
def test_errors_that_are_no_numbers_have_no_slope(errors):
    one = slope(STEPS, errors, 1e-11)
    assert np.isnan(one.order)
    assert not one.exact
    assert one.nearest is None


def test_slopes_that_do_not_settle_are_taken_as_they_are():
    one = slope(STEPS, [1.0, 0.4, 0.1, 0.06, 0.01], 1e-11)
    assert one.order == pytest.approx(np.log2(6))


def test_a_slope_that_rises_is_told_from_one_that_settles_and_from_one_that_falls():
    churned = slope([*STEPS, 320], CHURNED, 1e-11)
    assert churned.rises
    assert churned.order < 1 - NEAR
    for settled in ([1.6, 0.9, 0.475, 0.244, 0.1234], [1.0, 0.4, 0.18, 0.085, 0.0413], [1.0, 1.1, 1.15, 1.17, 1.18]):
        assert not slope(STEPS, settled, 1e-11).rises


@pytest.mark.parametrize(
    ("errors", "claimed", "status", "grids"),
    [
        ([*CHURNED, 2.4e-2], 1, Status.PASS, 7),
        ([*CHURNED, 1.48e-2], 2, Status.INCONCLUSIVE, 7),
        ([*CHURNED, 1.48e-2], None, Status.PASS, 7),
        ([2.0 ** (-n / 2) for n in range(7)], 1, Status.FAIL, 6),
        ([2.0**-n for n in range(7)], 1, Status.PASS, 5),
    ],
)
def test_more_steps_are_asked_for_while_a_slope_rises_and_then_it_stays_open(monkeypatch, errors, claimed, status, grids):
    asked = []

    def slopes(responses):
        asked.append(len(responses))
        return slope([10 * 2**n for n in range(len(responses))], errors[: len(responses)], 0.0), None

    monkeypatch.setattr(orders, "_slopes", slopes)
    response = SimpleNamespace(affine=True, hidden=False, unit=2.0**-53)
    solver = SimpleNamespace(order=claimed, stochastic=True)
    case = SimpleNamespace(response=response, grids=[response] * 5, on=lambda steps: response, solver=solver, uneven=[])
    (finding,) = orders.order(case)
    assert finding.status is status
    assert asked[-1] == grids


@pytest.mark.parametrize(("order", "nearest"), [(2.1, 2), (1.86, 2), (1.8, None), (0.1, None), (-1.0, -1)])
def test_a_slope_is_a_whole_number_within_0_15(order, nearest):
    errors = [float(n) ** -order for n in STEPS]
    assert slope(STEPS, errors, 1e-15).nearest == nearest


def test_single_steps_at_the_ends_are_left_out_by_number_and_not_by_share():
    """Euler's first steps of a third-order method: inside the ends they are not looked at, past them they are."""
    right = respond(RIGHT["ab-3"].target().on_log_grid(80))
    few = respond(RIGHT["ab-3"].mutant(starts=lambda k, of: 1 if k < 3 else 3).target().on_log_grid(80))
    many = respond(RIGHT["ab-3"].mutant(starts=lambda k, of: 1 if k < 2 * ENDS else 3).target().on_log_grid(80))
    assert local_error(few) == pytest.approx(local_error(right), rel=0.01)
    assert local_error(many) > 10 * local_error(right)


def test_local_errors_of_euler_are_those_of_its_equation():
    """One step of Euler's method on the flow of N(0, v): x' = x + (rho' - rho) rho / (v + rho^2) x."""
    rho, v = np.array([5.0, 2.0, 0.5, 0.1]), 1.7
    deviation = np.sqrt(v + rho**2)
    reached = deviation[:-1] * (1 + np.diff(rho) * rho[:-1] / (v + rho[:-1] ** 2))
    errors = local_errors(respond(RIGHT["euler"].on([*rho, 0.0])), v)[:-1]
    np.testing.assert_allclose(errors, reached / deviation[1:] - 1, rtol=1e-10)


def test_the_law_of_euler_is_the_product_of_its_steps():
    rho, v = np.array([5.0, 2.0, 0.5, 0.1]), 1.7
    factors = np.append(1 + np.diff(rho) * rho[:-1] / (v + rho[:-1] ** 2), v / (v + rho[-1] ** 2))
    said = law(respond(RIGHT["euler"].on([*rho, 0.0])), 0.4, v)
    expected = np.sqrt(v + rho[0] ** 2) * np.cumprod(factors)
    size = np.hypot(1, [*rho[1:], 0.0])
    np.testing.assert_allclose(said.deviation[1:] * size, expected, rtol=1e-10)
    np.testing.assert_allclose(said.mean * np.hypot(1, [*rho, 0.0]), 0.4, rtol=1e-10)


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "euler-maruyama"])
def test_every_state_lands_on_its_level_while_the_predictions_stay_the_same(name):
    response = respond(RIGHT[name].target())
    data, noise = landing(response)
    np.testing.assert_allclose(data, response.alpha, atol=1e-11)
    np.testing.assert_allclose(noise, response.sigma, atol=1e-11)


@pytest.mark.parametrize("name", RIGHT)
def test_on_finer_steps_the_law_comes_nearer_to_the_true_one(name):
    coarse, fine = (law(respond(RIGHT[name].target().on_log_grid(n)), 0.4, 0.3).error[-2] for n in (20, 80))
    assert fine < coarse / 3
