"""The matrix form answers what the mixture does, for particles as columns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.oracles import DiagonalGaussian, GaussianMixture, eps_of_columns

KEY = jax.random.key(2)
WEIGHTS = jnp.array([0.1, 0.2, 0.3, 0.4])


def mixture(d, variance, scale=1.0):
    return GaussianMixture(WEIGHTS, DiagonalGaussian(5 + scale * jax.random.normal(KEY, (4, d)), variance))


def every(d):
    return 0.1 + jax.random.uniform(KEY, (4, d))


VARIANCES = {
    "one number": lambda d: 0.3,
    "one for each coordinate": lambda d: jnp.linspace(0.1, 1, d),
    "one for each component": lambda d: jnp.linspace(0.1, 1, 4)[:, None],
    "all different": every,
}


@pytest.mark.parametrize(("variance", "d"), [*((name, 20) for name in VARIANCES), ("all different", 1), ("one number", 2)])
def test_the_matrix_form_says_what_the_mixture_says(variance, d):
    law = mixture(d, VARIANCES[variance](d))
    x = np.asarray(law.mean) + 2 * np.random.default_rng(1).standard_normal((50, d))
    by_columns = jax.jit(eps_of_columns(law))
    for abar in (0.0, 0.3, 0.98, 1.0):
        np.testing.assert_allclose(by_columns(x.T, abar).T, law.eps(x, abar), rtol=1e-9, atol=1e-10)


def test_in_single_precision_the_error_is_what_the_module_says():
    """Components a hundred standard deviations apart: logarithms of the weights to some 1e-3."""
    law = mixture(2, 1e-4, scale=1.0)
    abar = np.float32(0.999)
    near = 0.03 * np.random.default_rng(1).standard_normal((4, 25, 2))
    x = (np.sqrt(0.999) * np.asarray(law.components.loc)[:, None] + near).reshape(-1, 2)
    single = jax.jit(eps_of_columns(law, jnp.float32))(x.T.astype(np.float32), abar).T
    assert single.dtype == jnp.float32
    assert np.abs(single - law.eps(x.astype(np.float32).astype(float), float(abar))).max() < 5e-3


def test_the_matrix_form_is_made_before_jit():
    with pytest.raises(ValueError, match="before `jit`"):
        jax.jit(lambda law, x: eps_of_columns(law)(x, 0.5))(mixture(2, 0.3), jnp.zeros((2, 3)))
    with pytest.raises(ValueError, match="without a batch"):
        eps_of_columns(mixture(2, 0.3).expand((2,)))
    with pytest.raises(ValueError, match=r"must end in \(2,\)"):
        eps_of_columns(mixture(2, 0.3))(jnp.zeros((3, 2)), 0.5)
