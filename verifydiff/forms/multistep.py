r"""Methods that remember predictions: the closed forms of their steps, as weights.

.. math:: x_s = p\,x_t + \sum_{j=0}^{m} q_j\,\hat y_j + c\,z

with the prediction :math:`\hat y_0` at t and those of the steps before, all of them of the data or all of the noise, and
:math:`m` for the memory of the method. The forms themselves are proved in the derivations of :mod:`~verifydiff.forms.dpm` and
:mod:`~verifydiff.forms.deis`; what is written here is what their letters stand for on a grid of levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy
from sympy import sqrt

from . import ddim, deis, dpm, flow, unipc
from .form import Form, compiled
from .predictions import u
from .quantities import Quantity, abar_s, abar_t, eps, sigma_t, ve_s, ve_t, x_0, x_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

OF_THE_DATA = (x_0, dpm.x_before, dpm.x_earlier, dpm.x_earliest)
OF_THE_NOISE = (eps, dpm.eps_before, dpm.eps_earlier, dpm.eps_earliest)
OF_THE_VELOCITY = (u, flow.u_before, flow.u_earlier, flow.u_earliest)
"""The predictions, the present one first."""
KINDS = {"data": OF_THE_DATA, "noise": OF_THE_NOISE, "velocity": OF_THE_VELOCITY}
AHEAD: dict[str, tuple[Quantity, ...]] = {"data": (unipc.x_after,), "noise": (unipc.eps_after,), "velocity": ()}
"""That at the end of the step, which a corrector has before all these."""
DIFFERENCES = (
    *(dpm.slope, dpm.bend, dpm.twist, dpm.eps_slope, dpm.eps_bend, dpm.eps_twist),
    *(deis.rho_slope, deis.rho_bend, deis.rho_twist),
    *(flow.u_slope, flow.u_bend, flow.u_twist),
    *(unipc.slope_ahead, unipc.bend_ahead, unipc.slope_of_cubic, unipc.bend_of_cubic, unipc.twist_ahead),
    *(unipc.eps_slope_ahead, unipc.eps_bend_ahead),
    *(unipc.eps_slope_of_cubic, unipc.eps_bend_of_cubic, unipc.eps_twist_ahead),
)
"""What abbreviates differences of them."""


class Weights(NamedTuple):
    """The weights of N steps.

    Attributes:
        state: (N,): p.
        predictions: (m + 1, N): q, the present prediction first.
        noise: (N,): c.
        kind: what the predictions are of: a key of ``KINDS``.
    """

    state: Array
    predictions: Array
    noise: Array
    kind: str


@dataclass(frozen=True)
class Multistep:
    """A method that remembers predictions.

    Attributes:
        mean: its step without fresh noise.
        variance: that of its fresh noise; None where it adds none.
        lower: what its steps may be where fewer predictions are remembered, or are to be used.
    """

    mean: Form
    variance: Form | None = None
    lower: tuple[Multistep, ...] = ()

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.mean.title.removesuffix("without its fresh noise").rstrip(" ,")

    @cached_property
    def memory(self) -> int:
        """How many predictions its step uses besides the present one; of a corrector, besides that at the end."""
        return len(_predictions(self.mean.expression)) - 1

    def weights(self, levels: Levels, steps: Array) -> Weights:
        """The weights of the steps from these states; not numbers where a level is lacking."""
        import numpy as np

        mean = self.mean.expression
        evaluate = _compiled(mean, None if self.variance is None else self.variance.expression)
        with np.errstate(all="ignore"):
            found = evaluate(*levels.letters(steps))
        state, *predictions, noise = (np.broadcast_to(np.asarray(one, dtype=np.float64), steps.shape) for one in found)
        return Weights(state, np.array(predictions), noise, _kind(mean))

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True)
class Corrected:
    r"""A method whose states are corrected once the model was asked there: the model sees the predicted ones.

    With the predictor's step :math:`P_k` from a corrected state :math:`c_k`, the query :math:`x_k` is the end of :math:`P_{k-1}`,
    and :math:`c_k` that of the corrector's step :math:`C_{k-1}`, both from :math:`c_{k-1}`. So the next query is the predictor's
    step from :math:`x_k + C_{k-1} - P_{k-1}`, in which the older state cancels.

    Attributes:
        title: what reports call it.
        predictor: the step to the next query.
        before: the step to this one.
        corrector: what this one is corrected by.
        lower: what its steps may be where fewer predictions are remembered, or are to be used.
    """

    title: str
    predictor: Multistep
    before: Multistep
    corrector: Multistep
    lower: tuple[Method, ...] = ()

    @property
    def memory(self) -> int:
        """How many predictions its step uses besides the present one."""
        return max(self.predictor.memory, self.corrector.memory, self.before.memory + 1)

    def weights(self, levels: Levels, steps: Array) -> Weights:
        """The weights of the steps from these states; not numbers where a level is lacking."""
        import numpy as np

        ahead = self.predictor.weights(levels, steps)
        again, once = (one.weights(levels, steps - 1) for one in (self.corrector, self.before))
        predictions = np.zeros((self.memory + 1, steps.size))
        with np.errstate(all="ignore"):
            for weights, offset, factor in ((ahead, 0, 1.0), (again, 0, ahead.state), (once, 1, -ahead.state)):
                own = weights.predictions
                predictions[offset : offset + len(own)] += factor * own
        return Weights(ahead.state, predictions, ahead.noise, ahead.kind)

    def __str__(self) -> str:
        return self.title


Method = Multistep | Corrected


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
        time = self.sigma / (self.alpha + self.sigma)
        h, back, time_back = (self._before(lengths, steps) for lengths in (np.diff(lam), -np.diff(ve), -np.diff(time)))
        yield from (self.alpha[steps + 1] ** 2, self.alpha[steps] ** 2, np.zeros(steps.shape))
        yield from (h[0], *(one / h[0] for one in h[1:]))
        yield from (ve[steps + 1], ve[steps], *back[1:])
        yield from (time[steps + 1], time[steps], *time_back[1:])

    @staticmethod
    def _before(lengths: Array, steps: Array) -> list[Array]:
        """The lengths of these steps, and of the first, second and third before them."""
        import numpy as np

        return [np.where(steps >= j, lengths[steps - j], np.nan) for j in range(4)]


LETTERS = (
    *(abar_s, abar_t, sigma_t),
    *(dpm.h, dpm.ratio, dpm.ratio_2, dpm.ratio_3),
    *(ve_s, ve_t, *deis.GAPS),
    *(flow.s, flow.t, *flow.GAPS),
)
"""The fresh noise of a member of the DDIM family, which is none here, and the levels and steps in three coordinates."""


@cache
def spelled_out(mean: sympy.Expr) -> sympy.Expr:
    """The step with every difference of predictions written over the predictions."""
    while short := [one for one in DIFFERENCES if mean.has(one)]:
        mean = mean.xreplace({one: one.definition for one in short})
    return mean


@cache
def _kind(mean: sympy.Expr) -> str:
    used = spelled_out(mean).free_symbols
    return next(kind for kind, letters in KINDS.items() if letters[0] in used)


@cache
def _predictions(mean: sympy.Expr) -> tuple[Quantity, ...]:
    """The predictions that a step weighs, newest first, those between them too."""
    used, kind = spelled_out(mean).free_symbols, _kind(mean)
    last = max(j for j, one in enumerate(KINDS[kind]) if one in used)
    return (*(one for one in AHEAD[kind] if one in used), *KINDS[kind][: last + 1])


@cache
def _compiled(mean: sympy.Expr, variance: sympy.Expr | None) -> Callable[..., Any]:
    step, vectors = _of_preserving(spelled_out(mean)), (x_t, *_predictions(mean))
    parts = [step.xreplace({one: sympy.Integer(one == chosen) for one in vectors}) for chosen in vectors]
    noise = sympy.Integer(0) if variance is None else sqrt(variance)
    return compiled(sympy.Tuple(*parts, noise), LETTERS, "numpy")


def _of_preserving(step: sympy.Expr) -> sympy.Expr:
    """A flow's step for variance-preserving states, which are its own times sqrt(abar) + sqrt(1 - abar)."""
    if not step.has(flow.x):
        return step
    here, there = (sqrt(abar) + sqrt(1 - abar) for abar in (abar_t, abar_s))
    return step.xreplace({flow.x: x_t / here}) * there


