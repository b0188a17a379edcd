r"""In the limit of a vanishing step, is every coefficient that of the equation?

A method can miss what it should solve in a coefficient alone. So each of the three of a small step is held against the
reverse process with as much noise as the method adds (:mod:`.rates`): with the shares

.. math:: \frac{1 - a}{h}, \qquad \frac{\sum_j b_j}{h}, \qquad 1 + \frac{c^2}{2 \sigma^2 h},

all three are :math:`1 + \lambda^2` at every level. Where one of them differs from the other two, it is the one that is wrong.

All that is of several queries together. Single ones are looked at by :mod:`.single_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...observe.response import DOUBLE, Response
from ...schedule import Array, Mask
from ...verdict import Finding, Status
from .case import SolverCase
from .convergence import MORE, SETTLES
from .rates import TOGETHER, Rates, asked, limit, places, rates, steps_of
from .single_steps import single_steps

REFINED = (20, 40, 80, 160)
"""Numbers of steps: rates are extrapolated from the last three, and for comparison from the first three. Where that decides
nothing, from twice and from four times as many."""
MOST = 400
"""Queries of a run of which twice as many are asked for."""
WITHIN = 0.01
"""How far a rate may be off, as a share of the drift. Right methods come out within 1e-3."""
TOLD = 0.05
"""An amount of noise is told where it is known to this share of itself, or of the reverse SDE's where it is less."""
TRUSTED = 2.0
"""A rate is off where it is by so many times what is not known of it, beyond what it may be."""
OPEN = 2 / 3
"""The share of the levels that may stay open; where much noise is added, little of x_T is left to tell a step's weights by."""
NEIGHBOURS = 2
"""Places in a row at which it has to be."""
GROWS = 1.5
"""A rate without a limit grows by this much at least when steps are halved; by 2, where a coefficient does not tend to its own."""
GONE = 1e-9
"""A step that leaves less of its state leaves nothing."""
AGREE = 3.0
"""Two rates agree where they differ by this many times less than the third from either."""


@dataclass(frozen=True)
class Limits:
    """Rates in the limit.

    Attributes:
        queries: on the coarsest grid and on the finest one.
        sigma: the noise over the signal of each place.
        found: the rates there.
        off: (2, places): how far a and b are off what the noise asks for.
        open: (places,): how well that is known.
        doubt: (places,): the same before it is called wrong: no less than half of what the limit moved by when the steps were last
            doubled; infinite where rates do not settle.
        steady: (places,): whether the amount of noise is known well enough to be told.
        grows: (places,): whether it grows from grid to grid and has no limit.
    """

    queries: tuple[int, int]
    sigma: Array
    found: Rates
    off: Array
    open: Array
    doubt: Array
    steady: Mask
    grows: Mask

    @property
    def worst(self) -> Array:
        """(places,): the larger of the two."""
        return np.asarray(np.abs(self.off).max(axis=0))

    @property
    def wrong(self) -> Mask:
        """(places,): where it is off for sure, and its neighbour too."""
        wrong = (self.worst - TRUSTED * self.doubt > WITHIN) | self.grows
        runs = np.convolve(wrong, np.ones(NEIGHBOURS), "valid") == NEIGHBOURS
        return np.asarray(np.convolve(runs, np.ones(NEIGHBOURS)) > 0)

    @property
    def example(self) -> int:
        """The worst of the wrong places, among the half of them that is known best."""
        wrong = np.flatnonzero(self.wrong)
        best = wrong[self.doubt[wrong] <= np.median(self.doubt[wrong])]
        return int(best[np.argmax(np.nan_to_num(self.worst[best]))])

    @property
    def right(self) -> Mask:
        """(places,): where it is not, for sure."""
        return np.asarray(self.worst + self.open <= WITHIN)


