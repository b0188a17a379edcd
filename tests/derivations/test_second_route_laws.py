"""The same numbers by a second route that shares nothing with the engine: quadrature, integration of the ODE, exact moments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sympy
from scipy.integrate import quad, solve_ivp
from scipy.linalg import sqrtm

from verifydiff.forms import ddim, deis, dpm, laws
from verifydiff.forms.quantities import abar_s, abar_t, data_mean, data_variance, eps, eta, sigma_t, x_0, x_t

START, LAM = 0.9, -0.3  # the state at lambda_t, and lambda_t


def level(lam):
    return 1 / (1 + np.exp(-2 * lam))


def noise(lam):
    return np.sqrt(1 - level(lam))


def predicted(x, lam):
    """A nonlinear noise prediction."""
    return np.sin(x) + 0.3 * x + np.cos(lam)


def data(x, lam):
    """The data that the noise implies."""
    return (x - noise(lam) * predicted(x, lam)) / np.sqrt(level(lam))


def flow(start, end, x):
    """The probability-flow ODE by the noise, dx/dlambda = (1 - abar) x - sqrt(1 - abar) eps, integrated."""

    def slope(lam, state):
        return (1 - level(lam)) * state - noise(lam) * predicted(state, lam)

    return solve_ivp(slope, (start, end), [x], method="DOP853", rtol=3e-14, atol=1e-15).y[0, -1]


def evaluate(form, values):
    """The form at numbers."""
    return form.numpy(*values)(*values.values())


def levels_of(lam, h):
    return {abar_t: level(lam), abar_s: level(lam + h)}


def first(lam, h, x):
    return evaluate(dpm.first_noise, {**levels_of(lam, h), x_t: x, eps: predicted(x, lam)})


def first_data(lam, h, x):
    return evaluate(dpm.first_data, {**levels_of(lam, h), x_t: x, x_0: data(x, lam)})


def second(lam, h, x, r=0.5):
    inner = predicted(first(lam, r * h, x), lam + r * h)
    return evaluate(dpm.second_noise, {**levels_of(lam, h), x_t: x, eps: predicted(x, lam), dpm.eps_r: inner, dpm.r: r})


def third(lam, h, x):
    one = predicted(first(lam, h / 3, x), lam + h / 3)
    values = {x_t: x, eps: predicted(x, lam)}
    middle = evaluate(dpm.third_inner, {**levels_of(lam, 2 * h / 3), **values, dpm.eps_r: one})
    return evaluate(dpm.third_noise, {**levels_of(lam, h), **values, dpm.eps_r: predicted(middle, lam + 2 * h / 3)})


def singlestep(lam, h, x, r=1 / 3):
    inner = data(first_data(lam, r * h, x), lam + r * h)
    return evaluate(dpm.singlestep, {**levels_of(lam, h), x_t: x, x_0: data(x, lam), dpm.x_r: inner, dpm.r: r})


def multistep(form):
    def step(lam, h, x, rho=2.0):
        before = data(flow(lam, lam - rho * h, x), lam - rho * h)
        return evaluate(form, {**levels_of(lam, h), x_t: x, x_0: data(x, lam), dpm.x_before: before, dpm.ratio: rho})

    return step


def rho_ab(lam, h, x):
    earlier = lam - h
    before = predicted(flow(lam, earlier, x), earlier)
    gap = np.exp(-earlier) - np.exp(-lam)
    return evaluate(deis.rho_ab, {**levels_of(lam, h), x_t: x, eps: predicted(x, lam), deis.eps_before: before, deis.back: gap})


SOLVERS = {
    "DPM-Solver-1": (first, 2), "DPM-Solver++1": (first_data, 2), "DPM-Solver-2": (second, 3), "DPM-Solver-3": (third, 4),
    "DPM-Solver++(2S)": (singlestep, 3), "DPM-Solver++(2M)": (multistep(dpm.multistep), 3),
    "(2M) with the exact weight": (multistep(dpm.multistep_exact), 3), "rhoAB-DEIS": (rho_ab, 3),
}  # fmt: skip


@pytest.mark.parametrize(("solver", "order"), SOLVERS.values(), ids=SOLVERS)
def test_the_local_error_of_a_solver_on_a_nonlinear_prediction_has_its_order(solver, order):
    errors = [abs(solver(LAM, h, START) - flow(LAM, LAM + h, START)) for h in (1 / 16, 1 / 32)]
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.35


def slopes():
    """The derivatives along the exact path, of the noise and of the data, and the Jacobians; by SymPy's chain rule."""
    x, lam = sympy.symbols("x lam", real=True)
    bar = 1 / (1 + sympy.exp(-2 * lam))
    eps_of = sympy.sin(x) + sympy.Rational(3, 10) * x + sympy.cos(lam)
    data_of = (x - sympy.sqrt(1 - bar) * eps_of) / sympy.sqrt(bar)
    drift = (1 - bar) * x - sympy.sqrt(1 - bar) * eps_of

    def along(function, order):
        for _ in range(order):
            function = function.diff(lam) + function.diff(x) * drift
        return float(function.subs({x: START, lam: LAM}))

    def jacobian(function, scale):
        return float((function.diff(x) * scale).subs({x: START, lam: LAM}))

    noises, datas = [along(eps_of, k) for k in range(4)], [along(data_of, k) for k in range(3)]
    return noises, datas, jacobian(eps_of, sympy.sqrt(1 - bar)), jacobian(data_of, sympy.sqrt(bar))


