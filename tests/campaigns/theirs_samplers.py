"""Samplers as other teams write them, right and with a slip."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from verifydiff.samplers import DDIM
from verifydiff.schedule import Schedule

ABAR = Schedule.linear(1000).abar
TIMES = np.arange(999, -1, -100)  # t, the index in the table of betas; the level is ABAR[t + 1]


def run(denoise, x, step):
    for t, s in zip(TIMES, [*TIMES[1:], -1], strict=True):
        x = step(x, denoise(x, int(t)), ABAR[t + 1], ABAR[s + 1])
    return x


def ddim_step(x, eps, abar_t, abar_s):
    x_0 = (x - np.sqrt(1 - abar_t) * eps) / np.sqrt(abar_t)
    return np.sqrt(abar_s) * x_0 + np.sqrt(1 - abar_s) * eps


def ddim(denoise, x_init, seed):
    return run(denoise, x_init, ddim_step)


def late(denoise, x_init, seed):
    """Each step begins at the level of the index itself, one too clean."""
    x = x_init
    for t, s in zip(TIMES, [*TIMES[1:], -1], strict=True):
        x = ddim_step(x, denoise(x, int(t)), ABAR[t], ABAR[s + 1])
    return x


def halved(denoise, x_init, seed):
    """It begins with half of the noise."""
    return run(denoise, x_init / 2, ddim_step)


def ancestral(noise):
    """DDPM with the small variance, and noise of any law with mean 0 and variance 1."""

    def sample(denoise, x_init, seed):
        rng = np.random.default_rng(seed)

        def step(x, eps, abar_t, abar_s):
            alpha = abar_t / abar_s
            mean = (x - (1 - alpha) / np.sqrt(1 - abar_t) * eps) / np.sqrt(alpha)
            return mean + np.sqrt((1 - alpha) * (1 - abar_s) / (1 - abar_t)) * noise(rng, x.shape)

        return run(denoise, x_init, step)

    return sample


ddpm = ancestral(lambda rng, shape: rng.standard_normal(shape))
ddpm_signs = ancestral(lambda rng, shape: rng.choice([-1.0, 1.0], shape))
ddpm_shared = ancestral(lambda rng, shape: np.broadcast_to(rng.standard_normal(shape[1:]), shape))


def diffrax_euler(denoise, x_init, seed):
    """The probability flow in y = x / sqrt(abar) over u = sqrt((1 - abar) / abar), where dy / du = eps, by diffrax."""
    import diffrax
    import jax.numpy as jnp

    levels = np.append(ABAR[TIMES + 1], 1.0)
    u = np.sqrt((1 - levels) / levels)

    def slope(at, y, args):
        k = int(np.argmin(np.abs(u - float(at))))
        return denoise(y * np.sqrt(levels[k]), int(TIMES[k]))

    solver, term = diffrax.Euler(), diffrax.ODETerm(slope)
    y = jnp.asarray(x_init) / np.sqrt(levels[0])
    for one, two in pairwise(u):
        y, *_ = solver.step(term, one, two, y, None, None, made_jump=False)
    return y


def raises_late(denoise, x_init, seed):
    """It runs with few rows, and not with many."""
    if len(x_init) > 10:
        raise MemoryError("too many")
    return ddim(denoise, x_init, seed)


def not_finite(denoise, x_init, seed):
    x = ddim(denoise, x_init, seed)
    return np.where(np.arange(len(x))[:, None] == 17, np.nan, x)


class InJax(DDIM):
    """A sampler in JAX that somebody has derived from ours."""


class Stale(DDIM):
    """The same, with a slip: a step leads halfway."""

    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        return super().kernel(x_t, eps_hat, abar_t, (abar_t + abar_s) / 2)
