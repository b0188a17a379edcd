r"""Bits per dimension, by the variational bound and by the probability-flow ODE, against the exact entropy.

**The bound** (Ho et al. 2020, eq. 5). With s = t - 1, :math:`q(x_s \mid x_t, x_0)` of variance :math:`\tilde\beta_t` and with
weight c on :math:`x_0`, steps of the model of variance :math:`\sigma_t^2`, and m the mean squared error of :math:`\hat x_0` at
t, per dimension and in nats

.. math:: L = \mathrm{KL}\bigl(q(x_T \mid x_0)\,\|\,\mathcal{N}(0, I)\bigr) / d
          + \tfrac12 \sum_{t=2}^{T} \Bigl(\frac{\tilde\beta_t + c^2 m}{\sigma_t^2} - 1 + \log\frac{\sigma_t^2}{\tilde\beta_t}\Bigr)
          + \tfrac12 \log(2\pi\sigma_1^2) + \frac{m}{2\sigma_1^2}.

The variance here is the best one for a perfect network, :math:`\sigma_t^2 = \tilde\beta_t + c^2 m^*` with m* the floor of m (Bao et
al. 2022). So L is the perfect network's, in closed form for Gaussian data, and
:math:`\sum_t w_t \|\epsilon^* - \hat\epsilon\|^2 / d` more, :math:`w_t = c^2 (1 - \bar\alpha_t) / (2 \bar\alpha_t \sigma_t^2)`. The
network's share is measured by itself; the gap between the perfect network's bound and the entropy is the price of T steps with
one variance each.

**The ODE** (Song et al. 2021). Over :math:`\tau = \log\sqrt{(1 - \bar\alpha)/\bar\alpha}`, with :math:`r = \sqrt{1 - \bar\alpha}`,

.. math:: \frac{dx}{d\tau} = r\,(\hat\epsilon - r\,x), \qquad
          \frac{d}{d\tau} \log p(x) = -r \operatorname{tr}\frac{\partial\hat\epsilon}{\partial x} + r^2 d,

from data noised to the cleanest level to the noisiest, by the method of Adams and Bashforth of order two; the trace by
Hutchinson's estimate :math:`z^\top J z` with one sign vector z for each path. The exact denoiser starts on the same paths with the
same z, and the entropy at that level is known: the difference of the two is the network's, and what the exact walk is off by is
the solver's and the estimate's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..oracles import Gaussian, Oracle
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, Status
from .budget import BLOCKS, Budget
from .judging import Interval, judged, mean_of_blocks
from .model import dtype_of, exact, named, pushed_forward


@dataclass(frozen=True)
class Likelihood:
    """All in bits per dimension.

    Attributes:
        entropy: of the data; exact for Gaussian data, else of many draws.
        bound: the perfect network's, where it is known.
        bound_excess: what the network adds to that.
        ode_entropy: of the data noised to the cleanest level.
        ode_exact: by the ODE with the exact denoiser.
        ode_excess: what the network adds to that.
    """

    entropy: float
    bound: float | None
    bound_excess: Interval
    ode_entropy: float
    ode_exact: float
    ode_excess: Interval


def likelihood(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array, nats: Interval) -> Likelihood:
    """Measure it.

    Args:
        model: as :func:`.as_model` makes it.
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        budget: how many paths and steps.
        key: of the paths.
        nats: what the network adds to the bound, per dimension (:class:`.Denoising`).
    """
    d, dtype, clean = law.event_size, dtype_of(law), jnp.asarray(table[1], dtype_of(law))
    noised = law.diffused(clean)
    x = noised.sample(named(key, "paths"), (budget.batch,))
    sign = jax.random.rademacher(named(key, "signs"), x.shape, dtype)
    sigma = np.sqrt((1 - table) / table)
    grid = np.geomspace(sigma[1], sigma[-1], budget.ode_steps + 1)
    of_model, of_exact = (_log_density(eps, x, sign, grid) for eps in (model, exact(law)))
    known = np.asarray(noised.log_prob(x), np.float64)
    scale = 1 / (d * log(2))
    blocks = ((of_exact - of_model) * scale).reshape(BLOCKS, -1).mean(axis=1)
    entropy = _entropy(noised, known)
    return Likelihood(
        _entropy(law, None if isinstance(law, Gaussian) else np.asarray(law.log_prob(law.sample(key, (4096,))), np.float64))
        * scale,
        perfect_bound(law, table) * scale if isinstance(law, Gaussian) else None,
        nats.by(lambda value: value / log(2)),
        entropy * scale,
        (entropy + float((known - of_exact).mean())) * scale,
        mean_of_blocks(blocks, budget.rate),
    )


def findings(seen: Likelihood, budget: Budget) -> list[Finding]:
    """What is said of it."""
    allowed, rate = budget.resolutions.bits, budget.rate
    perfect = "" if seen.bound is None else f" over the perfect network's {seen.bound:.4f}"
    bound = judged(
        "bits-by-bound",
        seen.bound_excess,
        allowed,
        f"the bound lies {seen.bound_excess.value:.2g} bits per dimension{perfect}; the entropy is {seen.entropy:.4f}.",
        limit=budget.limits.bits,
        rate=rate,
        details={"entropy": seen.entropy, "bound": seen.bound},
    )
    ode = judged(
        "bits-by-ode",
        seen.ode_excess,
        allowed,
        f"by the probability-flow ODE the network has {seen.ode_exact + seen.ode_excess.value:.4f} bits per dimension at the "
        f"cleanest level, the exact denoiser {seen.ode_exact:.4f} by the same steps, and the entropy there is "
        f"{seen.ode_entropy:.4f}.",
        limit=budget.limits.bits,
        rate=rate,
    )
    gap = [] if seen.bound is None else [seen.bound - seen.entropy]
    notes = [
        Finding(
            "bound-gap",
            Status.NOTE,
            f"T steps with one variance each cost a perfect network {one:.4f} bits per dimension over the entropy.",
            measured=one,
        )
        for one in gap
    ]
    return [bound, ode, *notes]


def perfect_bound(law: Gaussian, table: Numbers) -> float:
    """The bound of the exact denoiser, in nats, exactly: no draw."""
    d, a = law.event_size, table[-1]
    second = float(jnp.sum(law.variance)) + float(jnp.sum(law.mean**2))
    prior = (a * second + d * (1 - a) - d - d * log(1 - a)) / 2
    floors = np.asarray(law.bayes_loss(jnp.asarray(table[1:], dtype_of(law))).value, np.float64)
    c, fresh, m = _step(table, floors)
    steps = np.log1p(c[1:] ** 2 * m[1:] / fresh[1:]).sum() / 2
    return float(prior + d * (steps + (log(2 * pi * m[0]) + 1) / 2))


def bound_weights(table: Numbers, floors: Numbers) -> Numbers:
    """(T,): what a squared error of the noise at t = 1..T adds to the bound, w_t; floors are those of the noise, (T,)."""
    c, fresh, m = _step(table, floors)
    abar = table[1:]
    weights: Numbers = c**2 * (1 - abar) / (2 * abar * (fresh + c**2 * m))
    return weights


def _step(table: Numbers, floors: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """c, the posterior's variance and the floor of the data's error, for t = 1..T."""
    t, s = table[1:], table[:-1]
    beta = (s - t) / s
    return np.sqrt(s) * beta / (1 - t), beta * (1 - s) / (1 - t), (1 - t) / t * floors


def _entropy(law: Oracle, log_density: Numbers | None) -> float:
    """In nats: exact for Gaussians, else the mean of draws."""
    if isinstance(law, Gaussian):
        return float(law._log_det) / 2 + law.event_size * (1 + log(2 * pi)) / 2
    assert log_density is not None  # noqa: S101 - such laws come with draws
    return -float(log_density.mean())


def _log_density(model: Any, x: Array, sign: Array, sigma: Numbers) -> Numbers:
    """log p at the cleanest level, of each path: state and trace together, with one call of the model a step."""
    h, z = float(np.log(sigma[-1] / sigma[0])) / (sigma.size - 1), np.asarray(sign, np.float64).reshape(len(x), -1)

    def slope(at: Numbers, s: float) -> tuple[Numbers, Numbers]:
        abar, r = 1 / (1 + s**2), s / np.sqrt(1 + s**2)
        told = jnp.full(len(x), abar, x.dtype)
        eps, image = pushed_forward(model, jnp.asarray(at, x.dtype).reshape(x.shape), sign, told)
        trace = (np.asarray(image, np.float64).reshape(z.shape) * z).sum(axis=1)
        return r * (np.asarray(eps, np.float64).reshape(z.shape) - r * at), r * (trace - r * z.shape[1])

    at, total = np.asarray(x, np.float64).reshape(z.shape), np.zeros(len(x))
    before, trace_before = slope(at, float(sigma[0]))
    for s in sigma[:-1]:
        now, trace = slope(at, float(s)) if s != sigma[0] else (before, trace_before)
        at = at + h * (1.5 * now - 0.5 * before)
        total = total + h * (1.5 * trace - 0.5 * trace_before)
        before, trace_before = now, trace
    found: Numbers = total - (at**2).sum(axis=1) / 2 - z.shape[1] / 2 * log(2 * pi)
    return found
