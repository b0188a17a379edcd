"""From within a JAX program back to Python: how the probe sees the queries and draws of a jitted loop.

A function of Python's is called outside a trace as it is, and inside one by a callback. The callbacks are ordered, so that
queries and draws come in the order of the program, each as often as it is executed. Under ``vmap`` a callback is made once, with
the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def on_host(host: Callable[..., Any]) -> Callable[..., Any]:
    """``host(x, *rest)``, over NumPy arrays and with a value of x's shape, as a function over JAX arrays and tracers.

    The value has the type of x, or the widest floating type where x holds whole numbers.
    """
    import jax
    import jax.numpy as jnp
    from jax.custom_batching import custom_vmap
    from jax.experimental import io_callback

    def callback(x: Any, *rest: Any) -> Any:
        kind = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else jnp.result_type(float)

        def called(*values: Any) -> Any:
            return np.asarray(host(*map(np.asarray, values)), dtype=kind)

        return io_callback(called, jax.ShapeDtypeStruct(x.shape, kind), x, *rest, ordered=True)

    batched = custom_vmap(callback)

    @batched.def_vmap  # type: ignore[untyped-decorator]
    def once_for_all(size: int, is_batched: Any, x: Any, *rest: Any) -> Any:
        return batched(x if is_batched[0] else jnp.broadcast_to(x, (size, *x.shape)), *rest), True

    def function(x: Any, *rest: Any) -> Any:
        traced = isinstance(jnp.zeros(()), jax.core.Tracer)  # within a trace everything is, even what depends on nothing
        if traced or any(isinstance(value, jax.core.Tracer) for value in (x, *rest)):
            return batched(jnp.asarray(x), *map(jnp.asarray, rest))
        jax.effects_barrier()  # a program may still be running, with callbacks of its own
        values = host(*(np.asarray(value) if isinstance(value, jax.Array) else value for value in (x, *rest)))
        return jnp.asarray(values, dtype=getattr(values, "dtype", None)) if isinstance(x, jax.Array) else values

    return function
