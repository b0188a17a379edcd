"""A training's folder, confirmed: its network as a tree of arrays, its data, its levels."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from os import PathLike
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from ..network import Images, Run, load
from ..network.objective import eps_of
from ..network.predictor import predictions
from ..observe.resolve import look_up
from ..samplers import Sampler
from ..verdict import MisuseError
from .budget import Budget
from .confirmation import Confirmation, confirm
from .image_confirmation import ImageConfirmation, confirm_images
from .loops import Draw, Stepwise, Whole


def confirm_run(
    folder: str | PathLike[str],
    *,
    budget: Budget | None = None,
    sampler: Draw | None = None,
    progress: Callable[[str], None] | None = None,
    asked_for: Collection[int] = (),
) -> Confirmation | ImageConfirmation:
    """Lay the network in a folder over the theory of what it was trained on; where that is images, over images held out.

    Args:
        folder: of a training.
        budget: how much may be drawn; the quick one, if left out.
        sampler: the sampler in question; the reference, if left out.
        progress: told what is being measured.
        asked_for: numbers of steps that must not be left out; others of the budget are, where the run's table has fewer times.

    Raises:
        MisuseError: if the folder holds no training, or its table has fewer times than a number of steps that is asked for.
    """
    run = load(folder)
    _refuse_too_many(asked_for, run.levels.size - 1)
    unlabelled, labelled = models(run)
    name = f"{run.preset.name} after {run.step:,} steps"
    given: dict[str, Any] = {"budget": budget, "labelled": labelled, "sampler": sampler, "name": name, "progress": progress}
    if isinstance(run.data, Images):
        return confirm_images(unlabelled, run.data, run.levels, **given)
    return confirm(unlabelled, run.data, run.levels, prediction=run.preset.prediction, **given)


def _refuse_too_many(steps: Collection[int], T: int) -> None:
    if too_many := [S for S in steps if S > T]:
        raise MisuseError(f"the table of this run has {T:,} times, too few for {max(too_many):,} steps.")


def models(run: Run) -> tuple[Partial, Partial | None]:
    """The network without a label, and told labels, if it takes any; both one compiled program with the weights as arguments."""
    answer = partial(_answer, run.preset.prediction)
    if run.classes is None:
        return Partial(answer, run.network), None
    return Partial(partial(_unlabelled, answer, run.classes), run.network), Partial(answer, run.network)


def sampler_named(target: str) -> Draw:
    """The sampler that a user names: ``path/file.py:NAME`` or ``package.module:NAME``.

    NAME is a class of samplers, ``NAME(eta)``, or a function ``NAME(eps, x_T, abar, *, eta, key)``.

    Raises:
        MisuseError: if there is no such thing.
    """
    where, colon, attribute = target.rpartition(":")
    if not colon or not where or not attribute:
        raise MisuseError(f"{target[:80]!r} names no sampler: give path/file.py:name or package.module:name.")
    thing = look_up(target).thing
    if isinstance(thing, type) and issubclass(thing, Sampler):
        return Stepwise(thing)
    if not callable(thing) or isinstance(thing, type):
        kind = type(thing).__name__
        raise MisuseError(
            f"{target[:80]} is a {kind}, neither a class of samplers nor a function sample(eps, x_T, abar, *, eta, key)."
        )
    return Whole(thing)


def _answer(prediction: str, network: Any, x_t: Array, abar_t: Array, label: Array | None = None) -> Array:
    y_hat = predictions(network, x_t, abar_t, label)
    return jnp.asarray(eps_of(prediction, abar_t.reshape(-1, *(1,) * (x_t.ndim - 1)), y_hat, x_t))


def _unlabelled(answer: Any, classes: int, network: Any, x_t: Array, abar_t: Array) -> Array:
    return jnp.asarray(answer(network, x_t, abar_t, jnp.full(x_t.shape[0], classes)))
