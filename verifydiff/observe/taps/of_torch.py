"""A tap on PyTorch: every normal draw, whatever the name it was called by.

``torch.randn``, ``randn_like``, ``torch.normal``, ``Tensor.normal_`` and what stands on them (``torch.distributions``,
``torch.nn.init``) all come down to four operators of the dispatcher, where they are met. The draw itself is PyTorch's own, by
the generator that the sampler chose, so that a recorded run is the run that would have happened.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from ..target import Draw, Tap

NORMAL = ("aten::randn", "aten::randn_like", "aten::normal", "aten::normal_")


def torch_tap() -> Tap:
    """A tap on PyTorch's normal draws; where PyTorch is not loaded, nobody draws by it."""

    @contextmanager
    def tap(draw: Draw) -> Iterator[None]:
        if sys.modules.get("torch") is None:
            yield
            return
        with _mode()(draw):
            yield

    return tap


@cache
def _mode() -> Any:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Tapped(TorchDispatchMode):  # type: ignore[misc]
        """While it is on, what a normal draw has put into a tensor goes through ``draw``."""

        def __init__(self, draw: Draw) -> None:
            super().__init__()
            self.draw = draw

        def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            drawn = operator(*args, **(kwargs or {}))
            if operator._schema.name in NORMAL and drawn.is_floating_point() and drawn.device.type != "meta":
                named = dict(zip((argument.name for argument in operator._schema.arguments), args, strict=False))
                named.update(kwargs or {})
                _through(self.draw, drawn, named.get("mean", 0.0), named.get("std", 1.0))
            return drawn

    return Tapped


def _through(draw: Draw, drawn: Any, mean: Any, std: Any) -> None:
    """Put ``mean + std z`` in place of what was drawn, z being what ``draw`` makes of the standard normal numbers behind it."""
    import torch

    if torch.as_tensor(std == 0).any():
        return  # no number of this draw tells what was drawn
    z = ((drawn.double() - mean) / std).cpu().numpy()
    values = np.asarray(draw(tuple(drawn.shape), lambda: z))
    if not np.array_equal(values, z):
        drawn.copy_(mean + std * torch.from_numpy(values).to(drawn.device))
