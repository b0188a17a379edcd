r"""Expectations that are worked out: what is affine in the states given some of them, and moments of standard normal noise.

.. math:: \mathbb{E}[x_0 \mid x_t] = (x_t + s_t^2 \nabla \log p(x_t)) / a_t

Of any other expectation only the inside is read: two of them are equal if their insides are.
"""

from __future__ import annotations

from .algebra import Value
from .reading import Key, Logs, Normal, Reading, refused
from .tree import Call, Chain, Group, Letter, Mean, Node, Norm, Power, walk
from .variables import named_states, variables
from .walk import read, reads, value


@reads(Mean)
def mean_node(node: Mean, reading: Reading) -> Value | Logs | Normal:
    """An expectation, or a variance."""
    given = frozenset(one for item in node.given for one in variables(item, reading))
    times = {one[1] for one in given if one[0] == "x"}
    if node.kind == "Var":
        return _variance(node, times, reading)
    if node.kind == "Cov":
        raise refused(node, "a covariance")
    if times and times == {one[1] for one in given}:
        return _conditional(node, times, reading)
    if node.given:
        raise refused(node, "what is given is no state")
    law = _law_over(node, reading)
    if law is not None:
        return _conditional(node, law, reading)
    return _unconditional(node, reading)


def _law_over(node: Mean, reading: Reading) -> set[int] | None:
    """The states that are given in E_{q(x_0 | x_t)}[...]."""
    for one in node.over:
        target = one.sides[-1] if isinstance(one, Chain) else one
        if isinstance(target, Call) and "|" in target.marks:
            bar = target.marks.index("|")
            before = [variables(item, reading) for item in target.arguments[: bar + 1]]
            after = [variables(item, reading) for item in target.arguments[bar + 1 :]]
            names = frozenset(name for item in before for name in item)
            if names == {("x", 0)}:
                return {name[1] for item in after for name in item if name[0] == "x"} or None
    return None


def _conditional(node: Mean, times: set[int], reading: Reading) -> Value:
    """The mean of what is affine in the states and the noise, given some of the states."""
    noisiest = max(times)
    values: dict[Key, Value] = {}
    if 0 not in times:
        score = -reading.eps(noisiest) / reading.process.noise(noisiest) if reading.mode == "unified" else reading.score(noisiest)
        data = (reading.state(noisiest) + reading.process.noise(noisiest) ** 2 * score) / reading.process.signal(noisiest)
        values["x", 0] = data
    else:
        data = reading.state(0)
    for one in range(1, 12):
        if one in times:
            continue
        lower = max((time for time in times if time < one), default=0)
        upper = min((time for time in times if time > one), default=None)
        if upper is None and ("x", one) not in named_states(node.body, reading):
            continue
        if ("x", one) in named_states(node.body, reading):
            start = reading.state(lower) if lower in times else data
            if upper is None:
                values["x", one] = reading.process.carried(one, lower) * start
            elif lower == 0:
                values["x", one] = reading.process.posterior_mean(upper, one, reading.state(upper), data)
            else:
                raise refused(node, "a bridge that is not worked out")
    with reading.fixing(values):
        return _affine(node, reading)


def _affine(node: Mean, reading: Reading) -> Value:
    if any(isinstance(one, (Power, Norm)) and _is_random(one) for one in walk(node.body)):
        raise refused(node, "the mean of what is not linear")
    before = reading.tie
    try:
        reading.tie = "marginal"
        return value(node.body, reading)
    finally:
        reading.tie = before


def _is_random(node: Node) -> bool:
    return any(isinstance(one, Letter) and one.base in ("x", "epsilon") for one in walk(node))


def _variance(node: Mean, times: set[int], reading: Reading) -> Value:
    body = node.body
    while isinstance(body, Group):
        body = body.body
    names = named_states(body, reading)
    if isinstance(body, (Letter, Call)) and len(names) == 1 and times:
        (name,) = names
        lower = max((time for time in times if time < name[1]), default=None)
        upper = min((time for time in times if time > name[1]), default=None)
        if lower is not None and upper is None:
            return reading.process.added(name[1], lower)
        if name[1] == 0 and upper is not None and reading.data is not None:
            noise = reading.process.noise(upper) ** 2
            return reading.data[1] * noise / reading.data_law(upper)[1]
        if lower == 0 and upper is not None:
            return reading.process.posterior_variance(upper, name[1])
    raise refused(node, "a variance that is not worked out")


def _unconditional(node: Mean, reading: Reading) -> Value | Logs | Normal:
    held = [one for one in walk(node.body) if isinstance(one, Letter) and one.base not in ("I",)]
    if (
        held
        and all(one.base in ("epsilon", "z") and not one.index for one in held)
        and not any(isinstance(one, Call) for one in walk(node.body))
    ):
        total = reading.number(0)
        for sign in (1, -1):  # exact for what is at most cubic
            fixed = {("noise", "epsilon"): reading.number(sign), ("noise", "z"): reading.number(sign)}
            before, reading.tie = reading.tie, "free"
            try:
                with reading.fixing(fixed):
                    total = total + value(node.body, reading)
            finally:
                reading.tie = before
        return total / 2
    reading.averaged = True
    return read(node.body, reading)
