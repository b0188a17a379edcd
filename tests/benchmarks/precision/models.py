r"""Models of the noise whose precision can be chosen: the exact predictor as matrix products, and a trained network.

For data :math:`\mathcal{N}(0, U \operatorname{diag}(\lambda) U^\top)` each prediction is

.. math:: \hat y = U\, \bigl(g \odot (U^\top x_t)\bigr), \qquad v = \bar\alpha \lambda + 1 - \bar\alpha, \qquad
          g_\epsilon = \frac{\sqrt{1 - \bar\alpha}}{v}, \quad g_{x_0} = \frac{\sqrt{\bar\alpha}\,\lambda}{v}, \quad
          g_v = \frac{\sqrt{\bar\alpha (1 - \bar\alpha)}\,(1 - \lambda)}{v},

a network of two layers without a fault but its rounding. g is computed in float64; then it is a weight. The prediction becomes
one of the noise in the arithmetic of the sampler, by the proved forms.

U could be Hartley's basis, in which the field is diagonal; but on 8 x 8 points that consists of 0, 1/8 and sqrt(2)/8 with signs,
which bfloat16 keeps to 1e-4, fifteen times better than most numbers. So the directions that share an eigenvalue are mixed by a
rotation drawn at random, and U is as good a basis as before, of numbers like any others.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial

from verifydiff.network.objective import eps_of
from verifydiff.network.predictor import computing_in, predictions
from verifydiff.network.run import Run
from verifydiff.oracles.gaussian import SpectralGaussian

from .formats import Precision

KINDS = ("eps", "x0", "v")


def basis(law: SpectralGaussian, seed: int) -> tuple[Any, Any]:
    """U, a column for each direction, and the eigenvalues, in float64."""
    d = law.event_size
    columns = np.asarray(law._turned_back(jnp.eye(d).reshape(d, *law.event_shape)), np.float64).reshape(d, d).T
    spectrum = np.asarray(law.spectrum, np.float64).ravel()
    rng, mixed = np.random.default_rng(seed), np.empty_like(columns)
    for shared in np.unique(np.round(np.log(spectrum), 9)):
        (which,) = np.nonzero(np.round(np.log(spectrum), 9) == shared)
        turn, upper = np.linalg.qr(rng.standard_normal((which.size, which.size)))
        mixed[:, which] = columns[:, which] @ (turn * np.sign(np.diag(upper)))
    return mixed, spectrum


def exact_model(precision: Precision, kind: str, law: SpectralGaussian, seed: int = 0) -> Partial:
    """``model(x_t, abar)`` of rows (n, d) at one level: the noise that the exact prediction implies, computed in a precision."""
    return Partial(_computed_in(precision, kind), *map(jnp.asarray, basis(law, seed)))


@cache
def _computed_in(precision: Precision, kind: str) -> Any:
    """One function for each, so that one program serves all models of it."""
    return partial(_exact, precision, kind)


def _exact(precision: Precision, kind: str, columns: Array, spectrum: Array, x: Array, abar: Array) -> Array:
    a = abar.astype(jnp.float64)
    kept, product = precision.kept, precision.product
    U, g = precision.weight(columns.astype(precision.dtype)), precision.gain(gain(kind, a, spectrum).astype(precision.dtype))
    along = kept(product(precision.operand(x), U))
    y_hat = kept(product(precision.operand(kept(g[None, :] * along)), U.T))
    return eps_of(kind, abar, y_hat, x)


def gain(kind: str, abar: Array, spectrum: Array) -> Array:
    """g."""
    v = abar * spectrum + (1 - abar)
    of = {
        "eps": jnp.sqrt(1 - abar),
        "x0": jnp.sqrt(abar) * spectrum,
        "v": jnp.sqrt(abar * (1 - abar)) * (1 - spectrum),
    }
    return of[kind] / v


NETWORKS = {"float32": (jnp.float32, "highest"), "tf32": (jnp.float32, "tensorfloat32"), "bfloat16": (jnp.bfloat16, "highest")}
"""Of a network: the type of weights and activations, and what float32 is multiplied in."""


def network_model(name: str, run: Run) -> Partial:
    """``model(x_t, abar)`` of rows (n, d) at one level: a trained network in one of :data:`NETWORKS`."""
    dtype, products = NETWORKS[name]
    answer = partial(_network, products, run.preset.prediction, tuple(run.data.event_shape))
    return Partial(answer, computing_in(dtype, run.network))


def networks() -> tuple[str, ...]:
    """Those precisions that this machine can tell of."""
    return tuple(name for name in NETWORKS if name != "tf32" or jax.default_backend() == "gpu")


def _network(products: str, kind: str, event: tuple[int, ...], network: Any, x: Array, abar: Array) -> Array:
    with jax.default_matmul_precision(products):
        y_hat = predictions(network, x.reshape(-1, *event), jnp.broadcast_to(abar, x.shape[:1]), None)
    return eps_of(kind, abar, y_hat.reshape(x.shape), x)
