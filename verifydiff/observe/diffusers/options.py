"""The options of a class: which there are, and which are refused because the library would stumble over them later."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from ...schedule import MOST_TIMESTEPS, Schedule
from ...verdict import MisuseError
from ..target import Prediction


class Refused(MisuseError):  # noqa: N818 - misuse, told by its name
    """The library refuses these options.

    Attributes:
        clearly: whether by an error that says so, and not by stumbling over them.
    """

    def __init__(self, message: str, *, clearly: bool) -> None:
        super().__init__(message)
        self.clearly = clearly


BETAS = ("trained_betas", "beta_schedule", "beta_start", "beta_end", "num_train_timesteps")
"""The options that a schedule replaces."""
VALUES: dict[str, tuple[str, ...]] = {
    "prediction_type": (Prediction.EPSILON, Prediction.SAMPLE, Prediction.V_PREDICTION),
    "variance_type": ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"),
    "timestep_type": ("discrete", "continuous"),
}
"""Options of which the library looks at the value only where it first matters, or not at all."""


def options_of(cls: type) -> dict[str, Any]:
    """The constructor's arguments and their defaults; ``inspect.Parameter.empty`` where there is none."""
    parameters = list(parameters_of(cls.__init__).values())[1:]  # type: ignore[misc]
    return {one.name: one.default for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD}


@lru_cache(maxsize=256)
def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function, by name."""
    return inspect.signature(function).parameters


def literals(cls: type) -> dict[str, tuple[Any, ...]]:
    """The values that the annotations of the constructor list."""
    return dict(_literals(cls.__init__))  # type: ignore[misc]


@lru_cache(maxsize=256)
def _literals(constructor: Callable[..., Any]) -> dict[str, tuple[Any, ...]]:
    try:
        hints = get_type_hints(constructor)
    except Exception:  # names that are imported for type checkers alone
        hints = {}
    found = {name: _values(hint) for name, hint in hints.items()}
    return {name: values for name, values in found.items() if values}


def _values(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(value for part in get_args(hint) for value in _values(part))
    return ()


def asked(config: dict[str, Any], schedule: Schedule | None, prediction: Prediction | None, spacing: str | None) -> dict[str, Any]:
    """The constructor arguments that the caller asks for, by name or in ``config``; not both ways at once."""
    options = dict(config)
    for key, value in (("timestep_spacing", spacing), ("prediction_type", None if prediction is None else str(prediction))):
        if value is not None and config.get(key, value) != value:
            raise MisuseError(f"asked for {key} = {value}, and in the config for {key} = {config[key]}: which one?")
        if value is not None:
            options[key] = value
    if schedule is not None:
        twice = [key for key in BETAS if key in config]
        if twice:
            raise MisuseError(f"a schedule is asked for, and in the config {twice[0]}, which a schedule replaces: which one?")
        options["trained_betas"] = np.asarray(schedule.betas)
        options["num_train_timesteps"] = schedule.timesteps
    return options


def refuse_unknown(cls: type, options: dict[str, Any]) -> None:
    """Refuse an option that the class does not have."""
    known = options_of(cls)
    for option in options:
        if option not in known:
            raise MisuseError(f"{cls.__name__} has no option {option!r}; it has {', '.join(known)}.")


def refuse_impossible(cls: type, options: dict[str, Any]) -> None:
    """Refuse the values that the library would take without a word and stumble over later, or that no closed form is for."""
    known = options_of(cls)
    missing = [name for name, default in known.items() if default is inspect.Parameter.empty and name not in options]
    if missing:
        raise MisuseError(f"{cls.__name__} needs {', '.join(missing)}: give them as options.")
    config = {**known, **options}
    if str(config.get("variance_type", "")).startswith("learned"):
        raise MisuseError("a learned variance needs a model that predicts one; no closed form says what it should be.")
    offered = literals(cls)
    for key, usual in VALUES.items():
        if key not in known:
            continue
        listed = [value for value in offered.get(key, ()) if not str(value).startswith("learned")]
        flow = [Prediction.FLOW_PREDICTION] if key == "prediction_type" and "use_flow_sigmas" in known else []
        values = tuple(dict.fromkeys([*(listed or [*usual, *flow]), known[key]]))
        if config[key] not in values:
            raise MisuseError(f"{key} must be one of {', '.join(map(str, values))}, got {str(config[key])[:40]}.")
    _refuse_tables(config)
    if config.get("timestep_type") == "continuous" and config["prediction_type"] == "v_prediction":
        raise MisuseError(
            "timestep_type = continuous tells a v_prediction model log(sigma) / 4, and only array indices are judged."
        )
    if config.get("prediction_type") == Prediction.FLOW_PREDICTION and not config.get("use_flow_sigmas", True):
        raise MisuseError("flow_prediction says what the data are only on the path of a flow: it needs use_flow_sigmas = true.")


def _refuse_tables(config: dict[str, Any]) -> None:
    timesteps = config.get("num_train_timesteps", 1)
    if isinstance(timesteps, bool) or not isinstance(timesteps, int) or not 1 <= timesteps <= MOST_TIMESTEPS:
        raise MisuseError(f"num_train_timesteps must be a whole number from 1 to {MOST_TIMESTEPS:,}, got {str(timesteps)[:40]}.")
    betas = config.get("trained_betas")
    if (
        "beta_schedule" in config
        and betas is not None
        and (not isinstance(betas, list | tuple | np.ndarray) or len(betas) != timesteps)
    ):
        raise MisuseError(f"trained_betas must hold a beta for each of the {timesteps} num_train_timesteps.")
