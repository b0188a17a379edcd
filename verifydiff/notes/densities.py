r"""Densities and laws as they are written: :math:`q(a \mid b)`, :math:`\mathcal{N}(x; m, v)`, :math:`D_{KL}(q \| p)`.

A density is kept as a quotient of joint densities until it is compared; a divergence is that of two normal laws, one coordinate:

.. math:: D_{KL} = \tfrac12 (v_1 / v_2 + (m_1 - m_2)^2 / v_2 - 1 - \log (v_1 / v_2))
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from .algebra import Value
from .reading import Density, Key, Logs, Normal, Reading, canonical, refused
from .said import NETWORKS, is_time_like, text_of
from .tree import Call, Dots, Letter, Node, Number, Range
from .variables import variables
from .walk import as_density, read, value

_ONE = Fraction(1)

DENSITIES = {"p", "q", "r", "P", "Q", "bb:P"}


def normal(node: Call, reading: Reading) -> Normal:
    """A normal law: N(x; m, v) or N(m, v)."""
    items = node.arguments
    if len(items) == 3:
        return Normal(value(items[1], reading), value(items[2], reading), value(items[0], reading))
    if len(items) == 2:
        return Normal(value(items[0], reading), value(items[1], reading))
    raise refused(node, "a normal law has a mean and a variance")


def density(node: Call, reading: Reading) -> Density:
    """q(a | b) as q(a, b) / q(b)."""
    marks = list(node.marks)
    arguments = _spread(node.arguments)
    if len(arguments) != len(node.arguments):
        marks = _respread(node)
    if ";" in marks:
        cut = marks.index(";")
        arguments, marks = arguments[: cut + 1], marks[:cut]
    bar = marks.index("|") if "|" in marks else len(arguments) - 1
    before = frozenset(one for item in arguments[: bar + 1] for one in _variables(item, reading))
    after = frozenset(one for item in arguments[bar + 1 :] for one in _variables(item, reading))
    if before & after:
        reading.owed.append(("whether a letter is given itself", reading.number(0), reading.number(1)))
    measure = measure_of(node.function, reading)
    parts = Density(reading.number(0), {(measure, before | after): _ONE})
    return Density(**vars(parts.plus(Density(reading.number(0), {(measure, after): _ONE}), -1))) if after else parts


def _variables(item: Node, reading: Reading) -> frozenset[tuple[object, ...]]:
    if isinstance(item, Letter) and item.base in (*NETWORKS, "sigma", "t", "empty", "lambda"):
        return frozenset()
    return variables(item, reading)


def _spread(arguments: tuple[Node, ...]) -> list[Node]:
    """x_1, ..., x_T as x_{1:T}."""
    found: list[Node] = []
    for place, one in enumerate(arguments):
        if isinstance(one, Dots):
            continue
        low = found[-1] if found and place and isinstance(arguments[place - 1], Dots) else None
        if isinstance(low, Letter) and isinstance(one, Letter) and low.index and one.index:
            found.pop()
            found.append(replace(one, index=(Range(one.start, one.end, low.index[0], one.index[0]),)))
        else:
            found.append(one)
    return found


def _respread(node: Call) -> list[str]:
    """The marks between the arguments that are left when an ellipsis is spread."""
    found = []
    for place, mark in enumerate(node.marks):
        if not isinstance(node.arguments[place], Dots) and not isinstance(node.arguments[place + 1], Dots):
            found.append(mark)
    return found


def measure_of(function: Letter, reading: Reading) -> str:
    """The measure that a density belongs to: q, or p where it is another, or a network's."""
    labels = (
        {text_of(one) for one in (*function.index, *function.upper) if not is_time_like(one)} - NETWORKS - {"sigma", "0t", "data"}
    )
    if labels and not any(char.isdigit() for label in labels for char in label):
        return f"{function.base} {sorted(labels)[0]}"
    if function.base in reading.learned:
        return f"{function.base} of a network"
    return function.base if reading.apart else "q"


def is_divergence(function: Letter) -> bool:
    """Whether it is the Kullback-Leibler divergence."""
    return function.base in ("KL", "D_KL", "DKL") or (
        function.base in ("D", "bb:D", "cal:D") and "KL" in {text_of(one) for one in function.index}
    )


