"""Judged notes on the terminal: a row for every formula, then what fails with its numbers and what was meant."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..notes.page import Judged, Standing
from ..notes.report import NotesReport, Verdict
from .checks import MARK as MARK_OF_STATUS
from .checks import STYLE as STYLE_OF_STATUS
from .html.elements import cut, visible

MARK = {
    Standing.HOLDS: "✓",
    Standing.FAILS: "✗",
    Standing.NOTATION: "≈",
    Standing.DEFINITION: "≔",
    Standing.NOT_UNDERSTOOD: "?",
}
STYLE = {
    Standing.HOLDS: "green",
    Standing.FAILS: "bold red",
    Standing.NOTATION: "magenta",
    Standing.DEFINITION: "cyan",
    Standing.NOT_UNDERSTOOD: "yellow",
}
WORDS = {
    Standing.HOLDS: "holds",
    Standing.FAILS: "fails",
    Standing.NOTATION: "other notation",
    Standing.DEFINITION: "definition",
    Standing.NOT_UNDERSTOOD: "not understood",
}
MANY_WORDS = {**WORDS, Standing.HOLDS: "hold", Standing.FAILS: "fail", Standing.NOTATION: "in another notation"}
MARK_WIDTH = 16
MANY = 60
"""A longer page shows what does not hold; ``--verbose`` shows all."""
LONGEST = 400


def show(report: NotesReport, console: Console, verbose: bool = False) -> None:
    """The verdict on the page, its formulas, and each failure in full."""
    console.print(headline(report))
    if report.verdicts:
        console.print(table(report, console.width, verbose))
    for verdict in report.verdicts:
        if verdict.judged.status is Standing.FAILS:
            console.print(complaint(verdict))


def headline(report: NotesReport) -> RenderableType:
    """File, status, and how much was understood."""
    status = report.status
    return Group(
        Text.assemble(
            (f"{MARK_OF_STATUS[status]} {status.upper()}", STYLE_OF_STATUS[status]), "  ", (visible(report.document.file), "bold")
        ),
        Text(f"  {coverage(report)}"),
    )


def coverage(report: NotesReport) -> str:
    """How many formulas were understood and judged, and how many of them came out how."""
    counts = [(one, report.counts[one]) for one in Standing if report.counts[one]]
    counted = ", ".join(f"{count} {(WORDS if count == 1 else MANY_WORDS)[one]}" for one, count in counts)
    return f"{report.coverage}: {counted}" if counted else report.coverage


def table(report: NotesReport, width: int, verbose: bool = False) -> Table:
    """A row a formula, for a terminal of that width: what a long formula says is cut, why it stands so is not."""
    places = max(len("line"), *(len(place(verdict)) for verdict in report.verdicts))
    rest = max(width - MARK_WIDTH - places - 4 * 2, 24)
    rows = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), show_edge=False)
    rows.add_column("", width=MARK_WIDTH, no_wrap=True)
    rows.add_column("line", width=places, justify="right", no_wrap=True)
    rows.add_column("formula", width=rest * 3 // 5, overflow="ellipsis", no_wrap=True)
    rows.add_column("", width=rest * 2 // 5, overflow="fold")
    for verdict in report.verdicts:
        judged = verdict.judged
        if verbose or len(report.verdicts) <= MANY or judged.status not in (Standing.HOLDS, Standing.DEFINITION):
            mark = Text(f"{MARK[judged.status]} {WORDS[judged.status]}", style=STYLE[judged.status])
            reason = Text(cut(visible(judged.reason), LONGEST), style="dim")
            rows.add_row(mark, place(verdict), Text(one_line(judged.latex)), reason)
    return rows


def place(verdict: Verdict) -> str:
    """The line, behind the number of the cell in a notebook."""
    line = str(verdict.judged.line)
    return line if verdict.cell is None else f"{verdict.cell}/{line}"


def one_line(latex: str) -> str:
    """LaTeX on one line, no longer than a reader wants it, with every character visible."""
    return cut(visible(" ".join(latex.split())), LONGEST)


def complaint(verdict: Verdict) -> RenderableType:
    """A failing formula: where, with what numbers, and what was meant."""
    judged = verdict.judged
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    lines.add_row("formula", Text(one_line(judged.latex)))
    lines.add_row("why", Text(cut(visible(judged.reason), LONGEST), style="red"))
    if values(judged):
        lines.add_row("at", Text(cut(visible(", ".join(values(judged))), LONGEST)))
    for word, said in sides(judged):
        lines.add_row(word, Text(cut(visible(said), LONGEST)))
    for number, one in enumerate(judged.suggestion):
        why = f"   {visible(one.description)} [{visible(one.slip)}]"
        meant = Text.assemble(*_marked(one.latex, one.start, one.end), (why, "dim"))
        lines.add_row("did you mean" if number == 0 else "or", meant)
    where = f"line {judged.line}" if verdict.cell is None else f"cell {verdict.cell}, line {judged.line}"
    return Group(Text(f"\n{MARK[judged.status]} {where}", STYLE[judged.status]), Padding(lines, (0, 0, 0, 2)))


def values(judged: Judged) -> list[str]:
    """At which values of its letters a formula fails, each as an equation."""
    at = (judged.counterexample or {}).get("at")
    return [f"{letter} = {value}" for letter, value in at.items()] if isinstance(at, Mapping) else []


def sides(judged: Judged) -> list[tuple[str, str]]:
    """What the two sides come to there."""
    found = judged.counterexample or {}
    of = f" ({found['of']})" if found.get("of") else ""
    return [(f"{side} side", f"{found[side]}{of}") for side in ("left", "right") if found.get(side)]


def _marked(latex: str, start: int, end: int) -> list[tuple[str, str]]:
    pieces = ((latex[:start], ""), (latex[start:end], "bold green"), (latex[end:], ""))
    return [(visible(" ".join(piece.split("\n"))), style) for piece, style in pieces]