def leading(solver, order):
    """The factor of h^order in solver minus truth, extrapolated to h = 0 from three steps."""
    sizes = np.array([1 / 8, 1 / 16, 1 / 32])
    found = [(solver(LAM, h, START) - flow(LAM, LAM + h, START)) / h**order for h in sizes]
    return np.polyfit(sizes, found, 2)[-1]


def test_the_leading_errors_are_the_proved_ones():
    (_, e_1, e_2, e_3), (_, d_1, d_2), j_e, j_d = slopes()
    b, a, r, rho = noise(LAM), np.sqrt(level(LAM)), 1 / 3, 2
    expected = {
        "first": (first, 2, b * e_1 / 2),
        "first, data": (first_data, 2, -a * d_1 / 2),
        "second": (lambda *at: second(*at, r), 3, b * (-e_1 / 12 + (2 - 3 * r) * e_2 / 12 - r * j_e * e_1 / 4)),
        "third": (third, 4, b * (e_3 / 216 - e_2 / 72 - j_e * e_2 / 108 + j_e**2 * e_1 / 36)),
        "singlestep": (singlestep, 3, a * (-d_1 / 12 + (3 * r - 2) * d_2 / 12 - r * j_d * d_1 / 4)),
        "multistep": (multistep(dpm.multistep), 3, -a * (d_1 / 12 + (2 + 3 * rho) * d_2 / 12)),
        "exact weight": (multistep(dpm.multistep_exact), 3, -a * (2 + 3 * rho) * d_2 / 12),
    }
    for name, (solver, order, wanted) in expected.items():
        assert leading(solver, order) == pytest.approx(wanted, rel=0.02), name
    assert d_1 == pytest.approx(-np.exp(-LAM) * e_1, rel=1e-12)


@pytest.mark.parametrize(("form", "order"), [(dpm.phi_1, 1), (dpm.phi_2, 2), (dpm.phi_3, 3)])
def test_phi_functions_by_quadrature(form, order):
    for h in (0.3, 2.0):
        by_quadrature = quad(lambda delta, h=h: np.exp((1 - delta) * h) * delta ** (order - 1) / max(order - 1, 1), 0, 1)[0]
        assert form.numpy(dpm.step)(h) == pytest.approx(by_quadrature, rel=1e-12)


# -- laws ------------------------------------------------------------------------------------------------------------------------


def test_the_flow_of_gaussian_data_by_integrating_the_ode():
    c, m = 0.3, 0.7

    def slope(_, state):
        x, a = state
        return [-(x - (x - np.sqrt(a) * m) / (a * c + 1 - a)) / 2, -a]  # beta = 1

    end = solve_ivp(slope, (0, -1.5), [0.2, 0.1], rtol=1e-12, atol=1e-13).y[:, -1]
    gain = laws.flow_gain.numpy(abar_t, abar_s, data_variance)(0.1, end[1], c)
    assert end[0] - np.sqrt(end[1]) * m == pytest.approx(gain * (0.2 - np.sqrt(0.1) * m), rel=1e-9)


def test_a_step_by_conditional_moments_of_a_joint_gaussian():
    """x_s = k x_0 + m x_t + sigma z with x_0 replaced by its regression on x_t, all by matrices."""
    c, a_t, a_s, sigma = 1.7, 0.2, 0.6, 0.3
    joint = np.array([[c, np.sqrt(a_t) * c], [np.sqrt(a_t) * c, a_t * c + 1 - a_t]])
    regression = joint[0, 1] / joint[1, 1]
    m = ddim.x_t_coefficient.numpy(abar_t, abar_s, sigma_t)(a_t, a_s, sigma)
    k = ddim.x_0_coefficient.numpy(abar_t, abar_s, sigma_t)(a_t, a_s, sigma)
    gain = k * regression + m
    assert laws.gain.numpy(abar_t, abar_s, sigma_t, data_variance)(a_t, a_s, sigma, c) == pytest.approx(gain, rel=1e-12)
    truth = np.array([k, m]) @ joint @ np.array([k, m])
    lost = truth - gain**2 * joint[1, 1]
    assert laws.loss.numpy(abar_t, abar_s, sigma_t, data_variance)(a_t, a_s, sigma, c) == pytest.approx(lost, rel=1e-12)
    assert truth + sigma**2 == pytest.approx(a_s * c + 1 - a_s, rel=1e-12)


