"""Plots: what they show is where it belongs, and nothing that a finding may hold breaks them."""

import math
import re

import pytest
from documents import FAILURES, RATES, WEIGHTS, Document
from hypothesis import given
from hypothesis import strategies as st

from verifydiff.report.html.axes import Linear, Log, Rows
from verifydiff.report.html.drawing import LEFT, RIGHT, WIDTH
from verifydiff.report.html.figures import figure
from verifydiff.verdict import Finding, Status


def drawn(**details):
    return figure(Finding("some-check", Status.FAIL, "", details=details))


def paths(svg, kind):
    return [d["d"] for tag, d in Document(svg).elements if tag == "path" and d["class"].split()[-1] == kind]


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize("finding", FAILURES.values(), ids=FAILURES)
def test_every_kind_of_failure_is_drawn_inside_its_box(finding):
    svg = figure(finding)
    box = next(d for tag, d in Document(svg).elements if tag == "svg")
    _, _, width, height = map(float, box["viewbox"].split())
    found = [point for tag, d in Document(svg).elements if tag == "path" for point in points(d["d"])]
    assert found
    assert all(0 <= x <= width and 0 <= y <= height for x, y in found)


def test_the_closed_form_runs_through_its_values_over_t():
    (line,) = [points(path) for path in paths(drawn(**WEIGHTS), "expected") if len(points(path)) > 1]
    xs, ys = zip(*line, strict=True)
    assert xs == tuple(sorted(xs, reverse=True))
    rise = [(ys[0] - y) / (ys[0] - ys[-1]) for y in ys]
    assert rise == pytest.approx([0, 0.125, 0.5, 1], abs=0.01)


def test_wrong_steps_are_crosses_and_right_ones_dots_above_and_below():
    svg = drawn(**WEIGHTS)
    legend = 1
    assert sum(path.count("M") for path in paths(svg, "wrong")) == legend + 2 * len(WEIGHTS["steps"])
    assert sum(path.count("M") for path in paths(svg, "seen")) == legend + 2 * 2


def test_without_times_the_steps_are_counted():
    svg = drawn(observed=[1.0, 2.0], expected=[1.0, 1.0])
    assert "step" in Document(svg).texts


def test_a_step_that_is_not_finite_breaks_the_line_and_is_counted():
    svg = drawn(observed=[1.0, math.nan, 2.0, 3.0], expected=[1.0, 1.0, 2.0, math.inf])
    assert "2 steps have no finite value." in Document(svg).words
    assert "nan" not in svg
    assert "inf" not in svg.replace("finite", "")


def test_the_one_wrong_step_of_a_thousand_is_drawn():
    observed = [0.0] * 1000
    observed[617] = 1.0
    svg = drawn(observed=observed, expected=[0.0] * 1000, steps=[617])
    assert sum(path.count("M") for path in paths(svg, "wrong")) == 1 + 2
    assert len(svg) < 12_000


def test_the_rates_of_a_small_step_lie_on_what_its_noise_asks_for_where_they_agree():
    svg = drawn(**RATES)
    (due,) = [points(path) for path in paths(svg, "expected") if len(points(path)) > 1]
    for kind in ("seen", "curve"):
        _, *shown = points("".join(paths(svg, kind)))
        assert len(shown) == len(RATES["sigma"])
        gaps = [abs(y - at) for (_, y), (_, at) in zip(shown, due, strict=True)]
        assert gaps[2] == pytest.approx(2 * gaps[1], rel=0.15)
    assert points(paths(svg, "seen")[1])[0] == due[0]


def test_an_error_that_falls_as_claimed_lies_on_the_line_of_its_claim_and_another_does_not():
    steps = [10, 20, 40, 80]
    for order in (1, 2):
        svg = drawn(steps=steps, errors=[n**-order for n in steps], claimed=2, measured=float(order))
        (claim,) = [points(path) for path in paths(svg, "expected") if len(points(path)) > 1]
        (seen,) = [points(path) for path in paths(svg, "through")]
        assert (abs(seen[-1][1] - claim[-1][1]) < 0.2) == (order == 2)
        assert f"slope claimed \u22122, measured \u2212{order}" in Document(svg).words


NOTHING = [
    {},
    {"errors": []},
    {"errors": [1.0], "steps": [10]},
    {"errors": [1.0, 1.0], "steps": [10, 10]},
    {"errors": [0.0, 0.0], "steps": [10, 20]},
    {"errors": "abc", "steps": {"a": 1}},
    {"observed": [1.0], "expected": [1.0, 2.0]},
    {"observed": [math.nan], "expected": [1.0]},
    {"observed": ["x"], "expected": [None]},
    {"failed": {"a": "b"}},
    {"failed": [1.0]},
    {"times": []},
]


@pytest.mark.parametrize("details", NOTHING, ids=str)
def test_what_holds_nothing_to_draw_has_no_plot(details):
    assert drawn(**details) is None


anything = st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=3), st.booleans())
lists = st.lists(anything, max_size=6) | anything


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("observed", "expected", "landed", "steps", "times", "errors", "claimed"), lists)
    )
)
def test_nothing_that_details_may_hold_breaks_a_plot(details):
    svg = drawn(**details)
    assert svg is None or not re.search(r"\b(nan|inf)\b", svg)


@given(st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=2), st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=2))
def test_no_law_breaks_a_plot(seen, right):
    svg = figure(Finding("exact-moments", Status.FAIL, "", seen, right))
    assert svg is None or not re.search(r"\b(nan|inf)\b", svg)


@given(st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=5))
def test_a_linear_axis_holds_its_values_and_marks_a_few_round_numbers_between_its_ends(values):
    axis = Linear.around(values)
    assert all(0 <= axis.at(value) <= 1 for value in values)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= axis.most + 1
    assert all(-1e-9 <= axis.at(tick.value) <= 1 + 1e-9 for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("axis", "labels", "power"),
    [
        (Linear(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"], ""),
        (Linear(-2.3e-3, 2.3e-3, 4), ["−2", "0", "2"], "×10⁻³"),
        (Linear(0.0, 999.0), ["0", "200", "400", "600", "800"], ""),
        (Log(1e-5, 2e-1), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"], ""),
        (Log(1e-30, 1.0), ["10⁻³⁰", "10⁻²⁴", "10⁻¹⁸", "10⁻¹²", "10⁻⁶", "10⁰"], ""),
        (Log(0.15, 0.8), ["2·10⁻¹", "5·10⁻¹"], ""),
        (Log(8, 200, marks=(10, 20, 160)), ["10", "20", "160"], ""),
        (Rows(("a", "b")), ["a", "b"], ""),
    ],
    ids=str,
)
def test_ticks_are_written_as_people_write_them(axis, labels, power):
    assert [tick.label for tick in axis.ticks()] == labels
    assert axis.power == power


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis():
    axis = Log(1.0, 1000.0)
    assert [axis.at(value) for value in (1, 10, 100, 1000)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert WIDTH > LEFT + RIGHT
