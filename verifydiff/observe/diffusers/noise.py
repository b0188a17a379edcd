r"""Where schedulers draw their noise.

Most draw through ``randn_tensor``, looked up in their own module. Two take increments of one Brownian path W, from a sampler of
theirs that keeps a tree of it: for times a and b it returns

.. math:: \frac{W(b) - W(a)}{\sqrt{|b - a|}}.

While the tap is open, a path of ours stands there that is an affine function of fresh standard normal draws and has the joint law
of W (:mod:`verifydiff.observe.brownian`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from ...schedule import Array
from ..brownian import BrownianPath
from ..target import Draw
from ..wide import stand_in, stands_for

BROWNIAN = "BrownianTreeNoiseSampler"


@contextmanager
def tap(module: ModuleType, draw: Draw) -> Iterator[None]:
    """While the context is open, every standard normal draw of the module's goes through ``draw``."""
    import torch

    replaced: dict[str, Any] = {}
    if hasattr(module, "randn_tensor"):
        replaced["randn_tensor"] = _through(draw, module.randn_tensor)
    if hasattr(module, BROWNIAN):
        replaced[BROWNIAN] = lambda x, *args, **kwargs: BrownianNoise(draw, x, *args, **kwargs)
    if stands_for(getattr(module, "torch", None), torch):
        replaced["torch"] = stand_in(module.torch, randn=_through(draw, torch.randn), randn_like=_like(draw))
    with ExitStack() as stack:
        for name, value in replaced.items():
            stack.enter_context(patch.object(module, name, value))
        yield


def _through(draw: Draw, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function ``(shape, ..., dtype=None)`` of normal draws, by way of ``draw``."""
    import torch

    def drawn(*shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        first, rest = (shape[0], shape[1:]) if shape and not isinstance(shape[0], int) else (shape, ())
        values = draw(tuple(first), lambda: original(first, *rest, dtype=dtype, **kwargs).double().numpy())
        return torch.from_numpy(np.asarray(values)).to(dtype or torch.get_default_dtype())

    return drawn


def _like(draw: Draw) -> Callable[..., Any]:
    """``randn_like``, by way of ``draw``."""
    import torch

    drawn = _through(draw, torch.randn)
    return lambda x, **kwargs: drawn(tuple(x.shape), **{"dtype": x.dtype, **kwargs})


class BrownianNoise:
    """Stands where the library's sampler of Brownian increments does, called as that is.

    Args:
        draw: gives the standard normal draws.
        x: the state, for its shape and type.
        sigma_min, sigma_max: between which the library keeps its tree; a path needs no ends.
        seed: of the natural draws, one or one for each row; from torch's own generator where nothing is given, as the library does.
        transform: from a sigma to the time of the path.
    """

    def __init__(
        self,
        draw: Draw,
        x: Any,
        sigma_min: Any,
        sigma_max: Any,
        seed: Any = None,
        transform: Callable[[Any], Any] = lambda sigma: sigma,
    ) -> None:
        import torch

        self.transform, self.shape, self.dtype = transform, tuple(x.shape), x.dtype
        seeds = seed if isinstance(seed, list | tuple) else [seed if seed is not None else int(torch.randint(0, 2**63 - 1, []))]
        generators = [torch.Generator().manual_seed(one) for one in seeds]

        def natural() -> Array:
            rows = self.shape if len(generators) == 1 else (1, *self.shape[1:])
            drawn = [torch.randn(rows, generator=generator, dtype=torch.float64).numpy() for generator in generators]
            return np.concatenate(drawn)

        self.path = BrownianPath(lambda: np.asarray(draw(self.shape, natural), dtype=np.float64))

    def __call__(self, sigma: Any, sigma_next: Any) -> Any:
        """The increment between two sigmas, over the root of its length."""
        import torch

        start, end = (float(self.transform(torch.as_tensor(one))) for one in (sigma, sigma_next))
        return torch.from_numpy(np.asarray(self.path.increment(start, end))).to(self.dtype)
