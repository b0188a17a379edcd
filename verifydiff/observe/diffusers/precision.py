"""The precision that the library works in: its own, or wide.

The library keeps its tables in single precision. So the algebra is judged on the library's own code run *wide*: while a scheduler
works, the names ``float32`` that the library's modules of schedulers look up in torch and NumPy mean double precision, a tensor's
``float()`` gives a double, and so does torch's default type. No table is edited.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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

    with default_type(wide=wide):
        if not wide:
            yield
            return
        with patch.object(torch.Tensor, "float", torch.Tensor.double), _wide_names():
            yield


@contextmanager
def _wide_names() -> Iterator[None]:
    """In every module of schedulers, torch and NumPy under whose ``float32`` double precision stands."""
    import torch

    before: list[tuple[dict[str, Any], str, Any]] = []
    libraries = (("torch", torch, _wider(torch, torch.float64), torch.float64), ("np", np, _wider(np, np.float64), np.float64))
    try:
        for namespace in _namespaces(len(sys.modules)):
            for name, library, wider, double in libraries:
                found = namespace.get(name)
                if found is None:
                    continue
                before.append((namespace, name, found))
                if found is library:
                    namespace[name] = wider
                elif stands_for(found, library):
                    namespace[name] = _wider(found, double)
        yield
    finally:
        for namespace, name, found in before:
            namespace[name] = found


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
