"""A confirmation on the terminal: whose the error is, then every statement, then the distances over S and eta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..confirm import Confirmation, Confirmed
from ..confirm.image_confirmation import ImageConfirmation
from ..confirm.sampling import Cell
from ..verdict import Status
from .checks import MARK, ORDER, STYLE


@contextmanager
def progressing(console: Console) -> Iterator[Callable[[str], None]]:
    """A line on standard error, where that is a terminal, that says what is being measured."""
    if not console.is_terminal:
        yield lambda part: None
        return
    with Live(Text("compiling ..."), console=console, transient=True, refresh_per_second=4) as live:
        yield lambda part: live.update(Text(f"measuring: {part} ..."))


def show(confirmation: Confirmed, console: Console, verbose: bool = False) -> None:
    """All of it."""
    status = confirmation.status
    told = (confirmation.name, "bold"), ("  on ", "dim"), confirmation.data
    console.print(Text.assemble((f"{MARK[status]} {status.upper()}", STYLE[status]), "  ", *told))
    console.print(Text.assemble("  ", confirmation.verdict))
    for cause in confirmation.causes:
        named = (cause.what, "bold yellow"), (": " if cause.what else "")
        console.print(Text.assemble(("  of the ", "dim"), (cause.who, "bold"), ("  ", ""), *named, cause.description))
    console.print(findings(confirmation, verbose))
    if isinstance(confirmation, Confirmation):
        console.print(distances(confirmation))
    console.print(Text(f"  {closing(confirmation)}", style="dim"))


def findings(confirmation: Confirmed, verbose: bool) -> Table:
    """A row a finding, what failed first; what does not apply only if all is asked for."""
    rows = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    rows.add_column(width=3, justify="right")
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for finding in sorted(confirmation.findings, key=lambda finding: ORDER.index(finding.status)):
        if verbose or finding.status is not Status.NOT_APPLICABLE:
            style = STYLE[finding.status]
            rows.add_row(Text(MARK[finding.status], style=style), Text(finding.check, style=style), escape(finding.message))
    return rows


def distances(confirmation: Confirmation) -> Table:
    """Frechet distances: S down, eta across; what was measured beside what theory gives."""
    cells = {(cell.steps, cell.eta): cell for cell in confirmation.sampling.cells}
    etas = sorted({eta for _, eta in cells})
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, title_justify="left", title_style="dim")
    table.title = "  Frechet distance to the data: measured / theory"
    table.add_column("  S", justify="right", style="dim")
    for eta in etas:
        table.add_column(f"eta = {eta:g}", justify="right", header_style="dim")
    for steps in sorted({steps for steps, _ in cells}):
        table.add_row(f"  {steps}", *(_pair(cells[steps, eta]) for eta in etas))
    return table


def closing(confirmation: Confirmed) -> str:
    """Draws, rates, the time, and what was left out."""
    how = f"{confirmation.budget.draws:,} draws a cell"
    if isinstance(confirmation, ImageConfirmation):
        seen = confirmation.likeness
        how = f"{seen.made:,} images of either kind in {seen.steps} steps at eta = {seen.eta:g}"
    rate, left = confirmation.budget.rates.false_alarm, confirmation.left_out
    took = f"declared false-alarm rate {rate:g}; {confirmation.seconds.get('all', 0.0):.1f} s."
    return f"{how}; {took}{f' Left out: {left} (--full).' if left else ''}"


def _pair(cell: Cell) -> Text:
    off = max(abs(cell.excess["both"].low), abs(cell.excess["both"].high)) > cell.resolution
    return Text.assemble((f"{cell.both.value:.3g}", "yellow" if off else "green"), (f" / {cell.theory.value:.3g}", "dim"))
