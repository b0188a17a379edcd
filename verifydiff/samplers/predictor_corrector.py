r"""Predictor-corrector sampling of the VP SDE, with the corrector of annealed Langevin dynamics (Song et al. 2021, SDE).

After every step of the predictor, at the level that it has led to, M times

.. math:: x \leftarrow x + \delta\, \nabla \log p(x) + \sqrt{2 \delta}\, z, \qquad \delta = 2 r^2 (1 - \bar\alpha_s)

The paper has :math:`\delta = 2 \alpha (r \lVert z \rVert / \lVert \nabla \log p \rVert)^2` with norms that its code averages
over the batch, so that a draw depends on those beside it. Here the score has the norm that it has on average where the model's
noise has unit variance,
:math:`\lVert z \rVert / \sqrt{1 - \bar\alpha_s}`, and the factor :math:`\alpha`, which is near 1, is left out.

Langevin dynamics in steps of finite length ends in a law that is near p, not in p: on Gaussian data the deviation of x at level
s comes out too large by a factor up to :math:`(1 - r^2)^{-1/2}`, however many levels there are. So this converges only if r
falls with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
from jax import Array, random
from jax.numpy import sqrt

from ..verdict import MisuseError
from .reverse_diffusion import ReverseDiffusion
from .sampler import Model, Sampler
from .settings import LARGEST, between


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PredictorCorrector(Sampler):
    """A predictor, and Langevin dynamics at every level that it leads to but the data.

    Attributes:
        predictor: any sampler; it may remember what it likes, beside the state that is corrected.
        snr: r, the signal-to-noise ratio of the corrector.
        corrections: M.

    Raises:
        MisuseError: if r is negative or there is not a whole number of corrections.
    """

    predictor: Sampler = field(default_factory=ReverseDiffusion)
    snr: float | Array = 0.16
    corrections: int = field(default=1, metadata={"static": True})

    def __post_init__(self) -> None:
        between("snr", self.snr, 0, LARGEST)
        if not isinstance(self.corrections, int) or isinstance(self.corrections, bool) or self.corrections < 0:
            raise MisuseError(f"`corrections` must be a whole number, got {self.corrections!r}.")

    def init(self, x_T: Array, abar: Array) -> Any:
        """The predictor's."""
        return self.predictor.init(x_T, abar)

    def step(self, eps: Model, state: Any, abar_t: Array, abar_s: Array, *, key: Array) -> Any:
        """The predictor's step, and the corrections at its end."""
        to_predict, *to_correct = random.split(key, 1 + self.corrections)
        state = self.predictor.step(eps, state, abar_t, abar_s, key=to_predict)
        for one in to_correct:
            state = state._replace(x=langevin(eps, state.x, abar_s, self.snr, key=one))
        return state

    def last(self, eps: Model, state: Any, abar_t: Array, *, key: Array) -> Any:
        """The predictor's: nothing is corrected on the data."""
        return self.predictor.last(eps, state, abar_t, key=key)


def langevin(eps: Model, x_s: Array, abar_s: Array, snr: float | Array, *, key: Array) -> Array:
    """A step of Langevin dynamics at one level."""
    delta = 2 * snr**2 * (1 - abar_s)
    score = -eps(x_s, abar_s) / sqrt(1 - abar_s)
    return x_s + delta * score + sqrt(2 * delta) * random.normal(key, x_s.shape, x_s.dtype)
