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
from math import prod
from typing import Any, NamedTuple, Self

import jax.numpy as jnp
from jax import Array
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.batch_util import promote_batch_shape
from numpyro.distributions.util import promote_shapes

from ..verdict import MisuseError
from .arguments import Shape, broadcast, level, prediction


class Estimate(NamedTuple):
    """A number and how well it is known.

    Attributes:
        value: the number, or an array of them.
        standard_error: of the draws it rests on; 0 where the number is exact.
    """

    value: Array
    standard_error: Array


class Oracle(Distribution):  # type: ignore[misc]
    """Data with known answers: a NumPyro distribution, and what adding noise makes of it."""

    @abstractmethod
    def diffused(self, abar: Any) -> Self:
        """The law of x_t, of the same family; its batch shape is that of this law broadcast against abar."""

    @abstractmethod
    def score(self, x_t: Any, abar: Any) -> Array:
        r""":math:`\nabla \log p(x_t)`, of the shape of x_t."""

    @abstractmethod
    def denoise(self, x_t: Any, abar: Any) -> Array:
        r"""The posterior mean :math:`\mathbb{E}[x_0 \mid x_t]`, of the shape of x_t."""

    @abstractmethod
    def eps(self, x_t: Any, abar: Any) -> Array:
        r"""The expected noise :math:`\mathbb{E}[\epsilon \mid x_t]`, of the shape of x_t."""

    @abstractmethod
    def posterior(self, x_t: Any, abar: Any) -> Self:
        """The law of x_0 given x_t, of the same family; its batch shape is that of x_t. At abar = 1 it is the point x_t."""

    @abstractmethod
    def bayes_loss(self, abar: Any, prediction: str = "eps") -> Estimate:
        r"""The mean squared error per coordinate, :math:`\frac1d \mathbb{E}\|y - \mathbb{E}[y \mid x_t]\|^2`, that no model beats.

        Args:
            abar: the level.
            prediction: what the model predicts: y is ``eps``, ``x0`` or ``v``.
        """

    @property
    @abstractmethod
    def covariance_matrix(self) -> Array:
        r"""(\*batch, d, d), events flattened in row-major order."""

    @abstractmethod
    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same law over a larger batch shape, each entry drawn by itself."""

    def velocity(self, x_t: Any, abar: Any) -> Array:
        r""":math:`\mathbb{E}[v \mid x_t]` with :math:`v = \sqrt{\bar\alpha}\,\epsilon - \sqrt{1 - \bar\alpha}\,x_0`."""
        a, eps_hat, x_hat = promote_shapes(level(abar, self.event_dim), self.eps(x_t, abar), self.denoise(x_t, abar))
        return jnp.sqrt(a) * eps_hat - jnp.sqrt(1 - a) * x_hat

    def predict(self, x_t: Any, abar: Any, kind: str) -> Array:
        """What a perfect model answers that predicts ``eps``, ``x0`` or ``v``."""
        return {"eps": self.eps, "x0": self.denoise, "v": self.velocity}[prediction(kind)](x_t, abar)

    @property
    def event_size(self) -> int:
        """d, the number of coordinates of one event."""
        return prod(self.event_shape)

    @constraints.dependent_property(is_discrete=False)  # type: ignore[untyped-decorator]
    def support(self) -> Any:
        """All of R^d, as events."""
        return constraints.independent(constraints.real, self.event_dim)

    def _settle(self, batch_shape: Shape, event_shape: Shape, validate_args: bool | None) -> None:
        """Become a distribution of these shapes, whose parameters have been looked at already."""
        Distribution.__init__(self, batch_shape, event_shape, validate_args=False)
        self._validate_args = Distribution._validate_args if validate_args is None else validate_args

    def _with(self, batch_shape: Shape, **fields: Any) -> Self:
        """The same kind of law with these fields, which need no looking at."""
        law = copy(self)
        law.__dict__.update(fields, _batch_shape=batch_shape)
        return law

    def _grown(self, batch_shape: Sequence[int]) -> Shape:
        """The batch shape to expand to.

        Raises:
            MisuseError: if this law's does not broadcast to it.
        """
        asked = tuple(batch_shape)
        if broadcast({"the batch": self.batch_shape, "the shape to expand to": asked}) != asked:
            raise MisuseError(f"a law of batch shape {self.batch_shape} does not expand to {asked}.")
        return asked

    @abstractmethod
    def _batch_of_fields(self) -> Shape:
        """The batch shape that the fields show, which ``vmap`` and ``scan`` may have given further axes in front."""


@promote_batch_shape.register  # type: ignore[untyped-decorator]
def _promoted(law: Oracle) -> Oracle:
    return law._with(law._batch_of_fields())


def over_events(values: Array, event_dim: int) -> Array:
    """The sum over the axes of an event."""
    return jnp.sum(values, axis=tuple(range(-event_dim, 0)))


def contract(subscripts: str, *operands: Array) -> Array:
    """``einsum`` in the full precision of the operands, which accelerators do not give unasked."""
    return jnp.einsum(subscripts, *operands, precision="highest")
