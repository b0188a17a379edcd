r"""Where S steps end with the exact score, by the proved forms alone.

A step :math:`x_s = p\,x_t + q\,\hat x_0 + c\,z` of the exact denoiser of :math:`\mathcal{N}(\mu, \lambda)`, asked at
:math:`\bar\alpha`, :math:`\hat x_0 = \mu + g\,(x_t - \sqrt{\bar\alpha}\,\mu)` with
:math:`g = \sqrt{\bar\alpha}\,\lambda / (\bar\alpha\lambda + 1 - \bar\alpha)`, is affine. So after S steps

.. math:: x_0 = A\,x_T + b + \sqrt{V}\,\xi, \qquad \xi \sim \mathcal{N}(0, 1),

direction by direction, and from :math:`x_T \sim \mathcal{N}(0, 1)` the law is :math:`\mathcal{N}(b, A^2 + V)`. p, q and c come from
:mod:`verifydiff.forms`; :func:`verifydiff.oracles.law_after` finds the same law by differentiating steps that are written out anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ..forms.families import DDIM
from ..oracles.gaussian import SpectralGaussian
from ..samplers import spaced
from ..statistics.evidence import Array as Numbers


@dataclass(frozen=True)
class Push:
    """A, b and V, each (d,)."""

    slope: Numbers
    shift: Numbers
    variance: Numbers


def pushed(p: Numbers, q: Numbers, c: Numbers, told: Numbers, mu: Numbers, lam: Numbers) -> Push:
    """A, b and V of these steps, asked at these levels, on data N(mu, lam) along each direction."""
    A, b, V = np.ones(mu.size), np.zeros(mu.size), np.zeros(mu.size)
    for p_k, q_k, c_k, abar in zip(p, q, c, told, strict=True):
        gain = np.sqrt(abar) * lam / (abar * lam + 1 - abar)
        turn = p_k + q_k * gain
        A, b, V = turn * A, turn * b + q_k * (mu - gain * np.sqrt(abar) * mu), turn**2 * V + c_k**2
    return Push(A, b, V)


def end(law: SpectralGaussian, table: Numbers, steps: int, eta: float) -> tuple[Numbers, Numbers]:
    """Mean and variance along the eigendirections of the data after S steps of DDIM(eta) from N(0, I); (d,) each."""
    levels = spaced(table, steps)
    mu, lam = directions(law)
    push = pushed(*DDIM(eta).coefficients(levels[:-1], levels[1:]), levels[:-1], mu, lam)
    return push.shift, push.slope**2 + push.variance


def directions(law: SpectralGaussian) -> tuple[Numbers, Numbers]:
    """Mean and variance of the data along their eigendirections."""
    return np.asarray(law._turned(law.loc), np.float64).ravel(), np.asarray(law.spectrum, np.float64).ravel()


def distance(law: SpectralGaussian, table: Numbers, steps: int, eta: float) -> float:
    """The Frechet distance to the data of where S steps end: two laws of one eigenbasis, so a sum over directions."""
    (mean, variance), (mu, lam) = end(law, table, steps, eta), directions(law)
    return float(np.sum((mean - mu) ** 2) + np.sum((np.sqrt(variance) - np.sqrt(lam)) ** 2))


def along(law: SpectralGaussian, mean: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """Moments told along the eigendirections, in plain coordinates: (d,) and (d, d)."""
    d = law.event_size
    units = jnp.eye(d, dtype=law.loc.dtype).reshape(d, *law.event_shape)
    U = np.asarray(law._turned_back(units), np.float64).reshape(d, d)  # a row for each direction
    return mean @ U, (U.T * variance) @ U
