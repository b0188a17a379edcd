"""A sampler over JAX arrays as one over NumPy arrays."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from ...schedule import Array
from ..on_host import on_host
from ..target import Denoise


@dataclass(frozen=True)
class OverJax:
    """``sample``, whose states are arrays of double precision, or of single where that is asked for.

    It may compile its loop: the model works on tracers.
    """

    sample: Callable[..., Any]
    single: bool = False

    def __call__(self, denoise: Denoise, x_init: Array, seed: int) -> Any:
        """What the sampler returns, as a NumPy array where it is one of the library's."""
        import jax
        import jax.numpy as jnp

        asked = [denoise]  # emptied at the end: what is compiled meanwhile may outlive the run, and must not keep its record
        with _double_precision(not self.single), _silent():
            try:
                final = self.sample(on_host(lambda x, t: asked[0](x, t)), jnp.array(x_init), seed)
                return np.asarray(final) if isinstance(final, jax.Array) else final
            finally:
                asked.clear()
                with suppress(Exception):  # it has been raised where the program's value was waited for
                    jax.effects_barrier()


_PRECISION = RLock()


@contextmanager
def _double_precision(on: bool) -> Iterator[None]:
    """JAX's double precision, on or off in every thread: callbacks of a compiled program may come from one of its own."""
    import jax

    with _PRECISION:
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", on)
        try:
            yield
        finally:
            jax.config.update("jax_enable_x64", before)


@contextmanager
def _silent() -> Iterator[None]:
    """JAX logs the traceback of whatever a callback raises; what it raised is told by the probe."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
