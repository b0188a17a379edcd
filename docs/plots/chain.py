"""The forward process, the posterior, DDIM and sigma space, over the levels of schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff import Schedule
from verifydiff.forms import ddim, ddpm, euler
from verifydiff.forms.quantities import abar_s, abar_t, eta, sigma_t, x_0, x_t

from .drawing import COLOURS, beside

# -- what they are drawn from ----------------------------------------------------------------------------------------------

SCHEDULES = {name: Schedule.named(name, 1000) for name in ("linear", "scaled_linear", "cosine")}
LEVELS = SCHEDULES["linear"].abar
T = np.arange(1, len(LEVELS))
LEVEL_T, LEVEL_S = LEVELS[1:], LEVELS[:-1]


def weight(form: Any, of: Any, *arguments: Any) -> Any:
    """The weight of a letter in a form that is linear in it and in x_0 and x_t, over the levels."""
    unit = {letter: int(letter == of) for letter in (x_0, x_t)}
    expression = form.expression.xreplace(unit)
    return type(form)(form.id, form.title, form.symbol, expression, form.source).numpy(*arguments)


@beside("forward_marginal")
def signal_and_noise(axes: Any) -> None:
    r"""Signal :math:`\sqrt{\bar\alpha_t}` and noise :math:`\sqrt{1 - \bar\alpha_t}` on three schedules of 1000 steps."""
    for number, (name, schedule) in enumerate(SCHEDULES.items()):
        t = np.arange(len(schedule.abar))
        axes.plot(t, np.sqrt(schedule.abar), color=COLOURS[number], label=f"signal, {name.replace('_', ' ')}")
        axes.plot(t, np.sqrt(1 - schedule.abar), color=COLOURS[number], linestyle=":", label=f"noise, {name.replace('_', ' ')}")
    axes.set(xlabel="t", xlim=(0, 1000), ylim=(0, 1.02))


@beside("ddpm.posterior_mean")
def posterior_weights(axes: Any) -> None:
    """What the posterior mean weighs the data and the noisy state with: linear schedule, one step at a time."""
    axes.plot(T, weight(ddpm.posterior_mean, x_0, abar_s, abar_t)(LEVEL_S, LEVEL_T), label="weight of $x_0$")
    axes.plot(T, weight(ddpm.posterior_mean, x_t, abar_s, abar_t)(LEVEL_S, LEVEL_T), label="weight of $x_t$")
    axes.set(xlabel="t", xscale="log", xlim=(1, 1000))


@beside("ddpm.posterior_variance")
def variances(axes: Any) -> None:
    r"""The posterior's variance :math:`\tilde\beta_t` and its upper bound :math:`\beta_t`: they differ near the data."""
    small = ddpm.posterior_variance.numpy(abar_s, abar_t)(LEVEL_S, LEVEL_T)
    axes.plot(T, 1 - LEVEL_T / LEVEL_S, label=r"$\beta_t$")
    axes.plot(T[1:], small[1:], label=r"$\tilde\beta_t$")  # at t = 1 it is 0
    axes.set(xlabel="t", xscale="log", yscale="log", xlim=(1, 1000))


@beside("ddim_family")
def ddim_weights(axes: Any) -> None:
    r"""The weight of :math:`x_t` in the step over fifty times of the linear schedule: eta moves noise from it to fresh draws."""
    times = np.arange(1000, -1, -20)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    for value in (0.0, 0.5, 1.0):
        scale = ddim.sigma.numpy(abar_s, abar_t, eta)(there, here, value)
        axes.plot(times[:-1], ddim.x_t_coefficient.numpy(abar_s, abar_t, sigma_t)(there, here, scale), label=rf"$\eta = {value:g}$")
    axes.set(xlabel="t", ylabel="weight of $x_t$", xlim=(0, 1000))


@beside("ddim.sigma")
def ddim_scales(axes: Any) -> None:
    """The scale of the fresh noise over fifty times of the linear schedule."""
    times = np.arange(1000, -1, -20)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    for value in (0.25, 0.5, 1.0):
        axes.plot(times[:-1], ddim.sigma.numpy(abar_s, abar_t, eta)(there, here, value), label=rf"$\eta = {value:g}$")
    axes.set(xlabel="t", ylabel=r"$\sigma_t$", xlim=(0, 1000))


@beside("sigma_space")
def sigmas(axes: Any) -> None:
    r"""Noise over signal, :math:`\sigma(t) = \sqrt{(1 - \bar\alpha_t) / \bar\alpha_t}`, on three schedules of 1000 steps."""
    for name, schedule in SCHEDULES.items():
        levels = schedule.abar[1:]
        axes.plot(np.arange(1, len(levels) + 1), np.sqrt((1 - levels) / levels), label=name.replace("_", " "))
    axes.set(xlabel="t", yscale="log", xlim=(0, 1000))


@beside("euler.sigma_down")
def ancestral(axes: Any) -> None:
    """Where the ancestral step goes down to, and the noise it adds on top: together they make up the level at s (25 steps)."""
    times = np.arange(1000, 39, -40)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    axes.plot(times[:-1], np.sqrt((1 - there) / there), label=r"$\sigma(s)$", color=COLOURS[4])
    axes.plot(times[:-1], euler.sigma_down.numpy(abar_s, abar_t)(there, here), label=r"$\sigma_{\rm down}$")
    axes.plot(times[:-1], euler.sigma_up.numpy(abar_s, abar_t)(there, here), label=r"$\sigma_{\rm up}$")
    axes.set(xlabel="t", yscale="log", xlim=(0, 1000))
