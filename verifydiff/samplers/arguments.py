"""What the loop is given, looked at before a step is taken; most of it when the loop is traced."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random

from ..verdict import MisuseError
from .sampler import Model

TYPES = ("float32", "float64")


def as_key(key: Any) -> Array:
    """A key of ``jax.random``, made a typed one if it is of the old kind.

    Raises:
        MisuseError: if it is none, or several.
    """
    kind, shape = getattr(key, "dtype", None), getattr(key, "shape", None)
    if isinstance(key, jax.Array) and jnp.issubdtype(kind, jax.dtypes.prng_key) and shape == ():
        return key
    if isinstance(key, jax.Array | np.ndarray) and kind == np.uint32 and shape == (2,):
        return random.wrap_key_data(jnp.asarray(key), impl="threefry2x32")
    got = type(key).__name__ if kind is None else f"{kind} of shape {shape}"
    raise MisuseError(
        f"`key` must be one key, such as jax.random.key(0), got {got}. For several particles, map over keys with jax.vmap."
    )


def as_state(x_T: Any) -> Array:
    """x_T as an array of a type that sampling can be done in.

    Raises:
        MisuseError: if it is of another type. Half precision loses the noise of small steps beside the state.
    """
    kind = getattr(x_T, "dtype", np.asarray(x_T).dtype if not isinstance(x_T, jax.Array) else None)
    if str(kind) not in TYPES:
        raise MisuseError(f"`x_T` must be float32 or float64, got {kind}.")
    return jnp.asarray(x_T)


def as_levels(abar: Any, x_T: Array) -> tuple[Array, Array]:
    """x_T, and the levels in its type. Where they have no value yet, x_T turns to NaN if they turn out to be no levels.

    Raises:
        MisuseError: if they are no levels, or two of them are one in the type of x_T.
    """
    if isinstance(abar, jax.core.Tracer):
        _one_axis(abar.shape)
        levels = abar.astype(x_T.dtype)
        sound = (levels[0] > 0) & (levels[-1] == 1) & jnp.all(levels[1:] > levels[:-1])
        return jnp.where(sound, x_T, jnp.nan), levels
    return x_T, jnp.asarray(checked_levels(abar, x_T.dtype))


def _one_axis(shape: tuple[int, ...]) -> None:
    if len(shape) != 1 or shape[0] < 2:
        raise MisuseError(f"`abar` must hold the levels of at least one step, shape (S + 1,), got shape {shape}.")


def checked_levels(abar: Any, dtype: Any) -> Any:
    """Levels that are known, rounded to a type.

    Raises:
        MisuseError: if they are no levels, or two of them are one in that type.
    """
    try:
        levels = np.asarray(abar, dtype=np.float64)
    except (TypeError, ValueError):
        raise MisuseError("`abar` must be levels: real numbers, noisiest first.") from None
    _one_axis(levels.shape)
    if not np.all((levels >= 0) & (levels <= 1)):  # NaN is wrong too
        raise MisuseError(f"`abar` must lie in [0, 1], got {levels[~((levels >= 0) & (levels <= 1))][0]:.6g}.")
    if np.any(np.diff(levels) <= 0):
        k = int(np.flatnonzero(np.diff(levels) <= 0)[0])
        turned = " It falls: the noisiest level comes first." if np.all(np.diff(levels) < 0) else ""
        raise MisuseError(f"`abar` must rise strictly, got {levels[k]:.6g} before {levels[k + 1]:.6g} at k = {k}.{turned}")
    if levels[0] == 0:
        raise MisuseError("`abar[0]` must be above 0: where no signal is left, the noise says nothing of the data.")
    if levels[-1] != 1:
        raise MisuseError(f"`abar` must end on the data, at 1, got {levels[-1]:.6g}. States on the way are those of `trajectory`.")
    rounded = levels.astype(dtype)
    if rounded[0] == 0 or np.any(np.diff(rounded) <= 0):
        raise MisuseError(f"`abar` has levels that {np.dtype(dtype).name} cannot tell apart; take fewer, or float64.")
    return rounded


def keeping_shape(eps: Model) -> Model:
    """The model, whose answer is looked at when it is traced.

    Raises:
        MisuseError: by the model that is returned, if the answer is not of the shape and type of the state.
    """
    if not callable(eps):
        raise MisuseError(f"`eps` must be a function eps(x_t, abar_t), got {type(eps).__name__}.")

    def asked(x_t: Array, abar_t: Array) -> Array:
        eps_hat = eps(x_t, abar_t)
        shape, kind = getattr(eps_hat, "shape", None), getattr(eps_hat, "dtype", None)
        if shape != x_t.shape or kind != x_t.dtype:
            raise MisuseError(
                f"`eps` must answer a state of shape {x_t.shape} in {x_t.dtype} with one like it, got "
                f"{type(eps_hat).__name__ if shape is None else f'shape {shape} in {kind}'}."
            )
        return eps_hat

    return asked
