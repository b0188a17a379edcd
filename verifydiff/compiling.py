"""How programs of networks are compiled: by XLA, a network takes longer to compile than to ask."""

from __future__ import annotations

from typing import Any

import jax


def options() -> dict[str, Any] | None:
    """For ``jax.jit``: on a CPU LLVM's first level of optimisation, which takes half the time, and whose programs run as fast."""
    return {"xla_backend_optimization_level": 1} if jax.default_backend() == "cpu" else None
