r"""Expectations that are worked out: what is affine in the states given some of them, and moments of standard normal noise.

.. math:: \mathbb{E}[x_0 \mid x_t] = (x_t + s_t^2 \nabla \log p(x_t)) / a_t

Of any other expectation only the inside is read: two of them are equal if their insides are.
"""

from __future__ import annotations

from .algebra import POSITIVE, Value
from .linear import Linear, NotLinearError
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
    if len(times) < 2 and not (isinstance(body, (Letter, Call)) and times):
        return _variance_of_sum(node, next(iter(times), None), reading)
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


def _variance_of_sum(node: Mean, given: int | None, reading: Reading) -> Value:
    r"""The variance of what is linear in states and noises, given one cleaner state or none.

    .. math:: \operatorname{Var} \sum_i w_i x_i = \sum_{ij} w_i w_j a_{i|j} \operatorname{Var} x_j, \quad j \le i
    """
    reading.is_linear = True
    try:
        form = value(node.body, reading)
    except NotLinearError:
        raise refused(node, "the variance of what is not linear") from None
    finally:
        reading.is_linear = False
    if not isinstance(form, Linear):
        return reading.number(0)
    if any(key[0] not in ("x", "noise") for key in form.weights):
        raise refused(node, "a variance that is not worked out")
    process, total = reading.process, reading.number(0)
    for key, weight in form.weights.items():
        if key[0] == "noise":
            total = total + weight**2
            continue
        for other, more in form.weights.items():
            if other[0] == "x":
                low, high = sorted((key[1], other[1]))
                total = total + weight * more * process.carried(high, low) * _variance_at(low, given, reading)
    return total


def _variance_at(at: int, given: int | None, reading: Reading) -> Value:
    """The variance of a state, given a cleaner one or none."""
    process = reading.process
    if given is not None:
        if at < given:
            raise refused(Letter(0, 0, "x"), "a variance given a noisier state")
        return process.added(at, given) if at > given else reading.number(0)
    data = (
        reading.number(1) if ("unit data",) in reading.fixed else reading.letter(("data variance",), r"\mathrm{Var}(x_0)", POSITIVE)
    )
    if reading.data is not None:
        data = reading.data[1]
    return process.signal(at) ** 2 * data + process.noise(at) ** 2


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
