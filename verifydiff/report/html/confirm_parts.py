"""What the pages of all confirmations share."""

from __future__ import annotations

from ...confirm import Cause
from .elements import Child, Markup, element


def lead(text: str) -> Markup:
    """What a section shows."""
    return element("p", text, class_="lead")


def cause(one: Cause) -> Markup:
    """Whose an error is, and which."""
    called: Child = [element("b", one.what, class_="check"), ": "] if one.what else None
    return element("div", element("p", element("span", f"{one.who} ", class_="quiet"), called, one.description), class_="slips")
