r"""Samples over the number of steps S and over eta, laid over what theory gives.

Four runs share the noise that they begin with and the noise of every step: the reference sampler and the one in question, each
with the exact denoiser and with the network. Their Frechet distances to the data take the error apart:

============================  ================  =============
sampler                       exact denoiser    network
============================  ================  =============
reference                     theory            network's part
in question                   sampler's part    both
============================  ================  =============

For Gaussian data theory is exact (:mod:`.theory`): the law in which S steps of DDIM(eta) end when the score is
exact, their bias included. It is what a perfect network would reach at this S and eta. For
mixtures it is estimated by many more draws with the exact score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from ..oracles import Oracle
from ..oracles.gaussian import SpectralGaussian
from ..samplers import spaced
from ..statistics import Moments, gaussian_battery
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, MisuseError, Status
from . import theory
from .budget import BLOCKS, ETAS, STEPS, Budget, Resolutions
from .distance import EACH, MOST_FULL, Coupled, frechet
from .judging import Interval, gravest, jackknife, judged, status_of
from .loops import REFERENCE, Draw
from .model import dtype_of, exact, named

PICTURES = 6
"""Draws that are kept to be looked at."""
MORE = 8
"""How many times more draws tell the law of the reference where it is not known."""
STRAYS = 0.05
"""The share of the data's variance from which on, for a mixture, the reference is off the way on which a network was trained."""


@dataclass(frozen=True)
class Cell:
    """One S and one eta.

    Attributes:
        steps: S.
        eta: of DDIM.
        theory: the distance with the exact score; an interval where it is estimated.
        network: with the network and the reference sampler.
        sampler: with the exact denoiser and the sampler in question.
        both: with the network and the sampler in question.
        excess: of each of the three over theory.
        resolution: how large an excess counts as none.
        reference: how likely the draws of the reference with the exact denoiser are under theory, the least p-value of the exact
            tests times their number; 1 where theory has no closed form.
    """

    steps: int
    eta: float
    theory: Interval
    network: Interval
    sampler: Interval
    both: Interval
    excess: dict[str, Interval]
    resolution: float
    reference: float


@dataclass(frozen=True)
class Sampling:
    """All of them.

    Attributes:
        cells: the grid.
        variance: of the data, the trace of their covariance.
        curve: what theory gives, by eta, at every S of a full confirmation; empty where that is not known in closed form.
        pictures: a few draws of the network from one start for each eta, at the largest S, (etas, k, *event).
        coordinates: how many were compared, of how many.
        in_question: whether a sampler other than the reference was drawn with.
    """

    cells: tuple[Cell, ...]
    variance: float
    curve: dict[float, list[tuple[int, float]]]
    pictures: Any
    coordinates: tuple[int, int]
    in_question: bool


