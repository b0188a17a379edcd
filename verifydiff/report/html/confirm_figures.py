"""The figures of a confirmation. In all of them a line is theory, and a point with a bar is a measurement with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...confirm import Confirmation
from ...confirm.judging import Interval
from ...statistics.evidence import Array as Numbers
from .axes import Linear, Log, Rows
from .drawing import WIDTH, Panel, drawing, legend
from .elements import Markup, element, joined

TOP, HEIGHT = 42.0, 210.0
SHADES = 12
"""Of grey, in pictures."""
FURTHEST = 6.0
"""Resolutions that the axis of an excess reaches."""
LEAST = 1e-9
"""On logarithmic axes what is smaller is drawn here."""


def distances(confirmation: Confirmation) -> list[Markup]:
    """Frechet distance over S, a line and points for each eta; and what network and sampler each add, cell by cell."""
    cells, curve = confirmation.sampling.cells, confirmation.sampling.curve
    etas = sorted({cell.eta for cell in cells})
    lines = {eta: curve.get(eta) or [(cell.steps, cell.theory.value) for cell in cells if cell.eta == eta] for eta in etas}
    points = {eta: [(float(cell.steps), cell.both) for cell in cells if cell.eta == eta] for eta in etas}
    steps = sorted({float(S) for line in lines.values() for S, _ in line})
    shown = [max(v, LEAST) for line in lines.values() for _, v in line]
    shown += [max(i.value, LEAST) for row in points.values() for _, i in row if i.finite]
    y = Log.around(shown)
    panel = Panel(Log.around(steps, marks=steps), y, TOP, HEIGHT + 40)
    parts = [panel.frame("Frechet distance to the data, logarithmic", "S, number of steps, logarithmic")]
    for k, eta in enumerate(etas):
        parts.append(panel.line([(float(S), max(v, LEAST)) for S, v in lines[eta]], f"eta{k}"))
        parts += _measured(panel, _inside(points[eta], y), f"eta{k}")
    parts.append(legend([(f"eta = {eta:g}", f"eta{k}", "line") for k, eta in enumerate(etas)]))
    told = "Frechet distance over the number of steps: theory for the exact score as lines, draws as points"
    return [figure(parts, HEIGHT + 124, told, _best(confirmation)), *_shares(confirmation)]


def _shares(confirmation: Confirmation) -> list[Markup]:
    """What network and sampler add to theory, over what counts as nothing, a row a cell; what lies beyond the edge stands on it."""
    cells = confirmation.sampling.cells
    axis = Linear(-FURTHEST, FURTHEST, most=8)
    height = 19.0 * len(cells)
    panel = Panel(axis, Rows(tuple(f"S = {cell.steps}, eta = {cell.eta:g}" for cell in cells)), TOP, height, left=112)
    parts = [panel.frame("", "Frechet distance less theory, over what counts as equal"), panel.upright(0.0, "axis")]
    parts += [panel.upright(edge, "through") for edge in (-1.0, 1.0)]
    for part, kind, shift in (("network", "seen", -0.16), ("sampler", "other", 0.16)):
        rows = [(k + shift, _share(cell.excess[part], cell.resolution)) for k, cell in enumerate(cells)]
        parts.append(panel.bars([((one.low, y), (one.high, y)) for y, one in rows], kind))
        parts.append(panel.dots([(one.value, y) for y, one in rows if one.value < FURTHEST], kind, 2.6))
        parts.append(panel.crosses([(one.value, y) for y, one in rows if one.value >= FURTHEST], kind, 3.2))
    parts.append(
        legend([("network alone", "seen", "dot"), ("sampler alone", "other", "dot"), ("beyond", "through", "cross")], left=112)
    )
    told = "what the network and what the sampler add to the distance that theory gives, setting by setting"
    caption = (
        "The network drawn by the reference sampler, and the sampler handed the exact score. Between the dotted lines an "
        f"excess counts as none; crosses lie {FURTHEST:g} times that away, or further."
    )
    return [figure(parts, height + 84, told, caption)]


def _share(excess: Interval, resolution: float) -> Interval:
    """An excess over what counts as none, kept on the axis; what is not finite stands at its edge."""
    if not excess.finite:
        return Interval(FURTHEST, FURTHEST, FURTHEST)
    return excess.by(lambda value: max(-FURTHEST, min(FURTHEST, value / resolution)))


def by_level(confirmation: Confirmation) -> list[Markup]:
    """Loss over the levels with its excess below, and the error of the score."""
    seen = confirmation.denoising
    x = Linear.around([one.t for one in seen.bins])
    loss = [one.floor * (1 + one.excess.value) if one.excess.finite else LEAST for one in seen.bins]
    upper = Panel(x, Log.around([max(v, LEAST) for v in (*loss, *(one.floor for one in seen.bins))]), TOP, 150)
    percent = [(one.t, one.excess.by(lambda v: 100 * v)) for one in seen.bins]
    allowed = 100 * confirmation.budget.resolutions.level
    lower = Panel(x, Linear.around([0.0, allowed, *_ends(percent)], most=4), 224, 84)
    parts = [
        upper.frame("loss per coordinate, of the noise"),
        lower.frame("above the floor, %", "t; sampling runs towards 0"),
        legend([("the floor", "expected", "line"), ("the network", "seen", "dot")]),
        upper.line([(one.t, max(one.floor, LEAST)) for one in seen.bins], "expected"),
        upper.dots([(one.t, max(v, LEAST)) for one, v in zip(seen.bins, loss, strict=True)], "seen", 3),
        lower.line([(x.low, 0.0), (x.high, 0.0)], "expected"),
        lower.line([(x.low, allowed), (x.high, allowed)], "through"),
        *_measured(lower, percent, "seen"),
    ]
    told = "loss of the network over the noise levels, beside the floor that no network beats, and the excess below"
    first = figure(parts, 350, told, "Below the dotted line an excess counts as none.")
    return [first, _score(confirmation, x)]


def _score(confirmation: Confirmation, x: Linear) -> Markup:
    rows = [(one.t, one.score.by(lambda v: 100 * v)) for one in confirmation.denoising.bins]
    allowed = 100 * confirmation.budget.resolutions.score
    panel = Panel(x, Linear.around([0.0, allowed, *_ends(rows)]), TOP, 266)
    parts = [
        panel.frame("error of the score, % of the exact one", "t; sampling runs towards 0"),
        panel.line([(x.low, 0.0), (x.high, 0.0)], "expected"),
        panel.line([(x.low, allowed), (x.high, allowed)], "through"),
        *_measured(panel, rows, "seen"),
    ]
    told = "relative error of the network's score over the noise levels"
    return figure(parts, 350, told, "The dotted line is what is asked for, on average over the levels.")


def spectra(confirmation: Confirmation) -> list[Markup]:
    """The denoiser's eigenvalues, level by level."""
    return [_spectrum(one.abar, one.exact, one.measured, one.spread) for one in confirmation.spectra]


