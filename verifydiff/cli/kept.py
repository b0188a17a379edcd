"""Where compiled programs of networks are kept from one command to the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def keep_compiled(jax: Any) -> None:
    """Compiled programs are kept for the next command, unless the user has said where, or that they are not."""
    if jax.config.jax_compilation_cache_dir is None and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(home / "verifydiff" / "compiled"))
