r"""One start, one image: DDIM at eta = 0 as a map, its inverse, and how much of a start the noise of eta = 1 forgets.

At eta = 0 a step from level t to level s, up or down, is

.. math:: x_s = \sqrt{\bar\alpha_s}\,\hat x_0(x_t) + \sqrt{1 - \bar\alpha_s}\;\hat\epsilon(x_t),

so the map can be walked back by the same formula, up to the error of its steps (DDIM inversion). Four numbers, each beside the
same with the exact denoiser: how far the network's map is from the exact one's, how far a start comes back from itself, and the
exact map of the probability flow where it is known.

At eta = 1 one start leads to many images. Their variance, of the exact denoiser's steps, is known by pushing the noise of the
steps through; the network's is compared with it on the same noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..oracles import Gaussian, Oracle
from ..samplers import spaced
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, Status
from .budget import BLOCKS, Budget
from .judging import Interval, jackknife, judged, mean_of_blocks
from .loops import REFERENCE, Draw
from .model import dtype_of, exact, named

FEW = 5
"""Steps that tell whether a start leads to one image."""


@dataclass(frozen=True)
class Flow:
    """What became of the starts.

    Attributes:
        steps: S, of each walk.
        repeats: whether the same start gave the same image twice, bit for bit, whatever the key.
        apart: how far the network's images are from the exact denoiser's, root mean square over that of the images.
        back: how far starts come back from themselves, root mean square: with the network.
        back_exact: the same with the exact denoiser.
        flow: how far the network's images are from where the probability flow leads, where that is known.
        flow_exact: the same of the exact denoiser's: the error of the steps alone.
        spread: the variance of many images from one start at eta = 1, over that of the exact denoiser's, less 1.
        share: that exact variance over the variance of all images: what a start leaves open.
    """

    steps: int
    repeats: bool
    apart: Interval
    back: float
    back_exact: float
    flow: float | None
    flow_exact: float | None
    spread: Interval
    share: float


def flow(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array, draw: Draw | None = None) -> Flow:
    """Walk there and back, and from one start many times.

    Args:
        model: as :func:`.as_model` makes it.
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        budget: how many starts and steps.
        key: of the starts.
        draw: the sampler in question; the reference, if left out.
    """
    sampler = draw or REFERENCE
    S = min(budget.flow_steps, table.size - 1)
    levels = spaced(table, S)
    dtype = dtype_of(law)
    x_T = jax.random.normal(named(key, "starts"), (budget.batch, *law.event_shape), dtype)
    few = spaced(table, min(FEW, S))
    once, twice = (sampler(model, x_T, few, eta=0.0, key=named(key, name)) for name in ("once", "again"))
    at = jnp.asarray(levels[:-1], dtype)
    walks = {name: _there_and_back(eps, x_T, levels[:-1]) for name, eps in (("model", model), ("exact", exact(law)))}
    image, right = (_rows(walks[name][0]) for name in ("model", "exact"))
    flowed = _rows(law.flow(x_T, at[0], at[-1])) if isinstance(law, Gaussian) else None
    spread, share = _spread(sampler, model, law, levels, budget, key)
    return Flow(
        S,
        bool(np.array_equal(np.asarray(once), np.asarray(twice))),
        _apart(image, right, budget),
        _relative(_rows(walks["model"][1]), _rows(x_T)),
        _relative(_rows(walks["exact"][1]), _rows(x_T)),
        None if flowed is None else _relative(image, flowed),
        None if flowed is None else _relative(right, flowed),
        spread,
        share,
    )


def findings(seen: Flow, budget: Budget) -> list[Finding]:
    """What is said of it."""
    allowed, rate = budget.resolutions, budget.rate
    repeats = Finding(
        "determinism",
        Status.PASS if seen.repeats else Status.FAIL,
        "at eta = 0 a start leads to one image, bit for bit, whatever the key."
        if seen.repeats
        else "at eta = 0 a start leads to another image each time: noise is drawn, or the network answers differently.",
    )
    known = "" if seen.flow is None else f"; from the probability flow {seen.flow:.3g}, the exact denoiser's {seen.flow_exact:.3g}"
    apart = judged(
        "flow-map",
        seen.apart,
        allowed.flow,
        f"at eta = 0, {seen.steps} steps, the network leads starts {100 * seen.apart.value:.3g} % away from where the exact "
        f"denoiser leads them, root mean square{known}.",
        limit=budget.limits.flow,
        rate=rate,
    )
    back = Finding(
        "inversion",
        Status.NOTE,
        f"walked back up by the same {seen.steps - 1} steps, starts return to within {seen.back:.3g} of themselves, root mean "
        f"square; with the exact denoiser to within {seen.back_exact:.3g}, which is the error of the steps.",
        measured=seen.back,
        expected=seen.back_exact,
    )
    spread = judged(
        "diversity",
        seen.spread,
        allowed.spread,
        f"at eta = 1, {seen.steps} steps, the images of one start have {1 + seen.spread.value:.4g} times the variance that "
        f"the exact denoiser's have, which is {100 * seen.share:.3g} % of that of the data.",
        limit=budget.limits.spread,
        rate=rate,
    )
    return [repeats, apart, back, spread]


def _there_and_back(model: Any, x_T: Array, levels: Numbers) -> tuple[Array, Array]:
    """Down to the last level before the data, and up again."""
    key = jax.random.key(0)  # of no noise
    lowest = REFERENCE(model, x_T, levels, eta=0.0, key=key)
    return lowest, REFERENCE(model, lowest, levels[::-1], eta=0.0, key=key)


def _spread(sampler: Draw, model: Any, law: Oracle, levels: Numbers, budget: Budget, key: Array) -> tuple[Interval, float]:
    start = jax.random.normal(named(key, "one start"), law.event_shape, dtype_of(law))
    x_T = jnp.broadcast_to(start, (budget.batch, *law.event_shape))
    keys = jax.random.split(named(key, "many images"), budget.draws // budget.batch)
    x = _rows(np.concatenate([sampler(model, x_T, levels, eta=1.0, key=one) for one in keys]))
    y = _rows(np.concatenate([REFERENCE(exact(law), x_T, levels, eta=1.0, key=one) for one in keys]))
    rows = np.stack([np.ones_like(x), x, x**2, y, y**2], axis=1).reshape(BLOCKS, -1, 5, x.shape[1]).sum(axis=1)

    def ratio(sums: Numbers) -> Numbers:
        n = sums[:, 0]
        of_x, of_y = ((sums[:, k + 1] / n - (sums[:, k] / n) ** 2).sum(axis=1) for k in (1, 3))
        found: Numbers = (of_x / of_y - 1)[:, None]
        return found

    (measured,) = jackknife(ratio, rows, budget.rate)
    return measured, float(y.var(axis=0, ddof=1).sum() / np.trace(np.asarray(law.covariance_matrix)))


def _apart(image: Numbers, right: Numbers, budget: Budget) -> Interval:
    squared = ((image - right) ** 2).sum(axis=1).reshape(BLOCKS, -1).mean(axis=1)
    share = mean_of_blocks(squared / (right**2).sum(axis=1).mean(), budget.rate)
    return share.by(lambda value: float(np.sqrt(max(value, 0.0))))


def _relative(x: Numbers, right: Numbers) -> float:
    return float(np.sqrt(((x - right) ** 2).mean() / (right**2).mean()))


def _rows(x: Any) -> Numbers:
    rows: Numbers = np.asarray(x, np.float64).reshape(len(x), -1)
    return rows
