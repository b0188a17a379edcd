r"""Adapter for classes in the manner of guided-diffusion: an object with ``p_sample_loop(model, shape, noise=None, ...)``.

The model is called as ``model(x, t)`` with one time for every row, which a spaced process maps to the times of the original one.
What the object claims is read from the names that such classes share: ``betas`` (or ``alphas_cumprod``), ``timestep_map`` and
``original_num_steps`` of a spaced process, ``num_timesteps``, ``model_mean_type`` and ``model_var_type``, ``rescale_timesteps``.

The noise comes from torch's global generator. Such classes compute in single precision; so the algebra is judged on their own
code run wide (:mod:`.wide`), and they are run once more as they are. That code is what stands in the modules of the object's
classes, and in those that it names in ``wide_modules``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ..forms.families import DDIM, DDPM, Family
from ..schedule import MOST_TIMESTEPS, Array, Schedule, refuse_no_schedule
from ..surroundings import Settings
from ..verdict import MisuseError
from .faults import one_line
from .functions import attribute_of
from .target import Denoise, Prediction, Target

METHOD = "p_sample_loop"
IMAGE = (1, 2, 2)
"""What one state looks like where nothing is said."""
OURS = ("model", "shape", "noise", "device")
"""The arguments of the loop that the probe hands over."""
MEANS = {
    "EPSILON": Prediction.EPSILON,
    "EPS": Prediction.EPSILON,
    "START_X": Prediction.SAMPLE,
    "X_START": Prediction.SAMPLE,
    "V": Prediction.V_PREDICTION,
    "VELOCITY": Prediction.V_PREDICTION,
}
"""``model_mean_type`` -> what the model predicts."""
VARIANCES = {"FIXED_SMALL": "small", "FIXED_LARGE": "large"}
"""``model_var_type`` -> the variance of DDPM."""


def has_loop(thing: Any, method: str = METHOD) -> bool:
    """Whether a thing is an object with such a loop, and not the class of one."""
    return not isinstance(thing, type) and callable(attribute_of(thing, method, None))


def takes_eta(diffusion: Any, config: dict[str, Any] | None) -> bool:
    """Whether the loop that these options choose has an argument ``eta``."""
    loop = attribute_of(diffusion, str((config or {}).get("method", METHOD)), None)
    return callable(loop) and not {"eta", "**"}.isdisjoint(_parameters(loop))


def sample_loop_target(
    diffusion: Any,
    *,
    name: str | None = None,
    schedule: Schedule | None = None,
    prediction: Prediction | None = None,
    eta: float | None = None,
    shape: tuple[int, ...] | None = None,
    config: dict[str, Any] | None = None,
    settings: Settings | None = None,
) -> Target:
    """An object with a loop ``p_sample_loop(model, shape, noise=None, ...)`` as a target.

    Args:
        diffusion: the object.
        name: how reports call it.
        schedule: the schedule it claims; its own betas where nothing is said.
        prediction: what its model predicts; by its ``model_mean_type`` where nothing is said.
        eta: handed to the loop, where that takes an eta.
        shape: what one state looks like; a small image where nothing is said.
        config: further arguments of the loop; ``method`` is the name of another loop, such as ``ddim_sample_loop``.
        settings: what its module set PyTorch to, which is in force while it runs.

    Raises:
        MisuseError: if torch is missing, the loop is not of this kind or refuses an argument, or nothing tells its schedule.
    """
    refuse_no_schedule(schedule)
    arguments = dict(config or {})
    method = str(arguments.pop("method", METHOD))
    if eta is not None:
        arguments["eta"] = eta
    loop = _loop(diffusion, method, arguments)
    used = _used_times(diffusion)
    claimed, tables, notes = _schedule(diffusion, used, schedule)
    variance = _word(diffusion, "model_var_type")
    if variance.startswith("LEARNED"):
        raise MisuseError("a learned variance needs a model that predicts one; no closed form says what it should be.")
    factor = _factor(diffusion, claimed)

    def target(*, double: bool) -> Target:
        from .arrays.over_torch import OverTorch
        from .taps import numpy_tap, torch_tap

        return Target(
            name=name or f"{type(diffusion).__name__}.{method}",
            sample=OverTorch(_sample(diffusion, loop, arguments, factor, settings, double=double), single=not double),
            schedule=claimed,
            shape=shape or IMAGE,
            taps=(numpy_tap({}), torch_tap()),
            family=_family(method, variance, arguments, loop),
            prediction=prediction or _prediction(diffusion),
            steps=_steps(diffusion, used, claimed),
            tables=tables,
            notes=notes,
        )

    return replace(target(double=True), as_shipped=target(double=False))


def _loop(diffusion: Any, method: str, arguments: dict[str, Any]) -> Callable[..., Any]:
    """The loop, which takes a model, a shape, the noise to start from, and these arguments."""
    try:
        import torch  # noqa: F401 - the adapter is for classes over it
    except Exception:
        raise MisuseError(f"{method} works on PyTorch tensors, and torch cannot be imported: pip install torch") from None
    loop = attribute_of(diffusion, method, None)
    if not callable(loop):
        offered = [name for name in dir(type(diffusion)) if name.endswith("sample_loop")]
        raise MisuseError(f"{type(diffusion).__name__} has no {method[:80]!r}; it has {', '.join(offered) or 'no such loop'}.")
    takes = _parameters(loop)
    missing = [name for name in ("model", "shape", "noise") if name not in takes and "**" not in takes]
    if missing:
        raise MisuseError(f"{method} takes no {missing[0]}: only loops {METHOD}(model, shape, noise=None, ...) can be judged.")
    for argument in arguments:
        if argument in OURS:
            raise MisuseError(f"the {argument} of {method} is the probe's to choose.")
        if argument not in takes and "**" not in takes:
            known = [name for name in takes if name not in OURS]
            claim = " What it has of its own is claimed by --family ddim and --eta." if argument == "eta" else ""
            raise MisuseError(f"{method} takes no {argument!r}; it takes {', '.join(known) or 'nothing more'}.{claim}")
    return loop  # type: ignore[no-any-return]


def _parameters(loop: Callable[..., Any]) -> dict[str, Any]:
    """The names of a loop's parameters and their defaults; ``**`` where it takes any."""
    try:
        parameters = inspect.signature(loop).parameters.values()
    except (TypeError, ValueError) as error:
        raise MisuseError(f"the arguments of the loop cannot be told: {one_line(error)}.") from None
    return {"**" if p.kind is p.VAR_KEYWORD else p.name: p.default for p in parameters if p.kind is not p.VAR_POSITIONAL}


