r"""Gaussian data, by the eigendirections of their covariance.

For :math:`x_0 \sim \mathcal{N}(m, C)`, :math:`C = U \operatorname{diag}(\lambda)\, U^\top` with orthogonal U, write y = U^T x. At
every level the coordinates of y are independent,

.. math:: y_t \sim \mathcal{N}\bigl(\sqrt{\bar\alpha}\,\mu,\ v\bigr), \qquad \mu = U^\top m, \qquad
          v = \bar\alpha \lambda + 1 - \bar\alpha,

and each is a one-dimensional problem:

.. math:: \nabla \log p = -\frac{y_t - \sqrt{\bar\alpha}\,\mu}{v}, \qquad
          \hat y_0 = \mu + \frac{\sqrt{\bar\alpha}\,\lambda}{v} (y_t - \sqrt{\bar\alpha}\,\mu), \qquad
          \hat\epsilon = \frac{\sqrt{1 - \bar\alpha}}{v} (y_t - \sqrt{\bar\alpha}\,\mu),

.. math:: \operatorname{Var}[y_0 \mid y_t] = \frac{(1 - \bar\alpha)\lambda}{v}, \qquad
          \operatorname{Var}[\epsilon \mid y_t] = \frac{\bar\alpha\lambda}{v}, \qquad
          \operatorname{Var}[v \mid y_t] = \frac{\lambda}{v}.

The probability flow keeps every quantile: it carries y from level abar to abar' by

.. math:: y' = \sqrt{\bar\alpha'}\,\mu + \sqrt{v' / v}\,(y - \sqrt{\bar\alpha}\,\mu).

What differs between the families is U: the identity, the eigenvectors of a matrix, or a Fourier basis
(:mod:`verifydiff.oracles.field`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from math import log, pi
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from jax import Array
from numpyro.distributions import constraints
from numpyro.distributions.util import promote_shapes

from ..verdict import MisuseError
from .arguments import Shape, as_one_dtype, broadcast, finite, level, positive, sound, state
from .arguments import prediction as known_prediction
from .oracle import Estimate, Oracle, beside_events, contract, over_events


class Gaussian(Oracle):
    """What all Gaussian families share: a density by whitened coordinates, which mixtures are built on too."""

    loc: Array
    pytree_data_fields: tuple[str, ...] = ("loc",)

    def flow(self, x: Any, abar_from: Any, abar_to: Any) -> Array:
        """The exact map of the probability-flow ODE from level ``abar_from`` to ``abar_to``, either way, of the shape of x."""
        return self._ask("_flow", state("x", x, self.event_shape), level(abar_from, "abar_from"), level(abar_to, "abar_to"))

    def bayes_loss(self, abar: Any, prediction: str = "eps") -> Estimate:
        r"""The mean squared error per coordinate that no model beats: exact. The shape is (\*batch) broadcast against abar's.

        Raises:
            MisuseError: if the prediction is not one of ``eps``, ``x0`` and ``v``.
        """
        loss = self._ask("_loss", level(abar), options=(known_prediction(prediction),))
        return Estimate(loss, jnp.zeros_like(loss))

    @abstractmethod
    def _flow(self, x: Array, abar_from: Array, abar_to: Array) -> Array: ...

    @abstractmethod
    def _loss(self, abar: Array, kind: str) -> Array: ...

    @abstractmethod
    def _whitened(self, x: Array) -> Array:
        """(..., m): coordinates whose squares add up to the Mahalanobis distance of x; infinite off a point mass."""

    @property
    @abstractmethod
    def _log_det(self) -> Array:
        """(*batch): the logarithm of the determinant of the covariance."""

    @abstractmethod
    def _picked(self, indices: list[int]) -> Self:
        """The laws at these places of the last axis of the batch."""

    def _log_prob(self, x: Array) -> Array:
        distance, log_det = promote_shapes(jnp.sum(self._whitened(x) ** 2, axis=-1), self._log_det)
        density = -(distance + log_det + self.event_size * log(2 * pi)) / 2
        return jnp.where(jnp.isinf(distance), -jnp.inf, density)

    def _mean(self) -> Array:
        return self.loc

    def _batch_of_fields(self) -> Shape:
        return tuple(self.loc.shape[: self.loc.ndim - self.event_dim])


class SpectralGaussian(Gaussian):
    r"""A Gaussian whose eigenbasis is known.

    Attributes:
        loc: the mean, (\*batch, \*event).
        spectrum: the eigenvalues of the covariance, (\*batch, \*event).
    """

    spectrum: Array
    pytree_data_fields = ("spectrum",)
    _matrices: ClassVar[tuple[str, ...]] = ()  # further fields, (*batch, d, d) with ones where they are shared

    @abstractmethod
    def _turned(self, x: Array) -> Array:
        """U^T x: the coordinates of events along the eigendirections, of the same shape."""

    @abstractmethod
    def _turned_back(self, y: Array) -> Array:
        """U y."""

    def _diffused(self, abar: Array) -> Self:
        a, loc, spectrum = promote_shapes(beside_events(abar, self.event_dim), self.loc, self.spectrum)
        return self._law(jnp.sqrt(a) * loc, a * spectrum + (1 - a))

    def _score(self, x_t: Array, abar: Array) -> Array:
        return self._filtered(x_t, abar, lambda a, spectrum: -jnp.ones_like(a))

    def _eps(self, x_t: Array, abar: Array) -> Array:
        return self._filtered(x_t, abar, lambda a, spectrum: jnp.sqrt(1 - a))

    def _denoise(self, x_t: Array, abar: Array) -> Array:
        shift, loc = promote_shapes(self._filtered(x_t, abar, lambda a, spectrum: jnp.sqrt(a) * spectrum), self.loc)
        return loc + shift

    def _posterior(self, x_t: Array, abar: Array) -> Self:
        x_hat = self._denoise(x_t, abar)
        a, spectrum = promote_shapes(beside_events(abar, self.event_dim), self.spectrum, shape=x_hat.shape)
        return self._law(x_hat, spectrum * (1 - a) / (a * spectrum + (1 - a)))

    def _flow(self, x: Array, abar_from: Array, abar_to: Array) -> Array:
        ends = (beside_events(abar, self.event_dim) for abar in (abar_from, abar_to))
        x, start, end, loc, spectrum = promote_shapes(x, *ends, self.loc, self.spectrum)
        stretch = jnp.sqrt((end * spectrum + (1 - end)) / (start * spectrum + (1 - start)))
        return jnp.sqrt(end) * loc + self._turned_back(stretch * self._turned(x - jnp.sqrt(start) * loc))

    def _loss(self, abar: Array, kind: str) -> Array:
        a, spectrum = promote_shapes(beside_events(abar, self.event_dim), self.spectrum)
        unknown = {"eps": a, "x0": 1 - a, "v": jnp.ones_like(a)}[kind]
        return over_events(unknown * spectrum / (a * spectrum + (1 - a)), self.event_dim) / self.event_size

    def _sample(self, key: Any, sample_shape: Shape) -> Array:
        noise = jax.random.normal(key, self.shape(sample_shape), self.loc.dtype)
        noise, loc, spectrum = promote_shapes(noise, self.loc, self.spectrum)
        return loc + self._turned_back(jnp.sqrt(spectrum) * noise)

    def _covariance_matrix(self) -> Array:
        d, batch = self.event_size, self.batch_shape
        units = jnp.eye(d, dtype=self.loc.dtype).reshape((d,) + (1,) * len(batch) + self.event_shape)
        directions = self._turned_back(jnp.broadcast_to(units, (d, *batch, *self.event_shape))).reshape(d, *batch, d)
        return contract("k...i,...k,k...j->...ij", directions, self.spectrum.reshape(*batch, d), directions)

    def _expanded(self, batch_shape: Shape) -> Self:
        return self._law(*(jnp.broadcast_to(field, batch_shape + self.event_shape) for field in (self.loc, self.spectrum)))

    def _filtered(self, x_t: Array, abar: Array, gain: Callable[[Array, Array], Array]) -> Array:
        """U (gain / v) U^T (x_t - sqrt(abar) m): all that a posterior does to an observation, direction by direction."""
        x, a, loc, spectrum = promote_shapes(x_t, beside_events(abar, self.event_dim), self.loc, self.spectrum)
        return self._turned_back(gain(a, spectrum) / (a * spectrum + (1 - a)) * self._turned(x - jnp.sqrt(a) * loc))

    def _whitened(self, x: Array) -> Array:
        x, loc, spectrum = promote_shapes(x, self.loc, self.spectrum)
        white = divided(self._turned(x - loc), spectrum)
        return white.reshape(*white.shape[: white.ndim - self.event_dim], -1)

    @property
    def _log_det(self) -> Array:
        return over_events(jnp.log(self.spectrum), self.event_dim)

    def _picked(self, indices: list[int]) -> Self:
        chosen = jnp.asarray(indices)
        place = (..., chosen, *(slice(None),) * self.event_dim)
        matrices = {name: getattr(self, name) for name in self._matrices}
        own = {name: matrix[..., chosen, :, :] for name, matrix in matrices.items() if matrix.shape[-3] > 1}
        law = self._law(self.loc[place], self.spectrum[place])
        return law._with(law.batch_shape, **own)

    def _law(self, loc: Array, spectrum: Array) -> Self:
        shape = jnp.broadcast_shapes(loc.shape, spectrum.shape)
        fields = {"loc": jnp.broadcast_to(loc, shape), "spectrum": jnp.broadcast_to(spectrum, shape)}
        batch = shape[: len(shape) - self.event_dim]
        matrices = {name: raised(getattr(self, name), len(batch) + 2) for name in self._matrices}
        return self._with(batch, **fields, **matrices)


class DiagonalGaussian(SpectralGaussian):
    r"""Independent coordinates.

    Args:
        loc: the mean, (\*batch, d); or what broadcasts with ``variance`` to that.
        variance: the variances (not the standard deviations), likewise; positive.
        validate_args: whether wrong values raise, where they are known; NumPyro's default if left out.

    Raises:
        MisuseError: for shapes that do not broadcast, dtypes other than float32 and float64, and variances that are not positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real_vector,
        "spectrum": constraints.independent(constraints.positive, 1),
    }
    reparametrized_params: ClassVar[list[str]] = ["loc", "spectrum"]

    def __init__(self, loc: Any, variance: Any, *, validate_args: bool | None = None) -> None:
        loc, variance = as_one_dtype(loc=loc, variance=variance)
        shape = broadcast({"loc": loc.shape, "variance": variance.shape})
        if not shape:
            raise MisuseError(
                "`loc` or `variance` must have the axis of an event, got two numbers. A single coordinate is a vector of 1."
            )
        validate = validate_args is not False
        variance = sound(variance, positive, "`variance` must be positive and finite", validate)
        self.loc, self.spectrum = jnp.broadcast_to(finite("loc", loc, validate), shape), jnp.broadcast_to(variance, shape)
        self._settle(shape[:-1], shape[-1:], validate_args)

    def _variance(self) -> Array:
        return self.spectrum

    def _turned(self, x: Array) -> Array:
        return x

    def _turned_back(self, y: Array) -> Array:
        return y


