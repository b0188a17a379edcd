"""All that is measured, as a record keeps it: numbers of four significant digits, and a line on the screen for every row."""

from __future__ import annotations

import time
from typing import Any

from jax import random
from pages import shortened

from verifydiff.network.data import data
from verifydiff.network.run import Run
from verifydiff.schedule import Schedule

from .costs import RATE, TIMES, Samples, score_error
from .formats import BFLOAT16, FLOAT32, TF32, bfloat16, plain, precisions
from .models import KINDS, exact_model, network_model, networks

SEED = 0
DIGITS = 4
TIMESTEPS = 1000
NOISED = 4096
"""Draws whose score is looked at, at each level; of a network, as many as are sampled."""
SCHEDULES = ("cosine", "scaled_linear")
"""All is measured on the first, which the presets are trained on; on the second predictions of the noise alone."""


def measured(
    side: int,
    draws: int,
    steps: tuple[int, ...],
    etas: tuple[float, ...],
    run: Run | None,
    network_steps: tuple[int, ...],
    network_draws: int,
) -> dict[str, Any]:
    """The record's results. Everything is told by the names of S and eta, ``"50, 1"``."""
    law, key = data(f"field:{side}"), random.key(SEED)
    grid = [(S, eta) for S in steps for eta in etas]
    tables = {name: Schedule.named(name, TIMESTEPS).abar for name in SCHEDULES}
    found: dict[str, Any] = {
        "data": f"field:{side}",
        "draws": draws,
        "noised": NOISED,
        "rate": RATE,
        "t": list(TIMES),
        "score": {},
        "samples": {},
        "theory": {},
    }
    for kind in KINDS:
        for precision in precisions():
            errors = score_error(exact_model(precision, kind, law), law, tables["cosine"], NOISED, key)
            found["score"][name_of(kind, precision.name)] = errors
            say(f"score, {kind}, {precision.name}: {' '.join(f'{error:.2g}' for error in errors['score'])}")
    for schedule, table in tables.items():
        samples = Samples(law, table, draws, key)
        found["theory"][schedule] = {cell(*at): samples.theory(*at)[2] / samples.variance for at in grid}
        here = found["samples"][schedule] = {}
        for kind, precision, state in rows(schedule):
            model, name = exact_model(precision, kind, law), name_of(kind, precision.name, state.__name__)
            here[name] = {cell(*at): samples.told(samples.drawn(model, *at, state), *at) for at in grid}
            tell(f"{schedule}, {name}", here[name])
    if run is not None:
        found["network"] = of_network(run, network_steps, etas, network_draws)
    return shortened(found, DIGITS)


def rows(schedule: str) -> list[tuple[str, Any, Any]]:
    """What is sampled: prediction, precision of the model, rounding of the state. What a state costs depends on no prediction."""
    if schedule != SCHEDULES[0]:
        return [("eps", precision, plain) for precision in (FLOAT32, TF32, BFLOAT16)]
    of_models = [(kind, precision, plain) for kind in KINDS for precision in precisions()]
    return [*of_models, ("v", FLOAT32, bfloat16), ("v", BFLOAT16, bfloat16)]


def of_network(run: Run, steps: tuple[int, ...], etas: tuple[float, ...], draws: int) -> dict[str, Any]:
    """A trained network against the exact answers in every precision, and against its own in float32."""
    table, law, key = run.levels, data(run.preset.data), random.key(SEED)
    own, samples = network_model("float32", run), Samples(law, table, draws, key)
    told: dict[str, Any] = {"preset": run.preset.name, "prediction": run.preset.prediction, "step": run.step, "draws": draws}
    told |= {"score": {}, "apart": {}, "samples": {}, "moved": {}}
    drawn = {(S, eta): samples.drawn(own, S, eta) for S in steps for eta in etas}
    for name in networks():
        model = network_model(name, run)
        told["score"][name] = score_error(model, law, table, draws, key)
        told["apart"][name] = score_error(model, law, table, draws, key, own)
        here = drawn if name == "float32" else {at: samples.drawn(model, *at) for at in drawn}
        told["samples"][name] = {cell(*at): samples.told(x, *at) for at, x in here.items()}
        told["moved"][name] = {cell(*at): samples.told(x, *at, drawn[at])["moved"] for at, x in here.items()}
        tell(f"network, {name}", told["samples"][name])
    return told


def cell(steps: int, eta: float) -> str:
    """The name of an S and an eta."""
    return f"{steps}, {eta:g}"


def name_of(kind: str, precision: str, state: str = "plain") -> str:
    """The name of a row."""
    return f"{kind}, {precision}" + ("" if state == "plain" else f", state {state}")


def tell(name: str, cells: dict[str, Any]) -> None:
    """A row of samples, on the screen."""
    known = (f"({at}) {one['excess'][0]:.2g}, {one['moved']:.2g}" for at, one in cells.items() if one["excess"])
    say(f"samples, {name}, excess and moved: {'; '.join(known) or 'no numbers'}")


def say(line: str) -> None:
    """With the time since the program began."""
    print(f"{time.perf_counter() - BEGAN:6.0f} s  {line}", flush=True)


BEGAN = time.perf_counter()
