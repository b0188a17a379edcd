"""Taps on NumPy: wherever a sampler draws standard normal numbers through NumPy, they can be seen and replaced.

The numbers themselves do not change unless the draw is replaced: ``natural()`` takes them from the very generator that the
sampler made, so a recorded run is bit for bit the run that would have happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from .target import Draw, Tap


def numpy_tap(namespace: dict[str, Any]) -> Tap:
    """A tap on ``numpy.random`` and on the names of it that ``namespace`` (a module's globals) holds."""

    @contextmanager
    def tap(draw: Draw) -> Iterator[None]:
        replacements = _replacements(draw)
        generators = {
            name: _TappedGenerator.of(value, draw) for name, value in namespace.items() if type(value) is np.random.Generator
        }
        imported = {
            name: new for name, value in namespace.items() for old, new in replacements.values() if callable(value) and value is old
        }
        state = np.random.get_state()
        with ExitStack() as stack:
            for name, (_, new) in replacements.items():
                stack.enter_context(patch.object(np.random, name, new))
            stack.enter_context(patch.dict(namespace, {**imported, **generators}))
            try:
                yield
            finally:
                np.random.set_state(state)

    return tap


def _replacements(draw: Draw) -> dict[str, tuple[Any, Any]]:
    """name in numpy.random -> (what it is, what stands there while the tap is open)."""
    legacy = np.random.mtrand._rand
    return {
        "default_rng": (np.random.default_rng, partial(_default_rng, np.random.default_rng, draw)),
        "Generator": (np.random.Generator, _bound(_TappedGenerator, draw)),
        "RandomState": (np.random.RandomState, _bound(_TappedState, draw)),
        "standard_normal": (np.random.standard_normal, partial(_standard_normal, draw, legacy.standard_normal)),
        "normal": (np.random.normal, partial(_normal, draw, legacy.standard_normal)),
        "randn": (np.random.randn, lambda *shape: _standard_normal(draw, legacy.standard_normal, shape or None)),
    }


def _default_rng(original: Callable[[Any], np.random.Generator], draw: Draw, seed: Any = None) -> np.random.Generator:
    return _TappedGenerator.of(original(seed), draw)


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


class _TappedGenerator(np.random.Generator):
    """A NumPy generator whose normal draws go through ``draw``; everything else is the generator's own."""

    _draw: Draw

    @classmethod
    def of(cls, generator: np.random.Generator, draw: Draw) -> _TappedGenerator:
        tapped = cls(generator.bit_generator)
        tapped._draw = draw
        return tapped

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        natural = partial(_GENERATOR_NORMAL, self)
        if out is not None:
            out[...] = _standard_normal(self._draw, natural, out.shape)
            return out
        values = _standard_normal(self._draw, natural, size)
        return values if size is None else np.asarray(values, dtype=dtype)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return _normal(self._draw, partial(_GENERATOR_NORMAL, self), loc, scale, size)


class _TappedState(np.random.RandomState):
    """The legacy generator, likewise."""

    _draw: Draw

    def standard_normal(self, size: Any = None) -> Any:
        return _standard_normal(self._draw, partial(_STATE_NORMAL, self), size)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return _normal(self._draw, partial(_STATE_NORMAL, self), loc, scale, size)

    def randn(self, *shape: int) -> Any:
        return self.standard_normal(shape or None)


def _bound(cls: type, draw: Draw) -> type:
    """A subclass whose instances draw through ``draw``, so that ``isinstance`` keeps working in the sampler's own code."""
    return type(cls.__name__.removeprefix("_Tapped"), (cls,), {"_draw": staticmethod(draw)})
