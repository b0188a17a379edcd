"""One configuration of one scheduler class: made afresh for every run, and driven as its pipeline drives it."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...schedule import Array, Schedule
from ...verdict import MisuseError
from ..faults import SamplerFault, one_line
from ..frame import DATA, Frame
from ..once import key_of, once
from ..running import HALF, Rounded
from ..target import Denoise, Draw, Prediction, Target, Wording
from . import loops, noise, wordings
from .claims import claim
from .copies import copier
from .extras import noisings
from .frames import Indices, Levels, Sigmas
from .grids import CORRECTED, evenly, why_not
from .kinds import Kind, in_sigma_space, kind_of, levels_of
from .options import Refused, options_of, parameters_of, refuse_impossible
from .precision import PACKAGE, precision
from .tables import schedule_of

IMAGE = (1, 2, 2)
"""What one state looks like where nothing is said: an image, which is what the library's steps may take for granted."""
REFUSALS = ("prediction", "parameterization")
"""What is said by a step that refuses its ``prediction_type``, where the library looks at that no earlier."""
STEPS = 50
"""How many steps are taken where nothing is said, of a class that is no chain over all timesteps."""


class _FirstStepTaken(Exception):  # noqa: N818 - no error: the loop is left on purpose
    """The loop has asked a second time, so that its first step is done."""


def _asked_once() -> Denoise:
    """A model for one step."""
    asked = 0

    def denoise(told: Array, t: Any, at: Frame | None = None) -> Array:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise _FirstStepTaken
        return np.zeros_like(told)

    return denoise


@contextmanager
def _quietly() -> Iterator[None]:
    """What the library warns of, or logs, is not for who reads a report."""
    before = [(handler, handler.level) for handler in _handlers(logging.getLogger("diffusers")) if handler.level < logging.ERROR]
    for handler, _ in before:  # and not the loggers: at every change of theirs all loggers of the process look their levels up anew
        handler.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        for handler, level in before:
            handler.setLevel(level)


def _handlers(logger: logging.Logger | None) -> list[logging.Handler]:
    """Those that hear what is logged there, as :meth:`logging.Logger.callHandlers` finds them."""
    found: list[logging.Handler] = []
    while logger is not None:
        found += logger.handlers
        logger = logger.parent if logger.propagate else None
    return found or [handler for handler in (logging.lastResort,) if handler is not None]


def _in_numpy(state: Any) -> Any:
    """A tensor as an array; of a type that NumPy does not have, in a wider one that remembers it."""
    import torch

    return Rounded.of(state.float().numpy(), HALF) if state.dtype == torch.bfloat16 else np.asarray(state.numpy())


