"""What an oracle refuses, in one clear line; and what it cannot refuse, since it is being traced, comes out as NaN."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.oracles import (
    DiagonalGaussian,
    FullGaussian,
    GaussianField,
    GaussianMixture,
    LowRankGaussian,
    eps_of_columns,
    forward_chain,
    frechet_distance,
    frechet_distance_of_moments,
    law_after,
    steps,
)
from verifydiff.verdict import MisuseError

TWO = jnp.zeros(2)
ROUND = DiagonalGaussian(TWO, 1.0)
PAIR = GaussianMixture.isotropic(jnp.array([0.5, 0.5]), jnp.zeros((2, 2)), 1.0)
EYE = jnp.eye(2)

REFUSED = {
    "negative variance": (lambda: DiagonalGaussian(TWO, -1.0), "`variance` must be positive and finite, got -1"),
    "NaN mean": (lambda: DiagonalGaussian(jnp.array([0.0, jnp.nan]), 1.0), "`loc` must be finite, got nan"),
    "two numbers": (lambda: DiagonalGaussian(0.0, 1.0), "axis of an event"),
    "no broadcast": (lambda: DiagonalGaussian(TWO, jnp.ones(3)), r"do not broadcast: loc \(2,\), variance \(3,\)"),
    "integers": (lambda: DiagonalGaussian(jnp.zeros(2, int), 1.0), "`loc` must be float32 or float64, got int64"),
    "half precision": (lambda: DiagonalGaussian(jnp.zeros(2, jnp.float16), 1.0), "got float16"),
    "bfloat16": (lambda: ROUND.score(jnp.zeros(2, jnp.bfloat16), 0.5), "`x_t` must be float32 or float64, got bfloat16"),
    "booleans": (lambda: ROUND.score(TWO, True), "`abar` must be float32 or float64, got bool"),
    "complex": (lambda: ROUND.score(TWO + 0j, 0.5), "got complex128"),
    "indefinite": (
        lambda: FullGaussian(TWO, jnp.array([[1.0, 2.0], [2.0, 1.0]])),
        "`covariance` must be positive definite.*got -1",
    ),
    "singular": (lambda: FullGaussian(TWO, jnp.ones((2, 2))), "`covariance` must be positive definite"),
    "not symmetric": (lambda: FullGaussian(TWO, jnp.array([[1.0, 0.5], [0.4, 1.0]])), "`covariance` must be symmetric"),
    "NaN covariance": (lambda: FullGaussian(TWO, EYE * jnp.nan), "`covariance` must be finite"),
    "not square": (lambda: FullGaussian(TWO, jnp.ones((2, 3))), "square matrix"),
    "sizes of mean and covariance": (lambda: FullGaussian(TWO, EYE[:1, :1]), "`loc` has events of"),
    "zero diagonal": (lambda: LowRankGaussian(TWO, jnp.ones((2, 1)), jnp.array([0.0, 1.0])), "`diagonal` must be positive"),
    "a factor of one axis": (lambda: LowRankGaussian(TWO, jnp.ones(2), jnp.ones(2)), "`factor` must be a matrix"),
    "uneven spectrum": (lambda: GaussianField(0.0, jnp.arange(1.0, 5), grid_dim=1), "same at k and -k"),
    "no power": (lambda: GaussianField(0.0, jnp.zeros((2, 2))), "`spectrum` must be positive"),
    "grid of too many axes": (lambda: GaussianField(0.0, jnp.ones(4)), "2 axes of the grid"),
    "grid without points": (lambda: GaussianField.power_law((4, 0), 1.0), "one point along each"),
    "weights that sum to 0.9": (lambda: GaussianMixture(jnp.array([0.4, 0.5]), ROUND.expand((2,))), "sum of `weights`.*got 0.9"),
    "negative weight": (lambda: GaussianMixture(jnp.array([-0.5, 1.5]), ROUND.expand((2,))), "must not be negative"),
    "number of components": (lambda: GaussianMixture(jnp.array([0.5, 0.5]), ROUND.expand((3,))), r"got \(3,\) and \(2,\)"),
    "components of NumPyro's": (lambda: GaussianMixture(jnp.ones(1), 3), "must be a Gaussian of verifydiff.oracles, got int"),
    "labels with a gap": (lambda: GaussianMixture(jnp.array([0.5, 0.5]), ROUND.expand((2,)), (0, 2)), "classes 0, 1"),
    "too few labels": (lambda: GaussianMixture(jnp.array([0.5, 0.5]), ROUND.expand((2,)), (0,)), "each of the 2 components"),
    "no such class": (lambda: PAIR.given(2), "classes 0 to 1, got 2"),
    "abar above 1": (lambda: ROUND.denoise(TWO, 1.2), r"`abar` must lie in \[0, 1\].*got 1.2"),
    "abar below 0": (lambda: PAIR.diffused(-0.1), "got -0.1"),
    "abar NaN": (lambda: PAIR.posterior(TWO, float("nan")), "got nan"),
    "one abar of many": (lambda: ROUND.eps(TWO, jnp.array([0.2, 3.0])), "got 3"),
    "the other end of a flow": (lambda: ROUND.flow(TWO, 0.5, 2.0), "`abar_to` must lie in"),
    "another event": (lambda: PAIR.score(jnp.zeros(3), 0.5), r"shape of `x_t` must end in \(2,\), got \(3,\)"),
    "no event": (lambda: PAIR.log_prob(0.5), r"shape of `value` must end in \(2,\), got \(\)"),
    "another prediction": (lambda: ROUND.predict(TWO, 0.5, "noise"), "`prediction` must be one of eps, x0, v, got 'noise'"),
    "another loss": (lambda: PAIR.bayes_loss(0.5, "x"), "`prediction` must be one of"),
    "a single draw": (lambda: PAIR.bayes_loss(0.5, draws=1), "`draws` must be at least 2"),
    "levels the wrong way": (lambda: forward_chain(ROUND, jnp.array([1.0, 0.5])), "`abar` must rise strictly"),
    "levels outside": (lambda: law_after(ROUND, jnp.array([-0.5, 0.5]), steps.ddim()), r"`abar` must lie in \[0, 1\]"),
    "one level": (lambda: law_after(ROUND, jnp.array([0.5]), steps.ddim()), "two levels or more"),
    "S steps on a mixture": (lambda: law_after(PAIR, jnp.array([0.5, 1.0]), steps.ddim()), "known for Gaussian data"),
    "eta": (lambda: steps.ddim(1.5), r"`eta` must lie in \[0, 1\], got 1.5"),
    "churn": (lambda: steps.edm(-0.1), "`gamma` must not be negative"),
    "variance of DDPM": (lambda: steps.ddpm("medium"), "must be small or large"),
    "laws of other events": (lambda: frechet_distance(ROUND, DiagonalGaussian(jnp.zeros(3), 1.0)), "laws of the same events"),
    "moments that do not fit": (lambda: frechet_distance_of_moments(TWO, EYE, TWO, jnp.eye(3)), "with one d"),
    "no covariance": (lambda: frechet_distance_of_moments(TWO, EYE, TWO, -EYE), "no negative eigenvalue"),
    "matrix form of a full Gaussian": (
        lambda: eps_of_columns(GaussianMixture(jnp.ones(1), FullGaussian(TWO[None], EYE))),
        "DiagonalGaussian",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(MisuseError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)


TRACED = {
    "variance": lambda bad: DiagonalGaussian(TWO, bad - 2).score(TWO + 1, 0.5),
    "covariance": lambda bad: FullGaussian(TWO, EYE * (bad - 2)).denoise(TWO + 1, 0.5),
    "diagonal": lambda bad: LowRankGaussian(TWO, jnp.ones((2, 1)), jnp.full(2, bad - 2)).eps(TWO + 1, 0.5),
    "spectrum": lambda bad: GaussianField(0.0, jnp.full((2,), bad - 2), grid_dim=1).score(TWO + 1, 0.5),
    "weights": lambda bad: GaussianMixture(jnp.stack([bad, bad]), ROUND.expand((2,))).log_prob(TWO),
    "abar of the score": lambda bad: PAIR.score(TWO + 1, bad),
    "abar of the posterior": lambda bad: ROUND.posterior(TWO + 1, bad).loc,
    "abar of the flow": lambda bad: ROUND.flow(TWO + 1, 0.5, bad),
    "abar of the loss": lambda bad: ROUND.bayes_loss(bad).value,
    "levels": lambda bad: law_after(ROUND, jnp.stack([bad, bad]), steps.ddim()).spectrum,
}


@pytest.mark.parametrize("answer", TRACED.values(), ids=TRACED)
def test_what_is_wrong_inside_jit_becomes_nan(answer):
    assert np.isnan(jax.jit(answer)(1.01)).all()


def test_validation_can_be_left_out_but_nothing_passes_in_silence():
    assert np.isnan(DiagonalGaussian(TWO, -1.0, validate_args=False).score(TWO, 0.5)).all()


def test_a_level_of_zero_or_one_may_be_written_as_an_integer_number():
    np.testing.assert_array_equal(ROUND.score(TWO + 1, 1), ROUND.score(TWO + 1, 1.0))
