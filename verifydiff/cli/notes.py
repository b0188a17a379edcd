"""``verifydiff notes``: judge the formulas of notes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..verdict import MisuseError, exit_code

if TYPE_CHECKING:
    from ..notes.report import NotesReport

READS = """\
reads Markdown (.md), LaTeX (.tex) and notebooks (.ipynb): $...$, $$...$$, \\(...\\), \\[...\\], ```math, align and its kin; code
and comments are passed over, and so is what names something and states nothing

exit code: 0 no formula fails; 1 one does; 2 a file could not be read; 3 there are formulas and not one was understood
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "notes",
        help="judge the formulas of notes: Markdown, LaTeX, notebooks",
        description="Judge every formula of a page: it holds, fails (with numbers and what was meant), or was not understood.",
        epilog=READS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="+", metavar="FILE", help="pages of notes")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON to a file, or to standard output if it is -")
    parser.add_argument("--annotate", metavar="OUT", help="write the page back with a mark at each formula (of one FILE)")
    parser.add_argument("--html", metavar="OUT", help="write it as one HTML page with its formulas rendered (of one FILE)")
    parser.add_argument("--verbose", "-v", action="store_true", help="show every formula of a long page, too")
    parser.set_defaults(run=_notes)


def _notes(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from ..notes.report import overall_status
    from ..report import files, jsonfile

    places = _places(arguments)
    reports = _judged_notes(arguments.file)
    if places["json"] is not None:
        plain = [report.to_json() for report in reports]
        jsonfile.write(plain[0] if len(plain) == 1 else {"files": plain}, places["json"])
    if places["annotate"] is not None:
        from ..report.notes_annotated import annotated

        files.write(annotated(reports[0]), places["annotate"])
    if places["html"] is not None:
        from ..report.html.notes import notes_page

        files.write(notes_page(reports[0]), places["html"])
    if files.STDOUT not in places.values():
        from ..report.notes import show

        for report in reports:
            show(report, Console(highlight=False), arguments.verbose)
    return exit_code(overall_status(reports))


def _judged_notes(paths: list[str]) -> list[NotesReport]:
    """Every file is read before the first is judged: what cannot be read is known at once."""
    from ..notes.documents import read
    from ..notes.report import judge_document

    documents = [read(path) for path in paths]
    return [judge_document(document) for document in documents]


def _places(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Where the outputs of ``notes`` go; none goes over another, or over what is read."""
    from ..report import files

    given = {option: getattr(arguments, option) for option in ("json", "annotate", "html")}
    for option in ("annotate", "html"):
        if given[option] is not None and len(arguments.file) > 1:
            raise MisuseError(f"--{option} writes one page; {len(arguments.file)} files were given.")
    places = {option: None if where is None else files.place(where, f"--{option}") for option, where in given.items()}
    taken = [where for where in places.values() if where is not None]
    if len(set(taken)) < len(taken):
        raise MisuseError("--json, --annotate and --html need places of their own.")
    for path in arguments.file:
        if str(Path(path).resolve()) in taken:
            raise MisuseError(f"{path} is read, and will not be written over.")
    return places
