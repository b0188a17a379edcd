"""A sampler over PyTorch tensors as one over NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...schedule import Array
from ..running import Rounded
from ..target import Denoise


@dataclass(frozen=True)
class OverTorch:
    """``sample``, whose states are tensors of double precision, or of single where that is asked for.

    In double precision torch's default type is double, too, so that noise and tables that are made without a type keep all
    digits. The tensors share their memory with the arrays of the probe, so that changing them in place is seen.
    """

    sample: Callable[..., Any]
    single: bool = False

    def __call__(self, denoise: Denoise, x_init: Array, seed: int) -> Any:
        """What the sampler returns, as a NumPy array where it is one of the library's."""
        import torch

        if not self.single:
            torch.set_default_dtype(torch.float64)  # given back with all else that a run may set
        handed = x_init.astype(np.float32) if self.single else x_init
        before = handed.copy()
        final = as_array(self.sample(answering(denoise), torch.from_numpy(handed), seed))
        if not np.array_equal(handed, before):
            x_init[...] = handed  # in single precision it was handed a copy
        return final


def answering(denoise: Denoise) -> Denoise:
    """The model of the probe as one over tensors: its answer has the type and the device of the query."""
    import torch

    def model(x: Any, t: Any) -> Any:
        answer = denoise(as_array(x), as_array(t))
        if not isinstance(x, torch.Tensor):
            return answer
        prediction = torch.from_numpy(answer)
        return prediction.to(device=x.device, dtype=x.dtype if x.is_floating_point() else prediction.dtype)

    return model


def as_array(value: Any) -> Any:
    """A tensor as a NumPy array, whatever its type and device; everything else as it is."""
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    value = value.detach().cpu()
    if value.is_floating_point() and value.dtype not in (torch.float16, torch.float32, torch.float64):
        return Rounded.of(value.float().numpy(), torch.finfo(value.dtype).eps / 2)
    return value.numpy()
