r"""The tree of a formula: what is written, not what it means.

Every node knows where it stands in the source (``start``, ``end``), so that a change to the tree can be shown as a change to
what the author wrote. Two nodes are equal if they read the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a formula, from ``start`` to before ``end`` of the source."""

    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number as written: 2, 0.02."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Letter(Node):
    r"""A letter with all that hangs on it: :math:`\tilde\mu_{t-1}^{*}`.

    Attributes:
        base: its name: ``x``, ``alpha``, ``SNR``; script and blackboard letters as ``cal:N``, ``bb:E``.
        marks: what stands over it or beside it: ``bar``, ``hat``, ``tilde``, ``dot``, ``prime``, ``star``; inner ones first.
        index: what stands below it, comma by comma.
        upper: what stands above it without being a power.
    """

    base: str
    marks: tuple[str, ...] = ()
    index: tuple[Node, ...] = ()
    upper: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(Node):
    """A bracket around one expression."""

    body: Node


@dataclass(frozen=True, slots=True)
class Listed(Node):
    """A bracket around several: an interval, a pair."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of its arguments; ``marks`` are the signs between them: ``,``, ``;``, ``|`` or ``||``."""

    function: Letter
    arguments: tuple[Node, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied(Node):
    r"""A function by name: :math:`\log`, :math:`\exp`, :math:`\cos`, :math:`\max`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Term(Node):
    """A summand with its sign, +1 or -1; the sign is within its place."""

    sign: int
    body: Node


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """Summands with their signs; also a single one with a sign before it."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    """Factors side by side."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quotient(Node):
    """A fraction; ``flat`` if it is written with a slash."""

    above: Node
    below: Node
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Power(Node):
    """A power."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Root(Node):
    """A root; ``degree`` is None for the square root."""

    body: Node
    degree: Node | None = None


@dataclass(frozen=True, slots=True)
class Norm(Node):
    """A norm."""

    body: Node


@dataclass(frozen=True, slots=True)
class Absolute(Node):
    """An absolute value, or a determinant."""

    body: Node


@dataclass(frozen=True, slots=True)
class Mean(Node):
    """An expectation, variance or covariance: ``kind`` is ``E``, ``Var`` or ``Cov``."""

    kind: str
    over: tuple[Node, ...]
    body: Node
    given: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Gradient(Node):
    """A gradient along ``along`` (None: along what the body is a function of)."""

    body: Node
    along: Node | None = None
    order: int = 1


@dataclass(frozen=True, slots=True)
class Differential(Node):
    """dx, dt, dw."""

    of: Node


@dataclass(frozen=True, slots=True)
class Large(Node):
    """A sum, a product or an integral: ``kind`` is ``sum``, ``prod`` or ``int``."""

    kind: str
    body: Node
    index: Node | None = None
    low: Node | None = None
    high: Node | None = None
    over: tuple[Differential, ...] = ()


@dataclass(frozen=True, slots=True)
class Range(Node):
    """An index from one to another: 1:T."""

    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Dots(Node):
    """An ellipsis."""


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """A choice: ``special`` tells which branches are for single values alone, such as t = 1."""

    branches: tuple[Node, ...]
    special: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Expressions joined by relations: a = b = c. A single expression states nothing."""

    sides: tuple[Node, ...]
    relations: tuple[str, ...]


def children(node: Node) -> Iterator[tuple[str, int | None, Node]]:
    """The nodes directly below: the field that holds each, and its place there if it holds several."""
    kind: Any = type(node)
    for name in _held(kind):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield name, None, value
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, Node):
                    yield name, place, item


@cache
def _held(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    kinds = ("Node", "Term", "Letter", "Differential")
    return tuple(one.name for one in fields(kind) if any(name in str(one.type) for name in kinds))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, outer ones first."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend([child for _, _, child in children(one)][::-1])


def letters(node: Node) -> Iterator[Letter]:
    """Every letter of a formula, those in indices too."""
    return (one for one in walk(node) if isinstance(one, Letter))


def with_child(node: Node, name: str, place: int | None, new: Node) -> Node:
    """The node with another child."""
    value: Any = new
    if place is not None:
        held = getattr(node, name)
        value = (*held[:place], new, *held[place + 1 :])
    return replace(node, **{name: value})
