"""A sampler of somebody's, held to being one: it returns a batch like the one it was given, and ends nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import Array

from ..observe.faults import one_line
from ..surroundings import ProcessExit, letting_interrupts_through, staying
from ..verdict import MisuseError
from .loops import Draw, Stepwise, Whole


class Guarded:
    """A sampler whose mistakes are told in one line.

    Each confirmation has its own: what the sampler was compiled to in an earlier one is forgotten, since a number that it reads
    elsewhere may have been another then.
    """

    def __init__(self, draw: Draw) -> None:
        self.draw = compiled_anew(draw)

    def __call__(self, model: Any, x_T: Array, abar: Any, *, eta: Any, key: Array) -> Array:
        """x_0, of the shape of x_T.

        Raises:
            MisuseError: if the sampler raises, ends the process, or returns no such batch.
        """
        try:
            with letting_interrupts_through(), staying():
                x = self.draw(model, x_T, abar, eta=eta, key=key)
        except (MisuseError, KeyboardInterrupt):
            raise
        except (ProcessExit, SystemExit) as error:
            raise MisuseError(f"the sampler ended the process: {type(error).__name__} {one_line(error)}") from None
        except Exception as error:
            raise MisuseError(f"the sampler raised {type(error).__name__}: {one_line(error)}") from error
        return _batch(x, x_T)


def compiled_anew(draw: Draw) -> Draw:
    """The same sampler, unknown to every cache of compiled programs."""
    if isinstance(draw, Stepwise):
        return Stepwise(_another(draw.factory), draw.most)
    return Whole(_another(draw.function)) if isinstance(draw, Whole) else draw


def _another(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: function(*given, **named)


def _batch(x: Any, x_T: Array) -> Array:
    if not isinstance(x, jax.Array) and not hasattr(x, "__array__"):
        raise MisuseError(f"the sampler returned {type(x).__name__}, and no array of the shape {x_T.shape} that it was given.")
    if x.shape != x_T.shape or x.dtype.kind not in "fiu":
        raise MisuseError(f"the sampler returned {x.dtype} of shape {x.shape}, and real numbers of {x_T.shape} were wanted.")
    batch: Array = x
    return batch
