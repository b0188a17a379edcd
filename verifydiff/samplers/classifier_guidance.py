r"""Guidance by a classifier (Dhariwal and Nichol 2021).

Two ways, which differ at finite steps. Algorithm 1 shifts a step :math:`\mathcal{N}(\mu, \Sigma)`:

.. math:: x_s \sim \mathcal{N}(\mu + k\, \Sigma\, g, \Sigma), \qquad
    g = \nabla \log p(y \mid x_s) \big|_{x_s = \mu} \quad\text{or}\quad \nabla \log p(y \mid x_t)

The gradient at the mean, of the classifier at the level that the step leads to, is the paper's; its published code takes it at
the state, at the state's level. Algorithm 2 guides the noise and works around any sampler:

.. math:: \hat\epsilon' = \hat\epsilon - k \sqrt{1 - \bar\alpha_t}\; \nabla \log p(y \mid x_t)

k is the scale; 1 follows Bayes' rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import jax
from jax import Array
from jax.numpy import sqrt

from ..verdict import MisuseError
from .sampler import GaussianSampler, Kernel, Model, Sampler, State, draw
from .settings import LARGEST, between

Where = Literal["mean", "state"]


def classifier_guided(eps: Model, gradient: Model, *, scale: float | Array = 1.0) -> Model:
    """Algorithm 2: the noise that a classifier's gradient shifts (eq. 14).

    Args:
        eps: the model without a label.
        gradient: ``gradient(x_t, abar_t)``, that of log p(y | x_t) by x_t, of the shape of x_t.
        scale: k.
    """

    def guided(x_t: Array, abar_t: Array) -> Array:
        return eps(x_t, abar_t) - scale * sqrt(1 - abar_t) * gradient(x_t, abar_t)

    return guided


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GuidedStep(Sampler):
    """Algorithm 1: every step of a sampler shifted by its covariance times a classifier's gradient.

    A step without noise is not moved: guide the model of such samplers. Nor is the step onto the data.

    Attributes:
        sampler: whose steps are shifted.
        gradient: ``gradient(x, abar)``, that of log p(y | x) by x at a level, of the shape of x.
        scale: k.
        at: ``"mean"``, of the step and at the level that it leads to, or ``"state"``, at the level that it comes from.

    Raises:
        MisuseError: if it is asked for elsewhere, the sampler has no Gaussian steps, or the scale is no number.
    """

    sampler: GaussianSampler
    gradient: Model = field(metadata={"static": True})
    scale: float | Array = 1.0
    at: Where = field(default="mean", metadata={"static": True})

    def __post_init__(self) -> None:
        if self.at not in get_args(Where):
            raise MisuseError(f"`at` must be 'mean' or 'state', got {self.at!r}.")
        if isinstance(self.sampler, Sampler) and not isinstance(self.sampler, GaussianSampler):
            kind = type(self.sampler).__name__
            raise MisuseError(f"{kind} has no Gaussian steps to shift: guide its model by `classifier_guided`.")
        between("scale", self.scale, -LARGEST, LARGEST)

    def init(self, x_T: Array, abar: Array) -> State:
        """The sampler's."""
        return self.sampler.init(x_T, abar)

    def step(self, eps: Model, state: State, abar_t: Array, abar_s: Array, *, key: Array) -> State:
        """A draw from the shifted kernel."""
        return State(draw(self.kernel(state.x, eps(state.x, abar_t), abar_t, abar_s), key=key))

    def last(self, eps: Model, state: State, abar_t: Array, *, key: Array) -> State:
        """The sampler's."""
        return self.sampler.last(eps, state, abar_t, key=key)

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """The law of the guided step."""
        mean, std = self.sampler.kernel(x_t, eps_hat, abar_t, abar_s)
        g = self.gradient(mean, abar_s) if self.at == "mean" else self.gradient(x_t, abar_t)
        return Kernel(mean + self.scale * std**2 * g, std)
