r"""Adapter for Hugging Face diffusers: a scheduler as a target.

The loop is the one of the library's own pipelines: ``set_timesteps``, then for every t ``scale_model_input``, the model and
``step``. What the model is asked about is in the variance-preserving coordinates for every scheduler here, since those that
work in sigma space scale their input by :math:`1/\sqrt{\sigma^2 + 1} = \sqrt{\bar\alpha}`.

The library keeps its tables in single precision. So the algebra is judged on the library's own code run *wide*: while a
scheduler works, the names ``float32`` that its module looks up in torch and NumPy mean double precision, and so does torch's
default type. Besides, the scheduler is run as it is shipped, and the difference is what single precision costs.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, cached_property
from threading import RLock
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from ..forms.families import DDIM, DDPM, Euler, EulerAncestral, Family
from ..schedule import MOST_TIMESTEPS, Array, Schedule
from ..verdict import MisuseError
from .faults import one_line
from .frame import Frame
from .listed import Listed
from .target import Draw, Prediction, Target

SUPPORTED = (
    "DDPMScheduler",
    "DDPMParallelScheduler",
    "DDIMScheduler",
    "DDIMParallelScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
)
IMAGE = (1, 2, 2)
"""What one state looks like where nothing is said: an image, which is what the library's steps may take for granted."""
BETAS = ("trained_betas", "beta_schedule", "beta_start", "beta_end", "num_train_timesteps")
"""The options that a schedule replaces."""
VALUES = {
    "prediction_type": (Prediction.EPSILON, Prediction.SAMPLE, Prediction.V_PREDICTION),
    "variance_type": ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"),
    "timestep_type": ("discrete", "continuous"),
}
"""Options of which the library looks at the value only where it first matters, or not at all."""
INSTALL = "pip install 'verifydiff[diffusers]'"


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
        steps: number of inference steps; all timesteps where nothing is said.
        spacing: ``timestep_spacing``.
        eta: handed to ``step`` where that takes an eta.
        shape: what one state looks like; a small image where nothing is said.
        config: further constructor arguments.
        saved: the content of a ``scheduler_config.json``, which all of these take precedence over. Of its keys, those that the
            class does not know are left out, as its own ``from_config`` does.

    Raises:
        MisuseError: if diffusers is missing, the class is not one that this adapter knows, or it refuses its options.
    """
    cls = _class(name)
    _refuse_unknown(cls, config or {})
    asked = _asked(config or {}, schedule, prediction, spacing)
    known = _options(cls)
    left_out = sorted(key for key in saved or {} if key not in known)
    options = {**{key: value for key, value in (saved or {}).items() if key in known}, **asked}
    if eta is not None and not 0 <= eta <= 1:
        raise MisuseError(f"`eta` must lie in [0, 1], got {eta:g}.")
    if eta is not None and "eta" not in inspect.signature(vars(cls)["step"]).parameters:
        raise MisuseError(f"{name}.step takes no eta.")
    if shape is not None and len(shape) < 2 and options.get("thresholding"):
        raise MisuseError(f"with thresholding, diffusers takes images: give a shape such as 3x8x8, got {shape}.")
    wide = _Scheduler(cls, options, steps, eta, shape or IMAGE, wide=True)
    shipped = _Scheduler(cls, options, steps, eta, shape or IMAGE, wide=False)
    target = wide.target(f"diffusers:{name}")
    notes = (*target.notes, f"{name} knows no {', '.join(left_out)}: left out, as diffusers does.") if left_out else target.notes
    return replace(target, as_shipped=shipped.target(f"diffusers:{name}"), tables=_tables(wide, shipped), notes=notes)


def everything() -> Iterator[Listed]:
    """Every scheduler that is judged."""
    for name in SUPPORTED:
        yield Listed("diffusers", name)


def _asked(config: dict[str, Any], schedule: Schedule | None, prediction: Prediction | None, spacing: str | None) -> dict[str, Any]:
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


class _Scheduler:
    """One configuration of one scheduler class, in the library's own precision or wide."""

    def __init__(
        self,
        cls: type,
        options: dict[str, Any],
        steps: int | None,
        eta: float | None,
        shape: tuple[int, ...],
        *,
        wide: bool,
        batched: bool = False,
    ) -> None:
        _refuse_impossible(cls, options)
        self.cls, self.options, self.eta, self.shape, self.wide, self.batched = cls, options, eta, shape, wide, batched
        self.module = importlib.import_module(cls.__module__)
        self.config = self.make(1).config
        self.schedule = _schedule(self.config)
        self.steps = steps if steps is not None else self.schedule.timesteps
        if not 1 <= self.steps <= self.schedule.timesteps:
            raise MisuseError(f"`steps` must lie between 1 and the {self.schedule.timesteps} timesteps, got {self.steps}.")
        self.example = self.make(self.steps)
        self._take_a_step()

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
                raise self._refused(error) from None
        return scheduler

    def _take_a_step(self) -> None:
        """What the library says is not implemented is refused here; whatever else a step does wrong is for the checks to find."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self._steps(lambda told, _: np.zeros_like(told), np.zeros((2, *self.shape)), 0, most=1)
            except NotImplementedError as error:
                raise self._refused(error) from None
            except Exception:
                return

    def _refused(self, error: Exception) -> MisuseError:
        return MisuseError(f"diffusers refuses {self.cls.__name__} with these options: {one_line(error)}")

    def target(self, name: str) -> Target:
        batched = getattr(self.cls, "batch_step_no_noise", None) is not None and not self.batched and not self.eta
        twin = self._but(batched=True) if batched else None
        return Target(
            name=name,
            sample=self.sample,
            schedule=self.schedule,
            taps=(self.tap,),
            family=self.family,
            shape=self.shape,
            prediction=Prediction(self.config.prediction_type),
            frame=self.frame,
            end=Frame.of_level(self.final_level),
            steps=self.steps,
            with_prediction=None if self.batched else self.with_prediction,
            twin=("batch_step_no_noise", twin.target(f"{name}.batch_step_no_noise")) if twin is not None else None,
            fractional_times=self.in_sigma_space,
            notes=self.notes,
        )

    # -- the loop of the library's pipelines --------------------------------------------------------------------------

    def sample(self, denoise: Callable[[Any, Any], Any], x_init: Array, seed: int) -> Array:
        return self._steps(denoise, x_init, seed)

    def _steps(self, denoise: Callable[[Any, Any], Any], x_init: Array, seed: int, most: int | None = None) -> Array:
        import torch

        scheduler = self.make(self.steps)
        generator = torch.Generator().manual_seed(seed)
        arguments: dict[str, Any] = {"generator": generator}
        if self.eta is not None:
            arguments["eta"] = self.eta
        with self._precision(), torch.no_grad():
            x = torch.from_numpy(x_init) * scheduler.init_noise_sigma
            for t in scheduler.timesteps[:most]:
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
            kind = dtype or torch.get_default_dtype()
            values = draw(tuple(shape), lambda: original(shape, *args, dtype=dtype, **kwargs).double().numpy())
            return torch.from_numpy(np.asarray(values)).to(kind)

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

    def frame(self, time: float) -> Frame:
        """What the state holds at a told time."""
        return Frame.of_level(self.level(time))

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
        return self._but(options={**self.options, "prediction_type": str(kind)}).target(f"{kind}")

    def _but(self, *, options: dict[str, Any] | None = None, batched: bool | None = None) -> _Scheduler:
        """The same scheduler with other options, or stepping the other way."""
        return _Scheduler(
            self.cls,
            self.options if options is None else options,
            self.steps,
            self.eta,
            self.shape,
            wide=self.wide,
            batched=self.batched if batched is None else batched,
        )

    # -- precision ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """The library's own precision, or wide: its modules' ``float32`` and torch's default type are then double precision.

        Both belong to the process, so one thread has them at a time.
        """
        import torch

        with _PRECISION, ExitStack() as stack:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float64 if self.wide else torch.float32)
            if self.wide:
                for library, name, wider in ((torch, "torch", torch.float64), (np, "np", np.float64)):
                    if getattr(self.module, name, None) is library:
                        stack.enter_context(patch.object(self.module, name, _widened(library, wider)))
            yield


_PRECISION = RLock()


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


def _options(cls: type) -> dict[str, Any]:
    """The constructor's arguments and their defaults."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return {name: parameter.default for name, parameter in list(parameters.items())[1:]}


