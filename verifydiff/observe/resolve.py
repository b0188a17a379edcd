"""From what a user names to a target: ``path/file.py:name``, ``package.module:name``, ``diffusers:Class``, a config file."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..schedule import Schedule
from ..verdict import MisuseError
from .faults import SamplerFault
from .target import Prediction, Target


def resolve(
    name: str,
    *,
    schedule: Schedule | None = None,
    prediction: Prediction | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    eta: float | None = None,
    shape: tuple[int, ...] = (4,),
    config: dict[str, Any] | None = None,
) -> Target:
    """The target that a user names.

    Args:
        name: what ``verifydiff check`` is given.
        schedule: the schedule that a plain function claims; a library's scheduler has its own, unless this replaces it.
        prediction: what a plain function's model predicts, epsilon where nothing is said; a scheduler's ``prediction_type``.
        steps: number of steps to tell a library's scheduler.
        spacing: time spacing to tell a library's scheduler.
        eta: the noise scale to tell a library's scheduler, where it takes one.
        shape: what one state of a plain function looks like.
        config: further options of a library's scheduler.

    Raises:
        MisuseError: if there is no such target, or it cannot be loaded.
    """
    where, colon, attribute = name.rpartition(":")
    if name.endswith(".json"):
        attribute, config = _scheduler_config(Path(name), config or {})
        where, colon = "diffusers", ":"
    if not colon or not where or not attribute:
        raise MisuseError(
            f"{name!r} names no target: give path/file.py:name, package.module:name, diffusers:Class or a scheduler_config.json."
        )
    if where == "diffusers":
        from .diffusers import diffusers_target

        options = {**(config or {}), **({"prediction_type": str(prediction)} if prediction else {})}
        return diffusers_target(attribute, schedule=schedule, steps=steps, spacing=spacing, eta=eta, config=options)
    if config:
        raise MisuseError(f"--config goes to a library's scheduler; {name} is a function.")
    module = _load_file(Path(where)) if where.endswith(".py") else _import(where)
    sample = getattr(module, attribute, None)
    if sample is None:
        raise MisuseError(f"{where} has no {attribute!r}{_offer(module)}.")
    if not callable(sample):
        raise MisuseError(f"{attribute!r} in {where} is {type(sample).__name__}, not a function sample(denoise, x_init, seed).")
    return function_target(
        sample, schedule or Schedule.linear(1000), name=name, prediction=prediction or Prediction.EPSILON, steps=steps, shape=shape
    )


def function_target(
    sample: Callable[..., Any],
    schedule: Schedule,
    *,
    name: str | None = None,
    prediction: Prediction = Prediction.EPSILON,
    steps: int | None = None,
    shape: tuple[int, ...] = (4,),
) -> Target:
    """A plain ``sample(denoise, x_init, seed)`` over NumPy arrays as a target."""
    from .taps import numpy_tap

    namespace = getattr(sample, "__globals__", None)
    if namespace is None:  # a callable object: its class's methods name the module
        namespace = getattr(vars(type(sample)).get("__call__"), "__globals__", {})
    return Target(
        name=name or str(getattr(sample, "__qualname__", type(sample).__name__)),
        sample=sample,
        schedule=schedule,
        taps=(numpy_tap(namespace),),
        prediction=prediction,
        steps=steps,
        shape=shape,
    )


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise MisuseError(f"there is no file {path}.")
    spec = importlib.util.spec_from_file_location(f"_verifydiff_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise MisuseError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles of the file look their module up
    sys.path.insert(0, str(path.parent.resolve()))  # as `python file.py` would have it
    try:
        _executed(lambda: spec.loader.exec_module(module), str(path))  # type: ignore[union-attr]
    finally:
        sys.path.remove(str(path.parent.resolve()))
    return module


def _import(name: str) -> ModuleType:
    if all(part.isidentifier() for part in name.split(".")):
        return _executed(lambda: importlib.import_module(name), name)  # type: ignore[no-any-return]
    raise MisuseError(f"{name!r} is neither a .py file nor the name of a module.")


def _executed(load: Callable[[], Any], name: str) -> Any:
    try:
        return load()
    except SyntaxError as error:
        raise MisuseError(f"{error.filename or name}, line {error.lineno}: {error.msg}.") from None
    except (Exception, SystemExit) as error:
        text = str(error).strip().splitlines()
        raise MisuseError(f"{name} cannot be imported: {type(error).__name__}: {text[0] if text else '(no message)'}") from None


def _offer(module: ModuleType) -> str:
    own = [name for name, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == module.__name__]
    return f"; it has {', '.join(own[:6])}" if own else ""


def _scheduler_config(path: Path, overrides: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The class and the options that a scheduler_config.json names. Nothing that the file names is imported from elsewhere."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MisuseError(f"there is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise MisuseError(f"{path} is no JSON: {error}.") from None
    if not isinstance(content, dict) or not isinstance(content.get("_class_name"), str):
        raise MisuseError(f"{path} names no scheduler: `_class_name` is missing.")
    options = {key: value for key, value in content.items() if not key.startswith("_")}
    return content["_class_name"], {**options, **overrides}


__all__ = ["SamplerFault", "function_target", "resolve"]
