r"""A link of a statement, what it may owe, and the weights of what it is linear in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..algebra import Value
from ..linear import Linear, NotLinearError
from ..meanings import value
from ..reading import STATES, Key, Reading
from ..times import NoTimeError
from ..tokens import NotUnderstoodError
from ..tree import Call, Group, Letter, Node
from ..variables import variables


@dataclass(frozen=True)
class Owed:
    """One thing that must hold: that two values are equal (``==``), or ordered (``<=``, ``<``)."""

    of: str
    left: Value
    right: Value
    relation: str = "=="


@dataclass(frozen=True)
class Link:
    """Two sides and what is said to hold between them; ``subject`` is what the chain that they stand in begins with."""

    left: Node
    relation: str
    right: Node
    subject: Node | None = None

    @property
    def is_equation(self) -> bool:
        """Whether the two are said to be equal, at least nearly."""
        return self.relation in ("=", ":=", "~~")

    @property
    def is_order(self) -> bool:
        """Whether one is said to be less than the other."""
        return self.relation in ("<", "<=", ">", ">=")


Rule = Callable[[Link, Reading], Iterator[list[Owed]]]
"""Yields every set of things that would make the link right; nothing if the rule is not about such a link."""


def bare(node: Node) -> Node:
    """What a bracket holds."""
    while isinstance(node, Group):
        node = node.body
    return node


def state_time(node: Node, reading: Reading) -> int | None:
    """The time of a state that stands alone; None for anything else."""
    node = bare(node)
    letter = node.function if isinstance(node, Call) else node
    if not isinstance(letter, Letter) or letter.base not in ("x", "X", "z") or letter.marks:
        return None
    if letter.base == "z" and ("z is a state",) not in reading.fixed:
        return None
    if isinstance(node, Letter) and not node.index:
        return None
    try:
        names = variables(node, reading) if letter.base in STATES else frozenset({("x", reading.times.of(letter.index[0]))})
    except (NotUnderstoodError, NoTimeError):
        return None
    name = next(iter(names)) if len(names) == 1 else ("", None)
    return int(name[1]) if name[0] == "x" else None


def weights(node: Node, reading: Reading) -> dict[Key, Value]:
    """The weight of every vector in an expression that is linear in them; what is left over as that of ``()``.

    Raises:
        NotUnderstoodError: if it is not linear.
    """
    reading.seen.clear()
    reading.is_linear = True
    try:
        whole = value(node, reading)
    except NotLinearError:
        raise NotUnderstoodError(type(node).__name__.lower(), node.start, "not linear in the states and noises") from None
    finally:
        reading.is_linear = False
    if not isinstance(whole, Linear):
        return {(): whole}
    return {(): whole.rest, **whole.weights}


def chosen_variances(reading: Reading) -> list[Value]:
    """The variances that an author may have chosen for the fresh noise: the squares of sigma, Sigma itself."""
    keys = sorted(
        (key for key in reading.seen if key[0] == "free" and len(key) == 3 and str(key[1]).startswith(("sigma", "Sigma"))), key=str
    )
    return [reading.letter(key, "") ** (2 if str(key[1]).startswith("sigma") else 1) for key in keys]


def square_sum(values: list[Value], reading: Reading) -> Value:
    """The sum of the squares."""
    return sum((one**2 for one in values), reading.number(0))


def vanishes(weight: Value) -> bool:
    """Whether a weight is zero."""
    return bool(abs(weight) < 1e-12) if isinstance(weight, complex) else bool(weight == 0)
