"""The reference samplers as targets of the package's own checks.

Their model is told the level itself, so that questions between two levels of the grid are understood, too. A sampler is compiled
once for every number of steps, not for every run: the model of the present run is looked up when it is asked. On a few steps,
and if it is not run again, it is quicker uncompiled.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import jax
import numpy as np

from verifydiff.observe import Target
from verifydiff.observe.frame import Frame
from verifydiff.observe.on_host import on_host
from verifydiff.observe.taps import jax_tap
from verifydiff.samplers import EDM, Heun, PredictorCorrector, sample

HIGH, LOW = 20.0, 0.05
"""The noises over signal between which orders are measured."""
UNEVEN = np.append(np.linspace(HIGH ** (1 / 3), LOW ** (1 / 3), 8) ** 3, 0.0)
PRESENT = []
"""The model of the run that is going on."""

ask = on_host(lambda x, level: PRESENT[-1](x, level))
run = jax.jit(lambda sampler, x_T, abar, key: sample(sampler, ask, x_T, abar, key=key))


def on(sampler, sigma, family, compiled=True) -> Target:
    """The sampler on levels that are told by their noise over signal; the last is 0."""
    abar = 1 / (1 + np.asarray(sigma) ** 2)

    def once(denoise, x_init, seed):
        PRESENT.append(denoise)
        try:
            with nullcontext() if compiled else jax.disable_jit():
                return np.asarray(run(sampler, x_init, abar, jax.random.key(seed)))
        finally:
            jax.effects_barrier()
            PRESENT.pop()

    return Target(
        name=str(sampler),
        sample=once,
        schedule=None,
        frame=Frame.of_level,
        shape=(2,),
        taps=(jax_tap({}),),
        family=family,
        steps=len(abar) - 1,
        corrects=None if several_questions(sampler) else False,
    )


def target(make, family, sigma=UNEVEN) -> Target:
    """``make(S)`` is the sampler for S steps; most are the same for any number."""

    def told(levels):
        return on(make(len(levels) - 1), levels, family)

    refined = replace(told(sigma), on_log_grid=lambda n: told(between(np.ones(n))))
    if several_questions(make(1)):  # all of them forget: nothing changes when the steps change their length
        return refined
    return replace(refined, on_uneven_grid=lambda n: told(between(1.0 + np.arange(n) % 2)))


def several_questions(sampler):
    """Whether it asks more than once a step."""
    return isinstance(getattr(sampler, "right", sampler), (Heun, EDM, PredictorCorrector))


def between(lengths):
    """From the highest level to the lowest in steps of these lengths in log sigma, up to a factor; and on to the data."""
    passed = np.append(0.0, np.cumsum(lengths)) / np.sum(lengths)
    return np.append(HIGH ** (1 - passed) * LOW**passed, 0.0)
