"""Clean samplers, written by hand as their papers write them, for the package to call right; and what makes mutants of them.

They share no code with the package: tables, grids and steps are their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

T = 100
BETAS = np.linspace(1e-3, 0.2, T)
ABAR = np.cumprod(1 - BETAS)
Sample = Callable[..., Any]


def trailing(steps: int) -> list[int]:
    return [round(T * (steps - i) / steps) - 1 for i in range(steps)]


def leading(steps: int) -> list[int]:
    return [i * (T // steps) for i in reversed(range(steps))]


def ddpm(variance: str = "small") -> Sample:
    """Algorithm 2 of Ho et al. 2020, all T steps, by the eps form of the mean."""

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for t in reversed(range(T)):
            eps = denoise(x, t)
            x = (x - BETAS[t] / np.sqrt(1 - ABAR[t]) * eps) / np.sqrt(1 - BETAS[t])
            if t > 0:
                spread = BETAS[t] if variance == "large" else BETAS[t] * (1 - ABAR[t - 1]) / (1 - ABAR[t])
                x = x + np.sqrt(spread) * rng.standard_normal(x.shape)
        return x

    return sample


def ddpm_by_x0(steps: int = 10, grid: Callable[[int], list[int]] = trailing, clip: float | None = None) -> Sample:
    """The strided chain by the posterior's two weights, as libraries write it."""
    times = grid(steps)

    def sample(denoise, x, seed):
        rng = np.random.RandomState(seed)
        for i, t in enumerate(times):
            here = ABAR[t]
            there = ABAR[times[i + 1]] if i + 1 < steps else 1.0
            alpha = here / there
            x0 = (x - np.sqrt(1 - here) * denoise(x, t)) / np.sqrt(here)
            if clip is not None:
                x0 = np.clip(x0, -clip, clip)
            x = np.sqrt(there) * (1 - alpha) / (1 - here) * x0 + np.sqrt(alpha) * (1 - there) / (1 - here) * x
            if i + 1 < steps:
                x = x + np.sqrt((1 - there) / (1 - here) * (1 - alpha)) * rng.randn(*x.shape)
        return x

    return sample


def ddim(eta: float = 0.0, steps: int = 10, grid: Callable[[int], list[int]] = trailing) -> Sample:
    """Eq. 12 of Song et al. 2021 with the sigma of eq. 16; all noise is drawn before the first step."""
    times = grid(steps)

    def sample(denoise, x, seed):
        noise = np.random.default_rng(seed).normal(0.0, 1.0, (steps, *x.shape))
        for i, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[i + 1]] if i + 1 < steps else 1.0
            sigma = eta * np.sqrt((1 - there) / (1 - here)) * np.sqrt(1 - here / there)
            eps = denoise(x, np.full(len(x), t))
            x0 = (x - np.sqrt(1 - here) * eps) / np.sqrt(here)
            x = np.sqrt(there) * x0 + np.sqrt(1 - there - sigma**2) * eps + sigma * noise[i]
        return x

    return sample


def euler(ancestral: bool = False, steps: int = 10) -> Sample:
    """Euler's method in sigma space, with the model asked in variance-preserving coordinates."""
    times = leading(steps)
    sigmas = [*np.sqrt((1 - ABAR[times]) / ABAR[times]), 0.0]

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        x = x * np.sqrt(1 + sigmas[0] ** 2)
        for t, high, low in zip(times, sigmas, sigmas[1:], strict=False):
            eps = denoise(x / np.sqrt(1 + high**2), t)
            up = np.sqrt(low**2 * (high**2 - low**2) / high**2) if ancestral else 0.0
            x = x + (np.sqrt(low**2 - up**2) - high) * eps
            if ancestral:
                x = x + up * rng.standard_normal(x.shape)
        return x

    return sample


def in_single_precision(denoise, x, seed):
    """DDIM(0) whose tables and states are float32."""
    abar = np.cumprod(1 - BETAS.astype(np.float32))
    x = x.astype(np.float32)
    for t in reversed(range(T)):
        there = abar[t - 1] if t else np.float32(1)
        eps = denoise(x, t)
        x = np.sqrt(there) * (x - np.sqrt(1 - abar[t]) * eps) / np.sqrt(abar[t]) + np.sqrt(1 - there) * eps
    return x


RIGHT: dict[str, Sample] = {
    "ddpm": ddpm(),
    "ddpm-large": ddpm("large"),
    "ddpm-strided-by-x0": ddpm_by_x0(13),
    "ddpm-clipped": ddpm_by_x0(10, clip=1.0),
    "ddim-0": ddim(0.0, 12),
    "ddim-0.3": ddim(0.3, 7, leading),
    "ddim-1": ddim(1.0),
    "ddim-one-step": ddim(0.0, 1),
    "euler": euler(),
    "euler-ancestral": euler(ancestral=True),
    "single-precision": in_single_precision,
}
