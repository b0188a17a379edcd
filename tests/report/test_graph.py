"""The graph of claims: everything has its place, and what is rested on lies to the left."""

import itertools
from xml.etree import ElementTree

import pytest

from verifydiff.report.graph import HEIGHT, Node, depths, layout, svg


def ring(count, rng):
    """A hundred claims, each of which rests on a few of those before it."""
    ids = [f"topic{number // 5}.claim_{number}" for number in range(count)]
    return [
        Node(one, f"topic{number // 5}", "a title", "proved", tuple(rng.choice(ids[:number], min(number, rng.integers(3)), False)))
        for number, one in enumerate(ids)
    ]


def test_no_two_boxes_overlap_and_bases_lie_to_the_left(rng):
    claims = ring(100, rng)
    drawn = layout(claims)
    width = {node.id: node.width for node in claims}
    assert set(drawn.boxes) == set(width)
    for (one, (x, y)), (other, (u, v)) in itertools.combinations(drawn.boxes.items(), 2):
        assert x + width[one] <= u or u + width[other] <= x or abs(y - v) >= HEIGHT, f"{one} lies on {other}"
    for node in claims:
        x, y = drawn.boxes[node.id]
        assert 0 <= x <= x + node.width <= drawn.width
        assert 0 <= y - HEIGHT / 2 <= y + HEIGHT / 2 <= drawn.height
        for base in node.rests_on:
            assert drawn.boxes[base][0] + width[base] < x
            (start, *_, end) = drawn.lines[node.id, base]
            assert start == pytest.approx((drawn.boxes[base][0] + width[base], drawn.boxes[base][1]))
            assert end == pytest.approx((x, y))


def test_depth_is_that_of_the_longest_way():
    assert depths(["a", "b", "c"], [("b", "a"), ("c", "b"), ("c", "a")]) == {"a": 0, "b": 1, "c": 2}


def test_a_circle_is_drawn_without_the_edge_that_closes_it():
    drawn = layout([Node("a", "g", "t", "undecided", ("b",)), Node("b", "g", "t", "undecided", ("a",))])
    assert set(drawn.boxes) == {"a", "b"}
    assert set(drawn.lines) == {("b", "a")}


@pytest.mark.parametrize("claims", [[], [Node("a", "g", "t", "proved")], [Node("a", "g", "t", "proved", ("elsewhere", "a"))]])
def test_few_claims_are_drawn_too(claims):
    assert len(layout(claims).boxes) == len(claims)
    ElementTree.fromstring(svg(claims, lambda _: None))


def test_what_a_page_says_is_escaped():
    nasty = '"><script>alert(1)</script>'
    drawn = svg([Node(nasty, nasty, nasty, "proved")], lambda _: f"page.html#{nasty}")
    assert "<script" not in drawn
    root = ElementTree.fromstring(drawn)
    assert any(element.text == nasty for element in root.iter())