def test_deterministic_ddim_ends_where_the_cosines_say():
    grid, c, m = np.array([0.02, 0.1, 0.35, 0.8, 1.0]), 2.5, 0.4
    variance, mean = 1.0, 0.0
    for a_t, a_s in pairwise(grid):
        spread = a_t * c + 1 - a_t
        x_hat = np.sqrt(a_t) * c / spread
        gain = np.sqrt(a_s) * x_hat + np.sqrt(1 - a_s) * (1 - np.sqrt(a_t) * x_hat) / np.sqrt(1 - a_t)
        mean = gain * (mean - np.sqrt(a_t) * m) + np.sqrt(a_s) * m
        variance *= gain**2
    turns = np.arctan2(np.sqrt(1 - grid), np.sqrt(grid * c))
    kept = np.prod(np.cos(np.diff(turns)))
    arguments = laws.kept, laws.start_variance, laws.abar_top, data_variance
    assert laws.end_variance.numpy(*arguments)(kept, 1.0, grid[0], c) == pytest.approx(variance, rel=1e-12)
    distance = laws.frechet_ddim.numpy(*arguments, laws.start_mean, data_mean)(kept, 1.0, grid[0], c, 0.0, m)
    assert distance == pytest.approx((mean - m) ** 2 + (np.sqrt(variance) - np.sqrt(c)) ** 2, rel=1e-12)
    even = np.cos(turns[0] / 4) ** 4
    assert kept <= even


def test_the_frechet_distance_of_commuting_covariances_by_matrix_roots():
    turn = np.linalg.qr(np.array([[1.0, 2.0, 0.5], [0.3, 1.0, 4.0], [2.0, 0.1, 1.0]]))[0]
    first_, other = np.array([0.5, 1.5, 3.0]), np.array([0.7, 0.1, 2.0])
    one, two = (turn @ np.diag(values) @ turn.T for values in (first_, other))
    root = sqrtm(one)
    trace = np.trace(one + two - 2 * sqrtm(root @ two @ root)).real
    per_direction = laws.frechet.numpy(laws.m_1, laws.m_2, laws.v_1, laws.v_2)(0.0, 0.0, first_, other)
    assert trace == pytest.approx(per_direction.sum(), rel=1e-9)


@pytest.mark.parametrize(("steps", "best"), [(10, 0.0), (100, 0.0), (1000, 0.5)])
def test_the_best_eta_of_three_in_floating_point(steps, best):
    abar = np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))])
    gain_of = laws.gain.numpy(abar_t, abar_s, sigma_t, data_variance)
    scale_of = ddim.sigma.numpy(abar_t, abar_s, eta)
    distances = {}
    for noise_scale in (0.0, 0.5, 1.0):
        variance, error = 1.0, np.sqrt(abar[1000])
        for t in range(1000, 0, -1000 // steps):
            ends = abar[t], abar[t - 1000 // steps]
            sigma = scale_of(*ends, noise_scale)
            gain = gain_of(*ends, sigma, 0.25)
            variance, error = gain**2 * variance + sigma**2, gain * error
        distances[noise_scale] = error**2 + (np.sqrt(variance) - 0.5) ** 2
    assert min(distances, key=distances.get) == best


def test_onto_the_data_a_line_in_rho_stays_and_one_in_lambda_runs_away():
    values = {abar_t: 0.9, x_t: 1.0}
    for power in (5, 9, 13):
        values[abar_s] = 1 - 10.0**-power
        h = np.log(values[abar_s] / (1 - values[abar_s]) / 9) / 2
        steps = {**values, x_0: 1.0, dpm.ratio: 0.5 / h}
        far, near = (evaluate(dpm.multistep, {**steps, dpm.x_before: before}) for before in (2.0, 1.0))
        assert abs(far - near) / h == pytest.approx(1, rel=0.02)
        assert abs(evaluate(deis.rho_ab, {**values, eps: 0.2, deis.eps_before: 1.0, deis.back: 0.1})) < 10
