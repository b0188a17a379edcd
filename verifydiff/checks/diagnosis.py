r"""Which slip is it? Every slip predicts the weights of every step; those that reproduce the observed ones are named.

The residual of a slip is the largest relative difference between predicted and observed weights over all steps. A slip
explains an observation when its residual is below ``EXPLAINS``; right code's own residual is some 1e-12, and two different
mistakes hardly ever agree to 1e-7 on all steps. Tables in single precision are granted the rounding that they explain, as long as
it is a small part of every weight (``COARSE``): where there is next to no signal, rounding explains everything, and so tells
nothing. Where nothing explains an observation, nothing is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..forms.families import Family
from ..observe import Observation
from ..schedule import Array
from ..slips import CATALOGUE, NoiseSlip, slipped
from .case import in_single_precision, told_levels
from .identify import relative

EXPLAINS = 1e-7
COARSE = 0.1
"""The most that rounding may be of a weight, relative; tables in single precision make a third of that where it nearly cancels."""
AT_THE_END = "noise-at-the-end"
"""The one noise slip of scale alone; of the law of the noise, which shows the others, weights say nothing."""


@dataclass(frozen=True)
class Explanation:
    """A slip that reproduces what was observed.

    Attributes:
        slip: its id.
        description: what is done in place of what.
        residual: largest relative difference to the observed weights.
        family: the family it was a slip from.
    """

    slip: str
    description: str
    residual: float
    family: str


def diagnose(observation: Observation, families: list[Family], noise_slips: list[str], *, most: int = 3) -> list[Explanation]:
    """The slips that explain an observation, best first.

    Args:
        observation: what was seen.
        families: what it may be a slip from; the likeliest first.
        noise_slips: ids of noise slips whose tests failed; they stand first, since their test names them, unless a slip that
            explains the weights has that noise, too.
        most: how many to name.
    """
    noise = [Explanation(slip.id, slip.description, 0.0, "") for slip in CATALOGUE if slip.id in noise_slips]
    explained: list[Explanation] = []
    for family in [] if matches(observation, families[0]) else families:
        explained = sorted(_explanations(observation, family), key=lambda e: max(e.residual, 1e-9))
        if explained:
            break
    implied = [one for one in noise if explained and one.slip == AT_THE_END]  # they predict the scale of the last step's noise, too
    return [*(one for one in noise if one not in implied), *explained, *implied][:most]


def _explanations(observation: Observation, family: Family) -> Iterator[Explanation]:
    levels = told_levels(observation)
    if not np.isfinite(observation.x_t).all():
        return
    for slip in CATALOGUE:
        if isinstance(slip, NoiseSlip) or (slip.by_table and observation.target.schedule is None):
            continue
        predictions = list(slipped(slip, family, levels))
        residuals = [residual(observation, predicted) for predicted in predictions]
        near = [
            off
            for off, predicted in zip(residuals, predictions, strict=True)
            if off < EXPLAINS or (off < COARSE and in_single_precision(observation, family, predicted))
        ]
        if near:
            yield Explanation(slip.id, slip.description, min(near), family.title)


def matches(observation: Observation, family: Family) -> bool:
    """Whether the weights are the family's own, so that there is nothing to explain."""
    levels = told_levels(observation)
    right = family.coefficients(levels.abar_t, levels.abar_s)
    return residual(observation, right) < EXPLAINS or in_single_precision(observation, family, right)


def residual(observation: Observation, predicted: tuple[Array, Array, Array]) -> float:
    """Largest relative difference over p, q and c; infinite where a prediction is not finite and the observation is.

    Where it is no explanation at first sight, how coarsely a weight was recovered is granted: states that have grown far
    beyond the answers hide digits.
    """
    plain = _residual(observation, predicted, granted=0.0)
    return plain if plain < EXPLAINS else _residual(observation, predicted, granted=1.0)


def _residual(observation: Observation, predicted: tuple[Array, Array, Array], granted: float) -> float:
    worst = 0.0
    for observed, column, fine in zip(
        (observation.x_t, observation.x_0, observation.scale), predicted, observation.resolution, strict=True
    ):
        known = np.isfinite(observed)
        if not np.isfinite(column[known]).all():
            return float("inf")
        nearest = np.clip(column, observed - granted * fine, observed + granted * fine)
        if known.any():
            worst = max(worst, float(relative(nearest, column)[known].max()))
    return worst
