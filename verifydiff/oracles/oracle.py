r"""What every oracle answers.

The data follow a law p(x_0) over events x in R^d. Noise is added, variance preserving,

.. math:: x_t = \sqrt{\bar\alpha}\,x_0 + \sqrt{1 - \bar\alpha}\,\epsilon, \qquad \epsilon \sim \mathcal{N}(0, I),

and everything about x_t, x_0 given x_t and the noise given x_t is known in closed form. The three predictions that networks
are trained for are the same knowledge:

.. math:: \hat\epsilon = \mathbb{E}[\epsilon \mid x_t] = -\sqrt{1 - \bar\alpha}\,\nabla \log p(x_t), \qquad
          \hat x_0 = \mathbb{E}[x_0 \mid x_t], \qquad
          \hat v = \sqrt{\bar\alpha}\,\hat\epsilon - \sqrt{1 - \bar\alpha}\,\hat x_0

(Tweedie; v as in Salimans & Ho 2022). Nothing here divides by what vanishes at either end, so that abar = 0 and abar = 1 are
levels like others.

Shapes: x_t is (\*sample, \*batch, \*event); abar is a number or an array that broadcasts against (\*sample, \*batch).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from functools import partial
from math import prod
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
from jax import Array
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.batch_util import promote_batch_shape
from numpyro.distributions.util import promote_shapes

from ..verdict import MisuseError
from .arguments import Shape, broadcast, level, prediction, state


class Estimate(NamedTuple):
    """A number and how well it is known.

    Attributes:
        value: the number, or an array of them.
        standard_error: of the draws it rests on; 0 where the number is exact.
    """

    value: Array
    standard_error: Array


@partial(jax.jit, static_argnums=(0, 1))
def ask(question: str, options: tuple[Any, ...], law: Oracle, *arrays: Any) -> Any:
    """What a law's method answers, compiled once for each question and shape. One by one its operations would take seconds."""
    return getattr(law, question)(*arrays, *options)


