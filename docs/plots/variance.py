"""Plots of the reverse step's variance and of the weights of the bound, drawn from the forms themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff import Schedule
from verifydiff.forms import bound, ddpm, variance
from verifydiff.forms.quantities import abar_s, abar_t, data_variance

from .drawing import beside


@beside("variance_bounds")
def best_variance(axes: Any) -> None:
    """The best variance of a DDPM step for Gaussian data, over beta: 1 is the larger choice, the lowest line the smaller one."""
    before, after = _levels()
    large = ddpm.large_variance.numpy(abar_s, abar_t)(before, after)
    for c in (0, 0.1, 0.5, 1, 2, 10):
        best = variance.gaussian_data.numpy(abar_s, abar_t, data_variance)(before, after, c)
        axes.plot(np.arange(2, 1001), best / large, label=f"variance of the data {c}")
    axes.set(xlabel="t", ylabel=r"$\sigma_t^{*2} / \beta_t$", xscale="log")


@beside("bound_weights")
def bound_weights(axes: Any) -> None:
    """What the bound weighs the squared error of the noise with, with either variance; the simple loss has 1 throughout."""
    before, after = _levels()
    for form, name in (
        (bound.eps_weight_small, r"$\sigma_t^2 = \tilde\beta_t$"),
        (bound.eps_weight_large, r"$\sigma_t^2 = \beta_t$"),
    ):
        axes.plot(np.arange(2, 1001), form.numpy(abar_s, abar_t)(before, after), label=name)
    axes.set(xlabel="t", ylabel=r"$w_\epsilon$", xscale="log", yscale="log")


@beside("min_snr")
def min_snr_weights(axes: Any) -> None:
    """Min-SNR with gamma = 5: the weights of the losses in the data, in the noise and in the velocity."""
    snr = np.logspace(-3, 3, 400)
    least = np.minimum(snr, 5.0)
    w, t = bound.x0_weight, abar_t
    axes.plot(snr, least, label="data")
    axes.plot(snr, bound.eps_from_x0_weight.numpy(w, t)(least, snr / (1 + snr)), label="noise")
    axes.plot(snr, bound.v_from_x0_weight.numpy(w, t)(least, snr / (1 + snr)), label="velocity")
    axes.set(xlabel="SNR", ylabel="weight", xscale="log", yscale="log")


def _levels():
    abar = Schedule.linear(1000).abar
    return abar[1:-1], abar[2:]
