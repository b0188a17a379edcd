"""Which arrays a function works on: what is handed to it, and how that is found out.

A function does not say what its arrays are. Its code does, by the libraries whose names it looks up: those come first, then
NumPy, then the libraries that merely stand in the same module. The first over which the function does not raise is taken; a
library's arrays are tried in double precision, then in single. A wrong guess costs a run, and never makes a verdict: over
whatever arrays the function runs, what is judged is what it does with them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from inspect import unwrap
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ...verdict import MisuseError
from ..target import Sample


class Arrays(StrEnum):
    """What a user can ask for."""

    AUTO = "auto"
    NUMPY = "numpy"
    TORCH = "torch"
    JAX = "jax"


LIBRARIES = (Arrays.TORCH, Arrays.JAX)
ROOTS = {"torch": Arrays.TORCH, "jax": Arrays.JAX, "jaxlib": Arrays.JAX}
"""The first part of a module's name -> the library whose arrays it deals in."""
NAMES = {Arrays.NUMPY: "NumPy arrays", Arrays.TORCH: "PyTorch tensors", Arrays.JAX: "JAX arrays"}
INSTALL = {Arrays.TORCH: "pip install torch", Arrays.JAX: "pip install 'verifydiff[jax]'"}


@dataclass(frozen=True)
class Kind:
    """Arrays of one library in one precision."""

    library: Arrays
    single: bool = False

    def __str__(self) -> str:
        return NAMES[self.library] + (" in single precision" if self.single else "")

    def over(self, sample: Sample) -> Sample:
        """A sampler over these as one over NumPy arrays."""
        if self.library is Arrays.TORCH:
            from .over_torch import OverTorch

            return OverTorch(sample, self.single)
        if self.library is Arrays.JAX:
            from .over_jax import OverJax

            return OverJax(sample, self.single)
        return sample


def uses(sample: Callable[..., Any], arrays: Arrays) -> tuple[Kind, ...]:
    """The kinds of arrays that a function may work on, likeliest first.

    Raises:
        MisuseError: if a library is asked for that is not installed.
    """
    if arrays is Arrays.NUMPY:
        return (Kind(Arrays.NUMPY),)
    if arrays is not Arrays.AUTO:
        if not _installed(arrays):
            raise MisuseError(f"--arrays {arrays} needs {arrays}, which is not installed: {INSTALL[arrays]}")
        return _precisions(arrays)
    own, beside = (set(libraries) for libraries in _mentioned(sample))
    first = [library for library in LIBRARIES if library in own and _installed(library)]
    last = [library for library in LIBRARIES if library in beside - own and _installed(library)]
    return (
        *(kind for library in first for kind in _precisions(library)),
        Kind(Arrays.NUMPY),
        *(kind for library in last for kind in _precisions(library)),
    )


def _precisions(library: Arrays) -> tuple[Kind, ...]:
    return Kind(library), Kind(library, single=True)


def _installed(library: Arrays) -> bool:
    try:
        importlib.import_module(library)
    except Exception:  # a broken installation raises what it likes
        return False
    return True


def _mentioned(sample: Callable[..., Any]) -> tuple[list[Arrays], list[Arrays]]:
    """The libraries that a function's own code looks up, and those that its module holds besides."""
    own: list[Arrays] = []
    beside: list[Arrays] = []
    functions, seen = list(_functions(sample)), set()
    own.extend(_libraries(_held(sample)))
    while functions:
        function = functions.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        names = set(_names(function.__code__))
        looked_up = [value for name, value in function.__globals__.items() if name in names]
        own.extend(ROOTS[root] for name in names if (root := name.partition(".")[0]) in ROOTS)
        looked_up += [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
        own.extend(_libraries(looked_up))
        beside.extend(_libraries(function.__globals__.values()))
        functions += [other for value in looked_up for other in _functions(value) if other.__module__ == function.__module__]
    return own, beside


def _functions(thing: Any) -> Iterator[FunctionType]:
    """The functions of Python's that a callable is made of: itself, what it wraps, its methods."""
    if isinstance(thing, partial):
        yield from _functions(thing.func)
        return
    if isinstance(thing, MethodType):
        yield from _functions(thing.__func__)
        thing = thing.__self__
    try:
        thing = unwrap(thing)
    except Exception:
        return
    if isinstance(thing, FunctionType):
        yield thing
    elif not isinstance(thing, ModuleType | type):
        for cls in type(thing).__mro__:
            yield from (value for value in vars(cls).values() if isinstance(value, FunctionType))


def _held(thing: Any) -> list[Any]:
    """What a callable holds besides its code: the arguments of a partial, the attributes of an object."""
    if isinstance(thing, partial):
        return [*thing.args, *thing.keywords.values(), *_held(thing.func)]
    thing = thing.__self__ if isinstance(thing, MethodType) else thing
    attributes = getattr(thing, "__dict__", {}) if not isinstance(thing, FunctionType | ModuleType) else {}
    return list(attributes.values()) if isinstance(attributes, dict) else []


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _libraries(values: Any) -> Iterator[Arrays]:
    """The libraries that values come from: modules by their name, others by their own module's, their class's, or their owner's."""
    for value in list(values):
        for place in (value, type(value), *([value.__self__] if isinstance(value, BuiltinFunctionType) else [])):
            try:
                name = place.__name__ if isinstance(place, ModuleType) else place.__module__
                root = str(name).partition(".")[0]
            except Exception:  # noqa: S112 - an object may answer no questions
                continue
            if root in ROOTS:
                yield ROOTS[root]
