"""``verifydiff sample``: draw from a reference sampler on data with known answers until its law is clear."""

from __future__ import annotations

import argparse
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..verdict import EXIT_OK, MisuseError, exit_code
from . import devices
from .check import option

if TYPE_CHECKING:
    from ..campaigns import Layout, Plan, Theirs
    from ..schedule import Array, Schedule

EPILOG = """\
sampler:
  ddpm, ddpm-large, ddim, euler, heun, euler-maruyama, reverse-diffusion, predictor-corrector, dpm-solver++2m, edm
  path/file.py:name          a function sample(denoise, x_init, seed), or a sampler in JAX with init, step and last
  package.module:name        the same, of an installed module
  diffusers:DDIMScheduler    one of a library's, as for verifydiff check

data:
  gaussian:D                 a Gaussian in D dimensions, with a full covariance
  mixture:D                  eight components in four classes
  field:N                    a random field on an N x N torus
  FILE.json                  {"kind": "gaussian", "mean": [...], "covariance": [[...]]}, or a mixture or a field

Draws of a sampler on Gaussian data are compared with the exact law in which it ends after so many steps, where that is
known; others with the law of the data, from which every method is off by its bias.

exit code: 0 equal within the resolution; 1 different; 2 the command was misused; 3 too few draws to say
"""
SPACINGS = ("trailing", "leading", "linspace", "karras", "log-uniform")
STEPS = 50


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sample",
        help="draw from a reference sampler on data with known answers until its law is clear",
        description="Draw from a reference sampler on data with known answers, and test the law of the draws at declared rates.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sampler", metavar="SAMPLER", help="ddpm, ddim, heun, ..., or your own (see below)")
    parser.add_argument("data", metavar="DATA", help="what is sampled (see below)")
    what = parser.add_argument_group("the sampler")
    what.add_argument("--steps", type=int, help=f"how many steps it takes (default: {STEPS})")
    what.add_argument("--eta", type=float, help="the eta of ddim, from 0 to 1 (default: 0)")
    what.add_argument("--churn", type=float, default=0.0, help="the S_churn of edm (default: 0)")
    what.add_argument("--schedule", help="linear, scaled_linear, cosine, or a .npy file of betas (linear)")
    what.add_argument("--timesteps", type=int, help="T of a named schedule (default: 1000)")
    what.add_argument("--spacing", choices=SPACINGS, help="how its levels are spaced (default: trailing)")
    what.add_argument(
        "--family", metavar="NAME", help="what a sampler of your own claims to be: ddpm, ddim, ... (default: nothing)"
    )
    what.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="passed to a library's scheduler")
    what.add_argument("--label", type=int, metavar="Y", help="sample the data of this class alone")
    test = parser.add_argument_group("the test")
    test.add_argument("--draws", type=int, metavar="N", help="at most so many, in whole blocks (default: until all is clear)")
    test.add_argument("--resolution", type=float, default=0.01, help="how far off counts as equal (default: 0.01)")
    test.add_argument("--false-alarm", type=float, default=1e-6, metavar="RATE", help="how often a right sampler may fail (1e-6)")
    test.add_argument("--miss", type=float, default=1e-6, metavar="RATE", help="how often one that is off may pass (1e-6)")
    test.add_argument("--against", choices=("sampler", "data"), help="the law to compare with (default: the sampler's, if known)")
    test.add_argument("--pair", type=int, metavar="K", help="judge step K alone, from 0, by the joint law of its two states")
    run = parser.add_argument_group("the run")
    run.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")
    run.add_argument("--state", metavar="FILE", help="keep the count here, and go on from it; a kill costs seconds")
    devices.add(run, "draw")
    run.add_argument("--json", metavar="FILE", help="write the outcome as JSON to a file, or to standard output if it is -")
    parser.set_defaults(run=_sample)


def _sample(arguments: argparse.Namespace) -> int:
    _refuse_nonsense(arguments)
    place = _place(arguments)
    layout = _layout(arguments)
    from rich.console import Console

    from ..campaigns import Outcome, Store
    from ..campaigns.processes import is_first
    from ..report import campaign, files, jsonfile
    from ..surroundings import standard_output_kept

    plan = _plan(arguments)
    store = None if arguments.state is None else Store(Path(arguments.state), plan.identity)
    with standard_output_kept(), campaign.progressing(Console(stderr=True, quiet=not is_first())) as progress:
        count = plan.campaign().run(arguments.draws, layout, store, progress)
    if not is_first():
        return EXIT_OK
    outcome = Outcome(plan, count)
    if place is not None:
        jsonfile.write(outcome.to_json(), place)
    if place != files.STDOUT:
        campaign.show(outcome, Console(highlight=False))
    return exit_code(outcome.status)


