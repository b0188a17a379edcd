"""The command, one file for each of its verbs.

Parsing is light: nothing heavy is imported before a command is known to be well-formed. A user's own mistake ends in one
line on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..verdict import EXIT_MISUSE, MisuseError
from . import check, confirm, notes, prove, sample, teach, train


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except MisuseError as error:
        print(f"verifydiff: {error}", file=sys.stderr)
        return EXIT_MISUSE
    except KeyboardInterrupt:
        print("verifydiff: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verifydiff", description="Is this diffusion formula, or this sampler, right? A proof or a counterexample."
    )
    parser.add_argument("--version", action="version", version=f"verifydiff {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (check, prove, notes, sample, teach, train, confirm):
        command.add(commands)
    return parser
