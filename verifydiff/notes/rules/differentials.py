r"""Stochastic differential equations and the probability flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from ..algebra import POSITIVE, Value
from ..meanings import read, value
from ..process import FLOWS
from ..reading import Normal, Reading
from ..said import is_learned, name_of
from ..tokens import NotUnderstoodError
from ..tree import Call, Differential, Gradient, Large, Letter, Node, Number, Power, Quotient, Sum, walk
from .link import Link, Owed, bare, vanishes
from .motions import Direction, exploding, marginal_drift, speaks_of_a_process, still

MOTIONS = ("W", "w", "B", "b", "omega")


def differential(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A stochastic differential equation, or the probability flow, in the time of the process."""
    parts = _parts(link, reading)
    if parts is None:
        return
    drift, diffusion = parts
    if reading.process.convention in FLOWS:
        at = reading.main
        eps, data = reading.predicted_noise(at), reading.predicted_data(at)
        pushed = reading.number(Fraction(1, 2)) * diffusion**2 * reading.score(at)
        velocity = reading.velocity(at, eps, data)
        yield [Owed("the velocity", drift, velocity + pushed)]
        if not vanishes(diffusion):
            yield [Owed("the velocity", drift, velocity - pushed)]
            return
        yield [Owed("the velocity", drift, reading.velocity(at, reading.eps(at), reading.state(0)))]
        return
    scored = [key for key in reading.seen if key[0] == "S"]
    if scored and not speaks_of_a_process(reading) and not vanishes(diffusion):
        pushes = []
        for score in (0, 1):
            with reading.fixing(dict.fromkeys(scored, reading.number(score))):
                pushes.append(_drift_and_diffusion(link.right, False, reading)[0])
        yield still(pushes[0], pushes[1] - pushes[0], diffusion, reading)
        yield exploding(pushes[0], pushes[1] - pushes[0], diffusion, reading)
        return
    is_reversed = bool(scored) and any(_is_reversed_motion(one) for one in walk(link.right))
    directions = (Direction.REVERSE,) if is_reversed or vanishes(diffusion) else (Direction.FORWARD, Direction.REVERSE)
    yield from marginal_drift(drift, diffusion, directions, reading, reading.main)


