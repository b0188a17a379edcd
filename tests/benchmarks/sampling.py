"""How fast the reference samplers draw: ``python -m tests.benchmarks.sampling [ROUNDS]``.

The exact score of a mixture of eight Gaussians, 50 steps. Every round times, one after the other, the sampler, the random
generator alone (as many normals in a compiled scan), and diffusers' own loop on the same score; what is printed are medians of
ratios within a round, so that a busy machine slows both sides: on the clock, and of the work of all cores, which others on the
machine disturb less. Compilation is told apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from verifydiff.samplers import DDIM, DDPM, Draws, draws, spaced
from verifydiff.schedule import Schedule

STEPS, COMPONENTS, VARIANCE = 50, 8, 0.1
SIZES = {2: 131_072, 64: 16_384}
"""Draws in each dimension: as many numbers as a mebibyte or four holds."""
LEVELS = spaced(Schedule.linear(1000).abar, STEPS)


def means(d):
    return (2 * np.random.default_rng(0).standard_normal((COMPONENTS, d))).astype(np.float32)


def mixture(d) -> Callable[..., Any]:
    """The exact model of the mixture, over states of shape (C, d), by matrix products.

    Components come first where coordinates do. Sums over them are one matrix product, which is several times faster than sums
    along an axis. What is used several times stands behind a barrier: the compiler would compute it anew each time.
    """
    mu = means(d)
    squares, sums = (mu**2).sum(1), np.vstack([np.ones(COMPONENTS, np.float32), mu.T])

    def columns(x_t, a):
        x, spread = x_t.T, a * VARIANCE + 1 - a
        logits = lax.optimization_barrier((jnp.sqrt(a) / spread * mu) @ x - (a * squares / (2 * spread))[:, None])
        shares = lax.optimization_barrier(jnp.exp(logits - logits.max(0, keepdims=True)))
        total, *centre = sums @ shares
        return (jnp.sqrt(1 - a) / spread * (x - jnp.sqrt(a) * jnp.stack(centre) / total[None, :])).T

    def rows(x_t, a):
        spread = a * VARIANCE + 1 - a
        logits = jnp.sqrt(a) / spread * (x_t @ mu.T) - (a * squares / (2 * spread))[None, :]
        return jnp.sqrt(1 - a) / spread * (x_t - jnp.sqrt(a) * (jax.nn.softmax(logits, axis=-1) @ mu))

    return columns if d <= draws.NARROW else rows


def floor(d, n):
    """The random generator alone: the normals of every step, added up, in one compiled scan."""

    @jax.jit
    def drawn(key):
        def step(total, k):
            return total + random.normal(random.fold_in(key, k), (n, d), "float32"), None

        return lax.scan(step, jnp.zeros((n, d), "float32"), jnp.arange(STEPS))[0]

    return lambda r: drawn(random.key(r)).block_until_ready()


def ours(sampler, d, n, cores=2):
    """The chunks of n draws, shared out over the cores, each core running its share in one compiled program."""
    drawing = Draws(sampler, mixture(d), LEVELS, d)
    shares = np.array_split(np.arange(n // drawing.chunk_size, dtype=np.uint32), min(cores, n // drawing.chunk_size))
    share = jax.jit(lambda chunks, key: lax.map(partial(drawing.chunk, key=key), chunks))
    pool = ThreadPoolExecutor(cores)

    def run(r):
        key = random.key(r)
        return np.concatenate(list(pool.map(lambda chunks: np.asarray(share(chunks, key)), shares))).reshape(-1, d)

    return run


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
    """Seconds on the clock, and of all cores' work."""
    began, worked = time.perf_counter(), time.process_time()
    function(r)
    return time.perf_counter() - began, time.process_time() - worked


def measure(d, n, rounds, beside=True) -> dict[str, Any]:
    """Seconds of every round, shape (2, rounds), on the clock and of work, by name; and of the first calls, which compile."""
    runs = {"floor": floor(d, n), "DDPM": ours(DDPM(), d, n), "DDIM(0)": ours(DDIM(), d, n)}
    if beside:
        runs |= {"diffusers, matrix": diffusers_loop(d, n, plain=False), "diffusers, plain": diffusers_loop(d, n, plain=True)}
    first = {name: timed(run, 0)[0] for name, run in runs.items()}
    seconds = [[timed(run, 1 + r) for run in runs.values()] for r in range(rounds)]
    return {"first": first, "seconds": dict(zip(runs, np.moveaxis(np.array(seconds), (0, 1, 2), (2, 0, 1)), strict=True))}


def ratio(found, one, other):
    """The median over the rounds of one time over another of the same round: on the clock, and of work."""
    return np.median(found["seconds"][one] / found["seconds"][other], axis=1)


def report(d, n, found) -> None:
    seconds, first = found["seconds"], found["first"]
    print(f"\nd = {d}, {n:,} draws, {STEPS} steps; medians of {len(seconds['floor'][0])} rounds, on the clock and of work")
    for name, times in seconds.items():
        clock, work = 1e3 * np.median(times, axis=1)
        over = " and ".join(f"{one:5.2f}" for one in ratio(found, name, "floor"))
        rest = f", first call {first[name]:5.2f} s" if not name.startswith("diffusers") else ""
        print(f"  {name:18s} {clock:7.0f} ms, {work:7.0f} ms; {over} of the generator alone{rest}")
    for name in seconds:
        if name.startswith("diffusers"):
            print(f"  DDPM is {' and '.join(f'{one:5.1f}' for one in ratio(found, name, 'DDPM'))} times faster than {name}")


if __name__ == "__main__":
    for dimension, number in SIZES.items():
        report(dimension, number, measure(dimension, number, int(sys.argv[1]) if len(sys.argv) > 1 else 7))
