r"""The answers of a mixture for very many particles at once, as matrix products.

For components with independent coordinates, means m_k and variances at the level v_k, with the particles as the columns of X,

.. math:: \log r = \log w - \tfrac12 \textstyle\sum_i \log v_{ki} - \tfrac12 \textstyle\sum_i \bar\alpha m_{ki}^2 / v_{ki}
          - \tfrac12 V^{-1} X^2 + M X + \text{const}, \qquad M = \sqrt{\bar\alpha}\,m / v,

.. math:: \nabla \log p = M^\top r - (V^{-\top} r) \odot X,

two products with K rows where the plain way visits n K d numbers, several times. Components come first and particles last: the
softmax then runs over the short axis while the long one stays contiguous. Where all components share a variance, X^2 drops out.

The squares are expanded, so x is taken from the mean of the mixture, and rounding leaves an error in log r of about
:math:`\epsilon_{\text{mach}} \|m_k - m\|^2 / v_k`: where the components lie a hundred standard deviations apart this is still
1e-3 in float32, and beyond it :meth:`GaussianMixture.eps` should be asked instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..verdict import MisuseError
from .arguments import level, state
from .gaussian import DiagonalGaussian
from .mixture import GaussianMixture

SHORT = 8  # so few coordinates are summed one by one: a matrix product would not pay its way


def eps_of_columns(law: GaussianMixture, dtype: Any = None) -> Callable[[Any, Any], Array]:
    r"""A function ``eps(x, abar)`` of particles as columns, (d, n), that answers what :meth:`GaussianMixture.eps` would.

    Args:
        law: a mixture without a batch, of components with independent coordinates, whose numbers are known.
        dtype: of the numbers it holds; that of the law if left out.

    Raises:
        MisuseError: if the mixture has a batch, other components, or is a tracer.
    """
    if law.batch_shape or not isinstance(law.components, DiagonalGaussian):
        raise MisuseError("the matrix form is that of one mixture, without a batch, of DiagonalGaussian components.")
    if isinstance(law.components.loc, jax.core.Tracer):
        raise MisuseError("the matrix form is made before `jit`, of a mixture whose numbers are known.")
    means, variances = np.asarray(law.components.loc, np.float64), np.asarray(law.components.spectrum, np.float64)
    centre = np.asarray(law.mean, np.float64)
    dtype = law.log_weights.dtype if dtype is None else dtype
    shared = bool((variances == variances[:1]).all())
    offsets, spread, middle, log_w = (jnp.asarray(a, dtype) for a in (means - centre, variances, centre, law.log_weights))

    def eps(x: Any, abar: Any) -> Array:
        x, a = state("x", x.T, law.event_shape).T, level(abar)
        x = x - jnp.sqrt(a) * middle[:, None]
        v = a * spread + (1 - a)
        pull = jnp.sqrt(a) * offsets / v
        logits = log_w - jnp.sum(jnp.log(v) + a * offsets**2 / v, axis=1) / 2
        logits = logits[:, None] + rows_by_columns(pull, x)
        if not shared:
            logits = logits - rows_by_columns(1 / v, x**2) / 2
        r = softmax(logits)
        towards = rows_by_columns(pull.T, r)
        back = x / v[0][:, None] if shared else rows_by_columns((1 / v).T, r) * x
        return jnp.sqrt(1 - a) * (back - towards)

    return eps


def softmax(logits: Array) -> Array:
    """Over the first axis; the barrier keeps the compiler from computing the exponentials again in every use."""
    weights = jnp.exp(logits - jnp.max(logits, axis=0, keepdims=True))
    weights = jax.lax.optimization_barrier(weights)
    return weights / jnp.sum(weights, axis=0, keepdims=True)


def rows_by_columns(matrix: Array, columns: Array) -> Array:
    """A matrix product, term by term where the inner axis is short."""
    if columns.shape[0] > SHORT:
        return jnp.matmul(matrix, columns, precision="highest")
    total = matrix[:, 0, None] * columns[None, 0]
    for j in range(1, columns.shape[0]):
        total = total + matrix[:, j, None] * columns[None, j]
    return total
