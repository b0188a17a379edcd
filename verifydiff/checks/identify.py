r"""Which family is it? From the recovered weights alone.

In the DDIM family :math:`p^2 (1 - \bar\alpha_t) = 1 - \bar\alpha_s - \sigma^2`, so the step's mean tells the sigma it was
made for, and with it eta; the noise tells an eta of its own. DDPM with the small variance is DDIM(1), and Euler in sigma
space is DDIM(0): the names stand for the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..forms.families import DDIM, DDPM, Family, Renoise
from ..observe import Observation
from ..schedule import Array
from .case import ENOUGH, in_single_precision, told_levels

MATCHES = 1e-6
"""A family matches when half of the steps are this near to it, relative: one wrong step does not hide the family."""


@dataclass(frozen=True)
class Identity:
    """The family that an observation is nearest to.

    Attributes:
        family: that family.
        distance: median over the steps of the relative distance of the weights.
        eta: the eta of that family, where it has one.
        found: whether it matches at all, if only in single precision.
        etas: what the mean and the noise tell of an eta, each by itself; a mistake in one of them leaves the other as it was meant.
    """

    family: Family
    distance: float
    eta: float | None
    found: bool
    etas: tuple[float, ...] = ()

    def __str__(self) -> str:
        if not self.found:
            return f"none of the known families (nearest: {self.family.title})"
        return _also(self.family)


def identify(observation: Observation) -> Identity:
    """The nearest family; ties go to the simpler name."""
    seen = [eta for eta in (_eta_of_mean(observation), _eta_of_noise(observation)) if eta is not None]
    etas = dict.fromkeys([0.0, *(round(eta, 2) for eta in seen), *(round(eta, 6) for eta in seen), *seen])
    ddim = [DDIM(eta) for eta in etas if eta == 0 or 1e-6 < eta < 1 - 1e-6]
    candidates = [DDPM("small"), DDPM("large"), *ddim, Renoise()]
    distances = [distance(observation, family) for family in candidates]
    near = [i for i, d in enumerate(distances) if d <= 2 * min(distances) + 1e-9]
    best = max(near, key=lambda i: (_likelihood(observation, candidates[i]), -i))
    found = _found(observation, candidates[best], distances[best])
    return Identity(candidates[best], distances[best], candidates[best].eta, found, tuple(etas))


def _found(observation: Observation, family: Family, nearness: float) -> bool:
    if nearness < MATCHES:
        return True
    if family.eta is not None and family.eta != round(family.eta, 2):
        return False  # an eta that was fitted may have taken in what is wrong
    levels = told_levels(observation)
    return in_single_precision(observation, family, family.coefficients(levels.abar_t, levels.abar_s), ENOUGH)


def _likelihood(observation: Observation, family: Family) -> float:
    """Log likelihood of the hidden noise under the family's scale, which tells apart families of one mean."""
    hidden = observation.hidden
    if not hidden.any():
        return 0.0
    levels = told_levels(observation)
    scale = family.coefficients(levels.abar_t, levels.abar_s)[2][hidden]
    if (scale <= 0).any():
        return -np.inf
    n = observation.noise[0].size
    squares = (observation.noise[hidden] ** 2).sum(axis=(1, 2))
    return float(-(n * np.log(scale) + squares / (2 * scale**2)).sum())


def distance(observation: Observation, family: Family) -> float:
    """Median over the steps of the largest relative difference in p, q and c (c only where it is known)."""
    levels = told_levels(observation)
    observed = (observation.x_t, observation.x_0, observation.z)
    columns = []
    for seen, right in zip(observed, family.coefficients(levels.abar_t, levels.abar_s), strict=True):
        columns.append(np.nan_to_num(relative(seen, right), nan=0.0))
    if not np.isfinite(observation.x_t).all():
        return float("inf")
    return float(np.median(np.max(columns, axis=0)))


def relative(seen: Array, right: Array) -> Array:
    """|seen - right| over the size of right, or over a thousandth of its largest where it is nearly nothing; NaN stays NaN."""
    finite = np.abs(right[np.isfinite(right)])
    floor = 1e-3 * (finite.max() if finite.size and finite.max() > 0 else 1.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(seen - right) / np.maximum(np.abs(right), floor))


def _eta_of_mean(observation: Observation) -> float | None:
    levels = told_levels(observation)
    return _median_eta(observation, 1 - levels.abar_s - observation.x_t**2 * (1 - levels.abar_t))


def _eta_of_noise(observation: Observation) -> float | None:
    return _median_eta(observation, np.where(observation.hidden, np.nan, observation.z) ** 2)


def _median_eta(observation: Observation, spread: Array) -> float | None:
    """eta from the variance sigma_t(eta)^2 of every step, over the posterior's; the last step has none."""
    levels = told_levels(observation)
    full = DDIM(1.0).coefficients(levels.abar_t, levels.abar_s)[2] ** 2
    use = (full > 1e-12) & np.isfinite(spread)
    if not use.any():
        return None
    return float(np.sqrt(max(0.0, float(np.median(spread[use] / full[use])))))


def _also(family: Family) -> str:
    if family.id == "ddpm" or family.eta == 1:
        return "DDPM (small variance), which is DDIM(eta = 1)"
    if family.id == "ddim" and family.eta == 0:
        return "DDIM(eta = 0), which is Euler in sigma space"
    return family.title
