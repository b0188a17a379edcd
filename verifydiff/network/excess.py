r"""How far a network is from the best there is.

The best prediction is the expectation :math:`y^* = \mathbb{E}[y \mid x_t]`, which an oracle knows. Whatever is predicted from x_t
alone, the error beyond it is orthogonal to what nobody can know,

.. math:: \mathbb{E}\|\hat y - y\|^2 = \mathbb{E}\|y^* - y\|^2 + \mathbb{E}\|\hat y - y^*\|^2,

the floor plus the excess. The excess is measured by itself, by the last expectation: close to the floor this takes far fewer draws
than the difference of two losses, since what nobody can know does not enter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..compiling import options
from ..oracles import GaussianMixture, Oracle
from .data import Data
from .objective import floor, weight
from .predictor import predictions
from .preset import Preset
from .step import Examples, examples, stream
from .unet import UNet

LOOKED_AT = 256  # examples, at levels that cover the table
LEVELS = 32  # at which the floor of a mixture is found, by draws
DRAWS = 1024


@cache
def excess(preset: Preset) -> Callable[[UNet, Oracle, Any, Any], Array]:
    """A compiled function of a network, a law in float32, a seed and a step: the loss beyond the floor, estimated."""

    def found(network: UNet, law: Oracle, seed: Array, step: Array) -> Array:
        key = jax.random.fold_in(stream(seed, "looks"), step)
        drawn = examples(preset, law, key, jnp.arange(LOOKED_AT, dtype=jnp.int32), LOOKED_AT)
        apart = predictions(network, drawn.x_t, drawn.abar, drawn.label) - best(preset, law, drawn)
        errors = jnp.mean(apart**2, axis=tuple(range(1, apart.ndim)))
        return jnp.mean(weight(preset.prediction, preset.weighting, drawn.abar) * errors)

    compiled: Callable[[UNet, Oracle, Any, Any], Array] = jax.jit(found, compiler_options=options())
    return compiled


def best(preset: Preset, law: Any, drawn: Examples) -> Array:
    """The best prediction for each example, given its label where that is told."""
    everyone = law.predict(drawn.x_t, drawn.abar, preset.prediction)
    if drawn.label is None:
        return everyone
    answers = [law.given(y).predict(drawn.x_t, drawn.abar, preset.prediction) for y in range(law.classes)]
    index = drawn.label.reshape((1, -1) + (1,) * (everyone.ndim - 1))
    return jnp.take_along_axis(jnp.stack([*answers, everyone]), index, axis=0)[0]


def mean_floor(preset: Preset, source: Data) -> float | None:
    """The least loss there is, averaged over the levels of training; None for images, whose law nobody knows."""
    if not isinstance(source, Oracle):
        return None
    if not isinstance(source, GaussianMixture):
        return _mean(source, preset, preset.noising.abar[1:])
    table = preset.noising.abar[1:]
    some = table[np.linspace(0, len(table), LEVELS, endpoint=False).astype(int) + len(table) // (2 * LEVELS)]
    shares = [
        float(sum(w for w, label in zip(source.weights, source.labels, strict=True) if label == y)) for y in range(source.classes)
    ]
    told = sum(share * _mean(source.given(y), preset, some) for y, share in enumerate(shares))
    return (1 - preset.label_dropout) * told + preset.label_dropout * _mean(source, preset, some)


def _mean(law: Any, preset: Preset, levels: Any) -> float:
    """Over levels; those of a mixture one by one, since each takes many draws."""
    asked = {"draws": DRAWS} if isinstance(law, GaussianMixture) else {}
    parts = np.split(levels, len(levels)) if asked else [levels]
    return float(np.mean([np.asarray(floor(law, preset.weighting, jnp.asarray(part), **asked)) for part in parts]))
