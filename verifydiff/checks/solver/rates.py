r"""What a small step does, per unit of its length: the rates of its coefficients, and those that an equation asks for.

In the variance-exploding frame, :math:`\bar x = x / \alpha` with the noise over the signal :math:`\sigma`, the response of a
sampler (:mod:`verifydiff.observe.response`) says of the way from one query to the next, of length
:math:`h_k = \log(\sigma_k / \sigma_{k+1})`,

.. math::
    \bar x_{k+1} = a_k \bar x_k + \sum_j b_{kj}\,\hat x_{0,j} + \text{noise}, \qquad
    a_k = \frac{\bar A_{k+1}}{\bar A_k}, \quad
    b_{kj} = \bar B_{k+1,j} - a_k \bar B_{kj}, \quad
    c_k^2 = \sum_i \bar C_{k+1,i}^2 - a_k^2 \bar C_{ki}^2 .

The first is what is done to x_T on its way, the last what the variance gains. Both are of the law of the states, so that it does
not matter which query is the start of a step and which a stage of one: a stage is a state of its level too. The reverse process
with noise of strength :math:`\lambda g` (:data:`verifydiff.forms.sde.family_drift`) asks of small steps that

.. math::
    \frac{1 - a}{h} \to 1 + \lambda^2, \qquad \frac{\sum_j b_j}{h} \to 1 + \lambda^2, \qquad
    \frac{c^2}{h} \to 2 \lambda^2 \sigma^2 .

How much noise there is, :math:`\lambda^2`, is the method's to choose. It is read off c, and then a and b are given.

Rates are those of six queries together: steps of one, two, three or six queries are then met in full, wherever they are cut. On
ever more steps they tend to their limits as :math:`r + r_1 h + r_2 h^2 + \dots`; the polynomial through the last three grids has
the limit at h = 0, and how far it is from that of the line through the last two says how well it is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy import sqrt

from ...forms import sde
from ...forms.form import compiled
from ...forms.quantities import x_0, x_t
from ...forms.score import score_t
from ...observe.response import Response
from ...schedule import Array

TOGETHER = 6
"""Queries whose rates are taken together."""
SHARES = np.linspace(0.125, 0.875, 25)
"""Where rates are looked at: shares of the way, in log sigma. Left out are the ends, where methods start and leave for the data."""
KNOWN = 2.0**20
"""A weight of x_T has to be this many roundings at least, for what a step does to it to be known to six digits."""


NO_SIGNAL = 2.0**-40
"""States that hold less of the data are pure noise: they have no place in log sigma."""


@dataclass(frozen=True)
class Rates:
    """Rates per unit of log sigma, in the variance-exploding frame.

    Attributes:
        kept: what is lost of the state, (1 - a) / h.
        predicted: what is taken of the predictions of the data, sum b / h.
        noise: c^2 / h, over that of the reverse SDE: lambda^2.
    """

    kept: Array
    predicted: Array
    noise: Array

    @property
    def drift(self) -> tuple[Array, Array]:
        """What ``kept`` and ``predicted`` should be with this much noise."""
        (kept, predicted), (kept_by_noise, predicted_by_noise) = asked(0), asked(1)
        return (
            kept + self.noise * (kept_by_noise - kept),
            predicted + self.noise * (predicted_by_noise - predicted),
        )

    @property
    def off(self) -> Array:
        """(2, ...): how far the two are off that, as shares of it, or of the probability flow's where it is less."""
        return np.stack(
            [
                (seen - due) / np.maximum(np.abs(due), flow)
                for seen, due, flow in zip((self.kept, self.predicted), self.drift, asked(0), strict=True)
            ]
        )


@dataclass(frozen=True)
class Steps:
    """The coefficients from every query to the next, N - 1 of them each; NaN where too little is left of x_T to tell them.

    Attributes:
        place: (N,): -log sigma of the queries.
        lost: 1 - a.
        predicted: the sum of all b.
        noise: c^2 over the variance that the reverse SDE adds per unit of log sigma.
    """

    place: Array
    lost: Array
    predicted: Array
    noise: Array

    @property
    def lengths(self) -> Array:
        """(N - 1,): h."""
        return np.diff(self.place)


