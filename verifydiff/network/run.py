"""A trained network, as what a sampler asks: the noise in x_t."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..disk import folder_named
from ..schedule import Array as Table
from ..verdict import MisuseError
from .checkpoint import Checkpoint, Plan, Record, newest, restored
from .data import Data, classes, data
from .objective import eps_of
from .predictor import predictions
from .preset import Preset
from .step import State, initial
from .unet import UNet, parameters


@dataclass(frozen=True)
class Run:
    """A training, as far as it has come.

    Attributes:
        plan: what was trained.
        data: on what: an oracle, or a set of images.
        network: the averaged weights.
        checkpoint: how far it has come.
        folder: where it is kept.
    """

    plan: Plan = field(repr=False)
    data: Data = field(repr=False)
    network: UNet = field(repr=False)
    checkpoint: Checkpoint = field(repr=False)
    folder: Path

    @property
    def preset(self) -> Preset:
        """What was trained, on what, how."""
        return self.plan.preset

    @property
    def step(self) -> int:
        """How many steps have been made, of the plan's."""
        return self.checkpoint.step

    @property
    def history(self) -> tuple[Record, ...]:
        """Loss against floor, as it went."""
        return self.checkpoint.history

    @property
    def parameters(self) -> int:
        """How many numbers the network has learnt."""
        return parameters(self.network)

    @property
    def classes(self) -> int | None:
        """How many labels there are; None where the network takes none."""
        return classes(self.data)

    @property
    def levels(self) -> Table:
        """The table abar_0 = 1 > abar_1 > ... > abar_T of the schedule it was trained at, float64."""
        return self.preset.noising.abar

    def eps(self, x_t: Any, abar_t: Any, label: Any = None) -> Array:
        r"""The noise that the network expects in x_t, by the averaged weights.

        Args:
            x_t: (\*any, \*event), of the event shape of the data.
            abar_t: a number, or an array that broadcasts against (\*any).
            label: whole numbers that broadcast against (\*any), -1 for no label; None for none at all.

        Returns:
            of the shape and dtype of x_t. Where x_0 is predicted, none is implied at abar = 1.

        Raises:
            MisuseError: for events of another shape, a label where the network takes none, or one that there is not.
        """
        return self._eps(self.network, *self._aligned(x_t, abar_t, label))

    @cached_property
    def _eps(self) -> Any:
        def asked(network: UNet, x_t: Array, abar: Array, label: Array | None) -> Array:
            event = self.data.event_shape
            lead = x_t.shape[: x_t.ndim - len(event)]
            flat = x_t.reshape(-1, *event)
            a = jnp.broadcast_to(abar, lead).reshape(-1)
            y = None if label is None else jnp.broadcast_to(jnp.where(label < 0, self.classes, label), lead).reshape(-1)
            y_hat = predictions(network, flat, a, y)
            return eps_of(self.preset.prediction, a.reshape((-1,) + (1,) * len(event)), y_hat, flat).reshape(x_t.shape)

        return jax.jit(asked)

    def _aligned(self, x_t: Any, abar_t: Any, label: Any) -> tuple[Array, Array, Array | None]:
        x_t, event = jnp.asarray(x_t), self.data.event_shape
        if x_t.shape[max(0, x_t.ndim - len(event)) :] != event:
            raise MisuseError(f"the shape of `x_t` must end in {event}, got {x_t.shape}.")
        return x_t, jnp.asarray(abar_t, x_t.dtype), None if label is None else self._labels(jnp.asarray(label))

    def _labels(self, label: Array) -> Array:
        if self.classes is None:
            raise MisuseError(f"{self.preset.name} was trained without labels, and takes none.")
        known = None if isinstance(label, jax.core.Tracer) else np.asarray(label)
        whole = jnp.issubdtype(label.dtype, jnp.integer)
        if not whole or (known is not None and ((known < -1) | (known >= self.classes)).any()):
            raise MisuseError(f"`label` must hold whole numbers from -1, for none, to {self.classes - 1}, got {label}.")
        return label.astype(jnp.int32)


def load(folder: str | PathLike[str]) -> Run:
    """The training in a folder, as of its last whole checkpoint.

    Raises:
        MisuseError: if the folder holds none, or one of another preset or version.
    """
    path = folder_named(folder)
    if not path.is_dir():
        raise MisuseError(f"there is no folder {path}.")
    if (found := newest(path)) is None:
        raise MisuseError(f"{path} holds no training: verifydiff train PRESET --run {path} begins one.")
    checkpoint, arrays = found
    plan, source = checkpoint.plan, data(checkpoint.plan.preset.data)
    state = held(path, plan, source, arrays)
    return Run(plan, source, state.average, checkpoint, path)


def held(folder: Path, plan: Plan, source: Data, arrays: bytes) -> State:
    """The state that a checkpoint holds.

    Raises:
        MisuseError: if it is not that of its plan.
    """
    try:
        state: State = restored(arrays, skeleton(plan, source))
    except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, EOFError):
        raise MisuseError(f"{folder} holds weights that do not fit what it says of itself: it is not of this version.") from None
    return state


def skeleton(plan: Plan, source: Data) -> State:
    """The state with shapes in place of arrays."""
    state: State = jax.eval_shape(lambda: initial(plan.preset, classes(source), plan.steps, plan.seed))
    return state
