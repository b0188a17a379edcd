"""Proofs on the terminal: a table, what was refuted and how, and on request every step."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..proof import Counterexample, Derivation, Proofs, Proved, Step
from ..proof.proving import Told, prove
from ..proof.step import worst
from ..verdict import Proof
from .prose import first_sentence, without_markup

STYLE = {Proof.PROVED: "green", Proof.REFUTED: "bold red", Proof.UNDECIDED: "yellow"}
MARK = {Proof.PROVED: "✓", Proof.REFUTED: "✗", Proof.UNDECIDED: "?"}

MARK_WIDTH, MS_WIDTH = 11, 4
COLUMNS = {"claim": 42, "source": 29, "how": 29}  # shares of the rest of the line, in per cent
MANY = 60
"""More claims than these are told file by file; ``--verbose`` and JSON tell all."""


def prove_and_show(paths: list[str], console: Console, verbose: bool = False) -> Proofs:
    """Prove with a bar where there is a terminal, then show the verdicts."""
    with Progress(
        TextColumn("proving"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        proofs = prove(*paths, tell=_ticking(progress))
    show(proofs, console, verbose)
    return proofs


def show(proofs: Proofs, console: Console, verbose: bool = False) -> None:
    """The table, then what is not proved, then the sum; with ``verbose`` every page before the table."""
    if verbose:
        for proved in proofs.claims:
            console.print(page(proved))
    console.print(table(proofs, console.width) if verbose or len(proofs.claims) <= MANY else by_file(proofs))
    for proved in proofs.claims:
        if proved.outcome is not Proof.PROVED:
            console.print(complaint(proved))
    console.print(total(proofs))


def _ticking(progress: Progress) -> Told:
    task = progress.add_task("", total=None)

    def tick(done: int, count: int, derivation: Derivation) -> None:
        progress.update(task, completed=done, total=count, description=derivation.id)

    return tick


# -- the table -----------------------------------------------------------------------------------------------------------


def table(proofs: Proofs, width: int) -> Table:
    """One row a claim, for a terminal of that width."""
    rows = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), show_edge=False)
    shares = {"": MARK_WIDTH, "ms": MS_WIDTH}
    rest = width - sum(shares.values()) - 2 * (len(COLUMNS) + len(shares))
    shares |= {name: max(rest * share // 100, 8) for name, share in COLUMNS.items()}
    for name in ("", *COLUMNS, "ms"):
        style = "dim" if name == "source" else ""
        rows.add_column(name, overflow="fold", width=shares[name], justify="right" if name == "ms" else "left", style=style)
    for proved in proofs.claims:
        rows.add_row(_mark(proved.outcome), _claim(proved), _source(proved), proved.method, f"{proved.seconds * 1e3:.0f}")
    return rows


ABOUT = "what it is about"


def by_file(proofs: Proofs) -> Table:
    """One row a file: how many claims it has and how many mistakes it refutes, and what it is about."""
    rows = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), show_edge=False)
    for name in ("", "claims", "mistakes", "file", ABOUT, "ms"):
        number = name in ("claims", "mistakes", "ms")
        rows.add_column(name, overflow="fold", justify="right" if number else "left", no_wrap=name != ABOUT)
    files: dict[str, list[Proved]] = {}
    for proved in proofs.claims:
        files.setdefault(proved.file, []).append(proved)
    for file, claims in files.items():
        mistakes = sum(step.rule.endswith("misprint") for one in claims for step in one.steps)
        about = without_markup(first_sentence(claims[0].about)[0])
        seconds = sum(one.seconds for one in claims)
        outcome = worst([one.outcome for one in claims])
        rows.add_row(_mark(outcome), str(len(claims)), str(mistakes), Text(Path(file).stem, "bold"), about, f"{seconds * 1e3:.0f}")
    return rows


def _mark(outcome: Proof) -> Text:
    return Text(f"{MARK[outcome]} {outcome}", style=STYLE[outcome])


def _claim(proved: Proved) -> Text:
    return Text.assemble((proved.id, "bold"), f"\n{proved.title}", *((f"\nwhere {one}", "yellow") for one in proved.where))


def _source(proved: Proved) -> str:
    """Work and place; how the form departs from its source is for those who look closer."""
    source = proved.form.source if proved.form else None
    return f"{source.work}, {source.place}" if source and proved.source == str(source) else proved.source


def total(proofs: Proofs) -> Text:
    """How many came out how, and how long it took."""
    parts: list[tuple[str, str]] = []
    for outcome in Proof:
        count = sum(proved.outcome is outcome for proved in proofs.claims)
        if count:
            parts += [(f"{count} {outcome}", STYLE[outcome]), (", ", "")]
    seconds = sum(proved.seconds for proved in proofs.claims)
    mistakes = sum(step.rule.endswith("misprint") for proved in proofs.claims for step in proved.steps)
    refuted = f"; {mistakes} mistake{'s' * (mistakes != 1)} that people make refuted on their pages" if mistakes else ""
    return Text.assemble("\n", *parts[:-1], f" in {seconds:.2f} s", refuted)


# -- what is not proved --------------------------------------------------------------------------------------------------


def complaint(proved: Proved) -> RenderableType:
    """Which step of a page is not proved, and why."""
    assert proved.blame is not None  # noqa: S101 - only asked about pages that are not proved
    step, check = proved.blame
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    lines.add_row("step", f"{_label(step)}{step.because}")
    lines.add_row("claims", f"{check.what}: {check.statement}" if check.what else check.statement)
    if check.decision.counterexample:
        _add_counterexample(lines, check.decision.counterexample)
    else:
        lines.add_row("remains", check.decision.remains)
    heading = Text.assemble("\n", (f"{MARK[proved.outcome]} {proved.id}", STYLE[proved.outcome]), f"  {proved.title}")
    return Group(heading, Padding(lines, (0, 0, 0, 2)))


def _add_counterexample(lines: Table, found: Counterexample) -> None:
    lines.add_row("fails at", ", ".join(f"{name} = {value}" for name, value in found.values.items()) or "every point")
    lines.add_row("left side", found.lhs)
    lines.add_row("right side", found.rhs)
    lines.add_row("so", Text(found.reason, style="red"))


# -- every step ----------------------------------------------------------------------------------------------------------


def page(proved: Proved) -> RenderableType:
    """The steps of a derivation, each with its justification, what was decided under it, and where it holds."""
    parts: list[RenderableType] = [Rule(Text.assemble((proved.id, "bold"), f"  {proved.title}"), align="left", style="dim")]
    if proved.idea:
        parts.append(Text(proved.idea, style="italic"))
    for number, step in enumerate(proved.steps, 1):
        parts.append(Padding(_step(number, step), (0, 0, 0, 2)))
    return Group(*parts, Text(""))


def _step(number: int, step: Step) -> RenderableType:
    lines = Table.grid(padding=(0, 1))
    lines.add_column(justify="right", style="dim", no_wrap=True, width=3)
    lines.add_column(overflow="fold")
    lines.add_row(str(number), Text.assemble((_label(step), "cyan"), step.because))
    lines.add_row("", Text(step.statement))
    if step.rests_on:
        lines.add_row("", Text(f"rests on: {step.rests_on}", style="dim"))
    for check in step.checks:
        decision = check.decision
        what = f"{check.what}, " if check.what else ""
        lines.add_row(
            "", Text.assemble((f"{MARK[decision.outcome]} ", STYLE[decision.outcome]), (f"{what}{decision.method}", "dim"))
        )
        for condition in decision.open_conditions:
            lines.add_row("", Text(f"  holds where {condition}", style="yellow"))
        inside = [str(condition) for condition in decision.conditions if condition.holds]
        if inside:
            lines.add_row("", Text(f"  by the domains: {', '.join(inside)}", style="dim"))
    return lines


def _label(step: Step) -> str:
    return f"{step.rule}: " if step.rule != "algebra" else ""