class View:
    """The coordinates in which laws are compared: all, or the leading ones of the data where there are very many."""

    def __init__(self, law: Oracle, draws: int) -> None:
        covariance = np.asarray(law.covariance_matrix, np.float64)
        mean = np.asarray(law.mean, np.float64).ravel()
        d = mean.size
        most = min(MOST_FULL, draws // EACH)
        self.basis = np.eye(d) if d <= most else np.linalg.eigh(covariance)[1][:, ::-1][:, :most]
        self.mean, self.covariance = mean @ self.basis, self.basis.T @ covariance @ self.basis

    def __call__(self, x: Any) -> Numbers:
        """Draws (n, *event) as (n, k)."""
        rows: Numbers = np.asarray(x, np.float64).reshape(len(x), -1) @ self.basis
        return rows

    def turned(self, mean: Numbers, covariance: Numbers) -> tuple[Numbers, Numbers]:
        """Moments in these coordinates."""
        return mean @ self.basis, self.basis.T @ covariance @ self.basis


def sampling(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array, draw: Draw | None = None) -> Sampling:
    """Draw them all.

    Args:
        model: as :func:`.as_model` makes it.
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        budget: the grid.
        key: of the draws.
        draw: the sampler in question; the reference itself, if left out.
    """
    view, T = View(law, budget.draws), table.size - 1
    grid = [(S, eta) for S in budget.steps if S <= T for eta in budget.etas]
    if not grid:
        raise MisuseError(f"the table has {T} times, and none of the numbers of steps {budget.steps} is that small.")
    made = [_cell(model, law, view, table, S, eta, budget, named(key, f"S {S}"), draw) for S, eta in grid]
    most = max(S for S, _ in grid)
    cells, pictures = tuple(cell for cell, _ in made), [few for cell, few in made if cell.steps == most]
    seen = (view.mean.size, law.event_size)
    return Sampling(cells, float(np.trace(view.covariance)), curve(law, table, budget), np.stack(pictures), seen, draw is not None)


def curve(law: Oracle, table: Numbers, budget: Budget) -> dict[float, list[tuple[int, float]]]:
    """Theory at every S, by eta, where it is known."""
    if not isinstance(law, SpectralGaussian):
        return {}
    every = [S for S in sorted({*STEPS, *budget.steps}) if table.size > S]
    etas = sorted({*ETAS, *budget.etas})
    return {eta: [(S, theory.distance(law, table, S, eta)) for S in every] for eta in etas}


def _cell(
    model: Any, law: Oracle, view: View, table: Numbers, S: int, eta: float, budget: Budget, key: Array, draw: Draw | None
) -> tuple[Cell, Any]:
    abar = spaced(table, S)
    run = partial(_draws, law=law, abar=abar, eta=eta, budget=budget, key=key)
    y = view(run(REFERENCE, exact(law)))
    mean, covariance, right = _reference(law, view, table, S, eta, budget, key)
    measured, excess = {}, {}
    ways: dict[str, tuple[Draw, Any]] = {"network": (REFERENCE, model)}
    if draw is not None:
        ways |= {"sampler": (draw, exact(law)), "both": (draw, model)}
    for name, (sampler, eps) in ways.items():
        drawn = run(sampler, eps)
        x = view(drawn)
        if not np.isfinite(x).all():
            measured[name] = excess[name] = Interval(np.inf, np.inf, np.inf)
            continue
        coupled = Coupled(mean, covariance, x, y)
        measured[name], excess[name] = coupled.distance(view.mean, view.covariance, right.value, budget.rate)
    if draw is None:
        measured |= {"sampler": right, "both": measured["network"]}
        excess |= {"sampler": Interval(0.0, 0.0, 0.0), "both": excess["network"]}
    resolution = _allowed(budget.resolutions, right, float(np.trace(view.covariance)))
    cell = Cell(
        S,
        eta,
        right,
        measured["network"],
        measured["sampler"],
        measured["both"],
        excess,
        resolution,
        _likely(law, y, mean, covariance),
    )
    return cell, drawn[:PICTURES]


def _draws(
    sampler: Draw, eps: Any, *, law: Oracle, abar: Numbers, eta: float, budget: Budget, key: Array, times: int = 1
) -> Numbers:
    """The draws of one way; with the same key, on the same noise."""
    parts = []
    for k in range(times * budget.draws // budget.batch):
        to_start, to_run = jax.random.split(jax.random.fold_in(key, k))
        x_T = jax.random.normal(to_start, (budget.batch, *law.event_shape), dtype_of(law))
        parts.append(np.asarray(sampler(eps, x_T, abar, eta=eta, key=to_run)))
    return np.concatenate(parts)


def _reference(
    law: Oracle, view: View, table: Numbers, S: int, eta: float, budget: Budget, key: Array
) -> tuple[Numbers, Numbers, Interval]:
    """Mean, covariance and distance of the reference with the exact score: by theory, or by many draws."""
    if isinstance(law, SpectralGaussian):
        mean, covariance = view.turned(*theory.along(law, *theory.end(law, table, S, eta)))
        far = float(frechet(mean, covariance, view.mean, view.covariance))
        return mean, covariance, Interval(far, far, far)
    x = view(
        _draws(REFERENCE, exact(law), law=law, abar=spaced(table, S), eta=eta, budget=budget, key=named(key, "theory"), times=MORE)
    )
    rows = np.concatenate([np.ones((len(x), 1)), x], axis=1).reshape(BLOCKS, -1, 1 + x.shape[1])
    sums = np.einsum("gni,gnj->gij", rows, rows, optimize=True)
    (estimate,) = jackknife(lambda s: frechet(*_plain(s), view.mean, view.covariance)[:, None], sums, budget.rate)
    mean, covariance = _plain(sums.sum(axis=0))
    plugged = float(frechet(mean, covariance, view.mean, view.covariance))
    return mean, covariance, Interval(plugged, min(estimate.low, plugged), max(estimate.high, plugged))


def _likely(law: Oracle, y: Numbers, mean: Numbers, covariance: Numbers) -> float:
    if not isinstance(law, SpectralGaussian):
        return 1.0
    battery = gaussian_battery(Moments.of(y), mean, covariance)
    return min(1.0, len(battery) * min(evidence.p_value for evidence in battery))


def _plain(sums: Numbers) -> tuple[Numbers, Numbers]:
    n = sums[..., :1, :1]
    mean = sums[..., 1:, 0] / n[..., 0]
    return mean, (sums[..., 1:, 1:] / n - mean[..., :, None] * mean[..., None, :]) * n / (n - 1)


def findings(seen: Sampling, budget: Budget) -> list[Finding]:
    """Whose error it is, by the worst of all S and eta; and which eta wins."""
    whose = {
        "samples-of-network": ("network", "the network, sampled by the reference,"),
        "samples-of-both": ("both", "the network, sampled by the sampler in question,"),
        "samples-of-sampler": ("sampler", "the sampler in question, with the exact denoiser,"),
    }
    if not seen.in_question:
        return [_of("samples-of-network", *whose["samples-of-network"], seen, budget), _of_reference(seen, budget), *order(seen)]
    return [_of(check, *told, seen, budget) for check, told in whose.items()] + order(seen)


def _of_reference(seen: Sampling, budget: Budget) -> Finding:
    """The reference itself, on which all coupled draws rest: exact tests of its draws with the exact denoiser."""
    cell = min(seen.cells, key=lambda one: one.reference)
    message = (
        "the reference sampler, with the exact denoiser, is held to the law that theory gives: its least likely setting is "
        f"S = {cell.steps}, eta = {cell.eta:g}, p = {cell.reference:.2g}."
    )
    if not seen.curve:
        return Finding("samples-of-sampler", Status.NOT_APPLICABLE, "where the reference ends on a mixture has no closed form.")
    status = Status.PASS if cell.reference > budget.rate else Status.FAIL
    return Finding("samples-of-sampler", status, message, measured=cell.reference, tolerance=budget.rate, false_alarm=budget.rate)


def _of(check: str, part: str, what: str, seen: Sampling, budget: Budget) -> Finding:
    """The worst setting: one that surely fails before one that cannot be told, and then the one furthest beyond its resolution.

    Of a network those are left out to which the reference strays, but where its images are no numbers.
    """
    cells = [cell for cell in seen.cells if part == "sampler" or not cell.excess[part].finite or not _strays(cell, seen)]
    left, strange = len(seen.cells) - len(cells), ""
    if left:
        strange = (
            f" Not judged: {left} of {len(seen.cells)} settings, which by theory itself end so far from the data that a network is "
            "asked about states that it was never shown."
        )
    if not cells:
        return Finding(check, Status.INCONCLUSIVE, f"{what} is asked to take too few steps.{strange}")
    limits = [cell.resolution if part == "sampler" else _allowed(budget.limits, cell.theory, seen.variance) for cell in cells]
    excess, allowed = [cell.excess[part] for cell in cells], [cell.resolution for cell in cells]
    k = gravest(excess, allowed, limits)
    cell, off = cells[k], [status_of(one, most) for one, most in zip(excess, allowed, strict=True)]
    message = (
        f"{what} ends within what theory gives at {off.count(Status.PASS)} of {len(off)} settings; the furthest off is S = "
        f"{cell.steps}, eta = {cell.eta:g}: Frechet distance {getattr(cell, part).value:.4g}, theory {cell.theory.value:.4g}."
    )
    details = {"steps": cell.steps, "eta": cell.eta}
    found = judged(check, excess[k], allowed[k], message, limit=limits[k], rate=budget.rate, details=details)
    return replace(found, message=found.message + strange)


def _strays(cell: Cell, seen: Sampling) -> bool:
    """Whether the reference itself ends so far from the data that its states are none that a network has learnt from.

    The denoiser of a Gaussian is affine, and what is learnt of it near the data holds further away. That of a mixture is not.
    """
    return not seen.curve and cell.theory.value > STRAYS * seen.variance


def _allowed(of: Resolutions, theory: Interval, variance: float) -> float:
    return max(of.frechet * theory.value, of.trace * variance)


def order(seen: Sampling) -> list[Finding]:
    """Which eta comes closest at each S: by theory, and as measured."""
    best: dict[int, tuple[float, float]] = {}
    for S in dict.fromkeys(cell.steps for cell in seen.cells):
        row = [cell for cell in seen.cells if cell.steps == S]
        if len(row) > 1:
            best[S] = min(row, key=lambda c: c.theory.value).eta, min(row, key=lambda c: c.both.value).eta
    if not best:
        return []
    told = "; ".join(f"S = {S}: {theory:g} by theory, {measured:g} as measured" for S, (theory, measured) in best.items())
    return [Finding("best-eta", Status.NOTE, f"the eta that comes closest to the data: {told}.", details={"best": best})]
