"""Mistakes in which one thing stands in the place of another: letters, vectors, densities, what is given and what is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from .edit import LEVELS, Edit, Statement, edit_of
from .tree import Call, Group, Letter, Node, Product, Quotient, Root, Sum, Term, children, walk, with_child

VECTORS = ("x", "X", "z", "epsilon", "s", "v", "D")


def turned(node: Sum, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """a - b for b - a; a b for a - b; two vectors in each other's place."""
    if len(node.terms) == 2 and node.terms[0].sign > 0 > node.terms[1].sign:
        one, other = node.terms[0].body, node.terms[1].body
        terms = (Term(other.start, other.end, 1, other), Term(one.start, one.end, -1, one))
        text = f"{within.text(other)} - {within.text(one)}"
        yield edit_of(node, replace(node, terms=terms), text, "difference-turned", "the difference the other way round", 1.05)
    for place in range(1, len(node.terms)):
        one, other = node.terms[place - 1].body, node.terms[place].body
        if isinstance(one, Letter) and isinstance(other, Letter) and one.base in LEVELS and other.base in LEVELS:
            joined = Product(one.start, other.end, (one, other))
            merged = replace(node.terms[place - 1], body=joined, end=other.end)
            new = replace(node, terms=(*node.terms[: place - 1], merged, *node.terms[place + 1 :]))
            text = f"{within.text(one)}{within.text(other)}"
            yield Edit(new, one.start, other.end, text, "sum-for-product", "a product", 1.9)
    yield from _exchanged(node, within)
    yield from _vectors_exchanged(node, within)
    yield from _weights_exchanged(node, within)


def _exchanged(node: Sum, within: Statement) -> Iterator[Edit]:
    held = [
        one
        for one in walk(node)
        if isinstance(one, Letter) and one.base in ("x", "epsilon", "alpha", "sigma") and one.end > one.start
    ]
    states = {one for one in held if one.base == "x"}
    noises = {one for one in held if one.base == "epsilon"}
    pairs = [(one, other) for one in states for other in noises] if len(states) == len(noises) == 1 else []
    signals, sigmas = ({one for one in held if one.base == base} for base in ("alpha", "sigma"))
    if len(signals) == len(sigmas) == 1:
        pairs.append((signals.pop(), sigmas.pop()))
    for one, other in pairs:
        texts = {one: within.text(other), other: within.text(one)}
        text, at = "", node.start
        for letter in sorted(held, key=lambda each: each.start):
            if letter in texts:
                text += within.source[at : letter.start] + texts[letter]
                at = letter.end
        yield edit_of(
            node, _swapped(node, one, other), text + within.source[at : node.end], "vectors-swapped", "two letters exchanged", 2
        )


def _swapped(node: Node, one: Node, other: Node) -> Node:
    if node == one:
        return other
    if node == other:
        return one
    for name, place, child in children(node):
        node = with_child(node, name, place, _swapped(child, one, other))
    return node


def conditions(node: Call, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """p(x | y) for p(y | x)."""
    if node.function.base in ("p", "q") and node.marks == ("|",):
        one, other = node.arguments
        head = within.source[node.start : one.start]
        middle, tail = within.source[one.end : other.start], within.source[other.end : node.end]
        text = f"{head}{within.text(other)}{middle}{within.text(one)}{tail}"
        yield edit_of(node, replace(node, arguments=(other, one)), text, "condition-swapped", "what is given and what is not", 1.5)


# -- any two pieces ------------------------------------------------------------


def _two_exchanged(node: Node, one: Node, other: Node, within: Statement) -> tuple[Node, str]:
    """The tree and the text with two of its pieces in each other's place."""
    first, second = sorted((one, other), key=lambda piece: piece.start)
    source = within.source
    text = source[node.start : first.start] + within.text(second) + source[first.end : second.start]
    return _put(node, one, other), text + within.text(first) + source[second.end : node.end]


def _put(node: Node, one: Node, other: Node) -> Node:
    if node is one:
        return other
    if node is other:
        return one
    for name, place, child in children(node):
        if (new := _put(child, one, other)) is not child:
            node = with_child(node, name, place, new)
    return node


def _vectors_exchanged(node: Sum, within: Statement) -> Iterator[Edit]:
    """The states or predictions of two summands in each other's place."""
    held = [(one[0] if len(one := list(_vectors(term.body))) == 1 else None) for term in node.terms]
    for first, second in itertools.combinations([one for one in held if one is not None], 2):
        if first != second:
            new, text = _two_exchanged(node, first, second, within)
            yield edit_of(node, new, text, "vectors-swapped", "two vectors exchanged", 1.9)


def _weights_exchanged(node: Sum, within: Statement) -> Iterator[Edit]:
    """The weights of two summands in each other's place: b e - a x for a e - b x."""
    held = [_weight_of(term.body) for term in node.terms]
    for first, second in itertools.combinations([one for one in held if one is not None], 2):
        if first != second:
            new, text = _two_exchanged(node, first, second, within)
            yield edit_of(node, new, text, "vectors-swapped", "two weights exchanged", 1.85)


def _weight_of(node: Node) -> Node | None:
    """The one weight that stands before the vector of a summand."""
    if not isinstance(node, Product) or len(node.factors) != 2 or len(list(_vectors(node))) != 1:
        return None
    vector = next(_vectors(node))
    weight = next((one for one in node.factors if one is not vector), None)
    return weight if isinstance(weight, (Root, Group, Letter, Quotient)) else None


def _vectors(node: Node) -> Iterator[Node]:
    """The states and predictions among the factors of a summand."""
    factors = node.factors if isinstance(node, Product) else (node,)
    for one in factors:
        letter = one.function if isinstance(one, Call) else one
        if isinstance(letter, Letter) and letter.base in VECTORS:
            yield one
        elif isinstance(one, Quotient):
            yield from _vectors(one.above)


def factors_exchanged(node: Quotient, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """A density above the line for one below it, as in Bayes' rule."""
    above = node.above.factors if isinstance(node.above, Product) else ()
    below = node.below.factors if isinstance(node.below, Product) else (node.below,)
    for one, other in itertools.product(above, below):
        if isinstance(one, Call) and isinstance(other, Call) and one != other:
            new, text = _two_exchanged(node, one, other, within)
            yield edit_of(node, new, text, "upside-down", "two densities exchanged over the line", 2)
        elif type(one) is type(other) and isinstance(one, (Group, Root)) and one != other:
            new, text = _two_exchanged(node, one, other, within)
            yield edit_of(node, new, text, "upside-down", "two factors exchanged over the line", 2.05)


def condition_dropped(node: Call, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """p(z) for p(z | x) within a divergence; elsewhere it would mend what a page means otherwise, such as a tempered density."""
    if isinstance(parent, Call) and node.function.base in ("p", "q") and "|" in node.marks:
        bar = node.marks.index("|")
        kept = node.arguments[: bar + 1]
        start = within.source[node.start : kept[-1].end]
        new = replace(node, arguments=kept, marks=node.marks[:bar])
        yield edit_of(node, new, f"{start})", "condition-added", "without what is given", 2.1)