def consistency(case: SolverCase, *, missed: bool, explained: bool) -> Iterator[Finding]:
    """Do the coefficients of ever smaller steps become those of the equation?

    Args:
        case: the solver.
        missed: whether its states miss the levels that they are meant at. Where none does, and a tends to 1, its single steps are
            consistent on any grid, and no more of them are asked for.
        explained: whether a failure has been found that this one comes with: it is then said in short.
    """
    if case.response.hidden:
        yield Finding("consistency", Status.NOT_APPLICABLE, "the noise cannot be reached: what steps add stays unknown.")
        return
    if case.target.on_log_grid is None:
        yield Finding("consistency", Status.NOT_APPLICABLE, f"the sampler cannot be asked for ever smaller steps{case.why_not}.")
        return
    grids = [case.on(steps) for steps in REFINED]
    if max(response.unit for response in grids) > DOUBLE:
        message = "in less than double precision its coefficients are not known finely enough to be extrapolated."
        yield Finding("consistency", Status.NOT_APPLICABLE, message)
        return
    if not all(response.affine for response in grids):
        yield Finding("consistency", Status.INCONCLUSIVE, "on finer steps it is no affine map of what it is given.")
        return
    if any(steps_of(response).place.size <= TOGETHER for response in grids):
        yield Finding("consistency", Status.INCONCLUSIVE, "finer steps lead over too few levels between the data and pure noise.")
        return
    if all(_forgets(response) for response in grids):
        message = "a step keeps nothing of the state that it starts from, however small it is: a does not tend to 1."
        yield Finding("consistency", Status.FAIL, message, 0.0, 1.0, WITHIN)
        return
    finding = _judged(_limits(grids), explained)
    for steps in (MORE, 2 * MORE):
        if finding.status is Status.INCONCLUSIVE and grids[-1].queries <= MOST:
            grids = [*grids[1:], case.on(steps)]
            finding = _judged(_limits(grids), explained)
    yield finding if finding.status is Status.FAIL else single_steps(case, grids[-3:], missed, explained) or finding


def _forgets(response: Response) -> bool:
    """Whether nothing is left of x_T after the first query, though there is something before."""
    return bool(response.queries > 1 and abs(response.start[1]) <= GONE * abs(response.start[0]))


def _limits(grids: list[Response]) -> Limits:
    where, queries = places(grids), [response.queries for response in grids]
    seen = [rates(response, where) for response in grids]

    def at_zero(of: slice) -> Rates:
        values = [[one.kept, one.predicted, one.noise] for one in seen[of]]
        return Rates(*(limit(list(each), queries[of]) for each in zip(*values, strict=True)))

    found, line, coarser = at_zero(slice(-3, None)), at_zero(slice(-2, None)), at_zero(slice(3))
    sizes = [np.abs(one.off).max(axis=0) for one in seen[-3:]]
    before, last = (np.abs(later.off - earlier.off) for earlier, later in pairwise(seen[-3:]))
    with np.errstate(invalid="ignore"):
        grows = (sizes[2] > GROWS * sizes[1]) & (sizes[1] > GROWS * sizes[0]) & (sizes[2] > TRUSTED * WITHIN)
        steady = np.abs(found.noise - line.noise) <= TOLD * np.maximum(np.abs(found.noise), 1.0)
        settled = (last <= SETTLES * before + WITHIN / 10).all(axis=0)
        unknown = np.nan_to_num(np.abs(found.off - line.off).max(axis=0), nan=np.inf, posinf=np.inf)
        moved = np.nan_to_num(np.abs(found.off - coarser.off).max(axis=0), nan=np.inf, posinf=np.inf)
    ends, doubt = (queries[-3], queries[-1]), np.where(settled, np.maximum(unknown, moved / 2), np.inf)
    return Limits(ends, np.exp(-where), found, found.off, unknown, doubt, np.asarray(steady), np.asarray(grows))


