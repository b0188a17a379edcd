"""What the pages of all confirmations share: what stands first and last; and how their figures are introduced."""

from __future__ import annotations

from collections.abc import Sequence

from ...confirm import Cause, Confirmed
from ...verdict import Status
from ..checks import MARK
from .document import document, section
from .elements import Child, Markup, element
from .findings import Questions, name, table
from .page import footer, provenance, verdict
from .run import Run


def page_of(confirmation: Confirmed, shown: Sequence[Markup | None], run: Run, questions: Questions | None) -> str:
    """The page: whose the errors are, what is shown, then every statement and how to see it again.

    Args:
        confirmation: what it tells of.
        shown: its own sections.
        run: how that came about.
        questions: what each check asks, by its id.
    """
    causes, left = confirmation.causes, confirmation.left_out
    left_out = element("p", f"Left out of this confirmation, for its budget: {left}.", class_="quiet") if left else None
    return document(
        f"{MARK[confirmation.status]} {name(confirmation.name)}, confirmed by verifydiff",
        _header(confirmation),
        element(
            "main",
            section("Whose the error is", "causes", [_cause(one) for one in causes]) if causes else None,
            *shown,
            section("All statements", "findings", table(confirmation.findings, "finding-", questions or {}, {})),
            section("How to see it again", "again", left_out, provenance(run)),
        ),
        footer(),
    )


def lead(text: str) -> Markup:
    """What a section shows."""
    return element("p", text, class_="lead")


def _header(confirmation: Confirmed) -> Markup:
    """What came out, and of what."""
    statuses = [finding.status for finding in confirmation.findings]
    judged = sum(status in (Status.PASS, Status.FAIL, Status.INCONCLUSIVE) for status in statuses)
    return element(
        "header",
        element("h1", name(confirmation.name)),
        verdict(confirmation.status, f"{statuses.count(Status.PASS)} of {judged} statements hold"),
        element("p", confirmation.verdict[0].upper() + confirmation.verdict[1:]),
        element("p", element("span", "trained on ", class_="quiet"), confirmation.data),
    )


def _cause(one: Cause) -> Markup:
    """Whose an error is, and which."""
    called: Child = [element("b", one.what, class_="check"), ": "] if one.what else None
    return element("div", element("p", element("span", f"{one.who} ", class_="quiet"), called, one.description), class_="slips")