DDIM = Multistep(dpm.first_data)
DPM_2M, DPM_2M_EXACT = (Multistep(form, lower=(DDIM,)) for form in (dpm.multistep, dpm.multistep_exact))
UNIP_2, UNIP_NOISE_2 = (Multistep(form, lower=(DDIM,)) for form in (unipc.predictor_bh1, unipc.noise_predictor_bh1))
DPM_3M = Multistep(dpm.multistep_third, lower=(DPM_2M, DPM_2M_EXACT, UNIP_2, DDIM))
NOISE_1 = Multistep(ddim.step_mean)
NOISE_2M, NOISE_2M_EXACT = (Multistep(form, lower=(DDIM,)) for form in (dpm.multistep_noise, dpm.multistep_noise_exact))
NOISE_3M = Multistep(dpm.multistep_noise_third, lower=(NOISE_2M, NOISE_2M_EXACT, UNIP_NOISE_2, DDIM))
AB_2 = Multistep(flow.ab_2, lower=(DDIM,))
AB_3 = Multistep(flow.ab_3, lower=(AB_2, DDIM))
AB_4 = Multistep(flow.ab_4, lower=(AB_3, AB_2, DDIM))
DEIS_2 = Multistep(deis.rho_ab, lower=(DDIM,))
DEIS_3 = Multistep(deis.rho_ab_3, lower=(DEIS_2, DDIM))
DEIS_4 = Multistep(deis.rho_ab_4, lower=(DEIS_3, DEIS_2, DDIM))
IPNDM_2 = Multistep(deis.ab_2, lower=(DDIM,))
IPNDM_3 = Multistep(deis.ab_3, lower=(IPNDM_2, DDIM))
IPNDM_4 = Multistep(deis.ab_4, lower=(IPNDM_3, IPNDM_2, DDIM))
SDE = Multistep(dpm.sde_data_mean, dpm.sde_data_variance)
SDE_2M, SDE_2M_EXACT = (
    Multistep(form, dpm.sde_data_variance, (SDE,)) for form in (dpm.sde_multistep_mean, dpm.sde_multistep_exact_mean)
)
SDE_3M = Multistep(dpm.sde_multistep_third_mean, dpm.sde_data_variance, (SDE_2M, SDE_2M_EXACT, SDE))
SDE_NOISE = Multistep(dpm.sde_noise_mean, dpm.sde_noise_variance)
SDE_NOISE_2M, SDE_NOISE_2M_EXACT = (
    Multistep(form, dpm.sde_noise_variance, (SDE_NOISE,))
    for form in (dpm.sde_multistep_noise_mean, dpm.sde_multistep_noise_exact_mean)
)


