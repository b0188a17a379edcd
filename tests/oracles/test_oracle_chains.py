"""Where the probability flow leads, where samplers end, and how far laws are apart."""

from __future__ import annotations

from itertools import pairwise

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle_laws import CASES, GAUSSIANS, HARTLEY
from scipy.linalg import sqrtm

from verifydiff.oracles import (
    DiagonalGaussian,
    FullGaussian,
    GaussianField,
    frechet_distance,
    frechet_distance_of_moments,
    law_after,
    steps,
)

KEY = jax.random.key(11)
DATA = GAUSSIANS["full"].law


def levels(n, last=1.0):
    """n steps, evenly in log sigma from 0.998 noise down to sigma = 0.01, and onto the data."""
    sigma = np.geomspace(20, 0.01, n if last == 1 else n + 1)
    abar = 1 / (1 + sigma**2)
    return np.append(abar, 1.0) if last == 1 else abar


# -- the flow -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["full", "low rank"])
def test_the_flow_is_the_solution_of_its_ode(name):
    law = GAUSSIANS[name].law
    x = jnp.array([[0.3, -1.2], [2.0, 0.5]])
    velocity = diffrax.ODETerm(lambda tau, x, _: -(x + law.score(x, jnp.exp(-tau))) / 2)  # abar = exp(-tau)
    found = diffrax.diffeqsolve(
        velocity, diffrax.Dopri8(), 0.1, 3.0, None, x, stepsize_controller=diffrax.PIDController(rtol=1e-10, atol=1e-12)
    )
    np.testing.assert_allclose(law.flow(x, np.exp(-0.1), np.exp(-3.0)), found.ys[0], rtol=1e-8)


def test_the_flow_goes_back_and_carries_quantiles():
    x = jnp.array([[0.3, -1.2], [2.0, 0.5]])
    for a, b in ((1.0, 0.0), (0.0, 0.7), (0.4, 0.4)):
        there = DATA.flow(x, a, b)
        np.testing.assert_allclose(DATA.flow(there, b, a), x, rtol=1e-13)
        slope = jax.jacfwd(lambda x, a=a, b=b: DATA.flow(x, a, b))(x[0])
        pushed = slope @ DATA.diffused(a).covariance @ slope.T
        np.testing.assert_allclose(pushed, DATA.diffused(b).covariance, atol=1e-14)


# -- S steps ------------------------------------------------------------------------------------------------------------------


