"""The joint laws of two levels: of noising by its own formula, of a step by the law it ends in and by the map itself."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.oracles import DiagonalGaussian, FullGaussian, GaussianField, joint_of_noising, joint_of_step, law_after, steps
from verifydiff.verdict import MisuseError

ABAR_T, ABAR_S = 0.3, 0.7
DATA = {
    "diagonal": DiagonalGaussian(jnp.array([1.0, -2.0]), jnp.array([0.5, 2.0])),
    "full": FullGaussian(jnp.array([1.0, -2.0]), jnp.array([[1.0, 0.6], [0.6, 2.0]])),
    "field": GaussianField.power_law((2, 3), 1.5),
}
STEPS = {
    "ddpm": steps.ddpm(),
    "ddim": steps.ddim(0.4),
    "euler-maruyama": steps.euler_maruyama,
    "heun": steps.edm(),
    "corrected": steps.corrected(steps.ddpm(), 0.1),
}


def parts(joint):
    d = joint.mean.size // 2
    C = np.asarray(joint.covariance)
    return np.asarray(joint.mean).reshape(2, d), C[:d, :d], C[:d, d:], C[d:, d:]


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_noising_gives_each_level_its_law_and_shares_the_root_of_alpha(data):
    (m_t, m_s), C_t, C_ts, C_s = parts(joint_of_noising(data, ABAR_T, ABAR_S))
    for abar, m, C in ((ABAR_T, m_t, C_t), (ABAR_S, m_s, C_s)):
        law = data.diffused(abar)
        np.testing.assert_allclose(m, np.asarray(law.mean).ravel(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(C, law.covariance_matrix, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(C_ts, np.sqrt(ABAR_T / ABAR_S) * C_s, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_a_step_ends_where_the_chain_says(data, step):
    (_, m_s), C_t, _, C_s = parts(joint_of_step(data, ABAR_T, ABAR_S, step))
    end = law_after(data, jnp.array([ABAR_T, ABAR_S]), step, exact_start=True)
    np.testing.assert_allclose(m_s, np.asarray(end.mean).ravel(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(C_s, end.covariance_matrix, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(C_t, data.diffused(ABAR_T).covariance_matrix, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_the_two_states_of_ddim_share_what_its_map_hands_on(data):
    _, C_t, C_ts, _ = parts(joint_of_step(data, ABAR_T, ABAR_S, steps.ddim(0.0)))
    d = C_t.shape[0]
    basis = jnp.eye(d).reshape(d, *data.event_shape)

    def map_down(x):
        eps, x_hat = data.eps(x, ABAR_T), data.denoise(x, ABAR_T)
        return jnp.sqrt(ABAR_S) * x_hat + jnp.sqrt(1 - ABAR_S) * eps

    A = np.asarray(map_down(basis) - map_down(jnp.zeros_like(basis))).reshape(d, d)  # a row for each coordinate of x_t
    np.testing.assert_allclose(C_ts, C_t @ A, rtol=1e-11, atol=1e-13)


def test_ddpm_reverses_the_noising_of_a_point_exactly():
    point = DiagonalGaussian(jnp.array([0.7]), jnp.array([1e-14]))
    one, other = joint_of_step(point, ABAR_T, ABAR_S, steps.ddpm()), joint_of_noising(point, ABAR_T, ABAR_S)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)
    large = joint_of_step(point, ABAR_T, ABAR_S, steps.ddpm("large"))
    assert np.abs(np.asarray(large.covariance - other.covariance)).max() > 0.1


@pytest.mark.parametrize(("abar_t", "abar_s"), [(0.7, 0.3), (0.3, 0.3), (-0.1, 0.3), (0.3, 1.1)])
def test_levels_that_are_none_are_refused(abar_t, abar_s):
    with pytest.raises(MisuseError, match="abar"):
        joint_of_noising(DATA["full"], abar_t, abar_s)
