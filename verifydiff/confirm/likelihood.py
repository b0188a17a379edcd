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
from .model import ask, dtype_of, exact, named


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
    grid = jnp.asarray(np.geomspace(sigma[1], sigma[-1], budget.ode_steps + 1), dtype)
    of_model, of_exact = (np.asarray(_log_density(eps, x, sign, grid), np.float64) for eps in (model, exact(law)))
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
        rate=rate,
        details={"entropy": seen.entropy, "bound": seen.bound},
    )
    ode = judged(
        "bits-by-ode",
        seen.ode_excess,
        allowed,
        f"by the probability-flow ODE the network has {seen.ode_exact + seen.ode_excess.value:.4f} bits per dimension at the "
        f"cleanest level, "
        f"the exact denoiser {seen.ode_exact:.4f} by the same steps, and the entropy there is {seen.ode_entropy:.4f}.",
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


@jax.jit  # type: ignore[untyped-decorator]
def _log_density(model: Any, x: Array, sign: Array, sigma: Array) -> Array:
    """log p at the cleanest level, of each path: state and trace together, with one call of the model a step."""
    h, d = jnp.log(sigma[-1] / sigma[0]) / (sigma.size - 1), x[0].size

    def slope(x: Array, s: Array) -> tuple[Array, Array]:
        abar = 1 / (1 + s**2)
        r = s * jnp.sqrt(abar)
        eps, image = jax.jvp(lambda one: ask(model, one, abar), (x,), (sign,))
        trace = jnp.sum((image * sign).reshape(sign.shape[0], -1), axis=1)
        return r * (eps - r * x), r * (trace - r * d)

    def step(k: Array, at: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        x, total, before, trace_before = at
        now, trace = slope(x, sigma[k])
        w = jnp.where(k == 0, 0.0, 0.5).astype(x.dtype)
        return x + h * ((1 + w) * now - w * before), total + h * ((1 + w) * trace - w * trace_before), now, trace

    nothing = jnp.zeros(x.shape[0], x.dtype)
    x_T, total, _, _ = jax.lax.fori_loop(0, sigma.size - 1, step, (x, nothing, jnp.zeros_like(x), nothing))
    return total - jnp.sum(x_T.reshape(x.shape[0], -1) ** 2, axis=1) / 2 - d / 2 * jnp.log(2 * jnp.pi)
