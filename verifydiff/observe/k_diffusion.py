r"""Adapter for k-diffusion: a ``sample_*`` function as a target.

Its states are kept variance exploding, :math:`x = x_0 + \sigma\,\epsilon`; its times are the sigmas themselves; its model is the
denoiser, ``model(x, sigma)`` predicting x_0. As in the library's own scripts a run starts from x_T times the largest sigma.

The package requires far more than its samplers need. So ``k_diffusion/sampling.py`` is imported alone, and what it imports
and does not need is stood in for meanwhile.

The solvers of the SDE draw from a Brownian tree of torchsde's, whose numbers are no affine map of anything. In its place they are
handed a path with the same law that is (:mod:`.brownian`).
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from ..forms.families import DDIM, Euler, EulerAncestral, Family
from ..forms.solvers import ProbabilityFlow, ReverseSDE, Solver
from ..schedule import Array, Schedule
from ..verdict import MisuseError
from .brownian import BrownianPath
from .faults import one_line
from .frame import DATA, Frame
from .listed import Listed
from .refinable import CHURN
from .taps import torch_tap
from .target import Prediction, Target
from .torch_library import defaults, taken, torch_run

NEEDED = ("torch", "numpy", "scipy", "tqdm")
"""What sampling needs."""
STOOD_IN_FOR = ("PIL", "safetensors", "torchdiffeq", "torchvision")
"""What it does not need, and what is not imported even where it is installed: a torchvision made for another torch raises."""
INSTALL = "pip install --no-deps k-diffusion"
IMAGE = (1, 2, 2)
STEPS = 20
SIGMAS = (1e-2, 80.0)
"""The smallest and the largest sigma of the library's own configurations."""
KARRAS = "karras"
LOG_GRID = (5e-2, 20.0)
"""The sigmas between which orders are measured."""
OURS = ("model", "x", "sigmas", "sigma_min", "sigma_max", "n", "extra_args", "callback", "disable", "noise_sampler", "return_info")
"""The arguments of a sampler that this adapter fills in; all others are options."""
ORDERS = {"sample_euler": 1, "sample_heun": 2, "sample_dpm_2": 2, "sample_dpm_fast": 3, "sample_dpmpp_2m": 2}
"""Orders of the solvers of the probability flow, by the papers that they are from (Karras et al. 2022, Lu et al. 2022)."""
ANCESTRAL = {"sample_euler_ancestral": 1, "sample_dpm_2_ancestral": 2, "sample_dpmpp_2s_ancestral": 2}
"""Orders of a step of the flow down to sigma_down; the noise on top makes up for the rest exactly, so the law is of that order."""
STOCHASTIC = {"sample_dpmpp_sde": 2, "sample_dpmpp_2m_sde": 2, "sample_dpmpp_3m_sde": 3}
"""Orders of the solvers of the reverse SDE where eta = 0 makes them follow the flow; elsewhere they claim none."""
STEADY = {"icoeff": 0.0, "h_init": 0.5}
"""With no gain, the controller of ``sample_dpm_adaptive`` keeps the step size h_init and takes every step, whatever the data."""
STEADILY = "with icoeff = 0 it takes equal steps, and these are judged"


