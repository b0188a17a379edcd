r"""The Frechet distance of two laws, by their moments (Dowson & Landau 1982).

For Gaussians it is the squared 2-Wasserstein distance,

.. math:: d^2 = \|m_p - m_q\|^2 + \operatorname{tr}\bigl(C_p + C_q - 2 (C_p^{1/2} C_q C_p^{1/2})^{1/2}\bigr)
          = \|m_p - m_q\|^2 + \min_{R R^\top = I} \|L_p - L_q R\|_F^2, \qquad C = L L^\top.

The second form, with R from the singular vectors of L_q^T L_p, is a sum of squares: two laws that agree to rounding are at a
distance of rounding *squared*, where the trace leaves the rounding of its largest term. For other laws it is the distance of the
Gaussians with their moments, as in FID, which is of this square.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..verdict import MisuseError
from .arguments import as_one_dtype, finite, sound
from .gaussian import symmetric
from .oracle import Oracle, contract


def frechet_distance(p: Oracle, q: Oracle) -> Array:
    r"""The squared distance of two laws over events of the same size; (\*batch).

    Raises:
        MisuseError: if the events differ in shape.
    """
    if p.event_shape != q.event_shape:
        raise MisuseError(f"a distance is between laws of the same events, got {p.event_shape} and {q.event_shape}.")
    mean_p, mean_q = (law.mean.reshape(*law.batch_shape, law.event_size) for law in (p, q))
    return _distance(mean_p, mean_q, p.covariance_matrix, q.covariance_matrix)


def frechet_distance_of_moments(mean_p: Any, covariance_p: Any, mean_q: Any, covariance_q: Any) -> Array:
    r"""The same of moments, those of draws among them: means (\*batch, d), covariances (\*batch, d, d), which may be singular.

    Raises:
        MisuseError: if shapes do not fit, or a covariance is not symmetric or has an eigenvalue below 0, beyond rounding.
    """
    mean_p, covariance_p, mean_q, covariance_q = as_one_dtype(
        mean_p=mean_p, covariance_p=covariance_p, mean_q=mean_q, covariance_q=covariance_q
    )
    d = mean_p.shape[-1:]
    if not d or mean_q.shape[-1:] != d or covariance_p.shape[-2:] != d * 2 or covariance_q.shape[-2:] != d * 2:
        shapes = ", ".join(str(moment.shape) for moment in (mean_p, covariance_p, mean_q, covariance_q))
        raise MisuseError(f"means must end in (d,) and covariances in (d, d) with one d, got {shapes}.")
    covariance_p, covariance_q = semidefinite("covariance_p", covariance_p), semidefinite("covariance_q", covariance_q)
    return _distance(finite("mean_p", mean_p), finite("mean_q", mean_q), covariance_p, covariance_q)


def semidefinite(name: str, covariance: Array) -> Array:
    """The covariance, if it is one to rounding.

    Raises:
        MisuseError: if it is known to be none.
    """
    covariance = finite(name, covariance)
    rounding = 64 * covariance.shape[-1] * float(jnp.finfo(covariance.dtype).eps)
    covariance = sound(covariance, partial(symmetric, rounding), f"`{name}` must be symmetric")
    spectrum = jnp.linalg.eigvalsh(covariance)
    rule = f"`{name}` must have no negative eigenvalue"
    spectrum = sound(spectrum, lambda values: values >= -rounding * abs(values[..., -1:]), rule)
    return covariance + 0 * spectrum[..., None]


@jax.jit  # type: ignore[untyped-decorator]
def _distance(mean_p: Array, mean_q: Array, covariance_p: Array, covariance_q: Array) -> Array:
    root_p, root_q = _root(covariance_p), _root(covariance_q)
    left, _, right = jnp.linalg.svd(contract("...ji,...jk->...ik", root_q, root_p), full_matrices=False)
    turned = contract("...ij,...jk,...kl->...il", root_q, left, right)
    return jnp.sum((mean_p - mean_q) ** 2, axis=-1) + jnp.sum((root_p - turned) ** 2, axis=(-1, -2))


def _root(covariance: Array) -> Array:
    """L with L L^T = C, for a C that may be singular."""
    spectrum, basis = jnp.linalg.eigh(covariance)
    return basis * jnp.sqrt(jnp.maximum(spectrum, 0))[..., None, :]
