"""Plots of guidance: what it samples for Gaussian data, and what it is said to sample, drawn from the forms themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff.forms import guidance
from verifydiff.forms.guidance import mean_c, mean_u, var_c, var_u
from verifydiff.forms.quantities import abar_t, w

from .drawing import beside

WITH_LABEL, WITHOUT = (1.0, 0.5), (0.0, 1.0)  # mean and variance along one direction


@beside("guided_gaussian_flow")
def guided_variance(axes: Any) -> None:
    """The variance at the end of guided sampling over the weight: neither the flow nor the SDE ends in the tilted density."""
    weights = np.linspace(0, 8, 200)
    for form, name in (
        (guidance.tilted_variance, r"tilted, $p(x)\,p(y \mid x)^{1+w}$"),
        (guidance.sde_variance, "reverse SDE"),
        (guidance.ode_variance, "probability flow"),
    ):
        axes.plot(weights, form.numpy(var_c, var_u, w)(WITH_LABEL[1], WITHOUT[1], weights), label=name)
    axes.set(xlabel="w", ylabel="variance", yscale="log")


@beside("guidance.sde_mean")
def guided_mean(axes: Any) -> None:
    """The mean at the end of guided sampling over the weight: the SDE goes beyond the tilted density."""
    weights = np.linspace(1e-6, 8, 200)
    for form, name in ((guidance.tilted_mean, r"tilted, $p(x)\,p(y \mid x)^{1+w}$"), (guidance.sde_mean, "reverse SDE")):
        ends = form.numpy(mean_c, mean_u, var_c, var_u, w)(WITH_LABEL[0], WITHOUT[0], WITH_LABEL[1], WITHOUT[1], weights)
        axes.plot(weights, ends, label=name)
    axes.axhline(WITH_LABEL[0], linestyle=":", label="with the label, no guidance")
    axes.set(xlabel="w", ylabel="mean")


@beside("guidance_is_not_tilting")
def score_gap(axes: Any) -> None:
    """How much steeper the guided score is than that of the noised tilted density, relative to the latter, over the level."""
    levels = np.linspace(0, 1, 400)
    for weight in (0.5, 1.0, 2.0, 6.5):
        gap = guidance.precision_gap.numpy(abar_t, var_c, var_u, w)(levels, WITH_LABEL[1], WITHOUT[1], weight)
        guided = guidance.guided_precision.numpy(abar_t, var_c, var_u, w)(levels, WITH_LABEL[1], WITHOUT[1], weight)
        axes.plot(levels, gap / (guided - gap), label=f"w = {weight}")
    axes.set(xlabel=r"$\bar\alpha_t$", ylabel="relative gap")
