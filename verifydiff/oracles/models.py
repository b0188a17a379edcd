r"""Noising and its reversal as NumPyro models.

Levels are an array ``abar`` of S + 1 entries from the noisiest to the cleanest, ``abar[-1]``; site ``x_k`` is k steps from the
cleanest, so that ``x_0`` are the data where ``abar[-1]`` is 1. From a level s to a noisier t, with
:math:`\alpha = \bar\alpha_t / \bar\alpha_s`,

.. math:: q(x_t \mid x_s) = \mathcal{N}(\sqrt{\alpha}\,x_s,\ (1 - \alpha) I).

Seen from s the step is a noising of the law at s to the level alpha. So its exact reversal p(x_s | x_t) is a *posterior* of that
law, and the two chains are one joint law, told from either end:

.. math:: p(x_0) \prod_k q(x_{k+1} \mid x_k) = p(x_S) \prod_k p(x_k \mid x_{k+1}).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpyro
from jax import Array
from numpyro.contrib.control_flow import scan
from numpyro.distributions import Distribution, Normal

from .arguments import levels, real
from .oracle import Oracle


def noised(law: Oracle, abar: Any) -> Array:
    """Data ``x_0`` and what noise makes of them, ``x_t``, at one level 0 <= abar < 1; returns x_t.

    Condition it on ``x_t``, and inference of ``x_0`` must find :meth:`Oracle.posterior`.
    """
    x_0 = numpyro.sample("x_0", law)
    return numpyro.sample("x_t", kernel(x_0, real("abar", abar), law.event_dim))


def forward_chain(law: Oracle, abar: Any) -> Array:
    """Sites ``x_0``, ``x_1``, ..., ``x_S``, each from the one before by noising; returns x_S.

    Raises:
        MisuseError: if the levels are not one-dimensional, in [0, 1] and strictly rising.
    """
    abar = levels(abar)
    x = numpyro.sample("x_0", law.diffused(abar[-1]))
    for k, alpha in ratios(abar):
        x = numpyro.sample(f"x_{k}", kernel(x, alpha, law.event_dim))
    return x


def reverse_chain(law: Oracle, abar: Any) -> Array:
    """The same sites from the other end: ``x_S`` from its marginal, each cleaner one from the exact reversal; returns x_0.

    Raises:
        MisuseError: as :func:`forward_chain`.
    """
    abar = levels(abar)
    steps = list(ratios(abar))
    x = numpyro.sample(f"x_{len(steps)}", law.diffused(abar[0]))
    for k, alpha in reversed(steps):
        x = numpyro.sample(f"x_{k - 1}", law.diffused(abar[-k]).posterior(x, alpha))
    return x


def forward_scan(law: Oracle, abar: Any) -> Array:
    r""":func:`forward_chain` for many steps: sites ``x_0`` and ``x`` of shape (S, \*event), the noisiest last; returns x_S."""
    abar = levels(abar)
    x_0 = numpyro.sample("x_0", law.diffused(abar[-1]))

    def step(x: Array, alpha: Array) -> tuple[Array, None]:
        return numpyro.sample("x", kernel(x, alpha, law.event_dim)), None

    x_S, _ = scan(step, x_0, jnp.flip(abar[:-1] / abar[1:]))
    return x_S


def reverse_scan(law: Oracle, abar: Any) -> Array:
    r""":func:`reverse_chain` for many steps: sites ``x_S`` and ``x`` of shape (S, \*event), the cleanest last; returns x_0."""
    abar = levels(abar)
    x_S = numpyro.sample("x_S", law.diffused(abar[0]))

    def step(x: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
        abar_s, alpha = pair
        return numpyro.sample("x", law.diffused(abar_s).posterior(x, alpha)), None

    x_0, _ = scan(step, x_S, (abar[1:], abar[:-1] / abar[1:]))
    return x_0


def kernel(x_s: Array, alpha: Array, event_dim: int) -> Distribution:
    """q(x_t | x_s): the law of a step of noising that keeps the share alpha of the variance."""
    return Normal(jnp.sqrt(alpha) * x_s, jnp.broadcast_to(jnp.sqrt(1 - alpha), jnp.shape(x_s))).to_event(event_dim)


def ratios(abar: Array) -> Iterator[tuple[int, Array]]:
    """(k, abar_k / abar_{k-1}) for k = 1..S, counted from the cleanest level."""
    for k in range(1, len(abar)):
        yield k, abar[-k - 1] / abar[-k]
