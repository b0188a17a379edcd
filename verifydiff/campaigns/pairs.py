r"""Geweke's joint test, of one step: pairs of the states on both its sides.

Noising makes pairs (x_s, x_t): data to the level s, and on to t. A sampler makes them the other way round, from x_t one step down
to x_s. If x_t is drawn from the law of noised data, and the step is the reverse of noising, both joint laws are the same (Geweke
2004). A step can keep the law of x_s and still be wrong: a fresh draw from the right marginal does, and shows in nothing but the
joint law.

For Gaussian data and an affine step both joint laws are known: of noising, from which a right step is off by its bias, and of the
published step, from which it is not.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..oracles import Oracle
from ..samplers import Model, Sampler
from ..statistics.evidence import Array
from .layout import Draw

PAIRS = 2**14
"""In one block."""


def drawing_pairs(sampler: Sampler, law: Oracle, abar: Array, key: Any) -> Draw:
    """Blocks of pairs (x_t, x_s), flat and side by side, of the first step down these levels.

    Args:
        sampler: whose step it is.
        law: of the data.
        abar: the levels from that of x_t on.
        key: of all draws.
    """
    levels = jnp.asarray(abar)
    start, eps = law.diffused(levels[0]), exact_eps(law)

    def block(number: Any) -> Any:
        to_start, to_step = jax.random.split(jax.random.fold_in(key, number))
        x_t = start.sample(to_start, (PAIRS,)).reshape(PAIRS, -1)
        x_s = sampler.step(eps, sampler.init(x_t, levels), levels[0], levels[1], key=to_step).x
        return jnp.concatenate([x_t, x_s], axis=1)

    return block


def exact_eps(law: Oracle) -> Model:
    """The model that knows these data, over flat states (rows, d)."""

    def eps(x_t: Any, abar_t: Any) -> Any:
        return law.eps(x_t.reshape(-1, *law.event_shape), abar_t).reshape(x_t.shape)

    return eps
