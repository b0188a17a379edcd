"""The libraries whose samplers are known by name: ``diffusers:Class``, ``k_diffusion:function``, ``azula:Class``.

Each has an adapter, a file beside this one; what a new one has to tell is written down in ``docs/adapters.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import azula, diffusers, k_diffusion
from .listed import Listed
from .target import Target


@dataclass(frozen=True)
class Library:
    """A library with an adapter.

    Attributes:
        name: what stands before the colon.
        distribution: what ``pip`` calls it.
        target: makes the target of a name and options.
        everything: what it has, with the options that matter, and what of it cannot be judged.
    """

    name: str
    distribution: str
    target: Callable[..., Target]
    everything: Callable[[], Iterator[Listed]]


LIBRARIES = {
    library.name: library
    for library in (
        Library("diffusers", "diffusers", diffusers.diffusers_target, diffusers.everything),
        Library("k_diffusion", "k-diffusion", k_diffusion.k_diffusion_target, k_diffusion.everything),
        Library("azula", "azula", azula.azula_target, azula.everything),
    )
}