class FullGaussian(SpectralGaussian):
    r"""A Gaussian with any covariance, whose eigenvectors are found once, when it is made.

    Derivatives with respect to the covariance pass through ``eigh``, and exist where the eigenvalues differ.

    Args:
        loc: the mean, (\*batch, d).
        covariance: (\*batch, d, d), symmetric positive definite.
        validate_args: whether wrong values raise, where they are known; NumPyro's default if left out.

    Raises:
        MisuseError: for shapes that do not broadcast, dtypes other than float32 and float64, and a covariance that is not
            symmetric, or not positive definite to rounding.
    """

    basis: Array
    arg_constraints: ClassVar[dict[str, Any]] = {"loc": constraints.real_vector, "covariance": constraints.positive_definite}
    reparametrized_params: ClassVar[list[str]] = ["loc", "covariance"]
    pytree_data_fields = ("basis",)
    _matrices: ClassVar[tuple[str, ...]] = ("basis",)

    def __init__(self, loc: Any, covariance: Any, *, validate_args: bool | None = None) -> None:
        loc, covariance = as_one_dtype(loc=loc, covariance=covariance)
        if covariance.ndim < 2 or covariance.shape[-1] != covariance.shape[-2]:
            raise MisuseError(f"`covariance` must be a square matrix, or a batch of them, got shape {covariance.shape}.")
        shape = broadcast({"loc": loc.shape, "the rows of covariance": covariance.shape[:-1]})
        if shape[-1] != covariance.shape[-1]:
            raise MisuseError(f"`loc` has events of {loc.shape[-1:]} and `covariance` {covariance.shape[-2:]}.")
        validate = validate_args is not False
        spectrum, basis = eigen(covariance, validate)
        self.basis = raised(basis, len(shape) + 1)
        self.loc, self.spectrum = jnp.broadcast_to(finite("loc", loc, validate), shape), jnp.broadcast_to(spectrum, shape)
        self._settle(shape[:-1], shape[-1:], validate_args)

    @property
    def covariance(self) -> Array:
        r"""(\*batch, d, d)."""
        return self.covariance_matrix

    def _variance(self) -> Array:
        return contract("...ik,...k->...i", self.basis**2, self.spectrum)

    def _turned(self, x: Array) -> Array:
        return contract("...i,...ik->...k", x, self.basis)

    def _turned_back(self, y: Array) -> Array:
        return contract("...k,...ik->...i", y, self.basis)


