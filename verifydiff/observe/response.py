r"""The response: every state of a run as an affine map of all that the run was given.

Whatever the method, how many predictions it remembers and how often it asks within a step: as long as it does arithmetic on what it
is given, the state at query k is

.. math:: x_k = A_k\,x_T + \sum_{j < k} B_{kj}\,\hat x_{0,j} + \sum_i C_{ki}\,z_i

and so is what it returns, for k = N. Two runs on one seed, whose batches differ by one small unit vector in every row (x_T in
the first, the j-th answer in the next N, the i-th draw in the last M), yield A, B and C at once: noise that cannot be reached
is the same in both and drops out. Further rows, moved in all directions at once, tell whether the map is affine at all. Where it
is, and no noise is left over, the second run is enough for the weights, since its first row is not moved; the other has told how
often the model is asked. Who knows that beforehand needs one run.

All that is asked of a method follows from these three arrays by arithmetic: the levels its steps lead to, the law it ends in on
any Gaussian data, its order of convergence.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..schedule import Array
from .faults import SamplerFault
from .frame import Frame
from .once import once
from .probe import FINE, SMALL, affine_within, answers, generator, kept_in_single, replay
from .running import Run, run
from .target import Target

DOUBLE = 2.0**-53
"""Unit roundoff of double precision."""
NUDGE = 2.0**-4
"""Length of the unit vectors: small enough to stay within every clipping range with the answers, large against their rounding."""
COARSE_NUDGE = 2.0**-2
"""The same where states come in less than double precision."""
PLACES = 2.0**8
"""So many parts of 1 are told apart in draws, and in directions; nudged, they take some 16 binary places."""
LIKELY, PER_QUERY = 2.0**6, 2.0
"""So many roundings of a state, and so many more for every one of its weights."""
HIDDEN = 2.0**14
"""What nothing explains of a state is noise when it is more than so many roundings."""
EXPLAINED = 2.0**6
"""And is rounding for sure when in no row it is more than so many."""
COMBINATIONS = 2
"""Rows that are moved in all directions at once."""


@dataclass(frozen=True)
class Response:
    """What a sampler makes of all that it is given, in N queries and M draws.

    Attributes:
        target: the sampler.
        run: the run that all else is told against, one row.
        start: (N + 1,): A, the weight of x_T in every state; the last is that of what was returned.
        answers: (N + 1, N): B, the weights of the predictions of the data.
        draws: (N + 1, M): C, the weights of the standard normal draws that could be reached.
        residual: (N + 1,): what of the state is not affine, relative to its size.
        spread: (N + 1,): the root mean square of what neither x_T, nor a prediction, nor a draw explains.
        unit: unit roundoff of the coarsest type that states came in.
    """

    target: Target
    run: Run
    start: Array
    answers: Array
    draws: Array
    residual: Array
    spread: Array
    unit: float

    @property
    def queries(self) -> int:
        """N, the number of times the model was asked."""
        return self.start.size - 1

    @property
    def frames(self) -> list[Frame]:
        """What the states hold as the sampler means it, N + 1 of them: at every query, and in the end."""
        return [*self.run.meant, self.target.end]

    @cached_property
    def alpha(self) -> Array:
        """(N + 1,): sqrt(abar) of every state."""
        return np.array([frame.preserving.alpha for frame in self.frames])

    @cached_property
    def sigma(self) -> Array:
        """(N + 1,): sqrt(1 - abar) of every state."""
        return np.array([frame.preserving.sigma for frame in self.frames])

    @cached_property
    def sizes(self) -> Array:
        """(N + 1,): of what a state is summed of."""
        given = np.abs(self.answers).sum(axis=1) + np.abs(self.draws).sum(axis=1)
        return np.asarray(1 + np.abs(self.run.x).max(axis=(1, 2)) + given)

    @cached_property
    def rounding(self) -> Array:
        """(N + 1,): what rounding may leave of a state: of what it is summed of, over the widest range of scales on its way."""
        scales = [frame.noise_over_signal for frame in self.frames if frame.alpha > 2.0**-40]
        return np.asarray(self.unit * self.sizes * max(1.0, *scales))

    def unexplained(self, one: Run, other: Run) -> Array:
        """(N + 1, rows, d): what the response leaves of the difference of two other runs, of as many queries, on one noise."""
        started = self.start[:, None, None] * (one.x_init - other.x_init)
        return np.asarray(one.x - other.x - started - np.tensordot(self.answers, one.answers - other.answers, 1))

    @cached_property
    def likely_rounding(self) -> Array:
        """(N + 1,): what rounding does to a state and to its weights where a method is written with care.

        In less than double precision :attr:`rounding`, which holds for any order of operations, would hide mistakes.
        """
        return np.asarray(self.unit * self.sizes * (LIKELY + PER_QUERY * self.queries))

    @property
    def affine(self) -> bool:
        """Whether every state is an affine map of what was given."""
        return bool((self.residual <= affine_within(self.unit)).all())

    @property
    def hidden(self) -> bool:
        """Whether there is noise that could not be reached."""
        within = HIDDEN * self.rounding if self.unit < FINE else 4 * self.likely_rounding
        return bool((self.spread > within).any())


def respond(target: Target, *, seed: int = 0, timeout: float = float("inf"), queries: int | None = None) -> Response:
    """Observe the whole response of a sampler, in two runs; in three where something is left that the first two do not explain.

    Args:
        target: the sampler.
        seed: seeds the probe's own answers, and is handed to the sampler.
        timeout: seconds for all runs together.
        queries: N, where it is known or can be guessed. A sampler that draws nothing, in double precision, is then seen in one
            run. Its response is the same with any guess; that its times depend on its data, which two runs show, one does not.

    Raises:
        SamplerFault: if the sampler breaks its contract, or asks at other times when its data differ.
    """
    return once(
        None if target.key is None else ("response", target.key, seed),
        lambda: _seen(target, seed, time.monotonic() + timeout, queries),
    )


def _seen(target: Target, seed: int, deadline: float, queries: int | None) -> Response:
    pair = None if queries is None else _at_once(target, queries, seed, deadline)
    first, moved, moves = _one_after_the_other(target, seed, deadline) if pair is None else pair
    weights, residual = _weights(moved, moved.x[:, :1], first, moves)
    rest = _rest(moved, moves, *weights)
    if kept_in_single(moved.unit, float(residual.max())):
        moved.unit = FINE
    response = Response(target, first, *weights, residual, _root_mean_square(rest), moved.unit)
    if response.affine and (np.abs(rest).max(axis=(1, 2)) <= EXPLAINED * response.rounding).all():
        return response
    still = np.zeros_like(moves)
    plain = _nudged(target, first, still, seed, deadline)
    weights, residual = _weights(moved, plain.x, first, moves)
    return Response(target, first, *weights, residual, _root_mean_square(_rest(plain, still, *weights)), moved.unit)


def _one_after_the_other(target: Target, seed: int, deadline: float) -> tuple[Run, Run, Array]:
    """The run of one row, the run of moved rows, and how far each of them was moved."""
    first = run(target, answers(seed, SMALL), _start(target, seed), seed, deadline=deadline)
    moves = _directions(first.times.size, len(first.draws), seed) * (NUDGE if first.unit == DOUBLE else COARSE_NUDGE)
    return first, _nudged(target, first, moves, seed, deadline), moves


def _at_once(target: Target, queries: int, seed: int, deadline: float) -> tuple[Run, Run, Array] | None:
    """The same from one run, whose first row is not moved; None where it asks or draws otherwise than was thought, or fails."""
    moves = _directions(queries, 0, seed) * NUDGE
    plain = answers(seed, SMALL)

    def answer(k: int, x: Array, abar: float) -> Array:
        return np.asarray(plain(k, x[:1], abar) + (moves[:, 2 + k, None] if k < queries else 0.0) + 0.0 * x)

    try:
        moved = run(target, answer, _start(target, seed) + moves[:, 1, None], seed, deadline=deadline)
    except SamplerFault:
        return None  # it is told as it comes in the run of one row
    if moved.times.size != queries or moved.draws or moved.foreign_draws or moved.unit != DOUBLE:
        return None
    return replace(moved, x=moved.x[:, :1], answers=moved.answers[:, :1], x_init=moved.x_init[:1]), moved, moves


def _start(target: Target, seed: int) -> Array:
    """(1, d): what is handed over as x_T, before it is moved."""
    return np.asarray(generator(seed).standard_normal((1, target.dimensions)))


def _directions(queries: int, drawn: int, seed: int) -> Array:
    """(rows, 1 + 1 + N + M): how far each row is moved along nothing, x_T, every answer and every draw."""
    columns = 2 + queries + drawn
    directions = np.zeros((columns + COMBINATIONS, columns))
    ones = np.arange(1, columns)
    directions[ones, ones] = 1.0
    directions[columns:, 1:] = _short(generator([seed, 1]).uniform(-1, 1, (COMBINATIONS, columns - 1)))
    return directions


def _short(values: Array) -> Array:
    """The same in so few binary places that single precision holds them and their sums with nudges: a sampler may keep draws so."""
    return np.asarray(np.round(values * PLACES) / PLACES)


def _nudged(target: Target, first: Run, moves: Array, seed: int, deadline: float) -> Run:
    """A run whose rows all repeat the first one, each moved along its direction."""
    queries = first.times.size
    draw = replay(first)

    def answer(k: int, x: Array, abar: float) -> Array:
        return np.asarray(first.answers[min(k, queries - 1)] + (moves[:, 2 + k, None] if k < queries else 0.0) + 0.0 * x)

    def noise(i: int, shape: tuple[int, ...]) -> Array:
        still = _short(draw(i, (1, shape[1]))) if draw is not None else np.zeros((1, shape[1]))
        return np.asarray(still + (moves[:, 2 + queries + i, None] if 2 + queries + i < moves.shape[1] else 0.0))

    seen = run(target, answer, _start(target, seed) + moves[:, 1, None], seed, noise=noise, deadline=deadline)
    if not np.array_equal(seen.times, first.times):
        raise SamplerFault("no-grid", "the sampler asks at other times when its data differ: it has no grid.")
    return seen


def _weights(moved: Run, plain: Array, first: Run, moves: Array) -> tuple[tuple[Array, Array, Array], Array]:
    """(A, B, C) from the moved rows over those that are not, and what of the difference they leave, relative to the state."""
    effect, queries = moved.x - plain, first.times.size  # (N + 1, rows, d)
    weights = effect.mean(axis=2)[:, 1 : moves.shape[1]] / moves[1, 1]
    size = np.maximum(1.0, np.abs(plain).max(axis=(1, 2)))
    residual = np.abs(effect - (weights @ moves[:, 1:].T)[:, :, None]).max(axis=(1, 2)) / size
    return (weights[:, 0], weights[:, 1 : 1 + queries], weights[:, 1 + queries :]), residual


def _rest(seen: Run, moves: Array, start: Array, to_answers: Array, to_draws: Array) -> Array:
    """(N + 1, rows, d): what nothing explains that the rows were given: noise that could not be reached, and constants."""
    count = min(len(seen.draws), to_draws.shape[1])  # a draw that does not grow with the batch is none of its rows'
    drawn = np.tensordot(to_draws[:, :count], np.array(seen.draws)[:count], 1) if count else np.zeros((start.size, 1, 1))
    given = (seen.x[0, 0] - drawn[0, 0]) / start[0] if start[0] else 0.0  # noise may come before a query
    known = start[:, None, None] * (given + moves[:, 1, None]) + np.tensordot(to_answers, seen.answers, 1) + drawn
    return np.asarray(seen.x - known)


def _root_mean_square(rest: Array) -> Array:
    return np.asarray(np.sqrt((rest**2).mean(axis=(1, 2))))
