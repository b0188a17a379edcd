"""A checked library on the terminal: a line for every sampler, and what failed, once each, with the command that shows it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..checks import Report
from ..checks.report import LibraryReport
from ..verdict import Finding, Status
from .checks import MARK, STYLE

BAD = (Status.FAIL, Status.INCONCLUSIVE)


@contextmanager
def progressing(library: str) -> Iterator[Callable[[int, int, Report], None]]:
    """A bar on standard error, where that is a terminal, that is told of every target that is done."""
    columns = (TextColumn(library), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as progress:
        task = progress.add_task(library, total=None, last="")

        def done(count: int, of: int, report: Report) -> None:
            progress.update(task, total=of, completed=count, last=escape(sampler(report)))

        yield done


def sampler(report: Report) -> str:
    """The name of the class or the function, without the library and the options."""
    return report.target.partition(":")[2].partition(" ")[0]


def show(report: LibraryReport, console: Console, commands: dict[str, str]) -> None:
    """The verdict, a line for every sampler, and each kind of failure with the smallest configuration that shows it.

    Args:
        report: what came out.
        console: where it goes.
        commands: the command that judges a target alone, by its name.
    """
    status = report.status
    console.print(
        Text.assemble((f"{MARK[status]} {status.upper()}", STYLE[status]), "  ", (f"{report.library} {report.version}", "bold"))
    )
    console.print(_lines(report))
    for one in failures(report):
        target, finding, count = one
        several = f"  ({count} configuration{'s' if count > 1 else ''})"
        mark = (f"  {MARK[finding.status]} ", STYLE[finding.status])
        console.print(Text.assemble(mark, (sampler(target), "bold"), f"  {finding.check}", (several, "dim")))
        console.print(Text(f"    {finding.message}"))
        if target.target in commands:
            console.print(Text(f"    {commands[target.target]}", style="dim"), soft_wrap=True)
    console.print(_closing(report))


def _lines(report: LibraryReport) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading, side in (
        ("", "left"),
        ("sampler", "left"),
        ("pass", "right"),
        ("fail", "right"),
        ("refused", "right"),
        ("what fails", "left"),
    ):
        table.add_column(heading, justify=side, overflow="fold", no_wrap=heading == "sampler")  # type: ignore[arg-type]
    by_name: dict[str, list[Report]] = {}
    for one in report.reports:
        by_name.setdefault(sampler(one), []).append(one)
    for name, reports in by_name.items():
        aside = [one for one in reports if one.identified_as == "not observed" and one.status is Status.PASS]
        bad = [one for one in reports if one.status in BAD]
        if len(aside) == len(reports):
            reason = aside[0].findings[0].message
            table.add_row(Text("-", style="dim"), name, "", "", "", Text(reason, style="dim"))
            continue
        status = Status.FAIL if any(one.status is Status.FAIL for one in bad) else Status.INCONCLUSIVE if bad else Status.PASS
        what = Counter(check for one in bad for check in {f.check for f in one.findings if f.status in BAD})
        words = ", ".join(f"{check} {count}" for check, count in what.most_common())
        passed = len(reports) - len(bad) - len(aside)
        table.add_row(Text(MARK[status], style=STYLE[status]), name, str(passed), str(len(bad) or ""), str(len(aside) or ""), words)
    return table


def failures(report: LibraryReport) -> list[tuple[Report, Finding, int]]:
    """For each sampler and check that failed: the report of the shortest configuration, its finding, and how many fail so."""
    found: dict[tuple[str, str], list[tuple[int, int, Report, Finding]]] = {}
    for i, one in enumerate(report.reports):
        for check in dict.fromkeys(f.check for f in one.findings if f.status in BAD):
            finding = next(f for f in one.findings if f.check == check and f.status in BAD)
            found.setdefault((sampler(one), check), []).append((len(one.target), i, one, finding))
    return [(*min(cases, key=lambda case: case[:2])[2:], len(cases)) for cases in found.values()]


def _closing(report: LibraryReport) -> Text:
    seconds = sum(one.seconds for one in report.reports)
    words = f"  {len(report.reports)} targets, {seconds:.0f} s of work"
    if report.missing:
        words += f"; interrupted: {report.missing} targets are missing"
    return Text(words, style="dim")


def alone(name: str) -> str:
    """The command that judges a target of a library alone, by the target's name."""
    target, *options = name.split(" ")
    words = ["verifydiff", "check", target]
    for option in _whole(options):
        key, _, value = option.partition("=")
        words += [f"--{key}", value] if key in ("steps", "eta") else ["--config", f"{key}={value}"]
    return " ".join(map(shlex.quote, words))


def _whole(words: list[str]) -> Iterator[str]:
    """Options that were parted at the spaces of their values, whole again."""
    option = ""
    for word in words:
        if option and "=" in word and word.split("=")[0].isidentifier():
            yield option
            option = word
        else:
            option = f"{option} {word}" if option else word
    if option:
        yield option
