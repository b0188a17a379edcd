r"""How samplers are run here: one compiled program for all numbers of steps and all etas.

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

from ..samplers import DDIM, Sampler, sample
from .model import ask

Draw = Callable[..., Array]
"""``draw(model, x_T, abar, *, eta, key)``: abar of shape (S + 1,), noisiest first, ends at 1; a batch of x_T shares the key."""
Factory = Callable[[Any], Sampler]
"""``factory(eta)``: the sampler of that eta."""


class Stepwise:
    """A sampler by its steps.

    Attributes:
        factory: makes it.
        most: S is at most this; the levels are kept in an array of that length, so that one program serves every S.
    """

    def __init__(self, factory: Factory = DDIM, most: int = 1000) -> None:
        self.factory, self.most = factory, most

    def __call__(self, model: Any, x_T: Array, abar: Any, *, eta: Any, key: Array) -> Array:
        """x_0, of the shape of x_T."""
        levels = np.ones(max(self.most, len(abar) - 1) + 1)
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


REFERENCE = Stepwise()
"""DDIM, written by hand as its equations read; at eta = 1 it is DDPM."""


@partial(jax.jit, static_argnums=0)
def _descend(factory: Factory, model: Any, x_T: Array, levels: Array, steps: Array, eta: Array, key: Array) -> Array:
    sampler = factory(eta)
    eps = partial(ask, model)

    def down(k: Array, state: Any) -> Any:
        return sampler.step(eps, state, levels[k], levels[k + 1], key=jax.random.fold_in(key, k))

    state = jax.lax.fori_loop(0, steps - 1, down, sampler.init(x_T, levels))
    return sampler.last(eps, state, levels[steps - 1], key=jax.random.fold_in(key, steps - 1)).x


@partial(jax.jit, static_argnums=(0, 1))
def _whole(function: Draw, eta: float, model: Any, x_T: Array, abar: Array, key: Array) -> Array:
    return function(partial(ask, model), x_T, abar, eta=eta, key=key)


def reference_loop(eps: Any, x_T: Array, abar: Any, *, eta: Any, key: Array) -> Array:
    """The reference as a whole loop: :func:`verifydiff.samplers.sample` with DDIM."""
    return sample(DDIM(eta=eta), eps, x_T, abar, key=key)
