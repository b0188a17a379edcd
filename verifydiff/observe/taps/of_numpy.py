"""Taps on NumPy: wherever a sampler draws standard normal numbers through NumPy, they can be seen and replaced.

The numbers themselves do not change unless the draw is replaced: ``natural()`` takes them from the very generator that the
sampler made, so a recorded run is bit for bit the run that would have happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from ..target import Draw, Tap


def numpy_tap(namespace: dict[str, Any]) -> Tap:
    """A tap on ``numpy.random`` and on the names of it that ``namespace`` (a module's globals) holds."""

    @contextmanager
    def tap(draw: Draw) -> Iterator[None]:
        generator, state = _bound(_TappedGenerator, draw), _bound(_TappedState, draw)
        replacements = _replacements(draw, generator, state)
        generators = {
            name: generator(value.bit_generator) for name, value in namespace.items() if type(value) is np.random.Generator
        }
        imported = {
            name: new for name, value in namespace.items() for old, new in replacements.values() if callable(value) and value is old
        }
        before = np.random.get_state()
        with ExitStack() as stack:
            for name, (_, new) in replacements.items():
                stack.enter_context(patch.object(np.random, name, new))
            stack.enter_context(patch.dict(namespace, {**imported, **generators}))
            try:
                yield
            finally:
                np.random.set_state(before)

    return tap


def _replacements(draw: Draw, generator: type, state: type) -> dict[str, tuple[Any, Any]]:
    """name in numpy.random -> (what it is, what stands there while the tap is open)."""
    legacy = np.random.mtrand._rand
    return {
        "default_rng": (np.random.default_rng, partial(_default_rng, np.random.default_rng, generator)),
        "Generator": (np.random.Generator, generator),
        "RandomState": (np.random.RandomState, state),
        "standard_normal": (np.random.standard_normal, partial(_standard_normal, draw, legacy.standard_normal)),
        "normal": (np.random.normal, partial(_normal, draw, legacy.standard_normal)),
        "randn": (np.random.randn, lambda *shape: _standard_normal(draw, legacy.standard_normal, shape or None)),
    }


def _default_rng(original: Callable[[Any], np.random.Generator], tapped: type, seed: Any = None) -> np.random.Generator:
    generator = original(seed)
    return generator if type(generator) is tapped else tapped(generator.bit_generator)


def _standard_normal(draw: Draw, natural: Callable[..., Any], size: Any = None) -> Any:
    shape = () if size is None else tuple(np.atleast_1d(size))
    values = draw(shape, lambda: np.asarray(natural(size)))
    return float(values) if size is None else values


def _normal(draw: Draw, natural: Callable[..., Any], loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    if size is None:
        size = np.broadcast_shapes(np.shape(loc), np.shape(scale)) or None
    return loc + scale * _standard_normal(draw, natural, size)


_GENERATOR_NORMAL = np.random.Generator.standard_normal  # kept: the names in numpy.random are replaced while a tap is open
_STATE_NORMAL = np.random.RandomState.standard_normal


class _PassesFor(type):
    """The class of a tapped class: to ``isinstance``, the tapped class is the one of NumPy's that it stands in for."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__dict__.get("stands_for", cls.__base__))


class _TappedGenerator(np.random.Generator, metaclass=_PassesFor):
    """A NumPy generator whose normal draws go through ``draw``; everything else is the generator's own.

    The draw belongs to the class (see :func:`_bound`), so that generators which NumPy itself makes of this one, by ``spawn``,
    have it too.
    """

    draw: Draw

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        kind = np.dtype(dtype if out is None else out.dtype)
        natural = partial(_GENERATOR_NORMAL, self, dtype=kind)  # in single precision NumPy draws other numbers
        if out is not None:
            out[...] = _standard_normal(self.draw, natural, out.shape)
            return out
        values = _standard_normal(self.draw, natural, size)
        return values if size is None else np.asarray(values, dtype=kind)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return _normal(self.draw, partial(_GENERATOR_NORMAL, self), loc, scale, size)

    def __copy__(self) -> _TappedGenerator:
        return type(self)(self.bit_generator)

    def __deepcopy__(self, memo: dict[int, Any]) -> _TappedGenerator:
        return type(self)(deepcopy(self.bit_generator, memo))


class _TappedState(np.random.RandomState, metaclass=_PassesFor):
    """The legacy generator, likewise."""

    draw: Draw

    def standard_normal(self, size: Any = None) -> Any:
        return _standard_normal(self.draw, partial(_STATE_NORMAL, self), size)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return _normal(self.draw, partial(_STATE_NORMAL, self), loc, scale, size)

    def randn(self, *shape: int) -> Any:
        return self.standard_normal(shape or None)

    def __deepcopy__(self, memo: dict[int, Any]) -> _TappedState:
        copied = type(self)()
        copied.set_state(self.get_state(legacy=False))
        return copied


def _bound(cls: type, draw: Draw) -> type:
    """A subclass whose instances draw through ``draw``, and that passes for the class of NumPy's it is made from."""
    names = {"draw": staticmethod(draw), "stands_for": cls.__base__}
    return _PassesFor(cls.__name__.removeprefix("_Tapped"), (cls,), names)
