"""From a name and options to a target."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from ...schedule import Schedule
from ...verdict import MisuseError
from ..target import Prediction, Target
from .classes import scheduler_class
from .extras import INVERSES
from .options import asked, options_of, refuse_unknown
from .scheduler import Configuration


def diffusers_target(
    name: str,
    *,
    schedule: Schedule | None = None,
    prediction: Prediction | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    eta: float | None = None,
    shape: tuple[int, ...] | None = None,
    config: dict[str, Any] | None = None,
    saved: dict[str, Any] | None = None,
) -> Target:
    """A scheduler class of the installed diffusers as a target.

    Args:
        name: the class.
        schedule: replaces the scheduler's betas by those of this schedule.
        prediction: ``prediction_type``.
        steps: number of inference steps; where nothing is said, all timesteps of a chain, and fifty of a solver.
        spacing: ``timestep_spacing``.
        eta: handed to ``step`` where that takes an eta.
        shape: what one state looks like; a small image where nothing is said.
        config: further constructor arguments.
        saved: the content of a ``scheduler_config.json``, which all of these take precedence over. Of its keys, those that the
            class does not know are left out, as its own ``from_config`` does.

    Raises:
        MisuseError: if diffusers is missing, the class is not one that can be judged, or it refuses its options.
    """
    cls = scheduler_class(name)
    wanted = asked(config or {}, schedule, prediction, spacing)
    refuse_unknown(cls, wanted)
    known = options_of(cls)
    left_out = sorted(key for key in saved or {} if key not in known)
    options = {**{key: value for key, value in (saved or {}).items() if key in known}, **wanted}
    if eta is not None and not 0 <= eta <= 1:
        raise MisuseError(f"`eta` must lie in [0, 1], got {eta:g}.")
    if eta is not None and "eta" not in _arguments_of_step(cls):
        raise MisuseError(f"{name}.step takes no eta.")
    if shape is not None and len(shape) < 2 and options.get("thresholding"):
        raise MisuseError(f"with thresholding, diffusers takes images: give a shape such as 3x8x8, got {shape}.")
    wide = Configuration(cls, options, steps, eta, shape)
    shipped = replace(wide, wide=False)
    target = wide.target(f"diffusers:{name}")
    notes = (*target.notes, f"{name} knows no {', '.join(left_out)}: left out, as diffusers does.") if left_out else target.notes
    as_shipped = shipped.target(f"diffusers:{name}")
    return replace(
        target,
        as_shipped=as_shipped,
        in_half=replace(as_shipped, sample=shipped.sample_in_half),
        tables=wide.tables(shipped),
        inverse=_inverse(wide),
        notes=notes,
    )


def _arguments_of_step(cls: type) -> list[str]:
    step = getattr(cls, "step", None)
    return list(inspect.signature(step).parameters) if step is not None else []


ENDS = "final_sigmas_type"
"""The option that says where a sampler ends; the way back starts where it started, whatever it is told."""


def _inverse(there: Configuration) -> Target | None:
    """The way back from what a deterministic sampler ends in; from the data themselves, which hold no noise, there is none."""
    name = INVERSES.get(there.name)
    if name is None or there.eta or str(there.options.get("algorithm_type", "")).startswith("sde"):
        return None
    try:
        cls = scheduler_class(name)
        known = options_of(cls)
        own = options_of(there.cls)
        foreign = [key for key, value in there.options.items() if key not in known and value != own[key] and key != ENDS]
        if foreign:
            return None  # an option that the way back does not know leads another way
        back = Configuration(
            cls, {key: value for key, value in there.options.items() if key in known}, there.steps, None, there.shape
        )
        ends = there.levels.end(there.make())
        return back.target(f"diffusers:{name}") if ends.sigma else None
    except MisuseError:
        return None
