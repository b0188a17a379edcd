"""The second referee on the terminal: a line on what it has checked, and what it has refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ..proof import Proofs
from ..proof.kernel import Coq, Referee, judge
from ..proof.kernel.judging import Refusal


def judge_and_show(proofs: Proofs, coq: Coq, console: Console, keep: Path | None = None, verbose: bool = False) -> Referee:
    """Put the claims to Coq with a bar where there is a terminal, then show what it says."""
    with Progress(
        TextColumn(f"checking with {coq}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=None)
        referee = judge(proofs, coq, keep, lambda done, total: progress.update(task, completed=done, total=total))
    show(referee, console, verbose)
    return referee


def show(referee: Referee, console: Console, verbose: bool = False) -> None:
    """What was refused, with ``verbose`` why what was not put to Coq was not, then the sum."""
    for one in referee.failed:
        console.print(complaint(one))
    if verbose:
        for why, count in Counter(why for _, why in referee.not_algebraic).most_common():
            console.print(Text(f"not put to {referee.coq.name}: {count} since {why}", style="dim"))
    console.print(total(referee))


def complaint(refusal: Refusal) -> RenderableType:
    """Which step holds the claim, and what Coq says."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    for name, words in (
        ("step", f"{refusal.site.step}: {refusal.site.because}"),
        ("claims", refusal.site.statement),
        ("lemma", refusal.lemma),
        ("says", refusal.message),
    ):
        lines.add_row(name, Text(words))
    heading = Text.assemble("\n", (f"✗ {refusal.site.page}", "bold red"), "  is refused by the second referee")
    return Group(heading, Padding(lines, (0, 0, 0, 2)))


def total(referee: Referee) -> Text:
    """How many claims were checked, refused and not put to Coq, and how long it took."""
    parts: list[str | tuple[str, str]] = [f"{referee.coq}: "]
    if referee.failed:
        parts += [(f"{len(referee.failed)} refused", "bold red"), ", "]
    parts += [(f"{_claims(len(referee.checked))} checked", "green"), f" in {referee.seconds:.0f} s"]
    left_out = len(referee.not_algebraic)
    if left_out:
        parts.append(f", {left_out} {'is' if left_out == 1 else 'are'} not algebraic")
    return Text.assemble(*parts)


def _claims(count: int) -> str:
    return f"{count} claim{'s' * (count != 1)}"