def _sample(
    diffusion: Any,
    loop: Callable[..., Any],
    arguments: dict[str, Any],
    factor: float,
    settings: Settings | None,
    *,
    double: bool,
) -> Callable[..., Any]:
    """``sample(denoise, x_init, seed)`` over tensors, in the precision of the object or wide."""
    modules = (*(cls.__module__ for cls in type(diffusion).__mro__ if cls is not object), *_named_modules(diffusion))
    takes = _parameters(loop)

    def sample(denoise: Denoise, x_init: Any, seed: int) -> Any:
        import torch

        from .wide import wide

        if settings is not None:
            settings.restore()
        with wide(modules) if double else nullcontext():
            torch.manual_seed(seed)
            device = {"device": x_init.device} if "device" in takes or "**" in takes else {}
            final = loop(_model()(denoise, factor), tuple(x_init.shape), noise=x_init, **device, **arguments)
        return final["sample"] if isinstance(final, dict) and "sample" in final else final

    return sample


def _named_modules(diffusion: Any) -> tuple[str, ...]:
    """The modules that an object around a library names as those to run wide, besides those of its own classes."""
    named = attribute_of(diffusion, "wide_modules", ())
    if not isinstance(named, tuple | list) or not all(isinstance(name, str) for name in named):
        raise MisuseError(f"wide_modules must hold names of modules, such as ('package.module',), got {str(named)[:40]}.")
    return tuple(named)


@cache
def _model() -> Any:
    import torch

    class Model(torch.nn.Module):  # type: ignore[misc]
        """The model of the probe, as a network: with parameters, from which a loop may read its device."""

        def __init__(self, denoise: Denoise, factor: float) -> None:
            super().__init__()
            self.denoise, self.factor = denoise, factor
            self.anchor = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

        def forward(self, x: Any, t: Any, *_: Any, **__: Any) -> Any:
            return self.denoise(x, t if self.factor == 1 else _index(t, self.factor))

    return Model


def _index(t: Any, factor: float) -> Any:
    """The array index behind a time that was scaled by ``factor``; in single precision it is one up to rounding."""
    index = np.asarray(t.detach().cpu().double() if hasattr(t, "detach") else t) / factor
    whole = np.round(index)
    return np.where(np.abs(index - whole) < 1e-3, whole, index)


# -- what the object claims ------------------------------------------------------------------------------------------------


def _word(diffusion: Any, attribute: str) -> str:
    """The name of an enumeration's member, or a word, in capitals; empty where there is none."""
    value = attribute_of(diffusion, attribute, "")
    return str(attribute_of(value, "name", value)).rpartition(".")[2].upper()


def _prediction(diffusion: Any) -> Prediction:
    word = _word(diffusion, "model_mean_type")
    if word == "PREVIOUS_X":
        raise MisuseError("the model predicts the previous x, which no closed form here is about.")
    return MEANS.get(word, Prediction.EPSILON)


