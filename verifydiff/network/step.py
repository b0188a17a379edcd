r"""One step of training, and many of them in one compiled program.

Step n draws from the key of number n, and example i of it from the key of number i of that: what is drawn depends neither on where
the training was interrupted nor on how many devices share the work. The levels of one step are stratified,
:math:`t_i = \lceil T\, ((u + i / n) \bmod 1) \rceil` with one uniform u (Kingma et al. 2021): each is uniform over the table, and
together they cover it.

Adam follows a clipped gradient, with a learning rate that rises for a while and then falls by half a cosine to nothing. What is
answered with in the end is an average of the weights,

.. math:: \bar\theta \leftarrow \mu_n \bar\theta + (1 - \mu_n)\, \theta, \qquad \mu_n = \min(\mu, (1 + n) / (10 + n)).

Each device takes its share of the batch and all of the weights; gradients are averaged. On more devices sums are taken in another
order, so that there losses agree to rounding, and only the draws bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..compiling import options
from ..verdict import MisuseError
from .data import classes, draw
from .objective import noised, target, weight
from .predictor import computing_in, fresh, predictions
from .preset import Preset
from .unet import UNet

SHARES = "shares"  # the axis of the mesh
STEEPEST = 1.0  # the norm at which a gradient is clipped
EVERYWHERE = PartitionSpec()


class State(NamedTuple):
    """All that a training consists of between two steps.

    Attributes:
        network: the weights.
        average: their average.
        optimiser: the moments of the gradients.
        step: how many steps have been made.
    """

    network: UNet
    average: UNet
    optimiser: Any
    step: Array


class Examples(NamedTuple):
    r"""What a step learns from.

    Attributes:
        x_t: (n, \*grid).
        abar: (n,).
        label: (n,), the number of classes where it is withheld; None where there are no classes.
        target: (n, \*grid), what should be predicted.
    """

    x_t: Array
    abar: Array
    label: Array | None
    target: Array


Program = Callable[[State, Any, np.uint32, np.int32], tuple[State, Array, Array]]
"""State, data, seed and number of steps to the new state, and of each step the loss and the norm of the gradient."""


def optimiser(preset: Preset, steps: int) -> optax.GradientTransformation:
    """Adam on a clipped gradient, for so many steps."""
    warmup = min(preset.warmup, steps // 2)
    rate = optax.warmup_cosine_decay_schedule(0.0, preset.rate, warmup, max(steps, 1))
    return optax.chain(optax.clip_by_global_norm(STEEPEST), optax.adam(rate))


def initial(preset: Preset, labels: int | None, steps: int, seed: int) -> State:
    """Before the first step."""
    network, average = (
        fresh(preset, labels, np.random.default_rng(seed)) for _ in range(2)
    )  # two, since a step overwrites what it is given
    return State(network, average, jax.jit(optimiser(preset, steps).init)(network), jnp.int32(0))


def examples(preset: Preset, source: Any, key: Array, numbers: Array, total: int) -> Examples:
    """Those of these numbers, of the ``total`` of a step."""
    table = jnp.asarray(preset.noising.abar[1:], jnp.float32)
    start = jax.random.uniform(jax.random.fold_in(key, total), (), jnp.float32)

    def one(number: Array) -> Examples:
        keys = jax.random.split(jax.random.fold_in(key, number), 3)
        x_0, label = draw(source, keys[0])
        eps = jax.random.normal(keys[1], x_0.shape, x_0.dtype)
        place = (start + number.astype(jnp.float32) / total) % 1.0
        abar = table[jnp.minimum((place * len(table)).astype(jnp.int32), len(table) - 1)]
        withheld = jax.random.bernoulli(keys[2], jnp.float32(preset.label_dropout))
        told = None if (count := classes(source)) is None else jnp.where(withheld, count, label)
        return Examples(noised(abar, x_0, eps), abar, told, target(preset.prediction, abar, x_0, eps))

    drawn: Examples = jax.vmap(one)(numbers)
    return drawn


def loss(preset: Preset, dtype: Any, network: UNet, batch: Examples) -> Array:
    """The mean over a batch."""
    answers = predictions(computing_in(dtype, network), batch.x_t, batch.abar, batch.label)
    errors = jnp.mean((answers - batch.target) ** 2, axis=tuple(range(1, answers.ndim)))
    return jnp.mean(weight(preset.prediction, preset.weighting, batch.abar) * errors)


@cache
def program(preset: Preset, steps: int, batch: int, mesh: Mesh, dtype: Any) -> Program:
    """A program to be compiled: any number of steps, up to ``preset.every``, without a word from the host in between.

    Raises:
        MisuseError: if the devices do not divide the batch.
    """
    descend = optimiser(preset, steps).update
    share = _share(batch, mesh)

    def step(source: Any, key: Array, state: State) -> tuple[State, Array, Array]:
        numbers = jax.lax.axis_index(SHARES) * share + jnp.arange(share, dtype=jnp.int32)
        drawn = examples(preset, source, jax.random.fold_in(key, state.step), numbers, batch)
        here = jax.value_and_grad(partial(loss, preset, dtype))(state.network, drawn)
        value, gradient = jax.lax.pmean(here, SHARES)
        updates, moments = descend(gradient, state.optimiser, state.network)
        network = optax.apply_updates(state.network, updates)
        average = _averaged(state.average, network, _kept(preset.ema, state.step))
        return State(network, average, moments, state.step + 1), value, optax.tree.norm(gradient)

    def run(state: State, source: Any, seed: Array, count: Array) -> tuple[State, Array, Array]:
        key = stream(seed, "draws")

        def body(i: Array, carried: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
            state, losses, norms = carried
            state, value, norm = step(source, key, state)
            return state, losses.at[i].set(value), norms.at[i].set(norm)

        empty = jnp.zeros(preset.every, jnp.float32)
        done: tuple[State, Array, Array] = jax.lax.fori_loop(0, count, body, (state, empty, empty))
        return done

    sharded = jax.shard_map(run, mesh=mesh, in_specs=(EVERYWHERE,) * 4, out_specs=(EVERYWHERE,) * 3, check_vma=False)
    compiled: Program = jax.jit(sharded, donate_argnums=0, compiler_options=options())
    return compiled


def stream(seed: Any, name: str) -> Array:
    """The key of that name."""
    return jax.random.fold_in(jax.random.key(seed), crc32(name.encode()))


def mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """These devices, or all of all processes, in one row."""
    return Mesh(np.array(jax.devices() if devices is None else devices), (SHARES,))


def everywhere(tree: Any, over: Mesh) -> Any:
    """The same on every device."""
    sharding = NamedSharding(over, EVERYWHERE)
    return jax.tree.map(lambda leaf: jax.make_array_from_callback(leaf.shape, sharding, np.asarray(leaf).__getitem__), tree)


def _share(batch: int, over: Mesh) -> int:
    if batch % over.size:
        raise MisuseError(f"a batch of {batch} cannot be shared by {over.size} devices: give a multiple of {over.size}.")
    return batch // int(over.size)


def _kept(most: float, step: Array) -> Array:
    n = step.astype(jnp.float32)
    return jnp.minimum(jnp.float32(most), (1 + n) / (10 + n))


def _averaged(average: UNet, network: UNet, kept: Array) -> UNet:
    moved: UNet = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, average, network)
    return moved
