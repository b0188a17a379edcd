r"""A letter with what hangs on it, sorted: which time, which labels, which arguments."""

from __future__ import annotations

from .reading import Reading
from .times import NoTimeError
from .tokens import NotUnderstoodError
from .tree import Call, Chain, Group, Letter, Node, Number, Sum, walk
from .variables import variables
from .walk import value

CONDITIONS = {"c", "y", "C", "p", "label", "cond", "pos", "text"}

NO_CONDITIONS = {"empty", "uncond", "null", "neg", "u"}

NETWORKS = {"theta", "phi", "psi", "omega", "Theta"}


def name_of(letter: Letter) -> str:
    """The letter without its times: what tells it from others on the page."""
    labels = [text_of(one) for one in (*letter.index, *letter.upper) if not is_time_like(one)]
    return "/".join([letter.base, *letter.marks, *labels])


def is_learned(letter: Letter) -> bool:
    """Whether it is a network's."""
    return any(isinstance(part, Letter) and part.base in NETWORKS for one in (*letter.index, *letter.upper) for part in walk(one))


def is_time_like(node: Node) -> bool:
    """Whether an index may name a time, and so tells no letters apart."""
    if isinstance(node, Sum):
        return bool(node.terms) and is_time_like(node.terms[0].body)
    if isinstance(node, Group):
        return is_time_like(node.body)
    return isinstance(node, Number) or (
        isinstance(node, Letter) and node.base in ("t", "s", "i", "n", "k", "j", "tau", "T", "N", "prev", "next", "S", "r")
    )


def text_of(node: Node) -> str:
    """What a label reads."""
    return "".join(one.base if isinstance(one, Letter) else str(getattr(one, "value", "")) for one in walk(node))


def _is_zero(letter: Letter) -> bool:
    return len(letter.index) == 1 and isinstance(letter.index[0], Number) and letter.index[0].value == 0


class Said:
    """A letter with what hangs on it, sorted: its time, its labels, its arguments."""

    def __init__(self, letter: Letter, arguments: tuple[Node, ...], reading: Reading) -> None:
        self.letter, self.arguments, self.reading = letter, arguments, reading
        self.marks = frozenset(letter.marks)
        self.labels: set[str] = set()
        self.time: int | None = None
        self.later: int | None = None
        self.lower: int | None = None
        for one in (*letter.index, *letter.upper):
            self._hang(one)
        self.states: list[Node] = []
        self.given = ""
        for one in arguments:
            self._argue(one)

    def _hang(self, one: Node) -> None:
        bare = one.body if isinstance(one, Group) else one
        try:
            found = self.reading.times.of(bare)
        except NoTimeError:
            self.labels.add(text_of(bare))
            return
        if self.time is None:
            self.time = found
        elif self.time != found:
            self.labels.add(str(found))
            self.later = found

    def _argue(self, one: Node) -> None:
        one = one.sides[-1] if isinstance(one, Chain) else one
        if isinstance(one, Letter):
            if one.base in NO_CONDITIONS:
                self.given = ""
                self.labels.add("uncond")
                return
            if one.base in CONDITIONS or (one.base == "y" and not one.index):
                self.given = "y"
                return
            if one.base in ("sigma", "lambda", "gamma", "alpha", "bar") or (one.base == "t" and one.index):
                return
        try:
            time = self.reading.times.of(one)
        except NoTimeError:
            self.states.append(one)
            return
        if isinstance(one, Number) and self.states:
            return
        if self.time is not None and len(self.states) == 2 and time != self.time:  # mu(z_t, x; s, t)
            self.time, self.lower = max(self.time, time), min(self.time, time)
            return
        if self.states and self.time is None and not isinstance(one, Number):
            self.time = time
            if len(self.states) == 1:
                self._agree(time, one)
        elif self.time is None:
            self.time = time

    def _agree(self, time: int, argument: Node) -> None:
        """A network must be told the time of the state that it is given."""
        try:
            names = variables(self.states[0], self.reading)
        except NotUnderstoodError:
            return
        for name in names:
            if name[0] == "x" and name[1] > 0 and isinstance(self.states[0], Letter) and self.states[0].index:
                reading = self.reading
                reading.owed.append(("the time that the network is told", reading.number(name[1]), reading.number(time)))
                self.time = name[1]

    @property
    def at(self) -> int:
        """The time: the one written, that of the state it is given, or the main one."""
        if self.time is not None:
            return self.time
        for one in self.states:
            try:
                names = variables(one, self.reading)
            except NotUnderstoodError:
                continue
            for name in names:
                if name[0] == "x" and name[1] > 0:
                    return int(name[1])
        return self.reading.main

    @property
    def span(self) -> tuple[int, int] | None:
        """The two times that it is a function of, the noisier first."""
        found = set()
        for one in self.arguments:
            try:
                found.add(self.reading.times.of(one))
            except NoTimeError:
                continue
        return (max(found), min(found)) if len(found) == 2 else None

    @property
    def is_network(self) -> bool:
        """Whether it is predicted."""
        return bool(self.labels & NETWORKS)

    def owe_state(self) -> None:
        """What a network is given in place of a state must be that state."""
        if not self.states or isinstance(self.states[0], Call):
            return
        reading, at, given = self.reading, self.at, self.states[0]
        if isinstance(given, Letter):
            if given.base == "epsilon" or (given.base == "x" and not given.marks and _is_zero(given) and self.time != 0):
                reading.owed.append(("whether the network is given a noisy state", reading.number(0), reading.number(1)))
            return
        try:
            with reading.plainly():
                reading.owed.append(("what the network is given", value(self.states[0], reading), reading.state(at)))
        except NotUnderstoodError:
            return