def _refuse_unknown(cls: type, options: dict[str, Any]) -> None:
    known = _options(cls)
    for option in options:
        if option not in known:
            raise MisuseError(f"{cls.__name__} has no option {option!r}; it has {', '.join(known)}.")


def _refuse_impossible(cls: type, options: dict[str, Any]) -> None:
    """Refuse the values that the library would take without a word and stumble over later, or that no closed form is for."""
    config = {**_options(cls), **options}
    if str(config.get("variance_type", "")).startswith("learned"):
        raise MisuseError("a learned variance needs a model that predicts one; no closed form says what it should be.")
    for key, values in VALUES.items():
        if key in config and config[key] not in values:
            raise MisuseError(f"{key} must be one of {', '.join(values)}, got {str(config[key])[:40]}.")
    timesteps = config["num_train_timesteps"]
    if isinstance(timesteps, bool) or not isinstance(timesteps, int) or not 1 <= timesteps <= MOST_TIMESTEPS:
        raise MisuseError(f"num_train_timesteps must be a whole number from 1 to {MOST_TIMESTEPS:,}, got {str(timesteps)[:40]}.")
    betas = config.get("trained_betas")
    if betas is not None and (not isinstance(betas, list | tuple | np.ndarray) or len(betas) != timesteps):
        raise MisuseError(f"trained_betas must hold a beta for each of the {timesteps} num_train_timesteps.")
    if config.get("timestep_type") == "continuous" and config["prediction_type"] == "v_prediction":
        raise MisuseError(
            "timestep_type = continuous tells a v_prediction model log(sigma) / 4, and only array indices are judged."
        )


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
