r"""Which time an index speaks of.

The letters of a formula's indices are placed on whole numbers, 0 the data: the main one (t, or n, k, i where they stand alone)
at 5, a cleaner one (s, or j beside i) at 2, T at 8. What is added to a letter moves it: t - 1 is 4. A time within a list of times
(:math:`\tau_{i-1}` before :math:`\tau_i`) moves by several at once, and so does :math:`t - \Delta t`, so that nothing is taken for
a single step that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .tree import Call, Large, Letter, Node, Number, Sum, children, walk

DATA, CLEANER, MAIN, TOP = 0, 2, 5, 8
LETTERS = ("t", "s", "n", "k", "i", "j", "r", "l", "m", "tau", "N", "T")
STRIDED = {"tau", "t", "S", "s", "iota"}
EARLIER = {"prev", "next", "last"}
_RANK = {"s": 0, "j": 1, "r": 1, "u": 1, "i": 2, "k": 3, "n": 3, "l": 3, "m": 3, "tau": 3, "t": 4}


class NoTimeError(LookupError):
    """An index that names no time."""


class Times:
    """The times of one formula.

    Args:
        nodes: the formulas whose indices are placed together.
        falling: whether the next index is the cleaner time, as in EDM's sampler.
        bound: letters that a sum or a product runs over, and where they stand now.
    """

    def __init__(self, nodes: Iterable[Node], falling: bool = False, bound: dict[str, int] | None = None) -> None:
        self.falling = falling
        self.bound = dict(bound or {})
        nodes = tuple(nodes)
        found = _free_letters(nodes)
        self.stride = (
            2
            if any(is_nested(index) for node in nodes for one in walk(node) if isinstance(one, Letter) for index in one.index)
            else 1
        )
        ranked = sorted(found - {"T", "N"}, key=lambda one: _RANK.get(one, 3))
        places = [*([1] * (len(ranked) - 2)), CLEANER, MAIN][-len(ranked) :] if ranked else []
        self.place = dict(zip(ranked, places, strict=True))
        self.place["T"] = self.place.setdefault("N", TOP)
        self.main = self.place[ranked[-1]] if ranked else MAIN
        self.names: dict[int, str] = {}

    @classmethod
    def placed(cls, places: dict[str, int], stride: int, falling: bool) -> Times:
        """Times whose letters have been placed already."""
        times = cls((), falling)
        times.place, times.stride = places, stride
        times.main = max((place for letter, place in places.items() if letter not in ("T", "N")), default=MAIN)
        return times

    def of(self, index: Node) -> int:
        """The time.

        Raises:
            NoTimeError: if the index is a label.
        """
        base, offset, strided = self._split(index)
        if base is None:
            return offset
        sign = -1 if self.falling else 1
        if base in self.bound:
            return self.bound[base] + (sign * offset * self.stride if strided else offset)
        if base not in self.place:
            raise NoTimeError(base)
        return self.place[base] + sign * offset * (self.stride if strided else 1)

    def _split(self, index: Node) -> tuple[str | None, int, bool]:
        if isinstance(index, Number) and index.value.denominator == 1 and 0 <= index.value <= 12:
            return None, int(index.value), False
        if isinstance(index, Letter) and not index.upper:
            if index.base in EARLIER and not index.index:
                return self._main_letter(), -3, False
            if index.base in STRIDED and len(index.index) == 1:
                base, offset, _ = self._split(index.index[0])
                return base, offset, True
            if not index.index and not index.marks:
                return index.base, 0, False
            if index.marks == ("prime",) and index.base == "t":
                return self._main_letter(), -3, False
        if isinstance(index, Sum) and len(index.terms) == 2:
            base, offset, strided = self._split(index.terms[0].body)
            by, sign = index.terms[1].body, index.terms[1].sign
            if isinstance(by, Number) and by.value.denominator == 1 and base is not None and by.value <= 3:
                return base, offset + sign * int(by.value), strided
            if _is_step(by) and base is not None:
                return base, offset + 3 * sign, False
        raise NoTimeError

    def _main_letter(self) -> str:
        return next((letter for letter, place in self.place.items() if place == self.main), "t")


def is_nested(index: Node) -> bool:
    """Whether an index names a time within a list of times."""
    inner = index.terms[0].body if isinstance(index, Sum) and index.terms else index
    return isinstance(inner, Letter) and inner.base in STRIDED and len(inner.index) == 1


def _is_step(node: Node) -> bool:
    letters = [one for one in walk(node) if isinstance(one, Letter)]
    return bool(letters) and letters[0].base in ("Delta", "delta", "h", "dt", "c", "k", "s")


def _free_letters(nodes: Iterable[Node]) -> set[str]:
    """The letters that stand in the place of a time."""
    found: set[str] = set()
    for node in nodes:
        for one in _unbound(node):
            if isinstance(one, Letter):
                for index in one.index:
                    found |= _times_in(index)
            elif isinstance(one, Call):
                for argument in one.arguments:
                    if not isinstance(argument, Call):
                        found |= _times_in(argument)
            elif isinstance(one, Large) and one.kind == "prod" and one.high is not None:
                found |= _times_in(one.high) & {"t", "s"}
    return found


def _unbound(node: Node) -> Iterator[Node]:
    """The nodes but for what stands under an integral over time."""
    if (
        isinstance(node, Large)
        and node.kind == "int"
        and any(isinstance(one.of, Letter) and one.of.base in LETTERS for one in node.over)
    ):
        return
    yield node
    for _, _, child in children(node):
        yield from _unbound(child)


def _times_in(index: Node) -> set[str]:
    if isinstance(index, Sum) and index.terms:
        return _times_in(index.terms[0].body)
    if isinstance(index, Letter) and not index.marks:
        if index.base in STRIDED and len(index.index) == 1:
            return _times_in(index.index[0])
        if not index.index and index.base in LETTERS:
            return {index.base}
    return set()
