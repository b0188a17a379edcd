"""What the installed diffusers has: every class, with the options that matter, or the reason why it is not judged."""

from __future__ import annotations

from collections.abc import Iterator

from ..listed import Listed
from .classes import NotApplicable, schedulers
from .configurations import SOLVER, configurations


def everything() -> Iterator[Listed]:
    """Every scheduler class of the installed diffusers with every configuration that it is judged in.

    Raises:
        MisuseError: if diffusers is not installed.
    """
    for name, found in schedulers().items():
        if isinstance(found, NotApplicable):
            yield Listed("diffusers", name, reason=found.reason)
            continue
        for arguments in configurations(name):
            config, eta = arguments["config"], arguments.get("eta")
            if name == "DDIMInverseScheduler" and config.get("set_alpha_to_one", True):
                continue  # it starts from the data themselves, which hold no noise to lead back to
            method = " ".join([name, *(f"{key}={config[key]}" for key in SOLVER if key in config), f"eta={eta}"])
            yield Listed("diffusers", name, config, arguments["steps"], eta, method=method)
