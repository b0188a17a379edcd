"""A panel: a box with two axes, and lines, dots and stems in it, as SVG elements. Colours are the style sheet's, by class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .axes import Axis
from .elements import Markup, element, joined

WIDTH = 440.0
"""Of a drawing in its own units; near the width of a small screen, so that text there keeps its size."""
LEFT, RIGHT = 52.0, 10.0
"""Room for the labels of the vertical axis, and beside the panel."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """A box from ``top`` down by ``height``, with its axes."""

    x: Axis
    y: Axis
    top: float
    height: float
    left: float = LEFT

    def place(self, x: float, y: float) -> Point:
        """Where a point lies in the drawing."""
        return (
            self.left + self.x.at(x) * (WIDTH - self.left - RIGHT),
            self.top + (1 - self.y.at(y)) * self.height,
        )

    def frame(self, title: str, below: str = "") -> Markup:
        """Rules and labels of both axes; the horizontal one is labelled where ``below`` says what it is."""
        bottom = self.top + self.height
        parts: list[Markup] = [*self._rows(), *self._columns(bool(below))]
        parts.append(_text(self.left, self.top - 7, f"{title} {self.y.power}".strip(), "title"))
        if below:
            parts.append(_text((self.left + WIDTH - RIGHT) / 2, bottom + 30, below, "label", "middle"))
        return joined(parts)

    def _rows(self) -> Iterator[Markup]:
        for tick in self.y.ticks():
            _, y = self.place(self.x.low, tick.value)
            yield element("line", x1=_short(self.left), x2=_short(WIDTH - RIGHT), y1=_short(y), y2=_short(y), class_="rule")
            yield _text(self.left - 6, y + 3.5, tick.label, "tick", "end")

    def _columns(self, labelled: bool) -> Iterator[Markup]:
        bottom = self.top + self.height
        yield element("line", x1=_short(self.left), x2=_short(WIDTH - RIGHT), y1=_short(bottom), y2=_short(bottom), class_="axis")
        for tick in self.x.ticks():
            x, _ = self.place(tick.value, self.y.low)
            yield element("line", x1=_short(x), x2=_short(x), y1=_short(bottom), y2=_short(bottom + 4), class_="axis")
            if labelled:
                yield _text(x, bottom + 16, tick.label, "tick", "middle")

    def line(self, points: Iterable[Point], kind: str) -> Markup:
        """A line through the points, broken where one is not finite."""
        path, open_ = "", False
        for x, y in points:
            if not (math.isfinite(x) and math.isfinite(y)):
                open_ = False
                continue
            here = "{} {}".format(*map(_short, self.place(x, y)))
            path += f"{'L' if open_ else 'M'}{here}"
            open_ = True
        return element("path", d=path, class_=kind)

    def dots(self, points: Iterable[Point], kind: str, radius: float = 2.2) -> Markup:
        """A dot for every finite point; one path of zero-length strokes with round ends, which is short."""
        marks = ("M{} {}h0".format(*map(_short, self.place(x, y))) for x, y in points if math.isfinite(x) and math.isfinite(y))
        return element("path", d="".join(marks), class_=f"dots {kind}", stroke_width=_short(2 * radius))

    def crosses(self, points: Iterable[Point], kind: str, radius: float = 2.5) -> Markup:
        """A cross for every finite point, which is told from a dot without its colour."""
        arm, way = _short(2 * radius), _short(-2 * radius)
        marks = []
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y):
                here, there = self.place(x, y)
                marks.append(f"M{_short(here - radius)} {_short(there - radius)}l{arm} {arm}m0 {way}l{way} {arm}")
        return element("path", d="".join(marks), class_=kind)

    def stems(self, points: Iterable[Point], kind: str) -> Markup:
        """A stem from 0 to every finite point."""
        marks = []
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y):
                (here, end), (_, zero) = self.place(x, y), self.place(x, 0.0)
                marks.append(f"M{_short(here)} {_short(zero)}V{_short(end)}")
        return element("path", d="".join(marks), class_=kind)

    def bars(self, pairs: Iterable[tuple[Point, Point]], kind: str) -> Markup:
        """A bar between the two points of every pair that is finite: an interval."""
        marks = []
        for start, end in pairs:
            if all(map(math.isfinite, (*start, *end))):
                (x1, y1), (x2, y2) = self.place(*start), self.place(*end)
                marks.append(f"M{_short(x1)} {_short(y1)}L{_short(x2)} {_short(y2)}")
        return element("path", d="".join(marks), class_=f"bar {kind}")

    def upright(self, x: float, kind: str, top: float = 0.0) -> Markup:
        """A line from the horizontal axis up, to the top less a share of the height."""
        here, _ = self.place(x, self.y.low)
        y1, y2 = self.top + self.height, self.top + top * self.height
        return element("line", x1=_short(here), x2=_short(here), y1=_short(y1), y2=_short(y2), class_=kind)


def drawing(parts: Sequence[Markup], height: float, title: str) -> Markup:
    """The whole SVG. Its title is what is read aloud in its place."""
    return element(
        "svg",
        element("title", title),
        parts,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        class_="plot",
    )


def legend(entries: Sequence[tuple[str, str, str]], y: float = 11, left: float = LEFT) -> Markup:
    """Names of what is drawn, in a row; each with its class, and whether it is a line, a dot or a cross."""
    parts: list[Markup] = []
    x = left
    for name, kind, shape in entries:
        path = {"line": f"M{_short(x)} {_short(y - 3.5)}h14", "dot": f"M{_short(x + 8)} {_short(y - 3.5)}h0"}.get(
            shape, f"M{_short(x + 5.5)} {_short(y - 6)}l5 5m0 -5l-5 5"
        )
        look = {"class_": f"dots {kind}", "stroke_width": "5"} if shape == "dot" else {"class_": kind}
        parts += [element("path", d=path, **look), _text(x + 19, y, name, "tick")]
        x += 34 + 5.6 * len(name)
    return joined(parts)


def _text(x: float, y: float, text: str, kind: str, anchor: str | None = None) -> Markup:
    return element("text", text, x=_short(x), y=_short(y), class_=kind, text_anchor=anchor)


def _short(number: float) -> str:
    """A coordinate to a tenth, as short as it goes."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
