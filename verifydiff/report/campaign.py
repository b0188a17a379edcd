"""A campaign on the terminal: a line that counts while it runs, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..campaigns import Count, Outcome
from ..statistics import Decision
from ..verdict import Status
from .checks import MARK, STYLE, row, table

DECISION = {Decision.EQUAL: "green", Decision.DIFFERENT: "red", Decision.INCONCLUSIVE: "dim"}


@contextmanager
def progressing(console: Console) -> Iterator[Callable[[Count], None]]:
    """A line on standard error, where that is a terminal, that is told the count now and then."""
    if not console.is_terminal:
        yield lambda count: None
        return
    with Live(Text("drawing ..."), console=console, transient=True, refresh_per_second=4) as live:
        yield lambda count: live.update(running(count))


def running(count: Count) -> Text:
    """How many draws, and how each question stands."""
    parts = [(f"{count.draws:,} draws", "bold")]
    for name, test in count.tests.items():
        word = {Decision.EQUAL: "equal", Decision.DIFFERENT: "different"}.get(test.decision, "open")
        parts += [("   ", ""), (f"{name}: {word}", DECISION[test.decision])]
    return Text.assemble(*parts)


def show(outcome: Outcome, console: Console) -> None:
    """The verdict first, then every question."""
    status, plan = outcome.status, outcome.plan
    console.print(Text.assemble((f"{MARK[status]} {status.upper()}", STYLE[status]), "  ", (plan.title, "bold")))
    console.print(Text.assemble(("  against ", "dim"), outcome.count.yardstick.against))
    rows = table()
    for finding in outcome.findings:
        rows.add_row(*row(finding))
    console.print(rows)
    console.print(Text(f"  {closing(outcome)}", style="dim"))


def closing(outcome: Outcome) -> str:
    """How many draws, at what rates, and what a note means."""
    rates = outcome.plan.rates
    said = f"{outcome.count.draws:,} draws; a right sampler fails with probability {rates.false_alarm:g} at most."
    if outcome.status is Status.NOTE:
        said += " What differs may be the bias of so few steps: take more, or say --against data to have it judged."
    return said
