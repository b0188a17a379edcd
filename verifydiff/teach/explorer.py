r"""What a sampler does, with numbers: its exact law on Gaussian data, its coefficients, its paths on a mixture.

On data :math:`x_0 \sim \mathcal{N}(m, c)` DDIM(:math:`\eta`) ends in a Gaussian that is known exactly after any number of steps
(:func:`verifydiff.oracles.law_after`), and its squared Frechet distance to the data is

.. math:: d^2 = (m' - m)^2 + \bigl(\sqrt{c'} - \sqrt{c}\bigr)^2 .

All numbers of steps are worked out by one compiled function: S steps stand at the end of a table of fixed length, and before the
noisiest of their levels nothing is done. The paths are those of the exact denoiser of a mixture of three, in float64.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

from ..schedule import Array, Schedule
from ..verdict import MisuseError
from .playing import SCHEDULES, TIMES, schedule_named

COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
"""The numbers of steps at which the curve of distances is worked out."""

PATHS, SEED, DRAWN = 36, 20201006, 100  # of each path at most so many points are sent
WEIGHTS, MEANS, SPREAD = (0.25, 0.45, 0.3), (-2.2, 0.2, 2.0), 0.06
DENSITY_AT = np.linspace(-4, 4, 161)
INSTALL = "the explorer needs JAX and NumPyro: pip install 'verifydiff[oracles]'"
_TURN = Lock()


class MissingError(RuntimeError):
    """An optional dependency is not installed."""


@dataclass(frozen=True)
class Setting:
    """What is explored.

    Attributes:
        eta: in [0, 1].
        steps: S, from 1 to 1,000.
        schedule: by name.
        variance, mean: c and m of the Gaussian data.
    """

    eta: float
    steps: int
    schedule: str
    variance: float
    mean: float

    @classmethod
    def of(cls, asked: dict[str, Any]) -> Setting:
        """The setting that a page asks for.

        Raises:
            MisuseError: if a number is missing or out of its range, or there is no such schedule.
        """
        steps, schedule = asked.get("steps"), asked.get("schedule")
        if type(steps) is not int or not 1 <= steps <= TIMES:
            raise MisuseError(f"`steps` must be a whole number from 1 to {TIMES}.")
        if schedule not in SCHEDULES:
            raise MisuseError(f"`schedule` must be one of {', '.join(SCHEDULES)}.")
        return cls(_number(asked, "eta", 0, 1), steps, schedule, _number(asked, "variance", 0.01, 9), _number(asked, "mean", -3, 3))

    @property
    def table(self) -> Schedule:
        """The schedule."""
        return schedule_named(self.schedule)


def _number(asked: dict[str, Any], name: str, low: float, high: float) -> float:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise MisuseError(f"`{name}` must be a number from {low:g} to {high:g}.")
    return float(value)


def explore(asked: dict[str, Any]) -> dict[str, Any]:
    """Everything the explorer shows of a setting, as plain values.

    Raises:
        MisuseError: as :meth:`Setting.of`.
        MissingError: without JAX and NumPyro.
    """
    setting = Setting.of(asked)
    with _TURN, _in_float64():
        return {
            "law": law(setting),
            "curve": curve(setting),
            "coefficients": coefficients(setting),
            "paths": paths(setting),
        }


def _in_float64() -> AbstractContextManager[Any]:
    """JAX in double precision, for this thread alone."""
    try:
        import jax
        import numpyro  # noqa: F401
    except ImportError:
        raise MissingError(INSTALL) from None
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # type: ignore[no-any-return]
    from jax.experimental import enable_x64

    return enable_x64()  # type: ignore[no-any-return]


def spaced_levels(schedule: Schedule, steps: int) -> Array:
    """(S + 1,): the levels of S steps that begin at T and are spread evenly, noisiest first."""
    from ..samplers import spaced

    return spaced(schedule.abar, steps)


# -- the exact law ---------------------------------------------------------------------------------------------------------


def law(setting: Setting) -> dict[str, float]:
    """Mean and variance after S steps, and the squared Frechet distance to the data."""
    (mean,), (variance,), (distance,) = _laws(setting, (setting.steps,))
    return {"mean": float(mean), "variance": float(variance), "distance": float(distance)}


def curve(setting: Setting) -> dict[str, Any]:
    """The distance over the number of steps."""
    return {"steps": list(COUNTS), "distance": _plain(_laws(setting, COUNTS)[2])}


def _laws(setting: Setting, counts: tuple[int, ...]) -> tuple[Array, Array, Array]:
    tables = np.stack([_padded(spaced_levels(setting.table, count)) for count in counts])
    rows = [
        _law_after()(setting.eta, setting.mean, setting.variance, table, count) for table, count in zip(tables, counts, strict=True)
    ]
    mean, variance, distance = (np.array(column) for column in zip(*rows, strict=True))
    return mean, variance, distance


def _padded(levels: Array) -> Array:
    """The levels at the end of a table of fixed length; what stands before rises to the first of them."""
    before = TIMES + 1 - levels.size
    return np.concatenate([levels[0] * np.arange(before) / max(before, 1), levels])


@cache
def _law_after() -> Any:
    """The law after the last steps of a table, compiled once for any number of them."""
    import jax
    import jax.numpy as jnp

    from ..oracles import DiagonalGaussian, frechet_distance, law_after, steps
    from ..oracles.chains import Levels, Model, State

    @jax.jit  # type: ignore[untyped-decorator]
    def after(eta: Any, mean: Any, variance: Any, table: Any, count: Any) -> tuple[Any, Any, Any]:
        ddim, first = steps.ddim(eta), table[TIMES - count]

        def step(model: Model, state: State, z: Any, levels: Levels) -> State:
            moved = ddim(model, state, z, levels)
            return State(jnp.where(levels.t < first, state.x, moved.x), state.memory)

        data = DiagonalGaussian(jnp.reshape(mean, (1,)), jnp.reshape(variance, (1,)))
        end = law_after(data, table, step)
        return end.loc[0], end.variance[0], frechet_distance(end, data)

    return after


# -- coefficients ------------------------------------------------------------------------------------------------------------


def coefficients(setting: Setting) -> dict[str, Any]:
    r"""The weights of :math:`x_t`, :math:`\hat x_0` and :math:`z` of every step, from the proved form; all lie in [0, 1]."""
    from ..forms.families import DDIM
    from ..forms.quantities import abar_s, abar_t

    levels = spaced_levels(setting.table, setting.steps)
    family = DDIM(setting.eta)
    values = {abar_t: levels[:-1], abar_s: levels[1:]}
    p, q, c = (np.broadcast_to(one, levels[1:].shape).astype(float) for one in family.writings[0].evaluate(values))
    chosen = _thinned(setting.steps)
    return {
        "step": [int(k) + 1 for k in chosen],
        "abar": _plain(levels[:-1][chosen]),
        "x_t": _plain(p[chosen]),
        "x_0": _plain(q[chosen]),
        "z": _plain(c[chosen]),
    }


def _thinned(count: int) -> Array:
    """At most so many of some places, the first and the last among them."""
    return np.unique(np.round(np.linspace(0, count - 1, min(count, DRAWN))).astype(int))


# -- paths -------------------------------------------------------------------------------------------------------------------


def paths(setting: Setting) -> dict[str, Any]:
    """The paths of some particles from noise to a mixture of three, and the densities at both ends."""
    levels = spaced_levels(setting.table, setting.steps)
    draws = np.random.default_rng(SEED)
    x = draws.standard_normal(PATHS)
    states = [x]
    step = _mixture_step()
    for abar_t, abar_s in pairwise(levels):
        x = np.asarray(step(setting.eta, x, draws.standard_normal(PATHS), abar_t, abar_s))
        states.append(x)
    chosen = _thinned(setting.steps + 1)
    return {
        "step": [int(k) for k in chosen],
        "x": [_plain(one) for one in np.stack(states)[chosen].T],
        "at": _plain(DENSITY_AT),
        "noise": _plain(np.exp(-(DENSITY_AT**2) / 2) / np.sqrt(2 * np.pi)),
        "data": _plain(_density()),
    }


@cache
def _mixture() -> Any:
    from ..oracles import GaussianMixture

    return GaussianMixture.isotropic(list(WEIGHTS), [[mean] for mean in MEANS], SPREAD)


@cache
def _mixture_step() -> Any:
    """One step of DDIM(eta) on the mixture, compiled once."""
    import jax
    import jax.numpy as jnp

    from ..samplers import DDIM

    mixture = _mixture()

    @jax.jit  # type: ignore[untyped-decorator]
    def step(eta: Any, x: Any, z: Any, abar_t: Any, abar_s: Any) -> Any:
        eps_hat = mixture.eps(x[:, None], abar_t)[:, 0]
        kernel = DDIM(eta=eta).kernel(x, eps_hat, abar_t, abar_s)
        return kernel.mean + jnp.where(abar_s == 1, 0.0, kernel.std) * z

    return step


@cache
def _density() -> Array:
    return np.asarray(np.exp(_mixture().log_prob(DENSITY_AT[:, None])), np.float64)


def _plain(values: Any) -> list[float]:
    return [float(f"{one:.10g}") for one in values]
