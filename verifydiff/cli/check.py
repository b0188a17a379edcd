"""``verifydiff check``: judge a sampler."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..surroundings import leave, rare_collections
from ..verdict import EXIT_INCONCLUSIVE, MisuseError, exit_code

if TYPE_CHECKING:
    from ..checks import Report
    from ..forms.claims import Claim
    from ..schedule import Schedule

GRACE = 5.0
"""Seconds past the time limit after which the command leaves whatever the target does."""
LARGEST_SEED = 2**32 - 2
"""The probe tries this seed and the next one, and NumPy's legacy generator takes no more than 32 bits."""

TARGETS = """\
targets:
  path/file.py:name          a function sample(denoise, x_init, seed) over NumPy, PyTorch or JAX arrays; denoise(x, t) takes
  package.module:name        the array index t = 0..T-1 and predicts the noise, unless --prediction says otherwise
                             or an object with p_sample_loop(model, shape, noise=None, ...), or what makes one
  diffusers:DDIMScheduler    a scheduler of the installed diffusers
  scheduler_config.json      the configuration of one, by path
  diffusers                  all that the library has, over the options that matter; k_diffusion and azula likewise

exit code: 0 all is well; 1 something failed; 2 the command was misused; 3 inconclusive only
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="judge a sampler: a function, a scheduler of diffusers",
        description="Recover every coefficient of every step of a sampler and judge it by closed forms.",
        epilog=TARGETS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="TARGET", help="what to judge (see below)")
    claims = parser.add_argument_group("what it claims to be")
    claims.add_argument(
        "--family",
        default="auto",
        help="auto (default), ddpm, ddpm-large, ddim, euler, euler-ancestral, renoise, probability-flow, reverse-sde",
    )
    claims.add_argument("--order", type=int, metavar="N", help="the order of convergence that a solver claims")
    claims.add_argument("--eta", type=float, help="the eta of ddim, from 0 to 1")
    claims.add_argument(
        "--schedule", help="linear, scaled_linear, cosine, or a .npy file of betas (default: linear, or the scheduler's own)"
    )
    claims.add_argument("--timesteps", type=int, help="T of a named schedule (default: 1000)")
    claims.add_argument("--steps", type=int, help="how many steps it takes")
    claims.add_argument("--spacing", choices=("trailing", "leading", "linspace"), help="how its times are spaced")
    claims.add_argument("--prediction", choices=("epsilon", "sample", "v_prediction"), help="what the model of a function predicts")
    claims.add_argument(
        "--shape", metavar="AxBxC", help="what one state looks like, as 3x8x8 (default: 4 to a function, 1x2x2 to a scheduler)"
    )
    claims.add_argument(
        "--arrays", choices=("auto", "numpy", "torch", "jax"), default="auto", help="what a function works on (default: found out)"
    )
    claims.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of a library's scheduler, or an argument of a sampling loop; repeatable",
    )
    claims.add_argument("--allow", metavar="FILE", help="TOML: failures that are kept on purpose, each with its reason")
    run = parser.add_argument_group("the run")
    run.add_argument("--seed", type=int, default=0, help="seeds the probe, and is handed to the sampler (default: 0)")
    run.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for a target (default: 120)")
    run.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share a whole library out (default: 1)")
    run.add_argument("--json", metavar="FILE", help="write the report as JSON to a file, or to standard output if it is -")
    run.add_argument(
        "--html", metavar="FILE", help="write it as one HTML page with plots, to a file, or to standard output if it is -"
    )
    run.add_argument("--verbose", "-v", action="store_true", help="show what passed, too")
    parser.set_defaults(run=_check)


@rare_collections()
def _check(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from ..report import files, jsonfile
    from ..surroundings import standard_output_kept, unchanged

    _refuse_nonsense(arguments)
    json_place = None if arguments.json is None else files.place(arguments.json, "--json")
    html_place = None if arguments.html is None else files.place(arguments.html, "--html")
    if json_place is not None and json_place == html_place:
        raise MisuseError(f"--json and --html cannot both go to {arguments.json}.")
    if _is_library(arguments.target):
        return _check_library(arguments, json_place, html_place)
    if arguments.jobs != 1:
        raise MisuseError("--jobs shares out the targets of a whole library; this is a single one.")
    with _watchdog(arguments.timeout), standard_output_kept(), unchanged():
        report = _judged(arguments)
    if json_place is not None:
        jsonfile.write(report.to_json(), json_place)
    if html_place is not None:
        files.write(_page(report, arguments), html_place)
    if files.STDOUT not in (json_place, html_place):
        from ..report.checks import show

        show(report, Console(highlight=False), arguments.verbose)
    return exit_code(report.status)


def _defaults(target: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return parser.parse_args(["check", target])


def _is_library(target: str) -> bool:
    from ..observe.libraries import LIBRARIES

    return target in LIBRARIES


FOR_ONE = ("family", "order", "eta", "schedule", "timesteps", "steps", "spacing", "prediction", "shape", "config", "verbose")
"""Options that belong to a single target."""


def _check_library(arguments: argparse.Namespace, json_place: str | None, html_place: str | None) -> int:
    from rich.console import Console

    from ..checks import load_allowed
    from ..checks.matrix import check_library
    from ..report import files, jsonfile, library
    from ..report.command import again
    from ..report.html import page, this_run

    defaults = _defaults(arguments.target)
    given = [name for name in FOR_ONE if getattr(arguments, name) != getattr(defaults, name)]
    if given:
        raise MisuseError(f"--{given[0]} belongs to a single target, such as {arguments.target}:NAME.")
    began = time.monotonic()
    with library.progressing(arguments.target) as progress:
        report = check_library(
            arguments.target,
            jobs=arguments.jobs,
            seed=arguments.seed,
            timeout=arguments.timeout,
            allow=load_allowed(Path(arguments.allow)) if arguments.allow else (),
            progress=progress,
        )
    commands = {one.target: library.alone(one.target) for one in report.reports}
    if json_place is not None:
        jsonfile.write(report.to_json(), json_place)
    if html_place is not None:
        run = this_run(
            again(arguments, defaults),
            seed=arguments.seed,
            false_alarm=_false_alarm() * len(report.reports),
            seconds=time.monotonic() - began,
            packages=[arguments.target],
            commands=commands,
        )
        files.write(page(report, run, _questions()), html_place)
    if files.STDOUT not in (json_place, html_place):
        library.show(report, Console(highlight=False), commands)
    return exit_code(report.status)


def _false_alarm() -> float:
    from ..checks.check import RATES

    return RATES.false_alarm


def _questions() -> dict[str, str]:
    from ..checks.table import CHECKS

    return CHECKS


def _page(report: Report, arguments: argparse.Namespace) -> str:
    from ..report.command import again
    from ..report.html import page, this_run

    run = this_run(
        again(arguments, _defaults("a:b")),
        seed=arguments.seed,
        false_alarm=_false_alarm(),
        seconds=report.seconds,
        packages=[arguments.target.partition(":")[0].partition(".")[0]],
    )
    return page(report, run, _questions())


@contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    """End the process some seconds past its time limit, should the target's code run on where no exception reaches it.

    It needs the interpreter's lock, so that a loop in C which never lets go of that outlasts it.
    """
    timer = threading.Timer(min(seconds + GRACE, threading.TIMEOUT_MAX), _leave, (seconds,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _leave(seconds: float) -> None:
    line = f"verifydiff: given up: the target ran on {GRACE:g} s past the limit of {seconds:g} s, and nothing could stop it.\n"
    with suppress(OSError):
        os.write(2, line.encode())
    leave(EXIT_INCONCLUSIVE)


def _judged(arguments: argparse.Namespace) -> Report:
    from ..checks import check, load_allowed
    from ..observe.arrays import Arrays
    from ..observe.resolve import resolve
    from ..observe.target import Prediction

    allowed = load_allowed(Path(arguments.allow)) if arguments.allow else ()
    family = _family(arguments)
    target = resolve(
        arguments.target,
        schedule=_schedule(arguments),
        prediction=None if arguments.prediction is None else Prediction(arguments.prediction),
        steps=arguments.steps,
        spacing=arguments.spacing,
        eta=arguments.eta,
        shape=_shape(arguments.shape),
        config=dict(option(pair) for pair in arguments.config),
        arrays=Arrays(arguments.arrays),
        eta_is_claimed=arguments.family == "ddim",
    )
    if arguments.eta is not None and arguments.family == "auto" and target.family is None:
        raise MisuseError("--eta belongs to --family ddim.")
    return check(
        target,
        family=family,
        steps=arguments.steps,
        spacing=arguments.spacing,
        order=arguments.order if arguments.family == "auto" else None,
        seed=arguments.seed,
        timeout=arguments.timeout,
        allow=allowed,
    )


def _refuse_nonsense(arguments: argparse.Namespace) -> None:
    if not arguments.timeout > 0:  # NaN is not
        raise MisuseError(f"--timeout must be positive, got {arguments.timeout:g}.")
    if arguments.seed < 0:
        raise MisuseError(f"--seed must not be negative, got {arguments.seed}.")
    if arguments.seed > LARGEST_SEED:
        raise MisuseError(f"--seed must be at most {LARGEST_SEED}, which every generator takes, got {arguments.seed}.")
    if arguments.eta is not None and not 0 <= arguments.eta <= 1:
        raise MisuseError(f"--eta must lie in [0, 1], got {arguments.eta:g}.")
    if arguments.jobs < 1:
        raise MisuseError(f"--jobs must be at least 1, got {arguments.jobs}.")
    if arguments.steps is not None and arguments.steps < 1:
        raise MisuseError(f"--steps must be at least 1, got {arguments.steps}.")


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.split("x")
    if not all(part.isdecimal() and len(part) < 10 and int(part) >= 1 for part in parts):
        raise MisuseError(f"--shape takes sizes as 3x8x8, got {text[:40]!r}.")
    return tuple(int(part) for part in parts)


def _family(arguments: argparse.Namespace) -> Claim | None:
    from ..forms.claims import named

    library = _is_library(arguments.target.partition(":")[0]) or arguments.target.endswith(".json")
    if library and arguments.arrays != "auto":
        raise MisuseError("--arrays says what a function works on; a library has its own.")
    if arguments.family == "auto":
        return None
    try:
        return named(arguments.family, arguments.eta, arguments.order)
    except ValueError as error:
        raise MisuseError(str(error)) from None


def _schedule(arguments: argparse.Namespace) -> Schedule | None:
    from ..schedule import Schedule

    if arguments.schedule is None and arguments.timesteps is None:
        return None
    schedule = Schedule.named(arguments.schedule or "linear", 1000 if arguments.timesteps is None else arguments.timesteps)
    if arguments.timesteps is not None and arguments.timesteps != schedule.timesteps:
        raise MisuseError(f"{arguments.schedule} holds {schedule.timesteps} betas, --timesteps says {arguments.timesteps}.")
    return schedule


def option(pair: str) -> tuple[str, Any]:
    """KEY=VALUE, the value read as JSON where it is JSON, as a word where not; nothing is ever evaluated."""
    key, equals, value = pair.partition("=")
    if not equals or not key.isidentifier():
        raise MisuseError(f"--config takes KEY=VALUE, got {pair!r}.")
    words = {"True": True, "False": False, "None": None}
    if value in words:
        return key, words[value]
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value
