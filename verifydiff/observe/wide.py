"""A library over PyTorch run wide: on its own code, in double precision.

Libraries keep their tables in single precision, or cast to it on the way. So the algebra is judged on their code while the name
``float32`` that their modules look up in torch and NumPy, ``Tensor.float`` and torch's default type mean double precision.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

_PROCESS = RLock()
"""The default type belongs to the process, so one thread has it at a time."""


@contextmanager
def default_type(*, wide: bool) -> Iterator[None]:
    """Torch's default type is double precision (``wide``) or single, and afterwards what it was."""
    import torch

    with _PROCESS:
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64 if wide else torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(before)


@contextmanager
def wide(modules: tuple[str, ...]) -> Iterator[None]:
    """Double precision for the code of these modules."""
    import torch

    with default_type(wide=True), ExitStack() as stack:
        stack.enter_context(patch.object(torch.Tensor, "float", torch.Tensor.double))
        for module in filter(None, map(sys.modules.get, modules)):
            for library, wider in ((torch, torch.float64), (np, np.float64)):
                for name in [name for name, value in vars(module).items() if value is library]:
                    stack.enter_context(patch.object(module, name, stand_in(library, float32=wider, float=wider)))
        yield


class _StandIn(ModuleType):
    """A library under some of whose names other things stand."""

    original: ModuleType


def stand_in(library: ModuleType, **names: Any) -> ModuleType:
    """The library, but for these names."""
    new = _StandIn(library.__name__)
    new.original = library
    new.__getattr__ = lambda name: getattr(library, name)  # type: ignore[method-assign]
    for name, value in names.items():
        setattr(new, name, value)
    return new


def stands_for(thing: Any, library: ModuleType) -> bool:
    """Whether it is the library, or something that stands in for it."""
    while isinstance(thing, _StandIn):
        thing = thing.original
    return thing is library
