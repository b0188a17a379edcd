r"""What is timed of PyTorch: the same training and the same sampling, as one would write them there.

Everything is drawn on the device, and nothing is read from it between two steps. On CUDA the network runs by autocast in bfloat16,
compiled where that works, and eagerly where it does not; elsewhere it runs in float32.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from verifydiff.network.data import Data, classes, in_single
from verifydiff.network.images import Images
from verifydiff.network.objective import weight
from verifydiff.network.preset import Preset
from verifydiff.network.step import STEEPEST
from verifydiff.network.unet import UNet
from verifydiff.oracles import GaussianMixture
from verifydiff.samplers import spaced

from . import rates
from .speed import SEED, Task, failure
from .twin import twin_of


class Examples(NamedTuple):
    r"""What a step learns from.

    Attributes:
        x_t: (n, 1, \*grid).
        abar: (n,).
        label: (n,), the number of classes where it is withheld; None where there are no classes.
        target: (n, 1, \*grid), what should be predicted.
        weight: (n,), of the squared error.
    """

    x_t: Tensor
    abar: Tensor
    label: Tensor | None
    target: Tensor
    weight: Tensor


class Side:
    """PyTorch, on the GPU if it sees one.

    Args:
        task: what is done.
        compiling: whether networks are compiled; None for where there is a GPU.
    """

    def __init__(self, task: Task, *, compiling: bool | None = None) -> None:
        self._task, self.device = task, device()
        self._compiling = self.device.type == "cuda" if compiling is None else compiling

    def training(self) -> Training:
        """A training, compiled."""
        made = Training(self._task, Network(self._task.network, self.device, compiling=self._compiling))
        made.begin()
        return made

    def sampling(self, steps: int) -> Sampling:
        """A loop of so many steps. Its network is compiled for the first of them, and does for all."""
        return Sampling(self._task, self._roused, steps)

    def rates(self, scale: rates.Scale) -> dict[str, Any] | None:
        """What the device does at best; None where it is no GPU."""
        return rates.of_torch(scale, self.device) if self.device.type == "cuda" else None

    @cached_property
    def _roused(self) -> Network:
        return Network(self._task.roused, self.device, compiling=self._compiling)


class Network:
    """The twin of a network, on a device, compiled if that is asked for and works.

    Attributes:
        module: the twin.
        device: where it is.
        facts: whether it is compiled, and if it should be and is not, why.
    """

    def __init__(self, network: UNet, device: torch.device, *, compiling: bool) -> None:
        torch.backends.cudnn.benchmark = True
        self.module, self.device = twin_of(network).to(device), device
        self.facts: dict[str, Any] = {"compiled": compiling, "threads": torch.get_num_threads()}
        self._asked = torch.compile(self.module, dynamic=False) if compiling else self.module
        self._autocast = {"device_type": device.type, "dtype": torch.bfloat16, "enabled": device.type == "cuda"}

    def __call__(self, x_t: Tensor, abar: Tensor, label: Tensor | None) -> Tensor:
        """The predictions, in float32."""
        with torch.autocast(**self._autocast):
            return self._asked(x_t, abar, label)

    def first(self, run: Callable[[], Any]) -> float:
        """Run what compiles the network, eagerly if that fails, for whatever reason, which is kept; the seconds it took."""
        began = time.perf_counter()
        try:
            run()
        except Exception as error:
            if not self.facts["compiled"]:
                raise
            self.facts |= {"compiled": False, "why_eager": failure(error)["failed"]}
            self._asked = self.module
            torch._dynamo.reset()
            self.module.zero_grad(set_to_none=True)
            run()
        return time.perf_counter() - began


class Training:
    """A training: draws, the clipped gradient, Adam with the same rates, and an average of the weights.

    Attributes:
        network: what is trained.
        average: the average of its weights.
        most: steps that can be asked for at once.
    """

    most = 10**6

    def __init__(self, task: Task, network: Network) -> None:
        torch.manual_seed(SEED)
        watch_peak(network.device)
        self._preset, self._batch, self._classes, device = task.preset, task.batch, classes(task.source), network.device
        self.network, self._device, self._draw = network, device, drawing(task.source, device)
        self._weights = list(network.module.parameters())
        self.average = [one.detach().clone() for one in self._weights]
        self._optimiser = torch.optim.Adam(self._weights, lr=task.preset.rate, fused=device.type == "cuda")
        self._rates = torch.optim.lr_scheduler.LambdaLR(self._optimiser, lambda n: share_of_rate(task.preset, n))
        self._done = 0
        table = task.preset.noising.abar[1:].astype(np.float32)
        weights = weight(task.preset.prediction, task.preset.weighting, table)
        self._table, self._weighting = (torch.tensor(np.asarray(one), device=device) for one in (table, weights))
        self._compile_seconds = 0.0

    def begin(self) -> None:
        """Take the first step, with all that is compiled for it."""
        self._compile_seconds = self.network.first(lambda: self.steps(1))

    def steps(self, count: int) -> Any:
        """The losses of so many steps, when all is done."""
        losses = [self.learn(self.examples()) for _ in range(count)]
        return torch.stack(losses).cpu().numpy()

    def examples(self) -> Examples:
        """Those of a step, their levels stratified."""
        n, classes, preset = self._batch, self._classes, self._preset
        x_0, label = self._draw(n)
        eps = torch.randn_like(x_0)
        places = (torch.rand((), device=self._device) + torch.arange(n, device=self._device) / n) % 1
        index = (places * len(self._table)).long().clamp(max=len(self._table) - 1)
        abar = self._table[index]
        signal, noise = abar.sqrt()[:, None, None, None], (1 - abar).sqrt()[:, None, None, None]
        if classes is not None:
            label = torch.where(torch.rand(n, device=self._device) < preset.label_dropout, classes, label)
        target = {"eps": lambda: eps, "x0": lambda: x_0, "v": lambda: signal * eps - noise * x_0}[preset.prediction]()
        return Examples(signal * x_0 + noise * eps, abar, label, target, self._weighting[index])

    def learn(self, batch: Examples) -> Tensor:
        """One step; its loss, still on the device."""
        value = loss(self.network, batch)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, STEEPEST)
        self._optimiser.step()
        self._rates.step()
        self._optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            kept = min(self._preset.ema, (1 + self._done) / (10 + self._done))
            torch._foreach_lerp_(self.average, self._weights, 1 - kept)
        self._done += 1
        return value.detach()

    def facts(self) -> dict[str, Any]:
        """Beside the time of a step."""
        return {"compile_seconds": self._compile_seconds, "peak_bytes": peak(self._device), **self.network.facts}


class Sampling:
    """DDIM without noise: a loop over the levels, the states in float32."""

    def __init__(self, task: Task, network: Network, steps: int) -> None:
        watch_peak(network.device)
        self._prediction, self._network = task.preset.prediction, network
        self._levels = spaced(task.preset.noising.abar, steps).astype(np.float32).tolist()
        with torch.inference_mode():  # as what comes out of a step, so that a compiled network meets nothing new
            self._noise = torch.tensor(task.noise, device=network.device)[:, None]
            self._label = None if task.label is None else torch.tensor(task.label, device=network.device)
        self._compile_seconds = network.first(lambda: self._down(self._levels[-3:]))

    def __call__(self) -> Any:
        """The events."""
        return self._down(self._levels)[:, 0].cpu().numpy()

    def facts(self) -> dict[str, Any]:
        """Beside the time of a run."""
        return {"compile_seconds": self._compile_seconds, "peak_bytes": peak(self._network.device), **self._network.facts}

    @torch.inference_mode()
    def _down(self, levels: list[float]) -> Tensor:
        x = self._noise
        for a, cleaner in pairwise(levels):
            eps = eps_of(self._prediction, a, self._network(x, x.new_full((len(x),), a), self._label), x)
            x_0 = (x - math.sqrt(1 - a) * eps) / math.sqrt(a)
            x = math.sqrt(cleaner) * x_0 + math.sqrt(1 - cleaner) * eps
        return x


def loss(network: Callable[..., Tensor], batch: Examples) -> Tensor:
    """The mean over a batch."""
    errors = (network(batch.x_t, batch.abar, batch.label) - batch.target).square().mean(dim=(1, 2, 3))
    return (batch.weight * errors).mean()


def eps_of(kind: str, a: float, y_hat: Tensor, x_t: Tensor) -> Tensor:
    """The noise that a prediction implies."""
    ways = {
        "eps": lambda: y_hat,
        "x0": lambda: (x_t - math.sqrt(a) * y_hat) / math.sqrt(1 - a),
        "v": lambda: math.sqrt(1 - a) * x_t + math.sqrt(a) * y_hat,
    }
    return ways[kind]()


def share_of_rate(preset: Preset, n: int) -> float:
    """The learning rate of step n over the highest: it rises for a while, and then falls by half a cosine."""
    warmup = min(preset.warmup, preset.steps // 2)
    if n < warmup:
        return n / warmup
    return (1 + math.cos(math.pi * min(1.0, (n - warmup) / (preset.steps - warmup)))) / 2


def drawing(source: Data, device: torch.device) -> Callable[[int], tuple[Tensor, Tensor | None]]:
    r"""A function that draws n events (n, 1, \*grid) and their labels on the device; None where there are none."""
    return of_images(source, device) if isinstance(source, Images) else of_fields(source, device)


def of_images(source: Images, device: torch.device) -> Callable[[int], tuple[Tensor, Tensor]]:
    """From a set that lies on the device."""
    images, labels = (torch.tensor(np.asarray(one), device=device) for one in (source.train, source.train_labels))

    def drawn(n: int) -> tuple[Tensor, Tensor]:
        index = torch.randint(len(images), (n,), device=device)
        return images[index][:, None].float() * (2 / (source.levels - 1)) - 1, labels[index].long()

    return drawn


def of_fields(source: Any, device: torch.device) -> Callable[[int], tuple[Tensor, Tensor | None]]:
    """A mixture of Gaussian fields, or one of them: the component first, then only its field."""
    law, mixed = in_single(source), isinstance(source, GaussianMixture)
    fields = law.components if mixed else law
    loc, spectrum = (
        torch.tensor(np.asarray(one), device=device).view(-1, *law.event_shape) for one in (fields.loc, fields.spectrum)
    )
    edges = torch.tensor(np.cumsum(np.asarray(law.weights))[:-1], device=device) if mixed else None
    labels = torch.tensor(law.labels, device=device) if mixed else None

    def drawn(n: int) -> tuple[Tensor, Tensor | None]:
        uniform = torch.rand(n, device=device)
        component = torch.zeros_like(uniform, dtype=torch.long) if edges is None else torch.bucketize(uniform, edges)
        noise = spectrum[component].sqrt() * torch.randn(n, *loc.shape[1:], device=device)
        turned = torch.fft.fft2(noise, norm="ortho")
        return (loc[component] + turned.real - turned.imag)[:, None], None if labels is None else labels[component]

    return drawn


def device() -> torch.device:
    """The GPU, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def watch_peak(device: torch.device) -> None:
    """From here on the most memory is looked for."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> int | None:
    """The most bytes that were in use since then; None where nobody counts them."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
