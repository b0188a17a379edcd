r"""Adapter for azula: a ``Sampler`` class as a target.

Its states are :math:`x_t = \alpha_t x_0 + \sigma_t \epsilon` with the scales of any of its noise schedules; its times are real
numbers, from 1 (noise) to 0 (data, or nearly so); its model is a denoiser, whose posterior has the mean x_0. A run starts from
x_T times :math:`\sqrt{\alpha^2 + \sigma^2}`, as ``Sampler.init`` starts it for data of variance 1.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from ..forms.families import DDIM, DDPM, Euler, Family
from ..forms.solvers import ProbabilityFlow, ReverseSDE, Solver
from ..schedule import Array, Schedule
from ..verdict import MisuseError
from .faults import one_line
from .frame import DATA, Frame
from .listed import Listed
from .taps import torch_tap
from .target import Prediction, Target
from .torch_library import defaults, taken, torch_run

INSTALL = "pip install 'verifydiff[azula]'"
IMAGE = (1, 2, 2)
STEPS = 20
PRESERVING = "VPSchedule"
LOG_GRID = (5e-2, 20.0)
"""The noise over the signal between which orders are measured."""
OURS = ("denoiser", "steps", "silent", "dtype", "device")
"""The arguments of a sampler that this adapter fills in; all others are options."""
MULTISTEP = ("zABSampler", "vABSampler", "zEABSampler", "xEABSampler", "REABSampler")
VARIED = {"eta": (0.0, 0.25, 1.0), "order": (1, 2, 3, 4), "corrections": (2,), "delta": (0.1,)}
"""Options of samplers and the values at which they are looked at."""


def azula_target(
    name: str,
    *,
    schedule: Schedule | None = None,
    prediction: Prediction | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    eta: float | None = None,
    shape: tuple[int, ...] | None = None,
    config: dict[str, Any] | None = None,
) -> Target:
    """A sampler class of the installed azula as a target.

    Args:
        name: the class.
        schedule, prediction, spacing: refused; the noise schedule is an option, and the model is a denoiser.
        steps: number of steps; 20 where nothing is said.
        eta: the option of that name.
        shape: what one state looks like; a small image where nothing is said.
        config: the sampler's own options; ``schedule`` (VPSchedule, VESchedule, ...) and what that takes.

    Raises:
        MisuseError: if azula is missing, has no such sampler, or refuses its options.
    """
    for what, value in (("schedule", schedule), ("spacing", spacing)):
        if value is not None:
            raise MisuseError(
                f"azula takes no table of levels and no spacing: choose by --config schedule=VPSchedule, not by {what}."
            )
    if prediction not in (None, Prediction.SAMPLE):
        raise MisuseError(f"the model of azula is a denoiser: it predicts the sample, not {prediction}.")
    cls = _class(name)
    options = dict(config or {})
    if eta is not None:
        if options.get("eta", eta) != eta:
            raise MisuseError(f"asked for eta = {eta:g}, and in the config for eta = {options['eta']}: which one?")
        options["eta"] = eta
    sampler = _sampler(cls, options, STEPS if steps is None else steps, shape or IMAGE)
    return replace(sampler.target(), as_shipped=replace(sampler, wide=False).target())


def everything() -> Iterator[Listed]:
    """Every sampler of the installed azula, with every noise schedule, and with the options that change its formulas."""
    for name, cls in samplers().items():
        yield Listed("azula", name)
        for schedule in schedules():
            if schedule != PRESERVING:
                yield Listed("azula", name, {"schedule": schedule})
        takes = defaults(cls)
        for option, values in VARIED.items():
            for value in values if option in takes else ():
                if value == takes[option]:
                    continue
                with suppress(MisuseError):
                    azula_target(name, config={option: value})
                    yield Listed("azula", name, {option: value})


@dataclass(frozen=True)
class _Sampler:
    """One configuration of one sampler class, in single precision or wide.

    Attributes:
        cls: the class.
        options: its arguments.
        schedule: azula's, t -> (alpha, sigma).
        closing: whether the sampler's result is denoised once more.
    """

    cls: type
    options: dict[str, Any]
    schedule: Any
    steps: int
    shape: tuple[int, ...]
    wide: bool = True
    closing: bool = False

    @property
    def name(self) -> str:
        return self.cls.__name__

    def target(self) -> Target:
        return Target(
            name=f"azula:{self.name}",
            sample=self.sample,
            schedule=None,
            shape=self.shape,
            taps=(torch_tap(),),
            family=self.family,
            prediction=Prediction.SAMPLE,
            frame=self.frame,
            end=DATA if self.closing else self.frame(self.option("stop")),
            steps=self.steps,
            on_log_grid=self.on_log_grid,
            fractional_times=True,
            notes=self.notes,
        )

    def sample(self, denoise: Callable[[Any, Any], Any], x_init: Array, seed: int) -> Array:
        import torch

        def mean(x: Any, t: Any) -> Any:
            return torch.from_numpy(np.asarray(denoise(x.numpy(), t.numpy())))

        with torch_run(seed, wide=self.wide):
            start = self.frame(self.option("start")).size
            x = torch.from_numpy(x_init).to(torch.get_default_dtype()) * start
            sampler = self.cls(_denoiser()(self.schedule, mean), steps=self.steps, silent=True, **self.options)
            x = sampler(x)
            if self.closing:
                x = mean(x, torch.tensor(self.option("stop")))
        return np.asarray(x.numpy())

    def frame(self, time: float) -> Frame:
        """What the state holds at a told time, by the schedule."""
        import torch

        alpha, sigma = self.schedule(torch.tensor(time, dtype=torch.float64))
        return Frame(float(alpha), float(sigma))

    # -- what it claims -----------------------------------------------------------------------------------------------

    def option(self, name: str) -> Any:
        """The value of an option, or its default; 0 for one that the class does not have."""
        return self.options.get(name, {**defaults(_library().sample.Sampler), **defaults(self.cls)}.get(name, 0))

    @property
    def family(self) -> Family | Solver | None:
        """What the class claims to be, by its name and its docstring."""
        name, eta, order = self.name, self.option("eta"), self.option("order")
        if name == "DDPMSampler":
            return DDPM("small")
        if name == "DDIMSampler":  # the root, since its eta multiplies the variance of the noise, the paper's its deviation
            return DDIM(math.sqrt(eta)) if eta <= 1 else ReverseSDE(1)
        if name == "EulerSampler":
            return Euler()
        if name == "HeunSampler":
            return ProbabilityFlow(2)
        if name == "ItoSampler" and self.option("temperature") == 1:
            return ReverseSDE() if eta else ProbabilityFlow()
        if name in MULTISTEP:
            return ProbabilityFlow(order if order <= 9 else None)
        return ReverseSDE() if name == "PCSampler" else None

    @property
    def notes(self) -> tuple[str, ...]:
        end, notes = self.frame(self.option("stop")), []
        if self.name == "ItoSampler" and self.option("temperature") != 1:
            notes.append(f"temperature = {self.option('temperature'):g} asks for another law than the data's.")
        if self.name == "PCSampler":
            notes.append(
                "its corrector takes steps of one size, delta: it converges where delta falls as the number of steps grows."
            )
        if self.name == "DDIMSampler" and 0 < self.option("eta") != 1:
            notes.append(
                "its eta multiplies the variance of the noise, and so is the square of the eta of the paper that it cites."
            )
        if not self.closing:
            notes.append(f"it ends at t = {self.option('stop'):g}, where the state holds noise of scale {end.sigma:g}.")
        return tuple(notes)

    def on_log_grid(self, n: int) -> Target:
        """The schedule with its times moved, so that n - 1 equal steps are even in the logarithm, and a query at their end."""
        alone = {key: value for key, value in self.options.items() if key not in ("start", "stop")}
        if self.name == "PCSampler":
            alone["delta"] = min(1.0, self.option("delta") * STEPS / n)
        return replace(self, options=alone, schedule=_LogEven(self.schedule, n - 1), steps=n - 1, closing=True).target()


class _LogEven:
    """A schedule of azula's on new times, 0 to 1 in equal steps, that are even in the logarithm of the noise over the signal."""

    def __init__(self, schedule: Any, steps: int) -> None:
        import torch

        self.steps = steps
        wanted = torch.linspace(*map(math.log, LOG_GRID), steps + 1, dtype=torch.float64)
        below, above = torch.zeros_like(wanted), torch.ones_like(wanted)
        for _ in range(64):  # halvings
            middle = (below + above) / 2
            alpha, sigma = schedule(middle)
            beyond = sigma.log() - alpha.log() > wanted
            below, above = torch.where(beyond, below, middle), torch.where(beyond, middle, above)
        self.alpha, self.sigma = schedule((below + above) / 2)

    def __call__(self, u: Any) -> tuple[Any, Any]:
        k = (u * self.steps).round().long()
        return self.alpha[k].to(u.dtype), self.sigma[k].to(u.dtype)


