"""Findings as HTML: a mark, a row of a table, a card with the plot; and what stands around them for one target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...checks import Explanation, Report
from ...verdict import Finding, Status
from ..checks import MARK, ORDER
from .elements import Child, Markup, cut, element
from .figures import figure

WORDS = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.INCONCLUSIVE: "inconclusive",
    Status.NOTE: "note",
    Status.ALLOWED: "allowed",
    Status.NOT_APPLICABLE: "not applicable",
}
KIND = {
    Status.PASS: "p",
    Status.FAIL: "f",
    Status.INCONCLUSIVE: "i",
    Status.NOTE: "n",
    Status.ALLOWED: "a",
    Status.NOT_APPLICABLE: "x",
}
"""Classes of the style sheet; short, since a matrix has one in every cell."""
LONGEST_NAME, LONGEST_MESSAGE = 160, 2000

Questions = Mapping[str, str]
"""What a check asks, by its id."""


def worst(statuses: Iterable[Status]) -> Status:
    """The one that is shown first."""
    return min(statuses, key=ORDER.index)


def in_order(findings: Sequence[Finding]) -> list[tuple[int, Finding]]:
    """Findings with their numbers, what failed first."""
    return sorted(enumerate(findings), key=lambda numbered: ORDER.index(numbered[1].status))


def mark(status: Status) -> Markup:
    """A status as a coloured sign with its word: neither colour nor sign has to be known."""
    return element("span", element("span", MARK[status], class_="sign"), f" {WORDS[status]}", class_=f"status {KIND[status]}")


def name(text: str) -> str:
    """A name of a target's own choosing, cut to what a heading holds."""
    return cut(text, LONGEST_NAME)


def message(finding: Finding) -> Markup:
    """What was found, in words."""
    return element("p", cut(finding.message, LONGEST_MESSAGE), class_="message")


def card(finding: Finding, id_: str, questions: Questions, origin: Child = None) -> Markup:
    """A failure in full: question, what was found, the numbers, and the plot that shows it."""
    return element(
        "article",
        element("h3", mark(finding.status), " ", element("span", finding.check, class_="check"), origin),
        element(
            "div",
            element("p", questions[finding.check], class_="question") if finding.check in questions else None,
            message(finding),
            numbers(finding),
        ),
        figure(finding),
        id=id_,
        class_="card",
    )


def numbers(finding: Finding) -> Markup | None:
    """Measured, expected and tolerance, as far as there are any."""
    told = [(word, value) for word, value in _numbers(finding) if value is not None]
    if not told:
        return None
    return element(
        "dl", [element("div", element("dt", word), element("dd", written(value))) for word, value in told], class_="numbers"
    )


def _numbers(finding: Finding) -> list[tuple[str, Any]]:
    tolerance = None if finding.tolerance is None else f"{finding.tolerance:.2g}"
    return [("measured", finding.measured), ("expected", finding.expected), ("tolerance", tolerance)]


def table(findings: Sequence[Finding], prefix: str, questions: Questions, cards: Mapping[int, str]) -> Markup:
    """All findings; those with a card lead to it.

    Args:
        findings: in the order in which they are numbered.
        prefix: of the rows' ids, which the number follows.
        questions: what each check asks.
        cards: ids of the cards, by the number of the finding.
    """
    head = [element("th", word, scope="col") for word in ("status", "check", "what was found", "measured", "expected", "tolerance")]
    rows = [_row(k, finding, prefix, questions, cards.get(k)) for k, finding in in_order(findings)]
    return element("table", element("thead", element("tr", head)), element("tbody", rows), class_="findings")


def _row(k: int, finding: Finding, prefix: str, questions: Questions, anchor: str | None) -> Markup:
    title: Child = element("a", finding.check, href=f"#{anchor}") if anchor else finding.check
    asks = questions.get(finding.check)
    cells = [
        element("td", mark(finding.status)),
        element("th", element("span", title, class_="check"), scope="row"),
        element("td", element("p", asks, class_="question") if asks else None, message(finding)),
        *(
            element("td", None if value is None else written(value), class_="number", data_word=word if value is not None else None)
            for word, value in _numbers(finding)
        ),
    ]
    return element("tr", cells, "\n", id=f"{prefix}{k}")


def written(value: Any, most: int = 4) -> str:
    """A number, a short table or a word."""
    if isinstance(value, (list, tuple)):
        shown = ", ".join(written(one) for one in value[:most])
        return f"{shown}, ... ({len(value)})" if len(value) > most else shown
    if isinstance(value, float):
        return f"{value:.8g}".replace("-", "\u2212")
    return cut(str(value), 80)


def diagnosis(report: Report) -> Markup | None:
    """The slips that reproduce what was seen, best first; where none does, that is said."""
    if report.diagnosis:
        best, *others = report.diagnosis
        more = element("ul", [element("li", "or as well: ", _slip(one)) for one in others]) if others else None
        return element("div", element("p", _slip(best)), more, class_="slips")
    if report.status is Status.FAIL and report.identified_as != "not observed":
        return element("p", "Nothing in the catalogue of slips explains this.", class_="slips")
    return None


def _slip(explanation: Explanation) -> list[Child]:
    return [
        element("b", explanation.slip, class_="check"),
        f": {explanation.description} ",
        element("span", f"(residual {explanation.residual:.1g})", class_="quiet"),
    ]
