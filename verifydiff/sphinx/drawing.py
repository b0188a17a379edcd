"""The nodes of our own, as HTML: what is folded, and the graph of claims. Other formats show the content, and no graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as Xml

from docutils import nodes

from ..report.graph import hue, svg
from ..report.pages import folded, summary
from .domain import domain_of

Visit = Callable[[Any, Any], None]


class graph(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801 - a node is named as docutils names its own
    """The graph of claims or pages, with a legend of (group, title, id of a claim to lead to) for the groups that have a colour."""


def open_folded(self: Any, node: folded) -> None:
    """Open ``<details>``."""
    self.body.append(self.starttag(node, "details"))


def open_summary(self: Any, node: summary) -> None:
    """Open ``<summary>``."""
    self.body.append(self.starttag(node, "summary", ""))


def close(tag: str) -> Visit:
    """What closes a tag."""

    def depart(self: Any, node: nodes.Node) -> None:
        self.body.append(f"</{tag}>\n")

    return depart


def visit_graph(self: Any, node: graph) -> None:
    """The drawing and its legend; both are built as elements, so that every text is escaped."""
    builder, document = self.builder, self.builder.current_docname
    domain = domain_of(builder.env)

    def address(claim: str) -> str | None:
        return domain.address(builder, document, claim)

    legend = Xml.Element("ul", {"class": "verifydiff-legend"})
    shown = {one.group for one in node["claims"]}
    for number, (group, title, claim) in enumerate(node["legend"]):
        if group not in shown:
            continue
        item = Xml.SubElement(legend, "li", {"style": f"--verifydiff-hue: {hue(number)}"})
        where = address(claim)
        link = Xml.SubElement(item, "a", {"href": where.partition("#")[0] or "#"} if where else {})
        link.text = title
    self.body.append(Xml.tostring(legend, encoding="unicode", method="html"))
    drawn = svg(node["claims"], address, [group for group, _, _ in node["legend"]])
    self.body.append(f'<div class="verifydiff-graph">{drawn}</div>\n')


def neither(self: Any, node: nodes.Node) -> None:
    """Show nothing of the node itself."""


as_paragraph: tuple[Visit, Visit] = (
    lambda self, node: self.visit_paragraph(node),
    lambda self, node: self.depart_paragraph(node),
)
