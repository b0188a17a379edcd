r"""Does a step through three predictions follow a parabola?

The model is made to say :math:`(\lambda - \lambda_t)^2`, whatever the state, with :math:`\lambda = \log(\alpha / \sigma)`: of the
data, or of the noise where the solver works by it. Noise is 0. The exact step of the probability flow is then

.. math:: \frac{x_s}{\sigma_s} = \frac{x_t}{\sigma_t} + \int_{\lambda_t}^{\lambda_s} e^u (u - \lambda_t)^2 \,du \quad\text{or}\quad
   \frac{x_s}{\alpha_s} = \frac{x_t}{\alpha_t} - \int_{\lambda_t}^{\lambda_s} e^{-u} (u - \lambda_t)^2 \,du,

and the mean of the reverse SDE that of :math:`x \alpha / \sigma^2` with :math:`2 e^{2u}` for the weight. A step of third
order is exact there; how much of the integral it lacks is summed by quadrature.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.integrate import quad

from . import laws
from .asked import Asked, quiet
from .opinion import Opinion
from .orders import _sampling

SHARE = 0.1
"""How much of the integral may be lacking, in the median: a factor 1/2 costs a half, and single precision some hundredths where
steps are short."""
Run = Callable[[Callable[[float], float]], tuple[list[float], list[float], list[float]]]
"""Of what is predicted, by lambda: alpha and sigma of the states, and the states."""
KERNELS: dict[str, tuple[Callable[[float, float], float], Callable[[float], float]]] = {
    "data": (lambda alpha, sigma: 1 / sigma, math.exp),
    "noise": (lambda alpha, sigma: 1 / alpha, lambda u: -math.exp(-u)),
    "sde": (lambda alpha, sigma: alpha / sigma**2, lambda u: 2 * math.exp(2 * u)),
}
"""What undoes the linear part, and what a prediction is weighed with."""


def _of(run: Run, kind: str) -> Opinion:
    alphas, sigmas, _ = run(lambda _: 0.0)
    lambdas = [math.log(alpha / sigma) if sigma else math.inf for alpha, sigma in zip(alphas, sigmas, strict=True)]
    scale, kernel = KERNELS[kind]
    lacking = []
    for k in range(3, len(alphas) - 4):
        here, there = lambdas[k], lambdas[k + 1]
        _, _, x = run(lambda lam, here=here: (lam - here) ** 2)
        right = quad(lambda u, here=here: kernel(u) * (u - here) ** 2, here, there, epsabs=1e-14)[0]
        got = x[k + 1] * scale(alphas[k + 1], sigmas[k + 1]) - x[k] * scale(alphas[k], sigmas[k])
        lacking.append(1 - got / right)
    middle = float(np.median(lacking))
    return Opinion(abs(middle) > SHARE, f"of the integral of a parabola {len(lacking)} steps lack {middle:.4f} in the median.")


def multistep(asked: Asked) -> Opinion:
    """DPM-Solver multistep on its own levels."""
    algorithm = str(asked.options.get("algorithm_type", "dpmsolver++"))
    kind = "sde" if algorithm.startswith("sde") else "data" if algorithm.endswith("++") else "noise"
    on = asked.other(prediction_type="epsilon" if kind == "noise" else "sample")

    def run(predicted: Callable[[float], float]) -> tuple[list[float], list[float], list[float]]:
        scheduler = on.make()
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)  # two times that round to one are both visited
        ratios = scheduler.sigmas.double().tolist()
        if on.options.get("use_flow_sigmas"):
            levels = [(1 - ratio, ratio) for ratio in ratios]
        else:
            levels = [(1 / math.hypot(1, ratio), ratio / math.hypot(1, ratio)) for ratio in ratios]
        x, seen = torch.zeros(1, 1, 1, 1, dtype=torch.float64), [0.0]
        silent = {"variance_noise": torch.zeros_like(x)} if kind == "sde" else {}
        for (alpha, sigma), t in zip(levels, scheduler.timesteps, strict=False):
            told = torch.full_like(x, predicted(math.log(alpha / sigma)))
            x = quiet(scheduler.step, told, t, x, **silent).prev_sample
            seen.append(float(x))
        return [alpha for alpha, _ in levels], [sigma for _, sigma in levels], seen

    return _of(run, kind)


def edm(asked: Asked) -> Opinion:
    """DPM-Solver in EDM's words: x_0 is c_skip x + c_out F (Karras et al. 2022, table 1), with -c_out where F is a velocity."""
    sign = -1 if asked.options.get("prediction_type") == "v_prediction" else 1

    def run(predicted: Callable[[float], float]) -> tuple[list[float], list[float], list[float]]:
        scheduler = asked.make()
        sigmas, wide = scheduler.sigmas.double().tolist(), scheduler.config.sigma_data
        x, seen = torch.zeros(1, 1, 1, 1, dtype=torch.float64), [0.0]
        for sigma, t in zip(sigmas, scheduler.timesteps, strict=False):
            total = sigma**2 + wide**2
            told = (predicted(-math.log(sigma)) - wide**2 / total * x) / (sign * sigma * wide / math.sqrt(total))
            x = quiet(scheduler.step, told, t, x).prev_sample
            seen.append(float(x))
        return [1.0] * len(sigmas), sigmas, seen

    return _of(run, "data")


def k_diffusion(asked: Asked) -> Opinion:
    """A sampler of k-diffusion on levels that are not even; all its states are seen by its model."""
    eta = 1.0 if asked.eta is None else asked.eta
    sigmas = torch.from_numpy(np.append(np.linspace(10.0 ** (1 / 3), 0.1 ** (1 / 3), 20) ** 3, 0.0))

    def run(predicted: Callable[[float], float]) -> tuple[list[float], list[float], list[float]]:
        seen: list[Any] = []

        def model(x: Any, sigma: Any) -> Any:
            return torch.full_like(x, predicted(-math.log(float(sigma[0]))))

        noise = {"eta": eta, "noise_sampler": lambda *_: 0.0}
        start = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
        end = getattr(_sampling(), asked.name)(model, start, sigmas, disable=True, callback=seen.append, **noise)
        return [1.0] * len(sigmas), sigmas.tolist(), [*(float(one["x"]) for one in seen), float(end)]

    return _of(run, "sde" if eta == 1.0 else "data")


def coefficients(asked: Asked) -> Opinion:
    """By the class: solvers of third order by the parabola that they claim to follow, all others one step at a time."""
    if asked.name == "sample_dpmpp_3m_sde":
        return k_diffusion(asked)
    if asked.options.get("solver_order") == 3 and asked.name.startswith(("DPMSolverMultistep", "EDMDPMSolverMultistep")):
        return edm(asked) if asked.name.startswith("EDM") else multistep(asked)
    return laws.coefficients(asked)