def _place(arguments: argparse.Namespace) -> str | None:
    from ..report import files

    if arguments.state == files.STDOUT:
        raise MisuseError("--state needs a file.")
    if arguments.state is not None:
        files.place(arguments.state, "--state")
    return None if arguments.json is None else files.place(arguments.json, "--json")


def _layout(arguments: argparse.Namespace) -> Layout:
    """The devices, before anything else wakes them."""
    try:
        import jax
        import numpyro  # noqa: F401 - told here, where it can be told in one line
    except ImportError as error:
        raise MisuseError(f"{error.name} is not installed: pip install 'verifydiff[oracles]'.") from None
    from ..campaigns import Layout

    return Layout(devices.chosen(jax, arguments))


def _plan(arguments: argparse.Namespace) -> Plan:
    from ..campaigns import Against, Plan, Setting, data
    from ..observe.target import Target
    from ..statistics import ErrorRates

    law = data(arguments.data)
    given = _theirs(arguments, law) if _is_theirs(arguments.sampler) else None
    chooses = given is not None and isinstance(given.runs, Target)
    plan = Plan(
        arguments.sampler if given is None else arguments.family,
        Setting(STEPS if arguments.steps is None else arguments.steps, arguments.eta or 0.0, arguments.churn),
        arguments.data,
        law,
        None if chooses else _levels(arguments),
        arguments.seed,
        arguments.resolution,
        ErrorRates(arguments.false_alarm, arguments.miss),
        None if arguments.against is None else Against(arguments.against),
        arguments.label,
        arguments.pair,
        given,
    )
    told = arguments.steps if chooses and not _of_library(arguments.sampler) else None
    if told is not None and plan.levels.size - 1 != told:
        raise MisuseError(f"{arguments.sampler} takes {plan.levels.size - 1} steps, and --steps says {told}.")
    return plan


def _of_library(name: str) -> bool:
    from ..observe.libraries import LIBRARIES

    return name.endswith(".json") or name.partition(":")[0] in LIBRARIES


def _is_theirs(name: str) -> bool:
    return ":" in name or name.endswith(".json")


def _theirs(arguments: argparse.Namespace, law: Any) -> Theirs:
    from ..campaigns import theirs

    claimed = arguments.schedule is not None or arguments.timesteps is not None
    return theirs(
        arguments.sampler,
        schedule=_schedule(arguments) if claimed else None,
        steps=arguments.steps,
        spacing=arguments.spacing,
        eta=arguments.eta,
        shape=tuple(law.event_shape),
        config=dict(map(option, arguments.config)) or None,
        eta_is_claimed=arguments.family == "ddim",
    )


def _levels(arguments: argparse.Namespace) -> Array:
    from ..samplers import karras, log_uniform, spaced

    steps = STEPS if arguments.steps is None else arguments.steps
    if arguments.spacing in ("karras", "log-uniform"):
        return {"karras": karras, "log-uniform": log_uniform}[arguments.spacing](steps)
    return spaced(_schedule(arguments).abar, steps, arguments.spacing or "trailing")


def _schedule(arguments: argparse.Namespace) -> Schedule:
    from ..schedule import Schedule

    return Schedule.named(arguments.schedule or "linear", 1000 if arguments.timesteps is None else arguments.timesteps)


def _refuse_nonsense(arguments: argparse.Namespace) -> None:
    if arguments.draws is not None and arguments.draws < 1:
        raise MisuseError(f"--draws must be at least 1, got {arguments.draws}.")
    if not 0 <= arguments.seed < 2**32:
        raise MisuseError(f"--seed must lie between 0 and {2**32 - 1}, got {arguments.seed}.")
    devices.refuse_nonsense(arguments)
    if not (isfinite(arguments.churn) and arguments.churn >= 0):
        raise MisuseError(f"--churn must be finite and not negative, got {arguments.churn:g}.")
    if not _is_theirs(arguments.sampler) and (arguments.family is not None or arguments.config):
        raise MisuseError("--family and --config are for a sampler of your own; ours are what they are called.")
