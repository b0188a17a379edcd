r"""How far one line of a derivation is from another: by what is written in it, in any order.

Two lines that are equal in value are as near to each other as what they are made of: the letters, numbers, roots, fractions and
powers, each counted. The distance is how many of these stand in one and not in the other; it does not see the order of terms and
factors, nor brackets, so that a sum may be written either way round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ..notes.parser import parse
from ..notes.tokens import NotUnderstoodError
from ..notes.tree import Chain, Group, Letter, Node, Number, Product, Sum, Term, children
from ..verdict import MisuseError

NOISE = "epsilon"
Parts = Counter[tuple[Any, ...]]


def read(latex: str) -> Chain:
    """The one statement, or the one expression, that is written.

    Raises:
        MisuseError: if it cannot be read, or is several.
    """
    try:
        chains = parse(latex)
    except NotUnderstoodError as error:
        raise MisuseError(str(error)) from None
    except RecursionError:
        raise MisuseError("it is nested too deeply to be read.") from None
    if len(chains) != 1:
        raise MisuseError("one formula at a time.")
    return chains[0]


def parts(node: Node) -> Parts:
    """What a line is made of."""
    return Counter(_parts(node))


def _parts(node: Node) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, Letter):
        yield ("letter", node)
        return
    if isinstance(node, Number):
        yield ("number", node.value)
    elif isinstance(node, Term):
        if node.sign < 0:
            yield ("minus",)
    elif not isinstance(node, (Group, Sum, Product, Chain)):
        yield (type(node).__name__, *([node.name] if hasattr(node, "name") else []))
    for _, _, child in children(node):
        yield from _parts(child)


def letters(node: Node) -> set[Letter | str]:
    """The letters of a line, each with its marks and its index; a noise may be marked as one likes."""
    return {NOISE if part[1].base == NOISE else part[1] for part in parts(node) if part[0] == "letter"}


def size(node: Node) -> int:
    """How much is written."""
    return parts(node).total()


def distance(one: Node, other: Node) -> int:
    """How much stands in one line and not in the other."""
    left, right = parts(one), parts(other)
    return ((left - right) + (right - left)).total()


def place(line: Node, way: Sequence[Node]) -> tuple[int, int]:
    """Where on a way a line stands: the last stop that it is nearest to, and minus the distance to the next one."""
    away = [distance(line, stop) for stop in way]
    nearest = max(range(len(way)), key=lambda k: (-away[k], k))
    return nearest, -away[min(nearest + 1, len(way) - 1)]


def is_there(line: Node, goal: Node) -> bool:
    """Whether a line that is equal to the goal is the goal, in whatever order: its letters alone, and about as short."""
    return letters(line) <= letters(goal) and size(line) <= size(goal) + max(2, size(goal) // 4)
