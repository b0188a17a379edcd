"""A tap on JAX: ``jax.random.normal``, inside compiled programs and under ``vmap``, too.

The draw itself is JAX's own, by the key that the sampler chose; its numbers then go through the host. What was compiled before
the tap was opened knows nothing of it, and what is compiled while it is open must not outlive it: JAX's caches are cleared at both ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from ..on_host import on_host
from ..target import Draw, Tap


def jax_tap(namespace: dict[str, Any]) -> Tap:
    """A tap on ``jax.random.normal`` and on the names of it that ``namespace`` (a module's globals) holds."""

    @contextmanager
    def tap(draw: Draw) -> Iterator[None]:
        import jax
        import jax.numpy as jnp

        original = jax.random.normal
        through = on_host(lambda values: draw(values.shape, lambda: values))

        @wraps(original)
        def normal(*args: Any, **kwargs: Any) -> Any:
            drawn = original(*args, **kwargs)
            return through(drawn).astype(drawn.dtype) if jnp.issubdtype(drawn.dtype, jnp.floating) else drawn

        imported = {name: normal for name, value in namespace.items() if value is original}
        jax.clear_caches()
        try:
            with patch.object(jax.random, "normal", normal), patch.dict(namespace, imported):
                yield
        finally:
            jax.clear_caches()

    return tap
