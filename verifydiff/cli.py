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
    parser = commands.add_parser(
        "prove",
        help="prove derivations: the shipped ones, or your own files",
        description="Prove derivations: each claim is proved, refuted with a counterexample, or undecided with what remains.",
        epilog="exit code: 0 all is proved; 1 something was refuted or stayed undecided; 2 the input could not be read",
    )
    parser.add_argument("path", nargs="*", metavar="PATH", help="files and folders of derivations; without, the shipped ones")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON to a file, or to standard output if it is -")
    parser.add_argument("--verbose", "-v", action="store_true", help="show every step, its justification and where it holds")
    parser.set_defaults(run=_prove)


def _prove(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from .report import jsonfile
    from .report.proofs import prove_and_show

    if arguments.json:
        jsonfile.check_writable(arguments.json)
    aside = arguments.json == jsonfile.STDOUT
    proofs = prove_and_show(arguments.path, Console(stderr=aside, quiet=aside), arguments.verbose)
    if arguments.json:
        jsonfile.write(proofs.as_json(), arguments.json)
    return proofs.exit_code


if __name__ == "__main__":
    sys.exit(main())
