"""What the commands about networks need: the packages, and programs that are compiled once for all of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..verdict import MisuseError


def network_installed() -> Any:
    """JAX, with its programs kept from one command to the next.

    Raises:
        MisuseError: if it, or another package that networks need, is not installed.
    """
    try:
        import equinox  # noqa: F401 - told here, where it can be told in one line
        import jax
        import numpyro  # noqa: F401
        import optax  # noqa: F401
    except ImportError as error:
        raise MisuseError(f"{error.name} is not installed: pip install 'verifydiff[network]'.") from None
    keep_compiled(jax)
    return jax


def keep_compiled(jax: Any) -> None:
    """Compiled programs are kept for the next command, unless the user has said where, or that they are not."""
    if jax.config.jax_compilation_cache_dir is None and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(home / "verifydiff" / "compiled"))
