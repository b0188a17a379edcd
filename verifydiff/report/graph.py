r"""What rests on what: the claims as a graph in layers, drawn by hand.

A claim stands in a layer of its own depth: 0 if it rests on no other, else one more than the deepest of those. An edge that
passes over layers gets a place in each of them, so that it runs between the boxes. Within a layer the order follows the
mean place of the neighbours, layer by layer to and fro, and the best order met is kept (Sugiyama, Tagawa and Toda 1981).
Heights are then drawn towards the neighbours by isotonic regression, which keeps order and distance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as Xml

SWEEPS = 24
PITCH, HEIGHT, GAP, LETTER, PADDING = 30.0, 22.0, 64.0, 6.7, 9.0

Place = str | tuple[str, str, int]
"""A claim, or the place in a layer of an edge that passes over it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A claim in the graph, or a page of them.

    Attributes:
        id: of the claim, or the name of the page.
        group: what colours it.
        title: shown on hovering.
        outcome: of its proof.
        rests_on: the ids of others.
        claim: the claim that it leads to, if that is not its id.
        aside: whether it belongs elsewhere and is shown because something here rests on it.
    """

    id: str
    group: str
    title: str
    outcome: str
    rests_on: tuple[str, ...] = ()
    claim: str = ""
    aside: bool = False

    @property
    def width(self) -> float:
        """Room for its name."""
        return len(self.id) * LETTER + 2 * PADDING


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies.

    Attributes:
        boxes: the left end and the middle of each claim.
        lines: for each edge (claim, what it rests on) the points it passes through.
        width, height: of the whole.
    """

    boxes: dict[str, tuple[float, float]]
    lines: dict[tuple[str, str], list[tuple[float, float]]]
    width: float
    height: float


def layout(claims: Sequence[Node]) -> Layout:
    """The claims in layers from left to right, what they rest on first; those without edges below, in rows.

    Of a circle of claims, which proves none of them, the edge that closes it is left out.
    """
    known = {node.id: node for node in claims}
    edges = [(node.id, base) for node in claims for base in node.rests_on if base in known and base != node.id]
    depth = depths(list(known), edges)
    edges = [(claim, base) for claim, base in edges if depth[base] < depth[claim]]
    joined = {end for edge in edges for end in edge}
    layers, paths = _layered([node.id for node in claims if node.id in joined], edges)
    layers = _ordered(layers, paths)
    heights = _heights(layers, paths)
    boxes, lines, right, bottom = _placed(known, layers, paths, heights)
    alone = [node for node in claims if node.id not in joined]
    rows, width, height = _rows(alone, max(right, 700.0), bottom + (PITCH if joined else 0.0))
    return Layout(boxes | rows, lines, max(right, width) + 2, height + 2)


