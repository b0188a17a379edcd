"""From what a user names to a target: ``path/file.py:name``, ``package.module:name``, ``library:name``, a config file."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ..disk import read_json
from ..schedule import Schedule
from ..surroundings import ProcessExit, Settings, aside, letting_interrupts_through, staying
from ..verdict import MisuseError
from .arrays import Arrays
from .faults import one_line
from .functions import attribute_of
from .functions import function_target as function_target
from .libraries import LIBRARIES
from .sample_loops import METHOD, has_loop, sample_loop_target, takes_eta
from .target import Prediction, Target


def resolve(
    name: str,
    *,
    schedule: Schedule | None = None,
    prediction: Prediction | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    eta: float | None = None,
    shape: tuple[int, ...] | None = None,
    config: dict[str, Any] | None = None,
    arrays: Arrays = Arrays.AUTO,
    eta_is_claimed: bool = False,
) -> Target:
    """The target that a user names.

    Args:
        name: what ``verifydiff check`` is given.
        schedule: the schedule that a plain function claims; a library's scheduler has its own, unless this replaces it.
        prediction: what a plain function's model predicts, epsilon where nothing is said; a scheduler's ``prediction_type``.
        steps: number of steps to tell a library's scheduler.
        spacing: time spacing to tell a library's scheduler.
        eta: the noise scale to tell a library's scheduler or a sampling loop, where it takes one.
        shape: what one state looks like; where nothing is said, (4,) to a function and a small image to a scheduler.
        config: further options of a library's scheduler, or arguments of a sampling loop.
        arrays: the arrays that a plain function works on; found out where nothing is said.
        eta_is_claimed: whether the eta belongs to a family that is claimed, and need not be told to what takes none.

    Raises:
        MisuseError: if there is no such target, or it cannot be loaded.
    """
    saved: dict[str, Any] = {}
    if name.endswith(".json"):
        where, (attribute, saved) = "diffusers", _scheduler_config(Path(name))
    else:
        where, attribute = _place(name)
    told: dict[str, Any] = {
        "schedule": schedule,
        "prediction": prediction,
        "steps": steps,
        "spacing": spacing,
        "eta": eta,
        "shape": shape,
        "config": config,
    }
    if where in LIBRARIES:
        return LIBRARIES[where].target(attribute, **told, **({"saved": saved} if saved else {}))
    return look_up(name).target(**told, arrays=arrays, eta_is_claimed=eta_is_claimed)


@dataclass(frozen=True)
class Found:
    """What stands at ``path/file.py:name`` or ``package.module:name``.

    Attributes:
        name: of it, as the user gave it.
        thing: itself; what a function without arguments makes, where it is one.
        settings: what its module set PyTorch and JAX to.
    """

    name: str
    thing: Any
    settings: Settings

    def made(self) -> Found:
        """What a class makes, called without arguments."""
        return replace(self, thing=_executed(self.thing, self.name, "called without arguments"))

    def target(
        self,
        *,
        schedule: Schedule | None = None,
        prediction: Prediction | None = None,
        steps: int | None = None,
        spacing: str | None = None,
        eta: float | None = None,
        shape: tuple[int, ...] | None = None,
        config: dict[str, Any] | None = None,
        arrays: Arrays = Arrays.AUTO,
        eta_is_claimed: bool = False,
    ) -> Target:
        """It as a target; arguments and errors are those of :func:`resolve`."""
        name, sample, settings = self.name, self.thing, self.settings
        if isinstance(sample, Target):
            told: dict[str, Any] = {
                "schedule": schedule,
                "prediction": prediction,
                "steps": steps,
                "spacing": spacing,
                "eta": None if eta_is_claimed else eta,
                "shape": shape,
                "config": config or None,
                "arrays": None if arrays is Arrays.AUTO else arrays,
            }
            given = ", ".join(f"--{option}" for option, value in told.items() if value is not None)
            if given:
                raise MisuseError(
                    f"{name} is a target, and says for itself what it is told: leave out {given}. Another claim can be laid over "
                    "its own by --family (with --eta, for ddim) or --order."
                )
            return sample
        if has_loop(sample):
            if arrays is not Arrays.AUTO:
                raise MisuseError(f"--arrays says what a function works on; {name} has a p_sample_loop, which works on tensors.")
            return sample_loop_target(
                sample,
                name=name,
                schedule=schedule,
                prediction=prediction,
                eta=None if eta_is_claimed and not takes_eta(sample, config) else eta,
                shape=shape,
                config=config,
                settings=settings,
            )
        if not callable(sample):
            raise MisuseError(f"{name} is {type(sample).__name__}, not a function sample(denoise, x_init, seed).")
        if config:
            raise MisuseError(f"--config goes to a library's scheduler or a sampling loop; {name} is a function.")
        return function_target(
            sample,
            schedule or Schedule.linear(1000),
            name=name,
            prediction=prediction or Prediction.EPSILON,
            steps=steps,
            shape=shape or (4,),
            arrays=arrays,
            settings=settings,
        )


def look_up(name: str) -> Found:
    """What stands at ``path/file.py:name`` or ``package.module:name``.

    Raises:
        MisuseError: if there is no such thing, or it cannot be loaded.
    """
    where, attribute = _place(name)
    module, settings = _load_file(Path(where)) if where.endswith(".py") else _import(where)
    thing = _executed(lambda: getattr(module, attribute, None), f"{attribute!r} of {where}", "looked up")
    if thing is None:
        raise MisuseError(f"{where} has no {attribute!r}{_offer(module)}.")
    return Found(name, _made(thing, name), settings)


def _place(name: str) -> tuple[str, str]:
    """The file, module or library, and what is meant in it."""
    where, _, attribute = name.rpartition(":")
    if not where or not attribute:
        raise MisuseError(
            f"{name!r} names no target: give path/file.py:name, package.module:name, "
            f"{', '.join(f'{library}:NAME' for library in LIBRARIES)} or a scheduler_config.json."
        )
    return where, attribute


def _made(thing: Any, name: str) -> Any:
    """The target, or object with a sampling loop, that a class or a function without arguments makes; else the thing as it is."""
    makes = isinstance(thing, type) and callable(attribute_of(thing, METHOD, None))
    if not makes and isinstance(thing, FunctionType):
        makes = not inspect.signature(thing).parameters
    if not makes:
        return thing
    made = _executed(thing, name, "called without arguments")
    return made if isinstance(made, Target) or has_loop(made) else thing


def _load_file(path: Path) -> tuple[ModuleType, Settings]:
    """The module of a file, and what it set PyTorch and JAX to."""
    try:
        there = path.is_file()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise MisuseError(f"{str(path)[:80]} ... cannot be opened: {one_line(error)[:80]}.") from None
    if not there:
        raise MisuseError(f"there is no file {path}.")
    spec = importlib.util.spec_from_file_location(f"_verifydiff_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise MisuseError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles of the file look their module up
    folder = str(path.parent.resolve())
    if folder not in sys.path:  # as `python file.py` would have it; for good, since a function may import when it is called
        sys.path.insert(0, folder)
    execute = spec.loader.exec_module
    return module, _executed(lambda: (execute(module), Settings.now())[1], str(path))


def _import(name: str) -> tuple[ModuleType, Settings]:
    if all(part.isidentifier() for part in name.split(".")):
        return _executed(lambda: (importlib.import_module(name), Settings.now()), name)  # type: ignore[no-any-return]
    raise MisuseError(f"{name!r} is neither a .py file nor the name of a module.")


def _executed(load: Callable[[], Any], name: str, what: str = "imported") -> Any:
    """What ``load`` gives; whatever the target's code raises is told in one line, but for the user's Ctrl-C."""
    with letting_interrupts_through(), aside():
        try:
            with staying():
                return load()
        except SyntaxError as error:
            line = "" if error.lineno is None else f", line {error.lineno}"  # what is no text has no lines
            raise MisuseError(f"{error.filename or name}{line}: {error.msg}.") from None
        except ProcessExit as error:
            raise MisuseError(f"{name} cannot be {what}: its code ends the process: {one_line(error)}.") from None
        except BaseException as error:
            raise MisuseError(f"{name} cannot be {what}: {type(error).__name__}: {one_line(error)}") from None


def _offer(module: ModuleType) -> str:
    own = [
        name for name, value in vars(module).items() if callable(value) and attribute_of(value, "__module__", "") == module.__name__
    ]
    return f"; it has {', '.join(own[:6])}" if own else ""


def _scheduler_config(path: Path) -> tuple[str, dict[str, Any]]:
    """The class and the options that a scheduler_config.json names. Nothing that the file names is imported from elsewhere."""
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("_class_name"), str):
        raise MisuseError(f"{path} names no scheduler: `_class_name` is missing.")
    return content["_class_name"], {key: value for key, value in content.items() if not key.startswith("_")}
