"""A checked sampler on the terminal: short when all is well, precise when not."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..checks import Report
from ..checks.check import RATES
from ..verdict import Finding, Status

STYLE = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.INCONCLUSIVE: "yellow",
    Status.NOTE: "cyan",
    Status.ALLOWED: "magenta",
    Status.NOT_APPLICABLE: "dim",
}
ORDER = [Status.FAIL, Status.INCONCLUSIVE, Status.ALLOWED, Status.NOTE, Status.PASS, Status.NOT_APPLICABLE]
MARK = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.INCONCLUSIVE: "?",
    Status.NOTE: "•",
    Status.ALLOWED: "~",
    Status.NOT_APPLICABLE: "-",
}


def show(report: Report, console: Console, verbose: bool = False) -> None:
    """The verdict first, then what it rests on, then the likeliest slip."""
    console.print(headline(report))
    console.print(findings(report, verbose))
    if report.diagnosis:
        console.print(diagnosis(report))
    elif report.status is Status.FAIL and report.identified_as != "not observed":
        console.print(Text("  nothing in the catalogue of slips explains this", style="yellow"))
    console.print(closing(report))


def headline(report: Report) -> RenderableType:
    """Target, status and family."""
    status = report.status
    return Group(
        Text.assemble((f"{MARK[status]} {status.upper()}", STYLE[status]), "  ", (report.target, "bold")),
        Text.assemble(("  seen to be: ", "dim"), report.identified_as),
        *(Text.assemble(("  it says: ", "dim"), note) for note in report.notes),
    )


def findings(report: Report, verbose: bool) -> Table:
    """A row a finding; those that passed share one row, unless all is asked for."""
    rows = table()
    passed = [finding for finding in report.findings if finding.status is Status.PASS]
    if not verbose and passed:
        names = ", ".join(dict.fromkeys(finding.check for finding in passed))
        rows.add_row(Text(MARK[Status.PASS], style=STYLE[Status.PASS]), Text(f"{len(passed)} passed", style="green"), names)
    for finding in sorted(report.findings, key=lambda finding: ORDER.index(finding.status)):
        if verbose or finding.status not in (Status.PASS, Status.NOT_APPLICABLE):
            rows.add_row(*row(finding))
    return rows


def table() -> Table:
    """Room for findings: a mark, the question and what was found."""
    rows = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    rows.add_column(width=3, justify="right")
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    return rows


def row(finding: Finding) -> tuple[Text, Text, str]:
    """A finding, as a row of :func:`table`."""
    style = STYLE[finding.status]
    return Text(MARK[finding.status], style=style), Text(finding.check, style=style), escape(finding.message)


def diagnosis(report: Report) -> RenderableType:
    """The slips that reproduce what was seen, best first."""
    best, *others = report.diagnosis
    lines = [
        Text.assemble(
            ("likeliest slip: ", "bold"), (best.slip, "bold yellow"), f": {best.description} (residual {best.residual:.1g})"
        )
    ]
    lines += [Text.assemble(("  or as well: ", "dim"), e.slip, f": {e.description} (residual {e.residual:.1g})") for e in others]
    return Padding(Group(*lines), (0, 0, 0, 2))


def closing(report: Report) -> Text:
    """The declared rate and the time."""
    return Text(f"  declared false-alarm rate of the whole run: {RATES.false_alarm:g}; {report.seconds:.1f} s", style="dim")