def k_diffusion_target(
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
    """A sampling function of the installed k-diffusion as a target.

    Args:
        name: the function.
        schedule, prediction, spacing: refused; its sigmas are an option, and its model is a denoiser.
        steps: number of steps (``sample_dpm_fast`` counts calls of the model); 20 where nothing is said.
        eta: the option of that name.
        shape: what one state looks like; a small image where nothing is said.
        config: the function's own options; ``sigmas`` (karras, exponential, ...) and what the function that makes them takes.

    Raises:
        MisuseError: if k-diffusion is missing, has no such sampler, or refuses its options.
    """
    for what, value in (("a schedule", schedule), ("a spacing", spacing)):
        if value is not None:
            raise MisuseError(f"k_diffusion takes no {what.split()[1]}: choose its sigmas by --config sigmas=karras and the like.")
    if prediction not in (None, Prediction.SAMPLE):
        raise MisuseError(f"the model of k_diffusion is a denoiser: it predicts the sample, not {prediction}.")
    function = _function(name)
    options = dict(config or {})
    if eta is not None:
        if options.get("eta", eta) != eta:
            raise MisuseError(f"asked for eta = {eta:g}, and in the config for eta = {options['eta']}: which one?")
        options["eta"] = eta
    if steps is not None and not {"sigmas", "n"} & set(inspect.signature(function).parameters):
        raise MisuseError(f"{name} takes no number of steps; h_init is the size of the first.")
    sampler = _sampler(function, options, STEPS if steps is None else steps, shape or IMAGE)
    return replace(sampler.target(), as_shipped=replace(sampler, wide=False).target())


def everything() -> Iterator[Listed]:
    """Every sampler of the installed k-diffusion, with the options that change its formulas."""
    for name in samplers():
        takes = defaults(_function(name), OURS)
        every: dict[str, Any] = {}
        if name == "sample_dpm_adaptive":
            yield Listed("k_diffusion", name, reason=f"it chooses its steps by the data, so it has no grid; {STEADILY}")
            every = STEADY
        yield Listed("k_diffusion", name, every)
        if "sigmas" in inspect.signature(_function(name)).parameters:
            for kind in _makers():
                if kind != KARRAS:
                    yield Listed("k_diffusion", name, {**every, "sigmas": kind})
        for option, values in VARIED.items():
            for value in values if option in takes else ():
                if value == takes[option]:
                    continue
                with suppress(MisuseError):
                    k_diffusion_target(name, config={**every, option: value})
                    yield Listed("k_diffusion", name, {**every, option: value})


VARIED = {"eta": (0.0, 0.5, 1.0), "s_churn": (2.0,), "order": (1, 2, 3, 4), "solver_type": ("midpoint", "heun"), "r": (0.3,)}
"""Options of samplers and the values at which they are looked at; those that a sampler refuses are not."""


@dataclass(frozen=True)
class _Sampler:
    """One configuration of one sampling function, in single precision or wide.

    Attributes:
        function: the library's own.
        options: its keyword arguments.
        make: makes the sigmas, largest first, in the default type.
        steps: as the function counts them.
        extremes: the smallest sigma that is not 0, and the largest.
        closing: whether the sampler's result is denoised once more.
    """

    function: Callable[..., Any]
    options: dict[str, Any]
    make: Callable[[], Any]
    steps: int
    shape: tuple[int, ...]
    extremes: tuple[float, float] = SIGMAS
    wide: bool = True
    closing: bool = False
    end: Frame = field(default=DATA)

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def parameters(self) -> Any:
        return inspect.signature(self.function).parameters

    def target(self) -> Target:
        return Target(
            name=f"k_diffusion:{self.name}",
            sample=self.sample,
            schedule=None,
            shape=self.shape,
            taps=(torch_tap(),),
            family=self.family,
            prediction=Prediction.SAMPLE,
            frame=Frame.exploding,
            end=DATA if self.closing else self.end,
            steps=self.steps if {"sigmas", "n"} & set(self.parameters) else None,
            on_log_grid=self.on_log_grid,
            fractional_times=True,
            notes=self.notes,
        )

    def sample(self, denoise: Callable[[Any, Any], Any], x_init: Array, seed: int) -> Array:
        import torch

        def model(x: Any, sigma: Any) -> Any:
            return torch.from_numpy(np.asarray(denoise(x.numpy(), sigma.numpy())))

        with torch_run(seed, wide=self.wide):
            x = torch.from_numpy(x_init).to(torch.get_default_dtype())
            grid = self.grid()
            largest = grid["sigmas"][0] if "sigmas" in grid else grid["sigma_max"]
            x = self.function(model, x * largest, **grid, **self.noise(x), **self.options, disable=True)
            if self.closing:
                x = model(x, x.new_full((len(x),), self.extremes[0]))
        return np.asarray(x.numpy())

    def grid(self) -> dict[str, Any]:
        """The arguments that say where the steps are."""
        if "sigmas" in self.parameters:
            return {"sigmas": self.make()}
        low, high = self.extremes
        return {"sigma_min": low, "sigma_max": high, **({"n": self.steps} if "n" in self.parameters else {})}

    def noise(self, like: Any) -> dict[str, Any]:
        """A Brownian path for those samplers that would make a Brownian tree; others draw by themselves."""
        if "BrownianTreeNoiseSampler" not in inspect.unwrap(self.function).__code__.co_names:
            return {}
        import torch

        path = BrownianPath(lambda: torch.randn_like(like))
        return {"noise_sampler": lambda sigma, sigma_next: path.increment(float(sigma), float(sigma_next))}

    # -- what it claims -----------------------------------------------------------------------------------------------

    def option(self, name: str, default: float = 0.0) -> Any:
        """The value of an option that the function has; else the default given here."""
        return self.options.get(name, defaults(self.function).get(name, default))

    @property
    def noisy(self) -> bool:
        return bool(self.option("eta")) or self.option("s_churn") > 0

    @property
    def family(self) -> Family | Solver | None:
        """What the function claims to be, by its name, eta and the noise it churns in."""
        eta, name = self.option("eta"), self.name
        if self.noisy and self.option("s_noise", 1.0) != 1:
            return None
        if name == "sample_euler" and not self.noisy:
            return Euler()
        if name == "sample_euler_ancestral" and 0 <= eta <= 1:
            return EulerAncestral() if eta == 1 else DDIM(float(eta))
        solver = ReverseSDE if self.noisy else ProbabilityFlow
        if name in STOCHASTIC:
            return solver(None if self.noisy else STOCHASTIC[name])
        order = self.option("order", {**ORDERS, **ANCESTRAL}.get(name, 0))
        return solver(order if 1 <= order <= 9 else None)

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self.noisy and (scale := self.option("s_noise", 1.0)) != 1:
            notes.append(f"s_noise = {scale:g} asks for noise of another size than the equation's: it claims no law.")
        if self.end != DATA:
            notes.append(f"it ends at sigma = {self.end.sigma:g} and not on the data.")
        return tuple(notes)

    def on_log_grid(self, n: int) -> Target:
        """n steps, the last of them onto the data from a level that stays: those before it are even in log sigma."""
        low, high = LOG_GRID
        make = vars(sampling())["get_sigmas_exponential"]
        options = self.options if self.option("s_churn") <= CHURN else {**self.options, "s_churn": CHURN}
        on = replace(self, make=lambda: make(n, low, high), steps=n, extremes=LOG_GRID, options=options)
        if "sigmas" in self.parameters:
            return on.target()
        equal = n - 1
        if "h_init" in self.parameters:
            return replace(on, options={**self.options, **STEADY, "h_init": math.log(high / low) / equal}, closing=True).target()
        return replace(on, steps=3 * equal - 1, closing=True).target()  # counted in calls: three a step, two in the last


def _sampler(function: Callable[..., Any], options: dict[str, Any], steps: int, shape: tuple[int, ...]) -> _Sampler:
    """The sampler with its options checked, and its sigmas made once."""
    name, signature = function.__name__, inspect.signature(function).parameters
    own = defaults(function, OURS)
    if steps < 1:
        raise MisuseError(f"`steps` must be at least 1, got {steps}.")
    if "sigmas" in signature:
        kind = options.pop("sigmas", KARRAS)
        makers = _makers()
        if kind not in makers:
            raise MisuseError(f"k_diffusion makes no sigmas {str(kind)[:40]!r}; it makes {', '.join(makers)}.")
        maker = makers[kind]
        given = {
            key: SIGMAS[key == "sigma_max"] for key in inspect.signature(maker).parameters if key in ("sigma_min", "sigma_max")
        }
        chosen, to_maker = taken(options, name, own, {**given, **defaults(maker, ["device"])})
        to_maker = {**given, **to_maker}
        sampler = _Sampler(function, chosen, lambda: maker(steps, **to_maker), steps, shape)
        _refuse_no_grid(sampler)
    else:
        chosen, ends = taken(options, name, own, {"sigma_min": SIGMAS[0], "sigma_max": SIGMAS[1]})
        low, high = (float(ends.get(key, value)) for key, value in zip(("sigma_min", "sigma_max"), SIGMAS, strict=True))
        if not 0 < low < high < math.inf:
            raise MisuseError(f"sigma_min and sigma_max must be finite, positive and rising, got {low:g} and {high:g}.")
        end = Frame.exploding(low)
        sampler = _Sampler(function, chosen, lambda: None, steps, shape, (low, high), end=end)
    if not 0 <= sampler.option("eta") < math.inf:
        raise MisuseError(f"`eta` must be 0 or more, got {sampler.option('eta'):g}.")
    if any(sampler.option(gain) for gain in ("pcoeff", "icoeff", "dcoeff")):
        raise MisuseError(f"{name} chooses its steps by the data, so it has no grid; {STEADILY}: --config icoeff=0.")
    _refuse_what_it_refuses(sampler)
    return sampler


def _refuse_no_grid(sampler: _Sampler) -> None:
    """Sigmas must be finite and fall to 0."""
    try:
        with torch_run(0, wide=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sigmas = np.asarray(sampler.make().numpy())
    except Exception as error:
        raise MisuseError(f"k_diffusion makes no sigmas of these options: {one_line(error)}") from None
    if not (np.isfinite(sigmas).all() and (np.diff(sigmas) < 0).all() and sigmas[-1] == 0):
        brief = ", ".join(f"{sigma:.4g}" for sigma in sigmas[:3])
        raise MisuseError(
            f"sigmas must be finite and fall to 0; these options give {brief} ... {sigmas[-2]:.4g}, {sigmas[-1]:.4g}."
        )


def _refuse_what_it_refuses(sampler: _Sampler) -> None:
    """A value that the function raises a ValueError over is refused; whatever else goes wrong is for the checks to find."""
    try:
        sampler.sample(lambda x, _: np.zeros_like(x), np.zeros((2, *sampler.shape)), 0)
    except ValueError as error:
        raise MisuseError(f"k_diffusion refuses {sampler.name} with these options: {one_line(error)}") from None
    except Exception:
        return


def _makers() -> dict[str, Callable[..., Any]]:
    """The functions that make sigmas, by what ``--config sigmas=`` calls them."""
    found = vars(sampling()).items()
    return {name.removeprefix("get_sigmas_"): maker for name, maker in found if name.startswith("get_sigmas_")}


def samplers() -> list[str]:
    """The sampling functions of the installed k-diffusion, in its own order."""
    return [name for name, value in vars(sampling()).items() if name.startswith("sample_") and callable(value)]


def _function(name: str) -> Callable[..., Any]:
    known = samplers()
    if name not in known:
        raise MisuseError(f"k_diffusion has no sampler {name!r}: give one of {', '.join(known)}.")
    return getattr(sampling(), name)  # type: ignore[no-any-return]


# -- the import ----------------------------------------------------------------------------------------------------------


def sampling() -> ModuleType:
    """The module ``k_diffusion.sampling``, the one that is imported already if there is one.

    Raises:
        MisuseError: if k-diffusion is not installed, or what its samplers need is missing.
    """
    loaded = sys.modules.get("k_diffusion.sampling")
    return loaded if loaded is not None else _alone()


_IMPORT = Lock()


@cache
def _alone() -> ModuleType:
    """``k_diffusion/sampling.py`` without the rest of the package; no module of it stays in ``sys.modules``, nor a stand-in."""
    try:
        found = importlib.util.find_spec("k_diffusion")
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        raise MisuseError(f"the target k_diffusion:... needs k-diffusion, which is not installed: {INSTALL}")
    for needed in NEEDED:
        if importlib.util.find_spec(needed) is None:
            raise MisuseError(f"the samplers of k_diffusion need {needed}, which is not installed: pip install {needed}")
        importlib.import_module(needed)
    with _IMPORT:
        before, stand_ins = dict(sys.modules), _StandIns()
        package = ModuleType("k_diffusion")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["k_diffusion"] = package
        sys.meta_path.insert(0, stand_ins)
        try:
            return _imported(stand_ins)
        finally:
            sys.meta_path.remove(stand_ins)
            for name in [name for name in sys.modules if _is_of(name, "k_diffusion", *stand_ins.absent)]:
                if name in before:
                    sys.modules[name] = before[name]
                else:
                    del sys.modules[name]


def _imported(stand_ins: _StandIns) -> ModuleType:
    """The module; whatever it turns out to miss is stood in for, one after the other."""
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return importlib.import_module("k_diffusion.sampling")
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if not missing or missing in (*NEEDED, "k_diffusion", *stand_ins.absent):
                raise MisuseError(f"k_diffusion.sampling cannot be imported: {one_line(error)}") from None
            stand_ins.absent.append(missing)
        except Exception as error:
            raise MisuseError(f"k_diffusion.sampling cannot be imported: {type(error).__name__}: {one_line(error)}") from None


def _is_of(name: str, *packages: str) -> bool:
    return name.partition(".")[0] in packages


class _Inert(ModuleType):
    """Stands in for a module or for anything in one; it can be looked up and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Inert(f"{self.__name__}.{name}")


class _StandIns:
    """Finds an inert module for whatever is absent, or shall be."""

    def __init__(self) -> None:
        self.absent = [*STOOD_IN_FOR]

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if _is_of(name, *self.absent) else None  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> ModuleType:
        return _Inert(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is: it is empty."""
