r"""Steps of Euler and Maruyama: an equation that has the marginals, over a small time.

.. math:: x_{t+h} = x_t + D\,h + G \sqrt h\, z, \qquad x_{t-h} = x_t - D\,h + G \sqrt h\, z

The first runs forward if :math:`h > 0`, the second in reverse; where a step is written with :math:`\sqrt{|h|}` or :math:`\sqrt{-h}`
it is negative, and the two change places. In a chain of numbers, :math:`x_{k+1}` from :math:`x_k`, the time of the steps may run
either way along that of the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..algebra import POSITIVE, Value
from ..meanings import value
from ..process import FLOWS
from ..reading import Key, Reading
from ..said import is_learned
from ..tree import Absolute, Call, Letter, Node, Number, Product, Root, Sum, walk
from ..variables import named_states
from ..words import STEPS
from .link import Link, Owed, bare, state_time, vanishes
from .motions import Direction, exploding, marginal_drift, speaks_of_a_process, still


@dataclass(frozen=True)
class _Move:
    """A step as it is written: where it leads, the letter of its size, whether that is negative, and what stands on the left."""

    at: int
    key: Key
    is_negative: bool
    is_difference: bool
    by_size: bool
    is_free: bool = False


def increments(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A step of an equation that has the marginals of the process."""
    move = _move(link, reading) if link.is_equation and reading.mode in ("plain", "optimal") else None
    if move is None or reading.tie != "free" or ("continuous",) not in reading.fixed:
        return
    start = _start(link.right, reading)
    size = reading.letter(move.key, r"\Delta t", POSITIVE) if move.key else reading.number(1)
    turned = -1 if move.is_negative else 1
    with reading.fixing({move.key: turned * size}):
        noises = [key for key in _seen(link.right, reading) if key[0] == "noise"]
    if (move.key and move.key not in reading.seen) or move.at == start:
        return
    speaks = speaks_of_a_process(reading)
    origin = reading.number(0) if move.is_difference else reading.state(start)

    def moved(noise: int, stretch: Value, **scores: int) -> Value:
        fixed = {move.key: turned * size * stretch, **dict.fromkeys(noises, reading.number(noise))}
        if scores:
            fixed |= {key: reading.number(scores["score"]) for key in scored}
        with reading.fixing(fixed):
            return value(link.right, reading) - origin

    scored = [key for key in reading.seen if key[0] == "S"]
    is_later = (move.at > start) != move.is_negative
    elapsed = size if is_later else -size
    drift, diffusion = moved(0, 1) / elapsed, (moved(1, 1) - moved(0, 1)) / reading.algebra.sqrt(size)
    scales = []
    if move.key:
        scales = [Owed("how the noise grows with the step", moved(1, 4) - moved(0, 4), 2 * (moved(1, 1) - moved(0, 1)))]
        if any(map(_is_kept, walk(link.right))):  # to first order: the root of 1 - beta h is 1 - beta h / 2
            drift = reading.algebra.slope(lambda stretch: moved(0, stretch), reading.number(0), "stretch") / elapsed
        else:
            scales.append(Owed("how the drift grows with the step", moved(0, 4), 4 * moved(0, 1)))
    if reading.process.convention in FLOWS:
        velocity = reading.velocity(start, reading.predicted_noise(start), reading.predicted_data(start))
        yield [Owed("the velocity", drift, velocity), *scales, Owed("the noise", diffusion, reading.number(0))]
        return
    if not speaks and scored and not vanishes(diffusion):
        push = (moved(0, 1, score=1) - moved(0, 1, score=0)) / elapsed
        held = still if is_later else exploding
        yield [*held(moved(0, 1, score=0) / elapsed, push, diffusion, reading), *scales]
        return
    directions: tuple[Direction, ...] = (Direction.FORWARD if is_later else Direction.REVERSE,)
    if move.is_free:
        directions = (Direction.FORWARD, Direction.REVERSE)
    elif is_later and not move.by_size and not vanishes(diffusion):
        directions += (Direction.BACKWARD,)
    for owed in marginal_drift(drift, diffusion, directions, reading, start):
        yield [*owed, *scales]