def _unipc(choice: str, predictors: tuple[Multistep, ...], correctors: tuple[Multistep, ...]) -> tuple[Corrected, ...]:
    """UniPC up to order 3: a step that is predicted at some order is corrected at the same one."""
    made: list[Corrected] = []
    ways = list(zip(predictors, correctors, strict=True))
    for order in range(1, len(ways) + 1):
        pairs = [(here, there) for here in range(order) for there in range(order)]
        *lower, highest = [Corrected(f"UniPC of order {order}{choice}", predictors[here], *ways[there]) for here, there in pairs]
        made.append(replace(highest, lower=(*lower, *predictors[:order])))
    return tuple(made)


UNI_2, UNI_3 = Multistep(unipc.corrector_2), Multistep(unipc.corrector_3)
UNI_NOISE_2, UNI_NOISE_3 = Multistep(unipc.noise_corrector_2), Multistep(unipc.noise_corrector_3)
UNIPC = (
    *_unipc(" (bh2)", (DDIM, DPM_2M, DPM_3M), (Multistep(unipc.corrector_1), UNI_2, UNI_3)),
    *_unipc(" (bh1)", (DDIM, UNIP_2, DPM_3M), (Multistep(unipc.corrector_1_bh1), UNI_2, UNI_3)),
    *_unipc(
        " by the noise (bh2)", (NOISE_1, NOISE_2M, NOISE_3M), (Multistep(unipc.noise_corrector_1), UNI_NOISE_2, UNI_NOISE_3)
    ),
    *_unipc(
        " by the noise (bh1)", (NOISE_1, UNIP_NOISE_2, NOISE_3M),
        (Multistep(unipc.noise_corrector_1_bh1), UNI_NOISE_2, UNI_NOISE_3),
    ),
)  # fmt: skip
MULTISTEP: tuple[Method, ...] = (
    *(DPM_2M, DPM_2M_EXACT, NOISE_2M, NOISE_2M_EXACT, DEIS_2, IPNDM_2),
    *(SDE_2M, SDE_2M_EXACT, SDE_NOISE_2M, SDE_NOISE_2M_EXACT),
    *(DPM_3M, NOISE_3M, DEIS_3, IPNDM_3, SDE_3M, DEIS_4, IPNDM_4),
    *(AB_2, AB_3, AB_4),
    Multistep(dpm.multistep_fourth, lower=(DPM_3M, DPM_2M_EXACT, DDIM)),
    Multistep(dpm.multistep_noise_fourth, lower=(NOISE_3M, NOISE_2M_EXACT, DDIM)),
    *(UNIP_2, UNIP_NOISE_2),
    *UNIPC,
)
"""The methods that are known by their weights, in the order in which they are named where several have the same ones."""
