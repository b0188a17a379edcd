"""Copies of a scheduler, as a deep copy would be, but quickly: every run has one.

A scheduler holds its configuration, numbers, and tables in tensors; of these a configuration of numbers and words cannot be
changed, and a table that shares its memory with nothing can be cloned. What is anything else is copied deeply, all together.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

UNCHANGING = (type(None), bool, int, float, str)


def copier(original: Any) -> Callable[[], Any]:
    """A function that makes a copy of a scheduler, which must not be changed from now on."""
    cls: Any = type(original)
    usual = all(
        getattr(cls, name, None) is getattr(object, name, None)
        for name in ("__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__")
    )
    if not usual or not hasattr(original, "__dict__"):
        return lambda: deepcopy(original)
    shared = {name: value for name, value in vars(original).items() if _cannot_change(value)}
    tables = {name: vars(original)[name] for name in _tables(vars(original))}
    rest = {name: value for name, value in vars(original).items() if name not in shared and name not in tables}

    def copy() -> Any:
        new = cls.__new__(cls)
        vars(new).update(shared)
        vars(new).update({name: table.clone() for name, table in tables.items()})
        if rest:
            vars(new).update(deepcopy(rest))
        return new

    return copy


def _cannot_change(value: Any) -> bool:
    from diffusers.configuration_utils import FrozenDict

    return type(value) in UNCHANGING or (type(value) is FrozenDict and all(type(one) in UNCHANGING for one in value.values()))


def _tables(attributes: dict[str, Any]) -> set[str]:
    """Names of the tensors that can be cloned: plain ones, each with memory of its own; none where a container may hold one."""
    import torch

    found: dict[int, list[str]] = {}
    for name, value in attributes.items():
        if isinstance(value, torch.Tensor):
            found.setdefault(value.untyped_storage().data_ptr(), []).append(name)
        elif not _holds_no_tensor(value):
            return set()
    alone = [names[0] for names in found.values() if len(names) == 1]
    return {name for name in alone if _plain(attributes[name])}


def _plain(tensor: Any) -> bool:
    import torch

    return (
        type(tensor) is torch.Tensor
        and tensor.is_contiguous()
        and tensor.untyped_storage().nbytes() == tensor.nbytes
        and not tensor.requires_grad
        and not vars(tensor)
    )


def _holds_no_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_holds_no_tensor, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_holds_no_tensor, value))
    return type(value) in UNCHANGING or callable(value) or (isinstance(value, np.ndarray) and value.dtype != object)
