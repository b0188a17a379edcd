r"""The probe: recover the numbers of every step, exactly.

Within one run the state at query k + 1 is, for every family we know of,

.. math:: x_{k+1} = p_k\,x_k + q_k\,\hat x_{0,k} + c_k\,z_k

with :math:`\hat x_0` what the model said the data is. The answers are ours to choose. Two runs on the same noise with
different starting points and different random answers differ by :math:`\Delta x_{k+1} = p_k \Delta x_k + q_k \Delta
\hat x_{0,k}`: the noise is gone, and (p_k, q_k) follow from least squares over all elements of the batch. There are many
more equations than unknowns, so what is left over tells whether the step is affine at all. What the recovered step does
not explain of a run is its noise; where the draws were recorded, c_k follows from them without a random error.

Answers stay within [-1/2, 1/2], so that a sampler that clips its prediction of the data to [-1, 1] does not get to clip;
one more run with larger answers shows whether it does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ..schedule import Array, Mask, Schedule
from .clipping import Clipping, clipping
from .faults import SamplerFault
from .running import Answer, Noise, Run, over_its_arrays, run
from .target import Target

ELEMENTS = 256
"""Numbers in the batch of states, at least: so many equations there are for every weight."""
AFFINE = 2.0**23
"""A step is affine when what least squares leaves over is below this many roundings of it: 1e-9 of a step in double precision."""
COARSELY_AFFINE = 0.01
"""And below this share of it, or so many roundings, however coarse they are."""
FEW = 16
FINE = 2.0**-24
"""Down to single precision, what rounding may leave of a step is so small that noise below it is none."""
LOST = 2.0**8
"""So many roundings of single precision are what a sampler in double precision may lose by keeping something in single."""
PROPORTIONAL, CLEARLY = 0.999, 0.9
"""How like a draw noise has to be, as a cosine, to be that draw: where rounding is small, and where it is not."""
FEW_NUMBERS = 1024
"""In answers that are kept."""
Indices = np.ndarray[Any, np.dtype[np.intp]]
NO_SIGNAL = 2.0**-80
"""A level below this is 0: no step finds out about the data by dividing by its root."""
SMALL, LARGE = 0.5, 8.0
"""Ranges of the answers: inside every common clipping range, and outside."""


@dataclass(frozen=True)
class Observation:
    """What a sampler was seen to do, in N steps.

    Attributes:
        target: the sampler.
        times: (N,): the times it told the model.
        levels: (N,): abar at those times, as the target reads them.
        x_t, x_0: (N,): the weights p and q.
        z: (N,): the weight c of the fresh noise, from the recorded draws; NaN where the noise is hidden, 0 where there is none.
        residual: (N,): what is not affine, relative to the step.
        offset: (N,): what a step adds that depends on nothing, the largest over the elements.
        remembers: (N,): whether a step can only be explained with the predictions before it.
        noise: (N, batch, d): the noise of every step in a run of its own; rounding where there is none, and no constant either.
        draw_of_step: (N,): the index of the recorded draw that explains the noise; -1 for none.
        run: that run.
        varied: a run on the same noise from other states, with other answers.
        large: a run on the same noise from the same states, with large answers.
        drawn: how many normal draws were recorded.
        replays: whether the same seed gave the same run; None where that was not asked.
        seeds_differ: whether another seed gave another run; None where that was not asked.
        start: how many times x_init the first query holds.
        start_noise: the scale of the fresh noise in the first query, as far as it could be recorded.
        start_residual: what of the first query neither explains, relative.
        clip: what becomes of large predictions of the data.
    """

    target: Target
    times: Array
    levels: Array
    x_t: Array
    x_0: Array
    z: Array
    residual: Array
    offset: Array
    remembers: Mask
    noise: Array
    draw_of_step: Array
    run: Run
    varied: Run
    large: Run
    drawn: int
    replays: bool | None
    seeds_differ: bool | None
    start: float
    start_noise: float
    start_residual: float
    clip: Clipping

    @property
    def steps(self) -> int:
        """N, the number of times the model was asked."""
        return self.times.size

    @cached_property
    def schedule(self) -> Schedule:
        """The table of levels: the target's, or that of the levels it was seen at, where its times are no indices of a table."""
        if self.target.schedule is not None:
            return self.target.schedule
        return Schedule(np.concatenate([[1.0], np.unique(self.levels[self.levels < 1])[::-1]]), "the levels it was asked at")

    @cached_property
    def indices(self) -> Array:
        """(N,): array indices of the queries in that table."""
        if self.target.schedule is not None:
            return self.times
        return np.asarray(self.schedule.timesteps - 1.0 - np.searchsorted(self.schedule.abar[:0:-1], self.levels))

    @cached_property
    def affine(self) -> Mask:
        """(N,): whether the step is an affine map of the state and the present prediction alone."""
        within = affine_within(self.run.unit) * _on_the_way(self.levels, self.x_t, self.x_0)
        return np.asarray((self.residual < np.minimum(within, _coarsely(self.run.unit))) & ~self.remembers)

    @cached_property
    def resolution(self) -> tuple[Array, Array, Array]:
        """(N,) each: how finely x_t, x_0 and z could be recovered.

        Coarsely where the state has grown far beyond the answers, where little signal is left to tell the data by, and
        where the noise is hidden and only its draws tell its scale.
        """
        size = np.abs(self.run.x).max(axis=(1, 2))
        on_the_way = _on_the_way(self.levels, self.x_t, self.x_0)
        error = 16 * self.run.unit * np.maximum(on_the_way * size[:-1], size[1:])
        by_draws = np.where(self.hidden, 6 * self.scale / np.sqrt(2 * self.noise[0].size), 0.0)
        rounding = _rounding(self.run, self.levels, self.x_t, self.x_0)
        return error / np.maximum(size[:-1], SMALL), error / SMALL, np.maximum(rounding, by_draws)

    @cached_property
    def scale(self) -> Array:
        """(N,): the weight of the noise: z where it is known, else the root mean square of what was added."""
        return np.asarray(np.where(self.hidden, np.sqrt((self.noise**2).mean(axis=(1, 2))), self.z))

    @cached_property
    def noisy(self) -> Mask:
        """(N,): whether the step adds noise, beyond what rounding would leave."""
        scale = np.sqrt((self.noise**2).mean(axis=(1, 2)))
        return np.asarray((self.z > 0) | (scale > _rounding(self.run, self.levels, self.x_t, self.x_0)))

    @cached_property
    def hidden(self) -> Mask:
        """(N,): whether the step adds noise that no recorded draw explains."""
        return np.asarray(self.noisy & (self.draw_of_step < 0))


