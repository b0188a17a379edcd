r"""The loop of all samplers: from x_T down the levels to the data.

.. math:: \bar\alpha_T = \mathtt{abar}[0] < \mathtt{abar}[1] < \dots < \mathtt{abar}[S] = 1

S steps visit S + 1 levels. The k-th draws its noise by ``fold_in(key, k)``. Levels are rounded to the type of x_T first, and
everything, the model included, is told the rounded ones: the grid is then a slightly other one, and nothing is inconsistent.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import Array, lax, random

from .arguments import as_key, as_levels, as_state, keeping_shape
from .sampler import Model, Sampler


def sample(sampler: Sampler, eps: Model, x_T: Array, abar: Any, *, key: Array) -> Array:
    """Lead x_T down the levels to the data.

    Pure: ``jit`` it, ``vmap`` it over x_T and keys, differentiate through it. A batch may be handed over whole, too, and shares
    the key: each of its numbers has noise of its own, that depends on the shape of the batch.

    Args:
        sampler: how steps are taken.
        eps: ``eps(x_t, abar_t) -> eps_hat``, the model.
        x_T: one particle or a batch, in float32 or float64; standard normal noise, as a rule.
        abar: shape (S + 1,), the levels, noisiest first; above 0, strictly rising, and the last is 1.
        key: a key of ``jax.random``.

    Returns:
        x_0, of the shape and type of x_T. NaN where the levels were not known when this was traced, and turn out to be none.

    Raises:
        MisuseError: if the levels are no such levels, the state or the key is of another type, or the model answers in another
            shape.
    """
    return _descend(sampler, eps, x_T, abar, key, keep=False)[0]


def trajectory(sampler: Sampler, eps: Model, x_T: Array, abar: Any, *, key: Array) -> Array:
    """As :func:`sample`, with the state at every level.

    Returns:
        shape (S + 1, *x_T.shape): x_T first and x_0 last, the k-th at the level ``abar[k]``.
    """
    x_0, between = _descend(sampler, eps, x_T, abar, key, keep=True)
    return jnp.concatenate([jnp.asarray(x_T)[None], between, x_0[None]])


def _descend(sampler: Sampler, eps: Model, x_T: Any, abar: Any, key: Any, *, keep: bool) -> tuple[Array, Any]:
    """x_0, and the states between x_T and it if they are to be kept."""
    key, x_T = as_key(key), as_state(x_T)
    x_T, levels = as_levels(abar, x_T)
    eps, steps = keeping_shape(eps), levels.shape[0] - 1

    def down(state: Any, one: tuple[Array, Array, Array]) -> tuple[Any, Any]:
        k, abar_t, abar_s = one
        state = sampler.step(eps, state, abar_t, abar_s, key=random.fold_in(key, k))
        return state, state.x if keep else None

    grid = (jnp.arange(steps - 1), levels[:-2], levels[1:-1])
    state, between = lax.scan(down, sampler.init(x_T, levels), grid)
    onto_data = partial(sampler.last, key=random.fold_in(key, steps - 1))
    return onto_data(eps, state, levels[-2]).x, between
