r"""Methods that remember one prediction: the closed forms of their steps, as weights.

.. math:: x_s = p\,x_t + q\,\hat x_0 + u\,x_b + r\,\hat x_{\mathrm{prev}} + c\,z

with the state :math:`x_b` of the step before, the prediction :math:`\hat x_{\mathrm{prev}}` that was made there, and its level
:math:`\bar\alpha_b`. The forms themselves are proved in the derivations of :mod:`~verifydiff.forms.dpm` and
:mod:`~verifydiff.forms.deis`; what is written here is what their letters stand for in levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import sympy
from sympy import log, sqrt

from . import deis, dpm
from .families import DDIM
from .form import Form, compiled
from .quantities import LEVEL, REAL, Quantity, abar_s, abar_t, eps, snr_s, snr_t, ve_t, x_0, x_t

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

abar_b = Quantity("abar_b", r"\bar\alpha_b", LEVEL, meaning="the level of the step before")
x_b = Quantity("x_b", "x_b", REAL, meaning="the state of the step before")

_snr_b, _ve_b = abar_b / (1 - abar_b), sqrt((1 - abar_b) / abar_b)
IN_LEVELS = {
    dpm.ratio: log(snr_t / _snr_b) / log(snr_s / snr_t),
    deis.back: _ve_b - ve_t,
    dpm.eps_before: (x_b - sqrt(abar_b) * dpm.x_before) / sqrt(1 - abar_b),
    eps: (x_t - sqrt(abar_t) * x_0) / sqrt(1 - abar_t),
}
"""What the letters of these forms stand for."""
WEIGHED = (x_t, x_0, x_b, dpm.x_before)


@dataclass(frozen=True)
class TwoStep:
    """A method that remembers one prediction.

    Attributes:
        id: stable kebab-case name.
        mean: its step without fresh noise.
        variance: that of its fresh noise; None where it adds none.
        first: its step where nothing is remembered yet, or no more: (p, q, c) by the levels of its start and its end.
    """

    id: str
    mean: Form
    variance: Form | None
    first: Callable[[ArrayLike, ArrayLike], tuple[Any, Any, Any]]

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.mean.title.removesuffix("without its fresh noise").rstrip(" ,")

    def weights(self, before: Any, start: Any, end: Any, change: Callable[[sympy.Expr], sympy.Expr] | None = None) -> Any:
        """(p, q, u, r, c) of the steps from the levels ``start`` to ``end``, each after one from ``before``; each of shape (N,).

        Args:
            change: an operation on the form of the mean, over its own letters: what is asked is then the weights of that.
        """
        import numpy as np

        levels = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (before, start, end)))
        mean = self.mean.expression if change is None else change(self.mean.expression)
        with np.errstate(all="ignore"):
            found = [weight(*levels) for weight in _weights(mean, None if self.variance is None else self.variance.expression)]
        return tuple(np.broadcast_to(np.asarray(one, dtype=np.float64), levels[0].shape) for one in found)

    def __str__(self) -> str:
        return self.title


@cache
def _weights(mean: sympy.Expr, variance: sympy.Expr | None) -> tuple[Callable[..., Any], ...]:
    step = mean.xreplace(IN_LEVELS)
    parts = [step.xreplace({one: sympy.Integer(one == chosen) for one in WEIGHED}) for chosen in WEIGHED]
    parts.append(sqrt(variance) if variance is not None else sympy.Integer(0))
    return tuple(compiled(part, (abar_b, abar_t, abar_s), "numpy") for part in parts)


@dataclass(frozen=True)
class First:
    """A step of the first order, with its fresh noise."""

    mean: Form
    variance: Form

    def __call__(self, start: ArrayLike, end: ArrayLike) -> tuple[Any, Any, Any]:
        """(p, q, c) by the levels of its start and its end; onto the data it is the prediction of them."""
        import numpy as np

        levels = np.broadcast_arrays(np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64))
        with np.errstate(all="ignore"):
            found = [weight(*levels) for weight in _first_weights(self.mean.expression, self.variance.expression)]
        p, q, c = (np.where(levels[1] == 1, data, weight) for data, weight in zip((0.0, 1.0, 0.0), found, strict=True))
        return p, q, c


@cache
def _first_weights(mean: sympy.Expr, variance: sympy.Expr) -> tuple[Callable[..., Any], ...]:
    step = mean.xreplace(IN_LEVELS)
    parts = [step.xreplace({one: sympy.Integer(one == chosen) for one in (x_t, x_0)}) for chosen in (x_t, x_0)]
    return tuple(compiled(part, (abar_t, abar_s), "numpy") for part in (*parts, sqrt(variance)))


DATA, NOISE = First(dpm.sde_data_mean, dpm.sde_data_variance), First(dpm.sde_noise_mean, dpm.sde_noise_variance)
TWO_STEP = (
    TwoStep("dpm-solver-2m", dpm.multistep, None, DDIM(0.0).coefficients),
    TwoStep("dpm-solver-2m-exact", dpm.multistep_exact, None, DDIM(0.0).coefficients),
    TwoStep("dpm-solver-2m-noise", dpm.multistep_noise, None, DDIM(0.0).coefficients),
    TwoStep("dpm-solver-2m-noise-exact", dpm.multistep_noise_exact, None, DDIM(0.0).coefficients),
    TwoStep("deis-2", deis.rho_ab, None, DDIM(0.0).coefficients),
    TwoStep("adams-bashforth-2", deis.ab_2, None, DDIM(0.0).coefficients),
    TwoStep("sde-dpm-solver-2m", dpm.sde_multistep_mean, dpm.sde_data_variance, DATA),
    TwoStep("sde-dpm-solver-2m-exact", dpm.sde_multistep_exact_mean, dpm.sde_data_variance, DATA),
    TwoStep("sde-dpm-solver-2m-noise", dpm.sde_multistep_noise_mean, dpm.sde_noise_variance, NOISE),
    TwoStep("sde-dpm-solver-2m-noise-exact", dpm.sde_multistep_noise_exact_mean, dpm.sde_noise_variance, NOISE),
)
"""The methods that are known by their weights."""