def eigen(covariance: Array, validate: bool) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors of a covariance.

    Raises:
        MisuseError: if the matrix is known not to be finite, symmetric or positive definite, each to rounding.
    """
    rounding = float(covariance.shape[-1] * jnp.finfo(covariance.dtype).eps)
    covariance = finite("covariance", covariance, validate)
    covariance = sound(covariance, partial(symmetric, 8 * rounding), "`covariance` must be symmetric", validate)
    spectrum, basis = jnp.linalg.eigh(covariance)
    rule = "`covariance` must be positive definite, its eigenvalues greater than rounding"
    return sound(spectrum, lambda values: values > rounding * abs(values[..., -1:]), rule, validate), basis


def symmetric(rounding: float, matrix: Any) -> Any:
    """Where a matrix is symmetric, to so much of its largest entry."""
    return abs(matrix - matrix.swapaxes(-1, -2)) <= rounding * abs(matrix).max(axis=(-1, -2), keepdims=True)


def divided(y: Array, variance: Array) -> Array:
    """y by the standard deviation; along a direction of no variance 0 on the point and infinite off it."""
    point = variance == 0
    off = jnp.where(y == 0, 0.0, jnp.inf).astype(y.dtype)
    return jnp.where(point, off, y / jnp.sqrt(jnp.where(point, 1, variance)))


def raised(matrix: Array, ndim: int) -> Array:
    """The same with so many axes, those in front of size one."""
    return matrix.reshape((1,) * (ndim - matrix.ndim) + matrix.shape)
