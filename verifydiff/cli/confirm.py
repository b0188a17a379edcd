"""``verifydiff confirm``: lay a trained network over the theory of its data, and tell its errors from the sampler's."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from ..disk import folder_named
from ..verdict import MisuseError, exit_code
from .kept import network_installed

if TYPE_CHECKING:
    from ..confirm import Budget, Confirmation
    from ..confirm.image_confirmation import ImageConfirmation

EPILOG = """\
sampler:
  path/file.py:NAME          NAME(eta) makes a verifydiff.samplers.Sampler, or
  package.module:NAME        NAME(eps, x_T, abar, *, eta, key) is a whole loop over JAX arrays

Without --sampler the reference is used, DDIM as its equations read, which at eta = 1 is DDPM. The sampler is judged by itself, with
the exact denoiser, and the network by itself, without a sampler: so the report says whose an error is.

exit code: 0 all within what was asked for; 1 something is off; 2 the command was misused; 3 the budget was too small to say
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "confirm",
        help="lay a trained network over the theory of its data",
        description="Measure a trained network against what its data allow at best: loss, score, samples, guidance, bits.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a training")
    parser.add_argument("--sampler", metavar="TARGET", help="the sampler in question (see below; default: the reference)")
    how = parser.add_argument_group("the budget")
    how.add_argument("--full", action="store_true", help="all numbers of steps up to 1000 and all etas, with more draws")
    how.add_argument("--steps", metavar="S,S,...", help="these numbers of steps")
    how.add_argument("--etas", metavar="ETA,ETA,...", help="these etas, from 0 to 1")
    how.add_argument("--draws", type=int, metavar="N", help="draws for each number of steps and eta, in whole batches")
    how.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")
    to = parser.add_argument_group("the report")
    to.add_argument("--json", metavar="FILE", help="write it as JSON to a file, or to standard output if it is -")
    to.add_argument("--html", metavar="FILE", help="write it as one HTML page with figures, likewise")
    to.add_argument("--verbose", action="store_true", help="show what does not apply, too")
    parser.set_defaults(run=_confirm)


def _confirm(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    json_place, html_place = _places(arguments)
    folder_named(arguments.run_folder)
    if not 0 <= arguments.seed < 2**32:
        raise MisuseError(f"--seed must lie between 0 and {2**32 - 1}, got {arguments.seed}.")
    network_installed()
    from rich.console import Console

    from ..confirm.runs import confirm_run, sampler_named
    from ..report import confirm, files, jsonfile
    from ..surroundings import standard_output_kept

    budget = _budget(arguments)
    sampler = None if arguments.sampler is None else sampler_named(arguments.sampler)
    with standard_output_kept(), confirm.progressing(Console(stderr=True)) as progress:
        asked_for = () if arguments.steps is None else budget.steps
        found = confirm_run(arguments.run_folder, budget=budget, sampler=sampler, progress=progress, asked_for=asked_for)
    if json_place is not None:
        jsonfile.write(found.to_json(), json_place)
    if html_place is not None:
        files.write(_page(found, arguments, time.monotonic() - began), html_place)
    if files.STDOUT not in (json_place, html_place):
        confirm.show(found, Console(highlight=False), arguments.verbose)
    return exit_code(found.status)


def _places(arguments: argparse.Namespace) -> tuple[str | None, str | None]:
    from ..report import files

    json_place = None if arguments.json is None else files.place(arguments.json, "--json")
    html_place = None if arguments.html is None else files.place(arguments.html, "--html")
    if json_place is not None and json_place == html_place:
        raise MisuseError(f"--json and --html cannot both go to {arguments.json}.")
    return json_place, html_place


def _budget(arguments: argparse.Namespace) -> Budget:
    from ..confirm import Budget

    told: dict[str, Any] = {"seed": arguments.seed}
    if arguments.steps is not None:
        told["steps"] = _numbers(arguments.steps, "--steps", int)
    if arguments.etas is not None:
        told["etas"] = _numbers(arguments.etas, "--etas", float)
    if arguments.draws is not None:
        told["draws"] = arguments.draws
    return Budget.full(**told) if arguments.full else Budget.quick(**told)


def _numbers(text: str, option: str, kind: Any) -> tuple[Any, ...]:
    try:
        return tuple(sorted({kind(part) for part in text.split(",")}))
    except ValueError:
        raise MisuseError(f"{option} takes numbers with commas between them, got {text[:40]!r}.") from None


def _page(found: Confirmation | ImageConfirmation, arguments: argparse.Namespace, seconds: float) -> str:
    from ..confirm import Confirmation
    from ..report.command import again_of
    from ..report.html import confirm, confirm_images, this_run

    command = again_of("confirm", arguments.run_folder, arguments, _defaults())
    run = this_run(
        command,
        seed=found.budget.seed,
        false_alarm=found.budget.rates.false_alarm,
        seconds=seconds,
        packages=("numpyro", "equinox"),
    )
    if isinstance(found, Confirmation):
        return confirm.confirm_page(found, run, confirm.QUESTIONS)
    return confirm_images.image_page(found, run, confirm_images.QUESTIONS)


def _defaults() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return parser.parse_args(["confirm", "RUN"])
