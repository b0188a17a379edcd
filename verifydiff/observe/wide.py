"""A library over PyTorch run wide: on its own code, in double precision.

Libraries keep their tables in single precision, or cast to it on the way. So the algebra is judged on their code while the name
``float32`` that their modules look up in torch and NumPy, ``Tensor.float`` and torch's default type mean double precision.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import RLock
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

_PRECISION = RLock()


@contextmanager
def wide(modules: tuple[str, ...]) -> Iterator[None]:
    """Double precision for the code of these modules. Some of it belongs to the process, so one thread has it at a time."""
    import torch

    with _PRECISION, ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float64)
        stack.enter_context(patch.object(torch.Tensor, "float", torch.Tensor.double))
        for module in filter(None, map(sys.modules.get, modules)):
            for library, wider in ((torch, torch.float64), (np, np.float64)):
                for name in [name for name, value in vars(module).items() if value is library]:
                    stack.enter_context(patch.object(module, name, _widened(library, wider)))
        yield


class _Widened(ModuleType):
    """A library under whose name ``float32`` a wider type stands."""


@cache
def _widened(library: ModuleType, wider: Any) -> ModuleType:
    widened = _Widened(library.__name__)
    widened.__getattr__ = lambda name: getattr(library, name)  # type: ignore[method-assign]
    widened.float32 = widened.float = wider  # type: ignore[attr-defined]
    return widened
