"""Stochastic and ordinary differential equations by a second route: integrated numerically, with no part of the proof engine.

The data are a mixture of two Gaussians, whose density at every time is known and whose score is not a straight line; what
changes in time is checked with derivatives of high precision, or by integrating.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, log, sin, sqrt

import mpmath
import numpy as np
import pytest
import sympy
from scipy.integrate import quad, solve_ivp

from verifydiff.forms import ode_steps, reverse_steps, sde
from verifydiff.forms.quantities import abar_t, beta_t, eps, ve_s, ve_t, x_0, x_t, z
from verifydiff.forms.score import score_t

DATA = ((0.3, -1.2, 0.2), (0.7, 0.9, 0.5))  # weight, mean, variance


def beta(time):
    """No schedule that anybody uses."""
    return 0.4 + 2.5 * time + sin(5 * time) ** 2


def integral_of_beta(time):
    return 0.4 * time + 1.25 * time**2 + time / 2 - sin(10 * time) / 20


def mixture(x, time):
    """The VP marginal of the mixture, in mpmath numbers."""
    kept = mpmath.exp(-(0.4 * time + 1.25 * time**2 + time / 2 - mpmath.sin(10 * time) / 20))
    total = mpmath.mpf(0)
    for weight, mean, variance in DATA:
        spread = kept * variance + 1 - kept
        total += weight * mpmath.exp(-((x - mpmath.sqrt(kept) * mean) ** 2) / (2 * spread)) / mpmath.sqrt(2 * mpmath.pi * spread)
    return total


def score_of_mixture(x, time):
    return mpmath.diff(lambda u: mpmath.log(mixture(u, time)), x)


# -- marginals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [0.1, 0.6, 1.0])
def test_vp_and_sub_vp_marginals_are_what_the_moments_integrate_to(end):
    def moments(time, state):
        mean, variance, sub = state
        strength = beta(time) * (1 - exp(-2 * integral_of_beta(time)))
        return [-beta(time) / 2 * mean, -beta(time) * variance + beta(time), -beta(time) * sub + strength]

    got = solve_ivp(moments, (0, end), [1.7, 0.0, 0.0], rtol=1e-11, atol=1e-13).y[:, -1]
    total = quad(beta, 0, end, epsabs=1e-13)[0]
    wanted = [
        sde.vp_mean.numpy(sde.B, x_0)(total, 1.7),
        sde.vp_variance.numpy(sde.B)(total),
        sde.sub_vp_variance.numpy(sde.B)(total),
    ]
    assert got == pytest.approx(wanted, rel=1e-9)


def test_the_ve_variance_is_the_integral_of_the_geometric_schedule():
    low, high, end = 0.01, 50.0, 0.8
    strength = quad(lambda u: 2 * log(high / low) * (low * (high / low) ** u) ** 2, 0, end, epsabs=1e-12)[0]
    level = low * (high / low) ** end
    assert sde.ve_variance.numpy(sde.sigma, sde.sigma_0)(level, low) == pytest.approx(strength, rel=1e-10)


def test_the_linear_integral_is_the_limit_of_ddpm_sums():
    closed = sde.linear_integral.numpy(sde.beta_min, sde.beta_span, sde.t)
    table = np.linspace(1e-4, 0.02, 1000)
    assert table.sum() == pytest.approx(closed(0.1, 19.9, 1.0), rel=1e-12)
    lag = closed(0.1, 19.9, 0.5) - table[:500].sum()
    assert lag == pytest.approx(19.9 / (8 * 999), rel=1e-9)


# -- time reversed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "time"), [(-0.7, 0.2), (0.1, 0.45), (1.3, 0.9)])
@pytest.mark.parametrize("lam", [0.0, 0.5, 1.0])
def test_every_member_of_the_family_keeps_the_marginals_of_a_mixture(x, time, lam):
    """The Fokker-Planck equation backwards, with derivatives of 30 digits."""
    with mpmath.workdps(30):
        g_squared = beta(time)
        drift = sde.family_drift.numpy(sde.f, sde.g, score_t, sde.lam)

        def flux(u):
            return drift(-beta(time) / 2 * u, sqrt(g_squared), score_of_mixture(u, time), lam) * mixture(u, time)

        rate = mpmath.diff(lambda s: mixture(x, s), time)
        backwards = mpmath.diff(flux, x) + lam**2 * g_squared / 2 * mpmath.diff(lambda u: mixture(u, time), x, 2)
        assert abs(-rate - backwards) < 1e-8


def test_the_log_density_falls_by_the_divergence_along_the_flow():
    flow = sde.flow_drift.numpy(sde.f, sde.g, score_t)

    def velocity(x, time):
        return flow(-beta(time) / 2 * x, sqrt(beta(time)), float(score_of_mixture(x, time)))

    def both(time, state):
        x = state[0]
        divergence = -beta(time) / 2 - beta(time) / 2 * float(mpmath.diff(lambda u: mpmath.log(mixture(u, time)), x, 2))
        return [velocity(x, time), -divergence]

    start, end = 0.3, 0.8
    x, change = solve_ivp(both, (start, end), [0.4, 0.0], rtol=1e-8, atol=1e-10).y[:, -1]
    wanted = mpmath.log(mixture(x, end)) - mpmath.log(mixture(0.4, start))
    assert change == pytest.approx(float(wanted), abs=1e-6)


def test_the_vp_flow_of_one_point_is_the_path_of_held_noise():
    flow = sde.vp_flow.numpy(sde.beta, x_t, eps, abar_t)

    def velocity(time, state):
        level = exp(-integral_of_beta(time))
        noise = (state[0] - sqrt(level) * 0.6) / sqrt(1 - level)
        return [float(flow(beta(time), state[0], noise, level))]

    def at(time):
        level = exp(-integral_of_beta(time))
        return sqrt(level) * 0.6 + sqrt(1 - level) * -1.1

    end = solve_ivp(velocity, (0.9, 0.2), [at(0.9)], rtol=1e-10, atol=1e-12).y[0, -1]
    assert end == pytest.approx(at(0.2), abs=1e-8)


# -- steps -----------------------------------------------------------------------------------------------------------------------

SECOND_ORDER = {
    "euler_maruyama": (reverse_steps.euler_maruyama, lambda v: 1 / v - 3 * v / 4, -3 / 8),
    "reverse_diffusion": (reverse_steps.reverse_diffusion, lambda v: 1 / v - v / 2, -1 / 4),
    "ancestral": (reverse_steps.ancestral, lambda v: 1 / v - 1, 0.0),
}


@pytest.mark.parametrize(("form", "spread", "shift"), SECOND_ORDER.values(), ids=SECOND_ORDER)
@pytest.mark.parametrize("v", [0.3, 1.0, 2.5])
def test_one_reverse_step_misses_the_exact_moments_by_the_stated_amount(form, spread, shift, v):
    """The step is affine in (x, z): mean and variance come from its values at three points, in 40 digits."""
    step = sympy.lambdify((beta_t, x_t, score_t, z), form.expression, "mpmath")
    with mpmath.workdps(40):
        small, mean = mpmath.mpf(10) ** -6, mpmath.mpf("0.8")

        def after(x, noise):
            return step(small, x, -(x - mean) / v, noise)

        centre = after(mean, 0)
        variance = (after(mean + 1, 0) - centre) ** 2 * v + (after(mean, 1) - centre) ** 2
        exact = (v - small) / (1 - small)
        assert float((variance - exact) / small**2) == pytest.approx(spread(v), abs=1e-4)
        assert float((centre - mean / mpmath.sqrt(1 - small)) / small**2) == pytest.approx(0.8 * shift, abs=1e-4)


def test_heun_and_midpoint_err_by_what_the_page_says():
    """A nonlinear equation with a known solution: y' = cos(t) y^2, y = 1 / (2 - sin t)."""
    with mpmath.workdps(40):
        start, h = mpmath.mpf("0.3"), mpmath.mpf(10) ** -6

        def v(y, time):
            return mpmath.cos(time) * y**2

        def solution(time):
            return 1 / (2 - mpmath.sin(time))

        y, slope = solution(start), v(solution(start), start)
        along = [mpmath.diff(lambda u: v(y + u * slope, start + u), 0, k) for k in (1, 2)]
        jacobian = 2 * mpmath.cos(start) * y * along[0]
        exact = solution(start + h)
        heun = ode_steps.heun.numpy(ode_steps.y, ode_steps.h, ode_steps.v_t, ode_steps.v_s)(
            y, h, slope, v(y + h * slope, start + h)
        )
        middle = ode_steps.midpoint.numpy(ode_steps.y, ode_steps.h, ode_steps.v_mid)(y, h, v(y + h * slope / 2, start + h / 2))
        assert float((exact - heun) / h**3) == pytest.approx(float(jacobian / 6 - along[1] / 12), rel=1e-4)
        assert float((exact - middle) / h**3) == pytest.approx(float(jacobian / 6 + along[1] / 24), rel=1e-4)


