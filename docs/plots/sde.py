"""Plots for the pages on stochastic differential equations, drawn from the forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff.forms import ode_steps, reverse_steps, sde
from verifydiff.forms.quantities import beta_t, ve_s, ve_t, x_t, z
from verifydiff.forms.score import score_t

from .drawing import beside


@beside("sub_vp_sde")
def marginal_variances(axes: Any) -> None:
    """Variance given the data, for the linear schedule: sub-VP is the square of VP, and below it all the way."""
    time = np.linspace(0, 1, 200)
    total = sde.linear_integral.numpy(sde.beta_min, sde.beta_span, sde.t)(0.1, 19.9, time)
    axes.plot(time, sde.vp_variance.numpy(sde.B)(total), label="VP")
    axes.plot(time, sde.sub_vp_variance.numpy(sde.B)(total), label="sub-VP")
    axes.plot(time, sde.vp_level.numpy(sde.B)(total), "--", label="signal level")
    axes.set_xlabel("t")


@beside("weak_order")
def local_errors(axes: Any) -> None:
    """Error of the variance after one reverse step, over beta squared, against the variance of the marginal."""
    spread, small = np.linspace(0.25, 2.5, 100), 1e-3
    for form in (reverse_steps.euler_maruyama, reverse_steps.reverse_diffusion, reverse_steps.ancestral):
        step = form.numpy(beta_t, x_t, score_t, z)
        variance = step(small, 1.0, -1 / spread, 0.0) ** 2 * spread + step(small, 0.0, 0.0, 1.0) ** 2
        axes.plot(spread, (variance - (spread - small) / (1 - small)) / small**2, label=form.title)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.set_xlabel("variance of the marginal")


@beside("edm_heun")
def last_step(axes: Any) -> None:
    """What the last step to sigma = 0 leaves of the state, for Gaussian data of deviation 1: Euler, Heun and the exact flow."""
    sigma = np.linspace(0.01, 4, 200)
    slope: Any = sigma / (1 + sigma**2)
    heun = ode_steps.edm_heun.numpy(ode_steps.xbar_t, ve_s, ve_t, ode_steps.d_t, ode_steps.d_s)
    axes.plot(sigma, heun(1.0, 0.0, sigma, slope, slope), label="Euler")
    axes.plot(sigma, heun(1.0, 0.0, sigma, slope, 0.0), label="Heun, the slope at 0 taken for 0")
    axes.plot(sigma, 1 / np.sqrt(1 + sigma**2), "--", label="exact flow")
    axes.set_xlabel("sigma of the last step")