class Oracle(Distribution):  # type: ignore[misc]
    """Data with known answers: a NumPyro distribution, and what adding noise makes of it.

    The public methods look at what they are given and are the same for all families; a family answers by those with an
    underscore, whose arguments have been looked at.
    """

    def diffused(self, abar: Any) -> Self:
        """The law of x_t, of the same family; its batch shape is that of this law broadcast against abar."""
        law: Self = self._ask("_diffused", level(abar))
        return law

    def score(self, x_t: Any, abar: Any) -> Array:
        r""":math:`\nabla \log p(x_t)`, of the shape of x_t."""
        return self._ask("_score", self._state(x_t), level(abar))

    def denoise(self, x_t: Any, abar: Any) -> Array:
        r"""The posterior mean :math:`\mathbb{E}[x_0 \mid x_t]`, of the shape of x_t."""
        return self._ask("_denoise", self._state(x_t), level(abar))

    def eps(self, x_t: Any, abar: Any) -> Array:
        r"""The expected noise :math:`\mathbb{E}[\epsilon \mid x_t]`, of the shape of x_t."""
        return self._ask("_eps", self._state(x_t), level(abar))

    def velocity(self, x_t: Any, abar: Any) -> Array:
        r""":math:`\mathbb{E}[v \mid x_t]` with :math:`v = \sqrt{\bar\alpha}\,\epsilon - \sqrt{1 - \bar\alpha}\,x_0`."""
        return self._ask("_velocity", self._state(x_t), level(abar))

    def predict(self, x_t: Any, abar: Any, kind: str) -> Array:
        """What a perfect model answers that predicts ``eps``, ``x0`` or ``v``.

        Raises:
            MisuseError: for another kind.
        """
        return self._ask("_predict", self._state(x_t), level(abar), options=(prediction(kind),))

    def posterior(self, x_t: Any, abar: Any) -> Self:
        """The law of x_0 given x_t, of the same family; its batch shape is that of x_t. At abar = 1 it is the point x_t."""
        law: Self = self._ask("_posterior", self._state(x_t), level(abar))
        return law

    @abstractmethod
    def bayes_loss(self, abar: Any, prediction: str = "eps") -> Estimate:
        r"""The mean squared error per coordinate, :math:`\frac1d \mathbb{E}\|y - \mathbb{E}[y \mid x_t]\|^2`, that no model beats.

        Args:
            abar: the level.
            prediction: what the model predicts: y is ``eps``, ``x0`` or ``v``.
        """

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        r"""The log density, (\*sample, \*batch). Of a point mass it is infinite: plus on the point, minus elsewhere."""
        del intermediates
        return self._ask("_log_prob", state("value", value, self.event_shape))

    def sample(self, key: Any, sample_shape: Shape = ()) -> Array:
        r"""Draws of shape (\*sample, \*batch, \*event)."""
        return self._ask("_sample", key, options=(tuple(sample_shape),))

    @property
    def mean(self) -> Array:
        r"""(\*batch, \*event)."""
        return self._ask("_mean")

    @property
    def variance(self) -> Array:
        r"""Of each coordinate, (\*batch, \*event)."""
        return self._ask("_variance")

    @property
    def covariance_matrix(self) -> Array:
        r"""(\*batch, d, d), events flattened in row-major order."""
        return self._ask("_covariance_matrix")

    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same law over a larger batch shape, each entry drawn by itself.

        Raises:
            MisuseError: if this law's batch shape does not broadcast to it.
        """
        asked = tuple(batch_shape)
        if broadcast({"the batch": self.batch_shape, "what to expand to": asked}) != asked:
            raise MisuseError(f"a law of batch shape {self.batch_shape} does not expand to {asked}.")
        return self._expanded(asked)

    @property
    def event_size(self) -> int:
        """d, the number of coordinates of one event."""
        return prod(self.event_shape)

    @constraints.dependent_property(is_discrete=False)  # type: ignore[untyped-decorator]
    def support(self) -> Any:
        """All of R^d, as events."""
        return constraints.independent(constraints.real, self.event_dim)

    # -- how a law is made -----------------------------------------------------------------------------------------------------

    def _settle(self, batch_shape: Shape, event_shape: Shape, validate_args: bool | None) -> None:
        """Become a distribution of these shapes, whose parameters have been looked at already."""
        Distribution.__init__(self, batch_shape, event_shape, validate_args=False)
        self._validate_args = Distribution._validate_args if validate_args is None else validate_args

    def _with(self, batch_shape: Shape, **fields: Any) -> Self:
        """The same kind of law with these fields, which need no looking at."""
        law = copy(self)
        law.__dict__.update(fields, _batch_shape=batch_shape)
        return law

    def _ask(self, question: str, *arrays: Any, options: tuple[Any, ...] = ()) -> Any:
        return ask(question, options, self, *arrays)

    def _state(self, x_t: Any) -> Array:
        return state("x_t", x_t, self.event_shape)

    @abstractmethod
    def _batch_of_fields(self) -> Shape:
        """The batch shape that the fields show, which ``vmap`` and ``scan`` may have given further axes in front."""

    # -- what a family answers -------------------------------------------------------------------------------------------------

    @abstractmethod
    def _diffused(self, abar: Array) -> Self: ...

    @abstractmethod
    def _score(self, x_t: Array, abar: Array) -> Array: ...

    @abstractmethod
    def _denoise(self, x_t: Array, abar: Array) -> Array: ...

    @abstractmethod
    def _eps(self, x_t: Array, abar: Array) -> Array: ...

    def _velocity(self, x_t: Array, abar: Array) -> Array:
        a, eps_hat, x_hat = promote_shapes(beside_events(abar, self.event_dim), self._eps(x_t, abar), self._denoise(x_t, abar))
        return jnp.sqrt(a) * eps_hat - jnp.sqrt(1 - a) * x_hat

    def _predict(self, x_t: Array, abar: Array, kind: str) -> Array:
        return {"eps": self._eps, "x0": self._denoise, "v": self._velocity}[kind](x_t, abar)

    @abstractmethod
    def _posterior(self, x_t: Array, abar: Array) -> Self: ...

    @abstractmethod
    def _log_prob(self, x: Array) -> Array: ...

    @abstractmethod
    def _sample(self, key: Any, sample_shape: Shape) -> Array: ...

    @abstractmethod
    def _mean(self) -> Array: ...

    @abstractmethod
    def _variance(self) -> Array: ...

    @abstractmethod
    def _covariance_matrix(self) -> Array: ...

    @abstractmethod
    def _expanded(self, batch_shape: Shape) -> Self: ...


@promote_batch_shape.register  # type: ignore[untyped-decorator]
def _promoted(law: Oracle) -> Oracle:
    return law._with(law._batch_of_fields())


def beside_events(abar: Array, event_dim: int) -> Array:
    """abar with as many axes of size one appended as an event has."""
    return abar.reshape(abar.shape + (1,) * event_dim)


def over_events(values: Array, event_dim: int) -> Array:
    """The sum over the axes of an event."""
    return jnp.sum(values, axis=tuple(range(-event_dim, 0)))


def contract(subscripts: str, *operands: Array) -> Array:
    """``einsum`` in the full precision of the operands, which accelerators do not give unasked."""
    return jnp.einsum(subscripts, *operands, precision="highest")
