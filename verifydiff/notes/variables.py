r"""What stands for a variable: the states and other letters that a density, an integral or a gradient is about."""

from __future__ import annotations

from .process import UPWARD
from .reading import STATES, Key, Reading, refused
from .times import NoTimeError
from .tokens import NotUnderstoodError
from .tree import Call, Chain, Group, Letter, Listed, Node, Range, walk


def variables(node: Node, reading: Reading) -> frozenset[Key]:
    """What a density is of: states of the chain, or other letters."""
    while isinstance(node, (Group, Chain)):
        node = node.body if isinstance(node, Group) else node.sides[0]
    if isinstance(node, Listed):
        return frozenset(one for item in node.items for one in variables(item, reading))
    if isinstance(node, Call):
        if node.function.base in STATES and len(node.arguments) == 1:
            return frozenset({_state_at(time_of(node.arguments[0], node, reading), reading)})
        raise refused(node, "no variable of a density")
    if isinstance(node, Letter):
        if len(node.index) == 1 and isinstance(node.index[0], Range):
            low, high = bound_of(node.index[0].low, reading), bound_of(node.index[0].high, reading)
            if high - low > 40:
                raise refused(node, "too many variables")
            return frozenset(("x" if node.base in STATES else node.base, place) for place in range(low, high + 1))
        latent = ("z is a state",) in reading.fixed
        if node.base in STATES and ("tilde is noisy",) in reading.fixed and not node.index:
            return frozenset({("x", reading.main if "tilde" in node.marks else 0)})
        if (node.base in STATES and not set(node.marks) - {"prime"}) or (latent and node.base == "z" and node.index):
            alone = 0 if latent or ("bare data",) in reading.fixed else reading.main
            return frozenset({_state_at(time_of(node.index[0], node, reading), reading) if node.index else ("x", alone)})
        name = node.base + "".join(node.marks) + "".join(str(label_of(one)) for one in node.index)
        return frozenset({("v", name)})
    raise refused(node, "no variable of a density")


def _state_at(time: int, reading: Reading) -> Key:
    """The state of a time; where time runs from the noise to the data, the data are those of time 1."""
    if time > 1 or reading.process.convention not in UPWARD:
        return ("x", time)
    return ("x", 0) if time == 1 else ("v", "noise")


def label_of(node: Node) -> str:
    """What a label reads."""
    return "".join(one.base if isinstance(one, Letter) else str(getattr(one, "value", "")) for one in walk(node))


def time_of(index: Node, node: Node, reading: Reading) -> int:
    """The time that an index of a node names."""
    try:
        return reading.times.of(index)
    except NoTimeError:
        raise refused(node, "an index that is no time") from None


def bound_of(node: Node, reading: Reading) -> int:
    """The time that a bound names."""
    try:
        return reading.times.of(node)
    except NoTimeError:
        raise refused(node, "a bound that is no time") from None


def named_states(node: Node, reading: Reading) -> set[Key]:
    """The states that a formula speaks of."""
    found: set[Key] = set()
    for one in walk(node):
        letter = one.function if isinstance(one, Call) and len(one.arguments) == 1 else one
        if isinstance(letter, Letter) and letter.base in STATES:
            try:
                found |= variables(one, reading)
            except NotUnderstoodError:
                continue
    return found
