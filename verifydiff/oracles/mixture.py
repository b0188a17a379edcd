r"""Mixtures of Gaussians, with labels.

.. math:: p(x_0) = \sum_k w_k\, \mathcal{N}(x_0 \mid m_k, C_k)

Noise acts on each component by itself, and x_t tells which of them it came from:

.. math:: r_k(x_t) = p(k \mid x_t) = \frac{w_k\, p_k(x_t)}{\sum_j w_j\, p_j(x_t)}, \qquad
          p(x_0 \mid x_t) = \sum_k r_k(x_t)\, p_k(x_0 \mid x_t),

so that the score, the denoiser and the expected noise are those of the components, averaged with the weights r_k. The loss no
model beats has a part within the components, which is exact, and a part between them, which is an integral over x_t:

.. math:: \mathbb{E}\|y - \mathbb{E}[y \mid x_t]\|^2 = \sum_k w_k\, \mathbb{E}\|y - y_k(x_t)\|^2_{x_t \sim k}
          + \sum_k w_k\, \mathbb{E}_{x_t \sim k} \sum_j r_j \|y_j(x_t) - \bar y(x_t)\|^2.

The weights r_k are formed from differences of Mahalanobis distances in units of the largest coordinate. However far away x_t
lies, some component is the nearest one, its difference is exactly 0, and nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from jax import Array
from numpyro.distributions import constraints
from numpyro.distributions.util import promote_shapes

from ..verdict import MisuseError
from .arguments import Shape, broadcast, level, nonnegative, real, sound
from .arguments import prediction as known_prediction
from .gaussian import DiagonalGaussian, Gaussian
from .oracle import Estimate, Oracle, contract, over_events


class GaussianMixture(Oracle):
    r"""A mixture of Gaussians of one family, each with a label.

    Args:
        weights: (\*batch, K), not negative, with sum one.
        components: a Gaussian of any family with batch shape (\*batch, K).
        labels: for each component the class it belongs to, 0, 1, ...; each component is its own class if left out.
        validate_args: whether wrong values raise, where they are known; NumPyro's default if left out.

    Raises:
        MisuseError: for weights that are negative or do not sum to one within 1e-6, for a number of components or labels that
            differs from that of the weights, and for labels that are not the integers 0, 1, ... without a gap.
    """

    log_weights: Array
    components: Gaussian
    labels: tuple[int, ...]
    arg_constraints: ClassVar[dict[str, Any]] = {"weights": constraints.simplex}
    reparametrized_params: ClassVar[list[str]] = []
    pytree_data_fields = ("log_weights", "components")
    pytree_aux_fields = ("labels",)

    def __init__(
        self, weights: Any, components: Gaussian, labels: Sequence[int] | None = None, *, validate_args: bool | None = None
    ) -> None:
        weights = probabilities(weights, validate_args is not False)
        if not isinstance(components, Gaussian):
            raise MisuseError(f"`components` must be a Gaussian of verifydiff.oracles, got {type(components).__name__}.")
        if components.batch_shape[-1:] != weights.shape[-1:]:
            raise MisuseError(
                f"the components' batch must end in the number of weights, got {components.batch_shape} and {weights.shape[-1:]}."
            )
        shape = broadcast({"weights": weights.shape, "the components": components.batch_shape})
        self.log_weights, self.components = jnp.broadcast_to(jnp.log(weights), shape), components.expand(shape)
        self.labels = classes(range(shape[-1]) if labels is None else labels, shape[-1])
        self._settle(shape[:-1], components.event_shape, validate_args)

    @classmethod
    def isotropic(cls, weights: Any, means: Any, variance: Any, labels: Sequence[int] | None = None) -> Self:
        r"""Round components: ``means`` (\*batch, K, d), ``variance`` a number or (\*batch, K)."""
        variance = real("variance", variance)
        return cls(weights, DiagonalGaussian(means, variance[..., None] if variance.ndim else variance), labels)

    # -- which component, which class ------------------------------------------------------------------------------------------

    @property
    def weights(self) -> Array:
        r"""(\*batch, K)."""
        return jnp.exp(self.log_weights)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return max(self.labels) + 1

    def component_posterior(self, x_t: Any, abar: Any) -> Array:
        r"""(\*sample, \*batch, K): log p(k | x_t)."""
        return self._ask("_component_posterior", self._state(x_t), level(abar))

    def class_posterior(self, x_t: Any, abar: Any) -> Array:
        r"""(\*sample, \*batch, classes): log p(y | x_t)."""
        return self._ask("_class_posterior", self._state(x_t), level(abar))

    def given(self, label: int) -> Self:
        """The law of the data of one class, p(x_0 | y): its components, their weights scaled up to one.

        The score of ``law.given(y)`` less that of ``law`` is the gradient of log p(y | x_t), which guides a sampler.

        Raises:
            MisuseError: if there is no such class.
        """
        if label not in self.labels:
            raise MisuseError(f"`label` must be one of the classes 0 to {self.classes - 1}, got {label!r}.")
        chosen = [k for k, y in enumerate(self.labels) if y == label]
        log_weights = jax.nn.log_softmax(self.log_weights[..., chosen], axis=-1)
        return self._mixture(log_weights, self.components._picked(chosen), tuple(range(len(chosen))))

    def bayes_loss(self, abar: Any, prediction: str = "eps", *, key: Any = None, draws: int = 16_384) -> Estimate:
        r"""The mean squared error per coordinate that no model beats, by draws: its standard error comes with it.

        Args:
            abar: the level.
            prediction: what the model predicts: ``eps``, ``x0`` or ``v``.
            key: of the draws; the same ones every time if left out.
            draws: how many, of each component; 512 at a time.

        Raises:
            MisuseError: for an unknown prediction or fewer than two draws.
        """
        if draws < 2:
            raise MisuseError(f"`draws` must be at least 2, or nothing is known of the error, got {draws}.")
        key = jax.random.key(0) if key is None else key
        return Estimate(*self._ask("_loss", level(abar), key, options=(known_prediction(prediction), draws)))

    def sample_labelled(self, key: Any, sample_shape: Shape = ()) -> tuple[Array, Array]:
        r"""Draws (\*sample, \*batch, \*event) and the classes (\*sample, \*batch) they belong to."""
        x, (component,) = self.sample_with_intermediates(key, sample_shape)
        return x, jnp.asarray(self.labels)[component]

    def sample_with_intermediates(self, key: Any, sample_shape: Shape = ()) -> tuple[Array, list[Array]]:
        """Draws, and the components they are of."""
        x, component = self._ask("_sample_with_component", key, options=(tuple(sample_shape),))
        return x, [component]

    # -- what an oracle answers ------------------------------------------------------------------------------------------------

    def _diffused(self, abar: Array) -> Self:
        return self._mixture(self.log_weights, self.components._diffused(abar[..., None]), self.labels)

    def _score(self, x_t: Array, abar: Array) -> Array:
        return self._averaged(x_t, abar, self.components._score)

    def _denoise(self, x_t: Array, abar: Array) -> Array:
        return self._averaged(x_t, abar, self.components._denoise)

    def _eps(self, x_t: Array, abar: Array) -> Array:
        return self._averaged(x_t, abar, self.components._eps)

    def _posterior(self, x_t: Array, abar: Array) -> Self:
        components = self.components._posterior(self._beside(x_t), abar[..., None])
        return self._mixture(self._component_posterior(x_t, abar), components, self.labels)

    def _loss(self, abar: Array, key: Any, kind: str, draws: int) -> tuple[Array, Array]:
        """The loss, and its standard error."""
        between = self._between(key, draws, abar, kind)
        errors = jnp.var(between, axis=0, ddof=1) / draws
        within, means, errors, weights = promote_shapes(
            self.components._loss(abar[..., None], kind), jnp.mean(between, axis=0), errors, jnp.exp(self.log_weights)
        )
        return jnp.sum(weights * (within + means), axis=-1), jnp.sqrt(jnp.sum(weights**2 * errors, axis=-1))

    def _sample(self, key: Any, sample_shape: Shape) -> Array:
        return self._sample_with_component(key, sample_shape)[0]

    def _sample_with_component(self, key: Any, sample_shape: Shape) -> tuple[Array, Array]:
        which, where = jax.random.split(key)
        component = jax.random.categorical(which, self.log_weights, shape=sample_shape + self.batch_shape)
        x = self.components._sample(where, sample_shape)
        index = component.reshape(component.shape + (1,) * (1 + self.event_dim))
        return jnp.take_along_axis(x, index, axis=self._axis).squeeze(self._axis), component

    def _log_prob(self, x: Array) -> Array:
        densities, log_weights = promote_shapes(self.components._log_prob(self._beside(x)), self.log_weights)
        terms = densities + log_weights
        safe = jnp.where(jnp.isneginf(terms), -jnp.inf, terms)  # no gradient is taken of an infinite term
        return jax.nn.logsumexp(safe, axis=-1)

    def _mean(self) -> Array:
        return self._weighted(jnp.exp(self.log_weights), self.components._mean())

    def _variance(self) -> Array:
        return self._weighted(jnp.exp(self.log_weights), self.components._variance() + self._spread() ** 2)

    def _covariance_matrix(self) -> Array:
        weights, spread = jnp.exp(self.log_weights), self._spread().reshape(*self.log_weights.shape, self.event_size)
        within = contract("...k,...kij->...ij", weights, self.components._covariance_matrix())
        return within + contract("...k,...ki,...kj->...ij", weights, spread, spread)

    def _expanded(self, batch_shape: Shape) -> Self:
        shape = (*batch_shape, len(self.labels))
        return self._mixture(jnp.broadcast_to(self.log_weights, shape), self.components._expanded(shape), self.labels)

    # -- how ---------------------------------------------------------------------------------------------------------------------

    @property
    def _axis(self) -> int:
        """The axis of the components, between those of the batch and of the event."""
        return -1 - len(self.event_shape)

    def _beside(self, x: Array) -> Array:
        """x with an axis for the components."""
        return jnp.expand_dims(x, self._axis)

    def _spread(self) -> Array:
        """How far the components' means lie from that of all."""
        return self.components._mean() - self._beside(self._mean())

    def _component_posterior(self, x_t: Array, abar: Array) -> Array:
        return self._responsibilities(self.components._diffused(abar[..., None]), self._beside(x_t))

    def _class_posterior(self, x_t: Array, abar: Array) -> Array:
        return self._by_class(self._component_posterior(x_t, abar))

    def _responsibilities(self, components: Gaussian, x: Array) -> Array:
        white = components._whitened(x)
        unit = jax.lax.stop_gradient(jnp.maximum(jnp.max(jnp.abs(white), axis=(-1, -2), keepdims=True), 1))
        distance, unit = jnp.sum((white / unit) ** 2, axis=-1), unit[..., 0]
        gap = (distance - jax.lax.stop_gradient(jnp.min(distance, axis=-1, keepdims=True))) * unit * unit
        gap, log_det, log_weights = promote_shapes(gap, components._log_det, self.log_weights)
        return jax.nn.log_softmax(log_weights - (gap + log_det) / 2, axis=-1)

    def _by_class(self, log_r: Array) -> Array:
        members = [[k for k, label in enumerate(self.labels) if label == y] for y in range(self.classes)]
        return jnp.stack([jax.nn.logsumexp(log_r[..., jnp.asarray(chosen)], axis=-1) for chosen in members], axis=-1)

    def _averaged(self, x_t: Array, abar: Array, answer: Callable[[Array, Array], Array]) -> Array:
        return self._weighted(jnp.exp(self._component_posterior(x_t, abar)), answer(self._beside(x_t), abar[..., None]))

    def _weighted(self, weights: Array, values: Array) -> Array:
        weights = weights.reshape(weights.shape + (1,) * self.event_dim)
        return jnp.sum(weights * values, axis=self._axis)

    def _between(self, key: Any, draws: int, abar: Array, kind: str) -> Array:
        r"""(draws, \*batch, K): for draws of x_t from each component, the squared spread of the answers about their average."""
        components = self.components._diffused(abar[..., None])
        chunk = min(draws, 512)

        def spreads(key: Any) -> Array:
            x_t = jnp.moveaxis(components._sample(key, (chunk,)), self._axis, 1)
            answers = self.components._predict(self._beside(x_t), abar[..., None], kind)
            r = jnp.exp(self._component_posterior(x_t, abar))
            apart = answers - self._beside(self._weighted(r, answers))
            spread = jnp.sum(r * over_events(apart**2, self.event_dim), axis=-1) / self.event_size
            return jnp.moveaxis(spread, 1, -1)

        found = jax.lax.map(spreads, jax.random.split(key, -(-draws // chunk)))
        return found.reshape((-1, *found.shape[2:]))[:draws]

    def _mixture(self, log_weights: Array, components: Gaussian, labels: tuple[int, ...]) -> Self:
        shape = jnp.broadcast_shapes(log_weights.shape, components.batch_shape)
        fields = {"log_weights": jnp.broadcast_to(log_weights, shape), "components": components._expanded(shape)}
        return self._with(shape[:-1], labels=labels, **fields)

    def _batch_of_fields(self) -> Shape:
        return tuple(self.log_weights.shape[:-1])


def probabilities(weights: Any, validate: bool) -> Array:
    """The weights, scaled by the rounding that their sum is off by.

    Raises:
        MisuseError: if they are known to be no probabilities.
    """
    array = real("weights", weights)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise MisuseError(f"`weights` must hold at least one number along the last axis, got shape {array.shape}.")
    array = sound(array, nonnegative, "`weights` must not be negative", validate)
    total = jnp.sum(array, axis=-1, keepdims=True)
    return array / sound(total, lambda value: abs(value - 1) <= 1e-6, "the sum of `weights` must be 1 to within 1e-6", validate)


def classes(labels: Sequence[int], components: int) -> tuple[int, ...]:
    """The labels as a tuple.

    Raises:
        MisuseError: if there is not one for every component, or they are not 0, 1, ... without a gap.
    """
    found = tuple(int(label) for label in labels)
    if len(found) != components or sorted(set(found)) != list(range(len(set(found)))):
        raise MisuseError(f"`labels` must give each of the {components} components one of the classes 0, 1, ..., got {found}.")
    return found
