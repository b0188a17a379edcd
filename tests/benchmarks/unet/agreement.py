r"""Whether both networks compute the same: measured before anything is timed.

With the same weights, none of them zero, and the same random states, levels and labels, by the relative error
:math:`\|a - b\| / \|b\|` over the whole batch. In float32, with no shorter mantissas on the way, the two differ by rounding. In
bfloat16 each is held against the float32 answer: its error is some multiple of :math:`2^{-8}`, the spacing of that format.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from verifydiff.network.predictor import computing_in, predictions
from verifydiff.network.unet import UNet

EVENTS = 16
FLOAT32 = 1e-4
BFLOAT16 = 10.0  # in units of 2 ** -8; what the presets have on a CPU is 2.4 to 5
SPACING = 2.0**-8

Numbers = np.ndarray[Any, np.dtype[Any]]


class DisagreementError(ArithmeticError):
    """The two networks do not compute the same; says how far they are apart."""


def questions(network: UNet, grid: tuple[int, int], seed: int) -> tuple[Numbers, Numbers, Numbers | None]:
    """Random states, levels over the whole range, and labels if there are any, among them that for none."""
    rng = np.random.default_rng(seed)
    x_t = rng.standard_normal((EVENTS, *grid)).astype(np.float32)
    abar = np.linspace(0, 1, EVENTS).astype(np.float32)
    label = None if network.classes is None else (np.arange(EVENTS) % (network.classes + 1)).astype(np.int32)
    return x_t, abar, label


def by_jax(network: UNet, x_t: Numbers, abar: Numbers, label: Numbers | None) -> Numbers:
    """The answers in the dtype of the weights; in float32 nothing is rounded to a shorter one."""
    with jax.default_matmul_precision("highest"):
        return np.asarray(jax.jit(predictions)(network, x_t, abar, label))


def by_torch(twin: torch.nn.Module, x_t: Numbers, abar: Numbers, label: Numbers | None, *, rounded: bool) -> Numbers:
    """The answers in the dtype of the weights, where its module is; or by autocast in bfloat16."""
    device = next(twin.parameters()).device
    x, a, y = (None if one is None else torch.from_numpy(one).to(device) for one in (x_t, abar, label))
    with torch.inference_mode(), no_tf32(), torch.autocast(device.type, torch.bfloat16, enabled=rounded):
        return twin(x[:, None], a, y)[:, 0].cpu().numpy()


@contextlib.contextmanager
def no_tf32() -> Iterator[None]:
    """PyTorch's products and convolutions of float32 in float32."""
    places = (torch.backends.cuda.matmul, torch.backends.cudnn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is a newer name for it, which older versions do not know
        before = [place.allow_tf32 for place in places]
        for place in places:
            place.allow_tf32 = False
        try:
            yield
        finally:
            for place, allowed in zip(places, before, strict=True):
                place.allow_tf32 = allowed


def agreement(network: UNet, twin: torch.nn.Module, grid: tuple[int, int], seed: int = 0) -> dict[str, float]:
    """How far the two are apart, and in bfloat16 (in units of 2^-8) each from the answer in float32.

    Raises:
        DisagreementError: if they do not compute the same.
    """
    asked = questions(network, grid, seed)
    exact, other = by_jax(network, *asked), by_torch(twin, *asked, rounded=False)
    ours, theirs = by_jax(computing_in(jnp.bfloat16, network), *asked), by_torch(twin, *asked, rounded=True)
    found = {
        "float32": apart(other, exact),
        "bfloat16_jax": apart(ours, exact) / SPACING,
        "bfloat16_torch": apart(theirs, exact) / SPACING,
        "bfloat16_apart": apart(theirs, ours) / SPACING,
    }
    refuse(found)
    return found


def refuse(found: dict[str, float]) -> None:
    """Say what does not hold.

    Raises:
        DisagreementError: if anything does not.
    """
    rounding = [found["bfloat16_jax"], found["bfloat16_torch"]]
    if not found["float32"] < FLOAT32:
        raise DisagreementError(f"in float32 the two networks are {found['float32']:.1e} apart, more than {FLOAT32:.0e}.")
    if not max(rounding) < BFLOAT16:
        raise DisagreementError(
            f"in bfloat16 they are {rounding[0]:.1f} (JAX) and {rounding[1]:.1f} (PyTorch) times 2^-8 from float32, "
            f"more than {BFLOAT16:g}."
        )


def apart(one: Numbers, other: Numbers) -> float:
    """The relative error; what is not finite is infinitely far away."""
    error = float(np.linalg.norm(one.astype(np.float64) - other) / np.linalg.norm(other.astype(np.float64)))
    return error if np.isfinite(error) else float("inf")
