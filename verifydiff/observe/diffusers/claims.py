"""What the classes claim: a family, where their step has a closed form; else a solver, of the order that they are said to have.

Orders are those of the documentation, or of the paper that it refers to. Methods of several steps or stages that add noise are
published without a weak order: they claim to converge, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...forms.families import DDIM, DDPM, Euler, EulerAncestral, Family, Renoise
from ...forms.solvers import ProbabilityFlow, ReverseSDE, Solver

Claim = Family | Solver | None


def claim(name: str, config: Any, eta: float | None) -> Claim:
    """What a class claims with this configuration; None where nothing here says it."""
    known = CLAIMS.get(name)
    return known(config, eta) if known is not None else None


def _ddim(config: Any, eta: float | None) -> Claim:
    return DDIM(eta or 0.0)


def _ddpm(config: Any, eta: float | None) -> Claim:
    return DDPM("large" if "large" in config.get("variance_type", "") else "small")


def _solver(order: int | None, *, stochastic: bool = False) -> Claim:
    """A solver of so many steps; of order 1 both DPM-Solvers are DDIM (Lu et al. 2022b, sec. 4 and app. A)."""
    if order == 1:
        return DDIM(1.0 if stochastic else 0.0)
    return ReverseSDE() if stochastic else ProbabilityFlow(order)


def _dpm_solver(config: Any, eta: float | None) -> Claim:
    if config.algorithm_type == "sde-dpmsolver":  # it extrapolates the noise and not the data: DDIM(1) only in the limit
        return ReverseSDE(1 if config.solver_order == 1 else None)
    return _solver(config.solver_order, stochastic=config.algorithm_type.startswith("sde"))


def _unipc(config: Any, eta: float | None) -> Claim:
    """By its documentation, "the effective order of accuracy is `solver_order + 1` due to the UniC"."""
    return ProbabilityFlow(config.solver_order if config.disable_corrector else config.solver_order + 1)


def _helios(config: Any, eta: float | None) -> Claim:
    return DDIM(0.0) if config.scheduler_type == "euler" else _unipc(config, eta)


def _flow_matching(config: Any, eta: float | None) -> Claim:
    return Renoise() if config.get("stochastic_sampling") else DDIM(0.0)  # Euler, written so that it holds at a level of 0


def _ancestral_flow(config: Any, eta: float | None) -> Claim:
    return DDIM(0.0) if config.eta == 0 else ReverseSDE()


def _trajectory_consistency(config: Any, eta: float | None) -> Claim:
    return DDIM(0.0) if eta == 0 else ReverseSDE()


def _churned(config: Any, eta: float | None) -> Claim:
    return None if config.s_churn else ProbabilityFlow(2)


def _always(made: Callable[[], Claim]) -> Callable[[Any, float | None], Claim]:
    return lambda config, eta: made()


CLAIMS: dict[str, Callable[[Any, float | None], Claim]] = {
    "CogVideoXDDIMScheduler": _ddim,
    "CogVideoXDPMScheduler": _always(ReverseSDE),
    "CMStochasticIterativeScheduler": _always(ReverseSDE),
    "ConsistencyDecoderScheduler": _always(Renoise),
    "CosineDPMSolverMultistepScheduler": lambda config, eta: _solver(config.solver_order, stochastic=True),
    "DDIMInverseScheduler": _always(ProbabilityFlow),
    "DDIMParallelScheduler": _ddim,
    "DDIMScheduler": _ddim,
    "DDPMParallelScheduler": _ddpm,
    "DDPMScheduler": _ddpm,
    "DDPMWuerstchenScheduler": _always(ReverseSDE),
    "DEISMultistepScheduler": lambda config, eta: _solver(config.solver_order),
    "DPMSolverMultistepInverseScheduler": _always(ProbabilityFlow),
    "DPMSolverMultistepScheduler": _dpm_solver,
    "DPMSolverSDEScheduler": _always(ReverseSDE),
    "DPMSolverSinglestepScheduler": _dpm_solver,
    "EDMDPMSolverMultistepScheduler": _dpm_solver,
    "EDMEulerScheduler": _always(Euler),
    "EulerAncestralDiscreteScheduler": _always(EulerAncestral),
    "EulerDiscreteScheduler": _always(Euler),
    "FlowMapEulerDiscreteScheduler": _always(DDIM),
    "FlowMatchEulerDiscreteScheduler": _flow_matching,
    "FlowMatchHeunDiscreteScheduler": _always(lambda: ProbabilityFlow(2)),
    "FlowMatchLCMScheduler": _always(Renoise),
    "HeliosScheduler": _helios,
    "HeunDiscreteScheduler": _always(lambda: ProbabilityFlow(2)),
    "IPNDMScheduler": _always(
        lambda: ProbabilityFlow(2)
    ),  # as PNDM: the fourth order of its name is that of its linear combination
    "KDPM2AncestralDiscreteScheduler": _always(ReverseSDE),
    "KDPM2DiscreteScheduler": _always(lambda: ProbabilityFlow(2)),
    "KarrasVeScheduler": _churned,
    "LCMScheduler": _always(Renoise),
    "LMSDiscreteScheduler": _always(lambda: ProbabilityFlow(4)),  # the default of step's `order`
    "LTXEulerAncestralRFScheduler": _ancestral_flow,
    "MiniMaxH3Scheduler": _always(DDIM),
    "PNDMScheduler": _always(lambda: ProbabilityFlow(2)),  # "second-order convergent" (Liu et al. 2022)
    "PiflowScheduler": _always(DDIM),
    "RePaintScheduler": _always(ReverseSDE),
    "SASolverScheduler": _always(ReverseSDE),
    "SCMScheduler": _always(Renoise),
    "ScoreSdeVeScheduler": _always(lambda: ReverseSDE(1)),
    "ScoreSdeVpScheduler": _always(lambda: ReverseSDE(1)),
    "TCDScheduler": _trajectory_consistency,
    "UnCLIPScheduler": _ddpm,
    "UniPCMultistepScheduler": _unipc,
}
"""By class. A class that is not here claims nothing that could be judged but its levels."""