def _spectrum(abar: float, exact: Numbers, measured: Numbers, spread: Numbers) -> Markup:
    index = [float(k + 1) for k in range(len(exact))]
    values = [float(v) for v in (*exact, *measured) if np.isfinite(v)]
    panel = Panel(Linear.around(index), Linear.around([0.0, *values]), TOP, 150)
    intervals = [(k, Interval(float(m), float(m - s), float(m + s))) for k, m, s in zip(index, measured, spread, strict=True)]
    parts = [
        panel.frame(f"eigenvalues at abar = {abar:.2g}", "direction, largest first"),
        legend([("exact", "expected", "line"), ("the network", "seen", "dot")]),
        panel.line(list(zip(index, map(float, exact), strict=True)), "expected"),
        *_measured(panel, intervals, "seen", 1.8),
    ]
    return figure(parts, 234, f"eigenvalues of the denoiser's Jacobian at abar = {abar:.2g}: exact, and the network's", "")


def guided(confirmation: Confirmation) -> list[Markup]:
    """Class accuracy over the strength of guidance, a drawing for each way."""
    found = []
    for way in dict.fromkeys(one.way for one in confirmation.guided):
        rows = [one for one in confirmation.guided if one.way == way]
        axis = Linear.around([0.0, *(one.strength for one in rows)])
        around = [(one.strength, _about(one.accuracy, one.gain)) for one in rows]
        panel = Panel(axis, Linear.around([1.0, *(one.exact for one in rows), *_ends(around)]), TOP, 150)
        parts = [
            panel.frame("share in the right class", f"{'scale' if way == 'classifier' else 'weight'} of {way} guidance"),
            legend([("the exact denoiser", "expected", "line"), ("the network", "seen", "dot")]),
            panel.line([(one.strength, one.exact) for one in rows], "expected"),
            *_measured(panel, around, "seen"),
        ]
        found.append(figure(parts, 234, f"class accuracy under {way} guidance, the exact denoiser's and the network's", ""))
    return found


