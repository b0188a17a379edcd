"""The precision that the library works in: its own, or wide.

The library keeps its tables in single precision. So the algebra is judged on the library's own code run *wide*: while a scheduler
works, the names ``float32`` that the library's modules of schedulers look up in torch and NumPy mean double precision, a tensor's
``float()`` gives a double, and so does torch's default type. No table is edited.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from ..wide import default_type, stand_in, stands_for

PACKAGE = "diffusers.schedulers"


@contextmanager
def precision(*, wide: bool) -> Iterator[None]:
    """The library's own precision, or wide. Both belong to the process, so one thread has them at a time."""
    import torch

    with default_type(wide=wide), ExitStack() as stack:
        if wide:
            stack.enter_context(patch.object(torch.Tensor, "float", torch.Tensor.double))
            for namespace in _namespaces(len(sys.modules)):
                before: dict[str, Any] = {name: namespace[name] for name in ("torch", "np") if name in namespace}
                stack.callback(namespace.update, before)
                if stands_for(namespace.get("torch"), torch):
                    namespace["torch"] = _wider(namespace["torch"], torch.float64)
                if stands_for(namespace.get("np"), np):
                    namespace["np"] = _wider(namespace["np"], np.float64)
        yield


@lru_cache(maxsize=8)
def _wider(library: ModuleType, double: Any) -> ModuleType:
    """The library under whose ``float32`` double precision stands."""
    return stand_in(library, float32=double)


@lru_cache(maxsize=1)
def _namespaces(loaded: int) -> list[dict[str, Any]]:
    """The globals of every module of schedulers among so many that are loaded: one may borrow the tables of another."""
    return [
        vars(module)
        for name, module in list(sys.modules.items())
        if name.startswith(f"{PACKAGE}.") and isinstance(module, ModuleType)
    ]
