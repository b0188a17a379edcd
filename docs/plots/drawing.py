r"""The pictures of the derivation reference, by the claim or the file of derivations that they stand beside.

A picture is a function that draws on axes, under ``@beside``:

.. code-block:: python

    @beside("ddpm.posterior_variance")
    def variances(axes):
        "What it shows, with :math:`\\beta_t` and words: the caption."

All numbers come from the closed forms themselves. A picture is an SVG whose lines are readable on light and on dark paper,
and whose text and axes have the colour of the words around them.

A page of another kind has its picture where it says ``<!-- picture: NAME -->``, by the function under ``@on_page("NAME")``. Its
numbers come from a record, and its caption stands on the page.
"""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as Xml

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.use("svg")

INK = "#123456"
"""Stands for the colour of the words around the picture; replaced once it is drawn."""
COLOURS = ["#3b82f6", "#f97316", "#10b981", "#d946ef", "#a3a3a3"]
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "verifydiff",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "stix",
}

Draw = Callable[[Any], None]
PICTURES: dict[str, list[tuple[Draw, str]]] = {}
ON_PAGES: dict[str, Draw] = {}
PLACE = re.compile(r"^<!-- picture: ([a-z0-9.-]+) -->$", re.MULTILINE)


def beside(*names: str) -> Callable[[Draw], Draw]:
    """Let a picture stand beside the claims of those ids, or on top of the pages of the files of those names (without ``.py``).

    Its docstring is the caption.
    """

    def register(draw: Draw) -> Draw:
        for name in names:
            PICTURES.setdefault(name, []).append((draw, inspect.getdoc(draw) or ""))
        return draw

    return register


def on_page(name: str) -> Callable[[Draw], Draw]:
    """Let a picture stand where a page names it."""

    def register(draw: Draw) -> Draw:
        ON_PAGES[name] = draw
        return draw

    return register


def put_on_pages(_app: object, _page: str, source: list[str]) -> None:
    """Draw the pictures that a page names, in their places; what Sphinx calls with the text of every page that it has read."""

    def drawn(place: re.Match[str]) -> str:
        line = " ".join(svg(ON_PAGES[place[1]], place[1]).split())  # a block of HTML ends at an empty line
        return f'<div class="verifydiff-figure">{line}</div>'

    source[0] = PLACE.sub(drawn, source[0])


def figures(_: object, name: str) -> list[tuple[str, str]]:
    """The pictures that stand beside a claim or a file, as pairs of SVG and caption; what Sphinx's event asks for."""
    return [(svg(draw, f"{name}-{number}"), caption) for number, (draw, caption) in enumerate(PICTURES.get(name, ()))]


def svg(draw: Draw, name: str) -> str:
    """The picture as an element for the middle of a page."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(6.4, 3.0), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        if axes.get_legend_handles_labels()[1] and axes.get_legend() is None:
            axes.legend()
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(drawn.getvalue().replace(INK, "currentColor"), name)


def _inline(drawn: str, name: str) -> str:
    """Without prolog and metadata, as wide as the page lets it be, and with ids that no other picture has."""
    Xml.register_namespace("", "http://www.w3.org/2000/svg")
    Xml.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = Xml.fromstring(drawn)  # noqa: S314 - our own drawing
    prefix = name.replace(".", "-")
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag.endswith("metadata")]:
            parent.remove(child)
        for key, value in parent.attrib.items():
            if key == "id":
                parent.set(key, f"{prefix}-{value}")
            elif value.startswith("#") and key.endswith("href"):
                parent.set(key, f"#{prefix}-{value[1:]}")
            else:
                parent.set(key, value.replace("url(#", f"url(#{prefix}-"))
    root.attrib.pop("width")
    root.attrib.pop("height")
    root.set("role", "img")
    return Xml.tostring(root, encoding="unicode")
