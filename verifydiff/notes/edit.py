"""A change of a formula, of its tree and of its text where it stands, and what a change must know of the formula."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .parser import parse_one as _parsed
from .tokens import NotUnderstoodError
from .tree import Call, Group, Letter, Node, Number, Quotient, Sum, walk

parse_one = lru_cache(maxsize=2048)(_parsed)

LEVELS = ("alpha", "beta")
SCALARS = ("alpha", "beta", "sigma", "Sigma", "eta", "w", "s", "gamma", "lambda", "g", "SNR", "c", "t", "dt", "h")
TIMED = ("alpha", "beta", "x", "sigma", "epsilon", "mu", "z", "lambda", "SNR")


@dataclass(frozen=True)
class Edit:
    """A change of a tree and of its text.

    Attributes:
        node: the changed tree.
        start, end: what is replaced in the source.
        text: what stands there instead.
        slip: the mistake that it undoes.
        description: what is changed, in a few words.
        cost: how much it changes; the likeliest corrections cost least.
    """

    node: Node
    start: int
    end: int
    text: str
    slip: str
    description: str
    cost: float


@dataclass(frozen=True)
class Statement:
    """What edits need to know of the statement they are made in.

    Attributes:
        source: its text.
        indices: the indices that it uses, as trees, with their text.
        letters: the names it uses.
        likes: its letters with their labels.
    """

    source: str
    indices: tuple[tuple[str, Node], ...]
    letters: frozenset[str]
    likes: tuple[tuple[str, Letter], ...] = ()

    @property
    def bars_beta(self) -> bool:
        r"""Whether a bar over beta may have been lost: other levels have theirs."""
        return re.search(r"\\(?:bar|overline)\s*\{?\s*\\(?:alpha|beta)", self.source) is not None

    def text(self, node: Node) -> str:
        """A node as the author wrote it."""
        return self.source[node.start : node.end]


def statement(source: str, nodes: tuple[Node, ...]) -> Statement:
    """A statement as the edits see it."""
    found: dict[str, Node] = {}
    for node in nodes:
        for one in walk(node):
            if isinstance(one, Letter) and one.base in TIMED:
                for index in one.index:
                    if is_time(index):
                        found.setdefault(_unbraced(source[index.start : index.end]), index)
    bases = {index.base for index in found.values() if isinstance(index, Letter)}
    found.setdefault("0", Number(0, 1, Fraction(0)))
    for base in sorted(bases & {"t", "n", "k", "i"}):
        for extra in (f"{base}-1",):
            found.setdefault(extra, _index(extra))
    letters = frozenset(one.base for node in nodes for one in walk(node) if isinstance(one, Letter))
    likes = {
        source[one.start : one.end]: one for node in nodes for one in walk(node) if isinstance(one, Letter) and one.base == "sigma"
    }
    return Statement(source, tuple(found.items()), letters, tuple(likes.items()))


def _index(text: str) -> Node:
    return parse_one(text)


def _unbraced(text: str) -> str:
    """A text without the braces around the whole of it."""
    text = text.strip()
    return text[1:-1].strip() if text.startswith("{") and read(text[1:-1]) is not None else text


def read(text: str) -> Node | None:
    """An expression, if the text is one."""
    try:
        return parse_one(text)
    except NotUnderstoodError:
        return None


def is_time(node: Node) -> bool:
    """Whether an index reads as a time."""
    if isinstance(node, Sum):
        return len(node.terms) == 2 and is_time(node.terms[0].body)
    return (isinstance(node, Number) and node.value == 0) or (
        isinstance(node, Letter) and node.base in ("t", "s", "n", "k", "i", "j", "T", "tau", "prev") and not node.marks
    )


def edit_of(node: Node, new: Node, text: str, slip: str, description: str, cost: float) -> Edit:
    """A node for a node, with the text that then stands there."""
    return Edit(new, node.start, node.end, text, slip, description, cost)


def bracketed(node: Node, within: Statement) -> tuple[str, Node]:
    """A node as a factor: in brackets if it is a sum."""
    text = within.text(node)
    if isinstance(node, Sum):
        return rf"\left({text}\right)", Group(node.start, node.end, node)
    return text, node


def is_scalar(node: Node) -> bool:
    """Whether it may be squared, and a root be taken of it: no state is in it."""
    if isinstance(node, Letter):
        return node.base in SCALARS
    if isinstance(node, Call):
        return node.function.base in ("sigma", "beta", "alpha", "g", "SNR", "lambda", "c")
    if isinstance(node, (Group, Sum, Quotient)):
        held = [one for one in walk(node) if isinstance(one, Letter)]
        is_time = any(one.base == "t" and not one.index for one in held) and not any(one.index for one in held)  # t - epsilon
        return not any(one.base in ("x", "epsilon", "z", "p", "q") for one in held if not (is_time and one.base == "epsilon"))
    return False
