r"""Gaussian data whose covariance is of low rank but for a diagonal.

.. math:: x_0 = m + W u + D^{1/2} e, \qquad u \sim \mathcal{N}(0, I_r), \qquad C = W W^\top + D

stays of that form under noise, with :math:`\sqrt{\bar\alpha}\,W` and :math:`D_t = \bar\alpha D + 1 - \bar\alpha`. All answers go
through the factors u, which are few. With the residual :math:`\rho = x_t - \sqrt{\bar\alpha}\,m` and the capacitance
:math:`K = I + \bar\alpha W^\top D_t^{-1} W = L L^\top`,

.. math:: u \mid x_t \sim \mathcal{N}(\hat u, K^{-1}), \qquad \hat u = \sqrt{\bar\alpha}\,K^{-1} W^\top D_t^{-1} \rho, \qquad
          C_t^{-1} \rho = D_t^{-1} (\rho - \sqrt{\bar\alpha}\,W \hat u),

.. math:: \rho^\top C_t^{-1} \rho = \|D_t^{-1/2} (\rho - \sqrt{\bar\alpha}\,W \hat u)\|^2 + \|\hat u\|^2, \qquad
          \det C_t = \det K \prod_i D_{t,i},

.. math:: x_0 \mid x_t \sim \mathcal{N}\Bigl(m + W \hat u + \sqrt{\bar\alpha}\,\frac{D}{D_t}(\rho - \sqrt{\bar\alpha}\,W \hat u),\
          V V^\top + (1 - \bar\alpha) \frac{D}{D_t}\Bigr), \qquad V = \frac{1 - \bar\alpha}{D_t}\,W L^{-\top}.

The distance is a sum of squares and loses no digits where the factors explain almost everything. Cost: d r^2 for each level.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from jax import Array
from jax.lax.linalg import triangular_solve
from numpyro.distributions import constraints
from numpyro.distributions.util import promote_shapes

from ..verdict import MisuseError
from .arguments import Shape, as_one_dtype, broadcast, finite, positive, sound
from .gaussian import FullGaussian, Gaussian, divided
from .oracle import beside_events, contract


class LowRankGaussian(Gaussian):
    r"""A Gaussian with covariance W W^T + diag(D).

    Args:
        loc: the mean, (\*batch, d).
        factor: W, (\*batch, d, r).
        diagonal: D, (\*batch, d), positive.
        validate_args: whether wrong values raise, where they are known; NumPyro's default if left out.

    Raises:
        MisuseError: for shapes that do not broadcast, dtypes other than float32 and float64, and diagonals that are not positive.
    """

    factor: Array
    diagonal: Array
    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real_vector,
        "factor": constraints.independent(constraints.real, 2),
        "diagonal": constraints.independent(constraints.positive, 1),
    }
    reparametrized_params: ClassVar[list[str]] = ["loc", "factor", "diagonal"]
    pytree_data_fields = ("factor", "diagonal")

    def __init__(self, loc: Any, factor: Any, diagonal: Any, *, validate_args: bool | None = None) -> None:
        loc, factor, diagonal = as_one_dtype(loc=loc, factor=factor, diagonal=diagonal)
        if factor.ndim < 2:
            raise MisuseError(f"`factor` must be a matrix, or a batch of them, got shape {factor.shape}.")
        shape = broadcast({"loc": loc.shape, "the rows of factor": factor.shape[:-1], "diagonal": diagonal.shape})
        validate = validate_args is not False
        diagonal = sound(diagonal, positive, "`diagonal` must be positive and finite", validate)
        self.loc = jnp.broadcast_to(finite("loc", loc, validate), shape)
        self.factor = jnp.broadcast_to(finite("factor", factor, validate), (*shape, factor.shape[-1]))
        self.diagonal = jnp.broadcast_to(diagonal, shape)
        self._settle(shape[:-1], shape[-1:], validate_args)

    def dense(self) -> FullGaussian:
        """The same law by the eigenvectors of its whole covariance, at the cost of d^3."""
        law: FullGaussian = self._ask("_dense")
        return law

    def _diffused(self, abar: Array) -> Self:
        a, loc, diagonal = promote_shapes(beside_events(abar, 1), self.loc, self.diagonal)
        root, factor = promote_shapes(jnp.sqrt(a)[..., None], self.factor)
        return self._law(jnp.sqrt(a) * loc, root * factor, a * diagonal + (1 - a))

    def _score(self, x_t: Array, abar: Array) -> Array:
        _, unexplained, diagonal = self._explained(x_t, abar)
        return -unexplained / diagonal

    def _eps(self, x_t: Array, abar: Array) -> Array:
        _, unexplained, diagonal = self._explained(x_t, abar)
        (a,) = promote_shapes(beside_events(abar, 1), shape=unexplained.shape)
        return jnp.sqrt(1 - a) / diagonal * unexplained

    def _denoise(self, x_t: Array, abar: Array) -> Array:
        factors, unexplained, diagonal_t = self._explained(x_t, abar)
        by_factors = contract("...ir,...r->...i", self.factor, factors)
        a, loc, diagonal, by_factors = promote_shapes(
            beside_events(abar, 1), self.loc, self.diagonal, by_factors, shape=unexplained.shape
        )
        return loc + by_factors + jnp.sqrt(a) * diagonal / diagonal_t * unexplained

    def _posterior(self, x_t: Array, abar: Array) -> Self:
        x_hat = self._denoise(x_t, abar)
        a, diagonal = promote_shapes(beside_events(abar, 1), self.diagonal, shape=x_hat.shape)
        diagonal_t = a * diagonal + (1 - a)
        return self._law(x_hat, self._open_factor(abar, 1 - a), (1 - a) * diagonal / diagonal_t)

    def _flow(self, x: Array, abar_from: Array, abar_to: Array) -> Array:
        return self._dense()._flow(x, abar_from, abar_to)

    def _sample(self, key: Any, sample_shape: Shape) -> Array:
        few, many = jax.random.split(key)
        u = jax.random.normal(few, (*sample_shape, *self.batch_shape, self.factor.shape[-1]), self.loc.dtype)
        e = jax.random.normal(many, self.shape(sample_shape), self.loc.dtype)
        e, loc, diagonal = promote_shapes(e, self.loc, self.diagonal)
        return loc + contract("...ir,...r->...i", self.factor, u) + jnp.sqrt(diagonal) * e

    def _expanded(self, batch_shape: Shape) -> Self:
        shape = batch_shape + self.event_shape
        factor = jnp.broadcast_to(self.factor, (*shape, self.factor.shape[-1]))
        return self._law(jnp.broadcast_to(self.loc, shape), factor, jnp.broadcast_to(self.diagonal, shape))

    def _variance(self) -> Array:
        return self.diagonal + jnp.sum(self.factor**2, axis=-1)

    def _covariance_matrix(self) -> Array:
        identity = jnp.eye(self.event_size, dtype=self.loc.dtype)
        return contract("...ir,...jr->...ij", self.factor, self.factor) + contract("...i,ij->...ij", self.diagonal, identity)

    def _dense(self) -> FullGaussian:
        return FullGaussian(self.loc, self._covariance_matrix(), validate_args=False)

    def _explained(self, x_t: Array, abar: Array) -> tuple[Array, Array, Array]:
        """E[u | x_t], what the factors leave of the residual, and D_t."""
        law = self._diffused(abar)
        x, loc, diagonal = promote_shapes(x_t, law.loc, law.diagonal)
        factors = law._factors(x - loc)
        rest = x - loc - contract("...ir,...r->...i", law.factor, factors)
        return factors, *promote_shapes(rest, diagonal, shape=rest.shape)

    def _factors(self, residual: Array) -> Array:
        """E[u | residual], (..., r)."""
        residual, diagonal = promote_shapes(residual, nonzero(self.diagonal))
        half = self._solved(contract("...ir,...i->...r", self.factor, residual / diagonal), transpose=False)
        return self._solved(half, transpose=True)

    def _solved(self, u: Array, transpose: bool) -> Array:
        """L^{-1} u, or L^{-T} u."""
        shape = jnp.broadcast_shapes(u.shape[:-1], self.batch_shape)
        root = jnp.broadcast_to(self._root, (*shape, *self._root.shape[-2:]))
        u = jnp.broadcast_to(u, (*shape, u.shape[-1]))[..., None]
        return triangular_solve(root, u, left_side=True, lower=True, transpose_a=transpose)[..., 0]

    @property
    def _root(self) -> Array:
        """L, the Cholesky factor of the capacitance."""
        scaled = self.factor / nonzero(self.diagonal)[..., None]
        identity = jnp.eye(self.factor.shape[-1], dtype=self.factor.dtype)
        capacitance = contract("...ir,...is->...rs", scaled, self.factor)
        return jnp.linalg.cholesky(capacitance + jnp.broadcast_to(identity, capacitance.shape))

    def _open_factor(self, abar: Array, share: Array) -> Array:
        """W L^{-T} share / D_t: what x_t leaves open of the factors, as it moves x_0; ``share`` is (..., 1)."""
        law = self._diffused(abar)
        shape = law.factor.shape
        root = jnp.broadcast_to(law._root, (*law.batch_shape, shape[-1], shape[-1]))
        factor = jnp.broadcast_to(self.factor, shape)
        still_open = triangular_solve(root, factor, left_side=False, lower=True, transpose_a=True)
        share, diagonal = promote_shapes(share, law.diagonal)
        gain, still_open = promote_shapes((share / diagonal)[..., None], still_open)
        return gain * still_open

    def _whitened(self, x: Array) -> Array:
        x, loc, diagonal = promote_shapes(x, self.loc, self.diagonal)
        factors = self._factors(x - loc)
        rest = divided(x - loc - contract("...ir,...r->...i", self.factor, factors), diagonal)
        return jnp.concatenate([rest, factors], axis=-1)

    @property
    def _log_det(self) -> Array:
        root = jnp.diagonal(self._root, axis1=-2, axis2=-1)
        return 2 * jnp.sum(jnp.log(root), axis=-1) + jnp.sum(jnp.log(self.diagonal), axis=-1)

    def _loss(self, abar: Array, kind: str) -> Array:
        a, diagonal = promote_shapes(beside_events(abar, 1), self.diagonal)
        share = {"eps": a, "x0": 1 - a, "v": jnp.ones_like(a)}[kind]
        by_factors = self._open_factor(abar, jnp.sqrt(share * (1 - a)))
        alone = share * diagonal / (a * diagonal + (1 - a))
        return (jnp.sum(by_factors**2, axis=(-1, -2)) + jnp.sum(alone, axis=-1)) / self.event_size

    def _picked(self, indices: list[int]) -> Self:
        chosen = jnp.asarray(indices)
        return self._law(self.loc[..., chosen, :], self.factor[..., chosen, :, :], self.diagonal[..., chosen, :])

    def _law(self, loc: Array, factor: Array, diagonal: Array) -> Self:
        shape = jnp.broadcast_shapes(loc.shape, factor.shape[:-1], diagonal.shape)
        fields = {"loc": jnp.broadcast_to(loc, shape), "diagonal": jnp.broadcast_to(diagonal, shape)}
        return self._with(shape[:-1], factor=jnp.broadcast_to(factor, (*shape, factor.shape[-1])), **fields)


def nonzero(diagonal: Array) -> Array:
    """The diagonal, with ones where it is a point mass: there the factors are zero as well, and explain nothing."""
    return jnp.where(diagonal == 0, 1, diagonal)
