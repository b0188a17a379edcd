"""The table of forms as a whole: every form and every letter of the field, whichever topic they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from .form import Form
from .quantities import Quantity


def topics() -> Iterator[ModuleType]:
    """The modules of this folder, by name; one that is added is found without being told of."""
    for found in sorted(iter_modules([str(Path(__file__).parent)]), key=lambda module: module.name):
        yield import_module(f"{__package__}.{found.name}")


@cache
def every_form() -> dict[str, Form]:
    """All forms by id: what stands in a topic by name, or in a tuple, a list or a mapping that does.

    Raises:
        ValueError: if two different forms go by one id.
    """
    found: dict[str, Form] = {}
    for topic in topics():
        for value in vars(topic).values():
            for form in _members(value):
                if isinstance(form, Form) and found.setdefault(form.id, form) != form:
                    raise ValueError(f"two different forms are called {form.id}.")
    return dict(sorted(found.items()))


def is_shipped(form: Form) -> bool:
    """Whether the form is one of the package's own, each of which a shipped derivation proves."""
    return every_form().get(form.id) == form


@cache
def every_letter() -> dict[str, Quantity]:
    """All letters by name, but for the names that stand for different letters in different topics."""
    found: dict[str, set[Quantity]] = {}
    for topic in topics():
        for value in vars(topic).values():
            if isinstance(value, Quantity):
                found.setdefault(value.name, set()).add(value)
    return {name: letters.pop() for name, letters in sorted(found.items()) if len(letters) == 1}


def _members(value: Any) -> tuple[Any, ...]:
    if isinstance(value, (tuple, list)):
        return tuple(value)
    return tuple(value.values()) if isinstance(value, dict) else (value,)
