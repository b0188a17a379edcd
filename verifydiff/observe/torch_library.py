"""What adapters of PyTorch libraries share: how a run finds PyTorch, and how options are read off a signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..verdict import MisuseError
from .wide import default_type


@contextmanager
def torch_run(seed: int, *, wide: bool) -> Iterator[None]:
    """PyTorch as a run finds it: the default type is double precision (``wide``) or single, the global generator is seeded.

    Both are as they were afterwards.
    """
    import torch

    with default_type(wide=wide), torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        yield


def taken(options: dict[str, Any], owner: str, *signatures: dict[str, Any]) -> list[dict[str, Any]]:
    """The options that each signature (name -> default) takes.

    Raises:
        MisuseError: if one is taken by none, or its value is of another kind than the default.
    """
    known = {name: default for signature in signatures for name, default in signature.items()}
    for name, value in options.items():
        if name not in known:
            raise MisuseError(f"{owner} has no option {name!r}; it has {', '.join(known) or 'none'}.")
        _refuse_another_kind(name, value, known[name])
    return [{name: value for name, value in options.items() if name in signature} for signature in signatures]


def _refuse_another_kind(name: str, value: Any, default: Any) -> None:
    if isinstance(default, str):
        right, kind = isinstance(value, str), "a word"
    elif isinstance(default, bool):
        right, kind = isinstance(value, bool), "true or false"
    elif isinstance(default, int):
        right, kind = type(value) is int and value >= 1, "a whole number from 1 on"
    else:
        right, kind = type(value) in (int, float) and not math.isnan(value), "a number"
    if not right:
        raise MisuseError(f"the option {name} must be {kind}, got {str(value)[:40]!r}.")


def defaults(function: Callable[..., Any], without: Iterable[str] = ()) -> dict[str, Any]:
    """The arguments of a function that have a default, name -> default, but for those."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name not in set(without)}
