"""What the pages of all confirmations share."""

from __future__ import annotations

from ...confirm import Cause, Confirmed
from ...verdict import Status
from .elements import Child, Markup, element
from .findings import name
from .page import verdict


def header(confirmation: Confirmed) -> Markup:
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


def lead(text: str) -> Markup:
    """What a section shows."""
    return element("p", text, class_="lead")


def cause(one: Cause) -> Markup:
    """Whose an error is, and which."""
    called: Child = [element("b", one.what, class_="check"), ": "] if one.what else None
    return element("div", element("p", element("span", f"{one.who} ", class_="quiet"), called, one.description), class_="slips")
