r"""Steps of well-known samplers, for :func:`verifydiff.oracles.law_after`.

Each leads from x_t to x_s, s < t, with :math:`\alpha = \bar\alpha_t / \bar\alpha_s` and :math:`\beta = 1 - \alpha`, the composed
ones where levels are skipped. :math:`\sigma = \sqrt{(1 - \bar\alpha) / \bar\alpha}` and :math:`\bar x = x / \sqrt{\bar\alpha}` are
the noise level and the state of the variance-exploding picture.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.numpy import sqrt

from ..verdict import MisuseError
from .arguments import nonnegative, real, sound, unit
from .chains import Levels, Model, State, Step


def ddpm(variance: str = "small") -> Step:
    r"""DDPM, by the posterior of x_s given x_t and the predicted data (Ho et al. 2020, eqs. 6 and 7).

    .. math:: x_s = \frac{\sqrt{\bar\alpha_s}\,\beta}{1 - \bar\alpha_t} \hat x_0
              + \frac{\sqrt\alpha\,(1 - \bar\alpha_s)}{1 - \bar\alpha_t} x_t + \sigma z

    Args:
        variance: ``small``, that of the posterior, or ``large``, beta.

    Raises:
        MisuseError: for another variance.
    """
    if variance not in ("small", "large"):
        raise MisuseError(f"`variance` must be small or large, got {variance!r}.")

    def step(model: Model, state: State, z: Array, levels: Levels) -> State:
        alpha, beta = levels.t / levels.s, (levels.s - levels.t) / levels.s
        noise = beta if variance == "large" else beta * (1 - levels.s) / (1 - levels.t)
        from_data = sqrt(levels.s) * beta / (1 - levels.t) * model.x0(state.x, levels.t)
        from_state = sqrt(alpha) * (1 - levels.s) / (1 - levels.t) * state.x
        return State(from_data + from_state + sqrt(noise) * z[0], state.memory)

    return step


def ddim(eta: Any = 0.0) -> Step:
    r"""DDIM: fresh noise for the share eta^2 of the posterior's variance, the predicted noise for the rest (Song et al. 2021).

    .. math:: x_s = \sqrt{\bar\alpha_s}\,\hat x_0 + \sqrt{1 - \bar\alpha_s - f}\,\hat\epsilon + \sqrt{f}\,z, \qquad
              f = \eta^2 \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t} \beta

    Raises:
        MisuseError: if eta is not in [0, 1].
    """
    eta = real("eta", eta)
    eta = sound(eta, unit, "`eta` must lie in [0, 1]")

    def step(model: Model, state: State, z: Array, levels: Levels) -> State:
        fresh = eta**2 * (1 - levels.s) / (1 - levels.t) * (levels.s - levels.t) / levels.s
        stale = jnp.maximum(1 - levels.s - fresh, 0)
        x_s = sqrt(levels.s) * model.x0(state.x, levels.t) + sqrt(stale) * model.eps(state.x, levels.t) + sqrt(fresh) * z[0]
        return State(x_s, state.memory)

    return step


def euler_maruyama(model: Model, state: State, z: Array, levels: Levels) -> State:
    r"""Euler-Maruyama on the reverse VP SDE, over B, the integral of its beta (Song et al. 2021, SDE, eq. 6 with eq. 11).

    .. math:: x_s = x_t + B\,(\tfrac12 x_t + \nabla\log p) + \sqrt B\,z, \qquad B = -\log\alpha
    """
    B = jnp.log(levels.s) - jnp.log(levels.t)
    drift = state.x / 2 + model.score(state.x, levels.t)
    return State(state.x + B * drift + sqrt(B) * z[0], state.memory)


def reverse_diffusion(model: Model, state: State, z: Array, levels: Levels) -> State:
    r"""The reverse diffusion predictor (Song et al. 2021, SDE).

    .. math:: x_s = (2 - \sqrt\alpha) x_t + \beta \nabla\log p + \sqrt\beta\,z
    """
    beta = (levels.s - levels.t) / levels.s
    x_s = (2 - sqrt(levels.t / levels.s)) * state.x + beta * model.score(state.x, levels.t) + sqrt(beta) * z[0]
    return State(x_s, state.memory)


def flow_euler(model: Model, state: State, z: Array, levels: Levels) -> State:
    r"""Euler on the VP probability flow, beta for beta dt: :math:`x_s = x_t + \tfrac\beta2 (x_t + \nabla\log p)`."""
    beta = (levels.s - levels.t) / levels.s
    return State(state.x + beta / 2 * (state.x + model.score(state.x, levels.t)), state.memory)


def edm(gamma: Any = 0.0, noise: Any = 1.0) -> Step:
    r"""Heun on the probability flow over sigma, after some noise has been added (Karras et al. 2022, algorithm 2).

    .. math:: \hat\sigma = (1 + \gamma)\sigma_t, \qquad \hat x = \bar x_t + \sqrt{\hat\sigma^2 - \sigma_t^2}\,S z, \qquad
              \bar x' = \hat x + (\sigma_s - \hat\sigma)\,\hat\epsilon(\hat x, \hat\sigma),

    .. math:: \bar x_s = \hat x + (\sigma_s - \hat\sigma)\,
              \tfrac12 \bigl(\hat\epsilon(\hat x, \hat\sigma) + \hat\epsilon(\bar x', \sigma_s)\bigr).

    Onto the data, at :math:`\sigma_s = 0`, Euler's step it is. gamma = 0 is Heun's method alone.

    Args:
        gamma: the churn of each step (not S_churn, which is shared among the steps); not negative.
        noise: S_noise.

    Raises:
        MisuseError: if gamma or the noise is negative.
    """
    gamma, noise = real("gamma", gamma), real("noise", noise)
    gamma = sound(gamma, nonnegative, "`gamma` must not be negative")
    noise = sound(noise, nonnegative, "`noise` must not be negative")

    def step(model: Model, state: State, z: Array, levels: Levels) -> State:
        sigma_hat = (1 + gamma) * sigma(levels.t)
        added = sqrt(gamma * (2 + gamma)) * sigma(levels.t)  # the root of the difference of their squares
        x_hat = state.x / sqrt(levels.t) + added * noise * z[0]
        first = exploded_eps(model, x_hat, sigma_hat)
        euler = x_hat + (sigma(levels.s) - sigma_hat) * first
        second = jnp.where(levels.s == 1, first, exploded_eps(model, euler, sigma(levels.s)))
        return State(sqrt(levels.s) * (x_hat + (sigma(levels.s) - sigma_hat) * (first + second) / 2), state.memory)

    return step


def dpm_solver_pp_2m(model: Model, state: State, z: Array, levels: Levels) -> State:
    r"""DPM-Solver++(2M) (Lu et al. 2022): second order in :math:`\lambda = \log(1/\sigma)`, by the data predicted one step before.

    .. math:: D = \hat x_0 + \frac{h}{2 h_r}(\hat x_0 - \hat x_0^{(r)}), \qquad
              x_s = \frac{\sqrt{1 - \bar\alpha_s}}{\sqrt{1 - \bar\alpha_t}} x_t - \sqrt{\bar\alpha_s}\,(e^{-h} - 1) D,

    :math:`h = \lambda_s - \lambda_t`, :math:`h_r = \lambda_t - \lambda_r`; D is the predicted data on the first step.
    """
    x_hat = model.x0(state.x, levels.t)
    h, h_r = jnp.log(sigma(levels.t) / sigma(levels.s)), jnp.log(sigma(levels.r) / sigma(levels.t))
    weight = jnp.where(levels.r == levels.t, 0, h / (2 * jnp.where(h_r == 0, 1, h_r)))
    D = x_hat + weight * (x_hat - state.memory)
    return State(sqrt((1 - levels.s) / (1 - levels.t)) * state.x - sqrt(levels.s) * jnp.expm1(-h) * D, x_hat)


def corrected(step: Step, delta: Any) -> Step:
    r"""A step, and one of Langevin at the level it leads to: :math:`x \leftarrow x + \delta \nabla\log p_s(x) + \sqrt{2\delta}\,z`.

    Args:
        step: the predictor.
        delta: the length of the Langevin step, a number; one that follows the norms of a batch makes no affine map.

    Raises:
        MisuseError: if it is negative.
    """
    delta = real("delta", delta)
    delta = sound(delta, nonnegative, "`delta` must not be negative")

    def both(model: Model, state: State, z: Array, levels: Levels) -> State:
        x, memory = step(model, state, z, levels)
        return State(x + delta * model.score(x, levels.s) + sqrt(2 * delta) * z[1], memory)

    return both


def sigma(abar: Array) -> Array:
    """The noise level of the variance-exploding picture."""
    return sqrt((1 - abar) / abar)


def exploded_eps(model: Model, x_bar: Array, sigma_t: Array) -> Array:
    """The expected noise in that picture."""
    abar = 1 / (1 + sigma_t**2)
    return model.eps(sqrt(abar) * x_bar, abar)