def _sampler(cls: type, options: dict[str, Any], steps: int, shape: tuple[int, ...]) -> _Sampler:
    """The sampler with its options checked."""
    if steps < 1:
        raise MisuseError(f"`steps` must be at least 1, got {steps}.")
    kinds = schedules()
    kind = options.pop("schedule", PRESERVING)
    if kind not in kinds:
        raise MisuseError(f"azula has no schedule {str(kind)[:40]!r}; it has {', '.join(kinds)}.")
    own = {**defaults(_library().sample.Sampler, OURS), **defaults(cls, OURS)}
    to_sampler, to_schedule = taken(options, cls.__name__, own, defaults(kinds[kind]))
    sampler = _Sampler(cls, to_sampler, kinds[kind](**to_schedule), steps, shape)
    _refuse_impossible(sampler)
    try:
        sampler.sample(lambda x, _: np.zeros_like(x), np.zeros((2, *shape)), 0)
    except ValueError as error:
        raise MisuseError(f"azula refuses {cls.__name__} with these options: {one_line(error)}") from None
    except Exception:
        return sampler  # for the checks to find
    return sampler


def _refuse_impossible(sampler: _Sampler) -> None:
    start, stop = float(sampler.option("start")), float(sampler.option("stop"))
    if not 0 <= stop < start <= 1:
        raise MisuseError(f"times run from `start` down to `stop` within [0, 1], got {start:g} and {stop:g}.")
    if not 0 <= sampler.option("eta") < math.inf:
        raise MisuseError(f"`eta` must be 0 or more, got {sampler.option('eta'):g}.")
    if not 0 <= sampler.option("delta") <= 1:
        raise MisuseError(f"`delta` must lie in [0, 1], got {sampler.option('delta'):g}.")
    try:
        noise = [sampler.frame(time).noise_over_signal for time in np.linspace(stop, start, sampler.steps + 1)]
    except (ValueError, ArithmeticError) as error:
        raise MisuseError(f"azula makes no noise schedule of these options: {one_line(error)}") from None
    if not (np.isfinite(noise).all() and (np.diff(noise) > 0).all()):
        raise MisuseError(f"the noise over the signal must rise with time; these options give {noise[0]:.4g} ... {noise[-1]:.4g}.")