def bits(confirmation: Confirmation) -> Markup:
    """Bits per dimension in rows: exact numbers as crosses of theory, the network's as points."""
    seen = confirmation.likelihood
    rows: list[tuple[str, float | None, Interval | None]] = [("entropy of the data", seen.entropy, None)]
    base = seen.entropy if seen.bound is None else seen.bound
    if seen.bound is not None:
        rows.append(("bound, perfect network", seen.bound, None))
    rows.append(("bound, this network", None, seen.bound_excess.by(lambda v: v + base)))
    rows.append(("entropy, cleanest level", seen.ode_entropy, None))
    rows.append(("flow, exact denoiser", seen.ode_exact, None))
    rows.append(("flow, this network", None, seen.ode_excess.by(lambda v: v + seen.ode_exact)))
    known = [v for _, v, _ in rows if v is not None]
    shown = [v for _, _, one in rows if one is not None and one.finite for v in (one.value, one.low, one.high)]
    panel = Panel(
        Linear.around([*known, *shown], margin=0.12), Rows(tuple(label for label, _, _ in rows)), 24, 24.0 * len(rows), left=150
    )
    measured = [(float(k), one) for k, (_, _, one) in enumerate(rows) if one is not None and one.finite]
    parts = [
        panel.frame("", "bits per dimension"),
        legend([("theory", "expected", "cross"), ("the network", "seen", "dot")], 14, 150),
        panel.crosses([(v, float(k)) for k, (_, v, _) in enumerate(rows) if v is not None], "expected", 4),
        panel.bars([((one.low, k), (one.high, k)) for k, one in measured], "seen"),
        panel.dots([(one.value, k) for k, one in measured], "seen", 3.2),
    ]
    return figure(parts, 24.0 * len(rows) + 66, "bits per dimension: entropy, perfect network, this network", "")


def pictures(confirmation: Confirmation) -> Markup | None:
    """Draws of the network, a row for each eta from the same starts; of data that are no pictures, nothing."""
    drawn = np.asarray(confirmation.sampling.pictures, np.float64)  # (etas, k, *event)
    if drawn.ndim != 4 or drawn.shape[-1] > 64 or not np.isfinite(drawn).all():
        return element("p", "There are no pictures to show.", class_="quiet")
    etas = confirmation.budget.etas
    unit = (WIDTH - 60) / (drawn.shape[1] * (drawn.shape[3] + 1))
    low, high = np.quantile(drawn, [0.01, 0.99])
    shades = np.clip((drawn - low) / (high - low) * SHADES, 0, SHADES - 1).astype(int)
    side = unit * (drawn.shape[2] + 1)
    parts = [labelled(f"eta = {eta:g}", side * (row + 0.5)) for row, eta in enumerate(etas)]
    for row, one in enumerate(shades):
        parts += [picture(drawn, 60 + k * unit * (drawn.shape[1] + 1), row * side, unit) for k, drawn in enumerate(one)]
    S = max(cell.steps for cell in confirmation.sampling.cells)
    told = f"Draws of the network in {S} steps, in each column from one start."
    return element("figure", drawing(parts, side * len(etas), told), element("figcaption", told))


def picture(shades: Numbers, left: float, top: float, unit: float) -> Markup:
    """One picture, a path for each shade of grey: runs of points as strokes."""
    paths = []
    for shade in range(SHADES):
        runs = []
        for i, row in enumerate(shades == shade):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
            y = top + (i + 0.5) * unit
            runs += [f"M{left + a * unit:.1f} {y:.1f}h{(b - a) * unit:.1f}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
        if runs:
            grey = f"{round(255 * shade / (SHADES - 1)):02x}" * 3
            paths.append(element("path", d="".join(runs), stroke=f"#{grey}", stroke_width=f"{1.04 * unit:.2f}", class_="shade"))
    return joined(paths)


def labelled(text: str, y: float) -> Markup:
    """What a row of pictures is."""
    return element("text", text, x="0", y=f"{y:.1f}", class_="tick")


def _measured(panel: Panel, rows: Iterable[tuple[float, Interval]], kind: str, radius: float = 3.0) -> list[Markup]:
    """Points with their bars."""
    finite = [(x, one) for x, one in rows if one.finite]
    bars = panel.bars([((x, one.low), (x, one.high)) for x, one in finite], kind)
    return [bars, panel.dots([(x, one.value) for x, one in finite], kind, radius)]


def _inside(rows: list[tuple[float, Interval]], axis: Log) -> list[tuple[float, Interval]]:
    """Intervals as a logarithmic axis can show them."""
    return [(x, one.by(lambda v: min(max(v, axis.low), axis.high))) for x, one in rows if one.finite]


def _ends(rows: Iterable[tuple[float, Interval]]) -> list[float]:
    return [v for _, one in rows if one.finite for v in (one.low, one.high)]


def _about(value: float, gain: Interval) -> Interval:
    return gain.by(lambda v: v - gain.value + value)


def _best(confirmation: Confirmation) -> str:
    return next((f.message[0].upper() + f.message[1:] for f in confirmation.findings if f.check == "best-eta"), "")


def figure(parts: Sequence[Markup], height: float, told: str, caption: str) -> Markup:
    """A drawing with its caption."""
    return element("figure", drawing(parts, height, told), element("figcaption", caption) if caption else None)
