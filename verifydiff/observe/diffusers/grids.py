"""Ever more steps between two fixed levels, for measuring orders of convergence.

They are evenly spaced in the logarithm of the noise over the signal wherever that can be had. Where a class has betas, it is handed
a table of as many levels as there are steps, and asked to visit every one, so that no time is rounded; others are handed their
sigmas, or times, or the ends of a range that they divide evenly themselves. Two classes divide their own time evenly, and take
nothing else: there the law is smooth in time, and the order is that of their own steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..refinable import CHURN
from .tables import HIGHEST, LOWEST, betas_of, evenly_in_log

ONE_BELOW = ("DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler",
             "SASolverScheduler", "DPMSolverMultistepInverseScheduler")  # fmt: skip
"""Classes whose linspace has a point more than steps, the last level of the table being where they end."""
CHOSEN_SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "rescale_betas_zero_snr")
UNSHIFTED = {"shift": 1.0, "flow_shift": 1.0, "use_dynamic_shifting": False, "shift_terminal": None, "invert_sigmas": False}
FLOWS = ("FlowMatchEulerDiscreteScheduler", "FlowMapEulerDiscreteScheduler", "HeliosScheduler")
"""Classes that take the sigmas of their steps, and go on to 0."""
FLOWS_WITH_THE_END = ("LTXEulerAncestralRFScheduler", "MiniMaxH3Scheduler")
"""Classes that take the sigmas of their steps and the 0 after them."""
CORRECTED = ("UniPCMultistepScheduler", "SASolverScheduler", "HeliosScheduler")
"""Classes that ask about predicted states, and correct them with the answer."""
FROM_BELOW = ("DDIMInverseScheduler",)
"""Classes whose step is told the level that it leads to, so that it starts one below the first that it is told."""
IN_TIME: dict[str, dict[str, Any]] = {
    "FlowMatchHeunDiscreteScheduler": {"num_train_timesteps": 50},
    "ScoreSdeVpScheduler": {},
}
"""Classes whose steps are even in their time, and what sets the ends of it: the last time of a flow is one part in 50."""
_AFRESH = "a {} noises its predicted data afresh at every step, so that its steps do not get smaller as they get more"
UNREFINED = {
    "CMStochasticIterativeScheduler": _AFRESH.format("consistency model"),
    "ConsistencyDecoderScheduler": "its decoder takes two steps, and has no levels for more",
    "FlowMatchLCMScheduler": _AFRESH.format("consistency model"),
    "HeliosDMDScheduler": _AFRESH.format("distilled model"),
    "LCMScheduler": _AFRESH.format("consistency model"),
    "PiflowScheduler": "its last step, and the substeps of its policy, are of a fixed size however many steps there are",
    "RePaintScheduler": "it jumps back over a number of its steps, ten unless told, so that jumps change with the number",
    "SCMScheduler": _AFRESH.format("consistency model"),
    "TCDScheduler": "a step leads past the next time, to (1 - eta) of it, and is noised back up, however many there are",
    "UnCLIPScheduler": "its levels are those of one cosine, down to no signal at all, where no number of steps makes them small",
}
"""Classes that cannot be refined, and why."""

Grid = tuple[dict[str, Any], dict[str, Any]]
"""Options that take the place of others, and what ``set_timesteps`` is handed besides."""


def evenly(name: str, known: dict[str, Any], config: Any, steps: int, *, uneven: bool = False) -> Grid | None:
    """What makes a class take so many steps, evenly spaced in the logarithm of noise over signal; None where it cannot be had.

    Args:
        name: the class.
        known: its options.
        config: its configuration.
        steps: how many.
        uneven: whether they are to be in turn short and twice as long instead.
    """
    # by their papers: PNDM takes equal steps in time, and the single steps of third order ask at a third and two thirds
    made_for_even = name == "PNDMScheduler" or (name == "DPMSolverSinglestepScheduler" and config.solver_order == 3)
    if name in UNREFINED:
        return None
    if name == "DDPMWuerstchenScheduler":
        return {}, {"timesteps": _wuerstchen_times(config, evenly_in_log(steps, uneven=uneven)[::-1])}
    if uneven and (made_for_even or config.get("use_flow_sigmas") or not {"trained_betas", "beta_schedule"} <= known.keys()):
        return None
    plain = {key: False for key in CHOSEN_SIGMAS if key in known} | {key: value for key, value in UNSHIFTED.items() if key in known}
    if config.get("use_flow_sigmas") and name != "HeliosScheduler":
        sigmas = {"sigmas": _flow_sigmas(steps)}
        return (plain, sigmas) if name == "UniPCMultistepScheduler" else None
    if name in FLOWS:
        return plain, {"sigmas": _flow_sigmas(steps)}
    if name in FLOWS_WITH_THE_END:
        return plain, {"sigmas": [*map(float, _flow_sigmas(steps)), 0.0]}
    if name in IN_TIME:
        return {**plain, **IN_TIME[name]}, {}
    if name == "KarrasVeScheduler":  # whose sigmas are squares
        ends = {"sigma_min": LOWEST**0.5, "sigma_max": HIGHEST**0.5, "s_min": 0.0, "s_max": math.inf}
        return {**ends, "s_churn": min(config.s_churn, CHURN)}, {}
    if name == "IPNDMScheduler":
        ratio = evenly_in_log(steps, below=1)[::-1]
        return {"trained_betas": [float(sigma) for sigma in ratio / (1 + ratio**2) ** 0.5]}, {}
    if {"sigma_schedule", "sigma_min", "sigma_max"} <= known.keys():
        return {"sigma_schedule": "exponential", "sigma_min": LOWEST, "sigma_max": HIGHEST}, {}
    if name == "ScoreSdeVeScheduler":
        return {"sigma_min": LOWEST, "sigma_max": HIGHEST}, {}
    if "trained_betas" not in known or "beta_schedule" not in known:
        return None
    return {**plain, **_of_betas(name, known, config, steps, uneven)}, {}


def why_not(name: str, config: Any) -> str:
    """Why a class cannot be asked for such steps, in a clause."""
    flow = "its sigmas are those of a flow, even in time, and it takes no others" if config.get("use_flow_sigmas") else ""
    return UNREFINED.get(name, flow)


def _wuerstchen_times(config: Any, ratios: Any) -> list[float]:
    """The times of these noises over signal, and 0: the inverse of its cosine, and of what it does to a time before."""
    start = math.cos(config.s / (1 + config.s) * math.pi / 2)
    angle = np.arccos(start / np.sqrt(1 + ratios**2))
    times = np.clip(angle * 2 / math.pi * (1 + config.s) - config.s, 0.0, 1.0)
    if config.scaler > 1:
        times = 1 - (1 - times) ** (1 / config.scaler)
    elif config.scaler < 1:
        times = times ** (1 / config.scaler)
    return [*map(float, times), 0.0]


def _flow_sigmas(steps: int) -> Any:
    ratio = evenly_in_log(steps)[::-1]
    return ratio / (1 + ratio)


def _of_betas(name: str, known: dict[str, Any], config: Any, steps: int, uneven: bool) -> dict[str, Any]:
    """A table of the levels of the steps, and of one below them where the class ends on the first level of its table."""
    halves = name == "PNDMScheduler" and not config.skip_prk_steps  # its first steps ask half-way, at an index of its own
    stride = 2 if halves else 1
    below = stride if name in (*ONE_BELOW, *FROM_BELOW, "PNDMScheduler") else 0
    levels = evenly_in_log(steps, below=below, stride=stride, uneven=uneven)
    options: dict[str, Any] = {"trained_betas": betas_of(levels), "num_train_timesteps": len(levels)}
    if name in ONE_BELOW:
        options["timestep_spacing"] = "linspace"
    else:
        options |= {"timestep_spacing": "leading", "steps_offset": below}
    if name in ("PNDMScheduler", *FROM_BELOW):
        options["set_alpha_to_one"] = False
    if name == "SASolverScheduler":
        options["tau_func"] = _noisy_in_the_middle(len(levels))
    if "snr_shift_scale" in known:
        options["snr_shift_scale"] = 1.0
    if "final_sigmas_type" in known:
        options["final_sigmas_type"] = "sigma_min"
    return {key: value for key, value in options.items() if key in known}


@cache
def _noisy_in_the_middle(timesteps: int) -> Callable[[float], int]:
    """SA-Solver's own choice of where it adds noise, times 200 to 800 of 1000, for a table of another length."""
    return lambda t: 1 if 0.2 * timesteps <= t <= 0.8 * timesteps else 0
