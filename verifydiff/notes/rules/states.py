r"""States by other states: the forward process in law, the steps of samplers, Langevin dynamics."""

from __future__ import annotations

from collections.abc import Iterator

from ..algebra import Value
from ..reading import Key, Reading
from ..tokens import NotUnderstoodError
from ..tree import Letter, Node, Product, Quotient, Sum
from .link import Link, Owed, bare, chosen_variances, square_sum, state_time, vanishes, weights


def forward(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A state by a cleaner one and fresh noise."""
    if not link.is_equation or reading.tie != "free":
        return
    at = state_time(link.left, reading)
    if at is None:
        one, other = _law_of(link.left, reading), _law_of(link.right, reading)
        if one is not None and other is not None and (one[2] < 0) == (other[2] < 0):
            yield _same_law(one, other)
        return
    found = _law_of(link.right, reading)
    if found is None or not 0 <= found[2] < at:
        return
    process = reading.process
    own: _Law = (process.signal(at), process.noise(at) ** 2, at, [])
    yield _same_law(own, found)


def noiseless(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A state by a cleaner one where its noise vanishes."""
    at = state_time(link.left, reading) if link.is_equation else None
    if at is None:
        return
    found = {key: weight for key, weight in weights(link.right, reading).items() if not vanishes(weight)}
    if len(found) == 1 and (key := next(iter(found))) and key[0] == "x" and key[1] < at:
        yield [Owed("the weight of the state", found[key], reading.process.carried(at, key[1]))]


_Law = tuple[Value, Value, int, list[Value]]


def _law_of(node: Node, reading: Reading) -> _Law | None:
    """(weight of the data, variance given the data, the time it starts from, weights of the noises), of A x_j + sum b_k eps_k."""
    try:
        found = weights(node, reading)
    except NotUnderstoodError:
        return None
    states = [key for key in found if key and key[0] == "x"]
    noises = [found[key] for key in found if key and key[0] == "noise"]
    if len(states) > 1 or not noises or len(states) + len(noises) + 1 != len(found) or not vanishes(found[()]):
        return None
    if not states:
        return reading.number(0), square_sum(noises, reading), -1, noises
    start = states[0][1]
    process, weight = reading.process, found[states[0]]
    variance = weight**2 * process.noise(start) ** 2 + square_sum(noises, reading)
    return weight * process.signal(start), variance, start, noises


def _same_law(one: _Law, other: _Law) -> list[Owed]:
    owed = [
        Owed("the weight of x_0", one[0], other[0]),
        Owed("the variance given x_0", one[1], other[1]),
    ]
    return owed + [Owed("the sign of the noise", 0 * noise, noise, "<=") for noise in (*one[3], *other[3])]


def step(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A sampler's step, by its state, its prediction and fresh noise."""
    if not link.is_equation or reading.mode != "plain":
        return
    scaled = _scaled_state(link.left, reading)
    if scaled is None:
        return
    at, scale, moved = scaled
    found = {key: weight / scale for key, weight in weights(link.right, reading).items()}
    for key, weight in moved.items():
        found[key] = found.get(key, reading.number(0)) - weight / scale
    start = start_of(found, at)
    if start is None or not vanishes(found[()]):
        return
    yield from _steps(found, at, start, reading)


def _scaled_state(node: Node, reading: Reading) -> tuple[int, Value, dict[Key, Value]] | None:
    """The time of a state, what it is multiplied by, and a noisier state beside it: x_s, x_s / a_s, x_s - x_t."""
    at = state_time(node, reading)
    if at is not None:
        return at, reading.number(1), {}
    if not isinstance(bare(node), (Quotient, Product, Sum, Letter)):
        return None
    try:
        found = {key: weight for key, weight in weights(node, reading).items() if not vanishes(weight)}
    except NotUnderstoodError:
        return None
    if not found or len(found) > 1 + isinstance(bare(node), Sum) or not all(key and key[0] == "x" for key in found):
        return None
    key = min(found, key=lambda one: one[1])
    weight = found.pop(key)
    return int(key[1]), weight, found


def start_of(found: dict[Key, Value], at: int) -> int | None:
    """The noisier time that a step starts from, if it is one."""
    times = {key[1] for key in found if key and key[0] in ("x", "E", "S") and not (key[0] == "x" and key[1] == 0)}
    if len(times) == 1 and min(times) > at and at >= 0:
        return int(min(times))
    return None


def _steps(found: dict[Key, Value], at: int, start: int, reading: Reading) -> Iterator[list[Owed]]:
    process = reading.process
    zero = reading.number(0)
    signal, noise = process.signal(start), process.noise(start)
    on_state, on_data = found.get(("x", start), zero), found.get(("x", 0), zero)
    on_noise = sum((weight for key, weight in found.items() if key and key[0] == "E"), zero)
    on_score = sum((weight for key, weight in found.items() if key and key[0] == "S"), zero)
    fresh = [weight for key, weight in found.items() if key and key[0] == "noise" and not vanishes(weight)]
    total_noise = on_noise - on_score / noise
    data, eps = on_state * signal + on_data, on_state * noise + total_noise
    signs = [Owed("the sign of the fresh noise", zero, one, "<=") for one in fresh]
    marginal = [
        Owed("the weight of x_0", data, process.signal(at)),
        Owed("the variance given x_0", eps**2 + square_sum(fresh, reading), process.noise(at) ** 2),
        Owed("the sign of the predicted noise", zero, eps, "<="),
        *signs,
    ]
    yield marginal
    if at == 0:
        return
    mean = [
        Owed("the weight of x_0", data, process.posterior_mean(start, at, signal, reading.number(1))),
        Owed("the weight of the noise", eps, process.posterior_mean(start, at, noise, zero)),
        *signs,
    ]
    has_noise = any(key and key[0] == "noise" for key in found)
    for spread in _spreads(fresh, has_noise, at, start, reading) if fresh or not has_noise else ():
        yield [*mean, *spread]
    if process.convention in ("ddpm", "ve") and vanishes(on_data):
        yield from _discretised(on_state, -noise * total_noise, fresh, at, start, reading)


def _spreads(fresh: list[Value], has_noise: bool, at: int, start: int, reading: Reading) -> Iterator[list[Owed]]:
    """The noises that are in use with the mean of the posterior: none, one's own choice, or one of the two common ones."""
    variance = square_sum(fresh, reading)
    process = reading.process
    if not has_noise:
        yield []
        return
    chosen = chosen_variances(reading)
    if chosen:
        yield from ([Owed("the variance of the fresh noise", variance, one)] for one in chosen)
        return
    yield [Owed("the variance of the fresh noise", variance, process.posterior_variance(start, at))]
    yield [Owed("the variance of the fresh noise", variance, process.added(start, at))]


def _discretised(
    on_state: Value, on_score: Value, fresh: list[Value], at: int, start: int, reading: Reading
) -> Iterator[list[Owed]]:
    """Steps of first order along the reverse process (Song et al. 2021, SDE, appendices D and E)."""
    beta = reading.process.added(start, at)
    one = reading.number(1)
    kept = (one,) if reading.process.convention == "ve" else (2 - reading.algebra.sqrt(1 - beta), one + beta / 2)
    variance = square_sum(fresh, reading)
    for state in kept:
        for share, noise in ((one, beta), (one / 2, reading.number(0))):
            yield [
                Owed("the weight of the state", on_state, state),
                Owed("the weight of the score", on_score, share * beta),
                Owed("the variance of the fresh noise", variance, noise),
                *[Owed("the sign of the fresh noise", 0 * each, each, "<=") for each in fresh],
            ]


def langevin(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Langevin dynamics: x + c score + sqrt(2 c) z."""
    if not link.is_equation or reading.mode != "plain":
        return
    left = bare(link.left)
    if not isinstance(left, Letter) or left.base not in ("x", "z"):
        return
    found = weights(link.right, reading)
    scores = [key for key in found if key and key[0] in ("S", "E")]
    noises = [key for key in found if key and key[0] == "noise"]
    states = [key for key in found if key and key[0] == "x" and not vanishes(found[key])]
    if len(scores) != 1 or len(noises) != 1 or len(states) != 1 or not vanishes(found[()]):
        return
    if scores[0][0] == "E" and ("score",) not in reading.fixed:
        on_score = -found[scores[0]] * reading.process.noise(scores[0][1])
    else:
        on_score = found[scores[0]]
    at = state_time(left, reading)
    if at is not None and at < states[0][1] and _is_of_the_process(reading):
        return  # a step of the reverse process, whose noise goes with twice the score
    yield [
        Owed("the time of the score", reading.number(scores[0][1]), reading.number(states[0][1])),
        Owed("whether the state moves", reading.number(int(at == states[0][1])), reading.number(0)),
        Owed("the weight of the state", found[states[0]], reading.number(1)),
        Owed("the variance of the fresh noise", found[noises[0]] ** 2, 2 * on_score),
        Owed("the sign of the fresh noise", reading.number(0), found[noises[0]], "<="),
    ]


def _is_of_the_process(reading: Reading) -> bool:
    """Whether the size of a step is one of the process: a small time, or what its levels and rates make; else it is anybody's."""
    return not any(key[0] == "free" and not str(key[1]).startswith(("dt", "sigma")) for key in reading.seen)
