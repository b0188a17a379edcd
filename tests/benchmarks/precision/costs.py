r"""What a precision costs: the error of the score, level by level, and the law in which a sampler ends.

All draws are made once, in float64, and cast: every precision noises the same data and begins and goes on with the same noise. The
levels are rounded to the type of the state, as :mod:`verifydiff.samplers` does it.
"""

from __future__ import annotations

from functools import partial
from math import gcd
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random

from verifydiff.confirm import theory
from verifydiff.confirm.distance import Coupled, frechet
from verifydiff.confirm.model import compiled, named
from verifydiff.confirm.sampling import View
from verifydiff.oracles.gaussian import SpectralGaussian
from verifydiff.samplers import DDIM, spaced
from verifydiff.samplers.coordinates import x_hat

from .formats import EXACT, Rounding, plain
from .models import exact_model

TIMES = (1, 5, 30, 100, 250, 500, 750, 900, 970, 995, 999, 1000)
"""Of a table of a thousand steps, at which the score is looked at."""
LARGEST_BATCH = 1024
RATE = 1e-3
"""At which an interval may miss."""


def score_error(
    model: Any, law: SpectralGaussian, table: Any, draws: int, key: Array, beside: Any = None
) -> dict[str, list[float]]:
    """At each of :data:`TIMES`, root mean squares of two errors.

    All that is exact is computed in float64, at the very x_t and level that the model is asked about.

    Args:
        model: as :mod:`.models` makes them.
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        draws: that are noised, at each level.
        key: of the draws.
        beside: a model whose answers are taken for right; the exact one, if left out.

    Returns:
        ``score``: the error of the noise over the noise to expect, which is that of the score over the score; ``data``: the error
        of the data that it implies, over their standard deviation.
    """
    exact, deviation = exact_model(EXACT, "eps", law), float(np.sqrt(np.mean(np.asarray(law.spectrum))))
    told: dict[str, list[float]] = {"score": [], "data": []}
    for t in TIMES:
        x, abar = _noised(law, jnp.asarray(table[t]), draws, named(key, f"t {t}"))
        noise = _answers(exact, x.astype(jnp.float64), abar.astype(jnp.float64))
        right = noise if beside is None else _answers(beside, x, abar)
        off, size, a = _root(_answers(model, x, abar) - right), _root(noise), float(abar)
        told["score"].append(off / size)
        told["data"].append(off * ((1 - a) / a) ** 0.5 / deviation)
    return told


def _root(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _noised(law: SpectralGaussian, abar: Array, draws: int, key: Array) -> tuple[Array, Array]:
    """Rows of noised data and their level, in float32."""
    x = law.diffused(abar).sample(key, (draws,)).reshape(draws, -1)
    return x.astype(jnp.float32), abar.astype(jnp.float32)


@compiled
def _asked(model: Any, x: Array, abar: Array) -> Array:
    return model(x, abar)


def _answers(model: Any, x: Array, abar: Array) -> Any:
    return np.asarray(_asked(model, x, abar), np.float64)


class Samples:
    """Draws of DDIM, next to those of the exact model in float64 on the same noise.

    Args:
        law: of the data.
        table: abar_0 = 1 > ... > abar_T.
        draws: of each S and eta, whole blocks of :data:`verifydiff.confirm.budget.BLOCKS`.
        key: of the noise.
    """

    def __init__(self, law: SpectralGaussian, table: Any, draws: int, key: Array) -> None:
        self.law, self.table, self.draws, self.key = law, table, draws, key
        self.view = View(law, draws)
        self.variance = float(np.trace(self.view.covariance))
        self.exact = exact_model(EXACT, "eps", law)
        self._known: dict[tuple[int, float], Any] = {}

    def drawn(self, model: Any, steps: int, eta: float, state: Rounding = plain, dtype: Any = jnp.float32) -> Any:
        """(draws, d), in float64: by a model, the state in ``dtype`` and rounded by ``state`` after every step."""
        levels = np.ones(self.table.size)
        levels[: steps + 1] = spaced(self.table, steps)
        batch = gcd(self.draws, LARGEST_BATCH)
        rows = []
        for k in range(self.draws // batch):
            to_start, to_run = random.split(random.fold_in(self.key, k))
            x_T = random.normal(to_start, (batch, self.law.event_size), jnp.float64).astype(dtype)
            x_0 = _descend(state, model, x_T, jnp.asarray(levels, dtype), steps, jnp.asarray(eta, dtype), to_run)
            rows.append(np.asarray(x_0, np.float64))
        return np.concatenate(rows)

    def reference(self, steps: int, eta: float) -> Any:
        """Those of the exact model in float64."""
        if (steps, eta) not in self._known:
            self._known[steps, eta] = self.drawn(self.exact, steps, eta, dtype=jnp.float64)
        return self._known[steps, eta]

    def theory(self, steps: int, eta: float) -> tuple[Any, Any, float]:
        """Mean and covariance of where S steps end, and the distance to the data."""
        mean, covariance = self.view.turned(*theory.along(self.law, *theory.end(self.law, self.table, steps, eta)))
        return mean, covariance, float(frechet(mean, covariance, self.view.mean, self.view.covariance))

    def told(self, x: Any, steps: int, eta: float, beside: Any = None) -> dict[str, Any]:
        """What these draws show; None for what is no number.

        Args:
            x: the draws.
            steps: S.
            eta: of DDIM.
            beside: the draws that the distance of each image is taken from; the reference, if left out.

        Returns:
            ``excess``: of the Frechet distance to the data over what theory gives, over the variance of the data, as value, low and
            high; ``moved``: how far an image is from where it should be, over its norm, root mean square.
        """
        if not np.isfinite(x).all():
            return {"excess": None, "moved": None}
        mean, covariance, right = self.theory(steps, eta)
        y = self.reference(steps, eta)
        _, excess = Coupled(mean, covariance, self.view(x), self.view(y)).distance(
            self.view.mean, self.view.covariance, right, RATE
        )
        z = y if beside is None else beside
        moved = _root(np.linalg.norm(x - z, axis=1) / np.linalg.norm(z, axis=1))
        return {"excess": [one / self.variance for one in excess.plain()], "moved": moved}


@partial(compiled, static=(0,))
def _descend(state: Rounding, model: Any, x_T: Array, levels: Array, steps: Array, eta: Array, key: Array) -> Array:
    sampler = DDIM(eta)

    def down(k: Array, x: Array) -> Array:
        abar_t, abar_s = levels[k], levels[k + 1]
        eps_hat, onto_data = model(x, abar_t), abar_s == 1
        mean, std = sampler.kernel(x, eps_hat, abar_t, jnp.where(onto_data, (1 + abar_t) / 2, abar_s))
        z = random.normal(random.fold_in(key, k), x.shape, jnp.float64).astype(x.dtype)
        return state(jnp.where(onto_data, x_hat(x, eps_hat, abar_t), mean + std * z))

    return jax.lax.fori_loop(0, steps, down, state(x_T))
