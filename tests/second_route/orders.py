r"""Orders of convergence, from single steps or from whole runs.

A multistep solver starts with steps of lower order, which set the slope of the whole; so its last step is looked at alone. It is
fed predictions :math:`e^\lambda` of the data, whatever the state, with :math:`\lambda = \log(\alpha / \sigma)`. Then the exact step
of the probability flow is known,

.. math:: \frac{x_s}{\sigma_s} = \frac{x_t}{\sigma_t} + \int_{\lambda_t}^{\lambda_s} e^u e^u \,du,

and the error of a step must fall as the power p + 1 of its size.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock, patch

import numpy as np
import torch

from .asked import Asked, quiet
from .driving import normals
from .opinion import Opinion

NUMBERS = (20, 40, 80)
LOW, HIGH = 0.1, 10.0
"""The noise over the signal of the grid."""
STEEP = 0.35
"""How far a slope may lie below what is claimed."""
Step = tuple[float, float, float, float, float, float]
"""sigma_t, alpha_t, x_t, sigma_s, alpha_s, x_s."""


def _slope(errors: list[float], sizes: list[float]) -> float:
    with np.errstate(divide="ignore"):
        return float(np.polyfit(np.log(sizes), np.log(np.maximum(np.abs(errors), 1e-300)), 1)[0])


def _of_single_steps(step: Callable[[int], Step], claimed: int) -> Opinion:
    errors, sizes = [], []
    for n in NUMBERS:
        sigma_t, alpha_t, x_t, sigma_s, alpha_s, x_s = step(n)
        here, there = math.log(alpha_t / sigma_t), math.log(alpha_s / sigma_s)
        integral = [math.exp(2 * u) / 2 for u in (here, there)]
        errors.append(x_s - sigma_s * (x_t / sigma_t + integral[1] - integral[0]))
        sizes.append(there - here)
    slope = _slope(errors, sizes)
    listed = ", ".join(f"{abs(error):.1e}" for error in errors)
    words = f"single steps in {NUMBERS} to the range are off by {listed}, which falls as their {slope:.2f}th power"
    return Opinion(slope < claimed + 1 - STEEP, f"{words}; order {claimed} has {claimed + 1}.")


def even(asked: Asked, n: int) -> tuple[Asked, Any, Any, Any]:
    """On n steps even in lambda: what is asked, its scheduler, and of its levels sigma / alpha, and alpha."""
    ratio = np.geomspace(LOW, HIGH, n + 1)
    levels = 1 / (1 + ratio**2)
    betas = (1 - levels / np.append(1.0, levels[:-1])).tolist()
    on = Asked(asked.name, n, None, {**asked.options, "trained_betas": betas, "num_train_timesteps": n + 1})
    scheduler = on.other(prediction_type="sample", final_sigmas_type="sigma_min").make()
    sigmas = scheduler.sigmas.double().numpy()
    return on, scheduler, sigmas, 1 / np.sqrt(1 + sigmas**2)


def multistep(asked: Asked) -> Opinion:
    """DPM-Solver multistep on a table of levels that are even in lambda."""

    def step(n: int) -> Step:
        _, scheduler, sigmas, alphas = even(asked, n)
        x = before = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
        for k, t in enumerate(scheduler.timesteps):
            before = x
            x = quiet(scheduler.step, torch.full_like(x, 1 / sigmas[k]), t, x).prev_sample
        k = len(scheduler.timesteps) - 1
        return sigmas[k] * alphas[k], alphas[k], float(before), sigmas[k + 1] * alphas[k + 1], alphas[k + 1], float(x)

    return _of_single_steps(step, asked.options["solver_order"])


def edm(asked: Asked) -> Opinion:
    """DPM-Solver in EDM's words: x_0 is c_skip x + c_out F (Karras et al. 2022, table 1)."""

    def step(n: int) -> Step:
        on = asked.other(sigma_min=LOW, sigma_max=HIGH, sigma_schedule="exponential", final_sigmas_type="sigma_min")
        scheduler = Asked(asked.name, n, None, on.options).make()
        sigmas, wide = scheduler.sigmas.double().numpy(), scheduler.config.sigma_data
        x = before = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
        for k, t in enumerate(scheduler.timesteps[:-1]):
            before, sigma = x, sigmas[k]
            x_0 = 1 / sigma
            total = sigma**2 + wide**2
            told = (x_0 - wide**2 / total * x) / (sigma * wide / math.sqrt(total))
            x = quiet(scheduler.step, told, t, x).prev_sample
        return sigmas[k], 1.0, float(before), sigmas[k + 1], 1.0, float(x)

    return _of_single_steps(step, asked.options["solver_order"])


