r"""The network by itself, no sampler in sight: its loss against the floor, its score against the exact one.

For the exact :math:`\epsilon^*(x_t) = \mathbb{E}[\epsilon \mid x_t]` the loss of any model splits,

.. math:: \mathbb{E}\|\epsilon - \hat\epsilon(x_t)\|^2
          = \mathbb{E}\|\epsilon - \epsilon^*(x_t)\|^2 + \mathbb{E}\|\epsilon^*(x_t) - \hat\epsilon(x_t)\|^2,

into the floor and an excess. The excess is measured by itself: it carries none of the noise of the floor, so that a thousandth of
it shows in thousands of draws where the loss would take millions. Per level the excess over the floor is the same number whatever
the model predicts, since :math:`\hat x_0` and :math:`\hat v` are :math:`\hat\epsilon` times a number that is also the floor's.

The score is :math:`-\hat\epsilon / \sqrt{1 - \bar\alpha_t}`, so its relative error at a level is that of :math:`\hat\epsilon`.

Levels are drawn evenly from t = 1..T, a stratum for every draw. Two errors have a shape of their own and are looked for by name: a
network that answers as if it had been told another time, and one whose answers are all too small or too large by one factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..oracles import Gaussian, Oracle
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding
from .budget import BLOCKS, Budget
from .judging import Interval, gravest, jackknife, judged, mean_of_blocks
from .likelihood import bound_weights
from .model import beside, dtype_of, named, pushed_forward

SHIFTS = (-10, -1, 1, 10)
"""Times that a network may have been told in place of its own, in steps of the table."""
EXPLAINED = 0.2
"""A shape explains an error if no more than this share of it is left."""


@dataclass(frozen=True)
class Bin:
    """A part of the levels.

    Attributes:
        t: the mean time.
        abar: the level there.
        floor: the loss that no model beats, per coordinate, of the noise.
        excess: what the network adds to it, over the floor.
        score: the error of the score over the score, root mean square.
    """

    t: float
    abar: float
    floor: float
    excess: Interval
    score: Interval


@dataclass(frozen=True)
class Denoising:
    """What the network is worth by itself.

    Attributes:
        prediction: what its loss is over: ``eps``, ``x0`` or ``v``.
        floor: of that loss, averaged over the levels.
        excess: over the floor.
        score: the error of the score over the score, over all levels.
        bins: level by level, cleanest first.
        shapes: names of what explains the error, each with the share of it that is left.
        weighted: the excess in nats per dimension that it adds to the variational bound.
    """

    prediction: str
    floor: float
    excess: Interval
    score: Interval
    bins: tuple[Bin, ...]
    shapes: dict[str, float]
    weighted: Interval


def denoising(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array, prediction: str = "eps") -> Denoising:
    """Measure it.

    Args:
        model: as :func:`.as_model` makes it.
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        budget: how many data are noised.
        key: of the draws.
        prediction: of the loss that is averaged.
    """
    t, columns = _noised(model, law, table, budget, key)
    abar, rate = table[t], budget.rate
    squared, size, plain = columns.T[:3]
    floor = _floors(law, abar) if isinstance(law, Gaussian) else plain
    weight = {"eps": np.ones_like(abar), "v": 1 / abar, "x0": (1 - abar) / abar}[prediction]
    whole = _blocks(np.stack([weight * squared, weight * floor, squared, size], axis=1))
    excess, score = jackknife(lambda s: np.stack([s[:, 0] / s[:, 1], s[:, 2] / s[:, 3]], axis=1), whole, rate)
    parts = np.array_split(np.arange(t.size), budget.bins)
    bins = tuple(_bin(t[part], table, squared[part], floor[part], size[part], rate) for part in parts)
    floors = np.interp(np.arange(1, table.size), [one.t for one in bins], [one.floor for one in bins])
    nats = bound_weights(table, floors if not isinstance(law, Gaussian) else _floors(law, table[1:]))[t - 1] * squared
    weighted = mean_of_blocks(_blocks(nats[:, None])[:, 0] * BLOCKS / t.size * (table.size - 1), rate)
    return Denoising(prediction, float((weight * floor).mean()), excess, _root(score), bins, _shapes(columns), weighted)


def findings(seen: Denoising, budget: Budget) -> list[Finding]:
    """What is said of it."""
    allowed, rate = budget.resolutions, budget.rate
    loss = judged(
        "denoising-loss",
        seen.excess,
        allowed.loss,
        f"the loss in {seen.prediction} lies {_percent(seen.excess)} above the floor {seen.floor:.4g} that no network beats, "
        "averaged over the levels.",
        limit=budget.limits.loss,
        rate=rate,
    )
    parts = len(seen.bins)
    one = seen.bins[gravest([one.excess for one in seen.bins], [allowed.level] * parts, [budget.limits.level] * parts)]
    level = judged(
        "loss-by-level",
        one.excess,
        allowed.level,
        f"of {parts} parts of the levels that about t = {one.t:.0f} (abar = {one.abar:.3g}) is furthest above its floor: "
        f"{_percent(one.excess)}.",
        limit=budget.limits.level,
        rate=rate,
    )
    furthest = max((one.score for one in seen.bins), key=lambda interval: interval.value)
    score = judged(
        "score-error",
        seen.score,
        allowed.score,
        f"the score is off by {_percent(seen.score)} of the exact one, root mean square over the levels; by "
        f"{_percent(furthest)} in the part of them where it is worst.",
        limit=budget.limits.score,
        rate=rate,
    )
    return [loss, level, score]


def _noised(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array) -> tuple[Any, Numbers]:
    """The times, sorted, and of each draw: squared error, size of the exact answer, plain loss, product, errors if shifted."""
    n, T = budget.noised, table.size - 1
    u = np.asarray(jax.random.uniform(named(key, "times"), (n,)), np.float64)
    t = 1 + np.minimum((T * (np.arange(n) + u) / n).astype(int), T - 1)
    rng = np.random.default_rng(budget.seed)
    order = rng.permutation(n)
    levels = jnp.asarray(table, dtype_of(law))
    out = np.empty((n, 4 + len(SHIFTS)))
    for k, rows in enumerate(np.split(order, n // budget.batch)):
        told = jnp.asarray(t[rows])
        eps, x_t = _noised_data(law, levels, told, jax.random.fold_in(named(key, "noised"), k))
        answer, _ = pushed_forward(model, x_t, jnp.zeros_like(x_t), levels[told])
        out[rows] = np.asarray(_errors(law, levels, told, eps, x_t, answer))
    return t, out


@jax.jit  # type: ignore[untyped-decorator]
def _noised_data(law: Oracle, levels: Array, t: Array, key: Array) -> tuple[Array, Array]:
    """Noise, and data with that noise at these times."""
    to_data, to_noise = jax.random.split(key)
    x_0 = law.sample(to_data, t.shape)
    eps = jax.random.normal(to_noise, x_0.shape, x_0.dtype)
    return eps, beside(jnp.sqrt(levels[t]), x_0) * x_0 + beside(jnp.sqrt(1 - levels[t]), x_0) * eps


@jax.jit  # type: ignore[untyped-decorator]
def _errors(law: Oracle, levels: Array, t: Array, eps: Array, x_t: Array, answer: Array) -> Array:
    right = law.eps(x_t, levels[t])

    def mean(values: Array) -> Array:
        return jnp.mean(values.reshape(t.shape[0], -1), axis=1)

    shifted = [law.eps(x_t, levels[jnp.clip(t + shift, 1, levels.size - 1)]) for shift in SHIFTS]
    told = [mean((answer - one) ** 2) for one in shifted]
    return jnp.stack([mean((answer - right) ** 2), mean(right**2), mean((eps - right) ** 2), mean(answer * right), *told], axis=1)


def _shapes(columns: Numbers) -> dict[str, float]:
    """What explains the error, and the share of it that is left."""
    squared, size, _, product, *told = columns.sum(axis=0)
    if not squared > 0:
        return {}
    left = {f"told{shift:+d}": float(error / squared) for shift, error in zip(SHIFTS, told, strict=True)}
    best = min(left, key=lambda name: left[name])
    found = {best: left[best]}
    found[f"scaled by {product / size:.3g}"] = float(1 - (product - size) ** 2 / (size * squared))
    return {name: share for name, share in sorted(found.items(), key=lambda pair: pair[1]) if share < EXPLAINED}


def _floors(law: Gaussian, abar: Numbers) -> Numbers:
    return np.asarray(law.bayes_loss(jnp.asarray(abar, dtype_of(law))).value, np.float64)


def _bin(t: Any, table: Numbers, squared: Numbers, floor: Numbers, size: Numbers, rate: float) -> Bin:
    sums = _blocks(np.stack([squared, floor, size], axis=1))
    excess, score = jackknife(lambda s: np.stack([s[:, 0] / s[:, 1], s[:, 0] / s[:, 2]], axis=1), sums, rate)
    return Bin(float(t.mean()), float(table[round(t.mean())]), float(floor.mean()), excess, _root(score))


def _blocks(rows: Numbers) -> Numbers:
    """Sums over :data:`BLOCKS` blocks, each of which runs over all levels."""
    whole = len(rows) // BLOCKS * BLOCKS
    means: Numbers = rows[:whole].reshape(-1, BLOCKS, rows.shape[1]).mean(axis=0)
    return means * len(rows) / BLOCKS


def _root(share: Interval) -> Interval:
    return share.by(lambda value: float(np.sqrt(max(value, 0.0))))


def _percent(interval: Interval) -> str:
    return f"{100 * interval.value:.3g} % ({100 * interval.low:.3g} to {100 * interval.high:.3g})"
