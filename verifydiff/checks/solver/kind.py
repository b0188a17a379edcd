"""What kind of method is it? From its response alone."""

from __future__ import annotations

import numpy as np

from ...observe.response import Response

NOTHING = 1e-9
"""A weight below this share of its row is none."""


def kind(response: Response) -> str:
    """In words: how many earlier predictions a step uses, whether it asks more than once a step, whether it adds noise."""
    noise = "adds fresh noise" if response.draws.any() or response.hidden else "adds no noise"
    if stages(response):
        return f"a method that asks the model more than once a step and {noise}"
    back = memory(response)
    if back == 0:
        return f"a one-step method that {noise}"
    return f"a multistep method whose steps use up to {back} earlier prediction{'s' if back > 1 else ''}; it {noise}"


def stages(response: Response) -> bool:
    """Whether it asks at a level again, or at a noisier one than before: not every query is a step."""
    ratio = response.sigma[:-1] * response.alpha[1:] - response.sigma[1:] * response.alpha[:-1]  # > 0: on towards the data
    forward, back = (ratio[:-1] > NOTHING).sum(), (ratio[:-1] < -NOTHING).sum()
    still = ratio.size - 1 - forward - back
    return bool(still or (forward and back))


def memory(response: Response) -> int:
    """How many predictions before the present one a step uses, at most."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.nan_to_num(response.start[1:] / response.start[:-1])
    weights = response.answers[1:] - kept[:, None] * response.answers[:-1]
    size = np.abs(response.answers[1:]).max(axis=1, keepdims=True) + np.abs(kept[:, None] * response.answers[:-1]).max(
        axis=1, keepdims=True
    )
    used = np.abs(weights) > NOTHING * np.maximum(size, 1.0)
    back = [k - int(np.flatnonzero(row[: k + 1])[0]) for k, row in enumerate(used) if row[: k + 1].any()]
    return max(back, default=0)
