r"""Models of the noise as what compiled programs are handed: trees of arrays, so that weights are arguments and no constants.

A model answers a batch of states (n, \*event) that share one level or have one each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any
from zlib import crc32

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from ..compiling import options
from ..oracles import Oracle
from ..verdict import MisuseError


def as_model(eps: Callable[..., Any]) -> Any:
    """The model as a tree of arrays.

    A tree of arrays, a ``jax.tree_util.Partial`` among them, is a pure function of these. Of a plain function nobody knows what
    else it reads, so it is compiled anew each time.
    """
    leaves = jax.tree_util.tree_leaves(eps)
    is_tree = bool(leaves) and all(isinstance(leaf, jax.Array) or hasattr(leaf, "__array__") for leaf in leaves)
    return eps if is_tree or isinstance(eps, Partial) else Partial(lambda *told: eps(*told))


def exact(law: Oracle) -> Partial:
    """What no model can better: the noise that these data lead one to expect."""
    return Partial(_exact, law)


def _exact(law: Oracle, x_t: Array, abar_t: Array) -> Array:
    return law.eps(x_t, abar_t)


def ask(model: Any, x_t: Array, abar_t: Any) -> Array:
    """The model's answer to a batch, in the type of the batch; every row is told its level.

    Raises:
        MisuseError: if it is no batch of that shape, or complex.
    """
    told = jnp.broadcast_to(jnp.asarray(abar_t, x_t.dtype), x_t.shape[:1])
    return answered(model(x_t, told), x_t)


def answered(answer: Any, x_t: Array) -> Array:
    """An answer to a batch, in the type of the batch.

    Raises:
        MisuseError: as for :func:`ask`.
    """
    if not hasattr(answer, "shape") or answer.shape != x_t.shape:
        got = f"one of shape {answer.shape}" if hasattr(answer, "shape") else type(answer).__name__
        raise MisuseError(f"the network answers a batch of shape {x_t.shape} with {got}.")
    if jnp.iscomplexobj(answer):
        raise MisuseError("the network answers with complex numbers.")
    return jnp.asarray(answer, x_t.dtype)


def compiled(function: Callable[..., Any], static: tuple[int, ...] = ()) -> Callable[..., Any]:
    """The function, compiled when it is first called: only then need JAX be awake."""

    @cache
    def program() -> Any:
        return jax.jit(function, static_argnums=static, compiler_options=options())

    return wraps(function)(lambda *arguments: program()(*arguments))


@compiled
def pushed_forward(model: Any, x_t: Array, tangents: Array, abar_t: Array) -> tuple[Array, Array]:
    r"""The model's answers to a batch, and their derivatives along one tangent a row.

    One program for all that asks a model without a sampler: a network takes longer to compile than to ask.

    Args:
        model: a tree of arrays.
        x_t: (n, \*event).
        tangents: likewise.
        abar_t: (n,).
    """
    answer, image = jax.jvp(lambda x: ask(model, x, abar_t), (x_t,), (tangents,))
    return answer, image


def named(key: Array, name: str) -> Array:
    """The key of this name: what is asked beside it changes no draw."""
    return jax.random.fold_in(key, crc32(name.encode()))


def dtype_of(law: Oracle) -> Any:
    """The type that the law computes in."""
    return jax.tree_util.tree_leaves(law)[0].dtype


def beside(values: Array, x: Array) -> Array:
    """One number a row, shaped to go with the rows."""
    return values.reshape(values.shape + (1,) * (x.ndim - values.ndim))