STEPS = {
    "ddpm large": (steps.ddpm("large"), 1),
    "ddim 0.5": (steps.ddim(0.5), 1),
    "reverse diffusion": (steps.reverse_diffusion, 1),
    "flow euler": (steps.flow_euler, 1),
    "heun": (steps.edm(), 2),
    "2m": (steps.dpm_solver_pp_2m, 2),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_law_converges_to_the_marginal_at_the_order_of_the_sampler(name):
    """An error c / n^p + O(1 / n^(p + 1)) halves p times from n to 2 n, and the extrapolated law, from which c / n^p is gone, is
    nearer to the goal by a factor of the size of n: it is the very goal that is converged to, and no law beside it.
    """
    step, order = STEPS[name]
    goal = DATA.diffused(levels(160, last=0)[-1])
    coarse, fine = (error_of(step, n, goal) for n in (160, 320))
    assert abs(np.log2(np.abs(coarse).max() / np.abs(fine).max()) - order) < 0.25
    extrapolated = (2**order * fine - coarse) / (2**order - 1)
    assert np.abs(extrapolated).max() < 0.1 * np.abs(fine).max()


def error_of(step, n, goal):
    end = law_after(DATA, levels(n, last=0), step, exact_start=True)
    return np.append(np.ravel(end.covariance - goal.covariance), end.loc - goal.loc)


def ddpm_by_loop(law, x, t, s, z):
    beta = 1 - t / s
    return (x - beta / np.sqrt(1 - t) * law.eps(x, t)) / np.sqrt(t / s) + np.sqrt(beta * (1 - s) / (1 - t)) * z


def euler_maruyama_by_loop(law, x, t, s, z):
    B = np.log(s / t)
    return x + B / 2 * x + B * law.score(x, t) + np.sqrt(B) * z if s < 1 else law.denoise(x, t)


def churn_by_loop(law, x, t, s, z):
    """Algorithm 2 of Karras et al. 2022 with its D, in their coordinates."""

    def slope(x, sigma):
        abar = 1 / (1 + sigma**2)
        return (x - law.denoise(np.sqrt(abar) * x, abar)) / sigma

    sigma, sigma_s = np.sqrt(1 / t - 1), np.sqrt(1 / s - 1)
    hat = 1.2 * sigma
    x_hat = x / np.sqrt(t) + np.sqrt(hat**2 - sigma**2) * z
    d = slope(x_hat, hat)
    x_s = x_hat + (sigma_s - hat) * d
    return np.sqrt(s) * (x_hat + (sigma_s - hat) * (d + slope(x_s, sigma_s)) / 2) if s < 1 else law.denoise(x, t)


LOOPS = {
    "ddpm": (steps.ddpm(), ddpm_by_loop, True),
    "euler-maruyama": (steps.euler_maruyama, euler_maruyama_by_loop, True),
    "churn": (steps.edm(gamma=0.2), churn_by_loop, True),
    "reverse diffusion, by its twin": (steps.reverse_diffusion, euler_maruyama_by_loop, False),  # also of first order
    "ddpm large, by its twin": (steps.ddpm("large"), ddpm_by_loop, False),
    "another churn": (steps.edm(gamma=0.25), churn_by_loop, False),
}


@pytest.mark.parametrize("name", LOOPS)
def test_the_law_after_few_steps_is_that_of_a_loop(name):
    """A loop in NumPy that knows nothing of eigendirections is affine in (x_T, z_1, ..., z_S): its values at 0 and at the unit
    vectors give its law, noise included, without a random error.
    """
    step, by_loop, same = LOOPS[name]
    abar = levels(4)
    units = np.zeros((5, 11, 2))
    for k in range(5):
        units[k, 1 + 2 * k : 3 + 2 * k] = np.eye(2)
    x = units[0]
    for z, (t, s) in zip(units[1:], pairwise(abar), strict=True):
        x = np.asarray(by_loop(DATA, x, t, s, z))
    slopes = x[1:] - x[0]
    end = law_after(DATA, abar, step)
    agrees = np.allclose(end.loc, x[0], rtol=1e-11) and np.allclose(end.covariance, slopes.T @ slopes, rtol=1e-10)
    assert agrees == same


CORRECTED = steps.corrected(steps.ddim(0.3), 0.01)


@pytest.mark.parametrize("name", GAUSSIANS)
def test_the_law_after_some_steps_is_the_same_in_every_family(name):
    law = GAUSSIANS[name].law
    dense = FullGaussian(law.mean, law.covariance_matrix)
    one, other = (law_after(data, levels(5), CORRECTED) for data in (law, dense))
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-11)
    np.testing.assert_allclose(one.covariance_matrix, other.covariance_matrix, rtol=1e-11, atol=1e-13)


def test_ddim_with_eta_one_is_ddpm_and_a_strided_ddpm_is_one_on_fewer_levels():
    one, other = law_after(DATA, levels(6), steps.ddim(1.0)), law_after(DATA, levels(6), steps.ddpm())
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)
    fewer = law_after(DATA, levels(6)[::2], steps.ddpm())
    assert abs(fewer.covariance - other.covariance).max() > 1e-3


def test_the_last_step_denoises_unless_told_not_to():
    by_step = law_after(DATA, levels(5), steps.ddpm("large"), last_denoises=False)
    by_default = law_after(DATA, levels(5), steps.ddpm("large"))
    beta = 1 - levels(5)[-2]
    np.testing.assert_allclose(by_step.covariance - by_default.covariance, beta * np.eye(2), atol=1e-14)  # the noise left out


