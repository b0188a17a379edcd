r"""The denoiser's Jacobian against the exact one, eigenvalue by eigenvalue.

The exact denoiser's Jacobian is a covariance (Miyasawa, or Tweedie to second order),

.. math:: \frac{\partial \hat x_0}{\partial x_t} = \frac{\sqrt{\bar\alpha}}{1 - \bar\alpha}\,\operatorname{Cov}[x_0 \mid x_t],

so it is symmetric with eigenvalues :math:`\mu_k \ge 0`: for Gaussian data :math:`\sqrt{\bar\alpha}\,\lambda_k / v_k` along the
eigendirections u_k of the data, at every x_t. The network's is probed by forward derivatives along the same directions,
:math:`u_k^\top \hat J u_k`, at data noised to the level; what lies across, :math:`\|\hat J u_k - (u_k^\top \hat J u_k) u_k\|`, must
vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..oracles import Gaussian, Oracle
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding
from .budget import BLOCKS, Budget
from .judging import Interval, gravest, judged, mean_of_blocks
from .model import dtype_of, exact, named, pushed_forward

RATIOS = (0.1, 1.0, 10.0)
"""Signal over noise in variance at which it is taken, abar / (1 - abar), where the table reaches it."""


@dataclass(frozen=True)
class Spectrum:
    """One level.

    Attributes:
        abar: the level.
        exact: (k,): the exact eigenvalues, largest first, averaged over the points.
        measured: (k,): the network's along their directions, likewise.
        spread: (k,): from the lowest to the highest point, half of it.
        off: what is off of both, root mean square over that of the exact eigenvalues.
        across: what lies across the eigendirections, root mean square over that of the exact eigenvalues.
    """

    abar: float
    exact: Numbers
    measured: Numbers
    spread: Numbers
    off: Interval
    across: float


def spectra(model: Any, law: Oracle, table: Numbers, budget: Budget, key: Array) -> tuple[Spectrum, ...]:
    """The spectra at the levels of :data:`RATIOS`."""
    snr = table[1:] / (1 - table[1:])
    reached = [ratio for ratio in RATIOS if snr[-1] <= ratio <= snr[0]]
    times = [1 + int(np.argmin(np.abs(np.log(snr) - np.log(ratio)))) for ratio in reached]
    return tuple(_spectrum(model, law, float(table[t]), budget, named(key, f"spectrum {t}")) for t in times)


def findings(seen: tuple[Spectrum, ...], budget: Budget) -> list[Finding]:
    """What is said of them."""
    if not seen:
        return []
    allowed = budget.resolutions.spectrum
    one = seen[gravest([spectrum.off for spectrum in seen], [allowed] * len(seen), [budget.limits.spectrum] * len(seen))]
    message = (
        f"the Jacobian of the denoiser is off by {100 * one.off.value:.3g} % of its spectrum at abar = {one.abar:.3g}, the "
        f"worst of {len(seen)} levels; {100 * one.across:.2g} % lies across the exact eigendirections."
    )
    return [judged("jacobian-spectrum", one.off, allowed, message, limit=budget.limits.spectrum, rate=budget.rate)]


def _spectrum(model: Any, law: Oracle, abar: float, budget: Budget, key: Array) -> Spectrum:
    points, d = BLOCKS, law.event_size
    x_t = _points(law, jnp.asarray(abar, dtype_of(law)), points, key)
    vectors, values = _eigen(law, x_t, abar)
    asked = np.unique(np.linspace(0, d - 1, min(budget.directions, d)).round().astype(int))
    each = min(budget.points * max(1, budget.directions // points), asked.size)
    spread = np.arange(each) * asked.size // each  # every point looks at all parts of the spectrum
    chosen = asked[(np.arange(points)[:, None] + spread) % asked.size]  # (points, each)
    u = np.take_along_axis(vectors, chosen[:, None, :], axis=2).transpose(0, 2, 1)
    eigenvalues = np.take_along_axis(values, chosen, axis=1)
    images = _all_images(model, jnp.repeat(x_t, each, axis=0), u.reshape(-1, d), abar, budget.batch).reshape(u.shape)
    along = np.einsum("pki,pki->pk", images, u)
    across = images - along[..., None] * u
    size = float(np.mean(eigenvalues**2))
    off = mean_of_blocks(((along - eigenvalues) ** 2).mean(axis=1) / size, budget.rate)
    by_direction = [(eigenvalues[chosen == k].mean(), along[chosen == k]) for k in asked[::-1] if (chosen == k).any()]
    return Spectrum(
        abar,
        np.array([one for one, _ in by_direction]),
        np.array([seen.mean() for _, seen in by_direction]),
        np.array([np.ptp(seen) / 2 for _, seen in by_direction]),
        off.by(lambda value: float(np.sqrt(max(value, 0.0)))),
        float(np.sqrt((across**2).sum(axis=2).mean() / size)),
    )


def _all_images(model: Any, rows: Array, tangents: Numbers, abar: float, batch: int) -> Numbers:
    r"""J u for every pair, :math:`(u - \sqrt{1 - \bar\alpha}\,\hat\epsilon'(x_t) u) / \sqrt{\bar\alpha}`.

    In batches of one size: the last is filled up, so that one program serves all.
    """
    missing = -rows.shape[0] % batch
    x = jnp.concatenate([rows, jnp.repeat(rows[:1], missing, axis=0)])
    u = jnp.asarray(np.concatenate([tangents, np.repeat(tangents[:1], missing, axis=0)]), x.dtype).reshape(x.shape)
    told = jnp.full(batch, abar, x.dtype)
    parts = [pushed_forward(model, x[k : k + batch], u[k : k + batch], told)[1] for k in range(0, len(x), batch)]
    images = np.concatenate([np.asarray(part, np.float64) for part in parts])[: len(rows)].reshape(len(rows), -1)
    found: Numbers = (tangents - np.sqrt(1 - abar) * images) / np.sqrt(abar)
    return found


def _eigen(law: Oracle, x_t: Array, abar: float) -> tuple[Numbers, Numbers]:
    """(points, d, d) eigenvectors of the exact Jacobian, as columns, and (points, d) eigenvalues, smallest first."""
    d = law.event_size
    told = x_t[:1] if isinstance(law, Gaussian) else x_t  # of Gaussian data it is the same everywhere
    J = np.stack([_all_images(exact(law), jnp.repeat(x[None], d, axis=0), np.eye(d), abar, d) for x in told])
    values, vectors = np.linalg.eigh((J + J.transpose(0, 2, 1)) / 2)
    shape = (x_t.shape[0], d)
    return np.broadcast_to(vectors, (*shape, d)), np.broadcast_to(values, shape)


def _points(law: Oracle, abar: Array, count: int, key: Array) -> Array:
    to_data, to_noise = jax.random.split(key)
    x_0 = law.sample(to_data, (count,))
    return jnp.sqrt(abar) * x_0 + jnp.sqrt(1 - abar) * jax.random.normal(to_noise, x_0.shape, x_0.dtype)
