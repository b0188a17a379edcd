r"""Sums, products and integrals: over a time, term by term; over a variable of densities, by what joint densities they leave.

.. math:: \int q(a \mid b)\, q(b, c)\, db = q(a, c)
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from .algebra import POSITIVE, Value
from .reading import Density, Key, Logs, Reading, canonical, refused
from .tree import Call, Large, Letter, Node, Number, Product, Sum, walk
from .variables import bound_of, variables
from .walk import added_up, as_density, read, reads, value


@reads(Large)
def large_node(node: Large, reading: Reading) -> Any:
    """A sum or a product, term by term, or an integral."""
    if node.kind == "int":
        return _integral(node, reading)
    if not isinstance(node.index, Letter) or node.low is None or node.high is None:
        if node.kind == "sum" and node.low is not None and node.high is None:
            reading.unknown.setdefault("sum", Letter(node.start, node.end, "sum"))
            reading.averaged = True
            return read(node.body, reading)
        raise refused(node, "a sum or product without its bounds")
    low, high = bound_of(node.low, reading), bound_of(node.high, reading)
    total: Any = None
    before = reading.times.bound.get(node.index.base)
    try:
        for place in range(low, high + 1):
            reading.times.bound[node.index.base] = place
            found = as_density(read(node.body, reading), reading)
            if node.kind == "sum":
                total = added_up(total, found, 1, reading)
            elif isinstance(found, Density):
                total = found if total is None else Density(**vars(total.plus(found)))
            elif isinstance(found, Logs) and total is not None:
                raise refused(node, "a product of logarithms")
            else:
                total = found if total is None else total * found
    finally:
        if before is None:
            reading.times.bound.pop(node.index.base, None)
        else:
            reading.times.bound[node.index.base] = before
    return reading.number(1 if node.kind == "prod" else 0) if total is None else total


def _integral(node: Large, reading: Reading) -> Any:
    """Over a variable of densities; over time, of a rate."""
    over = [one.of for one in node.over] or ([node.low] if node.low is not None else [])
    if len(over) == 1 and isinstance(over[0], Letter) and over[0].base in ("s", "t", "tau", "u", "r") and not over[0].index:
        return _time_integral(node.body, node, reading)
    found = as_density(read(node.body, reading), reading)
    for one in over:
        found = _integrated(node, found, variables(one, reading), reading)
    return found


def _time_integral(body: Node, node: Large, reading: Reading) -> Value:
    """A letter for the integral of a rate from 0 to t; numbers stand before it, anything else is another letter."""
    if isinstance(body, Sum) and len(body.terms) == 1:
        return body.terms[0].sign * _time_integral(body.terms[0].body, node, reading)
    if isinstance(body, Product):
        numbers = [one for one in body.factors if not any(isinstance(inner, Letter) for inner in walk(one))]
        rest = tuple(one for one in body.factors if one not in numbers)
        if numbers and rest:
            total = _time_integral(rest[0] if len(rest) == 1 else replace(body, factors=rest), node, reading)
            for one in numbers:
                total = total * value(one, reading)
            return total
    rate = body.function if isinstance(body, Call) else body
    from_zero = node.low is None or (isinstance(node.low, Number) and node.low.value == 0)
    if isinstance(rate, Letter) and not rate.marks and from_zero and (node.high is None or isinstance(node.high, Letter)):
        return reading.letter(("integral", rate.base), r"\int " + rate.base, POSITIVE)
    shape = "".join(type(one).__name__ + (one.base if isinstance(one, Letter) else "") for one in walk(node))
    return reading.letter(("integral", shape), r"\int", POSITIVE)


def _integrated(node: Node, found: Any, names: frozenset[Key], reading: Reading) -> Any:
    if not isinstance(found, Density):
        raise refused(node, "an integral that is not worked out")
    for name in sorted(names, key=lambda one: (str(one[0]), str(one[1]))):
        found = _without(node, found, name, reading)
    return found


def _without(node: Node, found: Density, name: Key, reading: Reading) -> Density:
    """The density with one variable integrated out."""
    parts = canonical(found)
    holding = {key: power for key, power in parts.items() if name in key[1]}
    rest = {key: power for key, power in parts.items() if name not in key[1]}
    joint = [key for key, power in holding.items() if power == 1]
    below = [key for key, power in holding.items() if power == -1]
    if len(joint) == 2 and len(below) == 1 and below[0][1] == frozenset({name}):
        merged = joint[0][0], (joint[0][1] | joint[1][1]) - {name}
    elif len(joint) == 1 and len(holding) == 1:
        merged = joint[0][0], joint[0][1] - {name}
    else:
        raise refused(node, "an integral that is not worked out")
    rest[merged] = rest.get(merged, Fraction(0)) + 1
    return Density(found.scalar, {key: power for key, power in rest.items() if power and key[1]})
