"""``verifydiff teach``: a page to learn on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..verdict import EXIT_FAILED, EXIT_OK, MisuseError

PORT = 8642

ABOUT = """\
Serve a page on this machine: exercises whose answers are judged by proof, with hints, a counterexample to play with, and an
explorer of samplers. It listens on 127.0.0.1 alone and needs no network; Ctrl-C ends it.
"""
EXIT_CODES = """\
exercises are TOML files; how they are written: docs/teach.md

exit code: 0 it was ended (or, with --check, every exercise is sound); 1 with --check, one is not; 2 the port is taken, or an
exercise file cannot be read
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "teach",
        help="a page to learn on: exercises, counterexamples, an explorer",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--exercises", metavar="FOLDER", help="exercises of your own in place of the shipped ones")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"the port (default: {PORT}; 0 takes any that is free)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--check", action="store_true", help="judge the exercises themselves, and serve nothing")
    parser.set_defaults(run=_teach)


def _teach(arguments: argparse.Namespace) -> int:
    from ..teach.exercises import SHIPPED, load

    if not 0 <= arguments.port <= 65535:
        raise MisuseError(f"--port must be from 0 to 65535, got {arguments.port}.")
    sets = load(SHIPPED if arguments.exercises is None else Path(arguments.exercises))
    if arguments.check:
        from ..teach.soundness import unsound

        found = list(unsound(sets))
        for one in found:
            print(f"✗ {one}")
        count = sum(len(one.exercises) for one in sets)
        print(f"{count - len({one.id for one in found})} of {count} exercises are sound")
        return EXIT_FAILED if found else EXIT_OK
    return _serve(sets, arguments)


def _serve(sets: tuple[object, ...], arguments: argparse.Namespace) -> int:
    import webbrowser
    from threading import Thread

    from ..teach.server import Server, warm_up

    with Server(sets, arguments.port) as server:  # type: ignore[arg-type]  # what was loaded above
        Thread(target=warm_up, daemon=True).start()
        print(f"The page is at {server.address} (Ctrl-C ends it)", flush=True)
        if not arguments.no_browser:
            Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nEnded.")
    return EXIT_OK
