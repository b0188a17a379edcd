"""The plot that shows a failure, from what its finding holds. What holds nothing to draw has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...verdict import Finding
from .axes import Linear, Log, Rows
from .drawing import Panel, Point, drawing, legend
from .elements import Markup, cut, element

UPPER, LOWER, WHOLE = 42, 224, 340
"""Where the upper and the lower of two panels begin, and how high a drawing of both is."""
MOST = 160
"""Points of one line; of a longer one, those that matter most are kept."""
LARGEST = 1e150
"""What is larger is drawn as if it were not finite."""
LEAST_P = 1e-30
"""p-values below are drawn here."""
WEIGHTS = {"x_t": "weight of x_t", "x_0": "weight of the predicted x_0", "z": "scale of the noise"}
TIME = "t, array index; sampling runs towards 0"


def figure(finding: Finding) -> Markup | None:
    """The plot of a finding, with a line below where it does not speak for itself; None where there is nothing to draw."""
    drawn = _drawn(finding)
    if drawn is None:
        return None
    plot, caption = drawn
    return element("figure", plot, element("figcaption", caption) if caption else None)


Drawn = tuple[Markup, str]


def _drawn(finding: Finding) -> Drawn | None:
    details = finding.details
    shapes: list[tuple[bool, Callable[[Finding], Drawn | None]]] = [
        ("errors" in details, convergence),
        ("expected" in details and ("observed" in details or "landed" in details), over_time),
        ("kept" in details and "predicted" in details, rates),
        ("failed" in details, p_values),
        (finding.check in ("exact-moments", "point-mass"), laws),
        ("times" in details, grid),
    ]
    return next((draw(finding) for fits, draw in shapes if fits), None)


def over_time(finding: Finding) -> Drawn | None:
    """Expected against observed over t, and their difference below."""
    details = finding.details
    observed, expected = _numbers(details.get("observed", details.get("landed"))), _numbers(details["expected"])
    if not observed or len(observed) != len(expected):
        return None
    times, label = _abscissae(details, len(observed))
    residual = [seen - right for seen, right in zip(observed, expected, strict=True)]
    off = {k for k in _numbers(details.get("steps")) if k < len(observed)}
    kept = _thinned(residual, off)
    finite = [v for v in (*observed, *expected) if math.isfinite(v)]
    errors = [v for v in residual if math.isfinite(v)]
    if not errors:
        return None
    x = Linear.around(times)
    upper, lower = Panel(x, Linear.around(finite), UPPER, 150), Panel(x, Linear.symmetric(errors), LOWER, 76)
    right_ones = [(times[k], observed[k]) for k in kept if k not in off]
    wrong_ones = [(times[k], observed[k]) for k in kept if k in off]
    size = 2.4 if len(kept) <= 60 else 1.6
    title = WEIGHTS.get(str(details.get("weight")), "root of the level a step lands on" if "landed" in details else "value")
    entries = [("closed form", "expected", "line"), ("seen", "seen", "dot"), ("seen, and wrong", "wrong", "cross")]
    parts = [
        upper.frame(title),
        lower.frame("seen \u2212 closed form", label),
        legend(entries if right_ones else [entries[0], entries[2]]),
        upper.line([(times[k], expected[k]) for k in kept], "expected"),
        upper.dots(right_ones, "seen", size),
        upper.crosses(wrong_ones, "wrong", size),
        lower.line([(x.low, 0.0), (x.high, 0.0)], "axis"),
        lower.stems([(times[k], residual[k]) for k in kept], "stem"),
        lower.dots([(times[k], residual[k]) for k in kept if k not in off], "seen", 0.8 * size),
        lower.crosses([(times[k], residual[k]) for k in kept if k in off], "wrong", 0.8 * size),
    ]
    named = f"{title} at every step: the closed form, what was seen, and the difference below"
    lost = "" if len(errors) == len(residual) else f" {len(residual) - len(errors)} steps have no finite value."
    fewer = f" {len(kept)} of {len(residual)} steps are drawn." if len(kept) < len(residual) else ""
    return drawing(parts, WHOLE, named), f"{lost}{fewer}".strip()


def convergence(finding: Finding) -> Drawn | None:
    """The error over the number of steps, both as logarithms, with the slope that is claimed."""
    details = finding.details
    pairs = zip(_numbers(details.get("steps")), _numbers(details["errors"]), strict=False)
    points = [(n, e) for n, e in pairs if 0 < n < LARGEST and 1 / LARGEST < e < LARGEST]
    if len({n for n, _ in points}) < 2:
        return None
    claimed, measured = _number(details.get("claimed")), _number(details.get("measured"))
    (first, error), (last, _) = points[0], points[-1]
    reference: list[Point] = []
    if claimed is not None and 1 / LARGEST < (end := error * (first / last) ** claimed) < LARGEST:
        reference = [(first, error), (last, end)]
    numbers = [n for n, _ in points]
    panel = Panel(
        Log.around(numbers, marks=numbers if len(numbers) <= 8 else ()),
        Log.around([e for _, e in (*points, *reference)]),
        UPPER,
        214,
    )
    entries = [("seen", "seen", "dot")]
    if reference:
        entries.insert(0, (f"slope \u2212{claimed:g}, as claimed", "expected", "line"))
    parts = [
        panel.frame("error, logarithmic", "number of steps, logarithmic"),
        legend(entries),
        panel.line(reference, "expected"),
        panel.line(points, "through"),
        panel.dots(points, "seen", 3),
    ]
    slopes = [f"{name} {-value:.3g}" for name, value in (("claimed", claimed), ("measured", measured)) if value is not None]
    told = f"; slope {', '.join(slopes)}" if slopes else ""
    words = f"error over the number of steps{told}".replace("-", "\u2212")
    return drawing(parts, 298, words), f"{words[0].upper()}{words[1:]}."


def rates(finding: Finding) -> Drawn | None:
    """What a vanishing step does to the state and takes of the predictions, at every level, and what its noise asks of both."""
    details = finding.details
    columns = [_numbers(details.get(name)) for name in ("sigma", "kept", "predicted", "due")]
    rows = [row for row in zip(*columns, strict=False) if all(map(math.isfinite, row)) and row[0] > 1 / LARGEST]
    if len({sigma for sigma, *_ in rows}) < 2:
        return None
    due = [(sigma, asked) for sigma, _, _, asked in rows]
    kept, predicted = [(sigma, a) for sigma, a, _, _ in rows], [(sigma, b) for sigma, _, b, _ in rows]
    every = [rate for _, rate in (*due, *kept, *predicted)]
    panel = Panel(Log.around([sigma for sigma, *_ in rows]), Linear.around(every), UPPER, 214)
    parts = [
        panel.frame("rate per unit of log sigma", "sigma, noise over signal, logarithmic"),
        legend(
            [
                ("due by its noise", "expected", "line"),
                ("of the state", "seen", "dot"),
                ("of predictions", "curve", "cross"),
            ]
        ),
        panel.line(due, "expected"),
        panel.dots(kept, "seen", 2.6),
        panel.crosses(predicted, "curve"),
    ]
    words = (
        "what a vanishing step loses of the state, (1 \u2212 a)/h, what it takes of the predictions, b/h, and what its noise "
        "asks of both, 1 + c\u00b2/(2\u03c3\u00b2h)"
    )
    return drawing(parts, 298, words), f"{words[0].upper()}{words[1:]}."


def laws(finding: Finding) -> Drawn | None:
    """The density in which the sampler ends and the one it should end in; a law without spread is an upright line."""
    seen, right = _numbers(finding.measured), _numbers(finding.expected)
    if len(seen) != 2 or len(right) != 2 or not all(math.isfinite(v) for v in (*seen, *right)) or min(seen[1], right[1]) < 0:
        return None
    spread = 4 * math.sqrt(max(seen[1], right[1])) or 1.0
    low, high = min(seen[0], right[0]) - spread, max(seen[0], right[0]) + spread
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        return None
    xs = [low + (high - low) * k / 120 for k in range(121)]
    curves = {kind: [(x, _density(x, *law)) for x in xs] for kind, law in (("expected", right), ("seen", seen)) if law[1] > 0}
    if not curves:
        return None
    both = len(curves) == 2
    x = Linear(low, high)
    tops = [y for curve in curves.values() for _, y in curve]
    if not all(math.isfinite(y) for y in tops) or max(tops) == 0:
        return None
    upper = Panel(x, Linear(0.0, 1.08 * max(tops)), UPPER, 150)
    parts = [
        upper.frame("density of the output", "" if both else "value"),
        legend([("closed form", "expected", "line"), ("seen", "curve", "line")]),
    ]
    for kind, law, look in (("expected", right, "expected"), ("seen", seen, "curve")):
        parts.append(upper.line(curves[kind], look) if kind in curves else upper.upright(law[0], look))
    words = "density of the output on Gaussian data: what the closed form ends in, and what the sampler ends in"
    if not both:
        return drawing(parts, 234, words), "A law without spread is an upright line."
    difference = [(x, s - r) for (x, s), (_, r) in zip(curves["seen"], curves["expected"], strict=True)]
    lower = Panel(x, Linear.symmetric([y for _, y in difference]), LOWER, 76)
    parts += [
        lower.frame("seen \u2212 closed form", "value"),
        lower.line([(low, 0.0), (high, 0.0)], "axis"),
        lower.line(difference, "curve"),
    ]
    return drawing(parts, WHOLE, words), ""


def p_values(finding: Finding) -> Drawn | None:
    """The p-values of the tests that reject, against the rate at which each test may reject right noise."""
    failed = finding.details["failed"]
    if not isinstance(failed, dict):
        return None
    rows = [(cut(str(name), 40), p) for name, value in failed.items() if (p := _number(value)) is not None and 0 <= p <= 1][:14]
    rate = _number(finding.tolerance)
    if not rows:
        return None
    shown = [max(p, LEAST_P) for _, p in rows] + ([rate] if rate is not None and rate > 0 else [])
    axis = Log(min(shown) / 10, 1.0)
    height = 22.0 * len(rows)
    panel = Panel(axis, Rows(tuple(name for name, _ in rows)), 24, height, left=176)
    points = [(max(p, LEAST_P), float(k)) for k, (_, p) in enumerate(rows)]
    parts = [panel.frame("", "p-value, logarithmic"), panel.dots(points, "wrong", 3.2)]
    if rate is not None and rate > 0:
        parts += [panel.upright(rate, "expected"), legend([("declared rate of a test", "expected", "line")], 14)]
    words = "p-values of the tests that reject"
    return drawing(
        parts, height + 66, words
    ), f"{words[0].upper()}{words[1:]}; right noise lies left of the line with no more than the declared rate."


def grid(finding: Finding) -> Drawn | None:
    """The told times, query by query."""
    times = _numbers(finding.details["times"])
    points = [(float(k), t) for k, t in enumerate(times) if math.isfinite(t)]
    if not points:
        return None
    kept = [points[k] for k in _thinned([t for _, t in points], set())]
    panel = Panel(Linear.around([k for k, _ in points]), Linear.around([t for _, t in points]), 24, 190)
    parts = [panel.frame("t that the model was told", "query"), panel.line(kept, "through"), panel.dots(kept, "seen")]
    words = "the times that the model was told, query by query"
    return drawing(parts, 256, words), ""


def _density(x: float, mean: float, variance: float) -> float:
    return math.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def _abscissae(details: dict[str, Any], n: int) -> tuple[list[float], str]:
    times = _numbers(details.get("times"))
    if len(times) == n and all(math.isfinite(t) for t in times):
        return times, TIME
    return [float(k) for k in range(n)], "step"


def _thinned(values: Sequence[float], off: set[float]) -> list[int]:
    """Which points to draw: all, or of every stretch the first, the largest in size, and the first wrong one."""
    n = len(values)
    if n <= MOST:
        return list(range(n))
    width = -(-3 * n // MOST)
    kept: set[int] = {n - 1}
    for start in range(0, n, width):
        stretch = range(start, min(start + width, n))
        kept |= {start, max(stretch, key=lambda k: abs(values[k]) if math.isfinite(values[k]) else -1.0)}
        kept |= set([k for k in stretch if k in off][:1])
    return sorted(kept)


def _numbers(value: Any) -> list[float]:
    """A list of numbers as floats, those that cannot be drawn as NaN; of anything else, nothing."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        return []
    numbers = [_number(one) for one in value]
    return [math.nan if number is None or abs(number) > LARGEST else number for number in numbers]


def _number(value: Any) -> float | None:
    """A number as a finite float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
