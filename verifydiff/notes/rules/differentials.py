r"""Stochastic differential equations and the probability flow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..algebra import POSITIVE, REAL, Value
from ..meanings import read, value
from ..process import RATES
from ..reading import Normal, Reading
from ..tokens import NotUnderstoodError
from ..tree import Call, Differential, Gradient, Letter, Node, Quotient, Sum, walk
from .link import Link, Owed, bare, state_time, vanishes

MOTIONS = ("W", "w", "B", "b", "omega")


def differential(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A stochastic differential equation, or the probability flow."""
    if not link.is_equation or ("continuous",) not in reading.fixed or reading.mode == "unified":
        return
    left = bare(link.left)
    by_time = isinstance(left, Quotient) and isinstance(left.above, Differential) and isinstance(left.below, Differential)
    top = left.above if by_time and isinstance(left, Quotient) else left
    if isinstance(left, Gradient) and _is_plain_state(left.body) and isinstance(left.along, Letter):
        by_time, top = True, Differential(0, 0, Letter(0, 0, "x"))
    if not isinstance(top, Differential) or not _is_plain_state(top.of):
        return
    drift, diffusion = _drift_and_diffusion(link.right, by_time, reading)
    if reading.process.convention == "flow":
        at = reading.main
        eps, data = reading.predicted_noise(at), reading.predicted_data(at)
        yield [Owed("the velocity", drift, reading.velocity(at, eps, data))]
        yield [Owed("the velocity", drift, reading.velocity(at, reading.eps(at), reading.state(0)))]
        return
    yield from _equations(drift, diffusion, reading)


