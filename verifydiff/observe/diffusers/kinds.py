"""The kinds of schedulers: for every class what its states hold, how its pipeline drives it, and what its model predicts.

Most of it is read off the scheduler itself, so that a class that nobody has seen before is tried as those that it is built like.
What cannot be read off stands here by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...schedule import Schedule
from ...verdict import MisuseError
from ..frame import DATA, Frame
from ..target import Prediction, Wording
from . import frames, loops, wordings
from .frames import ByTime, Indices, Levels, Sigmas, Table

LevelsOf = Callable[[Any, Schedule | None], Levels]
"""``levels(scheduler, schedule)``."""
SettingOf = Callable[[Any, int], dict[str, Any]]
"""``setting(config, steps)``: what ``set_timesteps`` is handed besides the number of steps."""


@dataclass(frozen=True)
class Kind:
    """How one class is read and driven, where that differs from the usual.

    Attributes:
        levels: what its states hold; read off the scheduler where nothing is said.
        loop: how its pipeline drives it.
        steps: how many steps it is told to take where nothing is said.
        most: how many it can be told to take; None where that is the number of timesteps of its schedule, or any.
        least: how few.
        prediction: what its model predicts, where no option says so.
        wording: how its model says it, where that is no usual prediction.
        standing: options that it is given unless others are asked for.
        setting: what ``set_timesteps`` is handed besides the number of steps.
        counts_ends: whether its number of steps is that of the points of its grid, the last one included.
        shape: what one state looks like, where an image will not do.
        notes: what was done specially.
        inexact: why, by construction, its states are only near the levels that they are meant at.
    """

    levels: LevelsOf | None = None
    loop: loops.Loop = loops.usual
    steps: int | Callable[[Any], int] | None = None
    most: int | Callable[[Any], int] | None = None
    least: int = 1
    prediction: Prediction | None = None
    wording: Callable[[Any, Schedule | None], Wording] | None = None
    standing: Mapping[str, Any] = field(default_factory=dict)
    setting: SettingOf = lambda config, steps: {}
    counts_ends: bool = False
    shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    inexact: str = ""


def kind_of(name: str) -> Kind:
    """What stands here of a class; the usual where nothing does."""
    return KINDS.get(name, Kind())


def levels_of(name: str, scheduler: Any, schedule: Schedule | None) -> Levels:
    """What the states of a scheduler hold.

    Raises:
        MisuseError: if nothing says it.
    """
    kind, config = kind_of(name), scheduler.config
    if kind.levels is not None:
        return kind.levels(scheduler, schedule)
    if is_flow(scheduler):
        if config.get("invert_sigmas"):
            return Sigmas(frames.inverted_flow, lambda time: frames.inverted_flow(time / config.num_train_timesteps))
        return Sigmas(frames.flow, frames.share_of(config.num_train_timesteps))
    if hasattr(scheduler, "precondition_outputs"):
        return _edm(frames.quarter_log)(scheduler, schedule)
    if schedule is None:
        raise MisuseError(f"nothing says what the states of {name} hold: it has no betas, no flow and no preconditioning.")
    if not hasattr(scheduler, "sigmas"):
        return Table(schedule)
    return _by_sigmas(scheduler, schedule)


def is_flow(scheduler: Any) -> bool:
    """Whether its states are on the straight path from the data to the noise."""
    return bool(scheduler.config.get("use_flow_sigmas")) or (
        hasattr(scheduler, "scale_noise") and "beta_schedule" not in scheduler.config
    )


def in_sigma_space(scheduler: Any) -> bool:
    """Whether its states are variance exploding, and are scaled before the model is asked about them."""
    import torch

    if not hasattr(scheduler, "scale_model_input"):
        return False
    one = torch.ones(1, 1, 1, 1)
    return bool((scheduler.scale_model_input(one, scheduler.timesteps[0]) != one).any())


def _by_sigmas(scheduler: Any, schedule: Schedule, sigma: Callable[[Any, int], Any] | None = None) -> Levels:
    config = scheduler.config
    chosen = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
    indices = Indices(schedule, log_interpolated=any(config.get(name) for name in chosen))
    final = Frame.exploding if in_sigma_space(scheduler) else None
    return Sigmas(frames.preserving, indices, final, sigma or (lambda scheduler, index: scheduler.sigmas[index]))


def _in_stages(sigma: Callable[[Any, int], Any]) -> LevelsOf:
    def levels(scheduler: Any, schedule: Schedule | None) -> Levels:
        if schedule is None:
            raise MisuseError("a method with two stages in sigma space needs betas.")
        return _by_sigmas(scheduler, schedule, sigma)

    return levels


def _edm(time: Callable[[float], Frame]) -> LevelsOf:
    return lambda scheduler, schedule: Sigmas(frames.preconditioned(scheduler.config.sigma_data), time, Frame.exploding)


def _edm_wording(config: Any, schedule: Schedule | None) -> Wording:
    return wordings.edm(config.sigma_data, -1.0 if config.prediction_type == "v_prediction" else 1.0)


def _table(make: Callable[[Table], Levels]) -> LevelsOf:
    def levels(scheduler: Any, schedule: Schedule | None) -> Levels:
        if schedule is None:
            raise MisuseError("a table of levels needs betas.")
        return make(Table(schedule))

    return levels


# -- levels of single classes ------------------------------------------------------------------------------------------------


def _consistency_decoder(scheduler: Any, schedule: Schedule | None) -> Levels:
    def asked(scheduler: Any, t: Any) -> Frame:
        scale = float(scheduler.c_in[int(t)])
        return Frame(
            scale * float(scheduler.sqrt_alphas_cumprod[int(t)]), scale * float(scheduler.sqrt_one_minus_alphas_cumprod[int(t)])
        )

    own = schedule or Schedule.cosine(scheduler.config.num_train_timesteps)
    return ByTime(asked, lambda time: Frame.of_level(frames.level(own, time)))


def _ipndm(scheduler: Any, schedule: Schedule | None) -> Levels:
    def at(scheduler: Any, index: int) -> Frame:
        return Frame(float(scheduler.alphas[index]), float(scheduler.betas[index]))

    return ByTime(
        lambda scheduler, t: at(scheduler, frames.step_index(scheduler, t)), frames.arc, lambda scheduler: at(scheduler, -1)
    )


def _trigonometric(scheduler: Any, schedule: Schedule | None) -> Levels:
    sigma_data = scheduler.config.sigma_data

    def at(time: float) -> Frame:
        return Frame(max(math.cos(time), 0.0), sigma_data * math.sin(time))

    return ByTime(lambda scheduler, t: at(float(t)), at)


def _wuerstchen(scheduler: Any, schedule: Schedule | None) -> Levels:
    scaler, s = scheduler.config.scaler, scheduler.config.s

    def at(time: float) -> Frame:
        time = 1 - (1 - time) ** scaler if scaler > 1 else time**scaler
        levels = [math.cos((t + s) / (1 + s) * math.pi / 2) ** 2 for t in (time, 0.0)]
        return Frame.of_level(min(max(levels[0] / levels[1], 1e-4), 0.9999))

    def meant(scheduler: Any, t: Any) -> Frame:
        return Frame.of_level(float(scheduler._alpha_cumprod(t, t.device)))

    return ByTime(meant, at, lambda scheduler: meant(scheduler, scheduler.timesteps[-1]))


def _variance_exploding(scheduler: Any, schedule: Schedule | None) -> Levels:
    return ByTime(lambda scheduler, sigma: Frame.exploding(float(sigma)), Frame.exploding)


def _continuous(scheduler: Any, schedule: Schedule | None) -> Levels:
    low, high = scheduler.config.beta_min, scheduler.config.beta_max

    def at(time: float) -> Frame:
        log_alpha = -0.25 * time**2 * (high - low) - 0.5 * time * low
        return Frame(math.exp(log_alpha), math.sqrt(-math.expm1(2 * log_alpha)))

    return ByTime(lambda scheduler, t: at(float(t)), at, lambda scheduler: DATA)


def _piflow(scheduler: Any, schedule: Schedule | None) -> Levels:
    config = scheduler.config
    last = config.shift * config.eps / (1 + (config.shift - 1) * config.eps)
    return Sigmas(frames.flow, frames.share_of(config.num_train_timesteps), lambda sigma: frames.flow(last))


# -- what stands of every class ----------------------------------------------------------------------------------------------


def _shift(config: Any, steps: int) -> dict[str, Any]:
    """The shift of the times that a pipeline computes from the size of its images: that of the smallest."""
    return {"mu": config.get("base_shift", 0.5)} if config.get("use_dynamic_shifting") else {}


_EVERY_TIME = Kind(steps=lambda config: int(config.num_train_timesteps))
_SHIFTED = Kind(setting=_shift)
_FLOW = Kind(prediction=Prediction.FLOW_PREDICTION, setting=_shift)
_EDM = Kind(wording=_edm_wording)

KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        (
            "DDPMScheduler",
            "DDPMParallelScheduler",
            "DDIMScheduler",
            "DDIMParallelScheduler",
            "EulerDiscreteScheduler",
            "EulerAncestralDiscreteScheduler",
        ),
        _EVERY_TIME,
    ),
    **dict.fromkeys(
        ("DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler"),
        _SHIFTED,
    ),
    **dict.fromkeys(("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler"), _FLOW),
    "FlowMapEulerDiscreteScheduler": _FLOW,
    "EDMEulerScheduler": _EDM,
    "EDMDPMSolverMultistepScheduler": _EDM,
    "CosineDPMSolverMultistepScheduler": Kind(levels=_edm(frames.arc), wording=_edm_wording),
    "CMStochasticIterativeScheduler": Kind(
        inexact="its data carry noise of sigma_min, which its steps leave out of account (Song et al. 2023, algorithm 1)",
        levels=_edm(frames.thousand_quarter_log),
        wording=lambda config, schedule: wordings.consistency(config.sigma_data, config.sigma_min),
        most=lambda config: int(config.num_train_timesteps),
        steps=lambda config: min(10, int(config.num_train_timesteps)),
        notes=(
            "the data of a consistency model are those of its cleanest level, sigma_min: no family over levels has its weights.",
        ),
    ),
    "CogVideoXDPMScheduler": Kind(loop=loops.with_the_last_prediction),
    "ConsistencyDecoderScheduler": Kind(
        levels=_consistency_decoder,
        wording=lambda config, schedule: wordings.edm(config.sigma_data),
        steps=2,
        most=2,
        least=2,
    ),
    "DDIMInverseScheduler": Kind(
        inexact="DDIM inversion asks about a state at the time of the next one",
        levels=_table(frames.FromBelow),
        notes=("each step is told the time that it leads to, as DDIM inversion does.",),
    ),
    "DDPMWuerstchenScheduler": Kind(
        inexact="its last step adds no noise, though it ends at a level below 1",
        levels=_wuerstchen,
        loop=loops.a_time_for_each_row,
        prediction=Prediction.EPSILON,
    ),
    "DPMSolverSDEScheduler": Kind(levels=_in_stages(frames.midpoint)),
    "HeliosScheduler": Kind(
        prediction=Prediction.FLOW_PREDICTION,
        standing={"stages": 1},
        setting=lambda config, steps: {"sigmas": np.linspace(0.999, 0.0, steps + 1)[:-1], **_shift(config, steps)},
        notes=(
            "a single stage: between the stages of its pyramid the size of the states changes.",
            "the sigmas are those of its pipeline, from 0.999 on; its own start at 1, where its logarithms are infinite.",
        ),
    ),
    "HeliosDMDScheduler": Kind(
        loop=loops.with_the_first_noise,
        prediction=Prediction.FLOW_PREDICTION,
        standing={"stages": 1},
        setting=_shift,
        shape=(1, 1, 2, 2),
        steps=4,
        notes=(
            "a single stage: between the stages of its pyramid the size of the states changes.",
            "the predicted data are always noised with the noise that it started from.",
        ),
    ),
    "IPNDMScheduler": Kind(levels=_ipndm, prediction=Prediction.V_PREDICTION),
    "KDPM2AncestralDiscreteScheduler": Kind(levels=_in_stages(frames.midway(-1))),
    "KDPM2DiscreteScheduler": Kind(levels=_in_stages(frames.midway(0))),
    "KarrasVeScheduler": Kind(
        levels=_variance_exploding,
        loop=loops.churned_heun,
        prediction=Prediction.EPSILON,
        wording=lambda config, schedule: wordings.minus_noise,
        least=2,
        standing={"s_noise": 1.0},
        notes=(
            "the model is told sigma itself, at the state itself; its pipeline halves both.",
            "s_noise is 1 unless asked for: its default adds, on purpose, 1.007 times the noise that keeps the level.",
        ),
    ),
    "LCMScheduler": Kind(
        wording=lambda config, schedule: wordings.latent_consistency(
            schedule or Schedule.linear(1), config.timestep_scaling, Prediction(config.prediction_type)
        ),
        levels=_table(lambda table: replace(table, last=None)),
        steps=lambda config: min(10, int(config.original_inference_steps)),
        most=lambda config: int(config.original_inference_steps),
    ),
    "LTXEulerAncestralRFScheduler": Kind(
        levels=lambda scheduler, schedule: Sigmas(frames.flow, frames.share_of(scheduler.config.num_train_timesteps)),
        loop=loops.between_sigmas,
        prediction=Prediction.FLOW_PREDICTION,
    ),
    "MiniMaxH3Scheduler": Kind(
        levels=lambda scheduler, schedule: Sigmas(frames.flow, frames.share_left),
        prediction=Prediction.FLOW_PREDICTION,
        wording=lambda config, schedule: wordings.towards_the_data,
        least=2,
        counts_ends=True,
    ),
    "PNDMScheduler": Kind(least=4),
    "PiflowScheduler": Kind(
        levels=_piflow,
        loop=loops.on_a_grid,
        prediction=Prediction.FLOW_PREDICTION,
        steps=4,
        notes=(
            "its model predicts a grid of velocities for the times within a step; here all points of the grid are given the same.",
        ),
    ),
    "RePaintScheduler": Kind(
        loop=loops.nothing_known,
        prediction=Prediction.EPSILON,
        steps=20,
        setting=lambda config, steps: {"jump_n_sample": 2},
        notes=(
            "nothing of the image is known, so that all of it is sampled; it jumps back once at every jump (jump_n_sample = 2).",
        ),
    ),
    "SCMScheduler": Kind(
        levels=_trigonometric,
        loop=loops.without_the_last_time,
        prediction=Prediction.V_PREDICTION,
        wording=lambda config, schedule: wordings.trigonometric(config.sigma_data),
        steps=2,
        setting=lambda config, steps: {"max_timesteps": math.pi / 2, **({} if steps == 2 else {"intermediate_timesteps": None})},
        notes=("it starts at pi / 2; the 1.5708 of its default lies beyond, where the weight of the data is -4e-6.",),
    ),
    "ScoreSdeVeScheduler": Kind(
        inexact="its last step adds no noise, and its first level is that of pure noise",
        levels=_variance_exploding,
        loop=loops.predictor_corrector,
        prediction=Prediction.EPSILON,
        wording=lambda config, schedule: wordings.score,
        standing={"correct_steps": 0},
        notes=("without corrections: their size depends on the norms of the scores, so that no step of theirs is affine.",),
    ),
    "ScoreSdeVpScheduler": Kind(
        inexact="Euler-Maruyama is right in the limit of small steps alone",
        levels=_continuous,
        loop=loops.euler_maruyama,
        prediction=Prediction.EPSILON,
    ),
    "TCDScheduler": Kind(
        levels=_table(frames.EndsAtFirst),
        notes=("a step leads to a cleaner level, at a time of its own, and is noised up from there: its weights are no family's.",),
        steps=lambda config: min(10, int(config.original_inference_steps)),
        most=lambda config: int(config.original_inference_steps),
    ),
    "UnCLIPScheduler": Kind(loop=loops.told_the_next_time, least=2),
}
"""By class; a class that is not here is as usual."""