def _judged(limits: Limits, explained: bool) -> Finding:
    details = {
        "sigma": limits.sigma.tolist(),
        "kept": limits.found.kept.tolist(),
        "predicted": limits.found.predicted.tolist(),
        "noise": limits.found.noise.tolist(),
        "due": limits.found.drift[0].tolist(),
        "unknown": limits.open.tolist(),
    }
    of = limits.sigma.size
    unsure = of - int(limits.right.sum())
    if 2 * limits.wrong.sum() >= max(unsure - limits.wrong.sum(), 1):
        k = limits.example
        seen, due = _at(limits.found, k)
        wrong = np.flatnonzero(limits.wrong)
        says = f"{_fault(limits, k)} at sigma/alpha = {limits.sigma[k]:.3g}, and so at {wrong.size} of {of} levels"
        if not explained:
            known = f", known to {limits.doubt[k]:.1g}" if np.isfinite(limits.doubt[k]) else ""
            says += f" from {limits.sigma[wrong[-1]]:.3g} to {limits.sigma[wrong[0]]:.3g}{known}"
        return Finding("consistency", Status.FAIL, f"{says}.", seen, due, WITHIN, details=details)
    if unsure > OPEN * of or limits.wrong.any():
        message = (
            f"its coefficients do not settle from {limits.queries[0]} to {limits.queries[1]} queries: at {unsure} of {of} levels "
            f"their rates are not known to {WITHIN:g} of the drift (at worst, to {_worst(limits.open):.1g})."
        )
        return Finding("consistency", Status.INCONCLUSIVE, message, tolerance=WITHIN, details=details)
    right = limits.right
    noise = limits.found.noise[right & limits.steady]
    off, unknown = _worst(limits.worst[right]), _worst(limits.open[right])
    message = (
        f"small steps are those of {_equation(noise)}: a, b and c agree within {off:.1g} of the drift at {int(right.sum())} of "
        f"{of} levels (known to {unknown:.1g}, from {limits.queries[0]} to {limits.queries[1]} queries)."
    )
    return Finding("consistency", Status.PASS, message, off, 0.0, WITHIN, details=details)


def _worst(values: Array) -> float:
    return float(values.max()) if values.size else float("nan")


def _at(found: Rates, k: int) -> tuple[list[float], list[float]]:
    """The rates of a and b at a place, and what the noise there asks for."""
    return [float(found.kept[k]), float(found.predicted[k])], [float(one[k]) for one in found.drift]


def _equation(noise: Array) -> str:
    if not noise.size:
        return "a reverse process whose noise changes from level to level"
    low, high = float(noise.min()), float(noise.max())
    if max(abs(low), abs(high)) <= WITHIN:
        return "the probability flow"
    if max(abs(low - 1), abs(high - 1)) <= WITHIN:
        return "the reverse SDE"
    amount = f"{(low + high) / 2:.3g}" if high - low <= WITHIN * max(high, 1.0) else f"{abs(low):.2g} to {high:.3g}"
    return f"the reverse process with {amount} times the variance of the reverse SDE"


def _fault(limits: Limits, k: int) -> str:
    """Which of the three coefficients differs from the others, and how."""
    if limits.grows[k]:
        return "the coefficients have no rate, and grow against their steps as these get smaller"
    found = limits.found
    kept, predicted, noise = (float(one[k]) for one in (found.kept, found.predicted, found.noise))
    due, _ = (float(one[k]) for one in found.drift)
    far = max(abs(kept - due), abs(predicted - due))
    if AGREE * abs(kept - predicted) < far:
        return _drift_and_noise((kept + predicted) / 2, noise)
    if AGREE * abs(kept - due) < far:
        return f"the weights of the predictions are wrong: sum b / h is {predicted / due:.3g} of what a and c ask for"
    if AGREE * abs(predicted - due) < far:
        return f"the weight of the state is wrong: (1 - a) / h is {kept / due:.3g} of what b and c ask for"
    return (
        f"a, b and c are of three equations: by a the drift is {kept:.3g}, by b {predicted:.3g}, by c {due:.3g} of the "
        "probability flow's"
    )


def _drift_and_noise(drift: float, noise: float) -> str:
    flow, both = asked(0)[0], asked(1)[0]
    due, amount = flow + noise * (both - flow), (drift - flow) / (both - flow)
    if abs(noise) <= WITHIN:
        return f"no noise is added, and the drift of a and b is {drift / flow:.3g} of the probability flow's"
    if amount <= WITHIN:
        return f"noise is added that the drift does not know of: a and b are {drift / due:.3g} of what c asks for"
    return (
        f"the noise does not match the drift: c^2 / h is {noise / amount:.3g} of what a and b ask for, or these are "
        f"{drift / due:.3g} of what c asks for"
    )
