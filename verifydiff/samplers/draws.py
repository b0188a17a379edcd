r"""Many draws of one sampler, each by its index.

Draw i stands in row :math:`i \bmod C` of the chunk :math:`\lfloor i / C \rfloor`. Chunk c takes all its numbers from the key
``fold_in(key, c)``: the noise that it begins with, and that of every step. C follows from the dimension alone, so that draw i is
the same whoever computes it, whatever else is computed with it, and however many devices share the chunks.

A chunk is small enough to stay in a core's cache, and long enough for the generator to run at full speed: a key for every draw
would cost half as much again as the numbers themselves at d = 2. In few dimensions it is kept with the coordinates first, (d, C),
so that the long axis is the one that is vectorised, wherever the sampler is known not to mind; the model sees (C, d) all the same.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random

from ..verdict import MisuseError
from .arguments import TYPES, as_key, checked_levels, keeping_shape
from .ddim import DDIM
from .ddpm import DDPM
from .dpm_solver import DPMSolverPP2M
from .edm import EDM
from .euler import Euler
from .euler_maruyama import EulerMaruyama
from .heun import Heun
from .loop import sample
from .reverse_diffusion import ReverseDiffusion
from .sampler import Model, Sampler

NUMBERS = 2**15
"""In one chunk, as far as the bounds below allow."""
FEWEST, MOST = 64, 8192
"""Draws in one chunk."""
NARROW = 8
"""Up to this dimension the coordinates come first."""
ELEMENTWISE = frozenset({DDPM, DDIM, Euler, EulerMaruyama, Heun, ReverseDiffusion, DPMSolverPP2M, EDM})
"""Samplers that hold no model of their own and act on every number alike. No subclass counts: it may do neither."""
LARGEST = 2**31 - 1
"""A chunk's index is folded into a key as a word of 32 bits."""

Start = Callable[[Array, int], Array]
"""``start(key, count)``: so many draws of x_T, shape (count, d)."""


def chunk_size(dimensions: int) -> int:
    """C, a power of two that follows from the dimension alone; part of what "draw i" means.

    Raises:
        MisuseError: if there is no dimension.
    """
    d = _whole("dimensions", dimensions)
    if d < 1:
        raise MisuseError(f"`dimensions` must be at least 1, got {d}.")
    return min(max(1 << (NUMBERS // d).bit_length() - 1 if d <= NUMBERS else 1, FEWEST), MOST)


@dataclass(frozen=True, eq=False)
class Draws:
    """The draws of a sampler.

    Attributes:
        sampler: how steps are taken.
        eps: the model, over batches of shape (C, d).
        abar: shape (S + 1,), the levels, as :func:`sample` takes them.
        dimensions: d.
        dtype: ``"float32"`` or, where JAX has it enabled, ``"float64"``.
        start: draws x_T; standard normal where nothing is said.

    Raises:
        MisuseError: if the levels are none, or the type cannot be had.
    """

    sampler: Sampler
    eps: Model
    abar: Any
    dimensions: int
    dtype: str = "float32"
    start: Start | None = None

    def __post_init__(self) -> None:
        chunk_size(self.dimensions)
        if self.dtype not in TYPES or jnp.zeros(0, self.dtype).dtype != self.dtype:
            raise MisuseError(f"`dtype` must be one of {', '.join(TYPES)} (the second with jax_enable_x64), got {self.dtype!r}.")
        object.__setattr__(self, "abar", checked_levels(self.abar, self.dtype))

    @property
    def chunk_size(self) -> int:
        """C, the draws of one chunk."""
        return chunk_size(self.dimensions)

    def chunk(self, index: Any, *, key: Array) -> Array:
        """The draws C index .. C index + C - 1, shape (C, d). Pure: to be compiled, mapped over indices, put on any device.

        Raises:
            MisuseError: if the key is none, or ``start`` answers in another shape or type.
        """
        to_start, to_run = random.split(random.fold_in(as_key(key), index))
        shape = (self.chunk_size, self.dimensions)
        x_T = random.normal(to_start, shape, self.dtype) if self.start is None else self.start(to_start, self.chunk_size)
        if x_T.shape != shape or x_T.dtype != self.dtype:
            raise MisuseError(f"`start` must draw shape {shape} in {self.dtype}, got shape {x_T.shape} in {x_T.dtype}.")
        if self.dimensions > NARROW or type(self.sampler) not in ELEMENTWISE:
            return sample(self.sampler, self.eps, x_T, self.abar, key=to_run)
        eps = keeping_shape(self.eps)
        return sample(self.sampler, lambda x_t, abar_t: eps(x_t.T, abar_t).T, x_T.T, self.abar, key=to_run).T

    def at(self, indices: Any, *, key: Array) -> np.ndarray[Any, Any]:
        """The draws of these indices, in their order, shape (n, d), by all cores. Whole chunks are computed, and rows taken of
        them.

        Raises:
            MisuseError: if an index is no whole number, or out of range.
        """
        key, wanted = as_key(key), self._indices(indices)
        if np.any(wanted[1:] < wanted[:-1]):
            apart, back = np.unique(wanted, return_inverse=True)
            return np.asarray(self.at(apart, key=key)[back])
        drawn = np.empty((wanted.size, self.dimensions), self.dtype)
        owner, row = np.divmod(wanted, self.chunk_size)
        starts = np.append(0, np.flatnonzero(np.diff(owner)) + 1)[: wanted.size]

        def put(start: int, stop: int) -> None:
            drawn[start:stop] = np.asarray(self._compiled(np.uint32(owner[start]), key=key))[row[start:stop]]

        with ThreadPoolExecutor(_cores()) as pool:
            list(pool.map(put, starts, np.append(starts[1:], wanted.size)))
        return drawn

    @cached_property
    def _compiled(self) -> Callable[..., Array]:
        compiled: Callable[..., Array] = jax.jit(self.chunk)
        return compiled

    def _indices(self, indices: Any) -> np.ndarray[Any, Any]:
        wanted = np.asarray(indices)
        if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
            raise MisuseError(f"`indices` must be whole numbers on one axis, got {wanted.dtype} of shape {wanted.shape}.")
        wanted = wanted.astype(np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() // self.chunk_size <= LARGEST):
            raise MisuseError(f"`indices` must lie in 0..{LARGEST * self.chunk_size:,}, got {wanted.min()} to {wanted.max()}.")
        return wanted


def sample_many(sampler: Sampler, eps: Model, indices: Any, abar: Any, *, key: Array, dimensions: int, **options: Any) -> Any:
    """The draws of these indices, shape (n, d): ``Draws(...).at(indices, key=key)``. Whoever needs more than one lot keeps the
    ``Draws``, and what it has compiled.
    """
    return Draws(sampler, eps, abar, dimensions, **options).at(indices, key=key)


def _cores() -> int:
    """The cores that this process may use, where they do the work; one thread where an accelerator does."""
    if jax.default_backend() != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _whole(name: str, number: Any) -> int:
    try:
        return operator.index(number)
    except TypeError:
        raise MisuseError(f"`{name}` must be a whole number, got {number!r}.") from None