def steps_of(response: Response) -> Steps:
    """The coefficients from every query to the next."""
    seen = np.flatnonzero((response.alpha[:-1] > NO_SIGNAL) & (response.sigma[:-1] > 0))
    alpha, sigma = response.alpha[seen], response.sigma[seen] / response.alpha[seen]
    start, answers, draws = (one[seen] for one in (response.start, response.answers, response.draws))
    with np.errstate(all="ignore"):
        kept = start[1:] / start[:-1]
        predicted = (answers[1:] - kept[:, None] * answers[:-1]).sum(axis=1)
        fresh = (draws[1:] ** 2).sum(axis=1) - kept**2 * (draws[:-1] ** 2).sum(axis=1)
        found = np.stack(
            [
                1 - kept * alpha[:-1] / alpha[1:],
                predicted / alpha[1:],
                fresh / alpha[1:] ** 2 / strength(np.sqrt(sigma[:-1] * sigma[1:])),
            ]
        )
    known = (np.abs(start[:-1]) > KNOWN * response.rounding[seen[:-1]]) & np.isfinite(found).all(axis=0)
    return Steps(-np.log(sigma), *np.where(known, found, np.nan))


def rates(response: Response, places: Array) -> Rates:
    """The rates at these places, of the queries around each; NaN where they are not known."""
    steps = steps_of(response)
    ones = np.ones(TOGETHER)
    middle = (steps.place[:-TOGETHER] + steps.place[TOGETHER:]) / 2
    length = np.convolve(steps.lengths, ones, "valid")
    with np.errstate(all="ignore"):
        found = [
            np.where(length != 0, np.convolve(one, ones, "valid") / length, np.nan)
            for one in (steps.lost, steps.predicted, steps.noise)
        ]
    return Rates(*(between(places, middle, one) for one in found))


def between(places: Array, at: Array, values: Array) -> Array:
    """Values at other places, by lines between those that are known; NaN beyond them, and where too few are."""
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(at))
    if known.size < 2:
        return np.full(places.shape, np.nan)
    known = known[np.argsort(at[known])]
    return np.asarray(np.interp(places, at[known], values[known], left=np.nan, right=np.nan))


def places(responses: list[Response]) -> Array:
    """The places at which all responses can be looked at."""
    ends = [steps_of(response).place for response in responses]
    first, last = max(one.min() for one in ends), min(one.max() for one in ends)
    return np.asarray(first + SHARES * (last - first))


def limit(values: list[Array], queries: list[int]) -> Array:
    """The polynomial in h through values on grids of so many queries, at h = 0."""
    h = [1 / (n - 1) for n in queries]
    weights = [np.prod([other / (other - one) for other in h if other != one]) for one in h]
    return np.asarray(sum(weight * value for weight, value in zip(weights, values, strict=True)))


# -- what is asked ----------------------------------------------------------------------------------------------------------


@cache
def _closed_forms() -> tuple[Callable[..., Any], sympy.Expr]:
    """The strength g^2 of the noise at a sigma, and the drift by lambda, both per unit of log sigma."""
    by_time = sympy.diff(sde.ve_variance.expression, sde.sigma) * sde.sigma_rate
    still = {sde.f: sympy.Integer(0), sde.g: sqrt(by_time)}
    (score,) = sympy.solve(sde.flow_drift.expression.xreplace(still) - sde.ve_flow.expression, score_t)
    drift = sde.family_drift.expression.xreplace({**still, score_t: score})
    in_log = {sde.sigma_rate: sde.sigma}
    return compiled(by_time.xreplace(in_log), (sde.sigma,), "numpy"), sympy.expand(drift.xreplace(in_log))


def strength(sigma: Array) -> Array:
    """g^2: the variance that the reverse SDE adds at a sigma, per unit of log sigma."""
    return np.asarray(_closed_forms()[0](sigma))


@cache
def asked(lam: int) -> tuple[float, float]:
    """What is lost of the state and taken of the data per unit of log sigma: by the probability flow (0) or the reverse SDE (1)."""
    drift = _closed_forms()[1].subs(sde.lam, lam)
    return float(drift.coeff(x_t)), float(-drift.coeff(x_0))
