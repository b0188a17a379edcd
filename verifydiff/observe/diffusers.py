r"""Adapter for Hugging Face diffusers: a scheduler as a target.

The loop is the one of the library's own pipelines: ``set_timesteps``, then for every t ``scale_model_input``, the model and
``step``. What the model is asked about is in the variance-preserving coordinates for every scheduler here, since those that
work in sigma space scale their input by :math:`1/\sqrt{\sigma^2 + 1} = \sqrt{\bar\alpha}`.

The library keeps its tables in single precision. So the algebra is judged on the library's own code run *wide*: while a
scheduler works, the names ``float32`` that its module looks up in torch and NumPy mean double precision. Besides, the
scheduler is run as it is shipped, and the difference is what single precision costs.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, cached_property
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from ..forms.families import DDIM, DDPM, Euler, EulerAncestral, Family
from ..schedule import Array, Schedule
from ..verdict import MisuseError
from .target import Draw, Prediction, Target

SUPPORTED = (
    "DDPMScheduler",
    "DDPMParallelScheduler",
    "DDIMScheduler",
    "DDIMParallelScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
)
INSTALL = "pip install 'verifydiff[diffusers]'"


def diffusers_target(
    name: str,
    *,
    schedule: Schedule | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    eta: float | None = None,
    config: dict[str, Any] | None = None,
) -> Target:
    """A scheduler class of the installed diffusers as a target.

    Args:
        name: the class.
        schedule: replaces the scheduler's betas by those of this schedule.
        steps: number of inference steps; all timesteps where nothing is said.
        spacing: ``timestep_spacing``.
        eta: handed to ``step`` where that takes an eta.
        config: further constructor arguments.

    Raises:
        MisuseError: if diffusers is missing, the class is not one that this adapter knows, or it refuses its options.
    """
    cls = _class(name)
    options = dict(config or {})
    if spacing is not None:
        options["timestep_spacing"] = spacing
    if schedule is not None:
        options["trained_betas"] = np.asarray(schedule.betas)
        options["num_train_timesteps"] = schedule.timesteps
    _refuse_unknown(cls, options)
    if str(options.get("variance_type", "")).startswith("learned"):
        raise MisuseError("a learned variance needs a model that predicts one; no closed form says what it should be.")
    if eta is not None and not 0 <= eta <= 1:
        raise MisuseError(f"`eta` must lie in [0, 1], got {eta:g}.")
    if eta is not None and "eta" not in inspect.signature(vars(cls)["step"]).parameters:
        raise MisuseError(f"{name}.step takes no eta.")
    wide = _Scheduler(cls, options, steps, eta, wide=True)
    shipped = _Scheduler(cls, options, steps, eta, wide=False)
    target = wide.target(f"diffusers:{name}")
    return replace(target, as_shipped=shipped.target(f"diffusers:{name}"), tables=_tables(wide, shipped))


class _Scheduler:
    """One configuration of one scheduler class, in the library's own precision or wide."""

    def __init__(
        self, cls: type, options: dict[str, Any], steps: int | None, eta: float | None, *, wide: bool, batched: bool = False
    ) -> None:
        self.cls, self.options, self.eta, self.wide, self.batched = cls, options, eta, wide, batched
        self.module = importlib.import_module(cls.__module__)
        config = self.make(1).config
        self.config = config
        self.schedule = _schedule(config)
        self.steps = steps if steps is not None else self.schedule.timesteps
        self.example = self.make(self.steps)

    def make(self, steps: int) -> Any:
        """A fresh scheduler, set to that many steps."""
        with self._precision(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                scheduler = self.cls(**self.options)
                scheduler.set_timesteps(steps)
            except MisuseError:
                raise
            except Exception as error:
                text = str(error).strip().splitlines()
                raise MisuseError(
                    f"diffusers refuses {self.cls.__name__} with these options: {text[0] if text else type(error).__name__}"
                ) from None
        return scheduler

    def target(self, name: str) -> Target:
        batched = getattr(self.cls, "batch_step_no_noise", None) is not None and not self.batched and not self.eta
        twin = _Scheduler(self.cls, self.options, self.steps, self.eta, wide=self.wide, batched=True) if batched else None
        return Target(
            name=name,
            sample=self.sample,
            schedule=self.schedule,
            taps=(self.tap,),
            family=self.family,
            prediction=Prediction(_PREDICTIONS.get(self.config.prediction_type, self.config.prediction_type)),
            level=self.level,
            final_level=self.final_level,
            steps=self.steps,
            with_prediction=None if twin is None and self.batched else self.with_prediction,
            twin=("batch_step_no_noise", twin.target(f"{name}.batch_step_no_noise")) if twin is not None else None,
            fractional_times=self.in_sigma_space,
            notes=self.notes,
        )

    # -- the loop of the library's pipelines --------------------------------------------------------------------------

    def sample(self, denoise: Callable[[Any, Any], Any], x_init: Array, seed: int) -> Array:
        import torch

        scheduler = self.make(self.steps)
        generator = torch.Generator().manual_seed(seed)
        arguments: dict[str, Any] = {"generator": generator}
        if self.eta is not None:
            arguments["eta"] = self.eta
        with self._precision(), torch.no_grad():
            x = torch.from_numpy(x_init) * scheduler.init_noise_sigma
            for t in scheduler.timesteps:
                told = scheduler.scale_model_input(x, t)
                prediction = torch.from_numpy(np.asarray(denoise(told.numpy(), t.numpy())))
                if self.batched:
                    x = scheduler.batch_step_no_noise(prediction, t.reshape(1), x)
                else:
                    x = scheduler.step(prediction, t, x, **arguments).prev_sample
            if self.in_sigma_space:
                x = x / float(np.sqrt(float(scheduler.sigmas[-1]) ** 2 + 1))
        return np.asarray(x.numpy())

    @contextmanager
    def tap(self, draw: Draw) -> Iterator[None]:
        """Every scheduler draws its noise through ``randn_tensor``, looked up in its own module."""
        import torch

        original = getattr(self.module, "randn_tensor", None)
        if original is None:
            yield
            return

        def randn_tensor(shape: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
            values = draw(tuple(shape), lambda: original(shape, *args, dtype=dtype, **kwargs).double().numpy())
            return torch.from_numpy(np.asarray(values)).to(dtype or torch.get_default_dtype())

        with patch.object(self.module, "randn_tensor", randn_tensor):
            yield

    # -- what the scheduler claims ------------------------------------------------------------------------------------

    @property
    def family(self) -> Family:
        """The family that the class, its variance type and eta claim."""
        name = self.cls.__name__
        if name.startswith("DDIM"):
            return DDIM(self.eta or 0.0)
        if name.startswith("DDPM"):
            return DDPM("large" if "large" in self.config.variance_type else "small")
        return EulerAncestral() if "Ancestral" in name else Euler()

    @property
    def in_sigma_space(self) -> bool:
        return hasattr(self.example, "sigmas")

    def level(self, time: float) -> float:
        """abar at a told time: by the sigma that the scheduler's grid pairs it with, else by its schedule."""
        abar = self.table
        if not 0 <= time <= self.schedule.timesteps - 1:
            return float(self.schedule.at(np.clip(time, -1, self.schedule.timesteps - 1)))
        low = int(np.floor(time))
        if time == low:
            return float(abar[low])
        sigma = np.sqrt((1 - abar[low : low + 2]) / abar[low : low + 2])
        if self.log_interpolated:
            value = float(np.exp(np.interp(time, [low, low + 1], np.log(sigma))))
        else:
            value = float(np.interp(time, [low, low + 1], sigma))
        return 1 / (1 + value**2)

    @cached_property
    def table(self) -> Array:
        """abar at every array index. In sigma space a level of 0 is an infinite sigma; the library puts 2**-24 in its place."""
        abar = self.schedule.abar[1:].copy()
        if self.in_sigma_space and abar[-1] == 0:
            abar[-1] = 2.0**-24
        return abar

    @property
    def log_interpolated(self) -> bool:
        """Grids that are chosen in sigma (Karras and the like) find their times by interpolating log sigma."""
        return any(self.config.get(f"use_{kind}_sigmas") for kind in ("karras", "exponential", "beta"))

    @property
    def final_level(self) -> float:
        if self.config.get("final_sigmas_type") == "sigma_min" or self.config.get("set_alpha_to_one") is False:
            return float(self.schedule.abar[1])
        return 1.0

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self.config.get("thresholding"):
            notes.append("dynamic thresholding is on; inside [-1, 1] it does nothing.")
        if self.final_level != 1:
            notes.append(f"the last step is told to end at abar = {self.final_level:.6g} and not on the data.")
        return tuple(notes)

    def with_prediction(self, kind: Prediction) -> Target:
        """The same scheduler, told that its model predicts something else."""
        options = {**self.options, "prediction_type": str(kind)}
        return replace(_Scheduler(self.cls, options, self.steps, self.eta, wide=self.wide, batched=self.batched).target(f"{kind}"))

    # -- precision ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _precision(self) -> Iterator[None]:
        if not self.wide:
            yield
            return
        import torch

        with ExitStack() as stack:
            for library, name, wider in ((torch, "torch", torch.float64), (np, "np", np.float64)):
                if getattr(self.module, name, None) is library:
                    stack.enter_context(patch.object(self.module, name, _widened(library, wider)))
            yield


class _Widened(ModuleType):
    """A library under whose name ``float32`` a wider type stands."""


@cache
def _widened(library: ModuleType, wider: Any) -> ModuleType:
    widened = _Widened(library.__name__)
    widened.__getattr__ = lambda name: getattr(library, name)  # type: ignore[method-assign]
    widened.float32 = wider  # type: ignore[attr-defined]
    return widened


def _class(name: str) -> type:
    try:
        schedulers = importlib.import_module("diffusers.schedulers")
    except ImportError as error:
        missing = "diffusers" if error.name in (None, "diffusers") else f"{error.name} (which diffusers needs)"
        raise MisuseError(f"the target diffusers:{name} needs {missing}, which is not installed: {INSTALL}") from None
    if name in SUPPORTED:
        try:
            return getattr(schedulers, name)  # type: ignore[no-any-return]
        except (ImportError, RuntimeError, AttributeError):
            raise MisuseError(f"the installed diffusers cannot load {name}; is torch installed? {INSTALL}") from None
    known = [known for known in dir(schedulers) if known.endswith("Scheduler")]
    if name in known:
        raise MisuseError(f"diffusers has {name}, but no closed form here judges it yet: give one of {', '.join(SUPPORTED)}.")
    raise MisuseError(f"diffusers has no scheduler {name!r}: give one of {', '.join(SUPPORTED)}.")


def _refuse_unknown(cls: type, options: dict[str, Any]) -> None:
    known = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    for option in options:
        if option not in known:
            raise MisuseError(f"{cls.__name__} has no option {option!r}; it has {', '.join(list(known)[1:])}.")


def _schedule(config: Any) -> Schedule:
    """The schedule that a configuration means, in float64 and by formulas of our own."""
    T, kind = config.num_train_timesteps, config.beta_schedule
    if config.get("trained_betas") is not None:
        schedule = Schedule.from_betas(np.asarray(config.trained_betas, dtype=np.float64), "trained_betas")
    elif kind == "linear":
        schedule = Schedule.linear(T, config.beta_start, config.beta_end)
    elif kind == "scaled_linear":
        schedule = Schedule.scaled_linear(T, config.beta_start, config.beta_end)
    elif kind == "squaredcos_cap_v2":
        schedule = Schedule.cosine(T)
    elif kind == "sigmoid":
        ramp = 1 / (1 + np.exp(-np.linspace(-6, 6, T)))
        schedule = Schedule.from_betas(ramp * (config.beta_end - config.beta_start) + config.beta_start, "sigmoid")
    else:
        raise MisuseError(f"no closed form here knows the beta schedule {kind!r}.")
    return schedule.with_zero_terminal_snr() if config.get("rescale_betas_zero_snr") else schedule


def _tables(wide: _Scheduler, shipped: _Scheduler) -> dict[str, tuple[Array, Array]]:
    """The table of abar as the library stores it, beside the closed form in float64."""
    stored = np.asarray(shipped.example.alphas_cumprod.double().numpy())
    return {"alphas_cumprod": (stored, wide.table)}


_PREDICTIONS = {"original_sample": "sample"}
