r"""What a sampler is: how it begins, a step down, and the step onto the data.

A sampler leads a state from the level :math:`\bar\alpha_t` to a cleaner one, :math:`\bar\alpha_s > \bar\alpha_t`. Its states are
variance preserving, :math:`x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon`, whatever the coordinates that
its paper works in, and it asks a model

.. math:: \hat\epsilon = \mathtt{eps}(x_t, \bar\alpha_t)

for the noise. A state is one particle of any shape, or a batch of them on any axes: steps act on every number alike, and only the
model knows which of them belong together.

Coefficients are written over :math:`\bar\alpha_s - \bar\alpha_t`, never :math:`1 - \bar\alpha_t / \bar\alpha_s`: near the data
that difference is exact in floating point, and the quotient's distance from 1 is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, final

from jax import Array, random

from .coordinates import x_hat

Model = Callable[[Array, Array], Array]
"""``eps(x_t, abar_t) -> eps_hat``, of the shape and type of ``x_t``."""


class State(NamedTuple):
    """The state of a sampler that remembers nothing else.

    Attributes:
        x: x_t, variance preserving.
    """

    x: Array


class Sampler(ABC):
    """A sampler: pure functions of what they are given. Every one is a pytree; its numbers are leaves."""

    @abstractmethod
    def init(self, x_T: Array, abar: Array) -> Any:
        """The state to begin with: a NamedTuple whose ``x`` is x_T.

        Args:
            x_T: the noise that the data are to be made of.
            abar: shape (S + 1,), the levels that will be visited, noisiest first; the last is 1.
        """

    @abstractmethod
    def step(self, eps: Model, state: Any, abar_t: Array, abar_s: Array, *, key: Array) -> Any:
        """The state at the level ``abar_s``, from the one at the noisier level ``abar_t``; 0 < abar_t < abar_s < 1."""

    @abstractmethod
    def last(self, eps: Model, state: Any, abar_t: Array, *, key: Array) -> Any:
        """The state at the level 1: the data."""


class Kernel(NamedTuple):
    r"""The law of a step, :math:`x_s \sim \mathcal{N}(\mu, \sigma^2 I)`.

    Attributes:
        mean: of the shape of x_t.
        std: a scalar. The Python number 0.0 says that nothing is drawn.
    """

    mean: Array
    std: Array | float


class GaussianSampler(Sampler):
    r"""A sampler whose steps are :math:`x_s = \mu(x_t, \hat\epsilon) + \sigma z`; and onto the data, :math:`x_0 = \hat x_0`,
    without noise.

    One step of the model each, and nothing is remembered.
    """

    @abstractmethod
    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """The law of the step from ``abar_t`` to ``abar_s``."""

    @final
    def init(self, x_T: Array, abar: Array) -> State:
        """The state is x_T."""
        return State(x_T)

    @final
    def step(self, eps: Model, state: State, abar_t: Array, abar_s: Array, *, key: Array) -> State:
        """A draw from the kernel."""
        return State(draw(self.kernel(state.x, eps(state.x, abar_t), abar_t, abar_s), key=key))

    @final
    def last(self, eps: Model, state: State, abar_t: Array, *, key: Array) -> State:
        """The data that the model predicts."""
        return State(x_hat(state.x, eps(state.x, abar_t), abar_t))


def draw(kernel: Kernel, *, key: Array) -> Array:
    """A draw from the law of a step; a number is drawn for every number of the state, in its type."""
    mean, std = kernel
    if isinstance(std, float) and std == 0:
        return mean
    return mean + std * random.normal(key, mean.shape, mean.dtype)
