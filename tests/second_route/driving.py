r"""Plain pipelines: the scheduler as it is shipped, and the exact model of Gaussian data :math:`N(m, v)`,

.. math:: \hat x_0 = m + \frac{\alpha v}{\alpha^2 v + \sigma^2}\,(x - \alpha m), \qquad
    \hat\epsilon = (x - \alpha\hat x_0) / \sigma,

told in the words that the options ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .asked import Asked, quiet
from .levels import SIGMA_SPACE, is_flow, told

DRAWS = 100_000


@dataclass(frozen=True)
class Law:
    """The data."""

    m: float
    v: float

    def denoised(self, x: Any, alpha: float, sigma: float) -> Any:
        """The mean of the data, given a state."""
        return self.m + alpha * self.v / (alpha**2 * self.v + sigma**2) * (x - alpha * self.m)


POINT = Law(0.9, 0.0)
SPREAD = Law(0.3, 0.01)
"""Narrow: 1, where some clip, is seven standard deviations away."""


@dataclass(frozen=True)
class Query:
    """What the model was asked: a state at a time, which stands for alpha and sigma."""

    t: float
    alpha: float
    sigma: float
    x: Any


def kind_of(scheduler: Any) -> str:
    """In which words the model answers."""
    if type(scheduler).__name__ == "IPNDMScheduler":
        return "v_prediction"
    usual = "flow_prediction" if is_flow(scheduler) else "epsilon"
    return str(scheduler.config.get("prediction_type", usual))


def answer(kind: str, x: Any, x_0: Any, alpha: float, sigma: float, inverted: bool = False) -> Any:
    """A prediction of the data, in other words."""
    if kind == "sample":
        return x_0
    eps = (x - alpha * x_0) / sigma
    if kind == "epsilon":
        return eps
    if kind == "v_prediction":
        return alpha * eps - sigma * x_0
    return x_0 - eps if inverted else eps - x_0  # the velocity along sigma, which is the share of the data where it is inverted


def normals(n: int = DRAWS, seed: int = 0) -> Any:
    """n draws, moved and scaled to a mean of 0 and a variance of 1."""
    z = torch.randn(n, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (z - z.mean()) / z.std()


class Drive:
    """One run: its queries and what it returns."""

    def __init__(
        self, asked: Asked, law: Law, z: Any, *, pipeline: bool = False, seed: int = 1, dtype: Any = torch.float32, kind: str = ""
    ) -> None:
        """z: the noise it starts from, as a pipeline does, or on top of the data, as the first told time has it."""
        self.asked, self.law, self.queries = asked, law, list[Query]()
        self.scheduler = asked.make()
        self.kind = kind or kind_of(self.scheduler)
        given = asked.given(self.scheduler, seed)
        self.generator = torch.Generator().manual_seed(seed)
        t = self.scheduler.timesteps[0]
        if pipeline:
            x = z * float(getattr(self.scheduler, "init_noise_sigma", 1.0))
        elif asked.name == "KarrasVeScheduler":
            x = law.m + float(self.scheduler.schedule[t]) * z
        else:
            alpha, sigma = told(self.scheduler, t)
            x = (alpha * law.m + sigma * z) / (alpha if asked.name in SIGMA_SPACE else 1.0)
        with torch.no_grad():
            self.end = quiet(LOOPS.get(asked.name, usual), self, x.to(dtype), given)

    def ask(self, x: Any, t: Any, level: tuple[float, float] | None = None) -> Any:
        """The model."""
        alpha, sigma = level or told(self.scheduler, t)
        self.queries.append(Query(float(t), alpha, sigma, x))
        inverted = bool(self.scheduler.config.get("invert_sigmas"))
        return answer(self.kind, x, self.law.denoised(x, alpha, sigma), alpha, sigma, inverted)


def usual(run: Drive, x: Any, given: dict[str, Any]) -> Any:
    """The loop of nearly all pipelines."""
    for t in run.scheduler.timesteps:
        handed = run.scheduler.scale_model_input(x, t) if hasattr(run.scheduler, "scale_model_input") else x
        x = run.scheduler.step(run.ask(handed, t), t, x, **given).prev_sample
    return x


def cogvideox(run: Drive, x: Any, given: dict[str, Any]) -> Any:
    """CogVideoXPipeline's: each step is handed the prediction of the data before, and its time."""
    past, before = None, None
    for t in run.scheduler.timesteps:
        x, past = run.scheduler.step(run.ask(x, t), past, t, before, x, **given)
        before = t
    return x


def repaint(run: Drive, x: Any, given: dict[str, Any]) -> Any:
    """RePaintPipeline's, with nothing known of the image."""
    mask, before = torch.zeros_like(x), run.scheduler.timesteps[0] + 1
    for t in run.scheduler.timesteps:
        if t < before:
            x = run.scheduler.step(run.ask(x, t), t, x, mask, mask, **given).prev_sample
        else:
            x = run.scheduler.undo_step(x, before, **given)
        before = t
    return x


def karras_ve(run: Drive, x: Any, given: dict[str, Any]) -> Any:
    """Algorithm 2 of Karras et al. 2022 with the scheduler's own steps; its model answers (x_0 - x) / sigma."""

    def ask(x: Any, sigma: Any) -> Any:
        run.queries.append(Query(float(sigma), 1.0, float(sigma), x))
        return (run.law.denoised(x, 1.0, float(sigma)) - x) / sigma

    for t in run.scheduler.timesteps:
        sigma, following = run.scheduler.schedule[t], run.scheduler.schedule[t - 1] if t > 0 else 0
        churned, raised = run.scheduler.add_noise_to_input(x, sigma, generator=run.generator)
        out = run.scheduler.step(ask(churned, raised), raised, following, churned)
        x = out.prev_sample
        if following != 0:
            x = run.scheduler.step_correct(ask(x, following), raised, following, churned, x, out.derivative).prev_sample
    return x


LOOPS: dict[str, Callable[[Drive, Any, dict[str, Any]], Any]] = {
    "CogVideoXDPMScheduler": cogvideox,
    "RePaintScheduler": repaint,
    "KarrasVeScheduler": karras_ve,
}
