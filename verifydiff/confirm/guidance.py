r"""Guidance towards a class, on a labelled mixture.

What is guided ends in a class or does not: :math:`p(y \mid x_0)` is known exactly. The network's draws are compared with those
of the exact denoiser, guided in the same way on the same noise:

* **conditional**, weight w = 0: the exact law is that of the class, :meth:`.GaussianMixture.given`;
* **classifier-free**, :math:`(1 + w)\hat\epsilon(x_t, y) - w\hat\epsilon(x_t)`, which samples no known density for w > 0;
* **classifier**, :math:`\hat\epsilon - k\sqrt{1 - \bar\alpha_t}\,\nabla\log p(y \mid x_t)` with the exact classifier of
  noised data; at k = 1 the exact denoiser then *is* that of the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial

from ..oracles import GaussianMixture
from ..samplers import spaced
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, Status
from .budget import BLOCKS, Budget
from .judging import Interval, gravest, judged, mean_of_blocks
from .loops import REFERENCE, Draw
from .model import answered, ask, dtype_of, exact, named

WEIGHTS = (0.0, 1.0, 3.0)
SCALES = (1.0, 3.0)
MOST_CLASSES = 4


@dataclass(frozen=True)
class Guided:
    """One way to be guided, all classes together.

    Attributes:
        way: ``classifier-free`` or ``classifier``.
        strength: w, or the scale k.
        accuracy: the share of the network's draws whose likeliest class is the one they were guided to.
        exact: the same of the exact denoiser's.
        gain: the first less the second.
        mean: how far the means of the classes are from the exact denoiser's, root mean square over the deviation of the data.
    """

    way: str
    strength: float
    accuracy: float
    exact: float
    gain: Interval
    mean: Interval


def guidance(
    model: Any, law: GaussianMixture, table: Numbers, budget: Budget, key: Array, labelled: Any, draw: Draw | None = None
) -> tuple[Guided, ...]:
    """Guide them all.

    Args:
        model: without a label.
        law: of data and labels.
        table: abar_0 = 1 > ... > abar_T.
        budget: how many draws.
        key: of the draws.
        labelled: ``labelled(x_t, abar_t, label)``, the network told labels (n,); None where it takes none.
        draw: the sampler in question.
    """
    levels = spaced(table, min(budget.flow_steps, table.size - 1))
    told = [("classifier-free", w) for w in WEIGHTS if labelled is not None] + [("classifier", k) for k in SCALES]
    return tuple(_guided(way, s, model, law, levels, budget, named(key, f"{way} {s}"), labelled, draw) for way, s in told)


def findings(seen: tuple[Guided, ...], budget: Budget) -> list[Finding]:
    """What is said of them, way by way."""
    found = []
    for way in dict.fromkeys(one.way for one in seen):
        ways = [one for one in seen if one.way == way]
        allowed = budget.resolutions.accuracy
        one = ways[gravest([each.gain for each in ways], [allowed] * len(ways), [budget.limits.accuracy] * len(ways))]
        told = "; ".join(f"{each.strength:g}: {each.accuracy:.3f} ({each.exact:.3f} exact)" for each in ways)
        message = f"share of draws in the class they were guided to, by {'scale' if way == 'classifier' else 'weight'}: {told}."
        found.append(judged(f"{way}-guidance", one.gain, allowed, message, limit=budget.limits.accuracy, rate=budget.rate))
        off = ways[gravest([each.mean for each in ways], [budget.resolutions.flow] * len(ways), [budget.limits.flow] * len(ways))]
        far = f"{100 * off.mean.value:.3g} % of the data's deviation from the exact ones"
        message = f"means of the guided classes lie {far}, at {off.strength:g}."
        found.append(judged(f"{way}-means", off.mean, budget.resolutions.flow, message, limit=budget.limits.flow, rate=budget.rate))
    return found


def not_labelled() -> Finding:
    """For data without classes."""
    return Finding("guidance", Status.NOT_APPLICABLE, "the data have no classes with a known posterior.")


def _guided(
    way: str,
    strength: float,
    model: Any,
    law: GaussianMixture,
    levels: Numbers,
    budget: Budget,
    key: Array,
    labelled: Any,
    draw: Any,
) -> Guided:
    hits, right, apart = [], [], []
    for y in range(min(law.classes, MOST_CLASSES)):
        to_start, to_run = jax.random.split(jax.random.fold_in(key, y))
        x_T = jax.random.normal(to_start, (budget.batch, *law.event_shape), dtype_of(law))
        told = jnp.full(budget.batch, y)
        s = jnp.asarray(strength, x_T.dtype)
        pair = _pair(way, model, law, told, s, labelled)
        x, exactly = (
            np.asarray(run(eps, x_T, levels, eta=1.0, key=to_run))
            for run, eps in zip((draw or REFERENCE, REFERENCE), pair, strict=True)
        )
        hits.append(_in_class(law, x, y))
        right.append(_in_class(law, exactly, y))
        apart.append((x - exactly).reshape(BLOCKS, -1, law.event_size).mean(axis=1))
    hit, best = np.concatenate(hits), np.concatenate(right)
    gains = (np.stack(hits) - np.stack(right)).reshape(len(hits), BLOCKS, -1).mean(axis=(0, 2))
    # blocks may differ in sign: the mean of squares would hold their noise, the product of two blocks' does not
    shifts = np.stack(apart)
    halves = np.einsum("ygd,ygd->g", shifts, np.roll(shifts, 1, axis=1)) / (
        len(hits) * float(np.trace(np.asarray(law.covariance_matrix)))
    )
    mean = mean_of_blocks(halves, budget.rate).by(lambda value: float(np.sqrt(max(value, 0.0))))
    return Guided(way, strength, float(hit.mean()), float(best.mean()), mean_of_blocks(gains, budget.rate), mean)


def _pair(way: str, model: Any, law: GaussianMixture, told: Array, s: Array, labelled: Any) -> tuple[Any, Any]:
    """The network and the exact denoiser, guided alike."""
    if way == "classifier":
        return Partial(_by_classifier, model, law, told, s), Partial(_by_classifier, exact(law), law, told, s)
    return Partial(_free, labelled, model, told, s), Partial(_free, Partial(_of_class, law), exact(law), told, s)


def _free(labelled: Any, model: Any, told: Array, w: Array, x_t: Array, abar_t: Array) -> Array:
    return (1 + w) * answered(labelled(x_t, abar_t, told), x_t) - w * ask(model, x_t, abar_t)


def _of_class(law: GaussianMixture, x_t: Array, abar_t: Array, told: Array) -> Array:
    answers = jnp.stack([law.given(y).eps(x_t, abar_t) for y in range(law.classes)])
    return answers[told, jnp.arange(told.size)]


def _by_classifier(model: Any, law: GaussianMixture, told: Array, k: Array, x_t: Array, abar_t: Array) -> Array:
    def log_posterior(x: Array) -> Array:
        return jnp.sum(law.class_posterior(x, abar_t)[jnp.arange(told.size), told])

    gradient = jax.grad(log_posterior)(x_t)
    noise = jnp.sqrt(1 - abar_t).reshape(-1, *(1,) * (x_t.ndim - 1))
    return ask(model, x_t, abar_t) - k * noise * gradient


def _in_class(law: GaussianMixture, x: Any, y: int) -> Numbers:
    log_p = np.asarray(law.class_posterior(jnp.asarray(x, dtype_of(law)), 1.0))
    hit: Numbers = (log_p.argmax(axis=-1) == y).astype(np.float64)
    return hit
