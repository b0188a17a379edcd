"""Does the sampler keep to its contract: what it hands over, what it starts from, what its seed decides, what it is?"""

from __future__ import annotations

from collections.abc import Iterator

from ..observe import Observation, SamplerFault
from ..observe.probe import affine_within
from ..verdict import Finding, Status
from .case import Case
from .identify import Identity

PURE = 1e-9
"""A state in a frame of its own is x_init itself when it is x_init times a number this near to 1."""


def at_fault(check: str, fault: SamplerFault, where: str = "") -> Finding:
    """The finding of a fault: a failure, but for what proves nothing: a time limit that ran out, a question without an answer."""
    status = Status.INCONCLUSIVE if fault.kind in ("out-of-time", "no-answer") else Status.FAIL
    return Finding(check, status, f"{where}{fault}", measured=fault.kind)


def behaviour(observation: Observation) -> Iterator[Finding]:
    """Does the sampler keep to its contract: shapes, finite numbers, nothing changed that is not its own?"""
    if observation.run.mutated:
        yield Finding("behaviour", Status.FAIL, f"the sampler changes {observation.run.mutated} in place.")
    else:
        yield Finding("behaviour", Status.PASS, f"it asked the model {observation.steps} times and returned finite numbers.")


def start(observation: Observation) -> Iterator[Finding]:
    """Does the first query hold x_init?"""
    if observation.start_residual > affine_within(observation.run.unit):
        yield Finding(
            "start", Status.FAIL, "the first query is not x_init times a number: the sampler starts from a state of its own."
        )
        return
    if observation.start_noise and abs(observation.start) <= affine_within(observation.run.unit):
        yield Finding(
            "start",
            Status.FAIL,
            "the first query holds what the sampler drew itself, and nothing of x_init: it has to be handed x_init in place of "
            "that draw. What its first step does with its state cannot be told without.",
            measured=observation.start,
            expected=1.0,
        )
        return
    off, signal = abs(observation.start**2 + observation.start_noise**2 - 1), float(observation.levels[0])
    first = observation.run.meant[0]
    if abs(first.size - 1) > PURE and abs(observation.start * first.size - 1) <= PURE:
        yield Finding(
            "start",
            Status.NOTE,
            f"x_init is handed over as it is, pure noise of variance 1; the state is meant to hold {first.sigma:.6g} of it.",
            measured=first.size,
            expected=1.0,
        )
    elif off <= max(1e-12, 64 * observation.run.unit):
        yield Finding("start", Status.PASS, "the first query holds x_init.")
    elif off <= 2 * signal:
        yield Finding(
            "start",
            Status.NOTE,
            f"the first query holds x_init times {observation.start:.8g}: the variance it starts from is off by {off:.2g}, "
            f"no more than the signal left at that time ({signal:.2g}).",
            measured=observation.start,
            expected=1.0,
        )
    else:
        yield Finding(
            "start",
            Status.FAIL,
            f"the first query holds x_init times {observation.start:.8g}: x_T has the wrong variance.",
            measured=observation.start,
            expected=1.0,
        )


def seed(observation: Observation, *, noisy: bool) -> Iterator[Finding]:
    """Does the seed decide the noise: the same seed the same run, another seed another run?"""
    if not observation.replays:
        yield Finding("seed", Status.FAIL, "two runs with the same seed differ: the noise does not come from the seed alone.")
    elif noisy and not observation.seeds_differ and not observation.drawn:
        yield Finding("seed", Status.FAIL, "steps add what neither state, prediction nor seed explains.")
    elif noisy and not observation.seeds_differ:
        yield Finding("seed", Status.FAIL, "two runs with different seeds have the same noise: the seed is not used.")
    else:
        what = "another seed gives other noise" if noisy else "and there is no noise"
        yield Finding("seed", Status.PASS, f"the same seed gives the same run bit for bit, {what}.")


def known_family(case: Case, identity: Identity) -> Iterator[Finding]:
    """Where it claims no family: is it one that is known?"""
    if case.contract.family is not None or case.observation.target.family is not None:
        return
    if identity.found:
        yield Finding("family", Status.PASS, f"it is {identity}.", measured=identity.distance)
    else:
        yield Finding(
            "family",
            Status.FAIL,
            f"half of its steps or more are those of none of the known families; the nearest is {identity.family.title}.",
            measured=identity.distance,
            expected=0.0,
        )