def increments(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""A step of Euler and Maruyama, :math:`x_{t+h} = x_t + D h + G \sqrt{h} z`, of an equation that has the marginals."""
    at = state_time(link.left, reading) if link.is_equation and reading.mode == "plain" else None
    if at is None or reading.tie != "free" or ("continuous",) not in reading.fixed:
        return
    start, step = reading.main, ("free", "dt", "")
    size = reading.letter(step, r"\Delta t", POSITIVE)
    noises = [key for key in _seen(link.right, reading) if key[0] == "noise"]
    if step not in reading.seen or at == start:
        return

    def moved(noise: int, stretch: int) -> Value:
        fixed = {step: size * stretch, **dict.fromkeys(noises, reading.number(noise))}
        with reading.fixing(fixed):
            return value(link.right, reading) - reading.state(start)

    sign = 1 if at > start else -1
    drift, diffusion = sign * moved(0, 1) / size, (moved(1, 1) - moved(0, 1)) / reading.algebra.sqrt(size)
    linear = Owed("how the drift grows with the step", moved(0, 4), 4 * moved(0, 1))
    rooted = Owed("how the noise grows with the step", moved(1, 4) - moved(0, 4), 2 * (moved(1, 1) - moved(0, 1)))
    if reading.process.convention == "flow":
        velocity = reading.velocity(start, reading.predicted_noise(start), reading.predicted_data(start))
        yield [Owed("the velocity", drift, velocity), linear, Owed("the noise", diffusion, reading.number(0))]
        return
    for place, owed in enumerate(_equations(drift, diffusion, reading)):
        if vanishes(diffusion) or place % 3 < 2:
            yield [*owed, linear, rooted]


def _seen(node: Node, reading: Reading) -> frozenset[tuple[object, ...]]:
    reading.seen.clear()
    value(node, reading)
    return frozenset(reading.seen)


def brownian(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""The increments of Brownian motion, :math:`W_t - W_s \sim \mathcal{N}(0, t - s)`."""
    left = bare(link.left)
    if link.relation != "~" or not isinstance(left, Sum) or reading.process.convention != "flow" or len(left.terms) != 2:
        return
    places = [(term.sign, _motion_time(term.body)) for term in left.terms]
    right = read(link.right, reading)
    if any(place is None for _, place in places) or not isinstance(right, Normal) or places[0][0] == places[1][0]:
        return
    passed = sum((sign * value(place, reading) for sign, place in places if place is not None), reading.number(0))
    yield [Owed("the mean", right.mean, reading.number(0)), Owed("the variance", right.variance, passed)]


def _motion_time(node: Node) -> Node | None:
    """The time at which a Brownian motion stands."""
    if isinstance(node, Call) and node.function.base in MOTIONS and len(node.arguments) == 1:
        return node.arguments[0]
    if isinstance(node, Letter) and node.base in MOTIONS and len(node.index) == 1:
        return node.index[0]
    return None


def _is_plain_state(node: Node) -> bool:
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base in ("x", "X", "y", "z") and not letter.marks


def _drift_and_diffusion(node: Node, by_time: bool, reading: Reading) -> tuple[Value, Value]:
    zero, one = reading.number(0), reading.number(1)
    if by_time:
        return value(node, reading), zero
    with reading.fixing({("d", "t"): one, ("d", "w"): zero}):
        drift = value(node, reading)
    with reading.fixing({("d", "t"): zero, ("d", "w"): one}):
        diffusion = value(node, reading)
    with reading.fixing({("d", "t"): one + one, ("d", "w"): one + one + one}):
        whole = value(node, reading)
    if isinstance(whole, complex) and abs(whole - 2 * drift - 3 * diffusion) > 1e-9 * (1 + abs(whole)):
        raise NotUnderstoodError("d", node.start, "not linear in dt and dw")
    return drift, diffusion


def _equations(drift: Value, diffusion: Value, reading: Reading) -> Iterator[list[Owed]]:
    half = reading.number(Fraction(1, 2))
    score = reading.score(reading.main)
    sign = Owed("the sign of the noise", 0 * diffusion, diffusion, "<=")
    for f, g_squared in _processes(reading):
        for direction in (1, -1):
            right = f - half * (g_squared - direction * diffusion**2) * score
            yield [Owed("the drift", drift, right), sign]
        if vanishes(diffusion):
            continue
        backward = half * (g_squared + diffusion**2) * score - f
        yield [Owed("the drift, with time running backward", drift, backward), sign]


def _processes(reading: Reading) -> Iterator[tuple[Value, Value]]:
    """(f, g^2) of the processes that are in use: any, VP, sub-VP, VE, and the general scale of Karras et al."""
    x = reading.state(reading.main)
    letters = {key[:2] for key in reading.seen}
    half = reading.number(Fraction(1, 2))
    if (rate := RATES.get(reading.process.convention)) is not None:
        yield -half * rate * x, reading.number(rate)
        return
    if ("drift", "f") in letters or ("drift", "g") in letters:
        yield reading.letter(("drift", "f"), "f", REAL), reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield reading.letter(("drift", "f"), "f", REAL) * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield 0 * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
    if ("rate", "beta") in letters:
        beta = reading.letter(("rate", "beta"), r"\beta", POSITIVE)
        yield -half * beta * x, beta
        whole = reading.letter(("integral", "beta"), r"\int\beta", POSITIVE)
        yield -half * beta * x, beta * (1 - reading.algebra.exp(-2 * whole))
    if ("rate", "sigma") in letters:
        rate = reading.letter(("rate", "sigma", ""), r"\dot\sigma", POSITIVE)
        key = next((key for key in reading.seen if key[0] == "free" and key[1] == "sigma"), None)
        level = reading.process.noise(reading.main) if key is None else reading.letter(key, r"\sigma")
        yield 0 * x, 2 * level * rate
    elif reading.process.convention == "ve":  # the noise level is the time
        yield 0 * x, 2 * reading.process.noise(reading.main)


def is_continuous(link: Link) -> bool:
    """Whether the statement is about continuous time: something is differentiated or drifts."""
    return any(isinstance(one, Differential) for side in (link.left, link.right) for one in walk(side)) or any(
        isinstance(one, Gradient) and isinstance(one.along, Letter) and one.along.base == "t" for one in walk(link.left)
    )
