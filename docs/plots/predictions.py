"""Plots of what predictions amplify, what their losses weigh, and of the noisy end of schedules, drawn from the forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff import Schedule
from verifydiff.forms import edm, flow, forward, mixture, predictions, terminal
from verifydiff.forms.quantities import abar_t, eps, v, x_0, x_t

from .drawing import beside


@beside("prediction_ends")
def amplification(axes: Any) -> None:
    """By how much an error of 1 in each prediction puts the data off: only the velocities stay bounded at both ends."""
    level = np.linspace(1e-3, 1 - 1e-3, 500)
    for form, letter, name in (
        (forward.x0_from_eps, eps, "noise"),
        (forward.x0_from_v, v, "velocity"),
        (predictions.x0_from_u, predictions.u, "flow velocity"),
    ):
        data = form.numpy(abar_t, x_t, letter)
        axes.plot(level, np.abs(data(level, 0.0, 1.0) - data(level, 0.0, 0.0)), label=name)
    axes.set(xlabel=r"$\bar\alpha$", ylabel=r"error of $x_0$ per error predicted", ylim=(0, 4))


@beside("prediction_ends")
def amplification_of_the_noise(axes: Any) -> None:
    """By how much an error of 1 in each prediction puts the noise off: the data do no better near the data."""
    level = np.linspace(1e-3, 1 - 1e-3, 500)
    for form, letter, name in (
        (forward.eps_from_x0, x_0, "data"),
        (forward.eps_from_v, v, "velocity"),
        (predictions.eps_from_u, predictions.u, "flow velocity"),
    ):
        noise = form.numpy(abar_t, x_t, letter)
        axes.plot(level, np.abs(noise(level, 0.0, 1.0) - noise(level, 0.0, 0.0)), label=name)
    axes.set(xlabel=r"$\bar\alpha$", ylabel=r"error of $\epsilon$ per error predicted", ylim=(0, 4))


@beside("prediction_losses")
def loss_weights(axes: Any) -> None:
    """What the plain loss of each prediction weighs the squared error of the data with, over the signal over noise."""
    snr = np.logspace(-3, 3, 400)
    level = snr / (1 + snr)
    for form, name in (
        (predictions.eps_weight, "noise"),
        (predictions.v_weight, "velocity"),
        (predictions.u_weight, "flow velocity"),
        (predictions.score_weight, "score"),
    ):
        axes.plot(snr, form.numpy(abar_t)(level), label=name)
    axes.axhline(1.0, color="black", linewidth=0.8, label="data")
    axes.set(xlabel="SNR", ylabel="weight", xscale="log", yscale="log")


@beside("edm_preconditioning")
def preconditioning(axes: Any) -> None:
    """The scales of Karras et al. over sigma, for data of standard deviation 1/2."""
    sigma = np.logspace(-2.5, 2, 400)
    for form in (edm.c_skip, edm.c_out, edm.c_in):
        axes.plot(sigma, form.numpy(edm.sigma, edm.sigma_data)(sigma, 0.5), label=f"${form.symbol}$")
    axes.set(xlabel=r"$\sigma$", xscale="log")


@beside("flow_time_shift")
def time_shift(axes: Any) -> None:
    """Shifted times of a flow: a factor on sigma bends the line towards the noise, and keeps both ends."""
    time = np.linspace(0, 1, 300)
    for shift in (1 / 3, 1, 3, 6):
        axes.plot(time, flow.shifted.numpy(flow.shift, flow.t)(shift, time), label=f"shift {shift:.3g}")
    axes.set(xlabel="t", ylabel="t'", aspect="equal")


@beside("zero_terminal_snr")
def terminal_levels(axes: Any) -> None:
    """Roots of the levels of a linear schedule, before and after the rescaling to no terminal signal."""
    roots = np.sqrt(Schedule.linear(1000).abar[1:])
    rescaled = terminal.rescaled_root.numpy(terminal.root, terminal.last, terminal.kept)
    axes.plot(roots, label="as it was")
    axes.plot(rescaled(roots, roots[-1], roots[-1] / roots[0]), label="rescaled")
    axes.set(xlabel="t", ylabel=r"$\sqrt{\bar\alpha_t}$", yscale="log", ylim=(1e-3, 1.5))


@beside("gaussian_mixture")
def mixture_score(axes: Any) -> None:
    """The score of a mixture of three components, noised to three levels: an average of lines, by the responsibilities."""
    weights, means, variances = np.array([0.5, 0.2, 0.3]), np.array([-2.0, 0.0, 2.5]), np.array([0.05, 0.05, 0.05])
    x = np.linspace(-4, 4, 400)[:, None]
    for level in (0.99, 0.8, 0.4):
        centre = mixture.component_mean.numpy(abar_t, mixture.mu_k)(level, means)
        spread = mixture.component_variance.numpy(abar_t, mixture.c_k)(level, variances)
        share = weights * np.exp(-((x - centre) ** 2) / (2 * spread)) / np.sqrt(spread)
        share /= share.sum(axis=1, keepdims=True)
        lines = mixture.component_score.numpy(abar_t, x_t, mixture.mu_k, mixture.c_k)(level, x, means, variances)
        axes.plot(x[:, 0], (share * lines).sum(axis=1), label=rf"$\bar\alpha = {level}$")
    axes.set(xlabel=r"$x_t$", ylabel=r"$\nabla \log p_t$", ylim=(-15, 15))
