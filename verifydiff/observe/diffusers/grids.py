"""Steps that are evenly spaced in the logarithm of the noise over the signal, for measuring orders of convergence.

Where a class has betas, it is handed a table of as many levels as there are steps, and asked to visit every one, so that no time is
rounded; others are handed their sigmas, or the ends of a range that they divide evenly themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from .tables import HIGHEST, LOWEST, betas_of, evenly_in_log

ONE_BELOW = ("DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler",
             "SASolverScheduler")  # fmt: skip
"""Classes whose linspace has a point more than steps, the last level of the table being where they end."""
CHOSEN_SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "rescale_betas_zero_snr")
UNSHIFTED = {"shift": 1.0, "flow_shift": 1.0, "use_dynamic_shifting": False, "shift_terminal": None, "invert_sigmas": False}
FLOWS = ("FlowMatchEulerDiscreteScheduler", "FlowMapEulerDiscreteScheduler", "HeliosScheduler")
"""Classes that take the sigmas of their steps, and go on to 0."""
FLOWS_WITH_THE_END = ("LTXEulerAncestralRFScheduler", "MiniMaxH3Scheduler")
"""Classes that take the sigmas of their steps and the 0 after them."""
CORRECTED = ("UniPCMultistepScheduler", "SASolverScheduler", "HeliosScheduler")
"""Classes that ask about predicted states, and correct them with the answer."""
NONE_CLAIMED = ("LCMScheduler", "TCDScheduler", "RePaintScheduler", "DDIMInverseScheduler", "DPMSolverMultistepInverseScheduler")
"""Classes of which no order is asked: consistency models, and the ways back from the data."""

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
    if name == "IPNDMScheduler":
        ratio = evenly_in_log(steps, below=1)[::-1]
        return {"trained_betas": [float(sigma) for sigma in ratio / (1 + ratio**2) ** 0.5]}, {}
    if {"sigma_schedule", "sigma_min", "sigma_max"} <= known.keys():
        return {"sigma_schedule": "exponential", "sigma_min": LOWEST, "sigma_max": HIGHEST}, {}
    if name == "ScoreSdeVeScheduler":
        return {"sigma_min": LOWEST, "sigma_max": HIGHEST}, {}
    if "trained_betas" not in known or "beta_schedule" not in known or name in NONE_CLAIMED:
        return None
    return {**plain, **_of_betas(name, known, config, steps, uneven)}, {}


def _flow_sigmas(steps: int) -> Any:
    ratio = evenly_in_log(steps)[::-1]
    return ratio / (1 + ratio)


def _of_betas(name: str, known: dict[str, Any], config: Any, steps: int, uneven: bool) -> dict[str, Any]:
    """A table of the levels of the steps, and of one below them where the class ends on the first level of its table."""
    halves = name == "PNDMScheduler" and not config.skip_prk_steps  # its first steps ask half-way, at an index of its own
    stride = 2 if halves else 1
    below = stride if name in (*ONE_BELOW, "PNDMScheduler") else 0
    levels = evenly_in_log(steps, below=below, stride=stride, uneven=uneven)
    options: dict[str, Any] = {"trained_betas": betas_of(levels), "num_train_timesteps": len(levels)}
    if name in ONE_BELOW:
        options["timestep_spacing"] = "linspace"
    else:
        options |= {"timestep_spacing": "leading", "steps_offset": below}
    if name == "PNDMScheduler":
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
