r"""The law of every state on Gaussian data, by arithmetic alone.

For data N(m, v) the exact denoiser is affine,

.. math:: \hat x_0(x_k) = m + g_k (x_k - \alpha_k m), \qquad g_k = \frac{\alpha_k v}{\alpha_k^2 v + \sigma_k^2},

and so is every state of a sampler in what it was given (:mod:`verifydiff.observe.response`). Putting the one into the other
closes the loop: state k is affine in the state of the first query and in the draws, and its law follows without a run and
without a draw. The true law is known too: :math:`x_k \sim \mathcal{N}(\alpha_k m,\; \alpha_k^2 v + \sigma_k^2)`, and along the
probability flow :math:`(x_k - \alpha_k m) / \sqrt{\alpha_k^2 v + \sigma_k^2}` is the same number for all k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...observe.response import Response
from ...schedule import Array


@dataclass(frozen=True)
class Law:
    """Mean and standard deviation of every state, on data of mean m and variance v.

    Attributes:
        mean, deviation: (N + 1,), of the sampler, started from the true law of its first query.
        true_mean, true_deviation: (N + 1,), of the true marginals.
    """

    mean: Array
    deviation: Array
    true_mean: Array
    true_deviation: Array

    @property
    def error(self) -> Array:
        """(N + 1,): the larger of the two errors: of the mean in true deviations, and of the deviation over the true one."""
        true = np.maximum(self.true_deviation, np.finfo(np.float64).tiny)
        return np.asarray(np.maximum(np.abs(self.mean - self.true_mean), np.abs(self.deviation - self.true_deviation)) / true)


def gain(response: Response, variance: float) -> Array:
    """(N,): g, what the exact denoiser makes of a deviation of the state; nothing where neither data nor noise deviate."""
    alpha, sigma = response.alpha[:-1], response.sigma[:-1]
    spread = alpha**2 * variance + sigma**2
    return np.asarray(alpha * variance / np.where(spread > 0, spread, 1.0))


def true_deviation(response: Response, variance: float) -> Array:
    """(N + 1,): the standard deviation of the true marginals."""
    return np.asarray(np.hypot(response.alpha * np.sqrt(variance), response.sigma))


def law(response: Response, mean: float, variance: float) -> Law:
    """The law of every state on data N(mean, variance), from the true law of the first query."""
    alpha, g = response.alpha, gain(response, variance)
    given = np.zeros((response.queries + 1, 2 + response.draws.shape[1]))  # a column for 1, for the first state, for every draw
    given[:, 1] = response.start / response.start[0]
    given[:, 2:] = response.draws
    answered = np.zeros((response.queries, given.shape[1]))
    for k in range(response.queries + 1):
        given[k] += response.answers[k, :k] @ answered[:k]
        if k < response.queries:
            answered[k] = g[k] * given[k]
            answered[k, 0] += mean * (1 - g[k] * alpha[k])
    true = true_deviation(response, variance)
    middle = given[:, 0] + given[:, 1] * alpha[0] * mean
    before = (response.draws[0] ** 2).sum()  # of the first state's variance, what was drawn before the first query
    deviation = np.sqrt(given[:, 1] ** 2 * np.maximum(true[0] ** 2 - before, 0.0) + (given[:, 2:] ** 2).sum(axis=1))
    return Law(middle, deviation, alpha * mean, true)


def local_errors(response: Response, variance: float) -> Array:
    r"""(N,): how far each step of a method of one query a step leaves the probability flow, all before it being exact.

    The weight of x_T tells what a step does to the state that it starts from, :math:`\rho_k = A_{k+1} / A_k`; the rest is what it
    does with predictions, :math:`w_{kj} = B_{k+1,j} - \rho_k B_{kj}`. On the flow through one standard deviation
    :math:`S_k = \sqrt{\alpha_k^2 v + \sigma_k^2}` the predictions are :math:`g_k S_k`, and the error is

    .. math:: \Bigl(\rho_k S_k + \sum_j w_{kj}\, g_j S_j - S_{k+1}\Bigr) / S_{k+1}.
    """
    kept = response.start[1:] / response.start[:-1]
    weights = response.answers[1:] - kept[:, None] * response.answers[:-1]
    true = true_deviation(response, variance)
    reached = kept * true[:-1] + weights @ (gain(response, variance) * true[:-1])
    return np.asarray((reached - true[1:]) / np.maximum(true[1:], np.finfo(np.float64).tiny))
