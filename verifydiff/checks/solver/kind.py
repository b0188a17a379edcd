"""What kind of method is it? From its response alone."""

from __future__ import annotations

import numpy as np

from ...observe.response import Response

NOTHING = 1e-9
"""A weight below this share of its row is none."""
FEW = 2.0**10
"""Or of so many roundings."""
MOST = 9
"""Predictions that a step is thought to remember; past that it is said to use all."""


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
    r"""How many predictions before the present one a step uses, at most.

    m of them, if :math:`x_{k+1}` is a combination of the queries k - m to k: of their states and their predictions. Those who keep
    slopes or predicted noise use the earlier states too, so the weights of everything older must lie in the span of the weights of
    these states.
    """
    return max((_back(response, k) for k in range(response.queries)), default=0)


def _back(response: Response, k: int) -> int:
    """The same of the step from query k."""
    weights = np.column_stack([response.start, response.answers])
    for m in range(min(k, MOST)):
        older = weights[: k + 2, : 1 + k - m]  # of x_T and of the predictions before query k - m
        states, reached = older[k - m : k + 1].T, older[k + 1]
        sizes = np.maximum(np.linalg.norm(states, axis=0), np.finfo(np.float64).tiny)
        combination = np.linalg.lstsq(states / sizes, reached, rcond=None)[0]
        left = np.abs(reached - states / sizes @ combination).max()
        if left <= max(NOTHING, FEW * response.unit) * max(1.0, float(np.abs(weights[k : k + 2]).max())):
            return m
    return k