def divergence(node: Call, reading: Reading) -> Value | Logs:
    """KL of two normal laws, one coordinate; of any other two, the logarithm of their ratio, whose mean it is."""
    if node.marks not in (("||",), (",",), ("|",)) or len(node.arguments) != 2:
        raise refused(node, "a divergence is of two laws")
    if (pair := reading.fixed.get(("laws",))) is not None:
        first, second = (_named_law(label, reading) for label in pair)
        return _normal_divergence(first, second, reading)
    of = [_of_what(item, reading) for item in node.arguments]
    if None not in of and of[0] != of[1]:
        reading.owed.append(("whether the two laws are of the same variables", reading.number(0), reading.number(1)))
    one, other = (law_of(item, reading) for item in node.arguments)
    if one is None or other is None:
        return _ratio(node, reading)
    return _normal_divergence(one, other, reading)


def _normal_divergence(one: Normal, other: Normal, reading: Reading) -> Value:
    ratio = one.variance / other.variance
    return (ratio + (one.mean - other.mean) ** 2 / other.variance - 1 - reading.algebra.log(ratio)) / 2


def _named_law(label: Node, reading: Reading) -> Normal:
    """The normal law that is only a letter beside the mean and the deviation with its label: p, mu_1 and sigma_1."""
    mean, deviation = (value(Letter(0, 0, base, (), (label,)), reading) for base in ("mu", "sigma"))
    return Normal(mean, deviation**2)


def _ratio(node: Call, reading: Reading) -> Logs:
    """What a divergence is the mean of."""
    laws = [as_density(read(item, reading), reading) for item in node.arguments]
    if not all(isinstance(law, Density) for law in laws):
        raise refused(node, "a divergence of what are no laws")
    reading.averaged = True
    found = laws[0].plus(laws[1], -1)
    return Logs(found.scalar, found.parts)


def _of_what(node: Node, reading: Reading) -> frozenset[Key] | None:
    """The variables that a density is of."""
    if not isinstance(node, Call) or node.function.base not in DENSITIES:
        return None
    bar = node.marks.index("|") if "|" in node.marks else len(node.arguments) - 1
    return frozenset(one for item in node.arguments[: bar + 1] for one in _variables(item, reading))


def law_of(node: Node, reading: Reading) -> Normal | None:
    """The normal law that a density is, if it is one that is known."""
    found = read(node, reading)
    if isinstance(found, Normal):
        return found
    if isinstance(node, Call) and isinstance(found, Density):
        return conditional_law(node, found, reading)
    return None


def conditional_law(node: Call, found: Density, reading: Reading) -> Normal | None:
    """The law of one state given others, by the chain."""
    of = [key for key in variables(node.arguments[0], reading) if key[0] == "x"]
    parts = canonical(found)
    measures = {key[0] for key in parts}
    if len(of) != 1:
        return None
    at = of[0][1]
    given = {name[1] for key in found.parts for name in key[1] if name[0] == "x"} - {at}
    if any(name[0] != "x" for key in found.parts for name in key[1]):
        return None
    if measures == {"q"}:
        return chain_law(at, given, reading)
    if len(given) == 1 and min(given) > at:
        upper = min(given)
        mean = reading.process.posterior_mean(upper, at, reading.state(upper), reading.predicted_data(upper))
        if reading.process.convention in ("signal", "signal-vp"):  # where sigma is the noise, the variance is the posterior's
            return Normal(mean, reading.process.posterior_variance(upper, at), reading.state(at))
        deviation = value(Letter(0, 0, "sigma", (), (Number(0, 0, _ONE * upper),)), reading)
        return Normal(mean, deviation**2, reading.state(at))
    return None


def chain_law(at: int, given: set[int], reading: Reading) -> Normal | None:
    """The law of a state given a cleaner one, or given a noisier one and the data."""
    lower = max((time for time in given if time < at), default=None)
    upper = min((time for time in given if time > at), default=None)
    process = reading.process
    if lower is not None and upper is None:
        return Normal(process.carried(at, lower) * reading.state(lower), process.added(at, lower), reading.state(at))
    if lower == 0 and upper is not None:
        mean = process.posterior_mean(upper, at, reading.state(upper), reading.state(0))
        return Normal(mean, process.posterior_variance(upper, at), reading.state(at))
    return None
