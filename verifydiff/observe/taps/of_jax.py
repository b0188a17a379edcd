"""A tap on JAX: ``jax.random.normal``, inside compiled programs and under ``vmap``, too.

The draw itself is JAX's own, by the key that the sampler chose; its numbers then go through the host. What was compiled before
the tap was opened knows nothing of it, and what is compiled while it is open must not be met after. So the tap has a compilation
cache of its own, by a context that is part of JAX's keys; where JAX is too old to have such contexts, its caches are cleared at
both ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any
from unittest.mock import patch

from ..on_host import on_host
from ..target import Draw, Tap

_OPEN: list[Draw] = []
"""Where the draws of the tap that is open go: compiled programs outlive a run, and the next one meets them again."""


def jax_tap(namespace: dict[str, Any]) -> Tap:
    """A tap on ``jax.random.normal`` and on the names of it that ``namespace`` (a module's globals) holds."""

    @contextmanager
    def tap(draw: Draw) -> Iterator[None]:
        import jax

        original, normal = _normals()
        imported = {name: normal for name, value in namespace.items() if value is original}
        with patch.object(jax.random, "normal", normal), patch.dict(namespace, imported), _compiled_apart():
            _OPEN.append(draw)
            try:
                yield
            finally:
                _OPEN.pop()

    return tap


@cache
def _normals() -> tuple[Any, Any]:
    """JAX's normal draw, and the one that stands in its place while a tap is open."""
    import jax
    import jax.numpy as jnp

    original = jax.random.normal
    through = on_host(lambda values: _OPEN[-1](values.shape, lambda: values))

    @wraps(original)
    def normal(*args: Any, **kwargs: Any) -> Any:
        drawn = original(*args, **kwargs)
        return through(drawn).astype(drawn.dtype) if jnp.issubdtype(drawn.dtype, jnp.floating) else drawn

    return original, normal


@contextmanager
def _compiled_apart() -> Iterator[None]:
    """What is compiled meanwhile is met by nobody else, and what was compiled before is not met meanwhile."""
    import jax

    if (context := _context()) is not None:
        with context(True):
            yield
        return
    jax.clear_caches()
    try:
        yield
    finally:
        jax.clear_caches()


@cache
def _context() -> Any:
    import jax

    make = getattr(jax, "make_user_context", None)
    return None if make is None else make(False)