def backward(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The same in a time of its own, which runs backward along that of the process."""
    parts = _parts(link, reading)
    if parts is None or reading.process.convention in FLOWS or (vanishes(parts[1]) and not turns_time(link)):
        return
    yield from marginal_drift(*parts, (Direction.BACKWARD,), reading, reading.main)


def coefficients(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""The drift :math:`f` and the squared diffusion :math:`g^2` of a process, by its rate or by its levels.

    .. math:: f = \frac{d \log \alpha}{dt}, \qquad g^2 = \frac{d \sigma^2}{dt} - 2 \frac{d \log \alpha}{dt} \sigma^2
    """
    name, power = _coefficient(link.left)
    if not link.is_equation or not name or ("continuous",) not in reading.fixed:
        return
    reading.seen.clear()
    found = value(link.right, reading)
    if any(key[0] in ("drift", "u", "free", "E", "S") for key in reading.seen):
        return
    met = {key[:2] for key in reading.seen}
    half, x = reading.number(Fraction(1, 2)), reading.state(reading.main)
    if ("rate", "beta") in met:
        beta = reading.letter(("rate", "beta"), r"\beta", POSITIVE)
        scale = x if any(key[0] == "x" for key in reading.seen) else reading.number(1)
        whole = reading.letter(("integral", "beta"), r"\int\beta", POSITIVE)
        squares = (beta, 2 * beta, beta * (1 - reading.algebra.exp(-2 * whole)))
        options = (
            [-half * beta * scale, -beta * scale] if name == "f" else [reading.algebra.power(one, half * power) for one in squares]
        )
    elif reading.process.convention == "signal" and ("rate", "alpha") in met:
        at = reading.main
        falls, grows = reading.rate("alpha"), reading.rate("sigma")
        slope, noise = falls / reading.process.signal(at), reading.process.noise(at)
        square = 2 * noise * grows - 2 * slope * noise**2
        options = [slope] if name == "f" else [reading.algebra.power(square, half * power)]
    else:
        return
    for one in options:
        yield [Owed("the drift" if name == "f" else "the diffusion", found, one)]


def moments(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""How mean and variance move: :math:`\dot m = -\tfrac12 \beta m`, :math:`\dot V = \beta (1 - V)` if it is kept."""
    left = bare(link.left)
    if not isinstance(left, Quotient) or not isinstance(left.above, Differential) or not isinstance(left.below, Differential):
        return
    letter = left.above.of.function if isinstance(left.above.of, Call) else left.above.of
    if not link.is_equation or not isinstance(letter, Letter) or letter.base not in ("mu", "m", "Sigma", "V", "P"):
        return
    found, moment = value(link.right, reading), value(left.above.of, reading)
    if ("rate", "beta") not in {key[:2] for key in reading.seen}:
        return
    beta = reading.letter(("rate", "beta"), r"\beta", POSITIVE)
    reading.unknown.pop(letter.base, None)  # which is what moves, whatever it is
    if letter.base in ("mu", "m"):
        yield [Owed("how the mean moves", found, -reading.number(Fraction(1, 2)) * beta * moment)]
    else:
        yield [Owed("how the variance moves", found, beta * (1 - moment))]


def integrated_rate(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""The integral of a rate that the page has given, :math:`\int_0^t \beta(s)\,ds`: it begins at 0 and grows by that rate."""
    left = bare(link.left)
    if not isinstance(left, Large) or left.kind != "int" or not isinstance(left.body, Call) or not isinstance(left.high, Letter):
        return
    body, end = left.body.function, left.high
    if not link.is_equation or body.index or reading.process.convention != "vp-time":
        return
    said = reading.known.schedules.get(name_of(body))
    named = said.arguments[0] if said is not None else None
    if said is None or not isinstance(named, Letter):
        return
    time = ("clock",)

    def at(node: Node, letter: Letter, moment: Value) -> Value:
        with reading.fixing({time: moment, (*time, letter.base): moment}):
            return value(node, reading)

    zero, now = reading.number(0), reading.letter(time, "t", POSITIVE)
    slope = reading.algebra.slope(lambda moment: at(link.right, end, moment), now, "moment")
    yield [
        Owed("how the integral grows", slope, at(said.body, named, now)),
        Owed("the integral at its beginning", at(link.right, end, zero), zero),
    ]


def _coefficient(node: Node) -> tuple[str, int]:
    """Which coefficient stands alone on a side, and to which power."""
    node, power = bare(node), 1
    if isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value == 2:
        node, power = bare(node.base), 2
    letter = node.function if isinstance(node, Call) else node
    if not isinstance(letter, Letter) or letter.base not in ("f", "g") or letter.marks or letter.upper or is_learned(letter):
        return "", 0
    return letter.base, power


def turns_time(link: Link) -> bool:
    """Whether the process is looked at from its end: a score at T - t."""
    return any(isinstance(one, Sum) and _is_from_the_end(one) for one in walk(link.right))


def _is_from_the_end(node: Sum) -> bool:
    bodies = [term.body for term in node.terms]
    signs = [term.sign for term in node.terms]
    return signs == [1, -1] and all(isinstance(one, Letter) for one in bodies) and getattr(bodies[0], "base", "") == "T"


def _is_reversed_motion(node: Node) -> bool:
    letter = node.of.function if isinstance(node, Differential) and isinstance(node.of, Call) else getattr(node, "of", None)
    return isinstance(letter, Letter) and letter.base in MOTIONS and "bar" in letter.marks


def _parts(link: Link, reading: Reading) -> tuple[Value, Value] | None:
    """The drift and the diffusion of an equation; None if the link is none."""
    if not link.is_equation or ("continuous",) not in reading.fixed or reading.mode == "unified":
        return None
    left = bare(link.left)
    by_time = isinstance(left, Quotient) and isinstance(left.above, Differential) and isinstance(left.below, Differential)
    top = left.above if by_time and isinstance(left, Quotient) else left
    if isinstance(left, Letter) and left.marks == ("dot",):
        by_time, top = True, Differential(0, 0, replace(left, marks=()))
    if isinstance(left, Gradient) and _is_plain_state(left.body) and isinstance(left.along, Letter):
        by_time, top = True, Differential(0, 0, Letter(0, 0, "x"))
    if not isinstance(top, Differential) or not _is_plain_state(top.of):
        return None
    return _drift_and_diffusion(link.right, by_time, reading)


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


def _moves_by_noise(node: Node) -> bool:
    """Whether the noise level is the time: d sigma stands alone, under no other differential."""
    held = {one.of.base for one in walk(node) if isinstance(one, Differential) and isinstance(one.of, Letter)}
    return "sigma" in held and "t" not in held


def _is_plain_state(node: Node) -> bool:
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base in ("x", "X", "y", "z") and not letter.marks


def _drift_and_diffusion(node: Node, by_time: bool, reading: Reading) -> tuple[Value, Value]:
    zero, one = reading.number(0), reading.number(1)
    if by_time:
        return value(node, reading), zero
    time = ("d", "sigma") if reading.process.convention == "ve" and _moves_by_noise(node) else ("d", "t")
    with reading.fixing({time: one, ("d", "w"): zero}):
        drift = value(node, reading)
    with reading.fixing({time: zero, ("d", "w"): one}):
        diffusion = value(node, reading)
    with reading.fixing({time: one + one, ("d", "w"): one + one + one}):
        whole = value(node, reading)
    if isinstance(whole, complex) and abs(whole - 2 * drift - 3 * diffusion) > 1e-9 * (1 + abs(whole)):
        raise NotUnderstoodError("d", node.start, "not linear in dt and dw")
    return drift, diffusion


def _is_rate(node: Node) -> bool:
    """Whether it is beta(t)."""
    return isinstance(node, Call) and node.function.base == "beta" and not node.function.index and not node.function.marks


def is_continuous(link: Link) -> bool:
    """Whether the statement is about continuous time: something is differentiated or drifts."""
    if _coefficient(link.left)[0] and any(_is_rate(one) for one in walk(link.right)):
        return True
    left = bare(link.left)
    if isinstance(left, Letter) and left.base in ("x", "z") and left.marks == ("dot",):
        return True
    return any(isinstance(one, Differential) for side in (link.left, link.right) for one in walk(side)) or any(
        isinstance(one, Gradient) and isinstance(one.along, Letter) and one.along.base == "t" for one in walk(link.left)
    )
