"""The command: ``verifydiff prove`` and ``verifydiff check``.

Parsing is light: nothing heavy is imported before a command is known to be well-formed. A user's own mistake ends in one
line on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .verdict import EXIT_MISUSE, MisuseError


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
    _add_prove(commands)
    return parser


# -- prove ---------------------------------------------------------------------------------------------------------------


def _add_prove(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("prove", help="prove derivations: the shipped ones, or your own files")
    parser.set_defaults(run=_prove)


def _prove(arguments: argparse.Namespace) -> int:
    raise NotImplementedError


if __name__ == "__main__":
    sys.exit(main())
