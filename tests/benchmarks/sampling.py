r"""How fast the reference samplers draw: ``python -m tests.benchmarks.sampling [ROUNDS]``.

The exact score of a mixture of eight Gaussians, 50 steps. Every round times, one after the other, the sampler, the random
generator alone (as many normals in a compiled scan), and diffusers' own loop on the same score; what is printed are medians of
ratios within a round, so that a busy machine slows both sides. Compilation is told apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from verifydiff.samplers import DDIM, DDPM, Draws, spaced
from verifydiff.schedule import Schedule

STEPS, COMPONENTS, VARIANCE = 50, 8, 0.1
SIZES = {2: 131_072, 64: 16_384}
"""Draws in each dimension: as many numbers as a mebibyte or four holds."""
LEVELS = spaced(Schedule.linear(1000).abar, STEPS)
NARROW = 8
"""Up to this dimension arrays go with the coordinates, or the components, first: the long axis is then the one that is
vectorised."""


def means(d):
    return (2 * np.random.default_rng(0).standard_normal((COMPONENTS, d))).astype(np.float32)


def mixture(d) -> Callable[..., Any]:
    """The exact model of the mixture, over states of shape (C, d), by matrix products.

    The exponentials stand behind a barrier: the compiler would compute them anew for every sum that they are part of.
    """
    mu = means(d)
    squares = (mu**2).sum(1)

    def columns(x_t, a):
        x, spread = x_t.T, a * VARIANCE + 1 - a
        products = sum(mu[:, j, None] * x[j][None, :] for j in range(d))
        logits = jnp.sqrt(a) / spread * products - (a * squares / (2 * spread))[:, None]
        shares = lax.optimization_barrier(jnp.exp(logits - logits.max(0, keepdims=True)))
        centre = jnp.stack([(shares * mu[:, j, None]).sum(0) for j in range(d)]) / shares.sum(0)[None, :]
        return (jnp.sqrt(1 - a) / spread * (x - jnp.sqrt(a) * centre)).T

    def rows(x_t, a):
        spread = a * VARIANCE + 1 - a
        logits = jnp.sqrt(a) / spread * (x_t @ mu.T) - (a * squares / (2 * spread))[None, :]
        return jnp.sqrt(1 - a) / spread * (x_t - jnp.sqrt(a) * (jax.nn.softmax(logits, axis=-1) @ mu))

    return columns if d <= NARROW else rows


def floor(d, n):
    """The random generator alone: the normals of every step, added up, in one compiled scan."""

    @jax.jit
    def drawn(key):
        def step(total, k):
            return total + random.normal(random.fold_in(key, k), (n, d), "float32"), None

        return lax.scan(step, jnp.zeros((n, d), "float32"), jnp.arange(STEPS))[0]

    return lambda r: drawn(random.key(r)).block_until_ready()


def ours(sampler, d, n):
    draws = Draws(sampler, mixture(d), LEVELS, d)
    return lambda r: draws.at(np.arange(n), key=random.key(r))


def diffusers_loop(d, n, plain):
    """diffusers' DDPM as its users run it, on the score in matrix form or written plainly, with an array (n, 8, d)."""
    import torch
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(
        1000, 1e-4, 0.02, "linear", variance_type="fixed_small", clip_sample=False, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(STEPS)
    mu = torch.from_numpy(means(d))
    squares = (mu**2).sum(1)

    def eps(x, a):
        spread = a * VARIANCE + 1 - a
        if plain:
            apart = x[:, None, :] - a**0.5 * mu[None]
            shares = torch.softmax(-(apart**2).sum(-1) / (2 * spread), dim=1)
            return (1 - a) ** 0.5 * (shares[:, :, None] * apart).sum(1) / spread
        logits = a**0.5 / spread * (x @ mu.T) - a * squares / (2 * spread)
        return (1 - a) ** 0.5 / spread * (x - a**0.5 * torch.softmax(logits, dim=1) @ mu)

    def run(r):
        generator = torch.Generator().manual_seed(r)
        x = torch.randn(n, d, generator=generator)
        with torch.no_grad():
            for t in scheduler.timesteps:
                x = scheduler.step(eps(x, float(scheduler.alphas_cumprod[t])), t, x, generator=generator).prev_sample
        return x.numpy()

    return run


def timed(function, r):
    began = time.perf_counter()
    function(r)
    return time.perf_counter() - began


def measure(d, n, rounds, beside=True) -> dict[str, Any]:
    """Seconds of every round, shape (rounds,), by name; and of the first calls, which compile."""
    runs = {"floor": floor(d, n), "DDPM": ours(DDPM(), d, n), "DDIM(0)": ours(DDIM(), d, n)}
    if beside:
        runs |= {"diffusers, matrix": diffusers_loop(d, n, plain=False), "diffusers, plain": diffusers_loop(d, n, plain=True)}
    first = {name: timed(run, 0) for name, run in runs.items()}
    seconds = [[timed(run, 1 + r) for run in runs.values()] for r in range(rounds)]
    return {"first": first, "seconds": dict(zip(runs, np.array(seconds).T, strict=True))}


def ratio(found, one, other) -> float:
    """The median over the rounds of one time over another of the same round."""
    return float(np.median(found["seconds"][one] / found["seconds"][other]))


def report(d, n, found) -> None:
    seconds, first = found["seconds"], found["first"]
    print(f"\nd = {d}, {n:,} draws, {STEPS} steps; medians of {len(seconds['floor'])} rounds")
    for name, times in seconds.items():
        rest = f"  first call {first[name]:5.2f} s" if not name.startswith("diffusers") else ""
        print(f"  {name:18s} {1e3 * np.median(times):8.0f} ms  {ratio(found, name, 'floor'):6.2f} of the generator alone{rest}")
    for name in seconds:
        if name.startswith("diffusers"):
            print(f"  DDPM is {ratio(found, name, 'DDPM'):5.1f} times faster than {name}")


if __name__ == "__main__":
    for dimension, number in SIZES.items():
        report(dimension, number, measure(dimension, number, int(sys.argv[1]) if len(sys.argv) > 1 else 7))
