"""Times, tables, and mixtures of data and noise, by NumPy alone."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import torch
from diffusers import schedulers

from .asked import Asked, quiet
from .levels import SIGMA_SPACE, abar, is_flow, table, told
from .opinion import Opinion
from .running import outcome


def told_time(asked: Asked) -> Opinion:
    """The sigma of each step, looked up in the table: is it the told time, rounded to the nearest?"""
    scheduler = asked.make()
    times = scheduler.timesteps.double().numpy()
    sigmas = scheduler.sigmas.double().numpy()[: len(times)]
    T = scheduler.config.num_train_timesteps
    meant = sigmas * T if is_flow(scheduler) else np.interp(np.log(sigmas), np.log(table(scheduler)), np.arange(T))
    off = np.abs(times - meant)
    k = int(np.argmax(off))
    words = f"told t = {times[k]:.6g} at step {k}, whose sigma of {sigmas[k]:.6g} is that of t = {meant[k]:.6g}"
    return Opinion(
        bool(off[k] > 0.51), f"{np.count_nonzero(off > 0.51)} of {len(times)} times are more than half an index off; {words}."
    )


def time_grid(asked: Asked) -> Opinion:
    """Are the times strictly falling?"""
    times = asked.make().timesteps.double().numpy()
    twice = np.flatnonzero(np.diff(times) >= 0)
    words = f"t = {times[twice[0]]:g} is followed by t = {times[twice[0] + 1]:g}" if twice.size else "all fall"
    return Opinion(bool(twice.size), f"{twice.size} of {len(times) - 1} times do not fall: {words}.")


def tables(asked: Asked) -> Opinion:
    """The stored abar against the product of float64: does it fall, and is it right?"""
    scheduler = asked.make()
    stored, right = scheduler.alphas_cumprod.double().numpy(), abar(scheduler.config)
    rises = np.flatnonzero(np.diff(stored) > 0)
    off = np.abs(stored - right)
    k = int(rises[0]) + 1 if rises.size else int(np.argmax(off))
    words = f"alphas_cumprod[{k}] is {stored[k]:.4g} after {stored[k - 1]:.4g}; by the formula in float64 it is {right[k]:.4g}"
    return Opinion(bool(rises.size or off.max() > 1e-5), f"{words}.")


def round_trip(asked: Asked) -> Opinion:
    """Every mixture that the class offers, at every time of its grid, against alpha x_0 + sigma eps and alpha eps - sigma x_0."""
    if asked.name in INVERSES and (wrong := _way_back(asked)):
        return Opinion(True, f"a plain loop of {INVERSES[asked.name]} with the same options {wrong}.")
    scheduler = asked.make()
    x_0, eps = (torch.tensor(value, dtype=torch.float64).reshape(1, 1, 1, 1) for value in (0.7, -0.4))
    found, words = [], []
    for name in ("add_noise", "scale_noise", "get_velocity"):
        if not hasattr(scheduler, name):
            continue
        off = [(*_mixed(asked, name, t, x_0, eps), float(t)) for t in scheduler.timesteps if _is_told(scheduler, t)]
        got, right, t = max(off, key=lambda one: abs(one[0] - one[1]))
        found.append(abs(got - right) > 5e-4)
        words.append(f"{name} at t = {t:.6g} makes {got:.5g} of data 0.7 and noise -0.4, which should be {right:.5g}")
    wrong = [told_of for told_of, off in zip(words, found, strict=True) if off]
    return Opinion(bool(wrong), f"{'; '.join(wrong or words)}.")


INVERSES = {"DPMSolverMultistepScheduler": "DPMSolverMultistepInverseScheduler"}


def _way_back(asked: Asked) -> str:
    """What goes wrong with the inverse scheduler, in single precision or on states in double."""
    kind = getattr(schedulers, INVERSES[asked.name])
    taken = {key: value for key, value in asked.options.items() if key in inspect.signature(kind.__init__).parameters}
    inverse = Asked(kind.__name__, asked.steps, asked.eta, taken)
    return outcome(inverse, torch.float32) or outcome(inverse, torch.float64)


def _is_told(scheduler: Any, t: Any) -> bool:
    """Times that are whole because they were cut stand for no level of the grid."""
    if not is_flow(scheduler):
        return True
    k = int((scheduler.timesteps == t).nonzero()[0])
    return abs(float(t) - float(scheduler.sigmas[k]) * scheduler.config.num_train_timesteps) < 1e-3


def _mixed(asked: Asked, name: str, t: Any, x_0: Any, eps: Any) -> tuple[float, float]:
    scheduler = asked.make()
    alpha, sigma = told(scheduler, t)
    if name == "get_velocity":
        return float(scheduler.get_velocity(x_0, eps, t.reshape(1))), float(alpha * eps - sigma * x_0)
    arguments = (x_0, eps, t.reshape(1)) if name == "add_noise" else (x_0, t.reshape(1), eps)
    scale = alpha if asked.name in SIGMA_SPACE else 1.0
    return float(quiet(getattr(scheduler, name), *arguments)) * scale, float(alpha * x_0 + sigma * eps)


def identity(asked: Asked) -> Opinion:
    """``step`` and ``batch_step_no_noise`` on the same numbers, the noise of the first taken off by a second call."""
    scheduler, worst, words, count = asked.make(), 0.0, "", 0
    zero, one = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.full((1, 1, 1, 1), 1e-4, dtype=torch.float64)
    for k, t in enumerate(scheduler.timesteps):
        for what, pair in (("state", (zero, one)), ("prediction", (one, zero))):

            def plain(prediction: Any, x: Any, t: Any = t) -> Any:
                return asked.make().step(prediction, t, x, **asked.given(scheduler, 1)).prev_sample

            a = float(quiet(plain, *pair) - quiet(plain, zero, zero)) / 1e-4
            b = float(quiet(asked.make().batch_step_no_noise, pair[0], t.reshape(1), pair[1])) / 1e-4
            count += abs(a - b) > 2e-3 * max(1.0, abs(a))
            if abs(a - b) > worst:
                worst = abs(a - b)
                words = f"at step {k}, t = {int(t)}, the {what} counts {a:.5g} in step and {b:.5g} in batch_step_no_noise"
    if not math.isfinite(worst) or not words:
        words = words or "no step differs"
    return Opinion(count > 0, f"{count} weights differ; {words}.")
