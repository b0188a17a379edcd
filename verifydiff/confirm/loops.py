r"""How samplers are run here: one compiled program for all numbers of steps and all etas, and for walks back to the noise.

That is so where a sampler begins without its levels, as :class:`.GaussianSampler` does. One that begins by a rule of its own is
told the levels that it will visit and no others, and is compiled for each number of steps.

A network takes longer to compile than to ask, so it stands once in that program: a sampler of Gaussian steps lands on the data,
:math:`x_0 = \hat x_0`, inside the loop, with the same answer that its step was made of.

A sampler under test is a function ``draw(eps, x_T, abar, *, eta, key) -> x_0`` (:data:`Draw`). Most are made of a class of
:mod:`verifydiff.samplers` by :func:`stepwise`; one that is a whole loop of somebody's is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..samplers import DDIM, GaussianSampler, Kernel, Sampler
from ..samplers.coordinates import x_hat
from ..samplers.sampler import draw
from .model import ask, compiled

Draw = Callable[..., Array]
"""``draw(model, x_T, abar, *, eta, key)``: abar of shape (S + 1,), noisiest first, ends at 1; a batch of x_T shares the key."""
Factory = Callable[[Any], Sampler]
"""``factory(eta)``: the sampler of that eta."""


class Stepwise:
    """A sampler by its steps.

    Attributes:
        factory: makes it.
        most: S is at most this, unless more levels are handed over; where a sampler begins without its levels, they are kept in an
            array of that length, so that one program serves every S.
    """

    def __init__(self, factory: Factory = DDIM, most: int = 1000) -> None:
        self.factory, self.most = factory, most

    def __call__(self, model: Any, x_T: Array, abar: Any, *, eta: Any, key: Array) -> Array:
        """x_0, of the shape of x_T."""
        begins_alike = getattr(type(self.factory(eta)), "init", None) is GaussianSampler.init
        levels = np.ones(max(self.most + 1, len(abar)) if begins_alike else len(abar))
        levels[: len(abar)] = abar
        at = jnp.asarray(levels, x_T.dtype)
        return _descend(self.factory, model, x_T, at, len(abar) - 1, jnp.asarray(eta, x_T.dtype), key)


class Whole:
    """A sampler that is a function ``sample(eps, x_T, abar, *, eta, key)`` of somebody's, compiled for each S and eta."""

    def __init__(self, function: Draw) -> None:
        self.function = function

    def __call__(self, model: Any, x_T: Array, abar: Any, *, eta: Any, key: Array) -> Array:
        """x_0, of the shape of x_T."""
        return _whole(self.function, float(eta), model, x_T, jnp.asarray(abar, x_T.dtype), key)


class Reference(GaussianSampler):
    """DDIM, written by hand as its equations read; at eta = 1 it is DDPM. To a noisier level it takes the step of eta = 0."""

    def __init__(self, eta: Any) -> None:
        self.eta = eta

    def kernel(self, x_t: Array, eps_hat: Array, abar_t: Array, abar_s: Array) -> Kernel:
        """The law of the step down, or where ``abar_s`` is the noisier level, the point that the step up leads to."""
        down = DDIM(self.eta).kernel(x_t, eps_hat, abar_t, jnp.maximum(abar_s, abar_t))
        up = jnp.sqrt(abar_s) * x_hat(x_t, eps_hat, abar_t) + jnp.sqrt(1 - abar_s) * eps_hat
        return Kernel(jnp.where(abar_s < abar_t, up, down.mean), jnp.where(abar_s < abar_t, 0.0, down.std))


REFERENCE = Stepwise(Reference)
"""What others are held to."""


@partial(compiled, static=(0,))
def _descend(factory: Factory, model: Any, x_T: Array, levels: Array, steps: Array, eta: Array, key: Array) -> Array:
    sampler, eps = factory(eta), partial(ask, model)
    if isinstance(sampler, GaussianSampler) and not any(
        name in vars(kind) for kind in _kinds(sampler) for name in ("step", "last")
    ):
        return jax.lax.fori_loop(0, steps, partial(_moved, sampler, eps, levels, key), x_T)

    def down(k: Array, state: Any) -> Any:
        return sampler.step(eps, state, levels[k], levels[k + 1], key=jax.random.fold_in(key, k))

    state = jax.lax.fori_loop(0, steps - 1, down, sampler.init(x_T, levels))
    landed: Array = sampler.last(eps, state, levels[steps - 1], key=jax.random.fold_in(key, steps - 1)).x
    return landed


def _kinds(sampler: GaussianSampler) -> tuple[type, ...]:
    """The sampler's own classes: one that writes a step of its own, against the rule, is run by it."""
    mro = type(sampler).__mro__
    return mro[: mro.index(GaussianSampler)]


def _moved(sampler: GaussianSampler, eps: Any, levels: Array, key: Array, k: Array, x: Array) -> Array:
    """A step of :class:`.GaussianSampler`, or its last where it leads to the level 1, of one answer."""
    abar_t, abar_s = levels[k], levels[k + 1]
    answer = eps(x, abar_t)
    onto_data = abar_s == 1
    kernel = sampler.kernel(x, answer, abar_t, jnp.where(onto_data, (1 + abar_t) / 2, abar_s))
    return jnp.where(onto_data, x_hat(x, answer, abar_t), draw(kernel, key=jax.random.fold_in(key, k)))


@partial(jax.jit, static_argnums=(0, 1))
def _whole(function: Draw, eta: float, model: Any, x_T: Array, abar: Array, key: Array) -> Array:
    return function(partial(ask, model), x_T, abar, eta=eta, key=key)
