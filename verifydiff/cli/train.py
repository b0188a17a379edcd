"""``verifydiff train``: a UNet on data whose least loss is known, from where its folder is."""

from __future__ import annotations

import argparse
import sys
from math import isfinite
from pathlib import Path

from ..disk import folder_named
from ..verdict import EXIT_FAILED, EXIT_OK, MisuseError
from . import devices
from .kept import network_installed

EPILOG = """\
presets:
  field-8                    a Gaussian field on an 8 x 8 torus; a minute or so on two CPU cores
  mixture-8                  four labelled classes of such fields; some minutes
  digits                     scikit-learn's handwritten digits, 8 x 8
  mnist-28, fashion-28       28 x 28 images; the files must be on this machine
  field-32, mixture-32, fashion-28-large
                             29 to 40 million parameters, for a GPU

The folder keeps the training. The same command goes on where it was, after a kill too, to the same weights.

exit code: 0 trained, or time was up; 1 the loss is no number any more; 2 the command was misused
"""
MOST = 10**9
STDOUT = "-"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a UNet on data whose least loss is known",
        description="Train a UNet that predicts the noise, and show its loss against the least there is.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("preset", metavar="PRESET", help="what is trained, on what, how (see below)")
    parser.add_argument("--run", dest="folder", metavar="FOLDER", help="where the training is kept (default: runs/PRESET)")
    parser.add_argument("--steps", type=int, metavar="N", help="how many steps in all (default: the preset's)")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after about so many, to go on another time")
    parser.add_argument("--batch", type=int, metavar="N", help="examples of a step (default: the preset's)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the weights and all draws (default: 0)")
    devices.add(parser, "train")
    parser.add_argument("--json", metavar="FILE", help="write what was seen as JSON; - is standard output")
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> int:
    _refuse_nonsense(arguments)
    place = _place(arguments.json)
    folder = Path("runs") / arguments.preset if arguments.folder is None else folder_named(arguments.folder)
    used = devices.chosen(network_installed(), arguments)
    from rich.console import Console

    from ..network import DivergedError, preset, train
    from ..network.hosts import is_first
    from ..report import jsonfile, training
    from ..surroundings import standard_output_kept

    wanted = preset(arguments.preset)
    progress = training.Progress(Console(stderr=True, highlight=False, quiet=not is_first()), wanted.name, folder)
    chosen = {name: getattr(arguments, name) for name in ("steps", "seconds", "batch", "seed")}
    try:
        with standard_output_kept():
            run = train(wanted, folder, devices=used, tell=progress, **chosen)
    except DivergedError as error:
        print(f"verifydiff: {error}", file=sys.stderr)
        return EXIT_FAILED
    if not is_first():
        return EXIT_OK
    if place is not None:
        jsonfile.write(training.told(run), place)
    if place != STDOUT:
        training.show(run, Console(highlight=False))
    return EXIT_OK


def _place(where: str | None) -> str | None:
    from ..report import files

    return None if where is None else files.place(where, "--json")


def _refuse_nonsense(arguments: argparse.Namespace) -> None:
    for name in ("steps", "batch"):
        number = getattr(arguments, name)
        if number is not None and not 1 <= number <= MOST:
            raise MisuseError(f"--{name} must lie between 1 and {MOST:,}, got {number}.")
    if arguments.seconds is not None and not (isfinite(arguments.seconds) and arguments.seconds > 0):
        raise MisuseError(f"--seconds must be positive, got {arguments.seconds:g}.")
    if arguments.seed is not None and not 0 <= arguments.seed < 2**32:
        raise MisuseError(f"--seed must lie between 0 and {2**32 - 1}, got {arguments.seed}.")
    devices.refuse_nonsense(arguments)