def samplers() -> dict[str, type]:
    """The sampler classes of the installed azula, by name."""
    module = _library().sample
    return _concrete(module, module.Sampler)


def schedules() -> dict[str, type]:
    """Its noise schedules, by name."""
    module = _library().noise
    return _concrete(module, module.Schedule)


def _concrete(module: ModuleType, base: type) -> dict[str, type]:
    found = {name: value for name, value in vars(module).items() if inspect.isclass(value) and issubclass(value, base)}
    return {name: value for name, value in found.items() if value is not base and not inspect.isabstract(value)}


def _class(name: str) -> type:
    known = samplers()
    if name not in known:
        raise MisuseError(f"azula has no sampler {name!r}: give one of {', '.join(known)}.")
    return known[name]


@cache
def _library() -> Any:
    """The installed azula, with ``sample`` and ``noise``."""
    try:
        importlib.import_module("azula.sample")
        importlib.import_module("azula.noise")
        return importlib.import_module("azula")
    except ImportError as error:
        missing = "azula" if error.name in (None, "azula") else f"{error.name} (which azula needs)"
        raise MisuseError(f"the target azula:... needs {missing}, which is not installed: {INSTALL}") from None


@cache
def _denoiser() -> type:
    """A denoiser of azula's kind whose posterior has the mean that we say."""
    denoise = importlib.import_module("azula.denoise")

    class Told(denoise.Denoiser):  # type: ignore[misc, name-defined]
        def __init__(self, schedule: Any, mean: Callable[[Any, Any], Any]) -> None:
            super().__init__()
            self.schedule, self.mean = schedule, mean

        def forward(self, x_t: Any, t: Any, **_: Any) -> Any:
            return denoise.DiracPosterior(mean=self.mean(x_t, t))

    return Told