def test_a_step_of_ones_own_is_followed_too():
    """Adams-Bashforth of second order over sigma, told by its equation: order 2, where a wrong weight gives 1."""

    def adams(weight):
        def step(model, state, z, at):
            sigma_r, sigma_t, sigma_s = (steps.sigma(level) for level in at)
            eps = model.eps(state.x, at.t)
            ratio = jnp.where(at.r == at.t, 0, (sigma_s - sigma_t) / (sigma_t - jnp.where(at.r == at.t, 0, sigma_r)))
            slope = eps + weight * ratio * (eps - state.memory)
            return state._replace(x=jnp.sqrt(at.s) * (state.x / jnp.sqrt(at.t) + (sigma_s - sigma_t) * slope), memory=eps)

        return step

    def error(step, n):
        abar = levels(n, last=0)
        end, goal = law_after(DATA, abar, step, exact_start=True), DATA.diffused(abar[-1])
        return np.abs(np.asarray(end.covariance - goal.covariance)).max()

    right = error(adams(0.5), 200), error(adams(0.5), 400)
    assert abs(np.log2(right[0] / right[1]) - 2) < 0.2
    assert error(adams(0.4), 400) > 3 * right[1]


# -- distance -----------------------------------------------------------------------------------------------------------------


def test_the_distance_is_that_of_the_formula():
    p, q = CASES["full"].law, CASES["mixture of low rank"].law
    C, D = np.asarray(p.covariance_matrix), np.asarray(q.covariance_matrix)
    root = sqrtm(C)
    formula = np.sum((np.asarray(p.mean) - np.asarray(q.mean)) ** 2) + np.trace(C + D - 2 * sqrtm(root @ D @ root).real)
    np.testing.assert_allclose(frechet_distance(p, q), formula, rtol=1e-12)
    np.testing.assert_allclose(frechet_distance(q, p), formula, rtol=1e-12)


def test_the_distance_of_what_agrees_to_rounding_is_rounding_squared():
    law = CASES["full"].law
    assert frechet_distance(law, FullGaussian(law.loc, law.covariance)) < 1e-29
    nearly = FullGaussian(law.loc, law.covariance * (1 + 1e-10) ** 2)
    np.testing.assert_allclose(frechet_distance(law, nearly), 1e-20 * np.trace(law.covariance), rtol=1e-4)


def test_the_distance_of_moments_takes_singular_covariances():
    distance = frechet_distance_of_moments(
        jnp.zeros(2), jnp.diag(jnp.array([4.0, 0.0])), jnp.zeros(2), jnp.diag(jnp.array([0.0, 9.0]))
    )
    np.testing.assert_allclose(distance, 13.0)


# -- the field ----------------------------------------------------------------------------------------------------------------


def test_a_field_is_stationary_with_the_autocovariance_of_its_spectrum():
    law = GaussianField.power_law((4, 6), exponent=2.0, variance=1.7, loc=0.3)
    C = np.asarray(law.covariance_matrix).reshape(4, 6, 4, 6)
    c = np.asarray(law.autocovariance)
    np.testing.assert_allclose(law.variance, np.full((4, 6), 1.7))
    for dx, dy in np.ndindex(4, 6):
        for x, y in ((0, 0), (1, 4), (3, 5)):
            np.testing.assert_allclose(C[x, y, (x + dx) % 4, (y + dy) % 6], c[dx, dy], atol=1e-14)


def test_the_power_of_a_field_falls_by_its_exponent():
    spectrum = np.asarray(GaussianField.power_law((16,), exponent=2.0).spectrum)
    np.testing.assert_allclose(spectrum[2] / spectrum[4], 4)
    np.testing.assert_allclose(spectrum[0], spectrum[1])
    np.testing.assert_allclose(spectrum.mean(), 1)


def test_two_points_have_the_basis_that_the_table_of_laws_states():
    np.testing.assert_allclose(GaussianField(0.0, jnp.ones(2), grid_dim=1)._turned(jnp.eye(2)), HARTLEY, atol=1e-15)


def test_white_noise_is_a_field_and_independent():
    white = GaussianField.power_law((3, 5), exponent=0.0)
    plain = DiagonalGaussian(jnp.zeros(15), 1.0)
    np.testing.assert_allclose(white.covariance_matrix, plain.covariance_matrix, atol=1e-14)
