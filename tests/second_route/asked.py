"""What the conformance page accuses: a scheduler of diffusers with its options, read off the name that it is listed under."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import torch
from diffusers import schedulers
from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler

WORDS = {"True": True, "False": False, "None": None}
ELSEWHERE = {"KarrasVeScheduler": KarrasVeScheduler}
SETTING = {"RePaintScheduler": {"jump_n_sample": 2}}
"""What ``set_timesteps`` is handed besides the number of steps."""
SHIFT = 0.5
"""``mu`` where times are shifted dynamically: that of the smallest images."""


@dataclass(frozen=True)
class Asked:
    """One configuration.

    Attributes:
        name: the class, or the function.
        steps, eta: as they are asked for; None where nothing is said.
        options: handed to the constructor.
    """

    name: str
    steps: int | None = None
    eta: float | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, target: str) -> Asked:
        """``library:Name key=value ...``."""
        name, *words = target.partition(":")[2].split(" ")
        options = {key: _value(text) for key, _, text in (word.partition("=") for word in words)}
        return cls(name, options.pop("steps", None), options.pop("eta", None), options)

    def other(self, **options: Any) -> Asked:
        """The same with other options."""
        return replace(self, options={**self.options, **options})

    def make(self) -> Any:
        """A scheduler whose timesteps are set; what the library warns about is not asked here."""
        kind = ELSEWHERE.get(self.name) or getattr(schedulers, self.name)
        its_own = {"eta": self.eta} if self.eta is not None and "eta" not in _parameters(kind) else {}
        scheduler = quiet(kind, **self.options, **its_own)
        shift = {"mu": SHIFT} if self.options.get("use_dynamic_shifting") else {}
        quiet(scheduler.set_timesteps, self.steps, **shift, **SETTING.get(self.name, {}))
        return scheduler

    def given(self, scheduler: Any, seed: int) -> dict[str, Any]:
        """What every step is handed: a generator and eta, where it takes them."""
        takes = _parameters(type(scheduler))
        given: dict[str, Any] = {"generator": torch.Generator().manual_seed(seed)} if "generator" in takes else {}
        return {**given, "eta": self.eta} if self.eta is not None and "eta" in takes else given


def quiet(call: Any, *args: Any, **options: Any) -> Any:
    """A call whose warnings are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **options)


@cache
def _parameters(kind: type) -> frozenset[str]:
    step = getattr(kind, "step", None)
    return frozenset(inspect.signature(step).parameters) if step else frozenset()


def _value(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