@dataclass(frozen=True, eq=False)
class Configuration:
    """One configuration of a class, in the library's own precision or wide.

    Attributes:
        cls: the class.
        options: the constructor's arguments.
        steps: how many steps it is told to take; as many as its kind takes where nothing is said.
        eta: handed to ``step`` where that takes an eta.
        shape: what one state looks like.
        wide: whether the library's code runs in double precision.
        batched: whether it steps by the parallel pipelines' batched step.
        setting: what ``set_timesteps`` is handed besides.

    Raises:
        MisuseError: if the class refuses its options, or nothing says what its states hold.
    """

    cls: type
    options: dict[str, Any]
    steps: int | None = None
    eta: float | None = None
    shape: tuple[int, ...] | None = None
    wide: bool = True
    batched: bool = False
    setting: dict[str, Any] = field(default_factory=dict)
    _bare: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", {**self.kind.standing, **self.options})
        refuse_impossible(self.cls, self.options)
        if self.steps is None:
            object.__setattr__(self, "steps", self._usual_steps())
        most, least = self.most_steps, self.kind.least
        if most is not None and not least <= self.number <= most:
            raise MisuseError(f"`steps` must lie between {least} and the {most} timesteps, got {self.number}.")
        if self.number < least:
            raise MisuseError(f"`steps` must be at least {least} for {self.name}, got {self.number}.")
        self._take_a_step()

    @property
    def name(self) -> str:
        """The class."""
        return self.cls.__name__

    @property
    def kind(self) -> Kind:
        """What stands of the class."""
        return kind_of(self.name)

    @property
    def number(self) -> int:
        """How many steps it is told to take."""
        return self.steps or 0

    @cached_property
    def config(self) -> Any:
        """Its configuration, defaults included."""
        return self._constructed[0].config

    @cached_property
    def schedule(self) -> Schedule | None:
        """The table that its times are indices of."""
        return once(self._told("schedule"), lambda: schedule_of(self.name, self.config))

    @cached_property
    def levels(self) -> Levels:
        """What its states hold."""
        with precision(wide=self.wide):
            return levels_of(self.name, self.make(), self.schedule)

    @property
    def most_steps(self) -> int | None:
        """How many steps it can be told to take."""
        most = self.kind.most
        if callable(most):
            return most(self.config)
        return most if most is not None or self.schedule is None else self.schedule.timesteps

    def _usual_steps(self) -> int:
        steps = self.kind.steps
        if callable(steps):
            return steps(self.config)
        return steps or min(STEPS, self.most_steps or STEPS)

    # -- the library's objects ----------------------------------------------------------------------------------------

    def _told(self, what: str) -> Hashable | None:
        """The key of what depends on what its constructor is told alone; None where a part of that can be changed."""
        try:
            return what, self.cls, self.wide, key_of(self.options)
        except TypeError:
            return None

    @cached_property
    def _constructed(self) -> tuple[Any, Callable[[], Any]]:
        """As the constructor leaves it, which nobody changes, and what makes copies of it."""
        return once(self._told("constructed"), self._construct)

    def _construct(self) -> tuple[Any, Callable[[], Any]]:
        with precision(wide=self.wide), _quietly():
            try:
                scheduler = self.cls(**self.options)
            except Exception as error:
                raise self._refused(error) from None
        return scheduler, copier(scheduler)

    def make(self) -> Any:
        """A fresh scheduler, set to its steps."""
        return self._copied()

    @cached_property
    def _copied(self) -> Callable[[], Any]:
        """Makes copies of a scheduler that is set to its steps, one for every run: some take long to make."""
        scheduler = self._constructed[1]()
        with precision(wide=self.wide), _quietly():
            try:
                setting = {**self.kind.setting(scheduler.config, self.number), **self.setting}
                scheduler.set_timesteps(self.number, **setting)
                if hasattr(scheduler, "set_sigmas"):
                    scheduler.set_sigmas(self.number)
            except Exception as error:
                raise self._refused(error) from None
        return copier(scheduler)

    def _refused(self, error: Exception) -> Refused:
        clearly = isinstance(error, ValueError | NotImplementedError | ImportError)
        return Refused(f"diffusers refuses {self.name} with these options: {one_line(error)}", clearly=clearly)

    def _take_a_step(self) -> None:
        """What the library says is not implemented is refused here; whatever else a step does wrong is for the checks to find."""
        _ = self.levels
        with _quietly():
            try:
                self._first_step()
            except NotImplementedError as error:
                raise self._refused(error) from None
            except Exception as error:
                if isinstance(error, ValueError) and any(word in str(error).lower() for word in REFUSALS):
                    raise self._refused(error) from None

    def _first_step(self) -> None:
        """Take it as runs do; from now on in torch's usual way where the step does what torch does to usual tensors alone."""
        for bare in (True, False):
            object.__setattr__(self, "_bare", bare)
            try:
                self.sample(_asked_once(), np.zeros((2, *self.state_shape)), 0)
            except RuntimeError as error:
                if not bare or "inference" not in str(error).lower():
                    raise
            else:
                return

    # -- the loop -----------------------------------------------------------------------------------------------------

    def sample(self, denoise: Denoise, x_init: Array, seed: int) -> Array:
        """The sampler, on one seed."""
        import torch

        return self._run(denoise, x_init, seed, torch.Generator().manual_seed(seed))

    def row_seeded(self, denoise: Denoise, x_init: Array, seeds: list[int]) -> Array:
        """The sampler, on a seed for each row."""
        import torch

        return self._run(denoise, x_init, seeds[0], [torch.Generator().manual_seed(seed) for seed in seeds])

    def sample_in_half(self, denoise: Denoise, x_init: Array, seed: int) -> Array:
        """The sampler on one seed, on states in bfloat16, as pipelines run that are loaded in that type."""
        import torch

        return self._run(denoise, x_init, seed, torch.Generator().manual_seed(seed), half=True)

    def _run(self, denoise: Denoise, x_init: Array, seed: int, generator: Any, *, half: bool = False) -> Array:
        import torch

        with torch.random.fork_rng(devices=[]), precision(wide=self.wide), _quietly(), self._without_gradients():
            torch.default_generator.manual_seed(seed)  # where a class takes no generator, it draws from torch's own
            scheduler = self.make()

            def ask(state: Any, t: Any, at: Frame | None = None) -> Any:
                told = t.numpy() if isinstance(t, torch.Tensor) else np.asarray(t)
                meant = at if at is not None else self.levels.asked(scheduler, t)
                answered = torch.from_numpy(np.asarray(denoise(_in_numpy(state), told, at=meant)))
                return answered.to(torch.bfloat16) if half else answered

            given: dict[str, Any] = {"generator": generator} if self._takes("generator") else {}
            if self.eta is not None:
                given["eta"] = self.eta
            x_T = torch.from_numpy(x_init)
            x = (x_T.to(torch.bfloat16) if half else x_T) * self._scale(scheduler)
            final: Array = _in_numpy(self.loop(scheduler, x, ask, given))
            return final

    def _without_gradients(self) -> AbstractContextManager[Any]:
        """Nothing is recorded for gradients, as in the library's pipelines, nor is anything kept ready for that."""
        import torch

        context: AbstractContextManager[Any] = torch.inference_mode() if self._bare else torch.no_grad()
        return context

    @property
    def loop(self) -> loops.Loop:
        """How it is driven."""
        return loops.batched if self.batched else self.kind.loop

    def _scale(self, scheduler: Any) -> Any:
        """What standard normal noise is multiplied by before the first step."""
        scale = getattr(scheduler, "init_noise_sigma", 1.0)
        return scale * self.config.sigma_data if self.name == "SCMScheduler" else scale

    def _takes(self, argument: str) -> bool:
        """Whether the steps take an argument."""
        steps = [getattr(self.cls, name) for name in ("step", "step_pred", "add_noise_to_input") if hasattr(self.cls, name)]
        return any(argument in parameters_of(step) for step in steps)

    @contextmanager
    def tap(self, draw: Draw) -> Iterator[None]:
        """Where it draws its noise: in its own module, or in those of the classes that it is made from."""
        names = dict.fromkeys(cls.__module__ for cls in self.cls.__mro__ if cls.__module__.startswith(f"{PACKAGE}."))
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(noise.tap(importlib.import_module(name), draw))
            yield

    # -- as a target --------------------------------------------------------------------------------------------------

    @property
    def state_shape(self) -> tuple[int, ...]:
        """What one state looks like."""
        return self.shape or self.kind.shape or IMAGE

    @property
    def prediction(self) -> Prediction:
        """What its model is asked to predict."""
        named = self.config.get("prediction_type")
        if self.kind.prediction is not None:
            return self.kind.prediction
        return Prediction(named) if named in list(Prediction) else Prediction.EPSILON

    @property
    def wording(self) -> Wording | None:
        """How its model says it, where that is no usual prediction."""
        if self.config.get("invert_sigmas"):
            return wordings.towards_the_data
        return self.kind.wording(self.config, self.schedule) if self.kind.wording is not None else None

    def target(self, name: str) -> Target:
        """The configuration as a target."""
        batched = getattr(self.cls, "batch_step_no_noise", None) is not None and not self.batched and not self.eta
        twin = replace(self, batched=True) if batched else None
        example = self.make()
        end, grid = self._end(example), self._on_grid()
        return Target(
            name=name,
            sample=self.sample,
            schedule=self.schedule,
            taps=(self.tap,),
            family=claim(self.name, self.config, self.eta),
            shape=self.state_shape,
            prediction=self.prediction,
            wording=self.wording,
            frame=self.levels.told,
            end=end,
            steps=self.number - 1 if self.kind.counts_ends else self.number,
            with_prediction=self._with_prediction(),
            twin=("batch_step_no_noise", twin.target(f"{name}.batch_step_no_noise")) if twin is not None else None,
            on_log_grid=grid,
            on_uneven_grid=self._on_grid(uneven=True),
            unrefined=why_not(self.name, self.config) if grid is None else "",
            corrects=self.name in CORRECTED,
            row_seeded=self.row_seeded if self._takes("generator") and not self.batched else None,
            noising=noisings(self, example),
            fractional_times=self.schedule is not None and isinstance(self.levels, Sigmas),
            inexact=self.kind.inexact,
            notes=self._notes(end),
            keeps_modules=True,
        )

    def _end(self, example: Any) -> Frame:
        """What is returned; the data where the scheduler works at no level at all, which its first query tells."""
        with precision(wide=self.wide):
            try:
                return self.levels.end(example)
            except SamplerFault:
                return DATA

    def _notes(self, end: Frame) -> tuple[str, ...]:
        notes = list(self.kind.notes)
        if self.config.get("thresholding"):
            notes.append("dynamic thresholding is on; inside [-1, 1] it does nothing.")
        if end.sigma:
            notes.append(f"the last step is told to end at abar = {end.level:.6g} and not on the data.")
        return tuple(notes)

    def _with_prediction(self) -> Callable[[Prediction], Target] | None:
        if self.batched or "prediction_type" not in options_of(self.cls) or self.config.prediction_type not in list(Prediction):
            return None
        if self.name in ("HeliosScheduler", "HeliosDMDScheduler"):
            return None  # made for flows alone: the option is not looked at
        return lambda kind: replace(self, options={**self.options, "prediction_type": str(kind)}).target(f"{kind}")

    def _on_grid(self, *, uneven: bool = False) -> Callable[[int], Target] | None:
        known = options_of(self.cls)
        if self.batched or evenly(self.name, known, self.config, 2, uneven=uneven) is None:
            return None

        def on_grid(steps: int) -> Target:
            if self.name == "DPMSolverSinglestepScheduler" and self.config.solver_order == 3:
                steps = 3 * ((steps + 1) // 3) + 1  # so that the last query ends a step, and is no stage of one
            found = evenly(self.name, known, self.config, steps, uneven=uneven)
            if found is None:
                raise MisuseError(f"{self.name} cannot be asked for steps that are evenly spaced in the level.")
            options, setting = found
            counted = steps + 1 if self.kind.counts_ends else steps
            there = replace(self, options={**self.options, **options}, steps=counted, setting=setting)
            return replace(there.target(f"{self.name} on {steps} steps"), key=there.key)

        return on_grid

    @property
    def key(self) -> Hashable | None:
        """The key of all that it is; None where a part of that can be changed."""
        told = self._told("configuration")
        try:
            return None if told is None else (told, self.steps, self.eta, self.shape, self.batched, key_of(self.setting))
        except TypeError:
            return None

    def tables(self, shipped: Configuration) -> dict[str, tuple[Array, Array]]:
        """The table of abar as the library stores it, beside the closed form in float64."""
        scheduler = shipped.make()
        if self.schedule is None or not hasattr(scheduler, "alphas_cumprod"):
            return {}
        in_sigmas = isinstance(self.levels, Sigmas) or in_sigma_space(scheduler)
        right = Indices(self.schedule).table if in_sigmas else self.schedule.abar[1:]
        return {"alphas_cumprod": (np.asarray(scheduler.alphas_cumprod.double().numpy()), np.asarray(right))}
