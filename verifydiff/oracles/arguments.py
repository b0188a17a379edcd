"""What an oracle may be given: real numbers in float32 or float64, of shapes that fit, with values that mean something.

Shapes and dtypes are known while a function is traced, so a wrong one raises everywhere. A wrong *value* raises where it is
known; inside ``jit`` or ``vmap`` it is not, and there it becomes NaN, which no answer survives: nothing passes in silence.
Known values are looked at by NumPy, which compiles nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..verdict import MisuseError

Shape = tuple[int, ...]

PREDICTIONS = ("eps", "x0", "v")


def real(name: str, value: Any) -> Array:
    """The value as an array of real numbers; a number of Python's stays weakly typed.

    Raises:
        MisuseError: for integers, booleans, complex numbers, and floats of fewer than 32 bits.
    """
    if isinstance(value, int | float) and not isinstance(value, bool | np.generic):
        return jnp.asarray(float(value))
    array = jnp.asarray(value)
    if array.dtype not in (jnp.float32, jnp.float64):
        raise MisuseError(
            f"`{name}` must be float32 or float64, got {array.dtype}. An oracle answers to rounding; the rest rounds first."
        )
    return array


def as_one_dtype(**named: Any) -> list[Array]:
    """These as real arrays of one dtype, that of the widest.

    Raises:
        MisuseError: as :func:`real`.
    """
    arrays = [real(name, value) for name, value in named.items()]
    dtype = jnp.result_type(*arrays)
    return [array.astype(dtype) for array in arrays]


def state(name: str, value: Any, event_shape: Shape) -> Array:
    """The value as an array of shape (*any, *event).

    Raises:
        MisuseError: as :func:`real`, or if the shape does not end in that of an event.
    """
    array = real(name, value)
    if array.shape[max(0, array.ndim - len(event_shape)) :] != event_shape:
        raise MisuseError(f"the shape of `{name}` must end in {event_shape}, got {array.shape}.")
    return array


def level(value: Any, name: str = "abar") -> Array:
    """abar as an array.

    Raises:
        MisuseError: as :func:`real`, or if it lies outside [0, 1].
    """
    return sound(real(name, value), unit, f"`{name}` must lie in [0, 1]: it is the share of the data in the variance of x_t")


def levels(abar: Any) -> Array:
    """The levels of a chain, noisiest first.

    Raises:
        MisuseError: if they are not one-dimensional, in [0, 1] and strictly rising.
    """
    array = real("abar", abar)
    if array.ndim != 1 or len(array) < 2:
        raise MisuseError(f"`abar` must hold two levels or more along one axis, noisiest first, got shape {array.shape}.")
    return sound(level(array), rising, "`abar` must rise strictly, from the noisiest level to the cleanest")


def sound(array: Array, valid: Callable[[Any], Any], rule: str, validate: bool = True) -> Array:
    """The array, if its values are valid; NaN where they are not and nobody can be told.

    Args:
        array: of any shape.
        valid: from an array, of NumPy or JAX, the booleans, which broadcast against it.
        rule: what must hold, as the beginning of the message.
        validate: whether a known wrong value raises.

    Raises:
        MisuseError: if a value is known to be invalid.
    """
    if isinstance(array, jax.core.Tracer) or not validate:
        return jnp.where(valid(array), array, jnp.nan)
    known = np.asarray(array)
    if not (ok := np.broadcast_to(valid(known), known.shape)).all():
        raise MisuseError(f"{rule}, got {known[~ok].flat[0]:.6g}.")
    return array


def finite(name: str, array: Array, validate: bool = True) -> Array:
    """The array, if its values are finite.

    Raises:
        MisuseError: as :func:`sound`.
    """
    return sound(array, lambda values: abs(values) < math.inf, f"`{name}` must be finite", validate)


def unit(array: Any) -> Any:
    """Where the numbers lie in [0, 1]."""
    return (array >= 0) & (array <= 1)


def positive(array: Any) -> Any:
    """Where they are positive and finite."""
    return (array > 0) & (array < math.inf)


def nonnegative(array: Any) -> Any:
    """Where they are not negative, and finite."""
    return (array >= 0) & (array < math.inf)


def rising(array: Any) -> Any:
    """Where an entry is greater than the one before; of the first nothing is asked."""
    numpy = np if isinstance(array, np.ndarray) else jnp
    return numpy.concatenate([array[:1] == array[:1], array[1:] > array[:-1]])


def broadcast(named: dict[str, Shape]) -> Shape:
    """The shape that these broadcast to.

    Raises:
        MisuseError: if they do not.
    """
    try:
        return tuple(np.broadcast_shapes(*named.values()))
    except ValueError:
        told = ", ".join(f"{name} {shape}" for name, shape in named.items())
        raise MisuseError(f"these shapes do not broadcast: {told}.") from None


def prediction(kind: str) -> str:
    """The name of what a model predicts.

    Raises:
        MisuseError: if it is not one of ``eps``, ``x0`` and ``v``.
    """
    if kind not in PREDICTIONS:
        raise MisuseError(f"`prediction` must be one of {', '.join(PREDICTIONS)}, got {kind!r}.")
    return kind
