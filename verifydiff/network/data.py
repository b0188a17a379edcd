r"""What a network learns from: a law with known answers, or a set of images.

By name:

* ``field:N``: a Gaussian field on an N x N torus, its spectrum falling as :math:`1/k^2`, every point of variance one;
* ``mixture:N``: four such fields, each a class, with weights 1 : 2 : 3 : 4, each with its own mean and its own spectrum; mean 0 and
  variance one together. They are stationary, so that a network on a torus can be perfect; some noise makes them overlap;
* ``digits``, ``fashion``, ``mnist``: see :mod:`verifydiff.network.images`.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..oracles import GaussianField, GaussianMixture, Oracle
from ..verdict import MisuseError
from .images import SETS, Images

Data = Oracle | Images

LARGEST_SIDE = 1024
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])
EXPONENTS = (1.5, 2.0, 2.5, 3.0)
MEANS = (-1.6, -0.8, 0.0, 0.8)
SPREAD = 0.36  # the variance about the means


def data(name: str) -> Data:
    """The law or the set of that name.

    Raises:
        MisuseError: if there is none, or its files are not on this machine.
    """
    if name in SETS:
        return SETS[name]()
    kind, _, side = name.partition(":")
    if kind not in LAWS or not side.isdecimal() or not 1 <= int(side) <= LARGEST_SIDE:
        raise MisuseError(f"no data are called {name[:60]!r}: give {', '.join(f'{one}:N' for one in LAWS)}, {', '.join(SETS)}.")
    return LAWS[kind](int(side))


def field(side: int) -> GaussianField:
    """A Gaussian field of variance one."""
    return GaussianField.power_law((side, side), 2.0)


def mixture(side: int) -> GaussianMixture:
    """Four classes of fields."""
    fields = [GaussianField.power_law((side, side), *told) for told in zip(EXPONENTS, (SPREAD,) * len(MEANS), MEANS, strict=True)]
    loc, spectrum = (jnp.stack([getattr(one, name) for one in fields]) for name in ("loc", "spectrum"))
    return GaussianMixture(jnp.asarray(WEIGHTS, loc.dtype), GaussianField(loc, spectrum))


LAWS = {"field": field, "mixture": mixture}


def in_single(law: Any) -> Any:
    """The same data with numbers of float32, to be learnt from."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf, law)


@singledispatch
def draw(source: Any, key: Array) -> tuple[Array, Array]:
    """One event, and its class; 0 where there are none."""
    raise TypeError(type(source).__name__)


@draw.register
def _(source: Images, key: Array) -> tuple[Array, Array]:
    return source.labelled(key)


@draw.register
def _(source: GaussianMixture, key: Array) -> tuple[Array, Array]:
    x_0, label = source.sample_labelled(key)
    return x_0, label.astype(jnp.int32)


@draw.register
def _(source: Oracle, key: Array) -> tuple[Array, Array]:
    return source.sample(key), jnp.int32(0)


def classes(source: Data) -> int | None:
    """How many classes there are; None where there are none."""
    return source.classes if isinstance(source, GaussianMixture | Images) else None
