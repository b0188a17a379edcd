"""The scheduler classes of the installed diffusers, found by reflection, and why some are not judged."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ...verdict import MisuseError
from ..faults import one_line
from .precision import PACKAGE

INSTALL = "pip install 'verifydiff[diffusers]'"
SUFFIX = "Scheduler"
NOT_APPLICABLE = {
    "AmusedScheduler": "it samples discrete tokens by masking them, and not points of R^d",
    "BlockRefinementScheduler": "it commits discrete tokens block by block, and does not sample points of R^d",
    "DiscreteDDIMScheduler": "it samples discrete tokens from a categorical posterior, and not points of R^d",
    "EntropyBoundScheduler": "it accepts discrete tokens by their entropy, and does not sample points of R^d",
    "VQDiffusionScheduler": "it samples discrete latent codes, and not points of R^d",
    "RFD4ProteinaScheduler": "it samples proteins by scores that are rescaled on purpose, and so keeps no marginals of a diffusion",
}
"""Classes for which no closed form over R^d says what is right."""


@dataclass(frozen=True)
class NotApplicable:
    """Why a class is not judged, in one line."""

    reason: str


def schedulers() -> dict[str, type | NotApplicable]:
    """Every scheduler class that the installed diffusers has, by name: the class, or why it is not judged.

    Raises:
        MisuseError: if diffusers is not installed.
    """
    package = _package("diffusers")
    return {name: _loaded(package, name) for name in _names(package)}


def scheduler_class(name: str) -> type:
    """The class of that name.

    Raises:
        MisuseError: if diffusers is not installed, has no such class, or the class is not one that can be judged.
    """
    package = _package(f"the target diffusers:{name}")
    names = _names(package)
    if name not in names:
        raise MisuseError(
            f"diffusers has no scheduler {name!r}: give one of {', '.join(n for n in names if n not in NOT_APPLICABLE)}."
        )
    found = _loaded(package, name)
    if isinstance(found, NotApplicable):
        raise MisuseError(f"{name} is not judged: {found.reason}.")
    return found


def _package(needing: str) -> ModuleType:
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as error:
        missing = "diffusers" if error.name in (None, "diffusers") else f"{error.name} (which diffusers needs)"
        raise MisuseError(f"{needing} needs {missing}, which is not installed: {INSTALL}") from None


def _names(package: ModuleType) -> list[str]:
    """What the package offers, and what it only lists: a class that needs what is missing is listed, too."""
    listed = getattr(package, "_import_structure", {})
    names = {*dir(package), *(name for names in listed.values() for name in names)}
    return sorted(name for name in names if name.endswith(SUFFIX))


def _loaded(package: ModuleType, name: str) -> type | NotApplicable:
    if name in NOT_APPLICABLE:
        return NotApplicable(NOT_APPLICABLE[name])
    try:
        found = getattr(package, name, None)
    except (ImportError, RuntimeError, AttributeError) as error:
        found, why = None, one_line(error)
    else:
        why = "diffusers lists it and does not have it"
    if _is_stand_in(found):
        needs = getattr(found, "_backends", ["what is not installed"])
        why = f"it needs {' and '.join(needs)}, of which something is not installed"
    if found is None or _is_stand_in(found):
        found = _deprecated(name)
    if isinstance(found, type) and hasattr(found, "__init__") and found.__module__.startswith(PACKAGE):
        return found
    return NotApplicable(why if found is None else f"it is {type(found).__name__}, and no class of {PACKAGE}")


def _is_stand_in(found: Any) -> bool:
    """Whether it is what the library puts in the place of a class that it cannot load."""
    return "dummy" in getattr(found, "__module__", "")


def _deprecated(name: str) -> type | None:
    """A class among the deprecated ones, which the library hides where transformers is missing, without needing it."""
    try:
        folder = importlib.import_module(f"{PACKAGE}.deprecated")
        modules = [
            importlib.import_module(f"{PACKAGE}.deprecated.{module.name}") for module in pkgutil.iter_modules(folder.__path__)
        ]
    except ImportError:
        return None
    return next((vars(module)[name] for module in modules if name in vars(module)), None)
