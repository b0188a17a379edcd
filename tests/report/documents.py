"""What the tests of the HTML report share: a reader that knows what a page must keep to, and reports to write one of."""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser

from verifydiff.checks import Explanation, Report
from verifydiff.report.html import Run
from verifydiff.verdict import Finding, Status

VOID = {"br", "hr", "meta", "input", "wbr"}
RUN = Run("verifydiff check a.py:sample", 3, 1e-6, "2026-01-02 03:04 UTC", {"Python": "3.12", "numpy": "2.4"}, 1.5)


class Document(HTMLParser):
    """A page read as a browser does, and what would be wrong with it.

    Attributes:
        elements: (tag, attributes) of every element.
        words: all text outside of style and script.
        faults: tags out of balance.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.faults: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if len(dict(attributes)) != len(attributes):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.texts.append(data)

    @property
    def words(self) -> str:
        return "".join(self.texts)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [
            attributes[key] for _, attributes in self.elements for key in ("href", "src", "action", "data") if key in attributes
        ]


def assert_sound(page: str) -> Document:
    """The page keeps to :func:`assert_closed`, and names no address, not even in words."""
    document = assert_closed(page)
    assert "url(" not in page
    assert "@import" not in page
    assert "//" not in page.replace("// The page is complete without this", "")
    return document


def assert_closed(page: str, more: Collection[str] = ()) -> Document:
    """The page is balanced, loads nothing, its ids are unique, its links lead to them, and no element has a handler or a style.

    Args:
        page: the HTML.
        more: elements that it may have besides those of every report.
    """
    document = Document(page)
    assert document.faults == []
    assert page.startswith("<!doctype html>\n<html")
    assert len(document.ids) == len(set(document.ids))
    assert {link for link in document.links if not link.startswith("#")} == set()
    assert {link[1:] for link in document.links} <= set(document.ids)
    assert {tag for tag, _ in document.elements} <= ALLOWED | set(more)
    for _, attributes in document.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    return document


ALLOWED = {
    *("html", "head", "meta", "title", "style", "script", "body", "header", "main", "section", "footer", "article", "div"),
    *("h1", "h2", "h3", "p", "span", "strong", "b", "a", "wbr", "pre", "code", "ul", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "label", "input", "select", "option"),
    *("figure", "figcaption", "svg", "path", "line", "text"),
}

WEIGHTS = {
    "weight": "x_t",
    "times": [900.0, 600.0, 300.0, 0.0],
    "steps": [1, 3],
    "observed": [0.1, 0.25, 0.5, 0.95],
    "expected": [0.1, 0.2, 0.5, 0.9],
}
RATES = {"sigma": [10.0, 1.0, 0.1], "kept": [2.0, 2.0, 2.0], "predicted": [2.0, 2.0, 2.0], "due": [2.0, 1.8, 1.6]}
FAILURES = {
    "weights": Finding("coefficients", Status.FAIL, "the weight is wrong", 0.25, 0.2, 1e-10, details=WEIGHTS),
    "pairing": Finding(
        "pairing", Status.FAIL, "does not land", 0.3, 0.2, details={"steps": [0], "landed": [0.3, 1.0], "expected": [0.2, 1.0]}
    ),
    "law": Finding("exact-moments", Status.FAIL, "ends elsewhere", [0.1, 0.3], [0.1, 0.25], 1e-9),
    "point": Finding("point-mass", Status.FAIL, "is spread", [0.1, 0.01], [0.1, 0.0], 1e-9),
    "noise": Finding(
        "noise-law", Status.FAIL, "not normal", 1e-20, None, 1e-8, 1e-6, {"failed": {"tails": 1e-20, "extremes": 0.0}}
    ),
    "grid": Finding("time-grid", Status.FAIL, "rises", details={"times": [900.0, 950.0, 0.0]}),
    "order": Finding(
        "order",
        Status.FAIL,
        "order 1, not 2",
        1.02,
        2,
        0.15,
        details={"steps": [10, 20, 40, 80], "errors": [0.1, 0.05, 0.025, 0.0125], "claimed": 2, "measured": 1.0},
    ),
    "rates": Finding("consistency", Status.FAIL, "too little noise", [2.0, 2.0], [1.8, 1.8], 0.01, details=RATES),
}
"""One failure for each kind of plot."""
PASSED = Finding("seed", Status.PASS, "the same seed gives the same run")
SLIP = Explanation("lost-bar", "alpha stands for abar", 1e-13, "DDIM")


def report(*findings: Finding, target: str = "a.py:sample", seen: str = "DDIM(eta = 0)", diagnosis=(SLIP,), notes=()) -> Report:
    return Report(target, seen, findings or (PASSED,), diagnosis, 1.5, notes)
