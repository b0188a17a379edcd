r"""Likelihood ratios of one-parameter exponential families, and mixtures of them: e-processes.

A density :math:`p_\theta(u) \propto \exp(\eta(\theta)\, T(u) - A(\theta))` makes the likelihood ratio of n draws a function
of n and :math:`s = \sum_i T(u_i)` alone,

.. math:: \log \Lambda_n(\theta : \theta_0) = (\eta(\theta) - \eta(\theta_0))\, s - n\, (A(\theta) - A(\theta_0)).

Under :math:`\theta_0` it is a martingale that starts at 1, and so is a mixture :math:`E_n = \sum_k w_k \Lambda_n(\theta_k :
\theta_0)` with weights that sum to one. Hence (Ville 1939), however and whenever somebody looks,

.. math:: P_{\theta_0}\bigl(\sup_n E_n \ge 1 / \alpha\bigr) \le \alpha.

If all :math:`\theta_k` lie on one side of :math:`\theta_0`, E is a supermartingale under every parameter beyond
:math:`\theta_0` on the other side, and the bound holds for all of them. Two families are used:

* **mean** of :math:`u \sim \mathcal{N}(\theta, 1)`: :math:`T = u,\ \eta = \theta,\ A = \theta^2 / 2`. For every u that is
  sub-Gaussian with variance proxy 1 the mixture is a supermartingale still: also for u within [-1, 1] (Hoeffding's lemma);
* **variance** of :math:`u \sim \mathcal{N}(0, \theta)`: :math:`T = u^2,\ \eta = -1 / (2\theta),\ A = \tfrac12 \log\theta`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .evidence import Array


@dataclass(frozen=True, slots=True)
class Family:
    """A one-parameter exponential family in its mean parameter: E T(u) = theta.

    Attributes:
        statistic: T.
        eta: the natural parameter.
        log_partition: A.
        claim: the parameter of draws that are standardised by what is claimed.
    """

    statistic: Callable[[Array], Array]
    eta: Callable[[Any], Any]
    log_partition: Callable[[Any], Any]
    claim: float

    def mixture(self, alternatives: Any, weights: Any, against: float) -> Mixture:
        """The e-process of weighted alternatives against one parameter; weights are normalised."""
        theta, w = np.asarray(alternatives, dtype=np.float64), np.asarray(weights, dtype=np.float64)
        eta = self.eta(theta) - self.eta(against)
        return Mixture(eta, self.log_partition(theta) - self.log_partition(against), np.log(w / w.sum()))


@dataclass(frozen=True, slots=True)
class Mixture:
    """Likelihood ratios against one hypothesis, with weights: each attribute has one entry an alternative."""

    eta: Array
    log_partition: Array
    log_weights: Array

    def log_e(self, n: int, s: Any) -> Array:
        """log E_n for sums s of any shape."""
        return log_sum_exp(self.log_weights + np.multiply.outer(np.asarray(s), self.eta) - n * self.log_partition)

    def draws_expected(self, theta: float, log_level: float) -> float:
        """Wald's estimate of the draws until log E reaches the level, when E T = theta: no bound, the overshoot is left out."""
        drift = self.eta * theta - self.log_partition
        return float(np.min(np.where(drift > 0, (log_level - self.log_weights) / np.where(drift > 0, drift, 1.0), np.inf)))


def log_sum_exp(terms: Array) -> Array:
    """log of the sum of exponentials over the last axis, without overflow."""
    top = terms.max(axis=-1)
    return np.asarray(top + np.log(np.exp(terms - top[..., None]).sum(axis=-1)))


MEAN = Family(lambda u: u, lambda theta: theta, lambda theta: theta**2 / 2, 0.0)
VARIANCE = Family(lambda u: u**2, lambda theta: -0.5 / theta, lambda theta: np.log(theta) / 2, 1.0)
