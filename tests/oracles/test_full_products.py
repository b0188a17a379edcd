"""Accelerators round the factors of a product unless they are asked not to; an exact answer asks, wherever it takes a product."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr
from oracle_laws import CASES, GAUSSIANS

from verifydiff.oracles import (
    FullGaussian,
    GaussianMixture,
    eps_of_columns,
    frechet_distance,
    joint_of_noising,
    joint_of_step,
    law_after,
    steps,
)
from verifydiff.oracles.matrix_form import SHORT

X = jnp.array([[0.3, -1.2], [2.0, 0.5]])
LEVELS = jnp.array([0.01, 0.3, 0.8, 1.0])
KEY = jax.random.key(0)
SPECTRAL = [name for name in GAUSSIANS if name != "low rank"]  # the others have no exact law of samplers in closed form


def rounded(function, *arguments) -> list[str]:
    """The products in a program that an accelerator would take with rounded factors."""
    return [str(one.params["precision"]) for one in products(jax.make_jaxpr(function)(*arguments).jaxpr) if not full(one)]


def products(program: Jaxpr) -> Iterator:
    for equation in program.eqns:
        if equation.primitive.name in ("dot_general", "conv_general_dilated"):
            yield equation
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda one: isinstance(one, Jaxpr | ClosedJaxpr)):
            if isinstance(inner, ClosedJaxpr):
                yield from products(inner.jaxpr)
            elif isinstance(inner, Jaxpr):
                yield from products(inner)


def full(product) -> bool:
    precision = product.params["precision"]
    both = precision if isinstance(precision, tuple) else (precision, precision)
    return all(one == jax.lax.Precision.HIGHEST for one in both)


def said(law, x):
    """All that a law says of noised data."""
    given = law.posterior(x, 0.6)
    answers = [law.diffused(0.6).log_prob(x), law.denoise(x, 0.6), law.eps(x, 0.6), law.score(x, 0.6), law.velocity(x, 0.6)]
    answers += [given.mean, given.variance, given.covariance_matrix, given.log_prob(x), given.sample(KEY)]
    answers += [law.mean, law.variance, law.covariance_matrix, law.sample(KEY, (3,))]
    if hasattr(law, "labels"):
        return [*answers, law.class_posterior(x, 0.6), law.bayes_loss(0.6, draws=64).value, law.given(0).mean]
    return [*answers, law.flow(x, 0.2, 0.9), law.bayes_loss(0.6).value]


@pytest.mark.parametrize("name", CASES)
def test_what_a_law_says_takes_no_rounded_product(name):
    assert rounded(lambda x: said(CASES[name].law, x), X) == []


@pytest.mark.parametrize("name", CASES)
def test_nor_do_its_derivatives(name):
    law = CASES[name].law
    assert rounded(jax.grad(lambda x: jnp.sum(law.log_prob(x))), X) == []
    assert rounded(lambda x: jax.jvp(lambda y: law.eps(y, 0.6), (x,), (x,)), X) == []


STEPS = {
    "ddpm": steps.ddpm(),
    "ddim": steps.ddim(0.5),
    "heun": steps.edm(),
    "2m": steps.dpm_solver_pp_2m,
    "corrected": steps.corrected(steps.reverse_diffusion, 0.1),
}


@pytest.mark.parametrize("name", SPECTRAL)
@pytest.mark.parametrize("step", STEPS)
def test_nor_do_the_laws_of_samplers(name, step):
    law = GAUSSIANS[name].law
    assert rounded(lambda levels: law_after(law, levels, STEPS[step]).covariance_matrix, LEVELS) == []
    assert rounded(lambda t, s: tuple(joint_of_step(law, t, s, STEPS[step])), 0.3, 0.8) == []
    assert rounded(lambda t, s: tuple(joint_of_noising(law, t, s)), 0.3, 0.8) == []


def test_nor_do_distances_and_models_in_matrix_form():
    p, q = (FullGaussian(jnp.zeros(2), jnp.diag(jnp.array(spread))) for spread in ([1.0, 2.0], [0.5, 1.0]))
    assert rounded(lambda m: frechet_distance(FullGaussian(m, jnp.eye(2)), q), jnp.zeros(2)) == []
    assert rounded(frechet_distance, p, q) == []
    eps = eps_of_columns(GaussianMixture.isotropic(jnp.array([0.4, 0.6]), jnp.eye(2, SHORT + 1), 0.5))
    assert rounded(lambda x: eps(x, jnp.asarray(0.6)), jnp.ones((SHORT + 1, 3))) == []


@pytest.mark.parametrize(
    "product",
    [
        lambda a: a @ a,
        lambda a: jnp.einsum("ij,jk->ik", a, a),
        lambda a: jax.lax.map(lambda row: row @ row, a),
        jax.jit(lambda a: jnp.matmul(a, a, precision="high")),
    ],
)
def test_a_product_that_does_not_ask_is_seen(product):
    assert len(rounded(product, np.eye(2))) == 1
