r"""What a state holds at a told time, :math:`\alpha x_0 + \sigma\epsilon`, by formulas of the papers in float64.

Nothing here looks into a table of the library.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SIGMA_SPACE = (
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
)
"""Whose states are x_0 + sigma eps, and are divided by sqrt(1 + sigma^2) before the model is asked."""


def betas(config: Any) -> np.ndarray:
    """The betas that the options name."""
    T, low, high = config.num_train_timesteps, config.beta_start, config.beta_end
    if config.get("trained_betas") is not None:
        return np.array(config.trained_betas, dtype=np.float64)
    if config.beta_schedule == "linear":
        return np.linspace(low, high, T)
    if config.beta_schedule == "scaled_linear":
        return np.linspace(low**0.5, high**0.5, T) ** 2
    if config.beta_schedule == "sigmoid":
        return low + (high - low) / (1 + np.exp(-np.linspace(-6, 6, T)))
    if config.beta_schedule == "squaredcos_cap_v2":
        f = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.minimum(1 - f[1:] / f[:-1], 0.999)
    raise ValueError(f"no formula here for the betas {config.beta_schedule!r}.")


def abar(config: Any) -> np.ndarray:
    """prod(1 - beta), with CogVideoX's shift of the signal-to-noise ratio and the zero terminal one (Lin et al. 2024, alg. 1)."""
    product = np.cumprod(1 - betas(config))
    shift = config.get("snr_shift_scale", 1.0)
    product = product / (shift + (1 - shift) * product)
    if config.get("rescale_betas_zero_snr"):
        root = np.sqrt(product)
        product = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return product


def is_flow(scheduler: Any) -> bool:
    """Whether the states are (1 - sigma) x_0 + sigma eps."""
    return bool(scheduler.config.get("use_flow_sigmas")) or type(scheduler).__name__.startswith("FlowMatch")


def table(scheduler: Any) -> np.ndarray:
    """Noise over signal at every whole time."""
    levels = abar(scheduler.config)
    return np.sqrt((1 - levels) / np.maximum(levels, 1e-300))


def told(scheduler: Any, t: Any) -> tuple[float, float]:
    """(alpha, sigma) of what the model is handed at time t."""
    t, config = float(t), scheduler.config
    if type(scheduler).__name__ == "IPNDMScheduler":
        return math.sin((1 - t) * math.pi / 2), math.sin(t * math.pi / 2)
    if is_flow(scheduler):
        share = t / config.num_train_timesteps
        return (share, 1 - share) if config.get("invert_sigmas") else (1 - share, share)
    if t == int(t):
        level = float(abar(config)[int(t)])
        return math.sqrt(level), math.sqrt(1 - level)
    ratio = float(np.interp(t, np.arange(config.num_train_timesteps), table(scheduler)))
    return 1 / math.hypot(1, ratio), ratio / math.hypot(1, ratio)


def final(scheduler: Any) -> float:
    """abar of what is returned, as the options say."""
    return 1.0 if scheduler.config.get("set_alpha_to_one", True) else float(abar(scheduler.config)[0])
