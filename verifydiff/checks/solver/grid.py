"""Where a solver asks, what it tells, and where its steps land."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...observe.probe import FINE, SMALL, affine_within
from ...verdict import Finding, Status
from ..case import SINGLE
from ..grid import MOST_SIGNAL, known_levels, level_in_words
from .case import LANDS, SolverCase
from .convergence import landing
from .kind import memory, stages

DOUBLED_TWICE = (40, 160)
"""Numbers of steps on which an error is looked at again: it falls as they grow, but may change its sign from one to the next."""
ON_THE_ENDS = 8
"""So many equal numbers among those returned are clipped ones."""
COARSELY = 0.001
"""A state that is off by more than this does not pass, however coarse its precision is."""
VANISHES = 0.75**2
"""What comes of discretisation falls to less than this share of itself; to a quarter, at the first order."""


def time_grid(case: SolverCase) -> Iterator[Finding]:
    """Are there as many queries as the steps claimed need, and do they lead one way?"""
    response, claimed = case.response, case.contract.steps
    queries = response.queries
    if claimed is not None and queries < claimed:
        yield Finding(
            "time-grid", Status.FAIL, f"the model was asked {queries} times; {claimed} steps were claimed.", queries, claimed
        )
        return
    several = stages(response) or (claimed is not None and queries >= 2 * claimed - 1 > 1 and memory(response) > 0)
    if claimed is not None and queries != claimed and not several:
        yield Finding(
            "time-grid", Status.FAIL, f"the model was asked {queries} times; {claimed} steps were claimed.", queries, claimed
        )
        return
    times, first, table = response.run.times, float(response.alpha[0]), case.target.schedule
    late = table is not None and times[0] < table.timesteps - 1 - 1e-3
    if late and first > MOST_SIGNAL and response.sigma[-1] < response.sigma[0]:
        message = f"pure noise is handed over at t = {times[0]:.6g}, where the signal's weight sqrt(abar) is {first:.4g}."
        yield Finding("time-coverage", Status.FAIL, message, first, details={"times": times.tolist()})
    more = ", more than one a step" if several else ""
    yield Finding("time-grid", Status.PASS, f"{queries} queries from t = {times[0]:.6g} to t = {times[-1]:.6g}{more}.")


def affinity(case: SolverCase) -> Iterator[Finding]:
    """Is every state an affine map of x_T, of the predictions and of the draws?"""
    response = case.response
    if not case.has_grid:
        yield Finding("affinity", Status.FAIL, "the sampler asks at other times when its data differ: it has no grid.")
        return
    if case.affine:
        worst = max(float(response.residual.max()), float(case.elsewhere.max()))
        yield Finding(
            "affinity", Status.PASS, f"every state is an affine map of all that was given (what is left over: {worst:.1g}).", worst
        )
        return
    if (clipped := _clipped_in_the_end(case)) is not None:
        lower, upper = clipped
        message = f"what is returned is clipped to [{lower:.4g}, {upper:.4g}], and this method leads beyond: its end is unjudged."
        yield Finding("affinity", Status.INCONCLUSIVE, message, [lower, upper])
        return
    if response.affine:  # near one run it is
        left, within = case.elsewhere.max(axis=1), case.elsewhere_within
        k = int(np.argmax(left - within))
        rows = np.flatnonzero((case.elsewhere > within[:, None]).any(axis=0))
        of = case.elsewhere.shape[1]
        where = f" in row {rows[0]} of {of} alone" if rows.size == 1 else f" in {rows.size} of {of} rows"
        worst, tolerance = float(left[k]), float(within[k])
    else:
        k, where = int(np.argmax(response.residual)), ""
        worst, tolerance = float(response.residual[k]), affine_within(response.unit)
    yield Finding(
        "affinity",
        Status.FAIL,
        f"{case.query(k)} is no affine map of x_T, the predictions and the noise{where}: {worst:.2g} of it stays unexplained.",
        worst,
        tolerance=tolerance,
    )


def _clipped_in_the_end(case: SolverCase) -> tuple[float, float] | None:
    """The range of what is returned, where all else is affine, and many numbers lie on its ends to the last digit.

    A clip leaves the others as they are, no two alike, and does not cut the data of the answers.
    """
    near = case.response.residual[:-1] <= affine_within(case.response.unit)
    if not (near & (case.elsewhere[:-1].max(axis=1) <= case.elsewhere_within[:-1])).all():
        return None
    final = case.observation.run.x[-1]
    lower, upper = float(final.min()), float(final.max())
    between = final[(final > lower) & (final < upper)]
    clipped = final.size - between.size >= ON_THE_ENDS and 0 < between.size == np.unique(between).size
    return (lower, upper) if clipped and lower <= -SMALL and upper >= SMALL else None


def pairing(case: SolverCase) -> Iterator[Finding]:
    r"""Do all states land on the levels they are meant at?

    While the predictions are one and the same data m, a state has to be :math:`\alpha_k m` plus noise of the scale
    :math:`\sigma_k`, at every query and in the end. A method that is not exact there has an error that vanishes with its steps.
    """
    response = case.response
    data, spread = landing(response)
    with np.errstate(invalid="ignore"):
        off = np.abs(data - response.alpha)
        if not response.hidden:
            off = np.maximum(off, np.abs(spread - response.sigma))
    wrong = np.flatnonzero(~(off <= case.bound))
    if not wrong.size:
        noise = ", with noise of its scale," if response.draws.any() and not response.hidden else ""
        message = f"every state lands{noise} on the level it is meant at (off by at most {off.max():.1g})."
        within = response.likely_rounding if response.unit >= FINE else case.bound
        doubtful = bool((off > np.minimum(within, COARSELY)).any())
        if doubtful:
            k = int(np.argmax(off - np.minimum(within, COARSELY)))
            message = f"a state lands off by {off[k]:.2g} ({case.query(k)}), and rounding in its precision may be all of that."
        yield Finding("pairing", Status.INCONCLUSIVE if doubtful else Status.PASS, message, float(off.max()))
        return
    k = int(wrong[np.argmax(off[wrong])])
    level = level_in_words(float(data[k]), *known_levels(case.observation)) if _on_a_level(data[k], spread[k]) else ""
    where = (
        f"{wrong.size} of {off.size} states; the worst, {case.query(k)}, holds {data[k]:.8g} of the data and noise of scale "
        f"{spread[k]:.8g}{level}, and is meant to hold {response.alpha[k]:.8g} and {response.sigma[k]:.8g}"
    )
    share = None if case.target.inexact else _falls(case)
    details = {"steps": wrong.tolist(), "landed": data.tolist(), "expected": response.alpha.tolist()}
    if case.target.inexact:
        message = f"by construction the level is missed at {where}: {case.target.inexact}."
        yield Finding("pairing", Status.NOTE, message, float(off[k]), 0.0, float(case.bound[k]), details=details)
    elif (off <= np.maximum(case.bound, case.single)).all():
        message = (
            f"states are off their levels by up to {off[k]:.1g} ({case.query(k)}), no more than tables in single precision are."
        )
        yield Finding("pairing", Status.NOTE, message, float(off[k]), 0.0, float(case.bound[k]), details=details)
    elif wrong.tolist() == [response.queries] and response.sigma[-1] == 0 and off[k] <= SINGLE:
        message = f"what is returned holds noise of scale {spread[k]:.1g}, less than single precision holds."
        yield Finding("pairing", Status.NOTE, message, float(off[k]), 0.0, float(case.bound[k]), details=details)
    elif share is not None and share < VANISHES:
        message = (
            f"where the predictions stay the same the method is not exact, and its error falls as its steps grow "
            f"smaller: it misses the level at {where}."
        )
        yield Finding("pairing", Status.NOTE, message, float(off[k]), 0.0, float(case.bound[k]), details=details)
    else:
        yield Finding(
            "pairing", Status.FAIL, f"the level is missed at {where}.", float(off[k]), 0.0, float(case.bound[k]), details=details
        )


def _on_a_level(data: float, spread: float) -> bool:
    """Whether a state that holds so much of the data, and such noise, is one of the forward process at all."""
    return abs(data**2 + spread**2 - 1) <= SINGLE


def _falls(case: SolverCase) -> float | None:
    """By how much the miss falls from a grid to the one of four times the steps; None where that cannot be had, or none is seen."""
    if case.target.on_log_grid is None:
        return None
    missed = []
    for response in map(case.on, DOUBLED_TWICE):
        data, spread = landing(response)
        inner = slice(0, response.queries)
        off = np.maximum(np.abs(data - response.alpha), np.abs(spread - response.sigma))[inner]
        missed.append(float(off.max()) if (off > LANDS * response.rounding[inner]).any() else 0.0)
    return missed[1] / missed[0] if missed[0] > 0 else None
