"""The page of a report: of one target, or of a whole library."""

from __future__ import annotations

from collections.abc import Mapping

from ...checks import LibraryReport, Report
from ...verdict import Status
from ..checks import MARK
from .document import document, section
from .elements import Child, Markup, cut, element
from .findings import KIND, LONGEST_MESSAGE, Questions, card, diagnosis, name, table
from .library import kinds, matrix, slips
from .run import Run

VERDICT = {Status.PASS: "All is well", Status.FAIL: "Fails", Status.INCONCLUSIVE: "Inconclusive"}


def page(report: Report | LibraryReport, run: Run, questions: Questions | None = None) -> str:
    """The page.

    Args:
        report: what it tells of.
        run: how that came about.
        questions: what each check asks, by its id; a check that is not among them stands with its id alone.
    """
    if isinstance(report, LibraryReport):
        return _library(report, run, questions or {})
    return _target(report, run, questions or {})


def _target(report: Report, run: Run, questions: Questions) -> str:
    failed = [(k, finding) for k, finding in enumerate(report.findings) if finding.status is Status.FAIL]
    cards = {k: f"failure-{k}" for k, _ in failed}
    return document(
        f"{MARK[report.status]} {name(report.target)}, judged by verifydiff",
        element(
            "header",
            element("h1", name(report.target)),
            verdict(report.status, _count([finding.status for finding in report.findings], "check")),
            element("p", element("span", "seen to be ", class_="quiet"), cut(report.identified_as, LONGEST_MESSAGE)),
            [element("p", element("span", "it says ", class_="quiet"), cut(note, LONGEST_MESSAGE)) for note in report.notes],
        ),
        element(
            "main",
            section("Likeliest slip", "diagnosis", diagnosis(report)) if diagnosis(report) else None,
            section("What fails", "failures", [card(one, cards[k], questions) for k, one in failed]) if failed else None,
            section("All findings", "findings", table(report.findings, "finding-", questions, cards)),
            section("How to see it again", "again", provenance(run)),
        ),
        footer(),
    )


def _library(report: LibraryReport, run: Run, questions: Questions) -> str:
    return document(
        f"{MARK[report.status]} {name(report.library)} {name(report.version)}, judged by verifydiff",
        element(
            "header",
            element("h1", name(report.library), " ", element("span", name(report.version), class_="quiet")),
            verdict(report.status, _count([one.status for one in report.reports], "target")),
        ),
        element(
            "main",
            slips(report),
            section("Targets by checks", "matrix", matrix(report, questions)),
            section("Target by target", "targets", kinds(report, run, questions)),
            section("How to see it again", "again", provenance(run)),
        ),
        footer(),
    )


def verdict(status: Status, counted: str) -> Markup:
    """The outcome of the whole, and a count."""
    return element("p", element("strong", f"{MARK[status]} {VERDICT[status]}"), " ", counted, class_=f"verdict {KIND[status]}")


def _count(statuses: list[Status], noun: str) -> str:
    """As ``3 of 14 checks fail``, with what else did not pass."""
    words = {Status.FAIL: "fail", Status.INCONCLUSIVE: "inconclusive", Status.ALLOWED: "allowed to fail"}
    judged = [status for status in statuses if status not in (Status.NOTE, Status.NOT_APPLICABLE)]
    parts = [f"{judged.count(status)} {word}" for status, word in words.items() if status in judged]
    passed = f"{judged.count(Status.PASS)} of {len(judged)} {noun}{'' if len(judged) == 1 else 's'} pass"
    return ", ".join([passed, *parts])


def provenance(run: Run) -> list[Child]:
    """The command that makes the page again, and what it was made with."""
    facts: Mapping[str, str] = {
        "date": run.date,
        **run.versions,
        "seed": str(run.seed),
        "false alarms": f"at most {run.false_alarm:g}, declared for the run of a target",
        "time": f"{run.seconds:.1f} s",
    }
    return [
        element("pre", element("code", run.command), class_="command", tabindex="0"),
        element(
            "dl", [element("div", element("dt", word), element("dd", name(fact))) for word, fact in facts.items()], class_="facts"
        ),
    ]


def footer() -> Markup:
    """What the signs mean."""
    signs = [
        element("span", MARK[status], " ", words, class_=f"status {KIND[status]}")
        for status, words in (
            (Status.PASS, "passes"),
            (Status.FAIL, "fails"),
            (Status.INCONCLUSIVE, "cannot be told"),
            (Status.ALLOWED, "fails, and is kept on purpose"),
            (Status.NOTE, "a property of the method, with its size"),
            (Status.NOT_APPLICABLE, "does not apply"),
        )
    ]
    return element("footer", element("p", "Made by verifydiff."), element("p", signs, class_="signs"))
