r"""The exact law a sampler ends in, on Gaussian data.

With the exact denoiser of Gaussian data every eigendirection of the covariance is a problem by itself, and there the expected
noise is affine in the state. So one step of any sampler that is linear in its state, its predictions and its noise z is an affine
map, of the state and of what the sampler remembers,

.. math:: u' = A u + b + B z, \qquad z \sim \mathcal{N}(0, I),

and pushes a Gaussian forward: mean to A m + b, covariance to A P A^T + B B^T. After S steps the law is known exactly, the bias
of its S steps included, without a draw. A, b and B are read off the step itself by differentiating it, which for an affine map is
exact, so a step is written here once, as its equation.

A step is a function ``step(model, state, z, levels)`` of numbers along one direction: of the exact predictions, the state, two
standard normal numbers z, and the levels. It returns the state at s. Those of well-known samplers are in
:mod:`verifydiff.oracles.steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.numpy import sqrt

from ..verdict import MisuseError
from .arguments import levels
from .gaussian import Gaussian, SpectralGaussian
from .low_rank import LowRankGaussian
from .oracle import contract


class State(NamedTuple):
    """Where a sampler is, along one direction.

    Attributes:
        x: x_t.
        memory: what it keeps for the next step; 0 before the first one.
    """

    x: Array
    memory: Array


class Levels(NamedTuple):
    """Where a step leads.

    Attributes:
        r: abar at the level before t; that at t on the first step.
        t: abar where the step begins.
        s: abar where it ends, cleaner.
    """

    r: Array
    t: Array
    s: Array


class Model(NamedTuple):
    """The exact predictions for data that are N(mu, lam) along one direction.

    Attributes:
        mu: the mean.
        lam: the variance.
    """

    mu: Array
    lam: Array

    def eps(self, x_t: Array, abar: Array) -> Array:
        """The expected noise."""
        return sqrt(1 - abar) * self._surprise(x_t, abar)

    def x0(self, x_t: Array, abar: Array) -> Array:
        """The expected data."""
        return self.mu + sqrt(abar) * self.lam * self._surprise(x_t, abar)

    def score(self, x_t: Array, abar: Array) -> Array:
        """The score."""
        return -self._surprise(x_t, abar)

    def _surprise(self, x_t: Array, abar: Array) -> Array:
        return (x_t - sqrt(abar) * self.mu) / (abar * self.lam + (1 - abar))


Step = Callable[[Model, State, Array, Levels], State]


def law_after(
    data: Gaussian, abar: Any, step: Step, *, exact_start: bool = False, start: float = 1.0, last_denoises: bool = True
) -> SpectralGaussian:
    r"""The law after the steps from ``abar[0]`` to ``abar[-1]``, taken with the exact denoiser of these data.

    Args:
        data: the law of x_0. One of low rank is taken by the eigenvectors of its whole covariance.
        abar: (S + 1,), the levels from the noisiest to the last.
        step: one of the steps of this module, or any function like them.
        exact_start: begin in the marginal law at ``abar[0]`` rather than in N(0, start**2 I).
        start: the standard deviation of the noise to begin with.
        last_denoises: on a step that ends at abar = 1 return E[x_0 | x_t], whatever the step says.

    Raises:
        MisuseError: if the levels do not rise strictly in [0, 1], ``start`` is no scale, or the data are no Gaussian.
    """
    if not (isfinite(start) and start >= 0):
        raise MisuseError(f"`start` must be finite and not negative, got {start}.")
    spectral = _spectral(data, "the law after S steps")
    law: SpectralGaussian = _after(step, exact_start, last_denoises, spectral, levels(abar), start)
    return law


def _spectral(data: Gaussian, what: str) -> SpectralGaussian:
    """The same law, told by its eigendirections."""
    dense = data.dense() if isinstance(data, LowRankGaussian) else data
    if not isinstance(dense, SpectralGaussian):
        raise MisuseError(f"{what} is known for Gaussian data, got {type(data).__name__}.")
    return dense


@partial(jax.jit, static_argnums=(0, 1, 2))
def _after(
    step: Step, exact_start: bool, last_denoises: bool, data: SpectralGaussian, abar: Array, scale: Array
) -> SpectralGaussian:
    mu, lam = data._turned(data.loc), data.spectrum
    noised = data._diffused(abar[0])
    if exact_start:
        mean, variance = noised._turned(noised.loc), noised.spectrum
    else:
        mean, variance = jnp.zeros_like(mu), jnp.full_like(lam, scale**2)
    chain = jax.vmap(lambda *direction: _pushed(step, abar, last_denoises, *direction))
    mean, variance = (moment.reshape(mu.shape) for moment in chain(*(part.reshape(-1) for part in (mu, lam, mean, variance))))
    return data._law(data._turned_back(mean), variance)


class Joint(NamedTuple):
    """The Gaussian law of two states, x_t first, as one vector of 2 d numbers. A step without noise leaves it without density.

    Attributes:
        mean: (2 d,).
        covariance: (2 d, 2 d).
    """

    mean: Array
    covariance: Array


def joint_of_step(data: Gaussian, abar_t: Any, abar_s: Any, step: Step) -> Joint:
    r"""The joint law of (x_t, x_s) where x_t is noised data and x_s what a first step from there makes of it.

    Args:
        data: the law of x_0.
        abar_t: the level that the step begins at.
        abar_s: the level that it leads to, cleaner, and not yet the data.
        step: one of the steps of :mod:`.steps`, or any function like them.

    Raises:
        MisuseError: if the levels are not 0 <= abar_t < abar_s <= 1, or the data are no Gaussian.
    """
    return _joint(data, levels(jnp.stack([jnp.asarray(abar_t), jnp.asarray(abar_s)])), step)


def joint_of_noising(data: Gaussian, abar_t: Any, abar_s: Any) -> Joint:
    r"""The joint law of (x_t, x_s) where both are the same data, noised.

    .. math:: x_t = \sqrt\alpha\, x_s + \sqrt{1 - \alpha}\,\epsilon, \qquad \alpha = \bar\alpha_t / \bar\alpha_s

    Arguments and errors are those of :func:`joint_of_step`.
    """

    def reversed_exactly(model: Model, state: State, z: Array, at: Levels) -> State:
        alpha = at.t / at.s
        v_s, v_t = (abar * model.lam + (1 - abar) for abar in (at.s, at.t))
        mean = sqrt(at.s) * model.mu + sqrt(alpha) * v_s / v_t * (state.x - sqrt(at.t) * model.mu)
        return State(mean + sqrt(v_s * (1 - alpha) / v_t) * z[0], state.memory)

    return _joint(data, levels(jnp.stack([jnp.asarray(abar_t), jnp.asarray(abar_s)])), reversed_exactly)


def _joint(data: Gaussian, abar: Array, step: Step) -> Joint:
    data = _spectral(data, "the joint law of a step")
    at, start = Levels(abar[0], abar[0], abar[1]), data.diffused(abar[0])
    mu, lam, m = data._turned(data.loc).ravel(), data.spectrum.ravel(), start._turned(start.loc).ravel()

    def along(mu: Array, lam: Array, m: Array, v: Array) -> tuple[Array, Array]:
        zero = jnp.zeros_like(m)

        def after(x: Array, z: Array) -> Array:
            return step(Model(mu, lam), State(x, zero), z, at).x

        none = jnp.stack([zero, zero])
        A, B = jax.grad(after, 0)(zero, none), jax.grad(after, 1)(zero, none)
        spread = jnp.stack([jnp.stack([v, A * v]), jnp.stack([A * v, A * A * v + jnp.sum(B**2)])])
        return jnp.stack([m, A * m + after(zero, none)]), spread

    means, blocks = jax.vmap(along)(mu, lam, m, start.spectrum.ravel())
    units = jnp.eye(mu.size, dtype=mu.dtype)
    turn = jax.vmap(lambda unit: data._turned_back(unit.reshape(data.loc.shape)).ravel())(units)  # (direction, d)
    mean = contract("kp,ki->pi", means, turn).ravel()
    covariance = contract("kpq,ki,kj->piqj", blocks, turn, turn).reshape(2 * mu.size, 2 * mu.size)
    return Joint(mean, (covariance + covariance.T) / 2)


def _pushed(
    step: Step, abar: Array, last_denoises: bool, mu: Array, lam: Array, mean: Array, variance: Array
) -> tuple[Array, Array]:
    """Mean and variance at the end, along one direction; ``mean`` and ``variance`` are those of the start."""
    model = Model(mu, lam)

    def push(moments: tuple[Array, Array], at: tuple[Array, ...]) -> tuple[tuple[Array, Array], None]:
        m, P = moments
        now = Levels(*at)

        def affine(u: Array, z: Array) -> Array:
            x_s, memory = step(model, State(*u), z, now)
            return jnp.stack([jnp.where(last_denoises & (now.s == 1), model.x0(u[0], now.t), x_s), memory])

        zero = jnp.zeros_like(m)
        A, B = jax.jacfwd(affine, (0, 1))(zero, zero)
        spread = contract("ij,jk,lk->il", A, P, A) + contract("ij,kj->ik", B, B)
        return (contract("ij,j->i", A, m) + affine(zero, zero), spread), None

    before = jnp.concatenate([abar[:1], abar[:-2]])
    begin = (jnp.stack([mean, jnp.zeros_like(mean)]), jnp.zeros((2, 2), mean.dtype).at[0, 0].set(variance))
    (m, P), _ = jax.lax.scan(push, begin, (before, abar[:-1], abar[1:]))
    return m[0], P[0, 0]