def _family(method: str, variance: str, arguments: dict[str, Any], loop: Callable[..., Any]) -> Family | None:
    """The family that a loop claims: DDIM if it takes an eta, DDPM with its variance if it is the usual one."""
    told = {**_parameters(loop), **arguments}
    if "eta" in told:
        eta = told["eta"]
        return DDIM(float(eta)) if isinstance(eta, int | float) and 0 <= eta <= 1 else None
    return DDPM(VARIANCES[variance]) if method == METHOD and variance in VARIANCES else None


def _used_times(diffusion: Any) -> Array | None:
    """(N,): the array indices of the original process that a spaced one retains, rising; None for a process that is not spaced."""
    kept = attribute_of(diffusion, "timestep_map", None)
    if kept is None:
        return None
    times = _numbers(kept, "timestep_map")
    if times.ndim != 1 or not times.size or (times != np.round(times)).any() or times[0] < 0 or (np.diff(times) <= 0).any():
        raise MisuseError("timestep_map must hold the retained timesteps, rising.")
    return times


def _steps(diffusion: Any, used: Array | None, schedule: Schedule) -> int | None:
    """The number of steps, where the object says one: a loop may take fewer than there are levels in a table."""
    if used is not None:
        return int(used.size)
    said = attribute_of(diffusion, "num_timesteps", None)
    whole = isinstance(said, int | np.integer) and 1 <= said <= schedule.timesteps
    return int(said) if whole and attribute_of(diffusion, "sampling_timesteps", said) == said else None


def _factor(diffusion: Any, schedule: Schedule) -> float:
    """What the model's times are array indices times: such classes can scale them to run from 0 to 1000."""
    return 1000.0 / schedule.timesteps if attribute_of(diffusion, "rescale_timesteps", False) is True else 1.0


def _schedule(
    diffusion: Any, used: Array | None, claimed: Schedule | None
) -> tuple[Schedule, dict[str, tuple[Array, Array]], tuple[str, ...]]:
    """The schedule of the original process, its table as the object stores it beside the right one, and what there is to note."""
    betas, stored = (attribute_of(diffusion, name, None) for name in ("betas", "alphas_cumprod"))
    own: Array | None = None
    if betas is not None:
        own = Schedule.from_betas(_numbers(betas, "betas")).abar[1:]
    elif stored is not None:
        own = _numbers(stored, "alphas_cumprod")
    if own is None and claimed is None:
        raise MisuseError(f"{type(diffusion).__name__} has neither betas nor alphas_cumprod: say --schedule.")
    if own is not None and used is not None and own.shape != used.shape:
        raise MisuseError(f"timestep_map holds {used.size} timesteps, the table {own.size} levels: which is it?")
    notes: tuple[str, ...] = ()
    schedule = claimed
    if schedule is None and own is not None:
        schedule = Schedule(np.append(1.0, own), "its own")
        if used is not None:
            schedule, notes = _spread(own, used, attribute_of(diffusion, "original_num_steps", None))
    assert schedule is not None  # noqa: S101 - for mypy
    length = own.size if used is None and own is not None else schedule.timesteps
    if length != schedule.timesteps or (used is not None and used[-1] >= schedule.timesteps):
        asked = length if used is None else int(used[-1]) + 1
        raise MisuseError(f"the schedule has {schedule.timesteps} timesteps, {type(diffusion).__name__} needs {asked}.")
    times = np.arange(schedule.timesteps) if used is None else used.astype(int)
    table = stored if stored is not None else own
    if table is None:
        return schedule, {}, notes
    kept = _numbers(table, "alphas_cumprod")
    if kept.shape != times.shape:
        raise MisuseError(f"alphas_cumprod has the shape {kept.shape}, for {times.size} timesteps.")
    return schedule, {"alphas_cumprod": (kept, schedule.abar[1:][times])}, notes


def _spread(own: Array, used: Array, length: Any) -> tuple[Schedule, tuple[str, ...]]:
    """A schedule that has the levels of a spaced process at the times it retains; those in between are interpolated."""
    last = int(used[-1])
    timesteps = length if isinstance(length, int) and last < length <= MOST_TIMESTEPS else last + 1
    known, logs = np.append(-1.0, used), np.log(np.maximum(np.append(1.0, own), 1e-300))
    alphas = np.diff(logs) / np.diff(known)
    index = np.arange(timesteps)
    abar = np.exp(np.interp(index, known, logs) + alphas[-1] * np.maximum(index - last, 0))
    abar[used.astype(int)] = own
    note = (f"of the {timesteps} timesteps of its original process only the levels of the {used.size} retained are known.",)
    return Schedule(np.append(1.0, abar), "its own"), note if used.size < timesteps else ()


def _numbers(values: Any, name: str) -> Array:
    """A table of numbers, of NumPy's or torch's or a list."""
    try:
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
    except Exception as error:
        raise MisuseError(f"{name} is no table of numbers: {one_line(error)}.") from None
