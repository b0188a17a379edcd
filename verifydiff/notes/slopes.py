r"""Gradients of log-densities, and rates of what depends on time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .algebra import Value
from .reading import STATES, Density, Key, Logs, Reading, refused
from .said import CONDITIONS
from .tree import Applied, Call, Differential, Gradient, Group, Letter, Node, Power, Product, Quotient, walk
from .variables import label_of, variables
from .walk import as_density, read, reads, value


@reads(Gradient)
def gradient(node: Gradient, reading: Reading) -> Value:
    """A gradient of the logarithm of a density, or a derivative."""
    if node.order != 1:
        raise refused(node, "a second derivative")
    found = as_density(read(node.body, reading), reading)
    along = node.along if node.along is not None else _first_variable(node.body)
    if along is None:
        raise refused(node, "a gradient along nothing")
    if node.along is None and isinstance(along, Letter) and along.base in CONDITIONS and not along.index:
        return reading.number(0)  # log p(y), of which no state is a variable
    if isinstance(along, Letter) and along.base in ("theta", "phi", "psi"):
        reading.unknown.setdefault("gradient", along)
        return reading.letter(("gradient", label_of(node.body)), r"\nabla_\theta")
    if isinstance(along, Letter) and along.base in ("t", "s", "tau") and not isinstance(found, Logs):
        raise refused(node, "a derivative along time")
    names = variables(along, reading)
    if len(names) != 1:
        raise refused(node, "a gradient along several letters")
    (name,) = names
    if name[0] == "x" and isinstance(along, Letter) and not along.index:
        name = _state_in(found, name)

    def body() -> Value | Logs:
        return read(node.body, reading)

    logs = found if isinstance(found, Logs) else Logs(reading.flat(found), {})
    if isinstance(logs, Density):
        raise refused(node, "the gradient of a density, not of its logarithm")
    if logs.parts and not any(name in variables_ for _, variables_ in logs.parts):
        reading.owed.append(("whether the density depends on what the gradient is along", reading.number(0), reading.number(1)))
    return reading.slope_of(logs, name, body)


def _state_in(found: Any, name: Key) -> Key:
    """The state that is meant by x where it has no index: the noisiest that the body speaks of."""
    held = (
        {one for (_, variables_), _ in found.parts.items() for one in variables_ if one[0] == "x"}
        if isinstance(found, Logs)
        else set()
    )
    return max(held, key=lambda one: one[1]) if held and name not in held else name


def _first_variable(node: Node) -> Node | None:
    for one in walk(node):
        if isinstance(one, Call) and one.arguments:
            states = [item for item in one.arguments if isinstance(item, Letter) and item.base in STATES]
            return states[0] if states else one.arguments[0]
    return None


def slope_in_words(node: Quotient, reading: Reading) -> Value | None:
    """d sigma^2(t) / dt and d log a / dt: a rate."""
    if not isinstance(node.below, Differential):
        return None
    above = node.above
    if isinstance(above, Product) and isinstance(above.factors[0], Letter) and above.factors[0].base == "d":
        body: Node = above.factors[1] if len(above.factors) == 2 else replace(above, factors=above.factors[1:])
        return _rate(body, reading)
    if isinstance(above, Power) and isinstance(above.base, Differential):  # d sigma^2, read as a power of d sigma
        above = Differential(above.start, above.end, Power(above.start, above.end, above.base.of, above.exponent))
    if isinstance(above, Differential) and not (isinstance(above.of, Letter) and above.of.base in ("x", "X", "z", "y", "W", "w")):
        return _rate(above.of, reading)
    return None


def _rate(body: Node, reading: Reading) -> Value:
    """The rate of a function of time: known for powers and logarithms of letters that have a rate."""
    while isinstance(body, Group):
        body = body.body
    if isinstance(body, Power):
        exponent = value(body.exponent, reading)
        return exponent * value(body.base, reading) ** (exponent - 1) * _rate(body.base, reading)
    if isinstance(body, Applied) and body.name in ("log", "ln"):
        return _rate(body.arguments[0], reading) / value(body.arguments[0], reading)
    bare = body.function if isinstance(body, Call) else body
    if isinstance(bare, Letter) and bare.base == "lambda" and not bare.marks and ("lambda",) in reading.fixed:
        signal, noise = (replace(bare, base=base) for base in ("alpha", "sigma"))
        half = _rate(signal, reading) / value(signal, reading) - _rate(noise, reading) / value(noise, reading)
        return half if reading.fixed["lambda",] == "half" else 2 * half
    if isinstance(bare, Letter) and bare.base in ("sigma", "alpha"):
        return reading.rate(bare.base, "".join(bare.marks))
    raise refused(body, "a rate that is not worked out")
