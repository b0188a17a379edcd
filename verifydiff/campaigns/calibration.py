r"""Simulation-based calibration of samplers that claim to draw from a posterior, where that posterior is known to exist.

Two such claims:

* **denoising**: from x_t down, a sampler with noise draws from :math:`p(x_0 \mid x_t)`. With :math:`x_0 \sim p` and x_t its noised
  self, x_0 is one more draw from it;
* **guidance**: a sampler guided towards the class y, at scale 1, draws from :math:`p(x_0 \mid y)`. With
  :math:`(x_0, y) \sim p`, x_0 is one more draw from it.

So x_0 ranks uniformly among L draws that are made of the same x_t or y: its coordinates, and a function of both that sees a sampler
which ignores what it is given (Talts et al. 2018): the distance of x_t from :math:`\sqrt{\bar\alpha_t}\, x_0`, or
:math:`\log p(y \mid x_0)`. The ranks are judged by :func:`verifydiff.statistics.calibration`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..oracles import GaussianMixture, Oracle
from ..samplers import Model, Sampler, sample
from ..statistics import ranks
from ..statistics.calibration import Ranks
from ..verdict import MisuseError
from .pairs import exact_eps

MOST = 2**22
"""Draws that are made at once, at most."""


def denoising_ranks(sampler: Sampler, law: Oracle, abar: Any, *, n: int, L: int, seed: int = 0) -> Ranks:
    """The ranks of n data among L draws each that are led down from the same noised datum.

    Args:
        sampler: that claims to draw from p(x_0 | x_t).
        law: of the data; the sampler is given its exact eps.
        abar: (S + 1,), the levels, from that of x_t to the data.
        n: how many data.
        L: how many draws for each.
        seed: of everything.

    Returns:
        (n, d + 1): of each coordinate, and of the distance of x_t from the datum's mean.

    Raises:
        MisuseError: if n or L is not positive, together they are too many, or the levels are none.
    """
    to_data, to_noise, to_run = jax.random.split(_key(seed, n, L), 3)
    x_0 = law.sample(to_data, (n,)).reshape(n, -1)
    a = jnp.asarray(abar[0], x_0.dtype)
    x_t = jnp.sqrt(a) * x_0 + jnp.sqrt(1 - a) * jax.random.normal(to_noise, x_0.shape, x_0.dtype)
    drawn = _led_down(sampler, exact_eps(law), jnp.repeat(x_t, L, axis=0), abar, to_run).reshape(n, L, -1)

    def seen(x: Any, given: Any) -> Any:
        return np.concatenate([x, ((given - np.sqrt(float(a)) * x) ** 2).sum(axis=-1, keepdims=True)], axis=-1)

    return _ranked(seen, x_0, drawn, x_t, seed)


def guided_ranks(
    sampler: Callable[[int], tuple[Sampler, Model]], law: GaussianMixture, abar: Any, *, n: int, L: int, seed: int = 0
) -> Ranks:
    """The ranks of n data among L draws each that are guided to the datum's class.

    Args:
        sampler: for each class the sampler and the model that are guided towards it.
        law: of the data and their classes.
        abar: (S + 1,), the levels.
        n: how many data.
        L: how many draws for each.
        seed: of everything.

    Returns:
        (n, d + 1): of each coordinate, and of log p(y | x_0).

    Raises:
        MisuseError: as :func:`denoising_ranks`.
    """
    to_data, to_noise, to_run = jax.random.split(_key(seed, n, L), 3)
    x_0, label = law.sample_labelled(to_data, (n,))
    x_0, label = x_0.reshape(n, -1), np.asarray(label)
    drawn = np.empty((n, L, x_0.shape[1]), np.asarray(x_0).dtype)
    for y in range(law.classes):
        guided, model = sampler(y)
        of_class = np.flatnonzero(label == y)
        x_T = jax.random.normal(jax.random.fold_in(to_noise, y), (of_class.size * L, x_0.shape[1]), x_0.dtype)
        if of_class.size:
            down = _led_down(guided, model, x_T, abar, jax.random.fold_in(to_run, y))
            drawn[of_class] = np.asarray(down).reshape(of_class.size, L, -1)

    def seen(x: Any, given: Any) -> Any:
        known = np.asarray(law.class_posterior(jnp.asarray(x).reshape(*x.shape[:-1], *law.event_shape), 1.0))
        chosen = np.broadcast_to(given, x.shape[:-1])[..., None]
        return np.concatenate([x, np.take_along_axis(known, chosen, axis=-1)], axis=-1)

    return _ranked(seen, x_0, drawn, label, seed)


def _ranked(seen: Callable[[Any, Any], Any], x_0: Any, drawn: Any, given: Any, seed: int) -> Ranks:
    truth, posterior = np.asarray(x_0), np.asarray(drawn)
    given = np.asarray(given)
    return ranks(seen(truth, given), seen(posterior, given[:, None]), seed=seed)


def _led_down(sampler: Sampler, eps: Model, x: Any, abar: Any, key: Any) -> Any:
    return jax.jit(partial(sample, sampler, eps, abar=abar, key=key))(x)


def _key(seed: int, n: int, L: int) -> Any:
    if n < 1 or L < 1 or n * L > MOST:
        raise MisuseError(f"n data and L draws for each must be positive and n L at most {MOST:,}, got n = {n} and L = {L}.")
    return jax.random.key(seed)
