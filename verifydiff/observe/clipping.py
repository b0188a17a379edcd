r"""What a sampler does with a prediction of the data that is large.

With p, q and the noise of every step known, one run on the same noise with large answers tells what was used in their place. A
sampler that clips, :math:`\hat x_0 \to \mathrm{clip}(\hat x_0, l, u)`, and takes the noise from the clipped data uses the clipped
answer throughout. One that clips the data alone, and goes on with the noise as it was predicted, is off by

.. math:: \sqrt{\bar\alpha_s}\,\bigl(\mathrm{clip}(\hat x_0, l, u) - \hat x_0\bigr),

since in :math:`x_s = \sqrt{\bar\alpha_s}\,\hat x_0 + \dots` only the first term knows of it. The level is that
on which the step lands, :math:`\sqrt{\bar\alpha_s} = p\sqrt{\bar\alpha_t} + q`, be it the right one or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..schedule import Array
from .running import Run

SAME = 1e-3
"""Answers are used as they are if they differ by less than this: tables in single precision move what is clipped by 1e-4."""


class Kind(StrEnum):
    """What becomes of large predictions."""

    NONE = "used as they are"
    CLIPPED = "clipped"
    DATA_ONLY = "clipped, and the noise is not taken from the clipped data"
    RETURNED = "used as they are, and what is returned is clipped"
    OTHER = "changed in another way than by clipping"
    UNKNOWN = "not seen"


@dataclass(frozen=True)
class Clipping:
    """What becomes of large predictions, and the range they are clipped to."""

    kind: Kind
    lower: float = -np.inf
    upper: float = np.inf


def clipping(large: Run, natural: Run, p: Array, q: Array, landed: Array) -> Clipping:
    """What a run with large answers shows, beside a run on the same noise with small ones.

    Args:
        large, natural: the runs.
        p, q: the weights of every step, from small answers.
        landed: sqrt(abar) of the level on which every step lands.
    """
    if large.x.shape != natural.x.shape or not np.isfinite(p).all():
        return Clipping(Kind.UNKNOWN)

    moved = large.unexplained(p, q) - natural.unexplained(p, q)  # what large answers were not worth
    same = max(SAME, 64 * max(natural.unit, large.unit))
    grown = np.maximum(1.0, np.abs(large.x).max(axis=(1, 2)))
    told = np.abs(q) > same * np.maximum(grown[:-1], grown[1:])
    if not told.any():
        return Clipping(Kind.UNKNOWN)
    kept = (np.abs(moved) <= same * np.maximum(grown[:-1], grown[1:])[:, None, None]).all(axis=(1, 2))
    if kept.all():
        return Clipping(Kind.NONE)
    if kept[:-1].all() and (of_returned := returned(large.x[-1], large.x[-1] - moved[-1], same)):
        return of_returned
    for kind, weight in ((Kind.CLIPPED, q), (Kind.DATA_ONLY, landed)):
        used = large.answers[told] + moved[told] / weight[told][:, None, None]
        slack = same * (grown[:-1] / np.abs(weight))[told][:, None, None]
        sharpest = used[np.argmin(slack)]
        lower, upper = float(sharpest.min()), float(sharpest.max())
        if np.all(np.abs(used - np.clip(large.answers[told], lower, upper)) <= np.maximum(slack, same)):
            return Clipping(kind, lower, upper)
    return Clipping(Kind.OTHER)


def returned(x: Array, whole: Array, same: float) -> Clipping | None:
    """What was returned, if it is but clipped from what the steps lead to."""
    lower, upper = float(x.min()), float(x.max())
    return Clipping(Kind.RETURNED, lower, upper) if np.all(np.abs(x - np.clip(whole, lower, upper)) <= same) else None
