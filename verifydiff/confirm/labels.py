r"""A network that is told labels, by itself: class by class its loss against the floor of that class.

Told y, a perfect network answers :math:`\mathbb{E}[\epsilon \mid x_t, y]`, the expectation under the law of that class alone. The
excess is measured as it is without a label (:mod:`.denoising`), on data of the class. Guided draws tell whether a class is reached;
only this tells whether all of it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from ..oracles import GaussianMixture
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding
from .budget import Budget
from .denoising import Denoising, denoising
from .judging import gravest, judged
from .model import answered, named


def of_classes(
    labelled: Any, law: GaussianMixture, table: Numbers, budget: Budget, key: Array, prediction: str
) -> tuple[Denoising, ...]:
    """Of every class; the data that the budget allows are shared out."""
    share = replace(budget, noised=budget.batch * max(1, budget.noised // (law.classes * budget.batch)), bins=1)
    return tuple(
        denoising(Partial(_told, labelled, jnp.asarray(y)), law.given(y), table, share, named(key, f"class {y}"), prediction)
        for y in range(law.classes)
    )


def findings(seen: tuple[Denoising, ...], budget: Budget) -> list[Finding]:
    """What is said of them: the class that is furthest above its floor."""
    if not seen:
        return []
    allowed, limit = budget.resolutions.level, budget.limits.level
    y = gravest([one.excess for one in seen], [allowed] * len(seen), [limit] * len(seen))
    off = seen[y].excess
    told = f"{100 * off.value:.3g} % ({100 * off.low:.3g} to {100 * off.high:.3g})"
    message = f"told its label, class {y} of {len(seen)} is furthest above the floor of its own data: {told}."
    return [judged("labelled-loss", off, allowed, message, limit=limit, rate=budget.rate, details={"class": y})]


def _told(labelled: Any, y: Array, x_t: Array, abar_t: Array) -> Array:
    return answered(labelled(x_t, abar_t, jnp.full(x_t.shape[0], y)), x_t)