def test_edm_heun_is_of_second_order_and_halves_the_last_noise():
    heun = ode_steps.edm_heun.numpy(ode_steps.xbar_t, ve_s, ve_t, ode_steps.d_t, ode_steps.d_s)

    def slope(x, sigma, c):
        return sigma * x / (c + sigma**2)

    def run(steps, c):
        x, levels = 1.0, np.linspace(3.0, 0.5, steps + 1)
        for high, low in pairwise(levels):
            here = slope(x, high, c)
            x = heun(x, low, high, here, slope(x + (low - high) * here, low, c))
        return x

    exact = sqrt((0.4 + 0.25) / (0.4 + 9.0))
    ratio = (run(40, 0.4) - exact) / (run(80, 0.4) - exact)
    assert ratio == pytest.approx(4, abs=0.2)
    assert heun(1.0, 0.0, 0.7, slope(1.0, 0.7, 0.0), 0.0) == pytest.approx(0.5)


@pytest.mark.parametrize(("step", "v"), [(0.1, 1.0), (0.5, 0.6), (1.1, 0.6)])
def test_langevin_steps_end_too_wide(step, v):
    variance = 5.0
    for _ in range(400):
        variance = (1 - step / v) ** 2 * variance + 2 * step
    assert variance == pytest.approx(v / (1 - step / (2 * v)), rel=1e-9)


def test_the_forms_stand_for_what_they_say_at_a_point():
    """The weights of Song et al.'s VP steps by hand, at one level."""
    weights = reverse_steps.reverse_diffusion.numpy(beta_t, x_t, score_t, z)
    assert weights(0.04, 1.0, 0.0, 0.0) == pytest.approx(2 - sqrt(0.96))
    assert weights(0.04, 0.0, 1.0, 0.0) == pytest.approx(0.04)
    assert weights(0.04, 0.0, 0.0, 1.0) == pytest.approx(0.2)
    assert reverse_steps.flow.numpy(beta_t, x_t, score_t)(0.04, 0.0, 1.0) == pytest.approx(0.02)