def depths(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How far each claim is from those that rest on nothing."""
    bases: dict[str, list[str]] = {one: [] for one in ids}
    for claim, base in edges:
        bases[claim].append(base)
    depth: dict[str, int] = {}
    waiting = dict(bases)
    while waiting:
        ready = [one for one, below in waiting.items() if all(base in depth for base in below)]
        for one in ready or [*waiting][:1]:  # of a circle, the first one that is met
            depth[one] = 1 + max((depth[base] for base in waiting.pop(one) if base in depth), default=-1)
    return depth


Paths = dict[tuple[str, str], list[Place]]


def _layered(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> tuple[list[list[Place]], Paths]:
    depth = depths(ids, edges)
    layers: list[list[Place]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for one in ids:
        layers[depth[one]].append(one)
    paths: Paths = {}
    for claim, base in edges:
        between: list[Place] = [(claim, base, level) for level in range(depth[base] + 1, depth[claim])]
        for level, place in enumerate(between, depth[base] + 1):
            layers[level].append(place)
        paths[claim, base] = [base, *between, claim]
    return layers, paths


def _neighbours(paths: Paths) -> tuple[dict[Place, list[Place]], dict[Place, list[Place]]]:
    before: dict[Place, list[Place]] = {}
    after: dict[Place, list[Place]] = {}
    for path in paths.values():
        for left, right in pairwise(path):
            before.setdefault(right, []).append(left)
            after.setdefault(left, []).append(right)
    return before, after


def _ordered(layers: list[list[Place]], paths: Paths) -> list[list[Place]]:
    """The order within the layers with the fewest crossings that the sweeps meet."""
    before, after = _neighbours(paths)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, after)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for layer in layers if forth else reversed(layers):
            rank = {place: number for other in layers for number, place in enumerate(other)}
            towards = before if forth else after
            mean = {p: _mean([rank[q] for q in towards.get(p, ())], rank[p]) for p in layer}
            layer.sort(key=mean.__getitem__)
        if (count := _crossings(layers, after)) < fewest:
            best, fewest = [list(layer) for layer in layers], count
    return best


def _crossings(layers: Sequence[Sequence[Place]], after: Mapping[Place, Sequence[Place]]) -> int:
    count = 0
    for left, right in pairwise(layers):
        rank = {place: number for number, place in enumerate(right)}
        ends = [rank[q] for p in left for q in sorted(after.get(p, ()), key=rank.__getitem__)]
        count += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _heights(layers: Sequence[Sequence[Place]], paths: Paths) -> dict[Place, float]:
    """The heights: order and distances kept, and as near to the neighbours as that allows."""
    before, after = _neighbours(paths)
    tallest = max((len(layer) for layer in layers), default=0)
    height = {p: (i + (tallest - len(layer)) / 2) * PITCH for layer in layers for i, p in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            wanted = [_mean([height[q] for q in (*before.get(p, ()), *after.get(p, ()))], height[p]) for p in layer]
            height.update(zip(layer, _apart(wanted), strict=True))
    return height


def _apart(wanted: Sequence[float]) -> list[float]:
    """The heights nearest to the wanted ones that lie at least a pitch apart, in order: isotonic regression by pooling."""
    pools: list[list[float]] = []
    for number, value in enumerate(wanted):
        pools.append([value - number * PITCH])
        while len(pools) > 1 and _mean(pools[-2], 0) > _mean(pools[-1], 0):
            last = pools.pop()
            pools[-1].extend(last)
    levels = [_mean(pool, 0) for pool in pools for _ in pool]
    return [level + number * PITCH for number, level in enumerate(levels)]


def _placed(
    known: Mapping[str, Node], layers: Sequence[Sequence[Place]], paths: Paths, heights: Mapping[Place, float]
) -> tuple[dict[str, tuple[float, float]], dict[tuple[str, str], list[tuple[float, float]]], float, float]:
    top = min(heights.values(), default=0.0) - HEIGHT
    left, spans, boxes = 1.0, {}, {}
    for layer in layers:
        width = max((known[place].width for place in layer if isinstance(place, str)), default=0.0)
        for place in layer:
            spans[place] = (left, left + width)
            if isinstance(place, str):
                boxes[place] = (left, heights[place] - top)
                spans[place] = (left, left + known[place].width)
        left += width + GAP
    lines = {}
    for edge, path in paths.items():
        ends = [(x, heights[place] - top) for place in path for x in spans[place]]
        lines[edge] = ends[1:-1]  # from the right end of what is rested on to the left end of what rests on it
    bottom = max(heights.values(), default=top - HEIGHT) - top + HEIGHT if layers else 0.0
    return boxes, lines, left - GAP, bottom


def _rows(alone: Sequence[Node], width: float, top: float) -> tuple[dict[str, tuple[float, float]], float, float]:
    """Claims without edges, group by group, line by line."""
    boxes: dict[str, tuple[float, float]] = {}
    x, y, widest, group = 1.0, top + HEIGHT, 0.0, alone[0].group if alone else ""
    for node in alone:
        if x > 1 and (node.group != group or x + node.width > width):
            x, y = 1.0, y + PITCH
        boxes[node.id], group = (x, y), node.group
        x += node.width + PADDING
        widest = max(widest, x)
    return boxes, widest, y + HEIGHT if alone else top


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


# -- the drawing ---------------------------------------------------------------------------------------------------------


def svg(claims: Sequence[Node], address: Callable[[str], str | None], groups: Sequence[str] = ()) -> str:
    """The graph as SVG: a box a claim, linked to where it is proved; colours by group are for a stylesheet.

    Args:
        claims: the claims.
        address: where a claim is proved, if it is told.
        groups: the groups in the order of their colours; without, in that of the claims.
    """
    drawn = layout(claims)
    groups = groups or list(dict.fromkeys(node.group for node in claims))
    size = {"viewBox": f"0 0 {drawn.width:.0f} {drawn.height:.0f}", "width": f"{drawn.width:.0f}", "height": f"{drawn.height:.0f}"}
    root = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "verifydiff-dag", "role": "img", **size})
    Xml.SubElement(root, "title").text = "Which claim rests on which"
    arrow = f"verifydiff-arrow-{claims[0].id if claims else ''}"
    _arrowhead(root, arrow)
    for (claim, base), points in drawn.lines.items():
        data = {"class": "verifydiff-edge", "data-from": claim, "data-to": base, "d": _curve(points)}
        Xml.SubElement(root, "path", {**data, "marker-start": f"url(#{arrow})"})
    for node in claims:
        _box(root, node, drawn.boxes[node.id], groups.index(node.group), address(node.claim or node.id))
    return Xml.tostring(root, encoding="unicode", short_empty_elements=True)


def hue(number: int) -> float:
    """The hue of a group: turned by the golden angle, so that neighbours differ."""
    return round(number * 137.508 + 210, 1) % 360


def _arrowhead(root: Xml.Element, name: str) -> None:
    """An arrow at what is rested on: the path starts there, and its head points back to it."""
    definitions = Xml.SubElement(root, "defs")
    shape = {"viewBox": "0 0 8 8", "refX": "0", "refY": "4", "markerWidth": "6", "markerHeight": "6", "orient": "auto"}
    head = Xml.SubElement(definitions, "marker", {"id": name, **shape})
    Xml.SubElement(head, "path", {"d": "M8 0 L0 4 L8 8 z"})


def _curve(points: Iterable[tuple[float, float]]) -> str:
    (x, y), *others = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for number, (u, v) in enumerate(others):
        if number % 2:  # along a layer
            parts.append(f"L{u:.1f} {v:.1f}")
        else:
            bend = (u - x) / 2
            parts.append(f"C{x + bend:.1f} {y:.1f} {u - bend:.1f} {v:.1f} {u:.1f} {v:.1f}")
        x, y = u, v
    return " ".join(parts)


def _box(root: Xml.Element, node: Node, place: tuple[float, float], number: int, address: str | None) -> None:
    x, y = place
    style = f"--verifydiff-hue: {hue(number)}"
    kind = f"verifydiff-node verifydiff-{node.outcome}{' verifydiff-aside' * node.aside}"
    link = Xml.SubElement(
        root,
        "a",
        {"class": kind, "data-id": node.id, "style": style} | ({"href": address} if address else {"tabindex": "0"}),
    )
    Xml.SubElement(link, "title").text = f"{node.title} ({node.outcome})"
    rectangle = {"x": f"{x:.1f}", "y": f"{y - HEIGHT / 2:.1f}", "width": f"{node.width:.1f}", "height": f"{HEIGHT:.1f}", "rx": "4"}
    Xml.SubElement(link, "rect", rectangle)
    Xml.SubElement(link, "text", {"x": f"{x + PADDING:.1f}", "y": f"{y + 4:.1f}"}).text = node.id
