r"""Methods that remember predictions: the closed forms of their steps, as weights.

.. math:: x_s = p\,x_t + \sum_{j=0}^{m} q_j\,\hat y_j + c\,z

with the prediction :math:`\hat y_0` at t and those of the steps before, all of them of the data or all of the noise, and
:math:`m` for the memory of the method. The forms themselves are proved in the derivations of :mod:`~verifydiff.forms.dpm` and
:mod:`~verifydiff.forms.deis`; what is written here is what their letters stand for on a grid of levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy
from sympy import sqrt

from . import deis, dpm
from .form import Form, compiled
from .quantities import Quantity, abar_s, abar_t, eps, ve_s, ve_t, x_0, x_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

OF_THE_DATA = (x_0, dpm.x_before, dpm.x_earlier, dpm.x_earliest)
OF_THE_NOISE = (eps, dpm.eps_before, dpm.eps_earlier, dpm.eps_earliest)
"""The predictions, the present one first."""
DIFFERENCES = (dpm.slope, dpm.bend, dpm.eps_slope, dpm.eps_bend, deis.rho_slope, deis.rho_bend, deis.rho_twist)
"""What abbreviates differences of them."""


class Weights(NamedTuple):
    """The weights of N steps.

    Attributes:
        state: (N,): p.
        predictions: (m + 1, N): q, the present prediction first.
        noise: (N,): c.
        of_the_noise: whether the predictions are those of the noise.
    """

    state: Array
    predictions: Array
    noise: Array
    of_the_noise: bool


@dataclass(frozen=True)
class Multistep:
    """A method that remembers predictions.

    Attributes:
        id: stable kebab-case name.
        mean: its step without fresh noise.
        variance: that of its fresh noise; None where it adds none.
        lower: what its steps may be where fewer predictions are remembered, or are to be used.
    """

    id: str
    mean: Form
    variance: Form | None
    lower: tuple[Multistep, ...] = ()

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.mean.title.removesuffix("without its fresh noise").rstrip(" ,")

    @cached_property
    def memory(self) -> int:
        """How many earlier predictions its step uses."""
        return _memory(self.mean.expression)

    def weights(self, levels: Levels, steps: Array) -> Weights:
        """The weights of the steps from these states; not numbers where a level is lacking."""
        import numpy as np

        mean = self.mean.expression
        evaluate = _compiled(mean, None if self.variance is None else self.variance.expression)
        with np.errstate(all="ignore"):
            found = evaluate(*levels.letters(steps))
        state, *predictions, noise = (np.broadcast_to(np.asarray(one, dtype=np.float64), steps.shape) for one in found)
        return Weights(state, np.where(steps >= self.memory, predictions, np.nan), noise, _of_the_noise(mean))

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True)
class Levels:
    """The levels of all states of a run.

    Attributes:
        alpha, sigma: (N + 1,): sqrt(abar) and sqrt(1 - abar), in the order in which the states are reached.
    """

    alpha: Array
    sigma: Array

    def letters(self, steps: Array) -> Iterator[Array]:
        """What the letters of the forms stand for in steps from these states, in the order of ``LETTERS``."""
        import numpy as np

        ve = self.sigma / self.alpha
        lam = -np.log(ve)
        h, back = self._before(np.diff(lam), steps), self._before(-np.diff(ve), steps)
        yield from (self.alpha[steps + 1] ** 2, self.alpha[steps] ** 2, h[0], h[1] / h[0], h[2] / h[0])
        yield from (ve[steps + 1], ve[steps], *back[1:])

    @staticmethod
    def _before(lengths: Array, steps: Array) -> list[Array]:
        """The lengths of these steps, and of the first, second and third before them."""
        import numpy as np

        return [np.where(steps >= j, lengths[steps - j], np.nan) for j in range(4)]


LETTERS = (abar_s, abar_t, dpm.h, dpm.ratio, dpm.ratio_2, ve_s, ve_t, deis.back, deis.back_2, deis.back_3)


def _memory(mean: sympy.Expr) -> int:
    used = spelled_out(mean).free_symbols
    return max((j for kind in (OF_THE_DATA, OF_THE_NOISE) for j, one in enumerate(kind) if one in used), default=0)


@cache
def spelled_out(mean: sympy.Expr) -> sympy.Expr:
    """The step with every difference of predictions written over the predictions."""
    while short := [one for one in DIFFERENCES if mean.has(one)]:
        mean = mean.xreplace({one: one.definition for one in short})
    return mean


def _of_the_noise(mean: sympy.Expr) -> bool:
    return not spelled_out(mean).free_symbols.isdisjoint(OF_THE_NOISE)


@cache
def _compiled(mean: sympy.Expr, variance: sympy.Expr | None) -> Callable[..., Any]:
    step, kind = spelled_out(mean), OF_THE_NOISE if _of_the_noise(mean) else OF_THE_DATA
    vectors: tuple[Quantity, ...] = (x_t, *kind[: _memory(mean) + 1])
    parts = [step.xreplace({one: sympy.Integer(one == chosen) for one in vectors}) for chosen in vectors]
    noise = sympy.Integer(0) if variance is None else sqrt(variance)
    return compiled(sympy.Tuple(*parts, noise), LETTERS, "numpy")


DDIM = Multistep("ddim", dpm.first_data, None)
DPM_2M = Multistep("dpm-solver-2m", dpm.multistep, None, (DDIM,))
DPM_2M_EXACT = Multistep("dpm-solver-2m-exact", dpm.multistep_exact, None, (DDIM,))
NOISE_2M = Multistep("dpm-solver-2m-noise", dpm.multistep_noise, None, (DDIM,))
NOISE_2M_EXACT = Multistep("dpm-solver-2m-noise-exact", dpm.multistep_noise_exact, None, (DDIM,))
DEIS_2 = Multistep("deis-2", deis.rho_ab, None, (DDIM,))
DEIS_3 = Multistep("deis-3", deis.rho_ab_3, None, (DEIS_2, DDIM))
AB_2 = Multistep("adams-bashforth-2", deis.ab_2, None, (DDIM,))
AB_3 = Multistep("adams-bashforth-3", deis.ab_3, None, (AB_2, DDIM))
SDE = Multistep("sde-dpm-solver-1", dpm.sde_data_mean, dpm.sde_data_variance)
SDE_2M = Multistep("sde-dpm-solver-2m", dpm.sde_multistep_mean, dpm.sde_data_variance, (SDE,))
SDE_2M_EXACT = Multistep("sde-dpm-solver-2m-exact", dpm.sde_multistep_exact_mean, dpm.sde_data_variance, (SDE,))
SDE_NOISE = Multistep("sde-dpm-solver-1-noise", dpm.sde_noise_mean, dpm.sde_noise_variance)

MULTISTEP = (
    DPM_2M,
    DPM_2M_EXACT,
    NOISE_2M,
    NOISE_2M_EXACT,
    DEIS_2,
    AB_2,
    SDE_2M,
    SDE_2M_EXACT,
    Multistep("sde-dpm-solver-2m-noise", dpm.sde_multistep_noise_mean, dpm.sde_noise_variance, (SDE_NOISE,)),
    Multistep("sde-dpm-solver-2m-noise-exact", dpm.sde_multistep_noise_exact_mean, dpm.sde_noise_variance, (SDE_NOISE,)),
    Multistep("dpm-solver-3m", dpm.multistep_third, None, (DPM_2M, DPM_2M_EXACT, DDIM)),
    Multistep("dpm-solver-3m-noise", dpm.multistep_noise_third, None, (NOISE_2M, NOISE_2M_EXACT, DDIM)),
    DEIS_3,
    AB_3,
    Multistep("sde-dpm-solver-3m", dpm.sde_multistep_third_mean, dpm.sde_data_variance, (SDE_2M, SDE_2M_EXACT, SDE)),
    Multistep("deis-4", deis.rho_ab_4, None, (DEIS_3, DEIS_2, DDIM)),
    Multistep("adams-bashforth-4", deis.ab_4, None, (AB_3, AB_2, DDIM)),
)
"""The methods that are known by their weights."""