def steps_in_time(link: Link) -> bool:
    """Whether a state moves by a small step that is written with a drift or a diffusion: x_k + h f(x_k) + g z."""
    left = bare(link.left)
    if isinstance(left, Sum):
        left = left.terms[0].body
    letter = left.function if isinstance(left, Call) else left
    if not isinstance(letter, Letter) or letter.base not in ("x", "X", "z"):
        return False
    held = {one.base for one in walk(link.right) if isinstance(one, Letter)}
    return (bool(held & STEPS) and bool(held & {"f", "g", "v", "u"})) or _has_steps_of_its_own(link.right)


def _has_steps_of_its_own(node: Node) -> bool:
    """Whether drift and diffusion are those of a chain, with the step in them: f_i(x_i) and g_i, or G_i."""
    letters = [one.function if isinstance(one, Call) else one for one in walk(node)]
    chained = {
        one.base
        for one in letters
        if isinstance(one, Letter) and one.index and not one.upper and not is_learned(one) and one.base in "fgG"
    }
    return "f" in chained and bool(chained & {"g", "G"})


def _move(link: Link, reading: Reading) -> _Move | None:
    """How the left side of a step is written: a state, or what it is less the state before it; None if it is none."""
    left = bare(link.left)
    name = next((one.base for one in walk(link.right) if isinstance(one, Letter) and one.base in STEPS), None)
    if name is None and not _has_steps_of_its_own(link.right):
        return None
    key = ("free", name, "") if name else ()
    is_negative = any(map(_is_negative, walk(link.right)))
    if _is_change(left):
        return _Move(_start(link.right, reading) + 3, key, is_negative, True, True, is_free=not is_negative)
    is_difference = isinstance(left, Sum) and [term.sign for term in left.terms] == [1, -1]
    if is_difference and isinstance(left, Sum):
        if state_time(left.terms[1].body, reading) != _start(link.right, reading):
            return None
        left = left.terms[0].body
    at = state_time(left, reading)
    if at is None:
        return None
    by_size = any(isinstance(one, Letter) and one.base in STEPS for one in walk(left))
    return _Move(at, key, is_negative, is_difference, by_size)


def _start(node: Node, reading: Reading) -> int:
    """The time of the one state that stands on the right; the main one if there are several."""
    times = {key[1] for key in named_states(node, reading) if key[0] == "x"}
    return int(times.pop()) if len(times) == 1 else reading.main


def _is_change(node: Node) -> bool:
    r"""Whether it is \Delta x."""
    return (
        isinstance(node, Product)
        and len(node.factors) == 2
        and all(isinstance(one, Letter) for one in node.factors)
        and [getattr(one, "base", "") for one in node.factors] in (["Delta", "x"], ["delta", "x"])
    )


def _is_negative(node: Node) -> bool:
    """Whether it says that a step is negative: |h|, or the root of -h."""
    if isinstance(node, Absolute):
        return _is_step(node.body)
    if not isinstance(node, Root):
        return False
    for one in walk(node.body):
        if isinstance(one, Sum) and len(one.terms) == 1 and one.terms[0].sign < 0:
            inner = one.terms[0].body
            factors = inner.factors if isinstance(inner, Product) else (inner,)
            if any(map(_is_step, factors)) and not any(isinstance(each, Number) for each in factors):
                return True
    return False


def _is_kept(node: Node) -> bool:
    """Whether it is the root of one less a step."""
    body = bare(node.body) if isinstance(node, Root) else None
    return isinstance(body, Sum) and len(body.terms) == 2 and any(map(_is_step, walk(body)))


def _is_step(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in STEPS and not node.marks


def _seen(node: Node, reading: Reading) -> frozenset[Key]:
    reading.seen.clear()
    value(node, reading)
    return frozenset(reading.seen)
