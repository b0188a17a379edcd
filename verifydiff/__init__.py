"""verifydiff: is this diffusion formula, or this sampler, right? A proof or a counterexample, and the slip behind it.

The root is light: nothing heavy is imported until one of its names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "check": ".checks",
    "Contract": ".checks",
    "Report": ".checks",
    "CheckFailed": ".checks",
    "parametrize_with_checks": ".testing",
    "Schedule": ".schedule",
    "DDPM": ".forms.families",
    "DDIM": ".forms.families",
    "Euler": ".forms.families",
    "EulerAncestral": ".forms.families",
    "ProbabilityFlow": ".forms.solvers",
    "ReverseSDE": ".forms.solvers",
    "Form": ".forms",
    "forms": ".forms",
    "oracles": ".oracles",
    "Derivation": ".proof",
    "derivation": ".proof",
    "prove": ".proof",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name], __name__)
    return home if home.__name__.endswith(f".{name}") else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
