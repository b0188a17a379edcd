"""``verifydiff prove``: prove derivations."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ..verdict import MisuseError

if TYPE_CHECKING:
    from rich.console import Console

    from ..proof import Proofs
    from ..proof.kernel import Referee


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "prove",
        help="prove derivations: the shipped ones, or your own files",
        description="Prove derivations: each claim is proved, refuted with a counterexample, or undecided with what remains.",
        epilog="exit code: 0 all is proved; 1 something was refuted or stayed undecided; 2 the input could not be read",
    )
    parser.add_argument("path", nargs="*", metavar="PATH", help="files and folders of derivations; without, the shipped ones")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON to a file, or to standard output if it is -")
    parser.add_argument("--verbose", "-v", action="store_true", help="show every step, its justification and where it holds")
    parser.add_argument("--kernel", choices=("coq",), help="have what is proved checked once more, by the kernel of Coq")
    parser.add_argument("--kernel-out", metavar="FOLDER", help="keep the files that are put to it")
    parser.set_defaults(run=_prove)


def _prove(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from ..report import files, jsonfile
    from ..report.proofs import prove_and_show
    from ..surroundings import standard_output_kept

    place = None if arguments.json is None else files.place(arguments.json, "--json")
    kernel = _kernel(arguments)
    aside = place == files.STDOUT
    console = Console(stderr=aside, quiet=aside)
    with standard_output_kept() if aside else nullcontext():
        proofs = prove_and_show(arguments.path, console, arguments.verbose)
    plain, code = proofs.as_json() if place is not None else {}, proofs.exit_code
    if kernel is not None:
        referee = kernel(proofs, console)
        code = max(code, referee.exit_code)
        for one in plain.get("claims", ()):
            one["kernel"] = referee.as_json(one["id"])
    if place is not None:
        jsonfile.write(plain, place)
    return code


def _kernel(arguments: argparse.Namespace) -> Callable[[Proofs, Console], Referee] | None:
    """The second referee, if one is asked for; that it is there is known before anything is proved."""
    if arguments.kernel is None:
        if arguments.kernel_out is not None:
            raise MisuseError("--kernel-out keeps what is put to a kernel; name one, as --kernel coq.")
        return None
    from ..proof.kernel import find, folder
    from ..report.kernel import judge_and_show

    coq = find()
    keep = None if arguments.kernel_out is None else folder(arguments.kernel_out)
    return lambda proofs, console: judge_and_show(proofs, coq, console, keep, arguments.verbose)