def observe(target: Target, *, seed: int = 0, timeout: float = float("inf"), seeds: bool = True) -> Observation:
    """Observe a sampler: a handful of runs, none of them random beyond their seed.

    Args:
        target: the sampler.
        seed: seeds the probe's own answers, and is the seed that the sampler is handed.
        timeout: seconds for all runs together.
        seeds: whether it is also asked what the seed does, in two runs more.

    Raises:
        SamplerFault: if the sampler breaks the contract.
    """
    deadline = time.monotonic() + timeout
    rng = generator(seed)
    shape = (max(2, -(-ELEMENTS // target.dimensions)), target.dimensions)
    start, other_start = rng.standard_normal(shape), rng.standard_normal(shape)

    target, natural = over_its_arrays(target, lambda it: run(it, answers(seed, SMALL), start, seed, deadline=deadline))
    if natural.unanswerable:
        _refuse_if_heard(natural, run(target, answers(seed, SMALL), start, seed, deadline=deadline, without_noise=1.0))
    replayed = replay(natural)
    natural.unit = max(natural.unit, _unit_of_numbers(natural.x[1:]))
    once_more = [run(target, answers(seed, SMALL), start, seed + i, deadline=deadline) for i in range(2 if seeds else 0)]
    same: list[bool | None] = [np.array_equal(one.x, natural.x) for one in once_more] or [None, None]
    varied = run(target, answers(seed + 1, SMALL), other_start, seed, noise=replayed, deadline=deadline)
    large = run(target, answers(seed, LARGE), start, seed, noise=replayed, deadline=deadline)

    same_grid = varied.times.shape == natural.times.shape and np.array_equal(varied.times, natural.times)
    alone = [_alone(natural, varied, k) for k in range(natural.times.size)] if same_grid else []
    if kept_in_single(natural.unit, max((left for _, left in alone), default=0.0)):
        natural.unit = FINE
    steps = [_fit(natural, varied, k, *one) for k, one in enumerate(alone)]
    p, q, residual, remembers = (
        (np.array(column) for column in zip(*steps, strict=True)) if steps else _unfitted(natural.times.size)
    )
    noise = natural.unexplained(p, q)
    levels = natural.levels
    c, draw_of_step, offset = _explain(noise, natural, _rounding(natural, levels, p, q))
    (start_scale, *start_noise), start_residual = _least_squares(
        np.concatenate([_given(start, natural), _given(other_start, varied)]),
        np.concatenate([natural.x[0], varied.x[0]]).ravel(),
    )
    return Observation(
        target=target,
        times=natural.times,
        levels=levels,
        x_t=p,
        x_0=q,
        z=c,
        residual=residual,
        offset=offset,
        remembers=remembers,
        noise=noise - np.where(draw_of_step < 0, offset, 0.0)[:, None, None],
        draw_of_step=draw_of_step,
        run=natural,
        varied=varied,
        large=large,
        drawn=len(natural.draws),
        replays=same[0],
        seeds_differ=None if same[1] is None else not same[1],
        start=float(start_scale),
        start_noise=float(np.linalg.norm(start_noise)),
        start_residual=start_residual,
        clip=clipping(large, natural, p, q, p * np.sqrt(levels) + q),
    )


def _refuse_if_heard(one: Run, other: Run) -> None:
    """Nobody can judge what is made of an answer that no exact model has; that of who asks and does not listen, anybody can."""
    if not np.array_equal(one.x, other.x):
        k = one.unanswerable[0]
        raise SamplerFault(
            "no-answer",
            f"query {k} (t = {one.times[k]:g}) asks for noise or a velocity at a level without noise, where no exact model has an "
            "answer: take the last step without that question, or end just above.",
        )


def _given(start: Array, seen: Run) -> Array:
    """What a first query can hold, in columns: x_init, and every draw before it."""
    drawn = [draw for draw, asked in zip(seen.draws, seen.drawn_before, strict=True) if asked == 0]
    return np.stack([start.ravel(), *(draw.ravel() for draw in drawn)], axis=1)


def more_noise(observation: Observation, rows: int, *, seed: int, deadline: float = float("inf")) -> Array:
    """The noise of every step in a run of that many rows and of its own seed, shape (N, rows, d)."""
    start = generator(seed).standard_normal((rows, observation.target.dimensions))
    fresh = run(observation.target, answers(seed, SMALL), start, seed, deadline=deadline)
    return fresh.unexplained(observation.x_t, observation.x_0)


def _rounding(seen: Run, levels: Array, p: Array, q: Array) -> Array:
    """(N,): what rounding may leave of every step, and so what is not called noise.

    A step that predicts the data divides the state by sqrt(abar_t) on the way, and its rounding errors with it.
    """
    size = np.maximum(1.0, np.maximum(np.abs(seen.x[:-1]).max(axis=(1, 2)), np.abs(seen.x[1:]).max(axis=(1, 2))))
    return np.asarray(1e3 * seen.unit * size * _on_the_way(levels, p, q))


def _on_the_way(levels: Array, p: Array, q: Array) -> Array:
    """(N,): by how much a step enlarges the rounding of its state, if it predicts the data on the way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        signal = np.where(levels > NO_SIGNAL, np.sqrt(levels), np.inf)
        return np.maximum(1.0, np.nan_to_num(np.abs(p) + np.abs(q) / signal, nan=1.0, posinf=1.0))


def _unit_of_numbers(x: Array) -> float:
    """Unit roundoff of single precision where every number is one of single precision, else of double."""
    with np.errstate(over="ignore"):
        return 2.0**-24 if np.array_equal(x, x.astype(np.float32)) else 2.0**-53


def affine_within(unit: float) -> float:
    """What least squares may leave over of an affine step, at a unit roundoff."""
    return min(AFFINE * unit, _coarsely(unit))


def _coarsely(unit: float) -> float:
    return max(COARSELY_AFFINE, FEW * unit)


def answers(seed: int, size: float) -> Answer:
    """Random data for every query, uniform in [-size, size]; a query's answer depends on its number alone."""

    def answer(k: int, x: Array, abar: float) -> Array:
        make = _kept_uniform if x.size <= FEW_NUMBERS else _uniform
        return make(seed, k, size, x.shape)

    return answer


def _uniform(seed: int, k: int, size: float, shape: tuple[int, ...]) -> Array:
    """The answer to the k-th query, which nobody changes: it is given in many runs."""
    numbers = np.asarray(generator([seed, k]).uniform(-size, size, shape))
    numbers.flags.writeable = False
    return numbers


_kept_uniform = lru_cache(maxsize=4096)(_uniform)


def generator(seed: int | list[int], make: type = np.random.Generator) -> np.random.Generator:
    """A generator of the probe's own; bound early, since taps replace the name while they are open."""
    return make(np.random.PCG64(seed))  # type: ignore[no-any-return]


def replay(recorded: Run) -> Noise | None:
    """The draws of an earlier run once more, or None where that run showed none."""
    if not recorded.draws:
        return None

    def noise(i: int, shape: tuple[int, ...]) -> Array:
        return recorded.draws[i] if i < len(recorded.draws) else np.zeros(shape)

    return noise


def kept_in_single(unit: float, left: float) -> bool:
    """Whether what is left of affine maps in double precision is what is lost where something on the way is kept in single."""
    return unit < FINE and affine_within(unit) < left <= LOST * FINE


def _difference(first: Run, second: Run, values: str, i: int) -> Array:
    return np.asarray(getattr(first, values)[i] - getattr(second, values)[i]).ravel()


def _present(first: Run, second: Run, k: int) -> Array:
    return np.stack([_difference(first, second, values, k) for values in ("x", "answers")], axis=1)


def _alone(first: Run, second: Run, k: int) -> tuple[Array, float]:
    """((p, q), residual) of step k from its state and the present prediction alone."""
    return _least_squares(_present(first, second, k), _difference(first, second, "x", k + 1))


def _fit(first: Run, second: Run, k: int, weights: Array, residual: float) -> tuple[float, float, float, bool]:
    """(p, q, residual, remembers) of step k from the difference of two runs on one noise, with what its present makes of it."""
    within = affine_within(max(first.unit, second.unit))
    if residual < within or k == 0:
        return float(weights[0]), float(weights[1]), residual, False
    past = [_difference(first, second, values, i) for i in range(max(0, k - 2), k) for values in ("x", "answers")]
    columns = np.column_stack([_present(first, second, k), *past])
    _, with_past = _least_squares(columns, _difference(first, second, "x", k + 1))
    return float(weights[0]), float(weights[1]), min(residual, with_past), with_past < within


def _least_squares(columns: Array, target: Array) -> tuple[Array, float]:
    scale = np.sqrt((columns**2).mean(axis=0))
    scale[scale == 0] = 1.0
    weights = np.linalg.lstsq(columns / scale, target, rcond=None)[0] / scale
    size = max(float(np.abs(target).max()), float(np.abs(columns * weights).max()), np.finfo(np.float64).tiny)
    return weights, float(np.abs(columns @ weights - target).max()) / size


def _unfitted(steps: int) -> tuple[Array, Array, Array, Mask]:
    nan = np.full(steps, np.nan)
    return nan, nan.copy(), np.full(steps, np.inf), np.zeros(steps, dtype=bool)


def _explain(noise: Array, natural: Run, rounding: Array) -> tuple[Array, Array, Array]:
    """(c, index of the draw, offset) of every step: the recorded draw that is proportional to its noise."""
    steps = noise.shape[0]
    c, draw_of_step, offset = np.zeros(steps), np.full(steps, -1), np.zeros(steps)
    draws = np.array(natural.draws).reshape(len(natural.draws), noise[0].size) if natural.draws else np.zeros((0, noise[0].size))
    size, drawn_before = np.sqrt((draws**2).sum(axis=1)), np.array(natural.drawn_before)
    for k in range(steps):
        rest = noise[k].ravel()
        fresh = np.flatnonzero(drawn_before == k + 1)
        if not np.isfinite(rest).all():
            continue
        if np.abs(rest).max() <= rounding[k]:
            if natural.unit <= FINE or _likest(rest, draws, size, (fresh,), CLEARLY) < 0:
                continue  # rounding; else noise that stands out from rounding as coarse as it is
        else:
            constant = float(rest.mean())
            if np.abs(rest - constant).max() <= rounding[k]:
                offset[k] = constant
                continue
            c[k] = np.nan
        best = _likest(rest, draws, size, (fresh, np.arange(size.size)), PROPORTIONAL if np.isnan(c[k]) else CLEARLY)
        if best < 0:
            continue
        (weight, constant), left = _least_squares(np.column_stack([draws[best], np.ones_like(rest)]), rest)
        if left < max(affine_within(natural.unit), 8 * rounding[k] / float(np.abs(rest).max())):
            c[k], draw_of_step[k] = abs(weight), best
            offset[k] = constant if abs(constant) > rounding[k] else 0.0
    return c, draw_of_step, offset


def _likest(rest: Array, draws: Array, size: Array, among_these: tuple[Indices, ...], least: float) -> int:
    """The draw that is proportional to the noise, of the first of these in which one is so to that degree; -1 if there is none."""
    for among in among_these:
        likeness = np.abs(draws[among] @ rest) / np.maximum(size[among] * np.sqrt(rest @ rest), np.finfo(np.float64).tiny)
        if likeness.size and likeness.max() > least:
            return int(among[np.argmax(likeness)])
    return -1
