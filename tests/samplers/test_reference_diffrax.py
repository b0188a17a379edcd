"""Another team's solver agrees: diffrax on the probability flow, and on the moments of the reverse SDE, of Gaussian data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.samplers import DDPM, DPMSolverPP2M, EulerMaruyama, Heun, log_uniform, trajectory

diffrax = pytest.importorskip("diffrax", reason="agreement with diffrax needs diffrax")

MEAN = jnp.array([0.5, -1.0])
COVARIANCE = jnp.array([[1.2, 0.6], [0.6, 0.5]])
HIGH, LOW = 20.0, 0.05


def eps(x, a):
    """The exact model of data N(MEAN, COVARIANCE), one state."""
    spread = a * COVARIANCE + (1 - a) * jnp.eye(2)
    return jnp.sqrt(1 - a) * jnp.linalg.solve(spread, x - jnp.sqrt(a) * MEAN)


def solved(field, start, begin, end):
    """The flow of a field by diffrax's Tsit5, at tolerances near rounding."""
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: field(t, y)),
        diffrax.Tsit5(),
        begin,
        end,
        None,
        start,
        stepsize_controller=diffrax.PIDController(rtol=1e-11, atol=1e-12),
        max_steps=100_000,
    )
    return jax.tree.map(lambda y: np.asarray(y[0]), solution.ys)


@pytest.mark.parametrize("sampler", [Heun(), DPMSolverPP2M()], ids=str)
def test_the_probability_flow_leads_where_diffrax_says(sampler):
    x_T = jnp.array([0.3, -1.7])

    def field(sigma, xbar):
        a = 1 / (1 + sigma**2)
        return eps(jnp.sqrt(a) * xbar, a)

    there = solved(field, x_T * jnp.sqrt(1 + HIGH**2), HIGH, LOW)
    errors = []
    for steps in (100, 200):
        levels = log_uniform(steps + 1, LOW, HIGH)
        ours = trajectory(sampler, eps, x_T, levels, key=jax.random.key(0))[-2] * jnp.sqrt(1 + LOW**2)
        errors.append(np.abs(np.asarray(ours) - there).max())
    assert errors[1] < 1e-3
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("sampler", [EulerMaruyama(), DDPM()], ids=str)
def test_the_moments_of_the_reverse_sde_are_those_of_diffrax(sampler):
    """In the time B = log abar the reverse SDE is dx = (x / 2 + score) dB + dW; its moments follow a linear ODE."""
    levels = log_uniform(2, LOW, HIGH)

    def drift(B, x):
        a = jnp.exp(B)
        return x / 2 - eps(x, a) / jnp.sqrt(1 - a)

    def moments(B, both):
        mean, covariance = both
        slope = jax.jacfwd(lambda x: drift(B, x))(mean)
        return drift(B, mean), slope @ covariance + covariance @ slope.T + jnp.eye(2)

    mean, covariance = solved(moments, (jnp.zeros(2), jnp.eye(2)), np.log(levels[0]), np.log(levels[1]))
    errors = []
    for steps in (200, 400):
        ours = law(sampler, log_uniform(steps + 1, LOW, HIGH)[:-1])
        errors.append([np.abs(ours[0] - mean).max(), np.abs(ours[1] - covariance).max()])
    coarse, fine = np.array(errors)
    assert (fine < 0.03).all()
    for before, after in zip(coarse, fine, strict=True):  # the mean of DDPM is exact on any grid
        assert after < 1e-8 or np.log2(before / after) == pytest.approx(1, abs=0.2)


def law(sampler, levels):
    """The mean and covariance at the last of the levels, from N(0, 1) at the first, step by step."""

    def down(both, step):
        mean, covariance = both

        def mean_of(x):
            return sampler.kernel(x, eps(x, step[0]), *step).mean

        slope, std = jax.jacfwd(mean_of)(mean), sampler.kernel(mean, mean, *step).std
        return (mean_of(mean), slope @ covariance @ slope.T + std**2 * jnp.eye(2)), None

    steps = (jnp.asarray(levels[:-1]), jnp.asarray(levels[1:]))
    return jax.lax.scan(down, (jnp.zeros(2), jnp.eye(2)), steps)[0]
