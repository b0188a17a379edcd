"""The table of all forms, found by walking the topics of this folder."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .form import Form


@cache
def table() -> dict[str, Form]:
    """Every form of the package by its id, topic by topic in alphabetical order.

    Raises:
        ValueError: if two forms have one id.
    """
    found: dict[str, Form] = {}
    for module in sorted(iter_modules(import_module(__package__).__path__), key=lambda one: one.name):
        for form in vars(import_module(f"{__package__}.{module.name}")).values():
            if isinstance(form, Form) and found.setdefault(form.id, form) is not form:
                raise ValueError(f"two forms are called {form.id}.")
    return found


def is_shipped(form: Form) -> bool:
    """Whether the form is one of the package's own, each of which a shipped derivation proves."""
    return table().get(form.id) == form