def k_diffusion(asked: Asked) -> Opinion:
    """A sampler of k-diffusion; the states before and after its last step are seen by its model."""
    orders = {"sample_dpmpp_3m_sde": 3, "sample_dpmpp_2m_sde": 2, "sample_dpmpp_2m": 2}

    def step(n: int) -> Step:
        sigmas, seen = torch.logspace(math.log10(HIGH), math.log10(LOW), n + 1, dtype=torch.float64), []

        def model(x: Any, sigma: Any) -> Any:
            return torch.full_like(x, 1 / float(sigma[0]))

        noise = {} if asked.name == "sample_dpmpp_2m" else {"eta": 0.0, "noise_sampler": lambda *_: 0.0}
        call = getattr(_sampling(), asked.name)
        end = call(model, torch.zeros(1, 1, 1, 1, dtype=torch.float64), sigmas, disable=True, callback=seen.append, **noise)
        return float(sigmas[-2]), 1.0, float(seen[-1]["x"]), float(sigmas[-1]), 1.0, float(end)

    return _of_single_steps(step, orders[asked.name])


def _sampling() -> ModuleType:
    """``k_diffusion/sampling.py`` alone; what it imports and its solvers do not call is stood in for."""
    package = importlib.util.find_spec("k_diffusion")
    place = Path(next(iter(package.submodule_search_locations))) / "sampling.py"  # type: ignore[union-attr, arg-type]
    spec = importlib.util.spec_from_file_location("k_diffusion.sampling", place)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    absent = ("torchdiffeq", "torchsde", "k_diffusion", "k_diffusion.utils")
    with patch.dict(sys.modules, {name: MagicMock() for name in absent}):
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def azula(asked: Asked) -> Opinion:
    """A multistep sampler of azula on N(0.3, v), from t = 0.9 to t = 0.1 of a schedule of its own: how far off it ends.

    The largest error of three v counts, since that of one can change its sign on the way.
    """
    import azula.noise
    import azula.sample
    from azula.denoise import Denoiser, DiracPosterior

    options = dict(asked.options)
    schedule, claimed = getattr(azula.noise, options.pop("schedule", "VPSchedule"))(), options.get("order", 2)
    m, v = 0.3, torch.tensor([0.04, 0.5, 2.0], dtype=torch.float64)

    class Exact(Denoiser):
        def __init__(self) -> None:
            super().__init__()
            self.schedule = schedule

        def forward(self, x: Any, t: Any, **_: Any) -> Any:
            alpha, sigma = self.schedule(t)
            return DiracPosterior(m + alpha * v / (alpha**2 * v + sigma**2) * (x - alpha * m))

    (first, high), (last, low) = (schedule(torch.tensor(t, dtype=torch.float64)) for t in (0.9, 0.1))
    before, after = ((alpha**2 * v + sigma**2).sqrt() for alpha, sigma in ((first, high), (last, low)))
    numbers, errors = (*NUMBERS, 160), []
    for n in numbers:
        sampler = getattr(azula.sample, asked.name)(
            Exact(), start=0.9, stop=0.1, steps=n, silent=True, dtype=torch.float64, **options
        )
        off = sampler(first * m + before) - (last * m + after)  # the flow keeps a state at one deviation above the mean
        errors.append(float((off / after).abs().max()))
    slope = _slope(errors[1:], [1 / n for n in numbers[1:]])
    listed = ", ".join(f"{error:.1e}" for error in errors)
    words = f"on N({m}, v) the error in {numbers[0]} to {numbers[-1]} steps is {listed}, which falls as their {slope:.2f}th power"
    return Opinion(slope < claimed - STEEP, f"{words}; order {claimed} is claimed.")


def stochastic(asked: Asked) -> Opinion:
    """A solver of the reverse SDE on N(0.3, 4), even in lambda: do 100 000 draws come nearer to the law with more steps?"""
    m, v, off = 0.3, 4.0, []
    for n in NUMBERS:
        on, scheduler, sigmas, alphas = even(asked, n)
        scales = list(zip(alphas, sigmas * alphas, strict=True))
        alpha, sigma = scales[0]
        x = alpha * m + math.sqrt(alpha**2 * v + sigma**2) * normals()
        given = on.given(scheduler, 1)
        for (alpha, sigma), t in zip(scales, scheduler.timesteps, strict=False):
            x_0 = m + alpha * v / (alpha**2 * v + sigma**2) * (x - alpha * m)
            x = quiet(scheduler.step, x_0, t, x, **given).prev_sample
        alpha, sigma = scales[-1]
        off.append(float(x.std()) / math.sqrt(alpha**2 * v + sigma**2) - 1)
    listed = ", ".join(f"{one:.3f}" for one in off)
    words = f"in {', '.join(map(str, NUMBERS))} steps the standard deviation of N({m}, {v:g}) ends relatively off by {listed}"
    slow = abs(off[-1]) > 0.02 + abs(off[0]) / 2 ** (len(NUMBERS) - 1 - STEEP)
    return Opinion(slow, f"{words}; first order at least is to quarter it.")


def order(asked: Asked) -> Opinion:
    """By the class."""
    if str(asked.options.get("algorithm_type", "")).startswith("sde"):
        return stochastic(asked)
    return next(route for prefix, route in _routes() if asked.name.startswith(prefix))(asked)


def _routes() -> Iterator[tuple[str, Callable[[Asked], Opinion]]]:
    yield "sample_", k_diffusion
    yield "EDM", edm
    yield "DPMSolverMultistep", multistep
    yield "", azula
